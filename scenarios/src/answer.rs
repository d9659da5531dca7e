//! What a measured run answered, and what it should have.

use serde::{Deserialize, Serialize};

use engine::sync::Outcome;
use engine::sync::protocol::{Skipped, Work};

use crate::{listing, snapshots, view};

/// Name of the file in a sample's directory in which its subject leaves the answer.
pub(crate) const FILE: &str = "answer.json";

/// What a subject answered: one entry for each time it brought its host up to date.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The passes, in order.
    pub passes: Vec<Pass>,
    /// What a daemon answered, where one was driven.
    #[serde(default)]
    pub snapshots: Option<snapshots::Account>,
    /// What a service answered, where one was driven.
    #[serde(default)]
    pub listing: Option<listing::Account>,
    /// What a view answered, where one was driven.
    #[serde(default)]
    pub view: Option<view::Account>,
    /// Why there is no answer, or not all of it.
    pub error: Option<String>,
}

/// A defect that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// What it is.
    pub name: String,
    /// How it shows; none when it does not.
    pub found: Option<String>,
}

/// The answer of one pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Digest of everything that was visited, in hexadecimal.
    pub digest: String,
    /// Sessions that were visited.
    pub sessions: u64,
    /// Requests that were visited.
    pub requests: u64,
    /// Tokens of all requests.
    pub tokens: u64,
    /// Workspaces, days and models that had any.
    pub groups: [u64; 3],
    /// Whether everything was delivered.
    pub complete: bool,
    /// Whether nothing had to be done.
    pub from_memory: bool,
    /// Workspaces that were found.
    pub workspaces: u64,
    /// What the worker did.
    pub work: Work,
    /// What was passed over.
    pub skipped: Skipped,
    /// What became of workers that did not deliver, one sentence each.
    pub failures: Vec<String>,
}

impl Pass {
    /// The answer of a pass, but for what was visited.
    pub(crate) fn of(outcome: &Outcome) -> Pass {
        Pass {
            complete: outcome.complete,
            from_memory: outcome.from_memory,
            workspaces: outcome.workspaces,
            work: outcome.work.clone(),
            skipped: outcome.skipped.clone(),
            failures: outcome.failures.iter().map(ToString::to_string).collect(),
            ..Pass::default()
        }
    }
}

/// What an answer is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Digest of everything.
    pub digest: String,
    /// Sessions.
    pub sessions: u64,
    /// Requests.
    pub requests: u64,
    /// Lines that are skipped and counted.
    pub skipped_lines: u64,
}

impl Answer {
    /// The last pass.
    ///
    /// # Errors
    /// When there is none, or the subject failed.
    pub fn last(&self) -> Result<&Pass, String> {
        match (&self.error, self.passes.last()) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(pass)) => Ok(pass),
            (None, None) => Err("the subject gave no answer".to_owned()),
        }
    }

    /// Checks every pass.
    ///
    /// # Errors
    /// Says which figure is wrong. A case whose answer is wrong has no measurement.
    pub fn check(&self, expected: &Expected) -> Result<(), String> {
        self.last()?;
        for (number, pass) in (1..).zip(&self.passes) {
            if !pass.complete {
                let why = pass.failures.last().map_or("without saying why", String::as_str);
                return Err(format!("pass {number} was not completed: {why}"));
            }
            let named = || match pass.skipped.named.first() {
                Some((path, why)) => format!("; first of what was skipped: {path}: {why}"),
                None => String::new(),
            };
            let figures = [
                ("sessions", pass.sessions, expected.sessions),
                ("requests", pass.requests, expected.requests),
            ];
            if let Some((name, found, wanted)) =
                figures.into_iter().find(|(_, found, wanted)| found != wanted)
            {
                return Err(format!(
                    "pass {number} answered {found} {name}, the corpus has {wanted}{}",
                    named()
                ));
            }
            if pass.digest != expected.digest {
                return Err(format!(
                    "pass {number} answered digest {}, the corpus has {}{}",
                    pass.digest,
                    expected.digest,
                    named()
                ));
            }
            let reads_all = pass.work.cached == 0 && !pass.from_memory;
            if reads_all && pass.skipped.lines != expected.skipped_lines {
                return Err(format!(
                    "pass {number} skipped {} lines, the corpus has {} that cannot be read{}",
                    pass.skipped.lines,
                    expected.skipped_lines,
                    named()
                ));
            }
        }
        Ok(())
    }
}
