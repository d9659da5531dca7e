//! Each rule of judging, on the specimen of a run.

use std::path::Path;

use harness::record::{Judgement, Metric};

use super::*;
use crate::baseline::Baseline;
use crate::specimen;

const TODAY: Date = jiff::civil::date(2026, 2, 1);
const BOUNDED: &str = "sync/cold:bounded";
const REPORTED: &str = "sync/cold:as-reported";

/// A file of budgets with one entry, its case and metric filled in.
fn limit(case: &str, metric: &str, rest: &str) -> String {
    format!("[[budget]]\ncase = \"{case}\"\nmetric = \"{metric}\"\nreason = \"so\"\n{rest}\n")
}

fn judged(text: &str) -> Run {
    judged_run(specimen::run(), text, None)
}

fn judged_run(run: Run, text: &str, baseline: Option<&Base>) -> Run {
    judged_against(run, text, &Against { baseline, ..Against::nothing(TODAY) })
}

fn judged_against(mut run: Run, text: &str, against: &Against<'_>) -> Run {
    judge(&mut run, &Budgets::parse(text, Path::new("budgets.toml")).unwrap(), against);
    run
}

fn case<'r>(run: &'r Run, name: &str) -> &'r Case {
    run.cases.iter().find(|case| case.case == name).unwrap()
}

fn only_verdict<'r>(run: &'r Run, name: &str) -> &'r Judgement {
    let [judgement] = &case(run, name).verdicts[..] else { panic!("{:?}", case(run, name).verdicts) };
    judgement
}

fn set(run: &mut Run, name: &str, metric: &str, change: impl FnOnce(&mut Metric)) {
    let case = run.cases.iter_mut().find(|case| case.case == name).unwrap();
    change(case.metrics.get_mut(metric).unwrap());
}

#[test]
fn a_case_at_its_ceiling_passes_and_one_byte_above_is_a_regression() {
    let mut run = specimen::run();
    let text = limit(BOUNDED, "heap.peak_bytes", "ceiling = \"5 MiB\"");
    set(&mut run, BOUNDED, "heap.peak_bytes", |metric| metric.median = 5_242_880.0);
    assert_eq!(judged_run(run.clone(), &text, None).verdict, Verdict::Pass);
    set(&mut run, BOUNDED, "heap.peak_bytes", |metric| metric.median = 5_242_881.0);
    let run = judged_run(run, &text, None);
    assert_eq!(run.verdict, Verdict::Regression);
    assert_eq!(
        only_verdict(&run, BOUNDED).why,
        "5.00 MiB (5,242,881 B) against at most 5 MiB (5,242,880 B); the limit is there because: so"
    );
}

#[test]
fn a_floor_is_broken_from_below() {
    let text = |floor| limit("sync/degrade:bounded", "degrade.sessions_kept", &format!("floor = {floor}"));
    assert_eq!(judged(&text(0.9)).verdict, Verdict::Pass);
    assert_eq!(judged(&text(0.9375)).verdict, Verdict::Pass, "at the floor");
    assert_eq!(judged(&text(0.99)).verdict, Verdict::Regression);
}

#[test]
fn a_ceiling_may_be_another_metric_of_the_case() {
    let text = limit("sync/cold:*", "heap.peak_bytes", "ceiling_metric = \"heap.bound_bytes\"");
    let run = judged(&text);
    assert_eq!(only_verdict(&run, BOUNDED).verdict, Verdict::Pass);
    assert_eq!(only_verdict(&run, REPORTED).verdict, Verdict::Regression);
}

#[test]
fn a_ratio_compares_with_the_same_metric_of_another_case() {
    let text = |part| {
        let rest = format!("ratio = {{ of = \"{REPORTED}\", at_most = {part} }}");
        limit(BOUNDED, "heap.peak_bytes", &rest)
    };
    let run = judged(&text(0.04));
    assert_eq!(run.verdict, Verdict::Pass);
    assert!(
        only_verdict(&run, BOUNDED).why.ends_with(", which is 0.024 of sync/cold:as-reported"),
        "{}",
        only_verdict(&run, BOUNDED).why
    );
    assert_eq!(judged(&text(0.02)).verdict, Verdict::Regression);
}

