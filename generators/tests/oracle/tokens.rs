//! What the models read and wrote, counted as a person would who has only the files: each response once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::reader::{directories, entries, lines, parse};

/// Responses, read anew, read from a cache, written to a cache, written by the model.
pub(crate) type Sum = [u64; 5];

/// Of Claude Code: a response is told apart by its message and its request, over all files, and its largest figures count. A
/// response without a request lasts until the next line of the user.
pub(crate) fn claude(home: &Path) -> Sum {
    let mut responses: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for path in files(&home.join(".claude/projects")) {
        let mut asked = 0;
        for line in lines(&fs::read(&path).unwrap()).iter().filter_map(|line| parse(line)) {
            let message = &line["message"];
            asked += u64::from(line["type"] == "user");
            if line["type"] != "assistant" || message["model"] == "<synthetic>" || message["usage"].is_null()
            {
                continue;
            }
            let request = line["requestId"].as_str().map_or(format!("{path:?} {asked}"), str::to_owned);
            let key = (message["id"].as_str().unwrap().to_owned(), request);
            let usage = |name: &str| message["usage"][name].as_u64().unwrap();
            let told = [
                1,
                usage("input_tokens"),
                usage("cache_read_input_tokens"),
                usage("cache_creation_input_tokens"),
                usage("output_tokens"),
            ];
            let largest = responses.entry(key).or_default();
            *largest = std::array::from_fn(|i| largest[i].max(told[i]));
        }
    }
    sum(responses.into_values())
}

/// Of Copilot CLI: every message says what the model wrote, and the session's end what it read.
pub(crate) fn copilot(home: &Path) -> Sum {
    let events = files(&home.join(".copilot/session-state"))
        .into_iter()
        .flat_map(|path| lines(&fs::read(path).unwrap()));
    sum(events.filter_map(|line| parse(&line)).map(|event| of_event(&event)))
}

fn of_event(event: &Value) -> Sum {
    let data = &event["data"];
    if event["type"] == "assistant.message" {
        return [1, 0, 0, 0, data["outputTokens"].as_u64().unwrap()];
    }
    let metrics = data["modelMetrics"].as_object().into_iter().flat_map(|models| models.values());
    sum(metrics.map(|model| {
        let count = |name: &str| model["usage"][name].as_u64().unwrap_or(0);
        [0, count("inputTokens") - count("cacheReadTokens"), count("cacheReadTokens"), 0, 0]
    }))
}

fn sum(all: impl Iterator<Item = Sum>) -> Sum {
    all.fold(Sum::default(), |sum, more| std::array::from_fn(|i| sum[i] + more[i]))
}

/// Every `.jsonl` below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = entries(directory);
    found.retain(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "jsonl"));
    found.extend(directories(directory).iter().flat_map(|inner| files(inner)));
    found
}
