//! How the engine's `view` family is driven.

mod agent;
mod bench;
pub mod browser;
mod check;
mod hours;
mod load;
pub(crate) mod prepare;
mod strings;
mod switch;
pub(crate) mod table;
mod wire;

use engine::view::Strategy;
use serde::{Deserialize, Serialize};

use crate::answer::Defect;

/// What a subject does with its server, host and view. The numbers are those of the real bug's scenarios (S1 to S21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Drive {
    /// Ten long sessions are opened one after the other, and the first again (S1).
    Switch,
    /// Two sessions are opened in turn, a hundred times (S2).
    Revisit,
    /// A hundred sessions are opened one after the other (S3).
    Hundred,
    /// Ten sessions were opened, of which the list then names four (S4).
    Sweep,
    /// Ten sessions were opened, each with a draft, and are deleted (S5).
    Delete,
    /// What was under way for a session arrives after it was deleted (S6).
    Late,
    /// One session of 300 turns is opened, scrolled to its beginning, and goes on (S7).
    Window,
    /// One turn has 400 calls of tools (S8).
    GiantTurn,
    /// 240 edits (S9).
    Edits,
    /// A command says 400 KB in 2,000 pieces (S10).
    Bash,
    /// The diff of ten sessions, after each of twenty turns; and of one that changes one more file each turn (S11).
    Diff,
    /// Every tool once, with a long output, attachments and a copy to display (S12).
    Tools,
    /// Thirty sessions with five children each, which work in the background (S13).
    Tracked,
    /// 10,000 messages of fifty sessions, of which half are deleted (S14).
    Map,
    /// Images that were pasted and not sent (S15).
    Screenshots,
    /// Three hours of everything (S16).
    Hours,
    /// Ten minutes of everything, for the worth of each fix.
    Minutes,
    /// One session of 90 MB, as old versions stored it (S17).
    Legacy,
    /// 2,000 messages, page by page to the first (S18).
    Paging,
    /// A client that stops reading, and one that connects each second for eight hours (S19).
    Stalled,
    /// The same session in ASCII, with a sign above U+00FF in each long text, and in Chinese (S20).
    Strings,
    /// What must survive when another session is shown.
    Kept,
}

/// What a subject does.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Task {
    /// How the view is driven.
    pub drive: Drive,
    /// With which choices.
    pub strategy: Strategy,
    /// What everything is drawn from.
    pub seed: u64,
    /// What a browser would add.
    pub browser: browser::Model,
}

/// What a subject answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Defects that were looked for.
    pub defects: Vec<Defect>,
    /// What the figures say, in sentences.
    pub notes: Vec<String>,
    /// Messages that were seen, where all of them must be.
    pub messages: Option<u64>,
}

/// Drives a view as a task says.
///
/// # Errors
/// Says what failed.
pub(crate) fn drive(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Switch => switch::ten(task),
        Drive::Revisit => switch::revisit(task),
        Drive::Hundred => switch::hundred(task),
        Drive::Window | Drive::GiantTurn | Drive::Paging | Drive::Legacy => load::run(task),
        Drive::Edits | Drive::Bash | Drive::Diff | Drive::Tools | Drive::Stalled => wire::run(task),
        Drive::Sweep
        | Drive::Delete
        | Drive::Late
        | Drive::Tracked
        | Drive::Map
        | Drive::Screenshots
        | Drive::Kept => check::run(task),
        Drive::Hours | Drive::Minutes => hours::run(task),
        Drive::Strings => strings::run(task),
    }
}

#[cfg(test)]
mod tests;
