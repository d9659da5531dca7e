//! What is said in a session, whatever store keeps it.

use std::io;

use crate::answer::{Request, Session};
use crate::dice::Dice;
use crate::distribution::{DIFFS_SHARE, OPENCODE_MODELS, OUT_OF_ORDER_SHARE, TOOL_INPUT, message_bytes};
use crate::opencode::{Body, Head, OpenCode, Record, Store, Todo, part};
use crate::page::put;
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::size::Size;
use crate::text::{Atom, Measure, Preview};
use crate::write::Facts;

/// Ids that ascend with time: 12 hexadecimal digits of it, and 14 letters that nobody guesses.
pub(crate) struct Ids {
    last: u64,
}

/// A tick of an id is so much of a millisecond.
const TICKS: u64 = 0x1000;

impl Ids {
    /// The time that an id begins with.
    pub(crate) fn tick(time: u64) -> u64 {
        time * TICKS + 1
    }

    /// An id of a kind.
    pub(crate) fn text(prefix: &str, tick: u64, dice: &mut Dice) -> String {
        format!("{prefix}_{:012x}{}", tick & 0xffff_ffff_ffff, &dice.id().token()[2..16])
    }

    fn next(&mut self, prefix: &str, time: u64, dice: &mut Dice) -> String {
        self.last = Ids::tick(time).max(self.last + 1);
        Ids::text(prefix, self.last, dice)
    }
}

/// A session on its way into its store.
pub(crate) struct Conversation<'a> {
    pub(super) plan: &'a OpenCode,
    pub(super) pool: &'a Pool,
    pub(super) dice: Dice,
    pub(super) store: &'a mut dyn Store,
    ids: Ids,
    pub(super) time: u64,
    /// Provider and model.
    pub(super) model: (&'static str, &'static str),
    /// Fields of the record that is being made.
    pub(super) out: Vec<u8>,
    pub(super) requests: Vec<Request>,
    pub(super) facts: Facts,
    /// All changes, as elements of an array.
    diffs: Vec<u8>,
    additions: u64,
    deletions: u64,
    files: u64,
    /// What the model's messages cost so far, in 1/100,000 $.
    pub(super) cost: u64,
}

/// A message: its id and when it was made.
pub(crate) struct Message {
    pub(super) id: String,
    pub(super) time: u64,
}

/// Writes a session into its store, and tells what a reader must answer.
pub(crate) fn write<'a>(
    plan: &'a OpenCode,
    workspace: String,
    pool: &'a Pool,
    mut dice: Dice,
    store: &'a mut dyn Store,
) -> io::Result<Session> {
    let model = *dice.pick(OPENCODE_MODELS);
    let mut conversation = Conversation {
        plan,
        pool,
        dice,
        store,
        ids: Ids { last: 0 },
        time: plan.start,
        model,
        out: Vec::new(),
        requests: Vec::new(),
        facts: Facts::default(),
        diffs: Vec::new(),
        additions: 0,
        deletions: 0,
        files: 0,
        cost: 0,
    };
    conversation.say()?;
    let mut session = plan.answer(workspace);
    session.last = conversation.time;
    conversation.end()?;
    session.requests = conversation.requests;
    Ok(session)
}

impl<'a> Conversation<'a> {
    fn say(&mut self) -> io::Result<()> {
        if self.plan.has(Quirk::UnknownTypes) {
            self.strangers()?;
        }
        for index in 0..self.plan.requests {
            self.time += self.dice.between(2_000, 900_000);
            let user = self.user(index)?;
            if index + 1 < self.plan.requests || !self.plan.has(Quirk::Unanswered) {
                self.answer(index, &user)?;
            }
        }
        if self.plan.has(Quirk::BadOperation) {
            self.broken()?;
        }
        Ok(())
    }

    /// Bytes that the session shall have after a request.
    pub(super) fn target(&self, index: u64) -> usize {
        self.plan.size.after(index + 1, self.plan.requests).unwrap_or(0) as usize
    }

    /// Bytes that the request may still take.
    pub(super) fn room(&self, index: u64) -> usize {
        if !matches!(self.plan.size, Size::About(_)) {
            return usize::MAX;
        }
        self.target(index).saturating_sub(self.store.bytes() as usize)
    }

    /// A message begins.
    pub(super) fn message(&mut self) -> Message {
        self.time += self.dice.between(20, 20_000);
        let mut time = self.time;
        if self.plan.has(Quirk::OutOfOrder) && self.dice.chance(0.3)
            || self.dice.chance(OUT_OF_ORDER_SHARE / 8.0)
        {
            time -= 600_000;
        }
        Message { id: self.ids.next("msg", self.time, &mut self.dice), time }
    }

