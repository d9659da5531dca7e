//! Frames over a pipe: each with a sequence number and a checksum, so that a gap, a repeat, a swap or a flipped bit is seen.
//!
//! ```text
//!  offset  0      4      8             16         24
//!          "HWF"k  seq    payload bytes  checksum   payload
//! ```
//!
//! `k` is the kind; numbers are little endian; the checksum (rapidhash v3) covers kind, sequence number, length and payload.

use std::io::{self, Read, Write};

use crate::checksum::Checksum;

const MAGIC: &[u8; 3] = b"HWF";
const HEADER_BYTES: usize = 24;

/// Bytes of a payload at most: more cannot be the length of one message, but is what a damaged header says.
const PAYLOAD_BYTES_MAX: u64 = 1 << 40;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Host to worker: what is to be done.
    Job = b'J',
    /// Host to worker: a chunk has been taken in.
    Ack = b'A',
    /// Worker to host: how far it is.
    Progress = b'P',
    /// Worker to host: a workspace begins, or comes from the cache.
    Workspace = b'W',
    /// Worker to host: records of sessions.
    Chunk = b'C',
    /// Worker to host: everything has been sent.
    Done = b'D',
    /// Worker to host: it cannot go on.
    Failed = b'F',
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::{Ack, Chunk, Done, Failed, Job, Progress, Workspace};
        [Job, Ack, Progress, Workspace, Chunk, Done, Failed].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Why frames cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended inside a frame.
    #[error("the stream ended inside frame {0}")]
    Torn(u32),
    /// The bytes are not a frame, or are damaged.
    #[error("frame {0} is damaged")]
    Damaged(u32),
    /// A frame is missing, repeated, or out of place.
    #[error("frame {found} stands where frame {expected} should")]
    OutOfSequence {
        /// Number of the frame that is due.
        expected: u32,
        /// Number of the frame that came.
        found: u32,
    },
    /// A frame is whole, but what it says cannot be.
    #[error("{0}")]
    Content(String),
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes frames, numbered from 0.
#[derive(Debug)]
pub struct FrameWriter<W> {
    inner: W,
    next: u32,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a stream of frames.
    pub fn new(inner: W) -> FrameWriter<W> {
        FrameWriter { inner, next: 0 }
    }

    /// Writes a frame whole, and gives its number.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn write(&mut self, kind: Kind, payload: &[u8]) -> io::Result<u32> {
        let number = self.next;
        let mut header = [0; HEADER_BYTES];
        header[..3].copy_from_slice(MAGIC);
        header[3] = kind as u8;
        header[4..8].copy_from_slice(&number.to_le_bytes());
        header[8..16].copy_from_slice(&(payload.len() as u64).to_le_bytes());
        let sum = checksum(&header, payload);
        header[16..].copy_from_slice(&sum.to_le_bytes());
        self.inner.write_all(&header)?;
        self.inner.write_all(payload)?;
        self.inner.flush()?;
        self.next += 1;
        Ok(number)
    }
}

/// Reads frames and checks their order.
#[derive(Debug)]
pub struct FrameReader<R> {
    inner: R,
    next: u32,
}

impl<R: Read> FrameReader<R> {
    /// Begins to read a stream of frames.
    pub fn new(inner: R) -> FrameReader<R> {
        FrameReader { inner, next: 0 }
    }

    /// Number of the frame that is due.
    pub fn next_number(&self) -> u32 {
        self.next
    }

    /// Reads the next frame into `payload`; none at the end of the stream.
    ///
    /// # Errors
    /// When the stream fails, ends inside a frame, or the frame is damaged or out of place.
    pub fn read(&mut self, payload: &mut Vec<u8>) -> Result<Option<Kind>, FrameError> {
        let mut header = [0; HEADER_BYTES];
        match self.fill(&mut header)? {
            0 => return Ok(None),
            HEADER_BYTES => {}
            _ => return Err(FrameError::Torn(self.next)),
        }
        let kind = Kind::from_byte(header[3]).filter(|_| &header[..3] == MAGIC);
        let (number, length) = (u32_at(&header, 4), u64_at(&header, 8));
        let Some(kind) = kind.filter(|_| length <= PAYLOAD_BYTES_MAX) else {
            return Err(FrameError::Damaged(self.next));
        };
        payload.clear();
        // Reserved as it comes, not as the header says: a damaged length must not take all memory.
        payload.reserve(length.min(1 << 20) as usize);
        let read = (&mut self.inner).take(length).read_to_end(payload)?;
        if read as u64 != length {
            return Err(FrameError::Torn(self.next));
        }
        if checksum(&header, payload) != u64_at(&header, 16) {
            return Err(FrameError::Damaged(self.next));
        }
        if number != self.next {
            return Err(FrameError::OutOfSequence { expected: self.next, found: number });
        }
        self.next += 1;
        Ok(Some(kind))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.inner.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn checksum(header: &[u8; HEADER_BYTES], payload: &[u8]) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add(&header[..16]);
    checksum.add(payload);
    checksum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut frames = FrameWriter::new(&mut bytes);
        for payload in [&b"one"[..], b"", b"three"] {
            frames.write(Kind::Chunk, payload).unwrap();
        }
        bytes
    }

    fn read_all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut frames = FrameReader::new(bytes);
        let (mut payload, mut all) = (Vec::new(), Vec::new());
        while frames.read(&mut payload)?.is_some() {
            all.push(payload.clone());
        }
        Ok(all)
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        assert_eq!(read_all(&stream()).unwrap(), [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let good = stream();
        for at in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(read_all(&bad).is_err(), "bit {at}");
        }
    }

    #[test]
    fn every_truncation_is_seen_unless_it_falls_between_frames() {
        let good = stream();
        let borders = [0, HEADER_BYTES + 3, 2 * HEADER_BYTES + 3, good.len()];
        for length in 0..good.len() {
            assert_eq!(read_all(&good[..length]).is_ok(), borders.contains(&length), "{length} bytes");
        }
    }

    #[test]
    fn a_gap_a_repeat_and_a_swap_are_errors() {
        let bytes = stream();
        let (one, rest) = bytes.split_at(HEADER_BYTES + 3);
        let (two, three) = rest.split_at(HEADER_BYTES);
        for frames in [[one, three].concat(), [one, one, two].concat(), [two, one, three].concat()] {
            assert!(matches!(read_all(&frames), Err(FrameError::OutOfSequence { .. })));
        }
    }
}
