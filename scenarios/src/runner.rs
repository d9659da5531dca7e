//! Runs cases: prepares each sample's directory, starts its subject, checks the answer, and gathers the records.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::inject::{INJECT, Injection};
use harness::instrument::Instrument;
use harness::record;
use harness::subject::{End, Output, Sample, Subject};

use crate::answer::{self, Answer, Expected};
use crate::scratch::Scratch;
use crate::steady::Steady;
use crate::subject::{SUBJECT, Task};
use crate::sync::sampled;
use crate::{CaseSpec, Work, listing, snapshots, sync, view};

mod case;
mod histories;
mod input;
mod pair;

pub(crate) use case::CaseRun;
pub(crate) use histories::Kept;
pub(crate) use input::record_of;
pub use input::{Input, Part};
pub use pair::{pair_sites, pairs};

/// Ticks for which a daemon stays up when nothing else is asked for: what it takes for each does not depend on how many there are.
pub const TICKS: u32 = 15;

/// How cases are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program to be measured: one whose `main` begins with [`subject::enter`](crate::subject::enter).
    pub program: PathBuf,
    /// Where samples get their directories.
    pub scratch: PathBuf,
    /// Instruments, each with how many samples it takes of a case.
    pub instruments: Vec<(Instrument, u32)>,
    /// How long one sample may take.
    pub timeout: Duration,
    /// Ticks for which a daemon stays up, each a second of its clock.
    pub ticks: u32,
    /// What a browser would add, where that is modelled.
    pub browser: view::browser::Model,
    /// Growth that is planted into every sample, to see whether it is noticed.
    pub inject: Option<Injection>,
}

/// What a run says of itself while it works.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A sample begins, or a case that takes many.
    Case {
        /// Its case.
        case: &'a str,
        /// How many were before it.
        number: u64,
        /// How many there are.
        of: u64,
    },
}

/// Which cases are run.
#[derive(Debug)]
pub struct Plan {
    /// The cases.
    pub cases: Vec<CaseSpec>,
}

impl Plan {
    /// The names of the cases.
    pub fn names(&self) -> Vec<String> {
        self.cases.iter().map(|case| case.name.clone()).collect()
    }
}

/// Runs every case of a plan. Samples of different cases are interleaved, so that a slow minute of the machine falls on all.
///
/// A case that fails carries its error; none ends the others, but a request to stop does.
pub fn run(plan: &Plan, runner: &mut Runner<'_>) -> Vec<record::Case> {
    let new = |spec: &CaseSpec| match &runner.steady.small {
        Some(small) if spec.is_on_small_corpus() => CaseRun::on(&spec.name, small),
        _ => CaseRun::new(&spec.name),
    };
    let mut runs: Vec<CaseRun> = plan.cases.iter().map(new).collect();
    let rounds = rounds(runner.options);
    let mut sampled: Vec<(&CaseSpec, &mut CaseRun)> =
        plan.cases.iter().zip(&mut runs).filter(|(spec, _)| spec.is_sampled()).collect();
    let of = (rounds.len() * sampled.len() + plan.cases.len() - sampled.len()) as u64;
    let mut number = 0;
    for instrument in rounds {
        let mut rest = &mut sampled[..];
        while let Some((spec, _)) = rest.first() {
            let most = Runner::side_by_side(instrument, spec.is_timed());
            let alike = rest.iter().take_while(|(other, _)| other.is_timed() == spec.is_timed()).count();
            let (together, later) = rest.split_at_mut(alike.min(most));
            runner.tell(Event::Case { case: &together[0].0.name, number, of });
            runner.sampled(instrument, together);
            number += together.len() as u64;
            rest = later;
        }
    }
    for (spec, case) in plan.cases.iter().zip(&mut runs).filter(|(spec, _)| !spec.is_sampled()) {
        if !runner.is_stopped() {
            runner.tell(Event::Case { case: &spec.name, number, of });
            let result = match spec.work {
                Work::Sync(kind, strategy) => sync::measure(kind, strategy, runner, case),
                Work::Snapshots(kind, strategy) => snapshots::measure(kind, strategy, runner, case),
                Work::Listing(kind, strategy) => listing::measure(kind, strategy, runner, case),
                Work::View(..) => Err("its samples are taken with those of other cases".to_owned()),
            };
            case.error = result.err();
        }
        number += 1;
    }
    runs.into_iter().map(|case| case.record(runner.input)).collect()
}

