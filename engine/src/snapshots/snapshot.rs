//! A session as the store has it at one moment.

use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use super::event::{Event, Provider};
use super::events::Events;
use super::snippet;
use super::strategy::{Estimate, PER_EVENT_BYTES};

/// What a session is known by: its tool, and the id that the tool gave it. A clone shares the id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The tool.
    pub provider: Provider,
    /// The id.
    pub id: Arc<str>,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} session {}", self.provider.name(), self.id)
    }
}

/// What is known of a session without its events. Times are ms since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// When something last came in.
    pub updated: i64,
    /// Events that came in, ever.
    pub total_events: u64,
    /// Events that the store has of them: the last ones.
    pub events: u64,
    /// When the last event happened whose record says so.
    pub last_event: Option<i64>,
    /// When its file was last written.
    pub file_modified: i64,
    /// The line by which a person recognises it, where that is looked for when events come in.
    pub snippet: Option<Box<str>>,
}

impl Metadata {
    /// Events that came in and were dropped, because a session has a most.
    pub fn truncated(&self) -> u64 {
        self.total_events - self.events
    }

    /// Takes note of an event that came in.
    pub fn note(&mut self, event: &Event) {
        self.total_events += 1;
        if let Ok(time) = event.timestamp.parse::<jiff::Timestamp>() {
            self.last_event = Some(time.as_millisecond());
        }
        if self.snippet.is_none() {
            self.snippet = snippet::of_event(event);
        }
    }

    /// Bytes of its blocks on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.snippet.as_ref().map_or(0, |snippet| snippet.len())
    }
}

/// A session at one moment. A clone shares its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What it is known by.
    pub key: Key,
    /// Its events, or the last of them.
    pub events: Events,
    /// What is known of it besides.
    pub metadata: Metadata,
}

impl Snapshot {
    /// A session of which nothing has come in.
    pub fn new(key: Key) -> Snapshot {
        Snapshot { key, events: Events::default(), metadata: Metadata::default() }
    }

    /// A copy that shares nothing with this one.
    #[must_use]
    pub fn deep_clone(&self) -> Snapshot {
        let key = Key { provider: self.key.provider, id: (*self.key.id).into() };
        Snapshot { key, events: self.events.deep_clone(), metadata: self.metadata.clone() }
    }

    /// Drops the first events, so that at most `most` are left.
    pub fn keep_last(&mut self, most: usize) {
        self.events.keep_last(most);
        self.metadata.events = self.events.len() as u64;
    }

    /// Bytes of its blocks on the heap: its own, those of its events, and the id that it shares with whoever knows it.
    pub fn heap_bytes(&self) -> usize {
        2 * size_of::<usize>() + size_of::<Snapshot>() + self.events.heap_bytes() + self.metadata.heap_bytes()
    }

    /// What the store takes it for.
    pub fn estimate(&self, how: Estimate) -> usize {
        let content = self.events.content_bytes();
        match how {
            Estimate::Content => content,
            Estimate::PerObject => content + self.events.len() * PER_EVENT_BYTES,
            Estimate::Held => self.heap_bytes(),
        }
    }
}
