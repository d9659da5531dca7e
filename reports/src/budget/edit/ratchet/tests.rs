//! What is tightened, what stays and why, and that nothing is ever loosened.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::specimen;

const FILE: &str = "budgets.toml";
const BOUNDED: &str = "sync/cold:bounded";
const MIB: f64 = 1_048_576.0;

/// A run of that day in which `sync/cold:bounded` peaks at so many MiB of heap.
fn run(day: u32, mib: f64) -> Run {
    let mut run = specimen::run();
    run.time = format!("2026-01-{day:02}T03:04:05Z");
    let case = run.cases.iter_mut().find(|case| case.case == BOUNDED).unwrap();
    case.metrics.insert("heap.peak_bytes".to_owned(), specimen::exact(mib * MIB, Unit::Bytes));
    run
}

fn limit(rest: &str) -> String {
    format!("[[budget]]\ncase = \"{BOUNDED}\"\nmetric = \"heap.peak_bytes\"\nreason = \"small\"\n{rest}\n")
}

fn terms() -> Terms {
    Terms { confirmations: 3, headroom_percent: 10.0, today: date(2026, 2, 1) }
}

fn ratcheted(text: &str, runs: &[Run]) -> Ratcheted {
    ratchet(text, Path::new(FILE), runs, &terms()).unwrap()
}

