//! `highwater exec` and `highwater compare` of two commands: ends, outputs, homes, budgets and names.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bench;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench::{Said, call, corpus, folder, highwater, json, skipped, temporary};
use serde_json::Value;

/// A person's home and directory, and a folder for runs.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { folder: temporary() };
        for name in ["home/.claude", "work"] {
            fs::create_dir_all(desk.path(name)).unwrap();
        }
        fs::write(desk.path("home/.claude/settings.json"), "{}").unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The call of a verb in the person's directory, as the person.
    fn command(&self, verb: &str, options: &[&str]) -> Command {
        let mut command = highwater(&[verb, "--out"]);
        command.arg(self.path("out")).args(options).current_dir(self.path("work"));
        command.env("HOME", self.path("home")).env("CLAUDE_CONFIG_DIR", self.path("home/.claude"));
        command
    }

    fn exec_command(&self, options: &[&str], measured: &[&str]) -> Command {
        let mut command = self.command("exec", options);
        command.arg("--").args(measured);
        command
    }

    fn exec(&self, options: &[&str], measured: &[&str]) -> Said {
        call(self.exec_command(options, measured))
    }

    /// One sample of a shell's work.
    fn shell(&self, options: &[&str], script: &str) -> Said {
        self.exec(&[&["--samples", "1"], options].concat(), &["sh", "-c", script])
    }

    fn run(&self) -> Value {
        json(&self.path("out/run.json"))
    }

    fn case(&self) -> Value {
        self.run()["cases"][0].clone()
    }

    fn error(&self) -> String {
        self.case()["error"].as_str().expect("the case has an error").to_owned()
    }

    /// What the samples of the shell's case wrote to standard output, in their order.
    fn outputs(&self) -> Vec<String> {
        let output = |number: u32| {
            fs::read(self.path(&format!("out/output/exec-sh-as-given.os-{number}.stdout"))).ok()
        };
        (1..).map_while(output).map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }

    fn listed(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(name))
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort_unstable();
        names
    }
}

fn corpora() -> [String; 4] {
    corpus();
    let corpora = folder("corpora").into_os_string().into_string().unwrap();
    ["--corpus".to_owned(), "smoke".to_owned(), "--corpora".to_owned(), corpora]
}

/// Whether a program is there; says so where it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = found.is_ok_and(|status| status.success());
    if !is_there {
        skipped(&format!("{program} is not there"));
    }
    is_there
}

#[test]
fn a_command_that_ends_well_is_measured_and_not_judged() {
    let desk = Desk::new();
    let said = desk.exec(&[], &["true"]).expect(0);
    assert!(said.out.contains("exec/true") && said.out.contains("nothing was judged"), "{}", said.out);
    let (run, case) = (desk.run(), desk.case());
    assert_eq!((&run["verdict"], &case["case"]), (&"pass".into(), &"exec/true:as-given".into()));
    let command = &case["command"];
    assert_eq!(command["line"], serde_json::json!(["true"]));
    let ends = command["ends"].as_array().unwrap();
    assert_eq!(ends.len(), 3);
    assert!(ends.iter().all(|end| end["exit_code"] == 0 && end["instrument"] == "os"), "{command}");
    let peak = case["metrics"]["tree.peak_high_bytes"]["samples"].as_array().unwrap();
    assert_eq!(peak.len(), 3);
    assert!(peak.iter().all(|bytes| bytes.as_f64().unwrap() < 4e6), "{peak:?}");
    assert_eq!(desk.listed("out"), ["junit.xml", "report.html", "report.md", "run.json"]);
}

#[test]
fn an_exit_code_that_was_not_expected_is_an_error_and_no_measurement() {
    let desk = Desk::new();
    let said = desk.shell(&[], "echo first >&2; echo 'the reason' >&2; exit 3").expect(2);
    assert!(said.out.contains("error") && said.out.contains("the reason"), "{}", said.out);
    assert_eq!(desk.run()["verdict"], "error");
    let case = desk.case();
    assert_eq!(case["command"]["ends"][0]["exit_code"], 3);
    assert_eq!(case["metrics"], serde_json::json!({}));
    for part in ["exit code 3", "exit code 0 was expected", "the reason"] {
        assert!(desk.error().contains(part), "{}", desk.error());
    }
    assert!(fs::read_to_string(desk.path("out/report.md")).unwrap().contains("the reason"));
}

