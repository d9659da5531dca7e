//! Laws of sweeps whose truth is known.

use std::collections::BTreeMap;

use harness::record::{Corpus, Tier};

use super::*;
use crate::specimen;

const STEPS: [u64; 5] = [20, 48, 113, 269, 640];

fn swept(case: &str, steps: &[u64], peak: impl Fn(f64) -> f64) -> Case {
    let point = |sessions: &u64| SweepPoint {
        corpus: Corpus { sessions: *sessions, ..Corpus::default() },
        size: None,
        metrics: BTreeMap::from([(HEAP.to_owned(), specimen::exact(peak(*sessions as f64), Unit::Bytes))]),
    };
    Case { case: case.to_owned(), sweep: steps.iter().map(point).collect(), ..Case::default() }
}

fn filled(cases: Vec<Case>) -> Run {
    let mut run = specimen::run();
    run.cases = cases;
    run.doubts.clear();
    fill(&mut run);
    run
}

fn filled_one(peak: impl Fn(f64) -> f64) -> Run {
    filled(vec![swept("sync/law:bounded", &STEPS, peak)])
}

fn interval(run: &Run, name: &str) -> Estimate {
    run.cases[0].metrics[name].interval.unwrap()
}

fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn an_exact_law_is_found_with_its_horizons() {
    let run = filled_one(|sessions| 3e6 + 200.0 * sessions);
    let law = &run.cases[0].laws[0];
    near(law.bytes_per_session.value, 200.0);
    near(law.intercept_bytes.value, 3e6);
    assert!((law.exponent.unwrap().value - 1.0).abs() < 1e-3, "{law:?}");
    for (horizon, bytes) in law.horizons.iter().zip(HORIZONS) {
        assert_eq!(horizon.bytes, bytes);
        for sessions in [horizon.sessions, horizon.low, horizon.high] {
            near(sessions.unwrap(), (bytes - 3e6) / 200.0);
        }
    }
    assert_eq!(law.points.len(), 5);
    let metric = &run.cases[0].metrics["law.bytes_per_session"];
    assert_eq!((metric.tier, metric.samples.as_slice()), (Tier::Noisy, &[metric.median][..]));
    assert_eq!(run.doubts, [""; 0]);
}

#[test]
fn a_flat_case_has_the_exponent_zero_and_never_reaches_anything() {
    let run = filled_one(|_| 4e6);
    assert_eq!(run.cases[0].laws[0].exponent, None);
    assert_eq!(interval(&run, "law.exponent"), Estimate { value: 0.0, low: 0.0, high: 0.0 });
    let found = &run.cases[0].laws[0].horizons[2];
    assert_eq!((found.sessions, found.low, found.high), (None, None, None));
}

/// Of an O(1) case that must stay below 4 MB, a retention of 100 B a session breaks the law at 640 sessions, and the ceiling not
/// before 10,000.
#[test]
fn a_planted_retention_moves_the_law_long_before_a_ceiling() {
    let clean = |sessions: f64| 3e6 + (sessions * 7.0) % 64.0;
    let before = filled_one(clean);
    let after = filled_one(|sessions| clean(sessions) + 100.0 * sessions);
    assert!(interval(&before, "law.bytes_per_session").high < 10.0);
    assert!(interval(&after, "law.bytes_per_session").low > 90.0);
    assert!(after.cases[0].sweep.iter().all(|point| point.metrics[HEAP].median < 4e6));
    assert!(interval(&after, "law.exponent").low > 0.9);
}

#[test]
fn figures_that_scatter_more_than_they_grow_have_no_exponent_and_a_doubt() {
    let scatter = [1.0e6, 1.5e6, 0.9e6, 1.4e6, 1.1e6];
    let run = filled_one(|sessions| scatter[STEPS.iter().position(|step| *step as f64 == sessions).unwrap()]);
    assert!(!run.cases[0].metrics.contains_key("law.exponent"));
    assert_eq!(
        run.doubts,
        ["no exponent of heap.peak_bytes of sync/law:bounded: its figures scatter by more than they grow"]
    );
    let horizon = &run.cases[0].laws[0].horizons[0];
    assert!(horizon.low.unwrap() < 1e7 && horizon.high.is_none(), "{horizon:?}");
}

