//! Heap budgets of a piece of work, for tests.
//!
//! What is measured is the calling thread: a test that runs beside, in a thread of its own, changes no figure. So it is the right
//! measure for work that stays in one thread, and the figures are exact: equal in every run. Threads that the work itself starts
//! are not counted; measure those with [`heap::measure`] in a test program that runs nothing beside.
//! Blocks count where they are requested and where they are freed: one handed to another thread stays retained here.
//!
//! ```
//! use harness::budget::Budget;
//!
//! #[global_allocator]
//! static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;
//!
//! fn main() {
//!     let budget = Budget::new().peak_bytes(64 << 10).total_blocks(1).retained_bytes(0);
//!     let sum = budget.assert(|| vec![1_u8; 64 << 10].iter().map(|&byte| u64::from(byte)).sum::<u64>());
//!     assert_eq!(sum, 65_536);
//!
//!     let broken = budget.check(|| drop(vec![0_u8; 100_000])).unwrap_err().to_string();
//!     assert!(broken.starts_with("peak of 100000 bytes is 34464 over its limit of 65536"), "{broken}");
//! }
//! ```

use std::fmt;

use crate::counters::{self, Net, Totals};
use crate::heap;

/// Limits of the heap of a piece of work. What has no limit is not judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    peak_bytes: Option<u64>,
    total_bytes: Option<u64>,
    total_blocks: Option<u64>,
    retained_bytes: Option<u64>,
}

impl Budget {
    /// A budget without limits, which [`Budget::check`] refuses: at least one has to follow.
    pub const fn new() -> Budget {
        Budget { peak_bytes: None, total_bytes: None, total_blocks: None, retained_bytes: None }
    }

    /// Most bytes live at once beyond those live before.
    pub const fn peak_bytes(mut self, limit: u64) -> Budget {
        self.peak_bytes = Some(limit);
        self
    }

    /// Most bytes requested in all; a reallocation counts with its new size.
    pub const fn total_bytes(mut self, limit: u64) -> Budget {
        self.total_bytes = Some(limit);
        self
    }

    /// Most blocks requested in all; a reallocation counts as one.
    pub const fn total_blocks(mut self, limit: u64) -> Budget {
        self.total_blocks = Some(limit);
        self
    }

    /// Most bytes live after the work beyond those live before, what it returns among them.
    pub const fn retained_bytes(mut self, limit: u64) -> Budget {
        self.retained_bytes = Some(limit);
        self
    }

    /// Runs `work` once and gives what it returned, when it kept every limit.
    ///
    /// Fails when a limit is broken, when there is no limit, and in a process or thread where nothing is counted.
    pub fn check<T>(&self, work: impl FnMut() -> T) -> Result<T, Error> {
        if *self == Budget::new() {
            return Err(Error::NoLimit);
        }
        let (spent, result) = measure(work)?;
        let broken: Vec<Excess> = self.excesses(&spent).collect();
        if broken.is_empty() { Ok(result) } else { Err(Error::Exceeded { broken }) }
    }

    /// As [`Budget::check`], for tests.
    ///
    /// # Panics
    ///
    /// Where [`Budget::check`] fails, with its error as the message.
    #[track_caller]
    pub fn assert<T>(&self, work: impl FnMut() -> T) -> T {
        match self.check(work) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    fn excesses(&self, spent: &Spent) -> impl Iterator<Item = Excess> {
        let rows = [
            (Limit::PeakBytes, self.peak_bytes, spent.peak_bytes),
            (Limit::TotalBytes, self.total_bytes, spent.total_bytes),
            (Limit::TotalBlocks, self.total_blocks, spent.total_blocks),
            (Limit::RetainedBytes, self.retained_bytes, spent.retained_bytes),
        ];
        rows.into_iter().filter_map(|(of, limit, figure)| {
            let limit = limit.filter(|&limit| figure > limit)?;
            Some(Excess { of, limit, figure })
        })
    }
}

/// One of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Budget::peak_bytes`].
    PeakBytes,
    /// [`Budget::total_bytes`].
    TotalBytes,
    /// [`Budget::total_blocks`].
    TotalBlocks,
    /// [`Budget::retained_bytes`].
    RetainedBytes,
}

/// A limit that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// Which limit.
    pub of: Limit,
    /// The most there may be, in bytes or blocks.
    pub limit: u64,
    /// What there was.
    pub figure: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Excess { of, limit, figure } = *self;
        let (what, unit, name, remedy) = match of {
            Limit::PeakBytes => ("peak", "bytes", "peak_bytes", "hold less at once"),
            Limit::TotalBytes => {
                ("total", "bytes", "total_bytes", "allocate less, or reuse what is allocated")
            }
            Limit::TotalBlocks => {
                ("total", "blocks", "total_blocks", "allocate less often, or reserve room once")
            }
            Limit::RetainedBytes => {
                ("retained rest", "bytes", "retained_bytes", "free what is not needed after")
            }
        };
        let over = figure - limit;
        write!(
            formatter,
            "{what} of {figure} {unit} is {over} over its limit of {limit}: {remedy}, or raise the limit with {name}({figure})"
        )
    }
}

/// Why a budget is not kept, or cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Limits were broken.
    #[error("{}", list(broken))]
    Exceeded {
        /// Those limits, in the order of the fields of a budget.
        broken: Vec<Excess>,
    },
    /// A budget that nothing can break.
    #[error("the budget has no limit: give it one, such as peak_bytes(65536)")]
    NoLimit,
    /// This process does not count.
    #[error(
        "nothing is counted in this process: write `#[global_allocator] static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;` in the test program"
    )]
    NotCounted,
    /// This thread has no counters of its own.
    #[error(
        "this thread has no counters of its own, because the process has started thousands of threads: run fewer tests in one process"
    )]
    Crowded,
}

fn list(broken: &[Excess]) -> String {
    let lines: Vec<String> = broken.iter().map(Excess::to_string).collect();
    lines.join("; ")
}

/// What the calling thread did to the heap.
struct Spent {
    peak_bytes: u64,
    total_bytes: u64,
    total_blocks: u64,
    /// Nothing when it freed more than it kept.
    retained_bytes: u64,
}

/// Runs `work`, which outlives the measured stretch, so that what it captures is not freed inside.
fn measure<T>(mut work: impl FnMut() -> T) -> Result<(Spent, T), Error> {
    if !heap::is_counted() {
        return Err(Error::NotCounted);
    }
    let stretch = Stretch::begin().ok_or(Error::Crowded)?;
    let result = work();
    let spent = stretch.spent();
    drop(stretch);
    Ok((spent, result))
}

/// The calling thread's counters while work is measured. A panic of the work ends it too.
struct Stretch {
    totals: Totals,
    outside: Net,
}

impl Stretch {
    fn begin() -> Option<Stretch> {
        let outside = counters::swap_own_net(Net::default())?;
        Some(Stretch { totals: counters::own_totals(), outside })
    }

    fn spent(&self) -> Spent {
        let totals = counters::own_totals().since(self.totals);
        let net = counters::own_net();
        Spent {
            peak_bytes: net.peak.max(0) as u64,
            total_bytes: totals.bytes,
            total_blocks: totals.blocks,
            retained_bytes: net.now.max(0) as u64,
        }
    }
}

impl Drop for Stretch {
    /// Leaves the thread's net bytes as if nobody had looked.
    fn drop(&mut self) {
        let inside = counters::own_net();
        let now = self.outside.now + inside.now;
        let peak = self.outside.peak.max(self.outside.now + inside.peak);
        counters::swap_own_net(Net { now, peak });
    }
}
