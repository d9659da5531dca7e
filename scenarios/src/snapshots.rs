//! How the engine's `snapshots` family is driven.

mod bench;
mod check;
mod estimator;
pub(crate) mod law;
pub(crate) mod prepare;
mod pressure;
mod rest;
pub(crate) mod table;

use engine::snapshots::Strategy;
use engine::snapshots::store::TooLarge;
use serde::{Deserialize, Serialize};

use crate::answer::Defect;
use crate::runner::{CaseRun, Runner};

/// How the cases of a scenario are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By samples of each instrument.
    Sampled(Drive),
    /// By samples of each instrument at several sizes.
    Swept(Drive),
}

/// What a subject does with its daemon. The numbers are those of the real bug's scenarios (K1 to K12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Drive {
    /// Stays up while nothing happens (K1).
    Idle,
    /// Stays up while one session gets an event every five seconds (K2).
    Active,
    /// Stays up while nothing happens, with its state on disk (K3).
    Persistent,
    /// Stays up for a day while nothing happens.
    Day,
    /// Takes in events of several sizes, to compare the estimate with the heap (K4).
    Estimator,
    /// Takes in half as much again as the budget has room for (K5).
    Budget,
    /// Takes in a session larger than the budget (K6).
    Oversize,
    /// Evicts sessions whose files then change (K7).
    Touch,
    /// Takes in too many sessions, and too long a one (K8).
    Limits,
    /// Takes in awkward first messages (K9).
    Snippet,
    /// Reads files again, torn ones and rewritten ones (K10).
    Replay,
    /// Changes what the daemon gave (K11).
    Isolation,
    /// Follows one session from nothing (K12).
    Growth,
    /// One active session among more and more.
    AmongSessions,
    /// One active session among others of more and more events.
    AmongEvents,
}

/// What a subject does.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Task {
    /// How the daemon is driven.
    pub drive: Drive,
    /// With which choices.
    pub strategy: Strategy,
    /// For how many ticks it stays up, where it stays up.
    pub ticks: u32,
}

/// What a subject answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Digest of all events of all sessions, where all could be had.
    pub digest: Option<String>,
    /// How many events that are.
    pub events: u64,
    /// Commands that were run, where that is looked at.
    pub commands: Option<u64>,
    /// Defects that were looked for.
    pub defects: Vec<Defect>,
}

/// Measures a case that takes its samples in a way of its own.
///
/// # Errors
/// Says what failed.
pub(crate) fn measure(
    kind: Kind,
    strategy: Strategy,
    runner: &mut Runner<'_>,
    case: &mut CaseRun,
) -> Result<(), String> {
    match kind {
        Kind::Sampled(_) => Err("its samples are taken with those of other cases".to_owned()),
        Kind::Swept(drive) => law::measure(runner, drive, strategy, case),
    }
}

/// Drives a daemon as a task says.
///
/// # Errors
/// Says what failed.
pub(crate) fn drive(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Idle
        | Drive::Active
        | Drive::Persistent
        | Drive::Day
        | Drive::Growth
        | Drive::AmongSessions
        | Drive::AmongEvents => rest::run(task),
        Drive::Estimator => estimator::run(task),
        Drive::Budget => pressure::run(task),
        Drive::Oversize
        | Drive::Touch
        | Drive::Limits
        | Drive::Snippet
        | Drive::Replay
        | Drive::Isolation => check::run(task),
    }
}

fn in_words(error: TooLarge) -> String {
    error.to_string()
}