/// Why the only limit stays.
fn why(text: &str, runs: &[Run]) -> String {
    let ratcheted = ratcheted(text, runs);
    assert_eq!(ratcheted.text, text, "what stays, stays byte for byte");
    match &ratcheted.looked[..] {
        [Looked { outcome: Outcome::Stays { why }, .. }] => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_ceiling_comes_down_to_the_largest_of_the_last_runs_and_headroom() {
    // The first run is not among the last three.
    let runs = [run(4, 4.0), run(1, 7.0), run(2, 3.0), run(3, 5.0)];
    let text = format!("# ours\n\n{}", limit("ceiling = \"8 MiB\" # of heap"));
    let ratcheted = ratcheted(&text, &runs);
    let expected = text
        .replace("\"8 MiB\" # of heap", "\"5.5 MiB\" # of heap")
        .replace("\"small\"", "\"small (ratcheted from 8 MiB on 2026-02-01)\"");
    assert_eq!(ratcheted.text, expected);
    assert_eq!(
        ratcheted.looked[0].in_words(),
        "tightened: line 3, sync/cold:bounded heap.peak_bytes, from 8 MiB to 5.50 MiB"
    );
}

#[test]
fn lines_that_end_as_on_windows_stay_so() {
    let runs = [run(1, 5.0), run(2, 5.0), run(3, 5.0)];
    let text = limit("ceiling = \"8 MiB\"").replace('\n', "\r\n");
    let changed = ratcheted(&text, &runs).text;
    assert_eq!(changed.matches("\r\n").count(), text.matches('\n').count(), "{changed:?}");
    assert_eq!(changed.matches('\n').count(), text.matches('\n').count(), "{changed:?}");
}

#[test]
fn a_second_ratchet_names_the_ceiling_before_it_only() {
    let text = limit("ceiling = \"8 MiB\"");
    let once = ratcheted(&text, &[run(1, 5.0), run(2, 5.0), run(3, 5.0)]).text;
    let twice = ratcheted(&once, &[run(4, 2.0), run(5, 2.0), run(6, 2.0)]).text;
    assert!(
        twice.contains("reason = \"small (ratcheted from 5.50 MiB on 2026-02-01)\"\nceiling = \"2.2 MiB\""),
        "{twice}"
    );
}

#[test]
fn what_is_no_ceiling_stays_and_says_why() {
    let runs = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    assert_eq!(why(&limit("ceiling = \"8 MiB\"\ntripwire = true"), &runs), "a tripwire must be broken");
    assert_eq!(why(&limit("floor = \"1 MiB\""), &runs), "it is a floor, and only ceilings are tightened");
    let follows = "it is no figure of its own, but follows another";
    assert_eq!(why(&limit("ceiling_metric = \"heap.bound_bytes\""), &runs), follows);
    assert_eq!(why(&limit("growth = \"0 B\""), &runs), follows);
}

#[test]
fn a_ceiling_that_was_not_confirmed_stays_and_says_why() {
    let text = limit("ceiling = \"8 MiB\"");
    let mut runs = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    let bounded = runs[1].cases.iter().position(|case| case.case == BOUNDED).unwrap();
    let good = runs[1].cases[bounded].clone();
    runs[1].cases[bounded].error = Some("a wrong answer".to_owned());
    assert_eq!(why(&text, &runs), "the run of 2026-01-02T03:04:05Z has no measurement of sync/cold:bounded");
    runs[1].cases[bounded] = good.clone();
    runs[1].cases[bounded].metrics.remove("heap.peak_bytes");
    assert!(why(&text, &runs).ends_with("did not measure it of sync/cold:bounded"));
    runs[1].cases[bounded] = good.clone();
    runs[1].cases[bounded].corpus.as_mut().unwrap().digest = "another".to_owned();
    assert!(why(&text, &runs).ends_with("was measured on different corpora"));
    runs[1].cases.remove(bounded);
    assert!(why(&text, &runs).ends_with("does not have sync/cold:bounded"));
    let elsewhere = limit("ceiling = \"8 MiB\"\nplatform = \"*-macos\"");
    assert_eq!(why(&elsewhere, &runs), "it is in force in 0 of the runs, and 3 are needed");
    let mut mixed = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    mixed[1].environment.platform = "aarch64-macos".to_owned();
    let here = limit("ceiling = \"8 MiB\"\nplatform = \"*-linux\"");
    assert_eq!(why(&here, &mixed), "it is in force in 2 of the runs, and 3 are needed");
    let never = text.replace(BOUNDED, "sync/never:bounded");
    assert_eq!(why(&never, &runs), "no run has such a case");
}

#[test]
fn a_ceiling_that_is_tight_stays() {
    let runs = [run(1, 7.25), run(2, 7.25), run(3, 7.25)];
    assert_eq!(
        why(&limit("ceiling = \"8 MiB\""), &runs),
        "it is tight already, 7.25 MiB with 10 % of headroom is 7.98 MiB"
    );
}

#[test]
fn one_run_given_three_times_confirms_once() {
    let runs = [run(1, 3.0), run(2, 3.0), run(2, 3.0)];
    let error = |runs: &[Run]| {
        let text = limit("ceiling = \"8 MiB\"");
        ratchet(&text, Path::new(FILE), runs, &terms()).unwrap_err().to_string()
    };
    assert!(error(&runs).ends_with("two of the runs began at 2026-01-02T03:04:05Z: a run confirms once"));
    assert!(error(&runs[..2]).contains("2 runs were given"));
}

#[test]
fn the_largest_sample_counts_and_not_the_median() {
    let mut runs = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    let case = runs[2].cases.iter_mut().find(|case| case.case == BOUNDED).unwrap();
    case.metrics.get_mut("heap.peak_bytes").unwrap().samples.push(6.0 * MIB);
    let text = ratcheted(&limit("ceiling = \"8 MiB\""), &runs).text;
    assert!(text.contains("ceiling = \"6.6 MiB\""), "{text}");
}

#[test]
fn a_sum_is_never_broken_and_its_whole_follows_its_parts() {
    let sum = |slack: &str| {
        let part = limit("ceiling = \"40 MiB\"");
        let whole = limit("ceiling = \"50 MiB\"").replace("heap.peak", "rss.peak");
        format!(
            "{whole}{part}[[sum]]\ncase = \"{BOUNDED}\"\nparts = [\"heap.peak_bytes\"]\nslack = \"{slack}\"\nwithin = \"rss.peak_bytes\"\nreason = \"so\"\n"
        )
    };
    let runs = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    let fits = ratcheted(&sum("1 MiB"), &runs);
    assert!(fits.looked.iter().all(|looked| matches!(looked.outcome, Outcome::Tightened { .. })), "{fits:?}");
    let tight = ratcheted(&sum("10 MiB").replace("10 MiB", "22 MiB").replace("50 MiB", "62 MiB"), &runs);
    let Outcome::Stays { why } = &tight.looked[0].outcome else { panic!("{tight:?}") };
    assert!(why.contains("the ceilings of the parts") && why.contains("more than the"), "{why}");
    assert!(matches!(tight.looked[1].outcome, Outcome::Tightened { .. }));
}

#[test]
fn limits_in_a_list_of_inline_tables_are_tightened_too() {
    let text = "budget = [\n  # ours\n  { case = \"sync/cold:bounded\", metric = \"heap.peak_bytes\", ceiling = \"8 MiB\", reason = \"small\" },\n]\n";
    let runs = [run(1, 3.0), run(2, 3.0), run(3, 3.0)];
    let text = ratcheted(text, &runs).text;
    assert!(text.contains("  # ours\n") && text.contains("ceiling = \"3.3 MiB\""), "{text}");
}

proptest! {
    #[test]
    fn a_ceiling_never_becomes_looser(
        figures in prop::collection::vec(0.0f64..1e12, 3..6),
        ceiling in 0u64..1_000_000_000_000,
        headroom in 0.0f64..300.0,
    ) {
        let runs: Vec<Run> =
            figures.iter().zip(1..).map(|(figure, day)| run(day, figure.round() / MIB)).collect();
        let text = limit(&format!("ceiling = {ceiling}"));
        let terms = Terms { headroom_percent: headroom, ..terms() };
        let after = ratchet(&text, Path::new(FILE), &runs, &terms).unwrap().text;
        let budgets = Budgets::parse(&after, Path::new(FILE)).unwrap();
        let Limit::Ceiling(new) = budgets.budgets[0].limit else { panic!("the limit was a ceiling") };
        prop_assert!(new <= ceiling as f64, "{ceiling} became {new}");
        let largest = figures[figures.len() - 3..].iter().copied().fold(0.0, f64::max).round();
        prop_assert!(new == ceiling as f64 || new >= largest, "{new} is broken by {largest}");
    }
}
