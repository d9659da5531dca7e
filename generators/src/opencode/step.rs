//! The steps of an answer: each is a message of the model with its parts.

use std::io;

use crate::answer::{Request, State};
use crate::distribution::{
    ANSWER, CACHED_TOKENS, CANCELLED_SHARE, ERRORED_SHARE, INPUT_TOKENS, OPENCODE_STEPS, OPENCODE_TOOLS,
    OUTPUT_TOKENS, TOOL_ERROR_SHARE, TOOL_INPUT, TOOL_RESULT, WHOLE_FILE,
};
use crate::opencode::conversation::{Conversation, Message};
use crate::opencode::part::{self, Call, Progress};
use crate::page::put;
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::size::Size;
use crate::text::Preview;

/// Bytes of a step around its text and its tools' outputs, about.
const STEP_BYTES: usize = 2_400;
/// No output is longer, S: the tools cut what they return at 50 KiB.
const OUTPUT_BYTES: usize = 50 * 1_024;
/// Most steps of an answer. A.
const STEPS_MAX: usize = 200;

/// Fields of an answer that its user stopped, and of some that failed.
const ABORTED: &str =
    ",\"error\":{\"name\":\"MessageAbortedError\",\"data\":{\"message\":\"The operation was aborted.\"}}";
/// See [`ABORTED`].
const FAILED: &[&str] = &[
    ",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"Overloaded\",\"statusCode\":529,\"isRetryable\":true}}",
    ",\"error\":{\"name\":\"ProviderAuthError\",\"data\":{\"providerID\":\"anthropic\",\"message\":\"Expired\"}}",
    ",\"error\":{\"name\":\"MessageOutputLengthError\",\"data\":{}}",
];

