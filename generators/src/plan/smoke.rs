//! The smoke profile: every format, record type and quirk at least once, in a few megabytes.

use std::sync::Arc;

use crate::codex::Form;
use crate::opencode::OpenCode;
use crate::plan::codex::Shelf;
use crate::plan::{CODE, Draft, INSIDERS, Item, KILO, Quirk, Uri, Workspace};
use crate::size::Size;
use crate::vscode::{Editing, Shape};

/// 2026-03-21, in days since 1970.
const MARCH_21: u64 = 20_533;
/// 2025-09-30, likewise.
const SEPTEMBER_30: u64 = 20_361;

impl Draft {
    pub(crate) fn smoke(&mut self) {
        let workspaces = [Uri::Folder, Uri::File, Uri::Remote, Uri::Window, Uri::Encoded, Uri::Folder]
            .map(|uri| self.workspace(CODE, uri));
        self.smoke_documents(&workspaces);
        self.smoke_logs(&workspaces);
        self.workspace(CODE, Uri::Folder);
        self.smoke_insiders(&workspaces[0]);
        self.smoke_cli();
        self.smoke_claude();
        self.smoke_codex();
        self.smoke_gemini();
        self.smoke_opencode();
        self.smoke_kilo();
        self.smoke_indexes();
    }

    fn smoke_documents(&mut self, workspaces: &[Workspace]) {
        for (i, shape) in [Shape::V1, Shape::V2, Shape::V3, Shape::V3].into_iter().enumerate() {
            let mut chat = self.chat(&workspaces[i], shape, 3 + i as u64);
            chat.images = u64::from(shape == Shape::V3) * 2;
            chat.editing = if i % 2 == 0 { Editing::Empty } else { Editing::Timeline };
            let quirks: &[Quirk] = match i {
                0 => &[Quirk::LoneSurrogate],
                1 => &[Quirk::OutOfOrder],
                2 => &[Quirk::OpenBlock, Quirk::EveryPart],
                _ => &[Quirk::ManyLanguages, Quirk::LineSeparator],
            };
            chat.quirks.extend(quirks);
            self.items.push(Item::Chat(chat.into()));
        }
        // A session that was opened and never used.
        let chat = self.chat(&workspaces[0], Shape::V3, 0);
        self.items.push(Item::Chat(chat.into()));
    }

    fn smoke_logs(&mut self, workspaces: &[Workspace]) {
        let logs: [(u64, &[Quirk]); 7] = [
            (3, &[Quirk::EveryPart, Quirk::LoneSurrogate]),
            (4, &[Quirk::DeletedRequest, Quirk::DroppedRequest]),
            (2, &[Quirk::NoFirstState]),
            (3, &[Quirk::BadOperation, Quirk::Torn]),
            (1, &[Quirk::ManyLanguages, Quirk::LineSeparator]),
            (5, &[Quirk::OutOfOrder, Quirk::OpenBlock]),
            (1, &[]),
        ];
        for (i, (requests, quirks)) in logs.into_iter().enumerate() {
            let mut chat = self.chat(&workspaces[i % workspaces.len()], Shape::Log, requests);
            chat.quirks.extend(quirks);
            chat.images = u64::from(i == 0) * 3;
            chat.editing = if i % 3 == 0 { Editing::Timeline } else { Editing::None };
            chat.superseded = i == 6;
            self.items.push(Item::Chat(chat.into()));
        }
        let compacted = self.chat(&workspaces[2], Shape::Compacted, 4);
        self.items.push(Item::Chat(compacted.clone().into()));
        let mut copy = compacted;
        copy.origin = Some(copy.path());
        copy.directory.clone_from(&workspaces[4].directory);
        copy.name.clone_from(&workspaces[4].name);
        copy.quirks.insert(Quirk::Copied);
        self.items.push(Item::Chat(copy.into()));
    }

    fn smoke_insiders(&mut self, of_code: &Workspace) {
        let again = self.workspace_again(of_code, INSIDERS);
        let others = [Uri::Folder, Uri::Remote].map(|uri| self.workspace(INSIDERS, uri));
        for (workspace, requests) in [(&again, 2), (&others[0], 2), (&others[1], 1)] {
            let mut chat = self.chat(workspace, Shape::Log, requests);
            chat.editing = Editing::Timeline;
            self.items.push(Item::Chat(chat.into()));
        }
    }

