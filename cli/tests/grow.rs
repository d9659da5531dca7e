//! `highwater corpus grow`: a corpus that changes a step at a time, and stays what its manifest says.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::path::Path;

use bench::{Said, call_in, temporary};

/// What a step says: the manifest has the rest.
fn told(folder: &Path, step: usize, what: &str) -> String {
    let text = std::fs::read(folder.join("c/growth-1-1/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let (answer, digest) = (&manifest["answer"], manifest["digest"].as_str().unwrap());
    assert_eq!(manifest["step"], step);
    format!(
        "c/growth-1-1: step {step} of {} ({what}), {} sessions, digest {digest}\n",
        generators::Step::ALL.len(),
        answer["sessions"]
    )
}

/// That nothing was done, and exactly this was said.
fn refused(said: Said, wanted: &str) {
    let said = said.expect(2);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", wanted));
}

#[test]
fn a_corpus_grows_step_by_step_and_holds_after_each() {
    let dir = temporary();
    let run = |line: &str| call_in(dir.path(), line);
    let verified = || {
        let said = run("corpus verify c/growth-1-1").expect(0);
        assert!(said.out.ends_with("files are as written\n"), "{}", said.out);
    };
    run("corpus generate --profile growth --corpora c").expect(0);
    let grown = run("corpus grow c/growth-1-1").expect(0);
    assert_eq!(grown.out, told(dir.path(), 1, "whole lines appended"));
    verified();
    let grown = run("corpus grow c/growth-1-1 --step 5").expect(0);
    assert_eq!(grown.out, told(dir.path(), 5, "a line appended behind it"));
    verified();
    // There is no way back, and no step beyond the last.
    for step in [0, 5, 99] {
        let said = run(&format!("corpus grow c/growth-1-1 --step {step}"));
        let wanted = format!(
            "error: corpus c/growth-1-1 cannot grow by step {step}: it has taken 5 of {} steps; generate it again to begin anew\n",
            generators::Step::ALL.len()
        );
        refused(said, &wanted);
    }
    verified();
    let last = generators::Step::ALL.len();
    let grown = run(&format!("corpus grow c/growth-1-1 --step {last}")).expect(0);
    assert_eq!(grown.out, told(dir.path(), last, generators::Step::ALL[last - 1].describe()));
    verified();
    let said = run("corpus grow c/growth-1-1");
    let wanted = format!(
        "error: corpus c/growth-1-1 cannot grow by step {}: it has taken {last} of {last} steps; generate it again to begin anew\n",
        last + 1
    );
    refused(said, &wanted);
}

#[test]
fn only_a_corpus_of_growth_grows() {
    let dir = temporary();
    let run = |line: &str| call_in(dir.path(), line);
    run("corpus generate --profile smoke --corpora c").expect(0);
    let said = run("corpus grow c/smoke-1-1");
    let wanted =
        "error: corpus c/smoke-1-1 cannot grow by step 1: its profile is smoke, only that of growth can\n";
    refused(said, wanted);
    run("corpus grow c/none").expect(2).complains(&["manifest.json"]);
}
