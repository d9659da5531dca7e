//! What can be typed.

pub(crate) mod doctor;
pub(crate) mod history;
pub(crate) mod init;
mod list;
pub(crate) mod progress;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod trends;

pub(crate) use list::{List, What};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand};
use generators::{Profile, Shard};
use harness::inject::Injection;
use harness::instrument::Instrument;
use harness::record::Unit;
use reports::budget::Growth;
use reports::budget::edit::HEADROOM_PERCENT;
use scenarios::Sweep;
use scenarios::exec::Wanted;
use scenarios::project::CorpusChoice;
use scenarios::runner::TICKS;

mod merge;
mod report;

pub(crate) use merge::Merge;
pub(crate) use report::{Format, Report};

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
/// Without a command, every [[measure]] of ./highwater.toml is measured in one run, after its build,
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

#[derive(Debug, Arguments)]
pub(crate) struct Corpus {
    #[command(subcommand)]
    pub(crate) verb: CorpusVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusVerb {
    /// Write a corpus, unless it is there and whole
    ///
    /// A run that was interrupted, also by kill -9, goes on where it stopped when the same command is given again.
    ///
    /// With --shard several machines, or several runs, write a part each, and `highwater corpus merge` joins the parts. What comes
    /// out is the same to the last byte, whichever way it was made.
    ///
    /// Examples:
    ///   highwater corpus generate --profile heavy --scale 0.1
    ///   highwater corpus generate --profile heavy --scale 1 --shard 2/8
    #[command(verbatim_doc_comment)]
    Generate {
        #[command(flatten)]
        spec: SpecArgs,
        /// Write only this part of so many, such as 2/8.
        #[arg(long, value_name = "I/N")]
        shard: Option<Shard>,
    },
    /// Join the shards of a corpus, all of one seed, scale and generator
    ///
    /// Every file is checked first. The corpus's files are links to those of the shards where the file system has such, and copies
    /// elsewhere; the shards stay, and can be removed.
    ///
    /// Examples:
    ///   highwater corpus merge corpora/heavy-1-1.shard-*-of-8
    ///   highwater corpus merge part1/heavy-1-1.shard-1-of-2 part2/heavy-1-1.shard-2-of-2 --out corpora
    #[command(verbatim_doc_comment)]
    Merge {
        /// The shards: folders with a shard.jsonl.
        #[arg(required = true, value_name = "DIR")]
        shards: Vec<PathBuf>,
        /// Where corpora are kept; beside the first shard when not given.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    Search(Search),
    /// Check every file of a corpus against its manifest
    ///
    /// Examples:
    ///   highwater corpus verify target/highwater/corpora/smoke-1-1
    #[command(verbatim_doc_comment)]
    Verify {
        /// The corpus: a folder with a manifest.json.
        dir: PathBuf,
    },
    /// Change the files of a growth corpus as tools do, by its next step, and write its manifest anew
    ///
    /// Examples:
    ///   highwater corpus grow target/highwater/corpora/growth-1-1
    ///   highwater corpus grow target/highwater/corpora/growth-1-1 --step 5
    #[command(verbatim_doc_comment)]
    Grow {
        /// The corpus: a folder with a manifest.json, of the profile growth.
        dir: PathBuf,
        /// Take all steps up to this one.
        #[arg(long, value_name = "N")]
        step: Option<u64>,
    },
    /// Print what a corpus's bytes depend on, as one word for the key of a cache
    ///
    /// Corpora of one key are equal; nothing is written.
    Key {
        /// Which corpus, such as `laptop`, `heavy@0.05` or `mine.toml`.
        #[arg(default_value = "heavy", value_name = "PROFILE[@SCALE]")]
        corpus: CorpusChoice,
        /// Seed of the corpus.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// List the corpora in a folder
    ///
    /// Examples:
    ///   highwater corpus list
    #[command(verbatim_doc_comment)]
    List {
        /// Where corpora are kept.
        #[arg(default_value = "target/highwater/corpora")]
        dir: PathBuf,
    },
    Fit(Fit),
}

/// Make a profile of your own histories, to grow the same shape of corpus elsewhere
///
/// Reads the session files of VS Code Copilot Chat, Copilot CLI, Claude Code, Codex CLI, Gemini CLI,
/// OpenCode and Kilo below each DIR, and writes how many and how large they are: counts, quantiles of
/// sizes, shares of tools and record types. No text, path, name, id or date is written, and tools and
/// record types only by names that are public. Read the file before you send it: it has some 200
/// lines. Nothing in DIR is changed, and links in it are not followed.
///
/// DIR is a home directory, or a log directory by itself, such as ~/.claude. Links, and what could not
/// be read to its end, are named here and are not in the file. docs/corpora.md is the manual.
///
/// Examples:
///   highwater corpus fit ~                             everything of yours, as mine.toml
///   highwater corpus fit ~/.claude --name claude-only --out claude.toml
///   highwater corpus generate --profile mine.toml      a corpus of that shape
///   highwater corpus generate --profile mine.toml --scale 0.1
///   highwater run --corpus mine.toml 'sync/cold:*'     measure over it
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Fit {
    /// Home directories, or log directories by themselves.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// The file to write; its name ends in .toml, by which --profile knows it.
    #[arg(long, default_value = "mine.toml", value_name = "FILE", value_parser = toml_path)]
    pub(crate) out: PathBuf,
    /// What the profile is called in names of corpora: small letters, digits and dashes.
    #[arg(long, default_value = "mine")]
    pub(crate) name: String,
    /// Replace the file when it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Look for the history that is worst for a case, and save it as a profile
///
/// Climbs from history to history of the same size: how many sessions, how long, with how many
/// requests, of which tools, in how many workspaces; what counts is the case's peak heap for each
/// byte of input. What it finds is where the case's promise is nearest to breaking.
///
/// Examples:
///   highwater corpus search sync/cold:bounded
///   highwater corpus search sync/cold:as-reported --rounds 40 --out reported.toml
///   highwater run sync/cold --profile reported.toml
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Search {
    /// The case, such as `sync/cold:bounded`.
    #[arg(default_value = "sync/cold:bounded")]
    pub(crate) case: String,
    /// Bytes of each history that is tried.
    #[arg(long, default_value_t = 16 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1 << 16..=1 << 33))]
    pub(crate) bytes: u64,
    /// How many histories are tried.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seed of the way that is gone, and of the corpora.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the worst is saved.
    #[arg(long, default_value = "worst.toml", value_name = "FILE", value_parser = toml_path)]
    pub(crate) out: PathBuf,
    /// Replace that file.
    #[arg(long)]
    pub(crate) force: bool,
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

/// Write, tighten, explain and excuse limits in a file of budgets
///
/// A file is replaced whole or not at all; comments and the order of entries stay. docs/budgets.md
/// is the manual of the file.
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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
#[derive(Debug, Arguments)]
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

fn toml_path(text: &str) -> Result<PathBuf, String> {
    if text.ends_with(".toml") { Ok(text.into()) } else { Err("its name must end in .toml".to_owned()) }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let valid = number.filter(|number| number.is_finite() && *number >= 0.0);
    valid.ok_or_else(|| "write a number of percent, such as \"2 %\"".to_owned())
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