impl Conversation<'_> {
    /// The answer to a user's message: steps with tools, and a last one without.
    pub(super) fn answer(&mut self, index: u64, user: &Message) -> io::Result<()> {
        let everything = index == 0 && self.plan.has(Quirk::EveryPart);
        if everything {
            self.every_part(user)?;
        }
        let said = self.dice.size(ANSWER).min(self.room(index) / 4);
        let steps = if everything { 0 } else { self.dice.size(OPENCODE_STEPS).min(STEPS_MAX) };
        for _ in 0..steps {
            let room = self.room(index);
            if room < 4 * STEP_BYTES + said {
                break;
            }
            let tool = self.dice.weighted(OPENCODE_TOOLS);
            let law = if tool == "edit" { WHOLE_FILE } else { TOOL_RESULT };
            let bytes = self.pool.tool_result_bytes(&mut self.dice, law).min(OUTPUT_BYTES).min(room / 4);
            self.step(user, tool, bytes, room / 8)?;
        }
        // Whatever is missing, as so many pages that it reads; the step with the last of them and the one after it have bytes of their own.
        let reserve = if matches!(self.plan.size, Size::About(_)) { STEP_BYTES * 3 / 2 + said } else { 0 };
        loop {
            let missing = self.target(index).saturating_sub(self.store.bytes() as usize);
            if missing <= reserve {
                break;
            }
            self.step(user, "webfetch", (missing - reserve).min(OUTPUT_BYTES), 0)?;
        }
        self.last_step(user, said, index)?;
        if everything {
            self.compaction()?;
        }
        Ok(())
    }

    fn request(&mut self) -> Option<&mut Request> {
        self.requests.last_mut()
    }

    /// The beginning of a step; its end is in [`Conversation::end_step`].
    fn begin_step(&mut self, most: usize) -> io::Result<Message> {
        let message = self.message();
        put!(&mut self.out; "\"type\":\"step-start\",\"snapshot\":\"", &self.dice.id().hex(), "\"");
        self.keep("part-step-start", &message)?;
        if most > 0 && self.dice.chance(0.3) {
            let time = self.time;
            part::reasoning(&mut self.out, self.pool, &mut self.dice, most, time);
            self.keep("part-reasoning", &message)?;
        }
        Ok(message)
    }

    fn text(&mut self, message: &Message, bytes: usize, is_open: bool) -> io::Result<()> {
        put!(&mut self.out; "\"type\":\"text\",\"text\":\"");
        let (pool, dice) = (self.pool, &mut self.dice);
        let measure = if is_open {
            let atoms = [pool.sentence(dice), dice.pick(&pool.open_blocks)];
            Pool::join(&mut self.out, &atoms, None)
        } else {
            pool.compose(&mut self.out, dice, bytes, Tone::default(), None)
        };
        if let Some(request) = self.request() {
            request.respond(&measure);
        }
        put!(&mut self.out; "\",\"time\":{\"start\":", message.time, ",\"end\":", message.time + 800, "}");
        self.keep("part-text", message)
    }

    fn call(&mut self, message: &Message, call: Call) -> io::Result<()> {
        let command = part::tool(&mut self.out, self.pool, &mut self.dice, call);
        if let Some(request) = self.request() {
            request.call(call.tool);
            request.commands.extend(command.map(|command| Preview::of(command, 200)));
        }
        self.keep("part-tool", message)
    }

    /// A step with a tool, whose thoughts and text take at most so many bytes.
    fn step(&mut self, user: &Message, tool: &'static str, bytes: usize, most: usize) -> io::Result<()> {
        let message = self.begin_step(most)?;
        if most > 0 && self.dice.chance(0.4) {
            let bytes = self.dice.size(ANSWER).min(most);
            self.text(&message, bytes, false)?;
        }
        let failed = most > 0 && self.dice.chance(TOOL_ERROR_SHARE);
        let progress = if failed { Progress::Failed } else { Progress::Completed };
        self.call(&message, Call { tool, progress, bytes, start: message.time, image: false })?;
        self.end_step(&message, user, "tool-calls", "")?;
        if matches!(tool, "edit" | "write") {
            put!(&mut self.out; "\"type\":\"patch\",\"hash\":\"", &self.dice.id().hex(), "\",\"files\":[\"/home/dev/", self.pool.path(&mut self.dice), "\"]");
            self.keep("part-patch", &message)?;
        }
        Ok(())
    }

    /// The step that ends an answer: well, stopped, or failed.
    fn last_step(&mut self, user: &Message, bytes: usize, index: u64) -> io::Result<()> {
        let message = self.begin_step(0)?;
        self.text(&message, bytes.max(1), self.plan.has(Quirk::OpenBlock))?;
        let quirk = self.plan.has(Quirk::EveryPart);
        let (mut finish, mut error, mut state) = ("stop", "", State::Complete);
        if self.dice.chance(CANCELLED_SHARE) || quirk && index == 1 {
            (finish, error, state) = ("unknown", ABORTED, State::Cancelled);
            let (start, bytes) = (message.time, 0);
            self.call(
                &message,
                Call { tool: "bash", progress: Progress::Running, bytes, start, image: false },
            )?;
        } else if self.dice.chance(ERRORED_SHARE) || quirk && index == 2 {
            (finish, error, state) = ("error", *self.dice.pick(FAILED), State::Errored);
        }
        self.end_step(&message, user, finish, error)?;
        if let Some(request) = self.request() {
            request.state = state;
        }
        Ok(())
    }

    /// The last part of a step, and its message with some more fields.
    fn end_step(
        &mut self,
        message: &Message,
        user: &Message,
        finish: &'static str,
        more: &str,
    ) -> io::Result<()> {
        self.assistant_fields(message, Some(user), finish, more);
        let fields = std::mem::take(&mut self.out);
        put!(&mut self.out; "\"type\":\"step-finish\",\"reason\":\"", finish, "\",\"snapshot\":\"", &self.dice.id().hex(),
            "\",\"cost\":0,\"tokens\":{\"input\":1,\"output\":1,\"reasoning\":0,\"cache\":{\"read\":0,\"write\":0}}");
        self.keep("part-step-finish", message)?;
        self.out = fields;
        self.keep_message("message-assistant", message)
    }

    /// Puts the fields of a message of the model; without a user's message it answers none.
    pub(super) fn assistant_fields(
        &mut self,
        message: &Message,
        user: Option<&Message>,
        finish: &str,
        more: &str,
    ) {
        let [input, read, write, written, reasoning] =
            [INPUT_TOKENS, CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, OUTPUT_TOKENS]
                .map(|law| 1 + self.dice.size(law) as u64);
        let directory = &self.plan.project.worktree;
        let cost = u64::from(self.dice.below(9_000) + 1_000);
        self.cost += cost;
        put!(&mut self.out; "\"role\":\"assistant\",\"time\":{\"created\":", message.time, ",\"completed\":", message.time + 900, "}", more,
            ",\"parentID\":\"", user.map_or("", |user| &user.id), "\",\"modelID\":\"", self.model.1, "\",\"providerID\":\"", self.model.0,
            "\",\"mode\":\"build\",\"agent\":\"build\",\"path\":{\"cwd\":\"", directory, "\",\"root\":\"", directory,
            "\"},\"cost\":0.0", cost, ",\"tokens\":{\"input\":", input, ",\"output\":", written, ",\"reasoning\":", reasoning,
            ",\"cache\":{\"read\":", read, ",\"write\":", write, "}},\"finish\":\"", finish, "\"");
        let tokens = &mut self.facts.tokens;
        tokens.responses += 1;
        tokens.input += input;
        tokens.cache_read += read;
        tokens.cache_write += write;
        tokens.output += written + reasoning;
        tokens.reasoning += reasoning;
        if let Some(request) = self.requests.last_mut() {
            request.prompt += input + read + write;
            request.completion += written + reasoning;
            if request.state == State::Pending {
                request.state = State::Complete;
            }
            request.model = self.model.1;
        }
    }

    /// A summary, which is an answer of one step.
    pub(super) fn summary(&mut self, user: &Message) -> io::Result<()> {
        let message = self.begin_step(0)?;
        self.text(&message, 600, false)?;
        self.end_step(&message, user, "stop", ",\"summary\":true")
    }

    /// A step with every tool, call and part.
    fn every_part(&mut self, user: &Message) -> io::Result<()> {
        let message = self.begin_step(400)?;
        let calls = [Progress::Completed, Progress::Running, Progress::Pending, Progress::Failed];
        for (i, (tool, _)) in OPENCODE_TOOLS.iter().enumerate() {
            let bytes = self.pool.tool_result_bytes(&mut self.dice, TOOL_INPUT);
            let call =
                Call { tool, progress: Progress::Completed, bytes, start: message.time, image: i == 8 };
            self.call(&message, call)?;
        }
        for progress in calls {
            let (start, bytes) = (message.time, 200);
            self.call(&message, Call { tool: "bash", progress, bytes, start, image: false })?;
        }
        for (kind, fields) in [
            ("part-reasoning", "\"type\":\"reasoning\",\"text\":\"\",\"time\":{\"start\":1,\"end\":2}"),
            (
                "part-snapshot",
                "\"type\":\"snapshot\",\"snapshot\":\"4b825dc642cb6eb9a060e54bf8d69288fbee4904\"",
            ),
            ("part-patch", "\"type\":\"patch\",\"hash\":\"4b825dc6\",\"files\":[\"/home/dev/a.rs\"]"),
            (
                "part-retry",
                "\"type\":\"retry\",\"attempt\":1,\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"Overloaded\"}},\"time\":{\"created\":1}",
            ),
            ("part-unknown", "\"type\":\"a-type-of-tomorrow\",\"text\":\"Nobody knows.\",\"tool\":\"bash\""),
        ] {
            put!(&mut self.out; fields);
            self.keep(kind, &message)?;
        }
        self.end_step(&message, user, "tool-calls", "")
    }
}
