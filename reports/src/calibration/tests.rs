//! What a saved calibration answers, and what people read of it.

use super::*;
use crate::specimen;

fn rate(alarms: u64, trials: u64) -> Rate {
    Rate::of(alarms, trials)
}

fn effect(percent: f64, size: f64) -> Option<Effect> {
    Some(Effect { percent, size })
}

fn noisy(median: f64) -> MetricPower {
    let point = |kind, percent, alarms| PowerPoint {
        growth: Growth::of(kind, percent, median),
        caught: rate(alarms, 1000),
    };
    MetricPower {
        metric: "rss.peak_bytes".to_owned(),
        tier: Tier::Noisy,
        unit: Unit::Bytes,
        samples: 400,
        median,
        deviation_percent: 0.74,
        false_alarms: rate(1, 1000),
        undecided: rate(3, 1000),
        in_order: rate(0, 13),
        curve: vec![
            point(Kind::Shift, 2.0, 12),
            point(Kind::Shift, 2.5, 402),
            point(Kind::Shift, 5.0, 1000),
            point(Kind::Retained, 5.0, 981),
            point(Kind::Spike, 5.0, 240),
        ],
        mde_80: effect(2.9, 0.029 * median),
        mde_95: effect(3.2, 0.032 * median),
        resolution_80: effect(0.9, 0.009 * median),
        resolution_95: effect(1.2, 0.012 * median),
    }
}

fn exact(metric: &str, unit: Unit, median: f64) -> MetricPower {
    let each = Growth { kind: Kind::Each, what: "64 B".to_owned(), percent: 0.2, bytes: 4096.0 };
    MetricPower {
        metric: metric.to_owned(),
        tier: Tier::Exact,
        unit,
        samples: 2000,
        median,
        deviation_percent: 0.0,
        false_alarms: rate(0, 1000),
        undecided: rate(0, 1000),
        in_order: rate(0, 1000),
        curve: vec![PowerPoint { growth: each, caught: rate(100, 100) }],
        mde_80: effect(0.000_05, 1.0),
        mde_95: effect(0.000_05, 1.0),
        resolution_80: effect(0.000_05, 1.0),
        resolution_95: effect(0.000_05, 1.0),
    }
}

fn calibration() -> Calibration {
    let mib = f64::from(1 << 20);
    let own = Subject {
        name: "sync/cold:bounded".to_owned(),
        corpus: None,
        runs: 9000,
        metrics: vec![
            noisy(14.0 * mib),
            exact("heap.total_bytes", Unit::Bytes, 9.5 * mib),
            exact("heap.total_blocks", Unit::Blocks, 81_234.0),
        ],
        named: Some(Named {
            planted: "64 B kept for each session".to_owned(),
            named: rate(100, 100),
            first: "+4.00 KiB in consume (scenarios/src/sync.rs:112)".to_owned(),
        }),
    };
    let keeps = MetricPower { mde_95: None, ..noisy(160.0 * mib) };
    let node = Subject {
        name: "node/keeps".to_owned(),
        corpus: None,
        runs: 1200,
        metrics: vec![keeps],
        named: None,
    };
    Calibration {
        schema: SCHEMA,
        environment: specimen::run().environment,
        time: "2026-02-03T04:05:06Z".to_owned(),
        seconds: 912.3,
        seed: 1,
        terms: Terms::default(),
        subjects: vec![own, node],
        doubts: vec!["node/drops was left out: node was not found".to_owned()],
    }
}

#[test]
fn the_self_test_as_text() {
    insta::assert_snapshot!(table::text(&calibration()));
}

#[test]
fn the_self_test_as_markdown() {
    insta::assert_snapshot!(table::markdown(&calibration()));
}

#[test]
fn a_calibration_reads_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/calibration.json");
    calibration().write(&path).unwrap();
    // Figures may lose their last binary digit on the way through text; nothing that is read of them does.
    let back = Calibration::read(&path).unwrap();
    assert_eq!(table::text(&back), table::text(&calibration()));
    assert_eq!((back.schema, back.environment), (SCHEMA, calibration().environment));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\n  \"schema\": 1,\n"));
}

#[test]
fn a_case_has_its_own_calibration_or_that_of_the_nearest_own_case() {
    let calibration = calibration();
    let own = calibration.mde("sync/cold:bounded", "rss.peak_bytes").unwrap();
    assert_eq!((own.subject.as_str(), own.percent, own.samples), ("sync/cold:bounded", 0.9, 15));
    let near = calibration.mde("sync/warm:as-reported", "rss.peak_bytes").unwrap();
    assert_eq!(near, own);
    let exact = calibration.mde("sync/cold:bounded", "heap.total_bytes").unwrap();
    assert_eq!((exact.size, exact.samples), (1.0, 1));
    assert_eq!(calibration.mde("sync/warm:bounded", "heap.total_bytes"), None, "exact is not handed on");
    assert_eq!(calibration.mde("node/keeps", "rss.peak_bytes").unwrap().subject, "node/keeps");
}

#[test]
fn of_a_foreign_program_nothing_is_known_before_it_was_measured() {
    for case in ["exec/ls:as-given", "compare/node:head", "node/other"] {
        assert_eq!(calibration().mde(case, "rss.peak_bytes"), None, "{case}");
    }
    assert_eq!(calibration().mde("sync/cold:bounded", "pss.peak_bytes"), None);
}

#[test]
fn a_quarter_of_the_samples_sees_half_as_well() {
    let mde = Mde { subject: String::new(), percent: 1.0, size: 100.0, samples: 40 };
    let fewer = mde.with_samples(10);
    assert_eq!((fewer.percent, fewer.size, fewer.samples), (2.0, 200.0, 10));
}

#[test]
fn a_calibration_of_another_machine_is_ignored_and_says_why() {
    let calibration = calibration();
    assert_eq!(calibration.doubt(&calibration.environment), None);
    let newer =
        Environment { toolchain: "1.99.0".into(), lockfile: "x".into(), ..calibration.environment.clone() };
    assert_eq!(calibration.doubt(&newer), None, "another build sees as well");
    let other = Environment {
        kernel: "9.9".into(),
        memory_limit_bytes: Some(1 << 30),
        ..calibration.environment.clone()
    };
    let said = calibration.doubt(&other).unwrap();
    assert!(said.contains("9.9 now; memory limit of the container none then, 1 GiB now"), "{said}");
}

#[test]
fn the_verdict_holds_the_upper_end_of_each_rate_against_the_promise() {
    let with = |found: Rate| {
        let mut calibration = calibration();
        calibration.subjects[0].metrics[0].false_alarms = found;
        calibration.verdict()
    };
    assert_eq!(with(rate(4, 1000)).0, Verdict::Regression, "its upper end is 1.02 %");
    assert_eq!(with(rate(3, 1000)).0, Verdict::Pass);
    assert_eq!(with(rate(0, 380)).0, Verdict::Inconclusive);
    assert_eq!(with(rate(0, 381)).0, Verdict::Pass);
    assert_eq!(with(rate(0, 0)).0, Verdict::Inconclusive);
    assert_eq!(with(rate(5, 10)).0, Verdict::Regression, "few judgements suffice to see that half are wrong");
    let why = &with(rate(0, 20)).1;
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].contains("too few"), "{why:?}");
}

#[test]
fn a_self_test_that_measured_nothing_is_an_error() {
    let empty = Calibration { subjects: Vec::new(), ..calibration() };
    assert_eq!(empty.verdict().0, Verdict::Error);
}
