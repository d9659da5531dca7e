//! The pages that are looked at: reports of real runs, together with every kind of chart, and of a history of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Limits that are kept by far.
const KEPT: &str = r#"
[[budget]]
case = "sync/cold:*"
metric = "heap.peak_bytes"
ceiling = "1 GiB"
reason = "kept by far"
"#;

/// Limits of which one is broken by what is planted, and another by anything.
const BROKEN: &str = r#"
[[budget]]
case = "sync/cold:*"
metric = "heap.peak_bytes"
growth = 0
reason = "no creep"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "64 KiB"
reason = "too tight on purpose"
"#;

/// Runs in the history, one a day.
const DAYS: usize = 24;

/// A page, and how many charts it must have at least.
pub(super) struct Page {
    pub(super) path: PathBuf,
    pub(super) charts: usize,
}

/// Takes the runs, and writes their reports: of a failing, a passing and an empty one, and of a history.
pub(super) fn pages(highwater: Option<&Path>, root: &Path, folder: &Path) -> Result<Vec<Page>, String> {
    let desk = Desk { highwater, root, folder };
    desk.write("kept.toml", KEPT)?;
    desk.write("broken.toml", BROKEN)?;
    let passing =
        desk.take("passing", "run sync/cold:as-reported sync/cold:bounded --sites --budgets kept.toml", 0)?;
    let planted = "run sync/cold:as-reported sync/cold:bounded --inject retain:bytes=65536,first=100 --budgets broken.toml --baseline passing/run.json";
    let failing = desk.take("failing", planted, 1)?;
    let mut others = vec![
        desk.take("laws", "run sync/idle:* sync/law:* listing/warm:*", 0)?,
        desk.take("lattice", "run --lattice sync/cold", 0)?,
    ];
    if cfg!(target_os = "linux") {
        others.push(desk.take("tree", "exec --instrument os --name exec/tree:natural -- sh tree.sh", 0)?);
    }
    let empty = json!({ "cases": [], "verdict": "error" });
    let history = desk.history(&passing)?;
    // Bars and phases of each scenario, laws, worth and the tree; of the failing one a flamegraph too.
    let runs = [
        ("failing", together(failing, &others), 36),
        ("empty", merged(passing.clone(), empty), 0),
        ("passing", together(passing, &others), 32),
    ];
    let reports =
        runs.into_iter().map(|(name, run, charts)| Ok(Page { path: desk.page(name, &run)?, charts }));
    reports.chain(history.into_iter().map(Ok)).collect()
}

/// Where highwater is called, and how.
struct Desk<'d> {
    highwater: Option<&'d Path>,
    root: &'d Path,
    folder: &'d Path,
}

impl Desk<'_> {
    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| format!("failed to write {}: {error}", path.display()))?;
        Ok(path)
    }

    /// highwater, in the folder of the runs.
    fn call(&self, arguments: &[&str]) -> Result<(i32, String), String> {
        let mut command = match self.highwater {
            Some(program) => Command::new(std::path::absolute(program).map_err(|error| error.to_string())?),
            None => {
                let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                command.args(["run", "--quiet", "--package", "highwater", "--manifest-path"]);
                command.arg(self.root.join("Cargo.toml")).arg("--");
                command
            }
        };
        command.current_dir(self.folder).args(arguments).stderr(Stdio::inherit());
        let said = command.output().map_err(|error| format!("failed to start highwater: {error}"))?;
        Ok((said.status.code().unwrap_or(-1), String::from_utf8_lossy(&said.stdout).into_owned()))
    }

    /// Takes a run, which must end with this exit code.
    fn take(&self, name: &str, line: &str, expected: i32) -> Result<Value, String> {
        // A process with a child, so that there is a tree to draw.
        self.write("tree.sh", "sleep 0.2 & sleep 0.4; wait\n")?;
        let mut words: Vec<&str> = line.split(' ').collect();
        let own = ["--out", name];
        let corpora = self.root.join("target/highwater/corpora").to_string_lossy().into_owned();
        let corpus = ["--profile", "smoke", "--corpora", &corpora];
        let corpus = if words[0] == "run" { &corpus[..] } else { &[] };
        let at = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        words.splice(at..at, own.iter().chain(corpus).copied());
        println!("browser: highwater {}", words.join(" "));
        let (code, said) = self.call(&words)?;
        if code != expected {
            return Err(format!(
                "highwater {} ended with {code} and not with {expected}: {said}",
                words.join(" ")
            ));
        }
        let path = self.folder.join(name).join("run.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{} is no run: {error}", path.display()))
    }

    /// The pages of a history: of runs like this one, with a step, two releases, and a message that is no markup.
    fn history(&self, run: &Value) -> Result<Vec<Page>, String> {
        let store = self.folder.join("history.db");
        if store.exists() {
            fs::remove_file(&store)
                .map_err(|error| format!("failed to remove {}: {error}", store.display()))?;
        }
        for day in 0..DAYS {
            self.write("day.json", &on_day(run.clone(), day).to_string())?;
            let subject = format!("change {day} <script>alert(1)</script>");
            let add = ["add", "day.json", "--branch", "main", "--subject", &subject];
            self.remember(&add)?;
        }
        let pages = [("trend", 40), ("drift", 0), ("releases", 0)];
        let page = |(name, charts)| {
            let folder = self.folder.join(name);
            fs::create_dir_all(&folder)
                .map_err(|error| format!("failed to make {}: {error}", folder.display()))?;
            let text = self.remember(&[name, "--format", "html"])?;
            Ok(Page { path: self.write(&format!("{name}/report.html"), &text)?, charts })
        };
        pages.into_iter().map(page).collect()
    }

    /// `highwater history`, on the history of these pages.
    fn remember(&self, arguments: &[&str]) -> Result<String, String> {
        let words = [&["history", "--store", "history.db"], arguments].concat();
        match self.call(&words)? {
            (0, said) => Ok(said),
            (code, said) => Err(format!("highwater {} ended with {code}: {said}", words.join(" "))),
        }
    }

    /// Writes the report of a run, as everyone would.
    fn page(&self, name: &str, run: &Value) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("failed to make {}: {error}", folder.display()))?;
        self.write(&format!("{name}/run.json"), &run.to_string())?;
        let (code, text) = self.call(&["report", name, "--format", "html"])?;
        if code != 0 {
            return Err(format!("highwater report {name} ended with {code}"));
        }
        self.write(&format!("{name}/report.html"), &text)
    }
}

