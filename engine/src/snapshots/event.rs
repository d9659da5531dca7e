//! The events of a session, as all tools' records are turned into them.

/// The tool that wrote a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Claude Code: one record a line, one session a file.
    Claude,
    /// Codex CLI: one record a line, one session a file.
    Codex,
    /// Gemini CLI: one document a session, written anew at each change.
    Gemini,
}

impl Provider {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Claude => "claude",
            Provider::Codex => "codex",
            Provider::Gemini => "gemini",
        }
    }
}

/// One thing that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What tells it from every other event of its session.
    pub id: Box<str>,
    /// When it happened, as the tool wrote it (ISO 8601); empty where the record does not say.
    pub timestamp: Box<str>,
    /// The turn it belongs to, where the tool numbers turns.
    pub turn: Option<Box<str>>,
    /// The record that it was made of.
    pub source: Source,
    /// What happened.
    pub body: Body,
}

/// The record that an event was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The record's type, in the tool's own words.
    pub kind: Box<str>,
    /// The record's id, where it has one.
    pub id: Option<Box<str>>,
    /// Where reading goes on after the record: bytes from the beginning of the file, or messages from that of the document.
    pub cursor: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A person wrote.
    User(Box<str>),
    /// The model answered.
    Assistant {
        /// Its words.
        text: Box<str>,
        /// The model.
        model: Option<Box<str>>,
        /// Whether it is the turn's last word or a comment on the way, where the tool tells.
        phase: Option<Box<str>>,
    },
    /// The tool gave the model an instruction.
    System(Box<str>),
    /// The model thought.
    Thinking(Box<str>),
    /// The model called a tool.
    ToolCall {
        /// What its result refers to.
        call: Box<str>,
        /// The tool.
        name: Box<str>,
        /// Its arguments, as JSON text.
        input: Box<str>,
    },
    /// A tool answered.
    ToolResult {
        /// The call that it answers.
        call: Box<str>,
        /// Its answer, as text.
        result: Box<str>,
    },
    /// The model asked a person to choose, or the person chose.
    Decision {
        /// The question's id.
        id: Box<str>,
        /// The question, and the answer when there is one.
        summary: Box<str>,
        /// Whether it has been answered.
        accepted: bool,
    },
    /// The tool said something of itself.
    Info {
        /// What it said.
        text: Box<str>,
        /// What it is about, in the tool's own words.
        subtype: Option<Box<str>>,
    },
}

impl Event {
    /// Its kind: `message.user`, `tool.call`.
    pub fn kind(&self) -> &'static str {
        match self.body {
            Body::User(_) => "message.user",
            Body::Assistant { .. } => "message.assistant",
            Body::System(_) => "message.system",
            Body::Thinking(_) => "thinking",
            Body::ToolCall { .. } => "tool.call",
            Body::ToolResult { .. } => "tool.result",
            Body::Decision { .. } => "decision",
            Body::Info { .. } => "provider.info",
        }
    }

    /// Its text: what was said, the arguments of a call, the answer of a tool.
    pub fn text(&self) -> &str {
        match &self.body {
            Body::User(text) | Body::System(text) | Body::Thinking(text) => text,
            Body::Assistant { text, .. } | Body::Info { text, .. } => text,
            Body::ToolCall { input, .. } => input,
            Body::ToolResult { result, .. } => result,
            Body::Decision { summary, .. } => summary,
        }
    }

    /// Bytes of the blocks that it has on the heap, as they were asked for. Each of its texts is one block of just its length.
    pub fn heap_bytes(&self) -> usize {
        let optional = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let head = self.id.len() + self.timestamp.len() + optional(&self.turn);
        let source = self.source.kind.len() + optional(&self.source.id);
        let body = match &self.body {
            Body::User(text) | Body::System(text) | Body::Thinking(text) => text.len(),
            Body::Assistant { text, model, phase } => text.len() + optional(model) + optional(phase),
            Body::ToolCall { call, name, input } => call.len() + name.len() + input.len(),
            Body::ToolResult { call, result } => call.len() + result.len(),
            Body::Decision { id, summary, .. } => id.len() + summary.len(),
            Body::Info { text, subtype } => text.len() + optional(subtype),
        };
        head + source + body
    }
}
