//! The histories that `highwater corpus search` found worst for `bounded`: its promise holds on them.
#![cfg(unix)]

mod bench;

use std::fs;
use std::path::Path;

use bench::{call, highwater, json, temporary};

/// The bound that the strategy promises (`heap.bound_bytes`), and nothing else.
const BUDGET: &str = "
[[budget]]
case = \"sync/cold:bounded\"
metric = \"heap.peak_bytes\"
ceiling_metric = \"heap.bound_bytes\"
reason = \"the bound holds on the worst history that was found\"
";

/// Measures a profile of this folder, and tells its peak and its bound.
fn measure(name: &str) -> (f64, f64) {
    let directory = temporary();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("budgets.toml"), BUDGET).expect("budgets are written");
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worst").join(name);
    let mut command = highwater(&["run", "sync/cold:bounded", "--instrument", "count", "--profile"]);
    command.arg(profile).arg("--budgets").arg(path("budgets.toml")).arg("--out").arg(path("out"));
    command.arg("--corpora").arg(path("corpora"));
    call(command).expect(0);
    let run = json(&path("out/run.json"));
    let case = &run["cases"][0];
    assert_eq!(case["verdicts"][0]["verdict"], "pass", "{case}");
    let median = |metric: &str| case["metrics"][metric]["median"].as_f64().expect("a figure");
    (median("heap.peak_bytes"), median("heap.bound_bytes"))
}

/// Requests of a session are what the promise has to hold in memory: the worst histories have many in one session, and use the largest part of
/// what is promised for them.
#[test]
fn the_bound_holds_where_a_search_came_nearest_to_it() {
    for name in ["many-requests.toml", "many-documents.toml"] {
        let (peak, bound) = measure(name);
        assert!(peak <= bound, "{name}: {peak} of {bound}");
        assert!(peak > bound * 0.2, "{name} is no longer bad: {peak} of {bound}; search again");
    }
}
