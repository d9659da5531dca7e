//! The same profile, scale and seed give the same bytes on every machine, today and tomorrow.
//!
//! A change of these digests changes every corpus: it comes with a higher `GENERATOR` number, so that corpora on disk are
//! written again, and with new baselines.

use highwater_generators::{Profile, Spec, foresee};

/// Profile, scale, seed; corpus digest and answer digest.
const PINNED: &[(Profile, f64, u64, &str, &str)] = &[
    (Profile::Smoke, 1.0, 1, "", ""),
    (Profile::Laptop, 0.02, 1, "", ""),
    (Profile::Heavy, 0.0005, 1, "", ""),
];

#[test]
fn corpora_have_their_pinned_digests() {
    let found: Vec<String> = PINNED
        .iter()
        .map(|&(profile, scale, seed, ..)| {
            let spec = Spec {
                profile,
                scale,
                seed,
            };
            let manifest = foresee(&spec, 2).unwrap();
            format!("{spec:?} {} {}", manifest.digest, manifest.answer.digest)
        })
        .collect();
    let pinned: Vec<String> = PINNED
        .iter()
        .map(|&(profile, scale, seed, digest, answer)| {
            let spec = Spec {
                profile,
                scale,
                seed,
            };
            format!("{spec:?} {digest} {answer}")
        })
        .collect();
    assert_eq!(found, pinned);
}
