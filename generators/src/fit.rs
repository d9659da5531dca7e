//! Reads a person's histories and says what they are like.
//!
//! Files are read piece by piece: of a line of any length only its size, its nesting and a few short names are seen. Nothing else is
//! kept: the reader knows tools and record types by public lists, and whatever they do not name is counted as `other`.

mod claude;
mod codex;
mod copilot;
mod documents;
mod folder;
mod roots;
mod scan;
mod tally;
mod vscode;
mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::fit::roots::Root;
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

    /// Scans a file, and gives its size; nothing, when it cannot be read.
    fn scan(&mut self, path: &Path, has_lines: bool, visit: &mut dyn Visit) -> Result<Option<u64>, Error> {
        let mut scanner = Scanner::new(has_lines);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                self.skip(path, error.to_string());
                return Ok(None);
            }
        };
        let mut bytes = 0;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Stopped);
            }
            match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => {
                    scanner.feed(&self.buffer[..count], visit);
                    bytes += count as u64;
                    (self.observer)(Progress::Checked { bytes: count as u64 });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.skip(path, error.to_string());
                    break;
                }
            }
        }
        scanner.finish(visit);
        Ok(Some(bytes))
    }
}
