//! The same profile, scale and seed give the same bytes on every machine, today and tomorrow.
//!
//! A change of these digests changes every corpus: it comes with a higher `GENERATOR` number, so that corpora on disk are
//! written again, and with new baselines.

use highwater_generators::{Profile, Spec, foresee};

/// Profile, scale, seed; corpus digest and answer digest.
const PINNED: &[(Profile, f64, u64, &str, &str)] = &[
    (Profile::Smoke, 1.0, 1, "bfff6dc6c91bbc773d4a9bdbd92f1bad", "5e5d0f9c93f4f442afd128da21e85da1"),
    (Profile::Steady, 0.03125, 1, "db9316220998cbe474ca19f061f9487d", "b4ba5efe4a8085ae7ebeddee44ac359a"),
    (Profile::Laptop, 0.02, 1, "5fb6a0446fe826f243de40b2ab3aef66", "405d91ec05a5e012f0236aaef2a61602"),
    (Profile::Heavy, 0.0005, 1, "fcbb72e3bd16d26c1300d889314e84ba", "a3519a2c7ed07ed7be890974a06779ee"),
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
