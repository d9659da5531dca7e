//! The pathological profile: one of each file that has broken a reader by its size or its shape. Sizes shrink with the scale, and
//! each stays of its class: a line that no buffer was meant for, an array that is changed thousands of times.

use crate::plan::{CODE, Draft, Item, Quirk, Uri, Workspace};
use crate::size::Size;
use crate::vscode::Shape;

/// No file is smaller.
const BYTES_MIN: u64 = 5_000_000;

/// The Claude session of ordinary lines, and about how much each of its requests takes. S: 500 and 586 MB.
const CLAUDE_BYTES: u64 = 500_000_000;
/// See [`CLAUDE_BYTES`].
const CLAUDE_SHARE: u64 = 125_000;
/// The rollout of which 30 compacted histories, each of 8 MB, are half, and about how much each of its requests takes. S: 46 % of 732 MB.
const CODEX_BYTES: u64 = 500_000_000;
/// See [`CODEX_BYTES`].
const CODEX_SHARE: u64 = 100_000;
/// See [`CODEX_BYTES`].
const COMPACTIONS: u64 = 30;
/// The logs that are a single line. S: V8 ends at 512 MiB.
const LINES_BYTES: [u64; 2] = [100_000_000, 510_000_000];
/// About how much each of their requests takes.
const LINES_SHARE: u64 = 340_000;
/// The line with a tool's result. S: reports of 22 to 100 MB.
const RESULT_BYTES: u64 = 100_000_000;
/// The line with a persisted output. S: 21.9 MB.
const PERSISTED_BYTES: u64 = 22_000_000;
/// Images of the session of byte dictionaries, of 5 MB each.
const IMAGES: u64 = 20;
/// Entries of the log that changes one array, and the fewest. S: a log is compacted after 1,024.
const STORM: (u64, u64) = (10_000, 2_000);
/// Subagents of the session that has most, and the fewest. S: 404; p99 is 60.
const SUBAGENTS: (u64, u64) = (404, 80);

impl Draft {
    pub(super) fn pathological(&mut self) {
        let workspaces = [Uri::Folder, Uri::Folder, Uri::Remote].map(|uri| self.workspace(CODE, uri));
        self.large_lines(&workspaces);
        self.large_sessions();
        let mut chat = self.chat(&workspaces[1], Shape::V3, self.shrunk(IMAGES, 1) + 1);
        chat.images = self.shrunk(IMAGES, 1);
        chat.quirks.insert(Quirk::ByteDictionary);
        self.items.push(Item::Chat(chat.into()));
        let mut chat = self.chat(&workspaces[1], Shape::Log, 3);
        chat.storm = self.shrunk(STORM.0, STORM.1);
        chat.quirks.extend([Quirk::EntryStorm, Quirk::NoFirstState]);
        self.items.push(Item::Chat(chat.into()));
    }

    fn large_lines(&mut self, workspaces: &[Workspace]) {
        for bytes in LINES_BYTES {
            let bytes = self.shrunk(bytes, BYTES_MIN);
            let mut chat = self.chat(&workspaces[0], Shape::Compacted, (bytes / LINES_SHARE).max(1));
            chat.size = Size::AtLeast(bytes);
            self.items.push(Item::Chat(chat.into()));
        }
        for (bytes, quirk) in [(RESULT_BYTES, None), (PERSISTED_BYTES, Some(Quirk::PersistedOutput))] {
            let mut session = self.claude("/home/dev/large-lines", 1);
            session.size = Size::AtLeast(self.shrunk(bytes, BYTES_MIN));
            session.quirks.extend(quirk);
            self.items.push(Item::Claude(session.into()));
        }
    }

    fn large_sessions(&mut self) {
        let bytes = self.shrunk(CLAUDE_BYTES, BYTES_MIN);
        let mut session = self.claude("/home/dev/large-sessions", (bytes / CLAUDE_SHARE).max(1));
        session.size = Size::AtLeast(bytes);
        self.items.push(Item::Claude(session.into()));
        let bytes = self.shrunk(CODEX_BYTES, BYTES_MIN);
        self.large_rollout(bytes, (bytes / CODEX_SHARE).max(2), COMPACTIONS);
        let mut session = self.claude("/home/dev/large-sessions", 14);
        session.subagents = self.subagents(self.shrunk(SUBAGENTS.0, SUBAGENTS.1) as u32);
        self.items.push(Item::Claude(session.into()));
    }

    /// A size or count at the scale, and no less than `least`.
    fn shrunk(&self, at_one: u64, least: u64) -> u64 {
        ((at_one as f64 * self.spec.scale) as u64).max(least)
    }
}