/// A run with the cases and tables of others behind its own.
fn together(mut run: Value, others: &[Value]) -> Value {
    for field in ["cases", "worth", "crossings"] {
        let more = others.iter().filter_map(|other| other[field].as_array()).flatten().cloned();
        let own = run[field].as_array().cloned().unwrap_or_default();
        run[field] = own.into_iter().chain(more).collect();
    }
    run
}

/// The run as it could have been on a day of January: all its figures are larger by a tenth from the middle on.
fn on_day(mut run: Value, day: usize) -> Value {
    run["time"] = json!(format!("2026-01-{:02}T12:00:00Z", day + 1));
    run["artifact"]["commit"] = json!(format!("{:040x}", day + 1));
    run["artifact"]["tag"] = match day {
        3 => json!("v1"),
        20 => json!("v2"),
        _ => Value::Null,
    };
    let more = if day < DAYS / 2 { 1.0 } else { 1.1 };
    let cases = run["cases"].as_array_mut().into_iter().flatten();
    let larger = |value: &Value| json!((value.as_f64().unwrap_or(0.0) * more).round());
    for (_, metric) in cases.flat_map(|case| case["metrics"].as_object_mut().into_iter().flatten()) {
        metric["median"] = larger(&metric["median"]);
        let samples: Vec<Value> = metric["samples"].as_array().into_iter().flatten().map(larger).collect();
        metric["samples"] = Value::from(samples);
    }
    run
}

/// A run with some of its fields replaced.
fn merged(mut run: Value, with: Value) -> Value {
    if let Value::Object(with) = with {
        with.into_iter().for_each(|(name, value)| run[name] = value);
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_larger_from_the_middle_of_the_history_on() {
        let run = json!({ "artifact": {}, "cases": [{ "metrics": { "heap": { "median": 100, "samples": [90, 110] } } }] });
        let figures = |day: usize| on_day(run.clone(), day)["cases"][0]["metrics"]["heap"].clone();
        assert_eq!(figures(0), json!({ "median": 100.0, "samples": [90.0, 110.0] }));
        assert_eq!(figures(DAYS - 1), json!({ "median": 110.0, "samples": [99.0, 121.0] }));
    }

    #[test]
    fn runs_are_put_behind_each_other() {
        let run = json!({ "cases": [1], "verdict": "pass" });
        let whole = together(run, &[json!({ "cases": [2], "worth": [3] }), json!({ "cases": [4] })]);
        assert_eq!(whole, json!({ "cases": [1, 2, 4], "worth": [3], "crossings": [], "verdict": "pass" }));
        assert_eq!(
            merged(json!({ "cases": [1], "time": 2 }), json!({ "cases": [] })),
            json!({ "cases": [], "time": 2 })
        );
    }
}
