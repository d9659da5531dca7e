//! Each rule of judging, on the specimen of a run.

use std::path::Path;

use super::*;
use crate::specimen;

const BOUNDED: &str = "sync/cold:bounded";
const REPORTED: &str = "sync/cold:as-reported";

/// A file of budgets with one entry, its case and metric filled in.
fn limit(case: &str, metric: &str, rest: &str) -> String {
    format!("[[budget]]\ncase = \"{case}\"\nmetric = \"{metric}\"\nreason = \"so\"\n{rest}\n")
}

fn judged(text: &str) -> Run {
    judged_run(specimen::run(), text, None)
}

fn judged_run(mut run: Run, text: &str, baseline: Option<&Baseline>) -> Run {
    judge(&mut run, &Budgets::parse(text, Path::new("budgets.toml")).unwrap(), baseline);
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
    let base = Baseline::of(&specimen::run());
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
    let base = Baseline::of(&specimen::run());
    let moved = |by: f64| {
        let mut run = specimen::run();
        set(&mut run, "sync/degrade:bounded", "degrade.sessions_kept", |metric| metric.median += by);
        let text = limit("sync/degrade:bounded", "degrade.sessions_kept", "growth = 0.01");
        judged_run(run, &text, Some(&base)).verdict
    };
    assert_eq!([0.0, -0.02, 0.02].map(moved), [Verdict::Pass, Verdict::Regression, Verdict::Improved]);
}

#[test]
fn growth_without_a_matching_baseline_is_not_judged_and_said_so() {
    let mut base = Baseline::of(&specimen::run());
    base.key.toolchain = "rustc 1.2.3".to_owned();
    let text = limit(BOUNDED, "heap.peak_bytes", "growth = \"0 B\"")
        + &limit(BOUNDED, "heap.peak_bytes", "ceiling = \"8 MiB\"");
    let run = judged_run(specimen::run(), &text, Some(&base));
    assert_eq!(run.verdict, Verdict::Pass);
    assert_eq!(
        run.doubts.last().unwrap(),
        "not judged: sync/cold:bounded heap.peak_bytes no worse than the baseline: the baseline's toolchain is rustc 1.2.3, this run's is rustc 1.90.0"
    );
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
