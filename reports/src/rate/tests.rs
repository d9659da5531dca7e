//! Leaks, churn and both, at one tick a second for a day.

use super::*;
use crate::specimen;

const DAY: usize = 86_400;
const HOUR: usize = 3600;

fn ticking(role: &str, live: impl Fn(usize) -> f64, points: usize) -> Process {
    Process {
        role: role.to_owned(),
        instrument: "count".to_owned(),
        ticks: Some(Ticks {
            every: 1,
            seconds_per_tick: Some(1.0),
            live_bytes: (0..points).map(live).collect(),
        }),
        ..Process::default()
    }
}

fn filled(processes: Vec<Process>) -> Run {
    let mut run = specimen::run();
    run.doubts.clear();
    run.cases.truncate(1);
    let case = &mut run.cases[0];
    case.processes = processes;
    let churn = specimen::exact(12_288.0, Unit::Bytes);
    case.metrics.insert("heap.churn_bytes_per_tick".to_owned(), churn);
    fill(&mut run);
    run
}

fn of(live: impl Fn(usize) -> f64) -> Run {
    filled(vec![ticking("parent", live, DAY)])
}

fn per_day(run: &Run) -> Estimate {
    run.cases[0].metrics["rate.live_bytes_per_day"].interval.unwrap()
}

fn is_leak(run: &Run) -> bool {
    run.cases[0].notes.iter().any(|note| note.ends_with("a leak") && !note.starts_with("churn"))
}

/// An entry of 48 bytes every so many ticks.
fn entries(tick: usize, from: usize, every: usize) -> f64 {
    48.0 * ((tick + from) / every) as f64
}

/// A cache that fills and empties, once in so many ticks.
fn cache(tick: usize, period: usize) -> f64 {
    let filled = (tick * 7919) % period;
    let filled = if period > HOUR { tick % period } else { filled };
    1e6 + 100.0 * filled as f64
}

#[test]
fn a_flat_heap_has_the_rate_zero_and_only_churns() {
    let run = of(|_| 4096.0);
    let zero = Estimate { value: 0.0, low: 0.0, high: 0.0 };
    assert_eq!(
        (per_day(&run), run.cases[0].metrics["rate.live_bytes_per_tick"].interval),
        (zero, Some(zero))
    );
    assert_eq!(run.cases[0].notes, ["churn, not a leak: 12 KiB a tick allocated, nothing kept"]);
}

#[test]
fn a_leak_of_one_entry_an_hour_is_found_and_its_rate_is_right() {
    for from in (0..HOUR).step_by(300) {
        let run = of(|tick| 1e6 + entries(tick, from, HOUR));
        let found = per_day(&run);
        assert!(is_leak(&run), "{from}");
        assert!((found.value / (24.0 * 48.0) - 1.0).abs() < 0.2, "{from}: {found:?}");
        assert!(
            found.low > 0.0 && found.low <= 24.0 * 48.0 && 24.0 * 48.0 <= found.high,
            "{from}: {found:?}"
        );
    }
    let run = of(|tick| 1e6 + entries(tick, 0, HOUR));
    assert!(run.cases[0].notes[0].starts_with("live heap grows by 4"), "{:?}", run.cases[0].notes);
    assert!(run.cases[0].notes[0].ends_with(" B an hour at rest: a leak"), "{:?}", run.cases[0].notes);
}

#[test]
fn a_leak_of_one_entry_in_three_hours_is_found() {
    for from in (0..3 * HOUR).step_by(600) {
        let run = of(|tick| entries(tick, from, 3 * HOUR));
        let found = per_day(&run);
        assert!(is_leak(&run), "{from}: {found:?}");
        assert!((found.value / (8.0 * 48.0) - 1.0).abs() < 0.2, "{from}: {found:?}");
    }
}

