//! A server, a host and a view on a virtual clock, and what was measured of them.

use std::collections::BTreeMap;
use std::path::Path;

use engine::view::diff::{FileDiff, Status};
use engine::view::host::{Call, Host};
use engine::view::ledger::Ledgers;
use engine::view::message::Message;
use engine::view::part::Part;
use engine::view::pipeline::{Pipeline, Traffic};
use engine::view::server::ServerError;
use engine::view::storage::{Cursor, Storage};
use engine::view::store::{Request, Store};
use harness::meter;
use harness::record::{Tier, Unit};
use serde_json::{Value, json};

use super::Task;
use super::agent::{Act, FileState, START_MS, Script, Step};
use crate::subject::HOME;

/// The database in a sample's home.
pub(super) const DATABASE: &str = "kilo.db";
/// Where the sessions of the agent work.
const DIRECTORY: &str = "/home/dev/project";
/// Their project.
pub(super) const PROJECT: &str = "p1";
/// Ms after which everything that is gathered has been passed on.
const SETTLE_MS: i64 = 500;
/// Acts from one look at what is held to the next.
const LOOK_EVERY: usize = 64;
/// Ms from one sign of life of a server to the next.
const HEARTBEAT_MS: i64 = 10_000;

/// A pipeline that is driven.
pub(super) struct Bench {
    pub(super) pipeline: Pipeline,
    /// The present time, ms since 1970.
    pub(super) now: i64,
    strategy: engine::view::Strategy,
    beat_ms: i64,
    /// What was seen of sessions, to be recognised.
    seen: BTreeMap<String, Option<blake3::Hash>>,
}

/// Shows an error in words.
pub(super) fn in_words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

impl Bench {
    /// A pipeline over the database of the sample's home, which is made where there is none.
    pub(super) fn new(task: &Task) -> Result<Bench, String> {
        Bench::named(task, DATABASE)
    }

    /// The same, with a database of its own name.
    pub(super) fn named(task: &Task, name: &str) -> Result<Bench, String> {
        let path = Path::new(HOME).join(name);
        Bench::over(task, Storage::database(&path).map_err(in_words)?)
    }

    /// A pipeline over the tree of files of the sample's home.
    pub(super) fn over_tree(task: &Task) -> Result<Bench, String> {
        Bench::over(task, Storage::tree(Path::new(HOME)).map_err(in_words)?)
    }

    fn over(task: &Task, mut storage: Storage) -> Result<Bench, String> {
        let time = json!({"created": START_MS, "updated": START_MS});
        let project = json!({"id": PROJECT, "worktree": DIRECTORY, "vcs": "git", "time": time});
        storage.put_project(&project).map_err(in_words)?;
        let pipeline = Pipeline::new(storage, &task.strategy, DIRECTORY);
        let mut bench = Bench {
            pipeline,
            now: START_MS,
            strategy: task.strategy,
            beat_ms: START_MS + HEARTBEAT_MS,
            seen: BTreeMap::new(),
        };
        bench.pipeline.begin(bench.now).map_err(in_words)?;
        Ok(bench)
    }

    /// Sets the clock before anything has happened.
    pub(super) fn begin_at(&mut self, ms: i64) {
        (self.now, self.beat_ms) = (ms, ms + HEARTBEAT_MS);
    }

    /// Passes on what waits.
    pub(super) fn pump(&mut self) -> Result<(), String> {
        while self.beat_ms <= self.now {
            self.pipeline.server.heartbeat();
            self.beat_ms += HEARTBEAT_MS;
        }
        self.pipeline.pump(self.now).map_err(in_words)
    }

    /// Lets some time pass, in which nothing happens.
    pub(super) fn pass(&mut self, ms: i64) -> Result<(), String> {
        self.now += ms;
        self.pump()
    }

