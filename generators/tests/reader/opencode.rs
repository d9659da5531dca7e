//! OpenCode and Kilo: a tree of files, or a database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, document, entries, name, number, preview, text, time, units,
};

/// Reads the sessions of a project's directory.
pub(crate) fn tree(home: &Path, workspace: &Path, out: &mut Output) {
    let storage = workspace.parent().unwrap().parent().unwrap();
    for path in entries(workspace) {
        let Some(id) = stem(&path) else { continue };
        let Some(bytes) = out.open(home, &path) else { continue };
        let Some(info) = document(&bytes).filter(Value::is_object) else {
            out.refuse();
            continue;
        };
        let mut session = Session {
            id: preview(&id, 128),
            harness: "OpenCode",
            workspace: below(home, workspace),
            name: title(info["directory"].as_str()),
            created: time(&info["time"]["created"]),
            last: time(&info["time"]["updated"]),
            ..Session::default()
        };
        for (id, path) in files(&storage.join("message").join(&id)) {
            let Some(message) = record(home, &path, out) else { continue };
            let parts = files(&storage.join("part").join(&id));
            let parts: Vec<Value> = parts.values().filter_map(|path| record(home, path, out)).collect();
            said(&id, &message, &parts, &mut session.requests);
        }
        out.session(below(home, &path), &session);
    }
}

/// Reads the sessions of a database, but those that cannot be read to their end.
pub(crate) fn database(home: &Path, path: &Path, harness: &'static str, out: &mut Output) {
    out.open(home, path).unwrap();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let sql = "select id, directory, time_created, time_updated from session order by id";
    let mut sessions = connection.prepare(sql).unwrap();
    let rows = sessions.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, [row.get::<_, Sql>(2)?, row.get(3)?]))
    });
    let mut is_refused = false;
    for row in rows.unwrap() {
        let (id, directory, times) = row.unwrap();
        let [created, last] = times.map(|time| match time {
            Sql::Integer(time) => time,
            Sql::Text(text) => time_of(&text),
            Sql::Real(time) => time as i64,
            _ => 0,
        });
        let Ok(requests) = conversation(&connection, &id, out) else {
            is_refused = true;
            continue;
        };
        let directory = match directory {
            Sql::Text(directory) => Some(directory),
            _ => None,
        };
        let (workspace, name) = (below(home, path), title(directory.as_deref()));
        let session = Session { id: preview(&id, 128), harness, workspace, name, created, last, requests };
        out.session(below(home, path), &session);
    }
    if is_refused {
        out.refuse();
    }
}

fn time_of(text: &str) -> i64 {
    time(&Value::String(text.to_owned()))
}

/// The requests of a session in a database.
fn conversation(
    connection: &rusqlite::Connection,
    session: &str,
    out: &mut Output,
) -> rusqlite::Result<Vec<Request>> {
    let mut requests = Vec::new();
    for (id, text) in
        rows(connection, "select id, data from message where session_id = ?1 order by id", session)?
    {
        let Some(message) = object(text.as_deref(), out) else { continue };
        let parts = rows(connection, "select id, data from part where message_id = ?1 order by id", &id)?;
        let parts: Vec<Value> = parts.iter().filter_map(|(_, text)| object(text.as_deref(), out)).collect();
        said(&id, &message, &parts, &mut requests);
    }
    Ok(requests)
}

/// Ids and texts; a value that is no text has none.
fn rows(
    connection: &rusqlite::Connection,
    sql: &str,
    of: &str,
) -> rusqlite::Result<Vec<(String, Option<Vec<u8>>)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([of], |row| {
        let text = row.get_ref(1)?;
        Ok((row.get(0)?, text.as_bytes().ok().map(<[u8]>::to_vec)))
    })?;
    rows.collect()
}

fn title(directory: Option<&str>) -> String {
    directory.map_or("unknown".to_owned(), |path| preview(path.rsplit('/').next().unwrap(), 128))
}

fn stem(path: &Path) -> Option<String> {
    name(path).strip_suffix(".json").map(str::to_owned)
}

/// The records in a folder with their ids, by those.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    entries(folder).into_iter().filter_map(|path| Some((stem(&path)?, path))).collect()
}

/// The JSON object of a file; what is none is counted.
fn record(home: &Path, path: &Path, out: &mut Output) -> Option<Value> {
    let bytes = out.open(home, path)?;
    object(Some(&bytes), out)
}

/// The JSON object of a text; what is none is counted.
fn object(text: Option<&[u8]>, out: &mut Output) -> Option<Value> {
    let value = text.and_then(document).filter(Value::is_object);
    if value.is_none() {
        out.skip();
    }
    value
}

fn said(id: &str, message: &Value, parts: &[Value], requests: &mut Vec<Request>) {
    match (message["role"].as_str(), requests.last_mut()) {
        (Some("user"), _) => requests.push(asked(id, message, parts)),
        (Some("assistant"), Some(request)) => answered(message, parts, request),
        _ => {}
    }
}

fn asked(id: &str, message: &Value, parts: &[Value]) -> Request {
    let texts: Vec<&str> = parts
        .iter()
        .filter(|part| part["type"] == "text" && part["synthetic"] != true && part["ignored"] != true)
        .filter_map(|part| part["text"].as_str())
        .filter(|text| !text.is_empty())
        .collect();
    let is_image = |part: &&Value| {
        part["type"] == "file" && part["mime"].as_str().is_some_and(|mime| mime.starts_with("image/"))
    };
    let diffs = message["summary"]["diffs"].as_array();
    let whole = texts.join("\n");
    let mut request = Request {
        id: preview(id, 128),
        timestamp: time(&message["time"]["created"]),
        preview: preview(&whole, 500),
        message_units: units(&whole),
        images: parts.iter().filter(is_image).count() as i64,
        edited: diffs.map_or(0, |diffs| diffs.iter().filter(|diff| diff.is_object()).count() as i64),
        ..Request::default()
    };
    for text in texts {
        add_code(&mut request.user_code, text);
    }
    request
}

fn answered(message: &Value, parts: &[Value], request: &mut Request) {
    for part in parts {
        match part["type"].as_str() {
            Some("text") => request.responses.extend(part["text"].as_str().map(str::to_owned)),
            Some("tool") => {
                let Some(tool) = part["tool"].as_str() else { continue };
                request.call(tool);
                let command = text(&part["state"]["input"]["command"], 200);
                request.commands.extend(command.filter(|_| tool == "bash"));
            }
            _ => {}
        }
    }
    if let Some(model) = text(&message["modelID"], 128).filter(|model| !model.is_empty()) {
        request.model = model;
    }
    let count = |value: &Value| number(value).unwrap_or(0);
    let tokens = &message["tokens"];
    let sum = |before: i64, more: &[&Value]| {
        more.iter().fold(before, |sum: i64, value| sum.saturating_add(count(value)))
    };
    let cache = &tokens["cache"];
    request.prompt = sum(request.prompt, &[&tokens["input"], &cache["read"], &cache["write"]]);
    request.completion = sum(request.completion, &[&tokens["output"], &tokens["reasoning"]]);
    let state = match &message["error"] {
        Value::Object(error) if error.get("name").is_some_and(|name| name == "MessageAbortedError") => 2,
        Value::Object(_) => 3,
        _ => 1,
    };
    // Cancelled outweighs errored, which outweighs complete.
    let rank = |state: i64| [0, 1, 3, 2][state as usize];
    if rank(state) > rank(request.state) {
        request.state = state;
    }
}
