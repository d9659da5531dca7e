//! Why a command could not be measured at all.

use std::io;
use std::path::{Path, PathBuf};

use harness::instrument::Instrument;

/// What went wrong before or between samples; what a command itself does wrong stands in its case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No directory of PATH has a program of this name.
    #[error("\"{program}\" was not found in PATH: install it, or give the path of the program")]
    NotInPath {
        /// The name as given.
        program: String,
    },
    /// A path leads to nothing.
    #[error("{} does not exist: give the path of a program, or its name when it is in PATH", path.display())]
    NotThere {
        /// The path as given.
        path: PathBuf,
    },
    /// A file may not be executed.
    #[error(
        "{0} is not executable: make it so with `chmod +x {0}`, or name what runs it, as in `highwater exec -- sh {0}`",
        path.display()
    )]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// A directory where a program should be.
    #[error("{} is a directory: give the path of a program in it", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A name that no case can have.
    #[error("--name {name}: {why}; a case is called FAMILY/SCENARIO:STRATEGY, such as parse/large:as-given")]
    BadName {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A name that is no instrument.
    #[error("unknown instrument \"{name}\": expected auto, quiet, {}", Instrument::ALL.map(Instrument::name).join(", "))]
    UnknownInstrument {
        /// The name as given.
        name: String,
    },
    /// The corpus could not be copied.
    #[error("failed to give a sample its copy of the corpus: {0}")]
    Corpus(#[from] generators::Error),
    /// A command has no allocation sites to show.
    #[error("failed to profile the allocation sites of {case}: {why}")]
    Sites {
        /// The case.
        case: String,
        /// What went wrong.
        why: String,
    },
    /// A file operation failed.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried (`make`).
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Error {
        Error::File { action, path: path.to_owned(), source }
    }
}
