//! Subjects of the tests: the test binary runs itself again, and there it does one named piece of work.
#![allow(dead_code, reason = "every test binary uses a part of this")]
#![expect(clippy::print_stdout, reason = "a test harness says what passed")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness::instrument::Instrument;
use harness::meter::Meter;
use harness::record::Process;
use harness::subject::{Sample, Subject};

/// The variable that names the work to be done by a subject.
const WORK: &str = "SUBJECT_WORK";

/// Functions with their names.
macro_rules! named {
    ($($function:ident),* $(,)?) => { &[$((stringify!($function), $function as fn())),*] };
}
pub(crate) use named;

pub(crate) type Named = [(&'static str, fn())];

/// The main function of a test binary: a subject does the work it was started for, any other process runs the checks whose names hold
/// one of its arguments. In place of the standard test harness, whose main thread allocates while tests run.
pub(crate) fn main(works: &Named, checks: &Named) -> ExitCode {
    if let Ok(name) = std::env::var(WORK) {
        let (_, work) = works.iter().find(|(known, _)| *known == name).expect("the work is in the list");
        work();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        checks.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut failed = 0;
    for (name, check) in checks.iter().filter(|(name, _)| wanted(name)) {
        let passed = std::panic::catch_unwind(check).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u8::from(!passed);
    }
    println!("test result: {failed} failed");
    ExitCode::from(failed)
}

/// Measures `work` as the whole region of this process.
pub(crate) fn measured(work: impl FnOnce(&Meter)) -> Process {
    let meter = Meter::start("parent").unwrap();
    work(&meter);
    meter.finish().unwrap()
}

/// A subject in a scratch directory of its own.
pub(crate) struct Bench {
    pub(crate) subject: Subject,
    pub(crate) scratch: tempfile::TempDir,
}

/// A subject that does `work` under `instrument`.
pub(crate) fn bench(work: &str, instrument: Instrument) -> Bench {
    let scratch = tempfile::tempdir().unwrap();
    let records = scratch.path().join("records");
    std::fs::create_dir(&records).unwrap();
    let subject = Subject {
        program: std::env::current_exe().unwrap(),
        args: Vec::new(),
        env: vec![(WORK.into(), work.into())],
        instrument,
        heap_limit_bytes: None,
        cwd: scratch.path().to_owned(),
        record_dir: records,
        timeout: Duration::from_secs(60),
        foreign: None,
    };
    Bench { subject, scratch }
}

impl Bench {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Bench {
        self.subject.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn limit(mut self, bytes: u64) -> Bench {
        self.subject.heap_limit_bytes = Some(bytes);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(crate) fn run(&self) -> Sample {
        self.subject.run(&AtomicBool::new(false)).unwrap()
    }

    /// The record of a run that ended well.
    pub(crate) fn record(&self) -> Process {
        let sample = self.run();
        assert!(
            sample.status.is_success(),
            "{}\n{}{}",
            sample.status,
            sample.stdout.text(),
            sample.stderr.text()
        );
        sample.processes.into_iter().next().expect("the subject leaves a record")
    }
}

/// A metric of the whole process.
pub(crate) fn metric(process: &Process, name: &str) -> f64 {
    process.metrics.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", process.metrics.keys())).value
}

/// A metric of one phase.
pub(crate) fn phase_metric(process: &Process, phase: &str, name: &str) -> f64 {
    let phase = process.phases.iter().find(|known| known.name == phase).expect("the phase was recorded");
    phase.metrics[name].value
}

/// Waits until `condition` holds, at most 30 seconds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::yield_now();
    }
}

/// Whether a process is there, dead ones that nobody has collected aside.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
