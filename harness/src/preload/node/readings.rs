//! What a Node process says of its own record: how far it can be trusted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::super::named;
use crate::record;
use crate::subject::{Member, Tree};

/// How much older than the end of its process a record may be. Readings are a tenth of a second apart when the program waits.
const STALE: Duration = Duration::from_millis(500);

/// The part of a record that is for the harness alone.
#[derive(Debug, Deserialize)]
struct Noted {
    reading: Reading,
}

#[derive(Debug, Deserialize)]
struct Reading {
    /// Whether it was made at the end.
    ended: bool,
    /// The age of the process.
    uptime_seconds: f64,
    /// Worker threads that were made.
    threads: Vec<u32>,
    /// What could not be read, as ends of sentences.
    doubts: Vec<String>,
}

/// What is doubtful of the records that were left, as sentences.
pub(super) fn doubts(record_dir: &Path, tree: &Tree, processes: &[record::Process]) -> Vec<String> {
    let mut sentences = Vec::new();
    for process in processes {
        let Some(reading) = reading(record_dir, &process.role) else { continue };
        let member = tree.members.iter().find(|member| member.pid == process.pid);
        let name = member.map_or_else(|| format!("process {}", process.pid), named);
        sentences.extend(reading.doubts.iter().map(|doubt| format!("of {name}, {}: {doubt}", process.role)));
        if let Some(age) = member.and_then(|member| age_at_end(&reading, process, member)) {
            sentences.push(format!(
                "{name} ended {:.1} s after its heap was last read, and may have grown: it was killed while it did not wait for \
                 anything",
                age.as_secs_f64()
            ));
        }
        let missing: Vec<_> = reading
            .threads
            .iter()
            .filter(|thread| !has_thread(processes, process.pid, **thread))
            .map(u32::to_string)
            .collect();
        if !missing.is_empty() {
            sentences.push(format!(
                "of {name}, worker threads {} were not read by V8's collector: most likely they were given an environment \
                 without NODE_OPTIONS, or ended before their program began",
                missing.join(", ")
            ));
        }
    }
    sentences
}

/// None for other programs' records.
fn reading(record_dir: &Path, role: &str) -> Option<Reading> {
    let text = fs::read(record_dir.join(format!("{role}.json"))).ok()?;
    serde_json::from_slice::<Noted>(&text).ok().map(|noted| noted.reading)
}

/// How old the last reading of a process was when it ended, when that is too old.
fn age_at_end(reading: &Reading, process: &record::Process, member: &Member) -> Option<Duration> {
    if reading.ended || process.role.contains("-thread-") {
        return None;
    }
    let lived = member.last_seen.saturating_sub(member.first_seen);
    let age = lived.saturating_sub(Duration::from_secs_f64(reading.uptime_seconds));
    (age > STALE).then_some(age)
}

fn has_thread(processes: &[record::Process], pid: u32, thread: u32) -> bool {
    processes.iter().any(|process| process.role == format!("node-{pid}-thread-{thread}"))
}
