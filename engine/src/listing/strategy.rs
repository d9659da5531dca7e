//! What can be chosen in the service and its supervisor, and the strategies that have names.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::supervisor::probe::Health;
pub use super::supervisor::tree::Kill;

/// The choices of a service and its supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// How session files are read for a list.
    pub read: Read,
    /// What is remembered of them.
    pub cache: Cache,
    /// What becomes of the state of sessions that nobody looks at any more.
    pub runtime: Runtime,
    /// How much is kept of what a session's process said last.
    pub messages: Messages,
    /// How long a deleted session is remembered.
    pub tombstones: Tombstones,
    /// How the service is asked whether it lives.
    pub health: Health,
    /// What is ended when the service is.
    pub kill: Kill,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Strategy { read, cache, runtime, messages, tombstones, health, kill } = self;
        write!(f, "read {read:?}, cache {cache:?}, runtime {runtime:?}, messages {messages:?}, ")?;
        write!(f, "tombstones {tombstones:?}, health {health:?}, kill {kill:?}")
    }
}

/// How session files are read for a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Read {
    /// All files of the page are read whole before the first is parsed.
    Together,
    /// Each file whole, one after the other.
    OneByOne,
    /// Each file in bounded memory, one after the other.
    Streamed,
}

/// What is remembered of session files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cache {
    /// Nothing.
    None,
    /// Rows by path and time of modification, for 30 s after any of them was read last; forgotten whole at each write.
    Sliding,
    /// Pages for 5 s, and summaries by time of modification and size; one scan at a time.
    Pages,
    /// Summaries by the file's identity, size and times, in memory and on disk; one thread scans, for all who wait.
    Index,
}

/// What becomes of the state of sessions that nobody looks at any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    /// It goes when its last client has been away for a while, and else stays.
    Forever,
    /// The same, and every minute what one of the containers names is looked through; of more than 500 the oldest go, whoever uses them.
    Swept,
    /// A session owns all its state, which goes with it; of those that nobody uses, 500 stay at most.
    Owned,
}

/// How much is kept of what a session's process said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Messages {
    /// 40 messages, whatever their size.
    Count,
    /// 40 messages of 64 KiB each and 512 KiB together.
    Bytes,
}

/// How long a deleted session is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tombstones {
    /// For ever.
    Forever,
    /// For 24 hours, looked at when another one is deleted.
    OnDelete,
    /// For 24 hours.
    Timed,
}

/// The reported service.
pub const AS_REPORTED: Strategy = Strategy {
    read: Read::Together,
    cache: Cache::None,
    runtime: Runtime::Forever,
    messages: Messages::Count,
    tombstones: Tombstones::Forever,
    health: Health::None,
    kill: Kill::Child,
};

/// What upstream has instead of the proposed fixes.
const UPSTREAM: Strategy = Strategy {
    read: Read::Streamed,
    cache: Cache::Pages,
    messages: Messages::Bytes,
    kill: Kill::Group,
    ..AS_REPORTED
};

/// Ours.
pub const BOUNDED: Strategy = Strategy {
    read: Read::Streamed,
    cache: Cache::Index,
    runtime: Runtime::Owned,
    messages: Messages::Bytes,
    tombstones: Tombstones::Timed,
    health: Health::Http,
    kill: Kill::Tree,
};

/// The five fixes of the seed's pull request, in its order.
pub const FIXES: [&str; 5] =
    ["fix-1-cache", "fix-2-eviction", "fix-3-tombstones", "fix-4-health", "fix-5-kill-tree"];

/// The reported service with some of the [`FIXES`]: bit i of `fixes` is fix i.
pub fn with_fixes(fixes: u32) -> Strategy {
    let mut strategy = AS_REPORTED;
    if fixes & 1 != 0 {
        (strategy.read, strategy.cache) = (Read::OneByOne, Cache::Sliding);
    }
    if fixes & 2 != 0 {
        strategy.runtime = Runtime::Swept;
    }
    if fixes & 4 != 0 {
        strategy.tombstones = Tombstones::OnDelete;
    }
    if fixes & 8 != 0 {
        strategy.health = Health::Tcp;
    }
    if fixes & 16 != 0 {
        strategy.kill = Kill::ParentFirst;
    }
    strategy
}

/// The strategies that have names, in the order of reports.
pub fn named() -> Vec<(&'static str, Strategy)> {
    let single = FIXES.iter().enumerate().map(|(bit, name)| (*name, with_fixes(1 << bit)));
    let all = with_fixes((1 << FIXES.len()) - 1);
    [("as-reported", AS_REPORTED)]
        .into_iter()
        .chain(single)
        .chain([("as-proposed", all), ("upstream", UPSTREAM), ("bounded", BOUNDED)])
        .collect()
}
