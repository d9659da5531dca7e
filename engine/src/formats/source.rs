//! Opening a session file in the way a strategy reads: whole, or streamed in bounded memory.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use serde::de::DeserializeSeed;

use crate::json::cut::{Caps, CutReader, repair_surrogates};
use crate::tree::{Node, ReadNode, Shape, Strings};

/// Bytes of a cut line that are parsed from memory in one go.
const SCRATCH_BYTES: usize = 64 * 1024;

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Skips {
    /// Lines and operations that could not be used.
    pub lines: u64,
    /// Where the first of them is, and why.
    pub first: Option<Box<str>>,
}

impl Skips {
    /// Counts one line.
    pub fn line(&mut self, number: u64, why: &dyn std::fmt::Display) {
        self.lines += 1;
        if self.first.is_none() {
            self.first = Some(format!("line {number}: {why}").into());
        }
    }
}

/// Reads the files of a corpus, one at a time, with buffers that are made once.
pub struct Reader {
    kind: Kind,
    /// Bytes read so far.
    pub bytes_read: u64,
}

enum Kind {
    Whole,
    Streaming { cutter: Option<Box<CutReader<Content>>>, scratch: Vec<u8> },
}

/// Where a file's content comes from.
pub enum Input {
    /// The file itself.
    Path(PathBuf),
    /// Bytes that were read ahead.
    Held(Vec<u8>),
}

impl Input {
    fn bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Input::Path(path) => std::fs::read(path),
            Input::Held(bytes) => Ok(bytes),
        }
    }

    fn open(self) -> io::Result<Content> {
        match self {
            Input::Path(path) => File::open(path).map(Content::File),
            Input::Held(bytes) => Ok(Content::Held(Cursor::new(bytes))),
        }
    }
}

/// An opened [`Input`].
enum Content {
    File(File),
    Held(Cursor<Vec<u8>>),
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Content::File(file) => file.read(buffer),
            Content::Held(bytes) => bytes.read(buffer),
        }
    }
}

/// What is read from one JSON text: a [`DeserializeSeed`] whose value does not borrow from the text.
pub trait Seed: for<'de> DeserializeSeed<'de, Value = <Self as Seed>::Output> {
    /// The value.
    type Output;
}

impl Seed for ReadNode {
    type Output = Node;
}

/// Why a file gives no session.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not the JSON it should be.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

impl Reader {
    /// Holds each file whole, and parses it from memory.
    pub fn whole() -> Reader {
        Reader { kind: Kind::Whole, bytes_read: 0 }
    }

    /// Streams each file through the cutting reader.
    pub fn streaming() -> Reader {
        Reader {
            kind: Kind::Streaming { cutter: None, scratch: Vec::with_capacity(SCRATCH_BYTES) },
            bytes_read: 0,
        }
    }

    /// What of a value is read, and how: the whole reader keeps everything, as the reported engine does.
    pub fn seed(&self, shape: Shape) -> ReadNode {
        match self.kind {
            Kind::Whole => ReadNode { shape: Shape::All, strings: Strings::Plain },
            Kind::Streaming { .. } => ReadNode { shape, strings: Strings::Cut },
        }
    }

    /// Reads a file that is one JSON document.
    ///
    /// # Errors
    /// When it cannot be read, or is not one JSON document.
    pub fn document<S: Seed + Copy>(
        &mut self,
        input: Input,
        caps: Caps,
        seed: S,
    ) -> Result<S::Output, ReadError> {
        match &mut self.kind {
            Kind::Whole => {
                let mut bytes = input.bytes()?;
                self.bytes_read += bytes.len() as u64;
                Ok(parse_plain(without_mark(&mut bytes), seed)?)
            }
            Kind::Streaming { cutter, scratch } => {
                let cutter = open(cutter, input, caps)?;
                let before = cutter.counts().bytes_read;
                let value = cutter.document().read(seed, scratch);
                self.bytes_read += cutter.counts().bytes_read - before;
                Ok(value?)
            }
        }
    }

    /// Reads a file of one JSON text a line, and gives each to `line`, with its number; a line that is no JSON is skipped
    /// and counted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines<S: Seed + Copy>(
        &mut self,
        input: Input,
        caps: Caps,
        seed: S,
        skips: &mut Skips,
        mut line: impl FnMut(u64, S::Output, &mut Skips),
    ) -> Result<(), ReadError> {
        match &mut self.kind {
            Kind::Whole => {
                let mut bytes = input.bytes()?;
                self.bytes_read += bytes.len() as u64;
                for (number, text) in (1..).zip(without_mark(&mut bytes).split_mut(|byte| *byte == b'\n')) {
                    if text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                        continue;
                    }
                    match parse_plain(text, seed) {
                        Ok(value) => line(number, value, skips),
                        Err(error) => skips.line(number, &error),
                    }
                }
            }
            Kind::Streaming { cutter, scratch } => {
                let cutter = open(cutter, input, caps)?;
                let before = cutter.counts().bytes_read;
                while let Some(text) = cutter.next_line()? {
                    let number = text.number();
                    match text.read(seed, scratch) {
                        Ok(value) => line(number, value, skips),
                        Err(error) if is_failure(&error) => return Err(error.into()),
                        Err(error) => skips.line(number, &error),
                    }
                }
                self.bytes_read += cutter.counts().bytes_read - before;
            }
        }
        Ok(())
    }
}

/// Points the cutter at the next file; its buffers are made once.
fn open(
    cutter: &mut Option<Box<CutReader<Content>>>,
    input: Input,
    caps: Caps,
) -> io::Result<&mut CutReader<Content>> {
    let content = input.open()?;
    match cutter {
        Some(cutter) => {
            cutter.reset(content, caps);
            Ok(cutter)
        }
        None => Ok(cutter.insert(Box::new(CutReader::new(content, caps)))),
    }
}

fn without_mark(bytes: &mut [u8]) -> &mut [u8] {
    let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    &mut bytes[start..]
}

/// A text without lone surrogates, which is nearly every one, is parsed as it is.
fn parse_plain<S: Seed + Copy>(bytes: &mut [u8], seed: S) -> Result<S::Output, serde_json::Error> {
    match parse_slice(bytes, seed) {
        Err(_) if repair_surrogates(bytes) > 0 => parse_slice(bytes, seed),
        result => result,
    }
}

fn parse_slice<S: Seed>(bytes: &[u8], seed: S) -> Result<S::Output, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Whether the file itself failed, rather than what is written in it.
fn is_failure(error: &serde_json::Error) -> bool {
    error
        .io_error_kind()
        .is_some_and(|kind| !matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}
