//! Statistics, budgets, verdicts and rendered reports from highwater's records.
//!
//! Records in, text out: this crate never measures, never spawns and never prints. [`store`] reads a run, [`judge`] fills in
//! its verdicts by the limits of [`budget`] and the figures of [`baseline`], [`text`], [`markdown`] and [`html`] show it, and [`exit`]
//! turns its verdict into the code that a merge gate sees.

mod aligned;
pub mod baseline;
pub mod budget;
pub mod bytes;
pub mod calibration;
pub mod compare;
mod debt;
pub mod decision;
pub mod error;
pub mod exchange;
pub mod exit;
pub mod explain;
mod figure;
mod fingerprint;
pub mod fitness;
mod foreign;
pub mod history;
pub mod html;
pub mod judge;
pub mod law;
pub mod ledger;
pub mod markdown;
pub mod merge;
pub mod metric;
mod plain;
pub mod rate;
mod real_engine;
mod rows;
pub mod sites;
#[cfg(test)]
mod specimen;
pub mod stats;
pub mod store;
pub mod summary;
pub mod text;
pub mod worth;

pub use error::Error;
pub use plain::{line as plain_line, lines as plain_lines, run as plain_run};
