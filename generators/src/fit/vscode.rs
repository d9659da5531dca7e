//! What is counted in a chat session of VS Code: a document, or a log of changes to one.

use std::collections::BTreeMap;

use crate::fit::scan::{Unit, Value, Visit};
use crate::fit::tally::{Lines, plausible};

/// No session is told to have more requests: an index beyond is damage.
const REQUESTS_MAX: usize = 10_000_000;

/// A chat session.
pub(super) struct Chat<'a> {
    lines: &'a mut Lines,
    is_log: bool,
    /// Tool calls of each request in the state so far.
    requests: Vec<u32>,
    tokens: Vec<u64>,
    tools: BTreeMap<Vec<u8>, u64>,
    version: u64,
    entries: u64,
    has_text_messages: bool,
    line: Line,
}

/// What a line of a log has said so far; a document is a line of kind 0 without a path.
#[derive(Default)]
struct Line {
    kind: u64,
    keys: u64,
    is_of_requests: bool,
    /// Which request the line is of, and which field of it.
    request: Option<usize>,
    field: Vec<u8>,
    /// Requests that it brings.
    new: u64,
    /// Where the array is cut before.
    cut: Option<usize>,
}

/// No session is looked at for more distinct tools.
const TOOLS_MAX: usize = 1_000;

impl<'a> Chat<'a> {
    pub(super) fn new(lines: &'a mut Lines, is_log: bool) -> Self {
        Chat {
            lines,
            is_log,
            requests: Vec::new(),
            tokens: Vec::new(),
            tools: BTreeMap::new(),
            version: 1,
            entries: 0,
            has_text_messages: false,
            line: Line::default(),
        }
    }

    /// The file is over: its requests and its shape.
    pub(super) fn finish(&mut self) -> (u64, &'static str) {
        for calls in &self.requests {
            self.lines.request(u64::from(*calls));
        }
        self.lines.output_tokens += self.tokens.iter().sum::<u64>();
        for (name, count) in std::mem::take(&mut self.tools) {
            for _ in 0..count {
                self.lines.tool(&name);
            }
        }
        let shape = match (self.is_log, self.version) {
            // One entry with requests in it: the log was just rewritten.
            (true, _) if self.entries == 1 && !self.requests.is_empty() => "compacted",
            (true, _) => "log",
            (false, 3..) => "v3",
            (false, 2) => "v2",
            (false, _) if self.has_text_messages || self.requests.is_empty() => "v1",
            (false, _) => "v2",
        };
        (self.requests.len() as u64, shape)
    }

    /// The part of a path below the state, and whether it is below a request that the line brings.
    fn state(&mut self, path: &str, value: Value<'_>) {
        if path == "version"
            && let Value::Number(version) = value
        {
            self.version = version as u64;
        }
        if let Some(rest) = path.strip_prefix("requests.*") {
            self.request(rest.strip_prefix('.').unwrap_or(rest), value);
        }
    }

    /// A value in a request that the line brings.
    fn request(&mut self, path: &str, value: Value<'_>) {
        match (path, value) {
            ("", Value::Object) if self.requests.len() < REQUESTS_MAX => {
                self.requests.push(0);
                self.tokens.push(0);
                self.line.new += 1;
            }
            ("message", Value::Text(_)) => self.has_text_messages = true,
            ("completionTokens" | "result.metadata.outputTokens", Value::Number(tokens)) => {
                let at = self.tokens.len().checked_sub(1);
                self.set_tokens(at, plausible(tokens));
            }
            ("result.metadata.toolCallRounds.*.toolCalls.*.name", Value::Text(name)) => {
                let last = self.requests.len().checked_sub(1);
                self.call(last, name);
            }
            _ => {}
        }
    }

    fn set_tokens(&mut self, at: Option<usize>, tokens: u64) {
        if let Some(counted) = at.and_then(|at| self.tokens.get_mut(at)) {
            *counted = tokens;
        }
    }

    fn call(&mut self, at: Option<usize>, name: &[u8]) {
        if let Some(calls) = at.and_then(|at| self.requests.get_mut(at)) {
            *calls = calls.saturating_add(1);
            if self.tools.len() < TOOLS_MAX {
                *self.tools.entry(name.to_vec()).or_default() += 1;
            }
        }
    }

    /// A value of a change: of a new state, of new requests, or of a field of a request.
    fn change(&mut self, path: &str, value: Value<'_>) {
        match (self.line.kind, self.line.is_of_requests, self.line.keys) {
            (0, ..) => {
                if path.is_empty() {
                    self.requests.clear();
                    self.tokens.clear();
                    self.tools.clear();
                }
                self.state(path, value);
            }
            (2, true, 1) => {
                if let Some(rest) = path.strip_prefix('*') {
                    self.request(rest.strip_prefix('.').unwrap_or(rest), value);
                }
            }
            (1, true, 3) => self.field(path, value),
            _ => {}
        }
    }

    fn field(&mut self, path: &str, value: Value<'_>) {
        let at = self.line.request;
        match (self.line.field.as_slice(), path, value) {
            (b"result", "", _) => {
                // A result that is set again has all calls again.
                if let Some(calls) = at.and_then(|at| self.requests.get_mut(at)) {
                    *calls = 0;
                }
            }
            (b"result", "metadata.toolCallRounds.*.toolCalls.*.name", Value::Text(name)) => {
                self.call(at, name)
            }
            (b"result", "metadata.outputTokens", Value::Number(tokens))
            | (b"completionTokens", "", Value::Number(tokens)) => self.set_tokens(at, plausible(tokens)),
            _ => {}
        }
    }

    fn key(&mut self, value: Value<'_>) {
        self.line.keys += 1;
        match (self.line.keys, value) {
            (1, Value::Text(key)) => self.line.is_of_requests = key == b"requests",
            (2, Value::Number(index)) => self.line.request = Some(index as usize),
            (3, Value::Text(key)) => self.line.field = key.to_vec(),
            _ => {}
        }
    }
}

impl Visit for Chat<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        if !self.is_log {
            return self.state(path, value);
        }
        match (path, value) {
            ("kind", Value::Number(kind)) => self.line.kind = kind as u64,
            ("k.*", value) => self.key(value),
            ("i", Value::Number(index)) => self.line.cut = Some(index as usize),
            ("v", value) => self.change("", value),
            (path, value) => {
                if let Some(rest) = path.strip_prefix("v.") {
                    self.change(rest, value);
                }
            }
        }
    }

    fn end(&mut self, unit: Unit) {
        let line = std::mem::take(&mut self.line);
        const KINDS: [&[u8]; 4] = [b"kind-0", b"kind-1", b"kind-2", b"kind-3"];
        let kind = KINDS.get(line.kind as usize).copied().filter(|_| self.is_log);
        self.lines.line(unit, if self.is_log { kind.unwrap_or(b"") } else { b"document" });
        self.entries += 1;
        if let Some(cut) = line.cut.filter(|_| line.kind == 2 && line.is_of_requests && line.keys == 1) {
            // The cut comes before the new requests, but stands behind them.
            // A line may hold its keys twice, and a state may come between.
            let new = self.requests.len().saturating_sub(line.new as usize);
            let kept = new.min(cut);
            self.requests.drain(kept..new);
            self.tokens.drain(kept..new);
        }
    }
}
