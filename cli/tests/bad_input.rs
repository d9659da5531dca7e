//! Bad input: whatever lies in a person's home is measured, or skipped with its name and counted; never a panic.
#![cfg(unix)]

mod bench;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{call, highwater, json, skipped, temporary};
use serde_json::Value;

const VSCODE: &str = ".config/Code/User/workspaceStorage/w";
const CLI: &str = ".copilot/session-state/s";
const CLAUDE: &str = ".claude/projects/-home-me-p";

/// A home directory with one good session of each tool.
struct Home {
    folder: tempfile::TempDir,
}

/// Sessions that every [`Home`] has.
const GOOD: f64 = 3.0;

const CLAUDE_LINES: &str = concat!(
    r#"{"type":"user","uuid":"u1","sessionId":"c1","timestamp":"2026-01-01T00:00:00Z","message":{"role":"user","content":"hello"}}"#,
    "\n",
    r#"{"type":"assistant","uuid":"u2","sessionId":"c1","timestamp":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":[{"type":"text","text":"hi"}]}}"#,
    "\n"
);

const CLI_LINES: &str = concat!(
    r#"{"type":"session.start","id":"e0","timestamp":"2026-01-01T00:00:00Z","data":{"sessionId":"s1"}}"#,
    "\n",
    r#"{"type":"user.message","id":"e1","timestamp":"2026-01-01T00:00:01Z","data":{"content":"hello"}}"#,
    "\n",
    r#"{"type":"assistant.message","id":"e2","timestamp":"2026-01-01T00:00:02Z","data":{"content":"hi","outputTokens":3}}"#,
    "\n"
);

fn vscode_session(id: &str) -> String {
    format!(
        r#"{{"sessionId":"{id}","requests":[{{"requestId":"r","timestamp":1,"message":"hello","response":"hi"}}]}}"#
    )
}

impl Home {
    fn new() -> Home {
        let home = Home { folder: temporary() };
        home.put(&format!("{VSCODE}/chatSessions/good.json"), vscode_session("good").as_bytes());
        home.put(&format!("{CLI}/events.jsonl"), CLI_LINES.as_bytes());
        home.put(&format!("{CLAUDE}/good.jsonl"), CLAUDE_LINES.as_bytes());
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("home").join(name);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("a directory can be made");
        path
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).expect("a file can be written");
    }

    fn directory(&self, name: &str) {
        fs::create_dir_all(self.path(name)).expect("a directory can be made");
    }

    /// Measures cases over this home: exit code 0, no panic, no case without a measurement; gives the first case.
    fn measured(&self, cases: &[&str]) -> Value {
        let out = self.folder.path().join("out");
        let mut command = highwater(&["run", "--instrument", "count", "--timeout", "30", "--home"]);
        command.arg(self.folder.path().join("home")).arg("--out").arg(&out).args(cases);
        let said = call(command);
        let run = json(&out.join("run.json"));
        for case in run["cases"].as_array().expect("a run has cases") {
            assert_eq!(case.get("error"), None, "{}", case["case"]);
        }
        said.expect(0);
        run["cases"][0].clone()
    }

    fn bounded(&self) -> Value {
        self.measured(&["sync/cold:bounded"])
    }
}

fn figure(case: &Value, name: &str) -> f64 {
    case["metrics"][name]["median"].as_f64().unwrap_or_else(|| panic!("no {name} in {case}"))
}

/// Fails unless so many files were skipped, and this one is named in the notes.
fn skips_file(case: &Value, files: f64, name: &str) {
    let notes = case["notes"].to_string();
    assert_eq!(figure(case, "engine.skipped_files"), files, "{notes}");
    assert!(notes.contains(name), "{name} is not in: {notes}");
}

#[test]
fn a_good_home_has_nothing_to_skip() {
    let case = Home::new().bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD);
    assert_eq!(figure(&case, "engine.skipped_files"), 0.0);
    assert_eq!(figure(&case, "engine.skipped_lines"), 0.0);
}

#[test]
fn a_home_without_any_history_is_measured() {
    let home = Home { folder: temporary() };
    home.directory("Documents");
    assert_eq!(figure(&home.bounded(), "engine.sessions"), 0.0);
}

#[test]
fn documents_that_are_no_json_are_skipped_and_named() {
    let deep = format!("{{\"sessionId\":\"x\",\"requests\":{}{}}}", "[".repeat(300), "]".repeat(300));
    let mut nul_tail = vscode_session("x").into_bytes();
    nul_tail.extend([0; 4096]);
    let half = vscode_session("x")[..60].to_owned();
    let bad_text: &[u8] = b"{\"sessionId\":\"x\",\"requests\":[{\"message\":\"\xff\xfe\"}]}";
    let contents: [(&str, &[u8]); 6] = [
        ("an empty file", b""),
        ("a torn file", half.as_bytes()),
        ("depth 300", deep.as_bytes()),
        ("a tail of NULs", &nul_tail),
        ("invalid UTF-8", bad_text),
        ("binary", &[0x7f, b'E', b'L', b'F', 0, 1, 2, 3]),
    ];
    for (what, content) in contents {
        let home = Home::new();
        home.put(&format!("{VSCODE}/chatSessions/bad.json"), content);
        let case = home.bounded();
        assert_eq!(figure(&case, "engine.sessions"), GOOD, "{what}");
        skips_file(&case, 1.0, "bad.json");
    }
}

