//! Sessions, messages and the small parts, as the tool writes them.

use serde_json::{Value, json};

use super::content::FileState;
use super::words::{self, Width};

/// Where the sessions work.
pub(super) const DIRECTORY: &str = "/home/dev/demo";
/// The project of all sessions.
pub(super) const PROJECT: &str = "p1";
const VERSION: &str = "7.0.0";
const PROVIDER: &str = "kilo";
const MODEL: &str = "m";
const AGENT: &str = "code";

/// A session, its message, and a part's id.
pub(super) type Ids<'a> = (&'a str, &'a str, &'a str);

/// The path of a session's file of this number.
pub(super) fn path(number: usize) -> String {
    format!("{DIRECTORY}/src/module_{:02}/file_{number:04}.rs", number % 37)
}

/// The page of a seed.
pub(super) fn url(seed: u64) -> String {
    format!("https://docs.example.org/{:04}/guide_{}", seed % 9_973, seed % 7)
}

/// A state of the files, by its hash: forty hexadecimal digits.
pub(super) fn snapshot(seed: u64) -> String {
    blake3::hash(&seed.to_le_bytes()).to_hex()[..40].to_owned()
}

pub(super) fn model() -> Value {
    json!({ "providerID": PROVIDER, "modelID": MODEL })
}

/// What the person is asked.
pub(super) fn questions(seed: u64, width: Width) -> Value {
    json!([{
        "question": words::line(seed, 120, width), "header": "Next",
        "options": [
            { "label": "yes", "description": words::line(seed.wrapping_add(1), 60, width) },
            { "label": "no", "description": words::line(seed.wrapping_add(2), 60, width) },
        ],
    }])
}

/// A session whose files have become these; `time`: when it was made and when it changed last, ms since 1970.
pub(super) fn session(
    id: &str,
    parent: Option<&str>,
    seed: u64,
    time: (i64, i64),
    files: &[FileState],
) -> Value {
    let mut value = json!({
        "id": id, "slug": format!("calm-fox-{}", seed % 1_000), "projectID": PROJECT, "directory": DIRECTORY,
        "title": words::line(seed, 50, Width::Ascii), "version": VERSION,
        "time": { "created": time.0, "updated": time.1 },
    });
    if let Some(parent) = parent {
        value["parentID"] = Value::from(parent);
    }
    if !files.is_empty() {
        let sum = |count: fn(&FileState) -> u64| files.iter().map(count).sum::<u64>();
        value["summary"] = json!({
            "additions": sum(|file| file.additions), "deletions": sum(|file| file.deletions), "files": files.len(),
        });
    }
    value
}

/// A message of the person.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) at_ms: i64,
    pub(super) width: Width,
}

impl User {
    /// The message with what became of the files in its turn.
    pub(super) fn value(&self, files: &[FileState]) -> Value {
        let User { id, session, at_ms, width } = self;
        let mut value = json!({
            "id": id, "sessionID": session, "role": "user", "time": { "created": at_ms },
            "agent": AGENT, "model": model(),
        });
        if !files.is_empty() {
            value["summary"] = json!({ "title": words::line(at_ms.unsigned_abs(), 40, *width) });
            value["summary"]["diffs"] = files.iter().map(FileState::value).collect();
        }
        value
    }
}

/// A message of the model: one step.
#[derive(Debug, Clone)]
pub(super) struct Assistant {
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) session: String,
    pub(super) created_ms: i64,
    /// When the step ended.
    pub(super) completed_ms: Option<i64>,
    /// Tokens that were read.
    pub(super) input: u64,
    /// Tokens that were written.
    pub(super) output: u64,
    /// Why it ended.
    pub(super) finish: &'static str,
    /// What went wrong.
    pub(super) error: Option<Value>,
}

impl Assistant {
    pub(super) fn of(id: String, parent: &str, session: &str, created_ms: i64) -> Assistant {
        Assistant {
            id,
            parent: parent.to_owned(),
            session: session.to_owned(),
            created_ms,
            completed_ms: None,
            input: 0,
            output: 0,
            finish: "stop",
            error: None,
        }
    }

    pub(super) fn tokens(&self) -> Value {
        json!({
            "input": self.input % 4_000, "output": self.output, "reasoning": self.output / 3,
            "cache": { "read": self.input, "write": self.input / 20 },
        })
    }

    /// Dollars, as a number of six decimals at most.
    pub(super) fn cost(&self) -> f64 {
        (self.input + 15 * self.output) as f64 / 1_000_000.0
    }

    pub(super) fn value(&self) -> Value {
        let mut value = json!({
            "id": self.id, "sessionID": self.session, "role": "assistant", "parentID": self.parent,
            "time": { "created": self.created_ms },
            "modelID": MODEL, "providerID": PROVIDER, "mode": AGENT, "agent": AGENT,
            "path": { "cwd": DIRECTORY, "root": DIRECTORY },
            "cost": 0, "tokens": { "input": 0, "output": 0, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
        });
        if let Some(completed) = self.completed_ms {
            value["time"]["completed"] = json!(completed);
            value["tokens"] = self.tokens();
            value["cost"] = json!(self.cost());
            value["finish"] = json!(self.finish);
        }
        if let Some(error) = &self.error {
            value["error"] = error.clone();
        }
        value
    }
}

/// A part of a type with no more than what all have.
pub(super) fn part(kind: &str, (session, message, id): Ids<'_>) -> Value {
    json!({ "id": id, "sessionID": session, "messageID": message, "type": kind })
}

/// A text or a thought.
pub(super) fn text_part(kind: &str, ids: Ids<'_>, text: String, (start, end): (i64, Option<i64>)) -> Value {
    let mut value = part(kind, ids);
    value["text"] = Value::String(text);
    value["time"] = end.map_or(json!({ "start": start }), |end| json!({ "start": start, "end": end }));
    value
}