#[test]
fn a_sweep_that_is_too_small_is_a_doubt_that_says_what_is_missing() {
    let few = filled(vec![swept("a/b:c", &[20, 100, 400, 640], |s| s)]);
    assert_eq!(few.doubts, ["no law of a/b:c: its sweep has 4 different sizes, and at least 5 are needed"]);
    assert!(few.cases[0].laws.is_empty() && few.cases[0].metrics.is_empty());
    let narrow = filled(vec![swept("a/b:c", &[20, 40, 80, 160, 320], |s| s)]);
    let said = "no law of a/b:c: its sweep goes from 20 to 320 sessions, 16.0-fold, and 32-fold is needed";
    assert_eq!(narrow.doubts, [said]);
    let empty = filled(vec![swept("a/b:c", &[0, 40, 80, 160, 320], |s| s)]);
    assert!(empty.doubts[0].contains("without sessions"), "{:?}", empty.doubts);
}

#[test]
fn a_size_without_its_figure_is_a_doubt() {
    let mut case = swept("a/b:c", &STEPS, |s| s);
    case.sweep[2].metrics.clear();
    let run = filled(vec![case]);
    assert_eq!(run.doubts, ["no law of heap.peak_bytes of a/b:c: only 4 of 5 sizes have it"]);
}

#[test]
fn a_phase_has_a_law_where_every_size_has_the_phase() {
    let mut case = swept("a/b:c", &STEPS, |s| 1e6 + 50.0 * s);
    for point in &mut case.sweep {
        let bytes = 9.0 * point.corpus.sessions as f64;
        point.metrics.insert("heap.peak_bytes@send".to_owned(), specimen::exact(bytes, Unit::Bytes));
        point.metrics.insert("rss.peak_bytes".to_owned(), specimen::exact(3e6, Unit::Bytes));
    }
    let once = specimen::exact(1.0, Unit::Bytes);
    case.sweep[0].metrics.insert("heap.peak_bytes@retry".to_owned(), once);
    let run = filled(vec![case]);
    let laws: Vec<&str> = run.cases[0].laws.iter().map(|law| law.metric.as_str()).collect();
    assert_eq!(laws, ["heap.peak_bytes", "rss.peak_bytes", "heap.peak_bytes@send"]);
    near(interval(&run, "law.bytes_per_session@send").value, 9.0);
    let names: Vec<&str> = run.cases[0].metrics.keys().map(String::as_str).collect();
    let expected = [
        "law.bytes_per_session",
        "law.bytes_per_session@send",
        "law.exponent",
        "law.exponent@send",
        "law.intercept_bytes",
    ];
    assert_eq!(names, expected);
}

#[test]
fn two_strategies_cross_where_their_lines_do() {
    let run = filled(vec![
        swept("sync/law:steep", &STEPS, |s| 1e6 + 1000.0 * s),
        swept("sync/law:flat", &STEPS, |s| 3e6 + 100.0 * s),
        swept("sync/law:above", &STEPS, |s| 9e6 + 1000.0 * s),
        swept("view/law:other", &STEPS, |s| 2e6 + 200.0 * s),
    ]);
    assert_eq!(run.crossings.len(), 1, "{:?}", run.crossings);
    let crossing = &run.crossings[0];
    assert_eq!((crossing.steeper.as_str(), crossing.flatter.as_str()), ("sync/law:steep", "sync/law:flat"));
    near(crossing.sessions.value, 2e6 / 900.0);
    assert!(crossing.sessions.high - crossing.sessions.low < 1.0, "{crossing:?}");
}

