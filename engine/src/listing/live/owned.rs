//! Ours: a session owns everything that is known of it, so that what removes the session removes all.

use std::collections::{BTreeMap, BTreeSet};

use super::beginning;
use super::ring::Ring;
use super::stream::Stream;
use super::{Act, Client, GRACE_MS, IDLE_MAX, PREWARM_MS, QUESTION_GRACE_MS, Sid, State};
use crate::listing::strategy::Messages;

/// Bytes of the first thing that was said, of which a title is made.
const FIRST_BYTES: usize = 4 * 1024;
/// Most commands that can be typed, and bytes of a name, of a directory and the like.
const COMMANDS_MAX: usize = 512;
const NAME_BYTES: usize = 4 * 1024;

/// A live session.
#[derive(Debug)]
struct Session {
    clients: BTreeSet<Client>,
    had_client: bool,
    /// Connections of its process: a new one may come before the old one has gone.
    processes: u32,
    has_question: bool,
    is_starting: bool,
    is_prewarmed: bool,
    is_stopped: bool,
    first_said: Box<str>,
    said: u64,
    commands: Vec<Box<str>>,
    model: Option<(Box<str>, Box<str>)>,
    started_in: Option<Box<str>>,
    stream: Stream,
    ring: Ring,
    /// When it goes, unless it is used before; none while it is used.
    ends: Option<u64>,
}

/// State of live sessions, each in one piece.
#[derive(Debug)]
pub struct Owned {
    messages: Messages,
    sessions: BTreeMap<Sid, Session>,
    /// The sessions that nobody uses, by when they go.
    ends: BTreeSet<(u64, Sid)>,
    /// Sessions that made room for others since the last tick.
    displaced: Vec<Sid>,
}

impl Session {
    fn new(messages: Messages) -> Session {
        Session {
            clients: BTreeSet::new(),
            had_client: false,
            processes: 0,
            has_question: false,
            is_starting: false,
            is_prewarmed: false,
            is_stopped: false,
            first_said: Box::default(),
            said: 0,
            commands: Vec::new(),
            model: None,
            started_in: None,
            stream: Stream::new(true),
            ring: Ring::new(messages),
            ends: None,
        }
    }

    /// Whether it stays, whatever the time. The process of a session whose clients have all left ends with its grace; one that never had
    /// a client works for somebody else.
    fn is_used(&self) -> bool {
        let works = self.processes > 0 && !self.had_client && !self.has_question;
        !self.clients.is_empty() || self.is_starting || works
    }

    /// How long it stays when nobody uses it.
    fn grace(&self) -> u64 {
        match self {
            Session { has_question: true, .. } => QUESTION_GRACE_MS,
            Session { is_prewarmed: true, .. } => PREWARM_MS,
            _ => GRACE_MS,
        }
    }

    fn act(&mut self, act: Act<'_>) {
        match act {
            Act::Connect(client) => {
                self.clients.insert(client);
                self.had_client = true;
            }
            Act::Disconnect(client) => drop(self.clients.remove(&client)),
            Act::Say(text) => {
                (self.is_stopped, self.is_prewarmed) = (false, false);
                if self.said == 0 {
                    self.first_said = beginning(text, FIRST_BYTES);
                }
                self.said += 1;
            }
            Act::Stop => self.is_stopped = true,
            Act::Process(true) => self.processes += 1,
            Act::Process(false) => {
                self.processes = self.processes.saturating_sub(1);
                self.has_question &= self.processes > 0;
            }
            Act::Message(text) => {
                self.ring.push(text);
                if self.stream.message(text) {
                    self.is_stopped = false;
                }
            }
            Act::Question(is_open) => self.has_question = is_open,
            Act::Commands(commands) => {
                let some = commands.iter().take(COMMANDS_MAX);
                self.commands = some.map(|command| beginning(command, NAME_BYTES)).collect();
            }
            Act::Model(provider, model) => {
                self.model = Some((beginning(provider, NAME_BYTES), beginning(model, NAME_BYTES)));
            }
            Act::Prewarm => self.is_prewarmed = true,
            Act::Starting(is_starting) => self.is_starting = is_starting,
            Act::StartedIn(directory) => self.started_in = Some(beginning(directory, NAME_BYTES)),
            Act::Clear => {
                (self.first_said, self.said) = (Box::default(), 0);
                self.commands = Vec::new();
            }
            Act::Remove => {}
        }
    }
}

