//! What is said of the runs of a timeline: when they were, which commits lie between two of them, what changed around them, and how
//! series are named.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::series::{Key, RunMark, Series, Timeline};
use crate::{fingerprint, plain};

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 7;
/// Characters of a commit's subject that are shown.
const SUBJECT_WIDTH: usize = 60;

/// Something of the environment or the input that two runs do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// What it is: `toolchain`, `Cargo.lock`, `kernel`, `corpus`.
    pub what: String,
    /// In the earlier run.
    pub before: String,
    /// In the later one.
    pub after: String,
}

impl Moved {
    /// `toolchain 1.89.0 -> 1.90.0`; digests are cut.
    pub fn in_words(&self) -> String {
        let shown = |value: &str| plain::cut(value, 40);
        format!("{} {} -> {}", self.what, shown(&self.before), shown(&self.after))
    }
}

/// The runs of one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// The tag.
    pub tag: String,
    /// The day of its commit, or of its first run: `2026-01-31`.
    pub day: String,
    /// Indices of its runs in the timeline.
    #[serde(skip)]
    pub runs: Vec<usize>,
}

/// When a run takes its place: the time of its commit, else its own; absent where that is no time.
pub(super) fn time(run: &RunMark) -> Option<Timestamp> {
    run.change.committed.as_ref().unwrap_or(&run.time).parse().ok()
}

/// The same in weeks since 1970.
pub(super) fn weeks(run: &RunMark) -> Option<f64> {
    const SECONDS_PER_WEEK: f64 = 7.0 * 86_400.0;
    Some(time(run)?.as_second() as f64 / SECONDS_PER_WEEK)
}

/// The day of a run, `2026-01-31`.
pub(super) fn day(run: &RunMark) -> String {
    let text = run.change.committed.as_ref().unwrap_or(&run.time);
    text.split('T').next().unwrap_or(text).to_owned()
}

/// A commit as it is shown: `a1b2c3d`.
pub(super) fn short(commit: &str) -> String {
    commit.chars().take(COMMIT_DIGITS).collect()
}

/// What a person calls the run: its tag, else its commit, else its version.
pub(super) fn name(run: &RunMark) -> String {
    let commit = || run.commit.as_deref().map(short);
    run.tag.clone().or_else(commit).unwrap_or_else(|| format!("version {}", run.version))
}

/// Subject and author of a commit, as far as they are known: `parse one line at a time (Ada)`.
pub(super) fn subject(run: &RunMark) -> Option<String> {
    let subject = run.change.subject.as_ref().map(|subject| plain::cut(subject, SUBJECT_WIDTH));
    let author = run.change.author.as_ref().map(|author| format!("({author})"));
    let said: Vec<String> = subject.into_iter().chain(author).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// Everything of two environments that differs.
pub(super) fn moved(timeline: &Timeline, earlier: usize, later: usize) -> Vec<Moved> {
    let environment = |run: usize| timeline.environments.get(timeline.runs[run].environment);
    let (Some(before), Some(after)) = (environment(earlier), environment(later)) else { return Vec::new() };
    let differences = fingerprint::differing(before, after);
    differences.map(|(what, before, after)| Moved { what: what.to_owned(), before, after }).collect()
}

/// The releases of a timeline, oldest first: by their first runs.
pub fn releases(timeline: &Timeline) -> Vec<Release> {
    let mut runs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, run) in timeline.runs.iter().enumerate() {
        if let Some(tag) = &run.tag {
            runs.entry(tag).or_default().push(index);
        }
    }
    let mut releases: Vec<Release> = runs
        .into_iter()
        .map(|(tag, runs)| Release { tag: tag.to_owned(), day: day(&timeline.runs[runs[0]]), runs })
        .collect();
    releases.sort_by_key(|release| release.runs[0]);
    releases
}

/// How the series of a timeline are named: with the input and the testbed where there are several.
#[derive(Debug, Clone, Default)]
pub struct Names {
    with_corpus: BTreeSet<String>,
    with_testbed: bool,
}

impl Names {
    /// The names for these series.
    pub fn of(series: &[Series]) -> Names {
        let mut corpora: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for Series { key, .. } in series {
            corpora.entry(&key.case).or_default().insert(&key.corpus);
        }
        let several = corpora.into_iter().filter(|(_, corpora)| corpora.len() > 1);
        let testbeds: BTreeSet<_> = series.iter().map(|series| &series.key.testbed).collect();
        Names {
            with_corpus: several.map(|(case, _)| case.to_owned()).collect(),
            with_testbed: testbeds.len() > 1,
        }
    }

    /// The case, with what tells it from others of the same name: `sync/cold:bounded on heavy@0.1`.
    pub fn case(&self, key: &Key) -> String {
        let mut name = key.case.clone();
        if self.with_corpus.contains(&key.case) && !key.corpus.is_empty() {
            name.push_str(&format!(" on {}", key.corpus));
        }
        if self.with_testbed {
            let testbed = &key.testbed;
            name.push_str(&format!(" ({}, {}, {})", testbed.target, testbed.allocator, testbed.profile));
        }
        name
    }

    /// Case and metric.
    pub fn series(&self, key: &Key) -> String {
        format!("{} {}", self.case(key), key.metric)
    }
}

/// A change as a part of what was before: `+2.0 %`, `-0.013 %`; `from 0` where there was nothing.
pub(super) fn percent(part: Option<f64>) -> String {
    let Some(part) = part else { return "from 0".to_owned() };
    if part == 0.0 {
        return "0 %".to_owned();
    }
    let decimals = match (part * 100.0).abs() {
        size if size >= 100.0 => 0,
        size if size >= 0.1 => 1,
        size => (-size.log10()).ceil() as usize + 1,
    };
    format!("{:+.decimals$} %", part * 100.0)
}

/// How much larger `now` is than `then`, as a part of that; absent from 0.
pub(super) fn part(then: f64, now: f64) -> Option<f64> {
    (then != 0.0).then(|| (now - then) / then.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_about_two_digits_and_a_sign() {
        let shown = [2.0, 0.02, -0.5, 0.000_13, 0.0].map(|part| percent(Some(part)));
        assert_eq!(shown, ["+200 %", "+2.0 %", "-50.0 %", "+0.013 %", "0 %"]);
        assert_eq!(percent(part(0.0, 7.0)), "from 0");
        assert_eq!(percent(part(-4.0, -5.0)), "-25.0 %");
    }
}
