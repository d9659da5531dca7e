//! The seven defects of the reported engine (facts measured on it), each looked for on a small corpus that changes.
//!
//! The corpus is written here, by hand, so that every figure that a check expects can be read off the code.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use engine::sync::strategy::{End, Strategy};
use harness::instrument::Instrument;
use harness::record::{Tier, Unit};

use crate::answer::Pass;
use crate::runner::{CaseRun, Runner};
use crate::scratch::Scratch;
use crate::sync::{Drive, Task};

const CODE: &str = ".config/Code/User/workspaceStorage";
const INSIDERS: &str = ".config/Code - Insiders/User/workspaceStorage";
const CLI: &str = ".copilot/session-state";
/// A workspace's directory name, which stands in both products.
const SHARED: &str = "0123456789abcdef0123456789abcdef";
/// A session with so many requests that the cache takes a while to be written, and that a starved worker dies of.
const LARGE_REQUESTS: usize = 4000;
/// Characters of each message: far more than the 500 that are kept.
const MESSAGE_CHARACTERS: usize = 2000;
/// Times that a race is given the chance to go wrong.
const RACES: usize = 3;

/// One defect: how it is looked for. `Ok(true)` means that it is there.
struct Check {
    name: &'static str,
    find: fn(&mut Bench<'_, '_>) -> Result<bool, String>,
}

const CHECKS: [Check; 7] = [
    Check { name: "1: truncated text keeps its memory", find: text_is_not_freed },
    Check { name: "2: the cache is lost when the worker is ended", find: cache_is_lost },
    Check { name: "3: an append in place is not noticed", find: append_is_missed },
    Check { name: "4: a new CLI session is not noticed", find: cli_session_is_missed },
    Check { name: "5: the same workspace name in two products loses one", find: same_name_loses_one },
    Check { name: "6: files that need not exist count as failed", find: missing_is_failed },
    Check { name: "7: a retry repeats the same work", find: retry_repeats },
];

/// Runs every check on a fresh corpus and counts the defects.
pub(crate) fn measure(runner: &mut Runner<'_>, strategy: Strategy, case: &mut CaseRun) -> Result<(), String> {
    let mut found = 0;
    for check in &CHECKS {
        let scratch = runner.scratch(&case.name)?;
        write_corpus(&scratch.home())
            .map_err(|error| format!("failed to write the small corpus: {error}"))?;
        let mut bench = Bench { runner, scratch: &scratch, strategy };
        let is_there = (check.find)(&mut bench).map_err(|error| format!("{}: {error}", check.name))?;
        found += u32::from(is_there);
        case.notes.push(format!("{}: {}", check.name, if is_there { "present" } else { "absent" }));
    }
    case.set("stale.defects", Unit::Count, Tier::Exact, f64::from(found));
    Ok(())
}

/// A small corpus, and a strategy that is run over it.
struct Bench<'a, 'b> {
    runner: &'a mut Runner<'b>,
    scratch: &'a Scratch,
    strategy: Strategy,
}

impl Bench<'_, '_> {
    fn run(&mut self, strategy: Strategy, worker_heap_bytes: Option<u64>) -> Result<(Pass, u64), String> {
        let task = Task { drive: Drive::Cold, strategy, worker_heap_bytes, attempts: None };
        let (sample, answer) = self.runner.sample(self.scratch, &task, Instrument::Count, None)?;
        let worker = sample.processes.iter().find(|process| process.role == "worker-1");
        let peak =
            worker.and_then(|worker| worker.metrics.get("heap.peak_bytes")).map_or(0.0, |peak| peak.value);
        Ok((answer.last()?.clone(), peak as u64))
    }

    /// A run as the strategy is.
    fn sync(&mut self) -> Result<Pass, String> {
        Ok(self.run(self.strategy, None)?.0)
    }

    /// A run after which the cache is there, whatever the strategy does to its worker.
    fn prime(&mut self) -> Result<Pass, String> {
        Ok(self.run(Strategy { end: End::Wait, ..self.strategy }, None)?.0)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.scratch.home().join(below)
    }
}

fn text_is_not_freed(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    let work = bench.sync()?.work;
    if work.text_bytes == 0 {
        return Err("no text was weighed".to_owned());
    }
    Ok(work.text_capacity_bytes > work.text_bytes + work.text_bytes / 10)
}

