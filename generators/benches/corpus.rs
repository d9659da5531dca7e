//! How fast a corpus is made: beside writing a constant buffer, and beside `json!` with `fake`.
//!
//! Throughputs compare; each group's time is of one thread. `to disk` includes creating directories, files and the manifest. At the
//! end the ratios that the design promises are printed: the generator's throughput to disk as a share of a constant buffer's (at
//! least 40 %), and as a multiple of the naive generator's (at least 10). They are of one run: the three take turns.

#![expect(clippy::print_stdout, reason = "the ratios are the result")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fake::Fake as _;
use fake::faker::lorem::en::{Paragraph, Sentence};
use highwater_generators::{Manifest, Profile, Spec, foresee, generate};
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
                generate(dir.path(), &SPEC, None, 1, &AtomicBool::new(false), &|_| ())
                    .expect("the disk has room");
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("a constant buffer to disk, in the same files", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a temporary directory"),
            |dir| {
                write_same_files(dir.path(), &manifest);
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

fn write_same_files(dir: &Path, manifest: &Manifest) -> u64 {
    for file in &manifest.files {
        let path = dir.join(&file.path);
        let folder = path.parent().expect("it is below the directory");
        fs::create_dir_all(folder).expect("a new directory");
        write_constant(&path, file.bytes);
    }
    manifest.bytes
}

fn write_constant(path: &Path, bytes: u64) {
    static BUFFER: [u8; 1 << 20] = [b'x'; 1 << 20];
    let mut file = File::create(path).expect("a new file");
    let mut left = bytes as usize;
    while left > 0 {
        let count = left.min(BUFFER.len());
        file.write_all(&BUFFER[..count]).expect("the disk has room");
        left -= count;
    }
}

/// Requests of the naive generator's session.
const REQUESTS: usize = 200;

/// What one would write first: a value per request, text by `fake`, `serde_json` to the file. Tells the bytes.
fn write_naive(path: &Path) -> u64 {
    let random = &mut ChaCha8Rng::seed_from_u64(1);
    let requests: Vec<_> = (0..REQUESTS).map(|_| request(random)).collect();
    let session = json!({ "version": 3, "sessionId": "s", "creationDate": 1_760_000_000_000_u64, "requests": requests });
    let text = serde_json::to_vec(&session).expect("a value is always JSON");
    fs::write(path, &text).expect("the disk has room");
    text.len() as u64
}

fn naive(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("session.json");
    let mut group = criterion.benchmark_group("corpus");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(write_naive(&path)));
    group.bench_function("json! and fake, to disk", |bencher| bencher.iter(|| write_naive(&path)));
    group.finish();
}

/// Rounds in which the three take turns.
const ROUNDS: usize = 7;

/// Prints the ratios of the medians.
fn ratios(_: &mut Criterion) {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let manifest = foresee(&SPEC, 1).expect("the spec is valid");
    let mut speeds = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let writers: [&dyn Fn(&Path) -> u64; 4] = [
            &|dir| {
                generate(dir, &SPEC, None, 1, &AtomicBool::new(false), &|_| ())
                    .expect("the disk has room")
                    .bytes
            },
            &|dir| write_same_files(dir, &manifest),
            &|dir| {
                write_constant(&dir.join("one"), manifest.bytes);
                manifest.bytes
            },
            &|dir| write_naive(&dir.join("session.json")),
        ];
        for (writer, speeds) in writers.iter().zip(&mut speeds) {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let start = Instant::now();
            let bytes = writer(dir.path());
            speeds.push(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
    }
    let [corpus, same_files, one_file, naive] = speeds.map(|mut speeds| {
        speeds.sort_by(f64::total_cmp);
        speeds[ROUNDS / 2]
    });
    println!("generator {corpus:.0} MB/s to disk");
    println!(
        "{:.0} % of a constant buffer in the same files ({same_files:.0} MB/s)",
        100.0 * corpus / same_files
    );
    println!("{:.0} % of a constant buffer in one file ({one_file:.0} MB/s)", 100.0 * corpus / one_file);
    println!("{:.1} times json! and fake ({naive:.0} MB/s)", corpus / naive);
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

criterion_group!(benches, speed, naive, ratios);
criterion_main!(benches);
