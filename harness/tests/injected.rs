//! Planted growth: what `HIGHWATER_INJECT` adds to a process, to the byte, and nothing where it is not meant.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::{Command, ExitCode};

use harness::inject::{Growth, INJECT, Injection, Numbers};
use harness::instrument::Instrument;
use harness::record::Process;
use harness::subject::{End, Sample};
use subjects::{bench, measured, metric, named, phase_metric};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

const MIB: f64 = 1_048_576.0;

fn main() -> ExitCode {
    let works = named![steps, threads, phases_only, starts_steps];
    let mut checks = named![
        what_is_retained_is_counted_to_the_byte,
        what_recurs_ends_after_its_times,
        dhat_counts_what_is_planted_as_the_counts_do,
        stats_alloc_and_jemalloc_see_it_too,
        the_bound_of_one_thread_holds_what_is_planted,
        a_spike_raises_the_peak_and_leaves_nothing,
        a_spike_away_from_the_peak_is_below_it,
        a_copy_lives_until_the_next,
        each_item_retains_its_block,
        other_roles_phases_and_numbers_get_nothing,
        a_phase_has_numbers_of_its_own,
        every_number_is_hit_on_many_threads,
        nothing_changes_nothing,
        a_malformed_injection_is_said,
        only_what_the_caller_gives_is_planted,
        a_process_in_between_passes_it_on,
        a_profile_charges_it_to_its_trigger,
        a_heap_limit_counts_what_is_planted,
    ]
    .to_vec();
    if cfg!(target_os = "linux") {
        checks.extend(named![what_is_planted_is_resident]);
    }
    subjects::main(works, &checks)
}

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

/// Four blocks of ever larger peaks, the last kept; then an item each of three times.
#[inline(never)]
fn steps() {
    let outside = block(3_000_000);
    let mut kept = Vec::new();
    measured(|meter| {
        meter.phase("parse");
        drop(block(1000));
        drop(block(2000));
        meter.phase("consume");
        kept = block(100);
        kept.reserve_exact(5000);
        for _ in 0..3 {
            meter.item();
        }
    });
    drop((kept, outside));
}

const NAMES: [&str; 5] =
    ["heap.total_bytes", "heap.total_blocks", "heap.grown_bytes", "heap.peak_bytes", "heap.retained_bytes"];

fn retain(bytes: u64, at: Numbers) -> Injection {
    Injection::everywhere(Growth::Retain { bytes, at })
}

fn injected(work: &str, instrument: Instrument, injection: &Injection) -> Process {
    bench(work, instrument).env(INJECT, &injection.to_text()).record()
}

/// What an injection adds to each figure of the counts, and the blocks that were planted.
fn added(injection: &Injection) -> ([f64; 5], f64) {
    let plain = bench("steps", Instrument::Count).record();
    let grown = injected("steps", Instrument::Count, injection);
    assert_eq!(NAMES.map(|name| metric(&plain, name)), [8100.0, 4.0, 8000.0, 5000.0, 5000.0]);
    (NAMES.map(|name| metric(&grown, name) - metric(&plain, name)), metric(&grown, "injected.blocks"))
}

fn what_is_retained_is_counted_to_the_byte() {
    assert_eq!(added(&retain(64, Numbers::once(1))), ([64.0, 1.0, 64.0, 64.0, 64.0], 1.0));
    // The last allocation is at the peak, and what comes after it too.
    assert_eq!(added(&retain(64, Numbers::once(4))), ([64.0, 1.0, 64.0, 64.0, 64.0], 1.0));
    let always = Numbers { first: 1, every: 1, times: 0 };
    assert_eq!(added(&retain(64, always)), ([256.0, 4.0, 256.0, 256.0, 256.0], 4.0));
}

fn what_recurs_ends_after_its_times() {
    let at = Numbers { first: 1, every: 2, times: 0 };
    assert_eq!(added(&retain(10, at)), ([20.0, 2.0, 20.0, 20.0, 20.0], 2.0));
    let at = Numbers { first: 2, every: 1, times: 2 };
    assert_eq!(added(&retain(10, at)), ([20.0, 2.0, 20.0, 20.0, 20.0], 2.0));
}

