//! The records that a measurement leaves: what `run.json` holds, and what each measured process writes.
//!
//! This module depends on nothing else in the crate, so that other tools can read records without the instrument.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of `run.json`. It grows when a field changes its meaning or goes; fields may be added under the same version.
pub const SCHEMA: u32 = 1;

/// All samples of one artifact in one environment: the content of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`SCHEMA`] of the writer; always the first field.
    pub schema: u32,
    /// Where the run took place.
    pub environment: Environment,
    /// What was measured.
    pub artifact: Artifact,
    /// When the run began, RFC 3339 in UTC.
    pub time: String,
    /// The worst verdict of all cases.
    pub verdict: Verdict,
    /// One entry for each case, in the order of the run.
    pub cases: Vec<Case>,
    /// Where the laws of two strategies of one scenario cross.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossings: Vec<Crossing>,
    /// Tables that compare cases of this run, such as what each fix is worth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worth: Vec<Worth>,
    /// What makes the run's figures doubtful or incomplete, as sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// Where a run took place, as far as memory figures depend on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Operating system and architecture, as in a target triple (`x86_64-linux`).
    pub platform: String,
    /// Kernel release.
    pub kernel: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Logical processors that the run could use.
    pub cores: u32,
    /// Bytes of physical memory.
    pub memory_bytes: u64,
    /// The default allocator of the measured program.
    pub allocator: String,
    /// Version of the compiler that built the measured program.
    pub toolchain: String,
    /// The target triple that the measured program was built for.
    pub target: String,
    /// Digest of `Cargo.lock` at build time.
    pub lockfile: String,
    /// Build profile, `release` or `debug`.
    pub profile: String,
    /// Bytes of a memory page.
    pub page_bytes: u64,
    /// Transparent huge pages: the kernel's setting.
    pub huge_pages: String,
    /// Most bytes of memory that the container (its control group) allows; absent where nothing limits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Processors that the container allows, in cores; absent where nothing limits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit_cores: Option<f64>,
}

/// What was measured: the build of highwater for its own scenarios, and of other commands the checkout in whose directory
/// they were measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Version of highwater.
    pub version: String,
    /// Commit of the build or checkout, when known.
    pub commit: Option<String>,
    /// Tag at that commit, when there is one.
    pub tag: Option<String>,
    /// Whether the checkout had uncommitted changes; absent when not known.
    pub dirty: Option<bool>,
}

/// One case: scenario x strategy x corpus, with everything measured of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// `family/scenario:strategy`.
    pub case: String,
    /// The input; absent for cases without one.
    pub corpus: Option<Corpus>,
    /// By metric name; a phase's metric is `NAME@PHASE`.
    pub metrics: BTreeMap<String, Metric>,
    /// The processes of the case, of one sample of each instrument.
    pub processes: Vec<Process>,
    /// One judgement for each budget that applies.
    pub verdicts: Vec<Judgement>,
    /// Whether the case must break its budget, to show that the scenario sees.
    pub tripwire: bool,
    /// Why the case has no measurement: a wrong answer, a crash that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The command that was measured and how it ended, of a foreign program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// What the case said, such as the sentence shown to a user when a worker dies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The case on corpora of several sizes, smallest first, of a scenario that looks for its law.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweep: Vec<SweepPoint>,
    /// The laws that were fitted to the sweep, one for each metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub laws: Vec<Law>,
    /// Where the memory went that made the case fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growth: Vec<SiteGrowth>,
}

/// A case on one of several corpora.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepPoint {
    /// The corpus of this size.
    pub corpus: Corpus,
    /// What grows from size to size, where that is not the number of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// What was measured on it, by metric name; a phase's metric is `NAME@PHASE`.
    pub metrics: BTreeMap<String, Metric>,
}

/// How large a corpus is in something else than sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// What is counted: `events`.
    pub of: String,
    /// How many there are.
    pub count: u64,
}

/// A figure that was estimated, with its interval of 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// How a metric grows with the number of sessions: metric = intercept + bytes per session x sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Law {
    /// The metric; a phase's is `NAME@PHASE`.
    pub metric: String,
    /// What the metric grows with, where that is not the number of sessions: what is said of sessions here is said of it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The power p of constant + factor x sessions^p: 1 is linear, 0 is flat. Absent where the metric does not grow, so that
    /// there is no power to tell.
    pub exponent: Option<Estimate>,
    /// Bytes that one more session costs.
    pub bytes_per_session: Estimate,
    /// Bytes without any session.
    pub intercept_bytes: Estimate,
    /// Sessions at which the law reaches certain sizes, smallest size first.
    pub horizons: Vec<Horizon>,
    /// What the law was fitted to: for each size its sessions and the metric's median, the data of a chart.
    pub points: Vec<LawPoint>,
}

