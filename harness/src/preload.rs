//! What is put into programs of foreign runtimes so that their heaps are read: a preload for Node, a `sitecustomize` for Python.
//!
//! Both are files of this crate, written to the sample's own record directory and added through the environment. They leave
//! records like those of our own processes, and beside them what is for this module alone.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::instrument::Instrument;
use crate::record;
use crate::subject::{HeapDeath, Member, Output, Subject, Tree};

mod node;
mod python;

/// What a foreign subject is started with, beyond what it was given.
#[derive(Debug, Default)]
pub(crate) struct Preload {
    /// Variables of the environment, set last.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Arguments that come before the subject's own.
    pub(crate) args: Vec<OsString>,
}

/// Writes what the subject's instrument needs into its record directory.
pub(crate) fn furnish(subject: &Subject) -> Result<Preload, Error> {
    let mut preload = Preload::default();
    let Some(foreign) = &subject.foreign else { return Ok(preload) };
    match subject.instrument {
        Instrument::Os | Instrument::V8 => preload.env.push(node::options(subject)?),
        Instrument::Tracemalloc => preload.env.push(python::path(subject)?),
        _ => {}
    }
    if foreign.quiet {
        node::quieten(subject, &mut preload)?;
    }
    Ok(preload)
}

/// The heaps of foreign runtimes that were full, by what they left in the record directory and said on standard error.
pub(crate) fn heap_deaths(record_dir: &Path, stderr: &Output) -> Result<Vec<HeapDeath>, Error> {
    node::heap_deaths(record_dir, stderr)
}

/// Members that the instrument should have read and did not, or not to their end, as sentences.
pub(crate) fn unread(subject: &Subject, tree: &Tree, processes: &[record::Process]) -> Vec<String> {
    let Some(foreign) = &subject.foreign else { return Vec::new() };
    let mut sentences = match subject.instrument {
        Instrument::V8 => node::unread(subject, tree, processes),
        Instrument::Tracemalloc => python::unread(tree, processes),
        _ => Vec::new(),
    };
    if foreign.quiet {
        sentences.extend(node::loud(tree));
    }
    sentences
}

/// Whether a process left a record.
fn has_record(member: &Member, processes: &[record::Process]) -> bool {
    processes.iter().any(|process| process.pid == member.pid)
}

/// `process 7 (node worker.js)`.
fn named(member: &Member) -> String {
    let line = if member.command_line.is_empty() { &member.command } else { &member.command_line };
    format!("process {} ({line})", member.pid)
}

/// The file name of a member's program: as its command line has it.
pub(crate) fn program(member: &Member) -> &str {
    let word = member.command_line.split(' ').next().unwrap_or_default();
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() { &member.command } else { name }
}

/// A variable as the subject has it: its own, else the inherited.
fn variable(subject: &Subject, name: &str) -> Option<OsString> {
    let own = subject.env.iter().rev().find(|(own, _)| own == name);
    own.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

/// A list of directories with one in front.
fn in_front(subject: &Subject, dir: PathBuf, list: &OsStr) -> Result<OsString, Error> {
    let dirs = std::iter::once(dir).chain(std::env::split_paths(list));
    std::env::join_paths(dirs).map_err(|_| Error::Unavailable {
        instrument: subject.instrument,
        why: "the path of the record directory holds the character that separates directories in PATH; use another one",
    })
}

/// A directory in the record directory, for this user alone.
fn private_dir(subject: &Subject, name: &str) -> Result<PathBuf, Error> {
    let dir = subject.record_dir.join(name);
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&dir).map_err(|source| Error::file("create directory", &dir, source))?;
    Ok(dir)
}

/// A new file for this user alone, with these rights on Unix.
fn write_private(path: &Path, text: &[u8], mode: u32) -> Result<(), Error> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(text));
    written.map_err(|source| Error::file("write", path, source))
}
