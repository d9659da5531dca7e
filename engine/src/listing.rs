//! Lists sessions for a person's application, keeps what is known of those that are live, and stays up.
//!
//! The family `listing`: a service over the session files of Claude Code ([`serve`]) with everything that the real one had: summaries
//! of files that others write to ([`catalog`]), state of each live session ([`live`]), marks of deleted ones ([`tombstones`]), and a
//! [`supervisor`] that starts it again. What each of them does is a choice of the [`strategy`].

pub mod catalog;
pub mod files;
pub mod live;
pub mod messages;
pub mod row;
pub mod serve;
pub mod strategy;
pub mod summary;
pub mod supervisor;

pub mod tombstones;
pub mod write;

pub use strategy::Strategy;

/// The present time, as whoever drives the service tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Ms since the service started; never goes backwards. What expires is measured by it.
    pub monotonic_ms: u64,
    /// Ns since 1970, by the clock that also stamps files.
    pub wall_ns: i64,
}
