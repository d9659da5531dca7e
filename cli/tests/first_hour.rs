//! The tutorial's commands, as they stand on the page: from an empty project to a gate that fails on a planted leak.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use bench::{are_here, call, temporary};

const PAGE: &str = "docs/first-hour.md";

/// What a page has people do.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A file with this text.
    File(String, String),
    /// A command, and the lines that it is said to print.
    Command(String, Vec<String>),
}

/// The steps below a heading, in order: `console` blocks, and blocks of code after a line that ends in "into `FILE`:".
fn steps(page: &str, heading: &str) -> Vec<Step> {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap();
    let mut steps = Vec::new();
    let mut parts = section.split("```");
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let file = before.trim_end().rsplit_once("into `").and_then(|(_, rest)| rest.strip_suffix("`:"));
        match (language, file) {
            ("console", _) => commands(text, &mut steps),
            (_, Some(file)) => steps.push(Step::File(file.to_owned(), text.to_owned())),
            _ => {}
        }
    }
    steps
}

fn commands(text: &str, steps: &mut Vec<Step>) {
    for line in text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step::Command(command.to_owned(), Vec::new())),
            (None, Some(Step::Command(_, shown))) => shown.push(line.to_owned()),
            (None, _) => panic!("a line of output without a command: {line}"),
        }
    }
}

/// A mark between the outputs of commands.
const MARK: &str = "@@@@";

/// One script of all steps.
fn script(steps: &[Step]) -> String {
    let mut script = String::new();
    for step in steps {
        let _ = match step {
            Step::File(path, text) => writeln!(script, "cat > '{path}' <<'{MARK}'\n{text}{MARK}"),
            Step::Command(command, _) => writeln!(script, "echo '{MARK}'\n{command}"),
        };
    }
    script
}

/// Does what the page says below a heading, and compares.
fn follow(heading: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let steps = steps(&fs::read_to_string(root.join(PAGE)).unwrap(), heading);
    let desk = temporary();
    let own = Path::new(env!("CARGO_BIN_EXE_highwater")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", &format!("exec 2>&1\n{}", script(&steps))]).current_dir(desk.path());
    command.env("PATH", path).env("HIGHWATER_STATE", desk.path());
    let said = call(command).expect(0);
    let mark = format!("{MARK}\n");
    let mut outputs = said.out.split(&mark).skip(1);
    let mut last = String::new();
    for step in &steps {
        let Step::Command(command, shown) = step else { continue };
        let output = outputs.next().unwrap_or_else(|| panic!("{command} was not reached: {}", said.out));
        let printed: Vec<&str> = output.lines().collect();
        for line in shown.iter().filter(|line| *line != "...") {
            assert!(printed.contains(&line.as_str()), "{command}: {line:?} is not in\n{output}");
        }
        if !shown.is_empty() && !shown.contains(&"...".to_owned()) {
            assert_eq!(&printed, shown, "{command}");
        }
        last = output.to_owned();
    }
    assert!(last.contains("regression: app/") && last.ends_with("exit code 1\n"), "{last}");
}

#[test]
fn an_empty_rust_project_gets_to_a_failing_gate() {
    if are_here(&["cargo"]) {
        follow("A Rust project");
    }
}

#[test]
fn an_empty_node_project_gets_to_a_failing_gate() {
    if are_here(&["node", "npm"]) {
        follow("A Node project");
    }
}

#[test]
fn a_page_is_read_as_people_read_it() {
    let page = "# P\n\n## A\n\nPut this into `a.js`:\n\n```js\nx();\n```\n\nRun\n\n```console\n$ one\n...\nexit code 0\n$ two\n```\n\n## B\n\n```console\n$ three\n```\n";
    let command = |text: &str, shown: &[&str]| {
        Step::Command(text.to_owned(), shown.iter().map(|line| (*line).to_owned()).collect())
    };
    let file = Step::File("a.js".to_owned(), "x();\n".to_owned());
    assert_eq!(steps(page, "A"), [file, command("one", &["...", "exit code 0"]), command("two", &[])]);
    assert_eq!(steps(page, "B"), [command("three", &[])]);
}