#[test]
fn lines_that_are_no_json_are_skipped_and_counted_in_every_format() {
    let deep = "[".repeat(300) + &"]".repeat(300);
    let lines: [(&str, &[u8]); 6] = [
        ("not JSON", b"nonsense"),
        ("a torn line", b"{\"type\":\"user\",\"message\":{\"content\":\"hel"),
        ("depth 300", deep.as_bytes()),
        ("NULs", &[0; 4096]),
        ("invalid UTF-8", b"{\"type\":\"x\",\"kind\":1,\"k\":[\"\xff\"],\"v\":1,\"data\":{\"\xff\":1}}"),
        ("an array", b"[1, 2, 3]"),
    ];
    for (what, line) in lines {
        let home = Home::new();
        let log = format!("{{\"kind\":0,\"v\":{}}}\n", vscode_session("log"));
        let with = |good: &str| [good.as_bytes(), line, b"\n"].concat();
        home.put(&format!("{VSCODE}/chatSessions/log.jsonl"), &with(&log));
        home.put(&format!("{CLI}/events.jsonl"), &with(CLI_LINES));
        home.put(&format!("{CLAUDE}/good.jsonl"), &with(CLAUDE_LINES));
        let case = home.bounded();
        assert_eq!(figure(&case, "engine.sessions"), GOOD + 1.0, "{what}");
        assert_eq!(figure(&case, "engine.skipped_lines"), 3.0, "{what}");
        assert_eq!(figure(&case, "engine.skipped_files"), 0.0, "{what}: {}", case["notes"]);
        assert!(case["notes"].to_string().contains("good.jsonl: line"), "{what}: {}", case["notes"]);
    }
}

#[test]
fn marks_line_ends_and_blank_lines_are_no_damage() {
    let home = Home::new();
    let log = format!("{{\"kind\":0,\"v\":{}}}\r\n\r\n", vscode_session("log"));
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    home.put(&format!("{VSCODE}/chatSessions/marked.json"), &marked(&vscode_session("marked")));
    home.put(&format!("{VSCODE}/chatSessions/log.jsonl"), &marked(&log));
    home.put(&format!("{CLI}/events.jsonl"), &marked(&CLI_LINES.replace('\n', "\r\n")));
    home.put(&format!("{CLAUDE}/good.jsonl"), &marked(&CLAUDE_LINES.replace('\n', "\r\n")));
    home.put(&format!("{CLAUDE}/open.jsonl"), CLAUDE_LINES.trim_end().as_bytes());
    let case = home.bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD + 3.0, "{}", case["notes"]);
    assert_eq!(figure(&case, "engine.skipped_lines"), 0.0);
    assert_eq!(figure(&case, "engine.skipped_files"), 0.0, "{}", case["notes"]);
}

#[test]
fn empty_logs_give_no_session_and_no_error() {
    let home = Home::new();
    home.put(&format!("{VSCODE}/chatSessions/empty.jsonl"), b"");
    home.put(&format!("{VSCODE}/workspace.json"), b"");
    home.put(&format!("{CLI}-2/events.jsonl"), b"");
    home.put(&format!("{CLI}-2/workspace.yaml"), b"");
    home.put(&format!("{CLAUDE}/empty.jsonl"), b"");
    assert_eq!(figure(&home.bounded(), "engine.sessions"), GOOD);
}

#[test]
fn a_directory_in_the_place_of_a_file_is_skipped_and_named() {
    let places = [
        format!("{VSCODE}/chatSessions/x.jsonl"),
        format!("{VSCODE}/chatSessions/y.json"),
        format!("{VSCODE}/chatEditingSessions/e/state.json"),
        format!("{CLI}-2/events.jsonl"),
        format!("{CLAUDE}/x.jsonl"),
    ];
    for place in &places {
        let home = Home::new();
        home.directory(place);
        let case = home.bounded();
        assert_eq!(figure(&case, "engine.sessions"), GOOD, "{place}");
        skips_file(&case, 1.0, place);
    }
    let home = Home::new();
    places.iter().for_each(|place| home.directory(place));
    home.directory(&format!("{VSCODE}/workspace.json"));
    skips_file(&home.bounded(), places.len() as f64, &places[0]);
}

#[test]
fn a_directory_named_like_a_log_does_not_hide_the_document_beside_it() {
    let home = Home::new();
    home.directory(&format!("{VSCODE}/chatSessions/x.jsonl"));
    home.put(&format!("{VSCODE}/chatSessions/x.json"), vscode_session("x").as_bytes());
    let case = home.bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD + 1.0, "{}", case["notes"]);
    skips_file(&case, 1.0, "x.jsonl");
}