#[test]
fn the_expected_exit_code_is_the_good_one_and_0_then_is_not() {
    let desk = Desk::new();
    desk.shell(&["--expect-exit", "3"], "exit 3").expect(0);
    assert_eq!(desk.case()["command"]["expected_exit"], 3);
    assert!(desk.case()["metrics"]["rss.peak_bytes"]["median"].as_f64().unwrap() > 0.0);
    desk.shell(&["--expect-exit", "143"], "kill -TERM $$").expect(0);
    desk.shell(&["--expect-exit", "3"], "exit 0").expect(2);
    assert!(desk.error().contains("exit code 3 was expected"));
}

#[test]
fn what_cannot_be_run_is_named_with_what_to_do_and_nothing_is_written() {
    let desk = Desk::new();
    let text = desk.path("text");
    fs::write(&text, "echo").unwrap();
    let of = |program: &str| desk.exec(&[], &[program]).expect(2);
    of("no-such-program-4711").complains(&["\"no-such-program-4711\"", "PATH"]);
    of("./no-such-program-4711").complains(&["./no-such-program-4711", "does not exist"]);
    of(text.to_str().unwrap()).complains(&["text", "not executable", "chmod +x"]);
    of("/").complains(&["is a directory"]);
    of("").complains(&["\"\" was not found"]);
    let wrong = |options: &[&str]| desk.exec(options, &["true"]).expect(2);
    wrong(&["--phase-regex", "a("]).complains(&["a(", "--phase-regex"]);
    wrong(&["--instrument", "valgrind"]).complains(&["valgrind", "auto, quiet, os"]);
    wrong(&["--corpus", "huge"]).complains(&["huge", "smoke"]);
    wrong(&["--corpus", "smoke@-1"]).complains(&["-1", "above 0"]);
    wrong(&["--warm"]).complains(&["--corpus"]);
    wrong(&["--stdin", "nosuch"]).complains(&["nosuch", "--stdin"]);
    assert!(!desk.path("out").exists());
}

#[test]
fn a_file_that_no_kernel_runs_is_an_error_of_its_case() {
    let desk = Desk::new();
    let program = desk.script("strange", "#!/no/such/interpreter\n");
    desk.exec(&[], &[program.to_str().unwrap()]).expect(2);
    assert!(desk.error().contains("strange"), "{}", desk.error());
}

#[test]
fn a_signal_is_an_error_and_recorded() {
    let desk = Desk::new();
    desk.shell(&[], "kill -9 $$").expect(2);
    assert_eq!(desk.case()["command"]["ends"][0]["signal"], 9);
    assert!(desk.error().contains("signal 9"), "{}", desk.error());
}

#[test]
fn a_time_out_ends_the_whole_tree() {
    let desk = Desk::new();
    let began = Instant::now();
    desk.shell(&["--timeout", "1"], "sleep 300 & echo $!; setsid sleep 300 & echo $!; sleep 300").expect(2);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(desk.error().contains("1 s") && desk.error().contains("--timeout"), "{}", desk.error());
    let pids = desk.outputs().concat();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        assert!(!Path::new("/proc").join(pid).exists(), "{pid} still runs");
    }
}

#[test]
fn an_output_of_1_gb_is_read_and_kept_within_bounds() {
    let desk = Desk::new();
    desk.shell(&[], "printf begin; head -c 1000000000 /dev/zero; printf end").expect(0);
    let kept = &desk.outputs()[0];
    assert!(kept.len() < 140_000, "{}", kept.len());
    assert!(kept.starts_with("begin") && kept.ends_with("end") && kept.contains("bytes left out"));
}

#[test]
fn an_output_that_is_no_text_is_kept_as_it_is() {
    let desk = Desk::new();
    let said = desk.shell(&[], r"printf 'a\377\376\000b'; printf '\377\033[31mbad\n' >&2; exit 1").expect(2);
    assert!(!desk.error().contains('\u{1b}') && desk.error().contains("bad"), "{}", desk.error());
    assert!(!said.out.contains('\u{1b}'), "{}", said.out);
    let kept = fs::read(desk.path("out/output/exec-sh-as-given.os-1.stdout")).unwrap();
    assert_eq!(kept, b"a\xff\xfe\0b");
}

