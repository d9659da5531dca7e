//! What can be typed after `highwater report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Print a saved run for people, or in the format of another tool
///
/// Nothing is judged anew: the figures and verdicts are those of the run, and the exit code is 0
/// whatever its verdict is. docs/report.md says who reads which format.
///
/// Examples:
///   highwater report                                  the table of the last run
///   highwater report --format html --out report.html
///   highwater report --format summary >> "$GITHUB_STEP_SUMMARY"
///   highwater report DIR --format junit --out junit.xml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Report {
    /// The run: run.json, or the folder that holds it.
    #[arg(default_value = "target/highwater/latest")]
    pub(crate) run: PathBuf,
    /// In which format.
    #[arg(long, alias = "form", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write it to this file instead of standard output; the file appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for the terminal.
    Text,
    /// The report.md.
    Markdown,
    /// The report.html: one file for the browser, with charts.
    Html,
    /// The run.json.
    Json,
    /// JUnit XML, which continuous integration shows as tests.
    Junit,
    /// One line for each metric of each case, for a spreadsheet or a data frame.
    Csv,
    /// Bencher's metric format.
    Bmf,
    /// The input of github-action-benchmark for `tool: customSmallerIsBetter`.
    GithubBenchmark,
    /// OpenMetrics, which Prometheus and its relatives read.
    #[value(name = "openmetrics")]
    OpenMetrics,
    /// A short page for a merge request: what broke, where, how to see it again.
    Summary,
    /// Workflow commands of GitHub, which mark the lines of a change.
    Annotations,
}
