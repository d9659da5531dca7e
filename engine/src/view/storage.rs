//! The two layouts in which the tools keep sessions: a tree of JSON files, and a database.
//!
//! Both hold projects, sessions, messages, parts, todos, and what each session changed. They give the same for the same input, with what
//! follows from their nature:
//!
//! * Messages are in the order of (time made, id). In the tree they are in the order of their ids, for a file's time is known only when it is
//!   read; that is the same as long as ids ascend with time, as those do that the tools make. Where they do not (ids made by hand, a clock
//!   that went back), the tree has the order in which its own tool shows them.
//! * The database keeps those fields of projects and sessions that have columns. A field that has none is named in [`Storage::skipped`].
//!   Messages and parts keep every field in both.
//! * In the database an id belongs to one message or part; in the tree to one of each session or message.
//!
//! Ids that a path or a column says count more than those in the text. What cannot be used is passed over, counted and named. A layout has
//! one writer at a time.

mod columns;
mod cursor;
mod database;
mod files;
mod import;
mod reader;
mod rule;
mod skipped;
mod tree;

pub use cursor::Cursor;
pub use database::Database;
pub(in crate::view) use files::check_id;
pub use import::{Imported, import};
pub use skipped::{Passed, Skipped};
pub use tree::Tree;

use std::io;
use std::path::Path;

use serde_json::Value;

use super::Malformed;
use super::message::{Entry, Message};
use super::part::Part;

/// Sessions on disk.
#[derive(Debug)]
pub enum Storage {
    /// As JSON files.
    Tree(Tree),
    /// In a database.
    Database(Box<Database>),
}

/// How much of a record is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Everything.
    Whole,
    /// All but file contents: of calls of tools that run or have run, `metadata.diff`, contents before and after, and patches of more than
    /// 256 KiB; of the diffs in a person's message the same. It is left out while the text is read, and is never in memory.
    Stripped,
}

/// Some messages of a session, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The messages with their parts.
    pub entries: Vec<Entry>,
    /// From where to read on; none when there is nothing older.
    pub before: Option<Cursor>,
    /// Bytes of the rows or files that were read.
    pub row_bytes: u64,
    /// Bytes of the largest.
    pub largest_row_bytes: u64,
}

