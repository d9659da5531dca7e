//! The tables of a history, and how an older schema becomes the newest.
//!
//! The statements are those that both databases understand. SQLite takes any name of a type: what is put into a column of
//! `BYTEA` stays bytes there too. Names are numbered by a digest of theirs, so that writers need not agree on numbers and no
//! database has to give them out.

use super::connection::{Connection, Purpose, Value};
use super::error::{Failed, StoreError};
use super::write;

/// Fills tables, within the transaction of a migration.
type Fill = fn(&mut Connection) -> Result<(), Failed>;

/// One step from a version of the schema to the next.
struct Migration {
    /// What changes the tables.
    sql: &'static str,
    /// What fills new tables from the entries, which hold everything.
    fill: Option<Fill>,
}

/// Every step, from nothing to the newest version. A step that was once released is never changed; new ones are added.
const MIGRATIONS: &[Migration] = &[
    // 1: runs, and their entries as they were added.
    Migration {
        sql: "
            CREATE TABLE highwater_runs (
                number BIGINT NOT NULL PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                run TEXT NOT NULL UNIQUE,
                moment BIGINT NOT NULL,
                measured BIGINT NOT NULL,
                time TEXT NOT NULL,
                version TEXT NOT NULL,
                commit_id TEXT,
                tag TEXT,
                dirty BIGINT,
                committed TEXT,
                branch TEXT,
                subject TEXT,
                author TEXT,
                verdict TEXT NOT NULL,
                environment BIGINT NOT NULL
            );
            CREATE INDEX highwater_runs_in_order ON highwater_runs (moment, measured, number);
            CREATE TABLE highwater_environments (
                number BIGINT NOT NULL PRIMARY KEY,
                content TEXT NOT NULL
            );
            CREATE TABLE highwater_entries (
                run BIGINT NOT NULL PRIMARY KEY,
                content BYTEA NOT NULL
            );",
        fill: None,
    },
    // 2: the figures of every case of every run, packed, so that series need not be read from the entries.
    Migration {
        sql: "
            CREATE TABLE highwater_cases (
                number BIGINT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                corpus TEXT NOT NULL,
                target TEXT NOT NULL,
                allocator TEXT NOT NULL,
                profile TEXT NOT NULL
            );
            CREATE TABLE highwater_metrics (
                number BIGINT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                unit TEXT NOT NULL,
                direction TEXT NOT NULL
            );
            CREATE TABLE highwater_figures (
                case_number BIGINT NOT NULL,
                run BIGINT NOT NULL,
                packed BYTEA NOT NULL,
                PRIMARY KEY (case_number, run)
            );",
        fill: Some(write::fill_figures),
    },
];

/// Version of the newest schema.
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Brings the tables to the newest schema, or says that they are of a newer one.
pub(super) fn migrate(connection: &mut Connection, store: &str) -> Result<(), StoreError> {
    let failed = |why: Failed| StoreError::Failed { what: "open", store: store.to_owned(), why };
    let newer = |found| StoreError::Newer { store: store.to_owned(), found, known: NEWEST };
    let found = version(connection).map_err(failed)?;
    if found > NEWEST {
        return Err(newer(found));
    }
    if found == NEWEST {
        return Ok(());
    }
    // Another process may have done it meanwhile, so it is looked at again once nobody else writes.
    let found = connection.within(Purpose::Write, |connection| {
        let found = version(connection)?;
        steps(connection, found)?;
        Ok(found)
    });
    match found.map_err(failed)? {
        found if found > NEWEST => Err(newer(found)),
        _ => Ok(()),
    }
}

/// Takes the steps that are missing.
fn steps(connection: &mut Connection, found: i64) -> Result<(), Failed> {
    if found >= NEWEST {
        return Ok(());
    }
    if found == 0 {
        connection.mark()?;
        connection.batch("CREATE TABLE highwater_schema (version BIGINT NOT NULL)")?;
        connection.execute("INSERT INTO highwater_schema (version) VALUES ($1)", &[Value::Int(0)])?;
    }
    let missing = usize::try_from(found).map_err(|_| Failed::damaged(format!("schema {found}")))?;
    for migration in &MIGRATIONS[missing..] {
        connection.batch(migration.sql)?;
        if let Some(fill) = migration.fill {
            fill(connection)?;
        }
    }
    connection.execute("UPDATE highwater_schema SET version = $1", &[Value::Int(NEWEST)])?;
    Ok(())
}

/// The version of the tables; 0 where there are none.
pub(super) fn version(connection: &mut Connection) -> Result<i64, Failed> {
    if !connection.has_table("highwater_schema")? {
        return Ok(0);
    }
    let version = connection.number("SELECT version FROM highwater_schema", &[])?;
    version.ok_or_else(|| Failed::damaged("highwater_schema has no row"))
}
