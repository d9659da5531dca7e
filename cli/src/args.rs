//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use generators::{Profile, Spec};
use harness::instrument::Instrument;
use scenarios::Sweep;
use scenarios::exec::Wanted;

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
    Run(Run),
    Exec(Exec),
    /// Write, check and list corpora.
    Corpus(Corpus),
    /// Judge a saved run against budgets and a baseline.
    Gate(Gate),
    Compare(Compare),
    /// Print a saved run as text, markdown or JSON.
    Report(Report),
    /// List scenarios, strategies, profiles, metrics, instruments.
    List(List),
    /// Say what can be measured here, and what to do about what cannot.
    Doctor,
}

/// Measure scenarios and strategies, judge budgets, and report
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
    /// From how many to how many steady sessions `sync/law` goes, in five sizes; a corpus of its own.
    #[arg(long, default_value_t = Sweep::default(), value_name = "FROM..TO")]
    pub(crate) sweep: Sweep,
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

/// Measure any command: its process tree, and the heaps in it
///
/// The command is started without a shell, with its arguments, environment and directory as given
/// and nothing on its standard input. Every process of its tree is followed to its end. With
/// --corpus each sample gets a fresh copy of a corpus as its home (HOME, USERPROFILE, APPDATA,
/// LOCALAPPDATA, XDG_*_HOME, CLAUDE_CONFIG_DIR, CODEX_HOME), made before the time is taken;
/// {corpus} in an argument, and HIGHWATER_CORPUS, is its path. What the command writes there
/// touches neither the corpus nor the next sample nor your own files.
///
/// An end that is not the expected one is an error (exit code 2) and leaves no measurement:
/// another exit code, a signal, a time-out, or a full heap in a Node program, whatever its exit
/// code. Without --budgets nothing is judged, and the exit code of a command that ended well is
/// 0.
///
/// The reports are written to --out, what each sample wrote to --out/output (the first and last
/// 64 KiB).
///
/// Examples:
///   highwater exec -- node app.js                       tree, V8 heap and a quiet pass, in turn
///   highwater exec --samples 5 --instrument os -- ./build.sh
///   highwater exec --corpus laptop@0.1 -- ccusage daily --offline
///   highwater exec --corpus heavy --warm -- ./parse {corpus}/.claude/projects
///   highwater exec --phase-regex 'phase=(\w+)' -- node sync.js
///   highwater exec --name parse/large:fixed --budgets budgets.toml -- ./parse large.json
///   highwater exec --expect-exit 3 --timeout 30 -- ./refuses-bad-input bad.json
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) measuring: Measuring,
    /// The case's name, FAMILY/SCENARIO:STRATEGY; exec/PROGRAM:as-given when not given. A quiet pass is the case NAME-quiet.
    #[arg(long, value_name = "CASE")]
    pub(crate) name: Option<String>,
    /// Budgets that judge the run, by the same rules as `run`'s; without a file nothing is judged.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// How commands are measured.