    /// Waits until everything that is gathered has been passed on.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.pump()?;
        self.pass(SETTLE_MS)
    }

    /// What a person does in the view.
    pub(super) fn act(&mut self, requests: Vec<Request>) -> Result<(), String> {
        self.pipeline.act(requests, self.now).map_err(in_words)
    }

    /// A session is opened, and everything of it that is shown has come.
    pub(super) fn open(&mut self, session: &str) -> Result<(), String> {
        let requests = self.pipeline.view.open(session);
        self.act(requests)?;
        self.settle()
    }

    /// Plays a script to its end.
    pub(super) fn play_all(&mut self, script: Script) -> Result<(), String> {
        for step in script {
            self.step(step)?;
        }
        self.settle()
    }

    fn step(&mut self, Step { at_ms, act }: Step) -> Result<(), String> {
        self.now = self.now.max(at_ms);
        self.tell(act)?;
        self.pump()
    }

    /// Plays a script to its end, its session shown from its beginning.
    pub(super) fn play_shown(&mut self, script: Script, session: &str) -> Result<(), String> {
        self.play_watched(script, session, |_| {})
    }

    /// The same, looked at now and then.
    pub(super) fn play_watched(
        &mut self,
        script: Script,
        session: &str,
        mut look: impl FnMut(&Bench),
    ) -> Result<(), String> {
        for (number, step) in script.enumerate() {
            self.step(step)?;
            if self.pipeline.view.current() != Some(session) {
                self.open(session)?;
            }
            if number % LOOK_EVERY == 0 {
                look(self);
            }
        }
        self.settle()
    }

    /// Plays the beginning of a script, until its session rests for the first time; it is shown from its beginning.
    pub(super) fn play_turn(&mut self, script: &mut Script, session: &str) -> Result<(), String> {
        for step in script {
            let rests = matches!(&step.act, Act::Status { session: of, status }
                if of == session && status["type"] == "idle");
            self.step(step)?;
            if self.pipeline.view.current() != Some(session) {
                self.open(session)?;
            }
            if rests {
                break;
            }
        }
        self.settle()
    }

    /// Plays a script as if it went on with a session that is stored, which is shown.
    pub(super) fn continue_with(
        &mut self,
        script: Script,
        session: &str,
        mut look: impl FnMut(&Bench),
    ) -> Result<(), String> {
        for Step { at_ms, act } in script {
            let Some(act) = moved_to(act, session) else { continue };
            self.step(Step { at_ms, act })?;
            look(self);
        }
        self.settle()
    }

    /// The sessions that are stored and no task's, the oldest first.
    pub(super) fn stored_sessions(&mut self) -> Result<Vec<String>, String> {
        let sessions = self.pipeline.server.sessions().map_err(in_words)?;
        let roots = sessions.iter().rev().filter(|info| info.get("parentID").is_none_or(Value::is_null));
        let ids: Vec<String> = roots.filter_map(|info| info["id"].as_str()).map(str::to_owned).collect();
        if ids.is_empty() { Err("no session is stored".to_owned()) } else { Ok(ids) }
    }

    /// The session that is stored.
    pub(super) fn only_session(&mut self) -> Result<String, String> {
        self.stored_sessions().map(|mut sessions| sessions.remove(0))
    }

    /// Remembers what is seen of a session.
    pub(super) fn remember(&mut self, session: &str) -> Result<(), String> {
        let seen = self.pipeline.view.transcript(session);
        if seen.is_none() {
            return Err(format!("nothing is seen of {session}"));
        }
        self.seen.insert(session.to_owned(), seen);
        Ok(())
    }

    /// Checks that what is seen of a session is what was seen before.
    pub(super) fn recognise(&self, session: &str) -> Result<(), String> {
        match self.seen.get(session) {
            Some(seen) if *seen == self.pipeline.view.transcript(session) => Ok(()),
            Some(_) => Err(format!("{session} is not what it was when it was shown before")),
            None => Err(format!("{session} was not shown before")),
        }
    }

    /// What a view that is opened anew shows of a session.
    pub(super) fn seen_anew(&mut self, session: &str) -> Result<Option<blake3::Hash>, String> {
        let mut host = Host::new(&self.strategy);
        let mut view = Store::new(&self.strategy);
        let mut requests = view.open(session);
        while !requests.is_empty() {
            requests.drain(..).for_each(|request| host.ask(request));
            while let Some(call) = host.next_call() {
                if let Call::Messages(load) = call {
                    let before =
                        load.before.as_deref().map(Cursor::from_text).transpose().map_err(in_words)?;
                    let server = &mut self.pipeline.server;
                    let reply =
                        server.messages(&load.session, before.as_ref(), load.limit).map_err(in_words)?;
                    host.loaded(&load, reply).map_err(in_words)?;
                }
            }
            while let Some(post) = host.next_post() {
                requests.extend(view.receive(&post, self.now).map_err(in_words)?);
            }
        }
        Ok(view.transcript(session))
    }

    /// The connection is lost.
    pub(super) fn lose(&mut self, why: &str) -> Result<(), String> {
        self.pipeline.disconnect(why);
        self.pump()
    }

    /// The connection comes back.
    pub(super) fn find(&mut self) -> Result<(), String> {
        self.pipeline.connect(self.now).map_err(in_words)
    }

    /// Tells the server what an agent does. Nothing is passed on yet.
    pub(super) fn tell(&mut self, act: Act) -> Result<(), String> {
        let (server, now) = (&mut self.pipeline.server, self.now);
        match act {
            Act::Session(info) => self.tell_session(&info),
            Act::Message(info) => {
                let message = Message::new(info).map_err(in_words)?;
                server.put_message(message).map_err(in_words)
            }
            Act::Part(value) => {
                let part = Part::new(value).map_err(in_words)?;
                server.put_part(part, now).map_err(in_words)
            }
            Act::Delta { session, message, part, field, text } => {
                server.delta(&session, &message, &part, field, &text);
                Ok(())
            }
            Act::RemoveMessage { session, message } => {
                server.remove_message(&session, &message).map_err(in_words)
            }
            Act::RemovePart { session, message, part } => {
                server.remove_part(&session, &message, &part).map_err(in_words)
            }
            Act::Diff { session, files } => {
                let files: Vec<FileDiff> = files.iter().map(diff_of).collect();
                server.put_diff(&session, &files).map_err(in_words)
            }
            Act::Todos { session, todos } => {
                let todos = todos.as_array().cloned().unwrap_or_default();
                server.put_todos(&session, &todos).map_err(in_words)
            }
            Act::Deleted { session } => server.delete_session(&session).map_err(in_words),
            other => self.say(other).map_err(in_words),
        }
    }

    /// Tells what is not stored.
    fn say(&mut self, act: Act) -> Result<(), ServerError> {
        let server = &mut self.pipeline.server;
        match act {
            Act::Status { session, status } => return server.set_status(&session, &status),
            Act::Permission(request) => return server.ask_permission(request),
            Act::PermissionReplied { session, id } => server.reply_permission(&session, &id, "once"),
            Act::Question(request) => return server.ask_question(request),
            Act::QuestionReplied { session, id } => server.reply_question(&session, &id, "yes"),
            Act::Error { session, error } => server.error(&session, &error),
            _ => {}
        }
        Ok(())
    }

    /// A session is made the first time that it is told, and changes later.
    fn tell_session(&mut self, info: &Value) -> Result<(), String> {
        let id = info["id"].as_str().unwrap_or_default();
        let server = &mut self.pipeline.server;
        let is_known = server.storage().session(id).map_err(in_words)?.is_some();
        let told = if is_known { server.update_session(info) } else { server.create_session(info) };
        told.map_err(in_words)
    }

    pub(super) fn ledgers(&self) -> Ledgers {
        self.pipeline.ledgers()
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.pipeline.traffic()
    }

    /// Bytes that the view holds: its store, and what it has mounted.
    pub(super) fn view_bytes(&self) -> u64 {
        let ledgers = self.ledgers();
        ledgers.view_heap.live() + ledgers.view_window.live()
    }

    /// Bytes that all stages hold.
    pub(super) fn held_bytes(&self) -> u64 {
        let Ledgers { server_rows, server_queues, host_transient, host_retained, .. } = self.ledgers();
        let others = [server_rows, server_queues, host_transient, host_retained];
        self.view_bytes() + others.iter().map(|ledger| ledger.live()).sum::<u64>()
    }

    /// Sets the most that each stage held, and what went between them.
    pub(super) fn set_stages(&self) {
        let ledgers = self.ledgers();
        for (name, ledger) in [
            ("scenario.server_rows_peak_bytes", ledgers.server_rows),
            ("scenario.server_queues_peak_bytes", ledgers.server_queues),
            ("scenario.host_transient_peak_bytes", ledgers.host_transient),
            ("scenario.host_retained_peak_bytes", ledgers.host_retained),
            ("scenario.view_heap_peak_bytes", ledgers.view_heap),
            ("scenario.view_window_peak_bytes", ledgers.view_window),
        ] {
            bytes(name, ledger.peak());
        }
        let traffic = self.traffic();
        bytes("scenario.wire_bytes", traffic.frame_bytes + traffic.loaded_bytes);
        bytes("scenario.posted_bytes", traffic.post_bytes);
    }
}

