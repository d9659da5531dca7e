//! Titles and counts, by both ways of reading.

use super::*;

/// The summary of some records, which both readers agree on.
fn summary(records: &[serde_json::Value]) -> Summary {
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    let whole = Summariser::new(Read::Together).text(text.clone().into_bytes()).unwrap();
    let streamed = Summariser::new(Read::Streamed).streamed(Input::Held(text.into_bytes())).unwrap();
    assert_eq!(whole, streamed);
    streamed
}

fn user(content: impl Into<serde_json::Value>) -> serde_json::Value {
    serde_json::json!({"type": "user", "message": {"role": "user", "content": content.into()}})
}

fn title(records: &[serde_json::Value]) -> String {
    summary(records).title.into()
}

#[test]
fn the_title_is_the_best_that_there_is() {
    use serde_json::json;
    let first = user("  Please <b>fix</b>\n the   build ");
    let ai = json!({"type": "ai-title", "aiTitle": "<t>Fix</t> build"});
    let goal = user("<command-name>/goal</command-name> <command-args>ship it</command-args>");
    let custom = |title: &str| json!({"type": "custom-title", "customTitle": title});
    assert_eq!(title(&[]), "Untitled Session");
    assert_eq!(title(std::slice::from_ref(&first)), "Please fix the build");
    assert_eq!(
        title(&[first.clone(), ai.clone(), json!({"type": "ai-title", "aiTitle": "<i></i>"})]),
        "Fix build"
    );
    assert_eq!(title(&[first.clone(), ai.clone(), goal.clone()]), "ship it");
    assert_eq!(
        title(&[custom("One"), first, ai, goal, custom("Fix  Vec<String>"), custom(" ")]),
        "Fix Vec<String>"
    );
    let long =
        user(format!("<command-name>/goal</command-name><command-args>{}</command-args>", "ab ".repeat(400)));
    assert_eq!(title(&[long]), format!("{}...", &"ab ".repeat(27)[..80]));
}

#[test]
fn the_first_text_is_a_persons_and_is_cut() {
    use serde_json::json;
    let mut meta = user("not this");
    meta["isMeta"] = true.into();
    let blocks =
        user(json!([{"type": "tool_result", "content": "nor this"}, {"type": "text", "text": "a < b"}]));
    assert_eq!(title(&[meta, user("<x></x>"), blocks]), "a < b");
    assert_eq!(title(&[user("ä".repeat(80))]), "ä".repeat(80));
    assert_eq!(title(&[user("ä".repeat(81))]), format!("{}...", "ä".repeat(80)));
}

#[test]
fn places_are_those_that_were_told_last() {
    use serde_json::json;
    let cwd = |cwd: &str| json!({"type": "attachment", "cwd": cwd, "timestamp": "2026-01-05T12:00:00.000Z"});
    let meta = json!({"type": "session-meta", "workDir": "/told", "repository": {"root": "/repository"}});
    let enter = json!({"type": "worktree-state", "worktreeSession": {"originalCwd": "/original"}});
    let leave = json!({"type": "worktree-state", "worktreeSession": null});
    let found = summary(&[cwd("/a"), cwd("/b")]);
    assert_eq!((found.work_dir.as_deref(), found.root.as_deref()), (Some("/b"), None));
    assert_eq!(found.created.as_deref(), Some("2026-01-05T12:00:00.000Z"));
    let found = summary(&[meta.clone(), cwd("/b"), enter.clone()]);
    assert_eq!((found.work_dir.as_deref(), found.root.as_deref()), (Some("/told"), Some("/original")));
    assert_eq!(summary(&[meta, enter, leave]).root.as_deref(), Some("/repository"));
}

#[test]
fn messages_are_records_with_a_role() {
    use serde_json::json;
    let assistant = json!({"type": "assistant", "message": {"role": "assistant", "content": []}});
    let no_role = json!({"type": "user", "message": {"content": "x"}});
    assert_eq!(summary(&[user("x"), assistant, no_role, json!({"type": "summary"})]).messages, 2);
}
