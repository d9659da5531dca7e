//! A turn: what the person says, the steps of the model, and what became of the files.

use std::sync::Arc;

use rand::RngExt;
use serde_json::{Value, json};

use super::super::Act;
use super::super::content::Content;
use super::super::info::{self, Assistant, User};
use super::super::plan::Family;
use super::super::words;
use super::work::{Deltas, Work};
use super::{Detail, Phase, Session};

/// How many of a thousand messages of a person name an agent, hand work to one, name a file, or ask to sum up.
const AGENTS: u32 = 40;
const SUBTASKS: u32 = 20;
const FILES: u32 = 50;
const COMPACTIONS: u32 = 20;
/// How many of a thousand steps are tried again after a failed request, are begun twice, keep a state of the files, or fail.
const RETRIES: u32 = 15;
const FALSE_STARTS: u32 = 10;
const SNAPSHOTS: u32 = 20;
const FAILURES: u32 = 5;
/// How many of a thousand steps begin with a thought, and with words.
const THOUGHTS: u32 = 700;
const WORDS: u32 = 800;
/// Calls of a step: one of these.
const STEP_CALLS: [usize; 10] = [1, 1, 1, 2, 2, 2, 2, 3, 3, 3];
/// Characters of a piece of text on average.
const DELTA_CHARS: i64 = 12;
/// Bytes of each version of the files that make a summary large.
const LARGE_FILE_BYTES: usize = 1_000_000;

impl Session {
    /// A new part of the model's message.
    pub(super) fn part_id(&mut self) -> String {
        self.ids.ascending("prt", self.now)
    }

    fn assistant_part(&mut self, kind: &str) -> Value {
        let id = self.part_id();
        info::part(kind, (&self.id, &self.assistant.id, &id))
    }

    fn user_part(&mut self, kind: &str) -> Value {
        let id = self.part_id();
        info::part(kind, (&self.id, &self.user.id, &id))
    }

    fn text(&mut self, bytes: usize) -> String {
        words::text(self.dice.random(), bytes, self.plan.width)
    }

    fn status(&mut self, status: Value) {
        let session = self.id.clone();
        self.live(Act::Status { session, status });
    }

    pub(super) fn begin_turn(&mut self) -> Phase {
        self.now += 1;
        self.user = User {
            id: self.ids.ascending("msg", self.now),
            session: self.id.clone(),
            at_ms: self.now,
            width: self.plan.width,
        };
        let message = self.user.value(&[]);
        self.live(Act::Message(message));
        let bytes = self.dice.random_range(200..1_500);
        let mut part = self.user_part("text");
        part["text"] = Value::String(self.text(bytes));
        self.act(Act::Part(part));
        self.user_images();
        self.user_extras();
        self.status(json!({ "type": "busy" }));
        Phase::Step
    }

    /// The images of this turn: they are spread evenly over the session.
    fn user_images(&mut self) {
        let images = self.outline.images.len();
        let (turns, turn) = (self.plan.turns, self.turn);
        for number in (0..images).filter(|number| number * turns / images == turn) {
            let bytes = self.outline.images[number];
            let seed: u64 = self.dice.random();
            let mut part = self.user_part("file");
            self.works.push_back(Work::one(self.now, move || {
                part["mime"] = json!("image/png");
                part["filename"] = json!(format!("screenshot-{number}.png"));
                part["url"] = Value::String(words::data_url(seed, bytes));
                Act::Part(part)
            }));
        }
    }

    /// What few messages have.
    fn user_extras(&mut self) {
        if self.comes(AGENTS) {
            let mut part = self.user_part("agent");
            part["name"] = json!("explore");
            part["source"] = json!({ "value": "@explore", "start": 0, "end": 8 });
            self.act(Act::Part(part));
        }
        if self.comes(SUBTASKS) {
            let (mut part, prompt) = (self.user_part("subtask"), self.text(2_000));
            part["prompt"] = Value::String(prompt);
            part["description"] = Value::String(self.text(60));
            part["agent"] = json!("explore");
            self.act(Act::Part(part));
        }
        if self.comes(FILES) {
            let (mut part, file) = (self.user_part("file"), info::path(0));
            part["mime"] = json!("text/plain");
            part["url"] = json!(format!("file://{file}"));
            part["source"] =
                json!({ "type": "file", "path": file, "text": { "value": "@file", "start": 0, "end": 5 } });
            self.act(Act::Part(part));
        }
        if self.comes(COMPACTIONS) {
            let mut part = self.user_part("compaction");
            part["auto"] = json!(true);
            self.act(Act::Part(part));
        }
    }

