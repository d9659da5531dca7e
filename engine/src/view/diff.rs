//! What changed in files: of a turn in its message, of a session in an event.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use similar::TextDiff;

use super::size::json_bytes;
use super::strategy::Diff;
use super::strip::PATCH_BYTES;

/// Bytes of JSON of [`Diff::Counts`] at most, which leaves room in 4 KB for what an event has around it.
pub const COUNTS_BYTES: usize = 3_800;

/// Characters of a file's name in [`Diff::Counts`] at most; the middle of a longer one is left out.
pub const NAME_CHARS: usize = 120;

/// What changed in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileDiff {
    /// The file.
    #[serde(default)]
    pub file: String,
    /// All of it before; nothing of a file that was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// All of it after; nothing of a file that was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The hunks of a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Lines that came.
    #[serde(default)]
    pub additions: u64,
    /// Lines that went.
    #[serde(default)]
    pub deletions: u64,
    /// What became of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// It is another.
    Modified,
}

/// The hunks that lead from one text to another, with three lines around each; empty when they are equal. The lines `---` and `+++`, which
/// name files, are not there.
pub fn unified(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().to_string()
}

/// What `session.diff` says of the files.
///
/// Contents and patches are arrays with an entry for each file: with all of it before and after, or with its patch when that has at most
/// [`PATCH_BYTES`]. Counts are an object of at most [`COUNTS_BYTES`] with the `files` that have room in it, the `total` of all, and how
/// many `more` there are:
///
/// `{"files":[{"file","additions","deletions","status"}],"total":{"files","additions","deletions"},"more":0}`
pub fn event(choice: Diff, diffs: &[FileDiff]) -> Value {
    match choice {
        Diff::Contents => diffs.iter().map(contents).collect(),
        Diff::Patches => diffs.iter().map(patch).collect(),
        Diff::Counts => counts(diffs),
    }
}

fn contents(diff: &FileDiff) -> Value {
    let mut entry = named(&diff.file, diff);
    for (key, text) in [("before", &diff.before), ("after", &diff.after)] {
        if let Some(text) = text {
            entry[key] = text.as_str().into();
        }
    }
    entry
}

fn patch(diff: &FileDiff) -> Value {
    let mut entry = named(&diff.file, diff);
    let patch = match &diff.patch {
        Some(patch) => (patch.len() <= PATCH_BYTES).then(|| patch.clone()),
        None => made(diff).filter(|patch| patch.len() <= PATCH_BYTES),
    };
    if let Some(patch) = patch {
        entry["patch"] = patch.into();
    }
    entry
}

/// The patch of a file whose contents are known: a side that is not there is empty.
fn made(diff: &FileDiff) -> Option<String> {
    let is_known = diff.before.is_some() || diff.after.is_some();
    let (before, after) = (diff.before.as_deref(), diff.after.as_deref());
    is_known.then(|| unified(before.unwrap_or_default(), after.unwrap_or_default()))
}

fn counts(diffs: &[FileDiff]) -> Value {
    let sum = |count: fn(&FileDiff) -> u64| diffs.iter().map(count).fold(0, u64::saturating_add);
    let total = json!({
        "files": diffs.len(),
        "additions": sum(|diff| diff.additions),
        "deletions": sum(|diff| diff.deletions),
    });
    let mut event = json!({"files": [], "total": total, "more": diffs.len()});
    let mut bytes = json_bytes(&event);
    let fitting = diffs.iter().map_while(|diff| {
        let entry = named(&shortened(&diff.file), diff);
        bytes += json_bytes(&entry) + 1;
        (bytes <= COUNTS_BYTES).then_some(entry)
    });
    let files: Vec<Value> = fitting.collect();
    event["more"] = (diffs.len() - files.len()).into();
    event["files"] = files.into();
    event
}

/// A file with its counts, under a name.
fn named(file: &str, diff: &FileDiff) -> Value {
    let mut entry = json!({"file": file, "additions": diff.additions, "deletions": diff.deletions});
    if let Some(status) = diff.status {
        entry["status"] = json!(status);
    }
    entry
}

/// A name without its middle, when it is long: its folder and its end tell more.
fn shortened(file: &str) -> String {
    const GAP: &str = "...";
    const HALF: usize = (NAME_CHARS - GAP.len()) / 2;
    if file.char_indices().nth(NAME_CHARS).is_none() {
        return file.to_owned();
    }
    let start: String = file.chars().take(HALF).collect();
    let end = file.char_indices().rev().nth(HALF - 1).map_or("", |(at, _)| &file[at..]);
    start + GAP + end
}

#[cfg(test)]
mod tests;
