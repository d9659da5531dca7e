//! The databases of OpenCode and Kilo, read beside tools that write them.
//!
//! Nothing in them is changed. Beside a database that has a journal, SQLite may make or change a `-shm`: an index of the journal, which holds
//! nothing of its own and goes when the last program closes the database. Texts of messages and parts are given as streams ([`rusqlite::blob`]): no long one is ever held whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::blob::Blob;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::PATH_UNITS;
use super::opencode::Record;
use super::source::{ReadError, is_passing};
use crate::json::text::preview;
use crate::tree::Node;

/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where a database's head says with which kind of journal it is read, and that it is one beside the file.
const JOURNAL: (usize, u8) = (19, 2);
/// How long another program's lock is waited for.
const BUSY: Duration = Duration::from_millis(250);
/// What a path must not have in the address of a database.
const ADDRESS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// An id of more than 1,024 bytes is not even taken out of its row.
macro_rules! id {
    () => {
        "CASE WHEN octet_length(id) <= 1024 THEN id END"
    };
}

const SESSIONS: &str = concat!(
    "SELECT ",
    id!(),
    ", directory, time_created, time_updated FROM session
     WHERE ?1 IS NULL OR id > ?1 COLLATE BINARY ORDER BY id COLLATE BINARY"
);
const MESSAGES: &str =
    concat!("SELECT rowid, ", id!(), " FROM message WHERE session_id = ?1 ORDER BY id COLLATE BINARY");
const PARTS: &str =
    concat!("SELECT rowid, ", id!(), " FROM part WHERE message_id = ?1 ORDER BY id COLLATE BINARY");
/// What must hold rows itself: a view or a virtual table could answer with anything, and has no values that can be streamed.
const TABLES: [&str; 3] = ["session", "message", "part"];
const TABLE: &str = "SELECT count(*) FROM sqlite_schema
    WHERE name = ?1 COLLATE NOCASE AND type = 'table' AND rootpage > 0";
/// Answered by every database whose sessions can be read.
const PROBES: [&str; 3] = [
    "SELECT id, directory, time_created, time_updated FROM session LIMIT 0",
    "SELECT rowid, id, session_id, data FROM message LIMIT 0",
    "SELECT rowid, id, message_id, data FROM part LIMIT 0",
];

/// An open database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    /// What was seen of it before it was opened, when it is read as one that nobody changes.
    still: Option<Still>,
}

/// A database that nobody had open.
#[derive(Debug)]
struct Still {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Still {
    fn of(path: &Path) -> Option<Still> {
        let metadata = path.metadata().ok().filter(|_| !journal(path).exists())?;
        Some(Still { path: path.to_owned(), bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    fn has_changed(&self) -> bool {
        Still::of(&self.path).is_none_or(|now| (now.bytes, now.modified) != (self.bytes, self.modified))
    }
}

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As one that nobody changes, when nobody has it open.
    Still,
    /// As SQLite does, with locks.
    Locked,
}

/// Why a database, or a session in it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("it is no database of SQLite")]
    Foreign,
    /// It lacks a table.
    #[error("no such table: {0}, or none that holds rows itself")]
    Table(&'static str),
    /// Its texts are not UTF-8.
    #[error("its texts are {0}, and only UTF-8 is read")]
    Encoding(String),
    /// It has no address.
    #[error("its path is not UTF-8")]
    Path,
    /// SQLite cannot read it: it is locked or damaged, or lacks a table or column.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A text of it cannot be read.
    #[error("{0}")]
    Text(#[from] ReadError),
}

impl DatabaseError {
    /// Whether it may pass without a change of the database, as a lock does.
    pub fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OutOfMemory,
            PermissionDenied, ReadOnly, SystemIoFailure,
        };
        match self {
            DatabaseError::Io(error) => is_passing(error.kind()),
            DatabaseError::Text(error) => error.is_passing(),
            DatabaseError::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    CannotOpen
                        | DatabaseBusy
                        | DatabaseLocked
                        | DiskFull
                        | FileLockingProtocolFailed
                        | OutOfMemory
                        | PermissionDenied
                        | ReadOnly
                        | SystemIoFailure
                )
            ),
            _ => false,
        }
    }
}

/// A row of `session`.
#[derive(Debug)]
pub struct SessionRow {
    /// The id.
    pub id: String,
    /// Where it took place.
    pub directory: Node,
    /// When it was begun.
    pub created: Node,
    /// When it was last changed.
    pub updated: Node,
}

