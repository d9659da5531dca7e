//! Codex CLI's records, by hand, and what only they can have.

use std::io::{self, Write as _};

use zstd::stream::write::Encoder;

use crate::answer::{Request, State};
use crate::page::{Iso, put};
use crate::plan::CODEX;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn};
use super::rows::{Row, row};
use super::sketch::Sketch;
use super::{Body, Hostile, Make};

const MODEL: &str = "gpt-5.2-codex";
const TOOL: &str = "exec_command";

/// Files of today: each line an envelope.
pub(crate) static HAND: Hand = Hand {
    format: "codex",
    root: CODEX,
    file: |stem| (format!("rollout-{stem}.jsonl"), format!("rollout-{stem}.jsonl")),
    is_workspace: false,
    is_document: false,
    head: |told| {
        let item =
            format!("\"id\":\"{}\",\"cwd\":\"/home/dev/{}\",\"source\":\"cli\"", escape(&told.id), told.name);
        line(told.created, "session_meta", &item)
    },
    open: "",
    turn,
    compact: None,
    end: "\n",
    ignored: |value| format!("{{\"type\":\"a_type_of_tomorrow\",\"payload\":{{}},\"x\":{value}}}"),
    kept: |value| {
        format!("{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"user_message\",\"message\":{value}}}}}")
    },
    model: MODEL,
    tool: TOOL,
    untold: |_| (),
    own: OWN,
};

/// Files of 2025: lines are bare items, without times, turns and usage.
pub(crate) static BARE: Hand = Hand {
    format: "codex-bare",
    head: |told| {
        format!("{{\"id\":\"{}\",\"instructions\":null}}\n{{\"record_type\":\"state\"}}", escape(&told.id))
    },
    turn: |_, turn| {
        let text = |role, kind, text: &str| {
            format!(
                "{{\"type\":\"message\",\"role\":\"{role}\",\"content\":[{{\"type\":\"{kind}\",\"text\":\"{text}\"}}]}}"
            )
        };
        [
            text("user", "input_text", &turn.prompt.escaped),
            text("assistant", "output_text", &turn.answer.escaped),
            format!("{{{}}}", call(TOOL)),
        ]
        .join("\n")
    },
    ignored: |value| format!("{{\"type\":\"a_type_of_tomorrow\",\"x\":{value}}}"),
    kept: |value| format!("{{\"type\":\"message\",\"role\":\"user\",\"content\":{value}}}"),
    model: "",
    untold: |request| {
        *request =
            Request { id: String::new(), timestamp: 0, prompt: 0, completion: 0, ..std::mem::take(request) };
    },
    own: OWN_OF_BARE,
    ..HAND
};

fn turn(told: &Told, turn: &Turn) -> String {
    let context = format!(
        "\"turn_id\":\"{}\",\"cwd\":\"/home/dev/{}\",\"model\":\"{MODEL}\"",
        escape(&turn.id),
        told.name
    );
    let prompt = format!("\"type\":\"user_message\",\"message\":\"{}\",\"images\":[]", turn.prompt.escaped);
    let answer = format!(
        "\"type\":\"message\",\"role\":\"assistant\",\"content\":[{{\"type\":\"output_text\",\"text\":\"{}\"}}]",
        turn.answer.escaped
    );
    let usage = format!(
        "\"type\":\"token_count\",\"info\":{{\"last_token_usage\":{{\"input_tokens\":{},\"output_tokens\":{}}}}}",
        TOKENS.0, TOKENS.1
    );
    [
        line(turn.time, "turn_context", &context),
        line(turn.time, "event_msg", &prompt),
        line(turn.time, "response_item", &answer),
        line(turn.time, "response_item", &call(TOOL)),
        line(turn.time, "event_msg", &usage),
    ]
    .join("\n")
}

fn call(tool: &str) -> String {
    format!("\"type\":\"function_call\",\"name\":\"{tool}\",\"arguments\":\"{{}}\",\"call_id\":\"call_0\"")
}

