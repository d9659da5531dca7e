//! Reads a chat of Gemini CLI piece by piece: no two messages are held, and of a message no two parts.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Chat, Content, MESSAGE, Message, PART};
use crate::formats::name;
use crate::formats::source::Seed;
use crate::tree::{Key, Node, ReadKey, ReadNode, Shape};

/// Reads a document: its messages go into the chat as they come, and no two of them are held.
#[derive(Clone, Copy)]
pub(super) struct ReadChat<'a> {
    pub(super) chat: &'a RefCell<Chat>,
    pub(super) message: ReadNode,
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
        while let Some(field) = fields.next_key_seed(ReadKey(Field::of))? {
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
        let units = self.0.chat.borrow().hold.most_units();
        while let Some(message) = items.next_element_seed(ReadMessage { node: self.0.message, units })? {
            number += 1;
            self.0.chat.borrow_mut().message(number, message);
        }
        Ok(())
    }
}

/// Reads a message. Where everything is kept, it is held as a whole first.
#[derive(Clone, Copy)]
struct ReadMessage {
    node: ReadNode,
    /// UTF-16 units of its text that are held.
    units: usize,
}

impl<'de> DeserializeSeed<'de> for ReadMessage {
    type Value = Message;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Message, D::Error> {
        match self.node.shape {
            Shape::All => {
                let node = self.node.deserialize(deserializer)?;
                let mut content = Content::default();
                if let Some(value) = node.get("content") {
                    content.whole(value, self.units);
                }
                Ok(Message { node, content })
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

/// Anything but what is looked for is read to its end and comes to nothing.
macro_rules! nothing {
    ($value:ty: $($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<$value, E> {
            Ok(<$value>::default())
        })*

        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok(<$value>::default())
        }
    };
}

impl<'de> Visitor<'de> for ReadMessage {
    type Value = Message;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a message")
    }

    nothing!(Message: visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Message, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Message::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Message, A::Error> {
        let (mut content, mut known) = (Content::default(), Vec::with_capacity(MESSAGE.fields().len()));
        while let Some(field) = fields.next_key_seed(ReadKey(message_field))? {
            match field {
                Some((CONTENT, _)) => {
                    let read = ReadContent { part: ReadNode { shape: PART, ..self.node }, units: self.units };
                    content = fields.next_value_seed(read)?;
                }
                Some((name, shape)) => {
                    let value = fields.next_value_seed(ReadNode { shape, ..self.node })?;
                    // Of a repeated key the last value counts, and all are few.
                    known.retain(|(key, _)| *key != Key::Known(name));
                    known.push((Key::Known(name), value));
                }
                None => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Message { node: Node::Object(known), content })
    }
}

/// The key of what a message says.
const CONTENT: &str = "content";

/// A key of a message, with the shape of its value; none of what is not looked at.
fn message_field(key: &str) -> Option<(&'static str, Shape)> {
    if key == CONTENT { Some((CONTENT, PART)) } else { MESSAGE.field(key) }
}

/// Reads what a message says: a text, or parts of which one at a time is held.
struct ReadContent {
    part: ReadNode,
    units: usize,
}

impl<'de> DeserializeSeed<'de> for ReadContent {
    type Value = Content;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadContent {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what a message says")
    }

    nothing!(Content: visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Content, E> {
        let mut content = Content::default();
        content.whole(&self.part.visit_str(text)?, self.units);
        Ok(content)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Content, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Content::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element_seed(self.part)? {
            content.part(&part, self.units);
        }
        Ok(content)
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

impl Field {
    fn of(key: &str) -> Field {
        match key {
            "sessionId" => Field::Id,
            "startTime" => Field::Created,
            "lastUpdated" => Field::Last,
            "messages" => Field::Messages,
            _ => Field::Other,
        }
    }
}
