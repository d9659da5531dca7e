//! Samples of `sync`: what is put in place before each, and what is taken from its answer.

use std::path::PathBuf;

use engine::sync::Strategy;
use harness::instrument::Instrument;
use harness::subject::Sample;

use super::{Drive, Task, idle, incremental};
use crate::answer::{Answer, Expected};
use crate::runner::{self, CaseRun, Input, Ready, Runner};
use crate::scratch::Scratch;

/// What a sample must answer.
pub(crate) struct Wanted {
    /// None where that is the input's own answer.
    expected: Option<Expected>,
    strategy: Strategy,
    input: Input,
}

/// Makes the input's home that of a sample.
pub(crate) fn borrow_home(scratch: &Scratch, input: &Input) -> Result<(), String> {
    scratch
        .borrow_home(&input.home)
        .map_err(|error| format!("failed to use {} as a home directory: {error}", input.home.display()))
}

impl Runner<'_> {
    /// One cold sample on each of some generated inputs, at one time, each for a case of its own.
    pub(crate) fn cold_samples(
        &mut self,
        strategy: Strategy,
        instrument: Instrument,
        cases: &mut [(&Input, &mut CaseRun)],
    ) -> Result<(), String> {
        let mut ready = Vec::new();
        for (input, case) in cases.iter() {
            let scratch = self.scratch(&case.name)?;
            borrow_home(&scratch, input)?;
            let task = Task { drive: Drive::Cold, strategy, worker_heap_bytes: None, attempts: None };
            let wanted = Wanted { expected: input.expected.clone(), strategy, input: (*input).clone() };
            ready.push(Some(Ready { scratch, task: (&task).into(), wanted: runner::Wanted::Sync(wanted) }));
        }
        let results = self.together(instrument, &ready);
        for ((input, case), (ready, result)) in cases.iter_mut().zip(ready.iter().zip(results)) {
            let (Some(ready), Some(result)) = (ready, result) else { continue };
            let add = |(sample, answer)| self.take_in(ready, sample, &answer, case);
            result.and_then(add).map_err(|error| format!("{} sessions: {error}", input.corpus.sessions))?;
        }
        Ok(())
    }

    /// What a case needs for its next sample.
    pub(crate) fn ready_to_sync(
        &mut self,
        case: &str,
        drive: Drive,
        strategy: Strategy,
    ) -> Result<Ready, String> {
        let scratch = self.scratch(case)?;
        let expected = self.furnish(drive, strategy, &scratch)?;
        let small = self.steady.small.as_ref().filter(|_| drive == Drive::Idle);
        let input = small.unwrap_or(self.input).clone();
        let strategy = drive.settled(strategy);
        let task = Task { drive, strategy, worker_heap_bytes: None, attempts: None };
        let wanted = Wanted { expected, strategy, input };
        Ok(Ready { scratch, task: (&task).into(), wanted: runner::Wanted::Sync(wanted) })
    }

    /// Checks what a sample answered.
    pub(crate) fn check_synced(&mut self, wanted: &Wanted, answer: &Answer) -> Result<(), String> {
        match &wanted.expected {
            Some(expected) => answer.check(expected),
            None => self.check(answer),
        }
    }

    /// Adds a sample whose answer is right to its case.
    pub(crate) fn take_in_synced(
        &mut self,
        wanted: &Wanted,
        sample: Sample,
        answer: &Answer,
        case: &mut CaseRun,
    ) -> Result<(), String> {
        case.add(sample, answer.last()?, &wanted.input);
        case.note_skipped(answer.last()?, &wanted.strategy, &wanted.input);
        Ok(())
    }

    /// Puts home and cache in place; gives what must be answered where that is not the input's own answer.
    fn furnish(
        &mut self,
        drive: Drive,
        strategy: Strategy,
        scratch: &Scratch,
    ) -> Result<Option<Expected>, String> {
        if let Some(prime) = drive.primed_by(strategy) {
            let cache = self.primed_cache(prime)?;
            scratch
                .copy_cache(&cache)
                .map_err(|error| format!("failed to copy {}: {error}", cache.display()))?;
        }
        match drive {
            Drive::Incremental => {
                incremental::change(self.input, scratch).map(|(expected, _)| Some(expected))
            }
            Drive::Idle => {
                let small = self.steady.small.as_ref().ok_or("the small corpus was not made")?;
                let (expected, added) = incremental::change(small, scratch)?;
                idle::prepare(scratch, &added)?;
                Ok(Some(expected))
            }
            Drive::Cold | Drive::Warm | Drive::Migrate => {
                borrow_home(scratch, self.input)?;
                Ok(None)
            }
        }
    }

    /// A cache that a strategy has made of the input; made once.
    fn primed_cache(&mut self, prime: Strategy) -> Result<PathBuf, String> {
        let key = serde_json::to_string(&prime).map_err(|error| error.to_string())?;
        if let Some(scratch) = self.primed.get(&key) {
            return Ok(scratch.cache());
        }
        let scratch = self.scratch("prime")?;
        borrow_home(&scratch, self.input)?;
        let task = Task { drive: Drive::Cold, strategy: prime, worker_heap_bytes: None, attempts: None };
        let (_, answer) = self.sample(&scratch, &task, Instrument::Os, None)?;
        self.check(&answer).map_err(|error| format!("while the cache was made: {error}"))?;
        let cache = scratch.cache();
        self.primed.insert(key, scratch);
        Ok(cache)
    }
}
