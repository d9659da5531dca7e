//! What can be typed after `highwater doctor`.

use clap::Args;

/// Say what can be measured here, what is lost without the rest, and what to do about it
///
/// Looks at the system, the tools that some verbs need, and the project in this folder. What is
/// missing is no failure; a highwater.toml or file of budgets that cannot be used is (exit code 2).
///
/// Examples:
///   highwater doctor
///   highwater doctor --json | jq '.checks[] | select(.state == "no")'
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
