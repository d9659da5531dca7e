//! The older layout: a file of JSON for each record.

mod read;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::files::{Folder, Names, about, check_id, id_in};
use super::reader::Reader;
use super::rule::Record;
use super::{Cursor, Page, Reading, Skipped, StorageError};
use crate::view::message::{Entry, Message};
use crate::view::part::Part;

/// The layout's version, as the tool that wrote it last has it.
const MIGRATION: &str = "2";

/// A tree of files.
#[derive(Debug)]
pub struct Tree {
    folder: Folder,
    skipped: RefCell<Skipped>,
}

impl Tree {
    /// Opens `<data>/storage`, or makes it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(data: &Path) -> Result<Tree, StorageError> {
        let root = data.join("storage");
        let migration = root.join("migration");
        let folder = Folder::new(root);
        folder.make()?;
        if !migration.exists() {
            std::fs::write(&migration, MIGRATION).map_err(about(&migration))?;
        }
        Ok(Tree { folder, skipped: RefCell::default() })
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn put_project(&mut self, project: &Value) -> Result<(), StorageError> {
        self.folder.write(&["project", id_in("project", project, "id")?], project)
    }

    pub(super) fn put_session(&mut self, info: &Value) -> Result<(), StorageError> {
        let (id, project) = (id_in("session", info, "id")?, id_in("project", info, "projectID")?);
        if !self.folder.has(&["project", project]) {
            return Err(StorageError::Missing { what: "project", id: project.to_owned() });
        }
        let before = self.project_of(id)?.filter(|before| before != project);
        self.folder.write(&["session", project, id], info)?;
        match before {
            Some(before) => self.folder.remove(&["session", &before, id]).map(|_| ()),
            None => Ok(()),
        }
    }

    pub(super) fn put_message(&mut self, message: &Message) -> Result<(), StorageError> {
        check_id("message", message.id())?;
        self.require(message.session())?;
        self.folder.write(&["message", message.session(), message.id()], message.value())
    }

    pub(super) fn put_part(&mut self, part: &Part) -> Result<(), StorageError> {
        check_id("part", part.id())?;
        if !self.has_message(part.session(), part.message())? {
            return Err(StorageError::Missing { what: "message", id: part.message().to_owned() });
        }
        self.folder.write(&["part", part.message(), part.id()], part.value())
    }

    pub(super) fn put_todos(&mut self, session: &str, todos: &[Value]) -> Result<(), StorageError> {
        self.require(session)?;
        self.folder.write(&["todo", session], &todos)
    }

    pub(super) fn put_diff(&mut self, session: &str, diffs: &Value) -> Result<(), StorageError> {
        self.require(session)?;
        self.folder.write(&["session_diff", session], diffs)
    }

    pub(super) fn remove_message(&mut self, session: &str, message: &str) -> Result<bool, StorageError> {
        if !self.has_message(session, message)? {
            return Ok(false);
        }
        self.folder.remove_folder(&["part", message])?;
        self.folder.remove(&["message", session, message])
    }

    pub(super) fn remove_part(
        &mut self,
        session: &str,
        message: &str,
        part: &str,
    ) -> Result<bool, StorageError> {
        check_id("part", part)?;
        Ok(self.has_message(session, message)? && self.folder.remove(&["part", message, part])?)
    }

    /// The session itself goes last: if something cannot be removed, the rest can be tried again.
    pub(super) fn remove_session(&mut self, session: &str) -> Result<Vec<String>, StorageError> {
        if self.project_of(session)?.is_none() {
            return Ok(Vec::new());
        }
        let family = self.family(session)?;
        for id in family.iter().rev() {
            let messages = self.folder.ids(&["message", id], Names::Records, self.skipped.get_mut())?;
            for message in messages {
                self.folder.remove_folder(&["part", &message])?;
            }
            self.folder.remove_folder(&["message", id])?;
            for beside in ["todo", "session_diff", "session_share"] {
                self.folder.remove(&[beside, id])?;
            }
            if let Some(project) = self.project_of(id)? {
                self.folder.remove(&["session", &project, id])?;
            }
        }
        Ok(family)
    }

