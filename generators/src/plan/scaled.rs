//! The profiles that grow: laptop and heavy.

use std::collections::BTreeSet;

use crate::dice::LogNormal;
use crate::distribution::{
    CODEX_HEAVY, CODEX_LAPTOP, FURTHER_SUBAGENT, GEMINI_SESSION, IMAGE_SESSION_SHARE, LINE_SEPARATOR_SHARE,
    LONE_SURROGATE_SHARE, OPENCODE_SESSION, OUT_OF_ORDER_SHARE, REQUESTS, REQUESTS_LAPTOP,
    RESULT_FIRST_SHARE, RESUMED_SHARE, REWRITTEN_FILE_SHARE, Requests, SESSIONS_PER_WORKSPACE,
    SUBAGENT_SESSION_SHARE, SUBAGENTS_MAX, TORN_SHARE,
};
use crate::plan::item::{CHAT_REQUEST_BYTES, CLAUDE_REQUEST_BYTES, CLI_REQUEST_BYTES, SUBAGENT_BYTES};
use crate::plan::{CODE, Draft, INSIDERS, Item, KILO, OPENCODE, Quirk, Uri, Workspace};
use crate::size::Size;
use crate::vscode::{Editing, Shape};

/// Bytes of the heavy profile at scale 1. A: p99 of users, 12 to 20 GB.
const HEAVY_BYTES: f64 = 17e9;

/// Shares of a heavy corpus's bytes, in per cent. A; the order of formats is that of what people report (S).
const VSCODE_PERCENT: u64 = 53;
/// See [`VSCODE_PERCENT`].
const CLI_PERCENT: u64 = 8;
/// See [`VSCODE_PERCENT`].
const CLAUDE_PERCENT: u64 = 13;
/// See [`VSCODE_PERCENT`].
const CODEX_PERCENT: u64 = 18;
/// See [`VSCODE_PERCENT`].
const OPENCODE_PERCENT: u64 = 6;
/// See [`VSCODE_PERCENT`].
const KILO_PERCENT: u64 = 1;
/// See [`VSCODE_PERCENT`].
const GEMINI_PERCENT: u64 = 1;

/// Rollouts, sessions of OpenCode and of Kilo, and chats of Gemini at scale 1. S: a thousand rollouts, 1,812 sessions; the others A.
const ROLLOUTS: f64 = 1_000.0;
/// See [`ROLLOUTS`].
const OPENCODE_SESSIONS: f64 = 1_800.0;
/// See [`ROLLOUTS`].
const KILO_SESSIONS: f64 = 200.0;
/// See [`ROLLOUTS`].
const GEMINI_SESSIONS: f64 = 800.0;

/// Workspace directories of each VS Code product at every scale, and how many of them may have chats. S: the seed issue.
const HEAVY_WORKSPACES: usize = 140;
/// See [`HEAVY_WORKSPACES`].
const HEAVY_WORKSPACES_WITH_CHATS: usize = 124;

/// No outlier is smaller.
const OUTLIER_BYTES_MIN: u64 = 20_000_000;

/// Mean requests of a session by [`REQUESTS`], in hundredths. H, with its cap.
const REQUESTS_MEAN_PERCENT: u64 = 870;

/// Subagents per ordinary Claude session, in hundredths. H.
const SUBAGENTS_MEAN_PERCENT: u64 = 94;

/// Outliers of the heavy profile: bytes of each and number at scale 1. S: sizes as reported.
#[derive(Clone, Copy)]
struct Outlier {
    bytes: u64,
    count: f64,
    requests: u64,
}

/// VS Code sessions of over 50 MB, one document each.
const LARGE_DOCUMENT: Outlier = Outlier { bytes: 60_000_000, count: 12.0, requests: 200 };
/// VS Code sessions of over 200 MB, one compacted line each.
const LARGE_LOG: Outlier = Outlier { bytes: 220_000_000, count: 3.0, requests: 300 };
/// The Copilot CLI session of 380 MB.
const LARGE_CLI: Outlier = Outlier { bytes: 380_000_000, count: 1.0, requests: 250 };
/// The rollout of 700 MB, of which 30 compacted histories are half. S: 732 MB, 46 % of them compacted.
const LARGE_ROLLOUT: Outlier = Outlier { bytes: 700_000_000, count: 1.0, requests: 200 };
/// See [`LARGE_ROLLOUT`].
const LARGE_COMPACTIONS: u64 = 30;
/// Claude sessions of 100 MB.
const LARGE_CLAUDE: Outlier = Outlier { bytes: 102_000_000, count: 3.0, requests: 120 };

