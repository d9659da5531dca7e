//! The choices that a run makes: how the reported engine worked, each proposed fix, and ours.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One choice for each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Which files are read ahead of their parse.
    pub prefetch: Prefetch,
    /// How a file is read.
    pub reader: ReaderKind,
    /// When texts are dropped.
    pub strip: Strip,
    /// Whether the result travels in parts, and in which.
    pub chunks: Option<Chunks>,
    /// What the result travels in.
    pub carrier: Carrier,
    /// How the result is kept on disk.
    pub cache: CacheKind,
    /// How a workspace is seen to have changed.
    pub fingerprint: FingerprintKind,
    /// What is done when the worker dies.
    pub retry: Retry,
    /// What the host holds afterwards.
    pub keep: Keep,
    /// How a worker that has delivered is ended.
    pub end: End,
    /// Whether a file that need not exist counts as failed when it does not.
    pub probe_missing: bool,
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefetch = match self.prefetch {
            Prefetch::Off => "no prefetch".to_owned(),
            Prefetch::Batches { files, .. } => format!("prefetch of {files} files"),
        };
        let chunks = match self.chunks {
            None => "one message".to_owned(),
            Some(Chunks { during_parse: true, .. }) => "chunks during the parse".to_owned(),
            Some(Chunks { sessions, .. }) => format!("chunks of {sessions} sessions after the parse"),
        };
        write!(
            formatter,
            "{prefetch}, reader {:?}, strip {:?}, {chunks} by {:?}, cache {:?}, fingerprints of {:?}, retry {:?}, keeps {:?}",
            self.reader, self.strip, self.carrier, self.cache, self.fingerprint, self.retry, self.keep
        )
    }
}

/// Which files are read ahead of their parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prefetch {
    /// None.
    Off,
    /// Those of the next batch of workspaces, while the batch before is parsed.
    Batches {
        /// Workspaces in a batch.
        workspaces: usize,
        /// Files of a batch at most.
        files: usize,
        /// Bytes of a batch at most.
        bytes: u64,
        /// Larger files are not read ahead.
        file_bytes: u64,
    },
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReaderKind {
    /// Whole, then parsed into a whole document.
    Whole,
    /// In a bounded buffer, long strings cut on the way.
    Streaming,
}

/// When texts are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strip {
    /// Once, when everything has been parsed.
    AtEnd,
    /// As soon as a session has been parsed.
    PerSession,
}

/// The parts in which a result travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    /// Sessions of a part at most.
    pub sessions: usize,
    /// Bytes from which a part is sent.
    pub bytes: usize,
    /// Whether parts leave during the parse (each ends with its workspace at the latest), or after it.
    pub during_parse: bool,
}

/// What a result travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// The frames themselves.
    Pipe,
    /// A temporary file, of which the frames name ranges.
    File,
}

/// How the result is kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheKind {
    /// One file with everything, rewritten whole.
    Monolith,
    /// One file a workspace, each written beside and renamed, with a checksum.
    Fragments,
}

/// How a workspace is seen to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FingerprintKind {
    /// By the times of its directories, VS Code only; entries are dropped by the directory's bare name.
    Directories,
    /// By name, size and time of every file.
    Files,
}

/// What is done when the worker dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// The same work once more, with half as much heap again.
    SameWork,
    /// Only what has not arrived, without reading ahead; a file that ends the worker twice is skipped and named.
    ReducedWork,
}

/// What the host holds afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// Every stripped session.
    Sessions,
    /// Where in the cache each session stands.
    Index,
}

/// How a worker that has delivered is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Killed as soon as its result has arrived, whatever it still writes.
    Kill,
    /// It ends itself when everything is written.
    Wait,
}

/// Files read ahead in one batch by the reported engine (`MAX_PREFETCH_FILES`, batches of 32 workspaces, files of at most 20 MiB).
const REPORTED_PREFETCH: Prefetch =
    Prefetch::Batches { workspaces: 32, files: 600, bytes: u64::MAX, file_bytes: 20 << 20 };

/// The reported engine.
pub const AS_REPORTED: Strategy = Strategy {
    prefetch: REPORTED_PREFETCH,
    reader: ReaderKind::Whole,
    strip: Strip::AtEnd,
    chunks: None,
    carrier: Carrier::Pipe,
    cache: CacheKind::Monolith,
    fingerprint: FingerprintKind::Directories,
    retry: Retry::SameWork,
    keep: Keep::Sessions,
    end: End::Kill,
    probe_missing: true,
};

/// Parts that leave while later workspaces are parsed: the first proposed fix.
const PER_WORKSPACE: Chunks = Chunks { sessions: 250, bytes: usize::MAX, during_parse: true };

/// What upstream adopted (pull request 121 of the seed): parts of 250 sessions after the whole parse, each session stripped
/// when it has been parsed, 100 files and 64 MiB read ahead.
const PR_121: Strategy = Strategy {
    prefetch: Prefetch::Batches { workspaces: 32, files: 100, bytes: 64 << 20, file_bytes: 20 << 20 },
    strip: Strip::PerSession,
    chunks: Some(Chunks { sessions: 250, bytes: usize::MAX, during_parse: false }),
    ..AS_REPORTED
};

/// Ours: one session in memory at a time, whatever the bytes.
pub const BOUNDED: Strategy = Strategy {
    prefetch: Prefetch::Off,
    reader: ReaderKind::Streaming,
    strip: Strip::PerSession,
    chunks: Some(Chunks { sessions: usize::MAX, bytes: 60 * 1024, during_parse: true }),
    carrier: Carrier::Pipe,
    cache: CacheKind::Fragments,
    fingerprint: FingerprintKind::Files,
    retry: Retry::ReducedWork,
    keep: Keep::Index,
    end: End::Wait,
    probe_missing: false,
};

/// The five fixes that the seed's report proposes, in its order.
pub const FIXES: [&str; 5] =
    ["s1-chunked-ipc", "s2-eager-strip", "s3-workspace-cache", "s4-low-prefetch", "s5-temp-file"];

/// The reported engine with some of the [`FIXES`]: bit i of `fixes` is fix i.
pub fn with_fixes(fixes: u32) -> Strategy {
    let mut strategy = AS_REPORTED;
    if fixes & 1 != 0 {
        strategy.chunks = Some(PER_WORKSPACE);
    }
    if fixes & 2 != 0 {
        strategy.strip = Strip::PerSession;
    }
    if fixes & 4 != 0 {
        strategy.cache = CacheKind::Fragments;
    }
    if fixes & 8 != 0 {
        strategy.prefetch = Prefetch::Off;
    }
    if fixes & 16 != 0 {
        strategy.carrier = Carrier::File;
    }
    strategy
}

/// The strategies that have names, in the order of reports.
pub fn named() -> Vec<(&'static str, Strategy)> {
    let single = FIXES.iter().enumerate().map(|(bit, name)| (*name, with_fixes(1 << bit)));
    [("as-reported", AS_REPORTED)]
        .into_iter()
        .chain(single)
        .chain([
            ("s2-s4", with_fixes(2 | 8)),
            ("pr-121", PR_121),
            ("all-five", with_fixes(31)),
            ("bounded", BOUNDED),
        ])
        .collect()
}