    /// A session, its children, and theirs, each before its own.
    fn family(&self, session: &str) -> Result<Vec<String>, StorageError> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let sessions = self.sessions()?;
        let pairs: Vec<(String, String)> = sessions
            .iter()
            .filter_map(|session| Some((text(session, "parentID")?, text(session, "id")?)))
            .collect();
        let mut family = vec![session.to_owned()];
        let mut known: BTreeSet<String> = family.iter().cloned().collect();
        let mut next = 0;
        while let Some(parent) = family.get(next).cloned() {
            let children = pairs.iter().filter(|(of, _)| *of == parent);
            for (_, child) in children {
                if known.insert(child.clone()) {
                    family.push(child.clone());
                }
            }
            next += 1;
        }
        Ok(family)
    }

    pub(super) fn projects(&self) -> Result<Vec<Value>, StorageError> {
        let mut projects = Vec::new();
        self.each_project(&mut self.skipped.borrow_mut(), |_, project| {
            projects.push(project);
            Ok(())
        })?;
        Ok(projects)
    }

    pub(super) fn sessions(&self) -> Result<Vec<Value>, StorageError> {
        let mut sessions = Vec::new();
        self.each_session(&mut self.skipped.borrow_mut(), |_, session| {
            sessions.push(session);
            Ok(())
        })?;
        Ok(sessions)
    }

    pub(super) fn session(&self, session: &str) -> Result<Option<Value>, StorageError> {
        let Some(project) = self.project_of(session)? else { return Ok(None) };
        Ok(self.read_session(&mut Reader::new(), &project, session, &mut self.skipped.borrow_mut()))
    }

    pub(super) fn children(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        check_id("session", session)?;
        let mut sessions = self.sessions()?;
        sessions.retain(|child| child.get("parentID").and_then(Value::as_str) == Some(session));
        Ok(sessions)
    }

    pub(super) fn page(
        &self,
        session: &str,
        before: Option<&Cursor>,
        limit: usize,
        reading: Reading,
    ) -> Result<Page, StorageError> {
        let mut page = Page::default();
        if self.project_of(session)?.is_none() {
            return Ok(page);
        }
        let skipped = &mut *self.skipped.borrow_mut();
        let mut ids = self.folder.ids(&["message", session], Names::Records, skipped)?;
        ids.retain(|id| before.is_none_or(|before| *id < before.id));
        let mut reader = Reader::new();
        let mut last = None;
        while let Some(id) = ids.pop() {
            if limit != 0 && page.entries.len() == limit {
                page.before = last;
                break;
            }
            let Some((message, bytes)) = self.read_message(&mut reader, reading, session, &id, skipped)
            else {
                continue;
            };
            page.count(bytes);
            let parts = self.read_parts(&mut reader, reading, &message, &mut page, skipped)?;
            last = Some(Cursor { id, time: message.created() });
            page.entries.push(Entry { message, parts });
        }
        page.entries.reverse();
        Ok(page)
    }

    pub(super) fn part(
        &self,
        session: &str,
        message: &str,
        part: &str,
    ) -> Result<Option<Part>, StorageError> {
        check_id("part", part)?;
        if !self.has_message(session, message)? {
            return Ok(None);
        }
        let (reader, skipped) = (&mut Reader::new(), &mut *self.skipped.borrow_mut());
        let part = self.read_part(reader, Reading::Whole, [session, message, part], skipped);
        Ok(part.map(|(part, _)| part))
    }

    pub(super) fn todos(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        if self.project_of(session)?.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.read_todos(session, &mut self.skipped.borrow_mut()))
    }

    pub(super) fn diff(&self, session: &str, reading: Reading) -> Result<Option<Value>, StorageError> {
        if self.project_of(session)?.is_none() {
            return Ok(None);
        }
        let (reader, skipped) = (&mut Reader::new(), &mut *self.skipped.borrow_mut());
        let row = self.folder.read(reader, (Record::Diff, reading), &["session_diff", session], skipped);
        Ok(row.map(|row| row.value))
    }

    pub(super) fn skipped(&self) -> Skipped {
        self.skipped.borrow().clone()
    }

    /// The project of a session; none when it is not there, or its project is not.
    fn project_of(&self, session: &str) -> Result<Option<String>, StorageError> {
        check_id("session", session)?;
        let projects = self.folder.ids(&["session"], Names::Folders, &mut Skipped::default())?;
        let is_there = |project: &String| {
            self.folder.has(&["session", project, session]) && self.folder.has(&["project", project])
        };
        Ok(projects.into_iter().find(is_there))
    }

    fn require(&self, session: &str) -> Result<(), StorageError> {
        if self.project_of(session)?.is_some() {
            return Ok(());
        }
        Err(StorageError::Missing { what: "session", id: session.to_owned() })
    }

    fn has_message(&self, session: &str, message: &str) -> Result<bool, StorageError> {
        check_id("session", session)?;
        check_id("message", message)?;
        Ok(self.folder.has(&["message", session, message]))
    }
}
