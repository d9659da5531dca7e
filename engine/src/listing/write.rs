//! What the service writes: new sessions, titles, records, and the end of sessions.
//!
//! Other programs append to the same files. So everything is appended as whole lines in one write, and what replaces a file is renamed
//! over it.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::files::{Root, is_id};

/// Characters of a title at most.
const TITLE_CHARS: usize = 200;
/// Characters of a project directory's name at most.
const PROJECT_CHARS: usize = 200;

/// How often it is looked whether another program has ended its line, and how long is waited in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(4);

/// Why a session was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The id cannot be one: it would not be a file's name.
    #[error("{0:?} is no session id; ids have letters, digits, - and _")]
    BadId(String),
    /// There is none with this id.
    #[error("there is no session {0}")]
    NoSession(String),
    /// There is one with this id already.
    #[error("there is a session {0} already")]
    Exists(String),
    /// There are several with this id.
    #[error(
        "there are several sessions {0}, in different projects; remove or rename the files of all but one"
    )]
    Ambiguous(String),
    /// What was given cannot be written.
    #[error("{0}")]
    BadValue(String),
    /// The file system failed.
    #[error("failed to write {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl WriteError {
    fn about(path: &Path) -> impl Fn(io::Error) -> WriteError {
        move |source| WriteError::Io { path: path.display().to_string(), source }
    }
}

/// The file of a session.
///
/// # Errors
/// When the id cannot be one, or there is no such session.
pub fn find(root: &Root, id: &str) -> Result<PathBuf, WriteError> {
    if !is_id(id) {
        return Err(WriteError::BadId(id.chars().take(64).collect()));
    }
    let mut paths = root.find(id);
    match (paths.pop(), paths.is_empty()) {
        (None, _) => Err(WriteError::NoSession(id.to_owned())),
        (Some(path), true) => Ok(path),
        (Some(_), false) => Err(WriteError::Ambiguous(id.to_owned())),
    }
}

/// Makes a session that works in a directory, with the two lines that it begins with.
///
/// # Errors
/// When the id cannot be one or is taken, or the file cannot be written.
pub fn create(root: &Root, id: &str, work_dir: &str, time: &str) -> Result<(), WriteError> {
    if !is_id(id) {
        return Err(WriteError::BadId(id.chars().take(64).collect()));
    }
    if work_dir.is_empty() || work_dir.contains('\0') || work_dir.len() > 4096 {
        return Err(WriteError::BadValue("a working directory has 1 to 4096 bytes".to_owned()));
    }
    if !root.find(id).is_empty() {
        return Err(WriteError::Exists(id.to_owned()));
    }
    let path = root.file(&sanitised(work_dir), id);
    let about = WriteError::about(&path);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(&about)?;
    }
    let first = json!({
        "type": "file-history-snapshot",
        "messageId": id,
        "snapshot": {"messageId": id, "trackedFileBackups": {}, "timestamp": time},
        "isSnapshotUpdate": false,
    });
    let meta = json!({"type": "session-meta", "sessionId": id, "workDir": work_dir, "timestamp": time});
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(&about)?;
    file.write_all(format!("{first}\n{meta}\n").as_bytes()).map_err(&about)
}

/// Gives a session a title.
///
/// # Errors
/// When there is no such session, the title is empty, or the file cannot be written.
pub fn rename(root: &Root, id: &str, title: &str) -> Result<(), WriteError> {
    let title = checked_title(title)?;
    append(root, id, &json!({"type": "custom-title", "sessionId": id, "customTitle": title}))
}

/// A title as it is written: on one line, and not too long.
///
/// # Errors
/// When there is nothing in it.
pub fn checked_title(title: &str) -> Result<String, WriteError> {
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = words.chars().take(TITLE_CHARS).collect();
    if title.is_empty() {
        return Err(WriteError::BadValue("a title has at least one sign".to_owned()));
    }
    Ok(title)
}

/// Appends a record to a session.
///
/// # Errors
/// When there is no such session, the record is no object, or the file cannot be written.
pub fn append(root: &Root, id: &str, record: &serde_json::Value) -> Result<(), WriteError> {
    if !record.is_object() {
        return Err(WriteError::BadValue("a record is an object".to_owned()));
    }
    let path = find(root, id)?;
    let about = WriteError::about(&path);
    let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(&about)?;
    // Another program is within a line, most likely: it has a moment to end it. One that stays torn cannot be read, and does not take this
    // one with it.
    let is_whole = (0..TRIES).find_map(|at| {
        if at > 0 {
            std::thread::sleep(PAUSE);
        }
        ends_in_a_line(&mut file).map(|is_whole| is_whole.then_some(true)).transpose()
    });
    let start = if is_whole.unwrap_or(Ok(false)).map_err(&about)? { "" } else { "\n" };
    file.write_all(format!("{start}{record}\n").as_bytes()).map_err(&about)
}

fn ends_in_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Removes what was said in a session, and keeps what it is: its titles and where it works. What a program appends that has the old file
/// open is lost.
///
/// # Errors
/// When there is no such session, or the file cannot be written.
pub fn clear(root: &Root, id: &str) -> Result<(), WriteError> {
    let path = find(root, id)?;
    let about = WriteError::about(&path);
    let kept = lines_that_stay(&path, id).map_err(&about)?;
    let beside = path.with_extension(format!("clearing-{}", std::process::id()));
    let replace = || {
        let permissions = fs::metadata(&path)?.permissions();
        let mut file = File::create(&beside)?;
        file.set_permissions(permissions)?;
        file.write_all(&kept)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    replace().map_err(|error| {
        let _ = fs::remove_file(&beside);
        about(error)
    })
}

fn lines_that_stay(path: &Path, id: &str) -> io::Result<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        #[serde(rename = "type", borrow, default)]
        kind: Cow<'a, str>,
        #[serde(borrow, default)]
        cwd: Option<Cow<'a, str>>,
    }
    let mut reader = io::BufReader::new(File::open(path)?);
    let (mut line, mut kept) = (Vec::new(), Vec::new());
    let (mut work_dir, mut is_told) = (None, false);
    while io::BufRead::read_until(&mut reader, b'\n', &mut line)? > 0 {
        if let Ok(Line { kind, cwd }) = serde_json::from_slice(&line) {
            work_dir = cwd.map(Cow::into_owned).or(work_dir);
            is_told |= kind == "session-meta";
            if matches!(&*kind, "session-meta" | "custom-title" | "ai-title" | "worktree-state") {
                kept.extend_from_slice(&line);
            }
        }
        line.clear();
    }
    if let Some(work_dir) = work_dir.filter(|_| !is_told) {
        let meta = json!({"type": "session-meta", "sessionId": id, "workDir": work_dir});
        kept.extend_from_slice(format!("{meta}\n").as_bytes());
    }
    Ok(kept)
}

/// Removes a session's file.
///
/// # Errors
/// When there is no such session, or it cannot be removed.
pub fn delete(root: &Root, id: &str) -> Result<(), WriteError> {
    let path = find(root, id)?;
    fs::remove_file(&path).map_err(WriteError::about(&path))
}

/// The name of the directory in which sessions of a working directory are.
fn sanitised(work_dir: &str) -> String {
    work_dir.chars().take(PROJECT_CHARS).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
