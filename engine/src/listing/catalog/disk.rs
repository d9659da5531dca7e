//! The index on disk: a service that starts again knows at once what it knew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::listing::files::Stamp;
use crate::listing::row::Row;
use crate::listing::summary::Summary;

/// The version of what is in the file; one with another version is made anew.
const VERSION: i64 = 1;

/// What marks a database as an index of ours, at this place of the file's head ("hwlx").
const APPLICATION: i32 = 0x6877_6c78;
const APPLICATION_AT: usize = 68;
/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Changes that are made durable together at most: another service on the same home waits no longer than for these.
const CHANGES: usize = 256;

/// Why the index on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The database failed.
    #[error("the index {path} cannot be used: {source}; name another file, or keep the index in memory")]
    Failed {
        /// The file.
        path: String,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is somebody else's.
    #[error("{path} is no index of sessions, and is left as it is; name another file")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file cannot be looked at.
    #[error("the index {path} cannot be used: {source}; name another file, or keep the index in memory")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// A database of summaries. Whatever goes wrong with it later, lists are answered: it is no longer used then, and says so.
pub(super) struct Disk {
    /// None after a failure: nothing of it is to stay locked.
    connection: Option<Connection>,
    path: PathBuf,
    /// Changes since the last that was made durable.
    changes: usize,
    failure: Option<DiskError>,
}

impl Disk {
    /// Opens the index of a home, or makes it. One that is damaged, of another version or of another home is made anew: nothing is lost but
    /// time. A file that is no index is left alone.
    pub(super) fn open(path: &Path, home: &Path) -> Result<Disk, DiskError> {
        let name = || path.display().to_string();
        let failed = |source| DiskError::Failed { path: name(), source };
        if !is_ours(path).map_err(|source| DiskError::Io { path: name(), source })? {
            return Err(DiskError::Foreign { path: name() });
        }
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let connection = match connect(path, &home) {
            Err(error) if is_damaged(&error) => {
                remove(path).map_err(|source| DiskError::Io { path: name(), source })?;
                connect(path, &home)
            }
            result => result,
        };
        let connection = Some(connection.map_err(failed)?);
        Ok(Disk { connection, path: path.to_owned(), changes: 0, failure: None })
    }

    pub(super) fn failure(&self) -> Option<&DiskError> {
        self.failure.as_ref()
    }

    /// The summary of a file that is what it was.
    pub(super) fn get(&mut self, project: &str, id: &str, stamp: &Stamp) -> Option<Summary> {
        let get = |connection: &Connection| {
            let sql =
                "SELECT summary FROM summaries WHERE project = ?1 AND id = ?2 AND device = ?3 AND inode = ?4
                       AND bytes = ?5 AND modified_ns = ?6 AND changed_ns = ?7";
            let key = params![
                project,
                id,
                stamp.device.cast_signed(),
                stamp.inode.cast_signed(),
                stamp.bytes.cast_signed(),
                stamp.modified_ns,
                stamp.changed_ns
            ];
            connection.prepare_cached(sql)?.query_row(key, |row| row.get::<_, String>(0)).optional()
        };
        let text = self.attempt(get)??;
        // One that cannot be read is read from the file again.
        serde_json::from_str(&text).ok()
    }

    /// Keeps the summary of a file.
    pub(super) fn put(&mut self, row: &Row) {
        let Ok(summary) = serde_json::to_string(&*row.summary) else { return };
        let stamp = &row.stamp;
        self.write(
            "INSERT OR REPLACE INTO summaries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                &*row.project,
                &*row.id,
                stamp.device.cast_signed(),
                stamp.inode.cast_signed(),
                stamp.bytes.cast_signed(),
                stamp.modified_ns,
                stamp.changed_ns,
                summary
            ],
        );
    }

    /// Forgets a file.
    pub(super) fn remove(&mut self, project: &str, id: &str) {
        self.write("DELETE FROM summaries WHERE project = ?1 AND id = ?2", params![project, id]);
    }

    /// Forgets every file but some.
    pub(super) fn keep_only(&mut self, mut is_kept: impl FnMut(&str, &str) -> bool) {
        let gone = self.attempt(|connection| {
            let mut statement = connection.prepare("SELECT project, id FROM summaries")?;
            let mut rows = statement.query([])?;
            let mut gone: Vec<(String, String)> = Vec::new();
            while let Some(row) = rows.next()? {
                let key: (String, String) = (row.get(0)?, row.get(1)?);
                if !is_kept(&key.0, &key.1) {
                    gone.push(key);
                }
            }
            Ok(gone)
        });
        for (project, id) in gone.unwrap_or_default() {
            self.remove(&project, &id);
        }
    }

    /// Makes what was written durable.
    pub(super) fn commit(&mut self) {
        if std::mem::take(&mut self.changes) > 0 {
            self.attempt(|connection| connection.execute_batch("COMMIT"));
        }
    }

    fn write(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql]) {
        let is_first = self.changes == 0;
        self.attempt(|connection| {
            if is_first {
                connection.execute_batch("BEGIN IMMEDIATE")?;
            }
            connection.prepare_cached(sql)?.execute(values)
        });
        self.changes += 1;
        if self.changes >= CHANGES {
            self.commit();
        }
    }

    /// Does something, unless something failed before.
    fn attempt<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        match work(self.connection.as_ref()?) {
            Ok(value) => Some(value),
            Err(source) => {
                self.failure = Some(DiskError::Failed { path: self.path.display().to_string(), source });
                self.connection = None;
                None
            }
        }
    }
}

/// Whether a file may be used: it is not there yet, is empty, or carries our mark.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut file = match new_file(path) {
        Ok(_) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(path)?,
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    file.by_ref().take(100).read_to_end(&mut head)?;
    let mark = head.get(APPLICATION_AT..APPLICATION_AT + 4);
    Ok(head.is_empty() || head.starts_with(MAGIC) && mark == Some(&APPLICATION.to_be_bytes()[..]))
}

/// Makes a file that only its owner can read: titles of sessions are in it.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn connect(path: &Path, home: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Before anything is written elsewhere than into the file itself: whoever opens it next looks for the mark there.
    let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if mark != APPLICATION {
        connection.pragma_update(None, "application_id", APPLICATION)?;
    }
    // One thread writes; what a crash loses is read from the sessions again.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -512; PRAGMA busy_timeout = 1000;",
    )?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        connection.execute_batch(
            "DROP TABLE IF EXISTS summaries; DROP TABLE IF EXISTS home;
             CREATE TABLE home (path TEXT NOT NULL);
             CREATE TABLE summaries (
                 project TEXT NOT NULL, id TEXT NOT NULL,
                 device INTEGER NOT NULL, inode INTEGER NOT NULL, bytes INTEGER NOT NULL,
                 modified_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
                 summary TEXT NOT NULL,
                 PRIMARY KEY (project, id)
             ) WITHOUT ROWID;",
        )?;
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    let home = home.to_string_lossy();
    let known: Option<String> =
        connection.query_row("SELECT path FROM home", [], |row| row.get(0)).optional()?;
    if known.as_deref() != Some(&*home) {
        connection.execute_batch("DELETE FROM summaries; DELETE FROM home;")?;
        connection.execute("INSERT INTO home VALUES (?1)", [&*home])?;
    }
    Ok(connection)
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Removes a database with what belongs to it.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    for ending in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        match fs::remove_file(beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
