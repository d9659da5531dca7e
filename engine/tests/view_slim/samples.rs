//! Parts as upstream writes them: calls of its 22 tools and of others', and the other kinds.

use highwater_engine::view::message::Message;
use highwater_engine::view::part::Part;
use serde_json::{Value, json};

/// A text of so many characters, in lines.
pub(crate) fn text(characters: usize) -> String {
    "A line of what a tool says, which goes on and on.\n".chars().cycle().take(characters).collect()
}

/// A `data:` URL of so many characters.
pub(crate) fn image(characters: usize) -> String {
    let head = "data:image/png;base64,";
    head.to_owned() + &"iVBORw0K".repeat(characters.div_ceil(8))[..characters - head.len()]
}

/// A part of a kind, with what it has beside its ids.
pub(crate) fn part(kind: &str, rest: Value) -> Part {
    let mut value = json!({
        "id": "prt_0198c2f0a001AbCdEfGhIjKlMn",
        "messageID": "msg_0198c2f0a000AbCdEfGhIjKlMn",
        "sessionID": "ses_fe673d0f5fffAbCdEfGhIjKlMn",
        "type": kind,
    });
    for (key, entry) in rest.as_object().unwrap() {
        value[key] = entry.clone();
    }
    Part::new(value).unwrap()
}

/// A call whose state has `rest` beside its times.
pub(crate) fn call(tool: &str, status: &str, rest: Value) -> Part {
    let mut state = json!({"status": status, "title": tool, "time": {"start": 1, "end": 2}});
    for (key, entry) in rest.as_object().unwrap() {
        state[key] = entry.clone();
    }
    part("tool", json!({"callID": "call_1", "tool": tool, "state": state}))
}

/// A completed call.
fn done(tool: &str, input: Value, output: &str, metadata: Value) -> Part {
    call(tool, "completed", json!({"input": input, "output": output, "metadata": metadata}))
}

/// What an edit says of a file of so many characters.
fn edited(characters: usize) -> Value {
    json!({
        "diff": text(characters / 4),
        "filediff": {
            "file": "/home/dev/demo/a.ts",
            "before": text(characters),
            "after": text(characters + 1),
            "patch": text(characters / 4),
            "additions": 1,
            "deletions": 0,
        },
        "diagnostics": {"/home/dev/demo/a.ts": [{"message": "unused", "severity": 2}]},
    })
}

fn patched(characters: usize, field: &str) -> Value {
    json!({
        "filePath": "/home/dev/demo/a.ts", "relativePath": "a.ts", "type": "update",
        "before": text(characters), "after": text(characters), field: text(characters / 4),
        "additions": 3, "deletions": 2, "movePath": null,
    })
}

/// Calls of every tool, with long payloads: `n` is about the number of characters of each.
pub(crate) fn calls(n: usize) -> Vec<Part> {
    let mut calls = files(n);
    calls.extend(searches(n));
    calls.extend(others(n));
    calls
}

fn files(n: usize) -> Vec<Part> {
    let path = "/home/dev/demo/a.ts";
    let long = &text(n);
    let display = json!({"type": "file", "path": path, "text": long, "lineStart": 1, "lineEnd": 2000, "totalLines": 9000});
    let read = json!({"preview": text(n.min(1000)), "truncated": true, "loaded": [], "display": display});
    let edits: Vec<Value> = (0..3).map(|_| json!({"oldString": text(n / 9), "newString": long})).collect();
    let results: Vec<Value> = (0..3).map(|_| edited(n)).collect();
    vec![
        done("read", json!({"filePath": path, "offset": 1}), long, read),
        done("list", json!({"path": "/home/dev/demo"}), long, json!({"count": 100, "truncated": true})),
        done("glob", json!({"pattern": "**/*.ts"}), long, json!({"count": 100, "truncated": true})),
        done(
            "grep",
            json!({"pattern": "x", "include": "*.ts"}),
            long,
            json!({"matches": 9, "truncated": true}),
        ),
        done("edit", json!({"filePath": path, "oldString": long, "newString": long}), "ok", edited(n)),
        done("multiedit", json!({"filePath": path, "edits": edits}), "ok", json!({"results": results})),
        done(
            "write",
            json!({"filePath": path, "content": long}),
            "ok",
            json!({"filepath": path, "exists": false, "diagnostics": {}, "filediff": edited(n)["filediff"]}),
        ),
        done(
            "apply_patch",
            json!({"patchText": long}),
            "ok",
            json!({"diff": long, "files": [patched(n, "patch"), patched(n, "diff")], "diagnostics": {}}),
        ),
        done(
            "bash",
            json!({"command": "make", "description": "Builds"}),
            long,
            json!({"output": long, "exit": 0, "description": "Builds", "truncated": true}),
        ),
    ]
}

