//! Codex CLI: rollouts, plain and compressed.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, directories, entries, lines, name, number, parse, preview,
    text, time, units,
};

pub(crate) fn read(home: &Path, out: &mut Output) {
    for workspace in workspaces(&home.join(".codex")) {
        out.answer.workspaces += 1;
        for path in entries(&workspace) {
            let name = name(&path);
            let plain = name.strip_suffix(".jsonl").map(|stem| (stem, false));
            let pressed = name.strip_suffix(".jsonl.zst").map(|stem| (stem, true));
            let Some((stem, is_pressed)) = plain.or(pressed).filter(|found| found.0.starts_with("rollout-"))
            else {
                continue;
            };
            // The plain one counts, where both are.
            if is_pressed && workspace.join(format!("{stem}.jsonl")).is_file() {
                continue;
            }
            let Some(bytes) = out.open(home, &path) else { continue };
            let content = if is_pressed { unpressed(&bytes) } else { Some(bytes) };
            let Some(content) = content else {
                out.refuse();
                continue;
            };
            let mut reader = Reader::default();
            for line in lines(&content) {
                reader.line(&line, out);
            }
            let Reader { id, cwd, requests, .. } = reader;
            let session = Session {
                id: preview(&id.unwrap_or(stem.to_owned()), 128),
                harness: "Codex",
                workspace: below(home, &workspace),
                name: cwd.map_or("unknown".to_owned(), |cwd| preview(cwd.rsplit('/').next().unwrap(), 128)),
                created: requests.first().map_or(0, |request| request.timestamp),
                last: requests.last().map_or(0, |request| request.timestamp),
                requests,
            };
            out.session(below(home, &path), &session);
        }
    }
}

/// What the frames hold, if all of them are whole and none asks for a window of more than 8 MiB.
fn unpressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    if bytes.is_empty() {
        return Some(content);
    }
    let mut decoder = zstd::stream::read::Decoder::new(bytes).unwrap();
    decoder.window_log_max(23).unwrap();
    decoder.read_to_end(&mut content).ok()?;
    Some(content)
}

/// In order of their paths as text.
fn workspaces(root: &Path) -> Vec<PathBuf> {
    let is_number = |path: &PathBuf| name(path).bytes().all(|byte| byte.is_ascii_digit());
    let numbered = |path: &PathBuf| directories(path).into_iter().filter(is_number);
    let sessions = root.join("sessions");
    let mut found: Vec<PathBuf> = numbered(&sessions)
        .flat_map(|year| numbered(&year))
        .flat_map(|month| numbered(&month))
        .chain([root.join("archived_sessions"), sessions.clone()])
        .filter(|path| path.is_dir())
        .collect();
    found.sort_by_key(|path| path.to_str().unwrap().replace('\\', "/"));
    found
}

#[derive(Default)]
struct Reader {
    id: Option<String>,
    has_meta: bool,
    cwd: Option<String>,
    model: String,
    turn: String,
    largest: [i64; 2],
    requests: Vec<Request>,
}

impl Reader {
    fn line(&mut self, bytes: &[u8], out: &mut Output) {
        let Some(line) = parse(bytes).filter(Value::is_object) else {
            out.skip();
            return;
        };
        let Some(kind) = line["type"].as_str() else {
            self.id = self.id.take().or(line["id"].as_str().map(str::to_owned));
            return;
        };
        let (kind, item, is_bare) = match &line["payload"] {
            payload @ Value::Object(_) => (kind, payload, false),
            _ => ("response_item", &line, true),
        };

        if kind == "session_meta" && !std::mem::replace(&mut self.has_meta, true) {
            self.id = self.id.take().or(item["id"].as_str().map(str::to_owned));
        }
        if kind == "session_meta" || kind == "turn_context" {
            self.cwd = self.cwd.take().or(item["cwd"].as_str().map(str::to_owned));
        }
        match kind {
            "turn_context" => {
                self.model = text(&item["model"], 128).unwrap_or(std::mem::take(&mut self.model));
                if let Some(open) = self.requests.last_mut().filter(|open| open.model.is_empty()) {
                    open.model.clone_from(&self.model);
                }
                self.turn(item);
            }
            "event_msg" => self.event(&line, item),
            "response_item" => self.item(&line, item, is_bare),
            _ => {}
        }
    }

    fn turn(&mut self, item: &Value) {
        self.turn = text(&item["turn_id"], 128).unwrap_or(std::mem::take(&mut self.turn));
    }

    fn event(&mut self, line: &Value, item: &Value) {
        match item["type"].as_str() {
            Some("task_started" | "turn_started") => self.turn(item),
            Some("user_message") => {
                let count = |name: &str| item[name].as_array().map_or(0, Vec::len) as i64;
                let message = item["message"].as_str().unwrap_or("");
                self.open(line, &[message], count("images") + count("local_images"));
            }
            Some("token_count") if item["info"].is_object() => self.usage(&item["info"]),
            Some("turn_aborted") => self.end(2),
            Some("task_complete" | "turn_complete") => self.end(1),
            _ => {}
        }
    }

    fn item(&mut self, line: &Value, item: &Value, is_bare: bool) {
        let kind = item["type"].as_str().unwrap_or("");
        if let Some(tool) = kind.strip_suffix("_call") {
            if let Some(open) = self.requests.last_mut() {
                open.call(item["name"].as_str().unwrap_or(tool));
            }
            self.end(1);
        }
        if kind != "message" {
            return;
        }
        let parts = item["content"].as_array().map_or(&[][..], Vec::as_slice);
        let of_type = |name: &'static str| parts.iter().filter(move |part| part["type"] == name);
        match item["role"].as_str() {
            Some("user") if is_bare => {
                let texts: Vec<&str> = of_type("input_text")
                    .filter_map(|part| part["text"].as_str())
                    .filter(|text| !text.is_empty())
                    .collect();
                let whole = texts.join("\n");
                if !whole.starts_with('<') && !whole.starts_with("# AGENTS.md") {
                    self.open(line, &texts, of_type("input_image").count() as i64);
                }
            }
            Some("assistant") => {
                for text in of_type("output_text").filter_map(|part| part["text"].as_str()) {
                    if let Some(open) = self.requests.last_mut() {
                        open.responses.push(text.to_owned());
                    }
                    self.end(1);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, line: &Value, texts: &[&str], images: i64) {
        let whole = texts.join("\n");
        let mut request = Request {
            id: self.turn.clone(),
            timestamp: time(&line["timestamp"]),
            model: self.model.clone(),
            preview: preview(&whole, 500),
            message_units: units(&whole),
            images,
            ..Request::default()
        };
        for text in texts {
            add_code(&mut request.user_code, text);
        }
        self.requests.push(request);
    }

    fn end(&mut self, state: i64) {
        if let Some(open) = self.requests.last_mut() {
            open.state = open.state.max(state);
        }
    }

    fn usage(&mut self, info: &Value) {
        let names = ["input_tokens", "output_tokens"];
        let added = if info["total_token_usage"].is_object() {
            let total = names.map(|name| number(&info["total_token_usage"][name]).unwrap_or(0));
            let added = [0, 1].map(|i| (total[i] - self.largest[i]).max(0));
            self.largest = [0, 1].map(|i| self.largest[i].max(total[i]));
            added
        } else {
            names.map(|name| number(&info["last_token_usage"][name]).unwrap_or(0))
        };
        if let Some(open) = self.requests.last_mut() {
            open.prompt = open.prompt.saturating_add(added[0]);
            open.completion = open.completion.saturating_add(added[1]);
        }
    }
}
