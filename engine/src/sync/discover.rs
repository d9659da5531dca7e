//! Where each tool keeps its sessions, and which directories hold a workspace.

use std::io;
use std::path::{Path, PathBuf};

use super::protocol::Skipped;
use crate::formats::source::is_passing;

/// How sessions lie below a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// VS Code's `workspaceStorage`.
    VsCode,
    /// Copilot CLI's `session-state`.
    CopilotCli,
    /// Claude Code's `projects`.
    Claude,
    /// Codex CLI's home.
    Codex,
    /// Gemini CLI's `tmp`.
    Gemini,
    /// OpenCode's older storage: a file for each session, message and part.
    Tree,
    /// The folder of a database, which is called like it: OpenCode's newer storage, and Kilo's.
    Database,
}

/// A directory below home that may hold workspaces, or a database.
#[derive(Debug, PartialEq, Eq)]
pub struct Root {
    /// Its path below home.
    pub path: &'static str,
    /// What it holds.
    pub layout: Layout,
    /// The tool that writes it.
    pub harness: &'static str,
}

macro_rules! roots {
    ($($path:literal $layout:ident $harness:literal,)*) => {
        &[$(Root { path: $path, layout: Layout::$layout, harness: $harness },)*]
    };
}

/// Every root that is looked for, in visiting order (`docs/answer.md`, section 2).
pub const ROOTS: &[Root] = roots![
    ".config/Code/User/workspaceStorage" VsCode "Local Agent",
    ".config/Code - Insiders/User/workspaceStorage" VsCode "Local Agent (Insiders)",
    ".config/VSCodium/User/workspaceStorage" VsCode "Local Agent (VSCodium)",
    "Library/Application Support/Code/User/workspaceStorage" VsCode "Local Agent",
    "Library/Application Support/Code - Insiders/User/workspaceStorage" VsCode "Local Agent (Insiders)",
    "Library/Application Support/VSCodium/User/workspaceStorage" VsCode "Local Agent (VSCodium)",
    "AppData/Roaming/Code/User/workspaceStorage" VsCode "Local Agent",
    "AppData/Roaming/Code - Insiders/User/workspaceStorage" VsCode "Local Agent (Insiders)",
    "AppData/Roaming/VSCodium/User/workspaceStorage" VsCode "Local Agent (VSCodium)",
    ".vscode-server/data/User/workspaceStorage" VsCode "Local Agent (Server)",
    ".vscode-server-insiders/data/User/workspaceStorage" VsCode "Local Agent (Server Insiders)",
    ".copilot/session-state" CopilotCli "GitHub Copilot CLI",
    ".copilot/history-session-state" CopilotCli "GitHub Copilot CLI",
    ".claude/projects" Claude "Claude",
    ".codex" Codex "Codex",
    ".gemini/tmp" Gemini "Gemini",
    ".local/share/opencode/storage/session" Tree "OpenCode",
    ".local/share/opencode" Database "OpenCode",
    ".local/share/kilo" Database "Kilo",
];

/// Where OpenCode's database is. Where it is, the tool has moved into it what stood in the tree.
const TREE_SUCCESSOR: &str = ".local/share/opencode/opencode.db";
/// Levels of directories below Codex's `sessions`: year, month and day.
const DATE_LEVELS: usize = 3;

/// A directory that holds sessions, or a database of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The root it lies in.
    pub root: &'static Root,
    /// Its name there.
    pub name: Box<str>,
}

impl Workspace {
    /// Its path below home: what tells it from every other workspace.
    pub fn key(&self) -> String {
        format!("{}/{}", self.root.path, self.name)
    }

    /// Its path.
    pub fn path(&self, home: &Path) -> PathBuf {
        home.join(self.root.path).join(&*self.name)
    }

    /// The folder beside its root, where a tree has the messages and parts of all workspaces.
    pub fn storage(&self, home: &Path) -> PathBuf {
        home.join(self.storage_key())
    }

    /// The path of that folder below home.
    pub fn storage_key(&self) -> &'static str {
        self.root.path.rsplit_once('/').map_or("", |(storage, _)| storage)
    }
}

/// All workspaces below home, in visiting order. Roots that do not exist are passed over.
pub fn workspaces(home: &Path, skipped: &mut Skipped) -> Vec<Workspace> {
    let mut found = Vec::new();
    for root in ROOTS {
        let path = home.join(root.path);
        let names = match root.layout {
            Layout::Codex => days(&path, root.path, skipped),
            Layout::Tree if home.join(TREE_SUCCESSOR).is_file() => Vec::new(),
            Layout::Database => database(&path),
            _ => directories(&path, root.path, skipped),
        };
        found.extend(names.into_iter().map(|name| Workspace { root, name }));
    }
    found
}

/// The directories in a directory, by name.
fn directories(path: &Path, key: &str, skipped: &mut Skipped) -> Vec<Box<str>> {
    let mut names = names(path, key, skipped);
    names.retain(|name| path.join(&**name).is_dir());
    names
}

/// Where Codex puts its rollouts: a directory a day, the directory in which all days are, and the one of those that were archived.
fn days(path: &Path, key: &str, skipped: &mut Skipped) -> Vec<Box<str>> {
    let flat = ["archived_sessions", "sessions"];
    let mut found: Vec<Box<str>> =
        flat.into_iter().filter(|name| path.join(name).is_dir()).map(Into::into).collect();
    let mut level = vec![Box::from("sessions")];
    for depth in 0..DATE_LEVELS {
        let mut below = Vec::new();
        for above in level {
            let directory = path.join(&*above);
            // The first directory is a workspace itself: what cannot be read of it is counted there.
            let mut counted_elsewhere = Skipped::default();
            let skipped = if depth == 0 { &mut counted_elsewhere } else { &mut *skipped };
            let mut names = directories(&directory, &format!("{key}/{above}"), skipped);
            // A link could lead to a directory that is visited anyway, or to one above it.
            names.retain(|name| !directory.join(&**name).is_symlink());
            let dated = names.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
            below.extend(dated.map(|name| Box::from(format!("{above}/{name}"))));
        }
        level = below;
    }
    found.append(&mut level);
    found.sort_unstable();
    found
}

/// The database of a folder: `opencode.db` of `opencode`.
fn database(path: &Path) -> Vec<Box<str>> {
    let name = path.file_name().map(|name| format!("{}.db", name.to_string_lossy()));
    name.filter(|name| path.join(name).is_file()).map(Into::into).into_iter().collect()
}

/// The id that a file of a tree has its name from; none when it is called otherwise, or when a folder of that name would be another one.
pub fn record_id(name: &str) -> Option<&str> {
    name.strip_suffix(".json").filter(|id| !matches!(*id, "" | "." | ".."))
}

/// The names in a directory, sorted by their bytes; none when it does not exist. What cannot be read is skipped, counted
/// and named.
pub fn names(directory: &Path, key: &str, skipped: &mut Skipped) -> Vec<Box<str>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Vec::new();
        }
        Err(error) => {
            skipped.passing += u64::from(is_passing(error.kind()));
            skipped.file(key, &error);
            return Vec::new();
        }
    };
    let mut names: Vec<Box<str>> = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(name)) => names.push(name.into()),
            Ok(Err(name)) => {
                skipped.file(&format!("{key}/{}", name.to_string_lossy()), &"its name is not UTF-8");
            }
            Err(error) => {
                skipped.passing += u64::from(is_passing(error.kind()));
                skipped.file(key, &error);
            }
        }
    }
    names.sort_unstable();
    names
}
