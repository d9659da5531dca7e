//! Keeps the sessions of several tools as lists of typed events, and tells what has changed: a store of snapshots, and the daemon around
//! it that reads files as they grow.
//!
//! * [`read`] turns files into [`event`]s, from any place on.
//! * A [`snapshot`] is a session at one moment; the [`store`] holds them, within limits.
//! * The [`daemon`] reads what has changed, runs commands that were typed into chats, and shows a [`status`].
//! * A [`strategy`] says how: as the real daemon that these choices are modelled on was reported, with each fix, or ours.

mod commands;
pub mod daemon;
pub mod event;
pub mod events;
mod files;
pub mod read;
pub mod snapshot;
pub mod snippet;
pub mod status;
pub mod store;
pub mod strategy;

pub use daemon::{Daemon, Notice, Options};
pub use strategy::Strategy;
