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
    let works =
        named![idles, zeroes, pushes, peaks_early, recurses, keeps_holes, reads_a_mapping, marks_often];
    let checks: &subjects::Named = if cfg!(target_os = "linux") {
        named![
            a_large_parent_is_not_in_its_childs_reading,
            zeroed_memory_stays_untouched_under_every_instrument,
            growth_happens_in_place_under_the_counts,
            phases_have_resident_peaks_of_their_own,
            an_empty_subject_is_small,
            a_deep_stack_is_told_from_the_heap,
            what_the_allocator_keeps_is_told,
            pages_of_files_are_told,
            a_mark_is_cheap,
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

/// Calls itself with 4 KiB of stack each time.
#[inline(never)]
fn descend(depth: usize) -> usize {
    let page = black_box([depth as u8; 4096]);
    if depth == 0 { 0 } else { descend(depth - 1) + usize::from(page[depth % 4096]) }
}

fn recurses() {
    measured(|meter| {
        meter.phase("deep");
        black_box(descend(1000));
        meter.phase("flat");
    });
}

fn a_deep_stack_is_told_from_the_heap() {
    let stack = |work| metric(&bench(work, Instrument::Os).record(), "rss.stack_bytes");
    let (idle, deep) = (stack("idles"), stack("recurses"));
    assert!(idle > 0.0 && idle < 0.2 * MIB, "{idle}");
    assert!(deep > 4.0e6 && deep < 7.0e6, "{deep}");
    let record = bench("recurses", Instrument::Os).record();
    let held = metric(&record, "allocator.held_bytes");
    assert!(held < 2.0 * MIB, "{held}");
    assert!(phase_metric(&record, "deep", "rss.stack_bytes") > 4.0e6);
}

/// Blocks too small to be mapped one by one; the last is kept, so that the allocator cannot give the others back.
fn keeps_holes() {
    measured(|meter| {
        meter.phase("full");
        let mut blocks: Vec<Vec<u8>> = (0..32_000).map(|_| black_box(vec![1_u8; 1000])).collect();
        meter.phase("empty");
        let last = blocks.pop();
        drop(blocks);
        meter.phase("later");
        drop(last);
    });
}

fn what_the_allocator_keeps_is_told() {
    if cfg!(not(target_env = "gnu")) {
        return;
    }
    let record = bench("keeps_holes", Instrument::Os).record();
    for phase in ["full", "empty"] {
        let held = phase_metric(&record, phase, "allocator.held_bytes");
        assert!(held > 32.0e6 && held < 40.0e6, "{phase}: {held}");
    }
    let later = phase_metric(&record, "later", "allocator.held_bytes");
    assert!(later < 10.0e6, "{later}");
    let mapped = bench("peaks_early", Instrument::Os).record();
    assert!(metric(&mapped, "allocator.held_bytes") < 2.0 * MIB, "freed before the mark");
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std has no mappings of files")]
fn reads_a_mapping() {
    use std::os::fd::AsRawFd as _;
    let bytes = 32 << 20;
    std::fs::write("mapped", vec![1_u8; bytes]).unwrap();
    let file = std::fs::File::open("mapped").unwrap();
    measured(|_| {
        // SAFETY: a new mapping of an open file.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        assert_ne!(start, libc::MAP_FAILED);
        for offset in (0..bytes).step_by(4096) {
            // SAFETY: the offset lies in the mapping, which the file fills.
            black_box(unsafe { start.cast::<u8>().add(offset).read_volatile() });
        }
    });
}

#[cfg(not(target_os = "linux"))]
fn reads_a_mapping() {}

fn pages_of_files_are_told() {
    let file = |work| metric(&bench(work, Instrument::Os).record(), "rss.file_bytes");
    let (idle, mapped) = (file("idles"), file("reads_a_mapping"));
    assert!(idle > 0.0 && idle < 5.0 * MIB, "{idle}");
    assert!((mapped - idle - 32.0 * MIB).abs() < MIB, "{mapped} against {idle}");
}

const MARKS: u32 = 1000;

/// Many marks over a heap of many free blocks.
fn marks_often() {
    let mut blocks: Vec<Vec<u8>> = (0..32_000).map(|_| black_box(vec![1_u8; 1000])).collect();
    blocks.iter_mut().step_by(2).for_each(|block| *block = Vec::new());
    let meter = harness::meter::Meter::start("parent").unwrap();
    let began = std::time::Instant::now();
    for _ in 0..MARKS / 2 {
        meter.phase("one");
        meter.phase("two");
    }
    let each = began.elapsed().as_secs_f64() / f64::from(MARKS);
    meter.set("mark_seconds", harness::record::Unit::Seconds, harness::record::Tier::Noisy, each);
    meter.finish().unwrap();
    drop(blocks);
}

/// Nearly all of it is older: proportional memory, and the reset of the peak, which walk all pages.
fn a_mark_is_cheap() {
    let record = bench("marks_often", Instrument::Os).record();
    let each = metric(&record, "mark_seconds");

    assert!(each < 0.02, "{each}");
}
