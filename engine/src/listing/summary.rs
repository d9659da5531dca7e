//! What a list says of a session, found in its file.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::strategy::Read;
use crate::formats::source::{Input, ReadError, Reader, Skips};
use crate::json::cut::Caps;
use crate::tree::{Node, Shape};

/// Characters of a title that is the beginning of a text.
const TITLE_CHARS: usize = 80;
/// The title of a session in which nobody has said anything.
const UNTITLED: &str = "Untitled Session";
/// The command that gives a session its goal.
const GOAL: &str = "/goal";

/// How much of each string is read. A title is found in the first 512 UTF-16 units of a text: only tags could be as long before its first words.
const CAPS: Caps = Caps {
    by_key: &[
        ("content", 512),
        ("text", 512),
        ("customTitle", 1024),
        ("aiTitle", 1024),
        ("cwd", 4096),
        ("workDir", 4096),
        ("originalCwd", 4096),
        ("root", 4096),
    ],
    other: 64,
};

const BLOCK: Shape = Shape::Object(&[("type", Shape::Scalar), ("text", Shape::Scalar)]);
const RECORD: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    ("cwd", Shape::Scalar),
    ("isMeta", Shape::Scalar),
    ("customTitle", Shape::Scalar),
    ("aiTitle", Shape::Scalar),
    ("workDir", Shape::Scalar),
    ("repository", Shape::Object(&[("root", Shape::Scalar)])),
    ("worktreeSession", Shape::Object(&[("originalCwd", Shape::Scalar)])),
    (
        "message",
        Shape::Object(&[
            ("role", Shape::Scalar),
            ("content", Shape::Either { text: true, fields: &[], items: &BLOCK }),
        ]),
    ),
]);

/// What a list says of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its title.
    pub title: Box<str>,
    /// The time of its first record that has one, as it is written there.
    pub created: Option<Box<str>>,
    /// Records of people and models, results of tools among them.
    pub messages: u64,
    /// The directory in which it works; none where no record says one.
    pub work_dir: Option<Box<str>>,
    /// Where the project of this directory is, if a record says it: of the original of a worktree, or of a repository.
    pub root: Option<Box<str>>,
    /// Lines that are no records.
    pub skipped_lines: u64,
}

impl Summary {
    /// Where no record says when the session was made: when its file was, or, where the system does not tell that, was written.
    pub fn date_from(&mut self, path: &Path) {
        if self.created.is_some() {
            return;
        }
        let made =
            fs::metadata(path).and_then(|metadata| metadata.created().or_else(|_| metadata.modified()));
        let time = made.ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
        self.created = time.map(|time| format!("{time:.3}").into());
    }
}

/// Reads session files one by one.
pub struct Summariser {
    read: Read,
    reader: Reader,
    /// Files that were opened.
    pub bodies: u64,
}

impl Summariser {
    /// One that has read nothing.
    pub fn new(read: Read) -> Summariser {
        let reader = if read == Read::Streamed { Reader::streaming() } else { Reader::whole() };
        Summariser { read, reader, bodies: 0 }
    }

    /// The summary of a file.
    ///
    /// # Errors
    /// When it cannot be read; lines that are no records are skipped and counted.
    pub fn file(&mut self, path: &Path) -> Result<Summary, ReadError> {
        match self.read {
            Read::Streamed => {
                self.bodies += 1;
                self.streamed(Input::Path(path.to_owned()))
            }
            Read::Together | Read::OneByOne => {
                let text = fs::read(path)?;
                self.text(text)
            }
        }
    }

    /// The summary of a text that was read before. All its records are held at once, as the reported service does.
    ///
    /// # Errors
    /// Hardly: it is in memory.
    pub fn text(&mut self, text: Vec<u8>) -> Result<Summary, ReadError> {
        self.bodies += 1;
        let (mut skips, mut records) = (Skips::default(), Vec::new());
        let seed = self.reader.seed(RECORD);
        self.reader.lines(Input::Held(text), CAPS, seed, &mut skips, |number, record, skips| {
            keep(record, number, skips, |record| records.push(record));
        })?;
        let mut fold = Fold::default();
        records.iter().for_each(|record| fold.record(record));
        Ok(fold.finish(&skips))
    }

    fn streamed(&mut self, input: Input) -> Result<Summary, ReadError> {
        let (mut skips, mut fold) = (Skips::default(), Fold::default());
        let seed = self.reader.seed(RECORD);
        self.reader.lines(input, CAPS, seed, &mut skips, |number, record, skips| {
            keep(record, number, skips, |record| fold.record(&record));
        })?;
        Ok(fold.finish(&skips))
    }
}

