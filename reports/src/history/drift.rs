//! Drift: what a program became since a release. Ten commits that each cost 3 % pass ten gates, and are a third together.

use serde::Serialize;

use super::compared::{self, Comparison, Level};
use super::runs::{self, Release};
use super::series::{Point, Series, Timeline};
use super::trend;
use crate::stats::divisive::Options;

mod page;

pub use page::page;

/// Version of the data as JSON.
pub const SCHEMA: u32 = 1;
/// A noisy figure now is the median of so many last runs, less where its level changed within them.
const LATEST: usize = 5;

/// Every series now against a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// [`SCHEMA`]; always the first field.
    pub schema: u32,
    /// The release that it is compared with.
    pub since: Release,
    /// The newest run, as it is called: its tag, commit or version.
    pub now: String,
    /// The day of the newest run.
    pub day: String,
    /// The series.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Why nothing can be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Occurs when no run of the history has a tag.
    #[error(
        "no run of the history is of a release{}: add runs of tagged commits",
        if *runs == 0 { " (it is empty, or nothing of it was selected)" } else { "" }
    )]
    NoRelease {
        /// How many runs there are.
        runs: usize,
    },
    /// Occurs when no run of the history has the tag that was asked for.
    #[error("no run of the history has the tag {tag}; those that are there: {known}")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// The tags of the history, newest first.
        known: String,
    },
}

/// The drift since a release; without a tag since the last one that is not the newest run itself.
///
/// # Errors
/// Fails when the history has no release, or none of that tag.
pub fn drift(timeline: &Timeline, tag: Option<&str>) -> Result<Drift, Error> {
    let releases = runs::releases(timeline);
    let newest = timeline.runs.len().checked_sub(1).ok_or(Error::NoRelease { runs: 0 })?;
    let since = match tag {
        Some(tag) => named(&releases, tag)?,
        None => {
            let older = releases.iter().rev().find(|release| !release.runs.contains(&newest));
            older.or(releases.last()).ok_or(Error::NoRelease { runs: timeline.runs.len() })?
        }
    };
    let last = since.runs.last().copied().unwrap_or(newest);
    let now = |series: &Series| latest(timeline, series, last);
    let mut comparison = compared::compare(timeline, since, &releases, now);
    comparison.environment = runs::moved(timeline, last, newest);
    Ok(Drift {
        schema: SCHEMA,
        now: runs::name(&timeline.runs[newest]),
        day: runs::day(&timeline.runs[newest]),
        since: since.clone(),
        comparison,
    })
}

/// The release of a tag.
pub(super) fn named<'r>(releases: &'r [Release], tag: &str) -> Result<&'r Release, Error> {
    releases.iter().find(|release| release.tag == tag).ok_or_else(|| {
        let known: Vec<&str> = releases.iter().rev().map(|release| release.tag.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::UnknownTag { tag: tag.to_owned(), known }
    })
}

/// The series now, of runs after that of the release where there are such; none where it was last measured before the last tenth of the
/// runs, so that it is one that is gone.
fn latest(timeline: &Timeline, series: &Series, release: usize) -> Option<Level> {
    let last = series.points.last()?;
    let runs = timeline.runs.len();
    if last.run + runs.div_ceil(10).max(LATEST) < runs {
        return None;
    }
    // An exact figure is what it is.
    if last.is_exact() {
        return compared::level_of(&[last]);
    }
    let steps = trend::steps(timeline, series, &Options::default());
    let points = series.points.len();
    let after = series.points.partition_point(|point| point.run <= release).min(points - 1);
    let begin = steps.last().map_or(0, |step| step.at).max(points.saturating_sub(LATEST)).max(after);
    compared::level_of(&series.points[begin..].iter().collect::<Vec<&Point>>())
}

#[cfg(test)]
mod tests;
