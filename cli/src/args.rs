//! What can be typed.

mod budget;
mod compare;
mod corpus;
pub(crate) mod doctor;
pub(crate) mod history;
pub(crate) mod init;
mod list;
mod merge;
pub(crate) mod progress;
mod report;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod trends;

pub(crate) use budget::{Budget, BudgetVerb, Explain, Init, Ratchet, Waive};
pub(crate) use compare::Compare;
pub(crate) use corpus::{Corpus, CorpusVerb, Fit, Search};
pub(crate) use list::{List, What};
pub(crate) use merge::Merge;
pub(crate) use report::{Format, Report};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand};
use generators::Profile;
use harness::inject::Injection;
use harness::instrument::Instrument;
use scenarios::Sweep;
use scenarios::exec::Wanted;
use scenarios::project::CorpusChoice;
use scenarios::runner::TICKS;

/// Proves memory fixes and holds memory budgets.
///
/// `highwater run` writes a realistic corpus of AI-coding sessions, drives a parse, cache and IPC engine over it with every
/// strategy in fresh instrumented processes, judges budgets, and reports where the memory went.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[arg(long, global = true, value_enum, default_value_t, value_name = "MANNER", hide_possible_values = true, help = PROGRESS)]
    pub(crate) progress: progress::Manner,
}

const PROGRESS: &str =
    "How progress is said on standard error: auto (a bar on a terminal, else plain), plain, json or none";

const EXIT_CODES: &str =
    "Exit codes: 0 pass, 1 regression, 2 the tool or its input failed, 3 could not be judged.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Run(Run),
    Exec(Exec),
    /// Write, check and list corpora, and make profiles of your own histories.
    Corpus(Corpus),
    Gate(Gate),
    Budget(Budget),
    // Its options are many, and the others are not to be as large.
    Compare(Box<Compare>),
    Report(Report),
    History(history::History),
    Merge(Merge),
    Selftest(Selftest),
    Serve(Serve),
    List(List),
    Doctor(doctor::Doctor),
    Init(init::Init),
    Schema(schema::Schema),
    Completions(shell::Completions),
    Man(shell::Man),
}

/// Measure scenarios and strategies, judge budgets, and report
///
/// Examples:
///   highwater run                          every case on the default corpus
///   highwater run 'sync/cold:*'            one scenario, every strategy
///   highwater run sync/cold:bounded --scale 0.2 --profile heavy
///   highwater run --corpus mine.toml       over a corpus of the shape of your own history
///   highwater run --home ~                 over your own histories; nothing in them is changed
///   highwater run --lattice sync/cold      what each proposed fix is worth
///   highwater run view/hours               three hours of an editor's view
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
    /// Measure every combination of the proposed fixes in this scenario, and print what each is worth.
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = ["cases"])]
    pub(crate) lattice: Option<String>,
    /// From how many to how many steady sessions `sync/law` goes, in five sizes; a corpus of its own.
    #[arg(long, default_value_t = Sweep::default(), value_name = "FROM..TO")]
    pub(crate) sweep: Sweep,
    /// Ticks for which what stays up does so: seconds of `snapshots/idle`, `active`, `persistent` and `listing/writes`, lists of `listing/warm`, minutes of `listing/soak`.
    #[arg(long, default_value_t = TICKS, value_name = "N", value_parser = clap::value_parser!(u32).range(10..))]
    pub(crate) ticks: u32,
    /// Instruments to read with.
    #[arg(long, value_delimiter = ',', default_value = "count,os", value_name = "NAMES")]
    pub(crate) instrument: Vec<Instrument>,
    /// Samples of each noisy instrument; exact ones are read twice, to see that they are exact.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: u32,
    /// Seconds after which a sample is stopped.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) timeout: u64,
    /// Where run.json, report.md and report.html are written.
    #[arg(long, default_value = "target/highwater/latest", value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// What a browser would add to what a view holds, as TOML: replaces constants of the built-in cost model (docs/view.md).
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// Plant growth into every sample, to see whether your budgets notice it: `each:bytes=64` keeps 64 bytes for each session,
    /// `retain:bytes=4096,first=1000` and `spike:bytes=1048576,first=1000,phase=parse` begin at an allocation (docs/selftest.md).
    #[arg(long, value_name = "GROWTH", conflicts_with = "save_baseline")]
    pub(crate) inject: Option<Injection>,
    /// Profile every case once more under dhat, and save its allocation sites beside the run: what a later run's failures are compared
    /// with. A case that breaks a limit is profiled anyway.
    #[arg(long)]
    pub(crate) sites: bool,
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
/// Without a command, every entry `measure` of ./highwater.toml is measured in one run, after its build,
/// and judged by the budgets that it names (docs/project.md); `highwater init` writes such a file.
/// How each is measured stands there, and only --name, --samples, --budgets, --baseline, --sites,
/// --corpora, --show-output and --out can be given here.
///
/// An end that is not the expected one is an error (exit code 2) and leaves no measurement:
/// another exit code, a signal, a time-out, or a full heap in a Node program, whatever its exit
/// code. Without budgets nothing is judged, and the exit code of a command that ended well is 0.
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
///   highwater exec                                      everything in ./highwater.toml
///   highwater exec --name 'app/*' --samples 7           some of it
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
#[command(mut_args(of_a_command))]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) measuring: Measuring,
    /// Samples of `os`, 3 when not given; counts and `quiet` take 2, other instruments 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: Option<u32>,
    /// The case's name, FAMILY/SCENARIO:STRATEGY; exec/PROGRAM:as-given when not given. A quiet pass is the case NAME-quiet. Without
    /// CMD, which entries of highwater.toml are measured; `*` stands for any text.
    #[arg(long, value_name = "CASE")]
    pub(crate) name: Option<String>,
    /// Budgets that judge the run, by the same rules as `run`'s; without a file nothing is judged.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Baseline that budgets of growth are judged against: a saved baseline, or the run.json of an earlier run.
    #[arg(long, value_name = "RUN")]
    pub(crate) baseline: Option<PathBuf>,
    /// Run a Rust program with highwater's allocator once more under dhat, and save its allocation sites beside the run: what a later
    /// run's failures are compared with.
    #[arg(long)]
    pub(crate) sites: bool,
    /// The command and its arguments, after `--`.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// What `highwater.toml` says of each of its commands itself.
