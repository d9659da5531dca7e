//! The host of the view: takes events from the server, and posts to the view what it wants of them.
//!
//! Whatever is posted is text, as between an editor and its web view: it is written here and read there.

mod lanes;
mod log;
mod maps;

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::event::{self, About, Head};
use super::ledger::Ledger;
use super::message::{Entry, Message};
use super::part::{Kind, Part};
use super::server::{Interest, Reply};
use super::store::{Mode, Request};
use super::strategy::{Maps, Parse, Strategy, Tracked};
use super::{Malformed, slim};

use lanes::{Lanes, Update};
use log::Log;
use maps::{Messages, Tracking};

/// Messages that are asked for when a session is shown again: what may have changed meanwhile.
const FOCUS_LIMIT: usize = 80;

/// Why a host cannot use what it was given. It goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It is no JSON, or none of the expected form.
    #[error("what the server said cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A record lacks what every one has.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What the host wants of its server.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Messages of a session.
    Messages(Load),
    /// All sessions.
    Sessions,
    /// What waits for a person, and which sessions work.
    States,
    /// From now on, events of these sessions.
    Interest(Interest),
    /// What the view wants done, in its own words.
    Do(Request),
}

/// Which messages are asked for, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The session.
    pub session: String,
    /// The place before which they are; none for the newest.
    pub before: Option<String>,
    /// How many at most; 0 for all.
    pub limit: usize,
    /// What the view does with them.
    pub mode: Mode,
    /// The number that the view gave its request.
    pub request: u64,
}

/// A host.
pub struct Host {
    strategy: Strategy,
    tracking: Tracking,
    messages: Messages,
    lanes: Lanes,
    log: Log,
    posts: VecDeque<String>,
    calls: VecDeque<Call>,
    /// What is read, cut and written, while that lasts.
    transient: Ledger,
    /// What stays.
    retained: Ledger,
    /// Events that were not passed on.
    dropped: u64,
}

impl Host {
    /// A host that has been told nothing.
    pub fn new(strategy: &Strategy) -> Host {
        Host {
            strategy: *strategy,
            tracking: Tracking::new(strategy),
            messages: Messages::new(strategy),
            lanes: Lanes::new(strategy.lanes),
            log: Log::new(strategy.log),
            posts: VecDeque::new(),
            calls: VecDeque::new(),
            transient: Ledger::default(),
            retained: Ledger::default(),
            dropped: 0,
        }
    }

    /// What is to be posted next.
    pub fn next_post(&mut self) -> Option<String> {
        let post = self.posts.pop_front()?;
        self.transient.remove(post.len() as u64);
        if self.posts.is_empty() {
            self.posts = VecDeque::new();
        }
        Some(post)
    }