    /// Keeps what was put as the fields of a message.
    pub(super) fn keep_message(&mut self, kind: &'static str, message: &Message) -> io::Result<()> {
        let (created, updated) = (message.time, message.time.max(self.time));
        let body = Body::Fields(&self.out);
        self.store.record(&Record { kind, id: &message.id, message: None, created, updated, body })?;
        self.out.clear();
        Ok(())
    }

    /// Keeps what was put as the fields of a part.
    pub(super) fn keep(&mut self, kind: &'static str, message: &Message) -> io::Result<()> {
        let id = self.ids.next("prt", self.time, &mut self.dice);
        let (created, updated) = (message.time, message.time);
        let body = Body::Fields(&self.out);
        self.store.record(&Record { kind, id: &id, message: Some(&message.id), created, updated, body })?;
        self.out.clear();
        Ok(())
    }

    /// A text part that is fixed.
    fn fixed(&mut self, kind: &'static str, message: &Message, fields: &str) -> io::Result<()> {
        put!(&mut self.out; fields);
        self.keep(kind, message)
    }

    /// Messages that no request is open for, or of roles that are not known.
    fn strangers(&mut self) -> io::Result<()> {
        let message = self.message();
        self.fixed("part-text", &message, "\"type\":\"text\",\"text\":\"Nobody has asked.\"")?;
        self.assistant_fields(&message, None, "stop", "");
        self.keep_message("message-assistant", &message)?;
        let message = self.message();
        put!(&mut self.out; "\"role\":\"system\",\"time\":{\"created\":", message.time, "}");
        self.keep_message("message-system", &message)
    }

    /// Records that a reader skips and counts: a message whose parts nobody reads, and parts of a good one.
    fn broken(&mut self) -> io::Result<()> {
        let message = self.message();
        self.fixed("part-text", &message, "\"type\":\"text\",\"text\":\"Of no message.\"")?;
        let body = Body::Broken(b"{\"role\":\"assistant\",\"time\":{\"created\":17");
        let (created, updated) = (message.time, message.time);
        let record =
            Record { kind: "message-broken", id: &message.id, message: None, created, updated, body };
        self.store.record(&record)?;
        let message = self.message();
        for text in ["[]", "{\"type\":\"text\",\"text\":\"cut of"] {
            let id = self.ids.next("prt", self.time, &mut self.dice);
            let body = Body::Broken(text.as_bytes());
            let record = Record { kind: "part-broken", id: &id, message: Some(&message.id), body, ..record };
            self.store.record(&record)?;
        }
        self.assistant_fields(&message, None, "stop", "");
        self.keep_message("message-assistant", &message)
    }

