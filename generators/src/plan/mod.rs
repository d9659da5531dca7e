//! What a corpus consists of, decided before anything is written.

mod adversarial;
mod codex;
mod further;
mod growth;
mod others;
mod own;
mod pathological;
mod scaled;
mod smoke;
mod steady;
mod wide;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::adversarial::Hostile;
use crate::adversarial::kilo::Damaged;
use crate::claude::Claude;
use crate::cli::Cli;
use crate::codex::Codex;
use crate::dice::Dice;
use crate::gemini::Gemini;
use crate::opencode::{Database, OpenCode};
use crate::page::Id;
use crate::profile::{Profile, Spec};
use crate::shard::Shard;
use crate::size::Size;
use crate::vscode::{Chat, Editing, Index, Shape};

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

/// Bytes of an ordinary request, by format: for the estimate and to fit a corpus to its scale. H, of this generator.
const CHAT_REQUEST_BYTES: u64 = 29_500;
/// See [`CHAT_REQUEST_BYTES`].
const CLI_REQUEST_BYTES: u64 = 34_500;
/// See [`CHAT_REQUEST_BYTES`].
const CLAUDE_REQUEST_BYTES: u64 = 54_000;
/// See [`CHAT_REQUEST_BYTES`].
const SUBAGENT_BYTES: u64 = 62_000;
/// See [`CHAT_REQUEST_BYTES`].
const GEMINI_REQUEST_BYTES: u64 = 20_000;
/// See [`CHAT_REQUEST_BYTES`].
const OPENCODE_REQUEST_BYTES: u64 = 120_000;
/// Files of an ordinary request of OpenCode, where every record is one. H, of this generator.
const OPENCODE_REQUEST_FILES: u64 = 50;

/// What breaks readers, or is seldom enough that a corpus must be made to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quirk {
    /// A `\ud83d` without its partner.
    LoneSurrogate,
    /// A raw U+2028.
    LineSeparator,
    /// The last line was not written to its end.
    Torn,
    /// Times that go back.
    OutOfOrder,
    /// Lines written again under the same uuid.
    Rewritten,
    /// A tool's result before its call.
    ResultFirst,
    /// Lines or operations that must be skipped.
    BadOperation,
    /// An append log that does not begin with a state.
    NoFirstState,
    /// Every type of line beside the conversation, also unknown ones.
    UnknownTypes,
    /// A code block that the text's end closes.
    OpenBlock,
    /// More languages in a text than a reader tells apart.
    ManyLanguages,
    /// A request deleted from the array: a null stays.
    DeletedRequest,
    /// A request cut off again.
    DroppedRequest,
    /// Every kind of response part and every tool.
    EveryPart,
    /// A gateway that gives every response the same id.
    Gateway,
    /// Times as numbers.
    NumericTime,
    /// A session that does not say its id.
    NoSessionId,
    /// A prompt that nothing answers.
    Unanswered,
    /// The same session in two workspaces.
    Copied,
    /// A copy of another session's beginning.
    Resumed,
    /// More than one record that begins a session, in one file.
    SeveralMetas,
    /// A result of which the model saw the beginning, and the line holds the whole.
    PersistedOutput,
    /// Images of a whole screen, a dictionary of bytes each.
    ByteDictionary,
    /// Thousands of entries that append to one array and cut it off.
    EntryStorm,
}

impl Quirk {
    /// The name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Quirk::LoneSurrogate => "lone-surrogate",
            Quirk::LineSeparator => "line-separator",
            Quirk::Torn => "torn",
            Quirk::OutOfOrder => "out-of-order",
            Quirk::Rewritten => "rewritten",
            Quirk::ResultFirst => "result-first",
            Quirk::BadOperation => "bad-operation",
            Quirk::NoFirstState => "no-first-state",
            Quirk::UnknownTypes => "unknown-types",
            Quirk::OpenBlock => "open-block",
            Quirk::ManyLanguages => "many-languages",
            Quirk::DeletedRequest => "deleted-request",
            Quirk::DroppedRequest => "dropped-request",
            Quirk::EveryPart => "every-part",
            Quirk::Gateway => "gateway",
            Quirk::NumericTime => "numeric-time",
            Quirk::NoSessionId => "no-session-id",
            Quirk::Unanswered => "unanswered",
            Quirk::Copied => "copied",
            Quirk::Resumed => "resumed",
            Quirk::SeveralMetas => "several-metas",
            Quirk::PersistedOutput => "persisted-output",
            Quirk::ByteDictionary => "byte-dictionary",
            Quirk::EntryStorm => "entry-storm",
        }
    }
}

