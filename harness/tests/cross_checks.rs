//! The instruments check each other: what one counts, another defines, over the same region in processes of their own.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;

use harness::instrument::Instrument;
use subjects::{bench, measured, metric, named};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> ExitCode {
    let works = named![mixed];
    let checks = named![
        total_blocks_and_peak_equal_those_of_dhat,
        grown_bytes_equal_those_of_stats_alloc,
        size_classes_of_all_requests_equal_what_jemalloc_allocated,
        jemalloc_reads_a_peak_near_the_counted_one,
        dhat_leaves_a_profile_of_the_sites,
    ];
    subjects::main(works, checks)
}

/// Blocks of many sizes and alignments: grown, shrunk, zeroed, freed, and some kept.
fn mixed() {
    let mut kept = Vec::new();
    measured(|meter| {
        meter.phase("parse");
        let text = format!(
            "[{}]",
            (0..500).map(|n| format!(r#"{{"id":{n},"name":"n\u00e9{n}"}}"#)).collect::<Vec<_>>().join(",")
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let map: BTreeMap<String, usize> = (0..300).map(|n| (n.to_string(), n)).collect();
        meter.phase("grow");
        let mut long = Vec::new();
        (0..100_000_u32).for_each(|n| long.push(black_box(n)));
        long.truncate(10);
        long.shrink_to_fit();
        let zeroed = black_box(vec![0_u64; 50_000]);
        let aligned = black_box(Box::new(Aligned([0; 256])));
        kept.push(black_box(vec![1_u8; 777]));
        drop((value, map, long, zeroed, aligned));
    });
    drop(kept);
}

#[repr(align(128))]
struct Aligned(#[expect(dead_code, reason = "only its size and alignment matter")] [u8; 256]);

fn total_blocks_and_peak_equal_those_of_dhat() {
    let counted = bench("mixed", Instrument::Count).record();
    let profiled = bench("mixed", Instrument::Dhat).record();
    for figure in ["total_bytes", "total_blocks", "peak_bytes", "retained_bytes"] {
        let (own, other) =
            (metric(&counted, &format!("heap.{figure}")), metric(&profiled, &format!("dhat.{figure}")));
        assert_eq!(own, other, "{figure}");
    }
    assert!(metric(&counted, "heap.total_blocks") > 1000.0);
}

fn grown_bytes_equal_those_of_stats_alloc() {
    let counted = bench("mixed", Instrument::Count).record();
    let other = bench("mixed", Instrument::StatsAlloc).record();
    assert_eq!(metric(&counted, "heap.grown_bytes"), metric(&other, "stats_alloc.grown_bytes"));
    assert_eq!(metric(&counted, "heap.retained_bytes"), metric(&other, "stats_alloc.retained_bytes"));
}

fn size_classes_of_all_requests_equal_what_jemalloc_allocated() {
    let counted = bench("mixed", Instrument::JemallocCount).record();
    let classes = metric(&counted, "jemalloc.requested_class_bytes");
    assert_eq!(classes, metric(&counted, "jemalloc.thread_allocated_bytes"));
    // The same in a process that does not count.
    let plain = bench("mixed", Instrument::Jemalloc).record();
    assert_eq!(classes, metric(&plain, "jemalloc.thread_allocated_bytes"));
    // The counts do not depend on the allocator underneath.
    let system = bench("mixed", Instrument::Count).record();
    for name in ["heap.total_bytes", "heap.total_blocks", "heap.peak_bytes"] {
        assert_eq!(metric(&counted, name), metric(&system, name), "{name}");
    }
}

fn jemalloc_reads_a_peak_near_the_counted_one() {
    let plain = bench("mixed", Instrument::Jemalloc).record();
    let counted = bench("mixed", Instrument::Count).record();
    let (read, exact) =
        (metric(&plain, "jemalloc.allocated_peak_bytes"), metric(&counted, "heap.peak_bytes"));
    // It sees the whole process, at most a MiB late.
    assert!(read > exact - 1_048_576.0 && read < exact + 4_194_304.0, "{read} against {exact}");
    assert!(metric(&plain, "jemalloc.resident_peak_bytes") >= read);
}

fn dhat_leaves_a_profile_of_the_sites() {
    let bench = bench("mixed", Instrument::Dhat);
    bench.record();
    let profile = std::fs::read_to_string(bench.subject.record_dir.join("parent.dhat.json")).unwrap();
    assert!(profile.contains("\"ftbl\""));
}
