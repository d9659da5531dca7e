//! What a corpus consists of, decided before anything is written.

mod adversarial;
mod codex;
mod further;
mod growth;
mod item;
mod others;
mod own;
mod pathological;
mod quirk;
mod scaled;
mod smoke;
mod steady;
mod wide;

pub(crate) use item::{Item, Small};
pub(crate) use quirk::Quirk;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::claude::Claude;
use crate::cli::Cli;
use crate::dice::Dice;
use crate::page::Id;
use crate::profile::{Profile, Spec};
use crate::shard::Shard;
use crate::size::Size;
use crate::vscode::{Chat, Editing, Shape};

/// The roots below the home directory with their harness labels, in visiting order.
pub(crate) const ROOTS: [(&str, &str); 9] = [
    (".config/Code/User/workspaceStorage", "Local Agent"),
    (".config/Code - Insiders/User/workspaceStorage", "Local Agent (Insiders)"),
    (".copilot/session-state", "GitHub Copilot CLI"),
    (".claude/projects", "Claude"),
    (".codex", "Codex"),
    (".gemini/tmp", "Gemini"),
    (".local/share/opencode/storage/session", "OpenCode"),
    (".local/share/opencode", "OpenCode"),
    (".local/share/kilo", "Kilo"),
];

/// [`ROOTS`] of VS Code.
pub(crate) const CODE: usize = 0;
/// [`ROOTS`] of VS Code Insiders.
const INSIDERS: usize = 1;
/// [`ROOTS`] of Copilot CLI.
pub(crate) const CLI: usize = 2;
/// [`ROOTS`] of Claude Code.
pub(crate) const CLAUDE: usize = 3;
/// [`ROOTS`] of Codex CLI.
pub(crate) const CODEX: usize = 4;
/// [`ROOTS`] of Gemini CLI.
pub(crate) const GEMINI: usize = 5;
/// [`ROOTS`] of OpenCode's files.
pub(crate) const OPENCODE_TREE: usize = 6;
/// [`ROOTS`] of OpenCode's database.
const OPENCODE: usize = 7;
/// [`ROOTS`] of Kilo.
pub(crate) const KILO: usize = 8;

/// All of a corpus.
pub(crate) struct Plan {
    /// Largest first, so that threads end together.
    pub(crate) items: Vec<Item>,
    /// Workspace directories of the whole corpus.
    pub(crate) workspaces: u64,
    /// Files.
    pub(crate) files: u64,
    /// Bytes, estimated.
    pub(crate) bytes: u64,
}

impl Plan {
    /// Plans the corpus of a spec.
    pub(crate) fn new(spec: &Spec) -> Self {
        let mut draft = Draft::new(spec);
        match &spec.profile {
            Profile::Smoke => draft.smoke(),
            Profile::Steady => draft.steady(),
            Profile::Laptop => draft.laptop(),
            Profile::Heavy => draft.heavy(),
            Profile::Own(own) => draft.own(&own.recipe),
            Profile::Wide => draft.wide(),
            Profile::Pathological => draft.pathological(),
            Profile::Adversarial => draft.adversarial(),
            Profile::Growth => drop(draft.growing(0)),
        }
        draft.planned()
    }

    fn of(items: Vec<Item>, workspaces: u64) -> Self {
        let (files, bytes) =
            (items.iter().map(Item::files).sum(), items.iter().map(Item::bytes).fold(0, u64::saturating_add));
        Plan { items, workspaces, files, bytes }
    }

    /// What belongs to a shard. As the largest items come first, shards have about the same size.
    pub(crate) fn part(self, shard: Option<Shard>) -> Self {
        let Some(shard) = shard else { return self };
        let items = self.items.into_iter().enumerate().filter(|(place, _)| shard.has(*place));
        Plan::of(items.map(|(_, item)| item).collect(), self.workspaces)
    }

    /// What is left to write.
    pub(crate) fn without(self, done: &HashSet<String>) -> Self {
        let left = self.items.into_iter().filter(|item| !done.contains(&item.path()));
        Plan::of(left.collect(), self.workspaces)
    }
}

impl Draft {
    /// A draft in which nothing stands.
    pub(crate) fn new(spec: &Spec) -> Self {
        Draft {
            spec: spec.clone(),
            dice: Dice::new(spec, "plan"),
            items: Vec::new(),
            workspaces: BTreeSet::new(),
        }
    }

    /// The plan of everything that stands in the draft.
    pub(crate) fn planned(self) -> Plan {
        let Draft { mut items, workspaces, .. } = self;
        items.sort_by_key(|item| Reverse(item.bytes()));
        // The paths of all items at once would take as much as the items themselves.
        for equals in items.chunk_by_mut(|a, b| a.bytes() == b.bytes()) {
            equals.sort_by_cached_key(Item::path);
        }
        Plan::of(items, workspaces.len() as u64)
    }
}

/// A plan in the making.
pub(crate) struct Draft {
    spec: Spec,
    dice: Dice,
    pub(crate) items: Vec<Item>,
    workspaces: BTreeSet<(usize, String)>,
}

/// A workspace directory of VS Code.
#[derive(Clone, Debug)]
struct Workspace {
    root: usize,
    directory: Arc<str>,
    name: Arc<str>,
}

/// The forms of `workspace.json`.
#[derive(Clone, Copy, Debug)]
enum Uri {
    Folder,
    /// A `.code-workspace` file.
    File,
    /// On another machine.
    Remote,
    /// A window without a folder: no `workspace.json`.
    Window,
    /// A name beyond ASCII, percent-encoded.
    Encoded,
}

