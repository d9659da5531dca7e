//! Codex, OpenCode, Kilo and Gemini in the profiles that grow, and the indices of VS Code's chats.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codex::{Codex, Form};
use crate::dice::LogNormal;
use crate::distribution::{
    CHILD_SESSION_SHARE, CODEX_COMPACTED_SHARE, CODEX_COMPRESSED_SHARE, CODEX_FORKED_SHARE,
    CODEX_FURTHER_COMPACTION, IMAGE_SESSION_SHARE, LONE_SURROGATE_SHARE, REQUESTS, TORN_SHARE,
    UNLISTED_SHARE,
};
use crate::opencode::Project;
use crate::plan::codex::Shelf;
use crate::plan::{Draft, Item, Quirk};
use crate::size::Size;

/// Days since 1970 on which rollouts are begun: half a year from 2025-10-18 on.
const DAYS: (u64, u64) = (20_379, 20_560);
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Rollouts of a day, on which a person works: so many share its directory.
const ROLLOUTS_PER_DAY: u64 = 8;
/// Bytes that a request of Codex, and one of OpenCode or Gemini, has room in: a session with less has fewer requests.
const CODEX_ROOM: u64 = 12_000;
/// See [`CODEX_ROOM`].
const ROOM: u64 = 8_000;
/// No rollout is smaller than its first lines.
const ROLLOUT_BYTES_MIN: u64 = 30_000;
/// Halvings in the search for the cap at which sizes have a sum.
const HALVINGS: u32 = 50;
/// Repositories in which OpenCode, Kilo and Gemini work.
const PROJECTS: u64 = 12;

/// A session to plan.
#[derive(Clone, Copy)]
struct Measures {
    bytes: u64,
    requests: u64,
}

/// Sizes evenly over a law, smallest first, the largest cut so that all have about a sum.
fn sizes(count: u64, law: LogNormal, sum: u64, least: u64) -> Vec<u64> {
    let share = |i: u64| (i as f64 + 0.5) / count as f64;
    let drawn: Vec<u64> = (0..count).map(|i| (law.at(share(i)) as u64).max(least)).collect();
    let total = |cap: u64| drawn.iter().map(|bytes| u128::from((*bytes).min(cap))).sum::<u128>();
    let (mut low, mut high) = (least, drawn.last().copied().unwrap_or(least));
    for _ in 0..HALVINGS {
        let middle = u64::midpoint(low, high);
        if total(middle) > u128::from(sum) { high = middle } else { low = middle }
    }
    drawn.into_iter().map(|bytes| bytes.min(low)).collect()
}

impl Draft {
    /// Sizes and requests of sessions, both ascending: long sessions have many requests.
    fn sessions_of(&mut self, count: u64, law: LogNormal, sum: u64, room: u64) -> Vec<Measures> {
        let mut requests = self.requests(count, REQUESTS);
        requests.sort_unstable();
        let least = if room == CODEX_ROOM { ROLLOUT_BYTES_MIN } else { room };
        let sizes = sizes(count, law, sum, least).into_iter();
        sizes
            .zip(requests)
            .map(|(bytes, requests)| Measures { bytes, requests: requests.min(bytes / room).max(1) })
            .collect()
    }

    /// Rollouts of Codex: so many, whose content has sizes by a law and about a sum.
    pub(super) fn rollouts(&mut self, count: u64, law: LogNormal, sum: u64) {
        let days = (count / ROLLOUTS_PER_DAY).clamp(1, DAYS.1 - DAYS.0);
        let mut parent: Option<Arc<Codex>> = None;
        for wanted in self.sessions_of(count, law, sum, CODEX_ROOM) {
            let day = DAYS.0 + self.dice.between(0, days) * ((DAYS.1 - DAYS.0) / days);
            let forked = self.dice.chance(CODEX_FORKED_SHARE);
            let session = match &parent {
                // A fork has its parent's lines, and at least as many again. It is made a day later.
                Some(parent) if forked && estimate(parent) * 2 <= wanted.bytes => {
                    let shelf = Shelf::Day(parent.start / DAY + 1);
                    self.codex_fork(parent, shelf, parent.requests, wanted.requests)
                }
                _ => self.codex(Shelf::Day(day), wanted.requests),
            };
            let session = Arc::new(self.rollout(session, wanted.bytes));
            // What is compressed is no longer worked with, and not forked.
            let is_longer = parent.as_ref().is_none_or(|parent| estimate(parent) * 2 <= wanted.bytes);
            if is_longer && !session.compressed {
                parent = Some(Arc::clone(&session));
            }
            self.items.push(Item::Codex(session));
        }
        self.codex_lists();
    }

