//! Marks of deleted sessions, so that a start that was under way does not bring one back.

use std::collections::BTreeMap;

use super::strategy::Tombstones as Choice;

/// How long a mark stays, where it does not stay for ever.
const LIFE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Marks of deleted sessions.
#[derive(Debug)]
pub struct Tombstones {
    choice: Choice,
    deleted: BTreeMap<Box<str>, u64>,
}

impl Tombstones {
    /// None yet.
    pub fn new(choice: Choice) -> Tombstones {
        Tombstones { choice, deleted: BTreeMap::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.deleted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty()
    }

    /// Marks a session; to be called before its file is removed.
    pub fn mark(&mut self, id: &str, now_ms: u64) {
        if self.choice == Choice::OnDelete {
            self.prune(now_ms);
        }
        self.deleted.insert(id.into(), now_ms);
    }

    /// Takes a mark back: the file could not be removed.
    pub fn unmark(&mut self, id: &str) {
        self.deleted.remove(id);
    }

    /// Whether a session was deleted.
    pub fn has(&self, id: &str) -> bool {
        self.deleted.contains_key(id)
    }

    /// Removes marks that are old; to be called every minute.
    pub fn sweep(&mut self, now_ms: u64) {
        if self.choice == Choice::Timed {
            self.prune(now_ms);
        }
    }

    fn prune(&mut self, now_ms: u64) {
        self.deleted.retain(|_, marked| now_ms.saturating_sub(*marked) < LIFE_MS);
    }
}
