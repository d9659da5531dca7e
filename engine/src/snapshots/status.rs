//! What the daemon shows of all sessions: one row each, the ones in use first.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::{Key, Metadata};

/// Ms without an event after which a session is no longer in use.
const STALE_MS: i64 = 5 * 60 * 1000;

/// One session as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The session.
    pub key: Key,
    /// The line by which it is recognised.
    pub snippet: Option<Box<str>>,
    /// Events that came in and were kept.
    pub events: u64,
    /// When something last happened in it; where no record says, when something last came in.
    pub last: i64,
    /// Whether nothing has happened in it for five minutes, or no record says when.
    pub is_stale: bool,
}

impl Row {
    /// The row of a session at a time.
    pub(crate) fn of(key: &Key, metadata: &Metadata, snippet: Option<Box<str>>, now: i64) -> Row {
        Row {
            key: key.clone(),
            snippet,
            events: metadata.events,
            last: metadata.last_event.unwrap_or(metadata.updated),
            is_stale: is_stale(metadata, now),
        }
    }

    /// Those in use first, the latest first.
    pub(crate) fn rank(&self) -> Rank {
        Rank { is_stale: self.is_stale, last: std::cmp::Reverse(self.last), key: self.key.clone() }
    }
}

fn is_stale(metadata: &Metadata, now: i64) -> bool {
    metadata.last_event.is_none_or(|last| now - last > STALE_MS)
}

/// The place of a row among the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    is_stale: bool,
    last: std::cmp::Reverse<i64>,
    key: Key,
}

/// All rows in order, kept from heartbeat to heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Board {
    rows: BTreeMap<Rank, Row>,
    ranks: BTreeMap<Key, Rank>,
    /// When which session goes stale.
    expiries: BTreeSet<(i64, Key)>,
}

impl Board {
    /// The rows, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Puts a session's row where it belongs now.
    pub(crate) fn set(&mut self, key: &Key, metadata: &Metadata, now: i64) {
        self.remove(key);
        let row = Row::of(key, metadata, metadata.snippet.clone(), now);
        if !row.is_stale {
            self.expiries.insert((row.last + STALE_MS, key.clone()));
        }
        let rank = row.rank();
        self.ranks.insert(key.clone(), rank.clone());
        self.rows.insert(rank, row);
    }

    /// Takes a session's row away.
    pub(crate) fn remove(&mut self, key: &Key) {
        let row = self.ranks.remove(key).and_then(|rank| self.rows.remove(&rank));
        if let Some(row) = row.filter(|row| !row.is_stale) {
            self.expiries.remove(&(row.last + STALE_MS, row.key));
        }
    }

    /// Moves what has gone stale.
    pub(crate) fn expire(&mut self, now: i64) {
        while let Some((expiry, key)) = self.expiries.first().cloned() {
            if expiry >= now {
                return;
            }
            self.expiries.remove(&(expiry, key.clone()));
            let Some(mut row) = self.ranks.remove(&key).and_then(|rank| self.rows.remove(&rank)) else {
                continue;
            };
            row.is_stale = true;
            let rank = row.rank();
            self.ranks.insert(key, rank.clone());
            self.rows.insert(rank, row);
        }
    }

    /// Puts other rows in place of all.
    pub(crate) fn replace(&mut self, rows: impl Iterator<Item = Row>) {
        self.rows = rows.map(|row| (row.rank(), row)).collect();
    }
}

#[cfg(test)]
mod tests;
