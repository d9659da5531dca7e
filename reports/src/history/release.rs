//! Releases: what a release became against the last one and against the one of a year before, what was waived in it and by whom, and how
//! long its limits will hold.

use std::collections::{BTreeMap, BTreeSet};

use harness::record::{Judgement, Unit, Verdict, Waiver};
use serde::Serialize;

use super::compared::{self, Comparison};
use super::drift::{Error, named};
use super::entry::Entry;
use super::runs::{self, Release};
use super::series::{RunMark, Testbed, Timeline, corpus_name};
use super::trend::{self, Trend};
use crate::stats::divisive::Options;

mod page;

pub use page::page;

/// Version of the data as JSON.
pub const SCHEMA: u32 = 1;
/// Days of a year.
const YEAR_DAYS: i64 = 365;

/// What is said of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`]; always the first field.
    pub schema: u32,
    /// The release.
    pub release: Release,
    /// The worst verdict of its last run.
    pub verdict: Verdict,
    /// Against the release before; absent for the first.
    pub last: Option<Against>,
    /// Against the newest release that is at least a year older; absent where there is none.
    pub year: Option<Against>,
    /// What waivers excused in its last run, and what was judged worse than that.
    pub debts: Vec<Debt>,
    /// Series that reach their limits, if they go on as they did up to this release; the soonest first.
    pub headroom: Vec<Trend>,
    /// All releases up to this one, oldest first.
    pub releases: Vec<Release>,
}

/// A release against an older one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// The older one.
    pub than: Release,
    /// The series.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// A limit that a release did not keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Debt {
    /// The case.
    pub case: String,
    /// Its input, as [`corpus_name`] names it.
    pub corpus: String,
    /// Where it was measured.
    pub testbed: Testbed,
    /// The metric.
    pub metric: String,
    /// What the gate said: `waived`, or graver.
    pub verdict: Verdict,
    /// The limit in words.
    pub budget: String,
    /// How far beyond its limit the metric is, in its unit; absent where that was not measured.
    pub over: Option<f64>,
    /// Unit of the metric.
    pub unit: Unit,
    /// Who excused it, up to where and until when.
    pub waiver: Option<Waiver>,
}

/// The report of a release; without a tag of the newest.
///
/// `entries` are runs of the history in full, of which those of this release are looked at for what was waived: the last one of each case,
/// on each input and testbed, counts. `weeks` is how far back the growth towards a limit is looked at.
///
/// # Errors
/// Fails when the history has no release, or none of that tag.
pub fn release(
    timeline: &Timeline,
    entries: &[Entry],
    tag: Option<&str>,
    weeks: f64,
) -> Result<Report, Error> {
    let releases = runs::releases(timeline);
    let release = match tag {
        Some(tag) => named(&releases, tag)?,
        None => releases.last().ok_or(Error::NoRelease { runs: timeline.runs.len() })?,
    };
    // What came later does not belong to the report: it stays as it was on the day.
    let up_to = up_to(timeline, release);
    let known = runs::releases(&up_to);
    let older: Vec<Release> = known.iter().filter(|other| other.tag != release.tag).cloned().collect();
    let trends = trend::trends(&up_to, &Options::default(), weeks);
    let mut headroom: Vec<Trend> =
        trends.series.into_iter().filter(|trend| trend.headroom.is_some()).collect();
    let weeks_of = |trend: &Trend| trend.headroom.as_ref().map_or(f64::INFINITY, |found| found.weeks.value);
    headroom.sort_by(|a, b| weeks_of(a).total_cmp(&weeks_of(b)));
    Ok(Report {
        schema: SCHEMA,
        verdict: verdict(timeline, release),
        last: older.last().map(|than| against(&up_to, than, release, &known)),
        year: a_year_before(&up_to, release, &older).map(|than| against(&up_to, than, release, &known)),
        debts: debts(timeline, entries, release),
        headroom,
        release: release.clone(),
        releases: known,
    })
}