fn dhat_counts_what_is_planted_as_the_counts_do() {
    let always = Numbers { first: 1, every: 1, times: 0 };
    for growth in [
        Growth::Retain { bytes: 64, at: always },
        Growth::Spike { bytes: 10_000, at: Numbers::once(4) },
        Growth::Copy { min_bytes: 1500 },
        Growth::Each { bytes: 64 },
        Growth::Nothing,
    ] {
        let injection = Injection::everywhere(growth);
        let counted = injected("steps", Instrument::Count, &injection);
        let profiled = injected("steps", Instrument::Dhat, &injection);
        for figure in ["total_bytes", "total_blocks", "peak_bytes", "retained_bytes"] {
            let pair =
                (metric(&counted, &format!("heap.{figure}")), metric(&profiled, &format!("dhat.{figure}")));
            assert_eq!(pair.0, pair.1, "{figure} under {injection}");
        }
        assert_eq!(metric(&counted, "injected.bytes"), metric(&profiled, "injected.bytes"));
    }
}

fn stats_alloc_and_jemalloc_see_it_too() {
    let injection = retain(100_000, Numbers::once(2));
    let grown = injected("steps", Instrument::StatsAlloc, &injection);
    assert_eq!(metric(&grown, "stats_alloc.retained_bytes"), 105_000.0);
    if cfg!(not(target_env = "msvc")) {
        let grown = injected("steps", Instrument::JemallocCount, &injection);
        assert_eq!(metric(&grown, "heap.retained_bytes"), 105_000.0);
        assert_eq!(
            metric(&grown, "jemalloc.requested_class_bytes"),
            metric(&grown, "jemalloc.thread_allocated_bytes")
        );
    }
}

fn the_bound_of_one_thread_holds_what_is_planted() {
    let grown = injected("steps", Instrument::Count, &retain(64, Numbers::once(2)));
    assert_eq!(metric(&grown, "heap.peak_bound_bytes"), 5064.0);
}

fn spike(number: u64) -> Injection {
    Injection::everywhere(Growth::Spike { bytes: 1000, at: Numbers::once(number) })
}

fn a_spike_raises_the_peak_and_leaves_nothing() {
    assert_eq!(added(&spike(4)), ([1000.0, 1.0, 1000.0, 1000.0, 0.0], 1.0));
}

fn a_spike_away_from_the_peak_is_below_it() {
    assert_eq!(added(&spike(1)), ([1000.0, 1.0, 1000.0, 0.0, 0.0], 1.0));
    let grown = injected("steps", Instrument::Count, &spike(2));
    assert_eq!(phase_metric(&grown, "parse", "heap.peak_bytes"), 3000.0);
}

/// The allocations of 2000 and of 5000 bytes have one; the second lives to the end.
fn a_copy_lives_until_the_next() {
    let injection = Injection::everywhere(Growth::Copy { min_bytes: 2000 });
    assert_eq!(added(&injection), ([7000.0, 2.0, 7000.0, 5000.0, 5000.0], 2.0));
    let grown = injected("steps", Instrument::Count, &injection);
    assert_eq!(phase_metric(&grown, "parse", "heap.peak_bytes"), 4000.0);
    assert_eq!(phase_metric(&grown, "parse", "heap.retained_bytes"), 2000.0);
}

fn each_item_retains_its_block() {
    let injection = Injection::everywhere(Growth::Each { bytes: 64 });
    assert_eq!(added(&injection), ([192.0, 3.0, 192.0, 192.0, 192.0], 3.0));
    let outside = Injection { phase: Some("parse".into()), ..injection };
    assert_eq!(added(&outside), ([0.0; 5], 0.0));
}

fn other_roles_phases_and_numbers_get_nothing() {
    let nothing = ([0.0; 5], 0.0);
    let all = retain(64, Numbers { first: 1, every: 1, times: 0 });
    assert_eq!(added(&Injection { role: Some("worker-*".into()), ..all.clone() }), nothing);
    assert_eq!(added(&Injection { phase: Some("report".into()), ..all.clone() }), nothing);
    // The region has four; what comes before and after is none of it.
    assert_eq!(added(&retain(64, Numbers::once(5))), nothing);
    assert_eq!(added(&Injection { role: Some("par*".into()), ..all }).1, 4.0);
}

fn a_phase_has_numbers_of_its_own() {
    let injection = Injection { phase: Some("consume".into()), ..retain(64, Numbers::once(1)) };
    assert_eq!(added(&injection).1, 1.0);
    let grown = injected("steps", Instrument::Count, &injection);
    assert_eq!(phase_metric(&grown, "consume", "heap.retained_bytes"), 5064.0);
    assert_eq!(phase_metric(&grown, "parse", "heap.retained_bytes"), 0.0);
}

fn threads() {
    measured(|_| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| drop(block(100))));
            }
        });
    });
}

