//! Sessions as a database of SQLite, which is how newer versions store them.

use std::fs;
use std::path::{Path, PathBuf};

use generators::OPENCODE_SCHEMA;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::content::FileState;
use super::digest;
use super::info;
use super::plan::Plan;
use super::stored::{Store, Unwritten, Written, store};
use super::tree::Tree;

/// How the rows are written: parts stand before the messages that they refer to, and nobody reads before all is done.
const WRITING: &str = "pragma journal_mode = wal; pragma synchronous = off; pragma foreign_keys = off;";

/// Writes the sessions of a plan into a new database; the diffs of sessions, which have no table, go to `storage` beside it. What a plan
/// deletes at its end is written as it was before.
pub(crate) fn write_database(path: &Path, plan: &Plan) -> Result<Written, Unwritten> {
    let failed = |source| Unwritten::Database { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Unwritten::file(folder))?;
    let connection = Connection::open(path).map_err(failed)?;
    connection
        .execute_batch(WRITING)
        .and_then(|()| connection.execute_batch(OPENCODE_SCHEMA))
        .map_err(failed)?;
    connection
        .execute(
            "insert into project (id, worktree, vcs, time_created, time_updated, sandboxes) values (?, ?, 'git', ?, ?, '[]')",
            params![info::PROJECT, info::DIRECTORY, plan.start_ms, plan.start_ms],
        )
        .map_err(failed)?;
    let diffs = Tree { root: folder.join("storage"), bytes: 0 };
    let mut database = Database { path: path.to_owned(), connection, diffs };
    database.run("begin", &[])?;
    let sessions = store(plan, &mut database)?;
    database.run("commit", &[])?;
    let bytes = database.diffs.bytes;
    database.connection.close().map_err(|(_, source)| failed(source))?;
    let file = fs::metadata(path).map_err(Unwritten::file(path))?;
    Ok(Written { sessions, bytes: bytes + file.len() })
}

/// A database that grows.
#[derive(Debug)]
struct Database {
    path: PathBuf,
    connection: Connection,
    diffs: Tree,
}

impl Database {
    fn run(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), Unwritten> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(drop)
            .map_err(|source| Unwritten::Database { path: self.path.clone(), source })
    }
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

fn number(value: &Value, path: &str) -> Option<i64> {
    value.pointer(path)?.as_i64()
}

/// What a row of a part is dated with.
fn part_time(value: &Value) -> i64 {
    let times = ["/time/start", "/time/created", "/state/time/start"];
    times.iter().find_map(|path| number(value, path)).unwrap_or_default()
}

/// The JSON of a record without what has columns of its own.
fn data(mut value: Value, columns: &[&str]) -> String {
    if let Some(fields) = value.as_object_mut() {
        for column in columns {
            fields.remove(*column);
        }
    }
    value.to_string()
}

impl Store for Database {
    fn session(&mut self, value: Value) -> Result<(), Unwritten> {
        let text = |path| text(&value, path);
        let number = |path| number(&value, path);
        self.run(
            "insert into session (id, project_id, parent_id, slug, directory, title, version, summary_additions, \
             summary_deletions, summary_files, time_created, time_updated) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                text("/id"),
                text("/projectID"),
                text("/parentID"),
                text("/slug"),
                text("/directory"),
                text("/title"),
                text("/version"),
                number("/summary/additions"),
                number("/summary/deletions"),
                number("/summary/files"),
                number("/time/created"),
                number("/time/updated"),
            ],
        )
    }

    fn message(&mut self, value: Value, _: &str) -> Result<(), Unwritten> {
        let (id, session) = (digest::id(&value).to_owned(), text(&value, "/sessionID").map(str::to_owned));
        let created = number(&value, "/time/created");
        let updated = number(&value, "/time/completed").or(created);
        self.run(
            "insert into message (id, session_id, time_created, time_updated, data) values (?, ?, ?, ?, ?)",
            params![id, session, created, updated, data(value, &["id", "sessionID"])],
        )
    }

    fn part(&mut self, value: Value, _: &str) -> Result<(), Unwritten> {
        let (id, time) = (digest::id(&value).to_owned(), part_time(&value));
        let [message, session] =
            ["/messageID", "/sessionID"].map(|path| text(&value, path).map(str::to_owned));
        self.run(
            "insert into part (id, message_id, session_id, time_created, time_updated, data) values (?, ?, ?, ?, ?, ?)",
            params![id, message, session, time, time, data(value, &["id", "messageID", "sessionID"])],
        )
    }

    fn todos(&mut self, session: &str, todos: &Value) -> Result<(), Unwritten> {
        for (position, todo) in todos.as_array().into_iter().flatten().enumerate() {
            self.run(
                "insert into todo (session_id, content, status, priority, position, time_created, time_updated) \
                 values (?, ?, ?, ?, ?, 0, 0)",
                params![
                    session,
                    text(todo, "/content"),
                    text(todo, "/status"),
                    text(todo, "/priority"),
                    position as i64,
                ],
            )?;
        }
        Ok(())
    }

    fn diff(&mut self, session: &str, files: &[FileState]) -> Result<(), Unwritten> {
        self.diffs.diff(session, files)
    }
}