#[test]
fn a_ratio_to_a_case_that_was_not_selected_is_not_judged_and_said_so() {
    let mut run = specimen::run();
    run.cases.retain(|case| case.case == BOUNDED);
    let rest = format!("ratio = {{ of = \"{REPORTED}\", at_most = 0.04 }}");
    let text =
        limit(BOUNDED, "heap.peak_bytes", &rest) + &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"");
    let run = judged_run(run, &text, None);
    assert_eq!(run.verdict, Verdict::Pass);
    assert_eq!(
        run.doubts.last().unwrap(),
        "not judged: sync/cold:bounded heap.peak_bytes at most 0.04 of sync/cold:as-reported: sync/cold:as-reported is not in this run"
    );
}

#[test]
fn a_ratio_to_a_case_that_failed_is_an_error() {
    let mut run = specimen::run();
    run.cases[0].error = Some("the answer is wrong".to_owned());
    let rest = format!("ratio = {{ of = \"{REPORTED}\", at_most = 0.04 }}");
    let run = judged_run(run, &limit(BOUNDED, "heap.peak_bytes", &rest), None);
    assert_eq!(only_verdict(&run, BOUNDED).verdict, Verdict::Error);
}

#[test]
fn a_budget_without_samples_is_an_error() {
    let text = limit(BOUNDED, "heap.retained_bytes", "ceiling = \"8 MiB\"");
    assert_eq!(judged(&text).verdict, Verdict::Error);

    let mut run = specimen::run();
    set(&mut run, BOUNDED, "heap.peak_bytes", |metric| metric.samples.clear());
    assert_eq!(
        judged_run(run, &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\""), None).verdict,
        Verdict::Error
    );
}

#[test]
fn a_figure_that_is_not_a_number_keeps_no_limit() {
    let mut run = specimen::run();
    set(&mut run, BOUNDED, "heap.peak_bytes", |metric| metric.median = f64::NAN);
    assert_eq!(
        judged_run(run, &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\""), None).verdict,
        Verdict::Error
    );
}

#[test]
fn a_budget_of_a_case_that_was_not_selected_is_passed_over() {
    let text = limit("sync/warm:bounded", "heap.peak_bytes", "ceiling = \"1 B\"")
        + &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"");
    assert_eq!(judged(&text).verdict, Verdict::Pass);
}

#[test]
fn a_run_in_which_nothing_was_judged_is_an_error() {
    let run = judged(&limit("sync/warm:bounded", "heap.peak_bytes", "ceiling = \"1 B\""));
    assert_eq!(run.verdict, Verdict::Error);
    assert!(run.doubts.last().unwrap().starts_with("nothing was judged: "));

    let mut empty = specimen::run();
    empty.cases.clear();
    let empty = judged_run(empty, &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\""), None);
    assert_eq!(empty.verdict, Verdict::Error, "an empty run");

    let run = judged(&limit(BOUNDED, "heap.peak_bytes", "growth = \"0 B\""));
    assert_eq!(run.verdict, Verdict::Error, "a growth limit without a baseline judges nothing");
}

#[test]
fn a_case_with_a_wrong_answer_is_an_error_whatever_its_figures() {
    let mut run = specimen::run();
    run.cases[0].error = Some("digest 12ab, the manifest says 34cd".to_owned());
    let run = judged_run(run, &limit(REPORTED, "heap.peak_bytes", "ceiling = \"1 GiB\""), None);
    assert_eq!(run.verdict, Verdict::Error);
    assert_eq!(only_verdict(&run, REPORTED).why, "not measured: digest 12ab, the manifest says 34cd");
}

#[test]
fn noisy_samples_on_both_sides_of_a_limit_are_inconclusive() {
    let text = |ceiling| limit(BOUNDED, "rss.peak_bytes", &format!("ceiling = {ceiling}"));
    let (low, high) = (21_000_000, 22_500_000);
    assert_eq!(judged(&text(high)).verdict, Verdict::Pass);
    assert_eq!(judged(&text(low + 1)).verdict, Verdict::Inconclusive);
    assert_eq!(judged(&text(low - 1)).verdict, Verdict::Regression);
}

#[test]
fn an_exact_metric_that_differs_between_samples_is_judged_as_noisy_and_said_so() {
    let mut run = specimen::run();
    set(&mut run, BOUNDED, "heap.peak_bytes", |metric| metric.samples[1] += 4096.0);
    let ceiling = case(&run, BOUNDED).metrics["heap.peak_bytes"].median + 1.0;
    let run = judged_run(run, &limit(BOUNDED, "heap.peak_bytes", &format!("ceiling = {ceiling}")), None);
    assert_eq!(run.verdict, Verdict::Inconclusive);
    assert_eq!(
        run.doubts.last().unwrap(),
        "judged as noisy: heap.peak_bytes differs between samples of sync/cold:bounded"
    );
}

