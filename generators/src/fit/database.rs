//! The databases of OpenCode and Kilo. Nothing in them is changed, and their texts are streams: of one of any length only its size, its
//! nesting and a few short names are seen.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, Row};

use crate::Error;
use crate::fit::documents::Piece;
use crate::fit::tally::{Lines, Session, Tally};
use crate::fit::{Reader, Told};
use crate::opencode::Pages;
use crate::plan::percent_encoded;

/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where a database's head says with which kind of journal it is read, and that it is one beside the file.
const JOURNAL: (usize, u8) = (19, 2);
/// How long another program's lock is waited for.
const BUSY: Duration = Duration::from_millis(250);
/// No value but the streamed texts is longer: ids have 30 bytes.
const VALUE_BYTES_MAX: i32 = 1 << 16;

/// Sessions, the workspace of each being its project.
const PROJECTS: &str = "SELECT count(*) FROM session GROUP BY project_id";
const SESSIONS: &str = "SELECT rowid FROM session ORDER BY rowid";
/// Messages of a session, and parts of a message, each with the bytes of its text. No id is held.
const MESSAGES: &str = "SELECT m.rowid, octet_length(m.data) FROM session s JOIN message m ON m.session_id = s.id \
                        WHERE s.rowid = ?1 ORDER BY m.id";
const PARTS: &str = "SELECT p.rowid, octet_length(p.data) FROM message m JOIN part p ON p.message_id = m.id \
                     WHERE m.rowid = ?1 ORDER BY p.id";

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
enum End {
    /// The database cannot be read on.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is no database of SQLite")]
    Foreign,
    #[error("its path is not UTF-8")]
    Path,
    /// All reading ends.
    #[error(transparent)]
    All(Error),
}

impl Reader<'_> {
    /// Counts the sessions of a database. One that cannot be read is named, and so is one that cannot be read to its end.
    pub(super) fn database(&mut self, path: &Path, tally: &mut Tally) -> Result<(), Error> {
        let before = tally.sessions.len();
        let read = open(path).and_then(|connection| {
            self.sessions(&connection, tally)?;
            workspaces(&connection, tally)
        });
        match read {
            Ok(()) => Ok(()),
            Err(End::All(error)) => Err(error),
            Err(end) => {
                let sessions = (tally.sessions.len() - before) as u64;
                if sessions > 0 {
                    tally.workspace(sessions);
                }
                self.skip(path, format!("{end}; {sessions} of its sessions are in the profile"));
                Ok(())
            }
        }
    }

    fn sessions(&mut self, connection: &Connection, tally: &mut Tally) -> Result<(), End> {
        let mut statement = connection.prepare(SESSIONS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut lines = Lines::default();
            let session = self.session(connection, row.get(0)?, &mut lines)?;
            tally.lines.join(lines);
            tally.session(session, "database");
        }
        Ok(())
    }

    fn session(&mut self, connection: &Connection, row: i64, lines: &mut Lines) -> Result<Session, End> {
        let (mut pages, mut requests, mut calls) = (Pages::default(), 0, None);
        let mut messages = connection.prepare_cached(MESSAGES)?;
        let mut parts = connection.prepare_cached(PARTS)?;
        let mut messages = messages.query([row])?;
        while let Some(row) = messages.next()? {
            let message: i64 = row.get(0)?;
            pages.message(count(row, 1)?);
            let mut piece = Piece::new(lines);
            let is_text = self.text(connection, "message", message, &mut piece)?;
            if piece.is_user {
                requests += 1;
                calls.replace(0).into_iter().for_each(|calls| lines.request(calls));
            }
            lines.broken += u64::from(!is_text);
            let mut parts = parts.query([message])?;
            while let Some(row) = parts.next()? {
                pages.part(count(row, 1)?);
                let mut piece = Piece::new(lines);
                let is_text = self.text(connection, "part", row.get(0)?, &mut piece)?;
                if piece.is_call
                    && let Some(calls) = &mut calls
                {
                    *calls += 1;
                }
                lines.broken += u64::from(!is_text);
            }
        }
        calls.into_iter().for_each(|calls| lines.request(calls));
        Ok(Session { bytes: pages.bytes(), requests, subagents: 0 })
    }

    /// Scans the text of a row; tells whether it is one.
    fn text(
        &mut self,
        connection: &Connection,
        table: &str,
        row: i64,
        piece: &mut Piece<'_>,
    ) -> Result<bool, End> {
        let text = match connection.blob_open(MAIN_DB, table, "data", row, true) {
            Ok(text) => text,
            Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::Unknown => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let mut text = Told { input: text, observer: self.observer };
        let (_, failure) = self.pour(&mut text, false, piece).map_err(End::All)?;
        failure.map_or(Ok(true), |error| Err(error.into()))
    }
}

fn workspaces(connection: &Connection, tally: &mut Tally) -> Result<(), End> {
    let mut statement = connection.prepare(PROJECTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tally.workspace(count(row, 0)?);
    }
    Ok(())
}

/// A count in a row; where there is nothing to count, 0.
fn count(row: &Row<'_>, at: usize) -> Result<u64, End> {
    Ok(row.get::<_, Option<i64>>(at)?.map_or(0, i64::unsigned_abs))
}

/// Opens a database as it is at this moment.
fn open(path: &Path) -> Result<Connection, End> {
    let mut head = Vec::new();
    File::open(path)?.take(JOURNAL.0 as u64 + 1).read_to_end(&mut head)?;
    if !head.starts_with(MAGIC) {
        return Err(End::Foreign);
    }
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    // Without a journal nobody has the database open. To read it in the usual way would make one, or fail where nothing may be made.
    let is_still = head.get(JOURNAL.0) == Some(&JOURNAL.1) && !Path::new(&journal).exists();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = if is_still {
        Connection::open_with_flags(address(path)?, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0; PRAGMA cache_size = -512; BEGIN",
    )?;
    Ok(connection)
}

/// The address of a database that nobody changes.
fn address(path: &Path) -> Result<String, End> {
    let path = path.to_str().ok_or(End::Path)?;
    // A full path of Windows may begin so, which no address does.
    let path = path.strip_prefix(r"\\?\").unwrap_or(path);
    let path = if cfg!(windows) { format!("/{}", path.replace('\\', "/")) } else { path.to_owned() };
    let parts: Vec<String> = path.split('/').map(percent_encoded).collect();
    Ok(format!("file:{}?immutable=1", parts.join("/")))
}
