//! Gemini CLI: one document a session, whose messages are taken one by one.

mod read;

use std::cell::RefCell;

use read::ReadChat;

use super::source::{Input, ReadError, Reader, Skips};
use super::{Hold, Joined, keep, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{Head, NAME_UNITS, Request, State};
use crate::tree::{Node, Shape};

const CAPS: Caps = Caps {
    by_key: &[
        ("content", 500),
        ("text", 500),
        ("sessionId", 128),
        ("id", 128),
        ("model", 128),
        ("name", 128),
    ],
    other: 64,
};

const PART: Shape = Shape::Either {
    text: true,
    fields: &[("text", Shape::Scalar), ("inlineData", Shape::Object(&[]))],
    items: &Shape::Drop,
};
const MESSAGE: Shape = Shape::Object(&[
    ("id", Shape::Scalar),
    ("type", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    ("model", Shape::Scalar),
    (
        "tokens",
        Shape::Object(&[("input", Shape::Scalar), ("output", Shape::Scalar), ("thoughts", Shape::Scalar)]),
    ),
    ("toolCalls", Shape::Packed(&CALLS)),
]);
const CALLS: Shape = Shape::Array(&Shape::Object(&[("name", Shape::Scalar)]));

/// Reads a session document.
///
/// # Errors
/// When the file cannot be read or is not one JSON document; messages that are none are skipped and counted.
pub fn document(
    reader: &mut Reader,
    input: Input<'_>,
    stem: &str,
    hold: Hold,
    skips: &mut Skips,
) -> Result<(Head, Vec<Request>), ReadError> {
    let chat = RefCell::new(Chat::new(hold));
    let seed = ReadChat { chat: &chat, message: reader.seed(MESSAGE) };
    reader.document(input, CAPS, seed)?;
    let chat = chat.into_inner();
    *skips = chat.skips.clone();
    Ok(chat.finish(stem))
}

/// A session while its document is read.
struct Chat {
    id: Option<Box<str>>,
    created: Option<Node>,
    last: Option<Node>,
    request: Option<OpenRequest>,
    done: Vec<Request>,
    skips: Skips,
    hold: Hold,
}

#[derive(Default)]
struct OpenRequest {
    request: Request,
    response: Joined,
    errored: bool,
    complete: bool,
}

impl Chat {
    fn new(hold: Hold) -> Chat {
        Chat {
            id: None,
            created: None,
            last: None,
            request: None,
            done: Vec::new(),
            skips: Skips::default(),
            hold,
        }
    }

    fn message(&mut self, number: u64, message: Message) {
        let Message { node, content } = message;
        match node.str_at("type") {
            Some("user") => self.user(&node, content),
            Some("gemini") => self.gemini(&node, &content),
            Some("error") => {
                if let Some(open) = &mut self.request {
                    open.errored = true;
                }
            }
            Some(_) => {}
            None => self.skips.record(&format_args!("message {number}"), &"not a message"),
        }
    }

    fn user(&mut self, message: &Node, content: Content) {
        self.close();
        let Content { text, images } = content;
        let request = Request {
            id: name(message.text_at("id")),
            timestamp: time(message.get("timestamp")),
            message_units: text.units(),
            message: preview(&text.held, self.hold.message_units).to_owned(),
            user_code: text.measure.code,
            images,
            ..Request::default()
        };
        self.request = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn gemini(&mut self, message: &Node, content: &Content) {
        let hold_units = self.hold.response_units;
        let Some(open) = &mut self.request else { return };
        open.complete = true;
        open.response.append(&content.text, hold_units);
        if let Some(calls) = message.get("toolCalls") {
            calls.for_each_item(&mut |call| {
                if let Some(tool) = call.text_at("name") {
                    open.request.tools.count(tool.text);
                }
            });
        }
        if let Some(model) = message.text_at("model").filter(|model| !model.is_empty()) {
            open.request.model = name(Some(model));
        }
        if let Some(tokens) = message.get("tokens") {
            let request = &mut open.request;
            request.prompt_tokens = plus(request.prompt_tokens, tokens.count_at("input"));
            let made = ["output", "thoughts"].iter().map(|key| tokens.count_at(key));
            request.completion_tokens = made.fold(request.completion_tokens, plus);
        }
    }

    fn close(&mut self) {
        let Some(OpenRequest { mut request, response, errored, complete }) = self.request.take() else {
            return;
        };
        request.response_units = response.units();
        request.ai_code = response.measure.code;
        request.response = response.held;
        request.state = match (errored, complete) {
            (true, _) => State::Errored,
            (_, true) => State::Complete,
            _ => State::Pending,
        };
        keep(&mut self.done, request);
    }

    fn finish(mut self, stem: &str) -> (Head, Vec<Request>) {
        self.close();
        let created = time(self.created.as_ref());
        let last = match &self.last {
            Some(last) => time(Some(last)),
            None => self.done.last().map_or(created, |request| request.timestamp),
        };
        let head = Head {
            id: self.id.unwrap_or_else(|| preview(stem, NAME_UNITS).into()),
            created,
            last,
            ..Head::default()
        };
        (head, self.done)
    }
}

/// A message: what it says, and everything else of it.
#[derive(Default)]
struct Message {
    node: Node,
    content: Content,
}

/// What a message says.
#[derive(Default)]
struct Content {
    /// Its texts, joined by newlines.
    text: Joined,
    images: u64,
}

impl Content {
    /// Takes in a text or parts, holding so many units.
    fn whole(&mut self, content: &Node, units: usize) {
        if let Some(text) = content.text() {
            self.text.add(text, units);
        }
        content.items().iter().for_each(|part| self.part(part, units));
    }

    fn part(&mut self, part: &Node, units: usize) {
        if let Some(text) = part.text().or_else(|| part.text_at("text")) {
            self.text.add(text, units);
        }
        self.images += u64::from(part.get("inlineData").is_some_and(Node::is_object));
    }
}
