//! What many runs say together: one series of figures for each metric of each case on each testbed.
//!
//! [`Timeline`] is what trends, change points, drift and releases are computed from. A store reads it from its tables, and
//! [`Timeline::of`] makes the same from entries in memory.

use std::collections::{BTreeSet, HashMap};

use harness::record::{Corpus, Direction, Environment, Tier, Unit, Verdict};
use serde::Serialize;

use super::entry::{self, Case, Change, Entry};
use crate::budget::matches;

/// Which series of which runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Cases, such as `sync/cold:*`; `*` stands for any text. All, when absent.
    pub cases: Option<String>,
    /// Metrics, such as `heap.*`. All, when absent.
    pub metrics: Option<String>,
    /// Only runs of this branch. All, when absent.
    pub branch: Option<String>,
    /// Only the last so many of these runs.
    pub last: Option<usize>,
}

/// Runs in the order of their commits, and the series of their figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// The runs, oldest first: by the time of the commit, else that of the run; then by id.
    pub runs: Vec<RunMark>,
    /// The environments of the runs, each once.
    pub environments: Vec<Environment>,
    /// Digests of the corpora, each once.
    pub corpora: Vec<String>,
    /// The series, by their keys. Each has at least one point.
    pub series: Vec<Series>,
}

/// One run, as a trend marks it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMark {
    /// [`Entry::id`].
    pub id: String,
    /// When the run began, RFC 3339 in UTC.
    pub time: String,
    /// Version of the program that was measured.
    pub version: String,
    /// Commit it was built from, when known.
    pub commit: Option<String>,
    /// Tag at that commit: the run is one of a release.
    pub tag: Option<String>,
    /// Whether the checkout had uncommitted changes; absent when not known.
    pub dirty: Option<bool>,
    /// Where the commit stands in the history of its project.
    pub change: Change,
    /// The worst verdict of all cases.
    pub verdict: Verdict,
    /// Index into [`Timeline::environments`]: compiler, `Cargo.lock`, kernel and processor, whose changes a trend marks.
    pub environment: usize,
}

/// One metric of one case over the runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which one.
    pub key: Key,
    /// Its figures, in the order of [`Timeline::runs`]; at most one for each run. Runs without the figure have no point.
    pub points: Vec<Point>,
}

/// What makes figures comparable at all: those of different keys are never one series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key {
    /// `family/scenario:strategy`.
    pub case: String,
    /// The kind of input, such as `heavy@0.1`; empty for cases without one. Its digest may change from run to run.
    pub corpus: String,
    /// Name of the metric; a phase's is `NAME@PHASE`.
    pub metric: String,
    /// What the figures were taken on.
    pub testbed: Testbed,
    /// Unit of the figures.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
}

/// What a program was built for: figures of two testbeds are never compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Testbed {
    /// The target triple.
    pub target: String,
    /// The default allocator.
    pub allocator: String,
    /// The build profile, `release` or `debug`.
    pub profile: String,
}

/// One figure of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Index into [`Timeline::runs`].
    pub run: usize,
    /// Index into [`Timeline::corpora`] of the input's digest; absent for cases without one.
    pub corpus: Option<usize>,
    /// How far it can be trusted to repeat, in this run.
    pub tier: Tier,
    /// Median of the samples, in the series' unit.
    pub median: f64,
    /// Least and greatest sample; absent where all are equal.
    pub range: Option<(f64, f64)>,
    /// The most (or least, where more is better) that an absolute budget allowed; absent without one.
    pub limit: Option<f64>,
}

impl Point {
    /// Whether it is the same in every sample, by its nature and in this run.
    pub fn is_exact(&self) -> bool {
        self.tier == Tier::Exact && self.range.is_none()
    }
}

impl Selection {
    /// Whether a case is among those selected.
    pub fn has_case(&self, case: &str) -> bool {
        self.cases.as_deref().is_none_or(|pattern| matches(pattern, case))
    }

    /// Whether a metric is among those selected.
    pub fn has_metric(&self, metric: &str) -> bool {
        self.metrics.as_deref().is_none_or(|pattern| matches(pattern, metric))
    }

    /// Whether a run of this branch is among those selected.
    pub fn has_branch(&self, branch: Option<&str>) -> bool {
        self.branch.as_deref().is_none_or(|wanted| branch == Some(wanted))
    }
}

impl Testbed {
    /// The testbed of an environment.
    pub fn of(environment: &Environment) -> Testbed {
        Testbed {
            target: environment.target.clone(),
            allocator: environment.allocator.clone(),
            profile: environment.profile.clone(),
        }
    }
}

impl Key {
    /// The series that a figure belongs to.
    pub fn of(entry: &Entry, case: &Case, figure: &entry::Point) -> Key {
        Key {
            case: case.case.clone(),
            corpus: corpus_name(case.corpus.as_ref()),
            metric: figure.metric.clone(),
            testbed: Testbed::of(&entry.environment),
            unit: figure.unit,
            direction: figure.direction,
        }
    }
}

impl RunMark {
    /// When the run takes its place among others: the time of the commit, else of the run.
    pub fn moment(&self) -> Option<jiff::Timestamp> {
        self.change.committed.as_ref().unwrap_or(&self.time).parse().ok()
    }

