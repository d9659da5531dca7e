//! Reads the sessions of one workspace.

use std::io;
use std::path::{Path, PathBuf};

use super::discover::{Layout, Workspace, names};
use super::fingerprint::DEPTH_MAX;
use super::prefetch::Prefetcher;
use super::protocol::{Item, Skipped, Work};
use crate::formats::claude::Conversation;
use crate::formats::source::{Input, ReadError, Reader, Skips};
use crate::formats::{Hold, copilot_cli, vscode};
use crate::session::{Edits, Head, Request, Session};

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
        };
        self.work.bytes = self.reader.bytes_read;
        result
    }

    fn vscode(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        if self.probe_missing && !path.join("events.jsonl").exists() {
            self.skipped.file(&format!("{key}/events.jsonl"), &"no such file");
        }
        let name = describe(&path.join("workspace.json"))
            .and_then(|text| vscode::workspace_name(&text))
            .unwrap_or_else(|| "unknown".into());
        let sessions = path.join("chatSessions");
        let files = names(&sessions, &format!("{key}/chatSessions"), &mut self.skipped);
        for file in &files {
            let Some((stem, is_log)) = session_file(file, &sessions) else {
                continue;
            };
            let file_key = format!("{key}/chatSessions/{file}");
            let Some(input) = self.input(sessions.join(&**file), &file_key, sink)? else {
                continue;
            };
            let mut skips = Skips::default();
            let read = match is_log {
                true => vscode::log(&mut self.reader, input, stem, self.hold, &mut skips),
                false => vscode::document(&mut self.reader, input, stem, self.hold),
            };
            self.deliver(read, &file_key, &skips, workspace, &name, sink)?;
        }
        self.edits(&path.join("chatEditingSessions"), &key, sink)
    }

    fn edits(&mut self, directory: &Path, workspace: &str, sink: &mut dyn Sink) -> io::Result<()> {
        let key = format!("{workspace}/chatEditingSessions");
        for name in names(directory, &key, &mut self.skipped) {
            let path = directory.join(&*name).join("state.json");
            if !path.exists() {
                continue;
            }
            let file_key = format!("{key}/{name}/state.json");
            let Some(input) = self.input(path, &file_key, sink)? else {
                continue;
            };
            match vscode::edit_lines(&mut self.reader, input) {
                Ok(lines) => {
                    if let Some(edits) = Edits::new(workspace, &name, lines) {
                        sink.item(Item::Edits(edits))?;
                    }
                }
                Err(error) => self.skipped.file(&file_key, &error),
            }
        }
        Ok(())
    }

    fn copilot_cli(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        let events = path.join("events.jsonl");
        if events.symlink_metadata().is_err() {
            return Ok(());
        }
        let name = describe(&path.join("workspace.yaml"))
            .and_then(|text| copilot_cli::workspace_name(&String::from_utf8_lossy(&text)))
            .unwrap_or_else(|| "unknown".into());
        let file_key = format!("{key}/events.jsonl");
        let Some(input) = self.input(events, &file_key, sink)? else {
            return Ok(());
        };
        let mut skips = Skips::default();
        let read = copilot_cli::events(&mut self.reader, input, &workspace.name, self.hold, &mut skips);
        self.deliver(read, &file_key, &skips, workspace, &name, sink)
    }

    fn claude(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        let entries = names(&path, &key, &mut self.skipped);
        let mut stems: Vec<&str> = entries
            .iter()
            .filter_map(|name| match name.strip_suffix(".jsonl") {
                Some(stem) => Some(stem),
                None => path.join(&**name).join("subagents").is_dir().then_some(&**name),
            })
            .collect();
        stems.sort_unstable();
        stems.dedup();
        for stem in stems {
            self.conversation(workspace, &path, &key, stem, sink)?;
        }
        Ok(())
    }

    fn conversation(
        &mut self,
        workspace: &Workspace,
        path: &Path,
        key: &str,
        stem: &str,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let mut conversation = Conversation::new(self.hold);
        let main = format!("{stem}.jsonl");
        // Also a link that leads nowhere: it is named then.
        if path.join(&main).symlink_metadata().is_ok() {
            self.claude_file(&mut conversation, path.join(&main), &format!("{key}/{main}"), true, sink)?;
        }
        let mut agents = Vec::new();
        let below = format!("{stem}/subagents");
        agent_files(&path.join(&below), &format!("{key}/{below}"), DEPTH_MAX, &mut self.skipped, &mut agents);
        for (agent, agent_key) in agents {
            self.claude_file(&mut conversation, agent, &agent_key, false, sink)?;
        }
        let (head, name, requests) = conversation.finish(stem, &workspace.name);
        self.session(head, requests, workspace, &name, sink)
    }

    fn claude_file(
        &mut self,
        conversation: &mut Conversation,
        path: PathBuf,
        key: &str,
        is_main: bool,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let Some(input) = self.input(path, key, sink)? else {
            return Ok(());
        };
        let mut skips = Skips::default();
        let read = conversation.read(&mut self.reader, input, is_main, &mut skips);
        self.note(key, &skips);
        if let Err(error) = read {
            self.skipped.file(key, &error);
        }
        Ok(())
    }

    /// A file's content or path, unless it is to be avoided or is no file.
    fn input(&mut self, path: PathBuf, key: &str, sink: &mut dyn Sink) -> io::Result<Option<Input>> {
        if self.avoid.iter().any(|avoided| **avoided == *key) {
            self.skipped.file(key, &"reading it ended the worker twice");
            return Ok(None);
        }
        sink.file(key)?;
        // A pipe or device of that name would be waited for. What cannot be looked at fails where it is opened.
        if let Ok(metadata) = std::fs::metadata(&path)
            && !metadata.is_file()
        {
            self.skipped
                .file(key, &if metadata.is_dir() { "it is a directory" } else { "it is not a regular file" });
            return Ok(None);
        }
        self.work.files += 1;
        Ok(Some(match self.prefetched.take(&path) {
            Some(bytes) => Input::Held(bytes),
            None => Input::Path(path),
        }))
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
                self.skipped.file(key, &error);
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
            name: name.into(),
            ..head
        };
        sink.item(Item::Session(Session { head, requests }))
    }
}

/// A small file, whole.
fn describe(path: &Path) -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= DESCRIPTION_BYTES_MAX).then(|| std::fs::read(path).ok())?
}

/// The stem of a session file, and whether it is an append log; none when it is something else, or a log of the same stem
/// stands beside it.
fn session_file<'a>(name: &'a str, directory: &Path) -> Option<(&'a str, bool)> {
    if let Some(stem) = name.strip_suffix(".jsonl") {
        return Some((stem, true));
    }
    let stem = name.strip_suffix(".json")?;
    (!directory.join(format!("{stem}.jsonl")).is_file()).then_some((stem, false))
}

/// Every `agent-*.jsonl` below a directory, in order of the paths.
fn agent_files(
    directory: &Path,
    key: &str,
    depth: usize,
    skipped: &mut Skipped,
    found: &mut Vec<(PathBuf, String)>,
) {
    for name in names(directory, key, skipped) {
        let (path, key) = (directory.join(&*name), format!("{key}/{name}"));
        if path.is_dir() {
            if depth > 0 && !path.is_symlink() {
                agent_files(&path, &key, depth - 1, skipped, found);
            }
        } else if name.starts_with("agent-") && name.ends_with(".jsonl") {
            found.push((path, key));
        }
    }
}
