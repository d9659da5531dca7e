//! The reported way: a container for each thing that is known of a session, each filled and emptied by other code.
//!
//! The names are those of the real service's handler. What it forgets to remove stays here as it does there: marks of stopped answers,
//! and everything of a session that never had a client whose connection closed.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::Ring;
use super::stream::Stream;
use super::{Act, Client, GRACE_MS, IDLE_MAX, PREWARM_MS, QUESTION_GRACE_MS, SWEEP_MS, Sid, State};
use crate::listing::strategy::Messages;

/// What was said to a session, for its title: all of it.
#[derive(Debug, Default)]
struct Said {
    texts: Vec<Box<str>>,
}

/// State of live sessions in many containers.
#[derive(Debug)]
pub struct Scattered {
    /// Whether the proposed eviction is there.
    is_swept: bool,
    messages: Messages,
    slash_commands: BTreeMap<Sid, Vec<String>>,
    cleanup_timers: BTreeMap<Sid, u64>,
    stop_requested: BTreeSet<Sid>,
    title_state: BTreeMap<Sid, Said>,
    runtime_overrides: BTreeMap<Sid, (Box<str>, Box<str>)>,
    runtime_transitions: BTreeSet<Sid>,
    session_startups: BTreeSet<Sid>,
    startup_work_dirs: BTreeMap<Sid, Box<str>>,
    prewarm_pending: BTreeSet<Sid>,
    prewarmed: BTreeSet<Sid>,
    prewarm_idle_timers: BTreeMap<Sid, u64>,
    active_sessions: BTreeMap<Sid, BTreeSet<Client>>,
    output_callbacks: BTreeMap<Client, Sid>,
    stream_states: BTreeMap<Sid, (u64, Stream)>,
    /// Of the processes, in another part of the service: they end with their session's grace.
    processes: BTreeMap<Sid, Ring>,
    questions: BTreeSet<Sid>,
    streams_made: u64,
    swept_at: u64,
}

impl Scattered {
    /// Nothing yet.
    pub fn new(is_swept: bool, messages: Messages) -> Scattered {
        Scattered {
            is_swept,
            messages,
            slash_commands: BTreeMap::new(),
            cleanup_timers: BTreeMap::new(),
            stop_requested: BTreeSet::new(),
            title_state: BTreeMap::new(),
            runtime_overrides: BTreeMap::new(),
            runtime_transitions: BTreeSet::new(),
            session_startups: BTreeSet::new(),
            startup_work_dirs: BTreeMap::new(),
            prewarm_pending: BTreeSet::new(),
            prewarmed: BTreeSet::new(),
            prewarm_idle_timers: BTreeMap::new(),
            active_sessions: BTreeMap::new(),
            output_callbacks: BTreeMap::new(),
            stream_states: BTreeMap::new(),
            processes: BTreeMap::new(),
            questions: BTreeSet::new(),
            streams_made: 0,
            swept_at: 0,
        }
    }

    pub(super) fn act(&mut self, sid: &Sid, act: Act<'_>, now_ms: u64) {
        let own = || Sid::clone(sid);
        match act {
            Act::Connect(client) => {
                self.cleanup_timers.remove(sid);
                self.active_sessions.entry(own()).or_default().insert(client);
                self.output_callbacks.insert(client, own());
            }
            Act::Disconnect(client) => self.disconnect(sid, client, now_ms),
            Act::Say(text) => {
                self.stop_requested.remove(sid);
                self.prewarm_pending.remove(sid);
                self.prewarmed.remove(sid);
                self.prewarm_idle_timers.remove(sid);
                self.title_state.entry(own()).or_default().texts.push(text.into());
            }
            Act::Stop => drop(self.stop_requested.insert(own())),
            Act::Process(true) => {
                let messages = self.messages;
                self.processes.entry(own()).or_insert_with(|| Ring::new(messages));
            }
            Act::Process(false) => {
                self.processes.remove(sid);
                self.questions.remove(sid);
            }
            Act::Message(text) => self.message(sid, text),
            Act::Question(true) => drop(self.questions.insert(own())),
            Act::Question(false) => drop(self.questions.remove(sid)),
            Act::Commands(commands) => drop(self.slash_commands.insert(own(), commands.to_vec())),
            Act::Model(provider, model) => {
                self.runtime_overrides.insert(own(), (provider.into(), model.into()));
            }
            Act::Prewarm => {
                self.prewarm_pending.insert(own());
                self.prewarmed.insert(own());
                self.prewarm_idle_timers.insert(own(), now_ms + PREWARM_MS);
            }
            Act::Starting(true) => {
                self.session_startups.insert(own());
                self.runtime_transitions.insert(own());
            }
            Act::Starting(false) => {
                self.session_startups.remove(sid);
                self.runtime_transitions.remove(sid);
            }
            Act::StartedIn(directory) => drop(self.startup_work_dirs.insert(own(), directory.into())),
            Act::Clear => {
                self.slash_commands.remove(sid);
                self.title_state.remove(sid);
            }
            Act::Remove => {
                self.cleanup(sid);
                self.cleanup_timers.remove(sid);
                for client in self.active_sessions.remove(sid).into_iter().flatten() {
                    self.output_callbacks.remove(&client);
                }
            }
        }
    }

