//! A project's own file: what `highwater init` writes, and how `highwater exec` without a command and `highwater gate` use it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bench::{Said, call, highwater, json, temporary};
use serde_json::Value;

/// A project's folder.
struct Project {
    folder: tempfile::TempDir,
}

const OUT: &str = "target/highwater/latest";

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let project = Project { folder: temporary() };
        files.iter().for_each(|(name, text)| project.put(name, text));
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if name.ends_with(".sh") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A call in the project's folder.
    fn call(&self, arguments: &[&str]) -> Said {
        let mut command = highwater(arguments);
        command.current_dir(self.folder.path()).env("HIGHWATER_STATE", self.folder.path());
        call(command)
    }

    fn run(&self) -> Value {
        json(&self.path(OUT).join("run.json"))
    }

    fn cases(&self) -> Vec<String> {
        let run = self.run();
        run["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["case"].as_str().unwrap().to_owned())
            .collect()
    }
}

const TWO: &str = r#"
build = ["./build.sh"]
budgets = "budgets.toml"

[[measure]]
name = "app/first:main"
command = ["./first.sh"]
samples = 1
instrument = ["os"]

[[measure]]
name = "app/second:main"
command = ["sh", "-c", "exit 3"]
expect_exit = 3
instrument = ["os"]
"#;

const BUILD: &str = "#!/bin/sh\nprintf '#!/bin/sh\\ntrue\\n' > first.sh && chmod +x first.sh && echo built\n";

fn budget(case: &str, ceiling: &str) -> String {
    format!(
        "[[budget]]\ncase = \"{case}\"\nmetric = \"tree.peak_high_bytes\"\nceiling = \"{ceiling}\"\nreason = \"so\"\n"
    )
}

#[test]
fn everything_in_the_file_is_built_measured_and_judged_in_one_run() {
    let budgets = budget("app/first:main", "1 GiB") + &budget("app/second:main", "1 GiB");
    let project = Project::new(&[("highwater.toml", TWO), ("build.sh", BUILD), ("budgets.toml", &budgets)]);
    let said = project.call(&["exec"]).expect(0);
    assert!(said.err.contains("building: ./build.sh") && said.err.contains("built\n"), "{}", said.err);
    assert_eq!(project.cases(), ["app/first:main", "app/second:main"]);
    let run = project.run();
    let samples =
        |case: usize| run["cases"][case]["metrics"]["time.wall_seconds"]["samples"].as_array().unwrap().len();
    assert_eq!((samples(0), samples(1)), (1, 3));
    assert_eq!(run["cases"][1]["verdicts"][0]["verdict"], "pass");

    project.call(&["exec", "--name", "app/s*", "--samples", "2", "--"]).expect(0);
    assert_eq!(project.cases(), ["app/second:main"]);
    project
        .call(&["exec", "--name", "app/third:main"])
        .expect(2)
        .complains(&["app/third:main", "app/first:main"]);
}

