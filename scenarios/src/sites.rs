//! The allocation sites of a case: one sample under dhat, whose answer is checked as any other's.

use harness::instrument::Instrument;
use harness::sites::Profile;

use crate::runner::Runner;
use crate::subject::Task;
use crate::{CaseSpec, Kind};

/// The sites of one sample of a case, with the digest of its corpus. The artifact is for the caller to say.
///
/// # Errors
/// When the case takes its samples otherwise than in one fresh process tree each, when the sample fails or answers wrongly, or when
/// no process leaves a profile.
pub fn profile(runner: &mut Runner<'_>, spec: &CaseSpec) -> Result<Profile, String> {
    let Kind::Sampled(drive) = spec.scenario.kind else {
        return Err(format!(
            "{} is no single run, and so has no allocation sites; profile a case of sync/cold",
            spec.name
        ));
    };
    let task = Task { drive, strategy: spec.strategy, worker_heap_bytes: None, attempts: None };
    let scratch = runner.scratch(&spec.name)?;
    let expected = runner.furnish(drive, spec.strategy, &scratch)?;
    let (_, answer) = runner.sample(&scratch, &task, Instrument::Dhat, None)?;
    match expected {
        Some(expected) => answer.check(&expected)?,
        None => runner.check(&answer)?,
    }
    // The scratch directory goes with this function.
    let profile = harness::sites::read(&scratch.records(), &spec.name).map_err(|error| error.to_string())?;
    Ok(Profile { corpus: runner.corpus_digest(), ..profile })
}
