//! What is read from the database.

use rusqlite::blob::Blob;
use rusqlite::{Connection, MAIN_DB, Params, params};
use serde_json::Value;

use super::Database;
use super::schema::Table;
use crate::view::message::{Entry, Message};
use crate::view::part::Part;
use crate::view::storage::files::{check_id, is_id};
use crate::view::storage::reader::{Reader, Row};
use crate::view::storage::rule::Record;
use crate::view::storage::{Cursor, Page, Reading, Skipped, StorageError, todo_value, with_ids};

/// Larger than any id.
const LAST: &str = "\u{7f}";

impl Database {
    pub(in crate::view::storage) fn projects(&self) -> Result<Vec<Value>, StorageError> {
        self.records(&self.project, "ORDER BY id", [])
    }

    pub(in crate::view::storage) fn sessions(&self) -> Result<Vec<Value>, StorageError> {
        self.records(&self.session, "", [])
    }

    pub(in crate::view::storage) fn session(&self, session: &str) -> Result<Option<Value>, StorageError> {
        check_id("session", session)?;
        self.records(&self.session, "WHERE id = ?1", [session]).map(|mut found| found.pop())
    }

    pub(in crate::view::storage) fn children(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        check_id("session", session)?;
        self.records(&self.session, "WHERE parent_id = ?1", [session])
    }

    /// Reads projects or sessions. One whose id cannot be one is passed over: nothing of it could be asked for.
    fn records(
        &self,
        table: &Table,
        condition: &str,
        values: impl Params,
    ) -> Result<Vec<Value>, StorageError> {
        let skipped = &mut *self.skipped.borrow_mut();
        self.attempt(|connection| {
            let mut statement = connection.prepare_cached(&format!("{} {condition}", table.select))?;
            let mut rows = statement.query(values)?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                match row.get::<_, String>(0) {
                    Ok(id) if is_id(&id) => records.push(table.read(row)?),
                    id => skipped.note(id.unwrap_or_default(), "its id cannot be one"),
                }
            }
            Ok(records)
        })
    }

    pub(in crate::view::storage) fn page(
        &self,
        session: &str,
        before: Option<&Cursor>,
        limit: usize,
        reading: Reading,
    ) -> Result<Page, StorageError> {
        check_id("session", session)?;
        let skipped = &mut *self.skipped.borrow_mut();
        let (time, id) = before.map_or((i64::MAX, LAST), |before| (before.time, &before.id));
        let sql = "SELECT rowid, id, time_created FROM message
                   WHERE session_id = ?1 AND (time_created, id) < (?2, ?3)
                   ORDER BY time_created DESC, id DESC";
        self.attempt(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![session, time, id])?;
            let mut streams = Streams { connection, reader: Reader::new(), reading, skipped };
            let mut page = Page::default();
            let mut last = None;
            while let Some(row) = rows.next()? {
                if limit != 0 && page.entries.len() == limit {
                    page.before = last;
                    break;
                }
                let (row_id, id, time) = (row.get(0)?, row.get::<_, String>(1), row.get(2));
                let (Ok(id), Ok(time)) = (id, time) else {
                    streams.skipped.note(format!("message in row {row_id}"), "its id or time cannot be one");
                    continue;
                };
                let Some((message, bytes)) = streams.message(session, &id, row_id) else { continue };
                page.count(bytes);
                let parts = streams.parts(&message, &mut page)?;
                page.entries.push(Entry { message, parts });
                last = Some(Cursor { id, time });
            }
            page.entries.reverse();
            Ok(page)
        })
    }

    pub(in crate::view::storage) fn part(
        &self,
        session: &str,
        message: &str,
        part: &str,
    ) -> Result<Option<Part>, StorageError> {
        check_id("part", part)?;
        if !self.has_message(session, message)? {
            return Ok(None);
        }
        let sql = "SELECT rowid FROM part WHERE id = ?1 AND message_id = ?2";
        let Some(row_id) = self.row_id(sql, params![part, message])? else { return Ok(None) };
        let skipped = &mut *self.skipped.borrow_mut();
        let reader = Reader::new();
        let mut streams = Streams { connection: &self.connection, reader, reading: Reading::Whole, skipped };
        Ok(streams.part([session, message, part], row_id).map(|(part, _)| part))
    }

    pub(in crate::view::storage) fn todos(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        check_id("session", session)?;
        let skipped = &mut *self.skipped.borrow_mut();
        let sql = "SELECT content, status, priority FROM todo WHERE session_id = ?1 ORDER BY position";
        self.attempt(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([session])?;
            let mut todos = Vec::new();
            while let Some(row) = rows.next()? {
                let text = |at| row.get_ref(at).ok()?.as_str().ok();
                match (text(0), text(1), text(2)) {
                    (Some(content), Some(status), Some(priority)) => {
                        todos.push(todo_value([content, status, priority]));
                    }
                    _ => skipped.note(format!("todo of {session}"), "content, status or priority is no text"),
                }
            }
            Ok(todos)
        })
    }

    pub(in crate::view::storage) fn diff(
        &self,
        session: &str,
        reading: Reading,
    ) -> Result<Option<Value>, StorageError> {
        if !self.has_session(session)? {
            return Ok(None);
        }
        let (reader, skipped) = (&mut Reader::new(), &mut *self.skipped.borrow_mut());
        let row = self.folder.read(reader, (Record::Diff, reading), &["session_diff", session], skipped);
        Ok(row.map(|row| row.value))
    }

    pub(in crate::view::storage) fn skipped(&self) -> Skipped {
        self.skipped.borrow().clone()
    }

    /// The session of a message.
    pub(in crate::view::storage) fn session_of(&self, message: &str) -> Result<Option<String>, StorageError> {
        use rusqlite::OptionalExtension as _;
        let sql = "SELECT session_id FROM message WHERE id = ?1";
        self.attempt(|connection| {
            connection.prepare_cached(sql)?.query_row([message], |row| row.get(0)).optional()
        })
    }
}

