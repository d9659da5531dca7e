//! The tables: made when there are none, and looked for when there are.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};
use serde_json::Value;

use crate::view::storage::StorageError;
use crate::view::storage::columns::{Column, PROJECT, SESSION, normal};
use crate::view::storage::files::about;

/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Statements that are kept prepared.
const STATEMENTS: usize = 40;

/// The tables of messages, parts and todos.
const TABLES: &str = "
    CREATE TABLE message (
        id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL
    );
    CREATE TABLE part (
        id TEXT PRIMARY KEY, message_id TEXT NOT NULL REFERENCES message(id) ON DELETE CASCADE,
        session_id TEXT NOT NULL,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL
    );
    CREATE TABLE todo (
        session_id TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        content TEXT NOT NULL, status TEXT NOT NULL, priority TEXT NOT NULL, position INTEGER NOT NULL,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL,
        PRIMARY KEY (session_id, position)
    );
    CREATE INDEX session_project_idx ON session (project_id);
    CREATE INDEX session_workspace_idx ON session (workspace_id);
    CREATE INDEX session_parent_idx ON session (parent_id);
    CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
    CREATE INDEX part_message_id_id_idx ON part (message_id, id);
    CREATE INDEX part_session_idx ON part (session_id);";

/// What every database of sessions can answer. Rows are streamed by their row ids, as UTF-8.
const PROBES: [&str; 5] = [
    "SELECT id FROM project LIMIT 0",
    "SELECT id FROM session LIMIT 0",
    "SELECT rowid, id, session_id, time_created, time_updated, data FROM message LIMIT 0",
    "SELECT rowid, id, message_id, session_id, time_created, time_updated, data FROM part LIMIT 0",
    "SELECT session_id, content, status, priority, position, time_created, time_updated FROM todo LIMIT 0",
];

/// How projects or sessions of a database are read and written: by those of the known columns that it has.
#[derive(Debug)]
pub(super) struct Table {
    all: &'static [Column],
    pub(super) columns: Vec<&'static Column>,
    /// Names of columns that this database never leaves empty.
    filled: Vec<String>,
    put: String,
    /// `SELECT` of the id and the columns, without a condition.
    pub(super) select: String,
}

impl Table {
    fn of(
        connection: &Connection,
        table: &str,
        all: &'static [Column],
    ) -> rusqlite::Result<Result<Table, String>> {
        let (mut names, mut filled) = (Vec::new(), Vec::new());
        connection.pragma(None, "table_info", table, |row| {
            let name: String = row.get("name")?;
            if row.get("notnull")? {
                filled.push(name.clone());
            }
            names.push(name);
            Ok(())
        })?;
        let columns: Vec<_> =
            all.iter().filter(|column| names.iter().any(|name| name == column.name)).collect();
        if let Some(column) =
            all.iter().find(|column| column.is_needed() && !names.contains(&column.name.to_owned()))
        {
            return Ok(Err(format!("{table} has no column {}", column.name)));
        }
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        let set: Vec<_> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let (names, set) = (names.join(", "), set.join(", "));
        let values = ", ?".repeat(columns.len());
        let put = format!(
            "INSERT INTO {table} (id, {names}) VALUES (?{values}) ON CONFLICT (id) DO UPDATE SET {set}"
        );
        Ok(Ok(Table { all, columns, filled, put, select: format!("SELECT id, {names} FROM {table}") }))
    }

    /// Writes a record.
    pub(super) fn write(&self, connection: &Connection, id: &str, value: &Value) -> rusqlite::Result<()> {
        let value = normal(self.all, id, value.clone()).unwrap_or_default();
        let fields = self.columns.iter().map(|column| match column.to_sql(&value) {
            Sql::Null if self.filled.iter().any(|name| name == column.name) => column.empty(),
            sql => sql,
        });
        let values = std::iter::once(Sql::from(id.to_owned())).chain(fields);
        connection.prepare_cached(&self.put)?.execute(params_from_iter(values)).map(|_| ())
    }

    /// Reads a record.
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Value> {
        let id: String = row.get(0)?;
        let mut value = Value::Object(serde_json::Map::new());
        for (at, column) in self.columns.iter().enumerate() {
            column.put_sql(row.get_ref(at + 1)?, &mut value);
        }
        Ok(normal(self.all, &id, value).unwrap_or_default())
    }
}

/// An open database, with what its tables have.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) project: Table,
    pub(super) session: Table,
}

/// Opens a database, or makes it where there is no file or an empty one.
pub(super) fn open(path: &Path) -> Result<Opened, StorageError> {
    let foreign = |why: String| StorageError::Foreign { path: path.display().to_string(), why };
    let failed = |source| StorageError::Database { path: path.display().to_string(), source };
    let is_new = match head(path).map_err(about(path))? {
        None => true,
        Some(head) if head == MAGIC => false,
        Some(_) => return Err(foreign("it does not begin as one of SQLite".to_owned())),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    if is_new {
        make(&connection).map_err(failed)?;
    }
    if let Some(why) = flaw(&connection).map_err(failed)? {
        return Err(foreign(why));
    }
    let project = Table::of(&connection, "project", PROJECT).map_err(failed)?.map_err(foreign)?;
    let session = Table::of(&connection, "session", SESSION).map_err(failed)?.map_err(foreign)?;
    Ok(Opened { connection, project, session })
}

/// The first bytes of a file; none when there is nothing in it. A new one can be read by its owner only.
fn head(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(Some(head).filter(|head| !head.is_empty()))
}

/// Settings of this connection; none changes the file. Another program's transaction is waited for. With the journal beside the file, as
/// the tools have it, a commit waits for the disk only when the journal is taken over, and a crash loses the last commits at most.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA busy_timeout = 1000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA synchronous = NORMAL; PRAGMA cache_size = -512;",
    )
}

/// Makes the tables, all or none: a file without any is somebody else's.
fn make(connection: &Connection) -> rusqlite::Result<()> {
    let list = |columns: &[Column]| columns.iter().map(Column::declaration).collect::<Vec<_>>().join(", ");
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE project (id TEXT PRIMARY KEY, {});
         CREATE TABLE session (
             id TEXT PRIMARY KEY, {}, FOREIGN KEY (project_id) REFERENCES project(id) ON DELETE CASCADE
         );
         {TABLES} COMMIT; PRAGMA journal_mode = WAL;",
        list(PROJECT),
        list(SESSION)
    ))
}

/// What a database lacks that holds sessions.
fn flaw(connection: &Connection) -> rusqlite::Result<Option<String>> {
    for probe in PROBES {
        if let Err(error) = connection.prepare(probe) {
            return Ok(Some(error.to_string()));
        }
    }
    let encoding: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
    Ok((encoding != "UTF-8").then(|| format!("its texts are {encoding}")))
}
