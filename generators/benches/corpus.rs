//! How fast a corpus is made: beside writing a constant buffer, and beside `json!` with `fake`.
//!
//! Throughputs compare; each group's time is of one thread. `to disk` includes creating directories, files and the manifest.

use std::fs::{self, File};
use std::io::Write as _;
use std::sync::atomic::AtomicBool;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fake::Fake as _;
use fake::faker::lorem::en::{Paragraph, Sentence};
use highwater_generators::{Profile, Spec, ensure, foresee};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::json;

/// Large enough that the pools' making does not show, small enough to repeat.
const SPEC: Spec = Spec { profile: Profile::Heavy, scale: 0.005, seed: 1 };

fn speed(criterion: &mut Criterion) {
    let manifest = foresee(&SPEC, 1).expect("the spec is valid");
    let mut group = criterion.benchmark_group("corpus");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(manifest.bytes));
    group.bench_function("to memory", |bencher| {
        bencher.iter(|| foresee(&SPEC, 1).expect("the spec is valid"));
    });
    group.bench_function("to disk", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a temporary directory"),
            |dir| {
                ensure(dir.path(), &SPEC, 1, &AtomicBool::new(false), &|_| ()).expect("the disk has room");
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("a constant buffer to disk, in the same files", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a temporary directory"),
            |dir| {
                for file in &manifest.files {
                    let path = dir.path().join(&file.path);
                    let folder = path.parent().expect("it is below the directory");
                    fs::create_dir_all(folder).expect("a new directory");
                    write_constant(&path, file.bytes);
                }
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("a constant buffer to disk, in one file", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a temporary directory"),
            |dir| {
                write_constant(&dir.path().join("one"), manifest.bytes);
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn write_constant(path: &std::path::Path, bytes: u64) {
    static BUFFER: [u8; 1 << 20] = [b'x'; 1 << 20];
    let mut file = File::create(path).expect("a new file");
    let mut left = bytes as usize;
    while left > 0 {
        let count = left.min(BUFFER.len());
        file.write_all(&BUFFER[..count]).expect("the disk has room");
        left -= count;
    }
}

/// What one would write first: a value per request, text by `fake`, `serde_json` to the file.
fn naive(criterion: &mut Criterion) {
    const REQUESTS: usize = 200;
    let session = |random: &mut ChaCha8Rng| {
        let requests: Vec<_> = (0..REQUESTS).map(|_| request(random)).collect();
        json!({ "version": 3, "sessionId": "s", "creationDate": 1_760_000_000_000_u64, "requests": requests })
    };
    let bytes = serde_json::to_vec(&session(&mut ChaCha8Rng::seed_from_u64(1)))
        .expect("a value is always JSON")
        .len();
    let mut group = criterion.benchmark_group("corpus");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("json! and fake, to disk", |bencher| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        bencher.iter(|| {
            let value = session(&mut ChaCha8Rng::seed_from_u64(1));
            let text = serde_json::to_vec(&value).expect("a value is always JSON");
            fs::write(dir.path().join("session.json"), text).expect("the disk has room");
        });
    });
    group.finish();
}

fn request(random: &mut ChaCha8Rng) -> serde_json::Value {
    let sentence: String = Sentence(8..20).fake_with_rng(random);
    let parts: Vec<_> = (0..4)
        .map(|_| {
            let value: String = Paragraph(4..10).fake_with_rng(random);
            json!({ "value": value, "supportThemeIcons": false })
        })
        .collect();
    let results: Vec<String> = (0..3).map(|_| Paragraph(60..90).fake_with_rng(random)).collect();
    json!({
        "requestId": "r", "timestamp": 1_760_000_000_000_u64, "message": { "text": sentence, "parts": [] },
        "response": parts, "result": { "metadata": { "toolCallResults": results } }
    })
}

criterion_group!(benches, speed, naive);
criterion_main!(benches);
