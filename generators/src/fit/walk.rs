//! Which files of a log directory are sessions, by its layout.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use zstd::stream::read::Decoder;

use crate::Error;
use crate::fit::Reader;
use crate::fit::claude::Claude;
use crate::fit::codex::Codex;
use crate::fit::copilot::Copilot;
use crate::fit::documents::{Gemini, Piece};
use crate::fit::folder::{begins, ends, files_below, list};
use crate::fit::roots::{Layout, Root};
use crate::fit::tally::{Session, Tally};
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
        for workspace in list(&root.path)?.directories {
            let before = tally.sessions.len();
            read(self, &workspace, tally)?;
            tally.workspace((tally.sessions.len() - before) as u64);
        }
        Ok(())
    }

    /// Chat sessions of a workspace. A document beside a log of the same session is what it was before.
    fn chats(&mut self, workspace: &Path, tally: &mut Tally) -> Result<(), Error> {
        let files = list(&workspace.join("chatSessions"))?.files;
        let logs: BTreeSet<PathBuf> = files.iter().filter(|path| ends(path, ".jsonl")).cloned().collect();
        for path in files {
            let is_log = ends(&path, ".jsonl");
            if !is_log && (!ends(&path, ".json") || logs.contains(&path.with_extension("jsonl"))) {
                continue;
            }
            let mut chat = Chat::new(&mut tally.lines, is_log);
            let bytes = self.scan(&path, is_log, &mut chat)?;
            let (requests, shape) = chat.finish();
            if let Some(bytes) = bytes {
                tally.session(Session { bytes, requests, subagents: 0 }, shape);
            }
        }
        Ok(())
    }

    fn copilot(&mut self, directory: &Path, tally: &mut Tally) -> Result<(), Error> {
        let path = directory.join("events.jsonl");
        if !list(directory)?.files.contains(&path) {
            return Ok(());
        }
        let mut events = Copilot::new(&mut tally.lines);
        let bytes = self.scan(&path, true, &mut events)?;
        events.finish();
        let requests = events.requests;
        if let Some(bytes) = bytes {
            tally.session(Session { bytes, requests, subagents: 0 }, "log");
        }
        Ok(())
    }

    /// Sessions of a Claude project: files, and directories with subagents of a session whose file is gone.
    fn project(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        let folder = list(project)?;
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
            if let Some(main) = &main {
                let mut claude = Claude::new(&mut tally.lines, true);
                let Some(bytes) = self.scan(main, true, &mut claude)? else { continue };
                claude.finish();
                (session.bytes, session.requests) = (bytes, claude.requests);
            }
            if main.is_some() || subagents > 0 {
                tally.session(session, "log");
            }
        }
        Ok(())
    }

    fn subagents(&mut self, session: &Path, tally: &mut Tally) -> Result<u64, Error> {
        let files = files_below(&session.join("subagents"))?;
        let mut count = 0;
        for path in files.into_iter().filter(|path| begins(path, "agent-") && ends(path, ".jsonl")) {
            let mut claude = Claude::new(&mut tally.lines, false);
            if let Some(bytes) = self.scan(&path, true, &mut claude)? {
                tally.subagents.push(bytes);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Rollouts: those of each day, and those in the archive.
    fn codex(&mut self, root: &Path, tally: &mut Tally) -> Result<(), Error> {
        let is_rollout = |path: &PathBuf| begins(path, "rollout-");
        for (below, is_archive) in [("archived_sessions", true), ("sessions", false)] {
            let files: BTreeSet<PathBuf> =
                files_below(&root.join(below))?.into_iter().filter(is_rollout).collect();
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
        let mut codex = Codex::new(&mut tally.lines);
        let Some(bytes) = self.scan(path, true, &mut codex)? else { return Ok(false) };
        codex.finish();
        let requests = codex.requests;
        let shape = match (is_archive, codex.is_forked) {
            (true, _) => "archived",
            (false, true) => "forked",
            (false, false) => "plain",
        };
        tally.session(Session { bytes, requests, subagents: 0 }, shape);
        Ok(true)
    }

    /// A rollout of Zstandard: its bytes are those on disk, and its lines those of its content. One that is damaged is not counted.
    fn compressed(&mut self, path: &Path, is_archive: bool, tally: &mut Tally) -> Result<bool, Error> {
        let Some(file) = self.open(path) else { return Ok(false) };
        let bytes = file.input.metadata().map_or(0, |metadata| metadata.len());
        let mut lines = tally.lines.clone();
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
        tally.lines = lines;
        let shape = if is_archive { "archived-compressed" } else { "compressed" };
        tally.session(Session { bytes, requests, subagents: 0 }, shape);
        Ok(true)
    }

    fn gemini(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        let files = list(&project.join("chats"))?.files;
        for path in files.into_iter().filter(|path| begins(path, "session-") && ends(path, ".json")) {
            let mut gemini = Gemini::new(&mut tally.lines);
            let bytes = self.scan(&path, false, &mut gemini)?;
            gemini.finish();
            let requests = gemini.requests;
            if let Some(bytes) = bytes {
                tally.session(Session { bytes, requests, subagents: 0 }, "document");
            }
        }
        Ok(())
    }

    /// Sessions of a project in OpenCode's tree: a session's bytes are those of its messages and parts too.
    fn tree(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        // storage/session/<project>
        let Some(storage) = project.ancestors().nth(2).map(Path::to_path_buf) else { return Ok(()) };
        for path in list(project)?.files.into_iter().filter(|path| ends(path, ".json")) {
            let mut session = Session::default();
            let Some(bytes) = self.scan(&path, false, &mut Piece::new(&mut tally.lines))? else { continue };
            session.bytes = bytes;
            let id = path.file_stem().unwrap_or_default().to_owned();
            let mut calls = None;
            for message in list(&storage.join("message").join(&id))?.files {
                self.message(&message, &storage, &mut session, &mut calls, tally)?;
            }
            calls.into_iter().for_each(|calls| tally.lines.request(calls));
            tally.session(session, "tree");
        }
        Ok(())
    }

    /// A message and its parts; `calls` are those of the open request, if one is.
    fn message(
        &mut self,
        path: &Path,
        storage: &Path,
        session: &mut Session,
        calls: &mut Option<u64>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut message = Piece::new(&mut tally.lines);
        let bytes = self.scan(path, false, &mut message)?;
        let is_user = message.is_user;
        session.bytes += bytes.unwrap_or(0);
        if is_user {
            session.requests += 1;
            calls.replace(0).into_iter().for_each(|calls| tally.lines.request(calls));
        }
        let id: &OsStr = path.file_stem().unwrap_or_default();
        for part in list(&storage.join("part").join(id))?.files {
            let mut piece = Piece::new(&mut tally.lines);
            session.bytes += self.scan(&part, false, &mut piece)?.unwrap_or(0);
            if piece.is_call
                && let Some(calls) = calls
            {
                *calls += 1;
            }
        }
        Ok(())
    }
}

/// A decoder that refuses what needs more memory than every decoder has.
fn bounded<R: BufRead>(mut content: Decoder<'_, R>) -> io::Result<Decoder<'_, R>> {
    content.window_log_max(WINDOW_LOG_MAX)?;
    Ok(content)
}
