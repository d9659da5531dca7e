//! The server: stores sessions, and tells its clients what happens to them.

mod calls;
mod clients;
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::diff::{self, FileDiff};
use super::event::{self, Event};
use super::ledger::Ledger;
use super::message::{Entry, Message};
use super::part::Part;
use super::storage::{Cursor, Page, Reading, Storage, StorageError};
use super::store::Request;
use super::strategy::{Diff, Progress, Strategy, Wire};
use super::{Malformed, size, slim, strip};

use calls::Calls;
use clients::Clients;

pub use clients::{ClientId, Interest};
pub use queue::CAP_BYTES;

/// Why a server refuses what it is told.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A tool's call cannot go from its state to this one.
    #[error("the call {part} of the session {session} cannot become {next}: it {present}")]
    State {
        /// The part.
        part: String,
        /// Its session.
        session: String,
        /// The state that was told.
        next: &'static str,
        /// What is known of it.
        present: &'static str,
    },
    /// A prompt whose parts cannot be used.
    #[error("a prompt cannot be used: {0}")]
    Malformed(#[from] Malformed),
    /// A prompt whose parts are no JSON.
    #[error("a prompt cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A session that is not stored.
    #[error("there is no session {0}; it may have been deleted")]
    NoSession(String),
}

/// A page of a session's history, as clients get it: a JSON array of `{info, parts}`.
#[derive(Debug)]
pub struct Reply {
    /// The page.
    pub body: String,
    /// Where the page before it ends; none at the beginning of the session.
    pub before: Option<String>,
    /// Messages.
    pub messages: usize,
}

/// A server.
pub struct Server {
    storage: Storage,
    strategy: Strategy,
    directory: String,
    clients: Clients,
    calls: Calls,
    /// States of sessions that are not idle.
    statuses: BTreeMap<String, Value>,
    /// Permissions and questions that wait for a person, by their ids.
    asked: BTreeMap<String, Value>,
    /// Rows that were read, while they are in memory.
    rows: Ledger,
}

impl Server {
    /// A server over a storage; `directory` is where its sessions work.
    pub fn new(storage: Storage, strategy: &Strategy, directory: &str) -> Server {
        let resync = Event::of_server(event::RESYNC).to_frame(directory);
        Server {
            storage,
            strategy: *strategy,
            directory: directory.to_owned(),
            clients: Clients::new(strategy, Arc::from(resync)),
            calls: Calls::default(),
            statuses: BTreeMap::new(),
            asked: BTreeMap::new(),
            rows: Ledger::default(),
        }
    }

