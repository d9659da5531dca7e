//! Claude Code: main files and subagents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    Output, Request, Session, add_code, below, directories, entries, lines, name, number, parse, preview,
    text, time, units,
};

pub(crate) fn read(home: &Path, project: &Path, out: &mut Output) {
    let mut stems = BTreeSet::new();
    for path in entries(project) {
        if let Some(stem) = name(&path).strip_suffix(".jsonl") {
            stems.insert(stem.to_owned());
        } else if path.is_dir() && !subagents(&path.join("subagents")).is_empty() {
            stems.insert(name(&path));
        }
    }
    for stem in stems {
        let main =
            Some(project.join(format!("{stem}.jsonl"))).filter(|path| path.is_symlink() || path.exists());
        let directory = project.join(&stem);
        let mut reader = Reader::default();
        for (i, path) in main.iter().cloned().chain(subagents(&directory.join("subagents"))).enumerate() {
            reader.open = None;
            reader.file(home, &path, i == 0 && main.is_some(), out);
        }
        let cwd = reader.cwd.as_deref().unwrap_or(project.to_str().unwrap());
        let mut session = Session {
            id: reader.id.map_or(preview(&stem, 128), |id| preview(&id, 128)),
            harness: "Claude",
            workspace: below(home, project),
            name: preview(cwd.rsplit('/').next().unwrap(), 128),
            requests: reader.requests,
            ..Session::default()
        };
        session.created = session.requests.first().map_or(0, |request| request.timestamp);
        session.last = session.requests.last().map_or(0, |request| request.timestamp);
        out.session(below(home, &main.unwrap_or(directory)), &session);
    }
}

fn subagents(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = entries(directory)
        .into_iter()
        .filter(|path| !path.is_dir() && name(path).starts_with("agent-") && name(path).ends_with(".jsonl"))
        .collect();
    found.extend(
        directories(directory).iter().filter(|inner| !inner.is_symlink()).flat_map(|inner| subagents(inner)),
    );
    found.sort_by(|a, b| a.components().cmp(b.components()));
    found
}

#[derive(Default)]
struct Reader {
    id: Option<String>,
    cwd: Option<String>,
    requests: Vec<Request>,
    open: Option<usize>,
    opened: BTreeSet<String>,
    usage: BTreeMap<(String, String), [i64; 2]>,
}

impl Reader {
    fn file(&mut self, home: &Path, path: &Path, main: bool, out: &mut Output) {
        for bytes in lines(&out.open(home, path).unwrap_or_default()) {
            let Some(line) = parse(&bytes).filter(|line| line["type"].is_string()) else {
                out.skip();
                continue;
            };
            if main && self.id.is_none() {
                self.id = line["sessionId"].as_str().map(str::to_owned);
            }
            if self.cwd.is_none() {
                self.cwd = line["cwd"].as_str().map(str::to_owned);
            }
            match line["type"].as_str() {
                Some("user") if line["message"].is_object() => self.user(&line),
                Some("assistant") if line["message"].is_object() => self.assistant(&line),
                _ => {}
            }
        }
    }

    fn user(&mut self, line: &Value) {
        let content = &line["message"]["content"];
        let blocks: &[Value] = content.as_array().map_or(&[], Vec::as_slice);
        let mut texts: Vec<&str> = content.as_str().into_iter().collect();
        texts.extend(
            blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()),
        );
        texts.retain(|text| !text.is_empty());
        let whole = texts.join("\n");
        if whole.starts_with("[Request interrupted") {
            if let Some(open) = self.open {
                self.requests[open].state = 2;
            }
        } else if !whole.is_empty()
            && !whole.starts_with("<command-")
            && !whole.starts_with("<local-command-")
        {
            self.prompt(line, &whole, &texts);
        }
        if let Some(open) = self.open {
            self.requests[open].images +=
                blocks.iter().filter(|block| block["type"] == "image").count() as i64;
        }
    }

    fn prompt(&mut self, line: &Value, whole: &str, blocks: &[&str]) {
        let uuid = line["uuid"].as_str().unwrap_or("");
        if !uuid.is_empty() && !self.opened.insert(uuid.to_owned()) {
            return;
        }
        let mut request = Request {
            id: preview(uuid, 128),
            timestamp: time(&line["timestamp"]),
            preview: preview(whole, 500),
            message_units: units(whole),
            ..Request::default()
        };
        for block in blocks {
            add_code(&mut request.user_code, block);
        }
        self.open = Some(self.requests.len());
        self.requests.push(request);
    }

    fn assistant(&mut self, line: &Value) {
        let Some(open) = self.open else { return };
        let request = &mut self.requests[open];
        let message = &line["message"];
        request.responses.extend(message["content"].as_str().map(str::to_owned));
        for block in message["content"].as_array().into_iter().flatten() {
            match block["type"].as_str() {
                Some("text") => request.responses.extend(block["text"].as_str().map(str::to_owned)),
                Some("tool_use") => request.call(block["name"].as_str().unwrap()),
                _ => {}
            }
        }
        if let Some(model) =
            text(&message["model"], 128).filter(|model| !model.is_empty() && model != "<synthetic>")
        {
            request.model = model;
        }
        let failed = line["isApiErrorMessage"] == true;
        request.state = match request.state {
            2 => 2,
            _ if failed => 3,
            3 => 3,
            _ => 1,
        };
        let usage = &message["usage"];
        let count = |name: &str| number(&usage[name]).unwrap_or(0);
        let new = [
            count("input_tokens")
                .saturating_add(count("cache_read_input_tokens"))
                .saturating_add(count("cache_creation_input_tokens")),
            count("output_tokens"),
        ];
        let pair = (message["id"].as_str().unwrap_or(""), line["requestId"].as_str().unwrap_or(""));
        let mut seen = [0; 2];
        let named = !pair.0.is_empty() && !pair.1.is_empty();
        let largest = if named {
            self.usage.entry((pair.0.to_owned(), pair.1.to_owned())).or_default()
        } else {
            &mut seen
        };
        let added = [0, 1].map(|i| (new[i] - largest[i]).max(0));
        *largest = [0, 1].map(|i| largest[i].max(new[i]));
        request.prompt = request.prompt.saturating_add(added[0]);
        request.completion = request.completion.saturating_add(added[1]);
    }
}
