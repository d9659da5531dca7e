//! Keeps the sessions of several tools as lists of typed events, and tells what has changed: a store of snapshots, and the daemon around
//! it that reads files as they grow.
//!
//! The system under test of the family `snapshots`.

pub mod event;
pub mod read;
