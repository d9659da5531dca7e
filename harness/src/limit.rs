//! The heap limit: a process that would pass it says so in one record, and aborts itself.
//!
//! It never answers an allocation with null, because callers such as `fs::read` turn that into an error and live on. The limit
//! covers what goes through the Rust global allocator, not C libraries, stacks or mapped files. It counts from the moment the
//! measured region begins, so that a process survives on exactly its own `heap.peak_bytes`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use crate::Error;

/// What a process wrote when it reached its heap limit: the one line of `ROLE.limit` in the record directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapLimitRecord {
    /// What the process was in the case.
    pub role: String,
    /// Its process id.
    pub pid: u32,
    /// The limit, in bytes beyond those live when the region began.
    pub limit_bytes: u64,
    /// Bytes live before the request that was refused, beyond those live when the region began.
    pub live_bytes: u64,
    /// Bytes that the request would have added.
    pub requested_bytes: u64,
}

/// The record of `role` in `record_dir`; None when that process reached no limit or left no complete record.
pub fn read(record_dir: &Path, role: &str) -> Option<HeapLimitRecord> {
    parse(&fs::read_to_string(path(record_dir, role)).ok()?)
}

/// Understands the text of a record; None when it is not a whole one.
pub fn parse(text: &str) -> Option<HeapLimitRecord> {
    serde_json::from_str(text.trim_end()).ok()
}

pub(crate) fn path(record_dir: &Path, role: &str) -> PathBuf {
    record_dir.join(format!("{role}.limit"))
}

/// Most bytes that may be live: counted from the beginning of the process, so that one comparison suffices.
static LIVE_BYTES_MAX: AtomicI64 = AtomicI64::new(i64::MAX);
static REFUSING: AtomicBool = AtomicBool::new(false);
static ARMED: RwLock<Option<Armed>> = RwLock::new(None);

/// Everything the last act needs, made before there was need.
struct Armed {
    role: String,
    pid: u32,
    limit_bytes: u64,
    base: i64,
    file: Option<File>,
    path: Option<PathBuf>,
}

#[inline]
pub(crate) fn live_bytes_max() -> i64 {
    LIVE_BYTES_MAX.load(Relaxed)
}

/// Opens the record and prepares the limit, which [`enforce`] puts in force.
pub(crate) fn prepare(role: &str, limit_bytes: u64, record_dir: Option<&Path>) -> Result<(), Error> {
    let path = record_dir.map(|dir| path(dir, role));
    let file = match &path {
        Some(path) => {
            Some(File::create(path).map_err(|source| Error::file("create heap limit record", path, source))?)
        }
        None => None,
    };
    let armed = Armed { role: role.to_owned(), pid: std::process::id(), limit_bytes, base: 0, file, path };
    *ARMED.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(armed);
    Ok(())
}

/// Puts the prepared limit in force, counted from `base` live bytes. Without a prepared limit it does nothing.
pub(crate) fn enforce(base: i64) {
    if let Some(armed) = ARMED.write().unwrap_or_else(|poisoned| poisoned.into_inner()).as_mut() {
        armed.base = base;
        LIVE_BYTES_MAX.store(base.saturating_add_unsigned(armed.limit_bytes), Relaxed);
    }
}

/// Ends the limit.
pub(crate) fn lift() {
    LIVE_BYTES_MAX.store(i64::MAX, Relaxed);
}

/// Removes the record that was not needed.
pub(crate) fn discard() {
    let armed = ARMED.write().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    if let Some(path) = armed.and_then(|armed| armed.path) {
        // An empty record means the same as none, so a failure to remove it loses nothing.
        let _ = fs::remove_file(path);
    }
}

/// Writes the record and aborts. Called inside the allocator: it must not allocate.
#[cold]
#[inline(never)]
pub(crate) fn refuse(live: i64, requested: usize) -> ! {
    if REFUSING.swap(true, Relaxed) {
        // Another thread is writing the record; this one must not go on, nor abort before the record is whole.
        loop {
            std::hint::spin_loop();
        }
    }
    if let Ok(armed) = ARMED.try_read()
        && let Some(armed) = armed.as_ref()
    {
        armed.write(live, requested);
    }
    std::process::abort()
}

impl Armed {
    fn write(&self, live: i64, requested: usize) {
        let mut line = Line::default();
        let written = writeln!(
            line,
            r#"{{"role":"{}","pid":{},"limit_bytes":{},"live_bytes":{},"requested_bytes":{requested}}}"#,
            self.role,
            self.pid,
            self.limit_bytes,
            (live - self.base).max(0),
        );
        if let (Ok(()), Some(file)) = (written, &self.file) {
            let mut file = file;
            // Nothing can be done about a failure here: the process aborts either way.
            let _ = file.write_all(line.text());
        }
    }
}

/// A line of text on the stack. Roles have at most 64 bytes and numbers 20 digits, so that a record always fits.
struct Line {
    bytes: [u8; 320],
    length: usize,
}

impl Default for Line {
    fn default() -> Line {
        Line { bytes: [0; 320], length: 0 }
    }
}

impl Line {
    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_record_fits_and_reads_back() {
        let role = "w".repeat(64);
        let mut line = Line::default();
        writeln!(
            line,
            r#"{{"role":"{role}","pid":{},"limit_bytes":{},"live_bytes":{},"requested_bytes":{}}}"#,
            u32::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX
        )
        .unwrap();
        let record = parse(std::str::from_utf8(line.text()).unwrap()).unwrap();
        assert_eq!(record.role, role);
        assert_eq!(record.requested_bytes, u64::MAX);
    }

    #[test]
    fn a_torn_record_is_no_record() {
        assert_eq!(parse(r#"{"role":"parent","pid":7,"limit_"#), None);
        assert_eq!(parse(""), None);
    }
}