    pub(super) fn begin_step(&mut self) -> Phase {
        self.step_ms = self.now;
        if self.comes(FALSE_STARTS) {
            self.false_start();
        }
        let id = self.ids.ascending("msg", self.now);
        self.assistant = Assistant::of(id, &self.user.id, &self.id, self.now);
        let message = self.assistant.value();
        self.live(Act::Message(message));
        let mut part = self.assistant_part("step-start");
        part["snapshot"] = json!(info::snapshot(self.dice.random()));
        self.act(Act::Part(part));
        self.step_extras();
        let left = self.plan.calls_before(self.turn + 1) - self.call;
        self.step_calls = STEP_CALLS[self.dice.random_range(0..STEP_CALLS.len())].min(left);
        self.left = self.step_calls;
        if self.comes(THOUGHTS) {
            self.think();
        }
        if self.comes(WORDS) || left == 0 {
            let bytes = self.around(self.plan.text_bytes);
            self.say(bytes);
        }
        let asks = self.plan.question_every > 0 && (self.turn + 1).is_multiple_of(self.plan.question_every);
        if asks && left == 0 {
            self.ask();
        }
        Phase::Call
    }

    /// A message of the model that is taken back before anything comes of it.
    fn false_start(&mut self) {
        let (message, part) = (self.ids.ascending("msg", self.now), self.part_id());
        let session = self.id.clone();
        let begun = Assistant::of(message.clone(), &self.user.id, &session, self.now).value();
        let start = info::part("step-start", (&session, &message, &part));
        self.live(Act::Message(begun));
        self.live(Act::Part(start));
        self.now += 400;
        self.live(Act::RemovePart { session: session.clone(), message: message.clone(), part });
        self.live(Act::RemoveMessage { session, message });
    }

    /// What few steps have.
    fn step_extras(&mut self) {
        if self.comes(RETRIES) {
            let (mut part, body) = (self.assistant_part("retry"), self.text(1_500));
            part["attempt"] = json!(1);
            part["error"] = json!({ "name": "APIError", "data": {
                "message": "Overloaded", "statusCode": 529, "isRetryable": true, "responseBody": body,
            } });
            part["time"] = json!({ "created": self.now });
            self.act(Act::Part(part));
            let next = self.now + 2_000;
            self.status(json!({ "type": "retry", "attempt": 1, "message": "Overloaded", "next": next }));
            self.now = next;
            self.status(json!({ "type": "busy" }));
        }
        if self.comes(SNAPSHOTS) {
            let mut part = self.assistant_part("snapshot");
            part["snapshot"] = json!(info::snapshot(self.dice.random()));
            self.act(Act::Part(part));
        }
    }

    /// Half to one and a half times a size.
    fn around(&mut self, bytes: usize) -> usize {
        bytes / 2 + self.dice.random_range(0..bytes + 1)
    }

    fn think(&mut self) {
        let bytes = self.around(2 * self.plan.text_bytes);
        let seed: u64 = self.dice.random();
        let metadata = match self.plan.family {
            Family::Claude => json!({ "anthropic": { "signature": words::base64(seed, 400) } }),
            Family::Gpt => {
                let chars = self.dice.random_range(2_000..20_000);
                json!({ "openai": { "reasoningEncryptedContent": words::base64(seed, chars) } })
            }
        };
        self.tell("reasoning", bytes, Some(metadata));
    }

    fn say(&mut self, bytes: usize) {
        self.tell("text", bytes, None);
    }

