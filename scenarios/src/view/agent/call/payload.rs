//! What each tool is told and what it answers.

use serde_json::{Value, json};

use super::Call;
use crate::history::pool;
use crate::view::agent::content::{Change, diff_of_new};
use crate::view::agent::info;
use crate::view::agent::outline::{OUTPUT_CAP, TAIL_CAP};
use crate::view::agent::tool::Tool;
use crate::view::agent::words::{self, Width};

/// Lines that the preview of a file has.
const PREVIEW_LINES: usize = 20;
/// Lines of a file that are read at most.
const READ_LINES: usize = 2_000;
/// Bytes of an item of a list of things to do.
const TODO_BYTES: usize = 120;

/// How large the payloads of a call are.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    /// What its texts are made of.
    pub(crate) seed: u64,
    /// Bytes of its output. What a tool would cut comes whole: there are paths where it is not cut.
    pub(crate) output_bytes: usize,
    /// Bytes of an image that is attached to the output, before they are base64; 0: none.
    pub(crate) attachment_bytes: usize,
    /// Bytes of the file that is edited or written.
    pub(crate) file_bytes: usize,
    /// Whether the output is in the metadata once more, with those tools that may have it there.
    pub(crate) has_display: bool,
    /// Pieces in which the output of a command comes.
    pub(crate) chunks: usize,
    /// Whether the call fails.
    pub(crate) fails: bool,
    /// The characters of its texts.
    pub(crate) width: Width,
}

impl Payload {
    /// A call that gives so many bytes, and edits or writes a file of as many.
    pub(crate) fn of(seed: u64, output_bytes: usize) -> Payload {
        Payload {
            seed,
            output_bytes,
            attachment_bytes: 0,
            file_bytes: output_bytes,
            has_display: true,
            chunks: 4,
            fails: false,
            width: Width::Ascii,
        }
    }
}

/// The end of a text: so many characters.
fn tail(text: &str, chars: usize) -> &str {
    let end = &text[pool::boundary(text, text.len().saturating_sub(chars))..];
    if end.len() == text.len() || end.is_ascii() {
        return end;
    }
    let from = text.char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at);
    &text[from..]
}

/// A list of things to do of about so many bytes.
fn todos(seed: u64, bytes: usize, width: Width) -> Value {
    let item = |number: usize| {
        let (status, priority) = match number % 5 {
            0 | 1 => ("completed", "high"),
            2 => ("in_progress", "medium"),
            _ => ("pending", "low"),
        };
        let content = words::line(seed.wrapping_add(number as u64), 64, width);
        json!({ "content": content, "status": status, "priority": priority, "id": number.to_string() })
    };
    Value::Array((0..(bytes / TODO_BYTES).max(1)).map(item).collect())
}

/// The lines of a file with their numbers, as a model is given them.
fn numbered(file: &str, text: &str) -> String {
    let lines = text.lines().count();
    let mut out = String::with_capacity(text.len() + lines * 6 + file.len() + 80);
    out += &format!("<path>{file}</path>\n<type>file</type>\n<content>\n");
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        out += &format!("{number}: ");
        out += line;
    }
    out += "\n</content>";
    out
}

impl Call {
    pub(super) fn line(&self, number: u64, bytes: usize) -> String {
        words::line(self.payload.seed.wrapping_add(number), bytes, self.payload.width)
    }

    pub(super) fn command(&self) -> String {
        format!("cargo test {}", self.line(1, 40))
    }

    /// The list of things to do that this call writes or reads.
    pub(in crate::view::agent) fn todos(&self) -> Value {
        todos(self.payload.seed, self.payload.output_bytes, self.payload.width)
    }

    pub(super) fn title(&self) -> String {
        match self.tool {
            Tool::Read | Tool::Edit | Tool::Multiedit | Tool::Write => {
                self.file.rsplit('/').next().unwrap_or_default().to_owned()
            }
            Tool::Bash => self.line(2, 40),
            tool if tool.is_mcp() => String::new(),
            _ => self.line(3, 30),
        }
    }