    fn smoke_cli(&mut self) {
        let sessions: [(u64, &[Quirk]); 4] = [
            (3, &[Quirk::EveryPart, Quirk::LoneSurrogate]),
            (2, &[Quirk::BadOperation, Quirk::Torn]),
            (3, &[Quirk::Unanswered, Quirk::NumericTime]),
            (2, &[Quirk::NoSessionId, Quirk::OutOfOrder]),
        ];
        for (i, (requests, quirks)) in sessions.into_iter().enumerate() {
            let mut session = self.cli(requests);
            session.quirks.extend(quirks);
            if i == 3 {
                session.cwd = None;
            }
            self.items.push(Item::Cli(session.into()));
        }
    }

    fn smoke_claude(&mut self) {
        let sessions: [(&str, u64, u32, &[Quirk]); 9] = [
            ("/home/dev/app", 3, 2, &[Quirk::EveryPart, Quirk::UnknownTypes]),
            ("/home/dev/app", 4, 0, &[Quirk::Rewritten]),
            ("/home/dev/app", 2, 0, &[Quirk::ResultFirst, Quirk::OutOfOrder]),
            ("/home/dev/app", 2, 0, &[Quirk::BadOperation, Quirk::Torn]),
            ("/home/dev/app", 0, 2, &[]),
            ("/home/dev/提案", 2, 8, &[Quirk::LoneSurrogate]),
            ("/home/dev/gateway", 2, 1, &[Quirk::Gateway]),
            ("/home/dev/gateway", 1, 0, &[Quirk::ManyLanguages, Quirk::OpenBlock]),
            ("/home/dev/gateway", 2, 0, &[Quirk::LineSeparator]),
        ];
        for (i, (cwd, requests, subagents, quirks)) in sessions.into_iter().enumerate() {
            let mut session = self.claude(cwd, requests);
            session.quirks.extend(quirks);
            session.subagents = self.subagents(subagents);
            session.images = u64::from(i == 0);
            self.items.push(Item::Claude(session.into()));
        }
        self.resume("/home/dev/app", 1, 1);
    }

    fn smoke_codex(&mut self) {
        let sessions: [(Shelf, Form, u64, &[Quirk]); 13] = [
            (Shelf::Day(MARCH_21), Form::Current, 2, &[Quirk::EveryPart, Quirk::UnknownTypes]),
            (Shelf::Day(MARCH_21), Form::Current, 3, &[Quirk::LoneSurrogate, Quirk::SeveralMetas]),
            (Shelf::Day(MARCH_21), Form::Current, 2, &[Quirk::LineSeparator, Quirk::OutOfOrder]),
            (Shelf::Day(MARCH_21 + 1), Form::Current, 2, &[Quirk::BadOperation, Quirk::Torn]),
            (Shelf::Day(MARCH_21 + 1), Form::Current, 2, &[Quirk::Unanswered]),
            (Shelf::Day(MARCH_21 + 1), Form::Current, 1, &[Quirk::ManyLanguages, Quirk::OpenBlock]),
            (Shelf::Day(MARCH_21 + 40), Form::Current, 0, &[]),
            (Shelf::Day(SEPTEMBER_30), Form::Enveloped2025, 3, &[]),
            (Shelf::Day(SEPTEMBER_30), Form::Enveloped2025, 2, &[Quirk::LoneSurrogate, Quirk::Unanswered]),
            (Shelf::Flat, Form::Bare, 3, &[Quirk::Torn]),
            (Shelf::Flat, Form::Bare, 2, &[Quirk::NoSessionId, Quirk::BadOperation, Quirk::Unanswered]),
            (Shelf::Archive, Form::Enveloped2025, 2, &[]),
            (Shelf::Archive, Form::Current, 2, &[Quirk::Unanswered]),
        ];
        for (i, (shelf, form, requests, quirks)) in sessions.into_iter().enumerate() {
            let mut session = self.codex(shelf, requests);
            session.form = form;
            session.quirks.extend(quirks);
            session.size = Size::About(if i == 0 { 50_000 } else { 8_000 + 6_000 * requests });
            session.images = if matches!(i, 0 | 1 | 7 | 9) { 2 } else { 0 };
            session.compressed = matches!(i, 2 | 8 | 12);
            session.compactions = u64::from(i == 7);
            self.items.push(Item::Codex(session.into()));
        }
        self.smoke_codex_copies();
        self.codex_lists();
    }

