//! Node: a preload that keeps V8's peak, reports of heaps that were full, and the flags that make memory repeat.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Preload, has_record, in_front, named, private_dir, program, variable, write_private};
use crate::Error;
use crate::record;
use crate::subject::{Member, Subject, Tree};

mod deaths;
mod readings;

pub(super) use deaths::heap_deaths;

const PRELOAD: &str = include_str!("node.cjs");
const NODE_OPTIONS: &str = "NODE_OPTIONS";
/// The names under which Node is installed.
const NAMES: [&str; 2] = ["node", "nodejs"];
/// One thread, and collections by what was allocated alone. Node refuses both in [`NODE_OPTIONS`].
const QUIET: [&str; 2] = ["--single-threaded", "--predictable-gc-schedule"];
/// Directories in the record directory: the preload and its notes, the reports, the shims.
const NOTES: &str = "node";
const REPORTS: &str = "reports";
const SHIMS: &str = "shims";

/// The options that every Node process takes from its environment. The user's own come last, so that they win.
pub(super) fn options(subject: &Subject) -> Result<(OsString, OsString), Error> {
    let mut value = OsString::new();
    if subject.instrument == crate::instrument::Instrument::V8 {
        let preload = private_dir(subject, NOTES)?.join("highwater.cjs");
        write_private(&preload, PRELOAD.as_bytes(), 0o600)?;
        value.push(option(subject, "--require", &preload)?);
        value.push(" ");
    }
    let reports = private_dir(subject, REPORTS)?;
    value.push("--report-on-fatalerror --report-compact ");
    value.push(option(subject, "--report-directory", &reports)?);
    if let Some(given) = variable(subject, NODE_OPTIONS) {
        value.push(" ");
        value.push(given);
    }
    Ok((NODE_OPTIONS.into(), value))
}

/// An option with a path, as Node reads it from the variable: between quotes, with a backslash before a quote or a backslash.
fn option(subject: &Subject, name: &str, path: &Path) -> Result<String, Error> {
    let path = path.to_str().ok_or(Error::Unavailable {
        instrument: subject.instrument,
        why: "the path of the record directory is not UTF-8, and Node reads no other; use another one",
    })?;
    Ok(format!("\"{name}={}\"", path.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Adds the flags: to the command itself when it is a Node at a path, and to those that are found through PATH by a shim.
pub(super) fn quieten(subject: &Subject, preload: &mut Preload) -> Result<(), Error> {
    let has_directory = subject.program.parent().is_some_and(|parent| !parent.as_os_str().is_empty());
    if has_directory && subject.program.file_stem().is_some_and(is_name) {
        preload.args.extend(QUIET.map(OsString::from));
    }
    if cfg!(unix)
        && let Some(path) = variable(subject, "PATH")
    {
        let dir = private_dir(subject, SHIMS)?;
        for name in NAMES {
            if let Some(node) = found(&path, name, &subject.cwd) {
                write_private(&dir.join(name), &shim(&node), 0o700)?;
            }
        }
        preload.env.push(("PATH".into(), in_front(subject, dir, &path)?));
    }
    Ok(())
}

fn is_name(name: &OsStr) -> bool {
    NAMES.iter().any(|known| name == *known)
}

/// The program that the name means to a process in `cwd`.
fn found(path: &OsStr, name: &str, cwd: &Path) -> Option<PathBuf> {
    std::env::split_paths(path).map(|dir| cwd.join(dir).join(name)).find(|file| file.is_file())
}

/// A script that becomes Node with the flags in front of what it was given.
fn shim(node: &Path) -> Vec<u8> {
    let mut text = b"#!/bin/sh\nexec '".to_vec();
    for byte in node.as_os_str().as_encoded_bytes() {
        match byte {
            b'\'' => text.extend_from_slice(br"'\''"),
            other => text.push(*other),
        }
    }
    text.extend_from_slice(format!("' {} \"$@\"\n", QUIET.join(" ")).as_bytes());
    text
}

/// Processes of Node that left no record, and what the others say of theirs.
pub(super) fn unread(subject: &Subject, tree: &Tree, processes: &[record::Process]) -> Vec<String> {
    let unread = tree.members.iter().filter(|member| is_node(member) && !has_record(member, processes));
    let mut sentences: Vec<_> = unread
        .map(|member| {
            format!(
                "{} was not read by V8's collector: most likely it was started without NODE_OPTIONS, as by a parent that gives \
                 `env: {{}}`, or ended before its program began",
                named(member)
            )
        })
        .collect();
    sentences.extend(readings::doubts(&subject.record_dir, tree, processes));
    sentences
}

/// Processes of Node that run without the flags.
pub(super) fn loud(tree: &Tree) -> Vec<String> {
    let loud = |member: &&Member| {
        is_node(member) && !QUIET.iter().all(|flag| member.command_line.split(' ').any(|word| word == *flag))
    };
    tree.members
        .iter()
        .filter(loud)
        .map(|member| {
            format!(
                "{} ran without {}, so that its memory repeats less: it was started by its path, not through PATH",
                named(member),
                QUIET.join(" and ")
            )
        })
        .collect()
}

fn is_node(member: &Member) -> bool {
    [program(member), &member.command].iter().any(|name| NAMES.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shim_keeps_quotes_and_spaces_of_the_path() {
        let text = String::from_utf8(shim(Path::new("/opt/it's here/node"))).unwrap();
        assert_eq!(
            text,
            "#!/bin/sh\nexec '/opt/it'\\''s here/node' --single-threaded --predictable-gc-schedule \"$@\"\n"
        );
    }
}