#[test]
fn growth_is_judged_by_equality_unless_the_budget_grants_a_quantum() {
    let base = Base::Figures(Baseline::of(&specimen::run()));
    let grown = |by: f64, growth: &str| {
        let mut run = specimen::run();
        set(&mut run, BOUNDED, "heap.total_blocks", |metric| {
            metric.median += by;
            metric.samples.iter_mut().for_each(|sample| *sample += by);
        });
        judged_run(run, &limit(BOUNDED, "heap.total_blocks", &format!("growth = {growth}")), Some(&base))
            .verdict
    };
    assert_eq!(
        [0.0, 1.0, -1.0].map(|by| grown(by, "0")),
        [Verdict::Pass, Verdict::Regression, Verdict::Improved]
    );
    assert_eq!([10.0, 11.0].map(|by| grown(by, "10")), [Verdict::Pass, Verdict::Regression]);
    assert_eq!([-10.0, -11.0].map(|by| grown(by, "10")), [Verdict::Pass, Verdict::Improved]);
    // The specimen has 120,000 blocks.
    assert_eq!([2400.0, 2401.0].map(|by| grown(by, "\"2 %\"")), [Verdict::Pass, Verdict::Regression]);
}

#[test]
fn growth_of_what_should_be_high_is_judged_downwards() {
    let base = Base::Figures(Baseline::of(&specimen::run()));
    let moved = |by: f64| {
        let mut run = specimen::run();
        set(&mut run, "sync/degrade:bounded", "degrade.sessions_kept", |metric| metric.median += by);
        let text = limit("sync/degrade:bounded", "degrade.sessions_kept", "growth = 0.01");
        judged_run(run, &text, Some(&base)).verdict
    };
    assert_eq!([0.0, -0.02, 0.02].map(moved), [Verdict::Pass, Verdict::Regression, Verdict::Improved]);
}

#[test]
fn growth_against_a_base_that_does_not_fit_is_an_error_and_says_why() {
    let mut baseline = Baseline::of(&specimen::run());
    baseline.key.toolchain = "rustc 1.2.3".to_owned();
    let base = Base::Figures(baseline);
    let text = limit(BOUNDED, "heap.peak_bytes", "growth = \"0 B\"")
        + &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"");
    let run = judged_run(specimen::run(), &text, Some(&base));
    assert_eq!(run.verdict, Verdict::Error, "a gate that compared nothing is not green");
    let [before, last] = run.doubts.last_chunk().unwrap();
    assert_eq!(
        before,
        "not judged: sync/cold:bounded heap.peak_bytes no worse than the baseline: the baseline's toolchain is rustc 1.2.3, this run's is rustc 1.90.0"
    );
    assert!(last.starts_with("nothing was judged: the baseline's toolchain is"), "{last}");
}

#[test]
fn a_release_that_does_not_fit_is_an_error_though_the_parent_does() {
    let parent = Base::Figures(Baseline::of(&specimen::run()));
    let mut baseline = Baseline::of(&specimen::run());
    baseline.key.toolchain = "rustc 1.2.3".to_owned();
    let release = Base::Figures(baseline);
    let against = Against { baseline: Some(&parent), release: Some(&release), ..Against::nothing(TODAY) };
    let text =
        limit(BOUNDED, "heap.peak_bytes", "growth = 0") + &limit(BOUNDED, "heap.peak_bytes", "drift = 0");
    assert_eq!(judged_against(specimen::run(), &text, &against).verdict, Verdict::Error);
    let both = Against { release: Some(&parent), ..against };
    assert_eq!(judged_against(specimen::run(), &text, &both).verdict, Verdict::Pass);
}

#[test]
fn growth_without_a_base_is_not_judged_and_said_so() {
    let text = limit(BOUNDED, "heap.peak_bytes", "growth = \"0 B\"")
        + &limit(BOUNDED, "heap.peak_bytes", "drift = \"3 %\"")
        + &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"");
    let run = judged(&text);
    assert_eq!(run.verdict, Verdict::Pass);
    let unjudged = run.doubts.iter().filter(|doubt| doubt.starts_with("not judged: "));
    assert_eq!(
        unjudged.collect::<Vec<_>>(),
        [
            "not judged: sync/cold:bounded heap.peak_bytes no worse than the baseline: the baseline was not given",
            "not judged: sync/cold:bounded heap.peak_bytes at most 3 % worse than the last release: the last release was not given",
        ]
    );
}

