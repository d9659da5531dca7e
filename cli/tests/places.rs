//! Where memory went: the first line of a failure names the function that grew, in comparisons and against a saved run; and the
//! README shows such a failure.
#![cfg(target_os = "linux")]

mod bench;

use std::fs;
use std::path::Path;

use bench::{Said, built_example, call, folder, highwater, json, temporary};

/// Set to write the failure in the README anew instead of comparing it.
const UPDATE: &str = "UPDATE_README";

/// The regressions that the example can have planted, with the function of each: a clone, a grown buffer, a leak in a loop, a cache
/// without bound, and a kept parent of a substring.
const PLANTED: [(&str, &str); 5] = [
    ("clone", "copy_summaries"),
    ("buffer", "fill_buffer"),
    ("leak", "leak_index"),
    ("cache", "remember"),
    ("parent", "excerpt"),
];

/// Compares the example as it should be with one that has a regression planted.
fn compared(planted: &str, out: &Path) -> Said {
    let program = built_example("planted");
    let base = program.display().to_string();
    let mut command = highwater(&["compare", "--corpus", "smoke", "--instrument", "count", "--corpora"]);
    command.arg(folder("corpora")).arg("--out").arg(out);
    command.args(["--base", &base, "--head", &format!("{base} {planted}")]);
    call(command).expect(1)
}

/// The first line of the first failure.
fn first_line(text: &str) -> &str {
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| line.contains(" heap."))
        .find(|line| line.starts_with("regression: "))
        .expect("a regression is told")
}

#[test]
fn the_first_line_of_a_failure_names_the_planted_function() {
    for (planted, function) in PLANTED {
        let out = temporary();
        let said = compared(planted, out.path());
        let line = first_line(&said.out);
        let place = format!(" in {function} (src/bin/planted.rs:");
        assert!(
            line.starts_with("regression: compare/planted:head heap.") && line.contains(&place),
            "{planted}: {line}"
        );
        let sites = fs::read_dir(out.path().join("sites")).unwrap();
        let drawings = sites.filter(|entry| entry.as_ref().unwrap().path().extension().unwrap() == "svg");
        assert!(drawings.count() > 0, "{planted}: a flamegraph is drawn");
    }
}

#[test]
fn a_saved_run_with_its_sites_is_a_base_whose_failures_have_names() {
    let program = built_example("planted");
    let (base, head) = (temporary(), temporary());
    let budgets = head.path().join("budgets.toml");
    let limit = |metric: &str, growth: &str| {
        format!(
            "[[budget]]\ncase = \"exec/planted:it\"\nmetric = \"{metric}\"\ngrowth = \"{growth}\"\nreason = \"so\"\n"
        )
    };
    fs::write(&budgets, limit("heap.peak_bytes", "1 KiB") + &limit("heap.total_blocks", "1000")).unwrap();
    let exec = |out: &Path, options: &[&Path], planted: &[&str]| {
        let mut command = highwater(&["exec", "--name", "exec/planted:it", "--corpus", "smoke"]);
        command.args(["--instrument", "count", "--corpora"]).arg(folder("corpora")).arg("--out").arg(out);
        command.args(options).arg("--").arg(&program).args(planted);
        call(command)
    };
    exec(base.path(), &[Path::new("--sites")], &[]).expect(0);
    assert!(base.path().join("sites/exec-planted-it.json").is_file());

    let judged = [Path::new("--budgets"), &budgets, Path::new("--baseline"), base.path()];
    exec(head.path(), &judged, &[]).expect(0);
    let said = exec(head.path(), &judged, &["buffer"]).expect(1);
    let line = first_line(&said.out);
    assert!(
        line.contains("heap.peak_bytes +") && line.contains(" in fill_buffer (src/bin/planted.rs:"),
        "{line}"
    );
    assert!(said.out.contains("; reverting #1 alone passes"), "{}", said.out);
    let case = &json(&head.path().join("run.json"))["cases"][0];
    assert_eq!(case["growth"][0]["sites"][0]["function"], "fill_buffer");
    let drawing = case["growth"][0]["flamegraph"].as_str().unwrap();
    assert!(fs::read_to_string(head.path().join(drawing)).unwrap().contains("fill_buffer"));

    // Without its sites the base still fails the run, and says what is missing.
    fs::remove_dir_all(base.path().join("sites")).unwrap();
    let said = exec(head.path(), &judged, &["buffer"]).expect(1);
    assert!(said.out.contains("is not there: --sites saves it"), "{}", said.out);
}

/// What stands for figures, which depend on compiler and build: every run of digits, with its point and its unit.
fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let is_figure = word.contains(|c: char| c.is_ascii_digit()) && !word.contains('#');
        let is_unit = ["B", "KiB", "MiB"].contains(&word.trim().trim_matches(|c: char| !c.is_alphanumeric()));
        match (is_figure, is_unit) {
            (true, _) => out.push_str("0 "),
            (false, true) => {}
            (false, false) => out.push_str(word),
        }
    }
    out
}

#[test]
fn the_readme_shows_the_failure_of_a_real_growth() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let said = compared("cache", temporary().path());
    let failure: Vec<&str> = said
        .out
        .lines()
        .skip_while(|line| !line.starts_with("regression: "))
        .take_while(|line| !line.starts_with("regression: ") || line.contains("heap.peak_bound_bytes"))
        .collect();
    let shown = failure.join("\n");
    let (begin, end) = ("<!-- failure: begin -->\n```\n", "\n```\n<!-- failure: end -->");
    let start = readme.find(begin).expect("the README has a place for the failure") + begin.len();
    let length = readme[start..].find(end).expect("the place for the failure ends");
    if std::env::var_os(UPDATE).is_some() {
        let (before, after) = (&readme[..start], &readme[start + length..]);
        fs::write(&path, format!("{before}{shown}{after}")).unwrap();
        return;
    }
    let (readme, now) = (without_figures(&readme[start..start + length]), without_figures(&shown));
    assert_eq!(readme, now, "run this test with {UPDATE}=1");
}
