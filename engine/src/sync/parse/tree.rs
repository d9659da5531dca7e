//! A project of OpenCode's older storage: a file for each session, message and part.

use std::io;

use super::{Parser, Sink};
use crate::formats::opencode::{Conversation, Record, head, record};
use crate::sync::discover::{Workspace, names, record_id};
use crate::tree::Node;

impl Parser<'_> {
    pub(super) fn tree(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        for file in names(&path, &key, &mut self.skipped) {
            let Some(session) = record_id(&file) else {
                continue;
            };
            let file_key = format!("{key}/{file}");
            let Some(input) = self.input(path.join(&*file), &file_key, sink)? else {
                continue;
            };
            let info = match record(&mut self.reader, input, Record::Session) {
                Ok(Some(info)) => info,
                Ok(None) => {
                    self.skipped.file(&file_key, &"it is no JSON object");
                    continue;
                }
                Err(error) => {
                    self.refuse(&file_key, &error);
                    continue;
                }
            };
            let times = (info.at(&["time", "created"]), info.at(&["time", "updated"]));
            let (head, name) = head(session, info.get("directory"), times.0, times.1);
            let mut conversation = Conversation::new(self.hold);
            self.messages(workspace, session, &mut conversation, sink)?;
            self.session(head, conversation.finish(), workspace, &name, sink)?;
        }
        Ok(())
    }

    fn messages(
        &mut self,
        workspace: &Workspace,
        session: &str,
        conversation: &mut Conversation,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        for message in self.ids(workspace, "message", session) {
            let Some(node) = self.file(workspace, ["message", session, &message], Record::Message, sink)?
            else {
                continue;
            };
            conversation.message(&message, &node);
            for part in self.ids(workspace, "part", &message) {
                if let Some(node) = self.file(workspace, ["part", &message, &part], Record::Part, sink)? {
                    conversation.part(&node);
                }
            }
        }
        Ok(())
    }

    /// The ids of the messages of a session, or of the parts of a message, in the order of their bytes.
    fn ids(&mut self, workspace: &Workspace, folder: &str, of: &str) -> Vec<String> {
        let directory = workspace.storage(self.home).join(folder).join(of);
        let key = format!("{}/{folder}/{of}", workspace.storage_key());
        let names = names(&directory, &key, &mut self.skipped);
        let mut ids: Vec<String> =
            names.iter().filter_map(|name| record_id(name).map(ToOwned::to_owned)).collect();
        // A name that goes on where another ends comes before it: `a-b.json` before `a.json`.
        ids.sort_unstable();
        ids
    }

    /// A message or part; one that cannot be used is skipped, counted and named.
    fn file(
        &mut self,
        workspace: &Workspace,
        [folder, of, id]: [&str; 3],
        what: Record,
        sink: &mut dyn Sink,
    ) -> io::Result<Option<Node>> {
        let path = workspace.storage(self.home).join(folder).join(of).join(format!("{id}.json"));
        let key = format!("{}/{folder}/{of}/{id}.json", workspace.storage_key());
        let Some(input) = self.input(path, &key, sink)? else {
            return Ok(None);
        };
        match record(&mut self.reader, input, what) {
            Ok(Some(node)) => return Ok(Some(node)),
            Ok(None) => self.skipped.lines(&key, 1, &"it is no JSON object"),
            Err(error) if error.is_failure() => self.refuse(&key, &error),
            Err(error) => self.skipped.lines(&key, 1, &error),
        }
        Ok(None)
    }
}
