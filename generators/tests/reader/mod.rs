//! A second opinion: reads a corpus by plain `serde_json::Value` as `docs/answer.md` says, slowly and with no code of the generator.

mod claude;
mod cli;
mod codex;
mod gemini;
mod opencode;
mod vscode;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

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

pub(crate) fn units(text: &str) -> i64 {
    text.encode_utf16().count() as i64
}

pub(crate) fn preview(text: &str, cap: usize) -> String {
    let mut left = cap;
    text.chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(if fits { c.len_utf16() } else { left });
            fits
        })
        .collect()
}

/// Adds the lines of code of one text.
pub(crate) fn add_code(code: &mut BTreeMap<String, i64>, text: &str) {
    let mut of_text: Vec<(String, i64)> = Vec::new();
    let mut language: Option<String> = None;
    let lines: Vec<&str> = text.split('\n').collect();
    for (i, line) in lines.iter().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            let name: String =
                info.split(char::is_whitespace).next().unwrap_or("").chars().take(24).collect();
            language = match language {
                Some(_) => None,
                None => Some(if name.is_empty() { "text".to_owned() } else { name }),
            };
        } else if let Some(language) = &language
            && !(i + 1 == lines.len() && line.is_empty())
        {
            let full = of_text.iter().filter(|entry| entry.0 != "other").count() >= 32;
            let name =
                if full && !of_text.iter().any(|entry| entry.0 == *language) { "other" } else { language };
            match of_text.iter_mut().find(|entry| entry.0 == name) {
                Some(entry) => entry.1 += 1,
                None => of_text.push((name.to_owned(), 1)),
            }
        }
    }
    for (language, lines) in of_text {
        *code.entry(language).or_default() += lines;
    }
}

/// Parses a text, its lone surrogates read as U+FFFD.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str(&mend(text)).ok()
}

/// Parses a file that is one document.
pub(crate) fn document(bytes: &[u8]) -> Option<Value> {
    parse(without_mark(bytes))
}

fn mend(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = surrogate(rest);
        let low = escape.and_then(|_| surrogate(&rest[6..]));
        match (escape, low) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.push_str(&rest[..12]);
                rest = &rest[12..];
            }
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
            }
            (None, _) => {
                let two = rest.chars().take(2).map(char::len_utf8).sum();
                out.push_str(&rest[..two]);
                rest = &rest[two..];
            }
        }
    }
    out + rest
}

/// The surrogate that an escape at the text's start stands for.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

pub(crate) fn text(value: &Value, cap: usize) -> Option<String> {
    value.as_str().map(|text| preview(text, cap))
}

pub(crate) fn number(value: &Value) -> Option<i64> {
    integer_of(value).map(|value| value.max(0))
}

pub(crate) fn integer_of(value: &Value) -> Option<i64> {
    value.as_i64().or(value.as_f64().map(|value| value.trunc() as i64))
}

pub(crate) fn time(value: &Value) -> i64 {
    match value {
        Value::String(text) => iso(text).unwrap_or(0),
        other => integer_of(other).unwrap_or(0),
    }
}

/// Milliseconds of `YYYY-MM-DDThh:mm:ss.mmmZ`, counted day by day.
fn iso(text: &str) -> Option<i64> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00.000Z" {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |month: i64| match month {
        2 if leap(part(0, 4)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (month, day, hour, minute, second) =
        (part(5, 7), part(8, 10), part(11, 13), part(14, 16), part(17, 19));
    let is_time = (1..13).contains(&month) && (1..=length(month)).contains(&day);
    if !is_time || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut days = (1970..part(0, 4)).map(|year| if leap(year) { 366 } else { 365 }).sum::<i64>();
    days += (1..month).map(length).sum::<i64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + part(20, 23))
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

/// The lines of a file, without those that are blank and a byte order mark at its beginning.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = without_mark(bytes).split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
    lines.filter(|line| !line.iter().all(|byte| b" \t\r".contains(byte))).collect()
}

pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
