//! Gemini CLI: one document a session.

use std::path::Path;

use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, document, entries, name, number, preview, text, time, units,
};

pub(crate) fn read(home: &Path, workspace: &Path, out: &mut Output) {
    for path in entries(&workspace.join("chats")) {
        let stem = name(&path).strip_suffix(".json").map(str::to_owned);
        if let Some(stem) = stem.filter(|stem| stem.starts_with("session-")) {
            chat(home, workspace, &path, stem, out);
        }
    }
}

fn chat(home: &Path, workspace: &Path, path: &Path, stem: String, out: &mut Output) {
    let Some(bytes) = out.open(home, path) else { return };
    let Some(document) = document(&bytes).filter(Value::is_object) else {
        out.refuse();
        return;
    };
    let mut session = Session {
        id: text(&document["sessionId"], 128).unwrap_or(stem),
        harness: "Gemini",
        workspace: below(home, workspace),
        name: preview(&name(workspace), 128),
        created: time(&document["startTime"]),
        ..Session::default()
    };
    for message in document["messages"].as_array().into_iter().flatten() {
        let Some(kind) = message["type"].as_str() else {
            out.skip();
            continue;
        };
        if kind == "user" {
            session.requests.push(asked(message));
        } else if let Some(request) = session.requests.last_mut() {
            answered(kind, message, request);
        }
    }
    session.last = match &document["lastUpdated"] {
        last @ (Value::String(_) | Value::Number(_)) => time(last),
        _ => session.requests.last().map_or(session.created, |request| request.timestamp),
    };
    out.session(below(home, path), &session);
}

/// The texts of a message, those that are not empty.
fn texts(message: &Value) -> Vec<String> {
    let content = &message["content"];
    let list = content.as_array().into_iter().flatten();
    let texts = std::iter::once(content).chain(list.flat_map(|item| [item, &item["text"]]));
    texts.filter_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn asked(message: &Value) -> Request {
    let texts = texts(message);
    let whole = texts.join("\n");
    let content = message["content"].as_array();
    let mut request = Request {
        id: text(&message["id"], 128).unwrap_or_default(),
        timestamp: time(&message["timestamp"]),
        preview: preview(&whole, 500),
        message_units: units(&whole),
        images: content
            .map_or(0, |all| all.iter().filter(|one| one["inlineData"].is_object()).count() as i64),
        ..Request::default()
    };
    for text in texts {
        add_code(&mut request.user_code, &text);
    }
    request
}

fn answered(kind: &str, message: &Value, request: &mut Request) {
    match kind {
        "gemini" => {
            request.responses.push(texts(message).join("\n"));
            for call in message["toolCalls"].as_array().into_iter().flatten() {
                if let Some(tool) = call["name"].as_str() {
                    request.call(tool);
                }
            }
            if let Some(model) = text(&message["model"], 128).filter(|model| !model.is_empty()) {
                request.model = model;
            }
            let count = |key: &str| number(&message["tokens"][key]).unwrap_or(0);
            request.prompt = request.prompt.saturating_add(count("input"));
            for key in ["output", "thoughts"] {
                request.completion = request.completion.saturating_add(count(key));
            }
            request.state = request.state.max(1);
        }
        "error" => request.state = 3,
        _ => {}
    }
}
