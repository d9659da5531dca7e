//! What one thread writes in one go, and about how much that is.

use std::sync::Arc;

use crate::adversarial::Hostile;
use crate::adversarial::kilo::Damaged;
use crate::claude::Claude;
use crate::cli::Cli;
use crate::codex::Codex;
use crate::gemini::Gemini;
use crate::opencode::{Database, OpenCode};
use crate::vscode::{Chat, Editing, Index};

/// Bytes of an ordinary request, by format: for the estimate and to fit a corpus to its scale. H, of this generator.
pub(super) const CHAT_REQUEST_BYTES: u64 = 29_500;
/// See [`CHAT_REQUEST_BYTES`].
pub(super) const CLI_REQUEST_BYTES: u64 = 34_500;
/// See [`CHAT_REQUEST_BYTES`].
pub(super) const CLAUDE_REQUEST_BYTES: u64 = 54_000;
/// See [`CHAT_REQUEST_BYTES`].
pub(super) const SUBAGENT_BYTES: u64 = 62_000;
/// See [`CHAT_REQUEST_BYTES`].
const GEMINI_REQUEST_BYTES: u64 = 20_000;
/// See [`CHAT_REQUEST_BYTES`].
const OPENCODE_REQUEST_BYTES: u64 = 120_000;
/// Files of an ordinary request of OpenCode, where every record is one. H, of this generator.
const OPENCODE_REQUEST_FILES: u64 = 50;

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

    pub(super) fn files(&self) -> u64 {
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
    pub(super) fn bytes(&self) -> u64 {
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
