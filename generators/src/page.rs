//! The bytes of one file on their way to disk: fields put into a buffer, hashed and written a piece at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rapidhash::v3::{RapidSecrets, RapidStreamHasherV3};
use zstd::stream::write::Encoder;

use crate::pool::Passage;

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

/// Something that can be put into a JSON text as it is.
pub(crate) trait Field {
    /// Appends itself.
    fn put(self, out: &mut Vec<u8>);
}

impl Field for &str {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &String {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &[u8] {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Field for &Vec<u8> {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Field for u64 {
    fn put(mut self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (self % 10) as u8;
            self /= 10;
            if self == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[start..]);
    }
}

impl Field for u32 {
    fn put(self, out: &mut Vec<u8>) {
        u64::from(self).put(out);
    }
}

impl Field for usize {
    fn put(self, out: &mut Vec<u8>) {
        (self as u64).put(out);
    }
}

impl Field for bool {
    fn put(self, out: &mut Vec<u8>) {
        (if self { "true" } else { "false" }).put(out);
    }
}

/// Appends fields, one after the other.
macro_rules! put {
    ($out:expr; $($field:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $( $crate::page::Field::put($field, out); )+
    }};
}
pub(crate) use put;

/// A random UUID (version 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id([u8; 16]);

impl Id {
    /// This UUID as one of version 7, which begins with a time in milliseconds since 1970.
    pub(crate) fn at(mut self, ms: u64) -> Self {
        self.0[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        self.0[6] = self.0[6] & 0x0f | 0x70;
        self
    }

    /// Makes random bytes a UUID.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Id(bytes)
    }

    /// The UUID as 32 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        hex(&self.0)
    }

    /// Letters and digits for identifiers of other kinds: 24 of them, as in `toolu_01...`.
    pub(crate) fn token(self) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut left = u128::from_le_bytes(self.0);
        let mut token = String::with_capacity(26);
        token.push_str("01");
        for _ in 0..22 {
            token.push(DIGITS[(left % 62) as usize] as char);
            left /= 62;
        }
        token
    }
}

impl Field for Id {
    fn put(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (i, byte) in self.0.into_iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        out.extend_from_slice(&text);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.put(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A time in milliseconds since 1970, put as ISO 8601.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Iso(pub(crate) u64);

impl Field for Iso {
    fn put(self, out: &mut Vec<u8>) {
        let (day, ms) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = civil(day);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut digits = |at: usize, count: usize, mut value: u64| {
            for place in (at..at + count).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        digits(0, 4, year);
        digits(5, 2, month);
        digits(8, 2, day);
        digits(11, 2, ms / 3_600_000);
        digits(14, 2, ms / 60_000 % 60);
        digits(17, 2, ms / 1_000 % 60);
        digits(20, 3, ms % 1_000);
        out.extend_from_slice(&text);
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar; years begin in March here, so that leap days come last.
pub(crate) fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (year, month_civil) = (year_of_era + era * 400, if month < 10 { month + 3 } else { month - 9 });
    (year + u64::from(month_civil <= 2), month_civil, of_year - (153 * month + 2) / 5 + 1)
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

    fn text(field: impl Field) -> String {
        let mut out = Vec::new();
        field.put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_put_as_iso_8601() {
        assert_eq!(text(Iso(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(Iso(951_827_696_789)), "2000-02-29T12:34:56.789Z");
        assert_eq!(text(Iso(1_798_761_599_999)), "2026-12-31T23:59:59.999Z");
    }

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

    #[test]
    fn identifiers_have_the_shape_of_a_uuid() {
        let id = Id::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.at(0x0123_4567_89ab).to_string(), "01234567-89ab-7fff-bfff-ffffffffffff");
        assert_eq!(id.hex().len(), 32);
        assert_eq!(id.token().len(), 24);
    }

    #[test]
    fn numbers_are_put_as_decimal_digits() {
        assert_eq!(text(0_u64) + &text(u64::MAX), "018446744073709551615");
    }
}
