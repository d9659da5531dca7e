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
mod tree;
mod vscode;
mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::fit::folder::Skipped;
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
    /// What was not read, by path, and why: links, what could not be read, and what could not be read to its end. Nothing of it is in the
    /// recipe, but for a database, of which the sessions before the damage are.
    pub skipped: Vec<(PathBuf, String)>,
    /// Lines that are no whole JSON object. They count with their bytes.
    pub broken_lines: u64,
}

/// Reads the histories in home-like directories, or in tools' own directories, as a recipe of this name.
///
/// Nothing is written, and nothing outside of the directories is read: a symbolic link in them is not followed.
///
/// # Errors
/// [`Error::ProfileName`] when the name cannot be one, before anything is read; [`Error::NoHistory`] when there is none,
/// [`Error::Stopped`] when `stop` was set, [`Error::Io`] when one of the directories is not there.
pub fn fit(
    directories: &[PathBuf],
    name: &str,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Fit, Error> {
    Recipe::check_name(name)?;
    let roots = roots::find(directories)?;
    Reader::new(stop, progress, open).fit(roots, directories, name)
}

/// How a file is opened.
type Open = fn(&Path) -> io::Result<Box<dyn Read>>;

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(Box::new(File::open(path)?))
}

/// What reads, and what it has counted.
struct Reader<'a> {
    stop: &'a AtomicBool,
    observer: &'a Observer<'a>,
    open: Open,
    buffer: Vec<u8>,
    tallies: BTreeMap<Format, Tally>,
    skipped: Vec<Skipped>,
}

impl<'a> Reader<'a> {
    fn new(stop: &'a AtomicBool, observer: &'a Observer<'a>, open: Open) -> Self {
        let buffer = vec![0; PIECE_BYTES];
        Reader { stop, observer, open, buffer, tallies: BTreeMap::new(), skipped: Vec::new() }
    }

    /// Reads everything.
    fn fit(
        mut self,
        (roots, skipped): (Vec<Root>, Vec<Skipped>),
        directories: &[PathBuf],
        name: &str,
    ) -> Result<Fit, Error> {
        self.skipped = skipped;
        self.announce(&roots);
        for root in &roots {
            self.root(root)?;
        }
        let Reader { tallies, mut skipped, .. } = self;
        // The same link may be on the way to several log directories.
        skipped.sort_unstable();
        skipped.dedup();
        let broken_lines = tallies.values().map(|tally| tally.lines.broken).sum();
        let histories: BTreeMap<_, _> = tallies
            .into_iter()
            .filter_map(|(format, tally)| tally.history().map(|history| (format, history)))
            .collect();
        if histories.is_empty() {
            let path = directories.first().cloned().unwrap_or_default();
            return Err(Error::NoHistory { path, skipped });
        }
        Ok(Fit { recipe: Recipe::new(name, histories)?, skipped, broken_lines })
    }

    /// Says how much there is to read.
    fn announce(&mut self, roots: &[Root]) {
        let (mut files, mut bytes) = (0, 0);
        for root in roots {
            let mut add = |size: u64| {
                files += 1;
                bytes += size;
            };
            match root.layout {
                Layout::Database => add(std::fs::metadata(&root.path).map_or(0, |metadata| metadata.len())),
                _ => folder::measure(&root.path, &mut add),
            }
        }
        (self.observer)(Progress::Planned { files, bytes });
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
    fn open(&mut self, path: &Path) -> Option<Told<'a, Box<dyn Read>>> {
        match (self.open)(path) {
            Ok(input) => Some(Told { input, observer: self.observer }),
            Err(error) => {
                self.skip(path, error.to_string());
                None
            }
        }
    }

