//! VS Code Copilot Chat: session documents, append logs, and edit files.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::source::{Input, ReadError, Reader, Seed, Skips};
use super::{Hold, Joined, last_component, name, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{COMMAND_UNITS, EditLines, Head, Request, State, URI_UNITS};
use crate::tree::{Edit, Node, ReadKey, ReadNode, Segment, Shape, edit};

/// How long strings of a session are cut: below other keys stands nothing that is kept.
const SESSION_CAPS: Caps = Caps {
    by_key: &[
        ("message", 500),
        ("text", 500),
        ("value", 0),
        ("response", 0),
        ("requestId", 128),
        ("sessionId", 128),
        ("modelId", 128),
        ("name", 128),
        ("original", 200),
        ("commandLine", 200),
        ("k", 128),
    ],
    other: 64,
};

const EDIT_CAPS: Caps = Caps { by_key: &[("requestId", 128), ("external", 500), ("text", 0)], other: 64 };

const COMMAND: Shape =
    Shape::Either { text: true, fields: &[("original", Shape::Scalar)], items: &Shape::Drop };
const PART: Shape = Shape::Object(&[
    ("kind", Shape::Scalar),
    ("value", Shape::Either { text: false, fields: &[("value", Shape::Measure)], items: &Shape::Drop }),
    (
        "toolSpecificData",
        Shape::Object(&[
            ("kind", Shape::Scalar),
            ("commandLine", COMMAND),
            ("confirmation", Shape::Object(&[("commandLine", Shape::Scalar)])),
        ]),
    ),
    ("resultDetails", Shape::Object(&[("output", Shape::Object(&[("mimeType", Shape::Scalar)]))])),
]);
const RESPONSE: Shape = Shape::Either { text: false, fields: &[], items: &PART };
const ROUND: Shape =
    Shape::Object(&[("toolCalls", Shape::Array(&Shape::Object(&[("name", Shape::Scalar)])))]);
const RESULT: Shape = Shape::Noted(&[
    ("errorDetails", Shape::Object(&[])),
    (
        "metadata",
        Shape::Object(&[
            ("promptTokens", Shape::Scalar),
            ("outputTokens", Shape::Scalar),
            ("toolCallRounds", Shape::Array(&ROUND)),
        ]),
    ),
]);
const REQUEST: Shape = Shape::Object(&[
    ("requestId", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    ("message", Shape::Either { text: true, fields: &[("text", Shape::Scalar)], items: &Shape::Drop }),
    ("response", Shape::Packed(&RESPONSE)),
    ("modelId", Shape::Scalar),
    ("isCanceled", Shape::Scalar),
    ("result", RESULT),
    ("promptTokens", Shape::Scalar),
    ("completionTokens", Shape::Scalar),
    (
        "variableData",
        Shape::Object(&[("variables", Shape::Array(&Shape::Object(&[("kind", Shape::Scalar)])))]),
    ),
    ("editedFileEvents", Shape::Array(&Shape::Object(&[]))),
]);
/// A log may change any of its requests up to its end, and does so with few of them.
const STATE: Shape = Shape::Object(&[
    ("sessionId", Shape::Scalar),
    ("creationDate", Shape::Scalar),
    ("lastMessageDate", Shape::Scalar),
    ("requests", Shape::Array(&Shape::Packed(&REQUEST))),
]);
const EDIT_STATE: Shape =
    Shape::Object(&[("timeline", Shape::Object(&[("operations", Shape::Packed(&OPERATIONS))]))]);
const OPERATIONS: Shape = Shape::Array(&OPERATION);
const OPERATION: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("requestId", Shape::Scalar),
    ("uri", Shape::Object(&[("external", Shape::Scalar)])),
    ("edits", Shape::CountLines(&[("text", Shape::Measure)])),
]);

/// Segments of a path at most, as the real reader guards.
const PATH_SEGMENTS_MAX: usize = 1024;

/// Reads a session document (`*.json`).
///
/// # Errors
/// When the file cannot be read or is not one JSON document.
pub fn document(
    reader: &mut Reader,
    input: Input<'_>,
    stem: &str,
    hold: Hold,
) -> Result<(Head, Vec<Request>), ReadError> {
    let seed = reader.seed(STATE);
    let state = reader.document(input, SESSION_CAPS, seed)?;
    Ok(session(state, stem, hold))
}