/// A run whose resident memory has these samples.
fn resident(samples: &[f64]) -> Run {
    let mut run = specimen::run();
    set(&mut run, BOUNDED, "rss.peak_bytes", |metric| *metric = specimen::noisy(samples, Unit::Bytes));
    run
}

const RESIDENT: [f64; 10] = [100e6, 101e6, 102e6, 103e6, 104e6, 105e6, 106e6, 107e6, 108e6, 109e6];

fn moved(by: f64) -> Vec<f64> {
    RESIDENT.iter().map(|sample| sample + by * 1e6 + 1.0).collect()
}

#[test]
fn noisy_growth_is_judged_against_a_whole_run() {
    let base = Base::Run(Box::new(resident(&RESIDENT)));
    let verdict = |by: f64| {
        let text = limit(BOUNDED, "rss.peak_bytes", "growth = \"5 %\"\nprimary = true");
        only_verdict(&judged_run(resident(&moved(by)), &text, Some(&base)), BOUNDED).clone()
    };
    assert_eq!(verdict(0.0).verdict, Verdict::Pass);
    assert_eq!(verdict(3.0).verdict, Verdict::Pass, "within the allowance");
    let found = verdict(20.0);
    assert_eq!(found.verdict, Verdict::Regression);
    assert!(found.evidence.is_some_and(|evidence| evidence.p < 1e-4 && evidence.alpha == 0.001), "{found:?}");
    assert!(found.why.contains("; shift +19.1 MiB (+19.05 %), at least +"), "{}", found.why);
    assert_eq!(verdict(-20.0).verdict, Verdict::Improved);
}

#[test]
fn too_few_samples_are_inconclusive_and_say_how_many_it_takes() {
    let base = Base::Run(Box::new(resident(&RESIDENT[..3])));
    let text = limit(BOUNDED, "rss.peak_bytes", "growth = \"5 %\"\nprimary = true");
    let run = judged_run(resident(&moved(20.0)[..3]), &text, Some(&base));
    let found = only_verdict(&run, BOUNDED);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.why.contains("3 and 3 samples can never reach a p of 0.001"), "{}", found.why);
}

#[test]
fn samples_that_could_not_be_judged_are_refused_before_the_run() {
    let base = Base::Run(Box::new(resident(&RESIDENT)));
    let against = Against { baseline: Some(&base), ..Against::nothing(TODAY) };
    let check = |primary: &str, samples| {
        let text = limit(BOUNDED, "rss.peak_bytes", &format!("growth = \"5 %\"{primary}"))
            + &limit(BOUNDED, "heap.total_blocks", "growth = 0");
        let budgets = Budgets::parse(&text, Path::new("budgets.toml")).unwrap();
        against.check_samples(&budgets, &[BOUNDED.to_owned()], samples)
    };
    let said = check("\nprimary = true", 1).unwrap_err();
    assert!(
        said.starts_with(
            "rss.peak_bytes of sync/cold:bounded, at most 5 % worse than the baseline: 10 samples"
        ),
        "{said}"
    );
    assert!(check("\nprimary = true", 4).is_ok() && check("", 2).is_err() && check("", 3).is_ok());
}

#[test]
fn noisy_growth_from_another_kernel_is_refused() {
    let mut elsewhere = resident(&RESIDENT);
    elsewhere.environment.kernel = "7.0.0".to_owned();
    let text = limit(BOUNDED, "rss.peak_bytes", "growth = \"5 %\"");
    let run = judged_run(resident(&moved(20.0)), &text, Some(&Base::Run(Box::new(elsewhere))));
    assert_eq!(run.verdict, Verdict::Error);
    assert!(run.doubts.last().unwrap().contains("the baseline's kernel is 7.0.0"), "{:?}", run.doubts);
}

