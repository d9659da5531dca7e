//! What can be typed after `highwater budget`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reports::budget::edit::HEADROOM_PERCENT;

use super::{Judging, percent};

/// Write, tighten, explain and excuse limits in a file of budgets
///
/// A file is replaced whole or not at all; comments and the order of entries stay. docs/budgets.md
/// is the manual of the file.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Budget {
    #[command(subcommand)]
    pub(crate) verb: BudgetVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetVerb {
    Init(Init),
    Ratchet(Ratchet),
    Explain(Explain),
    Waive(Waive),
}

/// Write a first file of budgets from a measured run
///
/// Each measured case gets a ceiling of its peak, with headroom above the largest sample, and a
/// growth limit where samples could ever judge one.
///
/// Examples:
///   highwater exec --samples 7 --out target/run -- ./build.sh
///   highwater budget init target/run
///   highwater budget init target/run --out ci/memory.toml --headroom 20
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Init {
    /// The run: run.json, or the folder that holds it.
    #[arg(default_value = "target/highwater/latest")]
    pub(crate) run: PathBuf,
    /// The file to write.
    #[arg(long, default_value = "budgets.toml", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace the file when it exists.
    #[arg(long)]
    pub(crate) force: bool,
    /// Room above what was measured; what differs from run to run gets at least 10 %.
    #[arg(long, default_value_t = HEADROOM_PERCENT, value_name = "PERCENT", value_parser = percent)]
    pub(crate) headroom: f64,
}

/// Tighten the ceilings that the last runs have kept with room to spare
///
/// A ceiling becomes the largest sample of the last K runs and headroom, when that is lower by at
/// least 1 %. Floors, tripwires and limits that follow another figure stay, and so does whatever
/// one of these runs did not measure. Nothing is ever loosened.
///
/// Examples:
///   highwater budget ratchet mon/run.json tue/run.json wed/run.json
///   highwater budget ratchet --budgets budgets.toml --confirm 5 --dry-run runs/*/run.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Ratchet {
    /// The runs, of one build or of later and later ones: run.json files, or the folders that hold them.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// The file to tighten; ci/budgets.toml when it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// How many of the last runs must confirm a tighter ceiling.
    #[arg(long, default_value_t = 3, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) confirm: u32,
    /// Room above the largest sample.
    #[arg(long, default_value_t = HEADROOM_PERCENT, value_name = "PERCENT", value_parser = percent)]
    pub(crate) headroom: f64,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Say what holds for a case, why, where it is written, and how much of it is left
///
/// Examples:
///   highwater budget explain sync/cold:bounded
///   highwater budget explain 'sync/*:bounded' --run target/highwater/latest
///   highwater budget explain exec/build.sh:as-given --budgets budgets.toml --run target/run
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Explain {
    /// The case, or a pattern in which `*` stands for any text.
    pub(crate) case: String,
    /// A run whose figures and verdicts are shown: run.json, or the folder that holds it.
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

/// Excuse a broken limit, up to a ceiling and until a day
///
/// Adds a `[[waiver]]` to the end of the file. Within it a broken limit is `waived` and does not fail
/// the gate; beyond its ceiling or after its day it does. What is waived is summed up as debt in
/// every report.
///
/// Examples:
///   highwater budget waive sync/cold:bounded heap.peak_bytes --ceiling '9 MiB' \
///     --issue '#7' --owner ada --expires 30d
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Waive {
    /// The case, by its exact name.
    pub(crate) case: String,
    /// The metric whose limits may be broken.
    pub(crate) metric: String,
    /// Up to this figure, such as `9 MiB` or `12`.
    #[arg(long, value_name = "FIGURE")]
    pub(crate) ceiling: String,
    /// Where the problem is followed.
    #[arg(long)]
    pub(crate) issue: String,
    /// Who answers for it.
    #[arg(long)]
    pub(crate) owner: String,
    /// The last day on which it holds, such as 2026-01-31, or days from now, such as 30d; a year at most.
    #[arg(long, value_name = "DAY")]
    pub(crate) expires: String,
    /// The file to change; ci/budgets.toml when it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
}
