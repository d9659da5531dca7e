//! What can go wrong with a history.

use std::path::PathBuf;

use crate::history::entry::LineError;

/// A history that could not be used, with its name and what to do. No message holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Occurs when the name of a history cannot be understood, or asks for what is refused.
    #[error("{0}")]
    Target(String),
    /// Occurs when a history is to be read and there is none.
    #[error("there is no history in {}: `highwater history add` makes one, --store names another", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Occurs when the folder of the file cannot be made.
    #[error("failed to make the folder of {}: {source}", path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Occurs when the file belongs to someone else; it is as it was.
    #[error("{} is not a history of highwater: name another file with --store", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Occurs when a newer program has changed the history's tables; they are as they were.
    #[error(
        "the history {store} has schema {found}, and this program knows those up to {known}: use the newer highwater that wrote it, or export with that one and import here"
    )]
    Newer {
        /// The history.
        store: String,
        /// Its version.
        found: i64,
        /// The newest that can be used.
        known: i64,
    },
    /// Occurs when the database refuses or fails.
    #[error("failed to {what} the history {store}: {why}")]
    Failed {
        /// What was attempted: `open`, `read`, `add to`.
        what: &'static str,
        /// The history.
        store: String,
        /// What the database said.
        why: Failed,
    },
    /// Occurs when no run has the id.
    #[error(
        "no run in the history {store} has an id that begins with {id:?}: `highwater history list` shows them"
    )]
    NoRun {
        /// The history.
        store: String,
        /// The id that was asked for.
        id: String,
    },
    /// Occurs when the beginning of an id does not tell which run is meant.
    #[error("{count} runs in the history {store} have ids that begin with {id}: write more of it")]
    Ambiguous {
        /// The history.
        store: String,
        /// The beginning that was asked for.
        id: String,
        /// How many runs have it.
        count: usize,
    },
    /// Occurs when an entry is no content of a history.
    #[error("the run was refused: {0}")]
    Entry(#[from] LineError),
    /// Occurs when an export cannot be written.
    #[error("failed to write the export: {0}")]
    Write(std::io::Error),
    /// Occurs when what is imported cannot be read.
    #[error("failed to read the import: {0}")]
    Read(std::io::Error),
}

/// What a database said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// SQLite's words.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's words, or those of the way to it.
    #[error("{}", words(.0))]
    Postgres(#[from] postgres::Error),
    /// A newer program has changed the tables since this one opened them.
    #[error("its schema became {0} meanwhile: use the newer highwater")]
    Migrated(i64),
    /// A content that this program cannot have written.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl Failed {
    pub(super) fn damaged(what: impl std::fmt::Display) -> Failed {
        Failed::Damaged(what.to_string())
    }
}

/// The error with its causes: the client itself says only of which kind it is.
fn words(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