#[test]
fn a_limit_that_is_tighter_than_what_is_seen_here_is_unfit() {
    use crate::calibration::{self, Calibration, Effect, MetricPower, Rate, Subject};
    let base = Base::Run(Box::new(resident(&RESIDENT)));
    let seen = Some(Effect { percent: 4.0, size: 4.2e6 });
    let power = MetricPower {
        metric: "rss.peak_bytes".to_owned(),
        tier: Tier::Noisy,
        unit: Unit::Bytes,
        samples: 200,
        median: 105e6,
        deviation_percent: 3.0,
        false_alarms: Rate::of(0, 1000),
        undecided: Rate::of(0, 1000),
        in_order: Rate::of(0, 6),
        curve: Vec::new(),
        mde_80: seen,
        mde_95: seen,
        resolution_80: seen,
        resolution_95: seen,
    };
    let subject =
        Subject { name: BOUNDED.to_owned(), corpus: None, runs: 200, metrics: vec![power], named: None };
    let terms = calibration::Terms { samples: 10, ..calibration::Terms::default() };
    let calibration = Calibration {
        schema: calibration::SCHEMA,
        environment: specimen::run().environment,
        time: String::new(),
        seconds: 1.0,
        seed: 1,
        terms,
        subjects: vec![subject],
        doubts: Vec::new(),
    };
    let judged = |by: f64, growth: &str, calibration: &Calibration| {
        let against =
            Against { baseline: Some(&base), calibration: Some(calibration), ..Against::nothing(TODAY) };
        let text = limit(BOUNDED, "rss.peak_bytes", &format!("growth = \"{growth}\"\nprimary = true"));
        only_verdict(&judged_against(resident(&moved(by)), &text, &against), BOUNDED).clone()
    };
    let found = judged(0.0, "1 %", &calibration);
    assert_eq!(found.verdict, Verdict::Unfit);
    let said = "the smallest growth that is seen here with so many samples is 4.01 MiB (4.00 %, of sync/cold:bounded), and 1.00 MiB is allowed";
    assert!(found.why.contains(said), "{}", found.why);
    assert_eq!(judged(0.0, "5 %", &calibration).verdict, Verdict::Pass);
    assert_eq!(judged(20.0, "1 %", &calibration).verdict, Verdict::Regression, "what was found was seen");
    let mut elsewhere = calibration.clone();
    elsewhere.environment.kernel = "7.0.0".to_owned();
    assert_eq!(judged(0.0, "1 %", &elsewhere).verdict, Verdict::Pass, "another machine's is ignored");
}

#[test]
fn the_same_noise_in_many_secondary_metrics_is_corrected_for_and_a_primary_is_not() {
    // Nine pairs of ten with this shift have p 0.0034 each: below 0.01, beyond it when the other 19 show nothing.
    let names =
        ["pss.peak_bytes", "tree.peak_low_bytes", "tree.peak_high_bytes", "faults.minor", "time.cpu_seconds"];
    let run = |by: f64| {
        let mut run = resident(&moved(by));
        let case = run.cases.iter_mut().find(|case| case.case == BOUNDED).unwrap();
        for name in names {
            case.metrics.insert(name.to_owned(), specimen::noisy(&RESIDENT, Unit::Bytes));
        }
        run
    };
    let base = Base::Run(Box::new(run(0.0)));
    let verdicts = |primary: &str| {
        let own = limit(BOUNDED, "rss.peak_bytes", &format!("growth = 0\n{primary}"));
        let others = names.map(|name| limit(BOUNDED, name, "growth = 0"));
        let judged = judged_run(run(5.0), &(own + &others.concat()), Some(&base));
        case(&judged, BOUNDED).verdicts[0].clone()
    };
    let alone = {
        let text = limit(BOUNDED, "rss.peak_bytes", "growth = 0");
        case(&judged_run(run(5.0), &text, Some(&base)), BOUNDED).verdicts[0].clone()
    };
    let (p, alpha) = alone.evidence.map(|evidence| (evidence.p, evidence.alpha)).unwrap();
    assert!(p < alpha && alone.verdict == Verdict::Regression, "{alone:?}");
    let among_others = verdicts("");
    assert!((among_others.evidence.unwrap().p - p * 6.0).abs() < 1e-9, "{among_others:?}");
    assert_eq!(among_others.verdict, Verdict::Pass);
    assert_eq!(verdicts("primary = true").evidence.unwrap().p, p, "a primary metric is tested by itself");
}

