//! What can be chosen on the way of an event from the server to the window, and the strategies that have names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The choices of a server, a host and a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// What becomes of a session's transcript when another one is shown (problem 1).
    pub switch: Switch,
    /// What a list of sessions removes from the store (problem 1, orphans).
    pub sweep: Sweep,
    /// What of a transcript is mounted (problem 2).
    pub window: Window,
    /// What of a tool's payload is sent to a client (problem 3).
    pub wire: Wire,
    /// How often a running tool's progress is sent (problem 3, amplification).
    pub progress: Progress,
    /// What a session's diff says of each file (problem 4).
    pub diff: Diff,
    /// What the host cuts before it passes a part on (problem 5).
    pub slim: Slim,
    /// Which sessions' events the host passes on (problem 6).
    pub tracked: Tracked,
    /// What is kept of what was typed and not sent (problem 7).
    pub drafts: Drafts,
    /// What becomes of the host's map from messages to sessions (problem 8).
    pub maps: Maps,
    /// How older messages are asked for.
    pub paging: Paging,
    /// Which events a client gets.
    pub filter: Filter,
    /// What waits for a client that does not read.
    pub queue: Queue,
    /// How the host reads an event.
    pub parse: Parse,
    /// How streamed parts go from the host to the view.
    pub lanes: Lanes,
    /// What the host remembers of lost connections.
    pub log: Log,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Strategy { switch, sweep, window, wire, progress, diff, slim, tracked, .. } = self;
        write!(f, "switch {switch:?}, sweep {sweep:?}, window {window:?}, wire {wire:?}, ")?;
        write!(f, "progress {progress:?}, diff {diff:?}, slim {slim:?}, tracked {tracked:?}, ")?;
        let Strategy { drafts, maps, paging, filter, queue, parse, lanes, log, .. } = self;
        write!(f, "drafts {drafts:?}, maps {maps:?}, paging {paging:?}, filter {filter:?}, ")?;
        write!(f, "queue {queue:?}, parse {parse:?}, lanes {lanes:?}, log {log:?}")
    }
}

/// What becomes of a session's transcript when another one is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Switch {
    /// It stays.
    Keep,
    /// Everything of the session goes: also messages that were not sent yet, and prompts that wait their turn.
    EvictAll,
    /// The transcript goes; what only the view has stays.
    Evict,
}

/// What a list of sessions removes from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sweep {
    /// The names of sessions that are not listed.
    Names,
    /// Everything of them, but of the session that is shown, of those that were opened by others, and of those in the cloud.
    Orphans,
}

/// What of a transcript is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// Everything.
    All,
    /// Ten turns at first, eight more for each time that older ones are looked for, and every new one.
    Turns,
    /// Rows of eight parts: those that can be seen, and two above and below.
    Rows,
}

/// What of a tool's payload is sent to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wire {
    /// Everything, in events; histories that are asked for are stripped of file contents.
    Whole,
    /// Events are stripped of file contents, too.
    Stripped,
    /// Events and histories are cut as the host of the client would cut them.
    Slim,
}

/// How often a running tool's progress is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// At each piece of its output.
    Each,
    /// At most four times a second; the last state always.
    Coalesced,
}

/// What a session's diff says of each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Diff {
    /// Its whole content, before and after.
    Contents,
    /// A patch of at most 256 KiB.
    Patches,
    /// How many lines came and went, of as many files as fit into 4 KB; the rest on demand.
    Counts,
}

/// What the host cuts before it passes a part on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slim {
    /// Payloads of edit, multiedit, write, `apply_patch` and bash.
    Five,
    /// Of thirteen tools, and what models encrypt of their reasoning.
    Thirteen,
    /// Whatever is long, of any tool: texts, attachments, errors.
    Rule,
}

/// Which sessions' events the host passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tracked {
    /// Of every session that was ever shown, and of every child of one.
    Ever,
    /// The same, but for those that were deleted.
    UntilDeleted,
    /// Of the session that is shown and its children, and nothing at all of others: who is asked something there does not learn it.
    ShownAlone,
    /// Of the session that is shown and its children, and of others their states and what they ask.
    Shown,
}

/// What is kept of what was typed and not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drafts {
    /// Everything, for ever.
    Ever,
    /// Everything, until its session is deleted.
    UntilDeleted,
    /// The same, but images take at most 32 MB: those not touched for longest go first, and the draft says so.
    Capped,
}

/// What becomes of the host's map from messages to sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Maps {
    /// It grows.
    Ever,
    /// A deleted session's entries are looked for in the whole map.
    Scanned,
    /// It has entries of tracked sessions only, each session's apart.
    PerSession,
}

/// How older messages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paging {
    /// By a larger limit, 400 more each time: everything newer comes again.
    Limit,
    /// By a cursor, 80 a page, and all of them stay.
    Cursor,
    /// By a cursor; four pages stay, those nearest to what is shown.
    Sliding,
}

/// Which events a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filter {
    /// All.
    None,
    /// Those of sessions that it has named, and of the others only their states.
    PerClient,
}

