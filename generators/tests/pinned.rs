//! The same profile, scale and seed give the same bytes on every machine, today and tomorrow.
//!
//! A change of these digests changes every corpus: it comes with a higher `GENERATOR` number, so that corpora on disk are
//! written again, and with new baselines.

use highwater_generators::{Profile, Spec, foresee};

/// Profile, scale, seed; corpus digest and answer digest.
const PINNED: &[(Profile, f64, u64, &str, &str)] = &[
    (Profile::Smoke, 1.0, 1, "6fa54098361653fa0d7793491243ef00", "9764acc2dcd8b1fe24bfb15f04dd3bf5"),
    (Profile::Steady, 0.03125, 1, "c6568b28a6cd7c49e85848b368d8e081", "6a27c02b99c8945e067575ecc716fe89"),
    (Profile::Laptop, 0.02, 1, "2bcd300b723ee7286c7e8f8cee36db38", "d1f22ce939559cec490601583fa28fa2"),
    (Profile::Heavy, 0.0005, 1, "ef2c00d3cb0af12db55d887a04e4a067", "b20963962a8e868fb61ab69659129258"),
    (Profile::Wide, 0.002, 1, "3e16c543f7e14dd381205a81e3b3d736", "a7b88b0358118557b22d6094933855a2"),
    (
        Profile::Pathological,
        0.0001,
        1,
        "aa0b8a093c980f7400df1d1b5b2ebcb2",
        "d100f4f1dd03bb2125ecb3c75bc5f53b",
    ),
    // Some of its files cannot be made on Windows.
    #[cfg(unix)]
    (Profile::Adversarial, 0.01, 1, "01c0cc0b3ccc91c5eb5656894beaa67c", "0e11597242f1ce17930444e6cfa61be0"),
    (Profile::Growth, 1.0, 1, "c44d5b9cfea3143f79d213d6d2ead69b", "fce3235bc1b2ce2d4c832c6d808ccf62"),
];

#[test]
fn corpora_have_their_pinned_digests() {
    let found: Vec<String> = PINNED
        .iter()
        .map(|(profile, scale, seed, ..)| {
            let spec = Spec { profile: profile.clone(), scale: *scale, seed: *seed };
            let manifest = foresee(&spec, 2).unwrap();
            format!("{spec:?} {} {}", manifest.digest, manifest.answer.digest)
        })
        .collect();
    let pinned: Vec<String> = PINNED
        .iter()
        .map(|(profile, scale, seed, digest, answer)| {
            let spec = Spec { profile: profile.clone(), scale: *scale, seed: *seed };
            format!("{spec:?} {digest} {answer}")
        })
        .collect();
    assert_eq!(found, pinned);
}