#[test]
fn drift_is_judged_against_the_last_release_beside_the_parent() {
    let grown = |percent: f64| {
        let mut run = specimen::run();
        set(&mut run, BOUNDED, "heap.total_blocks", |metric| {
            metric.median *= 1.0 + percent / 100.0;
            metric.samples = vec![metric.median; 2];
        });
        run
    };
    let parent = Base::Run(Box::new(grown(27.0)));
    let release = Base::Run(Box::new(grown(0.0)));
    let against = Against { baseline: Some(&parent), release: Some(&release), ..Against::nothing(TODAY) };
    let text = limit(BOUNDED, "heap.total_blocks", "growth = \"3 %\"")
        + &limit(BOUNDED, "heap.total_blocks", "drift = \"10 %\"");
    let run = judged_against(grown(30.0), &text, &against);
    let verdicts: Vec<Verdict> = case(&run, BOUNDED).verdicts.iter().map(|found| found.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Regression], "3 % ten times");
}

fn waiver(case: &str, ceiling: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\ncase = \"{case}\"\nmetric = \"heap.peak_bytes\"\nceiling = \"{ceiling}\"\n\
         issue = \"#7\"\nowner = \"ada\"\nexpires = {expires}\n"
    )
}

#[test]
fn a_waiver_excuses_up_to_its_ceiling_until_its_day() {
    let broken = limit(BOUNDED, "heap.peak_bytes", "ceiling = \"1 MiB\"");
    let judged = |waiver: &str| {
        let run = judged(&(broken.clone() + waiver));
        (run.verdict, case(&run, BOUNDED).verdicts[0].clone())
    };
    let (verdict, found) = judged(&waiver(BOUNDED, "8 MiB", "2026-02-01"));
    assert_eq!(verdict, Verdict::Waived, "also on its last day");
    assert!(found.why.ends_with("; waived up to 8 MiB until 2026-02-01 (ada, #7)"), "{}", found.why);
    assert!(
        found.over.is_some_and(|over| over > 1e6) && found.waiver.is_some(),
        "the debt is known: {found:?}"
    );

    let (verdict, found) = judged(&waiver(BOUNDED, "2 MiB", "2026-03-01"));
    assert_eq!(verdict, Verdict::Regression);
    assert!(found.why.contains("beyond its waiver's 2 MiB"), "{}", found.why);

    let (verdict, found) = judged(&waiver(BOUNDED, "8 MiB", "\"2026-01-31\""));
    assert_eq!(verdict, Verdict::Regression);
    assert!(found.why.contains("its waiver expired on 2026-01-31 (ada, #7)"), "{}", found.why);
}

#[test]
fn a_waiver_that_has_run_out_fails_also_where_it_is_not_needed_any_more() {
    let kept = limit(BOUNDED, "heap.peak_bytes", "ceiling = \"1 GiB\"");
    let run = judged(&(kept.clone() + &waiver(BOUNDED, "8 MiB", "2026-01-31")));
    assert_eq!(run.verdict, Verdict::Error);
    let said = &case(&run, BOUNDED).verdicts[1].why;
    assert!(said.contains("expired on 2026-01-31 (ada, #7): remove it"), "{said}");

    let run = judged(&(kept + &waiver(BOUNDED, "8 MiB", "2026-03-01")));
    assert_eq!(run.verdict, Verdict::Pass);
    assert!(
        run.doubts.last().unwrap().starts_with("waiver not needed: sync/cold:bounded"),
        "{:?}",
        run.doubts
    );
}

#[test]
fn a_limit_for_this_platform_stands_for_the_one_for_all() {
    let general = limit(BOUNDED, "heap.peak_bytes", "ceiling = \"1 MiB\"");
    let own = |platform| {
        limit(BOUNDED, "heap.peak_bytes", &format!("ceiling = \"8 MiB\"\nplatform = \"{platform}\""))
    };
    assert_eq!(judged(&(general.clone() + &own("*-linux"))).verdict, Verdict::Pass);
    assert_eq!(judged(&(general + &own("*-macos"))).verdict, Verdict::Regression);
}

#[test]
fn an_estimate_is_judged_by_its_interval() {
    let verdict = |ceiling: &str| {
        let mut run = specimen::run();
        let interval = harness::record::Estimate { value: 64.0, low: 60.0, high: 70.0 };
        let metric = Metric { interval: Some(interval), ..specimen::noisy(&[64.0], Unit::Bytes) };
        let case = run.cases.iter_mut().find(|case| case.case == BOUNDED).unwrap();
        case.metrics.insert("law.bytes_per_session".to_owned(), metric);
        judged_run(run, &limit(BOUNDED, "law.bytes_per_session", &format!("ceiling = {ceiling}")), None)
            .verdict
    };
    assert_eq!(["70", "65", "59"].map(verdict), [Verdict::Pass, Verdict::Inconclusive, Verdict::Regression]);
}

