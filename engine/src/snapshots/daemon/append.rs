//! How ours takes a changed file in: what is new is read, and appended to the session itself.

use std::fs;
use std::sync::Arc;

use super::{Command, Daemon, FetchError, Known, Notice, Observe};
use crate::formats::source::Skips;
use crate::snapshots::commands;
use crate::snapshots::event::Event;
use crate::snapshots::files::{self, Look};
use crate::snapshots::read;
use crate::snapshots::snapshot::{Key, Metadata, Snapshot};
use crate::snapshots::store::{Limits, TooLarge};

/// A session while its file is read.
struct Incoming<'a> {
    key: &'a Key,
    limits: Limits,
    /// The session, if it is to be in memory, and as long as it is not too large.
    snapshot: Option<Snapshot>,
    too_large: Option<TooLarge>,
    metadata: Metadata,
    executed: &'a mut Vec<u64>,
    pending: &'a mut Vec<Command>,
}

impl Incoming<'_> {
    fn take(&mut self, event: Event) {
        self.metadata.note(&event);
        for (number, line) in commands::of(&event).enumerate() {
            let mark = commands::mark_of(&event, number, line);
            if let Err(at) = self.executed.binary_search(&mark) {
                self.executed.insert(at, mark);
                self.pending.push(Command { key: self.key.clone(), line: line.into() });
            }
        }
        let Some(snapshot) = &mut self.snapshot else { return };
        snapshot.events.push(event);
        snapshot.events.keep_last(self.limits.events);
        let bytes = snapshot.heap_bytes() as u64;
        if bytes > self.limits.bytes {
            self.too_large = Some(TooLarge { key: self.key.clone(), bytes, budget: self.limits.bytes });
            self.snapshot = None;
        }
    }
}

impl Daemon {
    /// Reads what a file has more than before. A file that is gone takes its session with it.
    pub(super) fn append(&mut self, place: usize, now: i64, observe: Observe<'_>) {
        let Some(file) = self.files.get(place) else { return };
        let path = Arc::clone(&file.path);
        let opened = fs::File::open(&path).and_then(|file| Ok((Look::of(&file.metadata()?), file)));
        match opened {
            Ok((look, _)) if file.look == Some(look) => {}
            Ok((look, mut opened)) => {
                let Some(key) = self.bind(place, observe) else { return self.wait_for_change(place, look) };
                let goes_on = self.files.get(place).map(|file| file.goes_on(&mut opened, look));
                let is_whole = !matches!(goes_on, Some(Ok(true)));
                if let Err(why) = self.take_in(&key, &mut opened, look, is_whole, now, observe) {
                    observe(Notice::Skipped { path: &path, lines: 0, why: &why });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.forget(place),
            Err(error) => observe(Notice::Skipped { path: &path, lines: 0, why: &error.to_string() }),
        }
        self.account();
    }

    /// Reads an evicted session from the beginning of its file.
    pub(super) fn reload(
        &mut self,
        key: &Key,
        now: i64,
        observe: Observe<'_>,
    ) -> Result<Option<Arc<Snapshot>>, FetchError> {
        let Some(known) = self.sessions.get(key) else { return Ok(None) };
        let Some(path) = self.files.get(known.place).map(|file| Arc::clone(&file.path)) else {
            return Ok(None);
        };
        let unreadable =
            |why: String| FetchError::Unreadable { key: key.clone(), path: path.display().to_string(), why };
        let mut opened = fs::File::open(&path).map_err(|error| unreadable(error.to_string()))?;
        let look = opened
            .metadata()
            .map(|metadata| Look::of(&metadata))
            .map_err(|error| unreadable(error.to_string()))?;
        let too_large = self.take_in(key, &mut opened, look, true, now, observe).map_err(unreadable)?;
        self.account();
        match too_large {
            Some(error) => Err(error.into()),
            None => Ok(self.store.get(key)),
        }
    }

    /// Reads a file, from its beginning or from where it was left, into its session. Says when that is too large.
    fn take_in(
        &mut self,
        key: &Key,
        opened: &mut fs::File,
        look: Look,
        is_whole: bool,
        now: i64,
        observe: Observe<'_>,
    ) -> Result<Option<TooLarge>, String> {
        let limits = self.store.limits();
        if is_whole {
            // What a file says takes about as much in memory as in the file.
            self.store.make_room_for(look.len);
        }
        let Some(known) = self.sessions.get_mut(key) else { return Ok(None) };
        let Some(file) = self.files.get_mut(known.place) else { return Ok(None) };
        let before = grown_bytes(known, &file.resume);
        let (mut resume, snapshot, metadata) = match is_whole {
            true => (read::Resume::default(), Some(Snapshot::new(key.clone())), Metadata::default()),
            false => (
                std::mem::take(&mut file.resume),
                self.store.remove(key).map(Arc::unwrap_or_clone),
                std::mem::take(&mut known.metadata),
            ),
        };
        let mut incoming = Incoming {
            key,
            limits,
            snapshot,
            too_large: None,
            metadata,
            executed: &mut known.executed,
            pending: &mut self.pending,
        };
        let mut skips = Skips::default();
        let result =
            read::read(file.provider, opened, &mut resume, &mut skips, &mut |event| incoming.take(event));
        let Incoming { snapshot, too_large, mut metadata, .. } = incoming;
        if matches!(&result, Ok(done) if !done.is_legible) {
            // What it said before still stands.
            file.look = Some(look);
            return Ok(None);
        }
        if let Some(first) = &skips.first {
            observe(Notice::Skipped { path: &file.path, lines: skips.lines, why: first });
        }
        file.anchor = files::anchor(opened, resume.offset).unwrap_or_default();
        // What could not be read to its end is read anew next time.
        file.look = result.is_ok().then_some(look);
        file.resume = resume;
        metadata.updated = now;
        metadata.file_modified = look.modified_ms();
        metadata.events = metadata.total_events.min(limits.events as u64);
        known.metadata = metadata.clone();
        self.known_bytes = self.known_bytes + grown_bytes(known, &file.resume) - before;
        self.touched.insert(key.clone());
        self.shown_late.insert(key.clone());
        let refused = match snapshot {
            Some(snapshot) => self.store.upsert(Snapshot { metadata, ..snapshot }).err(),
            None => too_large,
        };
        if let Some(error) = &refused {
            self.store.remove(key);
            observe(Notice::Refused(error));
        }
        result.map(|_| refused).map_err(|error| error.to_string())
    }

    /// Leaves a file alone as long as it stays as it is.
    fn wait_for_change(&mut self, place: usize, look: Look) {
        if let Some(file) = self.files.get_mut(place) {
            file.look = Some(look);
        }
    }

    /// Forgets a file that is gone, and its session.
    fn forget(&mut self, place: usize) {
        let Some(file) = self.files.remove(place) else { return };
        let Some(key) = file.session else { return };
        if self.sessions.get(&key).is_none_or(|known| known.place != place) {
            return;
        }
        if let Some(known) = self.sessions.remove(&key) {
            self.known_bytes -= grown_bytes(&known, &file.resume);
        }
        self.store.remove(&key);
        self.board.remove(&key);
    }
}

/// Bytes that are held of a session beside its snapshot, as far as they grow with what it says: its metadata, which its row repeats, its marks,
/// its id.
fn grown_bytes(known: &Known, resume: &read::Resume) -> usize {
    2 * known.metadata.heap_bytes() + known.executed.capacity() * size_of::<u64>() + resume.heap_bytes()
}
