//! `highwater compare` with a base from a git ref: what is built, what is judged, and what is refused before anything is measured.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use bench::{Said, call, highwater, json, temporary};
use serde_json::Value;

/// Enough samples to be judged, and no more: 1/C(16, 8) is below 0.01.
const JUDGED: [&str; 4] = ["--samples", "8", "--alpha", "0.01"];

/// Someone's repository with a program of one file, and a folder for runs.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// A repository whose only commit has a program that fills 20 MB.
    fn new() -> Desk {
        let desk = Desk { folder: temporary() };
        fs::create_dir(desk.path("repository")).unwrap();
        desk.git(&["init", "--quiet", "--initial-branch=main", "."]);
        desk.write_program("20MB");
        desk.git(&["add", "--all"]);
        desk.git(&["commit", "--quiet", "--message", "the program"]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the source of the program; its build is a copy.
    fn write_program(&self, bytes: &str) {
        let path = self.path("repository/app.sh");
        let script = format!("#!/bin/sh\nexec dd if=/dev/zero of=/dev/null bs={bytes} count=1 2>&1\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]);
        let said = call({
            command.args(arguments).current_dir(self.path("repository"));
            command
        });
        said.expect(0).out
    }

    /// Compares `main` with the checkout.
    fn compare(&self, options: &[&str], command: &[&str]) -> Said {
        let mut call_of = highwater(&["compare", "--out"]);
        call_of.arg(self.path("out")).arg("--artifacts").arg(self.path("artifacts")).args(options);
        if !command.is_empty() {
            call_of.arg("--").args(command);
        }
        call_of.current_dir(self.path("repository"));
        call(call_of)
    }

    fn judged(&self, options: &[&str], command: &[&str]) -> Said {
        self.compare(
            &[&JUDGED, &["--base-ref", "main", "--build", "cp app.sh built"], options].concat(),
            command,
        )
    }

    fn run(&self) -> Value {
        json(&self.path("out/run.json"))
    }
}

#[test]
fn a_growth_is_found_against_the_ref_and_the_build_is_used_again() {
    let desk = Desk::new();
    desk.write_program("50MB");
    let before = desk.git(&["status", "--porcelain"]);
    let said = desk.judged(&[], &["./built"]).expect(1);
    assert!(said.out.lines().last().unwrap().starts_with("regression: rss.peak_bytes"), "{}", said.out);
    let run = desk.run();
    assert_eq!(run["verdict"], "regression");
    for (index, side) in ["base", "head"].into_iter().enumerate() {
        let case = &run["cases"][index];
        assert_eq!(case["case"], format!("compare/built:{side}"));
        assert_eq!(case["metrics"]["rss.peak_bytes"]["samples"].as_array().unwrap().len(), 8);
        assert!(case["notes"].to_string().contains("not used: rss.peak_bytes"), "{}", case["notes"]);
    }
    let commit = desk.git(&["rev-parse", "main"]);
    assert!(run["cases"][0]["notes"][0].as_str().unwrap().contains(commit.trim()));
    assert!(run["cases"][1]["notes"][0].as_str().unwrap().contains("with uncommitted changes"));
    assert_eq!(desk.git(&["status", "--porcelain"]), before + "?? built\n");

    // The mark is a build's last word: what it stands beside is not built again.
    let program = desk.path("artifacts").join(commit.trim()).join("built");
    fs::copy(desk.path("repository/app.sh"), &program).unwrap();
    let said = desk.judged(&[], &["./built"]).expect(0);
    assert!(said.err.contains("it was built before"), "{}", said.err);
}

#[test]
fn equal_commits_pass_by_whichever_way_the_program_is_named() {
    let desk = Desk::new();
    let said = desk.judged(&[], &["sh", "{artifact}/built"]).expect(0);
    assert!(said.out.lines().last().unwrap().starts_with("pass: "), "{}", said.out);
    let shown = desk.run()["cases"][1]["command"]["line"].clone();
    let root = fs::canonicalize(desk.path("repository")).unwrap();
    assert_eq!(shown[1].as_str().unwrap(), root.join("built").to_str().unwrap());
}

#[test]
fn a_metric_that_nobody_measured_is_an_error() {
    let desk = Desk::new();
    desk.judged(&["--primary", "heap.peak_bytes"], &["./built"]).expect(2);
    assert!(desk.run()["cases"][1]["verdicts"].to_string().contains("heap.peak_bytes was not measured"));
    desk.judged(&["--primary", "heap.paek_bytes"], &["./built"]).expect(2).complains(&["heap.peak_bytes"]);
}

#[test]
fn a_base_that_does_not_repeat_is_unfit_to_judge_by() {
    let desk = Desk::new();
    // Takes 20 or 60 MB by turns; each side leaves its mark beside its program.
    let script = "#!/bin/sh\nodd=\"${0%/*}/odd\"\nif mkdir \"$odd\" 2>&-; then s=20MB; else rmdir \"$odd\"; s=60MB; fi\n\
                  exec dd if=/dev/zero of=/dev/null bs=$s count=1 2>&1\n";
    fs::write(desk.path("repository/app.sh"), script).unwrap();
    desk.git(&["commit", "--quiet", "--all", "--message", "by turns"]);
    let said = desk.judged(&[], &["./built"]).expect(3);
    assert!(said.out.contains("does not repeat") && desk.run()["verdict"] == "unfit", "{}", said.out);
}

#[test]
fn what_cannot_be_built_or_found_ends_before_anything_is_measured() {
    let desk = Desk::new();
    let wrong = |options: &[&str], command: &[&str]| desk.compare(options, command).expect(2);
    let build = "sh -c 'echo begun; echo the reason; exit 3'";
    wrong(&["--base-ref", "main", "--build", build], &["./built"]).complains(&["main", "the reason", "3"]);
    assert_eq!(desk.git(&["worktree", "list"]).lines().count(), 1);
    wrong(&["--base-ref", "no-such-ref"], &["./built"]).complains(&["no-such-ref", "repository"]);
    wrong(&["--base-ref", "-x"], &["./built"]).complains(&["-x"]);
    wrong(&["--base-ref", "main"], &["./built"]).complains(&["Cargo.toml", "--build"]);
    wrong(&["--base-ref", "main", "--build", "true"], &["./built"]).complains(&["built", "does not exist"]);
    wrong(&["--base-ref", "main", "--build", "true"], &["dd"]).complains(&["dd", "{artifact}"]);
    wrong(&["--base-ref", "main", "--build", "true"], &[]).complains(&["after `--`"]);
    wrong(&["--base-artifact", "no-such-program"], &[]).complains(&["no-such-program"]);
    assert!(!desk.path("out/run.json").exists());
}

#[test]
fn samples_that_can_never_be_judged_are_refused_with_how_many_are_needed() {
    let desk = Desk::new();
    let few = |options: &[&str]| {
        desk.compare(&[&["--base-ref", "main", "--build", "cp app.sh built"], options].concat(), &["./built"])
    };
    few(&["--samples", "5"]).expect(2).complains(&["--samples 5", "7 a side"]);
    few(&["--samples", "3", "--alpha", "0.01"]).expect(2).complains(&["5 a side"]);
    assert!(!desk.path("artifacts").exists());
}

#[test]
fn a_program_that_does_not_know_the_scenarios_is_named_as_the_base() {
    let desk = Desk::new();
    let corpora = bench::folder("corpora");
    bench::corpus();
    let options =
        ["--base-artifact", "/bin/false", "--corpus", "smoke", "--corpora", corpora.to_str().unwrap()];
    desk.compare(&options, &[]).expect(2);
    let run = desk.run();
    assert_eq!(run["cases"][0]["case"], "compare/sync-cold-bounded:base");
    let error = run["cases"][0]["error"].as_str().unwrap();
    assert!(error.contains("false could not do this case") && error.contains("exit code 1"), "{error}");
}

#[test]
fn this_program_against_itself_passes() {
    let desk = Desk::new();
    let corpora = bench::folder("corpora");
    bench::corpus();
    let program = env!("CARGO_BIN_EXE_highwater");
    let options = ["--base-artifact", program, "--corpus", "smoke", "--corpora", corpora.to_str().unwrap()];
    let said = desk.compare(&[&JUDGED, &options[..]].concat(), &[]).expect(0);
    assert!(said.out.lines().last().unwrap().starts_with("pass: "), "{}", said.out);
    let metrics = &desk.run()["cases"][1]["metrics"];
    assert_eq!(metrics["heap.peak_bytes"]["samples"].as_array().unwrap().len(), 2);
    assert_eq!(metrics["rss.peak_bytes"]["samples"].as_array().unwrap().len(), 8);
}