fn keep(record: Node, number: u64, skips: &mut Skips, keep: impl FnOnce(Node)) {
    if record.is_object() { keep(record) } else { skips.line(number, &"not a record") }
}

/// What has been found so far.
#[derive(Default)]
struct Fold {
    custom: Option<Box<str>>,
    goal: Option<Box<str>>,
    ai: Option<Box<str>>,
    first: Option<Box<str>>,
    created: Option<Box<str>>,
    messages: u64,
    told_dir: Option<Box<str>>,
    cwd: Option<Box<str>>,
    worktree: Option<Box<str>>,
    repository: Option<Box<str>>,
}

impl Fold {
    fn record(&mut self, record: &Node) {
        let owned = |text: &str| Some(Box::<str>::from(text));
        let filled = |key| record.str_at(key).filter(|text| !text.is_empty());
        if self.created.is_none() {
            self.created = filled("timestamp").and_then(owned);
        }
        if let Some(cwd) = filled("cwd").filter(|cwd| self.cwd.as_deref() != Some(cwd)) {
            self.cwd = owned(cwd);
        }
        match record.str_at("type").unwrap_or_default() {
            "user" | "assistant" => self.message(record),
            "custom-title" => {
                let title = filled("customTitle").map(single_spaced).filter(|title| !title.is_empty());
                self.custom = title.or(self.custom.take());
            }
            "ai-title" => {
                let title = filled("aiTitle").map(plain).filter(|title| !title.is_empty());
                self.ai = title.or(self.ai.take());
            }
            "session-meta" => {
                self.told_dir = filled("workDir").and_then(owned).or(self.told_dir.take());
                let root = record.get("repository").and_then(|repository| repository.str_at("root"));
                self.repository = root.and_then(owned).or(self.repository.take());
            }
            // The last one counts: a session that has left its worktree has none.
            "worktree-state" => {
                let session = record.get("worktreeSession");
                self.worktree = session.and_then(|session| session.str_at("originalCwd")).and_then(owned);
            }
            _ => {}
        }
    }

    fn message(&mut self, record: &Node) {
        let Some(message) = record.get("message").filter(|message| message.str_at("role").is_some()) else {
            return;
        };
        self.messages += 1;
        let is_known = self.first.is_some() && self.goal.is_some();
        if is_known || record.str_at("type") != Some("user") || record.is_true("isMeta") {
            return;
        }
        let Some(text) = first_text(message) else { return };
        if self.goal.is_none() {
            self.goal = goal(text);
        }
        if self.first.is_none() {
            self.first = Some(shortened(&plain(text))).filter(|title| !title.is_empty());
        }
    }

    fn finish(self, skips: &Skips) -> Summary {
        let title = self.custom.or(self.goal).or(self.ai).or(self.first);
        Summary {
            title: title.unwrap_or_else(|| UNTITLED.into()),
            created: self.created,
            messages: self.messages,
            work_dir: self.told_dir.or(self.cwd),
            root: self.worktree.or(self.repository),
            skipped_lines: skips.lines,
        }
    }
}

/// The text of a message: itself, or its first block of text.
fn first_text(message: &Node) -> Option<&str> {
    if let Some(text) = message.str_at("content") {
        return Some(text);
    }
    let mut blocks = message.items_at("content").iter();
    blocks.find(|block| block.str_at("type") == Some("text"))?.str_at("text")
}

/// A text without what looks like tags, and with single spaces.
fn plain(text: &str) -> Box<str> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        let is_tag = from[1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '/');
        match from.find('>').filter(|_| is_tag) {
            Some(close) => {
                plain.push_str(before);
                plain.push(' ');
                rest = &from[close + 1..];
            }
            None => {
                plain.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    single_spaced(&plain)
}

fn single_spaced(text: &str) -> Box<str> {
    text.split_whitespace().collect::<Vec<_>>().join(" ").into()
}

/// The beginning of a text.
fn shortened(text: &str) -> Box<str> {
    match text.char_indices().nth(TITLE_CHARS) {
        Some((at, _)) => format!("{}...", &text[..at]).into(),
        None => text.into(),
    }
}

/// The goal that a command gives a session.
fn goal(text: &str) -> Option<Box<str>> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    // A long goal may have been cut before its end.
    let between = |from: &str, to: &str| {
        let rest = text.split_once(from)?.1;
        Some(rest.split_once(to).map_or(rest, |(inside, _)| inside).trim())
    };
    let name = between("<command-name>", "</command-name>")?;
    let goal = between("<command-args>", "</command-args>").filter(|_| name == GOAL)?;
    Some(shortened(&plain(goal))).filter(|goal| !goal.is_empty())
}

#[cfg(test)]
mod tests;
