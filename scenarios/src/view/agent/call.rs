//! A call of a tool, from its arguments to its output, in the states through which it goes.

mod payload;

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::Act;
use super::content::Content;
use super::ids::Ids;
use super::info::{self, Assistant, User};
use super::plan::START_MS;
use super::tool::Tool;
use super::words;

pub(crate) use payload::Payload;

/// States before a tool says what it has done so far.
pub(super) const FIRST_STATES: usize = 3;

/// Where a call stands, and when it is made.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) session: String,
    pub(super) message: String,
    pub(super) part: String,
    pub(super) call: String,
    /// The id of what is attached to its output.
    pub(super) attachment: String,
    pub(super) start_ms: i64,
    /// How long it waits until it may, ms.
    pub(super) wait_ms: i64,
    pub(super) end_ms: i64,
}

/// A call with all that is drawn for it: each of its states is made when it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) place: Place,
    pub(super) tool: Tool,
    pub(super) payload: Payload,
    /// The file that it is about, and its version before the call.
    pub(super) file: String,
    pub(super) content: Content,
    /// The session of a task.
    pub(super) child: String,
    /// The whole output of a command, while it is told piece by piece.
    pub(super) printed: OnceLock<String>,
}

/// A state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The arguments begin to come.
    Pending,
    /// They have nearly come.
    Partial,
    /// The tool begins.
    Running,
    /// It says what it has done so far: of a command the first so many pieces of its output.
    Progress(usize),
    /// It has ended, or failed.
    Done,
}

impl Call {
    /// States that are told between the beginning and the end.
    pub(super) fn progress(&self) -> usize {
        match self.tool {
            Tool::Bash => self.payload.chunks,
            // What cannot be edited fails before anything is said of it.
            _ if self.payload.fails => 0,
            Tool::Edit | Tool::Multiedit | Tool::Write | Tool::ApplyPatch | Tool::Task => 1,
            _ => 0,
        }
    }

    /// When a state is told, ms since 1970.
    pub(super) fn at_ms(&self, state: State) -> i64 {
        let Place { start_ms, wait_ms, end_ms, .. } = self.place;
        match state {
            State::Pending | State::Partial | State::Running => start_ms,
            State::Progress(piece) => {
                let from = start_ms + wait_ms;
                from + (end_ms - from) * piece as i64 / (self.progress() as i64 + 1)
            }
            State::Done => end_ms,
        }
    }

    /// The part in a state.
    pub(super) fn part(&self, state: State) -> Value {
        let Place { session, message, part, call, .. } = &self.place;
        let mut value = json!({
            "id": part, "sessionID": session, "messageID": message,
            "type": "tool", "callID": call, "tool": self.tool.id(),
        });
        value["state"] = self.state(state);
        value
    }

    fn state(&self, state: State) -> Value {
        let start = self.place.start_ms;
        match state {
            State::Pending => json!({ "status": "pending", "input": {}, "raw": "" }),
            State::Partial => {
                let mut value = json!({ "status": "pending", "input": {} });
                let mut raw = self.input().to_string();
                // The closing brace has not come.
                raw.pop();
                value["raw"] = Value::String(raw);
                value
            }
            State::Running => {
                let mut value = json!({ "status": "running", "time": { "start": start } });
                value["input"] = self.input();
                value
            }
            State::Progress(piece) => {
                let mut value =
                    json!({ "status": "running", "title": self.title(), "time": { "start": start } });
                value["input"] = self.input();
                value["metadata"] = self.metadata(Some(piece));
                value
            }
            State::Done if self.payload.fails => {
                let time = json!({ "start": start, "end": self.place.end_ms });
                let mut value = json!({ "status": "error", "time": time });
                value["input"] = self.input();
                value["error"] = Value::String(self.output_text());
                value
            }
            State::Done => self.completed(),
        }
    }

