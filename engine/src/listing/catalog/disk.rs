//! The index on disk: a service that starts again knows at once what it knew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::listing::files::Stamp;
use crate::listing::row::Row;
use crate::listing::summary::Summary;

/// The version of what is in the file; one with another version is made anew.
const VERSION: i64 = 1;

/// Why the index on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the index {path} cannot be used: {source}; remove it, or start without one")]
pub struct DiskError {
    path: String,
    source: rusqlite::Error,
}

/// A database of summaries. Whatever goes wrong with it later, lists are answered: it is no longer used then, and says so.
pub(super) struct Disk {
    connection: Connection,
    path: PathBuf,
    in_transaction: bool,
    failure: Option<DiskError>,
}

impl Disk {
    /// Opens the index of a home, or makes it. One that is damaged, of another version or of another home is made anew: nothing is lost but
    /// time.
    pub(super) fn open(path: &Path, home: &Path) -> Result<Disk, DiskError> {
        let about = |source| DiskError { path: path.display().to_string(), source };
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let connection = match connect(path, &home) {
            Err(error) if is_damaged(&error) => {
                remove(path).map_err(|error| about(rusqlite::Error::ToSqlConversionFailure(error.into())))?;
                connect(path, &home)
            }
            result => result,
        };
        let connection = connection.map_err(about)?;
        Ok(Disk { connection, path: path.to_owned(), in_transaction: false, failure: None })
    }

    pub(super) fn failure(&self) -> Option<&DiskError> {
        self.failure.as_ref()
    }

    /// The summary of a file that is what it was.
    pub(super) fn get(&mut self, project: &str, id: &str, stamp: &Stamp) -> Option<Summary> {
        let get = |disk: &mut Disk| {
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
            disk.connection.prepare_cached(sql)?.query_row(key, |row| row.get::<_, String>(0)).optional()
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
        let gone = self.attempt(|disk| {
            let mut statement = disk.connection.prepare("SELECT project, id FROM summaries")?;
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
        if std::mem::take(&mut self.in_transaction) {
            self.attempt(|disk| disk.connection.execute_batch("COMMIT"));
        }
    }

    fn write(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql]) {
        self.attempt(|disk| {
            if !disk.in_transaction {
                disk.connection.execute_batch("BEGIN")?;
                disk.in_transaction = true;
            }
            disk.connection.prepare_cached(sql)?.execute(values)
        });
    }

    /// Does something, unless something failed before.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Disk) -> rusqlite::Result<T>) -> Option<T> {
        if self.failure.is_some() {
            return None;
        }
        match work(self) {
            Ok(value) => Some(value),
            Err(source) => {
                self.failure = Some(DiskError { path: self.path.display().to_string(), source });
                None
            }
        }
    }
}

fn connect(path: &Path, home: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
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
