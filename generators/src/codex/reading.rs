//! What a reader of a session knows while it reads on.

use crate::answer::{Request, Session, State};
use crate::manifest::Tokens;
use crate::text::{Measure, Preview};
use crate::write::Facts;

/// Usage as `token_count` tells it: input includes what was cached, output what was thought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Usage) {
        self.input += more.input;
        self.cached += more.cached;
        self.output += more.output;
        self.reasoning += more.reasoning;
    }
}

/// The reader's mind.
pub(crate) struct Reading {
    session: Session,
    has_id: bool,
    model: &'static str,
    turn: String,
    /// Of all `token_count`, the largest total input and output.
    largest: (u64, u64),
    facts: Facts,
    /// Whether the lines are those of another file: what its models used counts there.
    pub(crate) is_copying: bool,
}

impl Reading {
    /// Before the first line of a session that is called so unless it says otherwise.
    pub(crate) fn new(session: Session) -> Self {
        let (turn, facts) = (String::new(), Facts::default());
        Reading { session, has_id: false, model: "", turn, largest: (0, 0), facts, is_copying: false }
    }

    /// The session says its id: the first one counts.
    pub(crate) fn id(&mut self, id: &str) {
        if !self.has_id {
            id.clone_into(&mut self.session.id);
            self.has_id = true;
        }
    }

    /// A working directory: the first one names the session.
    pub(crate) fn cwd(&mut self, cwd: &str) {
        if self.session.name.is_empty() {
            self.session.name = Preview::of(cwd.rsplit('/').next().unwrap_or_default(), 128);
        }
    }

    /// A turn's context. The request that is open has a model already, unless none was known when it opened.
    pub(crate) fn model(&mut self, model: &'static str) {
        self.model = model;
        if let Some(request) = self.open().filter(|request| request.model.is_empty()) {
            request.model = model;
        }
    }

    /// A turn begins.
    pub(crate) fn turn(&mut self, turn: String) {
        self.turn = turn;
    }

    /// A prompt opens a request.
    pub(crate) fn prompt(&mut self, timestamp: u64, texts: &[Measure], preview: Preview, images: u64) {
        let (id, model) = (self.turn.clone(), self.model);
        let mut request = Request { id, timestamp, model, images, ..Request::default() };
        request.say(&Measure::joined(texts), preview);
        self.session.requests.push(request);
        self.facts.requests += 1;
    }

    /// The last request, which stays open until the next one.
    fn open(&mut self) -> Option<&mut Request> {
        self.session.requests.last_mut()
    }

    /// A text of the model.
    pub(crate) fn respond(&mut self, text: &Measure) {
        if let Some(request) = self.open() {
            request.respond(text);
        }
        self.complete();
    }

    /// A call of a tool.
    pub(crate) fn call(&mut self, tool: &'static str) {
        if let Some(request) = self.open() {
            request.call(tool);
        }
        self.complete();
    }

    /// The turn's end.
    pub(crate) fn complete(&mut self) {
        if let Some(request) = self.open()
            && request.state != State::Cancelled
        {
            request.state = State::Complete;
        }
    }

    /// The user stopped the turn.
    pub(crate) fn abort(&mut self) {
        if let Some(request) = self.open() {
            request.state = State::Cancelled;
        }
    }

    /// A response's usage, and that of all responses so far.
    pub(crate) fn usage(&mut self, last: Usage, total: Usage) {
        self.facts.usage_ids += 1;
        if !self.is_copying {
            self.facts.tokens += Tokens {
                responses: 1,
                input: last.input - last.cached,
                cache_read: last.cached,
                cache_write: 0,
                output: last.output,
                reasoning: last.reasoning,
            };
        }
        let largest = (self.largest.0.max(total.input), self.largest.1.max(total.output));
        let (input, output) = (largest.0 - self.largest.0, largest.1 - self.largest.1);
        self.largest = largest;
        if let Some(request) = self.open() {
            request.prompt += input;
            request.completion += output;
            self.facts.prompt += input;
            self.facts.completion += output;
        }
    }

    /// A line that a reader skips and counts.
    pub(crate) fn skip(&mut self) {
        self.facts.skipped_lines += 1;
    }

    /// The file's end.
    pub(crate) fn end(self) -> (Session, Facts) {
        let Reading { mut session, mut facts, .. } = self;
        session.created = session.requests.first().map_or(0, |request| request.timestamp);
        session.last = session.requests.last().map_or(0, |request| request.timestamp);
        if session.name.is_empty() {
            "unknown".clone_into(&mut session.name);
        }
        facts.sessions = 1;
        (session, facts)
    }
}