/// The worst verdict of the last runs on all testbeds.
fn verdict(timeline: &Timeline, release: &Release) -> Verdict {
    let testbed = |run: &RunMark| timeline.environments.get(run.environment).map(Testbed::of);
    let last: BTreeMap<Option<Testbed>, Verdict> =
        release.runs.iter().map(|run| &timeline.runs[*run]).map(|run| (testbed(run), run.verdict)).collect();
    last.into_values().max().unwrap_or(Verdict::Pass)
}

fn against(timeline: &Timeline, than: &Release, release: &Release, releases: &[Release]) -> Against {
    let now = |series: &super::series::Series| compared::level(&series.points, &release.runs);
    let mut comparison = compared::compare(timeline, than, releases, now);
    if let Some((then, now)) = than.runs.last().zip(release.runs.last()) {
        comparison.environment = runs::moved(timeline, *then, *now);
    }
    Against { than: than.clone(), comparison }
}

/// The newest of the older releases that came at least a year before.
fn a_year_before<'r>(timeline: &Timeline, release: &Release, older: &'r [Release]) -> Option<&'r Release> {
    let time = |release: &Release| runs::time(&timeline.runs[*release.runs.first()?]);
    let day = time(release)?.as_second();
    let is_older =
        |other: &&Release| time(other).is_some_and(|time| time.as_second() <= day - YEAR_DAYS * 24 * 3600);
    older.iter().rev().find(is_older)
}

/// The timeline as it was when the release was last measured.
fn up_to(timeline: &Timeline, release: &Release) -> Timeline {
    let end = release.runs.last().map_or(0, |last| last + 1);
    let mut timeline = timeline.clone();
    timeline.runs.truncate(end);
    for series in &mut timeline.series {
        series.points.retain(|point| point.run < end);
    }
    timeline.series.retain(|series| !series.points.is_empty());
    timeline
}

/// The limits that the last run of each case of the release did not keep, the gravest first.
fn debts(timeline: &Timeline, entries: &[Entry], release: &Release) -> Vec<Debt> {
    let ids: Vec<&str> = release.runs.iter().map(|run| timeline.runs[*run].id.as_str()).collect();
    let rank = |entry: &Entry| ids.iter().position(|id| *id == entry.id);
    let mut entries: Vec<(usize, &Entry)> =
        entries.iter().filter_map(|entry| Some((rank(entry)?, entry))).collect();
    entries.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let mut seen = BTreeSet::new();
    let mut debts = Vec::new();
    for (_, entry) in entries {
        for case in &entry.cases {
            let place = (Testbed::of(&entry.environment), corpus_name(case.corpus.as_ref()));
            if seen.insert((case.case.as_str(), place.clone())) {
                debts.extend(case.judgements.iter().filter_map(|judgement| debt(case, &place, judgement)));
            }
        }
    }
    debts.sort_by_key(|debt| std::cmp::Reverse(debt.verdict));
    debts
}

fn debt(case: &super::entry::Case, place: &(Testbed, String), judgement: &Judgement) -> Option<Debt> {
    let point = case.points.iter().find(|point| point.metric == judgement.metric);
    let unit = point.map(|point| point.unit).or_else(|| crate::metric::unit(&judgement.metric));
    (judgement.verdict >= Verdict::Waived).then(|| Debt {
        case: case.case.clone(),
        corpus: place.1.clone(),
        testbed: place.0.clone(),
        metric: judgement.metric.clone(),
        verdict: judgement.verdict,
        budget: judgement.budget.clone(),
        over: judgement.over,
        unit: unit.unwrap_or(Unit::Count),
        waiver: judgement.waiver.clone(),
    })
}

impl Report {
    /// Bytes by which waived limits are broken: of several limits of one metric that which is broken most.
    pub fn debt_bytes(&self) -> f64 {
        let waived =
            self.debts.iter().filter(|debt| debt.verdict == Verdict::Waived && debt.unit == Unit::Bytes);
        let mut most: BTreeMap<_, f64> = BTreeMap::new();
        for debt in waived {
            let of = (&debt.case, &debt.corpus, &debt.testbed, &debt.metric);
            let known = most.entry(of).or_insert(0.0);
            *known = known.max(debt.over.unwrap_or(0.0));
        }
        most.into_values().sum()
    }
}

#[cfg(test)]
mod tests;
