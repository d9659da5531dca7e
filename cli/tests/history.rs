//! `highwater history`: what goes in comes out, git is asked for what is not said, and a password is never shown.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::process::Command;

use bench::{Said, call, folder, highwater, json, temporary};
use serde_json::Value;

/// A folder in which the program is called, with a run in it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { folder: temporary() };
        let out = folder("history-of-true");
        let mut command = highwater(&["exec", "--samples", "2", "--instrument", "os", "--out"]);
        command.arg(&out).args(["--", "true"]);
        call(command).expect(0);
        desk.run("run.json", "2026-01-05T00:00:00Z", &json(&out.join("run.json")), None);
        desk
    }

    /// Saves a run of that time and commit.
    fn run(&self, name: &str, time: &str, like: &Value, commit: Option<&str>) {
        let mut run = like.clone();
        run["time"] = time.into();
        run["artifact"]["commit"] = commit.into();
        run["artifact"]["tag"] = Value::Null;
        fs::write(self.folder.path().join(name), run.to_string()).unwrap();
    }

    fn like(&self) -> Value {
        json(&self.folder.path().join("run.json"))
    }

    fn call(&self, arguments: &[&str]) -> Said {
        let mut command = highwater(&["history"]);
        command.args(arguments).current_dir(self.folder.path()).env_remove("HIGHWATER_STORE");
        call(command)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
        command.env("GIT_COMMITTER_DATE", "2026-01-02T05:00:00+02:00").current_dir(self.folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// The fields of the last entry of an export.
fn exported(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let said = desk.call(&[&["export"], arguments].concat()).expect(0);
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_that_is_added_is_listed_and_moves_to_another_history() {
    let desk = Desk::new();
    let said =
        desk.call(&["add", "run.json", "--branch", "main", "--subject", "a change", "--author", "Ada"]);
    assert!(said.expect(0).out.starts_with("added "));
    assert!(desk.folder.path().join(".highwater/history.db").is_file());
    assert!(desk.call(&["add", "run.json", "--branch", "main"]).expect(0).out.starts_with("known "));
    let listed = desk.call(&["list"]).expect(0);
    assert!(listed.out.contains("main") && listed.out.contains("a change"), "{}", listed.out);
    assert!(listed.err.contains("1 of 1 runs"), "{}", listed.err);
    let entry = &exported(&desk, &[])[0];
    assert_eq!(entry["cases"][0]["case"], "exec/true:as-given");
    desk.call(&["export", "all.jsonl"]).expect(0);
    let said = desk.call(&["import", "all.jsonl", "--store", "other.db"]).expect(0);
    assert_eq!(said.out, "added 1, known 0, left out 0\n");
    desk.call(&["export", "again.jsonl", "--store", "other.db"]).expect(0);
    let [first, second] =
        ["all.jsonl", "again.jsonl"].map(|name| fs::read(desk.folder.path().join(name)).unwrap());
    assert_eq!(first, second);
}

#[test]
fn damaged_lines_are_named_and_are_an_error() {
    let desk = Desk::new();
    desk.call(&["add", "run.json", "--branch", "main"]).expect(0);
    desk.call(&["export", "all.jsonl"]).expect(0);
    let line = fs::read_to_string(desk.folder.path().join("all.jsonl")).unwrap();
    fs::write(desk.folder.path().join("bad.jsonl"), format!("{}{line}", line.replace("main", "mein")))
        .unwrap();
    let said = desk.call(&["import", "bad.jsonl", "--store", "other.db"]).expect(2);
    assert_eq!(said.out, "added 1, known 0, left out 1\n");
    said.complains(&[
        "bad.jsonl:1: ",
        "is not the digest of its content",
        "1 lines of bad.jsonl are no runs",
    ]);
}

#[test]
fn git_is_asked_for_what_is_not_said() {
    let desk = Desk::new();
    desk.git(&["init", "--quiet", "--initial-branch", "trunk"]);
    desk.git(&["commit", "--quiet", "--allow-empty", "-m", "first line\n\nand more"]);
    let commit = desk.git(&["rev-parse", "HEAD"]);
    let like = desk.like();
    desk.run("run.json", "2026-01-05T00:00:00Z", &like, Some(&commit));
    desk.call(&["add", "run.json", "--author", "Bob"]).expect(0);
    let change = &exported(&desk, &[])[0]["change"];
    let wanted = serde_json::json!({
        "committed": "2026-01-02T03:00:00Z", "branch": "trunk", "subject": "first line", "author": "Bob"
    });
    assert_eq!(*change, wanted);
    // A commit that is not the last of the branch is of no branch that git could know, and another project's is unknown.
    desk.git(&["commit", "--quiet", "--allow-empty", "-m", "second"]);
    desk.run("old.json", "2026-01-06T00:00:00Z", &like, Some(&commit));
    let said = desk.call(&["add", "old.json", "--store", "old.db"]).expect(0);
    assert!(said.err.contains("name it with --branch"), "{}", said.err);
    let change = &exported(&desk, &["--store", "old.db"])[0]["change"];
    assert_eq!((&change["subject"], &change["branch"]), (&"first line".into(), &Value::Null));
    desk.run("other.json", "2026-01-06T00:00:00Z", &like, Some(&"a".repeat(40)));
    desk.call(&["add", "other.json", "--store", "third.db"]).expect(0);
    assert_eq!(exported(&desk, &["--store", "third.db"])[0]["change"], serde_json::json!({}));
}

#[test]
fn a_command_is_of_the_checkout_that_it_is_measured_in() {
    let desk = Desk::new();
    let measured = || {
        let mut command = highwater(&["exec", "--samples", "1", "--instrument", "os", "--out", "out"]);
        command.args(["--", "true"]).current_dir(desk.folder.path());
        call(command).expect(0);
        json(&desk.folder.path().join("out/run.json"))["artifact"].clone()
    };
    let outside = measured();
    assert_eq!((&outside["commit"], &outside["dirty"]), (&Value::Null, &Value::Null));
    desk.git(&["init", "--quiet", "--initial-branch", "trunk"]);
    fs::write(desk.folder.path().join("program"), "one").unwrap();
    desk.git(&["add", "program"]);
    desk.git(&["commit", "--quiet", "-m", "first"]);
    desk.git(&["tag", "v7"]);
    let clean = measured();
    let commit = Value::from(desk.git(&["rev-parse", "HEAD"]));
    assert_eq!((&clean["commit"], &clean["tag"], &clean["dirty"]), (&commit, &"v7".into(), &false.into()));
    fs::write(desk.folder.path().join("program"), "two").unwrap();
    assert_eq!(measured()["dirty"], true);
    desk.call(&["add", "out"]).expect(0);
    assert_eq!(exported(&desk, &[])[0]["change"]["branch"], "trunk");
}

#[test]
fn pruning_needs_a_rule_and_can_be_tried() {
    let desk = Desk::new();
    let like = desk.like();
    for day in 1..=5 {
        let name = format!("run-{day}.json");
        desk.run(&name, &format!("2026-01-0{day}T00:00:00Z"), &like, None);
        desk.call(&["add", &name, "--branch", "main"]).expect(0);
    }
    desk.call(&["prune"]).expect(2).complains(&["--keep", "--since"]);
    let said = desk.call(&["prune", "--keep", "2", "--dry-run"]).expect(0);
    assert!(said.err.contains("3 runs would go, 2 stay"), "{}", said.err);
    assert_eq!(exported(&desk, &[]).len(), 5);
    desk.call(&["prune", "--since", "2026-01-04"]).expect(0);
    let times: Vec<Value> = exported(&desk, &[]).iter().map(|entry| entry["time"].clone()).collect();
    assert_eq!(times, ["2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z"]);
}

#[test]
fn a_password_is_never_shown() {
    let desk = Desk::new();
    let url = "postgres://ada:s3cret@127.0.0.1:1/history";
    for arguments in [
        &["list", "--store", url][..],
        &["add", "run.json", "--store", url],
        &["import", url],
        &["export", url, "--store", "made.db"],
        &["add", url],
        &["list", "--store", "postgres://ada:s3cret?@127.0.0.1:x/history"],
        &["list", "--store", "postgres://ada:s3cret@db.example/history?sslmode=prefer"],
    ] {
        // A history that is there, so that only the URL is wrong.
        desk.call(&["add", "run.json", "--store", "made.db"]).expect(0);
        let said = desk.call(arguments).expect(2);
        assert!(!format!("{}{}", said.out, said.err).contains("s3cret"), "{arguments:?}: {}", said.err);
    }
    let mut command = highwater(&["history", "list"]);
    command.env("HIGHWATER_STORE", url).current_dir(desk.folder.path());
    let said = call(command).expect(2).complains(&["postgres://ada@127.0.0.1:1/history"]);
    assert!(!said.err.contains("s3cret"), "{}", said.err);
    let mut command = highwater(&["history", "--help"]);
    command.env("HIGHWATER_STORE", url);
    assert!(!call(command).expect(0).out.contains("s3cret"));
}

#[test]
fn a_history_that_is_not_there_is_named() {
    let desk = Desk::new();
    desk.call(&["list"]).expect(2).complains(&["there is no history in .highwater/history.db"]);
    assert!(!desk.folder.path().join(".highwater").exists());
}
