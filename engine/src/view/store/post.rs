//! What a host posts to its view, as text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a host posts. Records stay the text that they were, so that they are copied once: to where they are kept.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Post<'a> {
    /// Messages that were asked for.
    MessagesLoaded(MessagesLoaded<'a>),
    /// All sessions of a project.
    SessionsLoaded(SessionsLoaded<'a>),
    /// A session is new.
    SessionCreated(OneSession<'a>),
    /// A session's record has changed.
    SessionUpdated(OneSession<'a>),
    /// A session is gone.
    SessionDeleted(Gone<'a>),
    /// A message is new, or its record has changed.
    MessageCreated(OneMessage<'a>),
    /// A message is gone.
    MessageRemoved(MessageGone<'a>),
    /// A part is new, has changed, or has grown.
    PartUpdated(PartUpdate<'a>),
    /// Several parts are.
    PartsUpdated(PartUpdates<'a>),
    /// A part is gone.
    PartRemoved(PartGone<'a>),
    /// What a session wants to do.
    TodoUpdated(Todos<'a>),
    /// A session asks whether it may do something.
    PermissionRequest(Asked<'a>),
    /// That was answered.
    PermissionResolved(Answered<'a>),
    /// A session asks something.
    QuestionRequest(Asked<'a>),
    /// That was answered.
    QuestionResolved(Answered<'a>),
    /// Whether a session works.
    SessionStatus(StatusOf<'a>),
    /// A session has failed.
    SessionError(ErrorOf<'a>),
    /// Events were lost: everything is to be asked for anew.
    Resync,
}

/// What becomes of messages that are held already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The answer takes their place.
    Replace,
    /// The answer is older than all of them.
    Prepend,
    /// The answer is the newest page, to be merged with them.
    Focus,
}

/// A page of a session.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagesLoaded<'a> {
    /// The session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// What becomes of those that are there.
    pub mode: Mode,
    /// Its messages, the oldest first.
    #[serde(borrow)]
    pub messages: Vec<Loaded<'a>>,
    /// Where the page before begins; none where there is none, or where the server does not say.
    #[serde(default)]
    pub before: Option<String>,
    /// Whether there is a page before; none where the server does not say.
    #[serde(default)]
    pub has_more: Option<bool>,
    /// The number of the request that it answers; none where the host does not say.
    #[serde(default)]
    pub request: Option<u64>,
}

/// A message with its parts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Loaded<'a> {
    /// Its record.
    #[serde(borrow)]
    pub info: &'a RawValue,
    /// Its parts.
    #[serde(borrow, default)]
    pub parts: Vec<&'a RawValue>,
}

/// A list of sessions.
#[derive(Debug, Serialize, Deserialize)]
pub struct SessionsLoaded<'a> {
    /// Their records.
    #[serde(borrow)]
    pub sessions: Vec<&'a RawValue>,
    /// Sessions that others have opened, and that stay, listed or not.
    #[serde(default)]
    pub preserve: Vec<String>,
}

/// A session's record.
#[derive(Debug, Serialize, Deserialize)]
pub struct OneSession<'a> {
    /// It.
    #[serde(borrow)]
    pub session: &'a RawValue,
}

/// A session that is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Gone<'a> {
    /// Its id.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
}

/// A message's record.
#[derive(Debug, Serialize, Deserialize)]
pub struct OneMessage<'a> {
    /// It.
    #[serde(borrow)]
    pub info: &'a RawValue,
}

/// A message that is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageGone<'a> {
    /// Its session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// Its id.
    #[serde(rename = "messageID", borrow)]
    pub message: Cow<'a, str>,
}

/// A part, whole or by how much it has grown.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartUpdate<'a> {
    /// Its session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// Its message.
    #[serde(rename = "messageID", borrow)]
    pub message: Cow<'a, str>,
    /// Its id; the whole part has it, too.
    #[serde(rename = "partID", borrow, default)]
    pub id: Cow<'a, str>,
    /// The whole part.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub part: Option<&'a RawValue>,
    /// What it has grown by.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta<'a>>,
}

/// Text that a part has grown by.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delta<'a> {
    /// The field that has grown.
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// By what.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
}

/// Updates of parts.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartUpdates<'a> {
    /// In their order.
    #[serde(borrow)]
    pub updates: Vec<PartUpdate<'a>>,
}

/// A part that is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartGone<'a> {
    /// Its session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// Its message.
    #[serde(rename = "messageID", borrow)]
    pub message: Cow<'a, str>,
    /// Its id.
    #[serde(rename = "partID", borrow)]
    pub id: Cow<'a, str>,
}

/// What a session wants to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Todos<'a> {
    /// The session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// The list.
    #[serde(borrow)]
    pub todos: &'a RawValue,
}

/// A permission or an answer that a session waits for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked<'a> {
    /// The whole request, with its id and its session.
    #[serde(borrow)]
    pub request: &'a RawValue,
}

/// A request that is answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answered<'a> {
    /// Its session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// Its id.
    #[serde(rename = "requestID", borrow)]
    pub id: Cow<'a, str>,
}

/// Whether a session works.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatusOf<'a> {
    /// The session.
    #[serde(rename = "sessionID", borrow)]
    pub session: Cow<'a, str>,
    /// An object whose `type` is `idle` where it does not.
    #[serde(borrow)]
    pub status: &'a RawValue,
}