/// A sum over the specimen: heap within resident memory.
fn sum(slack: &str, rest: &str) -> String {
    limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"")
        + &limit(BOUNDED, "rss.peak_bytes", "ceiling = \"64 MiB\"")
        + &format!(
            "[[sum]]\ncase = \"{BOUNDED}\"\nparts = [\"heap.peak_bytes\"]\nslack = \"{slack}\"\n\
             within = \"rss.peak_bytes\"\nreason = \"so\"\n{rest}\n"
        )
}

#[test]
fn what_the_whole_has_beyond_its_parts_must_fit_into_the_slack() {
    assert_eq!(judged(&sum("32 MiB", "")).verdict, Verdict::Pass);
    assert_eq!(judged(&sum("1 MiB", "")).verdict, Verdict::Regression);
    let mut run = specimen::run();
    run.environment.memory_limit_bytes = Some(32 << 20);
    let run = judged_run(run, &sum("32 MiB", ""), None);
    assert_eq!(run.verdict, Verdict::Error);
    let said = &case(&run, BOUNDED).verdicts[2].why;
    assert_eq!(said, "the ceiling of rss.peak_bytes is 64 MiB, but the container of this run allows 32 MiB");
}

/// A base and a head in one run.
fn pair_of(base: &[f64], head: &[f64], heap: [f64; 2]) -> Run {
    let mut run = specimen::run();
    run.cases.retain(|case| case.case == BOUNDED);
    let with = |name: &str, samples: &[f64], heap: f64| {
        let mut case = run.cases[0].clone();
        case.case = name.to_owned();
        case.metrics = [
            ("rss.peak_bytes".to_owned(), specimen::noisy(samples, Unit::Bytes)),
            ("heap.peak_bytes".to_owned(), specimen::exact(heap, Unit::Bytes)),
        ]
        .into();
        case
    };
    let cases = vec![with("compare/x:base", base, heap[0]), with("compare/x:head", head, heap[1])];
    Run { cases, ..run }
}

#[test]
fn a_head_is_judged_against_the_base_of_its_run() {
    let verdict = |by: f64, heap: f64| {
        let mut run = pair_of(&RESIDENT, &moved(by), [1000.0, 1000.0 + heap]);
        pairs(&mut run, &PairTerms::default());
        assert!(run.cases[0].verdicts.is_empty(), "a base is not judged");
        run.verdict
    };
    assert_eq!(verdict(0.0, 0.0), Verdict::Pass);
    assert_eq!(verdict(0.0, 1.0), Verdict::Regression, "exact figures may not grow at all");
    assert_eq!(verdict(20.0, 0.0), Verdict::Regression);
    assert_eq!(verdict(-20.0, 0.0), Verdict::Improved);
}

#[test]
fn a_primary_metric_of_one_side_only_is_an_error() {
    let mut run = pair_of(&RESIDENT, &RESIDENT, [1.0, 1.0]);
    run.cases[1].metrics.remove("heap.peak_bytes");
    pairs(&mut run, &PairTerms::default());
    assert_eq!(run.verdict, Verdict::Error);
}

#[test]
fn a_tripwire_passes_by_breaking_its_limit() {
    let run = judged(&limit(REPORTED, "heap.peak_bytes", "ceiling = \"8 MiB\"\ntripwire = true"));
    assert_eq!(run.verdict, Verdict::Pass);
    assert!(case(&run, REPORTED).tripwire);
    assert!(only_verdict(&run, REPORTED).why.starts_with("tripwire: breaks its limit as it must, 208 MiB"));
}

#[test]
fn a_tripwire_that_keeps_its_limit_shows_that_the_scenario_is_blind() {
    let run = judged(&limit(REPORTED, "heap.peak_bytes", "ceiling = \"8 GiB\"\ntripwire = true"));
    assert_eq!(run.verdict, Verdict::Error);
    assert!(only_verdict(&run, REPORTED).why.contains("the scenario is blind"));
}