#[test]
fn a_leak_beneath_a_cache_that_fills_and_empties_is_found() {
    for period in [7, 61, 600, 977, 2 * HOUR] {
        let run = of(|tick| cache(tick, period) + entries(tick, 0, HOUR));
        let found = per_day(&run);
        assert!(is_leak(&run), "{period}: {found:?}");
        assert!((found.value / (24.0 * 48.0) - 1.0).abs() < 0.2, "{period}: {found:?}");
    }
}

/// Also where the cache's period is near a block's, or a few blocks', and where it swings but twice.
#[test]
fn a_cache_that_fills_and_empties_is_no_leak() {
    let long = (DAY / 100..DAY * 2 / 5).step_by(173);
    for period in [2, 7, 60, 600].into_iter().chain(long) {
        let run = of(|tick| cache(tick, period));
        assert!(!is_leak(&run), "{period}: {:?} {:?}", per_day(&run), run.cases[0].notes);
        assert!(per_day(&run).low <= 0.0 && per_day(&run).high >= 0.0, "{period}: {:?}", per_day(&run));
        if period <= DAY / 10 {
            assert_eq!(per_day(&run).value, 0.0, "{period}");
        }
    }
}

#[test]
fn what_grows_only_while_it_warms_up_is_no_leak() {
    let run = of(|tick| 100.0 * tick.min(DAY / 6) as f64);
    assert_eq!(per_day(&run).high, 0.0);
    assert!(!is_leak(&run));
}

#[test]
fn one_step_is_no_leak() {
    let run = of(|tick| if tick < DAY * 3 / 5 { 0.0 } else { 65_536.0 });
    assert!(!is_leak(&run), "{:?}", run.cases[0].notes);
    assert_eq!(per_day(&run).low, 0.0);
}

#[test]
fn ticks_that_were_thinned_have_the_same_rate() {
    let mut process = ticking("parent", |point| entries(point * 32, 0, HOUR), DAY / 32);
    process.ticks.as_mut().unwrap().every = 32;
    let found = per_day(&filled(vec![process]));
    assert!((found.value / (24.0 * 48.0) - 1.0).abs() < 0.2, "{found:?}");
}

#[test]
fn several_processes_add_up_and_the_one_that_leaks_is_named() {
    let leak = |tick: usize| entries(tick, 0, 60);
    let run = filled(vec![ticking("parent", |_| 5e6, DAY), ticking("worker-1", leak, DAY)]);
    assert!((per_day(&run).value / (1440.0 * 48.0) - 1.0).abs() < 0.01, "{:?}", per_day(&run));
    assert_eq!(run.cases[0].notes, ["live heap of worker-1 grows by 2.81 KiB an hour at rest: a leak"]);
}

#[test]
fn without_a_time_for_a_tick_the_rate_is_by_ticks() {
    let mut process = ticking("parent", |tick| entries(tick, 0, 480), DAY);
    process.ticks.as_mut().unwrap().seconds_per_tick = None;
    let run = filled(vec![process]);
    assert!(!run.cases[0].metrics.contains_key("rate.live_bytes_per_day"));
    assert_eq!(run.cases[0].notes, ["live heap grows by 100 B in 1,000 ticks at rest: a leak"]);
}

#[test]
fn too_few_ticks_are_a_doubt_and_no_rate() {
    let run = filled(vec![ticking("parent", |_| 1.0, 8)]);
    assert_eq!(run.doubts, ["no rate of sync/cold:as-reported: it has 8 points at rest, and 9 are needed"]);
    assert!(!run.cases[0].metrics.contains_key("rate.live_bytes_per_tick"));
    assert!(filled(vec![ticking("parent", |_| 1.0, 9)]).doubts.is_empty());
}

#[test]
fn only_the_counting_instrument_is_read_and_twice_is_as_once() {
    let mut other = ticking("parent", |tick| tick as f64, DAY);
    other.instrument = "os".to_owned();
    let mut run = filled(vec![other, ticking("parent", |_| 1.0, DAY)]);
    assert_eq!(per_day(&run).high, 0.0);
    let once = run.clone();
    fill(&mut run);
    assert_eq!(run, once);
}
