//! How a process is read: the instruments, their names, and what each can tell.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The environment variable that chooses the instrument of a process.
pub const INSTRUMENT: &str = "HIGHWATER_INSTRUMENT";
/// The environment variable that names the directory where processes leave their records.
pub const RECORD_DIR: &str = "HIGHWATER_RECORD_DIR";
/// The environment variable that limits the Rust heap of a process, in bytes.
pub const HEAP_LIMIT: &str = "HIGHWATER_HEAP_LIMIT";

/// How one process is read. A process has one instrument, decided before its first allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instrument {
    /// The operating system's figures, with an allocator that does nothing but allocate.
    Os,
    /// Exact counts of blocks and bytes, in front of the system allocator.
    Count,
    /// jemalloc and its own statistics.
    Jemalloc,
    /// jemalloc, counted: for the check of the counts against jemalloc's own.
    JemallocCount,
    /// dhat's profiler: counts, and the sites of allocations. Several times slower and larger.
    Dhat,
    /// The `stats_alloc` crate: a second opinion on totals.
    StatsAlloc,
    /// V8's collector in every Node process and worker thread of a foreign program, through a preload.
    V8,
    /// Python's `tracemalloc` in every Python process of a foreign program, through a `sitecustomize`. Slows the program.
    Tracemalloc,
}

impl Instrument {
    /// Every instrument.
    pub const ALL: [Instrument; 8] = [
        Instrument::Os,
        Instrument::Count,
        Instrument::Jemalloc,
        Instrument::JemallocCount,
        Instrument::Dhat,
        Instrument::StatsAlloc,
        Instrument::V8,
        Instrument::Tracemalloc,
    ];

    /// The name used in [`INSTRUMENT`] and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Instrument::Os => "os",
            Instrument::Count => "count",
            Instrument::Jemalloc => "jemalloc",
            Instrument::JemallocCount => "jemalloc-count",
            Instrument::Dhat => "dhat",
            Instrument::StatsAlloc => "stats-alloc",
            Instrument::V8 => "v8",
            Instrument::Tracemalloc => "tracemalloc",
        }
    }

    /// What the instrument tells, in one sentence.
    pub const fn describe(self) -> &'static str {
        match self {
            Instrument::Os => {
                "resident and proportional memory, faults and time, as the operating system reports them"
            }
            Instrument::Count => {
                "exact blocks and bytes of the Rust heap: total, peak, retained, per phase and per tick"
            }
            Instrument::Jemalloc => {
                "what jemalloc says of itself, read at marks, ticks and after each MiB requested"
            }
            Instrument::JemallocCount => {
                "the counts of `count` over jemalloc, with the size classes of every request"
            }
            Instrument::Dhat => "dhat's totals and peak, and a profile of the allocation sites",
            Instrument::StatsAlloc => "totals of the stats_alloc crate; it knows no peak",
            Instrument::V8 => {
                "the peak of V8's heap in Node programs (`exec` only), as its collector reports it"
            }
            Instrument::Tracemalloc => "the peak of tracemalloc in Python programs (`exec` only); slows them",
        }
    }

    /// The metrics the instrument gives of each process; scenarios add their own to any of them.
    pub const fn metrics(self) -> &'static [&'static str] {
        match self {
            Instrument::Os => &[
                "rss.peak_bytes",
                "pss.peak_bytes",
                "rss.file_bytes",
                "rss.stack_bytes",
                "allocator.held_bytes",
                "faults.minor",
                "time.wall_seconds",
                "time.cpu_seconds",
            ],
            Instrument::Count => &[
                "heap.peak_bytes",
                "heap.peak_bound_bytes",
                "heap.total_bytes",
                "heap.total_blocks",
                "heap.grown_bytes",
                "heap.retained_bytes",
                "heap.churn_bytes_per_tick",
            ],
            Instrument::Jemalloc => &[
                "jemalloc.allocated_peak_bytes",
                "jemalloc.resident_peak_bytes",
                "jemalloc.thread_allocated_bytes",
            ],
            Instrument::JemallocCount => &[
                "heap.peak_bytes",
                "heap.peak_bound_bytes",
                "heap.total_bytes",
                "heap.total_blocks",
                "heap.grown_bytes",
                "heap.retained_bytes",
                "heap.churn_bytes_per_tick",
                "jemalloc.requested_class_bytes",
                "jemalloc.thread_allocated_bytes",
            ],
            Instrument::Dhat => {
                &["dhat.peak_bytes", "dhat.total_bytes", "dhat.total_blocks", "dhat.retained_bytes"]
            }
            Instrument::StatsAlloc => &["stats_alloc.grown_bytes", "stats_alloc.retained_bytes"],
            Instrument::V8 => &["v8.heap_peak_bytes", "v8.external_peak_bytes"],
            Instrument::Tracemalloc => &["tracemalloc.peak_bytes"],
        }
    }

    /// Whether it counts exactly, and so can also enforce a heap limit.
    pub const fn counts(self) -> bool {
        matches!(self, Instrument::Count | Instrument::JemallocCount)
    }

    /// Whether it reads Rust programs that use this crate. The others are put into foreign programs.
    pub const fn reads_rust(self) -> bool {
        !matches!(self, Instrument::V8 | Instrument::Tracemalloc)
    }

    pub(crate) fn names() -> String {
        Instrument::ALL.map(Instrument::name).join(", ")
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Instrument {
    type Err = Error;

    fn from_str(name: &str) -> Result<Instrument, Error> {
        Instrument::ALL
            .into_iter()
            .find(|instrument| instrument.name() == name)
            .ok_or_else(|| Error::UnknownInstrument { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_instrument() {
        for instrument in Instrument::ALL {
            assert_eq!(instrument.to_string().parse::<Instrument>().unwrap(), instrument);
        }
        let error = "valgrind".parse::<Instrument>().unwrap_err().to_string();
        assert!(error.contains("os, count"), "{error}");
    }
}