impl Page {
    fn count(&mut self, bytes: u64) {
        self.row_bytes += bytes;
        self.largest_row_bytes = self.largest_row_bytes.max(bytes);
    }
}

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It could lead to another file.
    #[error("{id:?} cannot be the id of a {what}; ids have 1 to 64 letters and digits of ASCII, _ and -")]
    BadId {
        /// Of what.
        what: &'static str,
        /// Its beginning.
        id: String,
    },
    /// It is none that a page gave.
    #[error("{0:?} is no cursor; pass on what the page before gave, or none for the newest page")]
    BadCursor(String),
    /// It lacks what every one has.
    #[error("{0}; it is not stored")]
    Malformed(#[from] Malformed),
    /// What it belongs to is not stored.
    #[error("there is no {what} {id}, so nothing of it can be stored; store it first")]
    Missing {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Something else has this id.
    #[error("another {of} has the {what} {id} already; it is not stored")]
    Taken {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
        /// What it belongs to.
        of: &'static str,
    },
    /// The file is somebody else's.
    #[error("{path} is no database of sessions, and is left as it is ({why}); name another file")]
    Foreign {
        /// The file.
        path: String,
        /// What it lacks.
        why: String,
    },
    /// The database failed.
    #[error("the database {path} cannot be used: {source}")]
    Database {
        /// The file.
        path: String,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file system failed.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Calls the same of either layout.
macro_rules! either {
    ($storage:expr, $one:ident => $call:expr) => {
        match $storage {
            Storage::Tree($one) => $call,
            Storage::Database($one) => $call,
        }
    };
}

impl Storage {
    /// Opens `<data>/storage`, or makes it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn tree(data: &Path) -> Result<Storage, StorageError> {
        Tree::open(data).map(Storage::Tree)
    }

    /// Opens a database, or makes it. It may have more tables and columns than are known here; they are left alone.
    ///
    /// # Errors
    /// When the file is something else, which is left as it is, or cannot be opened or made.
    pub fn database(path: &Path) -> Result<Storage, StorageError> {
        Database::open(path).map(|database| Storage::Database(Box::new(database)))
    }

    /// Begins to keep changes back, until [`Storage::commit`] makes them all at once; without it each is made by itself. In the tree each
    /// always is. Changes that were not made when the storage is dropped are lost.
    ///
    /// # Errors
    /// When the database fails, for example because another program writes.
    pub fn begin(&mut self) -> Result<(), StorageError> {
        match self {
            Storage::Tree(_) => Ok(()),
            Storage::Database(database) => database.begin(),
        }
    }

    /// Makes the changes since [`Storage::begin`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn commit(&mut self) -> Result<(), StorageError> {
        match self {
            Storage::Tree(_) => Ok(()),
            Storage::Database(database) => database.commit(),
        }
    }

    /// Stores a project, or what it is now.
    ///
    /// # Errors
    /// When its id cannot be one, or it cannot be written.
    pub fn put_project(&mut self, project: &Value) -> Result<(), StorageError> {
        either!(self, it => it.put_project(project))
    }

    /// Stores a session, or what it is now. Of `summary.diffs` only file, counts and status are read again.
    ///
    /// # Errors
    /// When its id cannot be one, its project is not there, or it cannot be written.
    pub fn put_session(&mut self, info: &Value) -> Result<(), StorageError> {
        either!(self, it => it.put_session(info))
    }

    /// Stores a message, or what it is now.
    ///
    /// # Errors
    /// When its id cannot be one, its session is not there, or it cannot be written.
    pub fn put_message(&mut self, message: &Message) -> Result<(), StorageError> {
        either!(self, it => it.put_message(message))
    }

    /// Stores a part, or what it is now.
    ///
    /// # Errors
    /// When its id cannot be one, its message is not there, or it cannot be written.
    pub fn put_part(&mut self, part: &Part) -> Result<(), StorageError> {
        either!(self, it => it.put_part(part))
    }

    /// Stores all todos of a session. Those without content, status and priority are not read again.
    ///
    /// # Errors
    /// When the session's id cannot be one, it is not there, or they cannot be written.
    pub fn put_todos(&mut self, session: &str, todos: &[Value]) -> Result<(), StorageError> {
        either!(self, it => it.put_todos(session, todos))
    }

    /// Stores what a session changed: in both layouts as `<data>/storage/session_diff/<session>.json`.
    ///
    /// # Errors
    /// When the session's id cannot be one, it is not there, or it cannot be written.
    pub fn put_diff(&mut self, session: &str, diffs: &Value) -> Result<(), StorageError> {
        either!(self, it => it.put_diff(session, diffs))
    }

    /// Removes a message and its parts, and says whether it was there.
    ///
    /// # Errors
    /// When an id cannot be one, or it cannot be removed.
    pub fn remove_message(&mut self, session: &str, message: &str) -> Result<bool, StorageError> {
        either!(self, it => it.remove_message(session, message))
    }

    /// Removes a part, and says whether it was there.
    ///
    /// # Errors
    /// When an id cannot be one, or it cannot be removed.
    pub fn remove_part(&mut self, session: &str, message: &str, part: &str) -> Result<bool, StorageError> {
        either!(self, it => it.remove_part(session, message, part))
    }

    /// Removes a session with all that belongs to it, and its children and theirs. Returns the ids of those that were there: the
    /// session's first, the others in order.
    ///
    /// # Errors
    /// When the id cannot be one, or something cannot be removed.
    pub fn remove_session(&mut self, session: &str) -> Result<Vec<String>, StorageError> {
        let mut family = either!(self, it => it.remove_session(session))?;
        if let [_, others @ ..] = &mut *family {
            others.sort_unstable();
        }
        Ok(family)
    }

    /// All projects, in the order of their ids.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn projects(&self) -> Result<Vec<Value>, StorageError> {
        either!(self, it => it.projects())
    }

    /// All sessions, those first that were updated last.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sessions(&self) -> Result<Vec<Value>, StorageError> {
        either!(self, it => it.sessions()).map(newest_first)
    }

    /// A session.
    ///
    /// # Errors
    /// When its id cannot be one, or it cannot be read.
    pub fn session(&self, session: &str) -> Result<Option<Value>, StorageError> {
        either!(self, it => it.session(session))
    }

    /// The children of a session, those first that were updated last.
    ///
    /// # Errors
    /// When its id cannot be one, or they cannot be read.
    pub fn children(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        either!(self, it => it.children(session)).map(newest_first)
    }

    /// The newest messages of a session before a cursor, as many as `limit` says (0: all), each with its parts. Only their rows are read,
    /// one at a time.
    ///
    /// # Errors
    /// When the session's id cannot be one, or they cannot be read.
    pub fn page(
        &self,
        session: &str,
        before: Option<&Cursor>,
        limit: usize,
        reading: Reading,
    ) -> Result<Page, StorageError> {
        either!(self, it => it.page(session, before, limit, reading))
    }

    /// A part, whole.
    ///
    /// # Errors
    /// When an id cannot be one, or it cannot be read.
    pub fn part(&self, session: &str, message: &str, part: &str) -> Result<Option<Part>, StorageError> {
        either!(self, it => it.part(session, message, part))
    }

    /// The todos of a session: of each its content, status and priority.
    ///
    /// # Errors
    /// When the session's id cannot be one, or they cannot be read.
    pub fn todos(&self, session: &str) -> Result<Vec<Value>, StorageError> {
        either!(self, it => it.todos(session))
    }

    /// What a session changed.
    ///
    /// # Errors
    /// When the session's id cannot be one.
    pub fn diff(&self, session: &str, reading: Reading) -> Result<Option<Value>, StorageError> {
        either!(self, it => it.diff(session, reading))
    }

    /// What was passed over since the storage was opened.
    pub fn skipped(&self) -> Skipped {
        either!(self, it => it.skipped())
    }
}

/// By the time of the last update; ids of sessions descend with the time they were made.
fn newest_first(mut sessions: Vec<Value>) -> Vec<Value> {
    let updated = |session: &Value| session.pointer("/time/updated").and_then(Value::as_i64);
    let id = |session: &Value| session.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    sessions.sort_by_cached_key(|session| (std::cmp::Reverse(updated(session)), id(session)));
    sessions
}

/// What is kept of a todo; none of one that lacks something.
fn usable_todo(todo: &Value) -> Option<[&str; 3]> {
    let text = |key| todo.get(key).and_then(Value::as_str);
    Some([text("content")?, text("status")?, text("priority")?])
}

fn todo_value([content, status, priority]: [&str; 3]) -> Value {
    serde_json::json!({"content": content, "status": status, "priority": priority})
}

/// Gives a record the ids that its place says.
fn with_ids(mut value: Value, ids: &[(&str, &str)]) -> Value {
    if let Some(fields) = value.as_object_mut() {
        for (key, id) in ids {
            fields.insert((*key).to_owned(), Value::from(*id));
        }
    }
    value
}
