//! The poll for commands, and what is shown at a heartbeat.

use std::sync::Arc;

use super::{Daemon, Known, Notice, Observe};
use crate::snapshots::commands::{self, Signatures};
use crate::snapshots::event::Event;
use crate::snapshots::snapshot::{Key, Snapshot};
use crate::snapshots::snippet;
use crate::snapshots::status::Row;
use crate::snapshots::strategy::{Ingest, List, SnippetAt, Visit};

/// How far a session was scanned, by the daemons that look through sessions for commands.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Of every event that was looked at, where nothing is kept on disk.
    signatures: Signatures,
    /// Events that were looked at, where that is kept on disk.
    pub(super) scanned: u64,
}

impl Daemon {
    /// Runs the commands that came in.
    pub(super) fn poll(&mut self, observe: Observe<'_>) {
        match self.strategy.ingest {
            Ingest::Append => self.run_pending(observe),
            Ingest::Merge => self.scan_sessions(observe),
        }
        self.touched.clear();
    }

    /// Commands were seen when their events came in: they wait.
    fn run_pending(&mut self, observe: Observe<'_>) {
        let mut ran: Option<Key> = None;
        for command in std::mem::take(&mut self.pending) {
            observe(Notice::Command { key: &command.key, line: &command.line });
            if ran.as_ref().is_some_and(|ran| *ran != command.key) {
                self.save(ran.take(), observe);
            }
            ran = Some(command.key);
        }
        self.save(ran, observe);
    }

    /// Keeps on disk which commands of a session were run.
    fn save(&mut self, ran: Option<Key>, observe: Observe<'_>) {
        if let (Some(states), Some(key)) = (&mut self.states, ran)
            && let Some(known) = self.sessions.get(&key)
        {
            states.save(&key, known.metadata.total_events, &known.executed, observe);
        }
    }

    /// Looks through sessions for commands that were not there before.
    fn scan_sessions(&mut self, observe: Observe<'_>) {
        let visit = if self.states.is_some() { self.strategy.persistent } else { self.strategy.poll };
        match (visit, self.strategy.list) {
            (Visit::Everything, List::Clone | List::Shared) => {
                // All are held until the last has been looked through.
                let sessions = self.store.list();
                sessions.iter().for_each(|snapshot| self.scan(snapshot, observe));
            }
            (Visit::Everything, List::Metadata) => {
                for listed in self.store.list_metadata() {
                    self.scan_one(&listed.key, observe);
                }
            }
            (Visit::Touched, list) => {
                if list == List::Metadata {
                    // Upstream tells by its metadata what has moved.
                    drop(self.store.list_metadata());
                }
                for key in std::mem::take(&mut self.touched) {
                    self.scan_one(&key, observe);
                }
            }
        }
    }

    fn scan_one(&mut self, key: &Key, observe: Observe<'_>) {
        if let Some(snapshot) = self.store.get(key) {
            self.scan(&snapshot, observe);
        }
    }

    fn scan(&mut self, snapshot: &Arc<Snapshot>, observe: Observe<'_>) {
        let key = &snapshot.key;
        let Some(known) = self.sessions.get_mut(key) else { return };
        match &mut self.states {
            None => {
                let mut buffer = String::new();
                let signatures = &mut known.scan.signatures;
                let new = snapshot.events.iter().filter(|event| signatures.is_new(event, &mut buffer));
                new.for_each(|event| run(key, event, observe));
            }
            Some(states) => {
                let total = snapshot.metadata.total_events;
                let new = total.saturating_sub(known.scan.scanned).min(snapshot.events.len() as u64);
                let seen = snapshot.events.len() - new as usize;
                snapshot.events.iter().skip(seen).for_each(|event| run(key, event, observe));
                if known.scan.scanned != total {
                    known.scan.scanned = total;
                    states.save(key, total, &known.executed, observe);
                }
            }
        }
    }

    /// Brings what is shown up to date.
    pub(super) fn show(&mut self, now: i64) {
        if self.strategy.ingest == Ingest::Append {
            for key in std::mem::take(&mut self.shown_late) {
                if let Some(Known { metadata, .. }) = self.sessions.get(&key) {
                    self.board.set(&key, metadata, now);
                }
            }
            return self.board.expire(now);
        }
        let rows: Vec<Row> = match self.strategy.list {
            List::Clone | List::Shared => {
                let sessions = self.store.list();
                sessions.iter().map(|session| row(session, self.strategy.snippet, now)).collect()
            }
            List::Metadata => {
                let listed = self.store.list_metadata();
                let rows = listed.into_iter().filter_map(|listed| match self.strategy.snippet {
                    SnippetAt::Upsert => {
                        Some(Row::of(&listed.key, &listed.metadata, listed.metadata.snippet.clone(), now))
                    }
                    SnippetAt::Heartbeat => {
                        Some(row(&*self.store.get(&listed.key)?, SnippetAt::Heartbeat, now))
                    }
                });
                rows.collect()
            }
        };
        self.board.replace(rows.into_iter());
    }
}

fn run(key: &Key, event: &Event, observe: Observe<'_>) {
    commands::of(event).for_each(|line| observe(Notice::Command { key, line }));
}

fn row(session: &Snapshot, at: SnippetAt, now: i64) -> Row {
    let snippet = match at {
        SnippetAt::Upsert => session.metadata.snippet.clone(),
        SnippetAt::Heartbeat => snippet::of(session.events.iter()),
    };
    Row::of(&session.key, &session.metadata, snippet, now)
}
