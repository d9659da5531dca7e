//! Pure allocation loops under the system's allocator, with nothing of ours in front: the base of the bench `allocation`.

mod loops;

use criterion::{Criterion, criterion_group, criterion_main};

fn plain(criterion: &mut Criterion) {
    criterion.bench_function("pair/none", |bencher| bencher.iter(loops::pair));
    criterion.bench_function("ring of 1000/none", |bencher| bencher.iter(|| loops::ring(1000)));
}

criterion_group!(benches, plain);
criterion_main!(benches);