fn line(at: u64, kind: &str, item: &str) -> String {
    let mut time = Vec::new();
    put!(&mut time; Iso(at));
    let time = String::from_utf8_lossy(&time);
    format!("{{\"timestamp\":\"{time}\",\"type\":\"{kind}\",\"payload\":{{{item}}}}}")
}

/// A record without a time.
fn timeless(kind: &str, item: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"payload\":{item}}}")
}

/// The same session as a compressed file, or what is made of its lines instead.
pub(crate) fn pressed(plain: Hostile, make: Make) -> Hostile {
    let Body::Text(text, _) = plain.body else { return plain };
    let (path, name) = (format!("{}.zst", plain.path), format!("{}.zst", plain.name));
    Hostile { path, name, body: Body::Made(text, make), ..plain }
}

/// A frame with a checksum.
pub(crate) fn frame(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new(), 1)?;
    encoder.include_checksum(true)?;
    encoder.write_all(text)?;
    encoder.finish()
}

const OWN: &[Row] = &[
    row("type-forms", |sketch| {
        // Without a type it is no record, and its id comes too late.
        for kind in ["null", "17", "{}", "[\"event_msg\"]"] {
            sketch.items.push(format!(
                "{{\"id\":\"late\",\"type\":{kind},\"payload\":{{\"type\":\"user_message\",\"message\":\"x\"}}}}"
            ));
        }
        sketch.items.push("{}".to_owned());
    }),
    row("payload-forms", |sketch| {
        for payload in ["null", "17", "\"x\"", "[]"] {
            for kind in ["session_meta", "turn_context", "event_msg", "response_item", "compacted"] {
                sketch.items.push(timeless(kind, payload));
            }
        }
        // Bare is what has no such field, whatever the others have.
        sketch.items.push("{\"type\":\"bare_call\",\"payload\":17}".to_owned());
        sketch.change = Some(|session| session.requests[0].tools.extend([("bare", 1)]));
    }),
    row("message-forms", |sketch| {
        for item in [
            "{}",
            "{\"type\":17}",
            "{\"type\":\"message\",\"role\":\"assistant\",\"content\":null}",
            "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"x\"}",
            "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[null,17,\"x\",[],{},{\"type\":\"output_text\",\"text\":17}]}",
            "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"said twice\"}]}",
            "{\"type\":\"message\",\"role\":17,\"content\":[]}",
        ] {
            sketch.items.push(timeless("response_item", item));
        }
    }),
    row("prompt-forms", |sketch| {
        for message in ["null", "17", "{}", "[\"x\"]"] {
            let item = format!("{{\"type\":\"user_message\",\"message\":{message},\"images\":[1,2]}}");
            sketch.items.push(timeless("event_msg", &item));
        }
        sketch.change = Some(|session| {
            // They are asked in the turn before, in which nothing more is answered.
            let id = session.requests[0].id.clone();
            let asked = Request { id, model: MODEL, images: 2, ..Request::default() };
            session.requests.splice(1..1, std::iter::repeat_n(asked, 4));
        });
    }),
    row("tool-forms", |sketch| {
        for item in [
            "{\"type\":\"web_search_call\"}",
            "{\"type\":\"function_call\",\"name\":17}",
            "{\"type\":\"_call\"}",
            "{\"type\":\"function_call_output\",\"output\":[]}",
        ] {
            sketch.items.push(timeless("response_item", item));
        }
        sketch.change = Some(|session| {
            session.requests[0].tools.extend([("", 1), ("function", 1), ("web_search", 1)]);
        });
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.items.push("{\"type\":\"event_msg\",\"type\":\"response_item\",\"payload\":{\"type\":\"user_message\",\"message\":\"x\"},\
             \"payload\":{\"type\":\"a_call\",\"type\":\"b_call\"}}".to_owned());
        sketch.change = Some(|session| session.requests[0].tools.extend([("b", 1)]));
    }),
    row("tokens-out-of-range", tokens),
    row("totals-go-back", |sketch| {
        for total in [100, 40, 130, 0, 131] {
            let usage = format!("{{\"input_tokens\":{total},\"output_tokens\":{}}}", total / 10);
            let item = format!("{{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{usage}}}}}");
            sketch.items.push(timeless("event_msg", &item));
        }
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            (request.prompt, request.completion) = (request.prompt + 131, request.completion + 13);
        });
    }),
    row("several-ends", |sketch| {
        for kind in ["task_complete", "turn_aborted", "turn_complete", "thread_rolled_back"] {
            sketch.items.push(timeless("event_msg", &format!("{{\"type\":\"{kind}\"}}")));
        }
        sketch.change = Some(|session| session.requests[0].state = State::Cancelled);
    }),
    row("another-meta", |sketch| {
        let item = "{\"id\":\"another\",\"cwd\":\"/home/dev/elsewhere\"}";
        sketch.items.push(timeless("session_meta", item));
    }),
    row("odd-times", |sketch| {
        for time in ["\"yesterday\"", "\"\"", "null", "{}", "\"2026-13-45T99:99:99.000Z\"", "true"] {
            sketch.items.push(format!(
                "{{\"timestamp\":{time},\"type\":\"event_msg\",\"payload\":{{\"type\":\"user_message\",\"message\":\"When?\"}}}}"
            ));
        }
        sketch.change = Some(|session| {
            let id = session.requests[0].id.clone();
            let asked = Request {
                id,
                model: MODEL,
                preview: "When?".to_owned(),
                message_units: 5,
                ..Request::default()
            };
            session.requests.splice(1..1, std::iter::repeat_n(asked, 6));
        });
    }),
];