/// The instrument of each round: those that take more samples than others are spread over the rounds.
fn rounds(options: &Options) -> Vec<Instrument> {
    let most = options.instruments.iter().map(|(_, samples)| *samples).max().unwrap_or(0);
    (0..most)
        .flat_map(|round| {
            options
                .instruments
                .iter()
                .filter(move |(_, samples)| round < *samples)
                .map(|(instrument, _)| *instrument)
        })
        .collect()
}

/// Runs samples on one input.
pub struct Runner<'a> {
    /// Corpora of steady sessions; cases that need one and find none fail.
    pub steady: Steady,
    pub(crate) options: &'a Options,
    pub(crate) input: &'a Input,
    stop: &'a AtomicBool,
    observe: &'a mut dyn FnMut(Event<'_>),
    learned: Option<Expected>,
    /// Caches that have been made for a drive and a strategy.
    pub(crate) primed: BTreeMap<String, Scratch>,
    /// Histories that have been written for a drive.
    pub(crate) histories: BTreeMap<String, Rc<Kept>>,
    /// Sessions that have been written for a view.
    pub(crate) views: BTreeMap<String, Rc<view::prepare::Kept>>,
    scratches: u64,
}

impl<'a> Runner<'a> {
    /// A runner that has measured nothing.
    pub fn new(
        options: &'a Options,
        input: &'a Input,
        stop: &'a AtomicBool,
        observe: &'a mut dyn FnMut(Event<'_>),
    ) -> Runner<'a> {
        Runner {
            steady: Steady::default(),
            options,
            input,
            stop,
            observe,
            learned: None,
            primed: BTreeMap::new(),
            histories: BTreeMap::new(),
            views: BTreeMap::new(),
            scratches: 0,
        }
    }

    pub(crate) fn tell(&mut self, event: Event<'_>) {
        (self.observe)(event);
    }

    /// The instrument of each round of samples.
    pub(crate) fn rounds(&self) -> Vec<Instrument> {
        rounds(self.options)
    }

    /// Samples that may run at one time: what is counted, and the memory of what lives by a virtual clock, do not depend on what else the machine
    /// does; time does.
    pub(crate) fn side_by_side(instrument: Instrument, is_timed: bool) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if instrument == Instrument::Count || !is_timed { cores.min(2) } else { 1 }
    }

    /// Digest of the corpus; none of a person's own history.
    pub(crate) fn corpus_digest(&self) -> Option<String> {
        Some(self.input.corpus.digest.clone()).filter(|digest| !digest.is_empty())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A fresh directory.
    pub(crate) fn scratch(&mut self, case: &str) -> Result<Scratch, String> {
        self.scratches += 1;
        let name: String = case.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let root = self.options.scratch.join(format!("{name}-{}", self.scratches));
        Scratch::new(root.clone()).map_err(|error| format!("failed to make {}: {error}", root.display()))
    }

    /// One sample with an empty cache.
    pub(crate) fn fresh_sample(
        &mut self,
        case: &str,
        task: impl Into<Task>,
        instrument: Instrument,
        heap_limit: Option<u64>,
    ) -> Result<(Sample, Answer), String> {
        let scratch = self.scratch(case)?;
        sampled::borrow_home(&scratch, self.input)?;
        self.sample(&scratch, task, instrument, heap_limit)
    }

    /// One sample in a directory that is ready for it.
    pub(crate) fn sample(
        &mut self,
        scratch: &Scratch,
        task: impl Into<Task>,
        instrument: Instrument,
        heap_limit: Option<u64>,
    ) -> Result<(Sample, Answer), String> {
        sample(self.options, self.stop, scratch, &task.into(), instrument, heap_limit)
    }

    /// Checks an answer against the manifest, or against what the first one said.
    pub(crate) fn check(&mut self, answer: &Answer) -> Result<(), String> {
        match self.input.expected.as_ref().or(self.learned.as_ref()) {
            Some(expected) => answer.check(expected),
            None => {
                let pass = answer.last()?;
                self.learned = Some(Expected {
                    digest: pass.digest.clone(),
                    sessions: pass.sessions,
                    requests: pass.requests,
                    skipped_lines: pass.skipped.lines,
                });
                Ok(())
            }
        }
    }

    /// One sample of each of some cases, side by side.
    fn sampled(&mut self, instrument: Instrument, cases: &mut [(&CaseSpec, &mut CaseRun)]) {
        let ready: Vec<Option<Ready>> =
            cases.iter_mut().map(|(spec, case)| self.prepare(spec, case)).collect();
        let results = self.together(instrument, &ready);
        for ((_, case), (ready, result)) in cases.iter_mut().zip(ready.into_iter().zip(results)) {
            if let (Some(ready), Some(result)) = (ready, result) {
                let add = |(sample, answer)| self.take_in(&ready, sample, &answer, case);
                case.error = result.and_then(add).err();
            }
        }
    }

    /// Runs samples at one time, those that are ready.
    pub(crate) fn together(
        &self,
        instrument: Instrument,
        ready: &[Option<Ready>],
    ) -> Vec<Option<Result<(Sample, Answer), String>>> {
        let (options, stop) = (self.options, self.stop);
        std::thread::scope(|scope| {
            let run = |ready: &'_ Ready| sample(options, stop, &ready.scratch, &ready.task, instrument, None);
            let threads: Vec<_> = ready
                .iter()
                .map(|ready| ready.as_ref().map(|ready| scope.spawn(move || run(ready))))
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("the sample's thread ended in a panic".to_owned()))
            };
            threads.into_iter().map(|thread| thread.map(join)).collect()
        })
    }

    /// Makes a case ready for its next sample, unless it has failed or the run is to stop.
    fn prepare(&mut self, spec: &CaseSpec, case: &mut CaseRun) -> Option<Ready> {
        if case.error.is_some() || self.is_stopped() {
            return None;
        }
        let ready = self.ready(&spec.name, spec.work);
        ready.map_err(|error| case.error = Some(error)).ok()
    }

    /// What a sampled case needs for its next sample.
    pub(crate) fn ready(&mut self, case: &str, work: Work) -> Result<Ready, String> {
        match work {
            Work::Sync(sync::Kind::Sampled(drive), strategy) => self.ready_to_sync(case, drive, strategy),
            Work::Snapshots(snapshots::Kind::Sampled(drive), strategy) => {
                self.ready_to_snapshot(case, drive, strategy, None)
            }
            Work::Listing(listing::Kind::Sampled(drive) | listing::Kind::Once(drive), strategy) => {
                self.ready_to_list(case, drive, strategy)
            }
            Work::View(drive, strategy) => self.ready_to_view(case, drive, strategy),
            Work::Sync(..) | Work::Snapshots(..) => {
                Err(format!("{case} is no single run; a case of sync/cold is one"))
            }
        }
    }

    /// Checks what a sample answered.
    pub(crate) fn check_sample(&mut self, ready: &Ready, answer: &Answer) -> Result<(), String> {
        match &ready.wanted {
            Wanted::Sync(wanted) => self.check_synced(wanted, answer),
            Wanted::Snapshots(wanted) => self.check_snapshots(wanted, answer),
            Wanted::Listing(wanted) => self.check_listing(wanted, answer),
            Wanted::View(wanted) => self.check_view(wanted, answer),
        }
    }

    /// Adds a sample to its case, if its answer is right.
    pub(crate) fn take_in(
        &mut self,
        ready: &Ready,
        sample: Sample,
        answer: &Answer,
        case: &mut CaseRun,
    ) -> Result<(), String> {
        self.check_sample(ready, answer)?;
        match &ready.wanted {
            Wanted::Sync(wanted) => self.take_in_synced(wanted, sample, answer, case),
            Wanted::Snapshots(wanted) => self.take_in_snapshots(wanted, sample, answer, case),
            Wanted::Listing(wanted) => self.take_in_listing(wanted, sample, answer, case),
            Wanted::View(wanted) => self.take_in_view(wanted, sample, answer, case),
        }
    }
}

