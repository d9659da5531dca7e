//! The sessions in memory, how much they take, and which have to go.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use super::snapshot::{Key, Metadata, Snapshot};
use super::strategy::{Estimate, List, Order, Oversize, Strategy};

/// How much a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in memory.
    pub sessions: usize,
    /// Events of a session.
    pub events: usize,
    /// Bytes of everything, by the store's own estimate.
    pub bytes: u64,
}

impl Default for Limits {
    /// Those of the reported store.
    fn default() -> Limits {
        Limits { sessions: 200, events: 10_000, bytes: 200 << 20 }
    }
}

/// What a store has, and what it did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that it takes everything for, what the daemon around it knows included where that is counted.
    pub estimated_bytes: u64,
    /// Sessions in memory.
    pub sessions: u64,
    /// Their events.
    pub events: u64,
    /// Evictions because there were too many sessions.
    pub evicted_for_sessions: u64,
    /// Evictions because they took too much.
    pub evicted_for_bytes: u64,
    /// Bytes by which the evictions lowered the estimate.
    pub reclaimed_bytes: u64,
    /// Whether one session alone has broken the budget, and is still there.
    pub over_budget: bool,
    /// Lists that were made of all sessions.
    pub lists: u64,
    /// Sessions that were asked for one by one.
    pub fetches: u64,
    /// Events that were copied.
    pub events_cloned: u64,
}

impl Stats {
    /// Evictions for whatever reason.
    pub fn evictions(&self) -> u64 {
        self.evicted_for_sessions + self.evicted_for_bytes
    }
}

/// A session that is larger than the whole budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} takes {bytes} bytes, and the budget of all sessions together is {budget}; raise the budget, or archive the session"
)]
pub struct TooLarge {
    /// The session.
    pub key: Key,
    /// What it takes, as far as it was read.
    pub bytes: u64,
    /// What all may take.
    pub budget: u64,
}

/// A session without its events, as a list of metadata has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The session.
    pub key: Key,
    /// What is known of it.
    pub metadata: Metadata,
}

/// Bytes of a session's places in the maps of a store: nodes of B-trees are two thirds full on average.
const ENTRY_BYTES: usize =
    (2 * size_of::<Key>() + size_of::<u64>() + size_of::<Entry>()) * 3 / 2 + 2 * size_of::<usize>();

#[derive(Debug)]
struct Entry {
    snapshot: Arc<Snapshot>,
    turn: u64,
    estimate: u64,
}

/// The sessions in memory.
#[derive(Debug)]
pub struct Store {
    strategy: Strategy,
    limits: Limits,
    entries: BTreeMap<Key, Entry>,
    /// The sessions by their turn: the first goes first.
    queue: BTreeMap<u64, Key>,
    turns: u64,
    /// Bytes that are held beside the sessions and cannot be evicted.
    beside: u64,
    stats: Stats,
}

impl Store {
    /// A store without sessions.
    pub fn new(strategy: Strategy, limits: Limits) -> Store {
        Store {
            strategy,
            limits,
            entries: BTreeMap::new(),
            queue: BTreeMap::new(),
            turns: 0,
            beside: 0,
            stats: Stats::default(),
        }
    }

    /// What it keeps at most.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What it has, and what it did so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Whether a session is in memory.
    pub fn contains(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    /// Puts a session in, in place of what was there of it, and makes room. Gives the session as it is in the store; by the
    /// strategies that copy, a copy of the copy that was put in.
    ///
    /// # Errors
    /// When the session alone breaks the budget. Whether it is in the store then, the strategy says.
    pub fn upsert(&mut self, snapshot: Snapshot) -> Result<Arc<Snapshot>, TooLarge> {
        let mut snapshot = match self.strategy.list {
            List::Shared => snapshot,
            List::Clone | List::Metadata => {
                self.stats.events_cloned += snapshot.events.len() as u64;
                snapshot.deep_clone()
            }
        };
        snapshot.keep_last(self.limits.events);
        let key = snapshot.key.clone();
        self.remove(&key);
        let estimate = self.estimate(&snapshot);
        if self.strategy.oversize == Oversize::Refuse && estimate > self.limits.bytes {
            return Err(TooLarge { key, bytes: estimate, budget: self.limits.bytes });
        }
        let snapshot = Arc::new(snapshot);
        self.insert(Arc::clone(&snapshot), estimate);
        self.make_room()?;
        Ok(given(self.strategy.list, &snapshot, &mut self.stats))
    }

    fn estimate(&self, snapshot: &Snapshot) -> u64 {
        let around = if self.strategy.estimate == Estimate::Held { ENTRY_BYTES } else { 0 };
        (snapshot.estimate(self.strategy.estimate) + around) as u64
    }

    fn insert(&mut self, snapshot: Arc<Snapshot>, estimate: u64) {
        self.turns += 1;
        self.stats.estimated_bytes += estimate;
        self.stats.sessions += 1;
        self.stats.events += snapshot.events.len() as u64;
        self.queue.insert(self.turns, snapshot.key.clone());
        self.entries.insert(snapshot.key.clone(), Entry { snapshot, turn: self.turns, estimate });
    }

    /// Takes a session out, to be changed or because its source is gone; no eviction.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Snapshot>> {
        let entry = self.entries.remove(key)?;
        self.queue.remove(&entry.turn);
        self.stats.estimated_bytes -= entry.estimate;
        self.stats.sessions -= 1;
        self.stats.events -= entry.snapshot.events.len() as u64;
        Some(entry.snapshot)
    }

