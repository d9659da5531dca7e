//! One way to speak to both databases: the same statements, parameters and rows.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use rusqlite::{ErrorCode, OpenFlags};

use super::error::{Failed, StoreError};
use super::target::{Server, Way};
use super::tls;

/// How long a writer waits for others. Each writes for some milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Statements that SQLite keeps prepared; there are fewer.
const STATEMENTS: usize = 64;
/// How often the journal's switch is tried while others open the file too.
const SWITCHES: usize = 100;
/// What marks a file of SQLite as a history of highwater: "HWhi".
const APPLICATION: i64 = 0x4857_6869;
/// The lock that writers hold in a PostgreSQL database, of which SQLite has one anyway: "highwate" as a number.
const WRITERS: &str = "SELECT pg_advisory_xact_lock(7523658350876259429)";

/// An open database.
pub(super) enum Connection {
    /// A file.
    Sqlite(rusqlite::Connection),
    /// A session with a server.
    Postgres(Box<Session>),
}

/// A session with a server, and the statements that it has prepared.
pub(super) struct Session {
    client: postgres::Client,
    statements: HashMap<&'static str, postgres::Statement>,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read one state of everything, however long that takes.
    Read,
    /// To write; only one does so at a time.
    Write,
}

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Bytes(&'a [u8]),
}

