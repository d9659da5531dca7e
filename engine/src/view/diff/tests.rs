//! Events of each choice, and patches.

use super::*;

fn file(name: &str, before: &str, after: &str) -> FileDiff {
    FileDiff {
        file: name.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        additions: 1,
        deletions: 1,
        status: Some(Status::Modified),
        ..FileDiff::default()
    }
}

#[test]
fn a_patch_has_the_changed_lines_and_three_around() {
    let before: String = (0..20).map(|n| format!("line {n}\n")).collect();
    let after = before.replace("line 10\n", "line ten\n");
    let patch = unified(&before, &after);
    assert_eq!(
        patch,
        "@@ -8,7 +8,7 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n line 11\n line 12\n line 13\n"
    );
    assert_eq!(unified(&before, &before), "");
    assert_eq!(unified("", "a"), "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n");
}

#[test]
fn a_file_is_written_without_what_it_lacks() {
    let text = r#"{"file":"a.rs","additions":2,"deletions":0,"status":"added"}"#;
    let diff: FileDiff = serde_json::from_str(text).unwrap();
    assert_eq!(diff.status, Some(Status::Added));
    assert_eq!(serde_json::to_string(&diff).unwrap(), text);
    assert!(serde_json::from_str::<FileDiff>(r#"{"patch":"x","additions":1}"#).is_ok());
}

#[test]
fn contents_are_whole_and_patches_have_none() {
    let mut both = file("a.rs", "a\n", "b\n");
    both.patch = Some("given".to_owned());
    let contents = event(Diff::Contents, std::slice::from_ref(&both));
    assert_eq!(
        contents,
        json!([{"file": "a.rs", "before": "a\n", "after": "b\n", "additions": 1, "deletions": 1, "status": "modified"}])
    );
    let patches = event(Diff::Patches, &[both, file("b.rs", "a\n", "b\n")]);
    assert_eq!(
        patches,
        json!([
            {"file": "a.rs", "patch": "given", "additions": 1, "deletions": 1, "status": "modified"},
            {"file": "b.rs", "patch": "@@ -1 +1 @@\n-a\n+b\n", "additions": 1, "deletions": 1, "status": "modified"},
        ])
    );
}

#[test]
fn a_patch_that_is_too_long_is_left_out_whole() {
    let given = |bytes: usize| FileDiff { patch: Some("x".repeat(bytes)), ..file("a.rs", "a", "b") };
    let events = event(Diff::Patches, &[given(PATCH_BYTES), given(PATCH_BYTES + 1)]);
    assert_eq!(events[0]["patch"].as_str().map(str::len), Some(PATCH_BYTES));
    assert_eq!(events[1].get("patch"), None);
    let made = event(Diff::Patches, &[file("b.rs", "", &"x\n".repeat(PATCH_BYTES / 3 + 1))]);
    assert_eq!(made[0].get("patch"), None);
    let unknown = FileDiff { before: None, after: None, ..file("c.rs", "", "") };
    assert_eq!(event(Diff::Patches, &[unknown])[0].get("patch"), None);
    let deleted = FileDiff { after: None, ..file("d.rs", "a\n", "") };
    assert_eq!(event(Diff::Patches, &[deleted])[0]["patch"], "@@ -1 +0,0 @@\n-a\n");
}

#[test]
fn counts_say_everything_of_few_files() {
    let diffs = [file("a.rs", "a", "b"), FileDiff { additions: 5, ..file("b.rs", "a", "b") }];
    assert_eq!(
        event(Diff::Counts, &diffs),
        json!({
            "files": [
                {"file": "a.rs", "additions": 1, "deletions": 1, "status": "modified"},
                {"file": "b.rs", "additions": 5, "deletions": 1, "status": "modified"},
            ],
            "total": {"files": 2, "additions": 6, "deletions": 2},
            "more": 0,
        })
    );
}

#[test]
fn counts_of_any_number_of_files_have_room_in_4_kb() {
    let content = "x".repeat(50 * 1024);
    for (count, name) in
        [(0, "a"), (10, "src/main.rs"), (60, "src/a/b.rs"), (5_000, "\u{1}"), (9, "long/\u{1}")]
    {
        let diffs: Vec<FileDiff> =
            (0..count).map(|n| file(&format!("{}{n}", name.repeat(1 + n % 200)), &content, "")).collect();
        let counts = event(Diff::Counts, &diffs);
        assert!(json_bytes(&counts) <= COUNTS_BYTES, "{count} of {name:?}: {}", json_bytes(&counts));
        let files = counts["files"].as_array().unwrap();
        assert_eq!(counts["more"], count - files.len());
        assert_eq!(counts["total"], json!({"files": count, "additions": count, "deletions": count}));
        // No more than one more name had room.
        assert!(files.len() == count || json_bytes(&counts) > COUNTS_BYTES - 6 * NAME_CHARS - 80);
    }
}

#[test]
fn a_long_name_keeps_its_beginning_and_its_end() {
    let name = |middle: usize| format!("src/{}/file.rs", "é".repeat(middle));
    assert_eq!(shortened(&name(108)), name(108));
    let short = shortened(&name(109));
    assert!(short.starts_with("src/é") && short.ends_with("é/file.rs") && short.contains("é...é"));
    assert_eq!(short.chars().count(), NAME_CHARS - 1);
}
