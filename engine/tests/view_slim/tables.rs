//! What the server strips, and what upstream's tables keep.

use serde_json::json;

use crate::*;

// ---- The server ----

#[test]
fn contents_are_stripped_from_calls_that_run_or_are_completed() {
    for tool in ["edit", "multiedit", "write", "apply_patch"] {
        let metadata = stripped(&sample(tool)).value()["state"]["metadata"].to_string();
        assert!(!metadata.contains("before") && !metadata.contains("\"diff\""), "{tool}");
        assert!(metadata.contains("\"patch\"") && metadata.contains("additions"), "{tool}");
    }
    let edited = sample("edit").value()["state"]["metadata"].clone();
    for (status, is_stripped) in
        [("pending", false), ("running", true), ("completed", true), ("error", false)]
    {
        let call = call("any", status, json!({"metadata": edited}));
        assert_eq!(stripped(&call) != call, is_stripped, "{status}");
    }
}

#[test]
fn a_patch_of_a_file_is_stripped_when_it_has_more_than_256_kib() {
    let file = |patch: usize| json!({"patch": "x".repeat(patch), "additions": 1});
    let metadata = json!({
        "filediff": file(PATCH_BYTES),
        "files": [file(PATCH_BYTES + 1), {"diff": "d"}, {"patch": "é".repeat(PATCH_BYTES / 2 + 1), "diff": "d"}],
        "results": [{"diff": "d", "filediff": file(PATCH_BYTES + 1)}, "odd"],
    });
    let part = stripped(&call("any", "completed", json!({"metadata": metadata})));
    assert_eq!(at(&part, "/state/metadata/filediff/patch").as_str().map(str::len), Some(PATCH_BYTES));
    assert_eq!(
        *at(&part, "/state/metadata/files"),
        json!([{"additions": 1}, {"patch": "d"}, {"patch": "d"}])
    );
    assert_eq!(*at(&part, "/state/metadata/results"), json!([{"filediff": {"additions": 1}}, "odd"]));
}

#[test]
fn what_a_message_says_of_files_is_stripped() {
    let [user, assistant] = messages(2, PATCH_BYTES + 1);
    let diff = |at: usize| json!({"file": format!("{at}.ts"), "patch": "", "additions": 1, "deletions": 1});
    assert_eq!(stripped_message(&user).value()["summary"]["diffs"], json!([diff(0), diff(1)]));
    assert_eq!(stripped_message(&assistant), assistant);
    let [short, _] = messages(1, PATCH_BYTES);
    let patch = stripped_message(&short).value()["summary"]["diffs"][0]["patch"].clone();
    assert_eq!(patch.as_str().map(str::len), Some(PATCH_BYTES));
}

// ---- Upstream's tables ----

#[test]
fn a_table_knows_its_tools_and_no_others() {
    let of = |slim: Slim| -> Vec<String> {
        let changed = calls(50_000).into_iter().filter(|part| slimmed(slim, part) != *part);
        let mut tools: Vec<String> = changed.filter_map(|part| part.tool().map(str::to_owned)).collect();
        tools.sort();
        tools.dedup();
        tools
    };
    let five = ["apply_patch", "bash", "edit", "multiedit", "write"];
    assert_eq!(of(Slim::Five), five);
    let mut thirteen = five.to_vec();
    thirteen.extend(["codesearch", "glob", "grep", "list", "read", "task", "webfetch", "websearch"]);
    thirteen.sort_unstable();
    assert_eq!(of(Slim::Thirteen), thirteen);
}

#[test]
fn by_a_table_an_output_keeps_4000_units_and_a_line() {
    let bash = slimmed(Slim::Five, &sample("bash"));
    let cut = text(OUTPUT_CAP) + "\n… (46000 characters omitted)";
    assert_eq!(*at(&bash, "/state/output"), cut);
    assert_eq!(*at(&bash, "/state/metadata/output"), cut);
    assert_eq!(*at(&bash, "/state/metadata/exit"), 0);
    let read = slimmed(Slim::Thirteen, &sample("read"));
    assert_eq!(*at(&read, "/state/output"), cut);
    // The second copy is upstream's leak.
    assert_eq!(at(&read, "/state/metadata/display/text").as_str().map(str::len), Some(50_000));
}

