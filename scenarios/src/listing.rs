//! How the engine's `listing` family is driven.

mod bench;
mod check;
pub mod child;
mod client;
mod cold;
pub(crate) mod home;
mod lists;
mod live;
mod pile_up;
pub(crate) mod prepare;
mod scale;
pub mod serve;
mod service;
mod soak;
mod supervised;
pub(crate) mod table;

use engine::listing::Strategy;
use harness::instrument::{INSTRUMENT, Instrument};
use serde::{Deserialize, Serialize};

use crate::answer::Defect;
use crate::runner::{CaseRun, Runner};

/// How the cases of a scenario are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By samples of each instrument.
    Sampled(Drive),
    /// By one sample of the instrument `os`: it takes real time, with real processes or connections.
    Once(Drive),
}

/// What a subject does with its service. The numbers are those of the real bug's scenarios (H1 to H17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Drive {
    /// One list of 140 long sessions, asked for by HTTP, of a service that has just started (H1).
    Cold,
    /// The same list each 30 seconds, while nothing changes (H2).
    Warm,
    /// A list each second, while a program appends to one session and the service to it, too (H3).
    Writes,
    /// Everything by which a list could say what is no longer so (H4).
    Stale,
    /// Twenty clients, lists and appends at once (H5).
    PileUp,
    /// Sessions come and go (H6).
    Churn,
    /// Sessions that were only touched, by each container (H7).
    Orphans,
    /// More sessions in use than are kept idle (H8).
    Crowd,
    /// Deleted sessions, a day later (H9).
    Tombstones,
    /// Starts and deletions of the same sessions at once (H10).
    Race,
    /// A service that dies, stops, spins or flaps, and the supervisor that is to see it (H11 to H13).
    Supervised,
    /// The end of a service with everything that it has started (H14).
    Tree,
    /// What a session's process said last (H15).
    Messages,
    /// Half an hour of everything (H16).
    Soak,
    /// The first and the hundredth page of 10,000 sessions (H17).
    Scale,
}

/// What a subject does.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Task {
    /// How the service is driven.
    pub drive: Drive,
    /// With which choices.
    pub strategy: Strategy,
    /// For how many ticks, where it stays up.
    pub ticks: u32,
}

/// What a subject answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Digest of the rows of the last list, where there was one.
    pub listed: Option<String>,
    /// How many rows that are.
    pub rows: u64,
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
    let Kind::Once(drive) = kind else {
        return Err("its samples are taken with those of other cases".to_owned());
    };
    let ready = runner.ready_to_list(&case.name, drive, strategy)?;
    let (sample, answer) = runner.sample(&ready.scratch, ready.task.clone(), Instrument::Os, None)?;
    runner.take_in(&ready, sample, &answer, case)
}

/// Drives a service as a task says.
///
/// # Errors
/// Says what failed.
pub(crate) fn drive(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Cold => cold::run(task),
        Drive::Warm => lists::warm(task),
        Drive::Writes => lists::writes(task),
        Drive::Scale => scale::run(task),
        Drive::PileUp => pile_up::run(task),
        Drive::Churn => live::churn(task),
        Drive::Crowd => live::crowd(task),
        Drive::Tombstones => live::tombstones(task),
        Drive::Messages => live::messages(task),
        Drive::Soak => soak::run(task),
        Drive::Stale | Drive::Orphans | Drive::Race => check::run(task),
        Drive::Supervised => supervised::run(task),
        Drive::Tree => supervised::tree::run(task),
    }
}

/// The name of the file in which the index of a home is kept: no other home's.
pub fn index_name(home: &std::path::Path) -> String {
    let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    format!("listing-{}.sqlite", &blake3::hash(home.as_os_str().as_encoded_bytes()).to_hex()[..16])
}

/// Whether times are read in this process: those of one that counts are not its own, and samples that count run side by side.
fn is_timed() -> bool {
    std::env::var(INSTRUMENT).map_or(true, |name| name.is_empty() || name == Instrument::Os.name())
}
