//! Files that a session works on: each version is made anew of a seed and the number of its edits.

use rand::RngExt;
use serde_json::{Value, json};

use super::words::{self, Width};
use crate::history::pool;

/// Lines of a patch around each change.
const CONTEXT: usize = 3;
/// The odd constant that tells the edits of a file apart.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// A version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    /// What its text is made of.
    pub(crate) seed: u64,
    /// Bytes of its first version.
    pub(crate) bytes: usize,
    /// How often it was edited since.
    pub(crate) edits: u32,
    /// Its characters.
    pub(crate) width: Width,
}

/// One edit of a file, with everything a tool says of it.
#[derive(Debug)]
pub(super) struct Change {
    /// The file before.
    pub(super) before: String,
    /// The file after.
    pub(super) after: String,
    /// What was replaced.
    pub(super) old: String,
    /// By what.
    pub(super) new: String,
    /// The lines before the change.
    line: usize,
    from: usize,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileState {
    /// Its path.
    pub(crate) file: String,
    /// How it was; none when it was not there.
    pub(crate) before: Option<Content>,
    /// How it is.
    pub(crate) after: Content,
    /// Lines that came, as they were drawn.
    pub(crate) additions: u64,
    /// Lines that went, as they were drawn.
    pub(crate) deletions: u64,
    /// `added` or `modified`.
    pub(crate) status: &'static str,
}

impl Content {
    /// The text of this version.
    pub(crate) fn text(&self) -> String {
        let mut text = words::text(self.seed, self.bytes, self.width);
        for edit in 0..self.edits {
            let (from, to, new) = self.edit(edit, &text);
            text.replace_range(from..to, &new);
        }
        text
    }

    /// The version after the next edit.
    pub(super) fn next(self) -> Content {
        Content { edits: self.edits + 1, ..self }
    }

    /// What the next edit does.
    pub(super) fn change(&self) -> Change {
        let before = self.text();
        let (from, to, new) = self.edit(self.edits, &before);
        let mut after = String::with_capacity(before.len() + new.len());
        after.push_str(&before[..from]);
        after.push_str(&new);
        after.push_str(&before[to..]);
        let line = before[..from].bytes().filter(|byte| *byte == b'\n').count();
        let old = before[from..to].to_owned();
        Change { before, after, old, new, line, from }
    }

    /// Lines that an edit adds, and those it takes away.
    fn lines(&self, edit: u32) -> (u64, u64) {
        let mut dice = words::dice(self.seed ^ STRIDE.wrapping_mul(u64::from(edit) + 1));
        (dice.random_range(1..7), dice.random_range(1..5))
    }

    /// From where to where an edit replaces this text, and by what.
    fn edit(&self, edit: u32, text: &str) -> (usize, usize, String) {
        let (added, removed) = self.lines(edit);
        let seed = self.seed ^ STRIDE.wrapping_mul(u64::from(edit) + 1);
        let mut dice = words::dice(!seed);
        let at = pool::boundary(text, dice.random_range(0..text.len() / 2 + 1));
        let line_end = |from: usize| text[from..].find('\n').map(|length| from + length + 1);
        let from = line_end(at).filter(|from| *from < text.len()).unwrap_or(0);
        let to = (0..removed).fold(from, |to, _| line_end(to).unwrap_or(text.len()));
        let mut new = String::new();
        for number in 0..added {
            new += &words::line(seed.wrapping_add(number), dice.random_range(30..90), self.width);
            new.push('\n');
        }
        (from, to, new)
    }
}

fn head(file: &str) -> String {
    format!("Index: {file}\n{}\n--- {file}\n+++ {file}\n", "=".repeat(67))
}

impl Change {
    /// The change as a unified diff.
    pub(super) fn diff(&self, file: &str) -> String {
        let above: Vec<&str> = self.before[..self.from].split_inclusive('\n').rev().take(CONTEXT).collect();
        let rest = &self.before[self.from + self.old.len()..];
        let below: Vec<&str> = rest.split_inclusive('\n').take(CONTEXT).collect();
        let around = above.len() + below.len();
        let (old, new) = (self.old.lines().count() + around, self.new.lines().count() + around);
        let first = self.line - above.len() + 1;
        let mut diff = head(file) + &format!("@@ -{first},{old} +{first},{new} @@\n");
        let marked = above.iter().rev().map(|line| (' ', *line));
        let marked = marked.chain(self.old.split_inclusive('\n').map(|line| ('-', line)));
        let marked = marked.chain(self.new.split_inclusive('\n').map(|line| ('+', line)));
        for (mark, line) in marked.chain(below.iter().map(|line| (' ', *line))) {
            diff.push(mark);
            diff.push_str(line);
        }
        diff
    }

    /// Lines that came, and lines that went.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.new.lines().count(), self.old.lines().count())
    }

    /// The change as a tool's metadata has it: both whole files.
    pub(super) fn filediff(self, file: &str) -> Value {
        let (additions, deletions) = self.counts();
        let mut value = json!({ "file": file, "additions": additions, "deletions": deletions });
        value["before"] = Value::String(self.before);
        value["after"] = Value::String(self.after);
        value
    }
}

/// The unified diff of a file that was not there.
pub(super) fn diff_of_new(file: &str, text: &str) -> String {
    let lines = text.lines().count();
    let mut diff = head(file);
    diff.reserve(text.len() + lines + 32);
    diff += &format!("@@ -0,0 +1,{lines} @@\n");
    for line in text.split_inclusive('\n') {
        diff.push('+');
        diff.push_str(line);
    }
    diff
}

impl FileState {
    /// A file that became this, from a version of the same seed or from nothing.
    pub(crate) fn of(file: String, before: Option<Content>, after: Content) -> FileState {
        let (mut additions, mut deletions) = (0, 0);
        for edit in before.map_or(0, |before| before.edits)..after.edits {
            let (added, removed) = after.lines(edit);
            (additions, deletions) = (additions + added, deletions + removed);
        }
        if before.is_none() {
            additions += after.text().lines().count() as u64;
        }
        let status = if before.is_some() { "modified" } else { "added" };
        FileState { file, before, after, additions, deletions, status }
    }

    /// A file of so many bytes that was edited once.
    pub(crate) fn edited(file: String, seed: u64, bytes: usize, width: Width) -> FileState {
        let before = Content { seed, bytes, edits: 0, width };
        FileState::of(file, Some(before), before.next())
    }

    /// How it was; empty when it was not there.
    pub(crate) fn before(&self) -> String {
        self.before.map(|before| before.text()).unwrap_or_default()
    }

    /// How it is.
    pub(crate) fn after(&self) -> String {
        self.after.text()
    }

    /// As the event `session.diff` and a message's summary have it: both whole files.
    pub(crate) fn value(&self) -> Value {
        let FileState { file, additions, deletions, status, .. } = self;
        let mut value =
            json!({ "file": file, "additions": additions, "deletions": deletions, "status": status });
        value["before"] = Value::String(self.before());
        value["after"] = Value::String(self.after());
        value
    }
}
