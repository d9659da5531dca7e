//! Reads, caches and serves histories of AI-coding sessions: the system under test of highwater.
//!
//! The crate knows nothing of how it is measured. What it needs from outside (a clock, a way to start a worker, a sink for
//! progress) is passed in. What it must answer, to the byte, is written in `docs/answer.md`.
//!
//! * [`json`] reads JSON text in bounded memory, [`tree`] holds what is kept of it.
//! * [`formats`] turns the files of each tool into [`session`]s.
//! * [`http`] is what services share.
//! * [`listing`] lists sessions for an application, holds the state of those that are live, and is kept alive.
//! * [`snapshots`] keeps sessions as typed events, and follows their files while they grow.
//! * [`sync`] finds, caches and transfers them: the family of strategies that highwater compares.
//! * [`view`] shows them while they are worked on.

pub mod checksum;
pub mod formats;
pub mod http;
pub mod json;
pub mod listing;
pub mod session;
pub mod snapshots;
pub mod sync;
pub mod tree;
pub mod view;