#[derive(Debug, Arguments)]
pub(crate) struct Measuring {
    /// Samples of `os`; counts and `quiet` take 2, other instruments 1.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: u32,
    /// Give each sample a fresh copy of this corpus as its home, such as `laptop` or `heavy@0.05`.
    #[arg(long, value_name = "PROFILE[@SCALE]")]
    pub(crate) corpus: Option<CorpusChoice>,
    /// Seed of the corpus.
    #[arg(long, default_value_t = 1, requires = "corpus")]
    pub(crate) seed: u64,
    /// Where corpora are kept.
    #[arg(long, default_value = "target/highwater/corpora", value_name = "DIR", requires = "corpus")]
    pub(crate) corpora: PathBuf,
    /// Keep one copy over all samples of a command, so that each finds what those before have left.
    #[arg(long, requires = "corpus")]
    pub(crate) warm: bool,
    /// Seconds after which a sample's whole tree is ended; that is an error.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// The exit code that counts as success; 128 + N stands for signal N, as in a shell: 143 for a service that is ended
    /// by SIGTERM.
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true)]
    pub(crate) expect_exit: i32,
    /// What to read with, one pass each: `os`, `v8` (Node), `tracemalloc` (Python; slows it), `count` and the other instruments (Rust
    /// programs with highwater's harness), `quiet` (`os` with a Node on one thread that collects garbage on a schedule).
    /// `auto` is `os`, and `v8` and `quiet` where Node runs.
    #[arg(long, value_delimiter = ',', default_value = "auto", value_name = "NAMES")]
    pub(crate) instrument: Vec<Wanted>,
    /// Lines of the command's output that begin a phase, which is named by the group `phase`, else by the first group, else by
    /// the match.
    #[arg(long, value_name = "RE", value_parser = regex::bytes::Regex::new)]
    pub(crate) phase_regex: Option<regex::bytes::Regex>,
    /// The file that is the command's standard input, from its beginning in each sample; nothing when not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin: Option<PathBuf>,
    /// Pass the command's output through as it comes; the table then goes to standard error.
    #[arg(long)]
    pub(crate) show_output: bool,
    /// Only look at processes now and then instead of stopping each at its end: for commands that trace others themselves.
    #[arg(long)]
    pub(crate) no_trace: bool,
    /// Where run.json, report.md and the outputs are written.
    #[arg(long, default_value = "target/highwater/latest", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A profile, and its scale when not its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CorpusChoice {
    pub(crate) profile: Profile,
    pub(crate) scale: Option<f64>,
}

impl FromStr for CorpusChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<CorpusChoice, String> {
        let (profile, scale) = text.split_once('@').map_or((text, None), |(name, scale)| (name, Some(scale)));
        let profile: Profile = profile.parse().map_err(|error: generators::Error| error.to_string())?;
        let scale = scale.map(|scale| {
            let number = scale.parse();
            number.map_err(|_| format!("\"{scale}\" is no scale: give a number above 0, as in {profile}@0.1"))
        });
        let scale = scale.transpose()?;
        let spec = Spec { profile, scale: scale.unwrap_or(profile.default_scale()), seed: 1 };
        spec.validate().map_err(|error| error.to_string())?;
        Ok(CorpusChoice { profile, scale })
    }
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
    /// The last release, that drift is judged against: a saved baseline, or a run.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) release: Option<PathBuf>,
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

/// Compare two saved runs, or two commands measured in turn
///
/// Two runs are read and nothing is measured. Two commands are split into words as a shell would,
/// but there is no shell: nothing is expanded, piped or redirected. They are measured as `exec`
/// measures one, in turn (base, head, head, base), and become the cases compare/NAME:base and
/// compare/NAME:head of one run.json. The medians, all samples and the differences are printed;
/// they are not judged, and the exit code is 0 unless an end was wrong.
///
/// Examples:
///   highwater compare before/run.json after/run.json
///   highwater compare --base 'node old.js' --head 'node new.js' --samples 5
///   highwater compare --base './parse-1.0 {corpus}' --head './parse-1.1 {corpus}' --corpus laptop@0.1
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Compare {
    /// The run compared against: run.json, or the folder that holds it.
    #[arg(required_unless_present = "base", requires = "head_run")]
    #[arg(conflicts_with_all = ["base", "head", "name", "Measuring"])]
    pub(crate) base_run: Option<PathBuf>,
    /// The run to look at.
    pub(crate) head_run: Option<PathBuf>,
    /// The command compared against, with its arguments.
    #[arg(long, value_name = "CMD", requires = "head")]
    pub(crate) base: Option<String>,
    /// The command to look at, with its arguments.
    #[arg(long, value_name = "CMD", requires = "base")]
    pub(crate) head: Option<String>,
    /// NAME of the cases compare/NAME:base and compare/NAME:head; the base command's program when not given.
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) measuring: Measuring,
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
