//! `highwater corpus list`, and what is said of what failed.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// The exit code, and what was said on standard output and standard error.
fn highwater(folder: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("highwater").unwrap();
    let output = command.current_dir(folder).args(line.split(' ')).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_damaged_corpus_is_named_and_the_others_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| highwater(dir.path(), line);
    assert_eq!(run("corpus generate --profile smoke --corpora c").0, 0);
    assert_eq!(run("corpus generate --profile smoke --seed 2 --corpora c").0, 0);
    fs::write(dir.path().join("c/smoke-1-1/manifest.json"), "{}").unwrap();
    let (code, said, noted) = run("corpus list c");
    assert_eq!((code, said.lines().count()), (0, 1));
    assert!(said.starts_with("c/smoke-1-2  "), "{said}");
    let wanted =
        "damaged: c/smoke-1-1 (failed to read corpus manifest c/smoke-1-1/manifest.json: missing field";
    assert!(noted.starts_with(wanted), "{noted}");
}

#[test]
fn the_cause_of_a_failure_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, noted) = highwater(dir.path(), "corpus verify none");
    assert_eq!(code, 2);
    assert_eq!(noted.matches("No such file").count(), 1, "{noted}");
    assert!(noted.starts_with("error: failed to read corpus manifest none/manifest.json: "), "{noted}");
}
