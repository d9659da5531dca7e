//! One file of a Codex session: what it begins with, its requests with their steps, and how each ends.

use std::io;

use crate::codex::history::History;
use crate::codex::reading::{Reading, Usage};
use crate::codex::{Codex, Form};
use crate::dice::{Dice, LogNormal};
use crate::distribution::{
    ANSWER, CANCELLED_SHARE, CODEX_COMMENTARY, CODEX_COMMENTARY_SHARE, CODEX_FURTHER_CALL, CODEX_MODELS,
    CODEX_MODELS_2025, CODEX_REASONING_SHARE, CODEX_TOOL_CALLS, CODEX_TOOLS, CODEX_TOOLS_2025, tool_calls,
};
use crate::page::{Id, Page};
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::profile::Spec;
use crate::size::Size;
use crate::text::Measure;

/// A request of a given share makes another step while it has so many bytes left: more than most steps take. H.
const STEP_BYTES: u64 = 8_000;
/// A last call is made for so many bytes: less than its lines take cannot be filled. H.
const FILL_BYTES: u64 = 1_000;
/// So many bytes more for a file of a least size, because a tool's output ends with a whole line. H.
const FILL_MARGIN: u64 = 256;
/// Share of turns for which the user picks another model. A.
const OTHER_MODEL_SHARE: f64 = 0.03;

/// A text of the model, as it stands in a line, and its measure.
pub(crate) struct Text {
    pub(crate) escaped: Vec<u8>,
    pub(crate) measure: Measure,
}

/// A conversation as far as it has come.
pub(crate) struct Thread {
    pub(crate) time: u64,
    pub(crate) model: &'static str,
    pub(crate) turn: Option<Id>,
    /// Usage of all responses.
    pub(crate) total: Usage,
    /// Tokens that the next response reads again.
    pub(crate) context: u64,
    /// Whether the account's limits are told.
    pub(crate) has_limits: bool,
}

impl Thread {
    fn new(codex: &Codex, dice: &mut Dice) -> Self {
        let models = if codex.form == Form::Current { CODEX_MODELS } else { CODEX_MODELS_2025 };
        let &model = dice.pick(models);
        Thread {
            time: codex.start,
            model,
            turn: None,
            total: Usage::default(),
            context: 7_000 + dice.between(0, 4_000),
            has_limits: dice.chance(0.5),
        }
    }
}

/// A file being written.
pub(crate) struct File<'a> {
    /// Whose lines these are: the session's own, or while it copies, its parent's.
    pub(crate) codex: &'a Codex,
    pub(crate) spec: &'a Spec,
    pub(crate) pool: &'a Pool,
    pub(crate) page: Page,
    pub(crate) dice: Dice,
    pub(crate) reading: Reading,
    pub(crate) thread: Thread,
    pub(crate) history: Option<History>,
    /// Where in the page the lines of [`File::codex`] begin.
    origin: u64,
    /// Where, from there, the current request shall end.
    limit: Option<u64>,
    /// Bytes of what must still come in this request, its compactions not counted.
    reserve: u64,
    /// Compactions still to come in this request.
    pending: u64,
    /// Lines of the conversation so far.
    pub(crate) ordinal: u64,
    /// Where in the page's buffer the current line's item begins.
    pub(crate) item_start: usize,
    pub(crate) is_item: bool,
}

impl<'a> File<'a> {
    pub(crate) fn new(
        codex: &'a Codex,
        spec: &'a Spec,
        pool: &'a Pool,
        page: Page,
        reading: Reading,
    ) -> Self {
        let mut dice = Dice::new(spec, &codex.stem());
        let thread = Thread::new(codex, &mut dice);
        let history = codex.keeps_history().then(History::default);
        File {
            codex,
            spec,
            pool,
            page,
            dice,
            reading,
            thread,
            history,
            origin: 0,
            limit: None,
            reserve: 0,
            pending: 0,
            ordinal: 0,
            item_start: 0,
            is_item: false,
        }
    }

    /// The session with so many of its requests.
    pub(crate) fn session(&mut self, requests: u64) -> io::Result<()> {
        self.limit = self.limit_of(self.codex.size.after(1, 1));
        self.reserve = 0;
        self.meta(self.codex.id, &self.codex.cwd)?;
        let mut copied = 0;
        if let Some((parent, of_parent)) = &self.codex.forks {
            copied = requests.min(*of_parent);
            self.copy(parent, copied)?;
        } else {
            self.opening()?;
        }
        for index in copied..requests {
            self.request(index)?;
        }
        Ok(())
    }

    /// The lines of another session, drawn as they were for its own file.
    fn copy(&mut self, parent: &'a Codex, requests: u64) -> io::Result<()> {
        let dice = std::mem::replace(&mut self.dice, Dice::new(self.spec, &parent.stem()));
        let outer = (self.codex, self.origin, self.thread.time, self.ordinal, self.reading.is_copying);
        self.thread = Thread::new(parent, &mut self.dice);
        (self.codex, self.origin, self.ordinal) = (parent, self.page.bytes(), 0);
        self.reading.is_copying = true;
        self.session(requests)?;
        self.dice = dice;
        (self.codex, self.origin, self.thread.time, self.ordinal, self.reading.is_copying) = outer;
        Ok(())
    }

    fn limit_of(&self, target: Option<u64>) -> Option<u64> {
        target.filter(|_| matches!(self.codex.size, Size::About(_)))
    }

    /// Bytes that the current request has left, where it has a share.
    pub(crate) fn left(&self) -> Option<u64> {
        let written = self.page.bytes() - self.origin + self.reserve + self.pending * self.compaction_bytes();
        self.limit.map(|limit| limit.saturating_sub(written))
    }

