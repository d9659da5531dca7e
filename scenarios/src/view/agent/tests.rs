//! What agents say, checked by rules of its own.

mod laws;
mod sizes;
mod storage;

use serde_json::Value;

use super::*;

/// A short session with everything in it.
fn small(seed: u64) -> Plan {
    Plan {
        sessions: 3,
        turns: 12,
        calls: 60,
        file_bytes: 3_000,
        images: 2,
        image_bytes: 3_000,
        session_bytes: None,
        session_every_ms: 20_000,
        child_calls: 4,
        ..Plan::light(seed)
    }
}

/// The JSON of the record that an act tells, with what it is.
fn record(act: &Act) -> Option<(&'static str, &Value)> {
    match act {
        Act::Session(value) => Some(("session", value)),
        Act::Message(value) => Some(("message", value)),
        Act::Part(value) => Some(("part", value)),
        _ => None,
    }
}

fn digest(steps: impl Iterator<Item = Step>) -> String {
    let mut hasher = blake3::Hasher::new();
    for step in steps {
        hasher.update(format!("{step:?}").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn the_same_plan_gives_the_same_acts() {
    let one = digest(Script::new(&small(7)));
    assert_eq!(one, digest(Script::new(&small(7))));
    assert_ne!(one, digest(Script::new(&small(8))));
}

#[test]
fn a_session_is_the_same_whatever_is_told_beside_it() {
    let plan = small(7);
    let mut alone = Script::of(&plan, 1);
    let id = alone.sessions().next().unwrap().to_owned();
    let own = |step: &Step| match record(&step.act) {
        Some(("session", value)) => value["id"] == *id,
        Some((_, value)) => value["sessionID"] == *id,
        None => false,
    };
    let beside: Vec<Step> = Script::new(&plan).filter(own).collect();
    let alone: Vec<Step> = alone.by_ref().filter(own).collect();
    assert!(alone.len() > 300, "{}", alone.len());
    assert_eq!(alone, beside);
}

#[test]
fn no_two_sessions_say_the_same() {
    let plan = small(7);
    let said = |number| -> std::collections::BTreeSet<String> {
        let text = |step: Step| match step.act {
            Act::Part(part) if part["type"] == "text" => part["text"].as_str().map(str::to_owned),
            _ => None,
        };
        Script::of(&plan, number).filter_map(text).filter(|text| !text.is_empty()).collect()
    };
    let (one, other) = (said(0), said(1));
    assert!(one.len() > 30 && one.is_disjoint(&other));
    let drawn = |number| Script::of(&plan, number).sessions().next().unwrap()[16..].to_owned();
    assert_ne!(drawn(0), drawn(1));
}

#[test]
fn acts_of_many_sessions_come_in_the_order_of_time_and_interleave() {
    let mut script = Script::new(&small(7));
    let (mut last, mut changes, mut before) = (0, 0, String::new());
    while let Some(at_ms) = script.next_ms() {
        let step = script.next().unwrap();
        assert_eq!(step.at_ms, at_ms);
        assert!(at_ms >= last, "{at_ms} after {last}");
        last = at_ms;
        if let Some((_, value)) = record(&step.act).filter(|(what, _)| *what == "part") {
            let session = value["sessionID"].as_str().unwrap();
            changes += usize::from(before != session);
            session.clone_into(&mut before);
        }
    }
    assert!(changes > 50, "{changes}");
}

#[test]
fn every_type_of_part_and_every_kind_of_act_comes() {
    let plan = Plan { turns: 400, calls: 800, file_bytes: 500, deleted: true, ..small(3) };
    let mut kinds = std::collections::BTreeSet::new();
    let mut acts = std::collections::BTreeSet::new();
    for step in Script::of(&plan, 0) {
        if let Act::Part(value) = &step.act {
            kinds.insert(value["type"].as_str().unwrap().to_owned());
        }
        let name = format!("{:?}", step.act);
        acts.insert(name.split(['(', ' ']).next().unwrap().to_owned());
    }
    let all = [
        "agent",
        "compaction",
        "file",
        "patch",
        "reasoning",
        "retry",
        "snapshot",
        "step-finish",
        "step-start",
        "subtask",
        "text",
        "tool",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
    assert_eq!(acts.len(), 15, "{acts:?}");
}

#[test]
fn a_model_that_patches_neither_edits_nor_writes() {
    let plan = Plan { mix: PATCHING, family: Family::Gpt, ..small(3) };
    let mut patches = 0;
    for step in Script::of(&plan, 0) {
        let Act::Part(part) = &step.act else { continue };
        let tool = part["tool"].as_str().unwrap_or_default();
        assert!(!["edit", "write", "multiedit"].contains(&tool), "{part}");
        patches += usize::from(tool == "apply_patch" && part["state"]["status"] == "completed");
        if part["type"] == "reasoning" && part["text"] != "" {
            assert!(part["metadata"]["openai"]["reasoningEncryptedContent"].as_str().unwrap().len() >= 2_000);
        }
    }
    assert!(patches > 8, "{patches}");
}
