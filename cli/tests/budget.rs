//! `highwater budget`: a first file, tighter ceilings, explanations and exceptions, and what the gate makes of each.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bench::{Said, call, folder, highwater, json, temporary};
use serde_json::Value;

const CASE: &str = "exec/true:as-given";

/// A run of a command that does nothing, with so few samples that no growth could be judged.
fn measured() -> &'static Value {
    static RUN: OnceLock<Value> = OnceLock::new();
    RUN.get_or_init(|| {
        let out = folder("budget-of-true");
        let mut command = highwater(&["exec", "--samples", "2", "--instrument", "os", "--out"]);
        command.arg(&out).args(["--", "true"]);
        call(command).expect(0);
        json(&out.join("run.json"))
    })
}

/// A folder with runs and budgets, in which the program is called.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: temporary() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The measured run, begun on that day.
    fn run(&self, day: u32) -> String {
        let mut run = measured().clone();
        run["time"] = format!("2026-01-{day:02}T00:00:00Z").into();
        let name = format!("run-{day}.json");
        fs::write(self.path(&name), run.to_string()).unwrap();
        name
    }

    fn call(&self, arguments: &[&str]) -> Said {
        let mut command = highwater(arguments);
        command.current_dir(self.folder.path());
        call(command)
    }

    fn budgets(&self) -> String {
        fs::read_to_string(self.path("budgets.toml")).unwrap()
    }

    fn limit(&self, ceiling: &str) {
        let text = format!(
            "# ours\n[[budget]]\ncase = \"{CASE}\"\nmetric = \"rss.peak_bytes\"\nceiling = \"{ceiling}\" # of memory\nreason = \"small\"\n"
        );
        fs::write(self.path("budgets.toml"), text).unwrap();
    }

    /// A waiver of the limit until a day.
    fn waive(&self, ceiling: &str, expires: &str) -> Said {
        let what = ["budget", "waive", CASE, "rss.peak_bytes", "--ceiling", ceiling];
        let who = ["--issue", "#7", "--owner", "ada", "--expires", expires, "--budgets", "budgets.toml"];
        self.call(&[&what[..], &who].concat())
    }
}

fn is_only(folder: &Path, name: &str) -> bool {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let budgets = names.filter(|other| other.to_string_lossy().contains("budgets"));
    budgets.collect::<Vec<_>>() == [name]
}

#[test]
fn a_first_file_is_written_once_and_the_gate_is_green_by_it() {
    let desk = Desk::new();
    let run = desk.run(1);
    let said = desk.call(&["budget", "init", &run]).expect(0);
    assert_eq!(said.out, "wrote budgets.toml: 1 limit\n");
    assert!(is_only(desk.folder.path(), "budgets.toml"));
    let first = desk.budgets();
    assert!(first.contains("on 2026-01-01; headroom 10 %"), "{first}");
    desk.call(&["gate", &run, "--budgets", "budgets.toml"]).expect(0);

    let again = ["budget", "init", &run, "--headroom", "50"];
    desk.call(&again).expect(2).complains(&["budgets.toml exists already", "--force"]);
    assert_eq!(desk.budgets(), first);
    desk.call(&[&again[..], &["--force"]].concat()).expect(0);
    assert!(desk.budgets().contains("headroom 50 %"));
}

#[test]
fn no_file_is_made_of_a_run_that_failed() {
    let desk = Desk::new();
    desk.call(&["exec", "--samples", "1", "--instrument", "os", "--out", "out", "--", "false"]).expect(2);
    desk.call(&["budget", "init", "out"])
        .expect(2)
        .complains(&["there is nothing to limit: exec/false:as-given"]);
    assert!(!desk.path("budgets.toml").exists());
}

