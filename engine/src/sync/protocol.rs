//! What host and worker say to each other, and the records in which sessions travel and are cached.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::strategy::Strategy;
use crate::session::{Digest, Edits, Hasher, Head, Request, Session, Tally};

/// Files and reasons that are named at most; further ones are only counted.
const NAMED_MAX: usize = 20;

/// What the worker is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The person's home directory.
    pub home: PathBuf,
    /// Where the cache is.
    pub cache: PathBuf,
    /// How it is done.
    pub strategy: Strategy,
    /// Whether this attempt is a reduced one.
    pub reduced: bool,
    /// Files that are not to be read, because they ended the worker before: paths below home.
    pub avoid: Vec<Box<str>>,
}

/// How far the worker is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress<'a> {
    /// Workspaces finished.
    pub done: u64,
    /// Workspaces in all.
    pub total: u64,
    /// The file that is read next: its path below home.
    pub file: Cow<'a, str>,
}

/// A workspace, announced before its records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Announcement<'a> {
    /// Key of the workspace.
    pub key: Cow<'a, str>,
    /// File in the cache that holds its records, or will.
    pub fragment: Option<Cow<'a, str>>,
    /// Bytes of that file before its first record.
    pub offset: u64,
    /// Whether the records are read from there, because nothing has changed.
    pub cached: bool,
}

/// A range of the file in which chunks are carried.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Range {
    /// First byte.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Their checksum.
    pub checksum: u64,
}

/// Everything has been sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Done {
    /// What was sent in chunks.
    pub sent: Sent,
    /// Workspaces that were found.
    pub workspaces: u64,
    /// The state of all of them, by which a later run sees that nothing has changed.
    pub fingerprint: u64,
    /// What the worker did.
    pub work: Work,
    /// What was passed over.
    pub skipped: Skipped,
}

/// What was sent in chunks: sessions, requests, edit files, and the digest of all of them in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Sessions.
    pub sessions: u64,
    /// Requests.
    pub requests: u64,
    /// Edit files.
    pub edits: u64,
    /// Their digest.
    pub digest: Digest,
}

impl From<&Tally> for Sent {
    fn from(tally: &Tally) -> Sent {
        Sent {
            sessions: tally.sessions,
            requests: tally.requests,
            edits: tally.edits,
            digest: tally.digest(),
        }
    }
}

/// What the worker did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Workspaces whose files were read.
    pub parsed: u64,
    /// Workspaces that came from the cache.
    pub cached: u64,
    /// Files that were read.
    pub files: u64,
    /// Bytes that were read of them.
    pub bytes: u64,
    /// Whether an older cache was brought into today's form.
    pub migrated: bool,
    /// Bytes of stripped messages, as they are held when they are sent.
    pub text_bytes: u64,
    /// Bytes of the buffers that hold them.
    pub text_capacity_bytes: u64,
}

/// What was passed over: counted, and the first ones named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Files.
    pub files: u64,
    /// Lines of files that were otherwise read.
    pub lines: u64,
    /// Files of the cache that were damaged, and read from their sources instead.
    pub fragments: u64,
    /// How often the system did not give what is there, as when a file is locked: another time it may be read.
    pub passing: u64,
    /// Path below home (or in the cache), and why.
    pub named: Vec<(Box<str>, Box<str>)>,
}

impl Skipped {
    /// Counts a file.
    pub fn file(&mut self, path: &str, why: &dyn Display) {
        self.files += 1;
        self.name(path, why);
    }

    /// Counts a damaged file of the cache.
    pub fn fragment(&mut self, path: &str, why: &dyn Display) {
        self.fragments += 1;
        self.name(path, why);
    }

    /// Counts lines of a file.
    pub fn lines(&mut self, path: &str, lines: u64, why: &dyn Display) {
        self.lines += lines;
        self.name(path, why);
    }

    fn name(&mut self, path: &str, why: &dyn Display) {
        if self.named.len() < NAMED_MAX {
            self.named.push((path.into(), why.to_string().into()));
        }
    }
}

/// A session or an edit file.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A session.
    Session(Session),
    /// An edit file.
    Edits(Edits),
}

