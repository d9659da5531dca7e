//! Databases of SQLite whose bytes are the same on every machine: one page size, no journal, and statements in one order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ToSql};
use tempfile::TempDir;

use crate::page::{Finished, file_hasher};

/// Before anything is in it. Nothing reads the file before it is complete, so that neither a journal nor syncs are needed; what was freed is
/// overwritten, so that no byte of a page is left to chance.
const SETUP: &str = "pragma page_size = 4096; pragma encoding = 'UTF-8'; pragma journal_mode = off; pragma synchronous = off;
    pragma locking_mode = exclusive; pragma cache_size = -2000; pragma foreign_keys = off; pragma secure_delete = on;
    pragma temp_store = memory;";

/// Rows of a transaction: they bound what SQLite holds.
const TRANSACTION_ROWS: u64 = 4_000;

/// A database being written.
pub(crate) struct Sheet {
    connection: Connection,
    path: PathBuf,
    /// Where it is made, when it does not stay.
    scratch: Option<TempDir>,
    rows: u64,
    records: BTreeMap<String, u64>,
}

impl Sheet {
    /// Makes a database with a schema in a new file: the one given, or one that is removed at the end.
    pub(crate) fn create(path: Option<PathBuf>, schema: &str) -> io::Result<Self> {
        let scratch = path.is_none().then(tempfile::tempdir).transpose()?;
        let path = match (path, &scratch) {
            (Some(path), _) => path,
            (None, scratch) => scratch.as_ref().map_or_else(PathBuf::new, |folder| folder.path().join("db")),
        };
        File::create_new(&path)?;
        let connection = Connection::open(&path).map_err(io::Error::other)?;
        for sql in [SETUP, schema, "begin"] {
            connection.execute_batch(sql).map_err(io::Error::other)?;
        }
        Ok(Sheet { connection, path, scratch, rows: 0, records: BTreeMap::new() })
    }

    /// Inserts a row, which counts as a record of a kind.
    pub(crate) fn insert(&mut self, kind: &str, sql: &str, values: &[&dyn ToSql]) -> io::Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(io::Error::other)?;
        statement.execute(values).map_err(io::Error::other)?;
        match self.records.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.records.insert(kind.to_owned(), 1)),
        }
        self.rows += 1;
        if self.rows.is_multiple_of(TRANSACTION_ROWS) {
            self.connection.execute_batch("commit; begin").map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Writes the rest, and reads the file for its digest.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        self.finish_with(|_| Ok(()))
    }

    /// The same, with something done to the file when it is complete, and before its digest is taken.
    pub(crate) fn finish_with(self, change: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<Finished> {
        let Sheet { connection, path, scratch, records, .. } = self;
        connection.execute_batch("commit").map_err(io::Error::other)?;
        connection.close().map_err(|(_, error)| io::Error::other(error))?;
        change(&path)?;
        let (mut file, mut hasher) = (File::open(&path)?, file_hasher());
        let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.write(&buffer[..count]);
            bytes += count as u64;
        }
        drop(file);
        scratch.map(TempDir::close).transpose()?;
        Ok(Finished { bytes, digest: format!("{:016x}", hasher.finish()), lines: 0, records })
    }
}
