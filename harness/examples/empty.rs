//! The cost of measuring nothing: an empty subject is started, measured and recorded twenty times.
//!
//! `cargo run --release -p highwater-harness --example empty` prints the median time and the memory of the subject.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness::instrument::Instrument;
use harness::meter::Meter;
use harness::subject::{Sample, Subject};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("subject") => be_measured(),
        _ => measure(),
    }
}

/// The subject: it does nothing, and says so in its record.
fn be_measured() -> Result<(), Box<dyn Error>> {
    let meter = Meter::start("parent")?;
    let anonymous = harness::os::resident(std::process::id()).map_or(0, |resident| resident.anonymous_bytes);
    meter.set(
        "anonymous_bytes",
        harness::record::Unit::Bytes,
        harness::record::Tier::Noisy,
        anonymous as f64,
    );
    meter.finish()?;
    Ok(())
}

fn measure() -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let mut samples = Vec::new();
    for _ in 0..20 {
        let scratch = tempfile::tempdir()?;
        samples.push(sample(program.clone(), scratch.path())?);
    }
    samples.sort_by_key(|sample| sample.wall);
    let median = &samples[samples.len() / 2];
    let own =
        |name: &str| median.processes[0].metrics.get(name).map_or(0.0, |reading| reading.value / 1024.0);
    println!(
        "spawn, measure, record: {:.1} ms (median of {})",
        median.wall.as_secs_f64() * 1e3,
        samples.len()
    );
    println!(
        "resident: {:.0} KiB, of which anonymous: {:.0} KiB",
        own("rss.peak_bytes"),
        own("anonymous_bytes")
    );
    Ok(())
}

fn sample(program: PathBuf, scratch: &Path) -> Result<Sample, harness::Error> {
    let subject = Subject {
        program,
        args: vec!["subject".into()],
        env: Vec::new(),
        instrument: Instrument::Os,
        heap_limit_bytes: None,
        cwd: scratch.to_owned(),
        record_dir: scratch.to_owned(),
        timeout: Duration::from_secs(10),
        foreign: None,
    };
    subject.run(&AtomicBool::new(false))
}
