//! What is counted while histories are read, and the history that it amounts to.

use std::collections::BTreeMap;

use crate::recipe::known;
use crate::recipe::{GRID, History, Quantiles, Tables, correlation, rounded};

/// No response has more tokens; a number beyond is a mistake or a trap.
const TOKENS_MAX: f64 = 4_294_967_295.0;

/// A count of tokens as a file tells it; one that none can be counts for nothing.
pub(super) fn plausible(tokens: f64) -> u64 {
    if (0.0..=TOKENS_MAX).contains(&tokens) { tokens as u64 } else { 0 }
}

/// Steps that a histogram tells apart within a power of two: a quantile is right to one in so many.
const STEPS: u64 = 64;

/// How often values occur, small ones exactly and large ones to 1.6 %.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Counts a value.
    pub(super) fn add(&mut self, value: u64) {
        let index = index(value);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    fn join(&mut self, other: &Histogram) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, count)| *own += count);
        self.total += other.total;
    }

    fn quantiles(&self) -> Quantiles {
        let last = self.total.saturating_sub(1) as f64;
        Quantiles(GRID.map(|share| {
            let place = (share * last) as u64;
            let mut passed = 0;
            let found = self.counts.iter().position(|count| {
                passed += count;
                passed > place
            });
            rounded(found.map_or(0.0, value))
        }))
    }
}

/// Where a value is counted.
fn index(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = value.ilog2() - STEPS.ilog2();
    (u64::from(power) * STEPS + (value >> power)) as usize
}

/// The middle of the values that are counted at an index.
fn value(index: usize) -> f64 {
    let index = index as u64;
    if index < 2 * STEPS {
        return index as f64;
    }
    let power = index / STEPS - 1;
    let low = (index % STEPS + STEPS) << power;
    low as f64 + ((1_u64 << power) - 1) as f64 / 2.0
}

/// A session that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Session {
    pub(super) bytes: u64,
    pub(super) requests: u64,
    pub(super) subagents: u64,
}

/// All that is counted of one tool's histories.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) roots: u64,
    pub(super) empty_workspaces: u64,
    /// Sessions of each workspace that has any.
    pub(super) workspaces: Vec<u64>,
    pub(super) sessions: Vec<Session>,
    /// Bytes of each subagent's file.
    pub(super) subagents: Vec<u64>,
    pub(super) shapes: BTreeMap<&'static str, u64>,
    pub(super) lines: Lines,
}

/// What is counted in files, line by line.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    bytes: Histogram,
    calls: Histogram,
    longest: u64,
    depth: u64,
    /// Lines that are no whole object.
    pub(super) broken: u64,
    pub(super) output_tokens: u64,
    pub(super) tools: BTreeMap<&'static str, u64>,
    records: BTreeMap<&'static str, u64>,
}

impl Lines {
    /// A line (or document) of a type has passed.
    pub(super) fn line(&mut self, unit: super::scan::Unit, kind: &[u8]) {
        self.bytes.add(unit.bytes);
        self.longest = self.longest.max(unit.bytes);
        self.depth = self.depth.max(unit.depth);
        if unit.is_whole {
            self.record(kind);
        } else {
            self.broken += 1;
        }
    }

    /// Counts a record.
    pub(super) fn record(&mut self, kind: &[u8]) {
        *self.records.entry(known::name_in(known::RECORDS, kind)).or_default() += 1;
    }

    /// Counts a call of a tool.
    pub(super) fn tool(&mut self, name: &[u8]) {
        *self.tools.entry(known::name_in(known::TOOLS, name)).or_default() += 1;
    }

    /// A request is over that had so many tool calls.
    pub(super) fn request(&mut self, calls: u64) {
        self.calls.add(calls);
    }

