//! Trends: where the figures of a history changed their level, what lies between the runs before and after, and what is left up to the
//! limits.

use harness::record::Direction;
use serde::Serialize;

use super::runs::{self, Moved};
use super::series::{Key, Point, Series, Timeline};
use crate::stats::divisive::{self, Options};

mod headroom;
mod page;

pub use headroom::Headroom;
pub(super) use headroom::rows as headroom_rows;
pub use page::{drawn, page};

/// Version of the data as JSON.
pub const SCHEMA: u32 = 1;
/// Of a noisy figure, a change of the environment so many runs off may be what moved it: the place of its step is not sharper.
const NEAR: usize = 3;

/// What a timeline says of its series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trends {
    /// [`SCHEMA`]; always the first field.
    pub schema: u32,
    /// The runs, oldest first.
    pub runs: Vec<Mark>,
    /// One for each series, by name.
    pub series: Vec<Trend>,
}

/// A run, as a trend names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its id in the history.
    pub id: String,
    /// The day of its commit, else its own: `2026-01-31`.
    pub day: String,
    /// The commit, when known.
    pub commit: Option<String>,
    /// The tag, when there is one.
    pub tag: Option<String>,
    /// Subject and author of the commit, as far as they are known.
    pub subject: Option<String>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// Which one.
    #[serde(flatten)]
    pub key: Key,
    /// Its name on pages: with the input and the testbed where there are several.
    pub name: String,
    /// The figures, in the metric's unit, oldest first.
    pub values: Vec<f64>,
    /// Of each figure the run: an index into [`Trends::runs`].
    pub runs: Vec<usize>,
    /// What an absolute budget allowed in the last run; absent without one.
    pub limit: Option<f64>,
    /// Where the level changed, oldest first.
    pub steps: Vec<Step>,
    /// When the limit is reached, if the figure goes on as it does; absent without a limit or without a growth.
    pub headroom: Option<Headroom>,
}

/// A change of level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Index of the first figure of the new level.
    pub at: usize,
    /// Mean of the level before.
    pub before: f64,
    /// Mean of the new level.
    pub after: f64,
    /// The change as a part of the level before; absent from 0.
    pub part: Option<f64>,
    /// Whether it is a change for the worse.
    pub worse: bool,
    /// The chance of such a difference, if there were none.
    pub p: f64,
    /// The last run of the old level: an index into [`Trends::runs`].
    pub last_before: usize,
    /// The first run of the new level.
    pub first_after: usize,
    /// The commits in between, as git takes them: `a1b2c3d..d4e5f6a`; absent where one of them is not known, or both are the same.
    pub commits: Option<String>,
    /// What else than the program changed there, nearest first: while there is any, no commit is to be blamed.
    pub moved: Vec<MovedNear>,
}

/// Something of the environment or the input that changed near a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedNear {
    /// What changed.
    #[serde(flatten)]
    pub moved: Moved,
    /// So many runs of the series before (below zero) or after the step.
    pub runs_off: i64,
}

/// The trends of all series of a timeline. `weeks` is how far back the growth towards a limit is looked at.
pub fn trends(timeline: &Timeline, options: &Options, weeks: f64) -> Trends {
    let names = runs::Names::of(&timeline.series);
    let marks = timeline.runs.iter().map(|run| Mark {
        id: run.id.clone(),
        day: runs::day(run),
        commit: run.commit.clone(),
        tag: run.tag.clone(),
        subject: runs::subject(run),
    });
    let series = timeline.series.iter().map(|series| {
        let steps = steps(timeline, series, options);
        Trend {
            name: names.series(&series.key),
            values: series.points.iter().map(|point| point.median).collect(),
            runs: series.points.iter().map(|point| point.run).collect(),
            limit: series.points.last().and_then(|point| point.limit),
            headroom: headroom::of(timeline, series, &steps, weeks),
            steps,
            key: series.key.clone(),
        }
    });
    Trends { schema: SCHEMA, runs: marks.collect(), series: series.collect() }
}

/// The changes of level of one series; that it is exact is known from its points.
pub fn steps(timeline: &Timeline, series: &Series, options: &Options) -> Vec<Step> {
    let values: Vec<f64> = series.points.iter().map(|point| point.median).collect();
    let exact = series.points.iter().all(Point::is_exact);
    let changes = divisive::changes(&values, &Options { exact, ..*options });
    changes.into_iter().map(|change| step(timeline, series, &change)).collect()
}

fn step(timeline: &Timeline, series: &Series, change: &divisive::Change) -> Step {
    let divisive::Change { index, p, before, after } = *change;
    let (last_before, first_after) = (series.points[index - 1].run, series.points[index].run);
    let commit = |run: usize| timeline.runs[run].commit.as_deref().map(runs::short);
    let both = commit(last_before).zip(commit(first_after));
    Step {
        at: index,
        before,
        after,
        part: runs::part(before, after),
        worse: is_worse(series.key.direction, before, after),
        p,
        last_before,
        first_after,
        commits: both.filter(|(from, to)| from != to).map(|(from, to)| format!("{from}..{to}")),
        moved: moved_near(timeline, &series.points, index),
    }
}

/// Whether a figure that was `then` is worse `now`.
pub(super) fn is_worse(direction: Direction, then: f64, now: f64) -> bool {
    match direction {
        Direction::Lower => now > then,
        Direction::Higher => now < then,
    }
}

/// What changed between the runs at a step, and of a noisy figure near it.
fn moved_near(timeline: &Timeline, points: &[Point], index: usize) -> Vec<MovedNear> {
    let exact = points[index - 1].is_exact() && points[index].is_exact();
    let reach = if exact { 0 } else { NEAR };
    let pairs = index.saturating_sub(reach).max(1)..points.len().min(index + reach + 1);
    let mut found: Vec<MovedNear> = pairs
        .flat_map(|later| {
            let runs_off = later as i64 - index as i64;
            let moved = between(timeline, &points[later - 1], &points[later]);
            moved.into_iter().map(move |moved| MovedNear { moved, runs_off })
        })
        .collect();
    found.sort_by_key(|moved| moved.runs_off.abs());
    found
}

/// What two figures do not have in common besides the program.
fn between(timeline: &Timeline, earlier: &Point, later: &Point) -> Vec<Moved> {
    let same = timeline.runs[earlier.run].environment == timeline.runs[later.run].environment;
    let mut moved = if same { Vec::new() } else { runs::moved(timeline, earlier.run, later.run) };
    let digest = |point: &Point| point.corpus.and_then(|corpus| timeline.corpora.get(corpus)).cloned();
    if let Some((before, after)) =
        digest(earlier).zip(digest(later)).filter(|(before, after)| before != after)
    {
        moved.push(Moved { what: "corpus".to_owned(), before, after });
    }
    moved
}

#[cfg(test)]
mod tests;
