//! Claude Code's lines, by hand, and what only they can have.

use crate::answer::Request;
use crate::page::{Iso, put};
use crate::plan::CLAUDE;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn};
use super::rows::{Row, row};
use super::sketch::Sketch;

/// The working directory of all sessions; its last component names the workspace.
pub(crate) const CWD: &str = "/home/dev/adversarial";

/// Claude Code.
pub(crate) static HAND: Hand = Hand {
    format: "claude",
    root: CLAUDE,
    file: |stem| (format!("{stem}.jsonl"), stem.to_owned()),
    is_workspace: false,
    is_document: false,
    head: |told| {
        format!(
            "{{\"type\":\"mode\",\"mode\":\"normal\",\"sessionId\":\"{}\",\"cwd\":\"{CWD}\"}}",
            escape(&told.id)
        )
    },
    open: "",
    turn,
    compact: None,
    end: "\n",
    ignored: |value| format!("{{\"type\":\"a-type-of-tomorrow\",\"x\":{value}}}"),
    kept: |value| {
        format!(
            "{{\"type\":\"user\",\"uuid\":\"refused\",\"message\":{{\"role\":\"user\",\"content\":{value}}}}}"
        )
    },
    model: "claude-opus-4-8",
    tool: "Bash",
    untold: |_| (),
    own: OWN,
};

fn turn(told: &Told, turn: &Turn) -> String {
    let prompt = line(
        told,
        turn,
        "user",
        "p",
        &format!("{{\"role\":\"user\",\"content\":\"{}\"}}", turn.prompt.escaped),
    );
    let content = format!(
        "[{{\"type\":\"text\",\"text\":\"{}\"}},{{\"type\":\"tool_use\",\"id\":\"toolu_{}\",\"name\":\"{}\",\"input\":{{}}}}]",
        turn.answer.escaped, turn.time, HAND.tool
    );
    let answer =
        line(told, turn, "assistant", "a", &format!("{{\"id\":\"msg_{}\",{}", turn.time, message(&content)));
    format!("{prompt}\n{answer}")
}

/// A response of the model, behind its id.
fn message(content: &str) -> String {
    format!(
        "\"model\":\"{}\",\"type\":\"message\",\"role\":\"assistant\",\"content\":{content},\"stop_reason\":\"end_turn\",\
         \"usage\":{{\"input_tokens\":{},\"output_tokens\":{}}}}}",
        HAND.model, TOKENS.0, TOKENS.1
    )
}

fn line(told: &Told, turn: &Turn, kind: &str, role: &str, message: &str) -> String {
    let (session, id) = (escape(&told.id), escape(&turn.id));
    let uuid = if kind == "user" { id } else { format!("{role}-{}", turn.time) };
    let mut time = Vec::new();
    put!(&mut time; Iso(turn.time));
    format!(
        "{{\"parentUuid\":null,\"isSidechain\":false,\"userType\":\"external\",\"cwd\":\"{CWD}\",\"sessionId\":\"{session}\",\
         \"version\":\"2.1.157\",\"gitBranch\":\"main\",\"type\":\"{kind}\",\"uuid\":\"{uuid}\",\"timestamp\":\"{}\",\
         \"requestId\":\"req_{}\",\"message\":{message}}}",
        String::from_utf8_lossy(&time),
        turn.time
    )
}

const OWN: &[Row] = &[
    row("message-forms", |sketch| {
        for message in [
            "null",
            "\"text\"",
            "17",
            "[]",
            "{}",
            "{\"content\":null}",
            "{\"content\":17}",
            "{\"content\":{}}",
            "{\"content\":[null,17,\"x\",[],{}]}",
        ] {
            sketch.items.push(format!("{{\"type\":\"user\",\"uuid\":\"forms\",\"message\":{message}}}"));
            sketch.items.push(format!("{{\"type\":\"system\",\"message\":{message}}}"));
        }
    }),
    row("result-forms", |sketch| {
        for result in [
            "\"Error: no such file\"",
            "{\"stdout\":\"x\",\"stderr\":\"\"}",
            "[{\"type\":\"text\"}]",
            "null",
            "17",
        ] {
            let block = "[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":\"x\",\"is_error\":true}]";
            sketch.items.push(format!("{{\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":{block}}},\"toolUseResult\":{result}}}"));
        }
    }),
    row("result-first", |sketch| {
        let block = "[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_9\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}]";
        sketch
            .fields
            .push(format!("{{\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":{block}}}}}"));
    }),
    row("rewritten", |sketch| {
        let again = turn(&sketch.told, &sketch.turns[0]);
        sketch.items.push(again);
        // Its prompt is known; its answer counts again, but for its usage.
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            request.response_units = 2 * request.response_units + 1;
            request.tools.insert(HAND.tool, 2);
        });
    }),
    row("constant-message-id", |sketch| {
        for _ in 0..3 {
            let content = message("\"again\"");
            sketch.items.push(format!("{{\"type\":\"assistant\",\"message\":{{\"id\":\"msg_0\",{content}}}"));
        }
        // Without a request id every line counts.
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            request.response_units += 3 * 6;
            request.prompt += 3 * TOKENS.0;
            request.completion += 3 * TOKENS.1;
        });
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.items.push("{\"type\":\"user\",\"type\":\"mode\",\"message\":{\"content\":\"a\"},\"message\":{\"content\":\"b\"}}".to_owned());
        sketch.items.push("{\"type\":\"user\",\"uuid\":\"x\",\"uuid\":\"\",\"message\":17,\"message\":{\"content\":\"a\",\"content\":\"<command-name>\"}}".to_owned());
    }),
    row("type-forms", |sketch| {
        for kind in ["null", "17", "{}", "[\"user\"]"] {
            sketch.bad_item(format!("{{\"type\":{kind},\"message\":{{\"content\":\"x\"}}}}"));
        }
        sketch.bad_item("{\"message\":{\"content\":\"no type\"}}".to_owned());
        sketch.bad_item("{}".to_owned());
    }),
    row("usage-out-of-range", |sketch| {
        let usage = "{\"input_tokens\":9223372036854775808,\"cache_read_input_tokens\":1e300,\"cache_creation_input_tokens\":-5,\"output_tokens\":18446744073709551615}";
        for _ in 0..2 {
            sketch
                .items
                .push(format!("{{\"type\":\"assistant\",\"message\":{{\"content\":[],\"usage\":{usage}}}}}"));
        }
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            (request.prompt, request.completion) = (i64::MAX as u64, i64::MAX as u64);
        });
    }),
    row("odd-times", odd_times),
];

/// Times that are none.
fn odd_times(sketch: &mut Sketch) {
    for time in ["\"yesterday\"", "\"\"", "null", "{}", "\"2026-13-45T99:99:99.000Z\"", "true"] {
        sketch.items.push(format!(
            "{{\"type\":\"user\",\"message\":{{\"content\":\"When?\"}},\"timestamp\":{time}}}"
        ));
    }
    sketch.change = Some(|session| {
        let asked = Request { preview: "When?".to_owned(), message_units: 5, ..Request::default() };
        session.requests.splice(1..1, std::iter::repeat_n(asked, 6));
    });
}
