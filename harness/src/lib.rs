//! Measures the heap and resident memory of closures, phases and process trees.
//!
//! Two sides meet in a directory of records:
//!
//! - *inside* a measured process, [`alloc::Switch`] is the global allocator and [`phase`] or [`meter::Meter`] mark the region and its
//!   phases; when the region ends it leaves one [`record::Process`];
//! - *outside*, [`subject::Subject`] starts that process afresh, watches its tree, and collects the records into a
//!   [`subject::Sample`]; [`combine`] turns samples into metrics.
//!
//! One process is read by one [`instrument::Instrument`], because an instrument that counts also slows, and one that profiles also
//! grows. The crate knows nothing of what it measures: it takes closures and commands.
//!
//! A program is measured from inside with two lines, the allocator and a phase:
//!
//! ```no_run
//! #[global_allocator]
//! static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;
//!
//! fn main() {
//!     harness::phase("parse");
//!     // ... the work
//! }
//! ```
//!
//! and `highwater exec --instrument count -- PROGRAM` tells its exact heap, phase by phase. Tests hold limits with [`budget::Budget`].

pub mod alloc;
pub mod bound;
pub mod budget;
pub mod combine;
mod counters;
pub mod environment;
mod error;
pub mod heap;
pub mod inject;
pub mod instrument;
pub mod limit;
pub mod meter;
pub mod os;
mod preload;
pub mod record;
pub mod sites;
pub mod subject;

pub use error::Error;
pub use meter::phase_of_program as phase;
