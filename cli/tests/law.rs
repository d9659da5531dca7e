//! A law sees what a ceiling does not see yet: real processes, with growth planted into the parse worker.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::path::Path;

use bench::{call, folder, highwater, json, temporary};

/// A block for each session, about: the worker makes 440 allocations for one. While it sends, it keeps none of its own.
const PLANTED: &str = "retain:bytes=64,first=1,every=440,role=worker-1";

const BUDGETS: &str = r#"
[[budget]]
case = "sync/law:bounded"
metric = "law.bytes_per_session@send"
ceiling = "16 B"
reason = "what is sent is one session at a time"

[[budget]]
case = "sync/law:bounded"
metric = "heap.peak_bytes@send"
ceiling = "256 KiB"
reason = "a worker may have so much"
"#;

/// The verdicts on the law and on the ceiling, over a sweep of so many sessions.
fn verdicts(sweep: &str, planted: Option<&str>, desk: &Path) -> [String; 2] {
    let budgets = desk.join("budgets.toml");
    fs::write(&budgets, BUDGETS).unwrap();
    let out = desk.join("out");
    let mut command = highwater(&["run", "sync/law:bounded", "--profile", "smoke", "--instrument", "count"]);
    command.args(["--sweep", sweep, "--corpora"]).arg(folder("sweeps")).arg("--out").arg(&out);
    command.arg("--budgets").arg(&budgets);
    command.args(planted.into_iter().flat_map(|text| ["--inject", text]));
    call(command);
    let case = json(&out.join("run.json"))["cases"][0].clone();
    ["law.bytes_per_session@send", "heap.peak_bytes@send"].map(|metric| {
        let found = case["verdicts"].as_array().unwrap().iter().find(|found| found["metric"] == metric);
        found.unwrap_or_else(|| panic!("no verdict on {metric} in {case:#}"))["verdict"]
            .as_str()
            .unwrap()
            .to_owned()
    })
}

#[test]
fn a_law_breaks_at_a_tenth_of_the_size_at_which_the_ceiling_does() {
    let desk = temporary();
    assert_eq!(verdicts("8..256", None, desk.path()), ["pass", "pass"], "nothing is planted");
    assert_eq!(verdicts("8..256", Some(PLANTED), desk.path()), ["regression", "pass"], "up to 256 sessions");
    assert_eq!(verdicts("80..2560", Some(PLANTED), desk.path()), ["regression", "pass"], "ten times as many");
    assert_eq!(verdicts("128..4096", Some(PLANTED), desk.path()), ["regression", "regression"]);
}
