//! What was said in a session, a page at a time: a page costs what is on it, wherever it begins.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

use crate::json::cut::{Caps, CutReader};
use crate::tree::{Node, ReadNode, Shape, Strings};

/// Most messages of a page.
pub const LIMIT_MAX: usize = 500;

/// Texts are given to 8,192 UTF-16 units.
const CAPS: Caps = Caps { by_key: &[("content", 8192), ("text", 8192)], other: 128 };
/// Lines that are looked at for a page at most, so that a file of other records is no long work either.
const LINES_MAX: usize = 20_000;
/// Bytes of a cut line that are parsed from memory in one go.
const SCRATCH_BYTES: usize = 16 * 1024;

const BLOCK: Shape =
    Shape::Object(&[("type", Shape::Scalar), ("text", Shape::Scalar), ("name", Shape::Scalar)]);
const RECORD: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("uuid", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    (
        "message",
        Shape::Object(&[
            ("role", Shape::Scalar),
            ("content", Shape::Either { text: true, fields: &[], items: &BLOCK }),
        ]),
    ),
]);

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The record's id.
    pub uuid: Option<String>,
    /// Who speaks: `user` or `assistant`.
    pub role: String,
    /// When, as it is written.
    pub timestamp: Option<String>,
    /// What is said, or its beginning.
    pub text: String,
    /// UTF-16 units of all that is said.
    pub text_units: u64,
    /// Names of the tools that are called.
    pub tools: Vec<String>,
}

/// A page of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Messages {
    /// The messages, in the file's order.
    pub messages: Vec<Message>,
    /// Where the next page begins; none at the end of the file.
    pub next_cursor: Option<u64>,
    /// Lines of this page that are no records.
    pub skipped_lines: u64,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum MessagesError {
    /// No line begins there.
    #[error(
        "{0} is no cursor of this session: no line begins there; take `nextCursor` of a page before, or none"
    )]
    BadCursor(u64),
    /// The file cannot be read.
    #[error("failed to read the session: {0}")]
    Io(#[from] io::Error),
}

/// Reads a page of a session's messages from a cursor on.
///
/// # Errors
/// When no line begins at the cursor, or the file cannot be read.
pub fn page(path: &Path, cursor: u64, limit: usize) -> Result<Messages, MessagesError> {
    let mut file = File::open(path)?;
    if cursor > 0 {
        let mut before = [0];
        file.seek(SeekFrom::Start(cursor - 1))?;
        // A line may begin with blanks, which are passed over.
        if file.read(&mut before)? != 1 || !matches!(before[0], b'\n' | b' ' | b'\t' | b'\r') {
            return Err(MessagesError::BadCursor(cursor));
        }
    }
    let mut reader = CutReader::new(file, CAPS);
    let mut scratch = Vec::with_capacity(SCRATCH_BYTES);
    let seed = ReadNode { shape: RECORD, strings: Strings::Cut };
    let mut page = Messages::default();
    for lines in 0.. {
        let Some(line) = reader.next_line()? else { return Ok(page) };
        if page.messages.len() >= limit || lines == LINES_MAX {
            break;
        }
        match line.read(seed, &mut scratch) {
            Ok(record) => page.messages.extend(message(&record)),
            Err(_) => page.skipped_lines += 1,
        }
    }
    page.next_cursor = Some(cursor + reader.position());
    Ok(page)
}

fn message(record: &Node) -> Option<Message> {
    let message = record.get("message").filter(|message| message.is_object())?;
    let owned = |text: &str| Some(text.to_owned());
    let mut given = Message {
        uuid: record.str_at("uuid").and_then(owned),
        role: message.str_at("role")?.to_owned(),
        timestamp: record.str_at("timestamp").and_then(owned),
        text: String::new(),
        text_units: 0,
        tools: Vec::new(),
    };
    let blocks = message.items_at("content").iter();
    let texts = message
        .text_at("content")
        .into_iter()
        .chain(blocks.clone().filter_map(|block| block.text_at("text")));
    for text in texts {
        if !given.text.is_empty() {
            given.text.push('\n');
            given.text_units += 1;
        }
        given.text.push_str(text.text);
        given.text_units += text.measure().units;
    }
    given.tools.extend(blocks.filter_map(|block| block.str_at("name").and_then(owned)));
    Some(given)
}
