//! What a server says to its clients: a frame of JSON for each event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An event on a server's bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its type, such as `message.part.updated`.
    pub kind: &'static str,
    /// The session it is about.
    pub session: Option<String>,
    /// What it says.
    pub properties: Value,
}

/// An event that tells a client to ask for everything anew: what it has missed is not sent any more.
pub const RESYNC: &str = "server.resync";
/// The first event that a client gets.
pub const CONNECTED: &str = "server.connected";
/// What a client gets each ten seconds, so that it knows that the connection lives.
pub const HEARTBEAT: &str = "server.heartbeat";
/// A session is deleted.
pub const DELETED: &str = "session.deleted";
/// A session works, or does not.
pub const STATUS: &str = "session.status";
/// The files that a session has changed.
pub const DIFF: &str = "session.diff";
/// A part, whole.
pub const PART: &str = "message.part.updated";
/// Text that a part has grown by.
pub const DELTA: &str = "message.part.delta";

/// Types of events about a session that every client gets, whichever sessions it has named: with them it can list sessions, and is asked what
/// a person must answer.
const STATES: [&str; 11] = [
    "session.created",
    "session.updated",
    DELETED,
    STATUS,
    "session.error",
    "todo.updated",
    "permission.asked",
    "permission.replied",
    "question.asked",
    "question.replied",
    "question.rejected",
];

/// Whether an event only tells in which state a session is.
pub fn is_state(kind: &str) -> bool {
    STATES.contains(&kind)
}

impl Event {
    /// An event about a session.
    pub fn of(kind: &'static str, session: &str, properties: Value) -> Event {
        Event { kind, session: Some(session.to_owned()), properties }
    }

    /// An event about the server itself.
    pub fn of_server(kind: &'static str) -> Event {
        Event { kind, session: None, properties: json!({}) }
    }

    /// The event as clients get it.
    pub fn to_frame(&self, directory: &str) -> String {
        #[derive(serde::Serialize)]
        struct Frame<'a> {
            directory: &'a str,
            project: &'a str,
            payload: Payload<'a>,
        }
        #[derive(serde::Serialize)]
        struct Payload<'a> {
            r#type: &'a str,
            properties: &'a Value,
        }
        let payload = Payload { r#type: self.kind, properties: &self.properties };
        let frame = Frame { directory, project: "global", payload };
        serde_json::to_string(&frame).expect("values of strings and numbers can be written")
    }
}

/// The head of a frame; what it says is left as text.
#[derive(Debug, Deserialize)]
pub struct Head<'a> {
    /// Where the session works.
    #[serde(borrow, default)]
    pub directory: Cow<'a, str>,
    /// The event.
    #[serde(borrow)]
    pub payload: Payload<'a>,
}

/// An event of which only the type is read.
#[derive(Debug, Deserialize)]
pub struct Payload<'a> {
    /// Its type.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// What it says.
    #[serde(borrow)]
    pub properties: &'a RawValue,
}

/// What an event is about. Nothing else of it is kept in memory, however long it is.
#[derive(Debug, Default, Deserialize)]
pub struct About<'a> {
    #[serde(rename = "sessionID", borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(rename = "messageID", borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    info: Option<Ids<'a>>,
    #[serde(borrow)]
    part: Option<Ids<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Ids<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "sessionID", borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(rename = "messageID", borrow)]
    message: Option<Cow<'a, str>>,
}

impl About<'_> {
    /// The session, where the event names it.
    pub fn session(&self) -> Option<&str> {
        let part = self.part.as_ref().and_then(|part| part.session.as_deref());
        let info = self.info.as_ref();
        let of_message = info.and_then(|info| info.session.as_deref());
        // A session's own record has no other id.
        let of_session = info.filter(|info| info.session.is_none()).and_then(|info| info.id.as_deref());
        self.session.as_deref().or(part).or(of_message).or(of_session)
    }

    /// The message, where the event names it.
    pub fn message(&self) -> Option<&str> {
        let part = self.part.as_ref().and_then(|part| part.message.as_deref());
        let info = self.info.as_ref().filter(|info| info.session.is_some());
        self.message.as_deref().or(part).or(info.and_then(|info| info.id.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(properties: &str) -> (Option<String>, Option<String>) {
        let about: About<'_> = serde_json::from_str(properties).unwrap();
        (about.session().map(str::to_owned), about.message().map(str::to_owned))
    }

    #[test]
    fn the_head_of_a_frame_is_read_without_what_it_says() {
        let event = Event::of(PART, "ses_1", json!({"part": {"text": "long"}}));
        let frame = event.to_frame("/home/dev/demo");
        let head: Head<'_> = serde_json::from_str(&frame).unwrap();
        assert_eq!((&*head.directory, &*head.payload.kind), ("/home/dev/demo", PART));
        assert_eq!(head.payload.properties.get(), r#"{"part":{"text":"long"}}"#);
    }

    #[test]
    fn an_event_names_its_session_in_several_places() {
        let both =
            |session: &str, message: Option<&str>| (Some(session.to_owned()), message.map(str::to_owned));
        assert_eq!(about(r#"{"sessionID":"s","messageID":"m"}"#), both("s", Some("m")));
        assert_eq!(about(r#"{"info":{"id":"s","title":"t"}}"#), both("s", None));
        assert_eq!(about(r#"{"info":{"id":"m","sessionID":"s"}}"#), both("s", Some("m")));
        assert_eq!(about(r#"{"part":{"id":"p","sessionID":"s","messageID":"m"}}"#), both("s", Some("m")));
        assert_eq!(about(r#"{"file":"a.rs"}"#), (None, None));
    }
}