    /// What a trend marks of an entry whose environment is the one with this index.
    pub fn of(entry: &Entry, environment: usize) -> RunMark {
        RunMark {
            id: entry.id.clone(),
            time: entry.time.clone(),
            version: entry.artifact.version.clone(),
            commit: entry.artifact.commit.clone(),
            tag: entry.artifact.tag.clone(),
            dirty: entry.artifact.dirty,
            change: entry.change.clone(),
            verdict: entry.verdict,
            environment,
        }
    }
}

/// The name of a kind of input: corpora of one name differ at most by the generator that wrote them.
pub fn corpus_name(corpus: Option<&Corpus>) -> String {
    match corpus {
        None => String::new(),
        Some(corpus) if corpus.seed == 1 => format!("{}@{}", corpus.profile, corpus.scale),
        Some(corpus) => format!("{}@{} of seed {}", corpus.profile, corpus.scale, corpus.seed),
    }
}

impl Timeline {
    /// The timeline of entries in memory, the same as a store gives that holds them.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, selection: &Selection) -> Timeline {
        let branch = |entry: &&Entry| selection.has_branch(entry.change.branch.as_deref());
        let mut entries: Vec<&Entry> = entries.into_iter().filter(branch).collect();
        entries.sort_by(|a, b| (a.order(), &a.id).cmp(&(b.order(), &b.id)));
        entries.dedup_by(|a, b| a.id == b.id);
        let surplus = selection.last.map_or(0, |last| entries.len().saturating_sub(last));
        let mut builder = Builder::default();
        for entry in &entries[surplus..] {
            let environment = builder.environment(&entry.environment);
            let run = builder.run(RunMark::of(entry, environment));
            for case in entry.cases.iter().filter(|case| selection.has_case(&case.case)) {
                let corpus = case.corpus.as_ref().map(|corpus| builder.corpus(&corpus.digest));
                for point in case.points.iter().filter(|point| selection.has_metric(&point.metric)) {
                    let (tier, median, range, limit) = (point.tier, point.median, point.range, point.limit);
                    let series = builder.series(Key::of(entry, case, point));
                    builder.point(series, Point { run, corpus, tier, median, range, limit });
                }
            }
        }
        builder.finish()
    }
}

impl Timeline {
    /// Leaves the corpora that a point names, in the order of their digests.
    fn sort_corpora(&mut self) {
        let points = self.series.iter().flat_map(|series| &series.points);
        let used: BTreeSet<usize> = points.filter_map(|point| point.corpus).collect();
        let mut order: Vec<usize> = used.into_iter().collect();
        order.sort_by(|a, b| self.corpora[*a].cmp(&self.corpora[*b]));
        let mut places = vec![0; self.corpora.len()];
        order.iter().enumerate().for_each(|(place, old)| places[*old] = place);
        self.corpora = order.iter().map(|old| std::mem::take(&mut self.corpora[*old])).collect();
        for point in self.series.iter_mut().flat_map(|series| &mut series.points) {
            point.corpus = point.corpus.map(|old| places[old]);
        }
    }
}

/// Gathers runs in their order and figures in any, and gives each name its one index.
#[derive(Debug, Default)]
pub(super) struct Builder {
    timeline: Timeline,
    corpora: HashMap<String, usize>,
    series: HashMap<Key, usize>,
}

impl Builder {
    /// The index of an environment.
    pub(super) fn environment(&mut self, environment: &Environment) -> usize {
        let known = &mut self.timeline.environments;
        // Runs that follow each other are mostly of the same few.
        known.iter().rposition(|other| other == environment).unwrap_or_else(|| {
            known.push(environment.clone());
            known.len() - 1
        })
    }

    /// Adds the next run in order, and gives its index.
    pub(super) fn run(&mut self, run: RunMark) -> usize {
        self.timeline.runs.push(run);
        self.timeline.runs.len() - 1
    }

    /// The index of a corpus's digest.
    pub(super) fn corpus(&mut self, digest: &str) -> usize {
        if let Some(known) = self.corpora.get(digest) {
            return *known;
        }
        self.timeline.corpora.push(digest.to_owned());
        self.corpora.insert(digest.to_owned(), self.corpora.len());
        self.timeline.corpora.len() - 1
    }

    /// The index of a series, until [`Builder::finish`].
    pub(super) fn series(&mut self, key: Key) -> usize {
        let series = &mut self.timeline.series;
        *self.series.entry(key).or_insert_with_key(|key| {
            series.push(Series { key: key.clone(), points: Vec::new() });
            series.len() - 1
        })
    }

    /// Adds a point to the series with this index.
    pub(super) fn point(&mut self, series: usize, point: Point) {
        self.timeline.series[series].points.push(point);
    }

    /// The timeline, in its order, whatever the order in which it was gathered. Of several points of one run in one series, the
    /// first stays.
    pub(super) fn finish(self) -> Timeline {
        let mut timeline = self.timeline;
        timeline.sort_corpora();
        timeline.series.retain(|series| !series.points.is_empty());
        timeline.series.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for series in &mut timeline.series {
            series.points.sort_by_key(|point| point.run);
            series.points.dedup_by_key(|point| point.run);
        }
        timeline
    }
}