    /// What the model says.
    pub(super) fn input(&self) -> Value {
        let line = |bytes| self.line(4, bytes);
        match self.tool {
            Tool::Read => json!({ "filePath": self.file }),
            Tool::List => json!({ "path": info::DIRECTORY }),
            Tool::Glob => json!({ "pattern": "**/*.rs", "path": info::DIRECTORY }),
            Tool::Grep => json!({ "pattern": line(20), "path": info::DIRECTORY, "include": "*.rs" }),
            Tool::Bash => {
                json!({ "command": self.command(), "description": self.line(2, 40), "timeout": 120_000 })
            }
            Tool::Edit | Tool::Multiedit | Tool::Write | Tool::ApplyPatch => self.edit_input(),
            Tool::Webfetch => json!({ "url": info::url(self.payload.seed), "format": "markdown" }),
            Tool::Websearch => json!({ "query": line(60), "numResults": 8 }),
            Tool::Codesearch => json!({ "query": line(60), "tokensNum": 5_000 }),
            Tool::Task => {
                let prompt = words::text(self.payload.seed, 1_500, self.payload.width);
                json!({ "description": line(30), "prompt": prompt, "subagent_type": "explore" })
            }
            Tool::Todowrite => json!({ "todos": self.todos() }),
            Tool::Todoread | Tool::PlanExit => json!({}),
            Tool::Question => json!({ "questions": info::questions(self.payload.seed, self.payload.width) }),
            Tool::Skill => json!({ "name": "release-notes" }),
            Tool::Lsp => {
                json!({ "operation": "findReferences", "filePath": self.file, "line": 12, "character": 4 })
            }
            Tool::Batch => json!({ "tool_calls": [
                { "tool": "read", "parameters": { "filePath": self.file } },
                { "tool": "grep", "parameters": { "pattern": line(20) } },
            ] }),
            Tool::CodebaseSearch | Tool::McpIssues | Tool::McpDocs => json!({ "query": line(80) }),
            Tool::Invalid => json!({ "tool": "reed", "error": line(120) }),
            Tool::McpScreenshot => json!({ "fullPage": false, "type": "png" }),
        }
    }

    fn edit_input(&self) -> Value {
        let of = |change: Change| json!({ "oldString": change.old, "newString": change.new });
        match self.tool {
            Tool::Write => {
                let mut value = json!({ "filePath": self.file });
                value["content"] = Value::String(self.content.text());
                value
            }
            Tool::Multiedit => json!({
                "filePath": self.file,
                "edits": [of(self.content.change()), of(self.content.next().change())],
            }),
            Tool::ApplyPatch => json!({ "patchText": self.patch_text() }),
            _ => {
                let mut value = of(self.content.change());
                value["filePath"] = Value::String(self.file.clone());
                value
            }
        }
    }

    fn patch_text(&self) -> String {
        let Change { old, new, .. } = self.content.change();
        let mut text = format!("*** Begin Patch\n*** Update File: {}\n@@\n", self.file);
        for (mark, lines) in [('-', &old), ('+', &new)] {
            for line in lines.lines() {
                text.push(mark);
                text += line;
                text.push('\n');
            }
        }
        text + "*** End Patch"
    }

    /// The unified diff of what it changes.
    pub(super) fn diff(&self) -> String {
        match self.tool {
            Tool::Write => diff_of_new(&self.file, &self.content.text()),
            _ => self.content.change().diff(&self.file),
        }
    }

    pub(super) fn output_text(&self) -> String {
        words::text(self.payload.seed, self.payload.output_bytes, self.payload.width)
    }

    /// What the model is given.
    pub(super) fn output(&self) -> String {
        match self.tool {
            Tool::Read => numbered(&self.file, &self.read_text()),
            Tool::Edit | Tool::Multiedit => "Edit applied successfully.".to_owned(),
            Tool::Write => "Wrote file successfully.".to_owned(),
            Tool::ApplyPatch => format!("Success. Updated the following files:\nM {}", self.file),
            Tool::Todowrite | Tool::Todoread => self.todos().to_string(),
            Tool::Task => format!(
                "task_id: {}\n\n<task_result>\n{}\n</task_result>",
                self.child,
                words::text(self.payload.seed, self.payload.output_bytes, self.payload.width)
            ),
            _ => self.output_text(),
        }
    }

    /// What of the file is read: a tool that reads stops at its cap, but a payload may ask for more.
    fn read_text(&self) -> String {
        let mut text = self.content.text();
        text.truncate(pool::boundary(&text, self.payload.output_bytes.min(text.len())));
        text
    }

    /// What the view is given besides: of a command that runs, what the first so many pieces were.
    pub(super) fn metadata(&self, progress: Option<usize>) -> Value {
        match self.tool {
            Tool::Read => self.read_metadata(),
            Tool::Edit | Tool::Multiedit | Tool::Write | Tool::ApplyPatch => {
                let mut value = self.edit_metadata();
                if progress.is_none() {
                    value["diagnostics"] = json!({});
                }
                value
            }
            Tool::Bash => self.bash_metadata(progress),
            Tool::Task => json!({
                "sessionId": self.child, "parentSessionId": self.place.session, "model": info::model(),
            }),
            Tool::Todowrite | Tool::Todoread => json!({ "todos": self.todos(), "truncated": false }),
            _ => self.search_metadata(),
        }
    }

