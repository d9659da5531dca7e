//! Claude Code: one record a line, a session's subagents in files of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Input, ReadError, Reader, Skips};
use super::{Hold, Joined, PATH_UNITS, directory_name, keep, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{Head, Request, State};
use crate::tree::{Node, Shape, Text};

const CAPS: Caps = Caps {
    by_key: &[
        ("content", 500),
        ("text", 500),
        ("uuid", 128),
        ("sessionId", 128),
        ("requestId", 128),
        ("id", 128),
        ("model", 128),
        ("name", 128),
        // Long paths end in the name that is wanted.
        ("cwd", PATH_UNITS),
    ],
    other: 64,
};

const BLOCK: Shape =
    Shape::Object(&[("type", Shape::Scalar), ("text", Shape::Scalar), ("name", Shape::Scalar)]);
const USAGE: Shape = Shape::Object(&[
    ("input_tokens", Shape::Scalar),
    ("cache_read_input_tokens", Shape::Scalar),
    ("cache_creation_input_tokens", Shape::Scalar),
    ("output_tokens", Shape::Scalar),
]);
const RECORD: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("uuid", Shape::Scalar),
    ("sessionId", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    ("cwd", Shape::Scalar),
    ("requestId", Shape::Scalar),
    ("isApiErrorMessage", Shape::Scalar),
    (
        "message",
        Shape::Object(&[
            ("id", Shape::Scalar),
            ("model", Shape::Scalar),
            ("content", Shape::Either { text: true, fields: &[], items: &BLOCK }),
            ("usage", USAGE),
        ]),
    ),
]);

/// A session while its files are read.
pub struct Conversation {
    id: Option<Box<str>>,
    workspace_name: Option<Box<str>>,
    done: Vec<Request>,
    open: Option<OpenRequest>,
    opened: BTreeSet<u128>,
    counted: BTreeMap<u128, (u64, u64)>,
    hold: Hold,
}

#[derive(Default)]
struct OpenRequest {
    request: Request,
    response: Joined,
    cancelled: bool,
    errored: bool,
    answered: bool,
}

impl Conversation {
    /// A session of which nothing has been read.
    pub fn new(hold: Hold) -> Conversation {
        Conversation {
            id: None,
            workspace_name: None,
            done: Vec::new(),
            open: None,
            opened: BTreeSet::new(),
            counted: BTreeMap::new(),
            hold,
        }
    }

    /// Reads the main file, or one subagent's.
    ///
    /// # Errors
    /// When the file cannot be read; lines that are no records are skipped and counted.
    pub fn read(
        &mut self,
        reader: &mut Reader,
        input: Input<'_>,
        is_main: bool,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let seed = reader.seed(RECORD);
        let read =
            reader.lines(input, CAPS, seed, skips, |number, record, skips| match record.str_at("type") {
                Some(kind) => self.record(kind, &record, is_main),
                None => skips.line(number, &"not a record"),
            });
        self.close();
        read
    }

    /// The session, its id and the name of its workspace where its records do not say them.
    pub fn finish(self, stem: &str, project: &str) -> (Head, Box<str>, Vec<Request>) {
        let time = |request: Option<&Request>| request.map_or(0, |request| request.timestamp);
        let head = Head {
            id: self.id.unwrap_or_else(|| stem.into()),
            created: time(self.done.first()),
            last: time(self.done.last()),
            ..Head::default()
        };
        (head, self.workspace_name.unwrap_or_else(|| project.into()), self.done)
    }

    fn record(&mut self, kind: &str, record: &Node, is_main: bool) {
        if is_main && self.id.is_none() {
            self.id = record.text_at("sessionId").map(|id| name(Some(id)));
        }
        if self.workspace_name.is_none() {
            self.workspace_name = record.text_at("cwd").map(directory_name);
        }
        let Some(message) = record.get("message").filter(|message| message.is_object()) else {
            return;
        };
        match kind {
            "user" => self.user(record, message),
            "assistant" => self.assistant(record, message),
            _ => {}
        }
    }

