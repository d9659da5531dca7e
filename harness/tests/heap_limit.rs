//! The heap limit: wherever the last request comes from, the process says so and dies, and its parent knows why.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::ExitCode;

use harness::instrument::Instrument;
use harness::meter::Meter;
use harness::subject::{End, Sample};
use subjects::{bench, measured, metric, named};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

const MIB: u64 = 1 << 20;

fn main() -> ExitCode {
    let works = named![reads_a_file, parses_json, allocates_in_threads, grows, overflows];
    let checks = named![
        reading_a_file_dies_at_the_limit,
        parsing_dies_at_the_limit,
        a_thread_dies_at_the_limit_with_one_whole_record,
        a_process_survives_on_exactly_its_own_peak,
        the_limit_holds_under_the_instruments_os_and_jemalloc,
        an_unmet_limit_leaves_no_record,
        an_impossible_request_within_no_limit_is_an_error_of_its_own,
        a_limit_that_cannot_be_enforced_is_refused,
    ];
    subjects::main(works, checks)
}

/// What `fs::read` would otherwise turn into an error that the program lives on with.
fn reads_a_file() {
    std::fs::write("large", vec![b'x'; 8 << 20]).unwrap();
    measured(|_| {
        let read = std::fs::read("large");
        assert!(read.is_err(), "the whole file was read");
    });
}

fn parses_json() {
    let text = format!("[{}0]", "\"a string to be kept\",".repeat(100_000));
    measured(|_| drop(black_box(serde_json::from_str::<serde_json::Value>(&text))));
}

fn allocates_in_threads() {
    measured(|_| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| drop(black_box(vec![1_u8; 4 << 20])));
            }
        });
    });
}

fn grows() {
    measured(|meter| {
        let mut list = Vec::new();
        meter.phase("grow");
        (0..100_000_u64).for_each(|n| list.push(black_box(n)));
        meter.phase("shrink");
        list.shrink_to_fit();
        drop(black_box(list));
    });
}

fn overflows() {
    let meter = Meter::start("parent").unwrap();
    let mut list: Vec<u8> = Vec::new();
    assert!(list.try_reserve(usize::MAX / 4).is_err());
    meter.finish().unwrap();
}

fn limited(work: &str, bytes: u64) -> Sample {
    bench(work, Instrument::Count).limit(bytes).run()
}

fn assert_died(sample: &Sample, limit: u64) {
    assert_died_among_threads(sample, limit);
    assert!(sample.heap_limits[0].live_bytes <= limit, "{:?}", sample.heap_limits[0]);
}

/// Of several threads that reach the limit at one time, each has counted its own request before it looks.
fn assert_died_among_threads(sample: &Sample, limit: u64) {
    let End::HeapLimit(record) = &sample.status else {
        panic!("{}: {}", sample.status, sample.stderr.text())
    };
    assert_eq!((record.role.as_str(), record.limit_bytes), ("parent", limit));
    assert!(record.live_bytes + record.requested_bytes > limit, "{record:?}");
    assert_eq!(sample.heap_limits.len(), 1);
    assert!(sample.processes[0].end.as_ref().unwrap().contains("heap limit"), "{:?}", sample.processes[0]);
}

fn reading_a_file_dies_at_the_limit() {
    assert_died(&limited("reads_a_file", MIB), MIB);
}

fn parsing_dies_at_the_limit() {
    assert_died(&limited("parses_json", MIB), MIB);
}

fn a_thread_dies_at_the_limit_with_one_whole_record() {
    for _ in 0..5 {
        assert_died_among_threads(&limited("allocates_in_threads", MIB), MIB);
    }
}

fn a_process_survives_on_exactly_its_own_peak() {
    let peak = metric(&bench("grows", Instrument::Count).record(), "heap.peak_bytes") as u64;
    assert!(limited("grows", peak).status.is_success());
    assert_died(&limited("grows", peak - 1), peak - 1);
}

fn the_limit_holds_under_the_instruments_os_and_jemalloc() {
    assert_died(&bench("grows", Instrument::Os).limit(1000).run(), 1000);
    assert_died(&bench("grows", Instrument::Jemalloc).limit(1000).run(), 1000);
}

fn an_unmet_limit_leaves_no_record() {
    let bench = bench("grows", Instrument::Count).limit(64 * MIB);
    assert!(bench.run().status.is_success());
    assert_eq!(harness::limit::read(&bench.subject.record_dir, "parent"), None);
    assert!(!bench.subject.record_dir.join("parent.limit").exists());
}

fn an_impossible_request_within_no_limit_is_an_error_of_its_own() {
    let record = bench("overflows", Instrument::Count).record();
    assert_eq!(metric(&record, "heap.peak_bytes"), 0.0);
    assert_eq!(metric(&record, "heap.total_blocks"), 0.0);
}

fn a_limit_that_cannot_be_enforced_is_refused() {
    let sample = bench("grows", Instrument::Dhat).limit(MIB).run();
    assert_eq!(sample.status, End::Exit(101));
    assert!(sample.stderr.text().contains("Unavailable"), "{}", sample.stderr.text());
}
