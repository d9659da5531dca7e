//! jemalloc: its allocator, its size classes, and the statistics it keeps of itself.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jemalloc_ctl::{epoch, epoch_mib, stats, thread};
use jemallocator::Jemalloc;

/// Bytes that a thread requests between two readings.
const SAMPLE_EVERY_BYTES: usize = 1 << 20;

#[inline]
pub(super) unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promises about `layout` are passed on.
    let block = unsafe { Jemalloc.alloc(layout) };
    requested(layout.size());
    block
}

#[inline]
pub(super) unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promises about `layout` are passed on.
    let block = unsafe { Jemalloc.alloc_zeroed(layout) };
    requested(layout.size());
    block
}

#[inline]
pub(super) unsafe fn dealloc(block: *mut u8, layout: Layout) {
    // SAFETY: the caller's promises about the block are passed on.
    unsafe { Jemalloc.dealloc(block, layout) }
}

#[inline]
pub(super) unsafe fn realloc(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's promises about the block are passed on.
    let block = unsafe { Jemalloc.realloc(block, layout, new_size) };
    requested(new_size.saturating_sub(layout.size()));
    block
}

/// Bytes of the size class that serves a request, as jemalloc's own `thread.allocated` counts it.
#[inline]
pub(super) fn class_bytes(layout: Layout, size: usize) -> usize {
    let align = layout.align();
    // The flags that the allocator passes for the same request: none where jemalloc aligns by itself.
    let natural = align <= align_of::<usize>() * 2 && align <= size;
    let flags = if natural { 0 } else { jemalloc_sys::MALLOCX_ALIGN(align) };
    // SAFETY: the size of a layout is not zero here, as GlobalAlloc demands, and the flags hold an alignment.
    unsafe { jemalloc_sys::nallocx(size, flags) }
}

struct Keys {
    epoch: epoch_mib,
    allocated: stats::allocated_mib,
    resident: stats::resident_mib,
}

static KEYS: OnceLock<Keys> = OnceLock::new();
static ALLOCATED_PEAK: AtomicU64 = AtomicU64::new(0);
static RESIDENT_PEAK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static UNTIL_SAMPLE: Cell<usize> = const { Cell::new(SAMPLE_EVERY_BYTES) };
}

#[inline]
fn requested(bytes: usize) {
    UNTIL_SAMPLE.with(|left| match left.get().checked_sub(bytes) {
        Some(rest) => left.set(rest),
        None => {
            left.set(SAMPLE_EVERY_BYTES);
            sample();
        }
    });
}

/// Begins to take readings; false when jemalloc was built without statistics.
pub(crate) fn arm() -> bool {
    let found = (epoch::mib(), stats::allocated::mib(), stats::resident::mib());
    if let (Ok(epoch_key), Ok(allocated), Ok(resident)) = found {
        KEYS.get_or_init(|| Keys { epoch: epoch_key, allocated, resident });
    }
    KEYS.get().is_some()
}

/// Reads jemalloc's statistics and keeps the largest seen. Does nothing before [`arm`].
#[cold]
pub(crate) fn sample() {
    let Some(keys) = KEYS.get() else { return };
    // Statistics are a copy that only a new epoch refreshes.
    if keys.epoch.advance().is_err() {
        return;
    }
    if let (Ok(allocated), Ok(resident)) = (keys.allocated.read(), keys.resident.read()) {
        ALLOCATED_PEAK.fetch_max(allocated as u64, Relaxed);
        RESIDENT_PEAK.fetch_max(resident as u64, Relaxed);
    }
}

/// Largest readings since the last call, in bytes: what jemalloc had handed out, and what it had resident.
pub(crate) fn take_peaks() -> (u64, u64) {
    (ALLOCATED_PEAK.swap(0, Relaxed), RESIDENT_PEAK.swap(0, Relaxed))
}

/// Bytes of size classes that the calling thread ever allocated.
pub(crate) fn thread_allocated() -> Option<u64> {
    thread::allocatedp::read().ok().map(|counter| counter.get())
}
