//! OpenCode and Kilo: a tree of files, or a database.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, entries, name, number, parse, preview, text, time, units,
};

/// The JSON texts of messages, by id, each with those of its parts.
type Messages = Vec<(String, Vec<u8>, Vec<Vec<u8>>)>;

/// Reads the sessions of a project's directory.
pub(crate) fn tree(home: &Path, workspace: &Path, out: &mut Output) {
    let storage = workspace.parent().unwrap().parent().unwrap();
    for path in entries(workspace) {
        let Some(id) = stem(&path) else { continue };
        let info = parse(&fs::read(&path).unwrap()).unwrap();
        let mut session = Session {
            id: id.clone(),
            harness: "OpenCode",
            workspace: below(home, workspace),
            name: title(info["directory"].as_str()),
            created: time(&info["time"]["created"]),
            last: time(&info["time"]["updated"]),
            ..Session::default()
        };
        let messages = files(&storage.join("message").join(id)).into_iter().map(|(id, text)| {
            let parts = files(&storage.join("part").join(&id)).into_iter().map(|part| part.1).collect();
            (id, text, parts)
        });
        session.requests = requests(messages.collect(), out);
        out.session(below(home, &path), &session);
    }
}

/// Reads the sessions of a database.
pub(crate) fn database(home: &Path, path: &Path, harness: &'static str, out: &mut Output) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let mut sessions = connection
        .prepare("select id, directory, time_created, time_updated from session order by id")
        .unwrap();
    let rows = sessions.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
    });
    let texts = |table: &str, of: &str, id: &str| -> Vec<(String, Vec<u8>)> {
        let sql = format!("select id, data from {table} where {of} = ?1 order by id");
        let mut statement = connection.prepare_cached(&sql).unwrap();
        let rows = statement
            .query_map([id], |row| Ok((row.get(0)?, row.get_ref(1)?.as_bytes().unwrap().to_vec())))
            .unwrap();
        rows.map(Result::unwrap).collect()
    };
    for row in rows.unwrap() {
        let (id, directory, created, last) = row.unwrap();
        let messages = texts("message", "session_id", &id).into_iter().map(|(id, text)| {
            let parts = texts("part", "message_id", &id).into_iter().map(|part| part.1).collect();
            (id, text, parts)
        });
        let (workspace, name) = (below(home, path), title(Some(&directory)));
        let requests = requests(messages.collect(), out);
        let session = Session { id, harness, workspace, name, created, last, requests };
        out.session(below(home, path), &session);
    }
}

fn title(directory: Option<&str>) -> String {
    directory.map_or("unknown".to_owned(), |path| preview(path.rsplit('/').next().unwrap(), 128))
}

fn stem(path: &Path) -> Option<String> {
    name(path).strip_suffix(".json").filter(|_| path.is_file()).map(str::to_owned)
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let paths = entries(folder).into_iter();
    paths.filter_map(|path| Some((stem(&path)?, fs::read(&path).unwrap()))).collect()
}

/// The JSON object of a text; what is none is counted.
fn object(text: &[u8], out: &mut Output) -> Option<Value> {
    let value = parse(text).filter(Value::is_object);
    if value.is_none() {
        out.skip();
    }
    value
}

fn requests(messages: Messages, out: &mut Output) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for (id, text, parts) in messages {
        let Some(message) = object(&text, out) else { continue };
        let parts: Vec<Value> = parts.iter().filter_map(|part| object(part, out)).collect();
        match (message["role"].as_str(), requests.last_mut()) {
            (Some("user"), _) => requests.push(asked(&id, &message, &parts)),
            (Some("assistant"), Some(request)) => answered(&message, &parts, request),
            _ => {}
        }
    }
    requests
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
    request.prompt += [&tokens["input"], &tokens["cache"]["read"], &tokens["cache"]["write"]]
        .map(count)
        .iter()
        .sum::<i64>();
    request.completion += count(&tokens["output"]) + count(&tokens["reasoning"]);
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
