//! `highwater corpus list`, and what is said of what failed.

mod bench;

use std::fs;

use bench::{call_in, temporary};

#[test]
fn a_damaged_corpus_is_named_and_the_others_are_listed() {
    let dir = temporary();
    let run = |line: &str| call_in(dir.path(), line);
    run("corpus generate --profile smoke --corpora c").expect(0);
    run("corpus generate --profile smoke --seed 2 --corpora c").expect(0);
    fs::write(dir.path().join("c/smoke-1-1/manifest.json"), "{}").unwrap();
    let listed = run("corpus list c").expect(0);
    assert_eq!(listed.out.lines().count(), 1, "{}", listed.out);
    assert!(listed.out.starts_with("c/smoke-1-2  "), "{}", listed.out);
    let wanted =
        "damaged: c/smoke-1-1 (failed to read corpus manifest c/smoke-1-1/manifest.json: missing field";
    assert!(listed.err.starts_with(wanted), "{}", listed.err);
}

#[test]
fn the_cause_of_a_failure_is_said_once() {
    let dir = temporary();
    let said = call_in(dir.path(), "corpus verify none").expect(2);
    assert_eq!(said.err.matches("No such file").count(), 1, "{}", said.err);
    let wanted = "error: failed to read corpus manifest none/manifest.json: ";
    assert!(said.err.starts_with(wanted), "{}", said.err);
}
