//! Codex CLI: one record a line, of which the oldest files have only the inner part.

use super::source::{Input, ReadError, Reader, Skips};
use super::{Hold, Joined, PATH_UNITS, directory_name, keep, name, plus, time};
use crate::json::cut::Caps;
use crate::json::text::preview;
use crate::session::{Head, NAME_UNITS, Request, State};
use crate::tree::{Node, Shape, Text};

/// UTF-16 units of a type whose end is looked at.
const TYPE_UNITS: u32 = 1024;

const CAPS: Caps = Caps {
    by_key: &[
        ("message", 500),
        ("text", 500),
        // What ends in `_call` is told by its end.
        ("type", TYPE_UNITS),
        ("id", 128),
        ("turn_id", 128),
        ("model", 128),
        ("name", 128),
        // Long paths end in the name that is wanted.
        ("cwd", PATH_UNITS),
    ],
    other: 64,
};

const CONTENT: Shape = Shape::Array(&Shape::Object(&[("type", Shape::Scalar), ("text", Shape::Scalar)]));
const USAGE: Shape = Shape::Object(&[("input_tokens", Shape::Scalar), ("output_tokens", Shape::Scalar)]);
const RECORD: Shape = Shape::Object(&[
    ("type", Shape::Scalar),
    ("timestamp", Shape::Scalar),
    // The fields of a bare record.
    ("id", Shape::Scalar),
    ("role", Shape::Scalar),
    ("content", CONTENT),
    ("name", Shape::Scalar),
    (
        "payload",
        Shape::Object(&[
            ("type", Shape::Scalar),
            ("id", Shape::Scalar),
            ("cwd", Shape::Scalar),
            ("model", Shape::Scalar),
            ("turn_id", Shape::Scalar),
            ("message", Shape::Scalar),
            ("images", Shape::CountItems),
            ("local_images", Shape::CountItems),
            ("role", Shape::Scalar),
            ("content", CONTENT),
            ("name", Shape::Scalar),
            ("info", Shape::Object(&[("total_token_usage", USAGE), ("last_token_usage", USAGE)])),
        ]),
    ),
]);

/// Reads a rollout; gives the session and the name of its workspace.
///
/// # Errors
/// When the file cannot be read, or is compressed and damaged; lines that are no objects are skipped and counted.
pub fn rollout(
    reader: &mut Reader,
    input: Input<'_>,
    stem: &str,
    hold: Hold,
    skips: &mut Skips,
) -> Result<(Head, Box<str>, Vec<Request>), ReadError> {
    let mut rollout = Rollout::new(hold);
    let seed = reader.seed(RECORD);
    let read = reader.lines(input, CAPS, seed, skips, |number, record, skips| match record {
        Node::Object(_) => rollout.record(&record),
        _ => skips.line(number, &"not a record"),
    });
    read.map(|()| rollout.finish(stem))
}

/// A session while its records are read.
struct Rollout {
    id: Option<Box<str>>,
    /// A `session_meta` has been read: those after it are of the sessions that this one was forked from.
    has_meta: bool,
    workspace_name: Option<Box<str>>,
    model: Box<str>,
    turn: Box<str>,
    /// Prompt and completion tokens of the whole session, the largest figures so far.
    counted: (u64, u64),
    request: Option<OpenRequest>,
    done: Vec<Request>,
    hold: Hold,
}

#[derive(Default)]
struct OpenRequest {
    request: Request,
    response: Joined,
    cancelled: bool,
    /// It was said to be complete, or something came of it.
    complete: bool,
}

impl Rollout {
    fn new(hold: Hold) -> Rollout {
        Rollout {
            id: None,
            has_meta: false,
            workspace_name: None,
            model: Box::default(),
            turn: Box::default(),
            counted: (0, 0),
            request: None,
            done: Vec::new(),
            hold,
        }
    }

    fn record(&mut self, record: &Node) {
        let Some(kind) = record.str_at("type") else {
            if self.id.is_none() {
                self.id = record.text_at("id").map(|id| name(Some(id)));
            }
            return;
        };
        let payload = record.get("payload").filter(|payload| payload.is_object());
        let Some(item) = payload else {
            return self.item(record, record, true);
        };
        match kind {
            "session_meta" => self.meta(item),
            "turn_context" => self.context(item),
            "event_msg" => self.event(record, item),
            "response_item" => self.item(record, item, false),
            _ => {}
        }
    }

    fn meta(&mut self, item: &Node) {
        if !std::mem::replace(&mut self.has_meta, true) && self.id.is_none() {
            self.id = item.text_at("id").map(|id| name(Some(id)));
        }
        self.name_workspace(item);
    }

    fn context(&mut self, item: &Node) {
        if let Some(model) = item.text_at("model") {
            self.model = name(Some(model));
            if let Some(open) = self.request.as_mut().filter(|open| open.request.model.is_empty()) {
                open.request.model = self.model.clone();
            }
        }
        self.begin_turn(item);
        self.name_workspace(item);
    }

    fn begin_turn(&mut self, item: &Node) {
        if let Some(turn) = item.text_at("turn_id") {
            self.turn = name(Some(turn));
        }
    }