    fn disconnect(&mut self, sid: &Sid, client: Client, now_ms: u64) {
        self.output_callbacks.remove(&client);
        let Some(clients) = self.active_sessions.get_mut(sid) else { return };
        // A close that comes too late, of a client that is not there any more, changes nothing.
        if !clients.remove(&client) || !clients.is_empty() {
            return;
        }
        self.active_sessions.remove(sid);
        let grace = if self.questions.contains(sid) { QUESTION_GRACE_MS } else { GRACE_MS };
        self.cleanup_timers.insert(Sid::clone(sid), now_ms + grace);
    }

    fn message(&mut self, sid: &Sid, text: &str) {
        if let Some(ring) = self.processes.get_mut(sid) {
            ring.push(text);
        }
        let made = &mut self.streams_made;
        let (_, stream) = self.stream_states.entry(Sid::clone(sid)).or_insert_with(|| {
            *made += 1;
            (*made, Stream::new(false))
        });
        if stream.message(text) {
            self.stop_requested.remove(sid);
        }
    }

    /// What the real service removes when a session's grace is over; marks of stopped answers are not among it.
    fn cleanup(&mut self, sid: &str) {
        self.stream_states.remove(sid);
        self.slash_commands.remove(sid);
        self.title_state.remove(sid);
        self.runtime_overrides.remove(sid);
        self.runtime_transitions.remove(sid);
        self.session_startups.remove(sid);
        self.startup_work_dirs.remove(sid);
        self.prewarm_pending.remove(sid);
        self.prewarmed.remove(sid);
        self.prewarm_idle_timers.remove(sid);
        self.processes.remove(sid);
        self.questions.remove(sid);
    }

    pub(super) fn tick(&mut self, now_ms: u64) -> Vec<Sid> {
        let due = |timers: &BTreeMap<Sid, u64>| -> Vec<Sid> {
            timers.iter().filter(|(_, at)| **at <= now_ms).map(|(sid, _)| Sid::clone(sid)).collect()
        };
        let over = due(&self.cleanup_timers);
        for sid in &over {
            self.cleanup_timers.remove(sid);
            self.cleanup(sid);
        }
        for sid in due(&self.prewarm_idle_timers) {
            self.prewarm_idle_timers.remove(&sid);
            self.prewarm_pending.remove(&sid);
            self.prewarmed.remove(&sid);
        }
        if self.is_swept && now_ms >= self.swept_at + SWEEP_MS {
            self.swept_at = now_ms;
            self.sweep();
        }
        over
    }

    /// The proposed eviction, with its flaws: it sees only sessions that one container names, and of more than 500 the oldest go, also
    /// those that are in use.
    fn sweep(&mut self) {
        let idle = |sid: &&Sid| {
            !self.active_sessions.contains_key(&***sid)
                && !self.processes.contains_key(&***sid)
                && !self.cleanup_timers.contains_key(&***sid)
        };
        let idle: Vec<Sid> = self.stream_states.keys().filter(idle).cloned().collect();
        idle.iter().for_each(|sid| self.cleanup(sid));
        while self.stream_states.len() > IDLE_MAX {
            let oldest = self.stream_states.iter().min_by_key(|(_, (made, _))| *made);
            let Some(oldest) = oldest.map(|(sid, _)| Sid::clone(sid)) else { return };
            self.cleanup(&oldest);
        }
    }

    pub(super) fn containers(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("slash_commands", self.slash_commands.len()),
            ("cleanup_timers", self.cleanup_timers.len()),
            ("stop_requested", self.stop_requested.len()),
            ("title_state", self.title_state.len()),
            ("runtime_overrides", self.runtime_overrides.len()),
            ("runtime_transitions", self.runtime_transitions.len()),
            ("session_startups", self.session_startups.len()),
            ("startup_work_dirs", self.startup_work_dirs.len()),
            ("prewarm_pending", self.prewarm_pending.len()),
            ("prewarmed", self.prewarmed.len()),
            ("prewarm_idle_timers", self.prewarm_idle_timers.len()),
            ("active_sessions", self.active_sessions.len()),
            ("output_callbacks", self.output_callbacks.len()),
            ("stream_states", self.stream_states.len()),
            ("processes", self.processes.len()),
            ("questions", self.questions.len()),
        ]
    }

    pub(super) fn holds(&self, sid: &str) -> bool {
        self.stream_states.contains_key(sid)
    }

    pub(super) fn state(&self, sid: &str) -> Option<State> {
        let said = self.title_state.get(sid).map(|said| &said.texts);
        let stream = self.stream_states.get(sid).map(|(_, stream)| stream);
        let state = State {
            clients: self.active_sessions.get(sid).map_or(0, BTreeSet::len),
            has_process: self.processes.contains_key(sid),
            has_question: self.questions.contains(sid),
            is_starting: self.session_startups.contains(sid) || self.runtime_transitions.contains(sid),
            is_stopped: self.stop_requested.contains(sid),
            is_prewarmed: self.prewarmed.contains(sid) && self.prewarm_pending.contains(sid),
            said: said.map_or(0, |said| said.len() as u64),
            first_said: said.and_then(|said| said.first()).map(ToString::to_string).unwrap_or_default(),
            commands: self.slash_commands.get(sid).cloned().unwrap_or_default(),
            model: self
                .runtime_overrides
                .get(sid)
                .map(|(provider, model)| (provider.to_string(), model.to_string())),
            started_in: self.startup_work_dirs.get(sid).map(ToString::to_string),
            awaited_tools: stream.map_or(0, Stream::awaited),
            last_error: stream.and_then(Stream::last_error).map(str::to_owned),
        };
        (state != State::default()).then_some(state)
    }

    pub(super) fn ring(&self, sid: &str) -> Option<&Ring> {
        self.processes.get(sid)
    }
}
