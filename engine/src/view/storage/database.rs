//! The newer layout: tables of SQLite, in which messages and parts are JSON texts.
//!
//! Texts of messages and parts are read as streams ([`rusqlite::blob`]), 64 KiB at a time: neither SQLite nor this program ever holds a long
//! one whole.

mod read;
mod schema;

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Params, params};
use serde_json::Value;

use super::columns::unknown;
use super::files::{Folder, check_id, id_in};
use super::{Skipped, StorageError, usable_todo};
use crate::view::message::Message;
use crate::view::part::Part;

/// A database of sessions.
pub struct Database {
    connection: Connection,
    path: PathBuf,
    /// Beside the database: what sessions changed.
    folder: Folder,
    project: schema::Table,
    session: schema::Table,
    skipped: RefCell<Skipped>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens a database, or makes it. What sessions changed is in `storage/session_diff` beside it.
    ///
    /// # Errors
    /// When the file is something else, which is left as it is, or cannot be opened or made.
    pub fn open(path: &Path) -> Result<Database, StorageError> {
        let schema::Opened { connection, project, session } = schema::open(path)?;
        let folder = Folder::new(path.with_file_name("storage"));
        let skipped = RefCell::default();
        Ok(Database { connection, path: path.to_owned(), folder, project, session, skipped })
    }

    /// Begins another account of what is passed over, and gives the one before.
    pub(super) fn swap_skipped(&mut self, skipped: Skipped) -> Skipped {
        self.skipped.replace(skipped)
    }