fn searches(n: usize) -> Vec<Part> {
    let long = &text(n);
    let task = json!({
        "description": "Looks", "prompt": long, "subagent_type": "explore", "sessionId": "ses_child", "command": long,
    });
    let child = json!({"sessionId": "ses_child", "parentSessionId": "ses_fe67", "model": {"modelID": "m"},
        "summary": [{"tool": "read", "state": {"title": long}}]});
    vec![
        done("webfetch", json!({"url": "https://example.org", "format": "html"}), long, json!({})),
        done("websearch", json!({"query": "q"}), long, json!({"provider": "p", "more": long})),
        done("codesearch", json!({"query": "q", "tokensNum": 5000, "more": long}), long, json!({})),
        done("task", task, long, child),
        done("codebase_search", json!({"query": "q"}), long, json!({})),
        done("warpgrep", json!({"query": "q"}), long, json!({})),
        done(
            "lsp",
            json!({"operation": "hover", "filePath": "a.ts", "line": 1}),
            long,
            json!({"result": [long]}),
        ),
    ]
}

fn others(n: usize) -> Vec<Part> {
    let long = &text(n);
    let todos: Vec<Value> = (0..n / 100)
        .map(|at| json!({"id": at.to_string(), "content": text(80), "status": "pending", "priority": "high"}))
        .collect();
    let todos = json!({"todos": todos});
    let said = todos.to_string();
    let details: Vec<Value> =
        (0..25).map(|_| json!({"tool": "read", "success": true, "output": long})).collect();
    let image = json!({"type": "file", "id": "prt_2", "mime": "image/png", "url": image(n.max(100))});
    let mcp = json!({
        "input": {"selector": "#a", "script": long}, "output": long, "metadata": {"truncated": false, "outputPath": "x"},
        "attachments": [image],
    });
    vec![
        done("todowrite", todos.clone(), &said, todos.clone()),
        done("todoread", json!({}), &said, todos),
        done("question", json!({"questions": [{"question": long}]}), long, json!({"answers": [[long]]})),
        done("skill", json!({"name": "s"}), long, json!({"dir": "/home/dev/s", "name": "s"})),
        done("batch", json!({"tool_calls": details}), "ok", json!({"details": details, "totalCalls": 25})),
        done("plan_exit", json!({}), long, json!({})),
        done("invalid", json!({"tool": "x", "error": long}), long, json!({})),
        call("browser_screenshot", "completed", mcp.clone()),
        call("github_search", "running", mcp),
        call("plugin", "error", json!({"input": {}, "error": long, "metadata": edited(n)})),
        call("write", "pending", json!({"input": {}, "raw": long})),
        call("edit", "running", json!({"input": {"filePath": "a.ts"}, "metadata": edited(n)})),
    ]
}

/// Parts of the kinds that are no calls.
pub(crate) fn kinds(n: usize) -> Vec<Part> {
    let long = &text(n);
    let encrypted = json!({"openai": {"reasoningEncryptedContent": long, "itemId": "rs_1"}});
    let source = json!({"type": "file", "path": "a.ts", "text": {"value": long, "start": 0, "end": 9}});
    let error =
        json!({"name": "APIError", "data": {"message": long, "isRetryable": true, "responseBody": long}});
    vec![
        part("text", json!({"text": long, "metadata": {"signature": long}})),
        part("reasoning", json!({"text": long, "metadata": encrypted, "time": {"start": 1}})),
        part(
            "file",
            json!({"mime": "image/png", "filename": "a.png", "url": image(n.max(100)), "source": source}),
        ),
        part("step-start", json!({"snapshot": "0".repeat(40)})),
        part("step-finish", json!({"reason": "stop", "cost": 0.1, "tokens": {"input": 1, "output": 2}})),
        part("snapshot", json!({"snapshot": "0".repeat(40)})),
        part("patch", json!({"hash": "0".repeat(40), "files": vec!["/home/dev/demo/a.ts"; n / 20]})),
        part("agent", json!({"name": "code", "source": {"value": "@code", "start": 0, "end": 5}})),
        part("subtask", json!({"prompt": long, "description": "Looks", "agent": "explore"})),
        part("retry", json!({"attempt": 1, "error": error, "time": {"created": 1}})),
        part("compaction", json!({"auto": true})),
        part("of-a-later-version", json!({"anything": {"deep": [[long]]}})),
    ]
}

/// A user's message whose turn changed as many files, and an assistant's.
pub(crate) fn messages(files: usize, n: usize) -> [Message; 2] {
    let diffs: Vec<Value> = (0..files)
        .map(|at| json!({"file": format!("{at}.ts"), "before": text(n), "after": text(n), "patch": text(n), "additions": 1, "deletions": 1}))
        .collect();
    let user = json!({
        "id": "msg_1", "sessionID": "ses_1", "role": "user", "time": {"created": 5}, "agent": "code",
        "model": {"providerID": "kilo", "modelID": "m"}, "system": text(n),
        "summary": {"title": "t", "body": text(n), "diffs": diffs},
    });
    let assistant = json!({
        "id": "msg_2", "sessionID": "ses_1", "role": "assistant", "parentID": "msg_1", "time": {"created": 6},
        "error": {"name": "APIError", "data": {"message": text(n)}}, "summary": true, "cost": 0.5,
    });
    [Message::new(user).unwrap(), Message::new(assistant).unwrap()]
}
