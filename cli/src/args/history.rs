//! What can be typed after `highwater history`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::trends::{Drift, Releases, Trend};

/// Keep runs, and see how figures went over many of them
///
/// A history is a file, .highwater/history.db when nothing else is said, or a PostgreSQL server for a
/// team: --store postgres://USER@HOST/DATABASE, or the same in HIGHWATER_STORE, where no list of
/// processes shows a password. What goes over a network is encrypted, and the server's certificate
/// checked, unless the URL says sslmode=disable. docs/history.md is the manual.
///
/// Examples:
///   highwater history add target/highwater/latest
///   highwater history trend 'sync/cold:*' --branch main
///   HIGHWATER_STORE=postgres://ci@db.example/highwater highwater history import backup.jsonl
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct History {
    #[command(subcommand)]
    pub(crate) verb: HistoryVerb,
    /// The history: a file, or the URL of a PostgreSQL server. HIGHWATER_STORE when not given, else .highwater/history.db.
    #[arg(long, global = true, value_name = "PATH|URL")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryVerb {
    /// Keep runs; one that is there already is left as it is
    ///
    /// What is not said of the commit is asked of git, where the current directory is in a checkout that has it. The branch is
    /// known only where the commit is checked out as one: elsewhere, as in most CI jobs, name it with --branch.
    ///
    /// Examples:
    ///   highwater history add target/highwater/latest
    ///   highwater history add run.json --branch main --committed 2026-01-31T12:00:00Z
    #[command(verbatim_doc_comment)]
    Add(Add),
    /// Show the runs of a history, the latest last
    ///
    /// Examples:
    ///   highwater history list --branch main --last 50
    #[command(verbatim_doc_comment)]
    List(List),
    Trend(Trend),
    Drift(Drift),
    Releases(Releases),
    /// Write every run as a line of JSON: the same bytes from every history that has the same runs
    ///
    /// Examples:
    ///   highwater history export backup.jsonl
    ///   highwater history export | zstd > backup.jsonl.zst
    #[command(verbatim_doc_comment)]
    Export {
        /// The file to write; standard output when not given.
        file: Option<PathBuf>,
    },
    /// Add the runs of an export; lines that are damaged are named, and the rest is added
    ///
    /// Examples:
    ///   highwater history import backup.jsonl
    ///   zstd -dc backup.jsonl.zst | highwater history import -
    #[command(verbatim_doc_comment)]
    Import {
        /// The export; `-` is standard input.
        file: PathBuf,
    },
    /// Remove old runs; those of releases, which have a tag, always stay
    ///
    /// A run goes when no rule keeps it. With --keep and --since, either suffices.
    ///
    /// Examples:
    ///   highwater history prune --branch main --keep 500 --dry-run
    ///   highwater history prune --keep 100 --since 2026-01-01
    #[command(verbatim_doc_comment)]
    Prune(Prune),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The runs: each a run.json, or the folder that holds it.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// The branch of the commit that was measured.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// First line of the commit's message.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// Who wrote the commit.
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// When the commit was made, such as 2026-01-31T12:00:00Z: orders the runs of a branch, whenever they were measured.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) committed: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only runs of this branch.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Only the last so many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Only runs of this branch may go; those of all when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Only say what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What keeps a run.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Rules {
    /// Keep the last so many runs of each branch.
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<usize>,
    /// Keep what is not older, such as 2026-01-31 or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
}

/// A moment, or the beginning of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let moment = text.parse().ok().or_else(day);
    moment.ok_or_else(|| "write a time such as 2026-01-31T12:00:00Z, or a day such as 2026-01-31".to_owned())
}
