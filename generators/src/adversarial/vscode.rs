//! VS Code's documents and append logs, by hand, and what only they can have.

use crate::answer::State;
use crate::plan::CODE;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn};
use super::rows::{Row, row};
use super::sketch::Sketch;

const MODEL: &str = "copilot/gpt-5.2";
const TOOL: &str = "run_in_terminal";

/// Documents.
pub(crate) static DOCUMENT: Hand = Hand {
    format: "vscode",
    root: CODE,
    file: |stem| (format!("chatSessions/{stem}.json"), format!("{stem}.json")),
    is_workspace: false,
    is_document: true,
    head: |told| format!("{{{}", fields(told)),
    open: "\"requests\":[",
    turn: |_, turn| request(turn),
    compact: None,
    end: "]}\n",
    ignored: |value| format!("\"x\":{value}"),
    kept: |value| format!("{{\"requestId\":\"refused\",\"message\":{value}}}"),
    model: MODEL,
    tool: TOOL,
    untold: |_| (),
    own: OWN_OF_DOCUMENTS,
};

/// Append logs.
pub(crate) static LOG: Hand = Hand {
    format: "vscode-log",
    root: CODE,
    file: |stem| (format!("chatSessions/{stem}.jsonl"), format!("{stem}.jsonl")),
    is_workspace: false,
    is_document: false,
    head: |told| format!("{{\"kind\":0,\"v\":{{{},\"requests\":[]}}}}", fields(told)),
    open: "",
    turn: |_, turn| format!("{{\"kind\":2,\"k\":[\"requests\"],\"v\":[{}]}}", request(turn)),
    compact: Some(|told, turns| {
        let requests: Vec<String> = turns.iter().map(request).collect();
        format!("{{\"kind\":0,\"v\":{{{},\"requests\":[{}]}}}}", fields(told), requests.join(","))
    }),
    end: "\n",
    ignored: |value| format!("{{\"kind\":1,\"k\":[\"x\"],\"v\":{value}}}"),
    kept: |value| format!("{{\"kind\":1,\"k\":[\"requests\",0,\"message\"],\"v\":{value}}}"),
    model: MODEL,
    tool: TOOL,
    untold: |_| (),
    own: OWN_OF_LOGS,
};

fn fields(told: &Told) -> String {
    format!(
        "\"version\":3,\"sessionId\":\"{}\",\"creationDate\":{},\"initialLocation\":\"panel\",\"responderUsername\":\"GitHub Copilot\"",
        escape(&told.id),
        told.created
    )
}

fn request(turn: &Turn) -> String {
    format!(
        "{{\"requestId\":\"{}\",\"timestamp\":{},\"message\":{{\"text\":\"{}\",\"parts\":[]}},\"variableData\":{{\"variables\":[]}},\
         \"response\":[{{\"value\":\"{}\",\"supportThemeIcons\":false}}],\"modelId\":\"{MODEL}\",\"promptTokens\":{},\"completionTokens\":{},\
         \"result\":{{\"timings\":{{\"totalElapsed\":9}},\"metadata\":{{\"toolCallRounds\":[{{\"toolCalls\":[{{\"name\":\"{TOOL}\"}}]}}]}}}}}}",
        escape(&turn.id),
        turn.time,
        turn.prompt.escaped,
        turn.answer.escaped,
        TOKENS.0,
        TOKENS.1
    )
}

/// A request of which hardly anything is there.
fn bare(message: &'static str, units: u64) -> crate::answer::Request {
    crate::answer::Request { preview: message.to_owned(), message_units: units, ..Default::default() }
}

const OWN_OF_DOCUMENTS: &[Row] = &[
    row("request-forms", |sketch| {
        for request in ["null", "17", "\"x\"", "[]", "[{}]"] {
            sketch.items.push(request.to_owned());
        }
        sketch.items.push("{}".to_owned());
        sketch.items.push(
            "{\"message\":\"old\",\"response\":\"older\",\"result\":[],\"timestamp\":\"9\"}".to_owned(),
        );
        sketch.items.push("{\"message\":{\"text\":17},\"response\":[null,17,\"x\",{\"value\":{\"value\":\"y\"}},{\"value\":[]}],\"result\":{}}".to_owned());
        sketch.change = Some(|session| {
            let mut some = [bare("", 0), bare("old", 3), bare("", 0)];
            (some[1].response_units, some[1].responses) = (5, 1);
            (some[2].response_units, some[2].responses) = (1, 1);
            session.requests.splice(1..1, some);
        });
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.items.push("{\"message\":\"a\",\"message\":{\"text\":\"b\",\"text\":\"cc\"},\"isCanceled\":true,\"isCanceled\":false}".to_owned());
        sketch.change = Some(|session| session.requests.insert(1, bare("cc", 2)));
    }),
    row("requests-no-array", |sketch| {
        sketch.instead = Some("{\"sessionId\":\"x\",\"requests\":{\"0\":{\"message\":\"x\"}}}".to_owned());
    }),
    row("no-object", |sketch| sketch.instead = Some("[{\"requests\":[{\"message\":\"x\"}]}]".to_owned())),
    row("numbers-out-of-range", numbers),
    row("before-1970", |sketch| {
        sketch.told.created = (-2_000_i64).cast_unsigned();
        sketch.items.push("{\"timestamp\":-1000.9}".to_owned());
        sketch.fields.push("\"creationDate\":-2000".to_owned());
        sketch.change = Some(|session| {
            session
                .requests
                .insert(1, crate::answer::Request { timestamp: (-1_000_i64).cast_unsigned(), ..bare("", 0) });
        });
    }),
];

