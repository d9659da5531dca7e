//! The adversarial profile: one file for each defect that breaks readers, and what a correct reader makes of it.

mod opencode;
mod pressed;

use crate::adversarial::hand::Hand;
use crate::adversarial::rows::{ROWS, ROWS_OF_LINES, Row};
use crate::adversarial::sketch::Sketch;
use crate::adversarial::{Body, Hostile, claude, cli, codex, gemini, vscode};
use crate::plan::{CODEX, Draft, Item, ROOTS, Small, Uri};
use crate::special::Special;

/// The formats that have adversarial files. A format is added with its `Hand`.
const HANDS: [&Hand; 7] =
    [&vscode::DOCUMENT, &vscode::LOG, &cli::HAND, &claude::HAND, &codex::HAND, &codex::BARE, &gemini::HAND];

/// Names that break scripts, terminals and file systems; all of them are names on Unix.
const NAMES: [(&str, &str); 8] = [
    ("name-spaces", " two  spaces "),
    ("name-quotes", "quote'double\"back`tick"),
    ("name-shell", "a;$(touch x)&&b|c>d"),
    ("name-newline", "first\nsecond\r"),
    ("name-direction", "\u{202e}nosj.evil\u{200f}"),
    ("name-dash", "--help"),
    ("name-glob", "*?[x]{a,b}~#%41"),
    ("name-backslash", "..\\..\\up"),
];

impl Draft {
    pub(super) fn adversarial(&mut self) {
        for hand in HANDS {
            let (name, directory) = self.hostile_workspace(hand);
            let rows = ROWS.iter().chain(hand.own);
            let of_lines = if hand.is_document { &[][..] } else { ROWS_OF_LINES };
            for row in rows.chain(of_lines) {
                let directory = self.directory_of(hand, &directory, row.quirk);
                self.items.push(Item::Hostile(hand.hostile(&self.spec, row, &name, &directory).into()));
            }
            if cfg!(unix) {
                self.hostile_names(hand, &name, &directory);
                self.hostile_entries(hand, &name, &directory);
            }
        }
        self.hostile_pressed();
        self.hostile_tree();
        self.hostile_database();
        self.hostile_descriptions();
        self.hostile_edits();
        if cfg!(unix) {
            self.hostile_subagents();
        }
    }

    /// The workspace of a format's files: its name and its directory.
    fn hostile_workspace(&mut self, hand: &Hand) -> (String, String) {
        match hand.format {
            "claude" => {
                let directory = "-home-dev-adversarial".to_owned();
                self.workspaces.insert((hand.root, directory.clone()));
                ("adversarial".to_owned(), directory)
            }
            "copilot-cli" => ("unknown".to_owned(), String::new()),
            "codex" | "codex-bare" => self.hostile_day(hand),
            "gemini" => {
                // The name of a project is its directory's: 64 hexadecimal digits.
                let directory = [self.dice.id().hex(), self.dice.id().hex()].concat();
                self.workspaces.insert((hand.root, directory.clone()));
                (directory.clone(), directory)
            }
            _ => {
                let workspace = self.workspace(hand.root, Uri::Folder);
                (workspace.name.to_string(), workspace.directory.to_string())
            }
        }
    }

    /// A day of Codex: bare files do not say where they worked.
    fn hostile_day(&mut self, hand: &Hand) -> (String, String) {
        let (name, day) = match hand.format {
            "codex" => ("adversarial", "sessions/2026/01/01"),
            _ => ("unknown", "sessions/2025/07/01"),
        };
        for directory in ["sessions", day] {
            self.workspaces.insert((CODEX, directory.to_owned()));
        }
        (name.to_owned(), day.to_owned())
    }

    /// Where a file is: in the workspace of its format, or in one of its own.
    fn directory_of(&mut self, hand: &Hand, directory: &str, stem: &str) -> String {
        if !hand.is_workspace {
            return directory.to_owned();
        }
        self.workspaces.insert((hand.root, stem.to_owned()));
        stem.to_owned()
    }

    /// An ordinary session under a name that is hard to handle.
    fn hostile_names(&mut self, hand: &'static Hand, name: &str, directory: &str) {
        // With its ending, 255 bytes: the longest that file systems have.
        let rest = if hand.is_workspace { 0 } else { file_name(hand, "").len() };
        let longest = "n".repeat(255 - rest);
        for (quirk, stem) in names(&longest) {
            let directory = self.directory_of(hand, directory, stem);
            let sketch = hand.sketch(&self.spec, name, stem);
            self.items.push(Item::Hostile(hand.finish(&sketch, stem, &directory, vec![quirk]).into()));
        }
    }

    /// What bears a session's name and is no regular file that can be read.
    fn hostile_entries(&mut self, hand: &'static Hand, name: &str, directory: &str) {
        let entries = [
            ("directory", Special::Directory),
            ("symlink-loop", Special::Symlink("symlink-loop".to_owned())),
            ("dangling-symlink", Special::Symlink("there-is-nothing".to_owned())),
            ("pipe", Special::Pipe),
            ("unreadable", Special::Unreadable),
        ];
        for (quirk, special) in entries {
            // An empty log is read by whoever may read everything, an empty document by nobody.
            if special == Special::Unreadable && !hand.is_document {
                continue;
            }
            let special = match special {
                Special::Symlink(target) if target == "symlink-loop" => {
                    Special::Symlink(file_name(hand, quirk))
                }
                special => special,
            };
            let sketch = hand.sketch(&self.spec, name, quirk);
            self.hostile_entry(hand, sketch, quirk, directory, special);
        }
        if !hand.is_workspace {
            self.hostile_link(hand, name, directory);
        }
    }

