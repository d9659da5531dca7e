//! Two ways to share a parse among four threads: a fixed partition, and a pool that takes tasks.
//!
//! The peak of several threads depends on how they happen to run side by side, so that it is no exact figure; its bound
//! (`heap.peak_bound_bytes`) is one. Growth is planted into the share of one thread, or into one task.

use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::formats::Hold;
use engine::formats::source::Reader;
use engine::session::Tally;
use engine::sync::discover::{Workspace, workspaces};
use engine::sync::parse::{Parser, Sink};
use engine::sync::prefetch::Prefetcher;
use engine::sync::protocol::{Item, Skipped, Work};
use generators::Corpus;
use harness::bound::{self, Pool};
use harness::instrument::Instrument;
use harness::meter::{self, Meter};
use harness::subject::{End, Sample, Subject};
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Job};
use super::{Kind, Measured, Planted, gather};
use crate::runner::{self, record_of};
use crate::scratch::Scratch;
use crate::subject::HOME;
use crate::{Error, answer};

/// The word with which the program is called to parse with threads.
pub(crate) const SUBJECT: &str = "threads";

/// Each thread has its share from the beginning.
pub(super) const PARTITION: &str = "threads/partition";
/// Threads take workspaces from a list.
pub(super) const POOL: &str = "threads/pool";

/// Threads of either.
const THREADS: usize = 4;

const METRICS: [&str; 2] = ["heap.peak_bound_bytes", "heap.peak_bytes"];

/// What a subject with threads does.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Whether tasks are taken from a list; else each thread has its share.
    is_pool: bool,
    /// Bytes that are planted; 0 for none.
    planted_bytes: u64,
    /// The share, or the task, that holds them.
    at: usize,
}

/// Does the work, and gives the exit code.
pub(crate) fn subject(task: &Task) -> i32 {
    let sessions = Meter::start("parent").map_err(|error| error.to_string()).and_then(|meter| {
        let sessions = work(task).map_err(|error| error.to_string())?;
        meter.finish().map_err(|error| error.to_string())?;
        Ok(sessions)
    });
    let written = match sessions {
        Ok(sessions) => std::fs::write(answer::FILE, sessions.to_string()),
        Err(_) => return 1,
    };
    i32::from(written.is_err())
}

/// Parses every workspace, and gives the number of sessions.
fn work(task: &Task) -> io::Result<u64> {
    meter::phase("parse");
    let workspaces = workspaces(Path::new(HOME), &mut Skipped::default());
    if task.is_pool { pooled(task, &workspaces) } else { partitioned(task, &workspaces) }
}

fn partitioned(task: &Task, workspaces: &[Workspace]) -> io::Result<u64> {
    let share = |number: usize| {
        bound::partition(|| {
            let planted = planted(task, number);
            let kept = parse(workspaces.iter().skip(number).step_by(THREADS))?;
            drop(planted);
            Ok(sessions(&kept))
        })
    };
    let share = &share;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || share(number))).collect();
        threads.into_iter().map(joined).sum()
    })
}

/// What a task leaves: what was planted, and what it parsed.
type Slot = Mutex<Option<(Vec<u8>, Vec<Item>)>>;

