//! What each mode of the switch costs on pure allocation loops, where nothing else hides it.
//!
//! A process has one mode, so each one is timed in a child of its own. The bench `allocation_plain` is the base.

mod loops;

use std::process::Command;
use std::time::{Duration, Instant};

use criterion::Criterion;
use harness::instrument::{INSTRUMENT, Instrument};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

/// The loop that a child is to time, and how often.
const LOOP: &str = "ALLOCATION_LOOP";
const ITERATIONS: &str = "ALLOCATION_ITERATIONS";

fn main() {
    if let Ok(name) = std::env::var(LOOP) {
        return time(&name);
    }
    let mut criterion = Criterion::default().configure_from_args();
    for name in ["pair", "ring of 1000"] {
        for instrument in Instrument::ALL {
            criterion.bench_function(&format!("{name}/{instrument}"), |bencher| {
                bencher.iter_custom(|iterations| in_child(name, instrument, iterations));
            });
        }
    }
    criterion.final_summary();
}

fn in_child(name: &str, instrument: Instrument, iterations: u64) -> Duration {
    let output = Command::new(std::env::current_exe().expect("a running program has a path"))
        .env(LOOP, name)
        .env(ITERATIONS, iterations.to_string())
        .env(INSTRUMENT, instrument.name())
        .output()
        .expect("the bench can start itself");
    let text = String::from_utf8_lossy(&output.stdout);
    Duration::from_nanos(text.trim().parse().expect("a child prints nanoseconds"))
}

#[expect(clippy::print_stdout, reason = "a child tells its parent by its output")]
fn time(name: &str) {
    let iterations: u64 = std::env::var(ITERATIONS).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    // As in a measured process: dhat records only while its profiler runs.
    let meter = harness::meter::Meter::start("bench").expect("the instrument works here");
    let began = Instant::now();
    match name {
        "pair" => (0..iterations).for_each(|_| loops::pair()),
        _ => (0..iterations).for_each(|_| loops::ring(1000)),
    }
    let elapsed = began.elapsed();
    drop(meter);
    println!("{}", elapsed.as_nanos());
}
