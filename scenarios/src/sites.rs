//! The allocation sites of a case: one sample under dhat, whose answer is checked as any other's.

use harness::instrument::Instrument;
use harness::sites::Profile;

use crate::CaseSpec;
use crate::runner::Runner;

/// The sites of one sample of a case, with the digest of its corpus. The artifact is for the caller to say.
///
/// # Errors
/// When the case takes its samples otherwise than in one fresh process tree each, when the sample fails or answers wrongly, or when
/// no process leaves a profile.
pub fn profile(runner: &mut Runner<'_>, spec: &CaseSpec) -> Result<Profile, String> {
    if !spec.is_sampled() {
        return Err(format!(
            "{} is no single run, and so has no allocation sites; profile a case of sync/cold",
            spec.name
        ));
    }
    let ready = runner.ready(&spec.name, spec.work)?;
    let scratch = &ready.scratch;
    let (_, answer) = runner.sample(scratch, ready.task.clone(), Instrument::Dhat, None)?;
    runner.check_sample(&ready, &answer)?;
    // The scratch directory goes with this function.
    let profile = harness::sites::read(&scratch.records(), &spec.name).map_err(|error| error.to_string())?;
    Ok(Profile { corpus: runner.corpus_digest(), ..profile })
}