/// What waits for a client that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Queue {
    /// A copy of every event for each client, without end.
    Unbounded,
    /// At most 8 MB for each client, of texts that clients share; then one word to ask for everything anew.
    Bounded,
}

/// How the host reads an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parse {
    /// Whole, before it knows whether anybody wants it.
    Whole,
    /// Its head first.
    Head,
}

/// How streamed parts go from the host to the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lanes {
    /// Each by itself, at once.
    Each,
    /// Together: 16 ms for the session that is shown, 150 ms and more for others.
    Coalesced,
}

/// What the host remembers of lost connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Log {
    /// A text for each.
    Ever,
    /// The last two hundred, and how many there were.
    Ring,
}

/// The reported view.
pub const AS_REPORTED: Strategy = Strategy {
    switch: Switch::Keep,
    sweep: Sweep::Names,
    window: Window::All,
    wire: Wire::Whole,
    progress: Progress::Each,
    diff: Diff::Contents,
    slim: Slim::Five,
    tracked: Tracked::Ever,
    drafts: Drafts::Ever,
    maps: Maps::Ever,
    paging: Paging::Limit,
    filter: Filter::None,
    queue: Queue::Unbounded,
    parse: Parse::Whole,
    lanes: Lanes::Each,
    log: Log::Ever,
};

/// All that the report proposes, as its pull requests had it: eviction takes along what was not sent, sessions in the background cannot ask, a turn is mounted whole however long it
/// is, tools are cut by a table, queues have no end, and nothing is said of images.
const AS_PROPOSED: Strategy = Strategy {
    switch: Switch::EvictAll,
    sweep: Sweep::Orphans,
    window: Window::Turns,
    wire: Wire::Stripped,
    diff: Diff::Patches,
    slim: Slim::Thirteen,
    tracked: Tracked::ShownAlone,
    drafts: Drafts::UntilDeleted,
    maps: Maps::Scanned,
    paging: Paging::Cursor,
    filter: Filter::PerClient,
    ..AS_REPORTED
};

/// What upstream has.
const UPSTREAM: Strategy = Strategy {
    window: Window::Rows,
    diff: Diff::Patches,
    slim: Slim::Thirteen,
    tracked: Tracked::UntilDeleted,
    drafts: Drafts::UntilDeleted,
    maps: Maps::Scanned,
    paging: Paging::Cursor,
    lanes: Lanes::Coalesced,
    ..AS_REPORTED
};

/// Ours.
pub const BOUNDED: Strategy = Strategy {
    switch: Switch::Evict,
    sweep: Sweep::Orphans,
    window: Window::Rows,
    wire: Wire::Slim,
    progress: Progress::Coalesced,
    diff: Diff::Counts,
    slim: Slim::Rule,
    tracked: Tracked::Shown,
    drafts: Drafts::Capped,
    maps: Maps::PerSession,
    paging: Paging::Sliding,
    filter: Filter::PerClient,
    queue: Queue::Bounded,
    parse: Parse::Head,
    lanes: Lanes::Coalesced,
    log: Log::Ring,
};

/// The fixes of the report: one for each of its eight problems, and its two further recommendations.
pub const FIXES: [&str; 10] = [
    "fix-1-evict",
    "fix-2-window",
    "fix-3-wire",
    "fix-4-diff",
    "fix-5-slim",
    "fix-6-tracked",
    "fix-7-drafts",
    "fix-8-maps",
    "fix-9-paging",
    "fix-10-filter",
];

/// The reported view with some of the [`FIXES`]: bit i of `fixes` is fix i. Each is taken in a form that works; all of them together are not yet [`BOUNDED`],
/// which also slims on the wire, gathers posts, and reads heads first.
pub fn with_fixes(fixes: u32) -> Strategy {
    let has = |bit: u32| fixes & (1 << bit) != 0;
    let mut strategy = AS_REPORTED;
    if has(0) {
        (strategy.switch, strategy.sweep) = (BOUNDED.switch, BOUNDED.sweep);
    }
    if has(1) {
        strategy.window = BOUNDED.window;
    }
    if has(2) {
        (strategy.wire, strategy.progress) = (Wire::Stripped, BOUNDED.progress);
    }
    if has(3) {
        strategy.diff = BOUNDED.diff;
    }
    if has(4) {
        strategy.slim = BOUNDED.slim;
    }
    if has(5) {
        strategy.tracked = BOUNDED.tracked;
    }
    if has(6) {
        strategy.drafts = BOUNDED.drafts;
    }
    if has(7) {
        strategy.maps = BOUNDED.maps;
    }
    if has(8) {
        strategy.paging = BOUNDED.paging;
    }
    if has(9) {
        (strategy.filter, strategy.queue) = (BOUNDED.filter, BOUNDED.queue);
    }
    strategy
}

/// The strategies that have names, in the order of reports.
pub fn named() -> Vec<(&'static str, Strategy)> {
    let single = FIXES.iter().enumerate().map(|(bit, name)| (*name, with_fixes(1 << bit)));
    [("as-reported", AS_REPORTED)]
        .into_iter()
        .chain(single)
        .chain([("as-proposed", AS_PROPOSED), ("upstream", UPSTREAM), ("bounded", BOUNDED)])
        .collect()
}
