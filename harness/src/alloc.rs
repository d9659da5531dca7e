//! The global allocators: a switch decided once per process, and one that always counts.
//!
//! A binary declares one of them itself, since a library must not choose the allocator of its users:
//!
//! ```no_run
//! #[global_allocator]
//! static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;
//! # fn main() {}
//! ```
//!
//! Every method is forwarded. The defaults of `GlobalAlloc` would allocate, copy and free on each `realloc`, and write every byte of
//! an `alloc_zeroed`: an instrument that raises the peak measures itself.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait, whose methods call other allocators")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use stats_alloc::StatsAlloc;

use crate::counters;
use crate::instrument::Instrument;

pub(crate) mod injected;
#[cfg(not(target_env = "msvc"))]
pub(crate) mod jemalloc;

/// The allocator that [`HIGHWATER_INSTRUMENT`](crate::instrument::INSTRUMENT) chooses.
///
/// Unset and `os` are the system's allocator, plain; every other instrument has its own. With a heap limit
/// ([`HIGHWATER_HEAP_LIMIT`](crate::instrument::HEAP_LIMIT)) the plain ones are counted, since what is not counted cannot be limited.
/// The choice is made at the first allocation and holds until the process ends. With [`HIGHWATER_INJECT`](crate::inject::INJECT) more is
/// allocated than the program asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switch;

/// The system's allocator, always counted: for tests, examples and programs that ask [`heap`](crate::heap) about themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

const UNDECIDED: u8 = 0;
const SYSTEM: u8 = 1;
const COUNTED: u8 = 2;
const JEMALLOC: u8 = 3;
const JEMALLOC_COUNTED: u8 = 4;
const DHAT: u8 = 5;
const STATS_ALLOC: u8 = 6;
/// Beside one of the modes above: an injection is planted through it.
const INJECTED: u8 = 0x80;

static MODE: AtomicU8 = AtomicU8::new(UNDECIDED);

pub(crate) static STATS: StatsAlloc<System> = StatsAlloc::system();

/// Whether the allocator of this process counts.
pub(crate) fn counts() -> bool {
    matches!(MODE.load(Relaxed) & !INJECTED, COUNTED | JEMALLOC_COUNTED)
}

/// Whether the allocator of this process plants an injection.
pub(crate) fn injects() -> bool {
    MODE.load(Relaxed) & INJECTED != 0
}

/// The instrument that the allocator of this process serves; None before any of ours was used.
pub(crate) fn serves() -> Option<Instrument> {
    match MODE.load(Relaxed) & !INJECTED {
        SYSTEM => Some(Instrument::Os),
        COUNTED => Some(Instrument::Count),
        JEMALLOC => Some(Instrument::Jemalloc),
        JEMALLOC_COUNTED => Some(Instrument::JemallocCount),
        DHAT => Some(Instrument::Dhat),
        STATS_ALLOC => Some(Instrument::StatsAlloc),
        _ => None,
    }
}

#[inline]
fn mode() -> u8 {
    match MODE.load(Relaxed) {
        UNDECIDED => decide(),
        decided => decided,
    }
}

/// Threads that race here read the same environment and so decide the same.
#[cold]
fn decide() -> u8 {
    let limited = variable(c"HIGHWATER_HEAP_LIMIT").is_some_and(|value| !value.is_empty());
    let decided = match variable(c"HIGHWATER_INSTRUMENT").unwrap_or_default() {
        b"count" => COUNTED,
        b"dhat" => DHAT,
        b"stats-alloc" => STATS_ALLOC,
        b"jemalloc" if limited => JEMALLOC_COUNTED,
        b"jemalloc" => JEMALLOC,
        b"jemalloc-count" => JEMALLOC_COUNTED,
        _ if limited => COUNTED,
        _ => SYSTEM,
    };
    let decided = match decided {
        JEMALLOC | JEMALLOC_COUNTED if cfg!(target_env = "msvc") => SYSTEM,
        other => other,
    };
    let injects = variable(c"HIGHWATER_INJECT").is_some_and(|value| !value.is_empty());
    let decided = if injects { decided | INJECTED } else { decided };
    MODE.store(decided, Relaxed);
    decided
}

/// A variable of the environment, read without std, which would allocate.
fn variable(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: the name ends in NUL. This runs at the first allocation of the process, before anything can change its environment.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: getenv returned a string that ends in NUL and lives as long as the environment is unchanged; it is read at once.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}

