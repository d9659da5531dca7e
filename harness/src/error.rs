//! What can go wrong while measuring.

use std::io;
use std::path::PathBuf;

use crate::instrument::Instrument;

/// A failure of the instrument or of what it was pointed at; the text says what to do where that is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no instrument.
    #[error("unknown instrument \"{name}\": expected one of {}", Instrument::names())]
    UnknownInstrument {
        /// The name as given.
        name: String,
    },
    /// The process was asked for an instrument that its binary or platform does not have.
    #[error("instrument {instrument} does not work here: {why}")]
    Unavailable {
        /// The instrument asked for.
        instrument: Instrument,
        /// The reason, with what to do.
        why: &'static str,
    },
    /// A second meter was started in one process.
    #[error(
        "this process is measured already: one process has one region, so measure the second in a process of its own"
    )]
    AlreadyMeasured,
    /// The heap limit was given but cannot be read.
    #[error("bad heap limit \"{text}\" in HIGHWATER_HEAP_LIMIT: expected a number of bytes")]
    BadLimit {
        /// The text of the variable.
        text: String,
    },
    /// The injection was given but cannot be understood.
    #[error(
        "bad injection \"{text}\" in HIGHWATER_INJECT: {reason}; expected retain:bytes=B or spike:bytes=B (with first=N, every=N, times=N), copy:min=B, each:bytes=B or nothing, and with any of them role=NAME, phase=NAME"
    )]
    BadInjection {
        /// The text of the variable.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A role that cannot be a file name.
    #[error("bad role \"{role}\": use 1 to 64 letters, digits, - and _")]
    BadRole {
        /// The role as given.
        role: String,
    },
    /// More phases or metrics than the meter has room for.
    #[error(
        "more than {limit} {what} in one process: the meter keeps room for no more, so that it never allocates"
    )]
    TooMany {
        /// What there were too many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Counts were asked for in a process whose allocator does not count.
    #[error(
        "nothing is counted in this process: make harness::alloc::Counting the global allocator, or set HIGHWATER_INSTRUMENT=count with harness::alloc::Switch"
    )]
    NotCounted,
    /// The subject could not be started.
    #[error("failed to start {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file operation failed.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried (`read record`).
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A record could not be understood.
    #[error("failed to read record {}: {reason}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused something.
    #[error("failed to {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Error {
        Error::File { action, path: path.into(), source }
    }
}
