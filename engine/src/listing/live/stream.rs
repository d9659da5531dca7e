//! The answer that a session's process is giving: its open blocks, and the tools that it calls.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::beginning;

/// Most open blocks, and most tools whose results are awaited, where they are bounded.
const OPEN_MAX: usize = 256;
/// Bytes of a tool's input that are held while it comes in, where they are bounded.
const INPUT_BYTES_MAX: usize = 256 * 1024;

/// Bytes of an id, and of an error.
const NAME_BYTES: usize = 1024;

/// The state of an answer.
#[derive(Debug, Default)]
pub struct Stream {
    is_bounded: bool,
    blocks: BTreeMap<u64, Box<str>>,
    inputs: BTreeMap<u64, String>,
    /// Tools whose results have not come, and the tool for which each was called.
    parents: BTreeMap<Box<str>, Box<str>>,
    last_error: Option<Box<str>>,
}

/// A message of the process, as far as its state matters.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    parent_tool_use_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event: Option<Event<'a>>,
    #[serde(borrow, default)]
    tool_use_id: Option<Cow<'a, str>>,
    /// A text, or an object of any shape.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(default)]
    index: u64,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    partial_json: Option<Cow<'a, str>>,
}

impl Stream {
    /// Nothing has been said; what is held has a bound or none.
    pub fn new(is_bounded: bool) -> Stream {
        Stream { is_bounded, ..Stream::default() }
    }

    /// Takes a message in; says whether it ends the turn. One of another shape changes nothing.
    pub fn message(&mut self, text: &str) -> bool {
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return false };
        match &*message.kind {
            "stream_event" => {
                if let Some(event) = message.event {
                    self.event(&event, message.parent_tool_use_id.as_deref().unwrap_or_default());
                }
            }
            "tool_result" => {
                if let Some(id) = message.tool_use_id {
                    self.parents.remove(&beginning(&id, NAME_BYTES));
                }
            }
            "result" => {
                (self.blocks, self.inputs) = (BTreeMap::new(), BTreeMap::new());
                self.last_error = message.error.map(in_words);
                if self.is_bounded {
                    // A result that has not come by the end of the turn comes no more.
                    self.parents = BTreeMap::new();
                }
                return true;
            }
            _ => {}
        }
        false
    }

    fn event(&mut self, event: &Event<'_>, parent: &str) {
        match &*event.kind {
            "content_block_start" => {
                let Some(block) = &event.content_block else { return };
                if self.is_bounded && self.blocks.len() >= OPEN_MAX {
                    return;
                }
                self.blocks.insert(event.index, beginning(&block.kind, NAME_BYTES));
                if let Some(id) = &block.id {
                    self.inputs.insert(event.index, String::new());
                    self.parents.insert(beginning(id, NAME_BYTES), beginning(parent, NAME_BYTES));
                }
                if self.is_bounded && self.parents.len() > OPEN_MAX {
                    self.parents.pop_first();
                }
            }
            "content_block_delta" => {
                let part = event.delta.as_ref().and_then(|delta| delta.partial_json.as_deref());
                let (Some(part), Some(input)) = (part, self.inputs.get_mut(&event.index)) else { return };
                if !self.is_bounded || input.len() + part.len() <= INPUT_BYTES_MAX {
                    input.push_str(part);
                }
            }
            "content_block_stop" => {
                self.blocks.remove(&event.index);
                self.inputs.remove(&event.index);
            }
            _ => {}
        }
    }

    /// The error with which the last turn ended.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Tools whose results have not come.
    pub fn awaited(&self) -> usize {
        self.parents.len()
    }
}

/// An error as it is shown: its text, or what stands in its place.
fn in_words(error: &RawValue) -> Box<str> {
    let text = serde_json::from_str::<Cow<'_, str>>(error.get());
    beginning(&text.unwrap_or(Cow::Borrowed(error.get())), NAME_BYTES)
}