fn numbers(sketch: &mut Sketch) {
    sketch.items.push("{\"timestamp\":1e300,\"promptTokens\":9223372036854775808,\"completionTokens\":-1,\"result\":{\"a\":1}}".to_owned());
    sketch.items.push("{\"timestamp\":1.9,\"promptTokens\":-0,\"completionTokens\":2.9e0}".to_owned());
    sketch.change = Some(|session| {
        let mut some = [bare("", 0), bare("", 0)];
        (some[0].timestamp, some[0].prompt, some[0].state) =
            (i64::MAX as u64, i64::MAX as u64, State::Complete);
        (some[1].timestamp, some[1].completion) = (1, 2);
        session.requests.splice(1..1, some);
    });
}

const OWN_OF_LOGS: &[Row] = &[
    row("index-bomb", |sketch| {
        for path in [
            "[\"requests\",2000000000]",
            "[\"requests\",18446744073709551615]",
            "[\"requests\",0,\"response\",4294967296]",
        ] {
            sketch.bad_item(format!("{{\"kind\":1,\"k\":{path},\"v\":{{}}}}"));
        }
        sketch.bad_item("{\"kind\":2,\"k\":[\"requests\",1000000,\"response\"],\"v\":[{}]}".to_owned());
        // Cuts nothing.
        sketch.items.push("{\"kind\":2,\"k\":[\"requests\"],\"i\":2000000000}".to_owned());
    }),
    row("proto-path", |sketch| {
        for key in ["__proto__", "constructor", "prototype"] {
            sketch.bad_item(format!("{{\"kind\":1,\"k\":[\"{key}\",\"isCanceled\"],\"v\":true}}"));
            sketch.bad_item(format!("{{\"kind\":3,\"k\":[\"requests\",0,\"{key}\"]}}"));
        }
    }),
    row("path-forms", |sketch| {
        for path in [
            "[]",
            "null",
            "\"requests\"",
            "{}",
            "[null]",
            "[true]",
            "[[\"requests\"]]",
            "[\"requests\",-1]",
            "[\"requests\",0.5]",
            "[\"requests\",\"0\"]",
        ] {
            sketch.bad_item(format!("{{\"kind\":1,\"k\":{path},\"v\":17}}"));
        }
        sketch.bad_item(format!("{{\"kind\":1,\"k\":[{}\"x\"],\"v\":17}}", "\"requests\",".repeat(1024)));
    }),
    row("operation-forms", |sketch| {
        for operation in [
            "\"kind\":9,\"k\":[\"requests\"]",
            "\"kind\":\"0\",\"v\":{}",
            "\"k\":[\"requests\"],\"v\":[]",
            "\"kind\":0",
            "\"kind\":1,\"k\":[\"requests\"]",
            "\"kind\":2,\"k\":[\"requests\"],\"v\":17",
            "\"kind\":2,\"k\":[\"requests\"],\"i\":-1",
            "\"kind\":2,\"k\":[\"requests\"],\"i\":\"0\"",
            "\"kind\":2,\"k\":[\"sessionId\"],\"v\":[1]",
            "\"kind\":-1,\"k\":[\"requests\"]",
        ] {
            sketch.bad_item(format!("{{{operation}}}"));
        }
    }),
    row("emptied-state", |sketch| {
        sketch.fields.push("{\"kind\":0,\"v\":{}}".to_owned());
        sketch.told.created = 0;
        sketch.change = Some(|session| session.id = "emptied-state".to_owned());
    }),
    row("requests-no-array", |sketch| {
        for requests in ["{}", "17", "\"x\"", "true"] {
            sketch.items.push(format!("{{\"kind\":0,\"v\":{{\"requests\":{requests}}}}}"));
            sketch.bad_item("{\"kind\":2,\"k\":[\"requests\"],\"v\":[{}]}".to_owned());
            sketch.bad_item("{\"kind\":1,\"k\":[\"requests\",0],\"v\":{}}".to_owned());
        }
        // The last turn's line cannot be applied either.
        sketch.skipped += 1;
        sketch.change = Some(|session| session.requests.clear());
    }),
    row("null-state", |sketch| {
        // A state that is no object ends what was before; the turns make a new one.
        sketch.fields.push("{\"kind\":0,\"v\":null}".to_owned());
        sketch.bad_field("{\"kind\":0,\"v\":{\"requests\":[".to_owned());
        sketch.told.created = 0;
        sketch.change = Some(|session| session.id = "null-state".to_owned());
    }),
    row("deleted-and-cut", |sketch| {
        sketch.items.push("{\"kind\":3,\"k\":[\"requests\",0]}".to_owned());
        sketch.items.push("{\"kind\":3,\"k\":[\"requests\",7]}".to_owned());
        sketch.items.push("{\"kind\":3,\"k\":[\"nothing\",\"there\"]}".to_owned());
        sketch.change = Some(|session| drop(session.requests.remove(0)));
    }),
    row("duplicate-kept-keys", |sketch| {
        sketch.items.push("{\"kind\":9,\"kind\":1,\"k\":[\"x\"],\"k\":[\"requests\",0,\"isCanceled\"],\"v\":false,\"v\":true}".to_owned());
        sketch.change = Some(|session| session.requests[0].state = State::Cancelled);
    }),
];