impl Outlier {
    fn count_at(self, scale: f64) -> u64 {
        ((self.count * scale).round() as u64).max(1)
    }

    /// The size of each.
    fn bytes_at(self, scale: f64) -> u64 {
        ((self.bytes as f64 * scale) as u64).max(OUTLIER_BYTES_MIN)
    }

    fn total_at(self, scale: f64) -> u64 {
        self.count_at(scale) * self.bytes_at(scale)
    }
}

impl Draft {
    pub(super) fn heavy(&mut self) {
        let scale = self.spec.scale;
        let share = |percent: u64, outliers: u64| {
            ((HEAVY_BYTES * scale) as u64 / 100 * percent).saturating_sub(outliers)
        };
        let chats = share(VSCODE_PERCENT, LARGE_DOCUMENT.total_at(scale) + LARGE_LOG.total_at(scale));
        let chats = (chats * 100 / (CHAT_REQUEST_BYTES * REQUESTS_MEAN_PERCENT)).max(24);
        let cli = share(CLI_PERCENT, LARGE_CLI.total_at(scale));
        let cli = (cli * 100 / (CLI_REQUEST_BYTES * REQUESTS_MEAN_PERCENT)).max(6);
        let claude = share(CLAUDE_PERCENT, LARGE_CLAUDE.total_at(scale));
        let session = CLAUDE_REQUEST_BYTES * REQUESTS_MEAN_PERCENT + SUBAGENT_BYTES * SUBAGENTS_MEAN_PERCENT;
        let claude = (claude * 100 / session).max(10);
        let mut workspaces = self.heavy_workspaces();
        workspaces.truncate(chats as usize);
        self.chats(
            &workspaces,
            chats,
            REQUESTS,
            &[(Shape::Log, 60), (Shape::V3, 28), (Shape::V2, 8), (Shape::V1, 4)],
        );
        self.cli_sessions(cli);
        self.claude_sessions(claude, (claude / 3).clamp(6, 55), REQUESTS);
        self.outliers(&workspaces);
        self.copied_chat(&workspaces);
        self.chat_indices();
        let count = |at_one: f64| ((at_one * scale).round() as u64).max(4);
        self.rollouts(count(ROLLOUTS), CODEX_HEAVY, share(CODEX_PERCENT, LARGE_ROLLOUT.total_at(scale)));
        let (opencode, kilo) = (count(OPENCODE_SESSIONS), count(KILO_SESSIONS));
        self.sessions_database(OPENCODE, opencode, OPENCODE_SESSION, share(OPENCODE_PERCENT, 0));
        self.sessions_database(KILO, kilo, OPENCODE_SESSION, share(KILO_PERCENT, 0));
        self.gemini_chats(count(GEMINI_SESSIONS), GEMINI_SESSION, share(GEMINI_PERCENT, 0));
    }

    /// All workspace directories; those that may have chats, the two products in turn.
    fn heavy_workspaces(&mut self) -> Vec<Workspace> {
        let code: Vec<Workspace> = (0..HEAVY_WORKSPACES).map(|i| self.any_workspace(CODE, i)).collect();
        let again = self.workspace_again(&code[1], INSIDERS);
        let mut insiders = vec![again];
        insiders.extend((1..HEAVY_WORKSPACES).map(|i| self.any_workspace(INSIDERS, i)));
        let both = code.into_iter().zip(insiders).take(HEAVY_WORKSPACES_WITH_CHATS);
        both.flat_map(|(code, insiders)| [code, insiders]).collect()
    }

    fn any_workspace(&mut self, root: usize, number: usize) -> Workspace {
        let uri = match number % 20 {
            3 | 13 => Uri::File,
            5 => Uri::Remote,
            7 => Uri::Window,
            11 => Uri::Encoded,
            _ => Uri::Folder,
        };
        self.workspace(root, uri)
    }

