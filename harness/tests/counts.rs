//! The counts of known allocation patterns: on one thread, on fixed partitions, in a pool.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use harness::bound::{Pool, partition};
use harness::instrument::Instrument;
use harness::meter;
use harness::record::{Process, Tier, Unit};
use subjects::{bench, measured, metric, named, phase_metric};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> ExitCode {
    let works = named![
        nothing,
        known,
        ticks,
        works_at_ticks,
        leaks,
        lasts_a_day,
        lives,
        partitions,
        pool,
        unscoped,
        nested,
        pipeline,
        many
    ];
    let checks = named![
        the_meter_itself_allocates_nothing,
        a_known_pattern_is_counted_to_the_byte,
        a_longer_environment_and_path_change_no_count,
        churn_is_what_is_allocated_from_tick_to_tick,
        what_is_live_at_each_tick_shows_a_leak,
        a_day_of_ticks_fits_and_takes_no_memory,
        ticks_at_work_count_and_conclude_nothing,
        what_is_live_now_is_told_beyond_the_beginning_of_the_region,
        the_bound_of_fixed_partitions_is_equal_in_every_run,
        the_bound_of_a_pool_is_equal_in_every_run_and_on_one_core,
        where_no_honest_bound_can_be_said_there_is_none,
        totals_stay_exact_beyond_the_rows_of_the_table,
    ];
    subjects::main(works, checks)
}

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

fn nothing() {
    measured(|meter| {
        meter.phase("one");
        meter.tick();
        meter.set("events", Unit::Count, Tier::Exact, 3.0);
        meter.phase("two");
        meter.tick();
        meter.phase("one");
    });
}

fn the_meter_itself_allocates_nothing() {
    let record = bench("nothing", Instrument::Count).record();
    for name in ["heap.total_bytes", "heap.total_blocks", "heap.peak_bytes", "heap.retained_bytes"] {
        assert_eq!(metric(&record, name), 0.0, "{name}");
    }
    assert_eq!(metric(&record, "events"), 3.0);
    assert_eq!(metric(&record, "ticks"), 2.0);
}

fn known() {
    let mut kept = Vec::new();
    measured(|meter| {
        meter.phase("one");
        drop(block(1_000_000));
        meter.phase("two");
        kept = block(100);
        kept.reserve_exact(300);
        meter.phase("one");
        drop(block(500));
    });
    drop(kept);
}