/// A sample that has everything in place.
pub(crate) struct Ready {
    pub(crate) scratch: Scratch,
    pub(crate) task: Task,
    pub(crate) wanted: Wanted,
}

/// What a sample must answer, and what its family needs to take it in.
pub(crate) enum Wanted {
    /// Of `sync`.
    Sync(sampled::Wanted),
    /// Of `snapshots`.
    Snapshots(snapshots::prepare::Wanted),
    /// Of `listing`.
    Listing(listing::prepare::Wanted),
    /// Of `view`.
    View(view::prepare::Wanted),
}

/// Runs one subject.
fn sample(
    options: &Options,
    stop: &AtomicBool,
    scratch: &Scratch,
    task: &Task,
    instrument: Instrument,
    heap_limit: Option<u64>,
) -> Result<(Sample, Answer), String> {
    let mut subject = subject((&options.program, options.timeout), scratch, task, instrument)?;
    subject.heap_limit_bytes = heap_limit;
    subject.env.extend(options.inject.iter().map(variable));
    run_subject(&subject, scratch, stop)
}

/// The environment variable that plants growth.
pub(crate) fn variable(injection: &Injection) -> (OsString, OsString) {
    (INJECT.into(), injection.to_text().into())
}

/// The subject that does a task: this program, and how long it may take.
pub(crate) fn subject(
    (program, timeout): (&Path, Duration),
    scratch: &Scratch,
    task: &Task,
    instrument: Instrument,
) -> Result<Subject, String> {
    let task = serde_json::to_string(task).map_err(|error| error.to_string())?;
    Ok(Subject {
        program: program.to_owned(),
        args: vec![OsString::from(SUBJECT), OsString::from(task)],
        env: Vec::new(),
        instrument,
        heap_limit_bytes: None,
        cwd: scratch.root.clone(),
        record_dir: scratch.records(),
        timeout,
        foreign: None,
    })
}