    /// What is stored.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Stores what was said together since this began; a storage of files stores at once.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn commit(&mut self) -> Result<(), ServerError> {
        Ok(self.storage.commit()?)
    }

    /// A client comes. It gets every event from now on that is of interest to it.
    pub fn subscribe(&mut self, interest: Interest) -> ClientId {
        let client = self.clients.add(interest);
        let frame = Event::of_server(event::CONNECTED).to_frame(&self.directory);
        self.clients.push_to(client, &Arc::from(frame));
        client
    }

    /// A client says which sessions it shows; what happens to the others is not sent to it, where the strategy filters.
    pub fn set_interest(&mut self, client: ClientId, interest: Interest) {
        self.clients.set_interest(client, interest);
    }

    /// A client has gone.
    pub fn unsubscribe(&mut self, client: ClientId) {
        self.clients.remove(client);
    }

    /// The next frame for a client.
    pub fn next_frame(&mut self, client: ClientId) -> Option<Arc<str>> {
        self.clients.pop(client)
    }

    /// Tells every client that its connection lives.
    pub fn heartbeat(&mut self) {
        self.publish(Event::of_server(event::HEARTBEAT));
    }

    /// A session is made.
    ///
    /// # Errors
    /// When the storage fails or refuses it.
    pub fn create_session(&mut self, info: &Value) -> Result<(), ServerError> {
        self.put_session("session.created", info)
    }

    /// Something of a session's record has changed.
    ///
    /// # Errors
    /// When the storage fails, or there is no such session: it may have been deleted meanwhile.
    pub fn update_session(&mut self, info: &Value) -> Result<(), ServerError> {
        self.check_known(text(info, "id"))?;
        self.put_session("session.updated", info)
    }

    fn put_session(&mut self, kind: &'static str, info: &Value) -> Result<(), ServerError> {
        self.storage.put_session(info)?;
        let id = text(info, "id");
        self.publish(Event::of(kind, id, json!({"sessionID": id, "info": info})));
        Ok(())
    }

    fn check_known(&self, session: &str) -> Result<(), ServerError> {
        match self.storage.session(session)? {
            Some(_) => Ok(()),
            None => Err(ServerError::NoSession(session.to_owned())),
        }
    }

    /// A session is deleted, with its children.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn delete_session(&mut self, session: &str) -> Result<(), ServerError> {
        let removed = self.storage.remove_session(session)?;
        for id in removed {
            self.calls.forget(&id);
            self.statuses.remove(&id);
            self.asked.retain(|_, request| text(request, "sessionID") != id);
            self.publish(Event::of(event::DELETED, &id, json!({"sessionID": id, "info": {"id": id}})));
        }
        Ok(())
    }

    /// A session works, or does not.
    ///
    /// # Errors
    /// When the storage fails, or there is no such session.
    pub fn set_status(&mut self, session: &str, status: &Value) -> Result<(), ServerError> {
        self.check_known(session)?;
        if text(status, "type") == "idle" {
            self.statuses.remove(session);
        } else {
            self.statuses.insert(session.to_owned(), status.clone());
        }
        let properties = json!({"sessionID": session, "status": status});
        self.publish(Event::of(event::STATUS, session, properties));
        Ok(())
    }

    /// Something has gone wrong in a session.
    pub fn error(&mut self, session: &str, error: &Value) {
        self.publish(Event::of("session.error", session, json!({"sessionID": session, "error": error})));
    }

    /// A message is said, or its record has changed.
    ///
    /// # Errors
    /// When the storage fails or refuses it.
    pub fn put_message(&mut self, mut message: Message) -> Result<(), ServerError> {
        self.storage.put_message(&message)?;
        match self.strategy.wire {
            Wire::Whole => {}
            Wire::Stripped => strip::message(&mut message),
            Wire::Slim => slim::message(self.strategy.slim, &mut message),
        }
        let session = message.session().to_owned();
        let properties = json!({"sessionID": session, "info": message.value()});
        self.publish(Event::of("message.updated", &session, properties));
        Ok(())
    }

    /// A message is taken back.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn remove_message(&mut self, session: &str, message: &str) -> Result<(), ServerError> {
        self.storage.remove_message(session, message)?;
        self.calls.forget_in(message, None);
        let properties = json!({"sessionID": session, "messageID": message});
        self.publish(Event::of("message.removed", session, properties));
        Ok(())
    }

    /// A part is there, or has changed. `now_ms` is the present time.
    ///
    /// # Errors
    /// When the storage fails or refuses it, or a call cannot be in that state next.
    pub fn put_part(&mut self, part: Part, now_ms: i64) -> Result<(), ServerError> {
        self.calls.check(&part)?;
        if self.strategy.progress == Progress::Coalesced {
            let Some(part) = self.calls.hold(part, now_ms) else { return Ok(()) };
            return self.say_part(part, now_ms);
        }
        self.say_part(part, now_ms)
    }

    fn say_part(&mut self, mut part: Part, now_ms: i64) -> Result<(), ServerError> {
        self.storage.put_part(&part)?;
        self.calls.note(&part, now_ms);
        let session = part.session().to_owned();
        let part = match self.strategy.wire {
            // The real server sends a clone of what it stores.
            Wire::Whole => part.value().clone(),
            Wire::Stripped => {
                strip::part(&mut part);
                part.into_value()
            }
            Wire::Slim => {
                slim::part(self.strategy.slim, &mut part);
                part.into_value()
            }
        };
        let properties = json!({"sessionID": session, "part": part, "time": now_ms});
        self.publish(Event::of(event::PART, &session, properties));
        Ok(())
    }

    /// Says what was held back and is due.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn tick(&mut self, now_ms: i64) -> Result<(), ServerError> {
        while let Some(part) = self.calls.due(now_ms) {
            self.say_part(part, now_ms)?;
        }
        Ok(())
    }

    /// A part has grown by some text. It is stored when the part is told whole.
    pub fn delta(&mut self, session: &str, message: &str, part: &str, field: &str, delta: &str) {
        let properties = json!({
            "sessionID": session, "messageID": message, "partID": part, "field": field, "delta": delta,
        });
        self.publish(Event::of(event::DELTA, session, properties));
    }

    /// A part is taken back.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn remove_part(&mut self, session: &str, message: &str, part: &str) -> Result<(), ServerError> {
        self.storage.remove_part(session, message, part)?;
        self.calls.forget_in(message, Some(part));
        let properties = json!({"sessionID": session, "messageID": message, "partID": part});
        self.publish(Event::of("message.part.removed", session, properties));
        Ok(())
    }

    /// The files that a session has changed so far.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn put_diff(&mut self, session: &str, files: &[FileDiff]) -> Result<(), ServerError> {
        let said = diff::event(self.strategy.diff, files);
        // What is stored can be asked for, patches too.
        match self.strategy.diff {
            Diff::Counts => self.storage.put_diff(session, &diff::event(Diff::Patches, files))?,
            Diff::Contents | Diff::Patches => self.storage.put_diff(session, &said)?,
        }
        self.publish(Event::of(event::DIFF, session, json!({"sessionID": session, "diff": said})));
        Ok(())
    }

    /// What a session has yet to do.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn put_todos(&mut self, session: &str, todos: &[Value]) -> Result<(), ServerError> {
        self.storage.put_todos(session, todos)?;
        self.publish(Event::of("todo.updated", session, json!({"sessionID": session, "todos": todos})));
        Ok(())
    }

    /// A person is asked for a permission.
    ///
    /// # Errors
    /// When the storage fails, or there is no such session.
    pub fn ask_permission(&mut self, request: Value) -> Result<(), ServerError> {
        self.ask("permission.asked", request)
    }

    /// A person is asked a question.
    ///
    /// # Errors
    /// When the storage fails, or there is no such session.
    pub fn ask_question(&mut self, request: Value) -> Result<(), ServerError> {
        self.ask("question.asked", request)
    }

    fn ask(&mut self, kind: &'static str, mut request: Value) -> Result<(), ServerError> {
        self.check_known(text(&request, "sessionID"))?;
        if self.strategy.wire == Wire::Slim {
            slim::value(self.strategy.slim, &mut request);
        }
        let (id, session) = (text(&request, "id").to_owned(), text(&request, "sessionID").to_owned());
        self.asked.insert(id, request.clone());
        self.publish(Event::of(kind, &session, request));
        Ok(())
    }

    /// A person has given or refused a permission.
    pub fn reply_permission(&mut self, session: &str, request: &str, reply: &str) {
        self.replied("permission.replied", session, request, reply);
    }

    /// A person has answered a question.
    pub fn reply_question(&mut self, session: &str, request: &str, reply: &str) {
        self.replied("question.replied", session, request, reply);
    }

    fn replied(&mut self, kind: &'static str, session: &str, request: &str, reply: &str) {
        self.asked.remove(request);
        let properties = json!({"sessionID": session, "requestID": request, "reply": reply});
        self.publish(Event::of(kind, session, properties));
    }

    /// Does what a view wants done.
    ///
    /// # Errors
    /// When the storage fails, or a prompt has parts that cannot be used.
    pub fn carry_out(&mut self, request: Request, now_ms: i64) -> Result<(), ServerError> {
        match request {
            Request::SendMessage { session, message, parts } => {
                self.prompt(&session, &message, &parts, now_ms)?;
            }
            Request::DeleteSession { session } => self.delete_session(&session)?,
            Request::ReplyPermission { session, id, reply } => self.reply_permission(&session, &id, &reply),
            Request::ReplyQuestion { session, id, answer } => self.reply_question(&session, &id, &answer),
            // Answered by who connects the stages.
            Request::LoadMessages { .. }
            | Request::Focus { .. }
            | Request::LoadSessions
            | Request::LoadStates => {}
        }
        Ok(())
    }

    /// A person's message comes.
    fn prompt(&mut self, session: &str, id: &str, parts: &[String], now_ms: i64) -> Result<(), ServerError> {
        let info = json!({"id": id, "sessionID": session, "role": "user", "time": {"created": now_ms}});
        self.put_message(Message::new(info)?)?;
        for part in parts {
            self.put_part(Part::new(serde_json::from_str(part)?)?, now_ms)?;
        }
        Ok(())
    }

    /// Every session's state.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn statuses(&self) -> Result<Vec<(String, Value)>, ServerError> {
        let of = |info: &Value| {
            let id = text(info, "id").to_owned();
            let status = self.statuses.get(&id).cloned().unwrap_or_else(|| json!({"type": "idle"}));
            (id, status)
        };
        Ok(self.storage.sessions()?.iter().map(of).collect())
    }

    /// What waits for a person.
    pub fn asked(&self) -> impl Iterator<Item = &Value> {
        self.asked.values()
    }

    /// Every session, the newest first, as clients list them.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn sessions(&mut self) -> Result<Vec<Value>, ServerError> {
        Ok(self.storage.sessions()?)
    }

    /// The newest messages of a session before a place in it, at most `limit` of them; 0 stands for all.
    ///
    /// # Errors
    /// When there is no such session, or the storage fails.
    pub fn messages(
        &mut self,
        session: &str,
        before: Option<&Cursor>,
        limit: usize,
    ) -> Result<Reply, ServerError> {
        self.check_known(session)?;
        let is_slim = self.strategy.wire == Wire::Slim;
        let reading = if is_slim { Reading::Stripped } else { Reading::Whole };
        let Page { mut entries, before, row_bytes, largest_row_bytes } =
            self.storage.page(session, before, limit, reading)?;
        let messages = entries.len();
        // A row that is stripped while it is read is in memory only as far as it is kept.
        let read = if is_slim { entries.iter().map(bytes_of).sum::<u64>() } else { row_bytes };
        let charged = read + if is_slim { 0 } else { largest_row_bytes };
        self.rows.add(charged);
        for Entry { message, parts } in &mut entries {
            self.cut(message, parts);
        }
        let body = body_of(entries);
        self.rows.add(body.len() as u64);
        self.rows.remove(charged + body.len() as u64);
        Ok(Reply { body, before: before.map(|cursor| cursor.to_text()), messages })
    }

    /// A part as it is stored, for whoever wants to see all of it.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn part(&mut self, session: &str, message: &str, part: &str) -> Result<Option<Part>, ServerError> {
        Ok(self.storage.part(session, message, part)?)
    }

    fn cut(&self, message: &mut Message, parts: &mut [Part]) {
        strip::message(message);
        parts.iter_mut().for_each(strip::part);
        if self.strategy.wire == Wire::Slim {
            slim::message(self.strategy.slim, message);
            parts.iter_mut().for_each(|part| slim::part(self.strategy.slim, part));
        }
    }

    fn publish(&mut self, mut event: Event) {
        // Parts, messages and diffs are cut where they are made.
        let is_cut = event.kind.starts_with("message.") || event.kind == event::DIFF;
        if self.strategy.wire == Wire::Slim && !is_cut {
            slim::value(self.strategy.slim, &mut event.properties);
        }
        self.clients.publish(&event, &self.directory);
    }

    /// Clients that are connected.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Rows in memory.
    pub fn rows_ledger(&self) -> Ledger {
        self.rows
    }

    /// Frames that wait.
    pub fn queues_ledger(&self) -> Ledger {
        self.clients.ledger()
    }

    /// Frames that clients were told they have missed.
    pub fn dropped(&self) -> u64 {
        self.clients.dropped()
    }

    /// How much is held of what, apart from the storage: calls that run, and what waits for a person.
    pub fn held(&self) -> [(&'static str, usize); 3] {
        [("calls", self.calls.len()), ("statuses", self.statuses.len()), ("asked", self.asked.len())]
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn bytes_of(entry: &Entry) -> u64 {
    let parts: usize = entry.parts.iter().map(|part| size::json_bytes(part.value())).sum();
    (size::json_bytes(entry.message.value()) + parts) as u64
}

/// A page as it is sent. Each entry is given up once it is written.
fn body_of(entries: Vec<Entry>) -> String {
    let mut body = String::from("[");
    for (number, Entry { message, parts }) in entries.into_iter().enumerate() {
        if number > 0 {
            body.push(',');
        }
        body.push_str(r#"{"info":"#);
        body.push_str(&message.value().to_string());
        body.push_str(r#","parts":["#);
        for (number, part) in parts.into_iter().enumerate() {
            if number > 0 {
                body.push(',');
            }
            body.push_str(&part.into_value().to_string());
        }
        body.push_str("]}");
    }
    body.push(']');
    body
}

#[cfg(test)]
mod tests;
