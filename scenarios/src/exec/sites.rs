//! The allocation sites of a command: one sample under dhat of a Rust program with the harness' allocator.

use std::sync::atomic::AtomicBool;

use harness::instrument::Instrument;
use harness::sites::Profile;

use super::{Arm, ArmRun, Error, Options, Pass, end, name, scratch, subject};

/// The sites of one sample of a command, with the digest of its corpus. The artifact is for the caller to say.
///
/// # Errors
/// When the sample's directory or its copy of the corpus cannot be made, the command cannot be run or ends otherwise than expected, or
/// no process of it leaves a profile.
pub fn profile(arm: &Arm, options: &Options, stop: &AtomicBool) -> Result<Profile, Error> {
    let pass = Pass::of(Instrument::Dhat);
    let failed = |why: String| Error::Sites { case: arm.name.clone(), why };
    let scratch = scratch(options, &format!("{}-sites", name::file_stem(&arm.name, pass)))?;
    let mut run = ArmRun::new(arm);
    let sample = subject(&mut run, options, pass, &scratch, stop)?
        .run(stop)
        .map_err(|error| failed(error.to_string()))?;
    if let Some(wrong) = end::wrong(&sample, pass, 1, options) {
        return Err(failed(wrong));
    }
    // The scratch directory goes with this function.
    let profile =
        harness::sites::read(&scratch.records(), &arm.name).map_err(|error| failed(error.to_string()))?;
    let corpus = options.corpus.as_ref().map(|corpus| corpus.manifest.digest.clone());
    Ok(Profile { corpus, ..profile })
}