    /// Adds the lines of a file that was read to its end.
    pub(super) fn join(&mut self, file: Lines) {
        self.bytes.join(&file.bytes);
        self.calls.join(&file.calls);
        self.longest = self.longest.max(file.longest);
        self.depth = self.depth.max(file.depth);
        self.broken += file.broken;
        self.output_tokens += file.output_tokens;
        let add = |own: &mut BTreeMap<&'static str, u64>, counts: BTreeMap<&'static str, u64>| {
            counts.into_iter().for_each(|(name, count)| *own.entry(name).or_default() += count);
        };
        add(&mut self.tools, file.tools);
        add(&mut self.records, file.records);
    }
}

impl Tally {
    /// Adds a session.
    pub(super) fn session(&mut self, session: Session, shape: &'static str) {
        self.sessions.push(session);
        *self.shapes.entry(shape).or_default() += 1;
    }

    /// A workspace is over that had so many sessions.
    pub(super) fn workspace(&mut self, sessions: u64) {
        if sessions > 0 { self.workspaces.push(sessions) } else { self.empty_workspaces += 1 }
    }

    /// The history, if there is any.
    pub(super) fn history(mut self) -> Option<History> {
        if self.sessions.is_empty() {
            return None;
        }
        let sum = |of: fn(&Session) -> u64| self.sessions.iter().map(of).sum::<u64>();
        let (bytes, requests, subagents) =
            (sum(|one| one.bytes), sum(|one| one.requests), sum(|one| one.subagents));
        let pairs: Vec<(u64, u64)> =
            self.sessions.iter().map(|session| (session.bytes, session.requests)).collect();
        let rank_correlation = rounded_share(correlation(&pairs));
        let files = self.sessions.iter().filter(|session| session.bytes > 0).count() as u64;
        let subagent_bytes = self.subagents.iter().sum::<u64>();
        let table = |of: fn(&Session) -> u64| sorted_quantiles(self.sessions.iter().map(of).collect());
        let quantiles = Tables {
            bytes_per_session: table(|session| session.bytes),
            requests_per_session: table(|session| session.requests),
            subagents_per_session: (subagents > 0).then(|| table(|session| session.subagents)),
            bytes_per_subagent: (subagents > 0)
                .then(|| sorted_quantiles(std::mem::take(&mut self.subagents))),
            sessions_per_workspace: sorted_quantiles(self.workspaces.clone()),
            bytes_per_line: self.lines.bytes.quantiles(),
            tool_calls_per_request: self.lines.calls.quantiles(),
        };
        let named = |map: BTreeMap<&'static str, u64>| {
            map.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
        };
        Some(History {
            roots: self.roots,
            workspaces: self.workspaces.len() as u64,
            empty_workspaces: self.empty_workspaces,
            sessions: self.sessions.len() as u64,
            files: (files + subagents).max(1),
            bytes: bytes + subagent_bytes,
            subagents,
            subagent_bytes,
            requests,
            output_tokens: self.lines.output_tokens,
            longest_line: self.lines.longest,
            depth: self.lines.depth,
            rank_correlation,
            quantiles,
            tools: named(self.lines.tools),
            records: named(self.lines.records),
            shapes: named(self.shapes),
        })
    }
}

fn sorted_quantiles(mut values: Vec<u64>) -> Quantiles {
    values.sort_unstable();
    Quantiles::of(&values)
}

fn rounded_share(share: f64) -> f64 {
    libm::round(share * 1_000.0) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_the_quantiles_of_its_values() {
        let mut histogram = Histogram::default();
        (0..10_001).for_each(|value| histogram.add(value * value));
        for (share, wanted) in [(0.0, 0.0), (0.5, 25e6), (0.9, 81e6), (1.0, 1e8)] {
            let found = histogram.quantiles().at(share);
            assert!((found - wanted).abs() <= wanted / 60.0, "{share}: {found} instead of {wanted}");
        }
        for wanted in [0, 63, 64, 127, 128, 1_000, u64::from(u32::MAX), u64::MAX / 3] {
            let found = value(index(wanted));
            assert!((found - wanted as f64).abs() <= wanted as f64 / 64.0, "{wanted} became {found}");
        }
    }
}
