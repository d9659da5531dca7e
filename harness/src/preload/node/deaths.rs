//! Heaps of Node that were full: reports of processes, notes of worker threads, and last words.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{NOTES, REPORTS};
use crate::Error;
use crate::subject::{HeapDeath, Output};

const OUT_OF_MEMORY: &str = "JavaScript heap out of memory";
const MIB: f64 = 1024.0 * 1024.0;

/// Every death, by process. A process that left no report is known by its last words.
pub(crate) fn heap_deaths(record_dir: &Path, stderr: &Output) -> Result<Vec<HeapDeath>, Error> {
    let mut deaths: Vec<_> = read_all(&record_dir.join(REPORTS), "json")?
        .into_iter()
        .filter(|report: &Report| report.header.event.contains(OUT_OF_MEMORY))
        .map(Report::into_death)
        .collect();
    let said = last_words(&stderr.text());
    let unreported: Vec<_> =
        said.into_iter().filter(|said| !deaths.iter().any(|death| death.pid == said.pid)).collect();
    deaths.extend(unreported);
    deaths.extend(read_all(&record_dir.join(NOTES), "death")?.into_iter().map(Note::into_death));
    deaths.sort_by(|one, other| (one.pid, &one.what).cmp(&(other.pid, &other.what)));
    Ok(deaths)
}

/// Node's own report of a fatal error, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Report {
    header: Header,
    #[serde(rename = "javascriptHeap")]
    heap: Heap,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    event: String,
    process_id: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heap {
    used_memory: u64,
    memory_limit: u64,
}

impl Report {
    fn into_death(self) -> HeapDeath {
        HeapDeath {
            pid: self.header.process_id,
            what: "node, the main thread".to_owned(),
            limit_bytes: Some(self.heap.memory_limit),
            used_bytes: Some(self.heap.used_memory),
        }
    }
}

/// What the preload leaves of a worker thread.
#[derive(Debug, Deserialize)]
struct Note {
    pid: u32,
    thread: u32,
    limit_bytes: Option<u64>,
    used_bytes: Option<u64>,
}

impl Note {
    fn into_death(self) -> HeapDeath {
        HeapDeath {
            pid: self.pid,
            what: format!("node, worker thread {}", self.thread),
            limit_bytes: self.limit_bytes,
            used_bytes: self.used_bytes,
        }
    }
}

/// The files that are whole. A process that was killed while it wrote leaves half of one, and its last words.
fn read_all<T: DeserializeOwned>(dir: &Path, extension: &str) -> Result<Vec<T>, Error> {
    let mut contents = Vec::new();
    for path in files(dir, extension)? {
        let text = fs::read(&path).map_err(|source| Error::file("read", &path, source))?;
        contents.extend(serde_json::from_slice(&text).ok());
    }
    Ok(contents)
}

/// None when the subject was given no such directory.
fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let failed = |source| Error::file("read directory", dir, source);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The deaths that standard error tells of. Before the error stand the last collections, with the process and what was used;
/// a heap that never was collected has none, and its process is 0.
fn last_words(text: &str) -> Vec<HeapDeath> {
    let collection = Regex::new(r"^\[(\d+):0x[0-9a-f]+\].*? ([0-9.]+) \([0-9.]+\) -> [0-9.]+ \([0-9.]+\) MB");
    let collection = collection.expect("the pattern is well formed");
    let mut deaths = Vec::new();
    let mut last = (0, None);
    for line in text.lines() {
        if let Some(found) = collection.captures(line) {
            let used = found[2].parse().ok().map(|used: f64| (used * MIB) as u64);
            last = (found[1].parse().unwrap_or(0), used);
        } else if line.starts_with("FATAL ERROR: ") && line.contains(OUT_OF_MEMORY) {
            let (pid, used_bytes) = std::mem::take(&mut last);
            deaths.push(HeapDeath { pid, what: "node".to_owned(), limit_bytes: None, used_bytes });
        }
    }
    deaths
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "\
<--- Last few GCs --->

[20361:0x1b820ca0]      111 ms: Scavenge 62.9 (80.7) -> 64.5 (82.2) MB, 6.74 / 0.00 ms  (average mu = 1.000) allocation failure;
[20361:0x1b820ca0]      132 ms: Mark-Compact (reduce) 64.5 (82.2) -> 62.5 (98.0) MB, 21.08 / 0.00 ms  (average mu = 0.555)

<--- JS stacktrace --->

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
";

    #[test]
    fn last_words_name_the_process_and_what_it_used() {
        let deaths = last_words(WORDS);
        assert_eq!(deaths.len(), 1);
        assert_eq!((deaths[0].pid, deaths[0].limit_bytes), (20361, None));
        assert_eq!(deaths[0].used_bytes, Some((64.5 * MIB) as u64));
    }

    #[test]
    fn a_program_that_only_speaks_of_a_full_heap_is_not_dead() {
        let text =
            "the log said: FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
        assert_eq!(last_words(text), []);
    }
}
