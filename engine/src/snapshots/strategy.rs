//! The choices that a store and its daemon make: how the reported ones worked, each proposed fix, what landed, and ours.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One choice for each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// What a list of all sessions gives.
    pub list: List,
    /// Which sessions the scan for commands looks at, each second, where no state is kept on disk.
    pub poll: Visit,
    /// Which sessions it looks at where what it has seen is kept on disk.
    pub persistent: Visit,
    /// When a session's snippet is looked for.
    pub snippet: SnippetAt,
    /// How the store estimates what it holds.
    pub estimate: Estimate,
    /// Which session is evicted first.
    pub order: Order,
    /// What becomes of a session that alone is larger than the budget.
    pub oversize: Oversize,
    /// How a changed file comes into the store.
    pub ingest: Ingest,
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "list {:?}, poll {:?}, persistent poll {:?}, snippet at {:?}, estimate {:?}, evicts the least recently {:?}, oversize {:?}, \
             ingest of {:?}",
            self.list,
            self.poll,
            self.persistent,
            self.snippet,
            self.estimate,
            self.order,
            self.oversize,
            self.ingest
        )
    }
}

/// What a list of all sessions gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum List {
    /// A copy of every event of every session.
    Clone,
    /// The metadata of every session; a session's events are copied when it is asked for.
    Metadata,
    /// The store's own snapshots, which never change.
    Shared,
}

/// Which sessions a poll looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visit {
    /// All.
    Everything,
    /// Those that have changed since the last poll.
    Touched,
}

/// When a session's snippet is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnippetAt {
    /// In its events, at each heartbeat.
    Heartbeat,
    /// Once, when the events come in.
    Upsert,
}

/// How the store estimates what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Estimate {
    /// By the UTF-8 length of the texts.
    Content,
    /// The same, and [`PER_EVENT_BYTES`] for each event.
    PerObject,
    /// By the bytes of the blocks that it has asked its allocator for.
    Held,
}

/// What an event takes beyond its text, by the proposed estimator: 325 to 329 bytes were measured of the real store on V8 (facts of the
/// seed), whatever the text.
pub const PER_EVENT_BYTES: usize = 330;

/// Which session is evicted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The one that came in first; reading it does not count.
    Upserted,
    /// The one that was not used for longest.
    Used,
}

/// What becomes of a session that alone is larger than the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Oversize {
    /// The daemon stops with an error, the session in its store.
    Stop,
    /// It is refused with an error, and the others are served.
    Refuse,
}

/// How a changed file comes into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ingest {
    /// The whole file is read, what is new is merged into a copy of the session by signatures, and the copy is copied in. Of an evicted session only what is
    /// new comes back.
    Merge,
    /// Commands are seen and snippets found as events come in, so that `poll`, `persistent` and `snippet` have nothing left to choose.
    /// Only what is new is read, and appended to the session itself; a file that was written anew is read anew. An evicted session is read whole
    /// when it is asked for.
    Append,
}

/// The reported daemon.
pub const AS_REPORTED: Strategy = Strategy {
    list: List::Clone,
    poll: Visit::Everything,
    persistent: Visit::Everything,
    snippet: SnippetAt::Heartbeat,
    estimate: Estimate::Content,
    order: Order::Upserted,
    oversize: Oversize::Stop,
    ingest: Ingest::Merge,
};

/// What upstream has: metadata at the heartbeat and on the one path, every session fetched on the other, the estimator untouched.
const AS_LANDED: Strategy = Strategy {
    list: List::Metadata,
    poll: Visit::Touched,
    persistent: Visit::Everything,
    snippet: SnippetAt::Upsert,
    ..AS_REPORTED
};

/// Ours: shared snapshots, only what was touched, on every path.
pub const BOUNDED: Strategy = Strategy {
    list: List::Shared,
    poll: Visit::Touched,
    persistent: Visit::Touched,
    snippet: SnippetAt::Upsert,
    estimate: Estimate::Held,
    order: Order::Used,
    oversize: Oversize::Refuse,
    ingest: Ingest::Append,
};

/// The fixes that the seed's report proposes, in its order; 2(a) and 2(b) are its two ways for one.
pub const FIXES: [&str; 4] = ["fix-1-snippet", "fix-2a-get-known", "fix-2b-metadata", "fix-3-estimator"];

/// The reported daemon with some of the [`FIXES`]: bit i of `fixes` is fix i.
pub fn with_fixes(fixes: u32) -> Strategy {
    let mut strategy = AS_REPORTED;
    if fixes & 1 != 0 {
        strategy.snippet = SnippetAt::Upsert;
    }
    if fixes & 2 != 0 {
        (strategy.poll, strategy.persistent) = (Visit::Touched, Visit::Touched);
    }
    if fixes & 4 != 0 {
        strategy.list = List::Metadata;
    }
    if fixes & 8 != 0 {
        strategy.estimate = Estimate::PerObject;
    }
    strategy
}

/// The strategies that have names, in the order of reports.
pub fn named() -> Vec<(&'static str, Strategy)> {
    let single = FIXES.iter().enumerate().map(|(bit, name)| (*name, with_fixes(1 << bit)));
    [("as-reported", AS_REPORTED)]
        .into_iter()
        .chain(single)
        .chain([("fix-2a-2b", with_fixes(2 | 4)), ("as-landed", AS_LANDED), ("bounded", BOUNDED)])
        .collect()
}