/// A row of an answer; its columns are counted from 0.
pub(super) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Connection {
    /// Opens a file, and makes it where it is missing. A file that is someone else's is refused.
    pub(super) fn file(path: &Path) -> Result<Connection, StoreError> {
        let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { path: path.to_owned() },
            _ => StoreError::Failed {
                what: "open",
                store: path.display().to_string(),
                why: Failed::Sqlite(error),
            },
        };
        // No URI: a name with a `?` is a name.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        if !is_ours(&connection).map_err(failed)? {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        write_ahead(&connection).map_err(failed)?;
        // What was acknowledged is on the disk, also when the machine loses its power.
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        Ok(Connection::Sqlite(connection))
    }

    /// Opens a session with a server.
    pub(super) fn server(server: &Server) -> Result<Connection, StoreError> {
        let failed = |error: postgres::Error| StoreError::Failed {
            what: "open",
            store: format!("{server:?}"),
            why: Failed::Postgres(error),
        };
        let mut client = match &server.way {
            Way::Plain => server.config.connect(postgres::NoTls),
            Way::Checked { roots } => server.config.connect(tls::checked(roots.as_deref())?),
        }
        .map_err(failed)?;
        // The same promise as that of a file, whatever the server does by default.
        client
            .batch_execute(&format!(
                "SET synchronous_commit = on; SET client_min_messages = warning; SET lock_timeout = '{}s'",
                PATIENCE.as_secs()
            ))
            .map_err(failed)?;
        Ok(Connection::Postgres(Box::new(Session { client, statements: HashMap::new() })))
    }

    /// Does something in a transaction, which is undone where that fails.
    pub(super) fn within<T>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(&mut Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.batch(match (&self, purpose) {
            (Connection::Sqlite(_), Purpose::Read) => "BEGIN",
            (Connection::Sqlite(_), Purpose::Write) => "BEGIN IMMEDIATE",
            (Connection::Postgres(_), Purpose::Read) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Connection::Postgres(_), Purpose::Write) => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        })?;
        let lock = match (&self, purpose) {
            (Connection::Postgres(_), Purpose::Write) => self.batch(WRITERS),
            _ => Ok(()),
        };
        let done = lock.and_then(|()| work(self)).and_then(|value| self.batch("COMMIT").map(|()| value));
        if done.is_err() {
            // What failed is what is told; a session that is gone has undone everything already.
            let _ = self.batch("ROLLBACK");
        }
        done
    }

    /// Executes statements without parameters.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        match self {
            Connection::Sqlite(connection) => connection.execute_batch(sql)?,
            Connection::Postgres(session) => session.client.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Executes one statement, and gives how many rows it changed.
    pub(super) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Failed> {
        match self {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(values))? as u64)
            }
            Connection::Postgres(session) => {
                let statement = session.prepared(sql)?;
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(Value::of_postgres).collect();
                Ok(session.client.execute(&statement, &values)?)
            }
        }
    }

    /// Asks, and looks at each row of the answer as it comes.
    pub(super) fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        match self {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                while let Some(row) = rows.next()? {
                    each(&Row::Sqlite(row))?;
                }
            }
            Connection::Postgres(session) => {
                let statement = session.prepared(sql)?;
                let values = values.iter().map(Value::of_postgres);
                let values: Vec<&(dyn ToSql + Sync)> = values.collect();
                let mut rows = session.client.query_raw(&statement, values)?;
                while let Some(row) = rows.next()? {
                    each(&Row::Postgres(&row))?;
                }
            }
        }
        Ok(())
    }

    /// Asks for one number; `None` where there is no row.
    pub(super) fn number(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<i64>, Failed> {
        let mut found = None;
        self.query(sql, values, &mut |row| {
            found = Some(row.int(0)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether a table is there. This is the one question that the two are asked in different words.
    pub(super) fn has_table(&mut self, name: &str) -> Result<bool, Failed> {
        let sql = match self {
            Connection::Sqlite(_) => "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
            Connection::Postgres(_) => {
                "SELECT count(*) FROM pg_catalog.pg_tables WHERE tablename = $1 AND schemaname = current_schema()"
            }
        };
        Ok(self.number(sql, &[Value::Text(name)])?.is_some_and(|count| count > 0))
    }

    /// Marks a file as a history; part of the transaction that makes its tables.
    pub(super) fn mark(&mut self) -> Result<(), Failed> {
        match self {
            Connection::Sqlite(connection) => {
                connection.pragma_update(None, "application_id", APPLICATION)?;
            }
            Connection::Postgres(_) => {}
        }
        Ok(())
    }
}

/// Whether the file is a history, or empty and so becomes one.
fn is_ours(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    // The tables first: both come with one transaction, which may be made between the two questions.
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(application == APPLICATION || (application == 0 && tables == 0))
}

/// Lets readers read while a writer writes.
fn write_ahead(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    // Where the file system has no shared memory, another journal stays, which is as safe.
    let switch = || connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    for _ in 0..SWITCHES {
        match switch() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                // The switch itself does not wait for those who open the file at the same time. A transaction does.
                connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
            }
            other => return other,
        }
    }
    switch()
}

impl Session {
    fn prepared(&mut self, sql: &'static str) -> Result<postgres::Statement, Failed> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl<'a> Value<'a> {
    fn of_postgres<'b>(&'b self) -> &'b (dyn ToSql + Sync)
    where
        'a: 'b,
    {
        match self {
            Value::Int(value) => value,
            Value::MaybeInt(value) => value,
            Value::Text(value) => value,
            Value::MaybeText(value) => value,
            Value::Bytes(value) => value,
        }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Value::Int(value) => rusqlite::ToSql::to_sql(value),
            Value::MaybeInt(value) => rusqlite::ToSql::to_sql(value),
            Value::Text(value) => rusqlite::ToSql::to_sql(value),
            Value::MaybeText(value) => rusqlite::ToSql::to_sql(value),
            Value::Bytes(value) => rusqlite::ToSql::to_sql(value),
        }
    }
}

impl Row<'_> {
    pub(super) fn int(&self, column: usize) -> Result<i64, Failed> {
        Ok(match self {
            Row::Sqlite(row) => row.get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failed> {
        Ok(match self {
            Row::Sqlite(row) => row.get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn text(&self, column: usize) -> Result<String, Failed> {
        Ok(match self {
            Row::Sqlite(row) => row.get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<String>, Failed> {
        Ok(match self {
            Row::Sqlite(row) => row.get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn bytes(&self, column: usize) -> Result<&[u8], Failed> {
        match self {
            Row::Sqlite(row) => {
                let blob = row.get_ref(column)?.as_blob();
                blob.map_err(|error| Failed::damaged(format!("column {column}: {error}")))
            }
            Row::Postgres(row) => Ok(row.try_get(column)?),
        }
    }
}
