//! Histories of runs: what is kept of each, and what many of them together say.
//!
//! A [`entry::Entry`] is what a history keeps of one run. Its id is a digest of its content, so that ids made on many machines
//! never collide and adding the same run again changes nothing. A [`series::Timeline`] is what they say together: the figures of
//! each metric in the order of the commits, from which trends, change points and drift are computed. A
//! [`store::Store`] keeps entries in a file or on a server.

pub mod compared;
pub mod drift;
pub mod entry;
pub mod list;
pub mod page;
pub mod release;
pub mod runs;
pub mod series;
#[cfg(test)]
mod specimen;
pub mod store;
pub mod trend;
