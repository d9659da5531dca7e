//! Sessions as a tree of JSON files, which is how older versions store them.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::content::FileState;
use super::digest;
use super::info;
use super::plan::Plan;
use super::stored::{Store, Unwritten, Written, store};

/// Writes the sessions of a plan below `<data>/storage`. What a plan deletes at its end is written as it was before.
pub(crate) fn write_tree(data: &Path, plan: &Plan) -> Result<Written, Unwritten> {
    let mut tree = Tree { root: data.join("storage"), bytes: 0 };
    tree.write("migration".as_ref(), "2")?;
    tree.write(format!("project/{}.json", info::PROJECT).as_ref(), &project(plan).to_string())?;
    let sessions = store(plan, &mut tree)?;
    Ok(Written { sessions, bytes: tree.bytes })
}

/// The project of all sessions.
pub(super) fn project(plan: &Plan) -> Value {
    let time = json!({ "created": plan.start_ms, "updated": plan.start_ms });
    json!({ "id": info::PROJECT, "worktree": info::DIRECTORY, "vcs": "git", "time": time })
}

/// A tree that grows.
#[derive(Debug)]
pub(super) struct Tree {
    /// The folder `storage`.
    pub(super) root: PathBuf,
    /// Bytes of its files.
    pub(super) bytes: u64,
}

impl Tree {
    fn create(&self, path: &Path) -> Result<(PathBuf, File), Unwritten> {
        let path = self.root.join(path);
        let folder = path.parent().unwrap_or(&self.root);
        let open = || {
            // Most files have a folder already.
            File::create(&path).or_else(|_| fs::create_dir_all(folder).and_then(|()| File::create(&path)))
        };
        let file = open().map_err(Unwritten::file(&path))?;
        Ok((path, file))
    }

    fn write(&mut self, path: &Path, text: &str) -> Result<(), Unwritten> {
        let (path, mut file) = self.create(path)?;
        self.bytes += text.len() as u64;
        file.write_all(text.as_bytes()).map_err(Unwritten::file(&path))
    }
}

fn of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Store for Tree {
    fn session(&mut self, value: Value) -> Result<(), Unwritten> {
        let path = format!("session/{}/{}.json", info::PROJECT, digest::id(&value));
        self.write(path.as_ref(), &value.to_string())
    }

    fn message(&mut self, value: Value, json: &str) -> Result<(), Unwritten> {
        let path = format!("message/{}/{}.json", of(&value, "sessionID"), digest::id(&value));
        self.write(path.as_ref(), json)
    }

    fn part(&mut self, value: Value, json: &str) -> Result<(), Unwritten> {
        let path = format!("part/{}/{}.json", of(&value, "messageID"), digest::id(&value));
        self.write(path.as_ref(), json)
    }

    fn todos(&mut self, session: &str, todos: &Value) -> Result<(), Unwritten> {
        self.write(format!("todo/{session}.json").as_ref(), &todos.to_string())
    }

    /// File by file: all of them together can be far larger than anything else of the session.
    fn diff(&mut self, session: &str, files: &[FileState]) -> Result<(), Unwritten> {
        let (path, file) = self.create(format!("session_diff/{session}.json").as_ref())?;
        let mut out = BufWriter::new(file);
        let mut bytes = 1;
        for (number, file) in files.iter().enumerate() {
            let json = file.value().to_string();
            let before = if number == 0 { "[" } else { "," };
            write!(out, "{before}{json}").map_err(Unwritten::file(&path))?;
            bytes += json.len() as u64 + 1;
        }
        out.write_all(b"]").and_then(|()| out.flush()).map_err(Unwritten::file(&path))?;
        self.bytes += bytes;
        Ok(())
    }
}