    pub(super) fn begin(&mut self) -> Result<(), StorageError> {
        if self.connection.is_autocommit() {
            self.attempt(|connection| connection.execute_batch("BEGIN IMMEDIATE"))?;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), StorageError> {
        if !self.connection.is_autocommit() {
            self.attempt(|connection| connection.execute_batch("COMMIT"))?;
        }
        Ok(())
    }

    pub(super) fn put_project(&mut self, project: &Value) -> Result<(), StorageError> {
        let id = id_in("project", project, "id")?;
        note_unknown(&self.project, "project", project, self.skipped.get_mut());
        self.attempt(|connection| self.project.write(connection, id, project))
    }

    pub(super) fn put_session(&mut self, info: &Value) -> Result<(), StorageError> {
        let (id, project) = (id_in("session", info, "id")?, id_in("project", info, "projectID")?);
        if !self.has("SELECT 1 FROM project WHERE id = ?1", [project])? {
            return Err(StorageError::Missing { what: "project", id: project.to_owned() });
        }
        note_unknown(&self.session, "session", info, self.skipped.get_mut());
        self.attempt(|connection| self.session.write(connection, id, info))
    }

    pub(super) fn put_message(&mut self, message: &Message) -> Result<(), StorageError> {
        let (id, session) = (message.id(), message.session());
        check_id("message", id)?;
        self.require(session)?;
        let data = without(message.value(), &["id", "sessionID"]);
        let updated = message.value().pointer("/time/completed").and_then(Value::as_i64);
        let updated = updated.unwrap_or(message.created());
        let sql = "INSERT INTO message (id, session_id, time_created, time_updated, data)
                   VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (id) DO UPDATE SET time_created = excluded.time_created,
                       time_updated = excluded.time_updated, data = excluded.data
                   WHERE session_id = excluded.session_id";
        if self.execute(sql, params![id, session, message.created(), updated, data])? == 0 {
            return Err(StorageError::Taken { what: "message", id: id.to_owned(), of: "session" });
        }
        Ok(())
    }

    pub(super) fn put_part(&mut self, part: &Part) -> Result<(), StorageError> {
        let (id, message, session) = (part.id(), part.message(), part.session());
        check_id("part", id)?;
        if !self.has_message(session, message)? {
            return Err(StorageError::Missing { what: "message", id: message.to_owned() });
        }
        let data = without(part.value(), &["id", "messageID", "sessionID"]);
        let time = |key| part.value().pointer(key).and_then(Value::as_i64);
        let created = time("/time/start").or(time("/state/time/start")).unwrap_or_default();
        let updated = time("/time/end").or(time("/state/time/end")).unwrap_or(created);
        let sql = "INSERT INTO part (id, message_id, session_id, time_created, time_updated, data)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (id) DO UPDATE SET time_updated = excluded.time_updated, data = excluded.data
                   WHERE message_id = excluded.message_id";
        if self.execute(sql, params![id, message, session, created, updated, data])? == 0 {
            return Err(StorageError::Taken { what: "part", id: id.to_owned(), of: "message" });
        }
        Ok(())
    }

    pub(super) fn put_todos(&mut self, session: &str, todos: &[Value]) -> Result<(), StorageError> {
        self.require(session)?;
        let skipped = &self.skipped;
        self.together(|connection| {
            connection.prepare_cached("DELETE FROM todo WHERE session_id = ?1")?.execute([session])?;
            let sql =
                "INSERT INTO todo (session_id, content, status, priority, position, time_created, time_updated)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)";
            let mut statement = connection.prepare_cached(sql)?;
            for (position, todo) in todos.iter().enumerate() {
                match usable_todo(todo) {
                    Some([content, status, priority]) => {
                        statement.execute(params![session, content, status, priority, position as i64])?;
                    }
                    None => skipped
                        .borrow_mut()
                        .note(format!("todo of {session}"), "it lacks content, status or priority"),
                }
            }
            Ok(())
        })
    }

    pub(super) fn put_diff(&mut self, session: &str, diffs: &Value) -> Result<(), StorageError> {
        self.require(session)?;
        self.folder.write(&["session_diff", session], diffs)
    }

    /// Takes a file over as what a session changed.
    pub(super) fn copy_diff(&mut self, session: &str, from: &Path) -> Result<(), StorageError> {
        self.require(session)?;
        self.folder.copy(&["session_diff", session], from)
    }

    pub(super) fn remove_message(&mut self, session: &str, message: &str) -> Result<bool, StorageError> {
        if !self.has_message(session, message)? {
            return Ok(false);
        }
        self.together(|connection| {
            connection.prepare_cached("DELETE FROM part WHERE message_id = ?1")?.execute([message])?;
            connection.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([message])?;
            Ok(true)
        })
    }

    pub(super) fn remove_part(
        &mut self,
        session: &str,
        message: &str,
        part: &str,
    ) -> Result<bool, StorageError> {
        check_id("part", part)?;
        if !self.has_message(session, message)? {
            return Ok(false);
        }
        let sql = "DELETE FROM part WHERE id = ?1 AND message_id = ?2";
        Ok(self.execute(sql, params![part, message])? > 0)
    }

    /// Rows go by themselves also where a database does not say that they do so with their session.
    pub(super) fn remove_session(&mut self, session: &str) -> Result<Vec<String>, StorageError> {
        check_id("session", session)?;
        let family = self.together(|connection| {
            // A session that is there already is not taken again: two that are each other's child end it.
            let sql = "WITH RECURSIVE family (id) AS (
                           SELECT id FROM session WHERE id = ?1
                           UNION SELECT session.id FROM session JOIN family ON parent_id = family.id
                       ) SELECT id FROM family";
            let mut statement = connection.prepare_cached(sql)?;
            let family: Vec<String> =
                statement.query_map([session], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            for id in &family {
                for sql in [
                    "DELETE FROM part WHERE message_id IN (SELECT id FROM message WHERE session_id = ?1)",
                    "DELETE FROM message WHERE session_id = ?1",
                    "DELETE FROM todo WHERE session_id = ?1",
                    "DELETE FROM session WHERE id = ?1",
                ] {
                    connection.prepare_cached(sql)?.execute([id])?;
                }
            }
            Ok(family)
        })?;
        for id in family.iter().filter(|id| check_id("session", id).is_ok()) {
            self.folder.remove(&["session_diff", id])?;
        }
        Ok(family)
    }

    /// Does something with the connection.
    fn attempt<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StorageError> {
        work(&self.connection)
            .map_err(|source| StorageError::Database { path: self.path.display().to_string(), source })
    }

    /// Makes several changes, all or none.
    fn together<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StorageError> {
        self.attempt(|connection| {
            connection.execute_batch("SAVEPOINT together")?;
            let done = work(connection);
            let end =
                if done.is_ok() { "RELEASE together" } else { "ROLLBACK TO together; RELEASE together" };
            connection.execute_batch(end)?;
            done
        })
    }

    fn execute(&self, sql: &str, values: impl Params) -> Result<usize, StorageError> {
        self.attempt(|connection| connection.prepare_cached(sql)?.execute(values))
    }

    fn has(&self, sql: &str, values: impl Params) -> Result<bool, StorageError> {
        self.attempt(|connection| connection.prepare_cached(sql)?.exists(values))
    }

    fn row_id(&self, sql: &str, values: impl Params) -> Result<Option<i64>, StorageError> {
        self.attempt(|connection| {
            connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()
        })
    }

    fn has_session(&self, session: &str) -> Result<bool, StorageError> {
        check_id("session", session)?;
        self.has("SELECT 1 FROM session WHERE id = ?1", [session])
    }

    fn require(&self, session: &str) -> Result<(), StorageError> {
        if self.has_session(session)? {
            return Ok(());
        }
        Err(StorageError::Missing { what: "session", id: session.to_owned() })
    }

    fn has_message(&self, session: &str, message: &str) -> Result<bool, StorageError> {
        check_id("session", session)?;
        check_id("message", message)?;
        self.has("SELECT 1 FROM message WHERE id = ?1 AND session_id = ?2", [message, session])
    }
}

/// The text of a record without its ids, which have columns.
fn without(value: &Value, ids: &[&str]) -> String {
    /// Serialises without making a copy of the record first.
    struct Rest<'a>(&'a Value, &'a [&'a str]);
    impl serde::Serialize for Rest<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let fields = self.0.as_object().into_iter().flatten();
            serializer.collect_map(fields.filter(|(key, _)| !self.1.contains(&key.as_str())))
        }
    }
    serde_json::to_string(&Rest(value, ids)).unwrap_or_default()
}

/// Names the fields of a record that the database cannot keep.
fn note_unknown(table: &schema::Table, what: &str, value: &Value, skipped: &mut Skipped) {
    for key in unknown(&table.columns, value) {
        skipped.note(format!("{key} of {what}s"), "the database has no column for it");
    }
}
