//! Gemini CLI: one document a session, written anew at each change.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::{BYTE_ORDER_MARK, parse};
use super::text::{cleaned, of as text_of};
use super::{Done, Record, Resume};
use crate::formats::source::{ReadError, Skips};
use crate::snapshots::event::{Body, Event};

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "sessionId", borrow, default)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(rename = "displayContent", borrow, default)]
    shown: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    thoughts: Vec<Thought<'a>>,
    #[serde(rename = "toolCalls", borrow, default)]
    calls: Vec<Call<'a>>,
}

#[derive(Deserialize)]
struct Thought<'a> {
    #[serde(borrow, default)]
    subject: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
    #[serde(rename = "resultDisplay", borrow, default)]
    shown: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

/// Gives the events of the messages that were not read before. A document that is being written gives none.
pub(super) fn document(
    file: &mut File,
    resume: &mut Resume,
    skips: &mut Skips,
    sink: &mut dyn FnMut(Event),
) -> Result<Done, ReadError> {
    let mut bytes = Vec::with_capacity(file.metadata()?.len() as usize + 1);
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let Ok(document) = parse::<Document<'_>>(without_mark(&mut bytes)) else {
        return Ok(Done { is_legible: false });
    };
    for (number, message) in (1..).zip(&document.messages).skip(resume.offset as usize) {
        match serde_json::from_str(message.get()) {
            Ok(message) => events(&message, number, sink),
            Err(error) => skips.line(number, &format_args!("of the messages: {error}")),
        }
    }
    resume.offset = resume.offset.max(document.messages.len() as u64);
    Ok(Done { is_legible: true })
}

fn events(message: &Message<'_>, number: u64, sink: &mut dyn FnMut(Event)) {
    let mut record = Record {
        name: &message.id,
        timestamp: &message.timestamp,
        turn: None,
        source: (&message.kind, Some(&message.id)),
        cursor: number,
        made: Vec::new(),
    };
    let mut give = |body| sink(record.event(body));
    match &*message.kind {
        "user" => {
            let text = said(message);
            if !text.trim().is_empty() {
                give(Body::User((*text).into()));
            }
        }
        "gemini" => {
            for thought in &message.thoughts {
                give(Body::Thinking(format!("{}\n{}", thought.subject, thought.description).trim().into()));
            }
            let text = text_of(message.content);
            if !text.trim().is_empty() {
                let model = message.model.as_deref().map(Into::into);
                give(Body::Assistant { text: (*text).into(), model, phase: None });
            }
            message.calls.iter().for_each(|call| call_and_result(call, &mut give));
        }
        _ => {}
    }
}

/// What the person saw, with the commands that stand in the full text only.
fn said<'a>(message: &Message<'a>) -> Cow<'a, str> {
    let full = text_of(message.content);
    let shown = match message.shown {
        Some(shown) => text_of(Some(shown)),
        None => return Cow::Owned(cleaned(&full).into_owned()),
    };
    let lost =
        full.lines().filter(|line| line.trim_start().starts_with("::") && !shown.contains(line.trim()));
    Cow::Owned(lost.fold(cleaned(&shown).into_owned(), |text, line| text + "\n" + line))
}

fn call_and_result(call: &Call<'_>, give: &mut dyn FnMut(Body)) {
    let input = call.args.map(RawValue::get).unwrap_or_default();
    give(Body::ToolCall { call: (*call.id).into(), name: (*call.name).into(), input: input.into() });
    if let Some(result) = call.shown.or(call.result) {
        give(Body::ToolResult { call: (*call.id).into(), result: (*text_of(Some(result))).into() });
    }
}

/// The id that a document says; none while it is being written.
pub(super) fn session_id(bytes: &mut [u8]) -> Option<Box<str>> {
    let document = parse::<Document<'_>>(without_mark(bytes)).ok()?;
    document.session.filter(|id| !id.is_empty()).map(Into::into)
}

fn without_mark(bytes: &mut [u8]) -> &mut [u8] {
    let start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    &mut bytes[start..]
}