    fn name_workspace(&mut self, item: &Node) {
        if self.workspace_name.is_none() {
            self.workspace_name = item.text_at("cwd").map(directory_name);
        }
    }

    fn event(&mut self, record: &Node, item: &Node) {
        match item.str_at("type").unwrap_or_default() {
            "task_started" | "turn_started" => self.begin_turn(item),
            "user_message" => {
                let images = ["images", "local_images"].iter();
                let images = images.filter_map(|key| item.get(key)).map(Node::count_items).sum();
                self.open(record, item.text_at("message"), images);
            }
            "token_count" => self.usage(item),
            "turn_aborted" => {
                if let Some(open) = &mut self.request {
                    open.cancelled = true;
                }
            }
            "task_complete" | "turn_complete" => {
                if let Some(open) = &mut self.request {
                    open.complete = true;
                }
            }
            _ => {}
        }
    }

    fn item(&mut self, record: &Node, item: &Node, is_bare: bool) {
        let kind = preview(item.str_at("type").unwrap_or_default(), TYPE_UNITS as usize);
        match (kind, item.str_at("role")) {
            ("message", Some("user")) if is_bare => self.prompt(record, item),
            ("message", Some("assistant")) => {
                let hold_units = self.hold.response_units;
                let Some(open) = &mut self.request else { return };
                for text in texts(item, "output_text") {
                    open.complete = true;
                    open.response.add(text, hold_units);
                }
            }
            _ => {
                if let (Some(kind), Some(open)) = (kind.strip_suffix("_call"), &mut self.request) {
                    open.complete = true;
                    open.request.tools.count(item.str_at("name").unwrap_or(kind));
                }
            }
        }
    }

    /// What stands as a user's message in files without events: it opens a request, unless the tool wrote it.
    fn prompt(&mut self, record: &Node, item: &Node) {
        let texts = texts(item, "input_text").filter(|text| !text.is_empty());
        let mut texts = texts.peekable();
        if texts
            .peek()
            .is_some_and(|first| first.text.starts_with('<') || first.text.starts_with("# AGENTS.md"))
        {
            return;
        }
        let images = item.items_at("content").iter();
        let images = images.filter(|part| part.str_at("type") == Some("input_image")).count() as u64;
        self.open(record, texts, images);
    }

    fn open<'a>(&mut self, record: &Node, texts: impl IntoIterator<Item = Text<'a>>, images: u64) {
        self.close();
        let mut message = Joined::default();
        texts.into_iter().for_each(|text| message.add(text, self.hold.message_units));
        let request = Request {
            id: self.turn.clone(),
            timestamp: time(record.get("timestamp")),
            model: self.model.clone(),
            message_units: message.units(),
            message: preview(&message.held, self.hold.message_units).to_owned(),
            user_code: message.measure.code,
            images,
            ..Request::default()
        };
        self.request = Some(OpenRequest { request, ..OpenRequest::default() });
    }

    fn usage(&mut self, item: &Node) {
        let Some(info) = item.get("info").filter(|info| info.is_object()) else { return };
        let of = |usage: &Node| (usage.count_at("input_tokens"), usage.count_at("output_tokens"));
        let (prompt, completion) = match info.get("total_token_usage").filter(|usage| usage.is_object()) {
            Some(total) => {
                let total = of(total);
                let counted = self.counted;
                self.counted = (counted.0.max(total.0), counted.1.max(total.1));
                (self.counted.0 - counted.0, self.counted.1 - counted.1)
            }
            None => info.get("last_token_usage").map_or((0, 0), of),
        };
        if let Some(open) = &mut self.request {
            open.request.prompt_tokens = plus(open.request.prompt_tokens, prompt);
            open.request.completion_tokens = plus(open.request.completion_tokens, completion);
        }
    }

    fn close(&mut self) {
        let Some(OpenRequest { mut request, response, cancelled, complete }) = self.request.take() else {
            return;
        };
        request.response_units = response.units();
        request.ai_code = response.measure.code;
        request.response = response.held;
        request.state = match (cancelled, complete) {
            (true, _) => State::Cancelled,
            (_, true) => State::Complete,
            _ => State::Pending,
        };
        keep(&mut self.done, request);
    }

    fn finish(mut self, stem: &str) -> (Head, Box<str>, Vec<Request>) {
        self.close();
        let time = |request: Option<&Request>| request.map_or(0, |request| request.timestamp);
        let head = Head {
            id: self.id.unwrap_or_else(|| preview(stem, NAME_UNITS).into()),
            created: time(self.done.first()),
            last: time(self.done.last()),
            ..Head::default()
        };
        (head, self.workspace_name.unwrap_or_else(|| "unknown".into()), self.done)
    }
}

/// The texts of an item's parts of one type.
fn texts<'a>(item: &'a Node, kind: &'a str) -> impl Iterator<Item = Text<'a>> {
    let parts = item.items_at("content").iter().filter(move |part| part.str_at("type") == Some(kind));
    parts.filter_map(|part| part.text_at("text"))
}
