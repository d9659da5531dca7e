//! Samples: one run of a program in a fresh process tree, watched from outside.
//!
//! Every sample is a new process in a session of its own and in a directory of its own. Programs that use
//! [`Meter`](crate::meter::Meter) leave records in the record directory; of any other program the operating system's figures are known.
//!
//! On Linux the tree is traced: every process that is made is heard of, and each is read while it is stopped at its end, when its
//! own peak is final, so that none is missed. In between the tree is looked at as often as half a percent of a core allows, for the
//! largest sum of its members. Where tracing is refused, or a member traces others itself, it is polled densely instead, with
//! a twentieth of a core. Then a member's peak is exact up to the last poll before it ends, and a member that lives
//! shorter than a poll may not be seen at all. (Records of members that keep their own make up for both.)
//!
//! Two things no reading from outside can tell: what a program had before it became another one (exec) between two looks, and what a
//! process that is killed at once had since the last look, on kernels that do not stop it at its end.
//!
//! No process stays behind: the tree is killed on a time-out and when the caller asks, the kernel kills the first process with the
//! thread that made it, and a guard kills its group when this process dies in any way. Only a member that leaves both the
//! group and the session and whose ancestors are all gone escapes the last of these.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::instrument::Instrument;
use crate::limit::HeapLimitRecord;
use crate::{Error, record};

mod capture;
mod collection;
#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod marks;
mod spawn;

pub use capture::Output;

/// One program to be run for one sample.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to the inherited environment. The harness's own (`HIGHWATER_*`) are set beyond these, and `RUST_BACKTRACE=0`
    /// unless given here. What is to be planted ([`INJECT`](crate::inject::INJECT)) is passed on when it is given here and never
    /// inherited: one that was left in the environment would spoil every measurement.
    pub env: Vec<(OsString, OsString)>,
    /// How the processes are read.
    pub instrument: Instrument,
    /// The most bytes of Rust heap that each process may have live in its region.
    pub heap_limit_bytes: Option<u64>,
    /// A fresh directory to run in.
    pub cwd: PathBuf,
    /// A fresh directory for the records.
    pub record_dir: PathBuf,
    /// After this time the tree is killed.
    pub timeout: Duration,
    /// For a program that knows nothing of this crate: how it is started and watched. Such a program has its arguments and its
    /// environment as given, but for the harness's own variables and what reads Node and Python (`NODE_OPTIONS`, `PYTHONPATH`, `PATH`).
    pub foreign: Option<Foreign>,
}

/// How a program that knows nothing of this crate is started and watched.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// The file that is its standard input; without one, reading gives the end of the file at once.
    pub stdin: Option<PathBuf>,
    /// Called with everything it writes, as it comes.
    pub show: Option<Show>,
    /// Lines of its output that begin a phase. The phase is named by the group `phase`, else by the first group, else by the match.
    pub phase_pattern: Option<regex::bytes::Regex>,
    /// Whether the tree is only polled, not traced: for programs that trace others themselves, or that gain rights when they start.
    pub untraced: bool,
    /// Whether Node programs run on one thread and collect garbage on a schedule of their own, which makes their memory repeat.
    pub quiet: bool,
}

/// What is done with output as it comes.
pub type Show = fn(Channel, &[u8]);

/// One of the two outputs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What one run of a subject gave.
#[derive(Debug, Clone)]
pub struct Sample {
    /// How its processes were read.
    pub instrument: Instrument,
    /// How the first process ended.
    pub status: End,
    /// The records that processes left: `parent` first, then by role. A process that died at its heap limit is among them, without
    /// metrics and with its [`end`](record::Process::end).
    pub processes: Vec<record::Process>,
    /// The heap limits that processes reached.
    pub heap_limits: Vec<HeapLimitRecord>,
    /// Heaps of foreign runtimes that were full.
    pub heap_deaths: Vec<HeapDeath>,
    /// The tree; only on Linux, and of a subject that is not foreign only under [`Instrument::Os`].
    pub tree: Option<Tree>,
    /// What could not be read, and what that costs, as sentences.
    pub doubts: Vec<String>,
    /// From just before the first process was made until the tree was gone.
    pub wall: Duration,
    /// Processor time of every process whose end was seen.
    pub cpu: Duration,
    /// What the tree wrote to standard output.
    pub stdout: Output,
    /// What the tree wrote to standard error.
    pub stderr: Output,
    /// Processes that outlived the first one and had to be killed, by command line.
    pub stragglers: Vec<String>,
}

