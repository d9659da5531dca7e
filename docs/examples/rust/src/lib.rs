//! Counts the records of sessions in two ways: all in memory, and one line at a time.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every session file below a folder, sorted.
pub fn sessions(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sessions(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The records of a session, all of them. Lines that are no JSON are passed over.
pub fn read_whole(session: &Path) -> io::Result<Vec<Value>> {
    let bytes = fs::read(session)?;
    let lines = bytes.split(|&byte| byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// How many records a session has, with one line in memory at a time.
pub fn count(session: &Path) -> io::Result<usize> {
    let mut reader = BufReader::with_capacity(8 << 10, File::open(session)?);
    let mut line = Vec::new();
    let mut records = 0;
    while reader.read_until(b'\n', &mut line)? > 0 {
        records += usize::from(serde_json::from_slice::<Value>(&line).is_ok());
        line.clear();
    }
    Ok(records)
}
