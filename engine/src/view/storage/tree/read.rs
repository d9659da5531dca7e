//! What is read from the tree.

use std::fs::File;

use serde_json::Value;

use super::Tree;
use crate::view::Malformed;
use crate::view::message::Message;
use crate::view::part::Part;
use crate::view::storage::columns::{PROJECT, SESSION, normal};
use crate::view::storage::files::{Names, name};
use crate::view::storage::reader::Reader;
use crate::view::storage::rule::Record;
use crate::view::storage::{Page, Reading, Skipped, StorageError, todo_value, usable_todo, with_ids};

impl Tree {
    /// Reads all projects, one at a time.
    pub(in crate::view::storage) fn each_project(
        &self,
        skipped: &mut Skipped,
        mut each: impl FnMut(&mut Skipped, Value) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut reader = Reader::new();
        for id in self.folder.ids(&["project"], Names::Records, skipped)? {
            let at = ["project", &*id];
            let how = (Record::Other, Reading::Whole);
            let Some(row) = self.folder.read(&mut reader, how, &at, skipped) else { continue };
            match normal(PROJECT, &id, row.value) {
                Some(project) => each(skipped, project)?,
                None => skipped.note(name(&at), "it is no object"),
            }
        }
        Ok(())
    }

    /// Reads all sessions, one at a time.
    pub(in crate::view::storage) fn each_session(
        &self,
        skipped: &mut Skipped,
        mut each: impl FnMut(&mut Skipped, Value) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut reader = Reader::new();
        for project in self.folder.ids(&["session"], Names::Folders, skipped)? {
            let has_project = self.folder.has(&["project", &project]);
            for id in self.folder.ids(&["session", &project], Names::Records, skipped)? {
                if !has_project {
                    skipped.note(name(&["session", &project, &id]), "its project is not there");
                } else if let Some(session) = self.read_session(&mut reader, &project, &id, skipped) {
                    each(skipped, session)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn read_session(
        &self,
        reader: &mut Reader<File>,
        project: &str,
        id: &str,
        skipped: &mut Skipped,
    ) -> Option<Value> {
        let at = ["session", project, id];
        let row = self.folder.read(reader, (Record::Session, Reading::Stripped), &at, skipped)?;
        let session = normal(SESSION, id, with_ids(row.value, &[("projectID", project)]));
        if session.is_none() {
            skipped.note(name(&at), "it is no object");
        }
        session
    }

    /// Reads a message, and says how long its text is.
    pub(in crate::view::storage) fn read_message(
        &self,
        reader: &mut Reader<File>,
        reading: Reading,
        session: &str,
        id: &str,
        skipped: &mut Skipped,
    ) -> Option<(Message, u64)> {
        let at = ["message", session, id];
        let row = self.folder.read(reader, (Record::Message, reading), &at, skipped)?;
        let message = Message::new(with_ids(row.value, &[("id", id), ("sessionID", session)]));
        noted(message, &at, skipped).map(|message| (message, row.bytes))
    }

    pub(super) fn read_parts(
        &self,
        reader: &mut Reader<File>,
        reading: Reading,
        message: &Message,
        page: &mut Page,
        skipped: &mut Skipped,
    ) -> Result<Vec<Part>, StorageError> {
        let mut parts = Vec::new();
        for id in self.folder.ids(&["part", message.id()], Names::Records, skipped)? {
            let at = [message.session(), message.id(), &id];
            if let Some((part, bytes)) = self.read_part(reader, reading, at, skipped) {
                page.count(bytes);
                parts.push(part);
            }
        }
        Ok(parts)
    }

    /// Reads a part, and says how long its text is.
    pub(in crate::view::storage) fn read_part(
        &self,
        reader: &mut Reader<File>,
        reading: Reading,
        [session, message, id]: [&str; 3],
        skipped: &mut Skipped,
    ) -> Option<(Part, u64)> {
        let at = ["part", message, id];
        let row = self.folder.read(reader, (Record::Part, reading), &at, skipped)?;
        let ids = [("id", id), ("messageID", message), ("sessionID", session)];
        let part = Part::new(with_ids(row.value, &ids));
        noted(part, &at, skipped).map(|part| (part, row.bytes))
    }

    pub(in crate::view::storage) fn read_todos(&self, session: &str, skipped: &mut Skipped) -> Vec<Value> {
        let at = ["todo", session];
        let how = (Record::Other, Reading::Whole);
        let Some(row) = self.folder.read(&mut Reader::new(), how, &at, skipped) else { return Vec::new() };
        let Value::Array(todos) = row.value else {
            skipped.note(name(&at), "it is no array");
            return Vec::new();
        };
        let usable = todos.iter().filter_map(|todo| {
            let usable = usable_todo(todo);
            if usable.is_none() {
                skipped.note(name(&at), "a todo lacks content, status or priority");
            }
            usable.map(todo_value)
        });
        usable.collect()
    }
}

/// A record; none of one that lacks something, which is noted.
fn noted<T>(record: Result<T, Malformed>, at: &[&str], skipped: &mut Skipped) -> Option<T> {
    record.map_err(|malformed| skipped.note(name(at), malformed)).ok()
}
