//! What can be typed after `highwater history`.

use clap::{Args as Arguments, Subcommand};

pub(crate) use super::trends::{Drift, Releases, Trend};

/// Histories of runs: trends, change points, drift since a release, and reports of releases
#[derive(Debug, Arguments)]
pub(crate) struct History {
    /// Where the history is: a file, or a PostgreSQL server as postgres://USER@HOST/DATABASE [default: HIGHWATER_STORE, else highwater.db]
    #[arg(long, global = true, value_name = "FILE|URL")]
    pub(crate) store: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: HistoryVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryVerb {
    Trend(Trend),
    Drift(Drift),
    Releases(Releases),
}