    /// What is to be asked of the server next.
    pub fn next_call(&mut self) -> Option<Call> {
        let call = self.calls.pop_front();
        if self.calls.is_empty() {
            self.calls = VecDeque::new();
        }
        call
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When it cannot be read. The host is as it was before.
    pub fn receive(&mut self, frame: &str, now_ms: i64) -> Result<(), HostError> {
        let bytes = frame.len() as u64;
        self.transient.add(bytes);
        let result = match self.strategy.parse {
            Parse::Whole => self.read_whole(frame, now_ms),
            Parse::Head => self.read_head(frame, now_ms),
        };
        self.transient.remove(bytes);
        result
    }

    /// Everything is parsed, and then it is seen whether anybody wants it.
    fn read_whole(&mut self, frame: &str, now_ms: i64) -> Result<(), HostError> {
        let bytes = frame.len() as u64;
        let mut value: Value = serde_json::from_str(frame)?;
        self.transient.add(bytes);
        let properties = value.pointer_mut("/payload/properties").map(Value::take).unwrap_or_default();
        let kind = value.pointer("/payload/type").and_then(Value::as_str).unwrap_or_default();
        let session = self.session_of(session_in(&properties), message_in(&properties));
        let result = if self.passes(kind, session.as_deref()) {
            self.pass_on(kind, session, properties, now_ms)
        } else {
            self.dropped += 1;
            Ok(())
        };
        self.transient.remove(bytes);
        result
    }

    /// What nobody wants is not parsed.
    fn read_head(&mut self, frame: &str, now_ms: i64) -> Result<(), HostError> {
        let head: Head<'_> = serde_json::from_str(frame)?;
        let kind = &*head.payload.kind;
        let text = head.payload.properties.get();
        let about: About<'_> = serde_json::from_str(text)?;
        let session = self.session_of(about.session(), about.message());
        if !self.passes(kind, session.as_deref()) {
            self.dropped += 1;
            return Ok(());
        }
        let properties = serde_json::from_str(text)?;
        self.transient.add(text.len() as u64);
        let result = self.pass_on(kind, session, properties, now_ms);
        self.transient.remove(text.len() as u64);
        result
    }

    fn session_of(&self, session: Option<&str>, message: Option<&str>) -> Option<String> {
        session.or_else(|| self.messages.session_of(message?)).map(str::to_owned)
    }

    /// Whether the view gets such an event.
    fn passes(&self, kind: &str, session: Option<&str>) -> bool {
        let Some(session) = session else { return !kind.starts_with("message.part.") };
        match self.strategy.tracked {
            _ if kind == event::STATUS => true,
            Tracked::Shown => event::is_state(kind) || self.tracking.has(session),
            Tracked::UntilDeleted | Tracked::ShownAlone => {
                kind == event::DELETED || self.tracking.has(session)
            }
            Tracked::Ever => self.tracking.has(session),
        }
    }

    fn pass_on(
        &mut self,
        kind: &str,
        session: Option<String>,
        mut properties: Value,
        now_ms: i64,
    ) -> Result<(), HostError> {
        let session = session.unwrap_or_default();
        match kind {
            event::PART => return self.part(take(&mut properties, "part"), now_ms),
            event::DELTA => self.delta(&session, &mut properties, now_ms),
            event::RESYNC => self.resync(),
            "message.removed" | "message.part.removed" => self.removed(kind, &session, properties),
            "message.updated" => {
                let message = self.message(take(&mut properties, "info"))?;
                self.post(&json!({"type": "messageCreated", "info": message.value()}));
            }
            event::DELETED => {
                self.forget(&session);
                self.post(&json!({"type": "sessionDeleted", "sessionID": session}));
            }
            _ => match name_of(kind) {
                Some(kind) => {
                    slim::value(self.strategy.slim, &mut properties);
                    self.post(&post_of(kind, properties));
                }
                // Such as the diff of a session: the view shows another one.
                None => self.dropped += 1,
            },
        }
        Ok(())
    }

    /// What waits of a message or part that is gone does not bring it back.
    fn removed(&mut self, kind: &str, session: &str, properties: Value) {
        let text = |key: &str| properties.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_message = kind == "message.removed";
        let part = Some(text("partID")).filter(|_| !is_message);
        self.lanes.drop_in(session, text("messageID"), part, &mut self.retained);
        self.post(&post_of(if is_message { "messageRemoved" } else { "partRemoved" }, properties));
    }

    fn part(&mut self, part: Value, now_ms: i64) -> Result<(), HostError> {
        let mut part = Part::new(part)?;
        self.adopt_child(&part);
        slim::part(self.strategy.slim, &mut part);
        let key = (part.session().to_owned(), part.message().to_owned(), part.id().to_owned());
        let is_shown = self.tracking.is_shown(&key.0);
        let update = Update::Whole(part.into_value());
        let posted = self.lanes.put(key, update, is_shown, now_ms, &mut self.retained);
        posted.into_iter().for_each(|updates| self.post_updates(updates));
        Ok(())
    }

    /// The child session of a task is followed, too.
    fn adopt_child(&mut self, part: &Part) {
        let child = part.value().pointer("/state/metadata/sessionId").and_then(Value::as_str);
        if let (Kind::Tool, Some("task"), Some(child)) = (part.kind(), part.tool(), child)
            && self.tracking.adopt(child, part.session(), &mut self.retained)
        {
            self.say_interest();
        }
    }

    fn delta(&mut self, session: &str, properties: &mut Value, now_ms: i64) {
        let mut take = |key: &str| match properties.get_mut(key).map(Value::take) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let key = (session.to_owned(), take("messageID"), take("partID"));
        let update = Update::Delta { field: take("field"), text: take("delta") };
        let is_shown = self.tracking.is_shown(session);
        let posted = self.lanes.put(key, update, is_shown, now_ms, &mut self.retained);
        posted.into_iter().for_each(|updates| self.post_updates(updates));
    }

    fn message(&mut self, info: Value) -> Result<Message, HostError> {
        let mut message = Message::new(info)?;
        let (id, session) = (message.id(), message.session());
        self.messages.note(id, session, self.tracking.has(session), &mut self.retained);
        slim::message(self.strategy.slim, &mut message);
        Ok(message)
    }

    /// The server has dropped what this client did not read in time: everything that is shown is asked for anew.
    fn resync(&mut self) {
        if let Some(session) = self.tracking.shown().map(str::to_owned) {
            self.lanes.drop_session(&session, &mut self.retained);
        }
        self.post(&json!({"type": "resync"}));
    }

    /// The connection is back: what happened between is not known.
    pub fn connected(&mut self) {
        self.say_interest();
        self.resync();
    }

    /// The view asks for something.
    pub fn ask(&mut self, request: Request) {
        match request {
            Request::LoadMessages { session, mode, before, limit, request } => {
                self.show(&session);
                self.flush(&session);
                self.calls.push_back(Call::Messages(Load { session, before, limit, mode, request }));
            }
            Request::Focus { session, request } => {
                self.show(&session);
                self.flush(&session);
                let load = Load { session, before: None, limit: FOCUS_LIMIT, mode: Mode::Focus, request };
                self.calls.push_back(Call::Messages(load));
            }
            Request::LoadSessions => self.calls.push_back(Call::Sessions),
            Request::LoadStates => self.calls.push_back(Call::States),
            other => self.calls.push_back(Call::Do(other)),
        }
    }

    /// A session is shown: what happens there is passed on from now on.
    fn show(&mut self, session: &str) {
        if self.tracking.is_shown(session) {
            return;
        }
        let gone = self.tracking.show(session, &mut self.retained);
        for other in &gone {
            self.messages.untrack(other, &mut self.retained);
            self.lanes.drop_session(other, &mut self.retained);
        }
        self.flush(session);
        self.say_interest();
    }

    /// Posts what waits of a session. Text by which a part has grown is stored only with the whole part: no page has it.
    fn flush(&mut self, session: &str) {
        let waiting = self.lanes.focus(session, &mut self.retained);
        waiting.into_iter().for_each(|updates| self.post_updates(updates));
    }

    /// Events of which sessions are wanted; a server that does not filter sends all.
    fn say_interest(&mut self) {
        self.calls.push_back(Call::Interest(Interest::Of(self.tracking.sessions().clone())));
    }

    /// Messages that were asked for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn loaded(&mut self, load: &Load, reply: Reply) -> Result<(), HostError> {
        let bytes = reply.body.len() as u64;
        self.transient.add(2 * bytes);
        let result = self.post_messages(load, reply);
        self.transient.remove(2 * bytes);
        result
    }

