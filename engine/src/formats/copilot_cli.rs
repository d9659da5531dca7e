//! Copilot CLI: an event stream a session.

use super::source::{Input, ReadError, Reader, Skips};
use super::{Hold, Joined, keep, last_component, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{Head, NAME_UNITS, Request, State};
use crate::tree::{Node, Shape};

const CAPS: Caps = Caps {
    by_key: &[
        ("content", 500),
        ("id", 128),
        ("sessionId", 128),
        ("selectedModel", 128),
        ("newModel", 128),
        ("model", 128),
        ("toolName", 128),
    ],
    other: 64,
};

const EVENT: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("id", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    (
        "data",
        Shape::Object(&[
            ("sessionId", Shape::Scalar),
            ("selectedModel", Shape::Scalar),
            ("newModel", Shape::Scalar),
            ("model", Shape::Scalar),
            ("content", Shape::Scalar),
            ("attachments", Shape::Array(&Shape::Object(&[("type", Shape::Scalar)]))),
            ("outputTokens", Shape::Scalar),
            ("toolName", Shape::Scalar),
            ("modelMetrics", Shape::All),
        ]),
    ),
]);

/// Reads `events.jsonl`.
///
/// # Errors
/// When the file cannot be read; lines that are no events are skipped and counted.
pub fn events(
    reader: &mut Reader,
    input: Input<'_>,
    directory: &str,
    hold: Hold,
    skips: &mut Skips,
) -> Result<(Head, Vec<Request>), ReadError> {
    let mut session =
        Open { id: directory.into(), model: Box::default(), request: None, done: Vec::new(), hold };
    let seed = reader.seed(EVENT);
    reader.lines(input, CAPS, seed, skips, |number, event, skips| match event.str_at("type") {
        Some(kind) => session.event(kind, &event),
        None => skips.line(number, &"not an event"),
    })?;
    session.flush();
    let time = |request: Option<&Request>| request.map_or(0, |request| request.timestamp);
    let head = Head {
        id: session.id,
        created: time(session.done.first()),
        last: time(session.done.last()),
        ..Head::default()
    };
    Ok((head, session.done))
}

/// The name of the workspace that a `workspace.yaml` describes.
pub fn workspace_name(yaml: &str) -> Option<Box<str>> {
    let path = yaml.lines().find_map(|line| line.strip_prefix("cwd:"))?.trim().trim_matches(['"', '\'']);
    Some(preview(last_component(path), NAME_UNITS).into())
}

/// A session while its events are read.
struct Open {
    id: Box<str>,
    model: Box<str>,
    request: Option<OpenRequest>,
    done: Vec<Request>,
    hold: Hold,
}

#[derive(Default)]
struct OpenRequest {
    request: Request,
    response: Joined,
    aborted: bool,
}

impl Open {
    fn event(&mut self, kind: &str, event: &Node) {
        let data = event.get("data").unwrap_or(&Node::Null);
        match kind {
            "session.start" => {
                if let Some(id) = data.text_at("sessionId") {
                    self.id = name(Some(id));
                }
                self.set_model(data, "selectedModel");
            }
            "session.model_change" => self.set_model(data, "newModel"),
            "user.message" => self.open(event, data),
            _ => self.extend(kind, data),
        }
    }

    fn set_model(&mut self, data: &Node, key: &str) {
        if let Some(model) = data.text_at(key) {
            self.model = name(Some(model));
        }
    }

    fn open(&mut self, event: &Node, data: &Node) {
        self.flush();
        let mut request = Request {
            id: name(event.text_at("id")),
            timestamp: time(event.get("timestamp")),
            model: self.model.clone(),
            images: data
                .items_at("attachments")
                .iter()
                .filter(|item| item.str_at("type") == Some("image"))
                .count() as u64,
            ..Request::default()
        };
        if let Some(message) = data.text_at("content") {
            let measure = message.measure();
            request.message = preview(message.text, self.hold.message_units).to_owned();
            request.message_units = measure.units;
            request.user_code = measure.code.clone();
        }
        self.request = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn extend(&mut self, kind: &str, data: &Node) {
        let Some(open) = &mut self.request else {
            return;
        };
        match kind {
            "assistant.message" => {
                if let Some(text) = data.text_at("content") {
                    open.response.add(text, self.hold.response_units);
                }
                open.request.completion_tokens =
                    plus(open.request.completion_tokens, data.count_at("outputTokens"));
            }
            "tool.execution_start" => {
                if let Some(tool) = data.text_at("toolName") {
                    open.request.tools.count(tool.text);
                }
            }
            "tool.execution_complete" => {
                if let Some(model) = data.text_at("model").filter(|model| !model.is_empty()) {
                    open.request.model = name(Some(model));
                }
            }
            "abort" => open.aborted = true,
            "session.shutdown" => {
                if let Some(Node::Object(models)) = data.get("modelMetrics") {
                    open.request.prompt_tokens = models
                        .iter()
                        .filter_map(|(_, model)| Some(model.get("usage")?.count_at("inputTokens")))
                        .fold(open.request.prompt_tokens, plus);
                }
            }
            _ => {}
        }
    }

    /// Delivers the open request, if anything came of it.
    fn flush(&mut self) {
        let Some(OpenRequest { mut request, response, aborted }) = self.request.take() else {
            return;
        };
        if response.texts == 0 && request.tools.is_empty() && !aborted {
            return;
        }
        request.response_units = response.units();
        request.ai_code = response.measure.code;
        request.response = response.held;
        request.state = if aborted { State::Cancelled } else { State::Complete };
        keep(&mut self.done, request);
    }
}
