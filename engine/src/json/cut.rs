//! The reader that cuts long strings: input and output around the machine.

use std::io::{self, Read};

use serde::de::DeserializeSeed;

pub use super::escape::repair_surrogates;
pub use super::piece::{Piece, decode};

use super::machine::{Machine, STEP_BYTES, Stop};

/// Bytes of the input buffer.
const INPUT_BYTES: usize = 64 * 1024;
/// Bytes of the output buffer behind [`Read`].
const OUTPUT_BYTES: usize = 2 * STEP_BYTES;
/// Bytes of cut text that are parsed from memory.
const SCRATCH_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How many UTF-16 units a string value is kept to, by the key it stands under. A string inside an array takes the array's
/// key. Keys themselves are kept to `other`, but at least to 64; the value of a longer key has the cap `other`.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Caps of the values of known keys.
    pub by_key: &'static [(&'static str, u32)],
    /// The cap of all other strings.
    pub other: u32,
}

/// What a reader has seen since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read from the inputs.
    pub bytes_read: u64,
    /// Strings and keys longer than their cap.
    pub strings_cut: u64,
    /// Bytes of them that were dropped, as they stood in the text.
    pub bytes_cut: u64,
    /// Lone surrogate escapes that were read as U+FFFD.
    pub surrogates_repaired: u64,
}

/// Streams JSON from a reader with every long string cut. See the [module](super) for what it promises.
pub struct CutReader<R> {
    input: Input<R>,
    machine: Machine,
    output: Output,
    /// The text has been given out to its end, or could not be.
    ended: bool,
    /// The current line has not been read to its end.
    in_line: bool,
    /// Lines read to their end.
    lines_ended: u64,
}

/// Cut text that waits to be taken.
struct Output {
    bytes: Vec<u8>,
    taken: usize,
}

/// One buffer of the inner reader's bytes.
struct Input<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The inner reader has ended.
    last: bool,
    /// Nothing has been taken yet.
    fresh: bool,
    bytes_read: u64,
}

impl<R: Read> CutReader<R> {
    /// Makes a reader with all the memory it will ever have.
    pub fn new(inner: R, caps: Caps) -> CutReader<R> {
        let buffer = vec![0; INPUT_BYTES].into_boxed_slice();
        CutReader {
            input: Input { inner, buffer, start: 0, end: 0, last: false, fresh: true, bytes_read: 0 },
            machine: Machine::new(caps),
            output: Output { bytes: Vec::with_capacity(OUTPUT_BYTES), taken: 0 },
            ended: true,
            in_line: false,
            lines_ended: 0,
        }
    }

    /// Turns to the next input, and keeps the buffers and the counts.
    pub fn reset(&mut self, inner: R, caps: Caps) {
        self.input.inner = inner;
        self.restart(caps);
    }

    /// Turns to an input of another type, and keeps the buffers and the counts. The input before is closed.
    pub fn turn<T: Read>(self, inner: T, caps: Caps) -> CutReader<T> {
        let CutReader { input, machine, output, .. } = self;
        let Input { buffer, bytes_read, .. } = input;
        let mut reader = CutReader {
            input: Input { inner, buffer, start: 0, end: 0, last: false, fresh: true, bytes_read },
            machine,
            output,
            ended: true,
            in_line: false,
            lines_ended: 0,
        };
        reader.restart(caps);
        reader
    }

    fn restart(&mut self, caps: Caps) {
        self.input.start = 0;
        self.input.end = 0;
        self.input.last = false;
        self.input.fresh = true;
        self.machine.set_caps(caps);
        self.in_line = false;
        self.lines_ended = 0;
        self.begin(false);
    }

    /// All the rest of the input, as one JSON text.
    pub fn document(&mut self) -> Document<'_, R> {
        self.begin(false);
        Document { reader: self }
    }

    /// The next line that is not blank. Blank means JSON's whitespace only. What was left of the line before is passed over.
    ///
    /// # Errors
    /// When the inner reader fails.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_, R>>> {
        self.input.skip_byte_order_mark()?;
        while self.in_line {
            self.skip()?;
        }
        loop {
            let data = self.input.data();
            let blank = data.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
            let next = data.get(blank).copied();
            self.input.start += blank;
            match next {
                Some(b'\n') => {
                    self.input.start += 1;
                    self.lines_ended += 1;
                }
                Some(_) => break,
                None if self.input.last => return Ok(None),
                None => self.input.fill()?,
            }
        }
        self.begin(true);
        self.in_line = true;
        Ok(Some(Line { number: self.lines_ended + 1, reader: self }))
    }

    /// Bytes of the inputs that were passed: where the present line begins, as long as nothing of it has been read.
    pub fn position(&self) -> u64 {
        self.input.bytes_read - (self.input.end - self.input.start) as u64
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        Counts { bytes_read: self.input.bytes_read, ..self.machine.counts }
    }

    fn begin(&mut self, lines: bool) {
        self.machine.start(lines);
        self.output.bytes.clear();
        self.output.taken = 0;
        self.ended = false;
    }

    /// Passes over what there is of the current line.
    fn skip(&mut self) -> io::Result<()> {
        let data = self.input.data();
        if let Some(end) = memchr::memchr(b'\n', data) {
            self.input.start += end + 1;
            self.end_line();
        } else if self.input.last {
            self.input.start = self.input.end;
            self.in_line = false;
        } else {
            self.input.start = self.input.end;
            self.input.fill()?;
        }
        Ok(())
    }

    fn end_line(&mut self) {
        self.in_line = false;
        self.lines_ended += 1;
    }

    /// Adds cut text to `out`, until it may exceed `limit` or the text ends.
    fn pump(&mut self, out: &mut Vec<u8>, limit: usize) -> io::Result<()> {
        self.input.skip_byte_order_mark()?;
        while !self.ended {
            let (done, stop) = self.machine.run(self.input.data(), self.input.last, out, limit)?;
            self.input.start += done;
            match stop {
                Stop::Input => self.input.fill()?,
                Stop::Output => break,
                Stop::Line => {
                    self.end_line();
                    self.ended = true;
                }
                Stop::End => {
                    self.in_line = false;
                    self.ended = true;
                }
            }
        }
        Ok(())
    }

    /// [`Read`] for the current text.
    #[inline]
    fn give(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.output.taken == self.output.bytes.len() {
            self.refill_output()?;
        }
        let given = take(&self.output.bytes[self.output.taken..], target);
        self.output.taken += given;
        Ok(given)
    }

    #[cold]
    fn refill_output(&mut self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.output.bytes);
        bytes.clear();
        let pumped = self.pump(&mut bytes, OUTPUT_BYTES);
        // After a failure there is nothing more.
        self.ended |= pumped.is_err();
        self.output = Output { bytes, taken: 0 };
        pumped
    }

    /// Parses the current text: from memory if its cut form fits `scratch`, else as it comes.
    fn parse<T, S>(&mut self, seed: S, scratch: &mut Vec<u8>) -> serde_json::Result<T>
    where
        S: for<'de> DeserializeSeed<'de, Value = T>,
    {
        scratch.clear();
        scratch.reserve_exact(SCRATCH_BYTES);
        scratch.extend_from_slice(&self.output.bytes[self.output.taken..]);
        let failed = self.pump(scratch, SCRATCH_BYTES).err();
        if self.ended && failed.is_none() {
            return finish(serde_json::Deserializer::from_slice(scratch), seed);
        }
        finish(
            serde_json::Deserializer::from_reader(Refill { reader: self, scratch, taken: 0, failed }),
            seed,
        )
    }
}