#[test]
fn three_runs_tighten_a_ceiling_and_two_do_not() {
    let desk = Desk::new();
    desk.limit("1 GiB");
    let before = desk.budgets();
    let runs = [1, 2, 3].map(|day| desk.run(day));
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let ratchet = |options: &[&str], runs: &[&str]| {
        desk.call(&[&["budget", "ratchet", "--budgets", "budgets.toml"], options, runs].concat())
    };
    ratchet(&[], &runs[..2]).expect(2).complains(&["2 runs were given", "after 3 in a row"]);
    let dry = ratchet(&["--dry-run"], &runs).expect(0);
    assert!(
        dry.out.starts_with(&format!("tightened: line 2, {CASE} rss.peak_bytes, from 1 GiB to ")),
        "{}",
        dry.out
    );
    assert_eq!(desk.budgets(), before);
    ratchet(&[], &runs).expect(0);
    let after = desk.budgets();
    assert!(after.contains(" # of memory\nreason = \"small (ratcheted from 1 GiB on "), "{after}");
    desk.call(&["gate", runs[2], "--budgets", "budgets.toml"]).expect(0);
    let said = ratchet(&[], &runs).expect(0);
    assert!(
        said.out.contains("it is tight already") && said.err.contains("budgets.toml is as it was"),
        "{said:?}"
    );
    assert_eq!(desk.budgets(), after);
}

#[test]
fn a_waived_limit_is_green_and_shown_as_debt() {
    let desk = Desk::new();
    desk.limit("1 KiB");
    let run = desk.run(1);
    let gate = || desk.call(&["gate", &run, "--budgets", "budgets.toml"]);
    gate().expect(1);
    let before = desk.budgets();
    desk.waive("1 KiB", "30d").expect(2).complains(&["line 2 allows 1 KiB", "excuses nothing"]);
    desk.waive("1 GiB", "2020-01-31").expect(2).complains(&["would have expired already"]);
    desk.waive("1 GiB", "400d").expect(2).complains(&["longer than the 366 days"]);
    desk.waive("1 GiB", "soon").expect(2).complains(&["--expires soon: write a day"]);
    assert_eq!(desk.budgets(), before);

    let said = desk.waive("1 GiB", "30d").expect(0);
    assert!(
        said.out.contains(&format!("budgets.toml:8: {CASE} rss.peak_bytes is waived up to 1 GiB")),
        "{}",
        said.out
    );
    assert!(desk.budgets().starts_with(&before));
    let said = gate().expect(0);
    assert!(said.out.contains("waived: 1 limit judged") && said.out.contains("  debt: "), "{}", said.out);
    desk.waive("1 GiB", "60d").expect(2).complains(&["line 8 has a waiver"]);
}

#[test]
fn a_waiver_that_is_broken_too_fails() {
    let desk = Desk::new();
    desk.limit("1 KiB");
    let run = desk.run(1);
    desk.waive("2 KiB", "30d").expect(0);
    let said = desk.call(&["gate", &run, "--budgets", "budgets.toml"]).expect(1);
    assert!(said.out.contains("beyond its waiver's 2 KiB"), "{}", said.out);
}

#[test]
fn a_limit_is_explained_with_its_line_and_what_is_left() {
    let desk = Desk::new();
    desk.limit("1 GiB");
    let run = desk.run(1);
    let explain =
        |case: &str| desk.call(&["budget", "explain", case, "--budgets", "budgets.toml", "--run", &run]);
    let said = explain("exec/*").expect(0).out;
    for part in [CASE, "at most 1 GiB", "[budgets.toml:2]", "because: small", " of 1 GiB, 99 % left; pass"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    explain("exec/other:as-given").expect(2).complains(&["no case is named \"exec/other:as-given\""]);
}

#[test]
fn the_budgets_that_are_built_in_are_explained_and_not_changed() {
    let desk = Desk::new();
    let said = desk.call(&["budget", "explain", "sync/cold:bounded"]).expect(0).out;
    assert!(said.contains("at most heap.bound_bytes") && said.contains("[the budgets built in:"), "{said}");
    let run = desk.run(1);
    desk.call(&["budget", "ratchet", "--confirm", "1", &run]).expect(2).complains(&["--budgets"]);
}
