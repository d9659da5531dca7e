//! `highwater gate` on what can go wrong with budgets, baselines and runs: each ends non-zero, with one clear sentence.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bench::{Said, call, corpus, folder, highwater, json, temporary};

const CASE: &str = "exec/true:as-given";

/// A saved run of a command that does nothing, which the tests of this file share; gives its run.json.
fn nothing() -> &'static Path {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| {
        let out = folder("gate-of-true");
        let mut command = highwater(&["exec", "--samples", "1", "--instrument", "os", "--out"]);
        command.arg(&out).args(["--", "true"]);
        call(command).expect(0);
        out.join("run.json")
    })
}

fn limit(case: &str, metric: &str, ceiling: &str) -> String {
    format!(
        "[[budget]]\ncase = \"{case}\"\nmetric = \"{metric}\"\nceiling = \"{ceiling}\"\nreason = \"so\"\n"
    )
}

fn waiver(metric: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\ncase = \"{CASE}\"\nmetric = \"{metric}\"\nceiling = \"1 GiB\"\nissue = \"#7\"\nowner = \"ada\"\nexpires = {expires}\n"
    )
}

/// Judges a saved run by these budgets.
fn gate(run: &Path, budgets: &str, options: &[&str]) -> Said {
    let desk = temporary();
    let file = desk.path().join("budgets.toml");
    fs::write(&file, budgets).unwrap();
    let mut command = highwater(&["gate"]);
    command.arg(run).arg("--budgets").arg(&file).args(options);
    call(command)
}

/// The one sentence of an error.
fn sentence(said: &Said) -> &str {
    let errors: Vec<&str> = said.err.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    match errors[..] {
        [only] => only,
        _ => panic!("not one sentence: {}", said.err),
    }
}

#[test]
fn a_limit_that_is_kept_is_green() {
    let said = gate(nothing(), &limit(CASE, "rss.peak_bytes", "1 GiB"), &[]).expect(0);
    assert_eq!(said.err, "");
}

#[test]
fn a_budget_on_a_metric_that_was_not_measured_is_an_error() {
    let said = gate(nothing(), &limit(CASE, "v8.heap_peak_bytes", "1 GiB"), &[]).expect(2);
    assert!(
        sentence(&said).starts_with(&format!(
            "{CASE} v8.heap_peak_bytes: v8.heap_peak_bytes of {CASE} was not measured, and a budget without samples is an error"
        )),
        "{}",
        said.err
    );
}

#[test]
fn a_renamed_case_is_an_error() {
    let of_ours = limit("sync/cold:was-renamed", "heap.peak_bytes", "1 GiB");
    let said = gate(nothing(), &of_ours, &[]).expect(2);
    assert!(
        sentence(&said).ends_with(
            "budgets.toml:1: case: no case is named \"sync/cold:was-renamed\"; `highwater list` shows those that exist"
        ),
        "{}",
        said.err
    );
    // One file may be for several commands, so that here nobody can know; but nothing was judged.
    let of_a_command = limit("exec/was-renamed:as-given", "rss.peak_bytes", "1 GiB");
    let said = gate(nothing(), &of_a_command, &[]).expect(2);
    assert_eq!(
        sentence(&said),
        "nothing was judged: no budget applies to what was measured, and a gate that measured nothing is not green"
    );
}

#[test]
fn a_missing_baseline_is_an_error() {
    let budgets = limit(CASE, "rss.peak_bytes", "1 GiB");
    let said = gate(nothing(), &budgets, &["--baseline", "no-such-baseline.json"]).expect(2);
    let said = sentence(&said);
    assert!(said.starts_with("failed to read a base from no-such-baseline.json; "), "{said}");
    assert!(said.contains("`highwater run --save-baseline`"), "{said}");
}

#[test]
fn an_empty_run_is_an_error() {
    let desk = temporary();
    let path = desk.path().join("run.json");
    let mut run = json(nothing());
    run["cases"] = serde_json::json!([]);
    fs::write(&path, run.to_string()).unwrap();
    let said = gate(&path, &limit(CASE, "rss.peak_bytes", "1 GiB"), &[]).expect(2);
    let expected =
        "run.json has no cases: nothing was measured, and a gate that measured nothing is not green";
    assert!(sentence(&said).ends_with(expected), "{}", said.err);
}

#[test]
fn an_expired_waiver_is_an_error_also_when_it_is_not_needed() {
    let kept = limit(CASE, "rss.peak_bytes", "1 GiB") + &waiver("rss.peak_bytes", "2020-01-31");
    let said = gate(nothing(), &kept, &[]).expect(2);
    assert_eq!(
        sentence(&said),
        format!(
            "{CASE} rss.peak_bytes: the waiver in line 6 expired on 2020-01-31 (ada, #7): remove it, or renew it with a reason"
        )
    );
}

#[test]
fn an_expired_waiver_excuses_nothing() {
    let broken = limit(CASE, "rss.peak_bytes", "1 KiB");
    let excused = |expires| gate(nothing(), &format!("{broken}{}", waiver("rss.peak_bytes", expires)), &[]);
    let said = excused("2020-01-31").expect(1);
    assert!(said.out.contains("; its waiver expired on 2020-01-31 (ada, #7)"), "{}", said.out);
    let said = excused("9999-12-31").expect(0);
    assert!(
        said.out.contains("debt: ") && said.out.contains("in 1 waiver, the next ends on 9999-12-31"),
        "{}",
        said.out
    );
}

#[test]
fn a_run_on_another_corpus_is_not_judged_by_the_projects_own_budgets() {
    corpus();
    let out = folder("gate-of-smoke");
    let mut command = highwater(&["run", "sync/cold:bounded", "--instrument", "count", "--profile", "smoke"]);
    command.arg("--corpora").arg(folder("corpora")).arg("--out").arg(&out);
    call(command).expect(0);
    let desk = temporary();
    let mut command = highwater(&["gate"]);
    command.arg(&out).current_dir(desk.path());
    let said = call(command).expect(2);
    assert_eq!(
        sentence(&said),
        "this run is of the profile smoke, and the budgets are those of the profile heavy: name the file of budgets that it is to be judged by with --budgets"
    );
    gate(&out, &limit("sync/cold:bounded", "heap.peak_bytes", "1 GiB"), &[]).expect(0);
}