    /// A size that was drawn, or a part of what is left if that is less.
    pub(crate) fn fit(&self, bytes: usize, parts: u64) -> usize {
        self.left().map_or(bytes, |left| bytes.min((left / parts) as usize))
    }

    /// One request: its turn's beginning, its prompt, its steps, its end.
    fn request(&mut self, index: u64) -> io::Result<()> {
        let codex = self.codex;
        let target = codex.size.after(index + 1, codex.requests);
        let compacted = |requests: u64| codex.compactions * requests / codex.requests;
        self.limit = self.limit_of(target);
        self.reserve = 0;
        self.pending = compacted(index + 1) - compacted(index);
        self.thread.time += 1_000 + self.dice.between(0, 900_000);
        if self.dice.chance(OTHER_MODEL_SHARE) && codex.form != Form::Bare {
            self.another_model();
        }
        self.turn(index)?;
        self.prompt(index)?;
        if codex.has(Quirk::Unanswered) && index + 1 == codex.requests {
            return Ok(());
        }
        let every = codex.has(Quirk::EveryPart) && index == 0;
        let may_stop = codex.form != Form::Bare && !codex.has(Quirk::EveryPart);
        let is_stopped = self.dice.chance(CANCELLED_SHARE) && may_stop || every;
        let answer = self.answer();
        self.reserve = if is_stopped { 200 } else { self.end_bytes(&answer) };
        if every {
            self.every_part()?;
        }
        self.steps()?;
        while self.pending > 0 {
            self.pending -= 1;
            self.compact()?;
        }
        self.fill(target)?;
        if codex.has(Quirk::SeveralMetas) && index == codex.requests / 2 {
            let id = self.dice.id();
            self.meta(id, "/home/dev/elsewhere")?;
        }
        if is_stopped { self.abort() } else { self.complete(index, &answer) }
    }

    pub(crate) fn another_model(&mut self) {
        let models = if self.codex.form == Form::Current { CODEX_MODELS } else { CODEX_MODELS_2025 };
        let &model = self.dice.pick(models);
        self.thread.model = model;
    }

    /// The request's last text, composed before it is known how much is to be filled up.
    fn answer(&mut self) -> Text {
        if self.codex.has(Quirk::OpenBlock) {
            let (first, last) = (self.pool.sentence(&mut self.dice), self.dice.pick(&self.pool.open_blocks));
            let mut escaped = Vec::new();
            let measure = Pool::join(&mut escaped, &[first, last], None);
            return Text { escaped, measure };
        }
        self.text(ANSWER)
    }

    fn text(&mut self, law: LogNormal) -> Text {
        let bytes = self.dice.size(law).max(12);
        let bytes = self.fit(bytes, 12);
        let mut escaped = Vec::new();
        let measure = self.pool.compose(&mut escaped, &mut self.dice, bytes, Tone::default(), None);
        Text { escaped, measure }
    }

    fn steps(&mut self) -> io::Result<()> {
        if self.limit.is_some() {
            while self.left().is_some_and(|left| left > STEP_BYTES) {
                self.step(usize::MAX)?;
            }
            return Ok(());
        }
        let calls = tool_calls(&mut self.dice, CODEX_TOOL_CALLS);
        let mut made = 0;
        while made < calls {
            made += self.step(calls - made)?;
        }
        Ok(())
    }

    /// One response of the model and what its tools gave; returns how many it called.
    fn step(&mut self, calls_max: usize) -> io::Result<usize> {
        if self.dice.chance(CODEX_REASONING_SHARE) {
            self.reasoning()?;
        }
        if self.dice.chance(CODEX_COMMENTARY_SHARE) {
            let text = self.text(CODEX_COMMENTARY);
            self.say(&text, "commentary")?;
        }
        let calls = (1 + self.dice.geometric(CODEX_FURTHER_CALL, 7) as usize).min(calls_max);
        let tools = if self.codex.form == Form::Current { CODEX_TOOLS } else { CODEX_TOOLS_2025 };
        let called: Vec<_> = (0..calls).map(|_| (self.dice.weighted(tools), self.call_id())).collect();
        self.run(&called, false)?;
        Ok(calls)
    }

    /// Calls and then, after the response's usage, their outputs.
    pub(crate) fn run(&mut self, called: &[(&'static str, String)], is_fill: bool) -> io::Result<()> {
        for (tool, id) in called {
            self.call(tool, id)?;
        }
        self.usage()?;
        for (tool, id) in called {
            self.output(tool, id, is_fill)?;
        }
        Ok(())
    }

    /// A last call, whose output is as long as the request's share has room.
    fn fill(&mut self, target: Option<u64>) -> io::Result<()> {
        let least = match self.codex.size {
            Size::Free => return Ok(()),
            Size::AtLeast(_) => {
                self.limit = target.map(|target| target + FILL_MARGIN);
                self.reserve = 0;
                1
            }
            Size::About(_) => FILL_BYTES,
        };
        if self.left().is_none_or(|left| left < least) {
            return Ok(());
        }
        let tool = if self.codex.form == Form::Current { "exec_command" } else { "shell" };
        let id = self.call_id();
        self.run(&[(tool, id)], true)
    }

    pub(crate) fn call_id(&mut self) -> String {
        format!("call_{}", self.dice.id().token())
    }

    /// The next line's time.
    pub(crate) fn stamp(&mut self) -> u64 {
        self.thread.time += self.dice.between(1, 6_000);
        let is_odd = self.codex.has(Quirk::OutOfOrder) && self.dice.chance(0.1);
        if is_odd { self.thread.time - 3_600_000 } else { self.thread.time }
    }
}