/// What went wrong.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorOf<'a> {
    /// In which session, if in one.
    #[serde(rename = "sessionID", default)]
    pub session: Option<Cow<'a, str>>,
    /// What.
    #[serde(borrow)]
    pub error: &'a RawValue,
}

/// A post that cannot be read. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It is no JSON, or lacks what its type has.
    #[error("a post{} cannot be read: {source}", of(.kind))]
    Unreadable {
        /// Its type, where that can be read.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// No post has this type.
    #[error("a post has the type {0:?}, which this view does not know; host and view must be of one version")]
    Unknown(String),
}

fn of(kind: &str) -> String {
    if kind.is_empty() { String::new() } else { format!(" of type {kind}") }
}

impl<'a> Post<'a> {
    /// Reads a post.
    ///
    /// # Errors
    /// When it is no JSON, has a type that is not known, or lacks what its type has.
    pub fn read(text: &'a str) -> Result<Post<'a>, PostError> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
        }
        let head: Head<'a> = body("", text)?;
        let kind = &*head.kind;
        Ok(match kind {
            "messagesLoaded" => Post::MessagesLoaded(body(kind, text)?),
            "sessionsLoaded" => Post::SessionsLoaded(body(kind, text)?),
            "sessionCreated" => Post::SessionCreated(body(kind, text)?),
            "sessionUpdated" => Post::SessionUpdated(body(kind, text)?),
            "sessionDeleted" => Post::SessionDeleted(body(kind, text)?),
            "messageCreated" => Post::MessageCreated(body(kind, text)?),
            "messageRemoved" => Post::MessageRemoved(body(kind, text)?),
            "partUpdated" => Post::PartUpdated(body(kind, text)?),
            "partsUpdated" => Post::PartsUpdated(body(kind, text)?),
            "partRemoved" => Post::PartRemoved(body(kind, text)?),
            "todoUpdated" => Post::TodoUpdated(body(kind, text)?),
            "permissionRequest" => Post::PermissionRequest(body(kind, text)?),
            "permissionResolved" => Post::PermissionResolved(body(kind, text)?),
            "questionRequest" => Post::QuestionRequest(body(kind, text)?),
            "questionResolved" => Post::QuestionResolved(body(kind, text)?),
            "sessionStatus" => Post::SessionStatus(body(kind, text)?),
            "sessionError" => Post::SessionError(body(kind, text)?),
            "resync" => Post::Resync,
            _ => return Err(PostError::Unknown(kind.to_owned())),
        })
    }
}

fn body<'a, T: Deserialize<'a>>(kind: &str, text: &'a str) -> Result<T, PostError> {
    serde_json::from_str(text).map_err(|source| PostError::Unreadable { kind: kind.to_owned(), source })
}
