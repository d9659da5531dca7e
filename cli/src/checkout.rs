//! What git knows of the checkout that the current directory is in.

use std::process::{Command, Stdio};

use harness::record::Artifact;
use reports::history::entry::Change;

/// What commands are measured of: the commit that is checked out; without one outside of a checkout. Files that git does not
/// follow are no change of it, since builds and runs leave theirs everywhere.
pub(crate) fn artifact() -> Artifact {
    let line = |words: &[&str]| ask(words).map(|said| said.trim().to_owned()).filter(|said| !said.is_empty());
    let commit = line(&["rev-parse", "HEAD"]);
    let changes = ask(&["status", "--porcelain", "--untracked-files=no"]);
    Artifact {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tag: line(&["describe", "--tags", "--exact-match"]),
        dirty: changes.filter(|_| commit.is_some()).map(|changes| !changes.trim().is_empty()),
        commit,
    }
}

/// What git knows of a commit; nothing where it is not in the checkout that the current directory is in.
pub(crate) fn change(commit: &str) -> Change {
    let is_commit = commit.len() >= 7 && commit.bytes().all(|digit| digit.is_ascii_hexdigit());
    let about = |commit| ask(&["log", "-1", "--no-show-signature", "--format=%cI%n%an%n%s", commit, "--"]);
    let Some(about) = Some(commit).filter(|_| is_commit).and_then(about) else {
        return Change::default();
    };
    let mut lines = about.lines();
    let mut line = || lines.next().map(str::to_owned).filter(|line| !line.is_empty());
    let committed = line().and_then(|time| time.parse().ok());
    let (author, subject) = (line(), line());
    Change {
        committed: committed.map(|time: jiff::Timestamp| time.to_string()),
        branch: branch(commit),
        subject,
        author,
    }
}

/// The branch that is checked out, where the commit is its last.
fn branch(commit: &str) -> Option<String> {
    let head = ask(&["rev-parse", "HEAD"])?;
    let branch = ask(&["symbolic-ref", "--short", "--quiet", "HEAD"])?;
    head.trim().starts_with(commit).then(|| branch.trim().to_owned())
}

fn ask(words: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(words).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
