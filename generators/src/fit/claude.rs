//! What is counted in a file of Claude Code.

use std::collections::{BTreeMap, HashSet};

use rapidhash::v3::rapidhash_v3;

use crate::fit::scan::{Unit, Value, Visit};
use crate::fit::tally::{Lines, plausible};

/// Beginnings of user lines that are no prompts.
const NO_PROMPT: [&[u8]; 3] = [b"<command-", b"<local-command-", b"[Request interrupted"];

/// A file of Claude Code, line by line.
pub(super) struct Claude<'a> {
    lines: &'a mut Lines,
    /// Requests so far: a prompt that is written again is none.
    pub(super) requests: u64,
    prompts: HashSet<u64>,
    /// Whether prompts count: what a subagent is told is not the person's.
    counts_prompts: bool,
    calls: u64,
    /// The response whose tokens were counted last, and how many.
    response: (u64, u64),
    line: Line,
}

/// What the line has said so far.
#[derive(Default)]
struct Line {
    kind: Vec<u8>,
    has_text: bool,
    is_prompt: bool,
    uuid: u64,
    response: u64,
    tokens: u64,
    tools: BTreeMap<Vec<u8>, u64>,
}

/// No line is looked at for more tools than these.
const TOOLS_MAX: usize = 1_000;

impl<'a> Claude<'a> {
    pub(super) fn new(lines: &'a mut Lines, counts_prompts: bool) -> Self {
        let prompts = HashSet::new();
        Claude {
            lines,
            requests: 0,
            prompts,
            counts_prompts,
            calls: 0,
            response: (0, 0),
            line: Line::default(),
        }
    }

    /// The file is over.
    pub(super) fn finish(&mut self) {
        if self.requests > 0 {
            self.lines.request(self.calls);
        }
    }

    fn prompt(&mut self) {
        let is_new = self.line.uuid == 0 || self.prompts.insert(self.line.uuid);
        if is_new && self.counts_prompts {
            self.finish();
            self.calls = 0;
            self.requests += 1;
        }
    }

    fn answer(&mut self) {
        for (name, count) in std::mem::take(&mut self.line.tools) {
            self.calls += count;
            for _ in 0..count {
                self.lines.tool(&name);
            }
        }
        // One response's usage stands on each of its lines, and may grow.
        let (id, counted) = self.response;
        let before = if id == self.line.response && id != 0 { counted } else { 0 };
        self.lines.output_tokens += self.line.tokens.saturating_sub(before);
        self.response = (self.line.response, self.line.tokens.max(before));
    }
}

impl Visit for Claude<'_> {
    fn value(&mut self, path: &str, value: Value<'_>) {
        let line = &mut self.line;
        match (path, value) {
            ("type", Value::Text(kind)) => line.kind = kind.to_vec(),
            ("uuid", Value::Text(uuid)) if !uuid.is_empty() => line.uuid = rapidhash_v3(uuid) | 1,
            ("message.id", Value::Text(id)) if !id.is_empty() => line.response = rapidhash_v3(id) | 1,
            ("message.content" | "message.content.*.text", Value::Text(text))
                if !text.is_empty() && !line.has_text =>
            {
                line.has_text = true;
                line.is_prompt = !NO_PROMPT.iter().any(|no| text.starts_with(no));
            }
            ("message.content.*.name", Value::Text(name)) if line.tools.len() < TOOLS_MAX => {
                *line.tools.entry(name.to_vec()).or_default() += 1;
            }
            ("message.usage.output_tokens", Value::Number(tokens)) => line.tokens = plausible(tokens),
            _ => {}
        }
    }

    fn end(&mut self, unit: Unit) {
        self.lines.line(unit, &self.line.kind);
        if unit.is_whole && self.line.kind == b"user" && self.line.is_prompt {
            self.prompt();
        } else if unit.is_whole && self.line.kind == b"assistant" {
            self.answer();
        }
        self.line = Line::default();
    }
}