/// Replays an append log (`*.jsonl`).
///
/// # Errors
/// When the file cannot be read; lines that cannot be applied are skipped and counted.
pub fn log(
    reader: &mut Reader,
    input: Input<'_>,
    stem: &str,
    hold: Hold,
    skips: &mut Skips,
) -> Result<(Head, Vec<Request>), ReadError> {
    let mut state = Node::Object(Vec::new());
    let seed = ReadEntry { value: reader.seed(Shape::All), state: reader.seed(STATE).shape };
    reader.lines(input, SESSION_CAPS, seed, skips, |number, entry, skips| {
        let before = state.items_at("requests").len();
        if let Err(why) = entry.and_then(|entry| apply(&mut state, entry)) {
            skips.line(number, &why);
        }
        // Where everything is kept, it is kept as it was read.
        if !matches!(seed.state, Shape::All) {
            settle(&mut state, before);
        }
    })?;
    Ok(session(state, stem, hold))
}

/// The name of the workspace that a `workspace.json` describes.
pub fn workspace_name(text: &[u8]) -> Option<Box<str>> {
    let mut text = text.to_vec();
    crate::json::cut::repair_surrogates(&mut text);
    let value: serde_json::Value =
        serde_json::from_slice(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text)).ok()?;
    let uri = ["folder", "workspace"].iter().find_map(|key| value.get(key)?.as_str())?;
    let component = percent_encoding::percent_decode_str(last_component(uri)).decode_utf8_lossy();
    Some(preview(&component, crate::session::NAME_UNITS).into())
}

/// Lines added, by (request id, URI), of an edit file (`state.json`).
///
/// # Errors
/// When the file cannot be read or is not one JSON document.
pub fn edit_lines(reader: &mut Reader, input: Input<'_>) -> Result<EditLines, ReadError> {
    let seed = reader.seed(EDIT_STATE);
    let state = reader.document(input, EDIT_CAPS, seed)?;
    let mut lines = BTreeMap::new();
    let mut add = |operation: &Node| {
        let uri = operation.at(&["uri", "external"]).and_then(Node::text);
        let (Some("textEdit"), Some(request), Some(uri)) =
            (operation.str_at("type"), operation.text_at("requestId"), uri)
        else {
            return;
        };
        let added = operation.get("edits").map_or(0, |edits| edits.count_lines("text"));
        *lines.entry((name(Some(request)), preview(uri.text, URI_UNITS).into())).or_insert(0) += added;
    };
    if let Some(operations) = state.at(&["timeline", "operations"]) {
        operations.for_each_item(&mut add);
    }
    Ok(lines)
}

/// One line of an append log.
#[derive(Debug)]
enum Entry {
    Initial(Node),
    Edit(Vec<Segment>, Edit),
}

/// Why a line is no operation, or could not be applied.
#[derive(Debug, thiserror::Error)]
enum EntryError {
    #[error("not an operation of an append log")]
    NotAnOperation,
    #[error(transparent)]
    Edit(#[from] crate::tree::EditError),
}

fn apply(state: &mut Node, entry: Entry) -> Result<(), EntryError> {
    match entry {
        Entry::Initial(value) => *state = value,
        Entry::Edit(path, operation) => edit(state, STATE, &path, operation)?,
    }
    Ok(())
}

/// Packs what was the last request until another one was appended: it will hardly be changed any more, and a log of edits is as large in
/// memory as one that was written at once.
fn settle(state: &mut Node, before: usize) {
    let Node::Object(fields) = state else { return };
    let requests = fields.iter_mut().rev().find(|(key, _)| key.as_str() == "requests");
    if let Some((_, Node::Array(requests))) = requests
        && requests.len() > before
        && let Some(last) = before.checked_sub(1)
    {
        requests[last] = std::mem::take(&mut requests[last]).packed(&REQUEST);
    }
}

/// Reads one line: its value in the shape of the place that its path names, when the path stands before the value.
#[derive(Debug, Clone, Copy)]
struct ReadEntry {
    value: ReadNode,
    state: Shape,
}

impl Seed for ReadEntry {
    type Output = Result<Entry, EntryError>;
}

impl<'de> DeserializeSeed<'de> for ReadEntry {
    type Value = Result<Entry, EntryError>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Anything but an object is read to its end and refused.
macro_rules! refuse {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<Self::Value, E> {
            Ok(Err(EntryError::NotAnOperation))
        })*
    };
}

