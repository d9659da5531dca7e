//! Codex CLI: one record a line. Every text stands in two records; it is taken once.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::{parse, parse_kind};
use super::text::{cleaned, of as text_of};
use super::{Record, Resume};
use crate::checksum::Checksum;
use crate::formats::source::ReadError;
use crate::snapshots::event::{Body, Event};

/// Bytes at the beginning of a file in which its session is looked for.
const HEAD_BYTES: u64 = 32 * 1024;
/// Characters of an id at the end of a file's name.
const UUID_CHARS: usize = 36;
/// What an editor's plug-in puts between its own preamble and what the person wrote.
const REQUEST_MARK: &str = "My request for Codex:";

/// What matters for the records to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    model: Option<Box<str>>,
    turn: Option<Box<str>>,
    /// Checksum of the answer that an event record told last: the item record of the same text follows.
    told: Option<u64>,
}

impl State {
    pub(super) fn heap_bytes(&self) -> usize {
        [&self.model, &self.turn].into_iter().flatten().map(|text| text.len()).sum()
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    turn_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    phase: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    /// JSON as a string, or, of a custom tool, plain text.
    #[serde(borrow, default, alias = "input")]
    arguments: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
}

/// Gives the events of a record.
pub(super) fn record(
    line: &mut [u8],
    resume: &mut Resume,
    sink: &mut dyn FnMut(Event),
) -> Result<(), serde_json::Error> {
    let kinds = ["session_meta", "turn_context", "event_msg", "response_item"];
    let Some(line) = parse_kind::<Line<'_>>(line, &kinds)? else { return Ok(()) };
    let Some(payload) = &line.payload else { return Ok(()) };
    let kind = payload.kind.as_deref().unwrap_or_default();
    let state = &mut resume.codex;
    let body = match (&*line.kind, kind) {
        ("turn_context", _) => {
            state.model = payload.model.as_deref().map(Into::into);
            state.turn = payload.turn_id.as_deref().map(Into::into);
            None
        }
        ("event_msg", "task_started") => {
            state.turn = payload.turn_id.as_deref().map(Into::into);
            None
        }
        ("event_msg", "user_message") => said(payload.message.as_deref().unwrap_or_default()),
        ("event_msg", "agent_message") => {
            let text = payload.message.as_deref().unwrap_or_default();
            state.told = Some(sum(text));
            answered(text, payload, state)
        }
        ("response_item", _) => item(kind, payload, state),
        _ => None,
    };
    let Some(body) = body else { return Ok(()) };
    let place = resume.line_start.to_string();
    let mut record = Record {
        name: &place,
        timestamp: line.timestamp.as_deref().unwrap_or_default(),
        turn: state.turn.as_deref(),
        source: (kind, payload.id.as_deref()),
        cursor: resume.offset,
        made: Vec::new(),
    };
    sink(record.event(body));
    Ok(())
}

/// What an item record adds. Its texts of a person are taken from event records, where they stand without what the tool adds.
fn item(kind: &str, payload: &Payload<'_>, state: &mut State) -> Option<Body> {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().into();
    match kind {
        "message" if payload.role.as_deref() == Some("assistant") => {
            let text = text_of(payload.content);
            let is_told = state.told.take() == Some(sum(&text));
            if is_told { None } else { answered(&text, payload, state) }
        }
        "reasoning" => {
            let thoughts = text_of(payload.summary);
            (!thoughts.trim().is_empty()).then(|| Body::Thinking((*thoughts).into()))
        }
        "function_call" | "custom_tool_call" => Some(Body::ToolCall {
            call: text(&payload.call_id),
            name: text(&payload.name),
            input: text(&payload.arguments),
        }),
        "function_call_output" | "custom_tool_call_output" => {
            Some(Body::ToolResult { call: text(&payload.call_id), result: (*text_of(payload.output)).into() })
        }
        _ => None,
    }
}

fn said(text: &str) -> Option<Body> {
    let text = text.split_once(REQUEST_MARK).map_or(text, |(_, request)| request.trim_start());
    let text = cleaned(text);
    (!text.trim().is_empty()).then(|| Body::User((*text).into()))
}

fn answered(text: &str, payload: &Payload<'_>, state: &State) -> Option<Body> {
    (!text.trim().is_empty()).then(|| Body::Assistant {
        text: text.into(),
        model: state.model.clone(),
        phase: payload.phase.as_deref().map(Into::into),
    })
}

fn sum(text: &str) -> u64 {
    let mut checksum = Checksum::new();
    checksum.add(text.as_bytes());
    checksum.value()
}

/// The session's id in the first line, or at the end of the file's name where that line is too long to look at.
pub(super) fn session_id(file: &mut File, stem: &str) -> Result<Option<Box<str>>, ReadError> {
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        let is_long = head.len() as u64 == HEAD_BYTES;
        let named = stem.get(stem.len().saturating_sub(UUID_CHARS)..);
        return Ok(named.filter(|_| is_long).map(Into::into));
    };
    let line = parse::<Line<'_>>(&mut head[..end]).ok();
    let payload = line.filter(|line| line.kind == "session_meta").and_then(|line| line.payload);
    Ok(payload.and_then(|payload| payload.id).map(Into::into))
}