fn a_known_pattern_is_counted_to_the_byte() {
    let record = bench("known", Instrument::Count).record();
    let figures = |names: [&str; 5]| names.map(|name| metric(&record, name));
    let names = [
        "heap.total_bytes",
        "heap.total_blocks",
        "heap.grown_bytes",
        "heap.peak_bytes",
        "heap.retained_bytes",
    ];
    assert_eq!(figures(names), [1_000_900.0, 4.0, 1_000_800.0, 1_000_000.0, 300.0]);
    let of = |phase: &str| names.map(|name| phase_metric(&record, phase, name));
    assert_eq!(of("one"), [1_000_500.0, 2.0, 1_000_500.0, 1_000_000.0, 0.0]);
    assert_eq!(of("two"), [400.0, 2.0, 300.0, 300.0, 300.0]);
    assert_eq!(record.phases.iter().map(|phase| phase.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    // One thread is bounded by its peak.
    assert_eq!(metric(&record, "heap.peak_bound_bytes"), 1_000_000.0);
}

fn a_longer_environment_and_path_change_no_count() {
    let plain = bench("known", Instrument::Count).record();
    let other = bench("known", Instrument::Count)
        .env("HOME", &"/h".repeat(100))
        .env("PADDING", &"x".repeat(5000))
        .record();
    assert_eq!((plain.metrics, plain.phases), (other.metrics, other.phases));
}

fn ticks() {
    measured(|meter| {
        drop(block(1 << 20));
        for _ in 0..5 {
            drop(block(4096));
            meter.tick();
        }
        meter.phase("later");
        for _ in 0..3 {
            drop(block(100));
            meter.tick();
        }
    });
}

fn churn_is_what_is_allocated_from_tick_to_tick() {
    let record = bench("ticks", Instrument::Count).record();
    assert_eq!(metric(&record, "heap.churn_bytes_per_tick"), (4.0 * 4096.0 + 3.0 * 100.0) / 7.0);
    assert_eq!(phase_metric(&record, "later", "heap.churn_bytes_per_tick"), 100.0);
}

/// What only churns returns to the same height; what leaks does not.
fn leaks() {
    let before = block(5000);
    let mut kept = Vec::with_capacity(10);
    measured(|meter| {
        meter.seconds_per_tick(60.0);
        for _ in 0..10 {
            drop(block(4096));
            kept.push(block(64));
            meter.tick();
        }
    });
    drop((before, kept));
}

fn what_is_live_at_each_tick_shows_a_leak() {
    let ticks = bench("leaks", Instrument::Count).record().ticks.unwrap();
    assert_eq!((ticks.every, ticks.seconds_per_tick), (1, Some(60.0)));
    assert_eq!(ticks.live_bytes, (1..=10).map(|tick| f64::from(tick * 64)).collect::<Vec<f64>>());
    let churns = bench("ticks", Instrument::Count).record();
    let ticks = churns.ticks.unwrap();
    assert_eq!((ticks.live_bytes, ticks.seconds_per_tick), (vec![0.0; 8], None));
    assert_eq!(bench("known", Instrument::Count).record().ticks, None);
    assert_eq!(bench("ticks", Instrument::Os).record().ticks, None);
}

/// A tick each second, and an entry each hour.
fn lasts_a_day() {
    let mut kept = Vec::with_capacity(24);
    measured(|meter| {
        meter.seconds_per_tick(1.0);
        for second in 0..86_400 {
            if second % 3600 == 0 {
                kept.push(block(100));
            }
            drop(block(1000));
            meter.tick();
        }
    });
    drop(kept);
}

fn a_day_of_ticks_fits_and_takes_no_memory() {
    let record = bench("lasts_a_day", Instrument::Count).record();
    assert_eq!(metric(&record, "ticks"), 86_400.0);
    assert_eq!(metric(&record, "heap.total_blocks"), 86_400.0 + 24.0);
    assert_eq!(metric(&record, "heap.peak_bytes"), 2400.0 + 1000.0);
    let ticks = record.ticks.unwrap();
    assert_eq!((ticks.every, ticks.live_bytes.len()), (128, 675));
    let at_hours = (0..675).map(|place| f64::from(place * 128 / 3600 + 1) * 100.0);
    assert_eq!(ticks.live_bytes, at_hours.collect::<Vec<f64>>());
}

/// Keeps 100 bytes more at each of ten ticks.
fn works_at_ticks() {
    let mut kept = Vec::with_capacity(10);
    measured(|_| {
        meter::tick_at_work();
        for _ in 0..10 {
            kept.push(block(100));
            meter::tick_at_work();
        }
    });
}

fn ticks_at_work_count_and_conclude_nothing() {
    let process = bench("works_at_ticks", Instrument::Count).record();
    assert_eq!(metric(&process, "heap.churn_bytes_per_tick"), 100.0);
    assert_eq!(process.ticks, None);
}

/// Asks what is live before its region, in it with 1000 bytes more, back at its beginning, below its beginning, and after it.
fn lives() {
    let old = block(5000);
    let mut told = [meter::live_bytes(); 5];
    measured(|meter| {
        let new = block(1000);
        told[1] = meter::live_bytes();
        drop(new);
        told[2] = meter::live_bytes();
        drop(old);
        told[3] = meter::live_bytes();
        for (name, live) in [("more", told[1]), ("level", told[2]), ("less", told[3])] {
            if let Some(live) = live {
                meter.set(name, Unit::Bytes, Tier::Exact, live as f64);
            }
        }
    });
    told[4] = meter::live_bytes();
    assert_eq!((told[0], told[4]), (None, None));
}

fn what_is_live_now_is_told_beyond_the_beginning_of_the_region() {
    let counted = bench("lives", Instrument::Count).record();
    assert_eq!(["more", "level", "less"].map(|name| metric(&counted, name)), [1000.0, 0.0, 0.0]);
    // To ask takes no memory.
    assert_eq!(metric(&counted, "heap.total_blocks"), 1.0);
    let uncounted = bench("lives", Instrument::Os).record();
    assert!(["more", "level", "less"].iter().all(|name| !uncounted.metrics.contains_key(*name)));
}

const PARTITIONS: usize = 8;

fn partitions() {
    let extra = std::env::var("EXTRA").map_or(0, |text| text.parse().unwrap());
    measured(|_| {
        thread::scope(|scope| {
            for index in 1..=PARTITIONS {
                scope.spawn(move || {
                    partition(|| {
                        for step in 1..=200 {
                            drop(block(index * 100_000 * step / 200 + extra));
                        }
                    });
                });
            }
        });
    });
}

fn bound(record: &Process) -> Option<f64> {
    record.metrics.get("heap.peak_bound_bytes").map(|reading| reading.value)
}

fn the_bound_of_fixed_partitions_is_equal_in_every_run() {
    let records: Vec<Process> = (0..5).map(|_| bench("partitions", Instrument::Count).record()).collect();
    let bounds: Vec<f64> = records.iter().map(|record| bound(record).unwrap()).collect();
    assert!(bounds.iter().all(|&bound| bound == bounds[0]), "{bounds:?}");
    let partitions: usize = (1..=PARTITIONS).map(|index| index * 100_000).sum();
    // Beyond the partitions only what is granted for starting threads.
    assert_eq!(bounds[0] - partitions as f64, 65_536.0 + 4096.0 * PARTITIONS as f64);
    assert!(records.iter().all(|record| metric(record, "heap.peak_bytes") <= bounds[0]));

    let injected = bound(&bench("partitions", Instrument::Count).env("EXTRA", "65536").record()).unwrap();
    assert_eq!(injected - bounds[0], 65_536.0 * PARTITIONS as f64);
}

const TASKS: usize = 32;
const THREADS: usize = 4;

fn pool() {
    let results: Vec<Mutex<Vec<u8>>> = (0..TASKS).map(|_| Mutex::new(Vec::new())).collect();
    measured(|_| {
        let next = AtomicUsize::new(0);
        let pool = Pool::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Relaxed);
                        let Some(result) = results.get(index) else {
                            return;
                        };
                        *result.lock().unwrap() = pool.task(|| {
                            drop(block((index + 1) * 50_000));
                            block(1000)
                        });
                    }
                });
            }
        });
    });
}

