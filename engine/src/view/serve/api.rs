//! What can be asked by HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query as FromQuery, State as Extracted};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::events;
use super::state::{Shared, now_ms};
use crate::http::{self, Failure};
use crate::view::part::Part;
use crate::view::server::{Interest, Server, ServerError};
use crate::view::storage::{Cursor, StorageError, check_id};
use crate::view::store::{self, Request};

/// Where the page before the one that is sent ends.
pub(super) const NEXT_CURSOR: &str = "x-next-cursor";
/// How many messages are sent.
pub(super) const MESSAGES: &str = "x-messages";

/// Bytes of a body, and of one with a prompt: its images are in it.
const BODY_BYTES: usize = 1 << 20;
const PROMPT_BYTES: usize = 64 << 20;

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Failure {
        let (status, code) = match error {
            StorageError::BadId { .. } => (StatusCode::BAD_REQUEST, "BAD_ID"),
            StorageError::BadCursor(_) => (StatusCode::BAD_REQUEST, "BAD_CURSOR"),
            StorageError::Malformed(_) => (StatusCode::BAD_REQUEST, "MALFORMED"),
            StorageError::Missing { .. } => (StatusCode::NOT_FOUND, "MISSING"),
            StorageError::Taken { .. } => (StatusCode::CONFLICT, "TAKEN"),
            StorageError::Foreign { .. } | StorageError::Database { .. } | StorageError::Io { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "STORAGE")
            }
        };
        Failure::new(status, code, error)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        match error {
            ServerError::Storage(error) => error.into(),
            ServerError::State { .. } => Failure::new(StatusCode::CONFLICT, "STATE", error),
            ServerError::Malformed(_) | ServerError::Unreadable(_) => {
                Failure::new(StatusCode::BAD_REQUEST, "MALFORMED", error)
            }
            ServerError::NoSession(_) => Failure::new(StatusCode::NOT_FOUND, "NO_SESSION", error),
        }
    }
}

type Answer<T> = Result<T, Failure>;

/// All routes.
pub(super) fn router(state: &Shared) -> Router {
    Router::new()
        .route("/event", get(listen))
        .route("/event/interest", post(set_interest))
        .route("/state", get(states))
        .route("/session", get(sessions))
        .route("/session/{id}", delete(delete_session))
        .route("/session/{id}/message", get(messages).post(prompt))
        .route("/session/{id}/message/{message}/part/{part}", get(part))
        .route("/permission/{id}", post(reply_permission))
        .route("/question/{id}", post(reply_question))
        .route_layer(middleware::from_fn_with_state(state.access.clone(), http::check))
        .with_state(Arc::clone(state))
}

