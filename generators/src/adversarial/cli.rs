//! Copilot CLI's events, by hand, and what only they can have.

use crate::page::{Iso, put};
use crate::plan::CLI;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn};
use super::rows::{Row, row};

/// Copilot CLI.
pub(crate) static HAND: Hand = Hand {
    format: "copilot-cli",
    root: CLI,
    file: |_| ("events.jsonl".to_owned(), "events.jsonl".to_owned()),
    is_workspace: true,
    is_document: false,
    head: |told| {
        let data = format!(
            "\"sessionId\":\"{}\",\"version\":1,\"selectedModel\":\"{}\"",
            escape(&told.id),
            HAND.model
        );
        event("session.start", "start", told.created, &data)
    },
    open: "",
    turn,
    compact: None,
    end: "\n",
    ignored: |value| format!("{{\"type\":\"an.event.of.tomorrow\",\"x\":{value}}}"),
    kept: |value| {
        format!("{{\"type\":\"user.message\",\"id\":\"refused\",\"data\":{{\"content\":{value}}}}}")
    },
    model: "gpt-5.2-codex",
    tool: "bash",
    untold: |request| request.prompt = 0,
    own: OWN,
};

fn turn(_: &Told, turn: &Turn) -> String {
    let prompt = format!("\"content\":\"{}\",\"attachments\":[]", turn.prompt.escaped);
    let answer = format!("\"content\":\"{}\",\"outputTokens\":{}", turn.answer.escaped, TOKENS.1);
    let tool = format!("\"toolCallId\":\"call_0\",\"toolName\":\"{}\",\"arguments\":{{}}", HAND.tool);
    [
        event("user.message", &turn.id, turn.time, &prompt),
        event("assistant.message", "answer", turn.time, &answer),
        event("tool.execution_start", "tool", turn.time, &tool),
    ]
    .join("\n")
}

fn event(kind: &str, id: &str, at: u64, data: &str) -> String {
    let mut time = Vec::new();
    put!(&mut time; Iso(at));
    let (id, time) = (escape(id), String::from_utf8_lossy(&time));
    format!(
        "{{\"type\":\"{kind}\",\"data\":{{{data}}},\"id\":\"{id}\",\"timestamp\":\"{time}\",\"parentId\":null}}"
    )
}

const OWN: &[Row] = &[
    row("data-forms", |sketch| {
        for data in ["null", "17", "\"x\"", "[]", "{}"] {
            for kind in [
                "assistant.message",
                "tool.execution_start",
                "tool.execution_complete",
                "session.model_change",
                "session.shutdown",
            ] {
                sketch.items.push(format!("{{\"type\":\"{kind}\",\"data\":{data}}}"));
            }
        }
    }),
    row("type-forms", |sketch| {
        for kind in ["null", "17", "{}", "[\"user.message\"]"] {
            sketch.bad_item(format!("{{\"type\":{kind},\"data\":{{\"content\":\"x\"}}}}"));
        }
        sketch.bad_item("{}".to_owned());
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.items.push("{\"type\":\"abort\",\"type\":\"assistant.message\",\"data\":{\"content\":\"a\"},\"data\":{\"content\":\"b\",\"content\":\"c\"}}".to_owned());
        sketch.change = Some(|session| session.requests[0].response_units += 2);
    }),
    row("tokens-out-of-range", |sketch| {
        for tokens in ["9223372036854775808", "1e300", "-1e300", "-7", "\"9\""] {
            sketch.items.push(format!(
                "{{\"type\":\"assistant.message\",\"data\":{{\"content\":\"\",\"outputTokens\":{tokens}}}}}"
            ));
        }
        let usage = "{\"usage\":{\"inputTokens\":9223372036854775807}}";
        sketch.items.push(format!("{{\"type\":\"session.shutdown\",\"data\":{{\"modelMetrics\":{{\"a\":{usage},\"b\":{usage},\"c\":{usage}}}}}}}"));
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            (request.prompt, request.completion) = (i64::MAX as u64, i64::MAX as u64);
        });
    }),
    row("unanswered", |sketch| {
        for content in ["\"lost\"", "17", "null"] {
            sketch.items.push(format!("{{\"type\":\"user.message\",\"data\":{{\"content\":{content}}}}}"));
        }
    }),
];
