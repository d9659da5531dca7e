//! The family `listing`: budgets that hold and tripwires that break, and the service by hand.

mod bench;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use bench::{call, highwater, judged, metric, temporary};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What is left out has figures that are times, or takes many seconds.
const CASES: [&str; 9] = [
    "listing/churn",
    "listing/orphans",
    "listing/crowd",
    "listing/tombstones",
    "listing/race",
    "listing/messages",
    "listing/soak",
    "listing/stale:as-proposed",
    "listing/stale:bounded",
];

#[test]
fn the_bounded_service_holds_its_budgets_and_the_others_break_them() {
    let out = temporary();
    let run = judged(&CASES, out.path());
    assert_eq!(run["verdict"], "pass");
    assert_eq!(metric(&run, "listing/stale:bounded", "scenario.defects"), 0.0);
    assert!(metric(&run, "listing/stale:as-proposed", "scenario.defects") >= 6.0);
    assert_eq!(metric(&run, "listing/churn:bounded", "scenario.entries_left"), 0.0);
    assert!(metric(&run, "listing/churn:as-reported", "scenario.entries_left") > 10_000.0);
    // The proposed fix for tombstones leaves as many as none does.
    for strategy in ["as-reported", "fix-3-tombstones"] {
        assert_eq!(
            metric(&run, &format!("listing/tombstones:{strategy}"), "scenario.tombstones_left"),
            10_000.0
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_is_ended_with_all_that_it_has_started() {
    let out = temporary();
    let run = judged(&["listing/tree"], out.path());
    let survivors = |strategy| metric(&run, &format!("listing/tree:{strategy}"), "scenario.survivors");
    assert_eq!(["as-reported", "as-proposed", "upstream", "bounded"].map(survivors), [3.0, 3.0, 2.0, 0.0]);
}

/// A service that was started by hand.
struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Served {
    fn start(home: &Path, more: &[&str]) -> Served {
        let mut command = highwater(&["serve", "--home"]);
        command
            .arg(home)
            .args(more)
            .env("HIGHWATER_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let out = BufReader::new(child.stdout.take().expect("its output is piped"));
        Served { child, out }
    }

    /// Where it listens; it says so again each time that it has been started again.
    fn address(&mut self) -> SocketAddr {
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            self.out.read_line(line).expect("it says where it listens");
        }
        assert_eq!(lines[1].trim_end(), format!("token {TOKEN}"));
        let address = lines[0].strip_prefix("http://").and_then(|rest| rest.split('/').next());
        address.and_then(|address| address.parse().ok()).expect("it says an address")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: SocketAddr, path: &str) -> String {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}");
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().expect("the service answers")
}

fn home() -> tempfile::TempDir {
    let home = temporary();
    let project = home.path().join(".claude/projects/-w");
    let line = r#"{"type":"user","message":{"role":"user","content":"Mend the build"},"cwd":"/w"}"#;
    std::fs::create_dir_all(&project)
        .and_then(|()| std::fs::write(project.join("s1.jsonl"), format!("{line}\n")))
        .expect("a home can be made");
    home
}

#[test]
fn the_service_by_hand_lists_a_home_and_keeps_its_index() {
    let home = home();
    let index = home.path().join("cache/index.sqlite");
    let mut served = Served::start(home.path(), &["--index", &index.to_string_lossy()]);
    let answer = ask(served.address(), "/api/sessions");
    assert!(answer.contains(r#""title":"Mend the build""#), "{answer}");
    assert!(index.exists());
}

#[test]
fn what_cannot_be_served_is_said() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let refused = |more: &[&str]| call(highwater(&[&["serve", "--no-index"], more].concat())).expect(2);
    refused(&["--home", &path, "--address", "0.0.0.0:0"]).complains(&[
        "other machines can reach it",
        "127.0.0.1",
        "--others",
    ]);
    refused(&["--home", "/nowhere"]).complains(&["/nowhere is not a directory", "--home"]);
    refused(&["--home", &path, "--strategy", "best"]).complains(&["--strategy best", "list strategies"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_supervised_service_comes_back_where_it_was_and_ends_with_its_supervisor() {
    let home = home();
    // Why the first one cannot start is said, and it is not tried again.
    let directory = home.path().to_string_lossy();
    call(highwater(&["serve", "--supervise", "--home", &directory, "--index", &directory]))
        .expect(2)
        .complains(&["name another file", "ended with exit code 1"]);
    let mut served = Served::start(home.path(), &["--no-index", "--supervise"]);
    let address = served.address();
    let first = child_of(served.child.id()).expect("it has a child");
    signal(first, "KILL");
    assert_eq!(served.address(), address);
    let second = child_of(served.child.id()).expect("it has a child");
    assert_ne!(first, second);
    assert!(ask(address, "/api/sessions").contains("Mend the build"));
    signal(served.child.id(), "TERM");
    until_gone(second);
    assert_eq!(served.child.wait().expect("it is ours").code(), Some(0));

    // Also when the supervisor had no time to end it.
    let mut killed = Served::start(home.path(), &["--no-index", "--supervise"]);
    killed.address();
    let service = child_of(killed.child.id()).expect("it has a child");
    signal(killed.child.id(), "KILL");
    until_gone(service);
}

#[cfg(target_os = "linux")]
fn until_gone(pid: u32) {
    let begun = std::time::Instant::now();
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    };
    while is_there() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the service outlives its supervisor");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
fn child_of(parent: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

#[cfg(target_os = "linux")]
fn signal(pid: u32, name: &str) {
    let killed = std::process::Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
}
