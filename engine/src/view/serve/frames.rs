//! Events out of the bytes of a stream, which come in pieces of any size.

use axum::body::Bytes;
use memchr::memchr;

/// Why a stream cannot be read on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An event that is too long to be kept.
    #[error("an event has more than {0} bytes; allow more, or ask the server for less")]
    TooLarge(usize),
    /// No text.
    #[error("an event is no UTF-8")]
    NotText,
}

/// What came and was not given yet. Lines end with a line feed, also after a carriage return; a carriage return alone ends none.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of an event at most.
    most: usize,
    chunk: Bytes,
    line: Vec<u8>,
    data: Option<Vec<u8>>,
}

impl Frames {
    pub(super) fn new(most: usize) -> Frames {
        Frames { most, chunk: Bytes::new(), line: Vec::new(), data: None }
    }

    /// Takes the next piece, when the one before is used up.
    pub(super) fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty(), "a piece is used up before the next one comes");
        self.chunk = chunk;
    }

    /// The next event that is whole.
    pub(super) fn next(&mut self) -> Result<Option<String>, FrameError> {
        while !self.chunk.is_empty() {
            let end = memchr(b'\n', &self.chunk);
            let piece = self.chunk.split_to(end.map_or(self.chunk.len(), |end| end + 1));
            let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
            if held + piece.len() > self.most.saturating_add(b"data: \r\n".len()) {
                return Err(FrameError::TooLarge(self.most));
            }
            self.line.extend_from_slice(&piece);
            if end.is_some()
                && let Some(data) = self.end_line()
            {
                return String::from_utf8(data).map(Some).map_err(|_| FrameError::NotText);
            }
        }
        Ok(None)
    }

    /// A line has ended; gives an event if it was the empty one after it.
    fn end_line(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        line.pop_if(|last| *last == b'\r');
        if line.is_empty() {
            return self.data.take();
        }
        // Comments and other fields say nothing here.
        let said = line.strip_prefix(b"data:")?;
        let said = said.strip_prefix(b" ").unwrap_or(said);
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(said);
            }
            None => {
                line.drain(..line.len() - said.len());
                self.data = Some(line);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        ": hello\n\ndata: one\n\nevent: x\r\ndata:two\r\ndata: zwei \u{fc}\r\n\r\n\n\ndata: three\n\n";

    fn read(bytes: &[u8], piece: usize, most: usize) -> Result<Vec<String>, FrameError> {
        let (mut frames, mut read) = (Frames::new(most), Vec::new());
        for chunk in bytes.chunks(piece) {
            frames.push(Bytes::copy_from_slice(chunk));
            while let Some(frame) = frames.next()? {
                read.push(frame);
            }
        }
        Ok(read)
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        for piece in 1..=STREAM.len() {
            assert_eq!(
                read(STREAM.as_bytes(), piece, 64).unwrap(),
                ["one", "two\nzwei \u{fc}", "three"],
                "{piece}"
            );
        }
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        let long = format!("data: {}\n\n", "x".repeat(100));
        for piece in [1, 7, 1_000] {
            assert_eq!(read(long.as_bytes(), piece, 100).unwrap().len(), 1, "{piece}");
            assert_eq!(read(long.as_bytes(), piece, 97), Err(FrameError::TooLarge(97)), "{piece}");
        }
        // Many lines of one event count together, and one that never ends counts, too.
        assert_eq!(read("data: 0123456789\n".repeat(20).as_bytes(), 5, 100), Err(FrameError::TooLarge(100)));
        assert_eq!(read(b"data: \xff\n\n", 3, 100), Err(FrameError::NotText));
    }
}