impl Database {
    /// Opens a database as it is at this moment.
    ///
    /// # Errors
    /// When it is something else, locked or damaged, or lacks what sessions need.
    pub fn open(path: &Path, way: Way) -> Result<Database, DatabaseError> {
        let path = &resolved(path)?;
        // Without a journal nobody has the database open. To read it in the usual way would make one, or fail where nothing may be made.
        let still = Still::of(path).filter(|_| way == Way::Still);
        let mut head = Vec::new();
        File::open(path)?.take(JOURNAL.0 as u64 + 1).read_to_end(&mut head)?;
        if !head.starts_with(MAGIC) {
            return Err(DatabaseError::Foreign);
        }
        let still = still.filter(|_| head.get(JOURNAL.0) == Some(&JOURNAL.1));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if still.is_some() {
            Connection::open_with_flags(address(path)?, flags | OpenFlags::SQLITE_OPEN_URI)?
        } else {
            Connection::open_with_flags(path, flags)?
        };
        connection.busy_timeout(BUSY)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch(
            "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON;
             PRAGMA mmap_size = 0; PRAGMA cache_size = -512; BEGIN",
        )?;
        for table in TABLES {
            if connection.query_row(TABLE, [table], |row| row.get::<_, i64>(0))? == 0 {
                return Err(DatabaseError::Table(table));
            }
        }
        for probe in PROBES {
            connection.prepare(probe)?.query([])?.next()?;
        }
        let encoding: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
        match &*encoding {
            "UTF-8" => Ok(Database { connection, still }),
            _ => Err(DatabaseError::Encoding(encoding)),
        }
    }

    /// Whether it is read as one that nobody changes, and was changed since: what was read last may be of no state that it ever had.
    pub fn has_changed(&self) -> bool {
        self.still.as_ref().is_some_and(Still::has_changed)
    }

    /// Gives every session whose id comes after another, by id; one whose id is no text of at most 1,024 bytes is given as `None`.
    ///
    /// # Errors
    /// When the sessions cannot be listed to their end; those before have been given.
    pub fn sessions<E: From<DatabaseError>>(
        &self,
        after: Option<&str>,
        mut session: impl FnMut(Option<SessionRow>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| E::from(error.into());
        let mut statement = self.connection.prepare_cached(SESSIONS).map_err(failed)?;
        let mut rows = statement.query([after]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |at| row.get_ref(at).map(node).map_err(failed);
            let (directory, created, updated) = (value(1)?, value(2)?, value(3)?);
            let id = row.get(0).ok();
            session(id.map(|id| SessionRow { id, directory, created, updated }))?;
        }
        Ok(())
    }

    /// Gives the messages of a session, or the parts of a message, by id, each with its row; an id is `None` if it is
    /// no text of at most 1,024 bytes.
    ///
    /// # Errors
    /// When they cannot be listed to their end, or what they are given to fails.
    pub fn records(
        &self,
        record: Record,
        of: &str,
        mut give: impl FnMut(i64, Option<String>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let sql = if record == Record::Part { PARTS } else { MESSAGES };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([of])?;
        while let Some(row) = rows.next()? {
            give(row.get(0)?, row.get(1).ok())?;
        }
        Ok(())
    }

    /// The text of a message or part, also one that is stored as bytes. A number or null has none.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn text(&self, record: Record, row: i64) -> Result<Option<Blob<'_>>, DatabaseError> {
        let table = if record == Record::Part { "part" } else { "message" };
        match self.connection.blob_open(MAIN_DB, table, "data", row, true) {
            Ok(text) => Ok(Some(text)),
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::Unknown =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Where a database lies that may be a link: beside it, and not beside the link, its journal is.
///
/// # Errors
/// When the link leads nowhere.
pub fn resolved(path: &Path) -> io::Result<PathBuf> {
    if path.is_symlink() { path.canonicalize() } else { Ok(path.to_owned()) }
}

/// The journal of a database that is no link.
pub fn journal(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    journal.into()
}

/// The address of a database that nobody changes.
fn address(path: &Path) -> Result<String, DatabaseError> {
    let path = path.to_str().ok_or(DatabaseError::Path)?;
    // What a resolved link begins with on Windows.
    let path = path.strip_prefix(r"\\?\").unwrap_or(path);
    let path = if cfg!(windows) { format!("/{}", path.replace('\\', "/")) } else { path.to_owned() };
    Ok(format!("file:{}?immutable=1", utf8_percent_encode(&path, ADDRESS)))
}

fn node(value: ValueRef<'_>) -> Node {
    match value {
        ValueRef::Integer(number) => Node::Integer(number),
        ValueRef::Real(number) => Node::Float(number),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map_or(Node::Null, |text| Node::Text(preview(text, PATH_UNITS as usize).into())),
        ValueRef::Null | ValueRef::Blob(_) => Node::Null,
    }
}
