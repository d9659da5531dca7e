//! VS Code: documents and append logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    Output, Request, Session, add_code, below, directories, document, entries, integer_of, lines, name,
    number, parse, preview, text, units,
};

pub(crate) fn read(home: &Path, workspace: &Path, harness: &'static str, out: &mut Output) {
    let key = below(home, workspace);
    let title = title(workspace);
    for path in entries(&workspace.join("chatSessions")) {
        let file = name(&path);
        let (stem, is_log) = match (file.strip_suffix(".jsonl"), file.strip_suffix(".json")) {
            (Some(stem), _) => (stem, true),
            (_, Some(stem)) if !path.with_file_name(format!("{stem}.jsonl")).is_file() => (stem, false),
            _ => continue,
        };
        let Some(bytes) = out.open(home, &path) else { continue };
        let state = if is_log { Some(replay(&bytes, out)) } else { document(&bytes) };
        let Some(state) = state else {
            out.refuse();
            continue;
        };
        let mut session = session(&state, stem);
        session.harness = harness;
        session.workspace.clone_from(&key);
        session.name.clone_from(&title);
        out.session(below(home, &path), &session);
    }
    for directory in directories(&workspace.join("chatEditingSessions")) {
        let path = directory.join("state.json");
        if !path.exists() {
            continue;
        }
        match out.open(home, &path).map(|bytes| document(&bytes)) {
            Some(Some(state)) => out.edits(&key, &name(&directory), &edits(&state)),
            Some(None) => out.refuse(),
            None => {}
        }
    }
}

fn title(workspace: &Path) -> String {
    let Ok(bytes) = fs::read(workspace.join("workspace.json")) else {
        return "unknown".to_owned();
    };
    let value = document(&bytes).unwrap_or_default();
    let Some(uri) = value["folder"].as_str().or(value["workspace"].as_str()) else {
        return "unknown".to_owned();
    };
    let component = uri.rsplit('/').next().unwrap();
    let mut bytes = Vec::new();
    let mut rest = component.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (b'%', Some(escaped)) = (byte, escaped) {
            bytes.push(escaped);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    preview(&String::from_utf8_lossy(&bytes), 128)
}

fn replay(bytes: &[u8], out: &mut Output) -> Value {
    let mut state = json!({});
    for line in lines(bytes) {
        let applied = parse(&line).and_then(|operation| apply(&mut state, &operation));
        if applied.is_none() {
            out.skip();
        }
    }
    state
}

fn apply(state: &mut Value, operation: &Value) -> Option<()> {
    let kind = operation["kind"].as_i64()?;
    if kind == 0 {
        *state = operation.get("v")?.clone();
        return Some(());
    }
    let path = operation["k"].as_array().filter(|path| (1..=1024).contains(&path.len()))?;
    if path.iter().any(|key| ["__proto__", "constructor", "prototype"].map(Some).contains(&key.as_str())) {
        return None;
    }
    let items = operation.get("v").is_none_or(|items| items.is_array() || items.is_null());
    let keep = operation.get("i").is_none_or(|keep| integer_of(keep).is_some_and(|keep| keep >= 0));
    if !fits(state, path, kind) || kind == 2 && !(items && keep) {
        return None;
    }
    if state.is_null() {
        *state = json!({});
    }
    change(state, path, kind, operation)
}

/// Whether a path can be followed: an operation that cannot be applied changes nothing.
fn fits(at: &Value, path: &[Value], kind: i64) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return kind != 2 || at.is_array() || at.is_null();
    };
    let next = match (at, key) {
        (Value::Object(map), Value::String(key)) => map.get(key),
        (Value::Array(items), Value::Number(index)) => {
            let index = index.as_u64().unwrap_or(u64::MAX) as usize;
            if index > items.len() && kind != 3 {
                return false;
            }
            items.get(index)
        }
        (Value::Null, Value::String(_)) => None,
        (Value::Null, Value::Number(index)) if index.as_u64() == Some(0) => None,
        _ => return false,
    };
    fits(next.unwrap_or(&Value::Null), rest, kind)
}

fn change(mut at: &mut Value, path: &[Value], kind: i64, operation: &Value) -> Option<()> {
    for (i, key) in path.iter().enumerate() {
        if i + 1 == path.len() && kind == 3 {
            return delete(at, key);
        }
        let array_next = path.get(i + 1).map_or(kind == 2, Value::is_u64);
        at = step(at, key)?;
        let leaf = i + 1 == path.len();
        if at.is_null() && (!leaf || kind == 2) {
            *at = if array_next { json!([]) } else { json!({}) };
        }
    }
    match kind {
        1 => *at = operation.get("v")?.clone(),
        2 => {
            let items = at.as_array_mut()?;
            if let Some(keep) = operation["i"].as_u64() {
                items.truncate(keep as usize);
            }
            items.extend(operation["v"].as_array().cloned().unwrap_or_default());
        }
        _ => return None,
    }
    Some(())
}