    pub(super) fn laptop(&mut self) {
        let scale = self.spec.scale;
        let count = |at_one: f64| ((at_one * scale).round() as u64).max(2);
        let (chats, claude) = (count(60.0), count(80.0));
        let mut workspaces: Vec<Workspace> = (0..25).map(|i| self.any_workspace(CODE, i)).collect();
        workspaces.truncate(10.min(chats as usize));
        self.chats(
            &workspaces,
            chats,
            REQUESTS_LAPTOP,
            &[(Shape::Log, 70), (Shape::V3, 22), (Shape::V2, 5), (Shape::V1, 3)],
        );
        self.claude_sessions(claude, 8.min(claude), REQUESTS_LAPTOP);
        self.chat_indices();
        self.rollouts(count(60.0), CODEX_LAPTOP, u64::MAX);
        self.sessions_database(OPENCODE, count(40.0), OPENCODE_SESSION, u64::MAX);
        self.gemini_chats(count(20.0), GEMINI_SESSION, u64::MAX);
    }

    /// Draws requests for so many sessions, evenly over the law, so that even few sessions have its mean.
    pub(super) fn requests(&mut self, sessions: u64, law: Requests) -> Vec<u64> {
        let mut requests: Vec<u64> =
            (0..sessions).map(|i| law.at((i as f64 + self.dice.unit()) / sessions as f64)).collect();
        self.dice.shuffle(&mut requests);
        requests
    }

    /// Which workspace each session is in: every one has a session, and some have many.
    fn places(&mut self, sessions: u64, workspaces: usize, law: LogNormal) -> Vec<usize> {
        let weights: Vec<u32> = (0..workspaces).map(|_| self.dice.size(law) as u32 + 1).collect();
        let weighted: Vec<(usize, u32)> = weights.into_iter().enumerate().collect();
        let sessions = sessions as usize;
        (0..sessions).map(|i| if i < workspaces { i } else { self.dice.weighted(&weighted) }).collect()
    }

    fn chats(&mut self, workspaces: &[Workspace], sessions: u64, law: Requests, shapes: &[(Shape, u32)]) {
        let places = self.places(sessions, workspaces.len(), SESSIONS_PER_WORKSPACE);
        for (place, requests) in places.into_iter().zip(self.requests(sessions, law)) {
            let shape = self.dice.weighted(shapes);
            let mut chat = self.chat(&workspaces[place], shape, requests);
            chat.editing =
                self.dice.weighted(&[(Editing::None, 25), (Editing::Empty, 55), (Editing::Timeline, 20)]);
            if self.dice.chance(IMAGE_SESSION_SHARE) {
                chat.images = (1 + u64::from(self.dice.geometric(0.5, 5))).min(requests);
            }
            chat.superseded = shape == Shape::Log && self.dice.chance(0.05);
            chat.quirks = self.common_quirks();
            if shape == Shape::Log && self.dice.chance(TORN_SHARE) {
                chat.quirks.insert(Quirk::NoFirstState);
            }
            if shape == Shape::Log && self.dice.chance(TORN_SHARE) {
                chat.quirks.insert(Quirk::Torn);
            }
            self.items.push(Item::Chat(chat.into()));
        }
    }

    pub(super) fn common_quirks(&mut self) -> BTreeSet<Quirk> {
        let shares = [
            (Quirk::LoneSurrogate, LONE_SURROGATE_SHARE),
            (Quirk::LineSeparator, LINE_SEPARATOR_SHARE),
            (Quirk::OutOfOrder, OUT_OF_ORDER_SHARE),
        ];
        shares.into_iter().filter(|&(_, share)| self.dice.chance(share)).map(|(quirk, _)| quirk).collect()
    }

    fn cli_sessions(&mut self, sessions: u64) {
        for requests in self.requests(sessions, REQUESTS) {
            let mut session = self.cli(requests);
            session.quirks = self.common_quirks();
            if self.dice.chance(TORN_SHARE) {
                session.quirks.insert(Quirk::Torn);
            }
            self.items.push(Item::Cli(session.into()));
        }
    }

