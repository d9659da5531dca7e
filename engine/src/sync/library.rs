//! What the host holds after a run: every stripped session, or where in the cache each one stands.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::cache::fragment::{self, Span};
use super::protocol::{Assembler, Gatherer, Item, Piece, Place, Record, RecordError, read_record};
use super::strategy::Keep;
use crate::checksum::Checksum;
use crate::session::{Session, Tally};

/// All sessions, in visiting order.
#[derive(Debug)]
pub struct Library {
    cache: PathBuf,
    keep: Keep,
    held: Vec<Item>,
    index: Vec<Entry>,
    parts: Vec<Box<str>>,
    /// Items that are complete.
    complete: usize,
    /// Sessions among them.
    sessions: u64,
}

/// Where a session or edit file stands.
#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u64,
    offset: u64,
    bytes: u64,
    part: u32,
}

/// Why a session cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A cache file cannot be read.
    #[error("failed to read {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A cache file has changed since it was written.
    #[error("{path} is damaged: {error}; remove it, and it is made anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: RecordError,
    },
}

impl Library {
    /// An empty library over a cache.
    pub fn new(cache: &Path, keep: Keep) -> Library {
        Library {
            cache: cache.to_owned(),
            keep,
            held: Vec::new(),
            index: Vec::new(),
            parts: Vec::new(),
            complete: 0,
            sessions: 0,
        }
    }

    /// Sessions and edit files in it.
    pub fn len(&self) -> usize {
        self.complete
    }

    /// Sessions in it.
    pub fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.complete == 0
    }

    /// From here on, records stand in this file of the cache.
    pub(super) fn begin_part(&mut self, name: &str) {
        if self.keep == Keep::Index {
            self.parts.push(name.into());
        }
    }

    /// The file that was last begun has got its final name.
    pub(super) fn rename_part(&mut self, name: &str) {
        if let Some(part) = self.parts.last_mut() {
            *part = name.into();
        }
    }

    /// Takes in a record that stands in its session where `place` says.
    pub(super) fn add(&mut self, record: Record, span: Span, place: Place, complete: bool) {
        let is_edits = matches!(record, Record::Edits(_));
        match self.keep {
            Keep::Index => self.index_record(&record, span, place),
            Keep::Sessions => match record {
                Record::Session(head, requests) => {
                    let requests = Vec::with_capacity(requests.min(1 << 16) as usize);
                    self.held.push(Item::Session(Session { head, requests }));
                }
                Record::Edits(edits) => self.held.push(Item::Edits(edits)),
                Record::Request(request) => {
                    if let Some(Item::Session(session)) = self.held.last_mut() {
                        session.requests.push(request);
                    }
                }
            },
        }
        if complete {
            self.complete += 1;
            self.sessions += u64::from(!is_edits);
        }
    }

    fn index_record(&mut self, record: &Record, span: Span, place: Place) {
        match (place, self.index.last_mut()) {
            (Place::Next, Some(entry)) => entry.bytes += span.bytes,
            _ => {
                let id = match record {
                    Record::Session(head, _) => id_hash(&head.id),
                    _ => 0,
                };
                let part = self.parts.len().saturating_sub(1) as u32;
                self.index.push(Entry { id, offset: span.offset, bytes: span.bytes, part });
            }
        }
    }

    /// Drops a session of which not everything has arrived.
    pub(super) fn drop_incomplete(&mut self) {
        self.held.truncate(self.complete);
        self.index.truncate(self.complete);
    }

    /// Gives everything once, in visiting order: a session's head, then its requests one by one, so that of what stands in the cache
    /// never more than one request is in memory. Gives the counts and the digest of what was visited.
    ///
    /// # Errors
    /// When a cache file cannot be read or has changed.
    pub fn visit(&self, mut visit: impl FnMut(Piece<'_>)) -> Result<Tally, LibraryError> {
        let mut assembler = Assembler::default();
        match self.keep {
            Keep::Sessions => {
                for item in &self.held {
                    item.tally(&mut assembler.tally);
                    item.pieces(&mut visit);
                }
            }
            Keep::Index => {
                let mut start = 0;
                while let Some(first) = self.index.get(start) {
                    let count =
                        self.index[start..].iter().take_while(|entry| entry.part == first.part).count();
                    self.read_part(&self.index[start..start + count], &mut |record| {
                        let Some(record) = record else { return assembler.end() };
                        assembler.add(&record)?;
                        visit(record.piece());
                        Ok(())
                    })?;
                    start += count;
                }
            }
        }
        Ok(assembler.tally)
    }

    /// The first session with this id, if there is one.
    ///
    /// # Errors
    /// When a cache file cannot be read or has changed.
    pub fn fetch(&self, id: &str) -> Result<Option<Session>, LibraryError> {
        if self.keep == Keep::Sessions {
            return Ok(self.held.iter().find_map(|item| match item {
                Item::Session(session) if *session.head.id == *id => Some(session.clone()),
                _ => None,
            }));
        }
        let hash = id_hash(id);
        for entry in self.index.iter().filter(|entry| entry.id == hash) {
            let (mut found, mut gatherer) = (None, Gatherer::default());
            self.read_part(&[*entry], &mut |record| {
                let Some(record) = record else { return gatherer.end() };
                if let Some(Item::Session(session)) = gatherer.add(record)? {
                    found = Some(session).filter(|session| *session.head.id == *id);
                }
                Ok(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Reads the records of items that stand one after the other in one file.
    fn read_part(&self, entries: &[Entry], take: &mut Take<'_>) -> Result<(), LibraryError> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        let path = fragment::directory(&self.cache).join(&*self.parts[first.part as usize]);
        let bytes = entries.iter().map(|entry| entry.bytes).sum();
        let result = read_records(&path, first.offset, bytes, take);
        result.map_err(|failure| match failure {
            ItemError::Io(error) => LibraryError::Io { path, error },
            ItemError::Record(error) => LibraryError::Damaged { path, error },
        })
    }
}

/// What is done with each record of a range, and then with its end, which is none.
type Take<'a> = dyn FnMut(Option<Record>) -> Result<(), RecordError> + 'a;

/// Why items cannot be read from a file.
#[derive(Debug, thiserror::Error)]
enum ItemError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
}

fn read_records(path: &Path, offset: u64, bytes: u64, take: &mut Take<'_>) -> Result<(), ItemError> {
    let mut file = BufReader::with_capacity(16 * 1024, File::open(path)?);
    file.seek(SeekFrom::Start(offset))?;
    let mut records = file.take(bytes);
    let mut line = Vec::with_capacity(4096);
    loop {
        line.clear();
        if records.read_until(b'\n', &mut line)? == 0 {
            return Ok(take(None)?);
        }
        take(Some(read_record(&line)?))?;
    }
}

fn id_hash(id: &str) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add(id.as_bytes());
    checksum.value()
}
