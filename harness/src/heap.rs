//! Reading the heap counters of this process: at one moment, or around a closure.
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;
//!
//! fn main() -> Result<(), harness::Error> {
//!     let measured = harness::heap::measure(|| Vec::<u8>::with_capacity(1000))?;
//!     assert_eq!((measured.peak_bytes, measured.total_blocks, measured.retained_bytes), (1000, 1, 1000));
//!     Ok(())
//! }
//! ```

use crate::{Error, alloc, counters};

/// The heap of this process at one moment, counted since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes ever requested; a reallocation counts with its new size, as dhat has it.
    pub total_bytes: u64,
    /// Blocks ever requested; a reallocation counts as one.
    pub total_blocks: u64,
    /// Bytes ever requested, where a reallocation counts with its growth only, as stats_alloc has it.
    pub grown_bytes: u64,
    /// Bytes live now.
    pub live_bytes: u64,
    /// Most bytes live at once, since the process or its present phase began.
    pub peak_bytes: u64,
}

/// Whether this process counts its heap.
pub fn is_counted() -> bool {
    alloc::counts()
}

/// The counters now; all zero in a process that does not count ([`is_counted`]).
pub fn now() -> Snapshot {
    let totals = counters::totals();
    Snapshot {
        total_bytes: totals.bytes,
        total_blocks: totals.blocks,
        grown_bytes: totals.grown_bytes,
        live_bytes: counters::live().max(0) as u64,
        peak_bytes: counters::peak().max(0) as u64,
    }
}

/// What a closure did to the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured<T> {
    /// Bytes requested meanwhile, by all threads.
    pub total_bytes: u64,
    /// Blocks requested meanwhile, by all threads.
    pub total_blocks: u64,
    /// Bytes requested meanwhile, where a reallocation counts with its growth only.
    pub grown_bytes: u64,
    /// Most bytes live at once beyond those live before.
    pub peak_bytes: u64,
    /// Bytes live after the work beyond those live before, the result among them; negative when the work freed older blocks.
    pub retained_bytes: i64,
    /// What the closure returned.
    pub result: T,
}

/// A stretch of the program whose heap is measured, for callers that cannot hand over a closure ([`measure`] otherwise).
#[derive(Debug)]
#[must_use = "a region tells nothing until it ends"]
pub struct Region {
    totals: counters::Totals,
    base: i64,
    outer_peak: i64,
}

impl Region {
    /// Begins now. Fails when this process does not count.
    pub fn begin() -> Result<Region, Error> {
        if !is_counted() {
            return Err(Error::NotCounted);
        }
        let totals = counters::totals();
        let base = counters::live();
        Ok(Region { totals, base, outer_peak: counters::restart_peak() })
    }

    /// Ends now. Regions may lie within each other, and within a phase of the [`meter`](crate::meter).
    pub fn end(self) -> Measured<()> {
        let peak = counters::peak();
        let live = counters::live();
        let totals = counters::totals().since(self.totals);
        counters::restore_peak(self.outer_peak);
        Measured {
            total_bytes: totals.bytes,
            total_blocks: totals.blocks,
            grown_bytes: totals.grown_bytes,
            peak_bytes: (peak - self.base).max(0) as u64,
            retained_bytes: live - self.base,
            result: (),
        }
    }
}

/// Runs `work` once and tells what it did to the heap of the process.
///
/// `work` outlives the measured region, so that what it captures is not freed inside. Fails when this process does not count.
pub fn measure<T>(mut work: impl FnMut() -> T) -> Result<Measured<T>, Error> {
    let region = Region::begin()?;
    let result = work();
    let Measured { total_bytes, total_blocks, grown_bytes, peak_bytes, retained_bytes, result: () } =
        region.end();
    Ok(Measured { total_bytes, total_blocks, grown_bytes, peak_bytes, retained_bytes, result })
}
