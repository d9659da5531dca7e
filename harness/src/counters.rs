//! The counters behind `count`: what is live in the process, and what each thread asked for.
//!
//! Live bytes and their peak are process-wide, since a block may be freed by another thread than the one that allocated it.
//! Totals are kept per thread in a fixed table and summed when read: an owner adds to its own row without a locked
//! instruction. Nothing here allocates, and the thread-local is constant, so that it may be touched inside the allocator.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::limit;

/// Rows of the table: more than a program has threads, also a test program that gives each test one. What is not used
/// takes no memory. Threads beyond share row 0, where additions are locked: totals stay exact, the bound is given up.
const ROWS: usize = 4096;
const SHARED: usize = 0;

#[repr(align(64))]
struct Process {
    live: AtomicI64,
    peak: AtomicI64,
}

static PROCESS: Process = Process { live: AtomicI64::new(0), peak: AtomicI64::new(0) };

/// What one thread did, in a cache line of its own.
#[repr(align(64))]
struct Row {
    total_bytes: AtomicU64,
    total_blocks: AtomicU64,
    grown_bytes: AtomicU64,
    class_bytes: AtomicU64,
    net: AtomicI64,
    net_peak: AtomicI64,
}

static TABLE: [Row; ROWS] = [const {
    Row {
        total_bytes: AtomicU64::new(0),
        total_blocks: AtomicU64::new(0),
        grown_bytes: AtomicU64::new(0),
        class_bytes: AtomicU64::new(0),
        net: AtomicI64::new(0),
        net_peak: AtomicI64::new(0),
    }
}; ROWS];

static NEXT_ROW: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static ROW: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// The row of the calling thread; the first use assigns one.
#[inline]
fn own_row() -> usize {
    ROW.with(|row| match row.get() {
        u32::MAX => assign_row(row),
        known => known as usize,
    })
}

#[cold]
fn assign_row(row: &Cell<u32>) -> usize {
    let next = NEXT_ROW.load(Relaxed);
    let index = if (next as usize) < ROWS { NEXT_ROW.fetch_add(1, Relaxed) } else { next };
    let index = if (index as usize) < ROWS { index } else { SHARED as u32 };
    row.set(index);
    index as usize
}

/// Adds to a cell: without a lock when the calling thread is the only writer.
#[inline]
fn add(cell: &AtomicU64, amount: u64, row: usize) {
    if row == SHARED {
        cell.fetch_add(amount, Relaxed);
    } else {
        cell.store(cell.load(Relaxed).wrapping_add(amount), Relaxed);
    }
}

impl Row {
    fn totals(&self) -> Totals {
        Totals {
            bytes: self.total_bytes.load(Relaxed),
            blocks: self.total_blocks.load(Relaxed),
            grown_bytes: self.grown_bytes.load(Relaxed),
            class_bytes: self.class_bytes.load(Relaxed),
        }
    }

    fn net(&self) -> Net {
        Net { now: self.net.load(Relaxed), peak: self.net_peak.load(Relaxed) }
    }

    #[inline]
    fn shift(&self, amount: i64, row: usize) {
        if row == SHARED {
            self.net.fetch_add(amount, Relaxed);
            return;
        }
        let net = self.net.load(Relaxed) + amount;
        self.net.store(net, Relaxed);
        if net > self.net_peak.load(Relaxed) {
            self.net_peak.store(net, Relaxed);
        }
    }
}

/// Announces that `bytes` more will be live, before they are asked for. Does not return when that breaks the heap limit.
/// Returns the bytes live with them.
#[inline]
pub(crate) fn request(bytes: usize) -> i64 {
    let live = PROCESS.live.fetch_add(bytes as i64, Relaxed) + bytes as i64;
    if live > limit::live_bytes_max() {
        limit::refuse(live - bytes as i64, bytes);
    }
    live
}

/// Takes back a [`request`] that the allocator underneath refused.
#[cold]
pub(crate) fn withdraw(bytes: usize) {
    PROCESS.live.fetch_sub(bytes as i64, Relaxed);
}

/// Books an allocation that succeeded after [`request`], which returned `live`.
#[inline]
pub(crate) fn allocated(bytes: usize, live: i64, class_bytes: usize) {
    raise_peak(live);
    let row = own_row();
    let own = &TABLE[row];
    add(&own.total_bytes, bytes as u64, row);
    add(&own.total_blocks, 1, row);
    add(&own.grown_bytes, bytes as u64, row);
    if class_bytes > 0 {
        add(&own.class_bytes, class_bytes as u64, row);
    }
    own.shift(bytes as i64, row);
}

/// Books a block that was freed.
#[inline]
pub(crate) fn freed(bytes: usize) {
    PROCESS.live.fetch_sub(bytes as i64, Relaxed);
    let row = own_row();
    TABLE[row].shift(-(bytes as i64), row);
}

