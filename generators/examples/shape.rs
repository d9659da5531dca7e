//! Prints what a corpus is like: `cargo run --release --example shape -- heavy 0.02 1 [directory]`.
//! With a directory the corpus is written there; without one it is only made in memory.

#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use highwater_generators::{Profile, Spec, ensure, foresee};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let profile: Profile = arguments.next().unwrap_or("heavy".to_owned()).parse()?;
    let scale = arguments.next().map_or(Ok(profile.default_scale()), |scale| scale.parse())?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let start = Instant::now();
    let spec = Spec { profile, scale, seed };
    let manifest = match arguments.next() {
        Some(dir) => ensure(Path::new(&dir), &spec, 2, &AtomicBool::new(false), &|_| ())?.manifest,
        None => foresee(&spec, 1)?,
    };
    let seconds = start.elapsed().as_secs_f64();
    let answer = &manifest.answer;
    println!(
        "{} bytes in {} files, {seconds:.2} s, digest {}",
        manifest.bytes,
        manifest.files.len(),
        manifest.digest
    );
    println!(
        "{} sessions with {} requests, the largest {}; {} workspaces, {} edit files, {} skipped lines, answer {}",
        answer.sessions,
        answer.requests,
        answer.largest_session_requests,
        answer.workspaces,
        answer.edit_files,
        answer.skipped_lines,
        answer.digest
    );
    let mut formats: BTreeMap<&str, (u64, u64, u64, u64)> = BTreeMap::new();
    let mut quirks: BTreeMap<&str, u64> = BTreeMap::new();
    for file in &manifest.files {
        let format = file.path.split('/').next().unwrap_or_default();
        let sum = formats.entry(format).or_default();
        *sum = (sum.0 + 1, sum.1 + file.bytes, sum.2 + file.sessions, sum.3 + file.requests);
        for quirk in &file.quirks {
            *quirks.entry(quirk).or_default() += 1;
        }
    }
    for (format, (files, bytes, sessions, requests)) in formats {
        let share = bytes * 100 / manifest.bytes;
        println!(
            "{format:10} {files:6} files {bytes:12} bytes ({share} %) {sessions:6} sessions {requests:7} requests, {} bytes each",
            bytes / requests.max(1)
        );
    }
    println!("quirks {quirks:?}");
    let mut files: Vec<_> = manifest.files.iter().collect();
    files.sort_by_key(|file| u64::MAX - file.bytes);
    for file in files.iter().take(12) {
        println!("{:12} {:6} lines {:5} requests {}", file.bytes, file.lines, file.requests, file.path);
    }
    Ok(())
}
