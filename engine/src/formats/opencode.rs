//! OpenCode and Kilo: sessions, messages and parts, each a JSON text of its own, in files or in a database.

use super::source::{Input, ReadError, Reader};
use super::{Hold, Joined, PATH_UNITS, directory_name, keep, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{COMMAND_UNITS, Head, NAME_UNITS, Request, State};
use crate::tree::{Node, Shape};

const CAPS: Caps = Caps {
    by_key: &[
        ("text", 500),
        ("command", 200),
        ("modelID", 128),
        ("tool", 128),
        // Long paths end in the name that is wanted.
        ("directory", PATH_UNITS),
    ],
    other: 64,
};

const SESSION: Shape = Shape::Object(&[
    ("directory", Shape::Scalar),
    ("time", Shape::Object(&[("created", Shape::Scalar), ("updated", Shape::Scalar)])),
]);
const MESSAGE: Shape = Shape::Object(&[
    ("role", Shape::Scalar),
    ("time", Shape::Object(&[("created", Shape::Scalar)])),
    ("summary", Shape::Object(&[("diffs", Shape::CountObjects)])),
    ("modelID", Shape::Scalar),
    (
        "tokens",
        Shape::Object(&[
            ("input", Shape::Scalar),
            ("output", Shape::Scalar),
            ("reasoning", Shape::Scalar),
            ("cache", Shape::Object(&[("read", Shape::Scalar), ("write", Shape::Scalar)])),
        ]),
    ),
    ("error", Shape::Object(&[("name", Shape::Scalar)])),
]);
const PART: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("text", Shape::Scalar),
    ("synthetic", Shape::Scalar),
    ("ignored", Shape::Scalar),
    ("mime", Shape::Scalar),
    ("tool", Shape::Scalar),
    ("state", Shape::Object(&[("input", Shape::Object(&[("command", Shape::Scalar)]))])),
]);

/// What one JSON text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A session, of which only the tree has texts.
    Session,
    /// A message.
    Message,
    /// A part of a message.
    Part,
}

/// Reads one record; none when it is no object.
///
/// # Errors
/// When it cannot be read or is not one JSON text.
pub fn record(reader: &mut Reader, input: Input<'_>, record: Record) -> Result<Option<Node>, ReadError> {
    let seed = reader.seed(match record {
        Record::Session => SESSION,
        Record::Message => MESSAGE,
        Record::Part => PART,
    });
    reader.document(input, CAPS, seed).map(|node| Some(node).filter(Node::is_object))
}

/// What a session says of itself, and the name of its workspace.
pub fn head(
    id: &str,
    directory: Option<&Node>,
    created: Option<&Node>,
    last: Option<&Node>,
) -> (Head, Box<str>) {
    let directory = directory.and_then(Node::text);
    let workspace = directory.map_or_else(|| "unknown".into(), directory_name);
    let head = Head {
        id: preview(id, NAME_UNITS).into(),
        created: time(created),
        last: time(last),
        ..Head::default()
    };
    (head, workspace)
}

/// A session while its messages are read: each, and then its parts.
pub struct Conversation {
    done: Vec<Request>,
    open: Option<OpenRequest>,
    role: Role,
    hold: Hold,
}

/// Whose message the parts belong to that are read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
    Other,
}

#[derive(Default)]
struct OpenRequest {
    request: Request,
    message: Joined,
    response: Joined,
    cancelled: bool,
    errored: bool,
    complete: bool,
}

impl Conversation {
    /// A session of which nothing has been read.
    pub fn new(hold: Hold) -> Conversation {
        Conversation { done: Vec::new(), open: None, role: Role::Other, hold }
    }

    /// The next message; its parts follow.
    pub fn message(&mut self, id: &str, message: &Node) {
        self.role = match message.str_at("role") {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            _ => Role::Other,
        };
        match self.role {
            Role::User => self.user(id, message),
            Role::Assistant => self.assistant(message),
            Role::Other => {}
        }
    }

    /// The next part of the message that was read last.
    pub fn part(&mut self, part: &Node) {
        let Some(open) = &mut self.open else { return };
        let kind = part.str_at("type").unwrap_or_default();
        match (self.role, kind) {
            (Role::User, "text") if !part.is_true("synthetic") && !part.is_true("ignored") => {
                if let Some(text) = part.text_at("text") {
                    open.message.add(text, self.hold.message_units);
                }
            }
            (Role::User, "file") => {
                open.request.images +=
                    u64::from(part.str_at("mime").is_some_and(|mime| mime.starts_with("image/")));
            }
            (Role::Assistant, "text") => {
                if let Some(text) = part.text_at("text") {
                    open.response.add(text, self.hold.response_units);
                }
            }
            (Role::Assistant, "tool") => open.tool(part),
            _ => {}
        }
    }

    /// The requests.
    pub fn finish(mut self) -> Vec<Request> {
        self.close();
        self.done
    }

    fn user(&mut self, id: &str, message: &Node) {
        self.close();
        let request = Request {
            id: preview(id, NAME_UNITS).into(),
            timestamp: time(message.at(&["time", "created"])),
            edited: message.at(&["summary", "diffs"]).map_or(0, Node::count_objects),
            ..Request::default()
        };
        self.open = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn assistant(&mut self, message: &Node) {
        let Some(open) = &mut self.open else { return };
        open.complete = true;
        if let Some(model) = message.text_at("modelID").filter(|model| !model.is_empty()) {
            open.request.model = name(Some(model));
        }
        if let Some(tokens) = message.get("tokens") {
            let cache = tokens.get("cache");
            let cached = |key| cache.map_or(0, |cache| cache.count_at(key));
            let request = &mut open.request;
            let read = [tokens.count_at("input"), cached("read"), cached("write")];
            request.prompt_tokens = read.into_iter().fold(request.prompt_tokens, plus);
            let made = [tokens.count_at("output"), tokens.count_at("reasoning")];
            request.completion_tokens = made.into_iter().fold(request.completion_tokens, plus);
        }
        if let Some(error) = message.get("error").filter(|error| error.is_object()) {
            match error.str_at("name") {
                Some("MessageAbortedError") => open.cancelled = true,
                _ => open.errored = true,
            }
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let OpenRequest { mut request, message, response, cancelled, errored, complete } = open;
        request.message_units = message.units();
        request.message = preview(&message.held, self.hold.message_units).to_owned();
        request.user_code = message.measure.code;
        request.response_units = response.units();
        request.ai_code = response.measure.code;
        request.response = response.held;
        request.state = match (cancelled, errored, complete) {
            (true, ..) => State::Cancelled,
            (_, true, _) => State::Errored,
            (_, _, true) => State::Complete,
            _ => State::Pending,
        };
        keep(&mut self.done, request);
    }
}

impl OpenRequest {
    fn tool(&mut self, part: &Node) {
        let Some(tool) = part.text_at("tool") else { return };
        self.request.tools.count(tool.text);
        let command = part.at(&["state", "input", "command"]).and_then(Node::text);
        if let Some(command) = command.filter(|_| tool.text == "bash") {
            self.request.commands.push(preview(command.text, COMMAND_UNITS).into());
        }
    }
}