impl<'de> Visitor<'de> for ReadEntry {
    type Value = Result<Entry, EntryError>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an operation of an append log")
    }

    refuse!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Err(EntryError::NotAnOperation))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(EntryError::NotAnOperation))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut path, mut value, mut keep) = (None, None, None, None);
        while let Some(field) = entries.next_key_seed(ReadKey(Field::of))? {
            match field {
                Field::Kind => kind = Some(entries.next_value_seed(self.scalar())?),
                Field::Path => path = Some(entries.next_value_seed(self.path())?),
                Field::Keep => keep = Some(entries.next_value_seed(self.scalar())?),
                Field::Value => {
                    let shape = self.shape_of_value(kind.as_ref(), path.as_ref());
                    value = Some(entries.next_value_seed(ReadNode { shape, ..self.value })?);
                }
                Field::Other => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        let kind = kind.as_ref().and_then(Node::integer);
        Ok(entry(kind, path.as_ref(), value, keep.as_ref()).ok_or(EntryError::NotAnOperation))
    }
}

/// The fields of a line.
#[derive(Clone, Copy)]
enum Field {
    Kind,
    Path,
    Value,
    Keep,
    Other,
}

impl Field {
    fn of(key: &str) -> Field {
        match key {
            "kind" => Field::Kind,
            "k" => Field::Path,
            "v" => Field::Value,
            "i" => Field::Keep,
            _ => Field::Other,
        }
    }
}

impl ReadEntry {
    fn scalar(self) -> ReadNode {
        ReadNode { shape: Shape::Scalar, ..self.value }
    }

    fn path(self) -> ReadNode {
        ReadNode { shape: Shape::Array(&Shape::Scalar), ..self.value }
    }

    /// The shape in which a value is read: everything when it is not yet known where it belongs.
    fn shape_of_value(self, kind: Option<&Node>, path: Option<&Node>) -> Shape {
        if matches!(self.state, Shape::All) {
            return Shape::All;
        }
        match (kind.and_then(Node::integer), path) {
            (Some(0), _) => self.state,
            (Some(kind @ (1 | 2)), Some(path)) => {
                let shape = path.items().iter().fold(self.state, |shape, segment| match segment.text() {
                    Some(key) => shape.field(key.text).map_or(Shape::Drop, |(_, shape)| shape),
                    None => shape.item(),
                });
                match shape {
                    // Only the items of what is appended are kept.
                    Shape::Packed(shape) if kind == 2 => *shape,
                    // What is appended is dropped then, but must be seen to be an array or null.
                    Shape::Drop if kind == 2 => Shape::Object(&[]),
                    shape => shape,
                }
            }
            _ => Shape::All,
        }
    }
}

fn entry(kind: Option<i64>, path: Option<&Node>, value: Option<Node>, keep: Option<&Node>) -> Option<Entry> {
    if kind == Some(0) {
        return Some(Entry::Initial(value?));
    }
    let segments = path.and_then(segments)?;
    let operation = match kind? {
        1 => Edit::Set(value?),
        2 => Edit::Push {
            keep: match keep {
                Some(keep) => Some(usize::try_from(keep.integer()?).ok()?),
                None => None,
            },
            items: match value {
                Some(Node::Array(items)) => items,
                // Below a path that no field uses, items are dropped while they are read.
                None | Some(Node::Null) => Vec::new(),
                Some(_) => return None,
            },
        },
        3 => Edit::Delete,
        _ => return None,
    };
    Some(Entry::Edit(segments, operation))
}

fn segments(path: &Node) -> Option<Vec<Segment>> {
    let Node::Array(path) = path else { return None };
    if path.is_empty() || path.len() > PATH_SEGMENTS_MAX {
        return None;
    }
    path.iter()
        .map(|segment| match segment.text() {
            Some(key) => Some(Segment::Key(key.text.into())),
            None => match segment {
                Node::Integer(index) => Some(Segment::Index(usize::try_from(*index).ok()?)),
                _ => None,
            },
        })
        .collect()
}

/// A session from its state, which is given up piece by piece, so that requests do not stand in memory twice.
fn session(mut state: Node, stem: &str, hold: Hold) -> (Head, Vec<Request>) {
    let mut head = Head {
        id: state.text_at("sessionId").map_or_else(|| stem.into(), |id| name(Some(id))),
        created: state.integer_at("creationDate").unwrap_or(0),
        ..Head::default()
    };
    let last = state.integer_at("lastMessageDate");
    let nodes = match &mut state {
        Node::Object(fields) => {
            fields.iter_mut().rev().find(|(key, _)| key.as_str() == "requests").map(|(_, value)| value)
        }
        _ => None,
    };
    let nodes = match nodes {
        Some(Node::Array(nodes)) => std::mem::take(nodes),
        _ => Vec::new(),
    };
    drop(state);
    let requests: Vec<Request> = nodes
        .into_iter()
        .map(Node::unpacked)
        .filter(Node::is_object)
        .map(|node| request(&node, hold))
        .collect();
    head.last = last.or(requests.last().map(|request| request.timestamp)).unwrap_or(head.created);
    (head, requests)
}

