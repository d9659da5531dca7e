//! Sessions of Codex CLI in a plan, and the lists that it keeps beside them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codex::{Codex, Form};
use crate::page::{Iso, civil, put};
use crate::plan::{CODEX, Draft, Item, Quirk, ROOTS, Small};
use crate::size::Size;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Days since 1970 of sessions that are in no day's directory: from 2025-06-01, for half a year.
const DAYS: (u64, u64) = (20_240, 20_420);

/// Where a session is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shelf {
    /// `sessions/<Y>/<M>/<D>` of a day since 1970.
    Day(u64),
    /// `sessions` itself, as in the first versions.
    Flat,
    /// `archived_sessions`.
    Archive,
}

impl Draft {
    /// A Codex session without quirks, not yet added.
    pub(super) fn codex(&mut self, shelf: Shelf, requests: u64) -> Codex {
        let (directory, day) = match shelf {
            Shelf::Day(day) => {
                let (year, month, of_month) = civil(day);
                (format!("sessions/{year:04}/{month:02}/{of_month:02}"), day)
            }
            Shelf::Flat => ("sessions".to_owned(), self.dice.between(DAYS.0, DAYS.1)),
            Shelf::Archive => ("archived_sessions".to_owned(), self.dice.between(DAYS.0, DAYS.1)),
        };
        if !matches!(shelf, Shelf::Archive) {
            self.workspaces.insert((CODEX, "sessions".to_owned()));
        }
        self.workspaces.insert((CODEX, directory.clone()));
        // Not in the last hour of its day, so that a fork can follow it there.
        let start = day * DAY + self.dice.between(0, DAY - 3_600_000);
        Codex {
            root: CODEX,
            directory,
            id: self.dice.id().at(start),
            start,
            cwd: format!("/home/dev/project-{}", self.dice.below(40)),
            requests,
            size: Size::Free,
            form: Form::Current,
            compressed: false,
            pressed_bytes: 0,
            compactions: 0,
            compacted_bytes: 0,
            images: 0,
            forks: None,
            is_superseded: false,
            quirks: BTreeSet::new(),
        }
    }

    /// A session that begins with so many requests of another one's and has some of its own, not yet added. The parent must be added
    /// as it is given here.
    pub(super) fn codex_fork(&mut self, parent: &Arc<Codex>, shelf: Shelf, copied: u64, own: u64) -> Codex {
        let mut fork = self.codex(shelf, copied + own);
        fork.start = fork.start.max(parent.start + 60_000 + self.dice.between(0, 3_000_000));
        fork.id = fork.id.at(fork.start);
        fork.cwd.clone_from(&parent.cwd);
        fork.forks = Some((Arc::clone(parent), copied));
        fork.quirks.insert(Quirk::Resumed);
        fork
    }

    /// The lists that Codex keeps of all sessions added so far: their names, and what was typed in them.
    pub(super) fn codex_lists(&mut self) {
        let (mut index, mut history) = (Vec::new(), Vec::new());
        for item in &self.items {
            let Item::Codex(session) = item else { continue };
            put!(&mut index; "{\"id\":\"", session.id, "\",\"thread_name\":\"Look into it\",\"updated_at\":\"", Iso(session.start), "\"}\n");
            put!(&mut history; "{\"session_id\":\"", session.id, "\",\"ts\":", session.start / 1_000, ",\"text\":\"look into it\"}\n");
        }
        for (name, content) in [("session_index.jsonl", index), ("history.jsonl", history)] {
            let path = format!("{}/{name}", ROOTS[CODEX].0);
            let content = String::from_utf8_lossy(&content).into_owned();
            self.items.push(Item::File(Small { path, content, kind: "document" }.into()));
        }
    }
}
