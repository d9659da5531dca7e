//! Messages, without and with their parts.

use serde_json::Value;

use super::Malformed;
use super::part::Part;

/// A message without its parts. It keeps every field that its writer gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    value: Value,
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person: a turn begins.
    User,
    /// A model: a step of the turn whose user message is its parent.
    Assistant,
}

/// A message with its parts, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The message.
    pub message: Message,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Message {
    /// A message as it was read.
    ///
    /// # Errors
    /// When it is no object, or lacks an id of its own, of its session, or a role.
    pub fn new(value: Value) -> Result<Message, Malformed> {
        for key in ["id", "sessionID", "role"] {
            if value.get(key).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(Malformed { what: "message", id: Malformed::id_of(&value), lacks: key });
            }
        }
        Ok(Message { value })
    }

    /// Its id, larger than that of every message before.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its session.
    pub fn session(&self) -> &str {
        self.text("sessionID")
    }

    /// Who says it.
    pub fn role(&self) -> Role {
        if self.text("role") == "user" { Role::User } else { Role::Assistant }
    }

    /// When it was made, ms since 1970; 0 when it does not say.
    pub fn created(&self) -> i64 {
        self.value.pointer("/time/created").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Everything of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Everything of it, to be cut. Ids and role must stay.
    pub(super) fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    fn text(&self, key: &str) -> &str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}
