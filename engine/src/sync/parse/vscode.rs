//! A workspace of VS Code: its chats, and what they edited.

use std::io;
use std::path::Path;

use super::{Parser, Sink};
use crate::formats::source::Skips;
use crate::formats::vscode;
use crate::session::Edits;
use crate::sync::discover::{Workspace, names};
use crate::sync::protocol::Item;

impl Parser<'_> {
    pub(super) fn vscode(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        if self.probe_missing && !path.join("events.jsonl").exists() {
            self.skipped.file(&format!("{key}/events.jsonl"), &"no such file");
        }
        let name = self
            .describe(&path.join("workspace.json"))
            .and_then(|text| vscode::workspace_name(&text))
            .unwrap_or_else(|| "unknown".into());
        let sessions = path.join("chatSessions");
        let files = names(&sessions, &format!("{key}/chatSessions"), &mut self.skipped);
        for file in &files {
            let Some((stem, is_log)) = session_file(file, &sessions) else {
                continue;
            };
            let file_key = format!("{key}/chatSessions/{file}");
            let Some(input) = self.input(sessions.join(&**file), &file_key, sink)? else {
                continue;
            };
            let mut skips = Skips::default();
            let read = match is_log {
                true => vscode::log(&mut self.reader, input, stem, self.hold, &mut skips),
                false => vscode::document(&mut self.reader, input, stem, self.hold),
            };
            self.deliver(read, &file_key, &skips, workspace, &name, sink)?;
        }
        self.edits(&path.join("chatEditingSessions"), &key, sink)
    }

    fn edits(&mut self, directory: &Path, workspace: &str, sink: &mut dyn Sink) -> io::Result<()> {
        let key = format!("{workspace}/chatEditingSessions");
        for name in names(directory, &key, &mut self.skipped) {
            let path = directory.join(&*name).join("state.json");
            if !path.exists() {
                continue;
            }
            let file_key = format!("{key}/{name}/state.json");
            let Some(input) = self.input(path, &file_key, sink)? else {
                continue;
            };
            match vscode::edit_lines(&mut self.reader, input) {
                Ok(lines) => {
                    if let Some(edits) = Edits::new(workspace, &name, lines) {
                        sink.item(Item::Edits(edits))?;
                    }
                }
                Err(error) => self.refuse(&file_key, &error),
            }
        }
        Ok(())
    }
}

/// The stem of a session file, and whether it is an append log; none when it is something else, or a log of the same stem
/// stands beside it.
fn session_file<'a>(name: &'a str, directory: &Path) -> Option<(&'a str, bool)> {
    if let Some(stem) = name.strip_suffix(".jsonl") {
        return Some((stem, true));
    }
    let stem = name.strip_suffix(".json")?;
    (!directory.join(format!("{stem}.jsonl")).is_file()).then_some((stem, false))
}