/// One record: a line of JSON. A session is its head, then as many requests as the head says.
#[derive(Serialize)]
enum RecordOut<'a> {
    S(&'a Head, u64),
    R(&'a Request),
    E(&'a Edits),
}

/// One record that was read.
#[derive(Debug, Deserialize)]
pub enum Record {
    /// A session begins: its head, and how many requests follow.
    #[serde(rename = "S")]
    Session(Head, u64),
    /// Its next request.
    #[serde(rename = "R")]
    Request(Request),
    /// An edit file.
    #[serde(rename = "E")]
    Edits(Edits),
}

/// A record that is looked at: what [`Record`] owns.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A session begins: its head, and how many requests follow.
    Session(&'a Head, u64),
    /// Its next request.
    Request(&'a Request),
    /// An edit file.
    Edits(&'a Edits),
}

impl Record {
    /// The record, to be looked at.
    pub fn piece(&self) -> Piece<'_> {
        match self {
            Record::Session(head, requests) => Piece::Session(head, *requests),
            Record::Request(request) => Piece::Request(request),
            Record::Edits(edits) => Piece::Edits(edits),
        }
    }
}

impl Item {
    /// Shows the item's records, in order.
    pub fn pieces(&self, show: &mut impl FnMut(Piece<'_>)) {
        match self {
            Item::Session(session) => {
                show(Piece::Session(&session.head, session.requests.len() as u64));
                session.requests.iter().for_each(|request| show(Piece::Request(request)));
            }
            Item::Edits(edits) => show(Piece::Edits(edits)),
        }
    }

    /// Writes the records of this item, stripped, and says where each may be followed by a cut.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write<W: Write>(
        &self,
        out: &mut W,
        mut after_record: impl FnMut(&mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Item::Session(session) => {
                write_record(out, &RecordOut::S(&session.head, session.requests.len() as u64))?;
                after_record(out)?;
                for request in &session.requests {
                    write_record(out, &RecordOut::R(request))?;
                    after_record(out)?;
                }
            }
            Item::Edits(edits) => {
                write_record(out, &RecordOut::E(edits))?;
                after_record(out)?;
            }
        }
        Ok(())
    }

    /// Adds the item's digest to a tally.
    pub fn tally(&self, tally: &mut Tally) {
        match self {
            Item::Session(session) => {
                let mut hasher = Hasher::session(&session.head, session.requests.len() as u64);
                session.requests.iter().for_each(|request| hasher.request(request));
                tally.session(&hasher.finish(), session.requests.len() as u64);
            }
            Item::Edits(edits) => tally.edits(&Hasher::edits(edits)),
        }
    }

    /// Key of the item's workspace.
    pub fn workspace(&self) -> &str {
        match self {
            Item::Session(session) => &session.head.workspace,
            Item::Edits(edits) => &edits.workspace,
        }
    }
}

fn write_record<W: Write>(out: &mut W, record: &RecordOut<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

/// Why records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A line is no record.
    #[error("a record is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A request stands outside its session, or one is missing.
    #[error("the requests of a session are incomplete or out of place")]
    OutOfPlace,
}

/// Reads one record from its line.
///
/// # Errors
/// When the line is no record.
pub fn read_record(line: &[u8]) -> Result<Record, RecordError> {
    Ok(serde_json::from_slice(line)?)
}

/// Puts records together again, and hashes them on the way.
#[derive(Debug, Default)]
pub struct Assembler {
    open: Option<Open>,
    /// Everything that is complete.
    pub tally: Tally,
}

#[derive(Debug)]
struct Open {
    hasher: Hasher,
    requests: u64,
    missing: u64,
}

/// Gathers records into whole items, and gives up each when it is complete.
#[derive(Debug, Default)]
pub struct Gatherer {
    /// Checks and hashes the records.
    pub assembler: Assembler,
    open: Option<Item>,
}

impl Gatherer {
    /// Takes the next record in; gives the item that it completes.
    ///
    /// # Errors
    /// When the record is not the one that is due.
    pub fn add(&mut self, record: Record) -> Result<Option<Item>, RecordError> {
        let (_, complete) = self.assembler.add(&record)?;
        match (record, &mut self.open) {
            (Record::Session(head, _), _) => {
                self.open = Some(Item::Session(Session { head, requests: Vec::new() }));
            }
            (Record::Edits(edits), _) => self.open = Some(Item::Edits(edits)),
            (Record::Request(request), Some(Item::Session(session))) => session.requests.push(request),
            _ => return Err(RecordError::OutOfPlace),
        }
        Ok(if complete { self.open.take() } else { None })
    }

    /// Checks that no item is incomplete.
    ///
    /// # Errors
    /// When one is.
    pub fn end(&self) -> Result<(), RecordError> {
        self.assembler.end()
    }
}

/// Where a record stands in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It begins a session, or is a record of its own.
    First,
    /// It goes on with the session.
    Next,
}

impl Assembler {
    /// Takes the next record in; `complete` of the result says whether its session (or edit file) now is.
    ///
    /// # Errors
    /// When the record is not the one that is due.
    pub fn add(&mut self, record: &Record) -> Result<(Place, bool), RecordError> {
        match (record, &mut self.open) {
            (Record::Session(head, requests), None) => {
                let hasher = Hasher::session(head, *requests);
                self.open = Some(Open { hasher, requests: *requests, missing: *requests });
                Ok((Place::First, self.close_when_complete()))
            }
            (Record::Request(request), Some(open)) => {
                open.hasher.request(request);
                open.missing -= 1;
                Ok((Place::Next, self.close_when_complete()))
            }
            (Record::Edits(edits), None) => {
                self.tally.edits(&Hasher::edits(edits));
                Ok((Place::First, true))
            }
            _ => Err(RecordError::OutOfPlace),
        }
    }

    /// Checks that no session is incomplete.
    ///
    /// # Errors
    /// When one is.
    pub fn end(&self) -> Result<(), RecordError> {
        if self.open.is_some() { Err(RecordError::OutOfPlace) } else { Ok(()) }
    }

    fn close_when_complete(&mut self) -> bool {
        let Some(open) = self.open.take_if(|open| open.missing == 0) else {
            return false;
        };
        self.tally.session(&open.hasher.finish(), open.requests);
        true
    }
}