    /// A rollout of so many bytes, with what some have.
    fn rollout(&mut self, mut session: Codex, bytes: u64) -> Codex {
        session.size = Size::About(bytes);
        if self.dice.chance(CODEX_COMPACTED_SHARE) && session.requests > 1 {
            session.compactions = 1 + u64::from(self.dice.geometric(CODEX_FURTHER_COMPACTION, 33));
        }
        session.compressed = self.dice.chance(CODEX_COMPRESSED_SHARE);
        session.images = u64::from(self.dice.chance(IMAGE_SESSION_SHARE));
        if self.dice.chance(0.1) && session.forks.is_none() {
            session.form = Form::Enveloped2025;
            session.compactions = 0;
        }
        session.quirks.extend(self.common_quirks());
        if !session.compressed && self.dice.chance(TORN_SHARE) {
            session.quirks.insert(Quirk::Torn);
        }
        session
    }

    /// A rollout of about so many bytes, half of which are histories written again.
    pub(super) fn large_rollout(&mut self, bytes: u64, requests: u64, compactions: u64) {
        let mut session = self.codex(Shelf::Day(DAYS.1), requests);
        session.size = Size::About(bytes);
        session.compactions = compactions;
        session.compacted_bytes = bytes / 2 / compactions;
        self.items.push(Item::Codex(session.into()));
    }

    /// A database of OpenCode or Kilo: most of its sessions are subagents' of the others.
    pub(super) fn sessions_database(&mut self, root: usize, count: u64, law: LogNormal, sum: u64) {
        let projects = self.projects();
        let mut database = self.database(root);
        let mut mains: Vec<(usize, String)> = Vec::new();
        let mut wanted = self.sessions_of(count, law, sum, ROOM);
        self.dice.shuffle(&mut wanted);
        for wanted in wanted {
            let is_child = !mains.is_empty() && self.dice.chance(CHILD_SESSION_SHARE);
            let (project, parent) = match is_child.then(|| self.dice.pick(&mains).clone()) {
                Some((project, parent)) => (project, Some(parent)),
                None => (self.dice.index(projects.len()), None),
            };
            let requests = if is_child { 1 } else { wanted.requests };
            let mut session = self.opencode_session(root, &projects[project], requests);
            session.size = Size::About(wanted.bytes);
            session.images = u64::from(self.dice.chance(IMAGE_SESSION_SHARE));
            session.quirks = self.rare_quirks();
            if parent.is_none() {
                mains.push((project, session.id.clone()));
            }
            session.parent = parent;
            database.sessions.push(session);
        }
        self.items.push(Item::Database(database.into()));
    }

    fn projects(&mut self) -> Vec<Project> {
        (0..PROJECTS).map(|i| self.project(&format!("/home/dev/project-{i}"))).collect()
    }

    /// Chats of Gemini.
    pub(super) fn gemini_chats(&mut self, count: u64, law: LogNormal, sum: u64) {
        for (i, wanted) in (0..).zip(self.sessions_of(count, law, sum, ROOM)) {
            let mut session = self.gemini(&format!("/home/dev/project-{}", i % PROJECTS), wanted.requests);
            session.size = Size::About(wanted.bytes);
            session.quirks = self.rare_quirks();
            self.items.push(Item::Gemini(session.into()));
        }
    }

    fn rare_quirks(&mut self) -> BTreeSet<Quirk> {
        self.dice.chance(LONE_SURROGATE_SHARE).then_some(Quirk::LoneSurrogate).into_iter().collect()
    }

    /// An index for every workspace with chats. Some chats are not listed, as where the list was cut and their files stayed.
    pub(super) fn chat_indices(&mut self) {
        for mut index in self.indices() {
            index.chats.retain(|_| !self.dice.chance(UNLISTED_SHARE));
            self.items.push(Item::Index(index.into()));
        }
    }
}

/// Bytes of a rollout's content.
fn estimate(session: &Codex) -> u64 {
    session.size.estimate(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_sum_and_the_law_below_the_cut() {
        let law = LogNormal { median: 873_270.0, sigma: 2.15 };
        let found = sizes(1_000, law, 2_000_000_000, 30_000);
        let sum: u64 = found.iter().sum();
        assert!(sum <= 2_000_000_000 && sum > 1_990_000_000, "{sum}");
        assert!(found.is_sorted());
        assert!((found[500] as f64 / 873_270.0 - 1.0).abs() < 0.01, "{}", found[500]);
        assert_eq!(sizes(3, law, 1, 30_000), [30_000; 3]);
    }
}