/// Reads messages and parts, one after the other.
struct Streams<'a> {
    connection: &'a Connection,
    reader: Reader<Blob<'a>>,
    reading: Reading,
    skipped: &'a mut Skipped,
}

impl Streams<'_> {
    fn message(&mut self, session: &str, id: &str, row_id: i64) -> Option<(Message, u64)> {
        let Row { value, bytes } = self.row(Record::Message, id, row_id)?;
        let message = Message::new(with_ids(value, &[("id", id), ("sessionID", session)]));
        let message = message.map_err(|malformed| self.skipped.note(named(Record::Message, id), malformed));
        message.ok().map(|message| (message, bytes))
    }

    fn parts(&mut self, message: &Message, page: &mut Page) -> rusqlite::Result<Vec<Part>> {
        let sql = "SELECT rowid, id FROM part WHERE message_id = ?1 ORDER BY id";
        let connection = self.connection;
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([message.id()])?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let row_id = row.get(0)?;
            let Ok(id) = row.get::<_, String>(1) else {
                self.skipped.note(format!("part in row {row_id}"), "its id is no text");
                continue;
            };
            if let Some((part, bytes)) = self.part([message.session(), message.id(), &id], row_id) {
                page.count(bytes);
                parts.push(part);
            }
        }
        Ok(parts)
    }

    fn part(&mut self, [session, message, id]: [&str; 3], row_id: i64) -> Option<(Part, u64)> {
        let Row { value, bytes } = self.row(Record::Part, id, row_id)?;
        let ids = [("id", id), ("messageID", message), ("sessionID", session)];
        let part = Part::new(with_ids(value, &ids));
        let part = part.map_err(|malformed| self.skipped.note(named(Record::Part, id), malformed));
        part.ok().map(|part| (part, bytes))
    }

    fn row(&mut self, record: Record, id: &str, row_id: i64) -> Option<Row> {
        if !is_id(id) {
            self.skipped.note(named(record, id), "its id cannot be one");
            return None;
        }
        let table = if record == Record::Message { "message" } else { "part" };
        let open = || {
            let blob = self.connection.blob_open(MAIN_DB, table, "data", row_id, true);
            let blob = blob.map_err(|error| error.to_string())?;
            let bytes = blob.len() as u64;
            Ok((blob, bytes))
        };
        let row = self.reader.read(record, self.reading, open);
        row.map_err(|why| self.skipped.note(named(record, id), why)).ok()
    }
}

fn named(record: Record, id: &str) -> String {
    let what = if record == Record::Message { "message" } else { "part" };
    format!("{what} {}", id.chars().take(64).collect::<String>())
}
