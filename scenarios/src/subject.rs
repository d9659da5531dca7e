//! The measured process: what runs when the program is called with one of its hidden words.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use engine::sync::failure::HeapDeath;
use engine::sync::{Attempt, Event};
use harness::meter::{self, Meter};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Answer};
use crate::selftest::threads;
use crate::{listing, snapshots, sync, view};

/// The word with which the program is called to be measured.
pub const SUBJECT: &str = "subject";
/// The word with which the program is called to be a measured program's parse worker.
pub const WORKER: &str = "parse-worker";

/// The person's home directory in a sample's directory. Paths are short and relative, so that no figure depends on where a
/// corpus lies.
pub(crate) const HOME: &str = "home";
/// The cache in a sample's directory.
pub(crate) const CACHE: &str = "cache";

/// What a subject does, in the words of its family. The words tell the family, so that builds from before there were several are
/// understood, and understand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Task {
    /// Of `sync`.
    Sync(sync::Task),
    /// Of `snapshots`.
    Snapshots(snapshots::Task),
    /// Of `listing`.
    Listing(listing::Task),
    /// Of `view`.
    View(view::Task),
}

impl From<view::Task> for Task {
    fn from(task: view::Task) -> Task {
        Task::View(task)
    }
}

impl From<listing::Task> for Task {
    fn from(task: listing::Task) -> Task {
        Task::Listing(task)
    }
}

impl From<snapshots::Task> for Task {
    fn from(task: snapshots::Task) -> Task {
        Task::Snapshots(task)
    }
}

impl From<&sync::Task> for Task {
    fn from(task: &sync::Task) -> Task {
        Task::Sync(task.clone())
    }
}

/// Does the work when the arguments ask for it, and gives the exit code; none when they are a person's.
///
/// Must be called before anything else in `main`: what is done before counts as the subject's.
pub fn enter(mut arguments: impl Iterator<Item = OsString>) -> Option<i32> {
    let word = arguments.nth(1)?;
    if word == SUBJECT {
        let task = arguments.next().and_then(|task| serde_json::from_str(task.to_str()?).ok())?;
        return Some(subject(&task));
    }
    if word == threads::SUBJECT {
        let task = arguments.next().and_then(|task| serde_json::from_str(task.to_str()?).ok())?;
        return Some(threads::subject(&task));
    }
    if word == listing::child::CHILD {
        return Some(listing::child::run(arguments.next()?.to_str()?));
    }
    if word == listing::serve::SERVED {
        return Some(listing::serve::served(arguments.next()?.to_str()?));
    }
    if word == WORKER {
        let attempt = arguments.next()?;
        return Some(worker(&format!("worker-{}", attempt.to_str()?)));
    }
    None
}

fn subject(task: &Task) -> i32 {
    let answer = match Meter::start("parent") {
        Ok(meter) => {
            let answer =
                drive(task).unwrap_or_else(|error| Answer { error: Some(error), ..Answer::default() });
            match meter.finish() {
                Ok(_) => answer,
                Err(error) => Answer { error: Some(error.to_string()), ..answer },
            }
        }
        Err(error) => Answer { error: Some(error.to_string()), ..Answer::default() },
    };
    let written = serde_json::to_vec(&answer)
        .map_err(io::Error::from)
        .and_then(|bytes| std::fs::write(answer::FILE, bytes));
    i32::from(written.is_err())
}

fn drive(task: &Task) -> Result<Answer, String> {
    match task {
        Task::Sync(task) => sync::drive(task),
        Task::Snapshots(task) => {
            snapshots::drive(task).map(|account| Answer { snapshots: Some(account), ..Answer::default() })
        }
        Task::Listing(task) => {
            listing::drive(task).map(|account| Answer { listing: Some(account), ..Answer::default() })
        }
        Task::View(task) => {
            view::drive(task).map(|account| Answer { view: Some(account), ..Answer::default() })
        }
    }
}

fn worker(role: &str) -> i32 {
    let mut meter = Meter::start(role).ok();
    let mut is_recorded = false;
    let result =
        engine::sync::worker::run(io::stdin().lock(), io::stdout().lock(), &mut |event| match event {
            Event::Phase(name) => meter::phase(name),
            // From here on the host may end this process: its record must be there before.
            Event::Delivered => is_recorded = meter.take().is_some_and(|meter| meter.finish().is_ok()),
            Event::Workspace { .. } => {}
        });
    i32::from(result.is_err() || !is_recorded)
}

/// The command that starts the worker of an attempt.
pub(crate) fn worker_command(task: &sync::Task, attempt: Attempt) -> Command {
    let mut command = Command::new(own_program());
    command.arg(WORKER).arg(number(attempt.number));
    if let Some(bytes) = task.worker_heap_bytes {
        let bytes = bytes * u64::from(attempt.heap_percent) / 100;
        command.env(harness::instrument::HEAP_LIMIT, bytes.to_string());
    }
    command
}

/// The running program, by a name whose length does not depend on where it lies.
#[cfg(target_os = "linux")]
pub(crate) fn own_program() -> &'static Path {
    Path::new("/proc/self/exe")
}

/// The running program.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own_program() -> std::path::PathBuf {
    std::env::current_exe().unwrap_or_else(|_| Path::new("highwater").to_owned())
}

fn number(attempt: u32) -> &'static str {
    match attempt {
        1 => "1",
        2 => "2",
        _ => "3",
    }
}

/// What the heap limit of an attempt's worker wrote, if it did.
pub(crate) fn heap_death(attempt: Attempt) -> Option<HeapDeath> {
    let directory = std::env::var_os(harness::instrument::RECORD_DIR)?;
    let record = harness::limit::read(Path::new(&directory), &format!("worker-{}", attempt.number))?;
    Some(HeapDeath { limit_bytes: record.limit_bytes, live_bytes: record.live_bytes })
}
