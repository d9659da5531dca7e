//! Copilot CLI: event streams.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, lines, name, number, parse, preview, text, time, units,
};

pub(crate) fn read(home: &Path, workspace: &Path, out: &mut Output) {
    let path = workspace.join("events.jsonl");
    let mut session = Session {
        id: name(workspace),
        harness: "GitHub Copilot CLI",
        workspace: below(home, workspace),
        name: title(workspace),
        ..Session::default()
    };
    let mut model = String::new();
    let mut open: Option<(Request, bool)> = None;
    if !path.exists() && !path.is_symlink() {
        return;
    }
    for line in lines(&out.open(home, &path).unwrap_or_default()) {
        let Some(event) = parse(&line).filter(|event| event["type"].is_string()) else {
            out.skip();
            continue;
        };
        let data = &event["data"];
        match event["type"].as_str().unwrap() {
            "session.start" => {
                session.id = text(&data["sessionId"], 128).unwrap_or(session.id);
                model = text(&data["selectedModel"], 128).unwrap_or(model);
            }
            "session.model_change" => model = text(&data["newModel"], 128).unwrap_or(model),
            "user.message" => {
                flush(&mut session, open.take());
                open = Some((asked(&event, &model), false));
            }
            kind => {
                if let Some((request, aborted)) = &mut open {
                    answered(kind, data, request, aborted);
                }
            }
        }
    }
    flush(&mut session, open);
    session.created = session.requests.first().map_or(0, |request| request.timestamp);
    session.last = session.requests.last().map_or(0, |request| request.timestamp);
    out.session(below(home, &path), &session);
}

fn asked(event: &Value, model: &str) -> Request {
    let content = event["data"]["content"].as_str().unwrap_or("");
    let attachments = event["data"]["attachments"].as_array();
    let mut request = Request {
        id: text(&event["id"], 128).unwrap_or_default(),
        timestamp: time(&event["timestamp"]),
        preview: preview(content, 500),
        message_units: units(content),
        model: model.to_owned(),
        images: attachments.map_or(0, |all| all.iter().filter(|one| one["type"] == "image").count() as i64),
        ..Request::default()
    };
    add_code(&mut request.user_code, content);
    request
}

fn answered(kind: &str, data: &Value, request: &mut Request, aborted: &mut bool) {
    match kind {
        "assistant.message" => {
            request.responses.extend(data["content"].as_str().map(str::to_owned));
            let tokens = number(&data["outputTokens"]).unwrap_or(0);
            request.completion = request.completion.saturating_add(tokens);
        }
        "tool.execution_start" => {
            if let Some(tool) = data["toolName"].as_str() {
                request.call(tool);
            }
        }
        "tool.execution_complete" => {
            if let Some(model) = text(&data["model"], 128).filter(|model| !model.is_empty()) {
                request.model = model;
            }
        }
        "abort" => *aborted = true,
        "session.shutdown" => {
            for metrics in data["modelMetrics"].as_object().into_iter().flatten() {
                let tokens = number(&metrics.1["usage"]["inputTokens"]).unwrap_or(0);
                request.prompt = request.prompt.saturating_add(tokens);
            }
        }
        _ => {}
    }
}

fn flush(session: &mut Session, open: Option<(Request, bool)>) {
    let Some((mut request, aborted)) = open else {
        return;
    };
    request.state = if aborted { 2 } else { 1 };
    if aborted || !request.tools.is_empty() || request.responses.iter().any(|text| !text.is_empty()) {
        session.requests.push(request);
    }
}

fn title(workspace: &Path) -> String {
    let yaml = fs::read_to_string(workspace.join("workspace.yaml")).unwrap_or_default();
    let cwd = yaml.lines().find_map(|line| line.strip_prefix("cwd: "));
    cwd.map_or("unknown".to_owned(), |cwd| preview(cwd.rsplit('/').next().unwrap(), 128))
}
