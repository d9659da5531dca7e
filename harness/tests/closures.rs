//! The heap of closures, counted in the process that runs them.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::ExitCode;

use harness::heap::{Measured, Region, measure, now};
use subjects::named;

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

fn main() -> ExitCode {
    let checks = named![
        a_closure_is_counted_to_the_byte,
        what_the_closure_captures_is_not_freed_inside,
        freeing_older_blocks_retains_less_than_nothing,
        a_region_inside_another_leaves_its_peak_alone,
        snapshots_only_grow_in_their_totals,
    ];
    subjects::main(&[], checks)
}

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

fn a_closure_is_counted_to_the_byte() {
    let measured = measure(|| {
        drop(block(1000));
        block(10)
    });
    let Measured { total_bytes, total_blocks, grown_bytes, peak_bytes, retained_bytes, result } =
        measured.unwrap();
    assert_eq!(
        (total_bytes, total_blocks, grown_bytes, peak_bytes, retained_bytes),
        (1010, 2, 1010, 1000, 10)
    );
    assert_eq!(result.capacity(), 10);
}

fn what_the_closure_captures_is_not_freed_inside() {
    let captured = block(72);
    let measured = measure(move || captured.capacity()).unwrap();
    assert_eq!((measured.retained_bytes, measured.result), (0, 72));
}

fn freeing_older_blocks_retains_less_than_nothing() {
    let mut older = Some(block(500));
    let measured = measure(|| drop(older.take())).unwrap();
    assert_eq!((measured.retained_bytes, measured.peak_bytes, measured.total_bytes), (-500, 0, 0));
}

fn a_region_inside_another_leaves_its_peak_alone() {
    let outer = Region::begin().unwrap();
    drop(block(9000));
    let inner = measure(|| drop(block(100))).unwrap();
    let outer = outer.end();
    assert_eq!((inner.peak_bytes, outer.peak_bytes), (100, 9000));
}

fn snapshots_only_grow_in_their_totals() {
    let before = now();
    let kept = block(64);
    let after = now();
    assert_eq!(after.total_bytes - before.total_bytes, 64);
    assert_eq!(after.live_bytes - before.live_bytes, 64);
    assert!(after.peak_bytes >= after.live_bytes);
    drop(kept);
}
