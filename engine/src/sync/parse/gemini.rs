//! A directory of Gemini CLI: its chats.

use std::io;

use super::{Parser, Sink};
use crate::formats::gemini;
use crate::formats::source::Skips;
use crate::sync::discover::{Workspace, names};

impl Parser<'_> {
    pub(super) fn gemini(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home).join("chats"), format!("{}/chats", workspace.key()));
        for file in names(&path, &key, &mut self.skipped) {
            let Some(stem) = file.strip_suffix(".json").filter(|stem| stem.starts_with("session-")) else {
                continue;
            };
            let file_key = format!("{key}/{file}");
            let Some(input) = self.input(path.join(&*file), &file_key, sink)? else {
                continue;
            };
            let mut skips = Skips::default();
            let read = gemini::document(&mut self.reader, input, stem, self.hold, &mut skips);
            self.deliver(read, &file_key, &skips, workspace, &workspace.name, sink)?;
        }
        Ok(())
    }
}
