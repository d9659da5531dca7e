//! What can go wrong with the files that reports are made of.

use std::path::PathBuf;

/// A file that could not be used, with its path and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Occurs when a file cannot be opened or read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Occurs when a file or its folder cannot be written.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Occurs when a saved file ends in the middle, as after a full disk or a copy that was cut off.
    #[error("{} is torn, it ends in line {line}: delete it and take the run again", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
        /// The last line that is there.
        line: usize,
    },
    /// Occurs when a saved file is not what this program writes.
    #[error("{} is not a {what} of highwater: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should have been: `run`, `baseline` or `calibration`.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Occurs when a saved file was written under another version of its schema.
    #[error(
        "{} has schema {found}, but this program reads schema {expected}: take the run again, or read it with the highwater that wrote it",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
        /// The version that can be read.
        expected: u32,
    },
    /// Occurs when a record holds a figure that JSON cannot hold (NaN or infinite).
    #[error("refused to write {}: {what} is not a finite number, which is a bug of the instrument", path.display())]
    NotFinite {
        /// The file that was to be written.
        path: PathBuf,
        /// The case and metric.
        what: String,
    },
    /// Occurs when the file of budgets says something that cannot be judged.
    #[error("{}:{line}: {message}", path.display())]
    Budget {
        /// The file of budgets.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the key.
        message: String,
    },
    /// Occurs when a change of a file of budgets is refused; the file is as it was.
    #[error("{}: {message}", path.display())]
    Unchanged {
        /// The file of budgets.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// Occurs when a run cannot be written in the format of another tool.
    #[error("failed to write the run as {what}: {why}")]
    Text {
        /// The format.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Occurs when runs cannot be joined to one.
    #[error("the runs cannot be joined: {why}")]
    Apart {
        /// Which of them, and what does not fit.
        why: String,
    },
    /// Occurs when there is nothing to draw a flamegraph of.
    #[error("failed to draw the flamegraph of {case}: {why}")]
    Flamegraph {
        /// The case.
        case: String,
        /// What is wrong.
        why: String,
    },
}
