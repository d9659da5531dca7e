//! The formats of `highwater report`, read by the tools that they are for.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bench::{are_here, call, folder, highwater, json, skipped, temporary};
use serde_json::Value;

/// A run of commands with a broken limit, a kept one and a case that failed, which the tests of this file share.
fn run() -> &'static Path {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| {
        let out = folder("formats");
        let desk = temporary();
        let budgets = desk.path().join("budgets.toml");
        let limits = [("rss.peak_bytes", "1 KiB"), ("time.wall_seconds", "\"1000 s\"")];
        let limit = |(metric, ceiling): (&str, &str)| {
            let ceiling = if ceiling.starts_with('"') { ceiling.to_owned() } else { format!("\"{ceiling}\"") };
            format!("[[budget]]\ncase = \"exec/a:b\"\nmetric = \"{metric}\"\nceiling = {ceiling}\nreason = \"so\"\n")
        };
        std::fs::write(&budgets, limits.map(limit).concat()).unwrap();
        let mut command =
            highwater(&["exec", "--samples", "2", "--instrument", "os", "--name", "exec/a:b", "--out"]);
        command.arg(&out).arg("--budgets").arg(&budgets).args(["--", "true", "\"]]>\n::error::x%0A"]);
        call(command).expect(1);
        out
    })
}

fn report(format: &str) -> String {
    let mut command = highwater(&["report", "--format", format]);
    command.arg(run());
    call(command).expect(0).out
}

#[test]
fn a_run_leaves_its_reports_beside_it() {
    for name in ["run.json", "report.md", "report.html", "junit.xml"] {
        assert!(run().join(name).is_file(), "{name}");
    }
    assert_eq!(report("junit"), std::fs::read_to_string(run().join("junit.xml")).unwrap());
    assert_eq!(report("html"), std::fs::read_to_string(run().join("report.html")).unwrap());
}

#[test]
fn a_report_is_written_to_a_file() {
    let desk = temporary();
    let out = desk.path().join("new/report.csv");
    let mut command = highwater(&["report", "--format", "csv", "--out"]);
    command.arg(&out).arg(run());
    let said = call(command).expect(0);
    assert_eq!(said.out, "");
    assert_eq!(std::fs::read_to_string(out).unwrap(), report("csv"));
}

#[test]
fn annotations_of_a_command_are_lines_of_ours() {
    let text = report("annotations");
    assert!(text.lines().all(|line| line.starts_with("::error title=highwater")), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn prometheus_takes_the_metrics() {
    if !are_here(&["promtool"]) {
        return;
    }
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]);
    let output = assert_cmd::Command::from_std(command).write_stdin(report("openmetrics")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// The schema of JUnit files by which Jenkins' xUnit plugin reads them, out of the source package of pytest, which tests itself by it.
fn schema(desk: &Path) -> Option<PathBuf> {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pytest", "pytest==7.4.4"]);
    let downloaded = command.current_dir(desk).output().is_ok_and(|output| output.status.success());
    let mut unpack = Command::new("tar");
    unpack.args(["xzf", "pytest-7.4.4.tar.gz"]).current_dir(desk);
    let unpacked = downloaded && unpack.output().is_ok_and(|output| output.status.success());
    let path = desk.join("pytest-7.4.4/testing/example_scripts/junit-10.xsd");
    (unpacked && path.is_file()).then_some(path)
}

#[test]
fn junit_is_as_its_schema_says() {
    if !are_here(&["xmllint"]) {
        return;
    }
    let desk = temporary();
    let Some(schema) = schema(desk.path()) else {
        return skipped("the schema could not be downloaded");
    };
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(schema).arg(run().join("junit.xml"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Bencher's documentation has this schema: an object of benchmarks, each an object of measures, each with a `value` and perhaps a
/// `lower_value` and an `upper_value` around it, all numbers.
#[test]
fn bmf_is_as_bencher_documents_it() {
    let bmf: Value = serde_json::from_str(&report("bmf")).unwrap();
    let measures = bmf.as_object().unwrap().values().flat_map(|measures| measures.as_object().unwrap());
    for (name, measure) in measures {
        let keys: Vec<&String> = measure.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["lower_value", "upper_value", "value"], "{name}");
        let figure = |key: &str| measure[key].as_f64().unwrap();
        assert!(
            figure("lower_value") <= figure("value") && figure("value") <= figure("upper_value"),
            "{name}"
        );
    }
    assert!(bmf["exec/a:b"]["rss.peak_bytes"].is_object(), "{bmf:#}");
}

/// github-action-benchmark takes a list of objects of which it reads `name`, `unit`, `value`, `range` and `extra`; `value` is a number and
/// the others are texts, of which the last two may be absent.
#[test]
fn the_input_of_github_action_benchmark_is_as_it_documents_it() {
    let entries: Vec<Value> = serde_json::from_str(&report("github-benchmark")).unwrap();
    for entry in &entries {
        assert!(entry["value"].is_number(), "{entry}");
        assert!(["name", "unit", "range", "extra"].iter().all(|key| entry[key].is_string()), "{entry}");
    }
    assert_eq!(
        entries.len(),
        json(&run().join("run.json"))["cases"][0]["metrics"].as_object().unwrap().len()
    );
}
