//! The examples of docs/examples, each measured as its page says.
#![cfg(target_os = "linux")]

mod bench;

use std::path::{Path, PathBuf};

use bench::{Said, are_here, built_example, call, folder, highwater, json, temporary};
use serde_json::Value;

/// A measured example.
struct Measured {
    case: Value,
    said: Said,
}

impl Measured {
    fn metric(&self, name: &str) -> f64 {
        let metric = &self.case["metrics"][name];
        metric["median"].as_f64().unwrap_or_else(|| panic!("no {name} in {:#}", self.case["metrics"]))
    }

    /// Processes that one instrument read, whose command line holds a word.
    fn processes(&self, instrument: &str, word: &str) -> usize {
        let processes = self.case["processes"].as_array().expect("a case has processes");
        let of = |process: &&Value| {
            process["instrument"] == instrument
                && process["command"].as_str().is_some_and(|line| line.contains(word))
        };
        processes.iter().filter(of).count()
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples").join(name)
}

/// Measures a command on the smoke corpus.
fn measure(options: &[&str], measured: &[&Path]) -> Measured {
    let out = temporary();
    let mut command = highwater(&["exec", "--corpus", "smoke", "--samples", "1", "--corpora"]);
    command.arg(folder("corpora")).arg("--out").arg(out.path()).args(options).arg("--").args(measured);
    let said = call(command).expect(0);
    let case = json(&out.path().join("run.json"))["cases"][0].clone();
    assert!(case["error"].is_null(), "{case:#}");
    Measured { case, said }
}

#[test]
fn a_node_program_and_the_worker_that_it_forks() {
    if !are_here(&["node"]) {
        return;
    }
    let host = example("node-fork/host.cjs");
    let options = ["--instrument", "os,v8", "--phase-regex", r"phase=\d+ detail=(\w+)"];
    let measured = measure(&options, &[Path::new("node"), &host]);
    for instrument in ["os", "v8"] {
        assert_eq!(measured.processes(instrument, "host.cjs"), 1, "{instrument}");
        assert_eq!(measured.processes(instrument, "worker.cjs"), 1, "{instrument}");
    }
    assert!(measured.metric("v8.heap_peak_bytes") > 4e6);
    for phase in ["find", "parse", "send"] {
        let low = measured.metric(&format!("tree.peak_low_bytes@{phase}"));
        assert!(low > 30e6 && low <= measured.metric("tree.peak_high_bytes"), "{phase}: {low}");
    }
    assert!(measured.said.out.contains("worker.cjs"), "{}", measured.said.out);
}

#[test]
fn a_python_program_that_marks_its_phases() {
    if !are_here(&["python3"]) {
        return;
    }
    let script = example("python/sessions.py");
    let measured = measure(&["--instrument", "os,tracemalloc"], &[Path::new("python3"), &script]);
    // A version manager may stand before it, with processes of its own.
    assert!(measured.processes("os", "sessions.py") >= 1);
    for phase in ["read", "count"] {
        assert!(measured.metric(&format!("tree.peak_low_bytes@{phase}")) > 5e6, "{phase}");
    }
    let traced = measured.metric("tracemalloc.peak_bytes");
    assert!(traced > 1e6 && traced < measured.metric("tree.peak_high_bytes"), "{traced}");
}

#[test]
fn a_rust_program_with_two_lines() {
    let program = built_example("highwater-example");
    let measured = measure(&["--instrument", "os,count"], &[&program]);
    let whole = measured.metric("heap.peak_bytes@whole");
    let by_line = measured.metric("heap.peak_bytes@by-line");
    assert!(by_line * 10.0 < whole, "{by_line} by the line, {whole} whole");
    assert_eq!(measured.metric("heap.peak_bytes"), whole);
    assert_eq!(measured.case["metrics"]["heap.total_bytes"]["tier"], "exact", "equal in both samples");
    assert!(measured.metric("tree.peak_high_bytes@whole") > whole);
}

#[test]
fn a_pipeline_of_processes_at_one_time() {
    let script = example("pipeline/sessions.sh");
    let measured = measure(&["--instrument", "os"], &[&script]);
    for program in ["find", "cat", "grep", "sort", "uniq", "head"] {
        assert!(measured.processes("os", program) >= 1, "{program}");
    }
    let largest = measured.case["processes"].as_array().expect("a case has processes").iter();
    let largest = largest.filter_map(|process| process["metrics"]["rss.peak_bytes"]["value"].as_f64());
    let largest = largest.fold(0.0, f64::max);
    assert!(measured.metric("tree.peak_low_bytes") > 2.0 * largest, "more than twice the largest: {largest}");
}