impl Draft {
    /// Adds a workspace directory of VS Code and its `workspace.json`.
    fn workspace(&mut self, root: usize, uri: Uri) -> Workspace {
        let id = self.dice.id();
        let number = self.workspaces.len();
        let plain = format!("project-{number}");
        let (key, uri, name, directory) = match uri {
            Uri::Folder => ("folder", format!("file:///home/dev/{plain}"), plain, id.hex()),
            Uri::File => {
                let name = format!("{plain}.code-workspace");
                ("workspace", format!("file:///home/dev/{name}"), name, id.hex())
            }
            Uri::Remote => {
                ("folder", format!("vscode-remote://wsl%2Bubuntu/home/dev/{plain}"), plain, id.hex())
            }
            Uri::Encoded => {
                let name = format!("提案 {number}");
                ("folder", format!("file:///home/dev/{}", percent_encoded(&name)), name, id.hex())
            }
            Uri::Window => (
                "",
                String::new(),
                "unknown".to_owned(),
                (1_735_689_600_000 + self.dice.between(0, 1 << 35)).to_string(),
            ),
        };
        if key.is_empty() {
            // The directory exists all the same: Copilot keeps its index of the files there.
            let path = format!("{}/{directory}/GitHub.copilot-chat/workspace-chunks.json", ROOTS[root].0);
            self.items.push(Item::File(
                Small { path, content: "{\"entries\":{}}".to_owned(), kind: "document" }.into(),
            ));
        } else {
            self.workspace_file(root, &directory, &format!("{{\"{key}\":\"{uri}\"}}"));
        }
        let shared = Workspace { root, directory: directory.as_str().into(), name: name.into() };
        self.workspaces.insert((root, directory));
        shared
    }

    fn workspace_file(&mut self, root: usize, directory: &str, content: &str) {
        let path = format!("{}/{directory}/workspace.json", ROOTS[root].0);
        self.items.push(Item::File(Small { path, content: content.to_owned(), kind: "document" }.into()));
    }

    /// The same workspace opened in another product: the same hash.
    fn workspace_again(&mut self, workspace: &Workspace, root: usize) -> Workspace {
        self.workspace_file(
            root,
            &workspace.directory,
            &format!("{{\"folder\":\"file:///home/dev/{}\"}}", workspace.name),
        );
        self.workspaces.insert((root, workspace.directory.to_string()));
        Workspace { root, ..workspace.clone() }
    }

    /// A chat session without quirks, not yet added.
    fn chat(&mut self, workspace: &Workspace, shape: Shape, requests: u64) -> Chat {
        Chat {
            root: workspace.root,
            directory: Arc::clone(&workspace.directory),
            name: Arc::clone(&workspace.name),
            id: self.dice.id(),
            origin: None,
            shape,
            requests,
            size: Size::Free,
            images: 0,
            editing: Editing::None,
            superseded: false,
            storm: 0,
            quirks: BTreeSet::new(),
        }
    }

    /// A Copilot CLI session without quirks, not yet added.
    fn cli(&mut self, requests: u64) -> Cli {
        let directory = self.dice.id().to_string();
        self.workspaces.insert((CLI, directory.clone()));
        let cwd = Some(format!("/home/dev/project-{}", self.dice.below(40)));
        Cli { root: CLI, directory, cwd, requests, size: Size::Free, quirks: BTreeSet::new() }
    }

    /// A Claude session without quirks, not yet added.
    fn claude(&mut self, cwd: &str, requests: u64) -> Claude {
        let directory: String =
            cwd.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.workspaces.insert((CLAUDE, directory.clone()));
        Claude {
            root: CLAUDE,
            directory,
            cwd: cwd.to_owned(),
            stem: self.dice.id().to_string(),
            requests,
            subagents: Vec::new(),
            subagent_bytes: Vec::new(),
            size: Size::Free,
            images: 0,
            resumes: None,
            quirks: BTreeSet::new(),
        }
    }

    /// Paths of so many subagents below `subagents`, in reading order; every eighth belongs to a workflow.
    fn subagents(&mut self, count: u32) -> Vec<String> {
        let name = |id: Id| format!("agent-{}.jsonl", &id.hex()[..17]);
        let mut paths: Vec<String> = Vec::new();
        for i in 0..count {
            let file = name(self.dice.id());
            paths.push(if i % 8 == 7 { format!("workflows/wf_{}/{file}", i / 8) } else { file });
        }
        paths.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        paths
    }
}

/// A name with every byte but ASCII letters and digits percent-encoded.
pub(crate) fn percent_encoded(name: &str) -> String {
    name.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tens of thousands of chats are held until the index of their workspace is written.
    #[test]
    fn an_item_takes_the_room_of_a_pointer_and_a_chat_little_more_than_its_own_numbers() {
        assert_eq!(size_of::<Item>(), 2 * size_of::<usize>());
        assert!(size_of::<Chat>() <= 160, "{} bytes", size_of::<Chat>());
        let mut draft = Draft::new(&Spec { profile: Profile::Heavy, scale: 0.0005, seed: 1 });
        let workspace = draft.workspace(CODE, Uri::Folder);
        let [first, second] = [1, 2].map(|requests| draft.chat(&workspace, Shape::Log, requests));
        assert!(Arc::ptr_eq(&first.directory, &second.directory) && Arc::ptr_eq(&first.name, &second.name));
        assert_eq!(first.origin, None);
    }
}
