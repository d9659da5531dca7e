//! What is counted in small documents: sessions of Gemini CLI, messages and parts of OpenCode.

use crate::fit::scan::{Unit, Value, Visit};
use crate::fit::tally::{Lines, plausible};

/// A session of Gemini CLI: one document.
pub(super) struct Gemini<'a> {
    lines: &'a mut Lines,
    /// Requests so far.
    pub(super) requests: u64,
    calls: u64,
}

impl<'a> Gemini<'a> {
    pub(super) fn new(lines: &'a mut Lines) -> Self {
        Gemini { lines, requests: 0, calls: 0 }
    }

    /// The file is over.
    pub(super) fn finish(&mut self) {
        if self.requests > 0 {
            self.lines.request(self.calls);
        }
    }
}

impl Visit for Gemini<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        match (path, value) {
            ("messages.*.type", Value::Text(kind)) => {
                self.lines.record(kind);
                if kind == b"user" {
                    self.finish();
                    self.calls = 0;
                    self.requests += 1;
                }
            }
            ("messages.*.toolCalls.*.name", Value::Text(name)) => {
                self.calls += 1;
                self.lines.tool(name);
            }
            ("messages.*.tokens.output" | "messages.*.tokens.thoughts", Value::Number(tokens)) => {
                self.lines.output_tokens += plausible(tokens);
            }
            _ => {}
        }
    }

    fn end(&mut self, unit: Unit) {
        self.lines.line(unit, b"document");
    }
}

/// A file of OpenCode's tree: a message or a part.
pub(super) struct Piece<'a> {
    lines: &'a mut Lines,
    /// Whether a person wrote the message.
    pub(super) is_user: bool,
    /// Whether the part is the call of a tool.
    pub(super) is_call: bool,
    kind: Vec<u8>,
}

impl<'a> Piece<'a> {
    pub(super) fn new(lines: &'a mut Lines) -> Self {
        Piece { lines, is_user: false, is_call: false, kind: b"document".to_vec() }
    }
}

impl Visit for Piece<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        match (path, value) {
            ("role", Value::Text(role)) => {
                self.is_user = role == b"user";
                self.kind = role.to_vec();
            }
            ("type", Value::Text(kind)) => self.kind = kind.to_vec(),
            ("tool", Value::Text(name)) => {
                self.is_call = true;
                self.lines.tool(name);
            }
            ("tokens.output" | "tokens.reasoning", Value::Number(tokens)) if self.kind == b"assistant" => {
                self.lines.output_tokens += plausible(tokens);
            }
            _ => {}
        }
    }

    fn end(&mut self, unit: Unit) {
        self.lines.line(unit, &self.kind);
    }
}
