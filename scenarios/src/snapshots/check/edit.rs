//! What becomes of session files on disk, each edit at the daemon's time.

use std::fs;
use std::path::{Path, PathBuf};

use super::set_time;
use crate::history::{self, Provider, Shape, Texts, Written};

/// A session file below a home of its own.
pub(super) struct Edited {
    pub(super) home: PathBuf,
    pub(super) written: Written,
}

/// What is done to a file; gives the paths that a watcher would tell of.
pub(super) type Edit = fn(&mut Edited, i64) -> Result<Vec<PathBuf>, String>;

/// A home with one session of a tool.
pub(super) fn one_session(
    home: impl Into<PathBuf>,
    provider: Provider,
    events: usize,
    seed: u64,
) -> Result<Edited, String> {
    let home = home.into();
    let providers = match provider {
        Provider::Claude => &[Provider::Claude],
        Provider::Codex => &[Provider::Codex],
        Provider::Gemini => &[Provider::Gemini],
    };
    let texts = Texts::Realistic { mean_bytes: 300 };
    let history = history::write(&home, &Shape { sessions: 1, events, texts, providers, seed });
    let mut history = history.map_err(|error| format!("failed to write {}: {error}", home.display()))?;
    let written = history.sessions.pop().ok_or("no session was written")?;
    Ok(Edited { home, written })
}

impl Edited {
    pub(super) fn path(&self) -> PathBuf {
        self.home.join(&self.written.path)
    }

    fn read(&self) -> Result<Vec<u8>, String> {
        fs::read(self.path()).map_err(|error| format!("failed to read {}: {error}", self.path().display()))
    }

    /// Puts other bytes in place of the file's, in the same file.
    pub(super) fn put(&self, bytes: &[u8], now: i64) -> Result<Vec<PathBuf>, String> {
        let path = self.path();
        fs::write(&path, bytes).map_err(|error| format!("failed to write {}: {error}", path.display()))?;
        set_time(&path, now)?;
        Ok(vec![path])
    }
}

/// One event more.
pub(super) fn append(file: &mut Edited, now: i64) -> Result<Vec<PathBuf>, String> {
    let text = String::from_utf8(file.read()?).map_err(|error| error.to_string())?;
    let text = history::grown(text, &mut file.written);
    file.put(text.as_bytes(), now)
}

/// The file under another name. The id of a Claude session is its file's name.
pub(super) fn rename(file: &mut Edited, _: i64) -> Result<Vec<PathBuf>, String> {
    let old = file.path();
    let name = Path::new(&file.written.path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    file.written.path = file.written.path.replace(name, &format!("renamed-{name}"));
    fs::rename(&old, file.path()).map_err(|error| format!("failed to rename {}: {error}", old.display()))?;
    Ok(vec![old, file.path()])
}

/// The first half of what was there.
pub(super) fn truncate(file: &mut Edited, now: i64) -> Result<Vec<PathBuf>, String> {
    let bytes = file.read()?;
    if file.written.provider == Provider::Gemini {
        let mut document: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if let Some(messages) = document["messages"].as_array_mut() {
            messages.truncate(messages.len() / 2);
        }
        return file.put(document.to_string().as_bytes(), now);
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    file.put(&lines[..lines.len() / 2].concat(), now)
}

/// Another history of the same session, in the same file, and longer.
pub(super) fn rewrite(file: &mut Edited, now: i64) -> Result<Vec<PathBuf>, String> {
    let events = file.written.events.len() + 5;
    let other = one_session(file.home.join("other"), file.written.provider, events, 99)?;
    let text = String::from_utf8(other.read()?).map_err(|error| error.to_string())?;
    let text = text.replace(&other.written.id, &file.written.id);
    file.written.events = other.written.events;
    file.put(text.as_bytes(), now)
}

/// Nothing any more.
pub(super) fn delete(file: &mut Edited, _: i64) -> Result<Vec<PathBuf>, String> {
    let path = file.path();
    fs::remove_file(&path).map_err(|error| format!("failed to remove {}: {error}", path.display()))?;
    Ok(vec![path])
}
