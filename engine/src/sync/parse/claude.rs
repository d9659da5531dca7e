//! A project of Claude Code: its sessions, each with the files of its subagents.

use std::io;
use std::path::{Path, PathBuf};

use super::{Parser, Sink};
use crate::formats::claude::Conversation;
use crate::formats::source::Skips;
use crate::sync::discover::{Workspace, names};
use crate::sync::fingerprint::DEPTH_MAX;
use crate::sync::protocol::Skipped;

impl Parser<'_> {
    pub(super) fn claude(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        let entries = names(&path, &key, &mut self.skipped);
        let mut stems: Vec<&str> = entries
            .iter()
            .filter_map(|name| match name.strip_suffix(".jsonl") {
                Some(stem) => Some(stem),
                None => path.join(&**name).join("subagents").is_dir().then_some(&**name),
            })
            .collect();
        stems.sort_unstable();
        stems.dedup();
        for stem in stems {
            self.conversation(workspace, &path, &key, stem, sink)?;
        }
        Ok(())
    }

    fn conversation(
        &mut self,
        workspace: &Workspace,
        path: &Path,
        key: &str,
        stem: &str,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let mut conversation = Conversation::new(self.hold);
        let main = format!("{stem}.jsonl");
        // Also a link that leads nowhere: it is named then.
        if path.join(&main).symlink_metadata().is_ok() {
            self.claude_file(&mut conversation, path.join(&main), &format!("{key}/{main}"), true, sink)?;
        }
        let mut agents = Vec::new();
        let below = format!("{stem}/subagents");
        agent_files(&path.join(&below), &format!("{key}/{below}"), DEPTH_MAX, &mut self.skipped, &mut agents);
        for (agent, agent_key) in agents {
            self.claude_file(&mut conversation, agent, &agent_key, false, sink)?;
        }
        let (head, name, requests) = conversation.finish(stem, &workspace.name);
        self.session(head, requests, workspace, &name, sink)
    }

    fn claude_file(
        &mut self,
        conversation: &mut Conversation,
        path: PathBuf,
        key: &str,
        is_main: bool,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let Some(input) = self.input(path, key, sink)? else {
            return Ok(());
        };
        let mut skips = Skips::default();
        let read = conversation.read(&mut self.reader, input, is_main, &mut skips);
        self.note(key, &skips);
        if let Err(error) = read {
            self.refuse(key, &error);
        }
        Ok(())
    }
}

/// Every `agent-*.jsonl` below a directory, in order of the paths.
fn agent_files(
    directory: &Path,
    key: &str,
    depth: usize,
    skipped: &mut Skipped,
    found: &mut Vec<(PathBuf, String)>,
) {
    for name in names(directory, key, skipped) {
        let (path, key) = (directory.join(&*name), format!("{key}/{name}"));
        if path.is_dir() {
            if depth > 0 && !path.is_symlink() {
                agent_files(&path, &key, depth - 1, skipped, found);
            }
        } else if name.starts_with("agent-") && name.ends_with(".jsonl") {
            found.push((path, key));
        }
    }
}