    fn first_piece(&mut self, index: u64) -> Option<&'a Atom> {
        let pool = self.pool;
        if index != self.plan.requests / 2 {
            return None;
        }
        if self.plan.has(Quirk::LoneSurrogate) {
            return Some(self.dice.pick(&pool.surrogates));
        }
        self.plan.has(Quirk::LineSeparator).then(|| self.dice.pick(&pool.separators))
    }

    /// A user's message; it opens a request.
    fn user(&mut self, index: u64) -> io::Result<Message> {
        let message = self.message();
        let mut preview = Preview::new(500);
        let bytes = message_bytes(&mut self.dice).min(self.room(index) / 8);
        let tone = Tone { first: self.first_piece(index) };
        put!(&mut self.out; "\"type\":\"text\",\"text\":\"");
        let mut texts = vec![if self.plan.has(Quirk::ManyLanguages) && index == 0 {
            let atoms: Vec<&Atom> = self.pool.languages.iter().collect();
            Pool::join(&mut self.out, &atoms, Some(&mut preview))
        } else {
            self.pool.compose(&mut self.out, &mut self.dice, bytes, tone, Some(&mut preview))
        }];
        put!(&mut self.out; "\"");
        self.keep("part-text", &message)?;
        let everything = index == 0 && self.plan.has(Quirk::EveryPart);
        if everything || self.dice.chance(0.15) {
            put!(&mut self.out; "\"type\":\"text\",\"synthetic\":false,\"text\":\"");
            preview.push("\n", 1);
            let pool = self.pool;
            texts.push(pool.compose(&mut self.out, &mut self.dice, 60, Tone::default(), Some(&mut preview)));
            put!(&mut self.out; "\"");
            self.keep("part-text", &message)?;
        }
        self.mentions(&message, everything)?;
        let images = u64::from(index < self.plan.images);
        if images > 0 {
            part::image(&mut self.out, self.pool, &mut self.dice);
            self.keep("part-file", &message)?;
        }
        let edited_files = self.user_fields(&message, index)?;
        let mut request = Request {
            id: message.id.clone(),
            timestamp: message.time,
            images,
            edited_files,
            ..Request::default()
        };
        request.say(&Measure::joined(&texts), preview);
        self.requests.push(request);
        Ok(message)
    }

    /// What the tool itself adds to a user's message.
    fn mentions(&mut self, message: &Message, everything: bool) -> io::Result<()> {
        if everything || self.dice.chance(0.1) {
            self.fixed(
                "part-text",
                message,
                "\"type\":\"text\",\"synthetic\":true,\"text\":\"Called the Read tool.\"",
            )?;
            self.fixed("part-file", message, "\"type\":\"file\",\"mime\":\"text/plain\",\"filename\":\"a.rs\",\"url\":\"file:///home/dev/a.rs\"")?;
        }
        if everything {
            self.fixed(
                "part-text",
                message,
                "\"type\":\"text\",\"ignored\":true,\"text\":\"Not for the model.\"",
            )?;
            self.fixed("part-text", message, "\"type\":\"text\",\"text\":\"\"")?;
            self.fixed("part-agent", message, "\"type\":\"agent\",\"name\":\"explore\",\"source\":{\"value\":\"@explore\",\"start\":0,\"end\":8}")?;
            self.fixed("part-subtask", message, "\"type\":\"subtask\",\"prompt\":\"Look around.\",\"description\":\"Look\",\"agent\":\"explore\"")?;
        }
        Ok(())
    }

    /// The fields of a user's message; tells how many files it changed.
    fn user_fields(&mut self, message: &Message, index: u64) -> io::Result<u64> {
        let changes = if self.dice.chance(DIFFS_SHARE) { 1 + self.dice.geometric(0.5, 8) } else { 0 };
        put!(&mut self.out; "\"role\":\"user\",\"time\":{\"created\":", message.time, "},\"summary\":{\"title\":\"",
            &*self.pool.sentence(&mut self.dice).escaped, "\",\"diffs\":[");
        let is_whole = self.dice.chance(0.25);
        for i in 0..changes {
            put!(&mut self.out; if i > 0 { "," } else { "" });
            let bytes = self.dice.size(TOOL_INPUT).min(self.room(index) / 64);
            let begin = self.out.len();
            let (additions, deletions) =
                part::diff(&mut self.out, self.pool, &mut self.dice, is_whole, bytes);
            let comma = if self.diffs.is_empty() { "" } else { "," };
            put!(&mut self.diffs; comma, &self.out[begin..]);
            self.additions += additions;
            self.deletions += deletions;
            self.files += 1;
        }
        put!(&mut self.out; "]},\"agent\":\"build\",\"model\":{\"providerID\":\"", self.model.0, "\",\"modelID\":\"", self.model.1, "\"}");
        self.keep_message("message-user", message)?;
        Ok(changes.into())
    }

    /// A summary of all before, which the tool asks for as if its user did.
    pub(super) fn compaction(&mut self) -> io::Result<()> {
        let message = self.message();
        self.fixed("part-compaction", &message, "\"type\":\"compaction\",\"auto\":true")?;
        put!(&mut self.out; "\"role\":\"user\",\"time\":{\"created\":", message.time, "},\"agent\":\"build\"");
        self.keep_message("message-user", &message)?;
        self.requests.push(Request { id: message.id.clone(), timestamp: message.time, ..Request::default() });
        self.summary(&message)
    }

    /// The session's own record, and what is kept beside it.
    fn end(&mut self) -> io::Result<()> {
        if self.plan.has(Quirk::EveryPart) || self.dice.chance(0.3) {
            let states = [("completed", "high"), ("in_progress", "medium"), ("pending", "low")];
            let todos: Vec<Todo<'_>> = states
                .map(|(status, priority)| Todo {
                    content: self.pool.sentence(&mut self.dice),
                    status,
                    priority,
                })
                .into();
            self.store.todos(&todos, self.time)?;
        }
        if !self.diffs.is_empty() {
            self.store.diff(&self.diffs)?;
        }
        let mut facts = std::mem::take(&mut self.facts);
        facts.sessions = 1;
        facts.requests = self.requests.len() as u64;
        facts.prompt = self.requests.iter().map(|request| request.prompt).sum();
        facts.completion = self.requests.iter().map(|request| request.completion).sum();
        facts.quirks = self.plan.quirks.iter().map(|quirk| quirk.name()).collect();
        let slug = format!("{}-{}", self.dice.pick(&self.pool.people), self.dice.pick(&self.pool.people));
        let (additions, deletions, files, cost) = (self.additions, self.deletions, self.files, self.cost);
        let (title, updated) = (self.pool.sentence(&mut self.dice), self.time);
        self.store.session(Head { title, slug, updated, additions, deletions, files, cost, facts })
    }
}