#[test]
fn a_limit_that_is_broken_fails_the_run_and_the_gate() {
    let budgets = budget("app/*", "1 KiB");
    let project = Project::new(&[("highwater.toml", TWO), ("build.sh", BUILD), ("budgets.toml", &budgets)]);
    let said = project.call(&["exec"]).expect(1);
    assert!(said.out.contains("regression: app/first:main tree.peak_high_bytes"), "{}", said.out);
    project.call(&["gate"]).expect(1);
    project.put("budgets.toml", &budget("app/*", "1 GiB"));
    project.call(&["gate"]).expect(0);
    let said = project.call(&["budget", "explain", "app/first:main"]).expect(0);
    assert!(said.out.contains("at most 1 GiB"), "{}", said.out);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_built_or_measured() {
    let good = budget("app/first:main", "1 GiB");
    let project = Project::new(&[("highwater.toml", TWO), ("build.sh", BUILD), ("budgets.toml", &good)]);
    let refused = |said: Said, parts: &[&str]| {
        let said = said.expect(2).complains(parts);
        assert!(!said.err.contains("building"), "{}", said.err);
    };
    project.put("budgets.toml", &budget("app/frist:main", "1 GiB"));
    refused(project.call(&["exec"]), &["budgets.toml:1", "app/frist:main"]);
    project.put("budgets.toml", &good);
    project.put("highwater.toml", &TWO.replace("samples = 1", "sample = 1"));
    refused(project.call(&["exec"]), &["highwater.toml:8: unknown field `sample`"]);
    refused(project.call(&["gate"]), &["highwater.toml:8"]);
    project.put("highwater.toml", TWO);
    for option in [["--corpus", "smoke"], ["--timeout", "3"], ["--instrument", "os"], ["--expect-exit", "1"]]
    {
        refused(project.call(&[&["exec"], &option[..]].concat()), &["CMD"]);
    }
    let empty = Project::new(&[]);
    empty.call(&["exec"]).expect(2).complains(&["no highwater.toml here", "highwater init"]);
}

#[test]
fn a_build_that_fails_and_a_program_that_is_not_there_are_errors() {
    let good = budget("app/first:main", "1 GiB");
    let project = Project::new(&[
        ("highwater.toml", TWO),
        ("build.sh", "#!/bin/sh\nexit 7\n"),
        ("budgets.toml", &good),
    ]);
    project.call(&["exec"]).expect(2).complains(&["the build failed", "7", "./build.sh"]);
    project.put("build.sh", "#!/bin/sh\n");
    project
        .call(&["exec"])
        .expect(2)
        .complains(&["highwater.toml: app/first:main: ./first.sh does not exist"]);
    assert!(!project.path(OUT).join("run.json").exists());
}

#[test]
fn init_writes_what_exec_takes_and_leaves_what_is_there() {
    let package = r#"{ "name": "app", "main": "index.js" }"#;
    let project = Project::new(&[("package.json", package), ("index.js", "")]);
    let said = project.call(&["init"]).expect(0).out;
    for part in [
        "found a Node package with 1 program\n",
        "wrote highwater.toml\nwrote budgets.toml\nwrote .github/workflows/highwater.yml\n",
        "add target/ to .gitignore",
        "next: `highwater exec`",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(project.text(".github/workflows/highwater.yml").contains("setup-node"));
    let doctor = project.call(&["doctor"]).expect(0).out;
    assert!(doctor.contains("measures app/start:main\n"), "{doctor}");

    project.put("budgets.toml", "# mine\n");
    let said = project.call(&["init"]).expect(0).out;
    assert!(said.contains("kept budgets.toml, which is there already; --force replaces it\n"), "{said}");
    assert_eq!(project.text("budgets.toml"), "# mine\n");
    let said = project.call(&["init", "--force"]).expect(0).out;
    assert!(said.contains("replaced budgets.toml\n"), "{said}");
    assert!(project.text("budgets.toml").contains("app/start:main"));
}

#[test]
fn init_knows_gitlab_and_an_empty_folder() {
    let project =
        Project::new(&[(".gitlab-ci.yml", "test:\n  script: make\n"), (".gitignore", "/target/\n")]);
    let said = project.call(&["init", "."]).expect(0).out;
    assert!(
        said.contains("wrote .gitlab/highwater.yml\n") && said.contains("add to .gitlab-ci.yml"),
        "{said}"
    );
    assert!(!project.path(".github").exists() && !said.contains(".gitignore"), "{said}");
    assert!(said.contains("next: name a command"), "{said}");
    project.call(&["exec"]).expect(2).complains(&["highwater.toml:1: there is nothing to measure"]);
    project.call(&["init", "no-such-folder"]).expect(2).complains(&["no-such-folder is not a directory"]);
}

#[test]
fn the_doctor_says_which_file_cannot_be_used() {
    let project = Project::new(&[("highwater.toml", TWO), ("budgets.toml", "[[budget]]\n")]);
    let said = project.call(&["doctor", "--json"]).expect(2);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let state = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap()["state"].clone();
    assert_eq!((state("highwater.toml"), state("budgets")), ("yes".into(), "broken".into()));
    assert_eq!((state("app/first:main"), state("app/second:main")), ("no".into(), "yes".into()));
    assert_eq!(state("history"), "no");
    for check in checks.iter().filter(|check| check["group"] == "system") {
        assert!(!check["loss"].as_str().unwrap().is_empty() || check["state"] == "yes", "{check}");
    }
    assert!(found["environment"]["cores"].as_u64().unwrap() > 0);
    project.put(".highwater/history.db", "notes, and no database");
    let said = project.call(&["doctor"]).expect(2).out;
    assert!(said.contains("broken history"), "{said}");
}

#[test]
fn schemas_completions_and_pages_are_written() {
    let project = Project::new(&[]);
    for (file, title) in
        [("highwater.toml", "highwater.toml"), ("budgets.toml", "budgets.toml"), ("run.json", "Run")]
    {
        let schema: Value = serde_json::from_str(&project.call(&["schema", file]).expect(0).out).unwrap();
        assert_eq!(schema["title"], title);
    }
    project.call(&["schema", "other.toml"]).expect(2).complains(&["highwater.toml, budgets.toml, run.json"]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = project.call(&["completions", shell]).expect(0).out;
        assert!(said.contains("doctor") && said.contains("phase-regex"), "{shell}");
    }
    let said = project.call(&["man", "man1"]).expect(0).out;
    let pages = fs::read_dir(project.path("man1")).unwrap().count();
    assert_eq!(said, format!("wrote {pages} pages to man1\n"));
    let page = project.text("man1/highwater-budget-init.1");
    assert!(page.starts_with(".") && page.contains(".TH highwater-budget-init 1"), "{page}");
}

#[test]
fn the_completions_of_bash_are_bash() {
    let project = Project::new(&[]);
    project.put("completions", &project.call(&["completions", "bash"]).expect(0).out);
    let mut command = std::process::Command::new("bash");
    let script = "source ./completions && COMP_WORDS=(highwater doc) COMP_CWORD=1 && _highwater highwater doc highwater && echo \"${COMPREPLY[@]}\"";
    command.args(["-c", script]).current_dir(project.folder.path());
    assert_eq!(call(command).expect(0).out.trim(), "doctor");
}

/// What is said on standard error of a corpus that is made.
fn made(progress: &str) -> Said {
    let folder = temporary();
    let mut command =
        highwater(&["corpus", "generate", "--profile", "smoke", "--progress", progress, "--corpora"]);
    command.arg(folder.path());
    call(command).expect(0)
}

#[test]
fn progress_for_machines_is_lines_of_json() {
    let said = made("json");
    let is_line = |line: &&str| line.starts_with('{');
    let lines: Vec<Value> =
        said.err.lines().filter(is_line).map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert!(lines.len() > 1, "{}", said.err);
    assert_eq!(
        (&last["verb"], &last["unit"], &last["message"]),
        (&"corpus".into(), &"bytes".into(), &"end".into())
    );
    assert!(last["of"].as_u64().unwrap() > 0 && last["done"] == last["of"], "{last}");
    let done: Vec<u64> = lines.iter().map(|line| line["done"].as_u64().unwrap()).collect();
    assert!(done.is_sorted(), "{done:?}");

    let project = Project::new(&[]);
    let said =
        project.call(&["exec", "--progress", "json", "--samples", "2", "--instrument", "os", "--", "true"]);
    let lines: Vec<Value> =
        said.expect(0).err.lines().filter(is_line).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| (line["done"].as_u64().unwrap(), line["message"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(0, "exec/true:as-given"), (1, "exec/true:as-given"), (2, "end")]);
}

#[test]
fn progress_that_nobody_wants_is_not_said() {
    for manner in ["none", "plain", "auto"] {
        let said = made(manner);
        assert!(
            !said.err.contains('{') && !said.err.contains('\r') && !said.err.contains('\u{1b}'),
            "{}",
            said.err
        );
    }
    let project = Project::new(&[]);
    let slow = |manner: &str| {
        let options =
            ["exec", "--progress", manner, "--samples", "3", "--instrument", "os", "--", "sleep", "0.8"];
        project.call(&options).expect(0).err
    };
    // More than a second has gone by when the last sample begins.
    assert!(slow("plain").contains(" % exec/sleep:as-given\n"));
    assert!(!slow("none").contains("measuring"));
    call(highwater(&["doctor", "--progress", "loud"])).expect(2).complains(&["loud"]);
}

/// The examples of pages are read by what reads them for people.
#[test]
fn the_files_of_the_manual_are_right() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/project.md")).unwrap();
    let whole = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let schema: Value =
        serde_json::from_str(&call(highwater(&["schema", "highwater.toml"])).expect(0).out).unwrap();
    let value: toml::Table = whole.parse().unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&serde_json::to_value(&value).unwrap()), "{whole}");
    let project = Project::new(&[("highwater.toml", whole)]);
    let doctor = project.call(&["doctor"]).expect(2).out;
    assert!(doctor.contains("yes    highwater.toml") && doctor.contains("broken budgets"), "{doctor}");
}