    fn user(&mut self, record: &Node, message: &Node) {
        let texts = texts(message);
        if let Some(first) = texts.first() {
            self.prompt(record, first.text, &texts);
        }
        let images = blocks(message, "image").count() as u64;
        if let Some(open) = &mut self.open {
            open.request.images += images;
        }
    }

    /// A user's text: it opens a request, unless it is one of the marks that the tool writes in the user's name.
    fn prompt(&mut self, record: &Node, first: &str, texts: &[Text<'_>]) {
        if first.starts_with("<command-") || first.starts_with("<local-command-") {
            return;
        }
        if first.starts_with("[Request interrupted") {
            if let Some(open) = &mut self.open {
                open.cancelled = true;
            }
            return;
        }
        let id = name(record.text_at("uuid"));
        if !id.is_empty() && !self.opened.insert(fingerprint(&[&id])) {
            return;
        }
        self.close();
        let mut joined = Joined::default();
        texts.iter().for_each(|text| joined.add(*text, self.hold.message_units));
        let request = Request {
            id,
            timestamp: time(record.get("timestamp")),
            message_units: joined.units(),
            message: preview(&joined.held, self.hold.message_units).to_owned(),
            user_code: joined.measure.code,
            ..Request::default()
        };
        self.open = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn assistant(&mut self, record: &Node, message: &Node) {
        let hold_units = self.hold.response_units;
        let Some(open) = &mut self.open else { return };
        open.answered = true;
        open.errored |= record.is_true("isApiErrorMessage");
        texts(message).into_iter().for_each(|text| open.response.add(text, hold_units));
        for tool in blocks(message, "tool_use").filter_map(|block| block.text_at("name")) {
            open.request.tools.count(tool.text);
        }
        let model = message.text_at("model").filter(|model| !model.is_empty() && model.text != "<synthetic>");
        if model.is_some() {
            open.request.model = name(model);
        }
        let (prompt, completion) = usage(message);
        let (prompt, completion) = match response_id(record, message) {
            None => (prompt, completion),
            Some(id) => {
                let counted = self.counted.entry(id).or_default();
                let grown = (prompt.saturating_sub(counted.0), completion.saturating_sub(counted.1));
                *counted = (counted.0 + grown.0, counted.1 + grown.1);
                grown
            }
        };
        open.request.prompt_tokens = plus(open.request.prompt_tokens, prompt);
        open.request.completion_tokens = plus(open.request.completion_tokens, completion);
    }

    fn close(&mut self) {
        let Some(OpenRequest { mut request, response, cancelled, errored, answered }) = self.open.take()
        else {
            return;
        };
        request.response_units = response.units();
        request.ai_code = response.measure.code;
        request.response = response.held;
        request.state = match (cancelled, errored, answered) {
            (true, ..) => State::Cancelled,
            (_, true, _) => State::Errored,
            (_, _, true) => State::Complete,
            _ => State::Pending,
        };
        keep(&mut self.done, request);
    }
}

fn blocks<'a>(message: &'a Node, kind: &'a str) -> impl Iterator<Item = &'a Node> {
    message.items_at("content").iter().filter(move |block| block.str_at("type") == Some(kind))
}

fn texts(message: &Node) -> Vec<Text<'_>> {
    let whole = message.text_at("content");
    let parts = blocks(message, "text").filter_map(|block| block.text_at("text"));
    whole.into_iter().chain(parts).filter(|text| !text.is_empty()).collect()
}

fn usage(message: &Node) -> (u64, u64) {
    let Some(usage) = message.get("usage") else {
        return (0, 0);
    };
    let prompt = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    (prompt.iter().map(|key| usage.count_at(key)).fold(0, plus), usage.count_at("output_tokens"))
}

/// What tells one response of the model from another, in whatever records it is repeated.
fn response_id(record: &Node, message: &Node) -> Option<u128> {
    let (message, request) = (name(message.text_at("id")), name(record.text_at("requestId")));
    (!message.is_empty() && !request.is_empty()).then(|| fingerprint(&[&message, &request]))
}

/// 128 bits that stand for some names.
fn fingerprint(names: &[&str]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for name in names {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(bytes)
}
