//! The action for GitHub and the template for GitLab, through their own scripts, on a repository with a planted regression.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;
#[path = "action/github.rs"]
mod github;
#[path = "action/steps.rs"]
mod steps;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{Said, are_here, built_example, call, corpus, folder, highwater, json, temporary};
use github::{Comment, GitHub};
use steps::{Action, Job};
use tempfile::TempDir;

/// The one limit of the repository. The program keeps paths below its home, and homes of two runs have names of unlike length.
const BUDGETS: &str = r#"
[[budget]]
case = "exec/list:planted"
metric = "heap.peak_bytes"
growth = "4 KiB"
reason = "the list of sessions stays small"
"#;

/// A repository with budgets, a program, and a baseline that was measured before anything was planted.
struct Repository {
    desk: TempDir,
}

impl Repository {
    fn new() -> Repository {
        corpus();
        let repository = Repository { desk: temporary() };
        fs::create_dir(repository.root()).unwrap();
        fs::write(repository.root().join("budgets.toml"), BUDGETS).unwrap();
        repository.check_in("tools/list/src/bin/planted.rs");
        let mut command = highwater(&["exec", "--sites", "--out", "baseline"]);
        command.args(arguments()).arg("--").arg(planted()).current_dir(repository.root());
        call(command).expect(0);
        repository
    }

    /// A source of the repository, which debug information names from the folder of its own crate.
    fn check_in(&self, source: &str) {
        let path = self.root().join(source);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        for arguments in [&["init", "--quiet"][..], &["add", "tools"]] {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(self.root());
            call(command).expect(0);
        }
    }

    fn root(&self) -> PathBuf {
        self.desk.path().join("repository")
    }