#[test]
fn outputs_of_the_run_before_are_replaced_and_other_files_stay() {
    let desk = Desk::new();
    desk.exec(&["--samples", "2"], &["echo", "x"]).expect(0);
    fs::write(desk.path("out/output/own.txt"), "mine").unwrap();
    assert_eq!(desk.listed("out/output").len(), 3);
    desk.shell(&[], "echo y").expect(0);
    assert_eq!(desk.listed("out/output"), ["exec-sh-as-given.os-1.stdout", "own.txt"]);
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let desk = Desk::new();
    let program = env!("CARGO_BIN_EXE_highwater");
    for (shown, code) in [("", "0"), ("--show-output", "0"), ("--expect-exit 1", "2")] {
        for way in ["| head -c 1", "| true", ">&-", ">&- 2>&-", "2>&1 | true"] {
            let arguments =
                format!("exec --samples 1 {shown} --out '{}' -- seq 100000", desk.path("out").display());
            let status = desk.path("status");
            let line = format!("( {program} {arguments}; echo $? > '{}' ) {way}", status.display());
            let output = Command::new("sh").args(["-c", &line]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("panicked"), "{shown} {way}: {said}");
            assert_eq!(fs::read_to_string(&status).unwrap().trim(), code, "{shown} {way}: {said}");
        }
    }
}

#[test]
fn arguments_environment_and_directory_are_as_given() {
    let desk = Desk::new();
    let strange = std::ffi::OsStr::from_bytes(b"\xff $HOME");
    let mut command =
        desk.exec_command(&["--samples", "1"], &["sh", "-c", "printf '%s|' \"$@\"; pwd; echo $HOME"]);
    command.args(["sh", "a  b", "", "*", "{corpus}"]).arg(strange);
    let said = call(command).expect(0);
    let kept = fs::read(desk.path("out/output/exec-sh-as-given.os-1.stdout")).unwrap();
    let (work, home) = (fs::canonicalize(desk.path("work")).unwrap(), desk.path("home"));
    let rest = format!("|{}\n{}\n", work.display(), home.display());
    assert_eq!(kept, [b"a  b||*|{corpus}|\xff $HOME".as_slice(), rest.as_bytes()].concat());
    assert!(said.out.contains("{corpus} was left as it stands"), "{}", said.out);
}

#[test]
fn standard_input_is_empty_or_the_file_that_was_named() {
    let desk = Desk::new();
    desk.shell(&[], "cat; echo done").expect(0);
    assert_eq!(desk.outputs(), ["done\n"]);
    let file = desk.path("text");
    fs::write(&file, "hello\n").unwrap();
    desk.exec(&["--samples", "2", "--stdin", file.to_str().unwrap()], &["sh", "-c", "cat"]).expect(0);
    assert_eq!(desk.outputs(), ["hello\n", "hello\n"]);
}

#[test]
fn output_is_shown_where_it_was_asked_for_and_the_table_beside_it() {
    let desk = Desk::new();
    let said = desk.shell(&["--show-output"], "echo to-$((40 + 2)); echo to-$((40 + 3)) >&2").expect(0);
    assert_eq!(said.out, "to-42\n");
    assert!(said.err.contains("to-43") && said.err.contains("exec/sh"), "{}", said.err);
    let said = desk.shell(&[], "echo to-$((40 + 2)); echo to-$((40 + 3)) >&2").expect(0);
    assert!(!said.out.contains("to-42") && !said.err.contains("to-43") && said.out.contains("exec/sh"));
}

/// Looks for what samples before have left, leaves something everywhere, and makes it hard to remove.
const MESSY: &str = r#"
    ls $HOME/left $XDG_CACHE_HOME/left $CLAUDE_CONFIG_DIR/left 2>/dev/null | wc -l
    find $HOME -name '*.jsonl' | wc -l
    for place in "$HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" "$CLAUDE_CONFIG_DIR" "$CODEX_HOME" "$APPDATA"; do
        echo left > "$place/left"
    done
    for file in $(find $HOME -name '*.jsonl' | head -5); do echo damage > "$file"; done
    mkdir $HOME/closed && echo x > $HOME/closed/x && chmod 500 $HOME/closed
    ln -sfn / $HOME/root
"#;