fn tokens(sketch: &mut Sketch) {
    for usage in [
        "{\"input_tokens\":9223372036854775808,\"output_tokens\":1e300}",
        "{\"input_tokens\":18446744073709551615,\"output_tokens\":9223372036854775807}",
        "{\"input_tokens\":1e300,\"output_tokens\":1e300}",
        "{\"input_tokens\":-5,\"output_tokens\":\"9\"}",
        "17",
    ] {
        let info = format!("{{\"type\":\"token_count\",\"info\":{{\"last_token_usage\":{usage}}}}}");
        sketch.items.push(timeless("event_msg", &info));
    }
    for info in ["null", "17", "[]", "{}", "{\"total_token_usage\":17}"] {
        sketch.items.push(timeless("event_msg", &format!("{{\"type\":\"token_count\",\"info\":{info}}}")));
    }
    sketch.change = Some(|session| {
        let request = &mut session.requests[0];
        (request.prompt, request.completion) = (i64::MAX as u64, i64::MAX as u64);
    });
}

const OWN_OF_BARE: &[Row] = &[
    row("prompt-forms", |sketch| {
        for content in ["null", "17", "\"x\"", "[]", "[null,17,{},{\"type\":\"input_text\",\"text\":17}]"] {
            sketch.items.push(format!("{{\"type\":\"message\",\"role\":\"user\",\"content\":{content}}}"));
        }
        sketch.change = Some(|session| {
            session.requests.splice(1..1, std::iter::repeat_n(Request::default(), 5));
        });
    }),
    row("said-by-the-tool", |sketch| {
        for text in ["<environment_context>", "# AGENTS.md instructions", "<"] {
            sketch.items.push(format!(
                "{{\"type\":\"message\",\"role\":\"user\",\"content\":[{{\"type\":\"input_text\",\"text\":\"\"}},{{\"type\":\"input_text\",\"text\":\"{text}\"}}]}}"
            ));
        }
    }),
    row("late-id", |sketch| sketch.items.push("{\"id\":\"late\"}".to_owned())),
];