    /// Sessions that share lines with others: forks of forks, an archived copy, a compressed file that was left behind, and histories
    /// that repeat what came before.
    fn smoke_codex_copies(&mut self) {
        let mut parent = self.codex(Shelf::Day(MARCH_21), 3);
        (parent.size, parent.compactions, parent.images) = (Size::About(40_000), 2, 1);
        let parent = Arc::new(parent);
        let mut fork = self.codex_fork(&parent, Shelf::Day(MARCH_21), 2, 1);
        fork.size = Size::About(45_000);
        let fork = Arc::new(fork);
        let mut again = self.codex_fork(&fork, Shelf::Day(MARCH_21 + 1), 3, 1);
        (again.size, again.compressed) = (Size::AtLeast(50_000), true);
        let mut compacted = self.codex(Shelf::Day(MARCH_21 + 40), 2);
        (compacted.size, compacted.compactions, compacted.compacted_bytes) = (Size::About(60_000), 3, 12_000);
        let mut copy = (*parent).clone();
        "archived_sessions".clone_into(&mut copy.directory);
        copy.quirks.insert(Quirk::Copied);
        let mut left_behind = compacted.clone();
        (left_behind.compressed, left_behind.is_superseded) = (true, true);
        let others = [again, compacted, copy, left_behind].map(Arc::new);
        self.items.extend([parent, fork].into_iter().chain(others).map(Item::Codex));
    }
    fn smoke_gemini(&mut self) {
        let sessions: [(&str, u64, &[Quirk]); 5] = [
            ("/home/dev/app", 3, &[Quirk::EveryPart, Quirk::UnknownTypes, Quirk::LoneSurrogate]),
            ("/home/dev/app", 2, &[Quirk::BadOperation, Quirk::OutOfOrder]),
            ("/home/dev/app", 2, &[Quirk::NumericTime, Quirk::LineSeparator]),
            ("/home/dev/gateway", 2, &[Quirk::NoSessionId, Quirk::Unanswered]),
            ("/home/dev/gateway", 1, &[Quirk::ManyLanguages, Quirk::OpenBlock]),
        ];
        for (i, (cwd, requests, quirks)) in sessions.into_iter().enumerate() {
            let mut session = self.gemini(cwd, requests);
            session.quirks.extend(quirks);
            session.images = u64::from(i == 0);
            session.size = Size::About(if i == 0 { 30_000 } else { 14_000 });
            self.items.push(Item::Gemini(session.into()));
        }
    }

    /// An index for every workspace with chats; in those with several, one session is missing.
    fn smoke_indexes(&mut self) {
        for mut index in self.indices() {
            if index.chats.len() > 1 {
                index.chats.pop();
            }
            self.items.push(Item::Index(index.into()));
        }
    }

    /// OpenCode as files, with every quirk.
    fn smoke_opencode(&mut self) {
        let projects = ["/home/dev/app", "/home/dev/提案"].map(|worktree| self.project(worktree));
        for (i, (project, requests, quirks)) in SMOKE_OPENCODE.iter().enumerate() {
            let mut session = self.opencode(&projects[*project], *requests);
            smoke_session(&mut session, i, quirks);
            self.items.push(Item::OpenCode(session.into()));
        }
    }

    /// The same as a database of Kilo.
    fn smoke_kilo(&mut self) {
        let projects = ["/home/dev/app", "/home/dev/kilo"].map(|worktree| self.project(worktree));
        let mut database = self.database(KILO);
        for (i, (project, requests, quirks)) in SMOKE_OPENCODE.iter().enumerate() {
            let mut session = self.opencode_session(KILO, &projects[*project], *requests);
            smoke_session(&mut session, i, quirks);
            database.sessions.push(session);
        }
        self.items.push(Item::Database(database.into()));
    }
}

/// Sessions of OpenCode: the project, requests and quirks.
const SMOKE_OPENCODE: [(usize, u64, &[Quirk]); 5] = [
    (0, 4, &[Quirk::EveryPart, Quirk::LoneSurrogate]),
    (0, 2, &[Quirk::BadOperation, Quirk::OutOfOrder]),
    (1, 2, &[Quirk::UnknownTypes, Quirk::LineSeparator]),
    (1, 1, &[Quirk::ManyLanguages, Quirk::OpenBlock]),
    (1, 2, &[Quirk::Unanswered]),
];

/// The first session has an image; the third is one of a subagent.
fn smoke_session(session: &mut OpenCode, index: usize, quirks: &[Quirk]) {
    session.quirks.extend(quirks);
    session.images = u64::from(index == 0);
    session.parent = (index == 2).then(|| session.id.replace("ses_", "ses_0"));
    session.size = Size::About(if index == 0 { 45_000 } else { 16_000 });
}
