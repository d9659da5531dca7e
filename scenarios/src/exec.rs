//! Measures commands that know nothing of highwater: samples of one command, or of two in turn.
//!
//! Each sample starts the command afresh in the caller's own directory; with a corpus, in a home of its own. The passes are in
//! [`pass`](Pass): resident memory of the whole tree first, then what else was asked for. An end that was not expected is an
//! error of its case, which then has no measurement.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::record;
use harness::subject::{Foreign, Sample, Subject};

use crate::runner::Event;
use crate::scratch::Scratch;

mod case;
mod end;
mod error;
mod home;
mod name;
mod output;
mod pass;
mod program;
mod sites;

pub use error::Error;
pub use name::{FAMILIES, case_name, file_name, is_taken, of_program, plain, quiet_name};
pub use pass::{Pass, Wanted};
pub use program::{ARTIFACT, Program, in_artifact};
pub use sites::profile;

use case::CaseRun;

/// How commands are measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often the passes are made.
    pub samples: Samples,
    /// What is read.
    pub wanted: Vec<Wanted>,
    /// The corpus that each sample gets a copy of.
    pub corpus: Option<generators::Corpus>,
    /// Whether all samples of a command share one copy, so that the second finds what the first has left.
    pub warm: bool,
    /// The exit code that counts as success.
    pub expected_exit: i32,
    /// How long one sample may take.
    pub timeout: Duration,
    /// How the command is started and watched.
    pub foreign: Foreign,
    /// The directory in which the command runs.
    pub cwd: PathBuf,
    /// Where samples get their directories.
    pub scratch: PathBuf,
    /// Where the outputs of samples are kept.
    pub outputs: PathBuf,
}

/// How often a command is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// Samples of the pass `os`.
    pub os: u32,
    /// Samples of the pass `quiet`.
    pub quiet: u32,
    /// Samples of each pass that reads noisy figures from within. Those that count take 2, to see whether they are equal.
    pub within: u32,
    /// Whether one sample of the first pass goes before, which is noted and not used: the first run after a build reads files that
    /// no later one has to wait for.
    pub burn_in: bool,
}

impl Samples {
    /// To be looked at: so many of `os`, two of `quiet` to see whether they are equal, and one from within.
    pub fn shown(os: u32) -> Samples {
        Samples { os, quiet: pass::EXACT_SAMPLES, within: 1, burn_in: false }
    }

    /// To be judged: as many of each pass whose figures are noisy, after one that is not used.
    pub fn judged(each: u32) -> Samples {
        Samples { os: each, quiet: each, within: each, burn_in: true }
    }
}

/// A command with the name of its case.
#[derive(Debug, Clone)]
pub struct Arm {
    /// `family/scenario:strategy`.
    pub name: String,
    /// The command.
    pub program: Program,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// One case for each command, then one for each that had a quiet pass.
    pub cases: Vec<record::Case>,
    /// What makes the figures incomplete, as sentences.
    pub doubts: Vec<String>,
}

/// Measures one command, or several in turn: forwards and backwards (ABBA), so that a slow minute of the machine falls on all.
///
/// # Errors
/// When a sample's directory or its copy of the corpus cannot be made, or an output cannot be kept. What a command does wrong is
/// an error of its case.
pub fn run(
    arms: &[Arm],
    options: &Options,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Measured, Error> {
    let arms = arms.iter().map(ArmRun::new).collect();
    let mut runner = Runner { options, stop, observe, arms, done: 0, of: 0 };
    let passes = pass::asked(&options.wanted);
    let burn_in = passes.first().copied().filter(|_| options.samples.burn_in);
    runner.of = (runner.samples(&passes) + usize::from(burn_in.is_some())) * runner.arms.len();
    if let Some(pass) = burn_in {
        (0..runner.arms.len()).try_for_each(|index| runner.burn_in(index, pass))?;
    }
    for pass in passes {
        runner.pass(pass, |_| true)?;
    }
    if pass::is_auto(&options.wanted) {
        runner.automatic()?;
    }
    Ok(runner.finish())
}

/// The number of the sample that goes before the others.
const BURN_IN: u32 = 0;

struct Runner<'a> {
    options: &'a Options,
    stop: &'a AtomicBool,
    observe: &'a mut dyn FnMut(Event<'_>),
    arms: Vec<ArmRun<'a>>,
    done: u64,
    of: usize,
}

/// A command while it is measured.
struct ArmRun<'a> {
    arm: &'a Arm,
    natural: CaseRun,
    quiet: CaseRun,
    is_node: bool,
    /// The home that all samples share.
    warm: Option<Scratch>,
}

impl ArmRun<'_> {
    fn new(arm: &Arm) -> ArmRun<'_> {
        let quiet = name::quiet_name(&arm.name);
        let is_node = arm.program.is_node();
        ArmRun { arm, natural: CaseRun::new(&arm.name), quiet: CaseRun::new(&quiet), is_node, warm: None }
    }

    fn case(&mut self, pass: Pass) -> &mut CaseRun {
        if pass.is_quiet() { &mut self.quiet } else { &mut self.natural }
    }
}