fn request(node: &Node, hold: Hold) -> Request {
    let message = node.get("message").and_then(|message| message.text().or_else(|| message.text_at("text")));
    let result = node.get("result");
    let metadata = result.and_then(|result| result.get("metadata"));
    let parts = Parts::of(node, hold);
    let mut request = Request {
        id: name(node.text_at("requestId")),
        timestamp: time(node.get("timestamp").filter(|time| time.text().is_none())),
        model: name(node.text_at("modelId")),
        state: end_state(node, result),
        prompt_tokens: number(metadata, "promptTokens")
            .or_else(|| number(Some(node), "promptTokens"))
            .unwrap_or(0),
        completion_tokens: number(Some(node), "completionTokens")
            .or_else(|| number(metadata, "outputTokens"))
            .unwrap_or(0),
        images: attached(node) + parts.images,
        edited: node.items_at("editedFileEvents").iter().filter(|event| event.is_object()).count() as u64,
        response_units: parts.texts.units(),
        ai_code: parts.texts.measure.code,
        response: parts.texts.held,
        commands: parts.commands,
        ..Request::default()
    };
    if let Some(message) = message {
        let measure = message.measure();
        request.message = preview(message.text, hold.message_units).to_owned();
        request.message_units = measure.units;
        request.user_code = measure.code.clone();
    }
    for round in metadata.map_or(&[][..], |metadata| metadata.items_at("toolCallRounds")) {
        for tool in round.items_at("toolCalls").iter().filter_map(|call| call.text_at("name")) {
            request.tools.count(tool.text);
        }
    }
    request
}

fn number(node: Option<&Node>, key: &str) -> Option<u64> {
    node?.integer_at(key).map(|value| u64::try_from(value).unwrap_or(0))
}

fn end_state(node: &Node, result: Option<&Node>) -> State {
    let Some(Node::Object(fields)) = result else {
        return if node.is_true("isCanceled") { State::Cancelled } else { State::Pending };
    };
    if node.is_true("isCanceled") {
        State::Cancelled
    } else if result.and_then(|result| result.get("errorDetails")).is_some_and(Node::is_object) {
        State::Errored
    } else if fields.is_empty() {
        State::Pending
    } else {
        State::Complete
    }
}

/// What the parts of a response come to.
#[derive(Default)]
struct Parts {
    texts: Joined,
    images: u64,
    commands: Vec<Box<str>>,
}

impl Parts {
    fn of(request: &Node, hold: Hold) -> Parts {
        let mut parts = Parts::default();
        let Some(response) = request.get("response") else {
            return parts;
        };
        if let Some(text) = response.text() {
            parts.texts.add(text, hold.response_units);
        }
        response.for_each_item(&mut |part| parts.add(part, hold));
        parts
    }

    fn add(&mut self, part: &Node, hold: Hold) {
        let value = part.get("value");
        if let Some(text) = value.and_then(|value| value.text().or_else(|| value.text_at("value"))) {
            self.texts.add(text, hold.response_units);
        }
        let kind = part.at(&["resultDetails", "output"]).and_then(|output| output.str_at("mimeType"));
        self.images += u64::from(kind.is_some_and(|kind| kind.starts_with("image/")));
        self.commands.extend(command(part));
    }
}

/// Images that came with the message.
fn attached(node: &Node) -> u64 {
    let variables = node.at(&["variableData", "variables"]).map_or(&[][..], Node::items);
    variables.iter().filter(|variable| variable.str_at("kind") == Some("image")).count() as u64
}

fn command(part: &Node) -> Option<Box<str>> {
    let data = part.get("toolSpecificData")?;
    if part.str_at("kind") != Some("toolInvocationSerialized") || data.str_at("kind") != Some("terminal") {
        return None;
    }
    let line = data.get("commandLine");
    let text = line
        .and_then(|line| line.text_at("original"))
        .or_else(|| line.and_then(Node::text))
        .or_else(|| data.at(&["confirmation", "commandLine"]).and_then(Node::text))?;
    Some(preview(text.text, COMMAND_UNITS).into())
}
