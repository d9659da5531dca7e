//! Ids, states and references, each checked without what makes them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Whether an id has its prefix, twelve hexadecimal digits and fourteen letters or digits.
fn is_id(prefix: &str, id: &str) -> bool {
    let Some(rest) = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else { return false };
    let (hex, drawn) = rest.split_at(12);
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    rest.len() == 26 && hex.chars().all(is_hex) && drawn.chars().all(|c| c.is_ascii_alphanumeric())
}

#[test]
fn ids_have_their_form_and_rise_with_time_but_those_of_sessions_fall() {
    let mut last: BTreeMap<(String, &str), String> = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut sessions: Vec<(i64, String)> = Vec::new();
    for Step { act, at_ms } in Script::new(&small(5)) {
        let Some((what, value)) = record(&act) else { continue };
        let id = value["id"].as_str().unwrap().to_owned();
        let prefix = match what {
            "session" => "ses",
            "message" => "msg",
            _ => "prt",
        };
        assert!(is_id(prefix, &id), "{id}");
        if !seen.insert(id.clone()) {
            continue;
        }
        if what == "session" {
            sessions.push((at_ms, id));
            continue;
        }
        let session = value["sessionID"].as_str().unwrap().to_owned();
        let before = last.insert((session, what), id.clone()).unwrap_or_default();
        assert!(id > before, "{id} after {before}");
    }
    assert!(sessions.len() > 3, "tasks have sessions, too");
    assert!(sessions.is_sorted_by(|one, next| one.0 < next.0 && one.1 > next.1), "{sessions:?}");
}

