//! `highwater run` and the verbs that read what it wrote: exit codes, files, and what is printed.

mod bench;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bench::{Said, call, corpus, folder, highwater, json, temporary};
use serde_json::Value;

const GENEROUS: &str = r#"
[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "64 MiB"
reason = "far above what it needs"

[[budget]]
case = "sync/cold:as-reported"
metric = "heap.peak_bytes"
ceiling = "1 KiB"
tripwire = true
reason = "nothing stays below this"
"#;

const TIGHT: &str = r#"
[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "1 KiB"
reason = "nothing stays below this"
"#;

const BLIND: &str = r#"
[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "64 GiB"
tripwire = true
reason = "nothing reaches this"
"#;

/// A run of `cases` on the shared corpus, judged by these budgets; gives its folder too.
fn run(cases: &[&str], budgets: &str, out: &Path) -> Said {
    std::fs::create_dir_all(out).expect("a directory can be made");
    let file = out.join("budgets.toml");
    std::fs::write(&file, budgets).expect("budgets can be written");
    let mut command = highwater(&["run", "--profile", "smoke", "--corpora"]);
    command.arg(folder("corpora")).arg("--budgets").arg(file).arg("--out").arg(out).args(cases);
    call(command)
}

/// One run of every case of `sync`, which the tests of this file share; gives its folder. `snapshots` has a file of its own.
fn whole_run() -> &'static Path {
    static RUN: OnceLock<(PathBuf, Said)> = OnceLock::new();
    let (out, said) = RUN.get_or_init(|| {
        corpus();
        let out = folder("whole-run");
        let _ = std::fs::remove_dir_all(&out);
        // A short sweep, so that the tests need no large corpora.
        let said = run(&["--sweep", "8..128", "sync/*"], GENEROUS, &out);
        (out, said)
    });
    assert_eq!(said.code, Some(0), "out: {}\nerr: {}", said.out, said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    out
}

fn cases(run: &Path) -> Vec<Value> {
    json(&run.join("run.json"))["cases"].as_array().expect("a run has cases").clone()
}

fn name(case: &Value) -> &str {
    case["case"].as_str().expect("a case has a name")
}

fn judged(budgets: &str, run: &Path) -> Said {
    let directory = temporary();
    let file = directory.path().join("budgets.toml");
    std::fs::write(&file, budgets).expect("budgets can be written");
    let mut command = highwater(&["gate"]);
    command.arg(run).arg("--budgets").arg(file);
    call(command)
}

#[test]
fn a_run_of_every_case_of_sync_on_smoke_measures_all_of_them_and_exits_0() {
    let run = whole_run();
    let cases = cases(run);
    let failed: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{}: {}", name(case), case.get("error")?))).collect();
    assert_eq!(failed, Vec::<String>::new());
    let listed = call(highwater(&["list", "scenarios"])).expect(0).out;
    let scenarios: Vec<&str> = listed.split_whitespace().filter(|word| word.starts_with("sync/")).collect();
    assert!(scenarios.len() >= 7, "{listed}");
    for scenario in scenarios {
        assert!(
            cases.iter().any(|case| name(case).starts_with(&format!("{scenario}:"))),
            "{scenario} was not run"
        );
    }
}

#[test]
fn a_law_is_measured_at_five_growing_sizes_with_the_answer_of_each() {
    let cases = cases(whole_run());
    let laws: Vec<&Value> = cases.iter().filter(|case| name(case).starts_with("sync/law:")).collect();
    assert_eq!(laws.len(), 3);
    for case in laws {
        let points = case["sweep"].as_array().expect("the case has a sweep");
        let sessions: Vec<u64> =
            points.iter().map(|point| point["corpus"]["sessions"].as_u64().unwrap()).collect();
        assert_eq!(sessions, [8, 16, 32, 64, 128], "{}", name(case));
        for (point, sessions) in points.iter().zip(sessions) {
            let metric = |name: &str| &point["metrics"][name];
            assert_eq!(
                metric("engine.sessions")["samples"],
                serde_json::json!([sessions, sessions, sessions].map(|n| n as f64))
            );
            assert_eq!(metric("heap.peak_bytes")["samples"].as_array().map(Vec::len), Some(2));
            assert_eq!(metric("rss.peak_bytes")["samples"].as_array().map(Vec::len), Some(1));
        }
        assert_eq!(case["corpus"], points[4]["corpus"]);
        assert_eq!(case["metrics"], points[4]["metrics"]);
    }
    let peak = |strategy: &str, at: usize| {
        let case = cases.iter().find(|case| name(case) == format!("sync/law:{strategy}")).unwrap();
        case["sweep"][at]["metrics"]["heap.peak_bytes"]["median"].as_f64().unwrap()
    };
    let growth = |strategy: &str| (peak(strategy, 4) - peak(strategy, 0)) / 120.0;
    assert!(
        growth("bounded") < 1024.0 && growth("as-reported") > 4096.0,
        "{} and {}",
        growth("bounded"),
        growth("as-reported")
    );
}

#[test]
fn a_host_that_stays_up_marks_its_ticks_on_a_corpus_of_its_own() {
    for strategy in ["as-reported", "bounded"] {
        let cases = cases(whole_run());
        let case = cases.iter().find(|case| name(case) == format!("sync/idle:{strategy}")).unwrap();
        assert_eq!(case["corpus"]["profile"], "steady");
        let churn = &case["metrics"]["heap.churn_bytes_per_tick"];
        assert!(churn["tier"] == "exact" && churn["median"].as_f64() > Some(0.0), "{churn}");
        // Three sessions were added to the 32 before the first tick.
        assert_eq!(case["metrics"]["engine.sessions"]["median"].as_f64(), Some(35.0));
    }
}

#[test]
fn what_must_not_matter_moves_the_bounded_peak_by_an_exact_few_bytes() {
    let cases = cases(whole_run());
    let case = cases.iter().find(|case| name(case) == "sync/metamorphic:bounded").unwrap();
    let moved = &case["metrics"]["metamorphic.moved_bytes"];
    assert!(moved["tier"] == "exact" && moved["median"].as_f64() < Some(8192.0), "{moved}");
    let notes: Vec<&str> = case["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for variant in
        ["workspaces in reverse order: ", "a workspace split in two: ", "longer names: +", "shorter names: -"]
    {
        assert!(notes.iter().any(|note| note.starts_with(variant)), "{notes:?}");
    }
}

#[test]
fn a_run_writes_its_schema_first_and_a_report_beside() {
    let text = std::fs::read_to_string(whole_run().join("run.json")).unwrap();
    let first = text.trim_start_matches(['{', ' ', '\n']);
    assert!(first.starts_with("\"schema\": 1,"), "{}", &text[..80]);
    let report = std::fs::read_to_string(whole_run().join("report.md")).unwrap();
    for part in ["sync/cold:bounded", "sync/cold:as-reported", "tripwire"] {
        assert!(report.contains(part), "{part} is not in the report");
    }
}

#[test]
fn every_strategy_delivers_the_sessions_that_the_manifest_counts() {
    let mut seen = 0;
    for case in cases(whole_run()) {
        let scenario = name(&case).split(':').next().unwrap();
        if ["sync/cold", "sync/warm", "sync/migrate"].contains(&scenario) {
            let sessions = case["metrics"]["engine.sessions"]["median"].as_f64();
            assert_eq!(sessions, Some(corpus().sessions() as f64), "{}", name(&case));
            seen += 1;
        }
    }
    assert!(seen >= 13, "only {seen} cases count sessions");
}

#[test]
fn a_run_leaves_nothing_but_its_reports() {
    let mut names: Vec<String> = std::fs::read_dir(whole_run())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["budgets.toml", "junit.xml", "report.html", "report.md", "run.json"]);
}

#[test]
fn a_limit_that_is_not_kept_exits_1_and_says_why_it_is_there() {
    corpus();
    let out = temporary();
    let said = run(&["sync/cold:bounded", "--instrument", "count"], TIGHT, out.path()).expect(1);
    assert!(said.out.contains("nothing stays below this"), "{}", said.out);
    assert_eq!(json(&out.path().join("run.json"))["verdict"], "regression");
    judged(TIGHT, out.path()).expect(1);
    judged(GENEROUS, out.path()).expect(0);
}

#[test]
fn a_tripwire_that_keeps_its_limit_exits_2() {
    corpus();
    let out = temporary();
    let said = run(&["sync/cold:bounded", "--instrument", "count"], BLIND, out.path()).expect(2);
    assert!(said.out.contains("blind"), "{}", said.out);
    judged(BLIND, out.path()).expect(2);
}

#[test]
fn a_run_that_no_budget_is_about_is_not_green() {
    corpus();
    let out = temporary();
    let said = run(&["sync/warm:bounded", "--instrument", "count"], TIGHT, out.path()).expect(2);
    assert!(said.out.contains("nothing"), "{}", said.out);
}

#[test]
fn mistakes_in_budgets_are_named_with_file_and_line_before_the_work() {
    let out = temporary();
    for (from, to, complaint) in [
        ("sync/cold:bounded", "sync/cold:unbounded", "sync/cold:unbounded"),
        ("heap.peak_bytes", "heap.peek_bytes", "heap.peek_bytes"),
        ("reason", "raeson", "raeson"),
        ("1 KiB", "1 KiBy", "1 KiBy"),
    ] {
        let said = run(&["sync/cold:bounded"], &TIGHT.replace(from, to), out.path()).expect(2);
        let said = said.complains(&[complaint]);
        let lines = (2..=6).map(|line| format!("budgets.toml:{line}"));
        assert!(lines.into_iter().any(|place| said.err.contains(&place)), "{}", said.err);
        assert!(!out.path().join("run.json").exists(), "the work was done");
    }
    let file = out.path().join("nosuch.toml");
    let mut command = highwater(&["run", "--profile", "smoke", "--budgets"]);
    command.arg(file).arg("--out").arg(out.path());
    call(command).expect(2).complains(&["nosuch.toml"]);
}

#[test]
fn what_does_not_exist_is_named_with_what_to_do() {
    let out = temporary();
    let missing = out.path().join("nosuch");
    let run = |arguments: &[&str]| {
        let mut command = highwater(&["run"]);
        command.args(arguments).arg("--out").arg(out.path());
        call(command).expect(2)
    };
    run(&["nosuch"]).complains(&["nosuch", "highwater list scenarios"]);
    run(&["sync/cold:nosuch"]).complains(&["sync/cold:nosuch"]);
    run(&["--home", missing.to_str().unwrap()]).complains(&["nosuch", "not a directory", "--home"]);
    run(&["--sweep", "32..33"]).complains(&["32..33", "32..1024"]);
    run(&["--profile", "nosuch"]).complains(&["nosuch", "smoke", "heavy"]);
    run(&["--instrument", "nosuch"]).complains(&["nosuch", "count"]);
    run(&["--lattice", "sync/warm"]).complains(&["sync/warm", "sync/cold", "snapshots/idle"]);
    call(highwater(&["nosuch"])).expect(2).complains(&["nosuch"]);
    assert!(std::fs::read_dir(out.path()).unwrap().next().is_none(), "something was written");
}

#[test]
fn a_persons_own_home_is_measured_and_left_as_it_was() {
    let out = temporary();
    let mut command = highwater(&["run", "sync/cold:bounded", "sync/cold:as-reported", "--home"]);
    command.arg(corpus().home()).arg("--out").arg(out.path());
    let said = call(command).expect(0);
    assert!(said.out.contains("no budgets"), "{}", said.out);
    for case in cases(out.path()) {
        assert_eq!(case.get("error"), None);
        assert_eq!(case["metrics"]["engine.sessions"]["median"].as_f64(), Some(corpus().sessions() as f64));
    }
    call_on("corpus verify", &corpus().root).expect(0);
}

fn call_on(verb: &str, path: &Path) -> Said {
    let words: Vec<&str> = verb.split(' ').collect();
    let mut command = highwater(&words);
    command.arg(path);
    call(command)
}

#[test]
fn saved_runs_are_gated_compared_and_reported_again() {
    let run = whole_run();
    let gated = judged(GENEROUS, run).expect(0);
    assert!(gated.out.contains("sync/cold") && gated.out.contains("bounded"), "{}", gated.out);

    let mut command = highwater(&["compare"]);
    command.arg(run).arg(run.join("run.json"));
    let compared = call(command).expect(0).out;
    assert!(compared.contains("heap.peak_bytes"), "{compared}");

    let report = |form: &str| {
        let mut command = highwater(&["report", "--form", form]);
        command.arg(run);
        call(command).expect(0).out
    };
    assert_eq!(report("markdown"), std::fs::read_to_string(run.join("report.md")).unwrap());
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report("html") == page, "report.html is another page than the one that is printed");
    assert_eq!(serde_json::from_str::<Value>(&report("json")).unwrap(), json(&run.join("run.json")));
    assert!(report("text").contains("sync/cold"));
}

#[test]
fn a_torn_run_is_an_error_of_its_own_and_not_a_verdict() {
    let directory = temporary();
    let whole = std::fs::read(whole_run().join("run.json")).unwrap();
    let path = directory.path().join("run.json");
    for end in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 3] {
        std::fs::write(&path, &whole[..end]).unwrap();
        for verb in ["gate", "report", "report --form markdown", "report --form json"] {
            let said = call_on(verb, directory.path()).expect(2).complains(&["run.json"]);
            assert!(said.out.is_empty(), "{}", said.out);
        }
    }
    std::fs::write(&path, String::from_utf8(whole).unwrap().replacen("\"schema\": 1", "\"schema\": 999", 1))
        .unwrap();
    call_on("gate", &path).expect(2).complains(&["999"]);
    call_on("gate", &directory.path().join("nosuch")).expect(2).complains(&["nosuch", "highwater run"]);
}

#[test]
fn a_growth_limit_is_judged_against_a_saved_baseline() {
    corpus();
    let out = temporary();
    let growth = TIGHT.replace("ceiling = \"1 KiB\"", "growth = 0");
    let baseline = out.path().join("baseline.json");
    let path = baseline.to_str().unwrap();
    run(&["sync/cold:bounded", "--instrument", "count", "--save-baseline", path], GENEROUS, out.path())
        .expect(0);
    let mut command = highwater(&["gate", "--baseline", path, "--budgets"]);
    let budgets = out.path().join("growth.toml");
    std::fs::write(&budgets, growth).unwrap();
    command.arg(&budgets).arg(out.path());
    call(command).expect(0);
    let mut command = highwater(&["gate", "--baseline", "nosuch.json", "--budgets"]);
    command.arg(&budgets).arg(out.path());
    call(command).expect(2).complains(&["nosuch.json"]);
}

#[test]
fn the_lists_and_the_doctor_say_what_there_is() {
    let all = call(highwater(&["list"])).expect(0).out;
    for part in ["sync/cold", "bounded", "smoke", "heavy", "heap.peak_bytes", "jemalloc"] {
        assert!(all.contains(part), "{part} is not in: {all}");
    }
    for what in ["scenarios", "strategies", "profiles", "metrics", "instruments"] {
        assert!(all.contains(call(highwater(&["list", what])).expect(0).out.trim()), "{what}");
    }
    let doctor = call(highwater(&["doctor"])).expect(0).out;
    assert!(doctor.contains("cores") && doctor.contains("yes"), "{doctor}");
    let help = call(highwater(&["--help"])).expect(0).out;
    assert!(help.contains("Exit codes: 0 pass, 1 regression"), "{help}");
}