#[test]
fn each_sample_has_a_copy_of_the_corpus_and_nothing_outside_is_touched() {
    let desk = Desk::new();
    let corpora = corpora();
    let options: Vec<&str> =
        ["--samples", "3"].into_iter().chain(corpora.iter().map(String::as_str)).collect();
    desk.exec(&options, &["sh", "-c", MESSY]).expect(0);
    let fresh = desk.outputs();
    assert_eq!(fresh.len(), 3);
    assert!(fresh[0].starts_with("0\n") && !fresh[0].ends_with("\n0\n"), "{fresh:?}");
    assert!(fresh.iter().all(|said| *said == fresh[0]), "{fresh:?}");
    assert_eq!(desk.case()["corpus"]["digest"], corpus().manifest["digest"]);

    let warm = [&options[..], &["--warm"]].concat();
    desk.exec(
        &warm,
        &["sh", "-c", &MESSY.replace("mkdir $HOME/closed &&", "mkdir -p $HOME/closed; true ||")],
    )
    .expect(0);
    let warm = desk.outputs();
    assert!(warm[0].starts_with("0\n") && warm[1].starts_with("3\n"), "{warm:?}");

    let mut verify = highwater(&["corpus", "verify"]);
    verify.arg(&corpus().root);
    call(verify).expect(0);
    assert_eq!(desk.listed("out"), ["junit.xml", "output", "report.html", "report.md", "run.json"]);
    assert_eq!(desk.listed("home/.claude"), ["settings.json"]);
    assert_eq!((desk.listed("home"), desk.listed("work")), (vec![".claude".to_owned()], Vec::new()));
}

#[test]
fn every_way_to_the_corpus_leads_to_the_copy() {
    let desk = Desk::new();
    let corpora = corpora();
    let options: Vec<&str> =
        ["--samples", "1"].into_iter().chain(corpora.iter().map(String::as_str)).collect();
    let script = r#"pwd; test "$0" = "$HOME" && test "$0/x" = "$1" && test "$HIGHWATER_CORPUS" = "$HOME" || exit 1
        for place in "$USERPROFILE" "$APPDATA" "$LOCALAPPDATA" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" \
            "$XDG_CACHE_HOME" "$CLAUDE_CONFIG_DIR" "$CODEX_HOME"; do
            case "$place" in "$HOME"*) test -d "$place" || exit 3;; *) exit 2;; esac
        done
        ls $CLAUDE_CONFIG_DIR/projects >/dev/null && ls $APPDATA/Code/User/workspaceStorage >/dev/null"#;
    desk.exec(&options, &["sh", "-c", script, "{corpus}", "{corpus}/x"]).expect(0);
    assert_eq!(Path::new(desk.outputs()[0].trim()), fs::canonicalize(desk.path("work")).unwrap());
    assert_eq!(desk.case()["command"]["line"][3], "{corpus}");
}

fn budget(case: &str, ceiling: &str) -> String {
    format!(
        "[[budget]]\ncase = \"{case}\"\nmetric = \"tree.peak_high_bytes\"\nceiling = \"{ceiling}\"\nreason = \"why not\"\n"
    )
}

#[test]
fn budgets_judge_a_command_as_they_judge_a_scenario() {
    let desk = Desk::new();
    let file = desk.path("budgets.toml");
    let judged = |text: &str, options: &[&str], measured: &[&str]| {
        fs::write(&file, text).unwrap();
        desk.exec(&[options, &["--budgets", file.to_str().unwrap()]].concat(), measured)
    };
    let generous = budget("exec/true:as-given", "1 GiB");
    judged(&generous, &[], &["true"]).expect(0);
    assert_eq!(desk.case()["verdicts"][0]["verdict"], "pass");
    let said = judged(&budget("exec/true:as-given", "1 KiB"), &[], &["true"]).expect(1);
    assert!(said.out.contains("why not"), "{}", said.out);
    assert_eq!(desk.run()["verdict"], "regression");
    // The run can be judged again, and so can one whose command failed.
    let gate = |text: &str| {
        fs::write(&file, text).unwrap();
        let mut command = highwater(&["gate", "--budgets"]);
        command.arg(&file).arg(desk.path("out"));
        call(command)
    };
    gate(&generous).expect(0);
    judged(&budget("exec/false:as-given", "1 KiB"), &[], &["false"]).expect(2);
    gate(&budget("exec/false:as-given", "1 KiB")).expect(2);
    // One file serves several commands; one that is about none of this is not green.
    judged(&(generous.clone() + &budget("exec/other:as-given", "1 KiB")), &[], &["true"]).expect(0);
    judged(&budget("exec/other:as-given", "1 KiB"), &[], &["true"]).expect(2);
    judged(&budget("my/own:name", "1 GiB"), &["--name", "my/own:name"], &["true"]).expect(0);
    judged(&budget("sync/cold:unbounded", "1 GiB"), &[], &["true"])
        .expect(2)
        .complains(&["sync/cold:unbounded"]);
    judged(&budget("exce/true:as-given", "1 GiB"), &[], &["true"]).expect(2).complains(&["exce/true"]);
}

