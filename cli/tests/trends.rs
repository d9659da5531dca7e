//! `highwater history trend`, `drift` and `releases` on a history of forty runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use harness::record::{Artifact, Corpus, Direction, Environment, Tier, Unit, Verdict};
use reports::history::entry::{Case, Change, Entry, Point, SCHEMA};
use reports::history::store::{Store, Target};
use tempfile::TempDir;

const MIB: f64 = 1_048_576.0;
/// From this run on the heap is larger by a tenth.
const STEP: usize = 25;

/// The run of a day in January or February; those of the 10th and the 30th day are releases.
fn entry(day: usize) -> Entry {
    let time = jiff::civil::date(2026, 1, 1).checked_add(jiff::Span::new().days(day as i64)).unwrap();
    let heap = Point {
        metric: "heap.peak_bytes".to_owned(),
        tier: Tier::Exact,
        unit: Unit::Bytes,
        direction: Direction::Lower,
        median: if day < STEP { 10.0 * MIB } else { 11.0 * MIB },
        range: None,
        limit: Some(16.0 * MIB),
    };
    let entry = Entry {
        schema: SCHEMA,
        id: String::new(),
        time: format!("{time}T12:00:00Z"),
        artifact: Artifact {
            version: "0.1.0".to_owned(),
            commit: Some(format!("c0ffe{day:02}{}", "0".repeat(33))),
            tag: [(10, "v1"), (30, "v2")].iter().find(|(of, _)| *of == day).map(|(_, tag)| (*tag).to_owned()),
            dirty: Some(false),
        },
        change: Change {
            branch: Some(if day == 0 { "other" } else { "main" }.to_owned()),
            subject: Some(format!("\u{1b}[31mchange {day} <script>")),
            ..Change::default()
        },
        environment: Environment::default(),
        verdict: Verdict::Pass,
        cases: vec![Case {
            case: "sync/cold:bounded".to_owned(),
            corpus: Some(Corpus { profile: "heavy".to_owned(), scale: 0.1, seed: 1, ..Corpus::default() }),
            points: vec![heap],
            ..Case::default()
        }],
    };
    Entry { id: entry.digest(), ..entry }
}

/// A history of so many runs.
fn history(runs: usize) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("history.db");
    let mut store = Store::open(&Target::from(path.as_path())).unwrap();
    for day in 0..runs {
        store.add(&entry(day)).unwrap();
    }
    (folder, path)
}

fn highwater(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("highwater").unwrap();
    command.arg("history").args(arguments).arg("--store").arg(store).env_remove("HIGHWATER_STORE");
    command
}

fn said(store: &Path, arguments: &[&str]) -> String {
    let done = highwater(store, arguments).assert().code(0);
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

#[test]
fn a_trend_names_the_commits_between_two_levels_in_every_form() {
    let (_folder, store) = history(40);
    let text = said(&store, &["trend"]);
    assert!(text.contains("40 runs from 2026-01-01 to 2026-02-09, 1 series."), "{text}");
    assert!(text.contains("+10.0 %  10 MiB -> 11 MiB  c0ffe24..c0ffe25"), "{text}");
    assert!(text.contains("change 25 <script>") && !text.contains('\u{1b}'), "{text}");
    let markdown = said(&store, &["trend", "--format", "markdown"]);
    assert!(markdown.starts_with("# Trends\n") && !markdown.contains("<script"), "{markdown}");
    let html = said(&store, &["trend", "--format", "html"]);
    assert!(html.contains("<svg") && !html.contains("<script"), "{html}");
    let json: serde_json::Value =
        serde_json::from_str(&said(&store, &["trend", "--format", "json"])).unwrap();
    assert_eq!(json["series"][0]["steps"][0]["commits"], "c0ffe24..c0ffe25");
    assert_eq!(json["series"][0]["values"].as_array().unwrap().len(), 40);
}

#[test]
fn what_is_chosen_is_shown_and_what_is_not_there_is_said() {
    let (_folder, store) = history(40);
    assert!(said(&store, &["trend", "--branch", "main"]).contains("39 runs from 2026-01-02"));
    assert!(
        said(&store, &["trend", "sync/*", "--metric", "heap.*", "--last", "5"])
            .contains("5 runs from 2026-02-05")
    );
    assert!(said(&store, &["trend", "--min-change", "11"]).contains("0 changes of level"));
    let nothing = highwater(&store, &["trend", "watch/*"]).assert().code(0);
    let stderr = String::from_utf8_lossy(&nothing.get_output().stderr).into_owned();
    assert!(stderr.contains("no run of the history has figures of cases \"watch/*\""), "{stderr}");
    highwater(&store, &["trend", "--min-change", "-1"]).assert().code(2);
    highwater(&store, &["trend", "--weeks", "0.5"]).assert().code(2);
}

#[test]
fn drift_and_releases_compare_with_the_release() {
    let (_folder, store) = history(40);
    let drift = said(&store, &["drift", "--since", "v1"]);
    assert!(
        drift.contains("sync/cold:bounded heap.peak_bytes  10 MiB  11 MiB  +10.0 %  v1 10 MiB"),
        "{drift}"
    );
    assert!(said(&store, &["drift"]).contains("Drift since v2\n"));
    let release = said(&store, &["releases"]);
    assert!(release.starts_with("Release v2\n") && release.contains("Worse than v1\n"), "{release}");
    assert!(said(&store, &["releases", "v1"]).contains("It is the first release of the history"));
    let json: serde_json::Value =
        serde_json::from_str(&said(&store, &["releases", "--format", "json"])).unwrap();
    assert_eq!(json["last"]["than"]["tag"], "v1");
}

#[test]
fn without_a_release_or_a_history_it_is_said_what_to_do() {
    let (folder, store) = history(5);
    let refused = |store: &Path, arguments: &[&str]| {
        let done = highwater(store, arguments).assert().code(2);
        String::from_utf8_lossy(&done.get_output().stderr).into_owned()
    };
    let said = refused(&store, &["drift"]);
    assert!(said.contains("no run of the history is of a release: add runs of tagged commits"), "{said}");
    let said = refused(&store, &["releases", "v7"]);
    assert!(said.contains("no run of the history has the tag v7; those that are there: none"), "{said}");
    let said = refused(&folder.path().join("missing.db"), &["trend"]);
    assert!(said.contains("missing.db"), "{said}");
}
