//! A database of OpenCode or Kilo.

use std::io;

use super::{Parser, Sink};
use crate::formats::database::{Database, DatabaseError, SessionRow};
use crate::formats::opencode::{Conversation, Record, head, record};
use crate::formats::source::{Input, Reader, Skips};
use crate::session::Request;
use crate::sync::discover::Workspace;
use crate::tree::Node;

/// Why no more sessions are read.
enum End {
    Database(DatabaseError),
    Sink(io::Error),
}

impl From<DatabaseError> for End {
    fn from(error: DatabaseError) -> End {
        End::Database(error)
    }
}

/// What could not be read of a database.
#[derive(Default)]
struct Failed {
    sessions: u64,
    first: Option<String>,
}

impl Parser<'_> {
    pub(super) fn database(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        if !self.may_read(&path, &key, sink)? {
            return Ok(());
        }
        let database = match Database::open(&path) {
            Ok(database) => database,
            Err(error) => {
                self.skipped.file(&key, &error);
                return Ok(());
            }
        };
        let (mut skips, mut failed) = (Skips::default(), Failed::default());
        let read = database.sessions(|row| {
            let Some(row) = row else {
                skips.record(&"a session", &"its id is no text");
                return Ok(());
            };
            match requests(&database, &mut self.reader, &row, Conversation::new(self.hold), &mut skips) {
                Ok(requests) => {
                    let SessionRow { id, directory, created, updated } = row;
                    let (head, name) = head(&id, Some(&directory), Some(&created), Some(&updated));
                    self.session(head, requests, workspace, &name, sink).map_err(End::Sink)
                }
                Err(error) => {
                    failed.sessions += 1;
                    failed.first.get_or_insert_with(|| format!("session {}: {error}", row.id));
                    Ok(())
                }
            }
        });
        self.note(&key, &skips);
        match (read, failed) {
            (Err(End::Sink(error)), _) => return Err(error),
            (Err(End::Database(error)), _) => {
                self.skipped.file(&key, &format_args!("its sessions cannot be read to the end: {error}"));
            }
            (Ok(()), Failed { sessions, first: Some(first) }) => {
                self.skipped.file(&key, &format_args!("{sessions} of its sessions cannot be read; {first}"));
            }
            (Ok(()), _) => {}
        }
        Ok(())
    }
}

/// The requests of a session. Messages and parts that cannot be used are skipped and counted.
fn requests(
    database: &Database,
    reader: &mut Reader,
    session: &SessionRow,
    mut conversation: Conversation,
    skips: &mut Skips,
) -> Result<Vec<Request>, DatabaseError> {
    database.records(Record::Message, &session.id, |row, id| {
        let Some((id, message)) = read(database, reader, Record::Message, (row, id), skips)? else {
            return Ok(());
        };
        conversation.message(&id, &message);
        drop(message);
        database.records(Record::Part, &id, |row, id| {
            if let Some((_, part)) = read(database, reader, Record::Part, (row, id), skips)? {
                conversation.part(&part);
            }
            Ok(())
        })
    })?;
    Ok(conversation.finish())
}

/// A message or part with its id; one that cannot be used is skipped and counted.
fn read(
    database: &Database,
    reader: &mut Reader,
    what: Record,
    (row, id): (i64, Option<String>),
    skips: &mut Skips,
) -> Result<Option<(String, Node)>, DatabaseError> {
    let kind = if what == Record::Part { "part" } else { "message" };
    let Some(id) = id else {
        skips.record(&format_args!("{kind} in row {row}"), &"its id is no text");
        return Ok(None);
    };
    let name = format_args!("{kind} {id}");
    let Some(text) = database.text(what, row)? else {
        skips.record(&name, &"it has no text");
        return Ok(None);
    };
    match record(reader, Input::Value(text), what) {
        Ok(Some(node)) => return Ok(Some((id, node))),
        Ok(None) => skips.record(&name, &"it is no JSON object"),
        Err(error) if error.is_failure() => return Err(error.into()),
        Err(error) => skips.record(&name, &error),
    }
    Ok(None)
}
