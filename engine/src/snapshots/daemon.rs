//! The loop around a store: reads files as they change, runs commands that were typed into chats, shows what there is.
//!
//! Nothing here sleeps or asks for the time. Whoever runs it calls [`Daemon::tick`] with the present time, once a second, and
//! [`Daemon::notice`] when a watcher sees a file change.

mod append;
mod merge;
mod scan;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{File, Files};
use super::snapshot::{Key, Metadata, Snapshot};
use super::status::{Board, Row};
use super::store::{Limits, Stats, Store, TooLarge};
use super::strategy::{Estimate, Ingest, Strategy};
use scan::Scan;
use state::States;

/// Ms that a file rests before it is read, when a watcher saw it change: tools write a record in several steps.
const DEBOUNCE_MS: i64 = 250;
/// Ms from one search for changed files to the next.
const DISCOVERY_MS: i64 = 5_000;
/// Ms from one heartbeat to the next.
const HEARTBEAT_MS: i64 = 5_000;

/// How a daemon runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its choices.
    pub strategy: Strategy,
    /// How much it keeps in memory.
    pub limits: Limits,
    /// The directory in which it keeps which commands it has run, so that a later daemon does not run them again; none: in memory only.
    pub state: Option<PathBuf>,
}

/// What a daemon tells while it works.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A command is to be run.
    Command {
        /// The session it was typed into.
        key: &'a Key,
        /// The line.
        line: &'a str,
    },
    /// What is shown was brought up to date.
    Heartbeat,
    /// A session is larger than the budget: its events are not kept in memory.
    Refused(&'a TooLarge),
    /// A file, or lines of it, could not be used.
    Skipped {
        /// The file.
        path: &'a Path,
        /// Lines of it; 0 where it is the whole file.
        lines: u64,
        /// Why, with the place of the first.
        why: &'a str,
    },
}

/// Where a daemon's notices go.
pub type Observe<'a> = &'a mut dyn FnMut(Notice<'_>);

/// Why a session cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is larger than the budget.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Its file cannot be read.
    #[error("{key} cannot be read anew: {path}: {why}")]
    Unreadable {
        /// The session.
        key: Key,
        /// Its file.
        path: String,
        /// Why.
        why: String,
    },
}

/// What is known of a session besides its snapshot.
#[derive(Debug)]
struct Known {
    /// The place of its file.
    place: usize,
    /// What is known of it without its events, also while it is evicted. Only where files are appended.
    metadata: Metadata,
    /// Marks of its commands that were run, sorted.
    executed: Vec<u64>,
    /// How far it was scanned, where sessions are scanned one by one.
    scan: Scan,
}

impl Known {
    fn at(place: usize) -> Known {
        Known { place, metadata: Metadata::default(), executed: Vec::new(), scan: Scan::default() }
    }
}

/// A command that is to be run at the next poll.
#[derive(Debug)]
struct Command {
    key: Key,
    line: Box<str>,
}

/// Bytes of a session beside its snapshot and its file, and beside what grows with what it says: its entry among those that are known, and its row
/// with its places. Nodes of B-trees are two thirds full on average.
const KNOWN_BYTES: usize = (6 * size_of::<Key>() + size_of::<Known>() + size_of::<Row>() + 64) * 3 / 2;

/// The daemon.
#[derive(Debug)]
pub struct Daemon {
    strategy: Strategy,
    store: Store,
    files: Files,
    states: Option<States>,
    sessions: BTreeMap<Key, Known>,
    /// Files that have changed, by their place, and when they may be read.
    dirty: BTreeMap<usize, i64>,
    /// Sessions that have changed since the last poll.
    touched: BTreeSet<Key>,
    /// Sessions that have changed since the last heartbeat.
    shown_late: BTreeSet<Key>,
    pending: Vec<Command>,
    board: Board,
    next_discovery: i64,
    next_heartbeat: i64,
    /// Bytes of what is known of sessions beside their snapshots, as far as it grows with what they say.
    known_bytes: usize,
}

impl Daemon {
    /// A daemon over the sessions below a home directory, of which it has read nothing.
    pub fn new(home: &Path, options: Options) -> Daemon {
        Daemon {
            strategy: options.strategy,
            store: Store::new(options.strategy, options.limits),
            files: Files::below(home),
            states: options.state.map(States::in_directory),
            sessions: BTreeMap::new(),
            dirty: BTreeMap::new(),
            touched: BTreeSet::new(),
            shown_late: BTreeSet::new(),
            pending: Vec::new(),
            board: Board::default(),
            next_discovery: i64::MIN,
            next_heartbeat: i64::MIN,
            known_bytes: 0,
        }
    }

    /// What its store has, and what it did so far.
    pub fn stats(&self) -> Stats {
        self.store.stats()
    }

    /// Says that a file may have changed; it is read a little later. A path that is none of a session is none of its business.
    pub fn notice(&mut self, path: &Path, now: i64) {
        if let Some(place) = self.files.place(path) {
            self.dirty.entry(place).or_insert(now + DEBOUNCE_MS);
        }
    }

    /// Has a session's file read from its beginning again at the next tick, as after a loss of what was known of it.
    pub fn forget_position(&mut self, key: &Key, now: i64) {
        let Some(known) = self.sessions.get(key) else { return };
        if let Some(file) = self.files.get_mut(known.place) {
            *file =
                File { session: file.session.clone(), ..File::new(Arc::clone(&file.path), file.provider) };
            self.dirty.insert(known.place, now);
        }
    }