    fn completed(&self) -> Value {
        let time = json!({ "start": self.place.start_ms, "end": self.place.end_ms });
        let mut value = json!({ "status": "completed", "title": self.title(), "time": time });
        value["input"] = self.input();
        value["output"] = Value::String(self.output());
        value["metadata"] = self.metadata(None);
        if self.payload.attachment_bytes > 0 {
            let Place { session, message, attachment, .. } = &self.place;
            let mut file = info::part("file", (session, message, attachment));
            file["mime"] = Value::from("image/png");
            file["url"] = Value::String(words::data_url(self.payload.seed, self.payload.attachment_bytes));
            value["attachments"] = Value::Array(vec![file]);
        }
        value
    }

    /// What a permission for this call is asked with: of an edit the whole unified diff.
    pub(super) fn permission(&self, id: &str) -> Value {
        let Place { session, message, call, .. } = &self.place;
        let edits = self.is_change();
        let (permission, pattern) =
            if edits { ("edit", self.file.clone()) } else { (self.tool.id(), self.command()) };
        let mut value = json!({
            "id": id, "sessionID": session, "permission": permission, "patterns": [pattern], "always": ["*"],
            "tool": { "messageID": message, "callID": call },
        });
        value["metadata"] = match edits {
            true => json!({ "filepath": self.file, "diff": self.diff() }),
            false => json!({ "command": self.command() }),
        };
        value
    }

    /// The version of its file after the call.
    pub(super) fn after(&self) -> Content {
        match self.tool {
            _ if self.payload.fails => self.content,
            Tool::Multiedit => self.content.next().next(),
            tool if tool.edits() => self.content.next(),
            _ => self.content,
        }
    }
}

/// The acts of one call, in a session of its own with one turn, in order: for what is asked of single tools.
pub(crate) fn tool_call(tool: Tool, payload: &Payload) -> Vec<Act> {
    let now = START_MS;
    let mut ids = Ids::new(words::dice(payload.seed));
    let session = ids.descending("ses", now);
    let user =
        User { id: ids.ascending("msg", now), session: session.clone(), at_ms: now, width: payload.width };
    let prompt = ids.ascending("prt", now);
    let mut assistant = Assistant::of(ids.ascending("msg", now), &user.id, &session, now);
    let place = Place {
        session: session.clone(),
        message: assistant.id.clone(),
        part: ids.ascending("prt", now),
        call: ids.ascending("call", now),
        attachment: ids.ascending("prt", now),
        start_ms: now,
        wait_ms: 0,
        end_ms: now + 1_000,
    };
    let content = Content { seed: payload.seed, bytes: payload.file_bytes, edits: 0, width: payload.width };
    let (child, file) = (ids.descending("ses", now), info::path(0));
    let (payload, printed) = (payload.clone(), OnceLock::new());
    let session_value = info::session(&session, None, payload.seed, (now, now), &[]);
    let call = Call { place, tool, payload, file, content, child, printed };
    let prompt = (session.as_str(), user.id.as_str(), prompt.as_str());
    let mut acts = vec![
        Act::Session(session_value),
        Act::Message(user.value(&[])),
        Act::Part(info::text_part("text", prompt, "call it".to_owned(), (now, Some(now)))),
        Act::Message(assistant.value()),
    ];
    acts.extend((0..call.states()).map(|number| Act::Part(call.part(call.state_at(number)))));
    assistant.completed_ms = Some(now + 1_000);
    acts.push(Act::Message(assistant.value()));
    acts
}

impl Call {
    /// How many states it goes through.
    pub(super) fn states(&self) -> usize {
        FIRST_STATES + self.progress() + 1
    }

    /// The state of a number.
    pub(super) fn state_at(&self, number: usize) -> State {
        match number {
            0 => State::Pending,
            1 => State::Partial,
            2 => State::Running,
            _ if number < FIRST_STATES + self.progress() => State::Progress(number - 2),
            _ => State::Done,
        }
    }

    /// Whether it changes a file when it succeeds.
    pub(super) fn is_change(&self) -> bool {
        self.tool.edits() || self.tool == Tool::Write
    }

    /// Its file before it, where it has one to change: none when the file was not there.
    pub(super) fn before(&self) -> Option<Content> {
        (self.tool != Tool::Write).then_some(self.content)
    }
}