#[test]
fn by_a_table_an_edit_keeps_its_patch_and_counts() {
    let edit = slimmed(Slim::Five, &sample("edit"));
    let filediff =
        json!({"file": "/home/dev/demo/a.ts", "patch": text(12_500), "additions": 1, "deletions": 0});
    let diagnostics = json!({"/home/dev/demo/a.ts": [{"message": "unused", "severity": 2}]});
    let metadata = json!({"filediff": filediff, "diagnostics": diagnostics});
    assert_eq!(*at(&edit, "/state/metadata"), metadata);
    let multi = slimmed(Slim::Five, &sample("multiedit"));
    assert_eq!(*at(&multi, "/state/metadata/results"), json!([metadata, metadata, metadata]));
    let write = slimmed(Slim::Five, &sample("write"));
    assert_eq!(*at(&write, "/state/input"), json!({"filePath": "/home/dev/demo/a.ts"}));
    assert_eq!(
        *at(&write, "/state/metadata"),
        json!({"filepath": "/home/dev/demo/a.ts", "exists": false, "diagnostics": {}, "filediff": filediff})
    );
    let long =
        call("edit", "completed", json!({"metadata": {"filediff": {"patch": "x".repeat(PATCH_CAP + 1)}}}));
    assert_eq!(
        *at(&slimmed(Slim::Five, &long), "/state/metadata"),
        json!({"filediff": {"additions": 0, "deletions": 0}})
    );
    let bare = slimmed(Slim::Five, &call("edit", "completed", json!({"metadata": null})));
    assert_eq!(*at(&bare, "/state"), *at(&call("edit", "completed", json!({})), "/state"));
}

#[test]
fn by_a_table_a_patch_of_several_files_keeps_each_files() {
    let file = json!({
        "filePath": "/home/dev/demo/a.ts", "relativePath": "a.ts", "type": "update", "movePath": null,
        "patch": text(12_500), "additions": 3, "deletions": 2,
    });
    let patch = slimmed(Slim::Five, &sample("apply_patch"));
    assert_eq!(*at(&patch, "/state/metadata"), json!({"diagnostics": {}, "files": [file, file]}));
    assert_eq!(*at(&patch, "/state/input"), json!({}));
}

#[test]
fn by_the_second_table_searches_and_tasks_keep_what_names_them() {
    let input = |tool: &str| at(&slimmed(Slim::Thirteen, &sample(tool)), "/state/input").clone();
    assert_eq!(input("webfetch"), json!({"url": "https://example.org"}));
    assert_eq!(input("codesearch"), json!({"query": "q", "tokensNum": 5000}));
    let task = json!({"description": "Looks", "subagent_type": "explore", "sessionId": "ses_child"});
    assert_eq!(input("task"), task);
    let metadata = |tool: &str| at(&slimmed(Slim::Thirteen, &sample(tool)), "/state/metadata").clone();
    assert_eq!(metadata("task"), json!({"sessionId": "ses_child"}));
    assert_eq!(metadata("websearch"), json!({"provider": "p"}));
    let childless = call("task", "running", json!({"metadata": {"model": "m"}}));
    assert_eq!(at(&slimmed(Slim::Thirteen, &childless), "/state").get("metadata"), None);
}

#[test]
fn encrypted_reasoning_goes_but_not_by_the_first_table() {
    let reasoning = kinds(50_000).into_iter().find(|part| part.kind() == Kind::Reasoning).unwrap();
    assert_eq!(slimmed(Slim::Five, &reasoning), reasoning);
    for slim in [Slim::Thirteen, Slim::Rule] {
        let slim = slimmed(slim, &reasoning);
        assert_eq!(slim.value()["metadata"], json!({"openai": {"itemId": "rs_1"}}));
        assert_eq!(slim.value()["text"], text(50_000));
    }
}

#[test]
fn of_messages_five_keeps_everything_and_thirteen_drops_patches() {
    let [user, assistant] = messages(2, 50_000);
    assert_eq!(slimmed_message(Slim::Five, &user), user);
    let diffs = slimmed_message(Slim::Thirteen, &user).value()["summary"]["diffs"].clone();
    assert_eq!((diffs[1].get("patch"), &diffs[1]["before"]), (None, &text(50_000).into()));
    assert_eq!(slimmed_message(Slim::Thirteen, &assistant), assistant);
}
