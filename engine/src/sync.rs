//! Finds a person's session files, parses them in a worker process, caches the result, and hands it to the process that asked.
//!
//! ```text
//!  host ── job ──> worker: discover -> fingerprints -> cache -> parse -> frames
//!    ^                                                              |
//!    '── library <── assembler <── frames over a pipe, acknowledged <'
//! ```
//!
//! Every step can be done in several ways; a [`Strategy`] names one choice for each.

pub mod cache;
pub mod discover;
pub mod failure;
pub mod fingerprint;
pub mod frame;
pub mod host;
pub mod library;
pub mod parse;
pub mod prefetch;
pub mod protocol;
pub mod strategy;
pub mod worker;

pub use host::{Attempt, Host, Outcome};
pub use library::Library;
pub use strategy::Strategy;

/// What a run says of itself while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A phase begins.
    Phase(&'static str),
    /// Everything has been sent but the word that this is all. The host may end a worker as soon as it has that word.
    Delivered,
    /// A workspace is about to be read: its number of how many, and its key.
    Workspace {
        /// Workspaces finished.
        done: u64,
        /// Workspaces in all.
        total: u64,
        /// Key of the workspace.
        key: &'a str,
    },
}
