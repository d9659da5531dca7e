//! Real records, turned into events, and counted by another reader.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says so, and one that is skipped says why"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use highwater_engine::formats::source::Skips;
use highwater_engine::snapshots::event::{Event, Provider};
use highwater_engine::snapshots::read::{self, Resume};
use serde_json::Value;

/// The folder of real records, when there is one.
fn records(tool: &str) -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("HIGHWATER_REAL_RECORDS") else {
        println!("skipped: HIGHWATER_REAL_RECORDS names no folder of real records");
        return Vec::new();
    };
    let folder = Path::new(&folder).join(tool);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn events(provider: Provider, path: &Path) -> (Vec<Event>, Skips) {
    let (mut events, mut skips) = (Vec::new(), Skips::default());
    let mut file = std::fs::File::open(path).unwrap();
    read::read(provider, &mut file, &mut Resume::default(), &mut skips, &mut |event| events.push(event))
        .unwrap();
    (events, skips)
}

fn values(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn counts(events: &[Event]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    events.iter().for_each(|event| *counts.entry(event.kind()).or_default() += 1);
    counts
}

/// Blocks of a kind in the records that are the session's own, by a walk over plain values.
fn blocks<'a>(records: &'a [Value], role: &'a str, kind: &'a str) -> Vec<&'a Value> {
    let own = records.iter().filter(move |record| record["type"] == role && record["isSidechain"] != true);
    let blocks = own.filter_map(|record| record["message"]["content"].as_array()).flatten();
    blocks.filter(move |block| block["type"] == kind).collect()
}

#[test]
fn nothing_that_real_claude_sessions_say_is_lost() {
    for path in records("claude") {
        let (events, skips) = events(Provider::Claude, &path);
        let records = values(&path);
        // A record is an object, and so is its message where it has one.
        let is_record = |value: &&Value| {
            value.is_object() && (value["message"].is_object() || value["message"].is_null())
        };
        let no_records = records.len() - records.iter().filter(is_record).count();
        assert_eq!(skips.lines as usize, no_records, "{}: {skips:?}", path.display());
        let counts = counts(&events);
        let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
        assert_eq!(count("tool.call"), blocks(&records, "assistant", "tool_use").len(), "{}", path.display());
        assert_eq!(count("tool.result"), blocks(&records, "user", "tool_result").len(), "{}", path.display());
        for block in blocks(&records, "assistant", "text") {
            let text = block["text"].as_str().unwrap();
            let found = text.trim().is_empty() || events.iter().any(|event| event.text() == text);
            assert!(found, "{}: {text}", path.display());
        }
        for block in blocks(&records, "assistant", "tool_use") {
            let call = events.iter().filter(|event| event.kind() == "tool.call");
            let inputs = call.map(|event| serde_json::from_str::<Value>(event.text()).unwrap());
            assert!(inputs.into_iter().any(|input| input == block["input"]), "{}", path.display());
        }
        for record in
            records.iter().filter(|record| record["type"] == "user" && record["isSidechain"] != true)
        {
            let Some(text) = record["message"]["content"].as_str() else { continue };
            // What tools put into it is taken out, so that only plain ones can be compared whole.
            let is_plain =
                !text.contains("<system-reminder>") && !text.contains('\u{1b}') && !text.trim().is_empty();
            let found = events.iter().any(|event| event.kind() == "message.user" && event.text() == text);
            assert!(!is_plain || found, "{}: {text}", path.display());
        }
    }
}

#[test]
fn a_real_codex_session_says_each_thing_once() {
    for path in records("codex") {
        let (events, skips) = events(Provider::Codex, &path);
        let records = values(&path);
        assert_eq!(skips.lines, 0, "{}: {skips:?}", path.display());
        let of_type = |kind: &str| {
            records.iter().filter(|record| record["payload"]["type"] == kind).collect::<Vec<_>>()
        };
        let counts = counts(&events);
        assert_eq!(counts["message.user"], of_type("user_message").len());
        assert_eq!(counts["message.assistant"], of_type("agent_message").len());
        assert_eq!(counts["tool.call"], of_type("function_call").len());
        assert_eq!(counts["tool.result"], of_type("function_call_output").len());
        assert!(events.iter().all(|event| event.timestamp.parse::<jiff::Timestamp>().is_ok()));
        let id = read::identify(Provider::Codex, &path).unwrap().unwrap();
        assert_eq!(Some(&*id), records[0]["payload"]["id"].as_str());
    }
}
