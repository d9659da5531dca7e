//! `highwater corpus fit`, from a history to a corpus of its shape.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::path::Path;

use bench::{Said, call, call_in, highwater, skipped, temporary};

/// All that was said.
fn all(said: &Said) -> String {
    said.out.clone() + &said.err
}

#[test]
fn a_profile_of_a_history_is_written_once_and_generated_from() {
    let dir = temporary();
    let run = |line: &str| call_in(dir.path(), line);
    run("corpus generate --profile smoke --corpora c").expect(0);
    let said = all(&run("corpus fit c/smoke-1-1/home --name own").expect(0));
    assert!(said.contains("claude ") && said.contains("no text, path or name"), "{said}");
    run("corpus fit c/smoke-1-1/home").expect(2).complains(&["mine.toml exists"]);
    run("corpus generate --profile mine.toml --corpora c").expect(0);
    let listed = run("corpus list c").expect(0).out;
    assert!(listed.contains("own-"), "{listed}");
    run("corpus fit c/smoke-1-1/home/.claude/projects/none --out other.toml").expect(2).complains(&["none"]);
}

/// A home with a session of Claude Code.
fn home(dir: &Path) {
    let project = dir.join("home/.claude/projects/p");
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("own.jsonl"), "{\"type\":\"user\",\"message\":{\"content\":\"x\"}}\n").unwrap();
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_read() {
    let dir = temporary();
    // The home is not there, which is found out by whoever looks for it.
    let refused = |line: &str, why: &str| {
        let said = call_in(dir.path(), line).expect(2);
        assert!(said.err.starts_with(why), "{}", said.err);
    };
    refused("corpus fit home --name My-own", "error: a profile cannot be called \"My-own\": give small");
    refused("corpus fit home --out none/mine.toml", "error: there is no folder none: make it");
}

/// A name in a history is nothing that the terminal may obey, whether all goes well or not.
#[cfg(unix)]
#[test]
fn what_is_not_read_is_named_in_plain_text_and_counted() {
    let dir = temporary();
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
    let said = all(&call_in(dir.path(), "corpus fit home").expect(0));
    assert!(is_plain(&said), "{said:?}");
    assert!(said.contains("[2J\u{fffd} error: \u{fffd}x (a symbolic link, which is not followed)"), "{said}");
    assert!(said.contains("not read: 2 more, 12 in all"), "{said}");
    let lines = said.lines().filter(|line| line.starts_with("not read: ")).count();
    assert_eq!(lines, 10 + 1, "ten are named, and one line is of the others: {said}");
    fs::remove_dir_all(dir.path().join("home/.claude/projects/p")).unwrap();
    let said = all(&call_in(dir.path(), "corpus fit home --force").expect(2));
    assert!(is_plain(&said) && said.contains("no history of AI-coding sessions"), "{said:?}");
}

/// As somebody who may not read everything; the administrator, who may, becomes another user for that.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let dir = temporary();
    home(dir.path());
    let projects = dir.path().join("home/.claude/projects");
    fs::create_dir(projects.join("closed")).unwrap();
    fs::write(projects.join("p/closed.jsonl"), "{}\n").unwrap();
    let allow = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(&projects.join("closed"), 0);
    allow(&projects.join("p/closed.jsonl"), 0);
    allow(dir.path(), 0o777);
    let is_open = fs::File::open(projects.join("p/closed.jsonl")).is_ok();
    let somebody = |arguments: &[&str]| {
        let mut command = highwater(arguments);
        command.current_dir(dir.path());
        if is_open {
            command.uid(65_534).gid(65_534);
        }
        command
    };
    if let Err(error) = somebody(&["--version"]).output() {
        return skipped(&format!("another user cannot start the program: {error}"));
    }
    let said = call(somebody(&["corpus", "fit", "home"])).expect(0);
    allow(&projects.join("closed"), 0o700);
    let said = all(&said);
    assert!(said.contains("1 sessions with 1 requests in 1 workspaces"), "{said}");
    let named: Vec<&str> = said.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert_eq!(named.len(), 2, "{said}");
    assert!(named[0].contains("/closed (Permission denied"), "{said}");
    assert!(named[1].contains("/p/closed.jsonl (Permission denied"), "{said}");
}
