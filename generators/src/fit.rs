//! Reads a person's histories and says what they are like.
//!
//! Files are read piece by piece: of a line of any length only its size, its nesting and a few short names are seen. Nothing else is
//! kept: the reader knows tools and record types by public lists, and whatever they do not name is counted as `other`.

mod claude;
mod codex;
mod copilot;
mod database;
mod documents;
mod folder;
mod roots;
mod scan;
mod tally;
mod vscode;
mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::fit::roots::{Layout, Root};
use crate::fit::scan::{Scanner, Visit};
use crate::fit::tally::Tally;
use crate::recipe::{Format, Recipe};
use crate::write::{Observer, Progress};

/// Bytes read at a time.
const PIECE_BYTES: usize = 1 << 18;

/// What came of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The shape of the histories.
    pub recipe: Recipe,
    /// What could not be read, and why. None of it is in the recipe.
    pub skipped: Vec<(PathBuf, String)>,
    /// Lines that are no whole JSON object. They count with their bytes.
    pub broken_lines: u64,
}

/// Reads the histories in home-like directories, or in tools' own directories, as a recipe of this name.
///
/// Nothing is written, and nothing outside of the directories is read: a symbolic link in them is passed over.
///
/// # Errors
/// [`Error::NoHistory`] when there is none, [`Error::Recipe`] when the name cannot be one, [`Error::Stopped`] when `stop` was set,
/// [`Error::Io`] when a directory cannot be listed.
pub fn fit(
    directories: &[PathBuf],
    name: &str,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Fit, Error> {
    let roots = roots::find(directories)?;
    let mut reader = Reader::new(stop, progress);
    reader.announce(&roots)?;
    for root in &roots {
        reader.root(root)?;
    }
    let Reader { tallies, skipped, .. } = reader;
    let broken_lines = tallies.values().map(|tally| tally.lines.broken).sum();
    let histories: BTreeMap<_, _> = tallies
        .into_iter()
        .filter_map(|(format, tally)| tally.history().map(|history| (format, history)))
        .collect();
    if histories.is_empty() {
        let path = directories.first().cloned().unwrap_or_default();
        return Err(Error::NoHistory { path });
    }
    Ok(Fit { recipe: Recipe::new(name, histories)?, skipped, broken_lines })
}

/// What reads, and what it has counted.
struct Reader<'a> {
    stop: &'a AtomicBool,
    observer: &'a Observer<'a>,
    buffer: Vec<u8>,
    tallies: BTreeMap<Format, Tally>,
    skipped: Vec<(PathBuf, String)>,
}

impl<'a> Reader<'a> {
    fn new(stop: &'a AtomicBool, observer: &'a Observer<'a>) -> Self {
        let buffer = vec![0; PIECE_BYTES];
        Reader { stop, observer, buffer, tallies: BTreeMap::new(), skipped: Vec::new() }
    }

    /// Says how much there is to read.
    fn announce(&mut self, roots: &[Root]) -> Result<(), Error> {
        let (mut files, mut bytes) = (0, 0);
        for root in roots {
            folder::measure(&root.path, &mut |size| {
                files += 1;
                bytes += size;
            })?;
            if root.layout == Layout::Database {
                files += 1;
                bytes += std::fs::metadata(&root.path).map_or(0, |metadata| metadata.len());
            }
        }
        (self.observer)(Progress::Planned { files, bytes });
        Ok(())
    }

    /// The tally of a format, to count in. It is put back by [`Reader::put`].
    fn take(&mut self, format: Format) -> Tally {
        self.tallies.remove(&format).unwrap_or_default()
    }

    fn put(&mut self, format: Format, tally: Tally) {
        self.tallies.insert(format, tally);
    }

    fn skip(&mut self, path: &Path, why: impl Into<String>) {
        self.skipped.push((path.to_path_buf(), why.into()));
    }

    /// Opens a file; nothing, when it cannot be.
    fn open(&mut self, path: &Path) -> Option<Told<'a, File>> {
        match File::open(path) {
            Ok(input) => Some(Told { input, observer: self.observer }),
            Err(error) => {
                self.skip(path, error.to_string());
                None
            }
        }
    }

    /// Scans a file, and gives its size; nothing, when it cannot be read.
    fn scan(&mut self, path: &Path, has_lines: bool, visit: &mut dyn Visit) -> Result<Option<u64>, Error> {
        let Some(mut file) = self.open(path) else { return Ok(None) };
        let (bytes, failure) = self.pour(&mut file, has_lines, visit)?;
        if let Some(error) = failure {
            self.skip(path, error.to_string());
        }
        Ok(Some(bytes))
    }

    /// Scans what is read, until it ends or fails: how many bytes there were, and why it failed.
    fn pour(
        &mut self,
        input: &mut dyn Read,
        has_lines: bool,
        visit: &mut dyn Visit,
    ) -> Result<(u64, Option<io::Error>), Error> {
        let mut scanner = Scanner::new(has_lines);
        let (mut bytes, mut failure) = (0, None);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Stopped { before: "the history was read; no profile was made" });
            }
            match input.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => {
                    scanner.feed(&self.buffer[..count], visit);
                    bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        scanner.finish(visit);
        Ok((bytes, failure))
    }
}

/// Tells how much is read.
struct Told<'a, R> {
    input: R,
    observer: &'a Observer<'a>,
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        (self.observer)(Progress::Checked { bytes: count as u64 });
        Ok(count)
    }
}
