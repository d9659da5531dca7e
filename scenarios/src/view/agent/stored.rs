//! Sessions that are stored: the last state of everything, and what must be read of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::content::FileState;
use super::digest::{self, Digester, Hash};
use super::plan::Plan;
use super::{Act, Script, Step};

/// Why sessions were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritten {
    /// A file.
    #[error("failed to write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("failed to write the database {}", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl Unwritten {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Unwritten {
        let path = path.to_owned();
        move |source| Unwritten::File { path, source }
    }
}

/// Sessions that were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// Each, with those of tasks, in the order in which they ended.
    pub(crate) sessions: Vec<WrittenSession>,
    /// Bytes of all files.
    pub(crate) bytes: u64,
}

/// A session that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenSession {
    /// Its id.
    pub(crate) id: String,
    /// Its messages.
    pub(crate) messages: usize,
    /// Their parts.
    pub(crate) parts: usize,
    /// Bytes of JSON of messages and parts.
    pub(crate) json_bytes: u64,
    /// What a [`Digester`] must give for them.
    pub(crate) digest: String,
}

/// Where records are stored. Each is given once.
pub(super) trait Store {
    fn session(&mut self, value: Value) -> Result<(), Unwritten>;
    /// A message, whose JSON was made already.
    fn message(&mut self, value: Value, json: &str) -> Result<(), Unwritten>;
    /// A part, whose JSON was made already.
    fn part(&mut self, value: Value, json: &str) -> Result<(), Unwritten>;
    fn todos(&mut self, session: &str, todos: &Value) -> Result<(), Unwritten>;
    fn diff(&mut self, session: &str, files: &[FileState]) -> Result<(), Unwritten>;
}

/// The records of a session so far.
#[derive(Debug, Default)]
struct Open {
    messages: BTreeMap<String, Hash>,
    /// By message and id.
    parts: BTreeMap<(String, String), Hash>,
    json_bytes: u64,
}

/// Stores the sessions of a plan, one after the other.
pub(super) fn store(plan: &Plan, store: &mut impl Store) -> Result<Vec<WrittenSession>, Unwritten> {
    let mut written = Vec::new();
    for number in 0..plan.sessions {
        let mut open: BTreeMap<String, Open> = BTreeMap::new();
        for Step { act, .. } in Script::stored(plan, number) {
            match act {
                Act::Session(value) => {
                    let id = digest::id(&value).to_owned();
                    written.push(open.remove(&id).unwrap_or_default().close(id));
                    store.session(value)?;
                }
                Act::Message(value) => {
                    let json = value.to_string();
                    let open = open.entry(text(&value, "sessionID")).or_default();
                    open.json_bytes += json.len() as u64;
                    open.messages.insert(text(&value, "id"), digest::hash(&json));
                    store.message(value, &json)?;
                }
                Act::Part(value) => {
                    let json = value.to_string();
                    let open = open.entry(text(&value, "sessionID")).or_default();
                    open.json_bytes += json.len() as u64;
                    let key = (text(&value, "messageID"), text(&value, "id"));
                    open.parts.insert(key, digest::hash(&json));
                    store.part(value, &json)?;
                }
                Act::Todos { session, todos } => store.todos(&session, &todos)?,
                Act::Diff { session, files } => store.diff(&session, &files)?,
                // Nothing else is stored.
                _ => {}
            }
        }
    }
    Ok(written)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Open {
    fn close(self, id: String) -> WrittenSession {
        let mut digester = Digester::default();
        for (message, hash) in &self.messages {
            digester.add("message", message, hash);
            let first = (message.clone(), String::new());
            for ((_, part), hash) in self.parts.range(first..).take_while(|((of, _), _)| of == message) {
                digester.add("part", part, hash);
            }
        }
        WrittenSession {
            id,
            messages: self.messages.len(),
            parts: self.parts.len(),
            json_bytes: self.json_bytes,
            digest: digester.finish(),
        }
    }
}