    fn hostile_entry(
        &mut self,
        hand: &'static Hand,
        sketch: Sketch,
        quirk: &'static str,
        directory: &str,
        special: Special,
    ) {
        let directory = self.directory_of(hand, directory, quirk);
        let file = hand.finish(&sketch, quirk, &directory, vec![quirk]);
        self.items.push(Item::Hostile(
            Hostile { body: Body::Special(special), is_refused: true, session: None, ..file }.into(),
        ));
    }

    /// A session, and a link to it under another name: a reader finds both.
    fn hostile_link(&mut self, hand: &'static Hand, name: &str, directory: &str) {
        let sketch = hand.sketch(&self.spec, name, "symlink-target");
        let target = hand.finish(&sketch, "symlink-target", directory, vec![]);
        let link = hand.finish(&sketch, "symlink-to-session", directory, vec!["symlink-to-session"]);
        let file = Special::Symlink(file_name(hand, "symlink-target"));
        let link = Hostile { body: Body::Special(file), ..link };
        self.items.extend([Item::Hostile(target.into()), Item::Hostile(link.into())]);
    }

    /// Workspaces whose description is none, with an ordinary session each.
    fn hostile_descriptions(&mut self) {
        let hand: &'static Hand = &vscode::DOCUMENT;
        let descriptions = [
            ("description-empty", "", "unknown"),
            ("description-torn", "{\"folder\":\"file:///home/dev/x", "unknown"),
            ("description-forms", "{\"folder\":17,\"workspace\":[]}", "unknown"),
            ("description-mark", "\u{feff}{\"folder\":\"file:///home/dev/marked\"}", "marked"),
            ("description-percent", "{\"folder\":\"file:///home/dev/%e6%8f%90%\"}", "提%"),
        ];
        for (quirk, content, name) in descriptions {
            let directory = self.dice.id().hex();
            self.workspaces.insert((hand.root, directory.clone()));
            let path = format!("{}/{directory}/workspace.json", ROOTS[hand.root].0);
            self.items.push(Item::File(Small { path, content: content.to_owned(), kind: "document" }.into()));
            let row = Row { quirk, size: crate::adversarial::rows::Amount::None, make: |_| () };
            self.items.push(Item::Hostile(hand.hostile(&self.spec, &row, name, &directory).into()));
        }
    }

    /// Edit files that are no documents.
    fn hostile_edits(&mut self) {
        let workspace = self.workspace(vscode::DOCUMENT.root, Uri::Folder);
        let edits = [
            ("edits-torn", "{\"version\":2,\"timeline\":{\"operations\":[", true),
            ("edits-empty", "", true),
            (
                "edits-forms",
                "{\"timeline\":{\"operations\":[null,17,{\"type\":\"textEdit\"},{\"type\":\"textEdit\",\"requestId\":1,\"uri\":{\"external\":2},\"edits\":[]}]}}",
                false,
            ),
        ];
        for (quirk, content, is_refused) in edits {
            let workspace = format!("{}/{}", ROOTS[workspace.root].0, workspace.directory);
            self.items.push(Item::Hostile(
                Hostile {
                    root: vscode::DOCUMENT.root,
                    path: format!("{workspace}/chatEditingSessions/{quirk}/state.json"),
                    name: quirk.to_owned(),
                    body: Body::Text(content.to_owned(), 0),
                    quirks: vec![quirk],
                    skipped_lines: 0,
                    is_refused,
                    session: None,
                }
                .into(),
            ));
        }
    }

    /// A session whose directory of subagents leads back to itself, and has a subagent that is none.
    fn hostile_subagents(&mut self) {
        let hand: &'static Hand = &claude::HAND;
        let directory = "-home-dev-adversarial";
        let sketch = hand.sketch(&self.spec, "adversarial", "subagents-loop");
        let session = hand.finish(&sketch, "subagents-loop", directory, vec![]);
        let below = format!("{}/{directory}/subagents-loop/subagents", ROOTS[hand.root].0);
        self.items.push(Item::Hostile(session.into()));
        for (file, special, is_refused) in [
            ("again", Special::Symlink(".".to_owned()), false),
            ("agent-dangling.jsonl", Special::Symlink("nothing".to_owned()), true),
            ("agent-pipe.jsonl", Special::Pipe, true),
        ] {
            self.items.push(Item::Hostile(
                Hostile {
                    root: hand.root,
                    path: format!("{below}/{file}"),
                    name: file.to_owned(),
                    body: Body::Special(special),
                    quirks: vec!["subagents-loop"],
                    skipped_lines: 0,
                    is_refused,
                    session: None,
                }
                .into(),
            ));
        }
    }
}

/// Names that are hard to handle, among them the longest.
fn names(longest: &str) -> impl Iterator<Item = (&'static str, &str)> {
    NAMES.into_iter().chain([("name-255-bytes", longest)])
}

/// The name of a session's file in its directory.
fn file_name(hand: &Hand, stem: &str) -> String {
    (hand.file)(stem).0.rsplit('/').next().unwrap_or_default().to_owned()
}
