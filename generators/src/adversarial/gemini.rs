//! Gemini CLI's documents, by hand, and what only they can have.

use crate::answer::{Request, State};
use crate::page::{Iso, put};
use crate::plan::GEMINI;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn};
use super::rows::{Row, row};
use super::sketch::Sketch;

const MODEL: &str = "gemini-3-pro-preview";
const TOOL: &str = "run_shell_command";

/// Gemini CLI.
pub(crate) static HAND: Hand = Hand {
    format: "gemini",
    root: GEMINI,
    file: |stem| (format!("chats/session-{stem}.json"), format!("session-{stem}.json")),
    is_workspace: false,
    is_document: true,
    head: |told| format!("{{\"sessionId\":\"{}\",\"startTime\":\"{}\"", escape(&told.id), iso(told.created)),
    open: "\"messages\":[",
    turn,
    compact: None,
    end: "]}",
    ignored: |value| format!("\"x\":{value}"),
    kept: |value| format!("{{\"id\":\"refused\",\"type\":\"user\",\"content\":{value}}}"),
    model: MODEL,
    tool: TOOL,
    untold: |_| (),
    own: OWN,
};

fn turn(_: &Told, turn: &Turn) -> String {
    let (id, time) = (escape(&turn.id), iso(turn.time));
    format!(
        "{{\"id\":\"{id}\",\"timestamp\":\"{time}\",\"type\":\"user\",\"content\":\"{}\"}},\
         {{\"id\":\"answer\",\"timestamp\":\"{time}\",\"type\":\"gemini\",\"content\":\"{}\",\"model\":\"{MODEL}\",\
         \"toolCalls\":[{{\"id\":\"call_0\",\"name\":\"{TOOL}\",\"args\":{{}}}}],\"tokens\":{{\"input\":{},\"output\":{},\"thoughts\":1}}}}",
        turn.prompt.escaped,
        turn.answer.escaped,
        TOKENS.0,
        TOKENS.1 - 1
    )
}

fn iso(at: u64) -> String {
    let mut time = Vec::new();
    put!(&mut time; Iso(at));
    String::from_utf8_lossy(&time).into_owned()
}

const OWN: &[Row] = &[
    row("message-forms", |sketch| {
        // What is no message is passed over by itself, and does not spoil the document.
        for message in
            ["null", "17", "\"x\"", "[]", "{}", "{\"type\":17,\"content\":\"x\"}", "[{\"type\":\"user\"}]"]
        {
            sketch.items.push(message.to_owned());
            sketch.skipped += 1;
        }
    }),
    row("content-forms", |sketch| {
        for content in [
            "null",
            "17",
            "{\"text\":\"x\"}",
            "[null,17,[],{},{\"text\":17}]",
            "[\"a\",\"\",{\"text\":\"b\"}]",
        ] {
            sketch.items.push(format!("{{\"type\":\"gemini\",\"content\":{content}}}"));
            sketch.items.push(format!("{{\"type\":\"user\",\"content\":{content}}}"));
        }
        sketch.change = Some(content_forms);
    }),
    row("answer-forms", |sketch| {
        for field in [
            "\"toolCalls\":17",
            "\"toolCalls\":[null,17,{},{\"name\":17}]",
            "\"tokens\":[]",
            "\"model\":17",
            "\"model\":\"\"",
        ] {
            sketch.items.push(format!("{{\"type\":\"gemini\",{field}}}"));
        }
    }),
    row("error-and-answer", |sketch| {
        sketch.items.push("{\"type\":\"error\",\"content\":\"x\"}".to_owned());
        sketch.items.push("{\"type\":\"gemini\",\"content\":\"\"}".to_owned());
        sketch.change = Some(|session| session.requests[0].state = State::Errored);
    }),
    row("repeated-messages", |sketch| {
        sketch.fields.push("\"messages\":17".to_owned());
        sketch.fields.push("\"messages\":[{\"type\":\"user\",\"content\":\"not the last\"},null]".to_owned());
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.fields.push("\"sessionId\":\"first\",\"startTime\":1".to_owned());
        sketch.items.push("{\"type\":\"gemini\",\"type\":\"user\",\"content\":17,\"content\":\"cc\",\"id\":\"a\",\"id\":\"\"}".to_owned());
        sketch.change = Some(|session| {
            (session.id, session.created) = ("first".to_owned(), 1);
            let asked = Request { preview: "cc".to_owned(), message_units: 2, ..Request::default() };
            session.requests.insert(1, asked);
        });
    }),
    row("head-forms", |sketch| {
        sketch.fields.push("\"sessionId\":17,\"startTime\":true,\"lastUpdated\":{}".to_owned());
        sketch.change = Some(|session| {
            (session.id, session.created) = ("session-head-forms".to_owned(), 0);
        });
    }),
    row("last-updated", |sketch| {
        sketch.fields.push("\"lastUpdated\":9.9".to_owned());
        sketch.change = Some(|session| session.last = 9);
    }),
    row("messages-no-array", |sketch| {
        sketch.instead = Some("{\"sessionId\":\"x\",\"messages\":{\"0\":{\"type\":\"user\"}}}".to_owned());
    }),
    row("no-object", |sketch| {
        sketch.instead = Some("[{\"messages\":[{\"type\":\"user\"}]}]".to_owned());
        sketch.is_refused = true;
    }),
    row("tokens-out-of-range", tokens),
    row("odd-times", |sketch| {
        for time in ["\"yesterday\"", "\"\"", "null", "{}", "\"2026-13-45T99:99:99.000Z\"", "true"] {
            sketch.items.push(format!("{{\"type\":\"user\",\"content\":\"When?\",\"timestamp\":{time}}}"));
        }
        sketch.change = Some(|session| {
            let asked = Request { preview: "When?".to_owned(), message_units: 5, ..Request::default() };
            session.requests.splice(1..1, std::iter::repeat_n(asked, 6));
        });
    }),
];

/// An answer of each form goes to the prompt of the form before.
fn content_forms(session: &mut crate::answer::Session) {
    let mut some: Vec<Request> = std::iter::repeat_n(Request::default(), 5).collect();
    for answered in &mut some[..4] {
        answered.state = State::Complete;
    }
    (some[3].response_units, some[3].responses) = (3, 1);
    (some[4].preview, some[4].message_units) = ("a\nb".to_owned(), 3);
    session.requests.splice(1..1, some);
}

fn tokens(sketch: &mut Sketch) {
    for tokens in [
        "{\"input\":9223372036854775808,\"output\":1e300,\"thoughts\":1e300}",
        "{\"input\":18446744073709551615,\"output\":9223372036854775807,\"thoughts\":9223372036854775807}",
        "{\"input\":1e300,\"output\":0,\"thoughts\":0}",
        "{\"input\":-5,\"output\":\"9\",\"thoughts\":null}",
        "17",
    ] {
        sketch.items.push(format!("{{\"type\":\"gemini\",\"tokens\":{tokens}}}"));
    }
    sketch.change = Some(|session| {
        let request = &mut session.requests[0];
        (request.prompt, request.completion) = (i64::MAX as u64, i64::MAX as u64);
    });
}
