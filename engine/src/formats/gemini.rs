//! Gemini CLI: one document a session, whose messages are taken one by one.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::source::{Input, ReadError, Reader, Seed, Skips};
use super::{Hold, Joined, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{Head, NAME_UNITS, Request, State};
use crate::tree::{Node, ReadNode, Shape, Text};

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
    ("content", Shape::Either { text: true, fields: &[], items: &PART }),
    ("model", Shape::Scalar),
    (
        "tokens",
        Shape::Object(&[("input", Shape::Scalar), ("output", Shape::Scalar), ("thoughts", Shape::Scalar)]),
    ),
    ("toolCalls", Shape::Array(&Shape::Object(&[("name", Shape::Scalar)]))),
]);

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

    fn message(&mut self, number: u64, message: &Node) {
        match message.str_at("type") {
            Some("user") => self.user(message),
            Some("gemini") => self.gemini(message),
            Some("error") => {
                if let Some(open) = &mut self.request {
                    open.errored = true;
                }
            }
            Some(_) => {}
            None => self.skips.record(&format_args!("message {number}"), &"not a message"),
        }
    }

    fn user(&mut self, message: &Node) {
        self.close();
        let mut text = Joined::default();
        texts(message).for_each(|part| text.add(part, self.hold.message_units));
        let parts = message.items_at("content").iter();
        let images = parts.filter(|part| part.get("inlineData").is_some_and(Node::is_object)).count();
        let request = Request {
            id: name(message.text_at("id")),
            timestamp: time(message.get("timestamp")),
            message_units: text.units(),
            message: preview(&text.held, self.hold.message_units).to_owned(),
            user_code: text.measure.code,
            images: images as u64,
            ..Request::default()
        };
        self.request = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn gemini(&mut self, message: &Node) {
        let hold_units = self.hold.response_units;
        let Some(open) = &mut self.request else { return };
        open.complete = true;
        texts(message).for_each(|text| open.response.add(text, hold_units));
        for tool in message.items_at("toolCalls").iter().filter_map(|call| call.text_at("name")) {
            open.request.tools.count(tool.text);
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
        self.done.push(request);
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

/// The texts of a message: joined by newlines, they are its text.
fn texts(message: &Node) -> impl Iterator<Item = Text<'_>> {
    let content = message.get("content");
    let parts = content.map_or(&[][..], Node::items);
    let texts = parts.iter().filter_map(|part| part.text().or_else(|| part.text_at("text")));
    content.and_then(Node::text).into_iter().chain(texts)
}

/// Reads a document: its messages go into the chat as they come, and no two of them are held.
#[derive(Clone, Copy)]
struct ReadChat<'a> {
    chat: &'a RefCell<Chat>,
    message: ReadNode,
}

impl ReadChat<'_> {
    /// How everything but messages is read. Where everything is kept, it is also checked in every way.
    fn other(self, shape: Shape) -> ReadNode {
        match self.message.shape {
            Shape::All => self.message,
            _ => ReadNode { shape, ..self.message },
        }
    }
}

impl Seed for ReadChat<'_> {
    type Output = ();
}

impl<'de> DeserializeSeed<'de> for ReadChat<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadChat<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let scalar = self.other(Shape::Scalar);
        while let Some(field) = fields.next_key_seed(FieldName)? {
            match field {
                Field::Id => {
                    let id = fields.next_value_seed(scalar)?;
                    self.chat.borrow_mut().id = id.text().map(|id| name(Some(id)));
                }
                Field::Created => self.chat.borrow_mut().created = time_of(fields.next_value_seed(scalar)?),
                Field::Last => self.chat.borrow_mut().last = time_of(fields.next_value_seed(scalar)?),
                Field::Messages => fields.next_value_seed(ReadMessages(self))?,
                Field::Other => drop(fields.next_value_seed(self.other(Shape::Drop))?),
            }
        }
        Ok(())
    }
}

/// A value that can be a time; of any other type it counts as absent.
fn time_of(node: Node) -> Option<Node> {
    Some(node).filter(|node| node.text().is_some() || node.integer().is_some())
}

struct ReadMessages<'a>(ReadChat<'a>);

impl<'de> DeserializeSeed<'de> for ReadMessages<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // Of a repeated key the last value counts, and a text with a lone surrogate is read twice.
        let mut chat = self.0.chat.borrow_mut();
        (chat.request, chat.done, chat.skips) = Default::default();
        drop(chat);
        deserializer.deserialize_any(self)
    }
}

/// Anything but an array holds no messages.
macro_rules! none {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for ReadMessages<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("messages")
    }

    none!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<(), A::Error> {
        self.0.other(Shape::Drop).visit_map(fields).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(message) = items.next_element_seed(self.0.message)? {
            number += 1;
            self.0.chat.borrow_mut().message(number, &message);
        }
        Ok(())
    }
}

/// The fields of a document.
#[derive(Clone, Copy)]
enum Field {
    Id,
    Created,
    Last,
    Messages,
    Other,
}

struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Field;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Field, E> {
        Ok(match key {
            "sessionId" => Field::Id,
            "startTime" => Field::Created,
            "lastUpdated" => Field::Last,
            "messages" => Field::Messages,
            _ => Field::Other,
        })
    }
}
