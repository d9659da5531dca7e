//! A daemon on a virtual clock, and what it told.

use std::path::{Path, PathBuf};

use engine::snapshots::daemon::Daemon;
use engine::snapshots::snapshot::{Key, Snapshot};
use engine::snapshots::store::{Limits, TooLarge};
use engine::snapshots::{Notice, Options, Strategy};
use std::sync::Arc;

use crate::history::Digester;

/// When a daemon starts: 2026-01-05T12:00:00Z in ms since 1970, some hours after the first events of a history.
const START_MS: i64 = 1_767_614_400_000;

/// Ms from tick to tick.
const TICK_MS: i64 = 1_000;

/// The directory in which a daemon keeps its state, where it keeps any.
const STATE: &str = "state";

/// What a visit of all sessions found.
pub(super) struct Visited {
    /// Digest of everything.
    pub(super) digest: String,
    /// Events of all sessions.
    pub(super) events: u64,
    /// Sessions that could not be had.
    pub(super) lost: u64,
}

/// A daemon that is driven.
pub(super) struct Bench {
    pub(super) daemon: Daemon,
    /// The present time, ms since 1970.
    pub(super) now: i64,
    /// Commands that were run.
    pub(super) commands: u64,
    /// Sessions that were refused because they are larger than the budget, in words.
    pub(super) refused: Vec<String>,
    /// What could not be used, in words.
    pub(super) skipped: Vec<String>,
}

impl Bench {
    /// A daemon that has read nothing; it keeps its state in memory only.
    pub(super) fn new(home: impl AsRef<Path>, strategy: Strategy, limits: Limits) -> Bench {
        Bench::with(home.as_ref(), Options { strategy, limits, state: None })
    }

    /// The same, with its state on disk.
    pub(super) fn persistent(home: impl AsRef<Path>, strategy: Strategy, limits: Limits) -> Bench {
        Bench::with(home.as_ref(), Options { strategy, limits, state: Some(PathBuf::from(STATE)) })
    }

    fn with(home: &Path, options: Options) -> Bench {
        Bench {
            daemon: Daemon::new(home, options),
            now: START_MS,
            commands: 0,
            refused: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Lets a second pass.
    pub(super) fn tick(&mut self) -> Result<(), TooLarge> {
        let Bench { daemon, now, commands, refused, skipped } = self;
        let result = daemon.tick(*now, &mut |notice| note(&notice, commands, refused, skipped));
        *now += TICK_MS;
        result
    }

    /// Lets some seconds pass.
    pub(super) fn ticks(&mut self, seconds: usize) -> Result<(), TooLarge> {
        (0..seconds).try_for_each(|_| self.tick())
    }

    /// Lets so much time pass that a changed file has been found, whoever looks for it, and read.
    pub(super) fn settle(&mut self) -> Result<(), TooLarge> {
        self.ticks(6)
    }

    /// Says that a file has changed, as a watcher would.
    pub(super) fn notice(&mut self, path: &Path) {
        self.daemon.notice(path, self.now);
    }

    /// A session with its events; an error in words where it cannot be had, none where there is no such session.
    pub(super) fn fetch(&mut self, key: &Key) -> Result<Option<Arc<Snapshot>>, String> {
        let Bench { daemon, now, commands, refused, skipped } = self;
        daemon
            .fetch(key, *now, &mut |notice| note(&notice, commands, refused, skipped))
            .map_err(|error| error.to_string())
    }

    /// Keys of all sessions.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.daemon.keys().cloned().collect()
    }

    /// Visits all sessions.
    pub(super) fn visit(&mut self) -> Result<Visited, String> {
        let (mut digester, mut lost, mut events) = (Digester::default(), 0, 0);
        for key in self.keys() {
            harness::meter::item();
            match self.fetch(&key)? {
                Some(snapshot) => {
                    events += snapshot.events.len() as u64;
                    digester.session(key.provider.name(), &key.id, snapshot.events.len() as u64);
                    snapshot.events.iter().for_each(|event| digester.event(event.kind(), event.text()));
                }
                None => lost += 1,
            }
        }
        Ok(Visited { digest: digester.finish(), events, lost })
    }

    /// Fails when anything was passed over, where everything can be used.
    pub(super) fn check_complete(&self) -> Result<(), String> {
        match self.skipped.first().or(self.refused.first()) {
            None => Ok(()),
            Some(why) => Err(format!("something was not used: {why}")),
        }
    }
}

fn note(notice: &Notice<'_>, commands: &mut u64, refused: &mut Vec<String>, skipped: &mut Vec<String>) {
    match notice {
        Notice::Command { .. } => *commands += 1,
        Notice::Heartbeat => {}
        Notice::Refused(error) => refused.push(error.to_string()),
        Notice::Skipped { path, lines, why } => {
            skipped.push(format!("{}: {lines} lines: {why}", path.display()));
        }
    }
}
