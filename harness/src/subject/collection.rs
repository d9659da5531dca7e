//! Puts a sample together: what was watched from outside, and what the processes recorded of themselves.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::spawn::Watched;
use super::{End, Sample, Subject, Tree};
use crate::limit::{self, HeapLimitRecord};
use crate::{Error, preload, record};

mod members;

pub(super) fn sample(subject: &Subject, watched: Watched) -> Result<Sample, Error> {
    let mut processes = records(&subject.record_dir)?;
    let heap_limits = heap_limits(&subject.record_dir)?;
    for limit in &heap_limits {
        if !processes.iter().any(|process| process.role == limit.role) {
            processes.push(died(limit, subject));
        }
    }
    processes.sort_by(|one, other| order(&one.role).cmp(&order(&other.role)));
    let status = match watched.status {
        End::Exit(0) => End::Exit(0),
        End::Exit(_) | End::Signal(_) => heap_limits
            .iter()
            .find(|limit| limit.pid == watched.pid)
            .map_or(watched.status, |limit| End::HeapLimit(limit.clone())),
        other => other,
    };
    let heap_deaths = preload::heap_deaths(&subject.record_dir, &watched.stderr)?;
    let tree = watched.tree.map(|tree| with_own_peaks(tree, &processes));
    let mut doubts = watched.doubts;
    if let Some(tree) = &tree {
        doubts.extend(preload::unread(subject, tree, &processes));
    }
    if let Some(tree) = tree.as_ref().filter(|_| subject.foreign.is_some()) {
        members::join(&mut processes, tree, subject.instrument);
        members::say_phases(&mut processes, watched.pid, tree);
        members::say_end(&mut processes, watched.pid, &status);
    }
    Ok(Sample {
        instrument: subject.instrument,
        status,
        tree,
        processes,
        heap_limits,
        heap_deaths,
        doubts,
        wall: watched.wall,
        cpu: watched.cpu,
        stdout: watched.stdout,
        stderr: watched.stderr,
        stragglers: watched.stragglers,
    })
}

fn records(dir: &Path) -> Result<Vec<record::Process>, Error> {
    let mut processes = Vec::new();
    for path in files(dir, "json")? {
        // dhat's profiles lie beside the records.
        if path.file_stem().is_some_and(|stem| Path::new(stem).extension() == Some(OsStr::new("dhat"))) {
            continue;
        }
        let text = fs::read(&path).map_err(|source| Error::file("read record", &path, source))?;
        let process = serde_json::from_slice(&text)
            .map_err(|error| Error::Record { path: path.clone(), reason: error.to_string() })?;
        processes.push(process);
    }
    Ok(processes)
}

fn heap_limits(dir: &Path) -> Result<Vec<HeapLimitRecord>, Error> {
    let roles = files(dir, "limit")?;
    let roles = roles.iter().filter_map(|path| path.file_stem()?.to_str());
    Ok(roles.filter_map(|role| limit::read(dir, role)).collect())
}

/// Files of a directory that end in `.extension`, sorted by name.
fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::file("read record directory", dir, source);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// What is known of a process that died at its heap limit.
fn died(limit: &HeapLimitRecord, subject: &Subject) -> record::Process {
    record::Process {
        role: limit.role.clone(),
        instrument: subject.instrument.name().to_owned(),
        pid: limit.pid,
        end: Some(End::HeapLimit(limit.clone()).to_string()),
        ..record::Process::default()
    }
}

/// Roles in the order of a reader: the parent, then by name, with numbers as numbers.
fn order(role: &str) -> (bool, &str, u64) {
    let name = role.trim_end_matches(|last: char| last.is_ascii_digit());
    let number = role[name.len()..].parse().unwrap_or(0);
    (role != "parent", name, number)
}

/// Where a member recorded its own peak, that is the better one: it may have reset what polls see.
fn with_own_peaks(mut tree: Tree, processes: &[record::Process]) -> Tree {
    for member in &mut tree.members {
        let own = processes.iter().find(|process| process.pid == member.pid);
        if let Some(peak) = own.and_then(|process| process.metrics.get("rss.peak_bytes")) {
            let peak_bytes = member.peak_bytes.max(peak.value as u64);
            // Whenever that was, no moment had more than so much in addition.
            tree.high_bytes += peak_bytes - member.peak_bytes;
            tree.low_bytes = tree.low_bytes.max(peak_bytes);
            member.peak_bytes = peak_bytes;
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_as_a_reader_expects() {
        let mut roles = ["worker-10", "guest", "worker-2", "parent", "worker"];
        roles.sort_by(|one, other| order(one).cmp(&order(other)));
        assert_eq!(roles, ["parent", "guest", "worker", "worker-2", "worker-10"]);
    }
}
