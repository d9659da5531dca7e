//! Real samples for `highwater selftest`: of programs as they are, and of the same programs with growth planted into them.
//!
//! What is measured is our own `sync/cold:bounded`, two ways to share work among threads, and two small Node programs that this crate
//! ships. The samples of one subject and instrument are taken in a mixed order, so that a slow minute of the machine falls on those
//! with growth and on those without. Judging them is not done here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use generators::{Corpus, Profile, Spec};
use harness::record::{self, Tier, Unit};
use harness::sites;

use crate::Error;
use crate::runner::Event;

mod bench;
mod node;
mod own;
pub(crate) mod threads;

use bench::Bench;

/// The corpus that our own subjects read: every format, and small, so that a sample takes some tens of milliseconds.
pub const OWN_CORPUS: Spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };
/// The corpus that the Node programs read: some MB of Claude sessions.
pub const NODE_CORPUS: Spec = Spec { profile: Profile::Laptop, scale: 0.05, seed: 1 };

/// What can be measured, in the order of reports.
pub const SUBJECTS: [&str; 5] = [own::NAME, threads::PARTITION, threads::POOL, node::KEEPS, node::DROPS];

/// Whether a subject is one of the Node programs, which read [`NODE_CORPUS`].
pub fn is_node(subject: &str) -> bool {
    subject.starts_with("node/")
}

/// How samples are taken.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program to be measured: one whose `main` begins with [`subject::enter`](crate::subject::enter).
    pub program: PathBuf,
    /// Where samples get their directories.
    pub scratch: PathBuf,
    /// How long one sample may take.
    pub timeout: Duration,
    /// The seed of every random choice: places of growth, and the order of samples.
    pub seed: u64,
    /// How many samples.
    pub amounts: Amounts,
    /// Sizes of growth, in percent of the median peak.
    pub percents: Vec<f64>,
}

/// How many samples are taken of each subject.
#[derive(Debug, Clone, Copy)]
pub struct Amounts {
    /// Counted samples without growth.
    pub exact: u32,
    /// Samples of resident memory without growth.
    pub noisy: u32,
    /// Counted samples of each growth, each with a place of its own.
    pub trials: u32,
    /// Places of each growth whose resident memory is read.
    pub places: u32,
    /// Samples of resident memory of each place.
    pub each_place: u32,
    /// Counted samples with a block more for each session, and of threads with growth.
    pub single: u32,
}

/// How growth is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Kept from some moment on.
    Retained,
    /// Touched and freed at once.
    Spike,
    /// A copy of something.
    Copy,
    /// Kept for each session.
    Each,
}

/// A growth that was planted.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// How.
    pub kind: Kind,
    /// How much, in words: `5 %`, `64 B`, `blocks from 64 KiB`.
    pub what: String,
    /// In percent of the subject's median peak, heap or resident.
    pub percent: f64,
    /// In bytes.
    pub bytes: f64,
}

impl Planted {
    fn of(kind: Kind, percent: f64, median: f64) -> Planted {
        Planted { kind, what: format!("{percent} %"), percent, bytes: percent / 100.0 * median }
    }
}

/// All samples of one metric of a subject.
#[derive(Debug, Clone)]
pub struct MetricSamples {
    /// The metric.
    pub metric: String,
    /// Its tier by nature.
    pub tier: Tier,
    /// Its unit.
    pub unit: Unit,
    /// Without growth, in the order taken.
    pub plain: Vec<f64>,
    /// With growth: for each, the samples of each place.
    pub grown: Vec<(Planted, Vec<Vec<f64>>)>,
}

/// What was measured of one subject.
#[derive(Debug, Clone)]
pub struct Measured {
    /// One of [`SUBJECTS`].
    pub name: &'static str,
    /// What it read.
    pub corpus: record::Corpus,
    /// Processes that were started for it.
    pub runs: u64,
    /// Its metrics.
    pub metrics: Vec<MetricSamples>,
}

/// What was measured of all.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// In the order of [`SUBJECTS`].
    pub subjects: Vec<Measured>,
    /// What was left out, and why.
    pub doubts: Vec<String>,
}

