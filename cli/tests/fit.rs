//! `highwater corpus fit`, from a history to a corpus of its shape.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

fn highwater(folder: &Path, args: &[&str]) -> (i32, String) {
    said(Command::cargo_bin("highwater").unwrap().current_dir(folder).args(args).output().unwrap())
}

fn said(output: Output) -> (i32, String) {
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

/// A home with a session of Claude Code.
fn home(dir: &Path) {
    let project = dir.join("home/.claude/projects/p");
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("own.jsonl"), "{\"type\":\"user\",\"message\":{\"content\":\"x\"}}\n").unwrap();
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| highwater(dir.path(), &line.split(' ').collect::<Vec<_>>());
    // The home is not there, which is found out by whoever looks for it.
    let (code, said) = run("corpus fit home --name My-own");
    assert!(
        code == 2 && said.starts_with("error: a profile cannot be called \"My-own\": give small"),
        "{said}"
    );
    let (code, said) = run("corpus fit home --out none/mine.toml");
    assert!(code == 2 && said.starts_with("error: there is no folder none: make it"), "{said}");
}

/// A name in a history is nothing that the terminal may obey, whether all goes well or not.
#[cfg(unix)]
#[test]
fn what_is_not_read_is_named_in_plain_text_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let bad = dir.path().join("home/.claude/projects/\u{1b}[2J\u{7}\nerror: \u{202e}x");
    std::os::unix::fs::symlink("nowhere", &bad).unwrap();
    for number in 0..11 {
        std::os::unix::fs::symlink("nowhere", dir.path().join(format!("home/.claude/projects/x{number}")))
            .unwrap();
    }
    let is_plain = |said: &str| {
        !said.lines().any(|line| line.chars().any(|c| c.is_control() || c == '\u{202e}'))
            && !said.lines().any(|line| line.starts_with("error: \u{fffd}x"))
    };
    let (code, said) = highwater(dir.path(), &["corpus", "fit", "home"]);
    assert!(code == 0 && is_plain(&said), "{said:?}");
    assert!(said.contains("[2J\u{fffd} error: \u{fffd}x (a symbolic link, which is not followed)"), "{said}");
    assert!(said.contains("not read: 2 more, 12 in all"), "{said}");
    fs::remove_dir_all(dir.path().join("home/.claude/projects/p")).unwrap();
    let (code, said) = highwater(dir.path(), &["corpus", "fit", "home", "--force"]);
    assert!(code == 2 && is_plain(&said) && said.contains("no history of AI-coding sessions"), "{said:?}");
}

/// As somebody who may not read everything; the administrator, who may, becomes another user for that.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let projects = dir.path().join("home/.claude/projects");
    fs::create_dir(projects.join("closed")).unwrap();
    fs::write(projects.join("p/closed.jsonl"), "{}\n").unwrap();
    let allow = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(&projects.join("closed"), 0);
    allow(&projects.join("p/closed.jsonl"), 0);
    allow(dir.path(), 0o777);
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("highwater"));
    command.current_dir(dir.path()).args(["corpus", "fit", "home"]);
    if fs::File::open(projects.join("p/closed.jsonl")).is_ok() {
        command.uid(65_534).gid(65_534);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: another user cannot start the program: {error}");
            return;
        }
    };
    allow(&projects.join("closed"), 0o700);
    let (code, said) = said(output);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 sessions with 1 requests in 1 workspaces"), "{said}");
    let named: Vec<&str> = said.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert_eq!(named.len(), 2, "{said}");
    assert!(named[0].contains("/closed (Permission denied"), "{said}");
    assert!(named[1].contains("/p/closed.jsonl (Permission denied"), "{said}");
}
