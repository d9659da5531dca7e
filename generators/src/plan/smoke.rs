//! The smoke profile: every format, record type and quirk at least once, in a few megabytes.

use crate::plan::{CODE, Draft, INSIDERS, Item, Quirk, Uri, Workspace};
use crate::vscode::{Editing, Shape};

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
            self.items.push(Item::Chat(chat));
        }
        // A session that was opened and never used.
        let chat = self.chat(&workspaces[0], Shape::V3, 0);
        self.items.push(Item::Chat(chat));
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
            self.items.push(Item::Chat(chat));
        }
        let compacted = self.chat(&workspaces[2], Shape::Compacted, 8);
        self.items.push(Item::Chat(compacted.clone()));
        let mut copy = compacted;
        copy.directory.clone_from(&workspaces[4].directory);
        copy.name.clone_from(&workspaces[4].name);
        copy.quirks.insert(Quirk::Copied);
        self.items.push(Item::Chat(copy));
    }

    fn smoke_insiders(&mut self, of_code: &Workspace) {
        let again = self.workspace_again(of_code, INSIDERS);
        let others = [Uri::Folder, Uri::Remote].map(|uri| self.workspace(INSIDERS, uri));
        for (workspace, requests) in [(&again, 2), (&others[0], 2), (&others[1], 1)] {
            let mut chat = self.chat(workspace, Shape::Log, requests);
            chat.editing = Editing::Timeline;
            self.items.push(Item::Chat(chat));
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
            self.items.push(Item::Cli(session));
        }
    }

    fn smoke_claude(&mut self) {
        let sessions: [(&str, u64, u32, &[Quirk]); 9] = [
            ("/home/dev/app", 3, 2, &[Quirk::EveryPart, Quirk::UnknownTypes]),
            ("/home/dev/app", 4, 0, &[Quirk::Rewritten]),
            ("/home/dev/app", 2, 0, &[Quirk::ResultFirst, Quirk::OutOfOrder]),
            ("/home/dev/app", 2, 0, &[Quirk::BadOperation, Quirk::Torn]),
            ("/home/dev/app", 0, 2, &[]),
            ("/home/dev/提案", 2, 9, &[Quirk::LoneSurrogate]),
            ("/home/dev/gateway", 2, 1, &[Quirk::Gateway]),
            ("/home/dev/gateway", 1, 0, &[Quirk::ManyLanguages, Quirk::OpenBlock]),
            ("/home/dev/gateway", 2, 0, &[Quirk::LineSeparator]),
        ];
        for (i, (cwd, requests, subagents, quirks)) in sessions.into_iter().enumerate() {
            let mut session = self.claude(cwd, requests);
            session.quirks.extend(quirks);
            session.subagents = self.subagents(subagents);
            session.images = u64::from(i == 0);
            self.items.push(Item::Claude(session));
        }
        self.resume("/home/dev/app", 1, 1);
    }
}
