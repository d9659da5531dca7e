//! Two moments of a history compared: what each series was, what it is, and what was its best at a release.

use serde::Serialize;

use super::runs::{self, Moved, Names, Release};
use super::series::{Key, Point, Series, Timeline};
use super::trend::is_worse;

pub(super) mod page;

/// The figures of a series at a moment: of one run, or of some that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Median of the runs' medians.
    pub value: f64,
    /// Least sample of all.
    pub low: f64,
    /// Greatest sample of all.
    pub high: f64,
}

/// A series at two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which series.
    #[serde(flatten)]
    pub key: Key,
    /// Its name on pages.
    pub name: String,
    /// What it was.
    pub then: Level,
    /// What it is.
    pub now: Level,
    /// The difference as a part of what it was; absent from 0.
    pub part: Option<f64>,
    /// Whether it is a change for the worse.
    pub worse: bool,
    /// The best of all releases.
    pub best: Best,
}

/// The release at which a series was best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// Its tag.
    pub tag: String,
    /// What the series was there.
    pub value: f64,
    /// How far it now is from that, as a part of it; absent from 0.
    pub part: Option<f64>,
}

/// All series at two moments.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Those that moved beyond the scatter of their samples, worst first.
    pub moved: Vec<Difference>,
    /// How many moved within the scatter of their samples, so that nothing is said of them.
    pub within_scatter: usize,
    /// How many have the same figure.
    pub same: usize,
    /// Series that were not measured then.
    pub new: Vec<String>,
    /// Series that are not measured now.
    pub gone: Vec<String>,
    /// What else than the program is not the same, between the last runs of both.
    pub environment: Vec<Moved>,
}

/// The figures of some runs of a series; none where those have none.
pub(super) fn level(points: &[Point], runs: &[usize]) -> Option<Level> {
    let of_runs: Vec<&Point> = points.iter().filter(|point| runs.binary_search(&point.run).is_ok()).collect();
    level_of(&of_runs)
}

pub(super) fn level_of(points: &[&Point]) -> Option<Level> {
    let medians: Vec<f64> = points.iter().map(|point| point.median).collect();
    let ranges = || points.iter().map(|point| point.range.unwrap_or((point.median, point.median)));
    Some(Level {
        value: crate::stats::middle(&medians)?,
        low: ranges().map(|(low, _)| low).fold(f64::INFINITY, f64::min),
        high: ranges().map(|(_, high)| high).fold(f64::NEG_INFINITY, f64::max),
    })
}

/// Compares all series of a timeline: what they were at a release, and what they are by `now`.
pub(super) fn compare(
    timeline: &Timeline,
    then: &Release,
    releases: &[Release],
    now: impl Fn(&Series) -> Option<Level>,
) -> Comparison {
    let names = Names::of(&timeline.series);
    let mut found = Comparison::default();
    for series in &timeline.series {
        let (then, now) = (level(&series.points, &then.runs), now(series));
        let (then, now) = match (then, now) {
            (Some(then), Some(now)) => (then, now),
            (None, Some(_)) => {
                found.new.push(names.series(&series.key));
                continue;
            }
            (Some(_), None) => {
                found.gone.push(names.series(&series.key));
                continue;
            }
            (None, None) => continue,
        };
        if then.value == now.value {
            found.same += 1;
        } else if then.low <= now.high && now.low <= then.high {
            found.within_scatter += 1;
        } else if let Some(best) = best(series, releases, now.value) {
            found.moved.push(Difference {
                key: series.key.clone(),
                name: names.series(&series.key),
                then,
                now,
                part: runs::part(then.value, now.value),
                worse: is_worse(series.key.direction, then.value, now.value),
                best,
            });
        }
    }
    found.moved.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    found
}

/// How much worse it is, as a part: below zero where it is better.
fn badness(difference: &Difference) -> f64 {
    let size = difference.part.map_or(f64::INFINITY, f64::abs);
    if difference.worse { size } else { -size }
}

fn best(series: &Series, releases: &[Release], now: f64) -> Option<Best> {
    let each =
        releases.iter().filter_map(|release| Some((release, level(&series.points, &release.runs)?.value)));
    let (release, value) = each.reduce(|best, next| {
        let better = is_worse(series.key.direction, next.1, best.1);
        // Of equal ones the latest.
        if better || next.1 == best.1 { next } else { best }
    })?;
    Some(Best { tag: release.tag.clone(), value, part: runs::part(value, now) })
}
