//! `highwater corpus fit`, from a history to a corpus of its shape.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::path::Path;

use assert_cmd::Command;

fn highwater(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("highwater").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_profile_of_a_history_is_written_once_and_generated_from() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| highwater(dir.path(), &line.split(' ').collect::<Vec<_>>());
    assert_eq!(run("corpus generate --profile smoke --corpora c").0, 0);
    let (code, said) = run("corpus fit c/smoke-1-1/home --name own");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("claude ") && said.contains("no text, path or name"), "{said}");
    let (code, said) = run("corpus fit c/smoke-1-1/home");
    assert!(code == 2 && said.contains("mine.toml exists"), "{said}");
    let (code, said) = run("corpus generate --profile mine.toml --corpora c");
    assert_eq!(code, 0, "{said}");
    let (_, listed) = run("corpus list c");
    assert!(listed.contains("own-"), "{listed}");
    let (code, said) = run("corpus fit c/smoke-1-1/home/.claude/projects/none --out other.toml");
    assert!(code == 2 && said.contains("none"), "{said}");
}
