//! The parts of a message: twelve kinds, and the states through which a tool's call goes.

use serde_json::Value;

use super::Malformed;

/// A part of a message. It keeps every field that its writer gave it; what is known of it is checked once.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    value: Value,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What was said.
    Text,
    /// What the model thought.
    Reasoning,
    /// A file, or an image as a `data:` URL.
    File,
    /// A call of a tool.
    Tool,
    /// The beginning of a step of the model.
    StepStart,
    /// The end of a step, with its cost.
    StepFinish,
    /// A state of the files.
    Snapshot,
    /// Files that were changed.
    Patch,
    /// An agent that was named.
    Agent,
    /// Work for a child session.
    Subtask,
    /// A request to the model that failed and is made again.
    Retry,
    /// The place where what was before has been summed up.
    Compaction,
    /// A kind of a later version; it is passed on as it is.
    Other,
}

/// Names of the kinds as they are written.
const KINDS: [(&str, Kind); 12] = [
    ("text", Kind::Text),
    ("reasoning", Kind::Reasoning),
    ("file", Kind::File),
    ("tool", Kind::Tool),
    ("step-start", Kind::StepStart),
    ("step-finish", Kind::StepFinish),
    ("snapshot", Kind::Snapshot),
    ("patch", Kind::Patch),
    ("agent", Kind::Agent),
    ("subtask", Kind::Subtask),
    ("retry", Kind::Retry),
    ("compaction", Kind::Compaction),
];

impl Kind {
    /// The kind behind a `type`.
    pub fn of(name: &str) -> Kind {
        KINDS.iter().find(|(known, _)| *known == name).map_or(Kind::Other, |(_, kind)| *kind)
    }
}

/// The state of a tool's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The model still writes its arguments.
    Pending,
    /// The tool works.
    Running,
    /// It has given its output.
    Completed,
    /// It has failed.
    Error,
}

impl Status {
    /// The state behind a `status`; none of a later version's.
    pub fn of(name: &str) -> Option<Status> {
        match name {
            "pending" => Some(Status::Pending),
            "running" => Some(Status::Running),
            "completed" => Some(Status::Completed),
            "error" => Some(Status::Error),
            _ => None,
        }
    }

    /// Whether a call that is in this state can be in another one next. It may be told the same again: a running tool with more of its
    /// output, a completed one when its output is compacted.
    pub fn may_become(self, next: Status) -> bool {
        match self {
            Status::Pending => true,
            Status::Running => next != Status::Pending,
            Status::Completed | Status::Error => next == self,
        }
    }
}

impl Part {
    /// A part as it was read.
    ///
    /// # Errors
    /// When it is no object, lacks an id of its own, of its message, or of its session, has no type, or is a call without a state.
    pub fn new(value: Value) -> Result<Part, Malformed> {
        for key in ["id", "messageID", "sessionID", "type"] {
            if value.get(key).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(Malformed { what: "part", id: Malformed::id_of(&value), lacks: key });
            }
        }
        let part = Part { value };
        if part.kind() == Kind::Tool && (part.status().is_none() || part.tool().is_none()) {
            let id = part.id().to_owned();
            return Err(Malformed { what: "part", id, lacks: "tool or state.status" });
        }
        Ok(part)
    }

    /// Its id, larger than that of every part before.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its message.
    pub fn message(&self) -> &str {
        self.text("messageID")
    }

    /// Its session.
    pub fn session(&self) -> &str {
        self.text("sessionID")
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        Kind::of(self.text("type"))
    }

    /// The tool that is called.
    pub fn tool(&self) -> Option<&str> {
        self.value.get("tool").and_then(Value::as_str)
    }

    /// The state of the call.
    pub fn status(&self) -> Option<Status> {
        self.value.get("state")?.get("status")?.as_str().and_then(Status::of)
    }

    /// Everything of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Everything of it, to be cut. Ids, type and state must stay.
    pub(super) fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Everything of it.
    pub fn into_value(self) -> Value {
        self.value
    }

    fn text(&self, key: &str) -> &str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}
