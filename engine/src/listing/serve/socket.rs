//! The WebSockets of a live session: of a person's application, and of the process that answers.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Path, State as Extracted};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::timeout;

use super::api::Failure;
use super::hub::Role;
use super::state::Shared;
use crate::listing::files::is_id;
use crate::listing::live::{Act, Sid};

/// Bytes of a message of an application, and of a process, whose results of tools are large.
const CLIENT_BYTES: usize = 1 << 20;
const PROCESS_BYTES: usize = 16 << 20;
/// How long the last word of the service may take.
const CLOSE: Duration = Duration::from_secs(1);

/// What an application says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromClient {
    Ping,
    UserMessage {
        content: String,
    },
    #[serde(rename_all = "camelCase")]
    PermissionResponse {
        request_id: String,
        allow: bool,
    },
    StopGeneration,
    #[serde(rename_all = "camelCase")]
    SetRuntimeConfig {
        provider_id: String,
        model_id: String,
    },
    PrewarmSession,
}

/// What a process says, as far as the service acts on it.
#[derive(Deserialize)]
struct FromProcess<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subtype: Option<Cow<'a, str>>,
    #[serde(default)]
    slash_commands: Option<Vec<String>>,
    #[serde(borrow, default)]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
}

/// Opens the WebSocket of an application.
pub(super) async fn client(
    upgrade: WebSocketUpgrade,
    Path(id): Path<String>,
    Extracted(state): Extracted<Shared>,
) -> Response {
    open(upgrade, id, state, Role::Client)
}

/// Opens the WebSocket of a process.
pub(super) async fn process(
    upgrade: WebSocketUpgrade,
    Path(id): Path<String>,
    Extracted(state): Extracted<Shared>,
) -> Response {
    open(upgrade, id, state, Role::Process)
}

fn open(upgrade: WebSocketUpgrade, id: String, state: Shared, role: Role) -> Response {
    if !is_id(&id) {
        let why = "ids have letters, digits, - and _";
        return Failure::new(StatusCode::BAD_REQUEST, "BAD_ID", why).into_response();
    }
    if state.tombstones(|tombstones, _| tombstones.has(&id)) {
        let why = format!("the session {id} was deleted");
        return Failure::new(StatusCode::CONFLICT, "SESSION_DELETED", why).into_response();
    }
    if state.hub().is_full() {
        let why = "too many connections are open";
        return Failure::new(StatusCode::SERVICE_UNAVAILABLE, "TOO_MANY", why).into_response();
    }
    let bytes = if role == Role::Client { CLIENT_BYTES } else { PROCESS_BYTES };
    upgrade
        .protocols(["highwater"])
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .on_upgrade(move |socket| serve(socket, Sid::from(id), state, role))
}

async fn serve(mut socket: WebSocket, sid: Sid, state: Shared, role: Role) {
    // Between the request and now it may have been deleted, and others may have come.
    if state.tombstones(|tombstones, _| tombstones.has(&sid)) {
        return;
    }
    let Some((number, mut sent)) = state.hub().open(&sid, role) else { return };
    let note = |act: Act<'_>| {
        let now = state.now().monotonic_ms;
        state.live().act(&sid, act, now);
    };
    note(if role == Role::Client { Act::Connect(number) } else { Act::Process(true) });
    let mut stopped = state.stopped.clone();
    let reason = loop {
        let message = tokio::select! {
            sent = sent.recv() => match sent {
                Some(text) => match send(&mut socket, text, state.times.idle).await {
                    Ok(()) => continue,
                    Err(Lost) => break None,
                },
                // The hub has dropped it: too slow, or its session has ended.
                None => break Some((close_code::AGAIN, "too slow, or the session has ended")),
            },
            message = timeout(state.times.idle, socket.recv()) => message,
            () = until_stopped(&mut stopped) => break Some((close_code::AWAY, "the service stops")),
        };
        let text = match message {
            Err(_) => break Some((close_code::POLICY, "silent for too long")),
            Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => break None,
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(_))) => continue,
        };
        let reply = match role {
            Role::Client => from_client(&state, &sid, &text),
            Role::Process => {
                from_process(&state, &sid, &text);
                None
            }
        };
        if let Some(reply) = reply
            && send(&mut socket, reply.to_string().into(), state.times.idle).await.is_err()
        {
            break None;
        }
    };
    state.hub().close(&sid, role, number);
    note(if role == Role::Client { Act::Disconnect(number) } else { Act::Process(false) });
    if let Some((code, reason)) = reason {
        let close = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
        let _ = timeout(CLOSE, close).await;
    }
}

/// The other end takes nothing any more.
struct Lost;

/// Sends a text to who takes it in time.
async fn send(socket: &mut WebSocket, text: Utf8Bytes, within: Duration) -> Result<(), Lost> {
    match timeout(within, socket.send(Message::Text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Lost),
    }
}

async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Acts on what an application says; the reply to it alone.
fn from_client(state: &Shared, sid: &Sid, text: &str) -> Option<serde_json::Value> {
    let message = match serde_json::from_str(text) {
        Ok(message) => message,
        Err(error) => return Some(failure("BAD_MESSAGE", &error.to_string())),
    };
    let act = |act: Act<'_>| {
        let now = state.now().monotonic_ms;
        state.live().act(sid, act, now);
    };
    let tell = |message: serde_json::Value| {
        let taken = state.hub().send(sid, Role::Process, &Utf8Bytes::from(message.to_string()));
        (taken == 0).then(|| failure("NO_PROCESS", "the session has no process that could answer"))
    };
    match message {
        FromClient::Ping => Some(json!({"type": "pong"})),
        FromClient::UserMessage { content } => {
            act(Act::Say(&content));
            tell(json!({"type": "user", "message": {"role": "user", "content": content}}))
        }
        FromClient::PermissionResponse { request_id, allow } => {
            act(Act::Question(false));
            let behavior = if allow { "allow" } else { "deny" };
            let response = json!({"request_id": request_id, "behavior": behavior});
            tell(json!({"type": "control_response", "response": response}))
        }
        FromClient::StopGeneration => {
            act(Act::Stop);
            tell(json!({"type": "control_request", "request": {"subtype": "interrupt"}}))
        }
        FromClient::SetRuntimeConfig { provider_id, model_id } => {
            act(Act::Model(&provider_id, &model_id));
            None
        }
        FromClient::PrewarmSession => {
            act(Act::Prewarm);
            None
        }
    }
}

fn failure(code: &str, why: &str) -> serde_json::Value {
    json!({"type": "error", "code": code, "message": why})
}

/// Acts on what a process says, and hands it on to the session's applications. What is no message is noted as said and handed on to nobody.
fn from_process(state: &Shared, sid: &Sid, text: &str) {
    let now = state.now().monotonic_ms;
    let Ok(message) = serde_json::from_str::<FromProcess<'_>>(text) else { return };
    {
        let mut live = state.live();
        live.act(sid, Act::Message(text), now);
        match (&*message.kind, message.subtype.as_deref()) {
            ("system", Some("init")) => {
                live.act(sid, Act::Commands(message.slash_commands.as_deref().unwrap_or_default()), now);
            }
            ("control_request", _) => live.act(sid, Act::Question(true), now),
            ("result", _) => live.act(sid, Act::Question(false), now),
            _ => {}
        }
    }
    let handed = if message.kind == "control_request" {
        json!({"type": "permission_request", "requestId": message.request_id, "request": message.request})
            .to_string()
    } else {
        format!("{{\"type\":\"sdk_message\",\"message\":{text}}}")
    };
    state.hub().send(sid, Role::Client, &Utf8Bytes::from(handed));
}