    fn bash_metadata(&self, progress: Option<usize>) -> Value {
        let mut value = json!({ "description": self.line(2, 40) });
        let text = self.printed.get_or_init(|| self.output_text());
        let bytes = progress.map_or(text.len(), |piece| text.len() * piece / self.payload.chunks.max(1));
        let text = &text[..pool::boundary(text, bytes)];
        value["output"] = Value::from(tail(text, TAIL_CAP));
        if progress.is_none() {
            value["exit"] = json!(0);
            value["truncated"] = json!(self.payload.output_bytes >= OUTPUT_CAP);
        }
        value
    }

    fn search_metadata(&self) -> Value {
        let copy = || if self.payload.has_display { self.output_text() } else { String::new() };
        let truncated = self.payload.output_bytes >= OUTPUT_CAP;
        match self.tool {
            Tool::List | Tool::Glob => {
                json!({ "count": self.payload.output_bytes / 60, "truncated": truncated })
            }
            Tool::Grep => json!({ "matches": self.payload.output_bytes / 90, "truncated": truncated }),
            Tool::Websearch => json!({ "provider": "exa", "truncated": truncated }),
            Tool::Question => json!({ "answers": [["yes"]], "truncated": truncated }),
            Tool::Skill => json!({ "name": "release-notes", "dir": info::DIRECTORY, "truncated": truncated }),
            Tool::Lsp => json!({ "result": copy(), "truncated": truncated }),
            Tool::Batch => json!({
                "totalCalls": 2, "successful": 2, "failed": 0, "tools": ["read", "grep"],
                "details": [{ "tool": "read", "success": true, "output": copy() }],
            }),
            tool if tool.is_mcp() && truncated => {
                json!({ "truncated": true, "outputPath": format!("{}/tool-output/tool_1", info::DIRECTORY) })
            }
            _ => json!({ "truncated": truncated }),
        }
    }

    fn read_metadata(&self) -> Value {
        let text = self.read_text();
        let lines = text.lines().count();
        let preview: Vec<&str> = text.lines().take(PREVIEW_LINES).collect();
        let truncated = self.payload.output_bytes < self.content.bytes || lines > READ_LINES;
        let mut value = json!({ "preview": preview.join("\n"), "truncated": truncated, "loaded": [] });
        if self.payload.has_display {
            value["display"] = json!({
                "type": "file", "path": self.file, "lineStart": 1, "lineEnd": lines, "totalLines": lines,
            });
            value["display"]["text"] = Value::String(text);
        }
        value
    }

    fn edit_metadata(&self) -> Value {
        match self.tool {
            Tool::Write => {
                let text = self.content.text();
                let mut value = json!({ "filepath": self.file, "exists": false });
                value["diff"] = Value::String(diff_of_new(&self.file, &text));
                value["filediff"] = json!({ "file": self.file, "before": "", "additions": text.lines().count(), "deletions": 0 });
                value["filediff"]["after"] = Value::String(text);
                value
            }
            Tool::Multiedit => {
                let mut value = json!({});
                let edits = [self.content.change(), self.content.next().change()];
                value["results"] = edits.into_iter().map(|change| self.result(change)).collect();
                value
            }
            Tool::ApplyPatch => self.patch_metadata(),
            _ => self.result(self.content.change()),
        }
    }

    fn result(&self, change: Change) -> Value {
        let mut value = json!({});
        value["diff"] = Value::String(change.diff(&self.file));
        value["filediff"] = change.filediff(&self.file);
        value
    }

    fn patch_metadata(&self) -> Value {
        let change = self.content.change();
        let diff = change.diff(&self.file);
        let relative = self.file.trim_start_matches(info::DIRECTORY).trim_start_matches('/').to_owned();
        let mut file = change.filediff(&self.file);
        if let Some(fields) = file.as_object_mut() {
            fields.remove("file");
        }
        file["filePath"] = Value::String(self.file.clone());
        file["relativePath"] = Value::String(relative);
        file["type"] = Value::from("update");
        file["diff"] = Value::String(diff.clone());
        let mut value = json!({});
        value["diff"] = Value::String(diff);
        value["files"] = Value::Array(vec![file]);
        value
    }
}
