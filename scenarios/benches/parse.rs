//! Time of the engine's two readers on each format, beside a plain parse of the same files that are already in memory.

mod by_format;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::formats::Hold;
use engine::formats::source::Reader;

fn parse(criterion: &mut Criterion) {
    let bench = by_format::Bench::new();
    for (name, layout) in by_format::FORMATS {
        let format = bench.format(layout);
        let mut group = criterion.benchmark_group(format!("parse/{name}"));
        let bytes = format.files.iter().map(|(content, _)| content.len() as u64).sum();
        group.sample_size(10).throughput(Throughput::Bytes(bytes));
        group.bench_function("streaming", |bencher| {
            bencher.iter(|| format.engine(Reader::streaming(), Hold::STRIPPED));
        });
        group.bench_function("whole", |bencher| {
            bencher.iter(|| format.engine(Reader::whole(), Hold::REPORTED))
        });
        group.bench_function("plain-value", |bencher| bencher.iter(|| format.plain()));
        group.finish();
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);