/// Measures the named subjects. `corpora` are [`OWN_CORPUS`] and [`NODE_CORPUS`].
///
/// # Errors
/// When a sample fails or answers wrongly: what it measured would be no sample of the program. When `stop` is set, what is missing is
/// left out; the caller must look.
pub fn run(
    subjects: &[&str],
    corpora: (&Corpus, &Corpus),
    options: &Options,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Taken, Error> {
    let mut taken = Taken::default();
    let node = node::find();
    let is_wanted = |name: &&str| subjects.contains(name) && (node.is_ok() || !is_node(name));
    let wanted: Vec<&'static str> = SUBJECTS.into_iter().filter(is_wanted).collect();
    for left_out in subjects.iter().filter(|name| is_node(name) && node.is_err()) {
        taken.doubts.push(format!("{left_out} was left out: node was not found in PATH"));
    }
    let of = wanted.iter().map(|name| planned(name, options)).sum();
    let mut bench = Bench::new(options, stop, observe, of);
    for name in wanted {
        let measured = match (name, &node) {
            (own::NAME, _) => own::measure(&mut bench, corpora.0),
            (node::KEEPS | node::DROPS, Ok(node)) => node::measure(&mut bench, name, node, corpora.1),
            _ => threads::measure(&mut bench, name, corpora.0),
        };
        if bench.is_stopped() {
            break;
        }
        taken.subjects.push(measured?);
    }
    Ok(taken)
}

/// Bytes that [`profiles`] plants for each session: the smallest growth that the exact tier must always catch and name.
pub const LEAST_EACH: u64 = own::LEAST_EACH;
/// The function that delivers sessions, at which they are planted.
pub const PLANTED_AT: &str = "consume";

/// The allocation sites of `sync/cold:bounded` as it is, then those of so many runs that keep [`LEAST_EACH`] bytes for each session,
/// planted in [`PLANTED_AT`]. None when `stop` is set.
///
/// # Errors
/// When a run fails, answers wrongly or leaves no profile.
pub fn profiles(
    corpus: &Corpus,
    trials: u32,
    options: &Options,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Option<(sites::Profile, Vec<sites::Profile>)>, Error> {
    own::profiles(&mut Bench::new(options, stop, observe, u64::from(trials) + 1), corpus, trials)
}

/// About how many samples a subject takes: for the bar.
fn planned(name: &str, options: &Options) -> u64 {
    let amounts = &options.amounts;
    let sizes = options.percents.len() as u64;
    let (exact, noisy) = (u64::from(amounts.exact), u64::from(amounts.noisy));
    let places = u64::from(amounts.places) * u64::from(amounts.each_place);
    match name {
        own::NAME => {
            let kinds = own::KINDS.len() as u64 * sizes + own::COPIES_FROM.len() as u64;
            exact + noisy + kinds * (u64::from(amounts.trials) + places) + u64::from(amounts.single)
        }
        node::KEEPS | node::DROPS => noisy + node::KINDS.len() as u64 * sizes * places,
        _ => u64::from(amounts.single) * (1 + sizes),
    }
}

/// Samples sorted by metric, plant and place.
fn gather(taken: &[bench::Taken], planted: &[Planted], metrics: &[&str]) -> Vec<MetricSamples> {
    metrics.iter().filter_map(|metric| of_metric(taken, planted, metric)).collect()
}

fn of_metric(taken: &[bench::Taken], planted: &[Planted], name: &str) -> Option<MetricSamples> {
    let known = taken.iter().find_map(|sample| sample.metrics.get(name))?;
    let figure = |sample: &bench::Taken| sample.metrics.get(name).map(|metric| metric.median);
    let plain = taken.iter().filter(|sample| sample.arm.is_none()).filter_map(figure).collect();
    let grown = planted.iter().enumerate().map(|(arm, planted)| {
        let mut places: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for sample in taken.iter().filter(|sample| sample.arm == Some(arm)) {
            places.entry(sample.place).or_default().extend(figure(sample));
        }
        (planted.clone(), places.into_values().collect())
    });
    Some(MetricSamples {
        metric: name.to_owned(),
        tier: known.tier,
        unit: known.unit,
        plain,
        grown: grown.collect(),
    })
}
