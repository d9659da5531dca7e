//! Takes a tree over into a database, as the tools do when they are updated.

use serde_json::Value;

use super::files::{Names, name};
use super::reader::Reader;
use super::{Database, Reading, Skipped, StorageError, Tree};

/// Records that are made durable together.
const BATCH: u64 = 1_000;

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Projects.
    pub projects: u64,
    /// Sessions of them.
    pub sessions: u64,
    /// Messages of them.
    pub messages: u64,
    /// Parts of them.
    pub parts: u64,
    /// Todos of the sessions.
    pub todos: u64,
    /// Sessions of which it is known what they changed.
    pub diffs: u64,
    /// What was left.
    pub skipped: Skipped,
}

/// Takes everything of a tree over that belongs together: projects, their sessions, their messages, their parts, todos, and what sessions
/// changed. Records are read one at a time, and written in batches of a thousand. What is in the database already is replaced; the tree
/// stays as it is. Permissions and shares have no place in the database, and are counted as left.
///
/// # Errors
/// When the tree's folders cannot be read or the database cannot be written. What was written until then stays, and an import that is made
/// again replaces it.
pub fn import(from: &Tree, into: &mut Database) -> Result<Imported, StorageError> {
    let before = into.swap_skipped(Skipped::default());
    let mut import = Import { from, into, batch: 0, done: Imported::default() };
    let result = import.all();
    let Import { into, mut done, .. } = import;
    done.skipped.add(into.swap_skipped(before));
    result.and(into.commit()).map(|()| done)
}

struct Import<'a> {
    from: &'a Tree,
    into: &'a mut Database,
    /// Records since the last that were made durable.
    batch: u64,
    done: Imported,
}

impl Import<'_> {
    fn all(&mut self) -> Result<(), StorageError> {
        self.into.begin()?;
        self.projects()?;
        self.sessions()?;
        self.messages()?;
        self.parts()?;
        self.todos()?;
        self.diffs()?;
        for left in ["permission", "session_share"] {
            let skipped = &mut self.done.skipped;
            for id in self.from.folder().ids(&[left], Names::Records, skipped)? {
                skipped.note(name(&[left, &id]), "the database has no place for it");
            }
        }
        Ok(())
    }

    fn projects(&mut self) -> Result<(), StorageError> {
        let mut skipped = Skipped::default();
        self.from.each_project(&mut skipped, |skipped, project| {
            let result = self.into.put_project(&project);
            let is_put = self.is_put(result, &["project", id_of(&project)], skipped)?;
            self.done.projects += u64::from(is_put);
            Ok(())
        })?;
        self.done.skipped = skipped;
        Ok(())
    }

    fn sessions(&mut self) -> Result<(), StorageError> {
        let mut skipped = std::mem::take(&mut self.done.skipped);
        self.from.each_session(&mut skipped, |skipped, session| {
            let result = self.into.put_session(&session);
            let is_put = self.is_put(result, &["session", id_of(&session)], skipped)?;
            self.done.sessions += u64::from(is_put);
            Ok(())
        })?;
        self.done.skipped = skipped;
        Ok(())
    }

    fn messages(&mut self) -> Result<(), StorageError> {
        let mut skipped = std::mem::take(&mut self.done.skipped);
        let mut reader = Reader::new();
        let folder = self.from.folder();
        for session in folder.ids(&["message"], Names::Folders, &mut skipped)? {
            for id in folder.ids(&["message", &session], Names::Records, &mut skipped)? {
                let message =
                    self.from.read_message(&mut reader, Reading::Whole, &session, &id, &mut skipped);
                let Some((message, _)) = message else { continue };
                let result = self.into.put_message(&message);
                let is_put = self.is_put(result, &["message", &session, &id], &mut skipped)?;
                self.done.messages += u64::from(is_put);
            }
        }
        self.done.skipped = skipped;
        Ok(())
    }

    fn parts(&mut self) -> Result<(), StorageError> {
        let mut skipped = std::mem::take(&mut self.done.skipped);
        let mut reader = Reader::new();
        let folder = self.from.folder();
        for message in folder.ids(&["part"], Names::Folders, &mut skipped)? {
            let session = self.into.session_of(&message)?;
            for id in folder.ids(&["part", &message], Names::Records, &mut skipped)? {
                let Some(session) = &session else {
                    skipped.note(name(&["part", &message, &id]), "its message is not there");
                    continue;
                };
                let at = [&**session, &*message, &*id];
                let part = self.from.read_part(&mut reader, Reading::Whole, at, &mut skipped);
                let Some((part, _)) = part else { continue };
                let result = self.into.put_part(&part);
                let is_put = self.is_put(result, &["part", &message, &id], &mut skipped)?;
                self.done.parts += u64::from(is_put);
            }
        }
        self.done.skipped = skipped;
        Ok(())
    }

    fn todos(&mut self) -> Result<(), StorageError> {
        let mut skipped = std::mem::take(&mut self.done.skipped);
        for session in self.from.folder().ids(&["todo"], Names::Records, &mut skipped)? {
            let todos = self.from.read_todos(&session, &mut skipped);
            let result = self.into.put_todos(&session, &todos);
            if self.is_put(result, &["todo", &session], &mut skipped)? {
                self.done.todos += todos.len() as u64;
            }
        }
        self.done.skipped = skipped;
        Ok(())
    }

    /// What sessions changed stays in files, which are copied.
    fn diffs(&mut self) -> Result<(), StorageError> {
        let mut skipped = std::mem::take(&mut self.done.skipped);
        for session in self.from.folder().ids(&["session_diff"], Names::Records, &mut skipped)? {
            let at = ["session_diff", &*session];
            let result = self.into.copy_diff(&session, &self.from.folder().file(&at));
            let is_put = self.is_put(result, &at, &mut skipped)?;
            self.done.diffs += u64::from(is_put);
        }
        self.done.skipped = skipped;
        Ok(())
    }

    /// Whether a record was taken over. One that cannot be is noted; when the database fails, the import does.
    fn is_put(
        &mut self,
        result: Result<(), StorageError>,
        at: &[&str],
        skipped: &mut Skipped,
    ) -> Result<bool, StorageError> {
        match result {
            Ok(()) => {}
            Err(error @ (StorageError::Database { .. } | StorageError::Io { .. })) => return Err(error),
            Err(error) => {
                skipped.note(name(at), error);
                return Ok(false);
            }
        }
        self.batch += 1;
        if self.batch.is_multiple_of(BATCH) {
            self.into.commit()?;
            self.into.begin()?;
        }
        Ok(true)
    }
}

fn id_of(record: &Value) -> &str {
    record.get("id").and_then(Value::as_str).unwrap_or_default()
}