const OF_A_COMMAND: &[&str] =
    &["corpus", "seed", "warm", "timeout", "expect_exit", "instrument", "phase_regex", "stdin", "no_trace"];

fn of_a_command(arg: clap::Arg) -> clap::Arg {
    if OF_A_COMMAND.contains(&arg.get_id().as_str()) { arg.requires("command") } else { arg }
}

/// How commands are measured.
#[derive(Debug, Arguments)]
pub(crate) struct Measuring {
    /// Give each sample a fresh copy of this corpus as its home, such as `laptop`, `heavy@0.05` or `mine.toml`.
    #[arg(long, value_name = "PROFILE[@SCALE]")]
    pub(crate) corpus: Option<CorpusChoice>,
    /// Seed of the corpus.
    #[arg(long, default_value_t = 1, requires = "corpus")]
    pub(crate) seed: u64,
    /// Where corpora are kept.
    #[arg(long, default_value = "target/highwater/corpora", value_name = "DIR")]
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
    /// Where run.json, report.md, report.html and the outputs are written.
    #[arg(long, default_value = "target/highwater/latest", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// Which corpus.
#[derive(Debug, Arguments)]
pub(crate) struct SpecArgs {
    /// Recipe of the corpus: a profile's name (`highwater list profiles`), or the file of your own (`highwater corpus fit`), whose
    /// name ends in .toml.
    #[arg(long, visible_alias = "corpus", default_value_t = Profile::Heavy)]
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
#[derive(Debug, Clone, Arguments)]
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
    /// What a self-test found, that tells which limits are too tight to be judged; that of this machine when not given
    /// (`highwater selftest`).
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Option<PathBuf>,
}

/// Judge a saved run against budgets and a baseline
///
/// Nothing is measured. Without --budgets the run is judged by those that ./highwater.toml names, else
/// by ci/budgets.toml, else by those built in for highwater's own scenarios.
///
/// Examples:
///   highwater gate                                           the last run
///   highwater gate runs/7 --budgets budgets.toml
///   highwater gate runs/7 --baseline runs/6 --release v1.json
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Gate {
    /// The run: run.json, or the folder that holds it.
    #[arg(default_value = "target/highwater/latest")]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let valid = number.filter(|number| number.is_finite() && *number >= 0.0);
    valid.ok_or_else(|| "write a number of percent, such as \"2 %\"".to_owned())
}

/// Measure how well the gate sees on this machine: false alarms, and the smallest growth it catches
///
/// Real programs are run again and again, as they are and with growth planted into them: our own
/// parse, two ways to share it among threads, and two small Node programs. Of their samples the
/// gate's judgements are made. The tables tell how often equal programs are called worse, how often
/// a growth of each size is caught, and the smallest that is. They are saved for this machine, and
/// from then on a budget that is tighter than what can be told apart here is `unfit`.
///
/// The default takes some minutes, --full about half an hour. Leave the machine alone.
///
/// Examples:
///   highwater selftest
///   highwater selftest --full --markdown
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Selftest {
    /// Take as many samples as for published figures: at least 200 of each subject, 2,000 of exact metrics.
    #[arg(long)]
    pub(crate) full: bool,
    /// Subjects to measure; all when not given, and only then the calibration of the machine is saved.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Vec<String>,
    /// Print the tables as markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Seed of every random choice: where growth is planted, the order of samples, the draws of judgements.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Take only so many samples of everything: to see that it works, for no figure.
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) quick: Option<u32>,
    /// Where selftest.json is written.
    #[arg(long, default_value = "target/highwater/selftest", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Where corpora are kept.
    #[arg(long, default_value = "target/highwater/corpora", value_name = "DIR")]
    pub(crate) corpora: PathBuf,
}

/// Serve the session list of a home by HTTP and WebSocket, as the scenarios of `listing` do
///
/// Prints the address and the token that every request must show (or takes the token from the
/// variable HIGHWATER_TOKEN: at least 16 letters, digits, - and _), and serves until Ctrl-C. Only
/// this machine can reach it, unless --others is given. Sessions can be made, renamed and deleted
/// through it: it works on the files of the home itself. The routes are in docs/listing.md.
///
/// Examples:
///   highwater serve --home DIR
///   curl -H "Authorization: Bearer TOKEN" "http://127.0.0.1:PORT/api/sessions?limit=20&q=build"
///   highwater serve --home DIR --strategy as-reported      the service as the bug report has it
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Serve {
    /// The home whose Claude Code sessions are listed; your own when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) address: std::net::SocketAddr,
    /// Let other machines reach it, where the address allows that. The token goes over the network unencrypted.
    #[arg(long)]
    pub(crate) others: bool,
    /// With which strategy of `listing` it works.
    #[arg(long, default_value = "bounded", value_name = "NAME")]
    pub(crate) strategy: String,
    /// Start it again when it fails, and end everything that it has started.
    #[arg(long)]
    pub(crate) supervise: bool,
    /// The file of the index; in your cache directory when not given.
    #[arg(long, value_name = "FILE", conflicts_with = "no_index")]
    pub(crate) index: Option<PathBuf>,
    /// Keep the index in memory only.
    #[arg(long)]
    pub(crate) no_index: bool,
}
