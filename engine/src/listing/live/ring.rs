//! The last messages of a session's process.

use std::collections::VecDeque;

use crate::listing::strategy::Messages;

/// Most messages that are kept.
const MESSAGES: usize = 40;
/// Bytes of a message and of all together, where bytes are counted; the numbers are upstream's.
const MESSAGE_BYTES: usize = 64 * 1024;
const TOTAL_BYTES: usize = 512 * 1024;

/// The last messages.
#[derive(Debug)]
pub struct Ring {
    choice: Messages,
    messages: VecDeque<Box<str>>,
    bytes: usize,
}

impl Ring {
    /// None yet.
    pub fn new(choice: Messages) -> Ring {
        Ring { choice, messages: VecDeque::new(), bytes: 0 }
    }

    /// Takes a message in. One that is too large is replaced by a note of its type and size.
    pub fn push(&mut self, message: &str) {
        let kept: Box<str> = if self.choice == Messages::Bytes && message.len() > MESSAGE_BYTES {
            stub(message)
        } else {
            message.into()
        };
        self.bytes += kept.len();
        self.messages.push_back(kept);
        while self.messages.len() > MESSAGES || self.choice == Messages::Bytes && self.bytes > TOTAL_BYTES {
            let Some(oldest) = self.messages.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    /// The messages, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(|message| &**message)
    }

    /// Bytes of all messages.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

fn stub(message: &str) -> Box<str> {
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow, default)]
        kind: std::borrow::Cow<'a, str>,
    }
    let kind = serde_json::from_str::<Kind<'_>>(message).map(|message| message.kind).unwrap_or_default();
    let kind: String = kind.chars().take(64).collect();
    serde_json::json!({"type": kind, "truncated": true, "originalBytes": message.len()}).to_string().into()
}
