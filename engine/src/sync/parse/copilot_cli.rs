//! A session of Copilot CLI, which is a workspace of its own.

use std::io;

use super::{Parser, Sink};
use crate::formats::copilot_cli;
use crate::formats::source::Skips;
use crate::sync::discover::Workspace;

impl Parser<'_> {
    pub(super) fn copilot_cli(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        let events = path.join("events.jsonl");
        if events.symlink_metadata().is_err() {
            return Ok(());
        }
        let name = self
            .describe(&path.join("workspace.yaml"))
            .and_then(|text| copilot_cli::workspace_name(&String::from_utf8_lossy(&text)))
            .unwrap_or_else(|| "unknown".into());
        let file_key = format!("{key}/events.jsonl");
        let Some(input) = self.input(events, &file_key, sink)? else {
            return Ok(());
        };
        let mut skips = Skips::default();
        let read = copilot_cli::events(&mut self.reader, input, &workspace.name, self.hold, &mut skips);
        self.deliver(read, &file_key, &skips, workspace, &name, sink)
    }
}
