//! How the reported daemon takes a changed file in: all of it is read, and merged into a copy of the session.

use super::{Daemon, Notice, Observe};
use crate::formats::source::Skips;
use crate::snapshots::commands::Signatures;
use crate::snapshots::event::{Event, Provider};
use crate::snapshots::files::Look;
use crate::snapshots::read::{self, Resume};
use crate::snapshots::snapshot::Snapshot;
use crate::snapshots::store::TooLarge;
use crate::snapshots::strategy::SnippetAt;

impl Daemon {
    /// Reads a file whole, and merges what is new in it into the session. Of an evicted session only what is new comes back; a file that is gone changes
    /// nothing.
    pub(super) fn merge(&mut self, place: usize, now: i64, observe: Observe<'_>) -> Result<(), TooLarge> {
        let Some(file) = self.files.get(place) else { return Ok(()) };
        let Ok(mut opened) = std::fs::File::open(&file.path) else { return Ok(()) };
        let Ok(metadata) = opened.metadata() else { return Ok(()) };
        let look = Look::of(&metadata);
        if file.look.is_some_and(|before| before.modified_ms() == look.modified_ms()) {
            return Ok(());
        }
        let Some(key) = self.bind(place, observe) else { return Ok(()) };
        let Some(file) = self.files.get_mut(place) else { return Ok(()) };
        let (mut events, mut resume, mut skips) = (Vec::new(), Resume::default(), Skips::default());
        let result =
            read::read(file.provider, &mut opened, &mut resume, &mut skips, &mut |event| events.push(event));
        if let Err(error) = result {
            observe(Notice::Skipped { path: &file.path, lines: 0, why: &error.to_string() });
        }
        if let Some(first) = &skips.first {
            observe(Notice::Skipped { path: &file.path, lines: skips.lines, why: first });
        }
        if file.provider == Provider::Codex {
            stamp(&mut events, now);
        }
        // A file that is shorter than what was read of it is replayed.
        let known = if resume.offset < file.resume.offset { 0 } else { file.resume.offset };
        (file.resume, file.look) = (resume, Some(look));
        let mut snapshot =
            self.store.get(&key).map_or_else(|| Snapshot::new(key.clone()), std::sync::Arc::unwrap_or_clone);
        add_new(&mut snapshot, events.into_iter().filter(|event| event.source.cursor > known));
        snapshot.metadata.updated = now;
        snapshot.metadata.file_modified = look.modified_ms();
        if self.strategy.snippet == SnippetAt::Heartbeat {
            snapshot.metadata.snippet = None;
        }
        self.touched.insert(key);
        // A copy of the session comes back, which nobody wants.
        self.store.upsert(snapshot).map(drop)
    }
}

/// Adds the events whose signatures the session does not have.
fn add_new(snapshot: &mut Snapshot, events: impl Iterator<Item = Event>) {
    let (mut signatures, mut buffer) = (Signatures::of(snapshot), String::new());
    for event in events {
        if signatures.is_new(&event, &mut buffer) {
            snapshot.metadata.note(&event);
            snapshot.events.push(event);
        }
    }
}

/// The reported reader of Codex takes no times from the file: events happened when they were read.
fn stamp(events: &mut [Event], now: i64) {
    let time = jiff::Timestamp::from_millisecond(now).map(|time| time.to_string()).unwrap_or_default();
    events.iter_mut().for_each(|event| event.timestamp = time.as_str().into());
}