fn every_number_is_hit_on_many_threads() {
    let plain = bench("threads", Instrument::Count).record();
    let at = Numbers { first: 1, every: 10, times: 300 };
    let grown = injected("threads", Instrument::Count, &retain(64, at));
    assert_eq!(metric(&grown, "injected.bytes"), 300.0 * 64.0);
    let more = |name| metric(&grown, name) - metric(&plain, name);
    assert_eq!((more("heap.total_blocks"), more("heap.total_bytes")), (300.0, 300.0 * 64.0));
    // A thread frees the last of itself after it was waited for, or before.
    assert!((more("heap.retained_bytes") - 300.0 * 64.0).abs() < 4096.0);
}

fn nothing_changes_nothing() {
    assert_eq!(added(&Injection::everywhere(Growth::Nothing)), ([0.0; 5], 0.0));
}

fn a_malformed_injection_is_said() {
    let sample = bench("steps", Instrument::Count).env(INJECT, "retain:bytes=much").run();
    assert_eq!(sample.status, End::Exit(101));
    let said = sample.stderr.text();
    assert!(said.contains("BadInjection") && said.contains("bytes=much is no number"), "{said}");
    let process = only(bench("phases_only", Instrument::Count).env(INJECT, "retain:bytes=much").run());
    let end = process.end.unwrap();
    assert!(end.contains("in HIGHWATER_INJECT") && end.contains("expected retain:bytes=B"), "{end}");
}

fn only(sample: Sample) -> Process {
    assert_eq!(sample.processes.len(), 1, "{sample:?}");
    sample.processes.into_iter().next().unwrap()
}

/// A program without a meter, whose role is its own name.
fn phases_only() {
    harness::phase("parse");
    drop(block(1000));
}

/// The check runs itself again with the variable in its own environment, as a user may have it.
fn only_what_the_caller_gives_is_planted() {
    let text = retain(64, Numbers::once(1)).to_text();
    if std::env::var_os(INJECT).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let check = "only_what_the_caller_gives_is_planted";
        assert!(again.arg(check).env(INJECT, &text).output().unwrap().status.success());
        return;
    }
    let plain = bench("steps", Instrument::Count).record();
    assert_eq!(metric(&plain, "heap.retained_bytes"), 5000.0);
    assert!(!plain.metrics.contains_key("injected.blocks"));
    let given = bench("steps", Instrument::Count).env(INJECT, &text).record();
    assert_eq!(metric(&given, "heap.retained_bytes"), 5064.0);
}

fn starts_steps() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    assert!(command.env("SUBJECT_WORK", "steps").status().unwrap().success());
}

fn a_process_in_between_passes_it_on() {
    let text = retain(64, Numbers::once(1)).to_text();
    let process = only(bench("starts_steps", Instrument::Count).env(INJECT, &text).run());
    assert_eq!(metric(&process, "heap.retained_bytes"), 5064.0);
}

fn a_profile_charges_it_to_its_trigger() {
    let injection = retain(7777, Numbers::once(1));
    let bench = bench("steps", Instrument::Dhat).env(INJECT, &injection.to_text());
    bench.record();
    let text = std::fs::read_to_string(bench.subject.record_dir.join("parent.dhat.json")).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    let frames = profile["ftbl"].as_array().unwrap();
    let sites = profile["pps"].as_array().unwrap();
    let planted: Vec<_> = sites.iter().filter(|site| site["tb"] == 7777).collect();
    assert_eq!(planted.len(), 1, "{text}");
    let stack: Vec<&str> = planted[0]["fs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frames[frame.as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    assert!(stack.iter().any(|frame| frame.contains("injected::steps")), "{stack:#?}");
}

fn a_heap_limit_counts_what_is_planted() {
    let limited = |injection: &Injection| {
        bench("steps", Instrument::Count).limit(5000).env(INJECT, &injection.to_text()).run().status
    };
    assert!(limited(&Injection::everywhere(Growth::Nothing)).is_success());
    let End::HeapLimit(record) = limited(&retain(64, Numbers::once(1))) else {
        panic!("the limit is passed")
    };
    assert_eq!(record.limit_bytes, 5000);
}

/// Untouched memory would not be.
fn what_is_planted_is_resident() {
    let peak = |growth| {
        let injection = Injection::everywhere(growth);
        metric(&injected("steps", Instrument::Os, &injection), "rss.peak_bytes")
    };
    let (bytes, at) = (16 << 20, Numbers::once(3));
    let plain = peak(Growth::Nothing);
    for growth in [Growth::Retain { bytes, at }, Growth::Spike { bytes, at }] {
        let more = peak(growth) - plain;
        assert!((more - 16.0 * MIB).abs() < MIB, "{growth:?}: {more}");
    }
}