#[test]
fn the_interval_of_a_crossing_is_wider_where_the_lines_are_less_sure() {
    let scattered = |sessions: f64| 1e6 + 1000.0 * sessions * (1.0 + (sessions * 0.7).sin() / 20.0);
    let run = filled(vec![
        swept("sync/law:steep", &STEPS, scattered),
        swept("sync/law:flat", &STEPS, |s| 3e6 + 100.0 * s),
    ]);
    let sessions = run.crossings[0].sessions;
    assert!(sessions.low < 2e6 / 900.0 && 2e6 / 900.0 < sessions.high, "{sessions:?}");
    assert!(sessions.high - sessions.low > 50.0, "{sessions:?}");
}

#[test]
fn to_fill_a_run_twice_changes_nothing() {
    let mut run = filled(vec![
        swept("sync/law:steep", &STEPS, |s| 1e6 + 1000.0 * s),
        swept("sync/law:flat", &STEPS, |s| 3e6 + 100.0 * s),
        swept("sync/law:few", &STEPS[1..], |s| s),
    ]);
    let once = run.clone();
    fill(&mut run);
    assert_eq!(run, once);
}

fn churning(steps: &[u64], churn: impl Fn(f64) -> f64) -> Run {
    let mut case = swept("snapshots/sessions-law:bounded", steps, |_| 1e6);
    for point in &mut case.sweep {
        let bytes = churn(point.corpus.sessions as f64);
        point.metrics.insert(CHURN.to_owned(), specimen::exact(bytes, Unit::Bytes));
    }
    filled(vec![case])
}

#[test]
fn a_churn_of_nothing_or_of_always_the_same_is_flat() {
    let churns: [fn(f64) -> f64; 4] = [
        |_| 0.0,
        |_| 4096.0,
        |sessions| 552.0 + if sessions < 21.0 { 64.0 } else { 0.0 },
        |sessions| {
            if sessions > 113.0 { 102.0 } else { 100.0 }
        },
    ];
    for churn in churns {
        let run = churning(&STEPS, churn);
        let flat = Estimate { value: 0.0, low: 0.0, high: 0.0 };
        assert_eq!(interval(&run, "law.churn_exponent"), flat);
        assert_eq!(run.doubts, Vec::<String>::new());
    }
}

#[test]
fn a_churn_that_grows_with_the_sessions_says_so_and_reaches_no_size() {
    let run = churning(&STEPS, |sessions| 100.0 + 50.0 * sessions);
    assert!((interval(&run, "law.churn_exponent").value - 1.0).abs() < 0.01);
    let law = run.cases[0].laws.iter().find(|law| law.metric == CHURN).unwrap();
    assert!(law.horizons.is_empty());
    near(law.bytes_per_session.value, 50.0);
}

#[test]
fn a_sweep_of_something_else_than_sessions_has_a_law_of_that() {
    let mut case = swept("snapshots/events-law:bounded", &STEPS, |events| 1e6 + 300.0 * events);
    for point in &mut case.sweep {
        point.size = Some(harness::record::Size { of: "events".to_owned(), count: point.corpus.sessions });
        point.corpus.sessions = 53;
    }
    let run = filled(vec![case]);
    let law = &run.cases[0].laws[0];
    near(law.bytes_per_session.value, 300.0);
    assert_eq!(law.of.as_deref(), Some("events"));
    assert!((interval(&run, "law.exponent").value - 1.0).abs() < 0.01);
    // Its slope is none of sessions.
    assert!(!run.cases[0].metrics.contains_key("law.bytes_per_session"));
    let table = table(&run, false);
    assert!(table[1][2].ends_with(" of events"), "{table:?}");
}

#[test]
fn where_only_some_sizes_are_of_something_else_the_law_is_of_sessions() {
    let mut case = swept("snapshots/events-law:bounded", &STEPS, |sessions| 1e6 + 300.0 * sessions);
    case.sweep[0].size = Some(harness::record::Size { of: "events".to_owned(), count: 7 });
    let run = filled(vec![case]);
    assert_eq!(run.cases[0].laws[0].of, None);
    near(run.cases[0].laws[0].bytes_per_session.value, 300.0);
}
