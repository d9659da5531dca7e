//! Keeps the sessions of several tools as lists of typed events, and tells what has changed: a store of snapshots.
//!
//! The system under test of the family `snapshots`.

pub mod event;
pub mod events;
pub mod read;
pub mod snapshot;
pub mod snippet;
pub mod status;
pub mod store;
pub mod strategy;