#[test]
fn growth_is_judged_against_a_saved_run() {
    let desk = Desk::new();
    let subject = bench::Subject::new(&desk.path("work"), &corpus().home());
    let command = subject.command("Cold", bench::strategy("bounded"));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| word.to_str().unwrap());
    let measured: Vec<&str> =
        ["sh", "-c", "rm -rf cache; exec \"$0\" \"$@\""].into_iter().chain(words).collect();
    desk.exec(&["--instrument", "count"], &measured).expect(0);
    let mut saved = desk.run();

    let (budgets, before) = (desk.path("budgets.toml"), desk.path("before.json"));
    fs::write(
        &budgets,
        "[[budget]]\ncase = \"exec/sh:as-given\"\nmetric = \"heap.total_blocks\"\ngrowth = 0\nreason = \"no creep\"\n",
    )
    .unwrap();
    let against = |saved: &Value| {
        fs::write(&before, saved.to_string()).unwrap();
        let options = ["--budgets", budgets.to_str().unwrap(), "--baseline", before.to_str().unwrap()];
        desk.exec(&[&["--instrument", "count"], &options[..]].concat(), &measured)
    };
    against(&saved).expect(0);
    assert_eq!(desk.case()["verdicts"][0]["verdict"], "pass");
    let blocks = &mut saved["cases"][0]["metrics"]["heap.total_blocks"];
    let fewer = blocks["median"].as_f64().unwrap() - 1.0;
    (blocks["median"], blocks["samples"]) = (fewer.into(), vec![fewer; 2].into());
    against(&saved).expect(1);

    let missing = ["--budgets", budgets.to_str().unwrap(), "--baseline", "none.json"];
    desk.exec(&missing, &["true"]).expect(2).complains(&["none.json"]);
    desk.exec(&["--baseline", "none.json"], &["true"]).expect(2).complains(&["--budgets"]);
}

#[test]
fn a_case_is_called_as_asked_or_after_its_program() {
    let desk = Desk::new();
    desk.exec(&["--samples", "1", "--name", "parse/large:fixed"], &["true"]).expect(0);
    assert_eq!(desk.case()["case"], "parse/large:fixed");
    let program = desk.script("my prog:1*", "#!/bin/sh\n");
    desk.exec(&["--samples", "1"], &[program.to_str().unwrap()]).expect(0);
    assert_eq!(desk.case()["case"], "exec/myprog1:as-given");
    for name in ["parse", "parse/large", "a:b/c", "a/b/c:d", "a/*:b", "sync/cold:bounded"] {
        desk.exec(&["--name", name], &["true"]).expect(2).complains(&[name, "FAMILY/SCENARIO:STRATEGY"]);
    }
}

#[test]
fn an_instrument_that_read_nothing_is_no_measurement() {
    let desk = Desk::new();
    desk.exec(&["--instrument", "count"], &["true"]).expect(2);
    assert!(desk.error().contains("nothing was measured"), "{}", desk.error());
    let said = desk.exec(&["--instrument", "os,count"], &["true"]).expect(0);
    assert!(said.out.contains("no process left a record under count"), "{}", said.out);
}

#[test]
fn a_program_that_measures_itself_leaves_its_counts_and_phases() {
    let desk = Desk::new();
    let subject = bench::Subject::new(&desk.path("work"), &corpus().home());
    let command = subject.command("Cold", bench::strategy("bounded"));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| word.to_str().unwrap());
    // The second sample must not find the cache of the first.
    let measured: Vec<&str> =
        ["sh", "-c", "rm -rf cache; exec \"$0\" \"$@\""].into_iter().chain(words).collect();
    desk.exec(&["--instrument", "count"], &measured).expect(0);
    let case = desk.case();
    let heap = &case["metrics"]["heap.peak_bytes"];
    assert_eq!((&heap["tier"], heap["samples"].as_array().unwrap().len()), (&"exact".into(), 2));
    assert!(case["metrics"].as_object().unwrap().keys().any(|name| name.starts_with("heap.peak_bytes@")));
}

#[test]
fn lines_of_the_output_begin_phases() {
    let desk = Desk::new();
    let script = "echo phase=1 detail=small; sleep 0.1; echo phase=2 detail=large; sleep 0.3; head -c 50000000 /dev/zero | tail -c 40000000 | wc -c";
    desk.shell(&["--phase-regex", "phase=\\d+ detail=(\\w+)"], script).expect(0);
    let case = desk.case();
    let peak =
        |phase: &str| case["metrics"][format!("tree.peak_high_bytes@{phase}")]["median"].as_f64().unwrap();
    assert!(peak("small") < 10e6 && peak("large") > 38e6, "{} {}", peak("small"), peak("large"));
}

