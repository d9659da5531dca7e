//! Marks of deleted sessions, so that a start that was under way does not bring one back.

use std::collections::BTreeMap;

use super::strategy::Tombstones as Choice;

/// How long a mark stays, where it does not stay for ever.
const LIFE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Marks of deleted sessions.
#[derive(Debug)]
pub struct Tombstones {
    choice: Choice,
    marks: BTreeMap<Box<str>, Mark>,
}

#[derive(Debug, Default)]
struct Mark {
    /// When it was made last.
    at_ms: u64,
    /// Deletions that are under way.
    pending: u32,
    /// Whether one of them removed the file.
    is_deleted: bool,
}

impl Tombstones {
    /// None yet.
    pub fn new(choice: Choice) -> Tombstones {
        Tombstones { choice, marks: BTreeMap::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Marks a session; to be called before its file is removed, and [`settle`](Tombstones::settle) after it.
    pub fn mark(&mut self, id: &str, now_ms: u64) {
        if self.choice == Choice::OnDelete {
            self.prune(now_ms);
        }
        let mark = self.marks.entry(id.into()).or_default();
        mark.at_ms = now_ms;
        mark.pending += 1;
    }

    /// Says what became of a deletion. A file that could not be removed takes its own mark back, and not that of another deletion, which was
    /// quicker.
    pub fn settle(&mut self, id: &str, is_deleted: bool) {
        let Some(mark) = self.marks.get_mut(id) else { return };
        mark.pending = mark.pending.saturating_sub(1);
        mark.is_deleted |= is_deleted;
        if mark.pending == 0 && !mark.is_deleted {
            self.marks.remove(id);
        }
    }

    /// Whether a session was deleted, or is about to be.
    pub fn has(&self, id: &str) -> bool {
        self.marks.contains_key(id)
    }

    /// Removes marks that are old; to be called every minute.
    pub fn sweep(&mut self, now_ms: u64) {
        if self.choice == Choice::Timed {
            self.prune(now_ms);
        }
    }

    fn prune(&mut self, now_ms: u64) {
        self.marks.retain(|_, mark| mark.pending > 0 || now_ms.saturating_sub(mark.at_ms) < LIFE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_deletion_does_not_take_the_first_ones_mark() {
        let mut tombstones = Tombstones::new(Choice::Timed);
        tombstones.mark("a", 0);
        tombstones.mark("a", 0);
        tombstones.settle("a", true);
        tombstones.settle("a", false);
        assert!(tombstones.has("a"));
        tombstones.mark("a", 5);
        tombstones.settle("a", false);
        assert!(tombstones.has("a"));
        tombstones.mark("b", 5);
        tombstones.settle("b", false);
        assert!(!tombstones.has("b"));
        tombstones.sweep(LIFE_MS + 5);
        assert!(tombstones.is_empty());
    }
}