    /// Scans a file, and gives its size; nothing, when it cannot be read to its end: what was seen of it is then not to be counted.
    fn scan(&mut self, path: &Path, has_lines: bool, visit: &mut dyn Visit) -> Result<Option<u64>, Error> {
        let Some(mut file) = self.open(path) else { return Ok(None) };
        let (bytes, failure) = self.pour(&mut file, has_lines, visit)?;
        if let Some(error) = failure {
            self.skip(path, error.to_string());
            return Ok(None);
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Breaks off in the middle of what a person asked.
    struct Torn(&'static [u8]);

    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match std::mem::take(&mut self.0) {
                [] => Err(io::Error::other("the disk is broken")),
                bytes => {
                    buffer[..bytes.len()].copy_from_slice(bytes);
                    Ok(bytes.len())
                }
            }
        }
    }

    const BEGINNING: &[u8] =
        b"{\"type\":\"user\",\"payload\":{},\"role\":\"user\",\"messages\":[{\"type\":\"user\"}]}\n{\"a";

    /// Opens files so that those with this in their names cannot be read to their end.
    fn open_torn(path: &Path) -> io::Result<Box<dyn Read>> {
        if path.to_string_lossy().contains("torn") { Ok(Box::new(Torn(BEGINNING))) } else { open(path) }
    }

    fn read(home: &Path) -> Result<Fit, Error> {
        let home = [home.to_path_buf()];
        Reader::new(&AtomicBool::new(false), &|_| (), open_torn).fit(roots::find(&home)?, &home, "mine")
    }

    fn put(home: &Path, path: &str) {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, BEGINNING).unwrap();
    }

    /// Files that are read to their end; all but the last are sessions of their own.
    const WHOLE: [&str; 8] = [
        ".claude/projects/p/a.jsonl",
        ".codex/sessions/2026/01/02/rollout-a.jsonl",
        ".config/Code/User/workspaceStorage/w/chatSessions/a.jsonl",
        ".copilot/session-state/a/events.jsonl",
        ".gemini/tmp/p/chats/session-a.json",
        ".local/share/opencode/storage/session/p/a.json",
        ".claude/projects/p/a/subagents/agent-a.jsonl",
        ".local/share/opencode/storage/message/a/m.json",
    ];

    /// Files that are not: each a session, or a part of one.
    const TORN: [&str; 9] = [
        ".claude/projects/p/a/subagents/agent-torn.jsonl",
        ".claude/projects/p/torn.jsonl",
        ".codex/archived_sessions/rollout-torn.jsonl",
        ".codex/sessions/2026/01/02/rollout-torn.jsonl.zst",
        ".config/Code/User/workspaceStorage/w/chatSessions/torn.json",
        ".copilot/session-state/torn/events.jsonl",
        ".gemini/tmp/p/chats/session-torn.json",
        ".local/share/opencode/storage/part/n/torn.json",
        ".local/share/opencode/storage/session/p/torn.json",
    ];

    #[test]
    fn a_file_that_is_not_read_to_its_end_counts_for_nothing_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap();
        WHOLE.iter().for_each(|path| put(&home, path));
        let wanted = read(&home).unwrap();
        assert_eq!(wanted.skipped, []);
        assert_eq!(wanted.recipe.histories().map(|(_, history)| history.sessions).sum::<u64>(), 6);
        TORN.iter().for_each(|path| put(&home, path));
        // A session of which a part is torn, two levels below it.
        put(&home, ".local/share/opencode/storage/session/p/b.json");
        put(&home, ".local/share/opencode/storage/message/b/n.json");
        let found = read(&home).unwrap();
        assert_eq!((found.recipe, found.broken_lines), (wanted.recipe, wanted.broken_lines));
        let mut named: Vec<&Path> =
            found.skipped.iter().map(|(path, _)| path.strip_prefix(&home).unwrap()).collect();
        named.dedup();
        let mut all: Vec<&Path> = TORN.map(Path::new).into();
        all.push(Path::new(".local/share/opencode/storage/session/p/b.json"));
        all.sort_unstable();
        assert_eq!(named, all);
    }
}
