//! Reads the sessions of one workspace.

mod claude;
mod codex;
mod copilot_cli;
mod database;
mod gemini;
mod tree;
mod vscode;

use std::io;
use std::path::{Path, PathBuf};

use super::discover::{Layout, Workspace};
use super::prefetch::Prefetcher;
use super::protocol::{Item, Skipped, Work};
use crate::formats::Hold;
use crate::formats::source::{Input, ReadError, Reader, Skips, is_passing};
use crate::json::text::preview;
use crate::session::{Head, NAME_UNITS, Request, Session};

/// Bytes of a workspace's description at most; a larger one gives no name.
const DESCRIPTION_BYTES_MAX: u64 = 64 * 1024;

/// Parses workspaces, one after the other.
pub struct Parser<'a> {
    /// The person's home directory.
    pub home: &'a Path,
    /// How files are read.
    pub reader: Reader,
    /// How much text is held.
    pub hold: Hold,
    /// What has been read ahead.
    pub prefetched: Prefetcher,
    /// Files that are not to be read: paths below home.
    pub avoid: &'a [Box<str>],
    /// Whether a file that need not exist counts as failed when it does not.
    pub probe_missing: bool,
    /// What was passed over.
    pub skipped: Skipped,
    /// What was done.
    pub work: Work,
}

/// Where the items of a workspace go, and who is told which file is read next.
pub trait Sink {
    /// A file is about to be read: its path below home.
    ///
    /// # Errors
    /// When nobody listens any more.
    fn file(&mut self, key: &str) -> io::Result<()>;

    /// A session or edit file is complete.
    ///
    /// # Errors
    /// When it cannot be passed on.
    fn item(&mut self, item: Item) -> io::Result<()>;
}

impl Parser<'_> {
    /// Reads everything in a workspace.
    ///
    /// # Errors
    /// When the sink fails. Files that cannot be read are skipped, counted and named.
    pub fn workspace(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        self.work.parsed += 1;
        let result = match workspace.root.layout {
            Layout::VsCode => self.vscode(workspace, sink),
            Layout::CopilotCli => self.copilot_cli(workspace, sink),
            Layout::Claude => self.claude(workspace, sink),
            Layout::Codex => self.codex(workspace, sink),
            Layout::Gemini => self.gemini(workspace, sink),
            Layout::Tree => self.tree(workspace, sink),
            Layout::Database => self.database(workspace, sink),
        };
        self.work.bytes = self.reader.bytes_read;
        result
    }

    /// A file's content or path, unless it is to be avoided or is no file.
    fn input(&mut self, path: PathBuf, key: &str, sink: &mut dyn Sink) -> io::Result<Option<Input<'static>>> {
        if !self.may_read(&path, key, sink)? {
            return Ok(None);
        }
        Ok(Some(match self.prefetched.take(&path) {
            Some(bytes) => Input::Held(bytes),
            None => Input::Path(path),
        }))
    }

    /// Says which file is read next, and whether it is to be: one that is not is skipped, counted and named.
    fn may_read(&mut self, path: &Path, key: &str, sink: &mut dyn Sink) -> io::Result<bool> {
        if self.avoid.iter().any(|avoided| **avoided == *key) {
            self.skipped.file(key, &"reading it ended the worker twice");
            return Ok(false);
        }
        sink.file(key)?;
        // A pipe or device of that name would be waited for. What cannot be looked at fails where it is opened.
        if let Ok(metadata) = std::fs::metadata(path)
            && !metadata.is_file()
        {
            self.skipped
                .file(key, &if metadata.is_dir() { "it is a directory" } else { "it is not a regular file" });
            return Ok(false);
        }
        self.work.files += 1;
        Ok(true)
    }

    /// Skips, counts and names a file that could not be read, and notes whether it may be another time.
    fn refuse(&mut self, key: &str, error: &ReadError) {
        self.skipped.file(key, error);
        // What cannot even be looked at stands in no fingerprint, which changes when it can be.
        if error.is_passing() && self.home.join(key).metadata().is_ok() {
            self.skipped.passing += 1;
        }
    }

    /// A small file that describes a workspace, whole; none when it is not there or cannot be read.
    fn describe(&mut self, path: &Path) -> Option<Vec<u8>> {
        let metadata = std::fs::metadata(path).ok()?;
        if !metadata.is_file() || metadata.len() > DESCRIPTION_BYTES_MAX {
            return None;
        }
        let read = std::fs::read(path);
        self.skipped.passing += u64::from(read.as_ref().is_err_and(|error| is_passing(error.kind())));
        read.ok()
    }

    fn note(&mut self, key: &str, skips: &Skips) {
        if let Some(first) = &skips.first {
            self.skipped.lines(key, skips.lines, first);
        }
    }

    fn deliver(
        &mut self,
        read: Result<(Head, Vec<Request>), ReadError>,
        key: &str,
        skips: &Skips,
        workspace: &Workspace,
        name: &str,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        self.note(key, skips);
        match read {
            Ok((head, requests)) => self.session(head, requests, workspace, name, sink),
            Err(error) => {
                self.refuse(key, &error);
                Ok(())
            }
        }
    }

    fn session(
        &mut self,
        head: Head,
        requests: Vec<Request>,
        workspace: &Workspace,
        name: &str,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        let head = Head {
            harness: workspace.root.harness.into(),
            workspace: workspace.key().into(),
            // File names, of which some come from, may be longer.
            id: preview(&head.id, NAME_UNITS).into(),
            name: preview(name, NAME_UNITS).into(),
            ..head
        };
        sink.item(Item::Session(Session { head, requests }))
    }
}
