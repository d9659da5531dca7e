//! Opening a session file in the way a strategy reads: whole, or streamed in bounded memory.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::PathBuf;

use rusqlite::blob::Blob;
use serde::de::DeserializeSeed;

use super::zstandard::Frames;
use crate::json::cut::{Caps, CutReader, repair_surrogates};
use crate::tree::{Node, ReadNode, Shape, Strings};

/// Bytes of a cut line that are parsed from memory in one go.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Bytes of a compressed file that are read at once.
const COMPRESSED_BYTES: usize = 16 * 1024;

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
    pub fn line(&mut self, number: u64, why: &dyn Display) {
        self.record(&format_args!("line {number}"), why);
    }

    /// Counts one record that is told by something else than a line's number.
    pub fn record(&mut self, name: &dyn Display, why: &dyn Display) {
        self.lines += 1;
        if self.first.is_none() {
            self.first = Some(format!("{name}: {why}").into());
        }
    }
}

/// Reads the files of a corpus, one at a time, with buffers that are made once.
pub struct Reader {
    kind: Kind,
    /// Bytes read so far; of a compressed file, the bytes that were compressed.
    pub bytes_read: u64,
}

enum Kind {
    Whole,
    Streaming(Box<Buffers>),
}

/// What all files are streamed through.
struct Buffers {
    /// Between files, it reads from nothing.
    cutter: Option<CutReader<io::Empty>>,
    scratch: Vec<u8>,
}

/// Where a text comes from.
pub enum Input<'a> {
    /// A file.
    Path(PathBuf),
    /// Bytes that were read ahead.
    Held(Vec<u8>),
    /// A file that is compressed with Zstandard.
    Compressed(PathBuf),
    /// A value of a database.
    Value(Blob<'a>),
}

impl<'a> Input<'a> {
    fn bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Input::Path(path) => std::fs::read(path),
            Input::Held(bytes) => Ok(bytes),
            Input::Compressed(path) => {
                let mut bytes = Vec::new();
                Frames::new(Cursor::new(std::fs::read(path)?)).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Input::Value(mut value) => {
                let mut bytes = Vec::with_capacity(value.len());
                value.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    fn open(self) -> io::Result<Content<'a>> {
        match self {
            Input::Path(path) => File::open(path).map(Content::File),
            Input::Held(bytes) => Ok(Content::Held(Cursor::new(bytes))),
            Input::Compressed(path) => {
                let file = BufReader::with_capacity(COMPRESSED_BYTES, File::open(path)?);
                Ok(Content::Compressed(Box::new(Frames::new(file))))
            }
            Input::Value(value) => Ok(Content::Value(value)),
        }
    }
}

/// An opened [`Input`].
enum Content<'a> {
    File(File),
    Held(Cursor<Vec<u8>>),
    Compressed(Box<Frames<BufReader<File>>>),
    Value(Blob<'a>),
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Content::File(file) => file.read(buffer),
            Content::Held(bytes) => bytes.read(buffer),
            Content::Compressed(frames) => frames.read(buffer),
            Content::Value(value) => value.read(buffer),
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

impl ReadError {
    /// Whether the text could not be read, rather than that it is not what it should be.
    pub fn is_failure(&self) -> bool {
        match self {
            ReadError::Io(_) => true,
            ReadError::Json(error) => is_failure(error),
        }
    }

    /// Whether the text could not be read now, and may be read another time ([`is_passing`]).
    pub fn is_passing(&self) -> bool {
        match self {
            ReadError::Io(error) => is_passing(error.kind()),
            ReadError::Json(error) => error.io_error_kind().is_some_and(is_passing),
        }
    }
}

impl Reader {
    /// Holds each file whole, and parses it from memory.
    pub fn whole() -> Reader {
        Reader { kind: Kind::Whole, bytes_read: 0 }
    }

    /// Streams each file through the cutting reader.
    pub fn streaming() -> Reader {
        let buffers = Buffers { cutter: None, scratch: Vec::with_capacity(SCRATCH_BYTES) };
        Reader { kind: Kind::Streaming(Box::new(buffers)), bytes_read: 0 }
    }

    /// What of a value is read, and how: the whole reader keeps everything, as the reported engine does.
    pub fn seed(&self, shape: Shape) -> ReadNode {
        match self.kind {
            Kind::Whole => ReadNode { shape: Shape::All, strings: Strings::Plain },
            Kind::Streaming(_) => ReadNode { shape, strings: Strings::Cut },
        }
    }

    /// Reads a file that is one JSON document.
    ///
    /// # Errors
    /// When it cannot be read, or is not one JSON document.
    pub fn document<S: Seed + Copy>(
        &mut self,
        input: Input<'_>,
        caps: Caps,
        seed: S,
    ) -> Result<S::Output, ReadError> {
        match &mut self.kind {
            Kind::Whole => {
                let mut bytes = input.bytes()?;
                self.bytes_read += bytes.len() as u64;
                Ok(parse_plain(without_mark(&mut bytes), seed)?)
            }
            Kind::Streaming(buffers) => {
                let (value, bytes) = buffers
                    .stream(input, caps, |cutter, scratch| Ok(cutter.document().read(seed, scratch)?))?;
                self.bytes_read += bytes;
                value
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
        input: Input<'_>,
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
            Kind::Streaming(buffers) => {
                let (read, bytes) = buffers.stream(input, caps, |cutter, scratch| {
                    while let Some(text) = cutter.next_line()? {
                        let number = text.number();
                        match text.read(seed, scratch) {
                            Ok(value) => line(number, value, skips),
                            Err(error) if is_failure(&error) => return Err(error.into()),
                            Err(error) => skips.line(number, &error),
                        }
                    }
                    Ok(())
                })?;
                self.bytes_read += bytes;
                read?;
            }
        }
        Ok(())
    }
}

impl Buffers {
    /// Opens an input, lets `read` have it, closes it, and says how many bytes were read.
    fn stream<T>(
        &mut self,
        input: Input<'_>,
        caps: Caps,
        read: impl FnOnce(&mut CutReader<Content<'_>>, &mut Vec<u8>) -> Result<T, ReadError>,
    ) -> io::Result<(Result<T, ReadError>, u64)> {
        let content = input.open()?;
        let mut cutter = match self.cutter.take() {
            Some(cutter) => cutter.turn(content, caps),
            None => CutReader::new(content, caps),
        };
        let before = cutter.counts().bytes_read;
        let result = read(&mut cutter, &mut self.scratch);
        let bytes = cutter.counts().bytes_read - before;
        self.cutter = Some(cutter.turn(io::empty(), caps));
        Ok((result, bytes))
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

/// Whether a failure may pass without a change of the file: too many files are open, a disk fails, a right is lacking. What readers
/// say of a file's content is of the other kinds.
pub fn is_passing(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotADirectory, NotFound, Other, UnexpectedEof};
    !matches!(kind, InvalidData | InvalidInput | NotADirectory | NotFound | Other | UnexpectedEof)
}

/// Whether the file itself failed, rather than what is written in it.
fn is_failure(error: &serde_json::Error) -> bool {
    error
        .io_error_kind()
        .is_some_and(|kind| !matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}
