//! Commands that a person typed into a chat for the daemon: lines that begin with two colons.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};

use crate::checksum::Checksum;

use super::event::{Body, Event};
use super::snapshot::Snapshot;

/// What a command line begins with.
const MARK: &str = "::";

/// The command lines of an event, in order.
pub(crate) fn of(event: &Event) -> impl Iterator<Item = &str> {
    let text = match &event.body {
        Body::User(text) => text,
        _ => "",
    };
    text.lines().map(str::trim).filter(|line| line.len() > MARK.len() && line.starts_with(MARK))
}

/// What stands for the `number`th command line of an event, wherever in its file the event stands.
pub(crate) fn mark_of(event: &Event, number: usize, line: &str) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add_number(number as u64);
    checksum.add_number(event.timestamp.len() as u64);
    checksum.add(event.timestamp.as_bytes());
    checksum.add(line.as_bytes());
    checksum.value()
}

/// Signatures of events, a copy of all that they say in each: how the reported daemon tells an event that it has seen.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    seen: HashSet<Box<str>, BuildHasherDefault<Summer>>,
}

/// Hashes whole signatures, which are long, at the speed of memory, and in every process alike.
#[derive(Default)]
struct Summer(Checksum);

impl Hasher for Summer {
    fn write(&mut self, bytes: &[u8]) {
        self.0.add(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.value()
    }
}

impl Signatures {
    /// Those of all events of a session.
    pub(crate) fn of(snapshot: &Snapshot) -> Signatures {
        let (mut signatures, mut buffer) = (Signatures::default(), String::new());
        for event in snapshot.events.iter() {
            signatures.is_new(event, &mut buffer);
        }
        signatures
    }

    /// Whether an event was not seen before; it is now. The buffer is for the caller to keep.
    pub(crate) fn is_new(&mut self, event: &Event, buffer: &mut String) -> bool {
        buffer.clear();
        let id = event.source.id.as_deref().unwrap_or_default();
        let _ = write!(buffer, "{}|{}|{}|{}|", event.kind(), event.source.kind, id, event.timestamp);
        if let Body::ToolCall { call, .. } | Body::ToolResult { call, .. } = &event.body {
            buffer.push_str(call);
        }
        buffer.push_str(event.text());
        !self.seen.contains(buffer.as_str()) && self.seen.insert(buffer.as_str().into())
    }
}
