//! What can be typed after `highwater list`.

use clap::{Args, ValueEnum};

/// List scenarios, strategies, profiles, metrics and instruments
///
/// Examples:
///   highwater list
///   highwater list metrics
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct List {
    /// What to list; everything when not given.
    #[arg(value_enum)]
    pub(crate) what: Option<What>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Scenarios, with their strategies.
    Scenarios,
    /// Strategies, with their choices.
    Strategies,
    /// Profiles of corpora.
    Profiles,
    /// Metrics that budgets can name.
    Metrics,
    /// Instruments.
    Instruments,
}