    /// A push to a pull request, with what the program is called with.
    fn push(&self, github: &GitHub, what: &str) -> Job {
        let event = self.desk.path().join("event.json");
        fs::write(&event, r#"{"pull_request": {"number": 7}}"#).unwrap();
        let _ = fs::remove_file(self.summary());
        let command = format!("{}\n{what}\n", planted().display());
        let inputs = [
            ("binary", env!("CARGO_BIN_EXE_highwater")),
            ("args", &*arguments().join("\n")),
            ("command", &*command),
            ("budgets", "budgets.toml"),
            ("baseline", "baseline"),
        ];
        self.job(github, &inputs)
    }

    fn job(&self, github: &GitHub, inputs: &[(&str, &str)]) -> Job {
        let text = |path: &Path| path.display().to_string();
        let (root, temp) = (text(&self.root()), text(self.desk.path()));
        let (event, summary) = (text(&self.desk.path().join("event.json")), text(&self.summary()));
        let runner = [
            ("HOME", &*temp),
            ("RUNNER_TEMP", &temp),
            ("RUNNER_OS", "Linux"),
            ("GITHUB_WORKSPACE", &root),
            ("GITHUB_REPOSITORY", "ada/engine"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_API_URL", &github.url),
            ("GITHUB_EVENT_PATH", &event),
            ("GITHUB_STEP_SUMMARY", &summary),
        ];
        Action::read().run(&self.root(), inputs, &runner)
    }

    fn summary(&self) -> PathBuf {
        self.desk.path().join("summary.md")
    }
}

fn planted() -> PathBuf {
    built_example("planted")
}

fn arguments() -> [String; 5] {
    [
        "--name=exec/list:planted".to_owned(),
        "--instrument=count".to_owned(),
        "--corpus".to_owned(),
        "smoke".to_owned(),
        format!("--corpora={}", folder("corpora").display()),
    ]
}

/// The text without what differs between machines and builds: figures, hashes, paths.
fn redacted(text: &str) -> String {
    let mut text = text.to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().display().to_string();
    for (pattern, by) in [
        // Before the root, in which it may lie.
        (regex::escape(&planted().display().to_string()), "planted"),
        (regex::escape(&root), "ROOT"),
        (r"(/[\w.-]+)+/corpora".to_owned(), "corpora"),
        (r"(/tmp|/var)(/[\w.-]+)+".to_owned(), "DESK"),
        (r"\d[\d,]*(\.\d+)? ?(B|KiB|MiB|GiB|%|s|ms)\b".to_owned(), "N"),
        (r"\b\d[\d,]*(\.\d+)?\b".to_owned(), "N"),
        (r", commit `[0-9a-f]{16,}`".to_owned(), ""),
        // Below the first site, which are named and in which order is the compiler's.
        (r"(?m)(^\| N \| .*\n)(^\| N \| .*\n)+".to_owned(), "$1"),
        (r"(?m)(^ +#N .*\n)(^ +(#N |called by ).*\n)+".to_owned(), "$1"),
        (r"(?m)^ *and N more that grew by less\n+".to_owned(), ""),
        (r"N sites explain N % of \+N( \(-N elsewhere\))?".to_owned(), "N sites explain +N"),
    ] {
        text = regex::Regex::new(&pattern).unwrap().replace_all(&text, by).into_owned();
    }
    text
}

#[test]
fn a_planted_regression_fails_and_is_said_once() {
    if !are_here(&["bash", "curl", "git", "jq"]) {
        return;
    }
    let repository = Repository::new();
    // What somebody else has written is not ours, also when it begins like ours.
    let foreign =
        Comment { id: 1, kind: "User", body: "<!-- highwater comment: highwater -->\nmine".to_owned() };
    let github = GitHub::start(vec![foreign.clone()], false);

    let job = repository.push(&github, "cache");
    assert_eq!(job.code, 1, "{}", job.log);
    assert_eq!((job.output("measure.verdict"), job.output("measure.exit-code")), ("regression", "1"));
    let report = Path::new(job.output("measure.report"));
    for name in ["run.json", "report.md", "report.html", "junit.xml"] {
        assert!(report.join(name).is_file(), "{name}");
    }
    insta::assert_snapshot!("summary", redacted(&fs::read_to_string(repository.summary()).unwrap()));
    assert!(job.log.contains("::error file=tools/list/src/bin/planted.rs,line="), "{}", job.log);
    let annotations: Vec<&str> = job.log.lines().filter(|line| line.starts_with("::error ")).collect();
    insta::assert_snapshot!("annotations", redacted(&annotations.join("\n")));
    let comments = github.comments();
    assert_eq!(comments.len(), 2);
    insta::assert_snapshot!("comment", redacted(&comments[1].body));
    assert!(job.output("key.key").starts_with("highwater-corpora-smoke-1-1-g"), "{}", job.output("key.key"));

    let repaired = repository.push(&github, "");
    assert_eq!(repaired.code, 0, "{}", repaired.log);
    let comments = github.comments();
    assert_eq!(comments.len(), 2, "updated, not repeated");
    insta::assert_snapshot!("comment_of_the_second_push", redacted(&comments[1].body));
    assert_eq!(comments[0].body, foreign.body);
    assert_eq!(
        github.requests().last().unwrap(),
        &format!("PATCH /repos/ada/engine/issues/comments/{}", comments[1].id)
    );
}

#[test]
fn a_comment_is_found_on_a_later_page() {
    if !are_here(&["bash", "curl", "git", "jq"]) {
        return;
    }
    let repository = Repository::new();
    let mut comments: Vec<Comment> =
        (1..=100).map(|id| Comment { id, kind: "User", body: "hello".to_owned() }).collect();
    comments.push(Comment {
        id: 101,
        kind: "Bot",
        body: "<!-- highwater comment: highwater -->\nold".to_owned(),
    });
    let github = GitHub::start(comments, false);
    assert_eq!(repository.push(&github, "").code, 0);
    let comments = github.comments();
    assert_eq!(comments.len(), 101);
    assert!(comments[100].body.contains("Memory: within budget"), "{}", comments[100].body);
}

#[test]
fn a_fork_may_not_comment_and_does_not_fail() {
    if !are_here(&["bash", "curl", "git", "jq"]) {
        return;
    }
    let repository = Repository::new();
    let github = GitHub::start(Vec::new(), true);
    let job = repository.push(&github, "");
    assert_eq!(job.code, 0, "{}", job.log);
    assert!(
        job.log.contains("::notice title=highwater::the token may not write a comment here (HTTP 403)"),
        "{}",
        job.log
    );
    assert!(github.comments().is_empty());
    // A regression of a fork is one nevertheless.
    assert_eq!(repository.push(&github, "cache").code, 1);
}

#[test]
fn what_cannot_be_measured_is_an_error_with_a_page() {
    if !are_here(&["bash", "curl", "git", "jq"]) {
        return;
    }
    let repository = Repository { desk: temporary() };
    fs::create_dir(repository.root()).unwrap();
    fs::write(repository.desk.path().join("event.json"), r#"{"push": true}"#).unwrap();
    let github = GitHub::start(Vec::new(), false);
    let binary = ("binary", env!("CARGO_BIN_EXE_highwater"));
    let hostile = "no-such\"; echo ::error::injected; $(touch injected) `touch injected`";
    let job = repository.job(&github, &[binary, ("command", hostile)]);
    assert_eq!(job.code, 2, "{}", job.log);
    assert_eq!(job.output("measure.verdict"), "error");
    assert!(!repository.root().join("injected").exists());
    assert!(!job.log.lines().any(|line| line.starts_with("::error::injected")), "{}", job.log);
    let page = fs::read_to_string(repository.summary()).unwrap();
    assert!(page.starts_with("## Memory: could not be measured\n") && page.contains("no-such"), "{page}");
    assert!(github.requests().is_empty(), "no pull request, no comment");

    for (inputs, says) in [
        (vec![binary], "highwater.toml"),
        (vec![binary, ("verb", "gate")], "`verb` is gate, and must be run or exec"),
        (vec![binary, ("command", "true"), ("release", "x")], "`release` is for the verb run"),
        (vec![("build", "never")], "nothing says where highwater comes from"),
    ] {
        let job = repository.job(&github, &inputs);
        assert_eq!(job.code, 2);
        assert!(job.log.contains(says), "{}", job.log);
    }
}

#[test]
fn a_release_is_used_only_with_its_checksum() {
    if !are_here(&["bash", "curl", "jq", "tar"]) {
        return;
    }
    let repository = Repository { desk: temporary() };
    fs::create_dir(repository.root()).unwrap();
    fs::write(repository.desk.path().join("event.json"), "{}").unwrap();
    let releases = repository.desk.path().join("releases/v0.1.0");
    fs::create_dir_all(&releases).unwrap();
    let asset = format!("highwater-0.1.0-{}-unknown-linux-gnu.tar.gz", std::env::consts::ARCH);
    let binary = Path::new(env!("CARGO_BIN_EXE_highwater"));
    let mut pack = Command::new("tar");
    pack.arg("czf").arg(releases.join(&asset)).arg("-C").arg(binary.parent().unwrap()).arg("highwater");
    call(pack).expect(0);
    let mut sum = Command::new("sha256sum");
    sum.arg(&asset).current_dir(&releases);
    fs::write(releases.join("SHA256SUMS"), call(sum).expect(0).out).unwrap();

    let github = GitHub::start(Vec::new(), false);
    let from = format!("file://{}", releases.parent().unwrap().display());
    let inputs =
        [("version", "0.1.0"), ("releases", &*from), ("command", "true"), ("args", "--instrument=os")];
    let job = repository.job(&github, &inputs);
    assert_eq!(job.code, 0, "{}", job.log);
    assert_eq!(job.output("plan.how"), "release");

    fs::write(releases.join("SHA256SUMS"), format!("{}  {asset}\n", "0".repeat(64))).unwrap();
    let job = repository.job(&github, &inputs);
    assert_eq!(job.code, 2, "{}", job.log);
    assert!(job.log.contains("was expected: it is not used"), "{}", job.log);
}

/// The script of the template for GitLab.
fn gitlab_script() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/gitlab/highwater.yml");
    let text = fs::read_to_string(path).unwrap();
    let block = text.split_once("  script:\n    - |\n").unwrap().1;
    let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("      "));
    lines.map(|line| line.strip_prefix("      ").unwrap_or_default().to_owned() + "\n").collect()
}

fn gitlab(repository: &Repository, what: &str) -> Said {
    let mut command = Command::new("sh");
    command.args(["-c", &gitlab_script()]).current_dir(repository.root());
    command.env("HIGHWATER", env!("CARGO_BIN_EXE_highwater")).env("HIGHWATER_VERB", "exec");
    command.env("HIGHWATER_ARGS", arguments().join("\n"));
    command.env("HIGHWATER_COMMAND", format!("{}\n{what}", planted().display()));
    command.env("HIGHWATER_BUDGETS", "budgets.toml").env("HIGHWATER_BASELINE", "baseline");
    call(command)
}

#[test]
fn the_template_for_gitlab_fails_on_a_planted_regression() {
    if !are_here(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let said = gitlab(&repository, "leak").expect(1);
    insta::assert_snapshot!("gitlab", redacted(&said.out));
    let latest = repository.root().join("target/highwater/latest");
    assert_eq!(json(&latest.join("run.json"))["verdict"], "regression");
    let junit = fs::read_to_string(latest.join("junit.xml")).unwrap();
    assert!(junit.contains("<failure ") && junit.contains("leak_index"), "{junit}");
    gitlab(&repository, "").expect(0);
}

/// Adds a run to the history on the branch.
fn add_to_history(checkout: &Path, run: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/examples/history.sh");
    let mut command = Command::new("bash");
    command.arg(script).arg(run).arg("main").current_dir(checkout);
    command.env("HIGHWATER", env!("CARGO_BIN_EXE_highwater"));
    call(command).expect(0);
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=ada", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .current_dir(folder);
    call(command).expect(0).out
}

#[test]
fn a_history_on_a_branch_takes_runs_of_two_checkouts() {
    if !are_here(&["bash", "git"]) {
        return;
    }
    let desk = temporary();
    let desk = desk.path();
    git(desk, &["init", "--quiet", "--bare", "origin"]);
    for (number, checkout) in ["one", "two", "one"].into_iter().enumerate() {
        if !desk.join(checkout).exists() {
            git(desk, &["clone", "--quiet", "origin", checkout]);
            git(&desk.join(checkout), &["commit", "--quiet", "--allow-empty", "--message", "first"]);
        }
        let out = desk.join(format!("run-{number}"));
        let mut command = highwater(&["exec", "--samples", "1", "--instrument", "os", "--out"]);
        command.arg(&out).args(["--", "true"]);
        call(command).expect(0);
        // The second time nothing is added, and nothing is lost.
        add_to_history(&desk.join(checkout), &out);
        add_to_history(&desk.join(checkout), &out);
        let kept = git(&desk.join("origin"), &["show", "highwater-history:history.jsonl"]);
        assert_eq!(
            kept.lines().filter(|line| line.contains("exec/true:as-given")).count(),
            number + 1,
            "{kept}"
        );
        let baseline = git(&desk.join("origin"), &["show", "highwater-history:baseline/run.json"]);
        assert_eq!(baseline, fs::read_to_string(out.join("run.json")).unwrap());
    }
}

#[test]
fn without_a_verb_the_program_is_only_got() {
    if !are_here(&["bash"]) {
        return;
    }
    let repository = Repository { desk: temporary() };
    fs::create_dir(repository.root()).unwrap();
    let github = GitHub::start(Vec::new(), false);
    let job = repository.job(&github, &[("binary", env!("CARGO_BIN_EXE_highwater")), ("verb", "none")]);
    assert_eq!((job.code, job.output("get.binary")), (0, env!("CARGO_BIN_EXE_highwater")), "{}", job.log);
    assert!(github.requests().is_empty() && job.output("measure.report").is_empty());
}