impl Owned {
    /// Nothing yet.
    pub fn new(messages: Messages) -> Owned {
        Owned { messages, sessions: BTreeMap::new(), ends: BTreeSet::new(), displaced: Vec::new() }
    }

    pub(super) fn act(&mut self, sid: &Sid, act: Act<'_>, now_ms: u64) {
        if matches!(act, Act::Remove) {
            return self.remove(sid);
        }
        // What ends something begins nothing.
        let ends = matches!(
            act,
            Act::Disconnect(_)
                | Act::Process(false)
                | Act::Question(false)
                | Act::Starting(false)
                | Act::Stop
                | Act::Clear
        );
        if ends && !self.sessions.contains_key(sid) {
            return;
        }
        let messages = self.messages;
        let session = self.sessions.entry(Sid::clone(sid)).or_insert_with(|| Session::new(messages));
        session.act(act);
        let mut ends = (!session.is_used()).then(|| now_ms + session.grace());
        // What its process says does not keep a session whose clients have left.
        if matches!(act, Act::Message(_) | Act::Commands(_)) && session.had_client && session.ends.is_some() {
            ends = session.ends;
        }
        let before = std::mem::replace(&mut session.ends, ends);
        if before != ends {
            if let Some(before) = before {
                self.ends.remove(&(before, Sid::clone(sid)));
            }
            if let Some(ends) = ends {
                self.ends.insert((ends, Sid::clone(sid)));
            }
        }
        // Those that would go first make room. Sessions in use are never among them.
        while self.ends.len() > IDLE_MAX {
            let Some((_, first)) = self.ends.pop_first() else { return };
            if self.sessions.remove(&first).is_some_and(|session| session.processes > 0) {
                self.displaced.push(first);
            }
        }
    }

    fn remove(&mut self, sid: &Sid) {
        if let Some(ends) = self.sessions.remove(sid).and_then(|session| session.ends) {
            self.ends.remove(&(ends, Sid::clone(sid)));
        }
    }

    pub(super) fn tick(&mut self, now_ms: u64) -> Vec<Sid> {
        let mut over = std::mem::take(&mut self.displaced);
        while let Some((at, _)) = self.ends.first()
            && *at <= now_ms
        {
            if let Some((_, sid)) = self.ends.pop_first() {
                self.sessions.remove(&sid);
                over.push(sid);
            }
        }
        // One that made room may have come back.
        over.retain(|sid| !self.sessions.contains_key(sid));
        over
    }

    pub(super) fn containers(&self) -> Vec<(&'static str, usize)> {
        vec![("sessions", self.sessions.len()), ("ends", self.ends.len())]
    }

    pub(super) fn holds(&self, sid: &str) -> bool {
        self.sessions.contains_key(sid)
    }

    pub(super) fn state(&self, sid: &str) -> Option<State> {
        let session = self.sessions.get(sid)?;
        Some(State {
            clients: session.clients.len(),
            has_process: session.processes > 0,
            has_question: session.has_question,
            is_starting: session.is_starting,
            is_stopped: session.is_stopped,
            is_prewarmed: session.is_prewarmed,
            said: session.said,
            first_said: session.first_said.to_string(),
            commands: session.commands.iter().map(ToString::to_string).collect(),
            model: session.model.as_ref().map(|(provider, model)| (provider.to_string(), model.to_string())),
            started_in: session.started_in.as_ref().map(ToString::to_string),
            awaited_tools: session.stream.awaited(),
            last_error: session.stream.last_error().map(str::to_owned),
        })
    }

    pub(super) fn ring(&self, sid: &str) -> Option<&Ring> {
        self.sessions.get(sid).map(|session| &session.ring)
    }
}