    fn claude_sessions(&mut self, sessions: u64, projects: u64, law: Requests) {
        let places = self.places(sessions, projects as usize, SESSIONS_PER_WORKSPACE);
        for (place, requests) in places.into_iter().zip(self.requests(sessions, law)) {
            let mut session = self.claude(&format!("/home/dev/claude-{place}"), requests);
            if self.dice.chance(SUBAGENT_SESSION_SHARE) {
                let count = 1 + self.dice.geometric(FURTHER_SUBAGENT, SUBAGENTS_MAX);
                session.subagents = self.subagents(count);
                // A session's main file may have been removed.
                if self.dice.chance(0.04) {
                    session.requests = 0;
                }
            }
            session.images = u64::from(self.dice.chance(IMAGE_SESSION_SHARE));
            session.quirks = self.common_quirks();
            let shares = [
                (Quirk::Torn, TORN_SHARE),
                (Quirk::Rewritten, REWRITTEN_FILE_SHARE),
                (Quirk::ResultFirst, RESULT_FIRST_SHARE),
                (Quirk::UnknownTypes, 0.1),
            ];
            for (quirk, share) in shares {
                if self.dice.chance(share) {
                    session.quirks.insert(quirk);
                }
            }
            if place == 1 {
                session.quirks.insert(Quirk::Gateway);
            }
            self.items.push(Item::Claude(session.into()));
        }
        let resumed = (sessions as f64 * RESUMED_SHARE).round().max(1.0) as u64;
        for _ in 0..resumed {
            self.resume("/home/dev/claude-0", 3, 2);
        }
    }

    /// A session, and another one that begins with a copy of its first requests.
    pub(super) fn resume(&mut self, cwd: &str, copied: u64, own: u64) {
        let first = self.claude(cwd, copied + 1);
        let mut second = self.claude(cwd, copied + own);
        second.resumes = Some((first.path(), copied));
        second.quirks.insert(Quirk::Resumed);
        self.items.extend([Item::Claude(first.into()), Item::Claude(second.into())]);
    }

    fn outliers(&mut self, workspaces: &[Workspace]) {
        let scale = self.spec.scale;
        for (outlier, shape) in [(LARGE_DOCUMENT, Shape::V3), (LARGE_LOG, Shape::Compacted)] {
            for i in 0..outlier.count_at(scale) as usize {
                let mut chat =
                    self.chat(&workspaces[(i * 7 + 2) % workspaces.len()], shape, outlier.requests);
                chat.size = Size::AtLeast(outlier.bytes_at(scale));
                self.items.push(Item::Chat(chat.into()));
            }
        }
        for _ in 0..LARGE_CLI.count_at(scale) {
            let mut session = self.cli(LARGE_CLI.requests);
            session.size = Size::AtLeast(LARGE_CLI.bytes_at(scale));
            self.items.push(Item::Cli(session.into()));
        }
        for _ in 0..LARGE_ROLLOUT.count_at(scale) {
            self.large_rollout(LARGE_ROLLOUT.bytes_at(scale), LARGE_ROLLOUT.requests, LARGE_COMPACTIONS);
        }
        for i in 0..LARGE_CLAUDE.count_at(scale) {
            let mut session = self.claude(&format!("/home/dev/claude-{}", 2 + i % 4), LARGE_CLAUDE.requests);
            session.size = Size::AtLeast(LARGE_CLAUDE.bytes_at(scale));
            self.items.push(Item::Claude(session.into()));
        }
    }

    /// One session that was copied when its folder was moved: the same id in two workspaces.
    fn copied_chat(&mut self, workspaces: &[Workspace]) {
        let chat = self.chat(&workspaces[4], Shape::Log, 4);
        let mut copy = chat.clone();
        copy.origin = Some(chat.path());
        copy.directory.clone_from(&workspaces[6].directory);
        copy.name.clone_from(&workspaces[6].name);
        copy.quirks.insert(Quirk::Copied);
        self.items.extend([Item::Chat(chat.into()), Item::Chat(copy.into())]);
    }
}