/// A heap of a foreign runtime that was full: its process or thread is dead, whatever the exit code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapDeath {
    /// The process; 0 when it is not known.
    pub pid: u32,
    /// What died: `node, the main thread`.
    pub what: String,
    /// The heap's limit in bytes, when known.
    pub limit_bytes: Option<u64>,
    /// Bytes in use at the end, or when last read.
    pub used_bytes: Option<u64>,
}

impl std::fmt::Display for HeapDeath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| match bytes.is_multiple_of(1 << 20) {
            true => format!("{} MiB", bytes >> 20),
            false => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        };
        formatter.write_str(&self.what)?;
        // What was only said does not say of which process.
        if self.pid != 0 {
            write!(formatter, " (process {})", self.pid)?;
        }
        formatter.write_str(", ran out of heap")?;
        match (self.limit_bytes, self.used_bytes) {
            (Some(limit), Some(used)) => write!(formatter, ": limit {}, {} in use", mib(limit), mib(used)),
            (Some(limit), None) => write!(formatter, ": limit {}", mib(limit)),
            (None, Some(used)) => write!(formatter, ": {} in use", mib(used)),
            (None, None) => Ok(()),
        }
    }
}

/// How the first process of a sample ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed because its time was over.
    TimedOut,
    /// It reached its heap limit and aborted itself.
    HeapLimit(HeapLimitRecord),
    /// It was killed because the caller asked.
    Stopped,
}

impl End {
    /// Whether the first process ended by itself with exit code 0.
    pub fn is_success(&self) -> bool {
        *self == End::Exit(0)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exit(code) => write!(formatter, "ended with exit code {code}"),
            End::Signal(signal) => write!(formatter, "was killed by signal {signal}"),
            End::TimedOut => formatter.write_str("ran out of time and was killed"),
            End::HeapLimit(record) => write!(
                formatter,
                "reached its heap limit of {} bytes: {} were live and {} more were requested",
                record.limit_bytes, record.live_bytes, record.requested_bytes
            ),
            End::Stopped => formatter.write_str("was stopped on request"),
        }
    }
}

/// Resident memory of a process tree: an interval, since peaks of several processes need not fall together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The largest sum of resident bytes seen at one moment, or a member's own peak where that is more. Shared pages count in each
    /// process that has them.
    pub low_bytes: u64,
    /// The largest sum of the own peaks of members that lived at one time: no moment can have had more. Of members that were only
    /// polled it is not known when they lived, so that all of them count.
    pub high_bytes: u64,
    /// The largest sum of proportional bytes seen, where shared pages count once. Read only when the sum of resident bytes reached a
    /// new height, and seldom.
    pub proportional_bytes: Option<u64>,
    /// What the tree's control group says of its peak: page cache and kernel memory included.
    pub cgroup_bytes: Option<u64>,
    /// Every process that was seen, in order of first sight.
    pub members: Vec<Member>,
    /// The phases of a foreign program, in order.
    pub phases: Vec<TreePhase>,
    /// How the members were read.
    pub how: How,
    /// What reading them cost.
    pub cost: Cost,
}

/// One phase of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreePhase {
    /// Its name.
    pub name: String,
    /// As [`Tree::low_bytes`], within the phase.
    pub low_bytes: u64,
    /// As [`Tree::high_bytes`], within the phase.
    pub high_bytes: u64,
    /// How long it was, all its stretches together.
    pub wall: Duration,
}

/// What watching a tree cost the watcher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Processor time of looking at the members.
    pub polling: Duration,
    /// Processor time of handling the members' stops.
    pub tracing: Duration,
}

/// One process of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its process id.
    pub pid: u32,
    /// The name of its program when last seen.
    pub command: String,
    /// Its command line when last seen, arguments separated by spaces.
    pub command_line: String,
    /// Most bytes resident at once: its own record's when it left one, else the largest that a poll saw.
    pub peak_bytes: u64,
    /// When it was first seen, since the sample began.
    pub first_seen: Duration,
    /// When it was last seen, since the sample began.
    pub last_seen: Duration,
}

/// How the members of a tree were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// Polls of `/proc`.
    pub polls: u64,
    /// Whether each member was stopped at its end and read then, so that no peak is missed.
    pub traced: bool,
}

impl Subject {
    /// Runs the program and waits until its tree is gone. Setting `stop` kills the tree.
    pub fn run(&self, stop: &AtomicBool) -> Result<Sample, Error> {
        let watched = spawn::run(self, stop)?;
        collection::sample(self, watched)
    }
}
