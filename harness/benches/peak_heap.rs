//! Peak heap of growing a vector, with and without its capacity known: a small use of the heap measurement.

mod heap_measurement;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use heap_measurement::{PeakHeap, peak_of};

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

const NUMBERS: u64 = 100_000;

fn vectors(criterion: &mut Criterion<PeakHeap>) {
    criterion.bench_function("peak heap/grown", |bencher| {
        peak_of(bencher, || (0..NUMBERS).fold(Vec::new(), pushed));
    });
    criterion.bench_function("peak heap/capacity known", |bencher| {
        peak_of(bencher, || (0..NUMBERS).fold(Vec::with_capacity(NUMBERS as usize), pushed));
    });
}

fn pushed(mut numbers: Vec<u64>, number: u64) -> Vec<u64> {
    numbers.push(black_box(number));
    numbers
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(PeakHeap).sample_size(10);
    targets = vectors
}
criterion_main!(benches);
