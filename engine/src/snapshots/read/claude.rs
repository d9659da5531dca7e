//! Claude Code: one record a line.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::parse_kind;
use super::text::{Text, cleaned, of as text_of};
use super::{Record, Resume};
use crate::snapshots::event::{Body, Event};

/// The tool by which the model asks a person to choose.
const QUESTION_TOOL: &str = "AskUserQuestion";

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(rename = "isSidechain", default)]
    is_sidechain: Option<bool>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    /// Of a system record.
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subtype: Option<Cow<'a, str>>,
    #[serde(rename = "toolUseResult", borrow, default)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    thinking: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_use_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

/// What a person was asked, and what they answered.
#[derive(Deserialize)]
struct Questions<'a> {
    #[serde(borrow, default)]
    questions: Vec<Question<'a>>,
    /// How earlier versions asked one.
    #[serde(borrow, default)]
    question: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    answers: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
}

#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow, default)]
    question: Cow<'a, str>,
}

/// Gives the events of a record. What subagents say is not the session's.
pub(super) fn record(
    line: &mut [u8],
    resume: &mut Resume,
    sink: &mut dyn FnMut(Event),
) -> Result<(), serde_json::Error> {
    let Some(line) = parse_kind::<Line<'_>>(line, &["user", "assistant", "system"])? else { return Ok(()) };
    if line.is_sidechain == Some(true) || !matches!(&*line.kind, "user" | "assistant" | "system") {
        return Ok(());
    }
    let place = resume.line_start.to_string();
    let uuid = line.uuid.as_deref();
    let mut record = Record {
        name: uuid.unwrap_or(&place),
        timestamp: line.timestamp.as_deref().unwrap_or_default(),
        turn: None,
        source: (&line.kind, uuid),
        cursor: resume.offset,
        made: Vec::new(),
    };
    let mut give = |body| sink(record.event(body));
    if line.kind == "system" {
        let text = text_of(line.content);
        if !text.trim().is_empty() {
            let subtype = line.subtype.as_deref().map(Into::into);
            give(Body::Info { text: (*text).into(), subtype });
        }
        return Ok(());
    }
    let Some(message) = &line.message else { return Ok(()) };
    let raw = message.content.map(RawValue::get).unwrap_or_default();
    if line.kind == "user" {
        user(raw, line.result, &mut give);
    } else {
        assistant(raw, message.model.as_deref(), &mut give);
    }
    Ok(())
}

fn blocks(raw: &str) -> Vec<Block<'_>> {
    serde_json::from_str(raw).unwrap_or_default()
}

fn user(raw: &str, result: Option<&RawValue>, give: &mut dyn FnMut(Body)) {
    let say = |text: &str, give: &mut dyn FnMut(Body)| {
        let text = cleaned(text);
        if !text.trim().is_empty() {
            give(Body::User((*text).into()));
        }
    };
    if let Ok(Text(text)) = serde_json::from_str(raw) {
        return say(&text, give);
    }
    // The answers are the record's: the first result takes them.
    let mut answers = result.and_then(answers);
    for block in blocks(raw) {
        match &*block.kind {
            "text" => say(block.text.as_deref().unwrap_or_default(), give),
            "tool_result" => {
                let call = block.tool_use_id.as_deref().unwrap_or_default();
                give(Body::ToolResult { call: call.into(), result: (*text_of(block.content)).into() });
                if let Some(summary) = answers.take() {
                    give(Body::Decision { id: call.into(), summary, accepted: true });
                }
            }
            _ => {}
        }
    }
}

fn assistant(raw: &str, model: Option<&str>, give: &mut dyn FnMut(Body)) {
    let say = |text: &str| {
        (!text.trim().is_empty()).then(|| Body::Assistant {
            text: text.into(),
            model: model.map(Into::into),
            phase: None,
        })
    };
    if let Ok(Text(text)) = serde_json::from_str(raw) {
        return say(&text).into_iter().for_each(give);
    }
    for block in blocks(raw) {
        match &*block.kind {
            "text" => say(block.text.as_deref().unwrap_or_default()).into_iter().for_each(&mut *give),
            "thinking" => {
                let text = block.thinking.as_deref().unwrap_or_default();
                if !text.is_empty() {
                    give(Body::Thinking(text.into()));
                }
            }
            "tool_use" => call(&block, give),
            _ => {}
        }
    }
}

fn call(block: &Block<'_>, give: &mut dyn FnMut(Body)) {
    let (id, name) = (block.id.as_deref().unwrap_or_default(), block.name.as_deref().unwrap_or_default());
    let input = block.input.map(RawValue::get).unwrap_or_default();
    give(Body::ToolCall { call: id.into(), name: name.into(), input: input.into() });
    let asked = serde_json::from_str::<Questions<'_>>(input).ok().filter(|_| name == QUESTION_TOOL);
    let Some(asked) = asked else { return };
    let questions =
        asked.questions.iter().map(|question| &*question.question).chain(asked.question.as_deref());
    let summary = questions.collect::<Vec<_>>().join("\n");
    if !summary.is_empty() {
        give(Body::Decision { id: id.into(), summary: summary.into(), accepted: false });
    }
}

/// The questions with their answers; none where the result is of another tool.
fn answers(result: &RawValue) -> Option<Box<str>> {
    let answered = serde_json::from_str::<Questions<'_>>(result.get()).ok()?;
    let answers: Vec<String> = answered
        .answers?
        .iter()
        .map(|(question, answer)| format!("{question}: {}", text_of(Some(answer))))
        .collect();
    (!answers.is_empty()).then(|| answers.join("\n").into())
}
