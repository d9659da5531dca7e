//! What is counted in a rollout of Codex CLI.

use crate::fit::scan::{Unit, Value, Visit};
use crate::fit::tally::{Lines, plausible};

/// Beginnings of user messages that the tool itself puts there, in files without events.
const NO_PROMPT: [&[u8]; 2] = [b"<", b"# AGENTS.md"];

/// A rollout, line by line.
pub(super) struct Codex<'a> {
    lines: &'a mut Lines,
    /// Requests so far.
    pub(super) requests: u64,
    /// Whether it says that it goes on from another one.
    pub(super) is_forked: bool,
    calls: u64,
    line: Line,
}

/// What the line has said so far. A line without a payload is the item itself, as in files of 2025.
#[derive(Default)]
struct Line {
    kind: Vec<u8>,
    item: Vec<u8>,
    role: Vec<u8>,
    name: Vec<u8>,
    text: Option<Vec<u8>>,
    is_enveloped: bool,
    tokens: u64,
}

impl<'a> Codex<'a> {
    pub(super) fn new(lines: &'a mut Lines) -> Self {
        Codex { lines, requests: 0, is_forked: false, calls: 0, line: Line::default() }
    }

    /// The file is over.
    pub(super) fn finish(&mut self) {
        if self.requests > 0 {
            self.lines.request(self.calls);
        }
    }

    fn line(&mut self, line: &Line) {
        let is_item = !line.is_enveloped || line.kind == b"response_item";
        let item = if line.is_enveloped { &line.item } else { &line.kind };
        let is_own = |text: &Vec<u8>| NO_PROMPT.iter().any(|no| text.starts_with(no));
        let asks = if line.is_enveloped {
            line.kind == b"event_msg" && line.item == b"user_message"
        } else {
            item == b"message" && line.role == b"user" && line.text.as_ref().is_some_and(|text| !is_own(text))
        };
        if asks {
            self.finish();
            self.calls = 0;
            self.requests += 1;
        }
        if let Some(kind) = item.strip_suffix(b"_call").filter(|_| is_item) {
            self.calls += 1;
            self.lines.tool(if line.name.is_empty() { kind } else { &line.name });
        }
        self.lines.output_tokens += line.tokens;
    }
}

impl Visit for Codex<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        let line = &mut self.line;
        match (path, value) {
            ("type", Value::Text(kind)) => line.kind = kind.to_vec(),
            ("payload", Value::Object) => line.is_enveloped = true,
            ("payload.type", Value::Text(item)) => line.item = item.to_vec(),
            ("role", Value::Text(role)) => line.role = role.to_vec(),
            ("name" | "payload.name", Value::Text(name)) => line.name = name.to_vec(),
            ("content.*.text", Value::Text(text)) if line.text.is_none() && !text.is_empty() => {
                line.text = Some(text.to_vec());
            }
            ("payload.forked_from_id", Value::Text(_)) => self.is_forked = true,
            ("payload.info.last_token_usage.output_tokens", Value::Number(tokens)) => {
                line.tokens = plausible(tokens);
            }
            _ => {}
        }
    }

    fn end(&mut self, unit: Unit) {
        let line = std::mem::take(&mut self.line);
        let has_item = matches!(line.kind.as_slice(), b"event_msg" | b"response_item");
        self.lines.line(unit, if has_item { &line.item } else { &line.kind });
        if unit.is_whole && !line.kind.is_empty() {
            self.line(&line);
        }
    }
}
