//! The family `view`: budgets that hold and tripwires that break, growth between two builds, and a model of one's own.

mod bench;

use std::fmt::Write as _;
use std::path::Path;

use bench::{call, case, folder, highwater, judged, metric, temporary};
use serde_json::{Value, json};

/// What is left out takes many seconds.
const CASES: [&str; 13] = [
    "view/revisit:bounded",
    "view/sweep",
    "view/delete",
    "view/late",
    "view/window:bounded",
    "view/window:as-proposed",
    "view/giant-turn",
    "view/edits:bounded",
    "view/bash",
    "view/tools",
    "view/screenshots",
    "view/strings",
    "view/kept",
];

#[test]
fn the_bounded_view_holds_its_budgets_and_the_others_break_them() {
    let out = temporary();
    let run = judged(&CASES, out.path());
    assert_eq!(run["verdict"], "pass");
    // The harness finds the tools that a table lacks.
    let notes = |of: &str| case(&run, of)["notes"].to_string();
    let (five, thirteen) = (notes("view/tools:as-reported"), notes("view/tools:upstream"));
    for tool in ["webfetch", "task", "github_search_issues", "lsp"] {
        assert!(five.contains(&format!("texts of {tool} are cut: present")), "{tool}: {five}");
    }
    assert!(thirteen.contains("texts of webfetch are cut: absent"), "{thirteen}");
    assert!(thirteen.contains("texts of github_search_issues are cut: present"), "{thirteen}");
    // A control is no leak.
    assert!(!notes("view/revisit:bounded").contains(": a leak"), "{}", notes("view/revisit:bounded"));
}

/// Cases of which two builds are compared: those whose peak does not need seconds.
const COMPARED: [&str; 3] = ["view/window:bounded", "view/edits:bounded", "view/minutes:bounded"];
const SEEDS: u32 = 7;

fn run(seed: u32, budgets: &Path, out: &Path, more: &[&str]) -> bench::Said {
    let mut command = highwater(&["run", "--profile", "smoke", "--instrument", "count", "--corpora"]);
    command.arg(folder("corpora")).arg("--budgets").arg(budgets).arg("--out").arg(out);
    command.args(["--seed", &seed.to_string()]).args(COMPARED).args(more);
    call(command)
}

/// What a run says of its cases, without what no two runs have in common.
fn exact(out: &Path) -> Value {
    let run = bench::json(&out.join("run.json"));
    let cases = run["cases"].as_array().expect("a run has cases");
    let exact = cases.iter().map(|case| {
        let metrics = case["metrics"].as_object().expect("a case has metrics");
        let exact: Vec<_> = metrics.iter().filter(|(_, metric)| metric["tier"] != "noisy").collect();
        json!({"case": case["case"], "corpus": case["corpus"], "metrics": exact, "notes": case["notes"]})
    });
    exact.collect()
}

#[test]
fn three_percent_of_growth_are_noticed_for_every_seed_and_nothing_else_is() {
    let folder = temporary();
    let budgets = folder.path().join("budgets.toml");
    let mut text = String::new();
    for case in COMPARED {
        let limit = "metric = \"heap.peak_bytes\"\ngrowth = \"2 %\"\nreason = \"a test\"\n";
        writeln!(text, "[[budget]]\ncase = \"{case}\"\n{limit}").expect("text can be written");
    }
    std::fs::write(&budgets, text).expect("budgets can be written");
    for seed in 1..=SEEDS {
        let (first, again, grown) =
            (folder.path().join("first"), folder.path().join("again"), folder.path().join("grown"));
        // Without a base nothing of it can be judged yet.
        run(seed, &budgets, &first, &[]);
        let base = first.join("run.json");
        let base = base.to_str().expect("a path of a test is text");
        run(seed, &budgets, &again, &["--baseline", base]).expect(0);
        assert_eq!(exact(&first).to_string(), exact(&again).to_string(), "seed {seed}");
        let first = bench::json(&first.join("run.json"));
        let largest = COMPARED.map(|case| metric(&first, case, "heap.peak_bytes"));
        let planted = largest.into_iter().fold(0.0, f64::max) * 0.03;
        let planted = format!("retain:bytes={},first=1", planted.ceil());
        run(seed, &budgets, &grown, &["--baseline", base, "--inject", &planted]).expect(1);
        let grown = bench::json(&grown.join("run.json"));
        for name in COMPARED {
            let verdicts = case(&grown, name)["verdicts"].to_string();
            assert!(verdicts.contains("regression"), "seed {seed}, {name}: {verdicts}");
        }
    }
}

#[test]
fn a_model_of_a_browser_can_be_replaced_and_a_wrong_one_is_refused() {
    let folder = temporary();
    let model = folder.path().join("model.toml");
    let with = |text: &str| {
        std::fs::write(&model, text).expect("a model can be written");
        let out = folder.path().join("out");
        let budgets = folder.path().join("budgets.toml");
        let limit = "[[budget]]\ncase = \"view/giant-turn:bounded\"\nmetric = \"scenario.rows_at_open\"\nceiling = 12\nreason = \"a test\"\n";
        std::fs::write(&budgets, limit).expect("budgets can be written");
        let mut command = highwater(&["run", "--profile", "smoke", "--instrument", "count", "--corpora"]);
        command.arg(bench::folder("corpora")).arg("--budgets").arg(budgets).arg("--out").arg(&out);
        command.arg("--model").arg(&model).arg("view/giant-turn:bounded");
        (call(command), out)
    };
    let nodes = |out: &Path| {
        metric(&bench::json(&out.join("run.json")), "view/giant-turn:bounded", "scenario.model_node_bytes")
    };
    let (said, out) = with("");
    said.expect(0);
    let built_in = nodes(&out);
    let (said, out) = with("node_bytes = 1536.0\n");
    said.expect(0);
    assert!((nodes(&out) / built_in - 2.0).abs() < 0.001);
    let (said, _) = with("node_bites = 1.0\n");
    said.expect(2).complains(&["model.toml", "node_bites"]);
    let (said, _) = with("ceiling_bytes = -1.0\n");
    said.expect(2).complains(&["model.toml", "ceiling_bytes"]);
}
