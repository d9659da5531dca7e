//! Programs that mark phases and nothing else: they leave their records when they end, in whatever way.
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "some endings are those of Unix"))]
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::process::{Command, ExitCode};

use harness::instrument::Instrument;
use harness::record::Process;
use harness::subject::{End, Sample};
use subjects::{bench, metric, named, phase_metric};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> ExitCode {
    let works = named![
        returns,
        exits,
        panics,
        aborts,
        starts_others,
        starts_one_with_a_bad_limit,
        forks,
        marks_too_much,
        has_a_meter,
        ends_among_threads
    ];
    let checks = named![
        a_program_that_returns_leaves_a_record_with_its_phases,
        its_figures_are_exact,
        a_program_that_exits_or_panics_leaves_a_record_too,
        a_program_that_aborts_leaves_none,
        each_process_of_a_program_leaves_a_record_of_its_own,
        a_forked_process_leaves_no_record_of_its_own,
        what_cannot_be_recorded_is_said,
        what_cannot_be_begun_is_said,
        a_program_with_a_meter_of_its_own_is_left_alone,
        threads_that_run_on_do_not_disturb_the_end,
        outside_of_highwater_a_phase_is_nothing,
    ];
    subjects::main(works, checks)
}

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

fn returns() {
    harness::phase("parse");
    let kept = block(1000);
    drop(block(5000));
    harness::phase("consume");
    drop(block(2000));
    drop(kept);
}

fn exits() {
    returns();
    std::process::exit(3);
}

fn panics() {
    returns();
    // Without the message, which would be allocated.
    std::panic::resume_unwind(Box::new(()));
}

fn aborts() {
    returns();
    std::process::abort();
}

/// The variables of the harness are set beyond what a subject is given, so only a process in between can spoil one.
fn starts_one_with_a_bad_limit() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("SUBJECT_WORK", "returns").env("HIGHWATER_HEAP_LIMIT", "much");
    assert!(command.status().unwrap().success());
}

fn starts_others() {
    harness::phase("parse");
    for _ in 0..2 {
        let program = std::env::current_exe().unwrap();
        assert!(Command::new(program).env("SUBJECT_WORK", "returns").status().unwrap().success());
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "fork is what is tried")]
fn forks() {
    returns();
    // SAFETY: there is one thread, and the child does nothing but end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: the pointer is valid for one status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
}

#[cfg(not(unix))]
fn forks() {}

fn marks_too_much() {
    for number in 0..=harness::meter::PHASES_MAX {
        harness::phase(Box::leak(format!("phase-{number}").into_boxed_str()));
    }
}

fn has_a_meter() {
    let meter = harness::meter::Meter::start("parent").unwrap();
    returns();
    meter.finish().unwrap();
}

fn ends_among_threads() {
    harness::phase("parse");
    for _ in 0..3 {
        std::thread::spawn(|| {
            loop {
                drop(block(1000));
                harness::phase("other");
            }
        });
    }
}

fn sample(work: &str) -> Sample {
    bench(work, Instrument::Count).run()
}

fn only(sample: &Sample) -> &Process {
    assert_eq!(sample.processes.len(), 1, "{sample:?}");
    &sample.processes[0]
}

fn assert_recorded(process: &Process) {
    assert_eq!(metric(process, "heap.peak_bytes"), 6000.0);
    assert_eq!(phase_metric(process, "parse", "heap.retained_bytes"), 1000.0);
    assert_eq!(phase_metric(process, "parse", "heap.peak_bytes"), 6000.0);
    assert_eq!(phase_metric(process, "consume", "heap.peak_bytes"), 3000.0);
    assert_eq!(process.end, None);
}

fn a_program_that_returns_leaves_a_record_with_its_phases() {
    let sample = sample("returns");
    assert!(sample.status.is_success(), "{}", sample.status);
    let process = only(&sample);
    assert_recorded(process);
    assert_eq!(metric(process, "heap.total_blocks"), 3.0);
    let name = std::env::current_exe().unwrap().file_stem().unwrap().to_string_lossy().into_owned();
    assert_eq!(process.role, name.chars().take(40).collect::<String>());
}

fn its_figures_are_exact() {
    let runs = [(); 3].map(|()| only(&sample("returns")).metrics.clone());
    assert_eq!((&runs[0], &runs[1]), (&runs[1], &runs[2]));
}

fn a_program_that_exits_or_panics_leaves_a_record_too() {
    for (work, status) in [("exits", End::Exit(3)), ("panics", End::Exit(101))] {
        let sample = sample(work);
        assert_eq!(sample.status, status);
        assert_recorded(only(&sample));
    }
}

fn a_program_that_aborts_leaves_none() {
    let sample = sample("aborts");
    assert!(!sample.status.is_success() && sample.processes.is_empty(), "{sample:?}");
}

fn each_process_of_a_program_leaves_a_record_of_its_own() {
    let sample = sample("starts_others");
    let roles: Vec<&str> = sample.processes.iter().map(|process| process.role.as_str()).collect();
    let [first, second, third] = roles[..] else { panic!("{roles:?}") };
    assert!(second == format!("{first}-2") && third == format!("{first}-3"), "{roles:?}");
    sample.processes[1..].iter().for_each(assert_recorded);
}

fn a_forked_process_leaves_no_record_of_its_own() {
    let sample = sample("forks");
    assert!(sample.status.is_success(), "{}", sample.status);
    let recorded = if cfg!(unix) { 1 } else { 0 };
    assert_eq!(sample.processes.len(), recorded);
}

fn what_cannot_be_recorded_is_said() {
    let sample = sample("marks_too_much");
    let process = only(&sample);
    let end = process.end.as_deref().unwrap();
    assert!(end.starts_with("left no figures: more than 64 phases"), "{end}");
    assert!(process.metrics.is_empty());
}

fn what_cannot_be_begun_is_said() {
    let sample = sample("starts_one_with_a_bad_limit");
    assert!(sample.status.is_success(), "{}", sample.status);
    let end = only(&sample).end.clone().unwrap();
    assert!(end.contains("bad heap limit \"much\""), "{end}");
}

fn a_program_with_a_meter_of_its_own_is_left_alone() {
    let sample = sample("has_a_meter");
    assert_eq!(only(&sample).role, "parent");
    assert_recorded(only(&sample));
}

fn threads_that_run_on_do_not_disturb_the_end() {
    for _ in 0..20 {
        let sample = sample("ends_among_threads");
        assert!(sample.status.is_success(), "{}", sample.status);
        assert!(only(&sample).end.is_none());
    }
}

fn outside_of_highwater_a_phase_is_nothing() {
    let program = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.env("SUBJECT_WORK", "returns").env("HIGHWATER_INSTRUMENT", "count").current_dir(folder.path());
    assert!(command.status().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