// SAFETY: every method passes its arguments unchanged to one allocator, the same for the whole life of the process, and returns what
// that returned; the counters in between do not allocate and do not unwind.
unsafe impl GlobalAlloc for Switch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe {
            match mode() {
                SYSTEM => System.alloc(layout),
                COUNTED => counted_alloc(layout),
                other => rare::alloc(other, layout),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe {
            match mode() {
                SYSTEM => System.alloc_zeroed(layout),
                COUNTED => counted_alloc_zeroed(layout),
                other => rare::alloc_zeroed(other, layout),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the same allocator, since the mode never changes; the caller promises the rest.
        unsafe {
            match mode() {
                SYSTEM => System.dealloc(block, layout),
                COUNTED => counted_dealloc(block, layout),
                other => rare::dealloc(other, block, layout),
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block came from the same allocator, since the mode never changes; the caller promises the rest.
        unsafe {
            match mode() {
                SYSTEM => System.realloc(block, layout, new_size),
                COUNTED => counted_realloc(block, layout, new_size),
                other => rare::realloc(other, block, layout, new_size),
            }
        }
    }
}

// SAFETY: as for `Switch`, with the system's allocator underneath.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MODE.store(COUNTED, Relaxed);
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { counted_alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        MODE.store(COUNTED, Relaxed);
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { counted_alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises about the block are passed on.
        unsafe { counted_dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promises about the block are passed on.
        unsafe { counted_realloc(block, layout, new_size) }
    }
}

/// `GlobalAlloc::alloc` of the system, counted.
#[inline]
unsafe fn counted_alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the closure runs at most once, with the caller's own layout.
    book(layout.size(), 0, || unsafe { System.alloc(layout) })
}

#[inline]
unsafe fn counted_alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the closure runs at most once, with the caller's own layout.
    book(layout.size(), 0, || unsafe { System.alloc_zeroed(layout) })
}

#[inline]
unsafe fn counted_dealloc(block: *mut u8, layout: Layout) {
    // SAFETY: the caller's promises about the block are passed on.
    unsafe { System.dealloc(block, layout) };
    counters::freed(layout.size());
}

#[inline]
unsafe fn counted_realloc(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the closure runs at most once, with the caller's own block.
    rebook(layout.size(), new_size, 0, || unsafe { System.realloc(block, layout, new_size) })
}

/// Counts an allocation around `allocate`.
#[inline]
fn book(bytes: usize, class_bytes: usize, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    let live = counters::request(bytes);
    let block = allocate();
    if block.is_null() {
        counters::withdraw(bytes);
    } else {
        counters::allocated(bytes, live, class_bytes);
    }
    block
}

/// Counts a reallocation around `reallocate`.
#[inline]
fn rebook(old: usize, new: usize, class_bytes: usize, reallocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    let growth = new.saturating_sub(old);
    let live = if growth > 0 { counters::request(growth) } else { 0 };
    let block = reallocate();
    if !block.is_null() {
        counters::reallocated(old, new, live, class_bytes);
    } else if growth > 0 {
        counters::withdraw(growth);
    }
    block
}

/// The modes that are not on the path of ordinary measurements, out of line to keep that path short.
mod rare {
    use super::*;

    const DHAT_ALLOCATOR: dhat::Alloc = dhat::Alloc;

    #[inline(never)]
    pub(super) unsafe fn alloc(mode: u8, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe {
            match mode {
                DHAT => DHAT_ALLOCATOR.alloc(layout),
                STATS_ALLOC => STATS.alloc(layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC => jemalloc::alloc(layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC_COUNTED => book(layout.size(), jemalloc::class_bytes(layout, layout.size()), || {
                    jemalloc::alloc(layout)
                }),
                COUNTED => counted_alloc(layout),
                _ if mode & INJECTED != 0 => injected::alloc(mode, layout),
                _ => System.alloc(layout),
            }
        }
    }

    #[inline(never)]
    pub(super) unsafe fn alloc_zeroed(mode: u8, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe {
            match mode {
                // dhat does not forward this method: it allocates and writes the zeros.
                DHAT => DHAT_ALLOCATOR.alloc_zeroed(layout),
                STATS_ALLOC => STATS.alloc_zeroed(layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC => jemalloc::alloc_zeroed(layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC_COUNTED => book(layout.size(), jemalloc::class_bytes(layout, layout.size()), || {
                    jemalloc::alloc_zeroed(layout)
                }),
                COUNTED => counted_alloc_zeroed(layout),
                _ if mode & INJECTED != 0 => injected::alloc_zeroed(mode, layout),
                _ => System.alloc_zeroed(layout),
            }
        }
    }

    #[inline(never)]
    pub(super) unsafe fn dealloc(mode: u8, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the same allocator; the caller promises the rest.
        unsafe {
            match mode {
                DHAT => DHAT_ALLOCATOR.dealloc(block, layout),
                STATS_ALLOC => STATS.dealloc(block, layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC => jemalloc::dealloc(block, layout),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC_COUNTED => {
                    jemalloc::dealloc(block, layout);
                    counters::freed(layout.size());
                }
                COUNTED => counted_dealloc(block, layout),
                _ if mode & INJECTED != 0 => injected::dealloc(mode, block, layout),
                _ => System.dealloc(block, layout),
            }
        }
    }

    #[inline(never)]
    pub(super) unsafe fn realloc(mode: u8, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block came from the same allocator; the caller promises the rest.
        unsafe {
            match mode {
                DHAT => DHAT_ALLOCATOR.realloc(block, layout, new_size),
                STATS_ALLOC => STATS.realloc(block, layout, new_size),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC => jemalloc::realloc(block, layout, new_size),
                #[cfg(not(target_env = "msvc"))]
                JEMALLOC_COUNTED => {
                    let class_bytes = jemalloc::class_bytes(layout, new_size);
                    rebook(layout.size(), new_size, class_bytes, || {
                        jemalloc::realloc(block, layout, new_size)
                    })
                }
                COUNTED => counted_realloc(block, layout, new_size),
                _ if mode & INJECTED != 0 => injected::realloc(mode, block, layout, new_size),
                _ => System.realloc(block, layout, new_size),
            }
        }
    }
}

/// Whether one of our allocators is the global one: only then does a mode get decided.
pub(crate) fn is_installed() -> bool {
    drop(std::hint::black_box(Box::new(0_u8)));
    MODE.load(Relaxed) != UNDECIDED
}