fn the_bound_of_a_pool_is_equal_in_every_run_and_on_one_core() {
    let mut runs: Vec<_> = (0..5).map(|_| bench("pool", Instrument::Count)).collect();
    if std::path::Path::new("/usr/bin/taskset").exists() {
        let mut pinned = bench("pool", Instrument::Count);
        let program = std::mem::replace(&mut pinned.subject.program, "/usr/bin/taskset".into());
        pinned.subject.args.splice(0..0, ["-c".into(), "0".into(), program.into()]);
        runs.push(pinned);
    }
    let bounds: Vec<f64> = runs.iter().map(|run| bound(&run.record()).unwrap()).collect();
    assert!(bounds.iter().all(|&bound| bound == bounds[0]), "{bounds:?}");
    let retained = TASKS * 1000;
    let largest: usize = (TASKS - THREADS + 1..=TASKS).map(|index| index * 50_000 - 1000).sum();
    assert_eq!(bounds[0] - (retained + largest) as f64, 65_536.0 + 4096.0 * THREADS as f64);
}

fn unscoped() {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<u8>>(2);
    measured(|_| {
        thread::scope(|scope| {
            scope.spawn(move || (0..1000).for_each(|_| sender.send(block(100_000)).unwrap()));
            receiver.iter().for_each(drop);
        });
    });
}

fn nested() {
    measured(|_| partition(|| partition(|| drop(block(1000)))));
}

/// Results are freed while tasks still begin, so that their sum is never live at once.
fn pipeline() {
    measured(|_| {
        let pool = Pool::new(1);
        for _ in 0..100 {
            drop(pool.task(|| block(1_000_000)));
        }
    });
}

/// More threads than have a row of their own.
fn many() {
    measured(|_| {
        for _ in 0..4200 {
            thread::spawn(|| drop(block(1000))).join().unwrap();
        }
    });
}

fn where_no_honest_bound_can_be_said_there_is_none() {
    for work in ["unscoped", "nested", "pipeline", "many"] {
        let record = bench(work, Instrument::Count).record();
        assert_eq!(bound(&record), None, "{work}");
        assert!(metric(&record, "heap.peak_bytes") > 0.0);
    }
}

fn totals_stay_exact_beyond_the_rows_of_the_table() {
    let totals = |_| metric(&bench("many", Instrument::Count).record(), "heap.total_bytes");
    let runs: Vec<f64> = (0..3).map(totals).collect();
    assert!(runs[0] >= 4_200_000.0 && runs.iter().all(|&total| total == runs[0]), "{runs:?}");
}
