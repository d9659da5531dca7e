//! What can be asked by HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as FromQuery, State as Extracted};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::socket;
use super::state::{Shared, State};
use crate::http::{self, Failure, number};
use crate::listing::files::is_id;
use crate::listing::live::{Act, Sid};
use crate::listing::messages::{self, MessagesError};
use crate::listing::row::{Places, Query, Row};
use crate::listing::strategy::Read;
use crate::listing::summary::Summariser;
use crate::listing::write::{self, WriteError};

/// Rows of a page, when nothing else is asked for, and at most.
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 1_000;
/// Messages of a page, when nothing else is asked for.
const MESSAGES: usize = 100;
/// Bytes of a body.
const BODY_BYTES: usize = 1 << 20;
/// Most sessions that are deleted at once.
const BATCH_MAX: usize = 1_000;

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        let (status, code) = match error {
            WriteError::BadId(_) => (StatusCode::BAD_REQUEST, "BAD_ID"),
            WriteError::BadValue(_) => (StatusCode::BAD_REQUEST, "BAD_VALUE"),
            WriteError::NoSession(_) => (StatusCode::NOT_FOUND, "NO_SESSION"),
            WriteError::Exists(_) => (StatusCode::CONFLICT, "EXISTS"),
            WriteError::Ambiguous(_) => (StatusCode::CONFLICT, "AMBIGUOUS"),
            WriteError::Io { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "IO"),
        };
        Failure::new(status, code, error)
    }
}

impl From<MessagesError> for Failure {
    fn from(error: MessagesError) -> Failure {
        match error {
            MessagesError::BadCursor(_) => Failure::new(StatusCode::BAD_REQUEST, "BAD_CURSOR", error),
            MessagesError::Io(_) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "IO", error),
        }
    }
}

type Answer<T> = Result<T, Failure>;

/// All routes. Only the one by which a supervisor asks for life needs no token: it tells nothing.
pub(super) fn router(state: &Shared) -> Router {
    Router::new()
        .route("/api/sessions", get(list).post(create))
        .route("/api/sessions/batch-delete", post(delete_many))
        .route("/api/sessions/{id}", get(detail).delete(delete).patch(rename))
        .route("/api/sessions/{id}/messages", get(page_of_messages))
        .route("/api/sessions/{id}/append", post(append))
        .route("/api/sessions/{id}/clear", post(clear))
        .route("/api/sessions/{id}/start", post(start))
        .route("/api/stats", get(stats))
        .route("/ws/{id}", get(socket::client))
        .route("/sdk/{id}", get(socket::process))
        .route_layer(middleware::from_fn_with_state(state.access.clone(), http::check))
        .route("/health", get(health))
        .with_state(Arc::clone(state))
}

#[derive(Deserialize)]
struct ListParameters {
    limit: Option<String>,
    offset: Option<String>,
    q: Option<String>,
    project: Option<String>,
}

async fn list(
    Extracted(state): Extracted<Shared>,
    FromQuery(asked): FromQuery<ListParameters>,
) -> Answer<Response> {
    let limit = number("limit", asked.limit.as_deref(), LIMIT, 1..=LIMIT_MAX)?;
    let offset = number("offset", asked.offset.as_deref(), 0, 0..=usize::MAX)?;
    let text = asked.q.filter(|text| !text.is_empty());
    let query = Query { limit, offset, project: asked.project, text };
    let failed = |error| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "NO_LIST", error);
    let page: Bytes = state.lister.list(query).await.map_err(failed)?;
    Ok(([(CONTENT_TYPE, "application/json")], page).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    work_dir: String,
    title: Option<String>,
}

