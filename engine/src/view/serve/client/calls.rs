//! What can be asked of the service.

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Answer, Client, ClientError};
use crate::view::serve::api::{MESSAGES, NEXT_CURSOR};
use crate::view::server::{Interest, Reply};
use crate::view::store::Request;

/// What waits for a person, and the states of sessions that work.
#[derive(Debug, Deserialize)]
struct States {
    asked: Vec<Value>,
    statuses: Map<String, Value>,
}

/// A prompt. Its parts are JSON already, and long where they are images.
#[derive(Serialize)]
struct Prompt<'a> {
    id: &'a str,
    parts: Vec<&'a RawValue>,
}

impl Prompt<'_> {
    fn written(id: &str, parts: &[String]) -> serde_json::Result<String> {
        let parts = parts.iter().map(|part| serde_json::from_str(part)).collect::<serde_json::Result<_>>()?;
        serde_json::to_string(&Prompt { id, parts })
    }
}

/// What was asked, and the sessions that are not idle with their states.
pub(in crate::view::serve) type Asked = (Vec<Value>, Vec<(String, Value)>);

impl Client {
    /// Names the sessions whose events a stream gets from now on.
    ///
    /// # Errors
    /// When there is no answer, or the stream has ended.
    pub async fn set_interest(&mut self, stream: u64, interest: &Interest) -> Result<(), ClientError> {
        let sessions = match interest {
            Interest::All => None,
            Interest::Of(sessions) => Some(sessions),
        };
        let body = json!({"client": stream, "sessions": sessions});
        self.call(Method::POST, "/event/interest", Some(body.to_string())).await.map(drop)
    }

    /// All sessions.
    ///
    /// # Errors
    /// When there is no answer, or none that can be read.
    pub async fn sessions(&mut self) -> Result<Vec<Value>, ClientError> {
        self.call(Method::GET, "/session", None).await?.json()
    }

    /// What waits for a person, and the sessions that are not idle with their states.
    ///
    /// # Errors
    /// When there is no answer, or none that can be read.
    pub async fn states(&mut self) -> Result<Asked, ClientError> {
        let States { asked, statuses } = self.call(Method::GET, "/state", None).await?.json()?;
        Ok((asked, statuses.into_iter().collect()))
    }

    /// The newest messages of a session before a place in it, at most `limit` of them; 0 stands for all.
    ///
    /// # Errors
    /// When there is no answer, none that can be read, or no such session.
    pub async fn messages(
        &mut self,
        session: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Reply, ClientError> {
        let mut path = format!("/session/{}/message?limit={limit}", encoded(session));
        if let Some(before) = before {
            path.push_str("&before=");
            path.push_str(&encoded(before));
        }
        let Answer { what, headers, body } = self.call(Method::GET, &path, None).await?;
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let before = header(NEXT_CURSOR).map(str::to_owned);
        let Some(messages) = header(MESSAGES).and_then(|number| number.parse().ok()) else {
            return Err(ClientError::Unreadable { what, why: format!("it has no {MESSAGES}") });
        };
        let unreadable = |error: std::string::FromUtf8Error| unreadable(&what, &error);
        Ok(Reply { body: String::from_utf8(body).map_err(unreadable)?, before, messages })
    }

    /// A part as it is stored.
    ///
    /// # Errors
    /// When there is no answer, none that can be read, or no such part.
    pub async fn part(&mut self, session: &str, message: &str, part: &str) -> Result<Value, ClientError> {
        let [session, message, part] = [session, message, part].map(encoded);
        let path = format!("/session/{session}/message/{message}/part/{part}");
        self.call(Method::GET, &path, None).await?.json()
    }

    /// Has something done that a view wants done. What is to be loaded is asked for by the other functions.
    ///
    /// # Errors
    /// When there is no answer, or the service refuses.
    pub async fn carry_out(&mut self, request: &Request) -> Result<(), ClientError> {
        let (method, path, body) = match request {
            Request::SendMessage { session, message, parts } => {
                let path = format!("/session/{}/message", encoded(session));
                let body = Prompt::written(message, parts);
                let body = body.map_err(|error| unreadable(&format!("POST {path}"), &error))?;
                (Method::POST, path, Some(body))
            }
            Request::DeleteSession { session } => {
                (Method::DELETE, format!("/session/{}", encoded(session)), None)
            }
            Request::ReplyPermission { session, id, reply } => {
                let body = json!({"session": session, "reply": reply}).to_string();
                (Method::POST, format!("/permission/{}", encoded(id)), Some(body))
            }
            Request::ReplyQuestion { session, id, answer } => {
                let body = json!({"session": session, "answer": answer}).to_string();
                (Method::POST, format!("/question/{}", encoded(id)), Some(body))
            }
            Request::LoadMessages { .. }
            | Request::Focus { .. }
            | Request::LoadSessions
            | Request::LoadStates => return Ok(()),
        };
        self.call(method, &path, body).await.map(drop)
    }
}

impl Answer {
    fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| unreadable(&self.what, &error))
    }
}

fn unreadable(what: &str, why: &dyn std::error::Error) -> ClientError {
    ClientError::Unreadable { what: what.to_owned(), why: why.to_string() }
}

/// A text as one piece of a path or a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
