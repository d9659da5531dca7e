//! What is counted in the events of a Copilot CLI session.

use crate::fit::scan::{Unit, Value, Visit};
use crate::fit::tally::{Lines, plausible};

/// A session of Copilot CLI, event by event.
pub(super) struct Copilot<'a> {
    lines: &'a mut Lines,
    /// Requests so far; one that nothing answered is none.
    pub(super) requests: u64,
    open: Option<Open>,
    kind: Vec<u8>,
    tool: Vec<u8>,
    has_content: bool,
    tokens: u64,
}

/// The request that is open.
#[derive(Default)]
struct Open {
    calls: u64,
    is_answered: bool,
}

impl<'a> Copilot<'a> {
    pub(super) fn new(lines: &'a mut Lines) -> Self {
        Copilot {
            lines,
            requests: 0,
            open: None,
            kind: Vec::new(),
            tool: Vec::new(),
            has_content: false,
            tokens: 0,
        }
    }

    /// The file is over.
    pub(super) fn finish(&mut self) {
        if let Some(open) = self.open.take().filter(|open| open.is_answered || open.calls > 0) {
            self.lines.request(open.calls);
            self.requests += 1;
        }
    }
}

impl Visit for Copilot<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        match (path, value) {
            ("type", Value::Text(kind)) => self.kind = kind.to_vec(),
            ("data.toolName", Value::Text(name)) => self.tool = name.to_vec(),
            ("data.content", Value::Text(text)) => self.has_content = !text.is_empty(),
            ("data.outputTokens", Value::Number(tokens)) => self.tokens = plausible(tokens),
            _ => {}
        }
    }

    fn end(&mut self, unit: Unit) {
        self.lines.line(unit, &self.kind);
        if unit.is_whole && self.kind == b"user.message" {
            self.finish();
            self.open = Some(Open::default());
        } else if let Some(open) = self.open.as_mut().filter(|_| unit.is_whole) {
            match self.kind.as_slice() {
                b"assistant.message" => {
                    open.is_answered |= self.has_content;
                    self.lines.output_tokens += self.tokens;
                }
                b"tool.execution_start" => {
                    open.calls += 1;
                    self.lines.tool(&self.tool);
                }
                b"abort" => open.is_answered = true,
                _ => {}
            }
        }
        self.kind.clear();
        self.tool.clear();
        (self.has_content, self.tokens) = (false, 0);
    }
}