#[test]
fn an_id_has_the_time_of_its_record() {
    let mut checked = 0;
    for Step { act, at_ms } in Script::of(&small(5), 0) {
        if let Act::Message(value) = &act {
            let hex = u64::from_str_radix(&value["id"].as_str().unwrap()[4..16], 16).unwrap();
            let created = value["time"]["created"].as_u64().unwrap();
            assert_eq!(hex >> 12, created & ((1 << 36) - 1));
            assert!(created as i64 <= at_ms);
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

/// What is known of a part so far.
#[derive(Default)]
struct Known {
    message: String,
    status: String,
    text: String,
    input: Value,
}

fn check_tool(known: &mut Known, part: &Value) {
    let state = &part["state"];
    let status = state["status"].as_str().unwrap();
    let legal: &[(&str, &[&str])] = &[
        ("", &["pending"]),
        ("pending", &["pending", "running"]),
        ("running", &["running", "completed", "error"]),
        ("completed", &[]),
        ("error", &[]),
    ];
    let next = legal.iter().find(|(from, _)| *from == known.status).unwrap().1;
    assert!(next.contains(&status), "{status} after {}", known.status);
    let fields: &[&str] = match status {
        "pending" => &["input", "raw"],
        "running" => &["input", "time"],
        "completed" => &["input", "output", "title", "metadata", "time"],
        _ => &["input", "error", "time"],
    };
    assert!(fields.iter().all(|field| !state[*field].is_null()), "{part}");
    match status {
        "pending" => assert_eq!(state["input"], serde_json::json!({})),
        _ if known.status == "pending" => {
            assert!(state["input"].to_string().starts_with(&known.text), "the raw text is of the input");
            known.input = state["input"].clone();
        }
        _ => assert_eq!(state["input"], known.input),
    }
    assert_eq!(status == "completed" || status == "error", !state["time"]["end"].is_null());
    assert!(state["time"]["end"].as_i64() >= state["time"]["start"].as_i64().filter(|_| fields.len() > 2));
    known.text = state["raw"].as_str().unwrap_or_default().to_owned();
    status.clone_into(&mut known.status);
}

#[test]
fn every_part_goes_through_legal_states_and_belongs_to_a_message_that_is_there() {
    let (mut messages, mut parts) = (BTreeMap::<String, Value>::new(), BTreeMap::<String, Known>::new());
    let (mut deltas, mut removed) = (0, 0);
    for Step { act, .. } in Script::of(&Plan { turns: 150, calls: 300, ..small(6) }, 0) {
        match act {
            Act::Message(value) => {
                if value["role"] == "assistant" {
                    assert_eq!(messages[value["parentID"].as_str().unwrap()]["role"], "user");
                }
                messages.insert(value["id"].as_str().unwrap().to_owned(), value);
            }
            Act::Part(part) => {
                let message = part["messageID"].as_str().unwrap().to_owned();
                assert_eq!(messages[&message]["sessionID"], part["sessionID"]);
                let known = parts.entry(part["id"].as_str().unwrap().to_owned()).or_default();
                known.message.clone_from(&message);
                match part["type"].as_str().unwrap() {
                    "tool" => check_tool(known, &part),
                    "text" | "reasoning" if known.text.is_empty() => {}
                    "text" | "reasoning" => assert_eq!(part["text"], *known.text, "pieces make the whole"),
                    _ => {}
                }
            }
            Act::Delta { part, text, message, .. } => {
                let known = parts.get_mut(&part).unwrap();
                assert_eq!(known.message, message);
                assert!((1..=20).contains(&text.chars().count()));
                known.text += &text;
                deltas += 1;
            }
            Act::RemovePart { part, .. } => assert!(parts.remove(&part).is_some()),
            Act::RemoveMessage { message, .. } => {
                assert!(parts.values().all(|part| part.message != message));
                assert!(messages.remove(&message).is_some());
                removed += 1;
            }
            _ => {}
        }
    }
    let unfinished = parts.values().filter(|part| ["pending", "running"].contains(&part.status.as_str()));
    assert_eq!(unfinished.count(), 0);
    assert!(deltas > 10_000 && removed > 0, "{deltas} {removed}");
}

#[test]
fn what_is_asked_is_answered_and_an_edit_asks_with_its_whole_diff() {
    let (mut open, mut diffs, mut asked) = (BTreeSet::new(), 0, 0);
    for Step { act, .. } in Script::of(&small(6), 0) {
        match act {
            Act::Permission(value) => {
                if value["permission"] == "edit" {
                    assert!(value["metadata"]["diff"].as_str().unwrap().contains("\n@@ -"));
                    diffs += 1;
                }
                assert!(open.insert(value["id"].as_str().unwrap().to_owned()));
            }
            Act::Question(value) => {
                asked += 1;
                assert!(open.insert(value["id"].as_str().unwrap().to_owned()));
            }
            Act::PermissionReplied { id, .. } | Act::QuestionReplied { id, .. } => assert!(open.remove(&id)),
            _ => {}
        }
    }
    assert!(open.is_empty() && diffs > 0 && asked == 1, "{open:?} {diffs} {asked}");
}

#[test]
fn the_diff_of_an_edit_makes_the_file_after_of_the_file_before() {
    for seed in 0..40 {
        let file = FileState::edited("a.rs".to_owned(), seed, 3_000, Width::Ascii);
        let change = file.before.unwrap().change();
        let (before, after) = (file.before(), file.after());
        assert_eq!((&change.before, &change.after), (&before, &after));
        let diff = change.diff("a.rs");
        let (_, hunk) = diff.split_once("\n@@ -").unwrap();
        let (range, lines) = hunk.split_once(" @@\n").unwrap();
        let (old, new) = range.split_once(" +").unwrap();
        let side = |mark: char| -> String {
            lines
                .split_inclusive('\n')
                .filter(|line| line.starts_with([' ', mark]))
                .map(|line| &line[1..])
                .collect()
        };
        // Above and below the hunk both files are the same, and in it each is its side.
        let around = |range: &str, text: &str, side: String| {
            let (line, count) = range.split_once(',').unwrap();
            let (above, count) = (line.parse::<usize>().unwrap() - 1, count.parse::<usize>().unwrap());
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            assert_eq!(lines[above..above + count].concat(), side, "{diff}");
            (lines[..above].concat(), lines[above + count..].concat())
        };
        assert_eq!(around(old, &before, side('-')), around(new, &after, side('+')));
        assert_eq!(file.additions as usize, change.counts().0);
        assert_eq!(file.deletions as usize, change.counts().1);
    }
}

#[test]
fn the_diff_of_a_session_grows_with_each_file_that_is_touched_first() {
    let plan = Plan {
        touch: Touch::NewEachTurn(10),
        mix: &[(Tool::Edit, 2), (Tool::Grep, 1)],
        failed_per_mille: 0,
        ..small(4)
    };
    let counts: Vec<usize> = Script::of(&plan, 0)
        .filter_map(|step| match step.act {
            Act::Diff { files, .. } => Some(files.len()),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
}

#[test]
fn a_task_names_its_session_before_that_begins_and_ends_after_it() {
    let (mut named, mut ended, mut began) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for Step { act, .. } in Script::of(&small(9), 0) {
        match act {
            Act::Session(value) if !value["parentID"].is_null() => {
                let id = value["id"].as_str().unwrap().to_owned();
                assert!(named.contains(&id) && !ended.contains(&id));
                began.insert(id);
            }
            Act::Part(part) if part["tool"] == "task" => {
                let child = part["state"]["metadata"]["sessionId"].as_str().unwrap_or_default().to_owned();
                if part["state"]["status"] == "completed" {
                    assert!(began.contains(&child));
                    ended.insert(child);
                } else if !child.is_empty() {
                    named.insert(child);
                }
            }
            _ => {}
        }
    }
    assert!(!began.is_empty() && began == ended && named == ended, "{began:?} {ended:?}");
}