async fn listen(
    Extracted(state): Extracted<Shared>,
    FromQuery(asked): FromQuery<Vec<(String, String)>>,
) -> Answer<Response> {
    let mut sessions = BTreeSet::new();
    for (key, session) in asked {
        if key != "session" {
            let why = format!("{:?} is no parameter of this; name sessions by session=ID", shortened(&key));
            return Err(Failure::new(StatusCode::BAD_REQUEST, "BAD_PARAMETER", why));
        }
        check_id("session", &session)?;
        sessions.insert(session);
    }
    let interest = if sessions.is_empty() { Interest::All } else { Interest::Of(sessions) };
    events::open(&state, interest).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetInterest {
    client: u64,
    /// None: all of them.
    sessions: Option<BTreeSet<String>>,
}

async fn set_interest(
    Extracted(state): Extracted<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: SetInterest = http::json_of(&headers, body, BODY_BYTES, state.times.body).await?;
    let SetInterest { client, sessions } = asked;
    sessions.iter().flatten().try_for_each(|session| check_id("session", session))?;
    let interest = sessions.map_or(Interest::All, Interest::Of);
    let shared = Arc::clone(&state);
    if state.blocking(move |server| shared.set_interest(server, client, interest)).await? {
        return Ok(done());
    }
    let why = format!("no stream has the number {client}; it may have ended");
    Err(Failure::new(StatusCode::NOT_FOUND, "NO_CLIENT", why))
}

async fn sessions(Extracted(state): Extracted<Shared>) -> Answer<Response> {
    Ok(Json(state.blocking(Server::sessions).await??).into_response())
}

async fn states(Extracted(state): Extracted<Shared>) -> Answer<Response> {
    let states = state.blocking(|server| -> Result<Value, ServerError> {
        let asked: Vec<Value> = server.asked().cloned().collect();
        let statuses: serde_json::Map<String, Value> = server.statuses()?.into_iter().collect();
        Ok(json!({"asked": asked, "statuses": statuses}))
    });
    Ok(Json(states.await??).into_response())
}

#[derive(Deserialize)]
struct Page {
    limit: Option<String>,
    before: Option<String>,
}

async fn messages(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    FromQuery(asked): FromQuery<Page>,
) -> Answer<Response> {
    let limit = http::number("limit", asked.limit.as_deref(), store::PAGE, 0..=usize::MAX)?;
    let before = asked.before.as_deref().map(Cursor::from_text).transpose()?;
    let reply = state.blocking(move |server| server.messages(&id, before.as_ref(), limit)).await??;
    let headers = [(MESSAGES, Some(reply.messages.to_string())), (NEXT_CURSOR, reply.before)];
    let mut response = ([(CONTENT_TYPE, "application/json")], reply.body).into_response();
    for (name, value) in headers {
        let Some(value) = value else { continue };
        let value = value.parse().map_err(|error| unsayable(name, error))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn unsayable(name: &str, error: axum::http::header::InvalidHeaderValue) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", format!("{name}: {error}"))
}

async fn part(
    Extracted(state): Extracted<Shared>,
    Path((session, message, part)): Path<(String, String, String)>,
) -> Answer<Response> {
    let why = format!("there is no part {} of {}", shortened(&part), shortened(&message));
    let found = state.blocking(move |server| server.part(&session, &message, &part)).await??;
    let missing = || Failure::new(StatusCode::NOT_FOUND, "NO_PART", why);
    Ok(Json(found.map(Part::into_value).ok_or_else(missing)?).into_response())
}

async fn delete_session(
    Extracted(state): Extracted<Shared>,
    Path(session): Path<String>,
) -> Answer<Response> {
    let delete = move |server: &mut Server| {
        if server.storage().session(&session)?.is_none() {
            return Err(ServerError::NoSession(session));
        }
        server.carry_out(Request::DeleteSession { session }, now_ms())
    };
    state.blocking(delete).await??;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    id: String,
    parts: Vec<Box<RawValue>>,
}

/// What a part must say of where it belongs.
#[derive(Deserialize)]
struct Belongs<'a> {
    #[serde(rename = "sessionID", borrow)]
    session: std::borrow::Cow<'a, str>,
    #[serde(rename = "messageID", borrow)]
    message: std::borrow::Cow<'a, str>,
}

async fn prompt(
    Extracted(state): Extracted<Shared>,
    Path(session): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: Prompt = http::json_of(&headers, body, PROMPT_BYTES, state.times.body).await?;
    check_id("session", &session)?;
    check_id("message", &asked.id)?;
    for part in &asked.parts {
        let belongs = serde_json::from_str::<Belongs<'_>>(part.get());
        if !belongs.is_ok_and(|part| part.session == session && part.message == asked.id) {
            let why = "every part of a prompt has the sessionID and the messageID of the prompt";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "BAD_PART", why));
        }
    }
    let parts = asked.parts.into_iter().map(|part| Box::<str>::from(part).into_string()).collect();
    let request = Request::SendMessage { session, message: asked.id, parts };
    state.blocking(move |server| server.carry_out(request, now_ms())).await??;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyPermission {
    session: String,
    reply: String,
}

async fn reply_permission(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: ReplyPermission = http::json_of(&headers, body, BODY_BYTES, state.times.body).await?;
    let ReplyPermission { session, reply } = asked;
    if !["once", "always", "reject"].contains(&&*reply) {
        let why = "a reply is once, always or reject";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "BAD_REPLY", why));
    }
    replied(&state, Request::ReplyPermission { session, id, reply }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyQuestion {
    session: String,
    answer: String,
}

async fn reply_question(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: ReplyQuestion = http::json_of(&headers, body, BODY_BYTES, state.times.body).await?;
    let ReplyQuestion { session, answer } = asked;
    replied(&state, Request::ReplyQuestion { session, id, answer }).await
}

/// Passes on an answer to what was asked; the first one counts.
async fn replied(state: &Shared, request: Request) -> Answer<Response> {
    let (Request::ReplyPermission { id, session, .. } | Request::ReplyQuestion { id, session, .. }) =
        &request
    else {
        return Ok(done());
    };
    check_id("request", id)?;
    check_id("session", session)?;
    let (id, session) = (id.clone(), session.clone());
    let answer = move |server: &mut Server| {
        let is =
            |request: &Value, key: &str, text: &str| request.get(key).and_then(Value::as_str) == Some(text);
        let is_asked = |request: &Value| is(request, "id", &id) && is(request, "sessionID", &session);
        if !server.asked().any(is_asked) {
            let why = format!("nothing of the id {id} is asked in the session {session}; it may be answered");
            return Err(Failure::new(StatusCode::NOT_FOUND, "NOT_ASKED", why));
        }
        Ok(server.carry_out(request, now_ms())?)
    };
    state.blocking(answer).await??;
    Ok(done())
}

fn done() -> Response {
    Json(json!({"ok": true})).into_response()
}

/// As much of a text as fits into a message.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