#[test]
fn a_tripwire_that_was_not_measured_is_an_error_too() {
    let run = judged(&limit(REPORTED, "stale.defects", "ceiling = 0\ntripwire = true"));
    assert_eq!(run.verdict, Verdict::Error);
}

fn order(cases: &str) -> String {
    format!("[[order]]\nmetric = \"heap.peak_bytes\"\nreason = \"so\"\ncases = [{cases}]\n")
}

const CHAIN: &str =
    r#""sync/cold:as-reported", "sync/cold:s2-eager-strip", "sync/cold:s4-low-prefetch", "sync/cold:s2-s4""#;

#[test]
fn an_order_is_judged_on_each_neighbouring_pair() {
    let run = judged(&order(CHAIN));
    assert_eq!(run.verdict, Verdict::Pass);
    assert_eq!(only_verdict(&run, "sync/cold:s4-low-prefetch").budget, "below sync/cold:s2-eager-strip");

    let mut run = specimen::run();
    let above = case(&run, "sync/cold:s2-eager-strip").metrics["heap.peak_bytes"].median;
    set(&mut run, "sync/cold:s4-low-prefetch", "heap.peak_bytes", |metric| metric.median = above);
    let run = judged_run(run, &order(CHAIN), None);
    assert_eq!(
        only_verdict(&run, "sync/cold:s4-low-prefetch").verdict,
        Verdict::Regression,
        "equal is not below"
    );
    assert_eq!(only_verdict(&run, "sync/cold:s2-s4").verdict, Verdict::Pass);
}

#[test]
fn an_order_steps_over_cases_that_were_not_selected() {
    let mut run = specimen::run();
    run.cases.retain(|case| case.case != "sync/cold:s2-eager-strip");
    let run = judged_run(run, &order(CHAIN), None);
    assert_eq!(only_verdict(&run, "sync/cold:s4-low-prefetch").budget, "below sync/cold:as-reported");
}

#[test]
fn noisy_figures_that_overlap_are_in_no_order() {
    let mut run = specimen::run();
    let above = case(&run, "sync/cold:s2-eager-strip").metrics["heap.peak_bytes"].median;
    set(&mut run, "sync/cold:s4-low-prefetch", "heap.peak_bytes", |metric| metric.samples[1] = above);
    assert_eq!(judged_run(run, &order(CHAIN), None).verdict, Verdict::Inconclusive);
}

#[test]
fn judging_again_starts_afresh() {
    let text = limit(REPORTED, "heap.peak_bytes", "ceiling = \"8 MiB\"\ntripwire = true")
        + &limit(BOUNDED, "heap.peak_bytes", "growth = \"0 B\"");
    let once = judged(&text);
    assert_eq!(judged_run(once.clone(), &text, None), once);

    let with_other_budgets =
        judged_run(once, &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\""), None);
    assert!(!case(&with_other_budgets, REPORTED).tripwire);
    assert_eq!(with_other_budgets.doubts, specimen::run().doubts);
}

const COMMAND: &str = "exec/parse:natural";

#[test]
fn a_phase_of_a_command_is_judged_like_any_metric() {
    let text = |ceiling: &str| {
        let ceiling = format!("ceiling = \"{ceiling}\"");
        limit("exec/parse:*", "tree.peak_high_bytes@Cold parse", &ceiling)
    };
    let verdict = |ceiling| {
        let mut run = specimen::foreign();
        run.cases.truncate(1);
        only_verdict(&judged_run(run, &text(ceiling), None), COMMAND).verdict
    };
    let verdicts = ["131 MiB", "130 MiB", "128 MiB"].map(verdict);
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Inconclusive, Verdict::Regression]);
}

#[test]
fn a_limit_of_a_phase_that_was_not_measured_is_an_error_that_names_those_that_were() {
    let run =
        |metric: &str| judged_run(specimen::foreign(), &limit(COMMAND, metric, "ceiling = \"1 GiB\""), None);
    let misspelt = run("tree.peak_high_bytes@cold parse");
    let found = only_verdict(&misspelt, COMMAND);
    assert_eq!(found.verdict, Verdict::Error);
    assert_eq!(
        found.why,
        "tree.peak_high_bytes@cold parse of exec/parse:natural was not measured, and a budget without samples \
         is an error; tree.peak_high_bytes was measured in: Cold parse, show"
    );
    let other = run("tracemalloc.peak_bytes@show");
    assert!(only_verdict(&other, COMMAND).why.ends_with("a budget without samples is an error"));
}