    /// Does what is due: to be called once a second.
    ///
    /// # Errors
    /// When one session alone breaks the budget, and the strategy is to stop then.
    pub fn tick(&mut self, now: i64, observe: Observe<'_>) -> Result<(), TooLarge> {
        if now >= self.next_discovery {
            self.discover(now, observe);
            self.next_discovery = now + DISCOVERY_MS;
        }
        self.ingest_due(now, observe)?;
        self.poll(observe);
        if now >= self.next_heartbeat {
            self.show(now);
            observe(Notice::Heartbeat);
            self.next_heartbeat = now + HEARTBEAT_MS;
        }
        Ok(())
    }

    /// Shows the last state of everything.
    pub fn shut_down(&mut self, now: i64) {
        self.show(now);
    }

    /// What is shown: a row for each session, those in use first, the latest first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.board.rows()
    }

    /// Looks for files that have changed. The first time everything is looked at.
    fn discover(&mut self, now: i64, observe: Observe<'_>) {
        let is_first = self.next_discovery == i64::MIN;
        let changed = match self.strategy.ingest {
            Ingest::Append if !is_first => self.files.look_around(),
            Ingest::Append | Ingest::Merge => self.files.look_at_all(),
        };
        for place in changed {
            self.dirty.entry(place).or_insert(now);
        }
        for (path, error) in std::mem::take(&mut self.files.unreadable) {
            observe(Notice::Skipped { path: &path, lines: 0, why: &error.to_string() });
        }
    }

    /// Reads the files that are due. Those that are gone come last: a file that was renamed is found under its new name first.
    fn ingest_due(&mut self, now: i64, observe: Observe<'_>) -> Result<(), TooLarge> {
        let due: Vec<usize> =
            self.dirty.iter().filter(|(_, due)| **due <= now).map(|(place, _)| *place).collect();
        if due.is_empty() {
            return Ok(());
        }
        let exists = |place: &usize| self.files.get(*place).is_some_and(|file| file.path.exists());
        let (present, gone): (Vec<usize>, Vec<usize>) = due.into_iter().partition(exists);
        for place in present.into_iter().chain(gone) {
            self.dirty.remove(&place);
            match self.strategy.ingest {
                Ingest::Merge => self.merge(place, now, observe)?,
                Ingest::Append => self.append(place, now, observe),
            }
        }
        Ok(())
    }

    /// A session with its events; none where there is no such session, or, by strategies that read no session anew, where it has been evicted.
    ///
    /// # Errors
    /// When it cannot be read anew.
    pub fn fetch(
        &mut self,
        key: &Key,
        now: i64,
        observe: Observe<'_>,
    ) -> Result<Option<Arc<Snapshot>>, FetchError> {
        match self.store.get(key) {
            None if self.strategy.ingest == Ingest::Append => self.reload(key, now, observe),
            given => Ok(given),
        }
    }

    /// Keys of all sessions that are known, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.sessions.keys()
    }

    /// Has the store's budget count what is held beside its sessions.
    fn account(&mut self) {
        if self.strategy.estimate == Estimate::Held {
            let bytes = self.files.heap_bytes() + self.sessions.len() * KNOWN_BYTES + self.known_bytes;
            self.store.set_beside(bytes as u64);
        }
    }

    /// The session of a file, bound to it. None where it has none yet, or one that another file has.
    fn bind(&mut self, place: usize, observe: Observe<'_>) -> Option<Key> {
        let file = self.files.get(place)?;
        if file.session.is_some() {
            return file.session.clone();
        }
        let path = Arc::clone(&file.path);
        let id = match super::read::identify(file.provider, &path) {
            Ok(id) => id?,
            Err(error) => {
                observe(Notice::Skipped { path: &path, lines: 0, why: &error.to_string() });
                return None;
            }
        };
        let key = Key { provider: file.provider, id: id.into() };
        match self.sessions.get(&key).map(|known| known.place) {
            None => self.remember(&key, place, observe),
            Some(other) => self.take_over(&key, other, place, observe)?,
        }
        self.files.get_mut(place)?.session = Some(key.clone());
        Some(key)
    }

    /// Takes note of a session, with what an earlier daemon left on disk about it.
    fn remember(&mut self, key: &Key, place: usize, observe: Observe<'_>) {
        let mut known = Known::at(place);
        if let Some(saved) = self.states.as_ref().and_then(|states| states.load(key, observe)) {
            (known.scan.scanned, known.executed) = (saved.scanned, saved.executed);
        }
        self.sessions.insert(key.clone(), known);
    }

    /// Binds a session to another file: one that it was renamed to.
    fn take_over(&mut self, key: &Key, from: usize, to: usize, observe: Observe<'_>) -> Option<()> {
        let other = self.files.get(from)?;
        if other.path.exists() {
            let path = Arc::clone(&self.files.get(to)?.path);
            let why = format!("{key} is in {} already", other.path.display());
            observe(Notice::Skipped { path: &path, lines: 0, why: &why });
            return None;
        }
        let old = self.files.remove(from)?;
        let new = self.files.get_mut(to)?;
        (new.look, new.resume, new.anchor) = (old.look, old.resume, old.anchor);
        self.sessions.get_mut(key)?.place = to;
        Some(())
    }
}
