//! Sessions of Gemini CLI, OpenCode and Kilo, and what VS Code lists of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::gemini::Gemini;
use crate::opencode::{Database, Ids, OpenCode, Project};
use crate::plan::{Draft, GEMINI, Item, KILO, OPENCODE_TREE};
use crate::size::Size;
use crate::vscode::{Chat, Index};

impl Draft {
    /// The indices of all workspaces of VS Code with chats so far, not yet added.
    pub(super) fn indices(&self) -> Vec<Index> {
        let mut workspaces: BTreeMap<(usize, &str), Vec<Arc<Chat>>> = BTreeMap::new();
        for item in &self.items {
            if let Item::Chat(chat) = item {
                workspaces.entry((chat.root, &chat.directory)).or_default().push(Arc::clone(chat));
            }
        }
        let index = |((root, directory), chats): ((usize, &str), Vec<Arc<Chat>>)| Index {
            root,
            directory: directory.to_owned(),
            chats,
        };
        workspaces.into_iter().map(index).collect()
    }

    /// A Gemini session of the project in a directory, without quirks, not yet added.
    pub(super) fn gemini(&mut self, cwd: &str, requests: u64) -> Gemini {
        let directory = blake3::hash(cwd.as_bytes()).to_hex().to_string();
        let logs = self.workspaces.insert((GEMINI, directory.clone()));
        Gemini {
            root: GEMINI,
            directory,
            id: self.dice.id().to_string(),
            start: self.day(),
            requests,
            size: Size::Free,
            images: 0,
            logs,
            quirks: BTreeSet::new(),
        }
    }

    /// A repository that OpenCode or Kilo works in.
    pub(super) fn project(&mut self, worktree: &str) -> Project {
        let id = blake3::hash(worktree.as_bytes()).to_hex()[..40].to_owned();
        Project { id, worktree: worktree.to_owned(), created: self.day() }
    }

    /// A session of OpenCode's files, without quirks, not yet added.
    pub(super) fn opencode(&mut self, project: &Project, requests: u64) -> OpenCode {
        let opens_project = self.workspaces.insert((OPENCODE_TREE, project.id.clone()));
        OpenCode { opens_project, ..self.opencode_session(OPENCODE_TREE, project, requests) }
    }

    /// The database of OpenCode or Kilo, still empty and not yet added. OpenCode has this or its files.
    pub(super) fn database(&mut self, root: usize) -> Database {
        let file = if root == KILO { "kilo.db" } else { "opencode.db" };
        self.workspaces.insert((root, file.to_owned()));
        Database { root, file, sessions: Vec::new() }
    }

    /// A session of OpenCode or Kilo without quirks, not yet added.
    pub(super) fn opencode_session(&mut self, root: usize, project: &Project, requests: u64) -> OpenCode {
        // Ids hold 36 bits of the time, which begin anew in August 2026: no session comes near it.
        let start = project.created + self.dice.between(0, 14 * 86_400_000);
        OpenCode {
            root,
            project: project.clone(),
            opens_project: false,
            // The newest session comes first.
            id: Ids::text("ses", !Ids::tick(start), &mut self.dice),
            parent: None,
            start,
            requests,
            size: Size::Free,
            images: 0,
            quirks: BTreeSet::new(),
        }
    }

    /// A time within 2025 and 2026, ms since 1970.
    fn day(&mut self) -> u64 {
        1_735_689_600_000 + self.dice.between(0, 540 * 86_400_000)
    }
}
