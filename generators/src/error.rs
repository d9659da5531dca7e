//! What can go wrong, said to the person who must act.

use std::io;
use std::path::{Path, PathBuf};

/// Why a corpus could not be made, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Occurs when a profile's name is not one of [`crate::Profile::BUILT_IN`].
    #[error(
        "unknown profile \"{name}\": known ones are {known}, and files that end in .toml (`highwater corpus fit`)"
    )]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// The names that exist, comma separated.
        known: String,
    },
    /// Occurs when a profile's file says what cannot be meant.
    #[error("profile {}: {field}: {why}", path.display())]
    Recipe {
        /// The file.
        path: PathBuf,
        /// The field, with the tables it is in.
        field: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Occurs when a profile is to be called what it cannot be.
    #[error("a profile cannot be called \"{name}\": {why}")]
    ProfileName {
        /// The name.
        name: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Occurs when no history was found.
    #[error(
        "no history of AI-coding sessions was found in {}; give a home directory, or a tool's own directory{}",
        path.display(),
        not_read(skipped)
    )]
    NoHistory {
        /// The directory, the first of them when several were given.
        path: PathBuf,
        /// What was not read there, and why.
        skipped: Vec<(PathBuf, String)>,
    },
    /// Occurs when a scale is zero, negative, infinite or not a number.
    #[error("scale {scale} is not usable: give a finite number above 0, such as {example}")]
    Scale {
        /// What was asked for.
        scale: f64,
        /// A scale that works, the profile's default.
        example: f64,
    },
    /// Occurs when the corpus would not fit.
    #[error(
        "not enough disk space for the corpus below {path}: needs {needed} bytes, {available} are available; \
         free some, choose another directory or a smaller scale"
    )]
    Disk {
        /// The directory that would hold the corpus.
        path: PathBuf,
        /// Bytes the corpus takes, with a margin.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// Occurs when the corpus's directory exists and was not written by this crate.
    #[error(
        "{path} exists and is not a corpus: nothing was written; choose another directory or remove it yourself"
    )]
    NotACorpus {
        /// The directory in the way.
        path: PathBuf,
    },
    /// Occurs when files differ from the manifest.
    #[error("corpus {root} differs from its manifest in {count} files, such as {}: generate it again", first.join(", "))]
    Damaged {
        /// The corpus's directory.
        root: PathBuf,
        /// How many files are missing, changed or extra.
        count: u64,
        /// The first few, each with what is wrong with it.
        first: Vec<String>,
    },
    /// Occurs when a manifest is not readable as one.
    #[error("failed to read corpus manifest {path}: {why}; generate the corpus again")]
    Manifest {
        /// The manifest's path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Occurs when a part of a corpus is not given as one.
    #[error("\"{text}\" is not a part of a corpus: give which and of how many, such as 2/8")]
    Shard {
        /// What was given.
        text: String,
    },
    /// Occurs when a shard's journal is not what was written, or not by this version.
    #[error("shard journal {path} {why}; write the shard again")]
    Journal {
        /// The journal's path.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Occurs when there is nothing to merge.
    #[error("no shard was given: name the directories of all shards of a corpus")]
    NoShards,
    /// Occurs when shards do not make a corpus.
    #[error("cannot merge {path}: {why}")]
    Merge {
        /// The shard that is wrong, or that others are missing beside.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Occurs when a corpus is to grow that cannot, or not so far.
    #[error("corpus {root} cannot grow by step {step}: {why}")]
    Growth {
        /// The corpus's directory.
        root: PathBuf,
        /// The step.
        step: u64,
        /// What is in the way, and what to do.
        why: String,
    },
    /// Occurs when the caller asked to stop.
    #[error("stopped before {before}")]
    Stopped {
        /// What was not reached, and what is left then.
        before: &'static str,
    },
    /// Occurs when a corpus's lock is no file that can be locked.
    #[error("corpus lock {path} is a link or no regular file: nothing was written; remove it yourself")]
    Lock {
        /// The lock.
        path: PathBuf,
    },
    /// Occurs when the operating system refuses.
    #[error("failed to {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an I/O error with its action and path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    }
}

/// What was not read, for the end of a sentence. Its name is no one's choice here and may hold line breaks, so it is quoted.
fn not_read(skipped: &[(PathBuf, String)]) -> String {
    match skipped {
        [] => String::new(),
        [(path, why)] => format!("; not read: {path:?} ({why})"),
        [(path, why), more @ ..] => format!("; not read: {path:?} ({why}) and {} more", more.len()),
    }
}
