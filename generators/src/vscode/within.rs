//! Requests of a chat session that is about so long: each is cut and filled up to its share.

use crate::dice::Dice;
use crate::pool::{Bulk, Pool};
use crate::vscode::turn::{Turn, Wishes};
use crate::vscode::{Shape, Style, Turns};

/// A request gets a tool call for so many bytes at most, and a text for so many. A.
const CALL_BYTES: usize = 7_000;
/// See [`CALL_BYTES`].
const TEXT_BYTES: usize = 6_000;

/// A request with fewer bytes has nothing that it could do without. A.
const ROOMY_BYTES: usize = 24_000;

/// Bytes that a document puts around a request beside its fields. H, of this generator.
const DOCUMENT_BYTES: usize = 100;

/// Bytes that a log adds to a request, to each of its parts, and to each field that is set at its end. H.
const LOG_BYTES: usize = 330;
/// See [`LOG_BYTES`].
const LOG_PART_BYTES: usize = 85;
/// See [`LOG_BYTES`].
const LOG_FIELD_BYTES: usize = 48;

/// Bytes of the header where it stands behind the requests: first and second shape. H.
const HEADER_BYTES: [u64; 2] = [170, 430];

impl Turns<'_> {
    /// Bytes of the next request after so many bytes of the file, where that is limited.
    pub(super) fn room(&self, bytes: u64) -> Option<usize> {
        let room = self.chat.size.left(self.index, self.chat.requests, bytes)?;
        let header = match self.style.shape {
            Shape::V1 => HEADER_BYTES[0],
            Shape::V2 => HEADER_BYTES[1],
            _ => 0,
        };
        let is_last = self.index + 1 == self.chat.requests;
        Some(room.saturating_sub(if is_last { header as usize } else { 0 }))
    }
}

impl Wishes<'_> {
    /// A drawn size, cut to its part (one of `parts`) of the request's bytes where they are limited.
    pub(super) fn at_most(self, drawn: usize, parts: usize) -> usize {
        self.room.map_or(drawn, |room| drawn.min(room / parts.max(1)))
    }

    /// The most tool calls.
    pub(super) fn calls_max(self) -> usize {
        self.at_most(usize::MAX, CALL_BYTES)
    }

    /// The most texts.
    pub(super) fn texts_max(self) -> usize {
        self.at_most(usize::MAX, TEXT_BYTES).max(1)
    }

    /// Whether there is room for what nobody misses.
    pub(super) fn has_room(self) -> bool {
        self.room.is_none_or(|room| room >= ROOMY_BYTES)
    }
}

impl Turn {
    /// Bytes of a response that is one text, in a request of so many bytes.
    pub(super) fn room_for_response(&self, room: usize) -> usize {
        // Behind it stand times, tokens and references.
        room.saturating_sub(self.head.len() + DOCUMENT_BYTES + 250)
    }

    /// Fills the request up to so many bytes, where it has a result to be filled.
    pub(super) fn fill(&mut self, style: &Style, room: usize, pool: &Pool, dice: &mut Dice) {
        let Some(at) = self.filling_at else { return };
        let fields: usize = self.rest.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let own = self.head.len() + self.parts.len() + self.result.len() + fields;
        let around = if style.shape.is_log() {
            // A tenth of the parts is said again with the next one.
            let again = self.parts.len() / 10;
            LOG_BYTES + LOG_PART_BYTES * self.spans.len() + again + LOG_FIELD_BYTES * self.rest.len()
        } else {
            DOCUMENT_BYTES
        };
        let around = if style.shape == Shape::Compacted { DOCUMENT_BYTES } else { around };
        let mut filling = Vec::new();
        pool.bulk(&mut filling, dice, Bulk::Code, room.saturating_sub(own + around));
        self.result.splice(at..at, filling);
    }
}