async fn create(Extracted(state): Extracted<Shared>, headers: HeaderMap, body: Body) -> Answer<Response> {
    let asked: Create = json_of(&state, &headers, body).await?;
    let id = (state.new_id)();
    let time = jiff::Timestamp::from_nanosecond(i128::from(state.now().wall_ns)).unwrap_or_default();
    let own = id.clone();
    written(&state, move |state| {
        let title = asked.title.as_deref().map(write::checked_title).transpose()?;
        write::create(&state.root, &own, &asked.work_dir, &format!("{time:.3}"))?;
        title.map_or(Ok(()), |title| write::rename(&state.root, &own, &title))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    title: String,
}

async fn rename(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: Rename = json_of(&state, &headers, body).await?;
    written(&state, move |state| write::rename(&state.root, &id, &asked.title)).await?;
    Ok(Json(json!({"ok": true})).into_response())
}

async fn append(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let record: serde_json::Value = json_of(&state, &headers, body).await?;
    written(&state, move |state| write::append(&state.root, &id, &record)).await?;
    Ok(Json(json!({"ok": true})).into_response())
}

async fn clear(Extracted(state): Extracted<Shared>, Path(id): Path<String>) -> Answer<Response> {
    let own = id.clone();
    written(&state, move |state| write::clear(&state.root, &own)).await?;
    let now = state.now().monotonic_ms;
    state.live().act(&Sid::from(id), Act::Clear, now);
    Ok(Json(json!({"ok": true})).into_response())
}

async fn delete(Extracted(state): Extracted<Shared>, Path(id): Path<String>) -> Answer<Response> {
    delete_one(&state, &id).await?;
    Ok(Json(json!({"ok": true})).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteMany {
    ids: Vec<String>,
}

/// Deletes each session that can be deleted, and says of the others why not.
async fn delete_many(
    Extracted(state): Extracted<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let asked: DeleteMany = json_of(&state, &headers, body).await?;
    if asked.ids.len() > BATCH_MAX {
        let why = format!("{} sessions at once; {BATCH_MAX} is the most", asked.ids.len());
        return Err(Failure::new(StatusCode::BAD_REQUEST, "TOO_MANY", why));
    }
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for id in asked.ids {
        match delete_one(&state, &id).await {
            Ok(()) => deleted.push(id),
            Err(failure) => failed.push(json!({"id": id, "code": failure.code, "message": failure.why})),
        }
    }
    Ok(Json(json!({"deleted": deleted, "failed": failed})).into_response())
}

/// The mark comes first, so that a start that is under way sees it; a file that cannot be removed takes it back.
async fn delete_one(state: &Shared, id: &str) -> Answer<()> {
    let (state, sid) = (Arc::clone(state), Sid::from(id));
    whole(async move {
        state.tombstones(|tombstones, now| tombstones.mark(&sid, now));
        let own = Sid::clone(&sid);
        let result = written(&state, move |state| write::delete(&state.root, &own)).await;
        state.tombstones(|tombstones, _| tombstones.settle(&sid, result.is_ok()));
        result?;
        let now = state.now().monotonic_ms;
        state.live().act(&sid, Act::Remove, now);
        let mut hub = state.hub();
        hub.close_all(&sid, super::hub::Role::Client);
        hub.close_all(&sid, super::hub::Role::Process);
        Ok(())
    })
    .await
}

async fn detail(Extracted(state): Extracted<Shared>, Path(id): Path<String>) -> Answer<Response> {
    let own = id.clone();
    let row = blocking(&state, move |state| row_of(state, &own)).await??;
    let live = state.live().state(&id);
    Ok(Json(json!({"session": row, "live": live})).into_response())
}

fn row_of(state: &State, id: &str) -> Answer<Row> {
    let path = write::find(&state.root, id)?;
    let io = |error: &dyn std::fmt::Display| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "IO", error.to_string())
    };
    let failed =
        |error: &dyn std::fmt::Display| io(&format_args!("failed to read {}: {error}", path.display()));
    let stamp = crate::listing::files::Stamp::now(&path).map_err(|error| failed(&error))?;
    let mut summary = Summariser::new(Read::Streamed).file(&path).map_err(|error| failed(&error))?;
    summary.date_from(&path);
    let project = path.parent().and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy();
    Ok(Places::default().row(&project.into(), &id.into(), stamp, &Arc::new(summary)))
}

#[derive(Deserialize)]
struct MessagesParameters {
    limit: Option<String>,
    cursor: Option<String>,
}

async fn page_of_messages(
    Extracted(state): Extracted<Shared>,
    Path(id): Path<String>,
    FromQuery(asked): FromQuery<MessagesParameters>,
) -> Answer<Response> {
    let limit = number("limit", asked.limit.as_deref(), MESSAGES, 1..=messages::LIMIT_MAX)?;
    let cursor = number("cursor", asked.cursor.as_deref(), 0, 0..=usize::MAX)?;
    let page = blocking(&state, move |state| -> Answer<_> {
        let path = write::find(&state.root, &id)?;
        Ok(messages::page(&path, cursor as u64, limit)?)
    });
    Ok(Json(page.await??).into_response())
}

/// Starts a session: finds where it works. One that is deleted meanwhile is not brought back.
async fn start(Extracted(state): Extracted<Shared>, Path(id): Path<String>) -> Answer<Response> {
    if !is_id(&id) {
        return Err(WriteError::BadId(id.chars().take(64).collect()).into());
    }
    whole(start_one(state, id)).await
}

async fn start_one(state: Shared, id: String) -> Answer<Response> {
    let refuse = |state: &State| {
        if state.tombstones(|tombstones, _| tombstones.has(&id)) {
            let why = format!("the session {id} was deleted");
            return Err(Failure::new(StatusCode::CONFLICT, "SESSION_DELETED", why));
        }
        Ok(())
    };
    refuse(&state)?;
    let sid = Sid::from(&*id);
    let note = |act: Act<'_>| {
        let now = state.now().monotonic_ms;
        state.live().act(&sid, act, now);
    };
    note(Act::Starting(true));
    let own = id.clone();
    let row = blocking(&state, move |state| row_of(state, &own)).await;
    note(Act::Starting(false));
    refuse(&state)?;
    let row = row??;
    note(Act::StartedIn(&row.work_dir));
    Ok(Json(json!({"session": row})).into_response())
}

/// Whether the service can do its work.
async fn health(Extracted(state): Extracted<Shared>) -> Response {
    let is_well = state.lister.is_well();
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ok": is_well}))).into_response()
}

async fn stats(Extracted(state): Extracted<Shared>) -> Response {
    let gauges = state.lister.gauges();
    let containers: std::collections::BTreeMap<_, _> = state.live().containers().into_iter().collect();
    Json(json!({
        "lists": gauges.catalog.lists,
        "bodiesOpened": gauges.catalog.bodies,
        "cached": gauges.catalog.entries,
        "scans": gauges.scans,
        "mostScans": gauges.most_scans,
        "containers": containers,
        "tombstones": state.tombstones(|tombstones, _| tombstones.len()),
        "sockets": state.hub().len(),
        "indexFailure": state.lister.index_failure(),
    }))
    .into_response()
}

/// Does something to its end, also for a client that has gone away in the midst of it.
async fn whole<T: Send + 'static>(work: impl Future<Output = Answer<T>> + Send + 'static) -> Answer<T> {
    let failed = |error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", error);
    tokio::spawn(work).await.map_err(failed)?
}

/// Writes something away from the loop, one thing at a time, and forgets what it makes wrong.
async fn written(
    state: &Shared,
    work: impl FnOnce(&State) -> Result<(), WriteError> + Send + 'static,
) -> Answer<()> {
    let state = Arc::clone(state);
    whole(async move {
        let result = blocking(&state, move |state| {
            let _one = super::state::lock(&state.writes);
            work(state)
        });
        let result = result.await?;
        state.lister.invalidate();
        Ok(result?)
    })
    .await
}

/// Does something away from the loop.
async fn blocking<T: Send + 'static>(
    state: &Shared,
    work: impl FnOnce(&State) -> T + Send + 'static,
) -> Answer<T> {
    let state = Arc::clone(state);
    let work = tokio::task::spawn_blocking(move || work(&state));
    work.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", error))
}

/// The body of a request as JSON: of a bounded size, within a bounded time.
async fn json_of<T: DeserializeOwned>(state: &State, headers: &HeaderMap, body: Body) -> Answer<T> {
    http::json_of(headers, body, BODY_BYTES, state.times.body).await
}
