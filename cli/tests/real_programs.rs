//! Programs that others wrote, measured on our corpus: ccusage, on Node, and claude-code-log, on Python.
//!
//! HIGHWATER_TOOLS names the folder where `.ci/run` has installed them.
#![cfg(target_os = "linux")]

mod bench;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bench::{call, corpus, folder, highwater, json, skipped, temporary};
use serde_json::Value;

/// The folder of the installed programs; says so when there is none.
fn tools() -> Option<PathBuf> {
    let tools = std::env::var_os("HIGHWATER_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        skipped("HIGHWATER_TOOLS is not set; .ci/run installs ccusage and claude-code-log and sets it");
    }
    tools
}

/// Measures one sample of each instrument; gives the case and what the sample of `os` wrote to standard output.
fn measure(instrument: &str, measured: &[&OsStr]) -> (Value, String) {
    let out = temporary();
    let options = ["--corpus", "smoke", "--samples", "1", "--name", "tools/real:program", "--instrument"];
    let mut command = highwater(&["exec", "--corpora"]);
    command.arg(folder("corpora")).arg("--out").arg(out.path()).args(options);
    command.arg(instrument).arg("--").args(measured);
    call(command).expect(0);
    let case = json(&out.path().join("run.json"))["cases"][0].clone();
    let output = out.path().join("output/tools-real-program.os-1.stdout");
    let output = std::fs::read_to_string(&output)
        .unwrap_or_else(|error| panic!("failed to read {}: {error}", output.display()));
    (case, output)
}

fn median(case: &Value, metric: &str) -> f64 {
    case["metrics"][metric]["median"].as_f64().unwrap_or_else(|| panic!("no {metric} in {case:#}"))
}

/// Tokens of prompts, and of answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Tokens {
    prompt: u64,
    answer: u64,
}

impl Tokens {
    fn add(&mut self, file: &Value) {
        self.prompt += file["prompt_tokens"].as_u64().unwrap_or(0);
        self.answer += file["completion_tokens"].as_u64().unwrap_or(0);
    }
}

/// What the manifest says of a folder of Claude sessions.
#[derive(Debug, Default)]
struct Known {
    all: Tokens,
    /// Of it, what lies in sessions that open with what another session has.
    resumed: Tokens,
}

/// What the manifest says of every folder of Claude sessions.
fn in_the_manifest() -> BTreeMap<String, Known> {
    let mut folders: BTreeMap<String, Known> = BTreeMap::new();
    for file in corpus().manifest["files"].as_array().expect("a manifest lists files") {
        let path = Path::new(file["path"].as_str().expect("a file has a path"));
        let Ok(path) = path.strip_prefix(".claude/projects") else { continue };
        if path.extension() != Some(OsStr::new("jsonl")) {
            continue;
        }
        let folder = path.parent().expect("a session lies in a folder").to_string_lossy().into_owned();
        let known = folders.entry(folder).or_default();
        known.all.add(file);
        let quirks = file["quirks"].as_array();
        if quirks.is_some_and(|quirks| quirks.iter().any(|quirk| quirk == "resumed")) {
            known.resumed.add(file);
        }
    }
    folders
}

/// What ccusage says of them.
fn in_the_output(output: &str) -> BTreeMap<String, Tokens> {
    let said: Value = serde_json::from_str(output).expect("ccusage writes JSON");
    let sessions = said["sessions"].as_array().expect("ccusage lists sessions");
    let folder = |session: &Value| match (session["projectPath"].as_str(), session["sessionId"].as_str()) {
        (Some("Unknown Project"), Some(name)) => name.to_owned(),
        (Some(parents), Some(name)) => format!("{parents}/{name}"),
        _ => panic!("{session:#}"),
    };
    let tokens = |session: &Value| {
        let count = |name: &str| session[name].as_u64().unwrap_or_else(|| panic!("no {name} in {session:#}"));
        let prompt = count("inputTokens") + count("cacheCreationTokens") + count("cacheReadTokens");
        Tokens { prompt, answer: count("outputTokens") }
    };
    sessions.iter().map(|session| (folder(session), tokens(session))).collect()
}

/// ccusage counts a response once over all sessions, and its answer as the first of its lines has it; the
/// manifest counts it once in each session, and its answer as its largest line has it. So only sessions that
/// open with what another has may be counted in part.
#[test]
fn ccusage_reads_the_corpus_and_agrees_with_its_manifest() {
    let Some(tools) = tools() else { return };
    let program = tools.join("npm/node_modules/ccusage/dist/index.js");
    let arguments = ["session", "--json", "--offline"].map(OsStr::new);
    let (case, output) =
        measure("os,v8", &[&[OsStr::new("node"), program.as_os_str()], &arguments[..]].concat());
    let (said, known) = (in_the_output(&output), in_the_manifest());
    assert_eq!(said.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
    let mut repeated = false;
    for (folder, Known { all, resumed }) in known {
        let said = said[&folder];
        assert!(said.prompt <= all.prompt, "{folder}: {said:?}, {all:?}");
        assert!(said.prompt >= all.prompt - resumed.prompt, "{folder}: {said:?}, {all:?}, {resumed:?}");
        let once = all.answer - resumed.answer;
        assert!(said.answer <= all.answer, "{folder}: {said:?}, {all:?}");
        assert!(said.answer * 4 > once * 3, "{folder}: {said:?}, {all:?}, {resumed:?}");
        repeated |= said.prompt < all.prompt;
    }
    assert!(repeated, "no session repeats another");
    assert!(median(&case, "tree.peak_high_bytes") > median(&case, "v8.heap_peak_bytes"));
    assert!(median(&case, "v8.heap_peak_bytes") > 4e6);
}

#[test]
fn claude_code_log_writes_its_pages_and_cache_into_the_copy() {
    let Some(tools) = tools() else { return };
    let program = tools.join("python/bin/claude-code-log");
    let measured = [program.as_os_str(), OsStr::new("--all-projects")];
    let (case, output) = measure("os", &measured);
    assert!(output.contains("Successfully processed 3 projects"), "{output}");
    assert!(median(&case, "tree.peak_low_bytes") > 40e6);
    let left = call({
        let mut verify = highwater(&["corpus", "verify"]);
        verify.arg(&corpus().root);
        verify
    });
    left.expect(0);
}
