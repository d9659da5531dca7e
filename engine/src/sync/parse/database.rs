//! A database of OpenCode or Kilo.

use std::io;

use super::{Parser, Sink};
use crate::formats::database::{Database, DatabaseError, SessionRow, Way};
use crate::formats::opencode::{Conversation, Record, head, record};
use crate::formats::source::{Input, Reader, Skips};
use crate::json::text::preview;
use crate::session::{NAME_UNITS, Request};
use crate::sync::discover::Workspace;
use crate::tree::Node;

/// Why a record is skipped whose id does not serve.
const NO_ID: &str = "its id is no text of at most 1,024 bytes";

/// Why no more sessions are read.
enum End {
    /// It cannot be opened.
    Refused(DatabaseError),
    /// Its list of sessions ends in an error.
    Database(DatabaseError),
    /// Somebody changed it, though nobody had it open.
    Changed,
    Sink(io::Error),
}

impl From<DatabaseError> for End {
    fn from(error: DatabaseError) -> End {
        End::Database(error)
    }
}

/// What has been read of a database: up to which session, and what was left out on the way.
#[derive(Clone, Default)]
struct Progress {
    last: Option<String>,
    skips: Skips,
    failed: u64,
    first_failed: Option<String>,
}

impl Parser<'_> {
    pub(super) fn database(&mut self, workspace: &Workspace, sink: &mut dyn Sink) -> io::Result<()> {
        let (path, key) = (workspace.path(self.home), workspace.key());
        if !self.may_read(&path, &key, sink)? {
            return Ok(());
        }
        let mut progress = Progress::default();
        let mut read = self.sessions(workspace, Way::Still, &mut progress, sink);
        if let Err(End::Changed) = read {
            read = self.sessions(workspace, Way::Locked, &mut progress, sink);
        }
        self.note(&key, &progress.skips);
        let failed = progress
            .first_failed
            .map(|first| format!("{} of its sessions cannot be read; {first}", progress.failed));
        match (read, failed) {
            (Err(End::Sink(error)), _) => return Err(error),
            (Err(End::Refused(error)), _) => self.skipped.file(&key, &error),
            (Err(End::Database(error)), failed) => {
                let failed = failed.map(|failed| format!("; {failed}")).unwrap_or_default();
                let why = format_args!("its sessions cannot be read to the end: {error}{failed}");
                self.skipped.file(&key, &why);
            }
            (Ok(()) | Err(End::Changed), Some(failed)) => self.skipped.file(&key, &failed),
            (Ok(()) | Err(End::Changed), None) => {}
        }
        Ok(())
    }

    /// Delivers the sessions that have not been, each when it is known that nobody changed what it was read from.
    fn sessions(
        &mut self,
        workspace: &Workspace,
        way: Way,
        progress: &mut Progress,
        sink: &mut dyn Sink,
    ) -> Result<(), End> {
        let opened = Database::open(&workspace.path(self.home), way);
        let database = opened.map_err(|error| {
            self.skipped.passing += u64::from(error.is_passing());
            End::Refused(error)
        })?;
        let mut next = progress.clone();
        let after = progress.last.clone();
        let read = database.sessions(after.as_deref(), |row| {
            let Some(row) = row else {
                next.skips.record(&"a session", &NO_ID);
                return Ok(());
            };
            let conversation = Conversation::new(self.hold);
            let read = requests(&database, &mut self.reader, &row, conversation, &mut next.skips);
            if database.has_changed() {
                return Err(End::Changed);
            }
            next.last = Some(row.id.clone());
            match read {
                Ok(requests) => {
                    let SessionRow { id, directory, created, updated } = row;
                    let (head, name) = head(&id, Some(&directory), Some(&created), Some(&updated));
                    self.session(head, requests, workspace, &name, sink).map_err(End::Sink)?;
                }
                Err(error) => {
                    self.skipped.passing += u64::from(error.is_passing());
                    next.failed += 1;
                    let id = preview(&row.id, NAME_UNITS);
                    next.first_failed.get_or_insert_with(|| format!("session {id}: {error}"));
                }
            }
            progress.clone_from(&next);
            Ok(())
        });
        if matches!(read, Err(End::Sink(_))) {
            return read;
        }
        if database.has_changed() {
            return Err(End::Changed);
        }
        if let Err(End::Database(error)) = &read {
            self.skipped.passing += u64::from(error.is_passing());
        }
        *progress = next;
        read
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
        skips.record(&format_args!("{kind} in row {row}"), &NO_ID);
        return Ok(None);
    };
    let name = format_args!("{kind} {}", preview(&id, NAME_UNITS));
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
