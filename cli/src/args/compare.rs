//! What can be typed after `highwater compare`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use harness::record::Unit;
use reports::budget::Growth;

use super::{Measuring, percent};

/// Compare a head with its base: two saved runs, two commands, or a git ref and the checkout
///
/// Two runs are read, and nothing is measured or judged. Otherwise base and head are measured in
/// turn (base, head, head, base), after one sample of each that is not used, and become the cases
/// compare/NAME:base and compare/NAME:head of one run.json. They are judged: exact figures must be
/// equal or better; of noisy ones head must not be worse by more than --allow, as far as that can
/// be told from chance. The exit code is the verdict's. A base that does not repeat itself is
/// unfit to judge by.
///
/// Commands in --base, --head and --build are split into words as a shell would, but there is no
/// shell: nothing is expanded, piped or redirected.
///
/// With --base-ref the base is built from a git ref, in a worktree below --artifacts that is kept
/// for the next time; the head is the checkout as it stands, built by the same command. The
/// program of CMD is a path in the repository, and the base runs what lies at the same place of its
/// own checkout; or {artifact} in CMD stands for the checkout of each side. Both run in the
/// current directory. Nothing is fetched, and the checkout is left as it is.
///
/// Without CMD, in highwater's own repository, the base is highwater at that ref (or the program
/// --base-artifact), the head is this program, and --case names the scenarios: sync/cold:bounded
/// becomes the cases compare/sync-cold-bounded:base and :head.
///
/// Examples:
///   highwater compare before/run.json after/run.json
///   highwater compare --base 'node old.js' --head 'node new.js' --instrument os
///   highwater compare --base './parse-1.0 {corpus}' --head './parse-1.1 {corpus}' --corpus laptop@0.1
///   highwater compare --base-ref main -- ./target/release/parse large.json
///   highwater compare --base-ref v1.2.0 --build 'npm run build' -- node {artifact}/dist/app.js
///   highwater compare --base-ref main --case 'sync/cold:*'
///   highwater compare --base-artifact ./highwater-0.1.0 --allow '1 MiB'
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Compare {
    /// The run compared against: run.json, or the folder that holds it.
    #[arg(required_unless_present_any = ["base", "base_ref", "base_artifact"], requires = "head_run")]
    #[arg(conflicts_with_all = ["base", "head", "base_ref", "base_artifact", "command", "name", "samples", "Measuring", "Judged"])]
    pub(crate) base_run: Option<PathBuf>,
    /// The run to look at.
    pub(crate) head_run: Option<PathBuf>,
    /// The command compared against, with its arguments.
    #[arg(long, value_name = "CMD", requires = "head", conflicts_with_all = ["base_ref", "base_artifact", "command"])]
    pub(crate) base: Option<String>,
    /// The command to look at, with its arguments.
    #[arg(long, value_name = "CMD", requires = "base")]
    pub(crate) head: Option<String>,
    /// The branch, tag or commit compared against.
    #[arg(long, value_name = "REF", conflicts_with = "base_artifact", allow_hyphen_values = true)]
    pub(crate) base_ref: Option<String>,
    /// The highwater program compared against, such as that of a release.
    #[arg(long, value_name = "PATH", conflicts_with = "command")]
    pub(crate) base_artifact: Option<PathBuf>,
    /// What builds a checkout, in the current directory's place of it; `cargo build --release`, with --locked where there is a
    /// Cargo.lock, when not given.
    #[arg(long, value_name = "CMD", requires = "base_ref")]
    pub(crate) build: Option<String>,
    /// Where the builds of git refs are kept.
    #[arg(long, value_name = "DIR", default_value = "target/highwater/artifacts", requires = "base_ref")]
    pub(crate) artifacts: PathBuf,
    /// Cases to compare when no CMD is given; `*` stands for any text. sync/cold:bounded when not given.
    #[arg(long = "case", value_name = "PATTERN", conflicts_with_all = ["base", "command", "base_run"])]
    pub(crate) cases: Vec<String>,
    /// NAME of the cases compare/NAME:base and compare/NAME:head; the command's program when not given.
    #[arg(long, conflicts_with = "base_artifact")]
    pub(crate) name: Option<String>,
    /// Samples of each side; of instruments that count, 2.
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: u32,
    #[command(flatten)]
    pub(crate) judged: Judged,
    #[command(flatten)]
    pub(crate) measuring: Measuring,
    /// The command and its arguments, after `--`, whose base is that of --base-ref.
    #[arg(last = true, requires = "base_ref", value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// How a growth from base to head is told from chance.
#[derive(Debug, Args)]
pub(crate) struct Judged {
    /// How much worse than base a noisy metric may be: "2 %", "1 MiB".
    #[arg(long, default_value = "2 %", value_name = "GROWTH", value_parser = growth)]
    pub(crate) allow: Growth,
    /// How much worse an exact metric may be, such as the heap of a Rust program with highwater's allocator.
    #[arg(long, default_value = "0", value_name = "GROWTH", value_parser = growth)]
    pub(crate) allow_exact: Growth,
    /// How seldom chance alone may look like a growth that is called one.
    #[arg(long, default_value_t = 0.001, value_name = "P", value_parser = probability)]
    pub(crate) alpha: f64,
    /// Confidence with which a growth is beyond what is allowed.
    #[arg(long, default_value_t = 0.95, value_name = "P", value_parser = probability)]
    pub(crate) confidence: f64,
    /// Metrics that are judged each by itself; all others are corrected for how many they are. heap.peak_bytes and the tree's peak
    /// when not given.
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) primary: Vec<String>,
    /// The widest spread of the base's own samples that is judged by, in percent of their median.
    #[arg(long, default_value = "10 %", value_name = "PERCENT", value_parser = percent)]
    pub(crate) spread_max: f64,
}

fn growth(text: &str) -> Result<Growth, String> {
    reports::budget::read_growth(text, Unit::Bytes)
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "write a number between 0 and 1".to_owned())
}

fn metric(name: &str) -> Result<String, String> {
    match reports::metric::unit(name) {
        Some(_) => Ok(name.to_owned()),
        None => {
            let near = reports::metric::nearest(name).map(|near| format!(", did you mean {near}?"));
            Err(format!("no metric has this name{}", near.unwrap_or_default()))
        }
    }
}
