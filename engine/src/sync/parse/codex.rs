//! A directory of Codex CLI: its rollouts, plain or compressed.

use std::io;
use std::path::Path;

use super::{Parser, Sink};
use crate::formats::codex;
use crate::formats::source::{Input, Skips};
use crate::sync::discover::{Workspace, names};

impl Parser<'_> {
    pub(super) fn codex(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        for file in names(&path, &key, &mut self.skipped) {
            let Some((stem, is_compressed)) = rollout_file(&file, &path) else {
                continue;
            };
            let (path, file_key) = (path.join(&*file), format!("{key}/{file}"));
            if !self.may_read(&path, &file_key, sink)? {
                continue;
            }
            let input = if is_compressed { Input::Compressed(path) } else { Input::Path(path) };
            let mut skips = Skips::default();
            match codex::rollout(&mut self.reader, input, stem, self.hold, &mut skips) {
                Ok((head, name, requests)) => {
                    self.note(&file_key, &skips);
                    self.session(head, requests, workspace, &name, sink)?;
                }
                Err(error) => self.refuse(&file_key, &error),
            }
        }
        Ok(())
    }
}

/// The stem of a rollout, and whether it is compressed; none when it is something else, or is there uncompressed too.
fn rollout_file<'a>(name: &'a str, directory: &Path) -> Option<(&'a str, bool)> {
    let rollout = Some(name).filter(|name| name.starts_with("rollout-"))?;
    if let Some(stem) = rollout.strip_suffix(".jsonl") {
        return Some((stem, false));
    }
    let plain = rollout.strip_suffix(".zst")?;
    let stem = plain.strip_suffix(".jsonl")?;
    (!directory.join(plain).is_file()).then_some((stem, true))
}
