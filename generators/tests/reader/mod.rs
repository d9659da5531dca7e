//! A second opinion: reads a corpus by plain `serde_json::Value` as `docs/answer.md` says, slowly and with no code of the generator.

mod claude;
mod cli;
mod codex;
mod gemini;
mod opencode;
mod value;
mod vscode;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use value::{add_code, document, integer_of, lines, number, parse, preview, text, time, units};

/// What a reader answers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) digest: String,
    /// Source, id, workspace, requests and digest of each session.
    pub(crate) sessions: Vec<(String, String, String, u64, String)>,
    pub(crate) edit_files: u64,
    pub(crate) workspaces: u64,
    pub(crate) skipped_lines: u64,
    /// Skipped lines by file, and files that are refused.
    pub(crate) skipped: BTreeMap<String, u64>,
    pub(crate) refused: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) harness: &'static str,
    pub(crate) workspace: String,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) last: i64,
    pub(crate) requests: Vec<Request>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) preview: String,
    pub(crate) message_units: i64,
    pub(crate) responses: Vec<String>,
    pub(crate) model: String,
    pub(crate) prompt: i64,
    pub(crate) completion: i64,
    pub(crate) state: i64,
    pub(crate) images: i64,
    pub(crate) edited: i64,
    pub(crate) user_code: BTreeMap<String, i64>,
    pub(crate) tools: BTreeMap<String, i64>,
    pub(crate) commands: Vec<String>,
}

impl Request {
    pub(crate) fn call(&mut self, tool: &str) {
        *self.tools.entry(preview(tool, 128)).or_default() += 1;
    }
}

/// Reads everything below a home directory.
pub(crate) fn read(home: &Path) -> Answer {
    const VSCODE: [(&str, &str); 2] = [
        (".config/Code/User/workspaceStorage", "Local Agent"),
        (".config/Code - Insiders/User/workspaceStorage", "Local Agent (Insiders)"),
    ];
    let mut out = Output::default();
    for (root, harness) in VSCODE {
        for workspace in directories(&home.join(root)) {
            out.answer.workspaces += 1;
            vscode::read(home, &workspace, harness, &mut out);
        }
    }
    for workspace in directories(&home.join(".copilot/session-state")) {
        out.answer.workspaces += 1;
        cli::read(home, &workspace, &mut out);
    }
    for project in directories(&home.join(".claude/projects")) {
        out.answer.workspaces += 1;
        claude::read(home, &project, &mut out);
    }
    codex::read(home, &mut out);
    for project in directories(&home.join(".gemini/tmp")) {
        out.answer.workspaces += 1;
        gemini::read(home, &project, &mut out);
    }
    opencode(home, &mut out);
    let Output { mut answer, digests, .. } = out;
    answer.refused.sort();
    answer.digest = hash(&digests.concat()).1;
    answer
}

/// OpenCode's database, or else its files, and Kilo's database.
fn opencode(home: &Path, out: &mut Output) {
    let data = home.join(".local/share");
    if !data.join("opencode/opencode.db").is_file() {
        for project in directories(&data.join("opencode/storage/session")) {
            out.answer.workspaces += 1;
            opencode::tree(home, &project, out);
        }
    }
    for (file, harness) in [("opencode/opencode.db", "OpenCode"), ("kilo/kilo.db", "Kilo")] {
        if data.join(file).is_file() {
            out.answer.workspaces += 1;
            opencode::database(home, &data.join(file), harness, out);
        }
    }
}

#[derive(Default)]
pub(crate) struct Output {
    answer: Answer,
    digests: Vec<Vec<u8>>,
    file: String,
}

impl Output {
    /// A file that can be opened, or none, which is then refused. A pipe is not opened.
    pub(crate) fn open(&mut self, home: &Path, path: &Path) -> Option<Vec<u8>> {
        self.file = below(home, path);
        let bytes = Some(path).filter(|path| path.is_file()).and_then(|path| fs::read(path).ok());
        if bytes.is_none() {
            self.refuse();
        }
        bytes
    }

    /// The file that was opened last gives nothing.
    pub(crate) fn refuse(&mut self) {
        self.answer.refused.push(self.file.clone());
    }

    pub(crate) fn skip(&mut self) {
        self.answer.skipped_lines += 1;
        *self.answer.skipped.entry(self.file.clone()).or_default() += 1;
    }

    pub(crate) fn session(&mut self, source: String, session: &Session) {
        if session.requests.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        for text in ["session/1", &session.id, session.harness, &session.workspace, &session.name] {
            string(&mut bytes, text);
        }
        integer(&mut bytes, session.created);
        integer(&mut bytes, session.last);
        integer(&mut bytes, session.requests.len() as i64);
        for request in &session.requests {
            hash_request(&mut bytes, request);
        }
        let (digest, hex) = hash(&bytes);
        self.digests.push(digest);
        let requests = session.requests.len() as u64;
        self.answer.sessions.push((source, session.id.clone(), session.workspace.clone(), requests, hex));
    }

    pub(crate) fn edits(
        &mut self,
        workspace: &str,
        directory: &str,
        edits: &BTreeMap<(String, String), i64>,
    ) {
        if edits.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        for text in ["edits/1", workspace, directory] {
            string(&mut bytes, text);
        }
        integer(&mut bytes, edits.len() as i64);
        for ((request, uri), lines) in edits {
            string(&mut bytes, request);
            string(&mut bytes, uri);
            integer(&mut bytes, *lines);
        }
        self.digests.push(hash(&bytes).0);
        self.answer.edit_files += 1;
    }
}

fn hash_request(bytes: &mut Vec<u8>, request: &Request) {
    let texts: Vec<&String> = request.responses.iter().filter(|text| !text.is_empty()).collect();
    let units = texts.iter().map(|text| units(text)).sum::<i64>() + (texts.len() as i64 - 1).max(0);
    let mut ai_code = BTreeMap::new();
    for text in texts {
        add_code(&mut ai_code, text);
    }
    string(bytes, &request.id);
    integer(bytes, request.timestamp);
    string(bytes, &request.preview);
    integer(bytes, request.message_units);
    integer(bytes, units);
    string(bytes, &request.model);
    for value in [request.prompt, request.completion, request.state, request.images, request.edited] {
        integer(bytes, value);
    }
    for map in [&request.user_code, &ai_code, &request.tools] {
        integer(bytes, map.len() as i64);
        for (key, value) in map {
            string(bytes, key);
            integer(bytes, *value);
        }
    }
    integer(bytes, request.commands.len() as i64);
    for command in &request.commands {
        string(bytes, command);
    }
}

fn integer(bytes: &mut Vec<u8>, value: i64) {
    bytes.extend(value.to_le_bytes());
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    integer(bytes, text.len() as i64);
    bytes.extend(text.as_bytes());
}

fn hash(bytes: &[u8]) -> (Vec<u8>, String) {
    let digest = blake3::hash(bytes).as_bytes()[..16].to_vec();
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (digest, hex)
}

pub(crate) fn directories(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|path| path.is_dir()).collect()
}

pub(crate) fn entries(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn below(home: &Path, path: &Path) -> String {
    let below = path.strip_prefix(home).unwrap();
    below.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/")
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
