//! The runs whose reports are looked at: real ones, together with every kind of chart.

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

/// Takes the runs, and writes their reports: a failing, a passing and an empty one.
pub(super) fn pages(highwater: Option<&Path>, root: &Path, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let desk = Desk { highwater, root, folder };
    desk.write("kept.toml", KEPT)?;
    desk.write("broken.toml", BROKEN)?;
    let passing =
        desk.take("passing", "run sync/cold:as-reported sync/cold:bounded --sites --budgets kept.toml", 0)?;
    let planted = "run sync/cold:as-reported sync/cold:bounded --inject retain:bytes=65536,first=100 --budgets broken.toml --baseline passing/run.json";
    let failing = desk.take("failing", planted, 1)?;
    let mut others = vec![
        desk.take("laws", "run sync/idle:* sync/law:*", 0)?,
        desk.take("lattice", "run --lattice sync/cold", 0)?,
    ];
    if cfg!(target_os = "linux") {
        others.push(desk.take("tree", "exec --instrument os --name exec/tree:natural -- sh tree.sh", 0)?);
    }
    let empty = json!({ "cases": [], "verdict": "error" });
    let runs = [
        ("failing", together(failing, &others)),
        ("empty", merged(passing.clone(), empty)),
        ("passing", together(passing, &others)),
    ];
    runs.into_iter().map(|(name, run)| desk.page(name, &run)).collect()
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
        let corpus = if words[0] == "run" { &["--profile", "smoke"][..] } else { &[] };
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

    /// Writes the report of a run, as everyone would.
    fn page(&self, name: &str, run: &Value) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("failed to make {}: {error}", folder.display()))?;
        self.write(&format!("{name}/run.json"), &run.to_string())?;
        let (code, text) = self.call(&["report", name, "--form", "html"])?;
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