/// Runs a subject in its directory, and reads its answer.
pub(crate) fn run_subject(
    subject: &Subject,
    scratch: &Scratch,
    stop: &AtomicBool,
) -> Result<(Sample, Answer), String> {
    scratch
        .clear_records()
        .map_err(|error| format!("failed to empty {}: {error}", scratch.root.display()))?;
    let sample = subject.run(stop).map_err(|error| error.to_string())?;
    let answer = match (&sample.status, std::fs::read(scratch.root.join(answer::FILE))) {
        (End::Exit(0), Ok(bytes)) => serde_json::from_slice(&bytes)
            .map_err(|error| format!("the subject's answer is damaged: {error}"))?,
        (End::HeapLimit(_), _) => {
            Answer { error: Some(format!("the subject {}", sample.status)), ..Answer::default() }
        }
        (status, _) => return Err(subject_failed(status, &sample)),
    };
    Ok((sample, answer))
}

pub(crate) fn subject_failed(status: &End, sample: &Sample) -> String {
    let text = sample.stderr.text();
    // A program that does not know its task answers as it does to a person: the reason first, then advice.
    let reason = text.lines().find(|line| line.starts_with("error:")).map(str::to_owned);
    let said = reason.or_else(|| last_line(&sample.stderr)).map(|line| format!(": {line}"));
    format!("the subject {status}{}", said.unwrap_or_default())
}

/// The last line of an output that says anything.
pub(crate) fn last_line(output: &Output) -> Option<String> {
    output.text().lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}