impl Runner<'_> {
    /// Samples of one command in some passes.
    fn samples(&self, passes: &[Pass]) -> usize {
        passes.iter().map(|pass| pass.samples(self.options.samples) as usize).sum()
    }

    /// Whether one side of a comparison has failed: the other alone is not worth more samples.
    fn is_lost(&self) -> bool {
        self.options.samples.burn_in && self.arms.iter().any(|arm| arm.natural.error.is_some())
    }

    /// What is added by itself where a command runs Node.
    fn automatic(&mut self) -> Result<(), Error> {
        let passes: Vec<Pass> = pass::for_node(&self.options.wanted);
        let node = self.arms.iter().filter(|arm| arm.is_node).count();
        self.of += self.samples(&passes) * node;
        for pass in passes {
            self.pass(pass, |arm| arm.is_node && arm.natural.error.is_none())?;
        }
        Ok(())
    }

    /// All samples of one pass.
    fn pass(&mut self, pass: Pass, takes_part: impl Fn(&ArmRun<'_>) -> bool) -> Result<(), Error> {
        for round in 0..pass.samples(self.options.samples) {
            for place in 0..self.arms.len() {
                let index = if round % 2 == 0 { place } else { self.arms.len() - 1 - place };
                let goes_on = !self.is_lost() && !self.stop.load(Ordering::Relaxed);
                if goes_on && takes_part(&self.arms[index]) {
                    self.sample(index, pass, round + 1)?;
                }
            }
        }
        Ok(())
    }

    /// One sample, unless its case has failed.
    fn sample(&mut self, index: usize, pass: Pass, number: u32) -> Result<(), Error> {
        let options = self.options;
        if let Some(sample) = self.take(index, pass, number)? {
            self.arms[index].case(pass).add(sample, pass, number, options);
        }
        Ok(())
    }

    /// One sample that is noted and not used.
    fn burn_in(&mut self, index: usize, pass: Pass) -> Result<(), Error> {
        let options = self.options;
        if let Some(sample) = self.take(index, pass, BURN_IN)? {
            self.arms[index].case(pass).burn_in(sample, pass, options);
        }
        Ok(())
    }

    /// Takes a sample; none when its case has failed, or fails with it, or the caller asks to stop.
    fn take(&mut self, index: usize, pass: Pass, number: u32) -> Result<Option<Sample>, Error> {
        let (options, stop) = (self.options, self.stop);
        let arm = &mut self.arms[index];
        self.done += 1;
        if arm.case(pass).error.is_some() {
            return Ok(None);
        }
        let case = arm.case(pass).name.clone();
        (self.observe)(Event::Case { case: &case, number: self.done - 1, of: self.of as u64 });
        let stem = format!("{}-{number}", name::file_stem(&case, pass));
        let scratch = scratch(options, &stem)?;
        let subject = subject(arm, options, pass, &scratch, stop)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let taken = subject.run(stop);
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match taken {
            Ok(sample) => {
                output::keep(&options.outputs, &stem, &sample)?;
                arm.is_node |= pass::runs_node(&sample);
                Ok(Some(sample))
            }
            Err(error) => {
                arm.case(pass).error = Some(format!("{}: {error}", end::sample(pass, number)));
                Ok(None)
            }
        }
    }

    fn finish(self) -> Measured {
        let mut measured = Measured::default();
        let mut quiet_cases = Vec::new();
        let is_asked = self.options.wanted.iter().any(|wanted| wanted.is(Pass::QUIET));
        for arm in self.arms {
            let ArmRun { arm, natural, quiet, .. } = arm;
            let is_natural_wanted = !natural.is_empty();
            let failed = quiet.error.clone().filter(|_| !is_asked);
            if is_natural_wanted {
                measured.cases.push(natural.record(&arm.program, self.options));
            }
            // What nobody asked for makes no error where Node's quiet flags do not suit the program.
            match failed {
                Some(error) => measured.doubts.push(format!("{} is left out: {error}", quiet.name)),
                None if quiet.is_empty() => {}
                None => quiet_cases.push(quiet.record(&arm.program, self.options)),
            }
        }
        measured.cases.extend(quiet_cases);
        measured
    }
}

fn scratch(options: &Options, name: &str) -> Result<Scratch, Error> {
    let root = options.scratch.join(name);
    Scratch::new(root.clone()).map_err(|source| Error::file("make", &root, source))
}

/// The command, ready to be run in a directory made for it.
fn subject(
    arm: &mut ArmRun<'_>,
    options: &Options,
    pass: Pass,
    scratch: &Scratch,
    stop: &AtomicBool,
) -> Result<Subject, Error> {
    let home = match &options.corpus {
        None => None,
        Some(corpus) if options.warm => Some(warm_home(arm, corpus, options, stop)?),
        Some(corpus) => Some(home::copy(corpus, &scratch.home(), stop)?),
    };
    Ok(Subject {
        program: arm.arm.program.path().to_owned(),
        args: arm.arm.program.args(home.as_deref()),
        env: home.as_deref().map(home::variables).unwrap_or_default(),
        instrument: pass.instrument(),
        heap_limit_bytes: None,
        cwd: options.cwd.clone(),
        record_dir: scratch.records(),
        timeout: options.timeout,
        foreign: Some(Foreign { quiet: pass.is_quiet(), ..options.foreign.clone() }),
    })
}

/// The home that all samples of a command share; made with the first.
fn warm_home(
    arm: &mut ArmRun<'_>,
    corpus: &generators::Corpus,
    options: &Options,
    stop: &AtomicBool,
) -> Result<PathBuf, Error> {
    if let Some(scratch) = &arm.warm {
        return Ok(scratch.home());
    }
    let scratch = scratch(options, &format!("{}-warm", name::file_name(&arm.arm.name)))?;
    let home = home::copy(corpus, &scratch.home(), stop)?;
    arm.warm = Some(scratch);
    Ok(home)
}