fn pooled(task: &Task, workspaces: &[Workspace]) -> io::Result<u64> {
    let pool = Pool::new(THREADS);
    let next = AtomicUsize::new(0);
    // Made before, so that no thread allocates outside of its tasks.
    let slots: Vec<Slot> = workspaces.iter().map(|_| Mutex::new(None)).collect();
    let parsed: io::Result<Vec<()>> = std::thread::scope(|scope| {
        let run = || -> io::Result<()> {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(workspace) = workspaces.get(at) else { return Ok(()) };
                let done = pool.task(|| {
                    let planted = planted(task, at);
                    parse(std::iter::once(workspace)).map(|kept| (planted, kept))
                })?;
                *slots[at].lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(done);
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(joined).collect()
    });
    parsed?;
    let all = slots.into_iter().filter_map(|slot| slot.into_inner().ok().flatten());
    Ok(all.map(|(_, kept)| sessions(&kept)).sum())
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended in a panic")))
}

/// The growth, where it is planted: touched bytes that are kept as long as what is returned.
fn planted(task: &Task, at: usize) -> Vec<u8> {
    if task.at == at { std::hint::black_box(vec![1; task.planted_bytes as usize]) } else { Vec::new() }
}

/// Every item of some workspaces, read as the reported engine reads them: each file whole.
fn parse<'w>(workspaces: impl Iterator<Item = &'w Workspace>) -> io::Result<Vec<Item>> {
    let mut parser = Parser {
        home: Path::new(HOME),
        reader: Reader::whole(),
        hold: Hold::REPORTED,
        prefetched: Prefetcher::default(),
        avoid: &[],
        probe_missing: false,
        skipped: Skipped::default(),
        work: Work::default(),
    };
    let mut kept = Kept(Vec::new());
    for workspace in workspaces {
        parser.workspace(workspace, &mut kept)?;
    }
    Ok(kept.0)
}

struct Kept(Vec<Item>);

impl Sink for Kept {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        self.0.push(item);
        Ok(())
    }
}

fn sessions(items: &[Item]) -> u64 {
    let mut tally = Tally::default();
    items.iter().for_each(|item| item.tally(&mut tally));
    tally.sessions
}

/// Measures one of the two, with growth in one share or task after the other.
pub(super) fn measure(bench: &mut Bench<'_>, name: &'static str, corpus: &Corpus) -> Result<Measured, Error> {
    let before = bench.done();
    let plain = Task { is_pool: name == POOL, ..Task::default() };
    let (options, stop) = (bench.options, bench.stop);
    let sample = |scratch: &Scratch, task: &Task| {
        let home = corpus.home();
        scratch.borrow_home(&home).map_err(|error| format!("failed to use {}: {error}", home.display()))?;
        let task = serde_json::to_string(task).map_err(|error| error.to_string())?;
        let subject = Subject {
            program: options.program.clone(),
            args: vec![SUBJECT.into(), task.into()],
            env: Vec::new(),
            instrument: Instrument::Count,
            heap_limit_bytes: None,
            cwd: scratch.root.clone(),
            record_dir: scratch.records(),
            timeout: options.timeout,
            foreign: None,
        };
        let sample = subject.run(stop).map_err(|error| error.to_string())?;
        check(scratch, sample, corpus.manifest.answer.sessions)
    };
    let nothing = |_| Job { arm: None, place: 0, plant: plain };
    let first = bench.take(name, Instrument::Count, vec![nothing(0)], &sample)?;
    let Some(bound) = first.first().and_then(|sample| sample.metrics.get(METRICS[0])) else {
        let why = "its peak has no bound".to_owned();
        return Err(Error::Failed { case: name.to_owned(), why });
    };
    let planted: Vec<Planted> =
        options.percents.iter().map(|percent| Planted::of(Kind::Retained, *percent, bound.median)).collect();
    let mut jobs: Vec<Job<Task>> = (0..options.amounts.single).map(nothing).collect();
    for (arm, growth) in planted.iter().enumerate() {
        let planted_bytes = growth.bytes.round() as u64;
        for trial in 0..options.amounts.single as usize {
            let at = trial % THREADS;
            jobs.push(Job { arm: Some(arm), place: at, plant: Task { planted_bytes, at, ..plain } });
        }
    }
    let taken = bench.take(name, Instrument::Count, jobs, &sample)?;
    let metrics = gather(&taken, &planted, &METRICS);
    Ok(Measured { name, corpus: record_of(corpus), runs: bench.done() - before, metrics })
}

/// The sample, when it ended well and found every session.
fn check(scratch: &Scratch, sample: Sample, expected: u64) -> Result<Sample, String> {
    if sample.status != End::Exit(0) {
        return Err(runner::subject_failed(&sample.status, &sample));
    }
    let text = std::fs::read_to_string(scratch.root.join(answer::FILE)).map_err(|error| error.to_string())?;
    if text.trim().parse() != Ok(expected) {
        return Err(format!("it found {text} sessions, the corpus has {expected}"));
    }
    Ok(sample)
}
