//! The wide profile: tens of thousands of small files, where the file system and the bookkeeping weigh more than the bytes.

use crate::dice::LogNormal;
use crate::plan::{CODE, Draft, Item, Uri, Workspace};
use crate::size::Size;
use crate::vscode::Shape;

/// Claude sessions at scale 1. S: 107,692 files, of which 106,699 below 15 KB.
const CLAUDE_SESSIONS: f64 = 50_000.0;
/// Claude projects; S: per-project counts of 529 and 1,166 sessions, and more.
const PROJECTS: u64 = 3;
/// Copilot CLI sessions at scale 1. S: 10,313 directories.
const CLI_SESSIONS: f64 = 10_000.0;
/// Workspace directories at scale 1; how many of them have chats, and sessions in these. S: 2,643, 28 and 42.
const WORKSPACES: f64 = 2_600.0;
/// See [`WORKSPACES`].
const WORKSPACES_WITH_CHATS: f64 = 28.0;
/// See [`WORKSPACES`].
const CHATS: f64 = 42.0;

/// Bytes of a Claude session. F: 7 KB on average.
const CLAUDE_BYTES: LogNormal = LogNormal { median: 6_200.0, sigma: 0.5 };
/// Bytes of a Copilot CLI session. A.
const CLI_BYTES: LogNormal = LogNormal { median: 7_500.0, sigma: 0.6 };
/// No session is larger or smaller. S: 15 KB.
const BYTES_MAX: u64 = 15_000;
/// See [`BYTES_MAX`].
const BYTES_MIN: u64 = 2_000;

impl Draft {
    pub(super) fn wide(&mut self) {
        let scale = self.spec.scale;
        let count = |at_one: f64| ((at_one * scale).round() as u64).max(1);
        for i in 0..count(CLAUDE_SESSIONS).max(PROJECTS) {
            let mut session = self.claude(&format!("/home/dev/wide-{}", i % PROJECTS), 1);
            session.size = self.small(CLAUDE_BYTES);
            self.items.push(Item::Claude(session.into()));
        }
        for _ in 0..count(CLI_SESSIONS) {
            let mut session = self.cli(1);
            session.size = self.small(CLI_BYTES);
            self.items.push(Item::Cli(session.into()));
        }
        let workspaces: Vec<Workspace> =
            (0..count(WORKSPACES)).map(|_| self.workspace(CODE, Uri::Folder)).collect();
        let with_chats = count(WORKSPACES_WITH_CHATS) as usize;
        for i in 0..(count(CHATS) as usize).max(with_chats) {
            let shape = if i % 3 == 2 { Shape::V3 } else { Shape::Log };
            let requests = 1 + self.dice.between(0, 3);
            let chat = self.chat(&workspaces[i % with_chats], shape, requests);
            self.items.push(Item::Chat(chat.into()));
        }
    }

    fn small(&mut self, law: LogNormal) -> Size {
        Size::About((self.dice.size(law) as u64).clamp(BYTES_MIN, BYTES_MAX))
    }
}
