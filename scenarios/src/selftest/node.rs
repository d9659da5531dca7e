//! Two small Node programs that parse Claude sessions: one keeps every record, the other drops each file after it has summed it.
//!
//! They are measured as `highwater exec` measures a command. Growth is planted by their arguments, since nothing in them can be
//! counted from outside.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use generators::Corpus;
use harness::instrument::Instrument;
use harness::subject::{End, Foreign, Subject};

use super::bench::{Bench, Job};
use super::{Kind, Measured, Planted, gather};
use crate::Error;
use crate::runner::{self, record_of};
use crate::scratch::Scratch;

/// The program that keeps every record.
pub(super) const KEEPS: &str = "node/keeps";
/// The program that drops each file.
pub(super) const DROPS: &str = "node/drops";

/// What can be planted.
pub(super) const KINDS: [Kind; 3] = [Kind::Retained, Kind::Spike, Kind::Copy];

/// Both programs; which one it is stands in an argument.
const PROGRAM: &str = include_str!("sessions.js");

const METRICS: [&str; 1] = ["rss.peak_bytes"];

/// Samples by which the median is known before growth is planted.
const MEDIAN_SAMPLES: usize = 9;

/// What is planted after a file.
#[derive(Debug, Clone, Copy)]
struct Plant {
    kind: Kind,
    bytes: u64,
    file: u64,
}

/// Where Node is.
pub(super) fn find() -> Result<PathBuf, which::Error> {
    which::which("node")
}

/// Measures one of the programs.
pub(super) fn measure(
    bench: &mut Bench<'_>,
    name: &'static str,
    node: &Path,
    corpus: &Corpus,
) -> Result<Measured, Error> {
    let before = bench.done();
    let (options, stop) = (bench.options, bench.stop);
    let sessions = corpus.home().join(".claude").join("projects");
    // The program runs in a directory of its own.
    let sessions = std::fs::canonicalize(&sessions).map_err(|error| Error::Failed {
        case: name.to_owned(),
        why: format!("failed to find {}: {error}", sessions.display()),
    })?;
    let answer = std::sync::OnceLock::new();
    let sample = |scratch: &Scratch, plant: &Option<Plant>| {
        let program = scratch.root.join("sessions.js");
        std::fs::write(&program, PROGRAM).map_err(|error| error.to_string())?;
        let subject = Subject {
            program: node.to_owned(),
            args: arguments(&program, name, &sessions, *plant),
            env: Vec::new(),
            instrument: Instrument::Os,
            heap_limit_bytes: None,
            cwd: scratch.root.clone(),
            record_dir: scratch.records(),
            timeout: options.timeout,
            foreign: Some(Foreign::default()),
        };
        let sample = subject.run(stop).map_err(|error| error.to_string())?;
        if sample.status != End::Exit(0) {
            return Err(runner::subject_failed(&sample.status, &sample));
        }
        // Growth must change nothing but memory.
        let said = sample.stdout.text();
        let first = answer.get_or_init(|| said.clone());
        if *first != said { Err(format!("it answered {said:?}, before {first:?}")) } else { Ok(sample) }
    };
    let plain = || Job { arm: None, place: 0, plant: None };
    let few = bench.take(name, Instrument::Os, (0..MEDIAN_SAMPLES).map(|_| plain()).collect(), &sample)?;
    let peaks: Vec<f64> =
        few.iter().filter_map(|sample| Some(sample.metrics.get(METRICS[0])?.median)).collect();
    let median = harness::combine::median(&peaks).unwrap_or(0.0);
    let planted: Vec<Planted> = KINDS
        .iter()
        .flat_map(|kind| options.percents.iter().map(|percent| Planted::of(*kind, *percent, median)))
        .collect();
    let mut jobs: Vec<Job<Option<Plant>>> = (0..options.amounts.noisy).map(|_| plain()).collect();
    let files = files(corpus);
    for (arm, growth) in planted.iter().enumerate() {
        for place in 0..options.amounts.places as usize {
            let plant =
                Plant { kind: growth.kind, bytes: growth.bytes.round() as u64, file: bench.below(files) };
            let again = (0..options.amounts.each_place).map(|_| Some(plant));
            jobs.extend(again.map(|plant| Job { arm: Some(arm), place, plant }));
        }
    }
    let taken = bench.take(name, Instrument::Os, jobs, &sample)?;
    let metrics = gather(&taken, &planted, &METRICS);
    Ok(Measured { name, corpus: record_of(corpus), runs: bench.done() - before, metrics })
}

/// Files of Claude sessions in a corpus.
fn files(corpus: &Corpus) -> u64 {
    let is_session = |path: &str| path.starts_with(".claude/projects/") && path.ends_with(".jsonl");
    corpus.manifest.files.iter().filter(|file| is_session(&file.path)).count() as u64
}

fn arguments(program: &Path, name: &str, sessions: &Path, plant: Option<Plant>) -> Vec<OsString> {
    let mode = name.rsplit('/').next().unwrap_or_default();
    let mut arguments: Vec<OsString> = vec![program.into(), mode.into(), sessions.into()];
    if let Some(Plant { kind, bytes, file }) = plant {
        let kind = match kind {
            Kind::Spike => "spike",
            Kind::Copy => "copy",
            Kind::Retained | Kind::Each => "retained",
        };
        arguments.extend([kind.into(), bytes.to_string().into(), file.to_string().into()]);
    }
    arguments
}