/// A file with a fixed content.
#[derive(Clone, Debug)]
pub(crate) struct Small {
    pub(crate) path: String,
    pub(crate) content: String,
    pub(crate) kind: &'static str,
}

/// What one thread writes in one go. A plan has tens of thousands, and is held while the first of them are written: none takes the
/// room of the largest kind.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    File(Box<Small>),
    /// Shared with the index of its workspace.
    Chat(Arc<Chat>),
    Cli(Box<Cli>),
    Claude(Box<Claude>),
    /// Shared with its forks.
    Codex(Arc<Codex>),
    Gemini(Box<Gemini>),
    OpenCode(Box<OpenCode>),
    Database(Box<Database>),
    Index(Box<Index>),
    Hostile(Box<Hostile>),
    Damaged(Box<Damaged>),
}

impl Item {
    /// Its (main) file.
    pub(crate) fn path(&self) -> String {
        match self {
            Item::File(file) => file.path.clone(),
            Item::Chat(chat) => chat.path(),
            Item::Cli(session) => session.path(),
            Item::Claude(session) => session.path(),
            Item::Codex(session) => session.path(),
            Item::Gemini(session) => session.path(),
            Item::OpenCode(session) => session.path(),
            Item::Database(database) => database.path(),
            Item::Index(index) => index.path(),
            Item::Hostile(hostile) => hostile.path.clone(),
            Item::Damaged(_) => Damaged::path(),
        }
    }

    fn files(&self) -> u64 {
        match self {
            Item::File(_) | Item::Database(_) | Item::Index(_) | Item::Hostile(_) | Item::Damaged(_) => 1,
            Item::Chat(chat) => 1 + u64::from(chat.superseded) + u64::from(chat.editing != Editing::None),
            Item::Cli(session) => 1 + u64::from(session.cwd.is_some()),
            Item::Claude(session) => u64::from(session.has_main()) + 2 * session.subagents.len() as u64,
            Item::Codex(_) => 1,
            Item::Gemini(session) => 1 + u64::from(session.logs),
            Item::OpenCode(session) => 2 + session.requests * OPENCODE_REQUEST_FILES,
        }
    }

    /// Bytes, estimated.
    fn bytes(&self) -> u64 {
        match self {
            Item::File(file) => file.content.len() as u64,
            Item::Chat(chat) => chat.size.estimate(chat.requests * CHAT_REQUEST_BYTES + chat.images * 90_000),
            Item::Cli(session) => session.size.estimate(session.requests * CLI_REQUEST_BYTES),
            Item::Claude(session) => {
                session.size.estimate(session.requests * CLAUDE_REQUEST_BYTES)
                    + session.subagent_bytes.iter().sum::<u64>()
                    + (session.subagents.len() - session.subagent_bytes.len()) as u64 * SUBAGENT_BYTES
            }
            Item::Codex(session) => session.estimate(),
            Item::Gemini(session) => {
                session.size.estimate(session.requests * GEMINI_REQUEST_BYTES + session.images * 16_000)
            }
            Item::OpenCode(session) => opencode_bytes(session),
            Item::Database(database) => database.sessions.iter().map(opencode_bytes).sum::<u64>() + 65_536,
            Item::Index(index) => 16_384 + 400 * index.chats.len() as u64,
            Item::Hostile(hostile) => hostile.bytes(),
            Item::Damaged(damaged) => damaged.bytes(),
        }
    }
}

/// Bytes of a session of OpenCode in either store, estimated.
fn opencode_bytes(session: &OpenCode) -> u64 {
    session.size.estimate(session.requests * OPENCODE_REQUEST_BYTES + session.images * 16_000)
}

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
