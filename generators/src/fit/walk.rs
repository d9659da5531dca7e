//! Which files of a log directory are sessions, by its layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use zstd::stream::read::Decoder;

use crate::Error;
use crate::fit::Reader;
use crate::fit::claude::Claude;
use crate::fit::codex::Codex;
use crate::fit::copilot::Copilot;
use crate::fit::documents::Gemini;
use crate::fit::folder::{Folder, Kind, begins, below, ends, kind, list};
use crate::fit::roots::{Layout, Root};
use crate::fit::tally::{Lines, Session, Tally};
use crate::fit::vscode::Chat;

/// The logarithm of a window's bytes at most: 8 MiB, which the format asks every decoder to support. The tool's own are of 2 MiB.
const WINDOW_LOG_MAX: u32 = 23;

impl Reader<'_> {
    /// Counts a log directory.
    pub(super) fn root(&mut self, root: &Root) -> Result<(), Error> {
        let mut tally = self.take(root.format);
        let before = tally.sessions.len();
        let read = match root.layout {
            Layout::Vscode => self.each_workspace(root, &mut tally, Self::chats),
            Layout::Copilot => self.each_workspace(root, &mut tally, Self::copilot),
            Layout::Claude => self.each_workspace(root, &mut tally, Self::project),
            Layout::Gemini => self.each_workspace(root, &mut tally, Self::gemini),
            Layout::Tree => self.each_workspace(root, &mut tally, Self::tree),
            Layout::Codex => self.codex(&root.path, &mut tally),
            Layout::Database => self.database(&root.path, &mut tally),
        };
        tally.roots += u64::from(tally.sessions.len() > before);
        self.put(root.format, tally);
        read
    }

    fn each_workspace(
        &mut self,
        root: &Root,
        tally: &mut Tally,
        read: fn(&mut Self, &Path, &mut Tally) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for workspace in self.list(&root.path).directories {
            let (before, skipped) = (tally.sessions.len(), self.skipped.len());
            read(self, &workspace, tally)?;
            let sessions = (tally.sessions.len() - before) as u64;
            // One that was not read is not known to be empty.
            if sessions > 0 || self.skipped.len() == skipped {
                tally.workspace(sessions);
            }
        }
        Ok(())
    }

    /// Lists a directory, and keeps what is not read there.
    pub(super) fn list(&mut self, path: &Path) -> Folder {
        self.kept(list(path))
    }

    fn kept(&mut self, mut folder: Folder) -> Folder {
        self.skipped.append(&mut folder.skipped);
        folder
    }

    /// Chat sessions of a workspace. A document beside a log of the same session is what it was before.
    fn chats(&mut self, workspace: &Path, tally: &mut Tally) -> Result<(), Error> {
        let files = self.list(&workspace.join("chatSessions")).files;
        let logs: BTreeSet<PathBuf> = files.iter().filter(|path| ends(path, ".jsonl")).cloned().collect();
        for path in files {
            let is_log = ends(&path, ".jsonl");
            if !is_log && (!ends(&path, ".json") || logs.contains(&path.with_extension("jsonl"))) {
                continue;
            }
            let mut lines = Lines::default();
            let mut chat = Chat::new(&mut lines, is_log);
            let Some(bytes) = self.scan(&path, is_log, &mut chat)? else { continue };
            let (requests, shape) = chat.finish();
            tally.lines.join(lines);
            tally.session(Session { bytes, requests, subagents: 0 }, shape);
        }
        Ok(())
    }

    fn copilot(&mut self, directory: &Path, tally: &mut Tally) -> Result<(), Error> {
        let path = directory.join("events.jsonl");
        match kind(&path) {
            Ok(Some(Kind::File)) => {}
            Ok(_) => return Ok(()),
            Err((path, why)) => {
                self.skip(&path, why);
                return Ok(());
            }
        }
        let mut lines = Lines::default();
        let mut events = Copilot::new(&mut lines);
        let Some(bytes) = self.scan(&path, true, &mut events)? else { return Ok(()) };
        events.finish();
        let requests = events.requests;
        tally.lines.join(lines);
        tally.session(Session { bytes, requests, subagents: 0 }, "log");
        Ok(())
    }

    /// Sessions of a Claude project: files, and directories with subagents of a session whose file is gone.
    fn project(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        let folder = self.list(project);
        let mut sessions: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
        for path in folder.files.into_iter().filter(|path| ends(path, ".jsonl")) {
            sessions.insert(path.with_extension(""), Some(path));
        }
        for directory in folder.directories {
            sessions.entry(directory).or_default();
        }
        for (directory, main) in sessions {
            let subagents = self.subagents(&directory, tally)?;
            let mut session = Session { subagents, ..Session::default() };
            // One that is not read is as one that is gone.
            let is_read = match &main {
                Some(main) => self.claude(main, &mut session, tally)?,
                None => false,
            };
            if is_read || subagents > 0 {
                tally.session(session, "log");
            }
        }
        Ok(())
    }

    /// Counts the file of a session; tells whether it was read.
    fn claude(&mut self, path: &Path, session: &mut Session, tally: &mut Tally) -> Result<bool, Error> {
        let mut lines = Lines::default();
        let mut claude = Claude::new(&mut lines, true);
        let Some(bytes) = self.scan(path, true, &mut claude)? else { return Ok(false) };
        claude.finish();
        (session.bytes, session.requests) = (bytes, claude.requests);
        tally.lines.join(lines);
        Ok(true)
    }

    fn subagents(&mut self, session: &Path, tally: &mut Tally) -> Result<u64, Error> {
        let files = self.kept(below(&session.join("subagents"))).files;
        let mut count = 0;
        for path in files.into_iter().filter(|path| begins(path, "agent-") && ends(path, ".jsonl")) {
            let mut lines = Lines::default();
            let mut claude = Claude::new(&mut lines, false);
            if let Some(bytes) = self.scan(&path, true, &mut claude)? {
                tally.lines.join(lines);
                tally.subagents.push(bytes);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Rollouts: those of each day, and those in the archive.
    fn codex(&mut self, root: &Path, tally: &mut Tally) -> Result<(), Error> {
        let is_rollout = |path: &PathBuf| begins(path, "rollout-");
        for (place, is_archive) in [("archived_sessions", true), ("sessions", false)] {
            let files = self.kept(below(&root.join(place))).files;
            let files: BTreeSet<PathBuf> = files.into_iter().filter(is_rollout).collect();
            let mut days: BTreeMap<Option<PathBuf>, u64> = BTreeMap::new();
            for path in &files {
                let is_compressed = ends(path, ".jsonl.zst");
                // A compressed one beside the plain file is what it was before.
                let is_superseded = is_compressed && files.contains(&path.with_extension(""));
                if !is_compressed && !ends(path, ".jsonl") || is_superseded {
                    continue;
                }
                let session = if is_compressed {
                    self.compressed(path, is_archive, tally)?
                } else {
                    self.rollout(path, is_archive, tally)?
                };
                if session {
                    *days.entry(path.parent().map(Path::to_path_buf)).or_default() += 1;
                }
            }
            days.values().for_each(|sessions| tally.workspace(*sessions));
        }
        Ok(())
    }

    fn rollout(&mut self, path: &Path, is_archive: bool, tally: &mut Tally) -> Result<bool, Error> {
        let mut lines = Lines::default();
        let mut codex = Codex::new(&mut lines);
        let Some(bytes) = self.scan(path, true, &mut codex)? else { return Ok(false) };
        codex.finish();
        let requests = codex.requests;
        let shape = match (is_archive, codex.is_forked) {
            (true, _) => "archived",
            (false, true) => "forked",
            (false, false) => "plain",
        };
        tally.lines.join(lines);
        tally.session(Session { bytes, requests, subagents: 0 }, shape);
        Ok(true)
    }

    /// A rollout of Zstandard: its bytes are those on disk, and its lines those of its content. One that is damaged is not counted.
    fn compressed(&mut self, path: &Path, is_archive: bool, tally: &mut Tally) -> Result<bool, Error> {
        let Some(file) = self.open(path) else { return Ok(false) };
        let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut lines = Lines::default();
        let mut codex = Codex::new(&mut lines);
        let failure = match Decoder::new(file).and_then(bounded) {
            Ok(mut content) => self.pour(&mut content, true, &mut codex)?.1,
            Err(error) => Some(error),
        };
        codex.finish();
        let requests = codex.requests;
        if let Some(error) = failure {
            self.skip(path, error.to_string());
            return Ok(false);
        }
        tally.lines.join(lines);
        let shape = if is_archive { "archived-compressed" } else { "compressed" };
        tally.session(Session { bytes, requests, subagents: 0 }, shape);
        Ok(true)
    }

    fn gemini(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        let files = self.list(&project.join("chats")).files;
        for path in files.into_iter().filter(|path| begins(path, "session-") && ends(path, ".json")) {
            let mut lines = Lines::default();
            let mut gemini = Gemini::new(&mut lines);
            let Some(bytes) = self.scan(&path, false, &mut gemini)? else { continue };
            gemini.finish();
            let requests = gemini.requests;
            tally.lines.join(lines);
            tally.session(Session { bytes, requests, subagents: 0 }, "document");
        }
        Ok(())
    }
}

/// A decoder that refuses what needs more memory than every decoder has.
fn bounded<R: BufRead>(mut content: Decoder<'_, R>) -> io::Result<Decoder<'_, R>> {
    content.window_log_max(WINDOW_LOG_MAX)?;
    Ok(content)
}