#[test]
fn a_stopped_run_leaves_nothing() {
    let desk = Desk::new();
    let mark = desk.path("started");
    let script = format!("touch '{}'; sleep 300", mark.display());
    let mut child = desk.exec_command(&[], &["sh", "-c", &script]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !mark.exists() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(desk.listed("out"), Vec::<String>::new());
}

#[test]
fn node_has_its_heap_read_and_a_quiet_pass_of_its_own() {
    if !has("node") {
        return;
    }
    let desk = Desk::new();
    desk.exec(&["--samples", "1"], &["node", "-e", "globalThis.kept = Array(5e6).fill(1)"]).expect(0);
    let run = desk.run();
    let names: Vec<&str> =
        run["cases"].as_array().unwrap().iter().map(|case| case["case"].as_str().unwrap()).collect();
    assert_eq!(names, ["exec/node:as-given", "exec/node:as-given-quiet"]);
    let heap = run["cases"][0]["metrics"]["v8.heap_peak_bytes"]["median"].as_f64().unwrap();
    assert!((40e6..60e6).contains(&heap), "{heap}");
    let ends = run["cases"][0]["command"]["ends"].as_array().unwrap();
    assert_eq!(ends.iter().map(|end| end["instrument"].as_str().unwrap()).collect::<Vec<_>>(), ["os", "v8"]);
    desk.exec(&["--samples", "1", "--instrument", "os"], &["node", "-e", "1"]).expect(0);
    assert_eq!(desk.run()["cases"].as_array().unwrap().len(), 1);
}

#[test]
fn a_full_heap_is_an_error_even_where_the_exit_code_is_0() {
    if !has("node") {
        return;
    }
    let desk = Desk::new();
    let worker = r#"new (require('worker_threads').Worker)("const a = []; for (;;) a.push(Array(1e4).fill(a.length))",
        { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } }).on('error', () => process.exit(0))"#;
    let said = desk.exec(&["--samples", "1"], &["node", "-e", worker]).expect(2);
    assert!(desk.error().contains("heap"), "{}", desk.error());
    assert_eq!(desk.case()["command"]["ends"][0]["exit_code"], 0, "{}", said.out);
}

#[test]
fn two_commands_are_measured_in_turn_after_one_sample_of_each() {
    let desk = Desk::new();
    let log = desk.path("log");
    let arm = |name: &str| format!("sh -c 'echo {name} >> \"$0\"' \"{}\"", log.display());
    let mut command = desk.command("compare", &["--samples", "5", "--alpha", "0.01"]);
    command.args([
        "--base",
        &arm("base"),
        "--head",
        &arm("head"),
        "--allow",
        "8 MiB",
        "--spread-max",
        "900 %",
    ]);
    let said = call(command).expect(0);
    assert!(said.out.contains("tree.peak_high_bytes") && said.out.contains("verdict"), "{}", said.out);
    assert_eq!(
        fs::read_to_string(&log).unwrap().replace('\n', " "),
        "base head base head head base base head head base base head "
    );
    let run = desk.run();
    assert_eq!(run["cases"][0]["case"], "compare/sh:base");
    assert_eq!(run["cases"][1]["case"], "compare/sh:head");
    assert_eq!(run["cases"][1]["metrics"]["time.wall_seconds"]["samples"].as_array().unwrap().len(), 5);
    assert_eq!(desk.listed("out"), ["junit.xml", "report.html", "report.md", "run.json"]);
}

#[test]
fn a_command_of_a_comparison_that_fails_is_an_error() {
    let desk = Desk::new();
    let compare = |base: &str, head: &str, more: &[&str]| {
        let mut command = desk.command("compare", &["--base", base, "--head", head]);
        command.args(more);
        call(command).expect(2)
    };
    compare("true", "false", &[]);
    assert_eq!(desk.run()["verdict"], "error");
    compare("true", "no-such-program-4711 x", &[]).complains(&["no-such-program-4711"]);
    compare("true", "echo 'x", &[]).complains(&["--head", "quote"]);
    compare("true", "", &[]).complains(&["--head", "empty"]);
    compare("true", "true", &["--name", "a/b"]).complains(&["--name a/b"]);
    call(highwater(&["compare", "--base", "true"])).expect(2).complains(&["--head"]);
    call(highwater(&["compare", "one", "two", "--samples", "2"])).expect(2).complains(&["--samples"]);
}