/// An act of one session as if it were another one's; none of what begins or ends a session.
fn moved_to(mut act: Act, to: &str) -> Option<Act> {
    match &mut act {
        Act::Session(_) | Act::Deleted { .. } => return None,
        Act::Message(value) | Act::Part(value) | Act::Permission(value) | Act::Question(value) => {
            value["sessionID"] = to.into();
        }
        Act::Delta { session, .. }
        | Act::RemoveMessage { session, .. }
        | Act::RemovePart { session, .. }
        | Act::Status { session, .. }
        | Act::Diff { session, .. }
        | Act::Todos { session, .. }
        | Act::PermissionReplied { session, .. }
        | Act::QuestionReplied { session, .. }
        | Act::Error { session, .. } => to.clone_into(session),
    }
    Some(act)
}

/// What became of a file.
fn diff_of(file: &FileState) -> FileDiff {
    FileDiff {
        file: file.file.clone(),
        before: Some(file.before()),
        after: Some(file.after()),
        patch: None,
        additions: file.additions,
        deletions: file.deletions,
        status: Some(if file.before.is_some() { Status::Modified } else { Status::Added }),
    }
}

/// Sets an exact number of bytes.
pub(super) fn bytes(name: &'static str, value: u64) {
    meter::set(name, Unit::Bytes, Tier::Exact, value as f64);
}

/// Sets an exact number.
pub(super) fn count(name: &'static str, value: u64) {
    meter::set(name, Unit::Count, Tier::Exact, value as f64);
}
