//! Peak heap of the engine's two readers on each format, beside a plain parse: memory plotted by criterion.

mod by_format;
#[path = "../../harness/benches/heap_measurement/mod.rs"]
mod heap_measurement;

use criterion::{Criterion, criterion_group, criterion_main};
use engine::formats::Hold;
use engine::formats::source::Reader;
use heap_measurement::{PeakHeap, peak_of};

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

fn parse(criterion: &mut Criterion<PeakHeap>) {
    let bench = by_format::Bench::new();
    for (name, layout) in by_format::FORMATS {
        let format = bench.format(layout);
        let mut group = criterion.benchmark_group(format!("parse-heap/{name}"));
        group.sample_size(10);
        group.bench_function("streaming", |bencher| {
            peak_of(bencher, || format.engine(Reader::streaming(), Hold::STRIPPED));
        });
        group.bench_function("whole", |bencher| {
            peak_of(bencher, || format.engine(Reader::whole(), Hold::REPORTED));
        });
        group.bench_function("plain-value", |bencher| peak_of(bencher, || format.plain()));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(PeakHeap);
    targets = parse
}
criterion_main!(benches);