fn step<'a>(at: &'a mut Value, key: &Value) -> Option<&'a mut Value> {
    match (at, key) {
        (Value::Object(map), Value::String(key)) => Some(map.entry(key.clone()).or_insert(Value::Null)),
        (Value::Array(items), Value::Number(index)) => {
            let index = index.as_u64()? as usize;
            if index == items.len() {
                items.push(Value::Null);
            }
            items.get_mut(index)
        }
        _ => None,
    }
}

fn delete(at: &mut Value, key: &Value) -> Option<()> {
    match (at, key) {
        (Value::Object(map), Value::String(key)) => drop(map.remove(key)),
        (Value::Array(items), Value::Number(index)) => {
            if let Some(item) = items.get_mut(index.as_u64()? as usize) {
                *item = Value::Null;
            }
        }
        _ => return None,
    }
    Some(())
}

fn session(state: &Value, stem: &str) -> Session {
    let requests: Vec<Request> = state["requests"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(request)
        .collect();
    let created = integer_of(&state["creationDate"]).unwrap_or(0);
    let last = integer_of(&state["lastMessageDate"])
        .or(requests.last().map(|request| request.timestamp))
        .unwrap_or(created);
    let id = text(&state["sessionId"], 128).unwrap_or_else(|| preview(stem, 128));
    Session { id, created, last, requests, ..Session::default() }
}

fn request(fields: &Map<String, Value>) -> Request {
    let fields = Value::Object(fields.clone());
    let message = fields["message"].as_str().or(fields["message"]["text"].as_str()).unwrap_or("");
    let metadata = &fields["result"]["metadata"];
    let parts: &[Value] = fields["response"].as_array().map_or(&[], Vec::as_slice);
    let mut request = Request {
        id: text(&fields["requestId"], 128).unwrap_or_default(),
        timestamp: integer_of(&fields["timestamp"]).unwrap_or(0),
        preview: preview(message, 500),
        message_units: units(message),
        model: text(&fields["modelId"], 128).unwrap_or_default(),
        state: state(&fields),
        prompt: number(&metadata["promptTokens"]).or(number(&fields["promptTokens"])).unwrap_or(0),
        completion: number(&fields["completionTokens"]).or(number(&metadata["outputTokens"])).unwrap_or(0),
        edited: fields["editedFileEvents"]
            .as_array()
            .map_or(0, |events| events.iter().filter(|e| e.is_object()).count() as i64),
        ..Request::default()
    };
    add_code(&mut request.user_code, message);
    request.responses.extend(fields["response"].as_str().map(str::to_owned));
    for part in parts {
        let value = part["value"].as_str().or(part["value"]["value"].as_str());
        request.responses.extend(value.map(str::to_owned));
        if part["resultDetails"]["output"]["mimeType"].as_str().is_some_and(|kind| kind.starts_with("image/"))
        {
            request.images += 1;
        }
        let data = &part["toolSpecificData"];
        if part["kind"] == "toolInvocationSerialized" && data["kind"] == "terminal" {
            let lines = [
                &data["commandLine"]["original"],
                &data["commandLine"],
                &data["confirmation"]["commandLine"],
            ];
            request.commands.extend(lines.into_iter().find_map(|line| text(line, 200)));
        }
    }
    for variable in fields["variableData"]["variables"].as_array().into_iter().flatten() {
        request.images += i64::from(variable["kind"] == "image");
    }
    for round in metadata["toolCallRounds"].as_array().into_iter().flatten() {
        for call in round["toolCalls"].as_array().into_iter().flatten() {
            if let Some(tool) = call["name"].as_str() {
                request.call(tool);
            }
        }
    }
    request
}

fn state(fields: &Value) -> i64 {
    if fields["isCanceled"] == true {
        2
    } else if fields["result"]["errorDetails"].is_object() {
        3
    } else if fields["result"].as_object().is_none_or(Map::is_empty) {
        0
    } else {
        1
    }
}

fn edits(state: &Value) -> BTreeMap<(String, String), i64> {
    let mut edits = BTreeMap::new();
    for operation in state["timeline"]["operations"].as_array().into_iter().flatten() {
        let (request, uri) = (&operation["requestId"], &operation["uri"]["external"]);
        if let ("textEdit", Some(request), Some(uri)) =
            (operation["type"].as_str().unwrap_or(""), text(request, 128), text(uri, 500))
        {
            let texts =
                operation["edits"].as_array().into_iter().flatten().filter_map(|edit| edit["text"].as_str());
            *edits.entry((request, uri)).or_default() +=
                texts.map(|text| text.matches('\n').count() as i64).sum::<i64>();
        }
    }
    edits
}