#[test]
fn a_file_in_the_place_of_a_directory_costs_nothing_else() {
    let home = Home::new();
    for place in [
        format!("{VSCODE}/chatEditingSessions"),
        ".config/Code/User/workspaceStorage/file".to_owned(),
        ".config/Code - Insiders/User/workspaceStorage".to_owned(),
        format!("{CLI}.txt"),
        format!("{CLAUDE}/good/subagents"),
        ".claude/projects/file.txt".to_owned(),
    ] {
        home.put(&place, b"a file");
    }
    assert_eq!(figure(&home.bounded(), "engine.sessions"), GOOD);
}

#[test]
fn loops_of_links_and_links_to_nothing_come_to_an_end() {
    let home = Home::new();
    let link = |to: &Path, name: &str| symlink(to, home.path(name)).unwrap();
    link(Path::new("self.json"), &format!("{VSCODE}/chatSessions/self.json"));
    link(Path::new("b.jsonl"), &format!("{VSCODE}/chatSessions/a.jsonl"));
    link(Path::new("a.jsonl"), &format!("{VSCODE}/chatSessions/b.jsonl"));
    link(Path::new("nothing"), &format!("{CLAUDE}/gone.jsonl"));
    link(Path::new("."), &format!("{CLAUDE}/good/subagents/again"));
    link(Path::new("../../.."), &format!("{CLAUDE}/good/subagents/up"));
    link(Path::new("loop"), ".claude/projects/loop");
    link(Path::new("../../../.."), ".config/Code/User/workspaceStorage/home");
    link(Path::new("."), ".config/Code/User/workspaceStorage/dot");
    let case = home.bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD, "{}", case["notes"]);
    assert!(figure(&case, "engine.skipped_files") >= 3.0, "{}", case["notes"]);
}

#[test]
fn files_and_directories_that_may_not_be_read_are_skipped_and_named() {
    let home = Home::new();
    let name = format!("{VSCODE}/chatSessions/closed.json");
    home.put(&name, vscode_session("closed").as_bytes());
    fs::set_permissions(home.path(&name), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(home.path(&name)).is_ok() {
        skipped("this user may read every file");
        return;
    }
    skips_file(&home.bounded(), 1.0, "closed.json");
    let directory = home.path(".claude/projects");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o000)).unwrap();
    let case = home.bounded();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(figure(&case, "engine.skipped_files"), 2.0, "{}", case["notes"]);
    assert_eq!(figure(&case, "engine.sessions"), GOOD - 1.0);
}

#[test]
fn a_pipe_named_like_a_session_does_not_hang_the_parse() {
    let home = Home::new();
    for name in [format!("{VSCODE}/chatSessions/pipe.json"), format!("{CLAUDE}/pipe.jsonl")] {
        let made = Command::new("mkfifo").arg(home.path(&name)).status();
        if !made.is_ok_and(|status| status.success()) {
            skipped("mkfifo is not there");
            return;
        }
    }
    let case = home.bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD);
    skips_file(&case, 2.0, "pipe.json");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_skipped_and_named() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    let directory = home.path(&format!("{VSCODE}/chatSessions/any"));
    let strange = directory.with_file_name(std::ffi::OsStr::from_bytes(b"strange-\xff.json"));
    fs::write(strange, vscode_session("strange")).unwrap();
    skips_file(&home.bounded(), 1.0, "strange-");
}

#[test]
fn a_line_of_100_mb_stays_under_the_bound() {
    let home = Home::new();
    let text = "x\\n\\\"".repeat(100_000_000 / 5);
    let log = format!("{{\"kind\":0,\"v\":{}}}\n", vscode_session("log").replace("hello", &text));
    home.put(&format!("{VSCODE}/chatSessions/log.jsonl"), log.as_bytes());
    let case = home.bounded();
    assert_eq!(figure(&case, "engine.sessions"), GOOD + 1.0);
    assert!(figure(&case, "heap.peak_bytes") < 4_200_000.0, "{}", figure(&case, "heap.peak_bytes"));
}

#[test]
fn strategies_agree_on_a_home_full_of_bad_input() {
    let home = Home::new();
    home.put(&format!("{VSCODE}/chatSessions/empty.json"), b"");
    home.put(&format!("{VSCODE}/chatSessions/nul.json"), &[0; 100]);
    home.put(
        &format!("{VSCODE}/chatSessions/marked.json"),
        b"\xef\xbb\xbf{\"requests\":[{\"message\":\"a\"}]}",
    );
    home.put(&format!("{CLI}-2/events.jsonl"), &[CLI_LINES.as_bytes(), b"nonsense\n", b"\xff\n"].concat());
    home.put(&format!("{CLAUDE}/torn.jsonl"), &CLAUDE_LINES.as_bytes()[..CLAUDE_LINES.len() - 20]);
    home.directory(&format!("{VSCODE}/chatSessions/x.jsonl"));
    let case = home.measured(&["sync/cold"]);
    assert_eq!(figure(&case, "engine.sessions"), GOOD + 3.0, "{}", case["notes"]);
}
