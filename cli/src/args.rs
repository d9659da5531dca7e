//! What can be typed.

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use generators::Profile;
use harness::instrument::Instrument;

/// Proves memory fixes and holds memory budgets.
///
/// `highwater run` writes a realistic corpus of AI-coding sessions, drives a parse, cache and IPC engine over it with every
/// strategy in fresh instrumented processes, judges budgets, and reports where the memory went.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str =
    "Exit codes: 0 pass, 1 regression, 2 the tool or its input failed, 3 could not be judged.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Measure scenarios and strategies, judge budgets, and report.
    Run(Run),
    /// Write, check and list corpora.
    Corpus(Corpus),
    /// Judge a saved run against budgets and a baseline.
    Gate(Gate),
    /// Compare two saved runs.
    Compare(Compare),
    /// Print a saved run as text, markdown or JSON.
    Report(Report),
    /// List scenarios, strategies, profiles, metrics, instruments.
    List(List),
    /// Say what can be measured here, and what to do about what cannot.
    Doctor,
}

/// Measure scenarios and strategies, judge budgets, and report.
///
/// Examples:
///   highwater run                          every case on the default corpus
///   highwater run 'sync/cold:*'            one scenario, every strategy
///   highwater run sync/cold:bounded --scale 0.2 --profile heavy
///   highwater run --home ~                 over your own histories; nothing in them is changed
///   highwater run --lattice sync/cold      what each proposed fix is worth
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Run {
    /// Cases to measure, such as `sync/cold:bounded`; `*` stands for any text. All, when none is named.
    pub(crate) cases: Vec<String>,
    #[command(flatten)]
    pub(crate) spec: SpecArgs,
    /// Measure over the histories below this home directory instead of a corpus.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["profile", "scale", "seed"])]
    pub(crate) home: Option<PathBuf>,
    /// Measure every combination of the five proposed fixes in this scenario, and print what each is worth.
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = ["cases"])]
    pub(crate) lattice: Option<String>,
    /// Instruments to read with.
    #[arg(long, value_delimiter = ',', default_value = "count,os", value_name = "NAMES")]
    pub(crate) instrument: Vec<Instrument>,
    /// Samples of each noisy instrument; exact ones are read twice, to see that they are exact.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: u32,
    /// Seconds after which a sample is stopped.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) timeout: u64,
    /// Where run.json and report.md are written.
    #[arg(long, default_value = "target/highwater/latest", value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Save the run's exact metrics as a baseline for later runs.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_baseline: Option<PathBuf>,
}

/// Which corpus.
#[derive(Debug, Arguments)]
pub(crate) struct SpecArgs {
    /// Recipe of the corpus.
    #[arg(long, default_value_t = Profile::Heavy)]
    pub(crate) profile: Profile,
    /// Size, as a part of the profile's full size; the profile's own default when not given.
    #[arg(long)]
    pub(crate) scale: Option<f64>,
    /// Seed; the same profile, scale and seed give the same bytes everywhere.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where corpora are kept.
    #[arg(long, default_value = "target/highwater/corpora", value_name = "DIR")]
    pub(crate) corpora: PathBuf,
}

/// What a run is judged by.
#[derive(Debug, Arguments)]
pub(crate) struct Judging {
    /// Budgets; ci/budgets.toml when it is there, else those built in.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Baseline that growth is judged against: a saved baseline, or a run.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Corpus {
    #[command(subcommand)]
    pub(crate) verb: CorpusVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusVerb {
    /// Write a corpus, unless it is there and whole.
    Generate(SpecArgs),
    /// Check every file of a corpus against its manifest.
    Verify {
        /// The corpus: a folder with a manifest.json.
        dir: PathBuf,
    },
    /// List the corpora in a folder.
    List {
        /// Where corpora are kept.
        #[arg(default_value = "target/highwater/corpora")]
        dir: PathBuf,
    },
}

/// Judge a saved run against budgets and a baseline.
#[derive(Debug, Arguments)]
pub(crate) struct Gate {
    /// The run: run.json, or the folder that holds it.
    #[arg(default_value = "target/highwater/latest")]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

#[derive(Debug, Arguments)]
pub(crate) struct Compare {
    /// The run compared against: run.json, or the folder that holds it.
    pub(crate) base: PathBuf,
    /// The run to look at.
    pub(crate) head: PathBuf,
}

#[derive(Debug, Arguments)]
pub(crate) struct Report {
    /// The run: run.json, or the folder that holds it.
    #[arg(default_value = "target/highwater/latest")]
    pub(crate) run: PathBuf,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(crate) form: Form,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A table for the terminal.
    Text,
    /// The report.md.
    Markdown,
    /// The run.json.
    Json,
}

#[derive(Debug, Arguments)]
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
