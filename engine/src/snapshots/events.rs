//! A list of events that many may hold at once: each holder sees it as it was when it took it.

use std::mem::size_of;
use std::sync::Arc;

use super::event::Event;

/// Events of a chunk at most. Whoever appends to a shared list copies one chunk's pointers and one pointer a chunk: with chunks of
/// about the square root of the longest list (10,000 events) their sum is smallest.
const CHUNK_EVENTS: usize = 128;

/// Counters of an `Arc`, beside its value.
const ARC_BYTES: usize = 2 * size_of::<usize>();

/// Bytes of the block of an event, without its texts.
pub(crate) const EVENT_BYTES: usize = ARC_BYTES + size_of::<Event>();

type Chunk = Vec<Arc<Event>>;

/// Events in order. A clone shares them all; appending to either changes neither the other nor any event.
#[derive(Debug, Clone, Default)]
pub struct Events {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
    /// Bytes of the events' own blocks and texts.
    event_bytes: usize,
    /// Bytes of the chunks.
    chunk_bytes: usize,
}

impl Events {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one.
    pub fn push(&mut self, event: Event) {
        self.event_bytes += EVENT_BYTES + event.heap_bytes();
        self.len += 1;
        let event = Arc::new(event);
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK_EVENTS) {
            Some(chunk) => {
                let before = bytes_of(chunk);
                Arc::make_mut(chunk).push(event);
                self.chunk_bytes = self.chunk_bytes + bytes_of(chunk) - before;
            }
            None => {
                let chunk = Arc::new(vec![event]);
                self.chunk_bytes += bytes_of(&chunk);
                self.chunks.push(chunk);
            }
        }
    }

    /// Drops the first ones, so that at most `most` are left; says how many went.
    pub fn keep_last(&mut self, most: usize) -> usize {
        let surplus = self.len.saturating_sub(most);
        let mut left = surplus;
        while let Some(first) = self.chunks.first_mut().filter(|_| left > 0) {
            let gone = left.min(first.len());
            self.event_bytes -=
                first[..gone].iter().map(|event| EVENT_BYTES + event.heap_bytes()).sum::<usize>();
            left -= gone;
            let before = bytes_of(first);
            if gone == first.len() {
                self.chunks.remove(0);
                self.chunk_bytes -= before;
            } else {
                Arc::make_mut(first).drain(..gone);
                self.chunk_bytes = self.chunk_bytes + bytes_of(first) - before;
            }
        }
        self.len -= surplus;
        surplus
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|event| &**event))
    }

    /// A list of copies of all events: what it shares with this one is nothing.
    #[must_use]
    pub fn deep_clone(&self) -> Events {
        self.iter().cloned().collect()
    }

    /// Bytes of the blocks behind the list, as they were asked for; those that are shared count in full.
    pub fn heap_bytes(&self) -> usize {
        self.event_bytes + self.chunk_bytes + self.chunks.capacity() * size_of::<Arc<Chunk>>()
    }

    /// Bytes of the events' texts and names.
    pub fn content_bytes(&self) -> usize {
        self.event_bytes - self.len * EVENT_BYTES
    }
}

fn bytes_of(chunk: &Arc<Chunk>) -> usize {
    ARC_BYTES + size_of::<Chunk>() + chunk.capacity() * size_of::<Arc<Event>>()
}

impl FromIterator<Event> for Events {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Events {
        let mut list = Events::default();
        events.into_iter().for_each(|event| list.push(event));
        list
    }
}

impl PartialEq for Events {
    fn eq(&self, other: &Events) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests;
