//! The bytes of one file on their way to disk: fields put into a buffer, hashed and written a piece at a time.

mod field;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rapidhash::v3::{RapidSecrets, RapidStreamHasherV3};
use zstd::stream::write::Encoder;

use crate::pool::Passage;

pub(crate) use field::{Field, Id, Iso, civil, hex, put};

/// The file hash: rapidhash v3 with seed 0. It is not cryptographic: it finds damage, not forgery.
static SECRETS: RapidSecrets = RapidSecrets::seed(0);

/// The buffer is written out when it holds this many bytes.
const SPILL_BYTES: usize = 1 << 20;

/// How hard compressed files are pressed: the library's usual level, and Codex's.
const LEVEL: i32 = 3;
/// Log2 of the bytes that a reader of a compressed file must remember: 2 MiB, where readers grant 8 MiB.
const WINDOW_LOG: u32 = 21;

/// A hasher for a file's digest.
pub(crate) fn file_hasher() -> RapidStreamHasherV3<'static> {
    RapidStreamHasherV3::new(&SECRETS)
}

/// What a finished file was.
pub(crate) struct Finished {
    pub(crate) bytes: u64,
    pub(crate) digest: String,
    pub(crate) lines: u64,
    pub(crate) records: BTreeMap<String, u64>,
}

/// A file being written.
pub(crate) struct Page {
    /// What is not yet written.
    pub(crate) buf: Vec<u8>,
    file: Option<File>,
    /// Presses what is written, where the file is a compressed one.
    press: Option<Encoder<'static, Vec<u8>>>,
    hasher: RapidStreamHasherV3<'static>,
    /// Bytes that were put, before they are pressed.
    put: u64,
    /// Bytes of the file.
    bytes: u64,
    lines: u64,
    records: Vec<(&'static str, u64)>,
}

impl Page {
    /// Opens a file, or nothing: then bytes are counted and hashed only.
    pub(crate) fn open(path: Option<&Path>, mut buf: Vec<u8>) -> io::Result<Self> {
        buf.clear();
        let file = path.map(File::create_new).transpose()?;
        let (hasher, records) = (file_hasher(), Vec::new());
        Ok(Page { buf, file, press: None, hasher, put: 0, bytes: 0, lines: 0, records })
    }

    /// Makes the file, of which nothing is written yet, one of Zstandard: a single frame.
    pub(crate) fn compress(&mut self) -> io::Result<()> {
        let mut press = Encoder::new(Vec::new(), LEVEL)?;
        press.window_log(WINDOW_LOG)?;
        self.press = Some(press);
        Ok(())
    }

    /// Counts a record of a type.
    pub(crate) fn record(&mut self, kind: &'static str) {
        match self.records.iter_mut().find(|record| record.0 == kind) {
            Some(record) => record.1 += 1,
            None => self.records.push((kind, 1)),
        }
    }

    /// Counts lines whose line feeds are in the buffer.
    pub(crate) fn lines_ended(&mut self, count: u64) -> io::Result<()> {
        self.lines += count;
        self.spill()
    }

    /// Ends a line.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        self.buf.push(b'\n');
        self.lines += 1;
        self.spill()
    }

    /// Ends the file's last line, which has no line feed.
    pub(crate) fn end_torn(&mut self) {
        self.lines += 1;
    }

    /// Appends a long text. One that is longer than the buffer shall be is written out a piece at a time, within its line.
    pub(crate) fn passage(&mut self, passage: Passage<'_>) -> io::Result<()> {
        for piece in passage.pieces() {
            self.buf.extend_from_slice(piece);
            if passage.bytes >= SPILL_BYTES {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Appends a byte so many times.
    pub(crate) fn fill(&mut self, byte: u8, count: u64) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let now = left.min(SPILL_BYTES as u64);
            self.buf.resize(self.buf.len() + now as usize, byte);
            left -= now;
            self.spill()?;
        }
        Ok(())
    }

    /// Where in the buffer something begins, by the file's bytes before it; none when it was written out.
    pub(crate) fn place(&self, bytes: u64) -> Option<usize> {
        bytes.checked_sub(self.bytes).map(|place| place as usize)
    }

    /// Writes the buffer out when it is large.
    pub(crate) fn spill(&mut self) -> io::Result<()> {
        if self.buf.len() >= SPILL_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.put += self.buf.len() as u64;
        let Some(mut press) = self.press.take() else {
            let piece = std::mem::take(&mut self.buf);
            self.write(&piece)?;
            self.buf = piece;
            self.buf.clear();
            return Ok(());
        };
        press.write_all(&self.buf)?;
        self.buf.clear();
        self.write(press.get_ref())?;
        press.get_mut().clear();
        self.press = Some(press);
        Ok(())
    }

    /// Bytes of the file itself.
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hasher.write(piece);
        self.bytes += piece.len() as u64;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(piece))
    }

    /// Bytes put so far: of the content, where the file is a compressed one.
    pub(crate) fn bytes(&self) -> u64 {
        self.put + self.buf.len() as u64
    }

    /// Writes the rest and gives the buffer back.
    pub(crate) fn finish(mut self) -> io::Result<(Finished, Vec<u8>)> {
        self.flush()?;
        if let Some(press) = self.press.take() {
            let rest = press.finish()?;
            self.write(&rest)?;
        }
        let records = self.records.iter().map(|&(kind, count)| (kind.to_owned(), count)).collect();
        let digest = format!("{:016x}", self.hasher.finish());
        Ok((Finished { bytes: self.bytes, digest, lines: self.lines, records }, self.buf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of a few pieces, written to a file; returns what it was and the file's bytes.
    fn written(compressed: bool, pieces: &[&[u8]]) -> (Finished, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page");
        let mut page = Page::open(Some(&path), Vec::new()).unwrap();
        if compressed {
            page.compress().unwrap();
        }
        for piece in pieces {
            page.buf.extend_from_slice(piece);
            page.end_line().unwrap();
        }
        assert_eq!(page.bytes(), pieces.iter().map(|piece| piece.len() as u64 + 1).sum::<u64>());
        (page.finish().unwrap().0, std::fs::read(path).unwrap())
    }

    #[test]
    fn a_compressed_page_holds_what_a_plain_one_does() {
        let large = b"a line that is long \xf0\x9f\x9a\x80".repeat(60_000);
        let pieces: [&[u8]; 3] = [b"first", &large, b"last"];
        let (plain, content) = written(false, &pieces);
        let (pressed, file) = written(true, &pieces);
        assert_eq!(zstd::stream::decode_all(&*file).unwrap(), content);
        assert_eq!((pressed.lines, pressed.bytes), (3, file.len() as u64));
        assert!(pressed.bytes * 20 < plain.bytes);
        // A reader that grants 8 MiB can read it.
        let mut reader = zstd::stream::read::Decoder::new(&*file).unwrap();
        reader.window_log_max(23).unwrap();
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), plain.bytes);
    }
}