    fn post_messages(&mut self, load: &Load, reply: Reply) -> Result<(), HostError> {
        let Reply { body, before, .. } = reply;
        let entries: Vec<Value> = serde_json::from_str(&body)?;
        drop(body);
        if load.mode != Mode::Prepend {
            // The page has them as they are, or as they were after that.
            self.lanes.drop_whole(&load.session, &mut self.retained);
        }
        let mut messages = Vec::with_capacity(entries.len());
        for entry in entries {
            let Entry { message, parts } = self.entry(entry)?;
            let parts: Vec<Value> = parts.into_iter().map(Part::into_value).collect();
            messages.push(json!({"info": message.value(), "parts": parts}));
        }
        self.post(&json!({
            "type": "messagesLoaded", "sessionID": load.session, "mode": load.mode, "request": load.request,
            "messages": messages, "hasMore": before.is_some(), "before": before,
        }));
        Ok(())
    }

    fn entry(&mut self, mut entry: Value) -> Result<Entry, HostError> {
        let message = self.message(take(&mut entry, "info"))?;
        let Value::Array(values) = take(&mut entry, "parts") else {
            return Ok(Entry { message, parts: Vec::new() });
        };
        let mut parts = Vec::with_capacity(values.len());
        for value in values {
            let mut part = Part::new(value)?;
            self.adopt_child(&part);
            slim::part(self.strategy.slim, &mut part);
            parts.push(part);
        }
        Ok(Entry { message, parts })
    }

    /// A session that was asked for is not there any more: it was deleted while nothing was heard of it.
    pub fn gone(&mut self, session: &str) {
        self.forget(session);
        self.post(&json!({"type": "sessionDeleted", "sessionID": session}));
    }

    /// A prompt has come to the server. Of a session that is not shown nothing else tells the view so.
    pub fn sent(&mut self, session: &str, message: &str) {
        if !self.tracking.is_shown(session) {
            let info = json!({"id": message, "sessionID": session, "role": "user"});
            self.post(&json!({"type": "messageCreated", "info": info}));
        }
    }

    /// The list that was asked for.
    pub fn listed(&mut self, sessions: &[Value]) {
        let mut sessions: Vec<Value> = sessions.iter().map(shown_of).collect();
        sessions.iter_mut().for_each(|session| slim::value(self.strategy.slim, session));
        self.post(&json!({"type": "sessionsLoaded", "sessions": sessions, "preserve": []}));
    }