impl<R: Read> Input<R> {
    fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads once; what is left from before stays in front.
    fn fill(&mut self) -> io::Result<()> {
        // Little is ever left, so moving it is cheap; but an input that comes byte by byte should not move it each time.
        if self.start == self.end || self.end > self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let read = loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        self.bytes_read += read as u64;
        self.last = read == 0;
        Ok(())
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        if self.fresh {
            while self.end < BYTE_ORDER_MARK.len() && !self.last {
                self.fill()?;
            }
            if self.data().starts_with(BYTE_ORDER_MARK) {
                self.start += BYTE_ORDER_MARK.len();
            }
            self.fresh = false;
        }
        Ok(())
    }
}

/// One JSON text that takes all of the input, cut: what [`CutReader::document`] gives.
pub struct Document<'a, R> {
    reader: &'a mut CutReader<R>,
}

impl<R: Read> Document<'_, R> {
    /// Parses the text through `seed`. At most 64 KiB of `scratch` are used, and they are reserved at the first use.
    ///
    /// # Errors
    /// When it is not one JSON text, or the inner reader fails.
    pub fn read<T, S>(self, seed: S, scratch: &mut Vec<u8>) -> serde_json::Result<T>
    where
        S: for<'de> DeserializeSeed<'de, Value = T>,
    {
        self.reader.parse(seed, scratch)
    }
}

impl<R: Read> Read for Document<'_, R> {
    #[inline]
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.reader.give(target)
    }
}

/// One JSON text that ends with its line, cut: what [`CutReader::next_line`] gives.
pub struct Line<'a, R> {
    reader: &'a mut CutReader<R>,
    number: u64,
}

impl<R: Read> Line<'_, R> {
    /// The line's number in its input, from 1; blank lines count.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Parses the line through `seed`. At most 64 KiB of `scratch` are used, and they are reserved at the first use.
    ///
    /// # Errors
    /// When it is not one JSON text, or the inner reader fails.
    pub fn read<T, S>(self, seed: S, scratch: &mut Vec<u8>) -> serde_json::Result<T>
    where
        S: for<'de> DeserializeSeed<'de, Value = T>,
    {
        self.reader.parse(seed, scratch)
    }
}

impl<R: Read> Read for Line<'_, R> {
    #[inline]
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.reader.give(target)
    }
}

/// The current text by way of a scratch buffer, which holds the beginning of it.
struct Refill<'a, R> {
    reader: &'a mut CutReader<R>,
    scratch: &'a mut Vec<u8>,
    taken: usize,
    /// Why what comes after the scratch cannot be read.
    failed: Option<io::Error>,
}

impl<R: Read> Refill<'_, R> {
    #[cold]
    fn refill(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            self.reader.ended = true;
            return Err(error);
        }
        self.scratch.clear();
        self.taken = 0;
        self.reader.pump(self.scratch, SCRATCH_BYTES)
    }
}

impl<R: Read> Read for Refill<'_, R> {
    #[inline]
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.scratch.len() {
            self.refill()?;
        }
        let given = take(&self.scratch[self.taken..], target);
        self.taken += given;
        Ok(given)
    }
}

/// Copies what fits, and says how much. The parser asks for single bytes.
#[inline]
fn take(bytes: &[u8], target: &mut [u8]) -> usize {
    if let ([target], [byte, ..]) = (&mut *target, bytes) {
        *target = *byte;
        return 1;
    }
    let length = bytes.len().min(target.len());
    target[..length].copy_from_slice(&bytes[..length]);
    length
}

fn finish<'de, T, S, R>(mut deserializer: serde_json::Deserializer<R>, seed: S) -> serde_json::Result<T>
where
    S: DeserializeSeed<'de, Value = T>,
    R: serde_json::de::Read<'de>,
{
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}