    fn make_room(&mut self) -> Result<(), TooLarge> {
        while self.entries.len() > self.limits.sessions {
            self.stats.evicted_for_sessions += 1;
            self.evict();
        }
        while self.stats.estimated_bytes > self.limits.bytes {
            if self.entries.len() == 1 {
                return self.give_up();
            }
            self.stats.evicted_for_bytes += 1;
            self.evict();
        }
        self.stats.over_budget = false;
        Ok(())
    }

    /// Makes room for a session before it comes in, if it fits at all, so that it never stands beside what has to go for it.
    pub fn make_room_for(&mut self, bytes: u64) {
        if bytes > self.limits.bytes {
            return;
        }
        while self.stats.estimated_bytes.saturating_add(bytes) > self.limits.bytes && !self.entries.is_empty()
        {
            self.stats.evicted_for_bytes += 1;
            self.evict();
        }
    }

    fn evict(&mut self) {
        let before = self.stats.estimated_bytes;
        if let Some(key) = self.queue.first_key_value().map(|(_, key)| key.clone()) {
            self.remove(&key);
        }
        self.stats.reclaimed_bytes += before - self.stats.estimated_bytes;
    }

    /// What happens when the last session breaks the budget. Ours does so only by what is held beside the sessions.
    fn give_up(&mut self) -> Result<(), TooLarge> {
        let Some((key, entry)) = self.entries.first_key_value() else { return Ok(()) };
        if self.strategy.oversize == Oversize::Refuse {
            return Ok(());
        }
        self.stats.over_budget = true;
        Err(TooLarge { key: key.clone(), bytes: entry.estimate, budget: self.limits.bytes })
    }

    /// Says how much is held beside the sessions; it counts against the budget.
    pub fn set_beside(&mut self, bytes: u64) {
        self.stats.estimated_bytes = self.stats.estimated_bytes - self.beside + bytes;
        self.beside = bytes;
    }

    /// A session, or a copy of it.
    pub fn get(&mut self, key: &Key) -> Option<Arc<Snapshot>> {
        let entry = self.entries.get_mut(key)?;
        if self.strategy.order == Order::Used {
            self.queue.remove(&entry.turn);
            self.turns += 1;
            entry.turn = self.turns;
            self.queue.insert(self.turns, key.clone());
        }
        self.stats.fetches += 1;
        Some(given(self.strategy.list, &entry.snapshot, &mut self.stats))
    }

    /// Every session, or copies of them, the last one that came in first.
    pub fn list(&mut self) -> Vec<Arc<Snapshot>> {
        self.stats.lists += 1;
        let keys = self.queue.values().rev();
        let snapshots = keys.filter_map(|key| Some(&self.entries.get(key)?.snapshot));
        snapshots.map(|snapshot| given(self.strategy.list, snapshot, &mut self.stats)).collect()
    }

    /// The metadata of every session, the last one that came in first.
    pub fn list_metadata(&mut self) -> Vec<Listed> {
        self.stats.lists += 1;
        let keys = self.queue.values().rev();
        let snapshots = keys.filter_map(|key| Some(&self.entries.get(key)?.snapshot));
        snapshots
            .map(|snapshot| Listed { key: snapshot.key.clone(), metadata: snapshot.metadata.clone() })
            .collect()
    }
}

/// What is given to whoever asks for a snapshot.
fn given(list: List, snapshot: &Arc<Snapshot>, stats: &mut Stats) -> Arc<Snapshot> {
    match list {
        List::Shared => Arc::clone(snapshot),
        List::Clone | List::Metadata => {
            stats.events_cloned += snapshot.events.len() as u64;
            Arc::new(snapshot.deep_clone())
        }
    }
}

#[cfg(test)]
mod tests;
