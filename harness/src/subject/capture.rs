//! What a process wrote, kept within bounds: its beginning and its end.

use std::collections::VecDeque;

/// Bytes kept of the beginning, and again of the end.
const KEPT_BYTES: usize = 64 * 1024;

/// The captured output of a process tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The first 64 KiB.
    pub first: Vec<u8>,
    /// The last 64 KiB of what came after those.
    pub last: Vec<u8>,
    /// Bytes between the two that were not kept.
    pub dropped_bytes: u64,
}

impl Output {
    /// The text, with a line that says how much is missing in the middle.
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.first).into_owned();
        if self.dropped_bytes > 0 {
            text.push_str(&format!("\n[{} bytes left out]\n", self.dropped_bytes));
        }
        text.push_str(&String::from_utf8_lossy(&self.last));
        text
    }
}

/// An output that is still growing.
#[derive(Debug, Default)]
pub(super) struct Capture {
    first: Vec<u8>,
    last: VecDeque<u8>,
    dropped_bytes: u64,
}

impl Capture {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = KEPT_BYTES - self.first.len();
        let (head, tail) = bytes.split_at(room.min(bytes.len()));
        self.first.extend_from_slice(head);
        self.last.extend(tail);
        let excess = self.last.len().saturating_sub(KEPT_BYTES);
        self.last.drain(..excess);
        self.dropped_bytes += excess as u64;
    }

    pub(super) fn finish(self) -> Output {
        Output { first: self.first, last: self.last.into(), dropped_bytes: self.dropped_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_long_output_is_dropped_and_counted() {
        let mut capture = Capture::default();
        for chunk in vec![7_u8; 300_000].chunks(1000) {
            capture.push(chunk);
        }
        capture.push(b"the end");
        let output = capture.finish();
        assert_eq!((output.first.len(), output.last.len()), (KEPT_BYTES, KEPT_BYTES));
        assert_eq!(output.dropped_bytes as usize, 300_007 - 2 * KEPT_BYTES);
        assert!(output.text().ends_with("the end"));
    }

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut capture = Capture::default();
        capture.push(b"hello ");
        capture.push(b"world");
        assert_eq!(capture.finish().text(), "hello world");
    }
}