/// One size of a sweep, as one metric saw it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LawPoint {
    /// Sessions of the corpus, or of whatever else the law is.
    pub sessions: f64,
    /// The metric's median there, in bytes.
    pub bytes: f64,
}

/// The sessions at which a law reaches a size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Horizon {
    /// The size, in bytes.
    pub bytes: f64,
    /// The sessions; absent where the law never gets there.
    pub sessions: Option<f64>,
    /// Fewest sessions that the law's interval allows; absent where even the steepest never gets there.
    pub low: Option<f64>,
    /// Most sessions that the law's interval allows; absent where the flattest never gets there.
    pub high: Option<f64>,
}

/// The number of sessions from which on one case takes more than another of its scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Crossing {
    /// The metric.
    pub metric: String,
    /// The case that takes less below the crossing and more above it.
    pub steeper: String,
    /// The case that takes more below the crossing and less above it.
    pub flatter: String,
    /// Sessions at the crossing.
    pub sessions: Estimate,
}

/// Which allocation sites one process's role grew by, between a base and a head: the explanation of a failed growth limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteGrowth {
    /// The metric whose limit failed.
    pub metric: String,
    /// What the sites' bytes are: at the peak, ever allocated, or left at the end.
    pub moment: Moment,
    /// Bytes of all sites of the base at that moment, over all its processes.
    pub base_bytes: f64,
    /// Bytes of all sites of the head.
    pub head_bytes: f64,
    /// The sites that grew most, largest growth first.
    pub sites: Vec<GrownSite>,
    /// How many sites grew in all.
    pub grown_sites: u64,
    /// Bytes that all sites together may have at that moment, so that the limit is kept; absent where the limit is not in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<f64>,
    /// The fewest sites, largest first, whose growth undone would keep the limit; absent where undoing all would not, or no limit is
    /// known.
    pub enough_sites: Option<u64>,
    /// Where the differential flamegraph was written, relative to the run's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flamegraph: Option<String>,
}

/// Which bytes of a site are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// Live at the process's peak.
    Peak,
    /// Ever allocated.
    Total,
    /// Still live at the end.
    Retained,
}

/// An allocation site that grew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrownSite {
    /// The process's role in the case: `parent`, `worker-1`.
    pub role: String,
    /// The innermost function of the measured program's own code on the stack, without closures, hashes and generic arguments.
    pub function: String,
    /// Its source file, as far as the debug information names it.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The whole stack, innermost first, folded in the same way.
    pub stack: Vec<String>,
    /// Bytes in the base; 0 for a site that is new.
    pub base_bytes: f64,
    /// Bytes in the head.
    pub head_bytes: f64,
    /// Blocks in the base.
    pub base_blocks: f64,
    /// Blocks in the head.
    pub head_blocks: f64,
}

/// A foreign program, and how each of its samples ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The program and its arguments. What is no UTF-8 is shown with replacement characters.
    pub line: Vec<String>,
    /// The exit code that counts as success; 128 + N stands for signal N.
    pub expected_exit: i32,
    /// One entry for each sample, in the order taken.
    pub ends: Vec<CommandEnd>,
}

/// How one sample of a foreign program ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandEnd {
    /// The instrument of the sample.
    pub instrument: String,
    /// Its exit code, when it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// How it ended, in words.
    pub end: String,
}

/// Which corpus a case read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Corpus {
    /// Name of the profile, or `home` for a person's own history.
    pub profile: String,
    /// Scale of the profile; 1 is the full size.
    pub scale: f64,
    /// Seed of the profile.
    pub seed: u64,
    /// Digest of the corpus files.
    pub digest: String,
    /// Bytes of all files.
    pub bytes: u64,
    /// Sessions in it.
    pub sessions: u64,
}

/// All samples of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// How far the figures can be trusted to repeat.
    pub tier: Tier,
    /// Unit of the figures.
    pub unit: Unit,
    /// Which way is better.
    #[serde(default)]
    pub direction: Direction,
    /// Median of the samples.
    pub median: f64,
    /// Every sample, in the order taken.
    pub samples: Vec<f64>,
    /// Whether the metric was exact by nature but differed between samples, and so counts as noisy here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demoted: bool,
    /// Between which figures the truth lies with 95 % confidence, of a metric that is the estimate of a fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Estimate>,
}

/// How far a metric can be trusted to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Equal in every run.
    Exact,
    /// Differs between runs; judged by statistics.
    Noisy,
    /// Computed from a stated model, not measured.
    Modelled,
}

/// Unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Allocated blocks.
    Blocks,
    /// Seconds.
    Seconds,
    /// A plain count.
    Count,
    /// A ratio or exponent without unit.
    Ratio,
}

/// Which way a metric is better.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less is better.
    #[default]
    Lower,
    /// More is better.
    Higher,
}

/// One process of one sample: also the file that each measured process writes of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// What the process is in the case: `parent`, `worker-1`.
    pub role: String,
    /// The instrument that read it.
    pub instrument: String,
    /// Process id in that sample; 0 where many small processes of a foreign program share the entry.
    pub pid: u32,
    /// Metrics of the whole process, by name (without phases).
    pub metrics: BTreeMap<String, Reading>,
    /// Metrics of each phase, in order of first entry.
    pub phases: Vec<PhaseReading>,
    /// How it ended when not with exit code 0, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Its command line, of a process of a foreign program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When it was seen, in seconds since its sample began: of a process of a foreign program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lived: Option<Lived>,
    /// What was live at its ticks, of a process that marks ticks and counts its heap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticks: Option<Ticks>,
}

/// What a process had live at its ticks, when it was at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ticks {
    /// Ticks from one point to the next: 1, or a power of 2 where there were more ticks than are kept.
    pub every: u64,
    /// Seconds of virtual time that a tick stands for, where the scenario says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_per_tick: Option<f64>,
    /// Bytes live at each point, beyond those live when the region began. The first point is the first tick.
    pub live_bytes: Vec<f64>,
}

/// From when to when a process was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lived {
    /// First sight, in seconds since the sample began.
    pub from_seconds: f64,
    /// Last sight, in seconds since the sample began.
    pub to_seconds: f64,
}

/// One phase of one process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseReading {
    /// Name of the phase.
    pub name: String,
    /// Metrics of the phase, by name (`heap.peak_bytes`).
    pub metrics: BTreeMap<String, Reading>,
}

/// One figure of one process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// How far it can be trusted to repeat.
    pub tier: Tier,
}

/// What the gate says of one budget, of a case, or of a run; ordered from harmless to grave.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Within the budget.
    #[default]
    Pass,
    /// Better than the baseline by more than the budget allows it to be worse.
    Improved,
    /// Beyond the budget, but excused by a dated waiver.
    Waived,
    /// The samples do not suffice to judge.
    Inconclusive,
    /// The budget is tighter than what can be detected here.
    Unfit,
    /// Beyond the budget.
    Regression,
    /// The tool or its input failed: nothing was measured, or the answer was wrong.
    Error,
}

/// One budget's judgement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The metric that was judged.
    pub metric: String,
    /// What was found.
    pub verdict: Verdict,
    /// The budget in words, with its limit (`at most 8 MiB`).
    pub budget: String,
    /// The reason for the verdict, with the figures.
    pub why: String,
    /// How far beyond its limit the metric is, in its own unit; absent where it keeps the limit or was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<f64>,
    /// The absolute limit that the metric was held to, in its own unit; absent where the budget is no ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What statistics say of a growth between noisy samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// The waiver that excuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
}

/// What statistics say of a growth between the noisy samples of a base and a head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Samples of the base.
    pub base_samples: u64,
    /// Samples of the head.
    pub head_samples: u64,
    /// Hodges-Lehmann estimate of how much worse the head is, in the metric's unit.
    pub shift: f64,
    /// Its lower bound, by the confidence that the budget asks for; absent where so few samples have none.
    pub shift_low: Option<f64>,
    /// One-sided p of Mann-Whitney's test that the head is no worse.
    pub p: f64,
    /// The p that it is compared with: adjusted for how many are tested where the metric is no primary one.
    pub alpha: f64,
}

/// Who excuses a broken limit, up to where and until when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// Up to this figure, in the metric's unit.
    pub ceiling: f64,
    /// Where the problem is followed.
    pub issue: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, as `2026-01-31`.
    pub expires: String,
}

/// What each of several choices is worth in one metric, alone and together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worth {
    /// `family/scenario`.
    pub scenario: String,
    /// The metric compared.
    pub metric: String,
    /// One row for each choice.
    pub choices: Vec<ChoiceWorth>,
    /// The metric of every combination: bit i of the index is choice i.
    pub combinations: Vec<f64>,
}

/// What one choice is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceWorth {
    /// Name of the choice.
    pub name: String,
    /// Change of the metric when only this choice is made.
    pub alone: f64,
    /// Change of the metric when this choice is added to all others.
    pub last: f64,
    /// Its Shapley value: the change it makes on average over all orders of adding the choices.
    pub shapley: f64,
}
