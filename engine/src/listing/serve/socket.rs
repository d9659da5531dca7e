//! The WebSockets of a live session: of a person's application, and of the process that answers.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Path, State as Extracted};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::timeout;

use super::hub::{End, Role};
use super::state::Shared;
use crate::http::Failure;
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
    #[serde(borrow, default)]
    slash_commands: Option<&'a RawValue>,
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
    let Some(mut end) = state.hub().open(&sid, role) else { return };
    let number = end.number;
    let note = |act: Act<'_>| {
        let now = state.now().monotonic_ms;
        state.live().act(&sid, act, now);
    };
    note(if role == Role::Client { Act::Connect(number) } else { Act::Process(true) });
    let reason = exchange(&mut socket, &mut end, (&sid, role), &state).await;
    state.hub().close(&sid, role, number);
    note(if role == Role::Client { Act::Disconnect(number) } else { Act::Process(false) });
    if let Some((code, reason)) = reason {
        let close = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
        let _ = timeout(CLOSE, close).await;
    }
}

/// Passes messages on until the connection ends: by itself, or for a reason that is told.
async fn exchange(
    socket: &mut WebSocket,
    end: &mut End,
    (sid, role): (&Sid, Role),
    state: &Shared,
) -> Option<(u16, &'static str)> {
    const DROPPED: Option<(u16, &str)> = Some((close_code::AGAIN, "too slow, or the session has ended"));
    let End { queue, dropped, .. } = end;
    let idle = state.times.idle;
    let mut stopped = state.stopped.clone();
    let mut heard = Instant::now();
    loop {
        let left = idle.saturating_sub(heard.elapsed());
        let reply = tokio::select! {
            biased;
            _ = &mut *dropped => return DROPPED,
            () = until_stopped(&mut stopped) => return Some((close_code::AWAY, "the service stops")),
            text = queue.next() => text,
            message = timeout(left, socket.recv()) => match message {
                Err(_) => return Some((close_code::POLICY, "silent for too long")),
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return None,
                Ok(Some(Ok(message))) => {
                    heard = Instant::now();
                    let Message::Text(text) = message else { continue };
                    match role {
                        Role::Client => from_client(state, sid, &text).map(|reply| reply.to_string().into()),
                        Role::Process => {
                            from_process(state, sid, &text);
                            None
                        }
                    }
                }
            },
        };
        let Some(text) = reply else { continue };
        let sent = tokio::select! {
            _ = &mut *dropped => return DROPPED,
            sent = timeout(idle, socket.send(Message::Text(text))) => sent,
        };
        if !matches!(sent, Ok(Ok(()))) {
            return None;
        }
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

/// Acts on what a process says, and hands it on to the session's applications. What is no message is passed over.
fn from_process(state: &Shared, sid: &Sid, text: &str) {
    let now = state.now().monotonic_ms;
    let Ok(message) = serde_json::from_str::<FromProcess<'_>>(text) else { return };
    {
        let mut live = state.live();
        live.act(sid, Act::Message(text), now);
        match (&*message.kind, message.subtype.as_deref()) {
            ("system", Some("init")) => {
                let commands = message.slash_commands.map(RawValue::get).unwrap_or("[]");
                let commands: Vec<String> = serde_json::from_str(commands).unwrap_or_default();
                live.act(sid, Act::Commands(&commands), now);
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
