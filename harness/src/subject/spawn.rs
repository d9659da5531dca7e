//! Starting a subject, waiting for its tree to end, and ending it.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{End, Output, Subject, Tree};
use crate::inject::INJECT;
use crate::instrument::{HEAP_LIMIT, INSTRUMENT, RECORD_DIR};
use crate::{Error, preload};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(super) use linux::run;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::run;

/// What was seen of a subject from outside.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) pid: u32,
    pub(super) status: End,
    pub(super) tree: Option<Tree>,
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub(super) stragglers: Vec<String>,
    pub(super) doubts: Vec<String>,
}

/// The command of a subject, not yet started.
fn command(subject: &Subject) -> Result<Command, Error> {
    let preload = preload::furnish(subject)?;
    let mut command = Command::new(&subject.program);
    if subject.foreign.is_none() {
        // A backtrace would be allocated in the middle of a panic's measurement.
        command.env("RUST_BACKTRACE", "0");
    }
    // Only what the caller asks for is planted.
    command.env_remove(INJECT);
    command
        .args(preload.args)
        .args(&subject.args)
        .current_dir(&subject.cwd)
        .envs(subject.env.iter().map(|(name, value)| (name, value)))
        .envs(preload.env)
        .env(INSTRUMENT, subject.instrument.name())
        .env(RECORD_DIR, &subject.record_dir)
        .stdin(stdin(subject)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match subject.heap_limit_bytes {
        Some(bytes) => command.env(HEAP_LIMIT, bytes.to_string()),
        None => command.env_remove(HEAP_LIMIT),
    };
    Ok(command)
}

fn stdin(subject: &Subject) -> Result<Stdio, Error> {
    match subject.foreign.as_ref().and_then(|foreign| foreign.stdin.as_ref()) {
        None => Ok(Stdio::null()),
        Some(path) => {
            let file = File::open(path).map_err(|source| Error::file("open standard input", path, source))?;
            Ok(file.into())
        }
    }
}

fn failed(subject: &Subject) -> impl FnOnce(io::Error) -> Error {
    let program = subject.program.clone();
    move |source| Error::Spawn { program, source }
}
