//! Resident memory: of the subject alone, per phase, and unchanged by the instrument.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::ExitCode;

use harness::instrument::Instrument;
use subjects::{bench, measured, metric, named, phase_metric};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

const MIB: f64 = 1_048_576.0;

fn main() -> ExitCode {
    let works = named![idles, zeroes, pushes, peaks_early];
    let checks: &subjects::Named = if cfg!(target_os = "linux") {
        named![
            a_large_parent_is_not_in_its_childs_reading,
            zeroed_memory_stays_untouched_under_every_instrument,
            growth_happens_in_place_under_the_counts,
            phases_have_resident_peaks_of_their_own,
            an_empty_subject_is_small,
        ]
    } else {
        named![]
    };
    subjects::main(works, checks)
}

fn idles() {
    measured(|_| {});
}

fn a_large_parent_is_not_in_its_childs_reading() {
    let ballast = black_box(vec![1_u8; 300 << 20]);
    let sample = bench("idles", Instrument::Os).run();
    assert!(sample.status.is_success());
    assert!(metric(&sample.processes[0], "rss.peak_bytes") < 5.0 * MIB, "{:?}", sample.processes[0]);
    let tree = sample.tree.unwrap();
    assert!(tree.high_bytes < 8 << 20, "{tree:?}");

    let mut other = bench("", Instrument::Os);
    other.subject.program = "/bin/true".into();
    let tree = other.run().tree.unwrap();
    assert!(tree.high_bytes < 5 << 20, "{tree:?}");
    drop(ballast);
}

fn zeroes() {
    let meter = harness::meter::Meter::start("parent").unwrap();
    let zeroed = black_box(vec![0_u8; 256 << 20]);
    let peak = harness::os::resident(std::process::id()).unwrap().peak_bytes;
    drop(zeroed);
    meter.set("seen_bytes", harness::record::Unit::Bytes, harness::record::Tier::Noisy, peak as f64);
    meter.finish().unwrap();
}

fn zeroed_memory_stays_untouched_under_every_instrument() {
    for instrument in [Instrument::Os, Instrument::Count, Instrument::Jemalloc, Instrument::JemallocCount] {
        let seen = metric(&bench("zeroes", instrument).record(), "seen_bytes");
        assert!(seen < 16.0 * MIB, "{instrument}: {seen}");
    }
}

fn pushes() {
    let meter = harness::meter::Meter::start("parent").unwrap();
    let mut list = Vec::new();
    (0..100 << 17).for_each(|n: u64| list.push(n));
    drop(black_box(list));
    let peak = harness::os::resident(std::process::id()).unwrap().peak_bytes;
    meter.set("seen_bytes", harness::record::Unit::Bytes, harness::record::Tier::Noisy, peak as f64);
    meter.finish().unwrap();
}

/// With a copy at each growth, 100 MiB would peak at 128 or more.
fn growth_happens_in_place_under_the_counts() {
    for instrument in [Instrument::Os, Instrument::Count] {
        let seen = metric(&bench("pushes", instrument).record(), "seen_bytes");
        assert!(seen > 100.0 * MIB && seen < 115.0 * MIB, "{instrument}: {seen}");
    }
}

fn peaks_early() {
    measured(|meter| {
        meter.phase("large");
        drop(black_box(vec![1_u8; 200 << 20]));
        meter.phase("small");
        drop(black_box(vec![1_u8; 4 << 20]));
    });
}

fn phases_have_resident_peaks_of_their_own() {
    let sample = bench("peaks_early", Instrument::Os).run();
    let record = &sample.processes[0];
    let large = phase_metric(record, "large", "rss.peak_bytes");
    let small = phase_metric(record, "small", "rss.peak_bytes");
    assert!(large > 200.0 * MIB && large < 210.0 * MIB, "{large}");
    assert!(small > 4.0 * MIB && small < 12.0 * MIB, "{small}");
    // What is read after a reset shows the last phase only; the process and the tree keep the largest.
    assert_eq!(metric(record, "rss.peak_bytes"), large);
    assert!(sample.tree.unwrap().high_bytes as f64 >= large);
    assert!(phase_metric(record, "large", "faults.minor") > 50_000.0 || large > 0.0);
    assert!(metric(record, "time.wall_seconds") > 0.0 && metric(record, "pss.peak_bytes") > 0.0);
}

fn an_empty_subject_is_small() {
    let record = bench("idles", Instrument::Os).record();
    assert!(metric(&record, "rss.peak_bytes") < 5.0 * MIB, "{record:?}");
}
