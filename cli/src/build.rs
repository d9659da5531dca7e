//! What was noted when this program was built.

use harness::environment::Build;
use harness::record::Artifact;

/// The build, for the record's environment.
pub(crate) fn build() -> Build {
    Build {
        toolchain: env!("HIGHWATER_BUILD_TOOLCHAIN").to_owned(),
        target: env!("HIGHWATER_BUILD_TARGET").to_owned(),
        lockfile: env!("HIGHWATER_BUILD_LOCKFILE").to_owned(),
        profile: env!("HIGHWATER_BUILD_PROFILE").to_owned(),
    }
}

/// The build, as the thing that is measured.
pub(crate) fn artifact() -> Artifact {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Artifact {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: known(env!("HIGHWATER_BUILD_COMMIT")),
        tag: known(env!("HIGHWATER_BUILD_TAG")),
        dirty: known(env!("HIGHWATER_BUILD_DIRTY")).map(|dirty| dirty == "yes"),
    }
}