/// Books a reallocation: one more block of the new size in the totals (as dhat has it), and the difference in what is live.
/// A growth was announced by [`request`], which returned `live`.
#[inline]
pub(crate) fn reallocated(old: usize, new: usize, live: i64, class_bytes: usize) {
    let row = own_row();
    let own = &TABLE[row];
    if new > old {
        raise_peak(live);
        add(&own.grown_bytes, (new - old) as u64, row);
    } else {
        PROCESS.live.fetch_sub((old - new) as i64, Relaxed);
    }
    add(&own.total_bytes, new as u64, row);
    add(&own.total_blocks, 1, row);
    if class_bytes > 0 {
        add(&own.class_bytes, class_bytes as u64, row);
    }
    own.shift(new as i64 - old as i64, row);
}

#[inline]
fn raise_peak(live: i64) {
    // The load first, because most allocations set no new peak and a locked maximum costs as much as all the rest.
    if live > PROCESS.peak.load(Relaxed) {
        PROCESS.peak.fetch_max(live, Relaxed);
    }
}

/// Bytes live now.
pub(crate) fn live() -> i64 {
    PROCESS.live.load(Relaxed)
}

/// Most bytes live at once since the last [`restart_peak`].
pub(crate) fn peak() -> i64 {
    PROCESS.peak.load(Relaxed)
}

/// Begins a new peak at what is live now; returns the old peak.
pub(crate) fn restart_peak() -> i64 {
    let old = PROCESS.peak.swap(live(), Relaxed);
    // Another thread may have moved between the load and the swap: what is live after it belongs to the new peak too.
    PROCESS.peak.fetch_max(live(), Relaxed);
    old
}

/// Brings back an older peak when it was higher, after a measurement inside another.
pub(crate) fn restore_peak(old: i64) {
    PROCESS.peak.fetch_max(old, Relaxed);
}

/// Totals of all threads since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
    pub(crate) grown_bytes: u64,
    pub(crate) class_bytes: u64,
}

impl Totals {
    pub(crate) fn since(self, earlier: Totals) -> Totals {
        Totals {
            bytes: self.bytes - earlier.bytes,
            blocks: self.blocks - earlier.blocks,
            grown_bytes: self.grown_bytes - earlier.grown_bytes,
            class_bytes: self.class_bytes - earlier.class_bytes,
        }
    }

    pub(crate) fn plus(self, other: Totals) -> Totals {
        Totals {
            bytes: self.bytes + other.bytes,
            blocks: self.blocks + other.blocks,
            grown_bytes: self.grown_bytes + other.grown_bytes,
            class_bytes: self.class_bytes + other.class_bytes,
        }
    }
}

pub(crate) fn totals() -> Totals {
    let mut sum = Totals::default();
    for row in &TABLE[..rows_used()] {
        sum = sum.plus(row.totals());
    }
    sum
}

/// Totals of the calling thread since it began; of all crowded threads together in one without a row of its own.
pub(crate) fn own_totals() -> Totals {
    TABLE[own_row()].totals()
}

/// Threads that have allocated so far: the next new one has this number ([`own_thread`]).
pub(crate) fn threads_known() -> usize {
    rows_used()
}

fn rows_used() -> usize {
    (NEXT_ROW.load(Relaxed) as usize).min(ROWS)
}

/// Net bytes (allocated less freed by the same thread), and their peak, since the last reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Net {
    pub(crate) now: i64,
    pub(crate) peak: i64,
}

/// Begins the net bytes of every thread anew. To be called while no other thread allocates.
pub(crate) fn reset_nets() {
    for row in &TABLE[..rows_used()] {
        row.net.store(0, Relaxed);
        row.net_peak.store(0, Relaxed);
    }
}

/// Replaces the net bytes of the calling thread; returns what they were. None in a thread without a row of its own.
pub(crate) fn swap_own_net(new: Net) -> Option<Net> {
    let row = own_row();
    if row == SHARED {
        return None;
    }
    let own = &TABLE[row];
    let old = own.net();
    own.net.store(new.now, Relaxed);
    own.net_peak.store(new.peak, Relaxed);
    Some(old)
}

/// Net bytes of the calling thread; of all crowded threads together in one without a row of its own.
pub(crate) fn own_net() -> Net {
    TABLE[own_row()].net()
}

/// The calling thread's row, as a name for it.
pub(crate) fn own_thread() -> usize {
    own_row()
}

/// Net bytes of every thread with a row of its own, by the number of the row; None when some threads have none.
pub(crate) fn nets() -> Option<impl Iterator<Item = (usize, Net)>> {
    let crowded = TABLE[SHARED].total_blocks.load(Relaxed) > 0;
    let rows = TABLE[..rows_used()].iter().enumerate().skip(1);
    (!crowded).then(|| rows.map(|(index, row)| (index, row.net())))
}