    /// A text piece by piece, and then whole.
    fn tell(&mut self, kind: &str, bytes: usize, metadata: Option<Value>) {
        let (text, part): (Arc<str>, String) = (self.text(bytes).into(), self.part_id());
        let every_ms = 1_000 / self.plan.deltas_per_s.max(1);
        let end = self.now + (text.chars().count() as i64 / DELTA_CHARS + 1) * every_ms;
        let ids = (self.id.as_str(), self.assistant.id.as_str(), part.as_str());
        let first = info::text_part(kind, ids, String::new(), (self.now, None));
        let deltas = Deltas::new(ids, &text, (self.now, every_ms, end));
        let mut last = info::text_part(kind, ids, String::new(), (self.now, Some(end)));
        if let Some(metadata) = metadata {
            last["metadata"] = metadata;
        }
        self.live(Act::Part(first));
        if self.detail == Detail::Live {
            self.works.push_back(Work::Deltas(Box::new(deltas)));
        }
        self.now = end;
        self.assistant.output += text.len() as u64 / 4;
        self.works.push_back(Work::one(end, move || {
            last["text"] = Value::from(&*text);
            Act::Part(last)
        }));
    }

    /// Asks the person something, who answers after five seconds.
    fn ask(&mut self) {
        let id = self.ids.ascending("que", self.now);
        let questions = info::questions(self.dice.random(), self.plan.width);
        let session = self.id.clone();
        self.live(Act::Question(json!({ "id": id, "sessionID": session, "questions": questions })));
        self.now += 5_000;
        self.live(Act::QuestionReplied { session, id });
    }

    pub(super) fn end_step(&mut self) -> Phase {
        let is_last = self.step_calls == 0;
        let slots = self.plan.call_every_ms * self.step_calls as i64;
        self.now = self.now.max(self.step_ms + slots);
        self.assistant.finish = if is_last { "stop" } else { "tool-calls" };
        self.assistant.completed_ms = Some(self.now);
        self.assistant.input = 8_000 + 900 * self.call as u64;
        self.assistant.output += 120 * self.step_calls as u64;
        let mut part = self.assistant_part("step-finish");
        part["reason"] = json!(self.assistant.finish);
        part["snapshot"] = json!(info::snapshot(self.dice.random()));
        part["cost"] = json!(self.assistant.cost());
        part["tokens"] = self.assistant.tokens();
        self.act(Act::Part(part));
        let files = std::mem::take(&mut self.files.step);
        if !files.is_empty() {
            let mut part = self.assistant_part("patch");
            part["hash"] = json!(info::snapshot(self.dice.random()));
            part["files"] = json!(files);
            self.act(Act::Part(part));
        }
        if self.comes(FAILURES) {
            let error = json!({ "name": "UnknownError", "data": { "message": self.text(200) } });
            self.assistant.error = Some(error.clone());
            let session = self.id.clone();
            self.live(Act::Error { session, error });
        }
        let message = self.assistant.value();
        self.act(Act::Message(message));
        if is_last { Phase::TurnEnd } else { Phase::Step }
    }

    pub(super) fn end_turn(&mut self) -> Phase {
        if self.turn == self.plan.turns / 2 {
            self.touch_large_files();
        }
        let (user, files) = (self.user.clone(), self.states(&self.files.turn));
        self.works.push_back(Work::one(self.now, move || Act::Message(user.value(&files))));
        let (session, value) = (self.id.clone(), self.value());
        let files = self.states(&self.files.session);
        self.live(Act::Session(value));
        if !files.is_empty() {
            self.live(Act::Diff { session, files });
        }
        self.status(json!({ "type": "idle" }));
        self.files.turn.clear();
        self.turn += 1;
        Phase::Turn
    }

    /// Files that something else has changed: they make the summary of the turn as large as the plan says.
    fn touch_large_files(&mut self) {
        let bytes = self.plan.large_summary_bytes;
        let count = bytes.div_ceil(2 * LARGE_FILE_BYTES);
        for number in 0..count {
            let seed = self.seed.wrapping_sub(number as u64 + 1);
            let before = Content { seed, bytes: bytes / 2 / count, edits: 0, width: self.plan.width };
            self.files.now.push(before);
            self.touch(self.files.now.len() - 1, Some(before), before.next());
        }
        self.files.step.clear();
    }
}