    /// What waits for a person, and the states of sessions that work, after some of it may have been missed.
    pub fn states(&mut self, asked: Vec<Value>, statuses: &[(String, Value)]) {
        for mut request in asked {
            let kind =
                if request.get("questions").is_some() { "questionRequest" } else { "permissionRequest" };
            slim::value(self.strategy.slim, &mut request);
            self.post(&post_of(kind, request));
        }
        for (session, status) in statuses {
            self.post(&json!({"type": "sessionStatus", "sessionID": session, "status": status}));
        }
    }

    /// A session is deleted by the person who uses the view, or by the server.
    fn forget(&mut self, session: &str) {
        self.tracking.delete(session, &mut self.retained);
        self.messages.delete(session, &mut self.retained);
        if self.strategy.maps != Maps::Ever {
            self.lanes.drop_session(session, &mut self.retained);
        }
    }

    /// Posts what was gathered for long enough.
    pub fn tick(&mut self, now_ms: i64) {
        let due = self.lanes.due(now_ms, &mut self.retained);
        due.into_iter().for_each(|updates| self.post_updates(updates));
    }

    /// The connection to the server is lost.
    pub fn lost(&mut self, why: &str) {
        self.log.add(why, &mut self.retained);
    }

    fn post_updates(&mut self, updates: Value) {
        self.post(&json!({"type": "partsUpdated", "updates": updates}));
    }

    fn post(&mut self, post: &Value) {
        let text = post.to_string();
        self.transient.add(text.len() as u64);
        self.posts.push_back(text);
    }

    /// What is read, cut and written, while that lasts.
    pub fn transient_ledger(&self) -> Ledger {
        self.transient
    }

    /// What stays.
    pub fn retained_ledger(&self) -> Ledger {
        self.retained
    }

    /// How much is held of what.
    pub fn held(&self) -> [(&'static str, usize); 4] {
        [
            ("tracked", self.tracking.sessions().len()),
            ("messages", self.messages.len()),
            ("lanes", self.lanes.len()),
            ("log", self.log.len()),
        ]
    }

    /// Entries of the map from messages to sessions that were looked at to remove others.
    pub fn entries_looked_at(&self) -> u64 {
        self.messages.looked_at()
    }

    /// Connections that were lost.
    pub fn lost_connections(&self) -> u64 {
        self.log.total
    }

    /// Events that were not passed on.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Sessions whose events are passed on.
    pub fn tracked(&self) -> &BTreeSet<String> {
        self.tracking.sessions()
    }
}

/// Takes a field out of a value; null where there is none, or where the value is no object.
fn take(value: &mut Value, key: &str) -> Value {
    value.get_mut(key).map(Value::take).unwrap_or_default()
}

fn session_in(properties: &Value) -> Option<&str> {
    let at = |path: &str| properties.pointer(path).and_then(Value::as_str);
    let of_session = || if at("/info/sessionID").is_none() { at("/info/id") } else { None };
    at("/sessionID").or_else(|| at("/part/sessionID")).or_else(|| at("/info/sessionID")).or_else(of_session)
}

fn message_in(properties: &Value) -> Option<&str> {
    let at = |path: &str| properties.pointer(path).and_then(Value::as_str);
    let of_info = || at("/info/sessionID").and(at("/info/id"));
    at("/messageID").or_else(|| at("/part/messageID")).or_else(of_info)
}

/// What the view gets to know of a session.
fn shown_of(info: &Value) -> Value {
    let mut shown = json!({
        "id": info["id"], "title": info["title"], "createdAt": info["time"]["created"],
        "updatedAt": info["time"]["updated"],
    });
    for key in ["parentID", "revert", "cost"] {
        if let Some(value) = info.get(key) {
            shown[key] = value.clone();
        }
    }
    shown
}

/// An event about a session or a request as the view gets it.
fn post_of(kind: &str, mut properties: Value) -> Value {
    match kind {
        "sessionUpdated" | "sessionCreated" => {
            json!({"type": kind, "session": shown_of(&properties["info"])})
        }
        "permissionRequest" | "questionRequest" => json!({"type": kind, "request": properties}),
        _ => {
            if let Value::Object(fields) = &mut properties {
                fields.insert("type".to_owned(), kind.into());
            }
            properties
        }
    }
}

/// What an event is called in the view; none when the view has no use for it.
fn name_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "session.created" => "sessionCreated",
        "session.updated" => "sessionUpdated",
        event::STATUS => "sessionStatus",
        "session.error" => "sessionError",
        "todo.updated" => "todoUpdated",
        "permission.asked" => "permissionRequest",
        "permission.replied" => "permissionResolved",
        "question.asked" => "questionRequest",
        "question.replied" | "question.rejected" => "questionResolved",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
