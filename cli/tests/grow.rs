//! `highwater corpus grow`: a corpus that changes a step at a time, and stays what its manifest says.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::path::Path;

use assert_cmd::Command;

/// The exit code, and what was said on standard output and standard error.
fn highwater(folder: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("highwater").unwrap();
    let output = command.current_dir(folder).args(line.split(' ')).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

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

#[test]
fn a_corpus_grows_step_by_step_and_holds_after_each() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| highwater(dir.path(), line);
    let verified = || {
        let (code, said, _) = run("corpus verify c/growth-1-1");
        assert!(code == 0 && said.ends_with("files are as written\n"), "{said}");
    };
    assert_eq!(run("corpus generate --profile growth --corpora c").0, 0);
    let (code, said, noted) = run("corpus grow c/growth-1-1");
    assert_eq!((code, said), (0, told(dir.path(), 1, "whole lines appended")), "{noted}");
    verified();
    let (code, said, noted) = run("corpus grow c/growth-1-1 --step 5");
    assert_eq!((code, said), (0, told(dir.path(), 5, "a line appended behind it")), "{noted}");
    verified();
    // There is no way back, and no step beyond the last.
    for step in [0, 5, 99] {
        let (code, said, noted) = run(&format!("corpus grow c/growth-1-1 --step {step}"));
        let wanted = format!(
            "error: corpus c/growth-1-1 cannot grow by step {step}: it has taken 5 of {} steps; generate it again to begin anew\n",
            generators::Step::ALL.len()
        );
        assert_eq!((code, said.as_str(), noted), (2, "", wanted));
    }
    verified();
    let last = generators::Step::ALL.len();
    let (code, said, noted) = run(&format!("corpus grow c/growth-1-1 --step {last}"));
    assert_eq!(
        (code, said),
        (0, told(dir.path(), last, generators::Step::ALL[last - 1].describe())),
        "{noted}"
    );
    verified();
    let (code, said, noted) = run("corpus grow c/growth-1-1");
    let wanted = format!(
        "error: corpus c/growth-1-1 cannot grow by step {}: it has taken {last} of {last} steps; generate it again to begin anew\n",
        last + 1
    );
    assert_eq!((code, said.as_str(), noted), (2, "", wanted));
}

#[test]
fn only_a_corpus_of_growth_grows() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| highwater(dir.path(), line);
    assert_eq!(run("corpus generate --profile smoke --corpora c").0, 0);
    let (code, said, noted) = run("corpus grow c/smoke-1-1");
    let wanted =
        "error: corpus c/smoke-1-1 cannot grow by step 1: its profile is smoke, only that of growth can\n";
    assert_eq!((code, said.as_str(), noted.as_str()), (2, "", wanted));
    let (code, _, noted) = run("corpus grow c/none");
    assert!(code == 2 && noted.contains("manifest.json"), "{noted}");
}