fn cache_is_lost(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    for _ in 0..RACES {
        let _ = fs::remove_dir_all(bench.scratch.cache());
        let first = bench.sync()?;
        let second = bench.sync()?;
        if second.work.cached != first.workspaces {
            return Ok(true);
        }
    }
    Ok(false)
}

fn append_is_missed(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    let before = bench.prime()?.requests;
    let log = bench.path(&format!("{CODE}/{SHARED}/chatSessions/log.jsonl"));
    let mut file = fs::OpenOptions::new().append(true).open(log).map_err(|error| error.to_string())?;
    let added = format!("{{\"kind\":2,\"k\":[\"requests\"],\"v\":[{}]}}\n", request("added", 10));
    file.write_all(added.as_bytes()).map_err(|error| error.to_string())?;
    Ok(bench.prime()?.requests != before + 1)
}

fn cli_session_is_missed(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    let before = bench.prime()?.sessions;
    write_cli(&bench.path(CLI), "cli-new", 1).map_err(|error| error.to_string())?;
    Ok(bench.prime()?.sessions != before + 1)
}

fn same_name_loses_one(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    let before = bench.prime()?.sessions;
    let path = bench.path(&format!("{CODE}/{SHARED}/chatSessions/new.json"));
    write(&path, &document("new", 1)).map_err(|error| error.to_string())?;
    Ok(bench.prime()?.sessions != before + 1)
}

fn missing_is_failed(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    Ok(bench.sync()?.skipped.files > 0)
}

fn retry_repeats(bench: &mut Bench<'_, '_>) -> Result<bool, String> {
    let (_, peak) = bench.run(bench.strategy, None)?;
    let _ = fs::remove_dir_all(bench.scratch.cache());
    // With half as much again it is still too little.
    let (pass, _) = bench.run(bench.strategy, Some(peak * 6 / 10))?;
    if pass.failures.is_empty() {
        return Err(format!("the worker came through with 60 % of its {peak} bytes"));
    }
    Ok(!(pass.complete && pass.work.cached > 0))
}

/// Two products with a workspace of the same name, a second workspace, two CLI sessions.
fn write_corpus(home: &Path) -> io::Result<()> {
    for root in [CODE, INSIDERS] {
        let workspace = home.join(root).join(SHARED);
        write(&workspace.join("workspace.json"), "{\"folder\":\"file:///home/dev/shared\"}")?;
        write(&workspace.join("chatSessions/one.json"), &document("one", 3))?;
    }
    let log = format!("{{\"kind\":0,\"v\":{}}}\n", document("log", 2));
    write(&home.join(CODE).join(SHARED).join("chatSessions/log.jsonl"), &log)?;
    let other = home.join(CODE).join("fedcba9876543210fedcba9876543210");
    write(&other.join("workspace.json"), "{\"folder\":\"file:///home/dev/other\"}")?;
    write(&other.join("chatSessions/two.json"), &document("two", 3))?;
    write_cli(&home.join(CLI), "cli-1", 2)?;
    write_cli(&home.join(CLI), "cli-large", LARGE_REQUESTS)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

fn document(id: &str, requests: usize) -> String {
    let requests: Vec<String> =
        (0..requests).map(|number| request(&format!("{id}-{number}"), MESSAGE_CHARACTERS)).collect();
    format!("{{\"sessionId\":\"{id}\",\"creationDate\":1760000000000,\"requests\":[{}]}}", requests.join(","))
}

fn request(id: &str, characters: usize) -> String {
    format!(
        "{{\"requestId\":\"{id}\",\"timestamp\":1760000000000,\"message\":{{\"text\":\"{}\"}},\
         \"response\":[{{\"value\":\"ok\"}}],\"result\":{{\"metadata\":{{}}}}}}",
        "m".repeat(characters)
    )
}

fn write_cli(root: &Path, id: &str, requests: usize) -> io::Result<()> {
    let mut events = String::new();
    for number in 0..requests {
        events += &format!(
            "{{\"type\":\"user.message\",\"id\":\"{id}-{number}\",\"timestamp\":\"2026-01-01T00:00:00Z\",\
             \"data\":{{\"content\":\"{}\"}}}}\n{{\"type\":\"assistant.message\",\"data\":{{\"content\":\"ok\"}}}}\n",
            "m".repeat(MESSAGE_CHARACTERS)
        );
    }
    write(&root.join(id).join("events.jsonl"), &events)?;
    write(&root.join(id).join("workspace.yaml"), "cwd: /home/dev/shared\n")
}
