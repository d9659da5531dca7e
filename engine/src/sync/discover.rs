//! Where each tool keeps its sessions, and which directories hold a workspace.

use std::io;
use std::path::{Path, PathBuf};

use super::protocol::Skipped;

/// How sessions lie below a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// VS Code's `workspaceStorage`.
    VsCode,
    /// Copilot CLI's `session-state`.
    CopilotCli,
    /// Claude Code's `projects`.
    Claude,
}

/// A directory below home that may hold workspaces.
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
];

/// A directory that holds sessions.
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
}

/// All workspaces below home, in visiting order. Roots that do not exist are passed over.
pub fn workspaces(home: &Path, skipped: &mut Skipped) -> Vec<Workspace> {
    let mut found = Vec::new();
    for root in ROOTS {
        let path = home.join(root.path);
        let names = names(&path, root.path, skipped);
        found.extend(
            names.into_iter().filter(|name| path.join(&**name).is_dir()).map(|name| Workspace { root, name }),
        );
    }
    found
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
            Err(error) => skipped.file(key, &error),
        }
    }
    names.sort_unstable();
    names
}
