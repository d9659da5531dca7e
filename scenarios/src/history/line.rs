//! One event in the words of each tool.

use std::fmt::Write as _;

use super::Provider;

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;
/// Seconds from midnight to the first event of all.
const FIRST: u64 = 8 * 60 * 60;

/// What is told of an event.
pub(super) struct Telling<'a> {
    pub(super) session: &'a str,
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    pub(super) uuid: &'a str,
    pub(super) parent: Option<&'a str>,
    pub(super) call: &'a str,
    pub(super) seconds: u64,
}

/// A time of January 2026.
fn time(seconds: u64) -> String {
    let seconds = seconds + FIRST;
    let (day, second) = (5 + seconds / DAY, seconds % DAY);
    format!("2026-01-{day:02}T{:02}:{:02}:{:02}.000Z", second / 3600, second / 60 % 60, second % 60)
}

/// A string as JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The beginning of a session's file.
pub(super) fn head(provider: Provider, session: &str, seconds: u64, out: &mut String) {
    let time = time(seconds);
    let _ = match provider {
        Provider::Claude => writeln!(
            out,
            "{{\"type\":\"file-history-snapshot\",\"messageId\":\"{session}\",\"snapshot\":{{\"trackedFileBackups\":{{}},\
             \"timestamp\":\"{time}\"}},\"isSnapshotUpdate\":false}}"
        ),
        Provider::Codex => writeln!(
            out,
            "{{\"timestamp\":\"{time}\",\"type\":\"session_meta\",\"payload\":{{\"id\":\"{session}\",\"timestamp\":\"{time}\",\
             \"cwd\":\"/home/dev/project\",\"originator\":\"codex_cli_rs\",\"cli_version\":\"0.114.0\",\"source\":\"cli\"}}}}\n\
             {{\"timestamp\":\"{time}\",\"type\":\"turn_context\",\"payload\":{{\"turn_id\":\"turn-1\",\
             \"cwd\":\"/home/dev/project\",\"model\":\"gpt-5.4\"}}}}"
        ),
        Provider::Gemini => writeln!(
            out,
            "{{\"sessionId\":\"{session}\",\"projectHash\":\"3f9a2c\",\"startTime\":\"{time}\",\"messages\":["
        ),
    };
}

/// Writes an event, and gives the text that is read of it.
pub(super) fn write(provider: Provider, telling: &Telling<'_>, out: &mut String) -> String {
    match provider {
        Provider::Claude => claude(telling, out),
        Provider::Codex => codex(telling, out),
        Provider::Gemini => gemini(telling, out),
    }
}

fn claude(telling: &Telling<'_>, out: &mut String) -> String {
    let Telling { session, kind, text, uuid, parent, call, seconds } = telling;
    let (time, quoted) = (time(*seconds), json(text));
    let parent = parent.map_or("null".to_owned(), json);
    let input = format!("{{\"command\":{quoted}}}");
    let content = match *kind {
        "message.user" => quoted.clone(),
        "message.assistant" => format!("[{{\"type\":\"text\",\"text\":{quoted}}}]"),
        "thinking" => format!("[{{\"type\":\"thinking\",\"thinking\":{quoted},\"signature\":\"c2ln\"}}]"),
        "tool.call" => {
            format!("[{{\"type\":\"tool_use\",\"id\":\"{call}\",\"name\":\"Bash\",\"input\":{input}}}]")
        }
        _ => format!("[{{\"tool_use_id\":\"{call}\",\"type\":\"tool_result\",\"content\":{quoted}}}]"),
    };
    let (role, message) = match *kind {
        "message.user" | "tool.result" => ("user", format!("{{\"role\":\"user\",\"content\":{content}}}")),
        _ => (
            "assistant",
            format!(
                "{{\"model\":\"claude-opus-4-5\",\"id\":\"msg_{}\",\"type\":\"message\",\"role\":\"assistant\",\"content\":{content},\
                 \"stop_reason\":null,\"usage\":{{\"input_tokens\":12,\"output_tokens\":34}}}}",
                &uuid[..8]
            ),
        ),
    };
    let _ = writeln!(
        out,
        "{{\"parentUuid\":{parent},\"isSidechain\":false,\"userType\":\"external\",\"cwd\":\"/home/dev/project\",\
         \"sessionId\":\"{session}\",\"version\":\"2.1.157\",\"gitBranch\":\"main\",\"type\":\"{role}\",\"message\":{message},\
         \"uuid\":\"{uuid}\",\"timestamp\":\"{time}\"}}"
    );
    if *kind == "tool.call" { input } else { (*text).to_owned() }
}

/// Every text of a person and of the model stands in two records.
fn codex(telling: &Telling<'_>, out: &mut String) -> String {
    let Telling { kind, text, call, seconds, .. } = telling;
    let (time, quoted) = (time(*seconds), json(text));
    let arguments = format!("{{\"command\":{quoted}}}");
    let mut record = |kind: &str, payload: String| {
        let _ = writeln!(out, "{{\"timestamp\":\"{time}\",\"type\":\"{kind}\",\"payload\":{payload}}}");
    };
    let item = |role: &str, block: &str| {
        format!(
            "{{\"type\":\"message\",\"role\":\"{role}\",\"content\":[{{\"type\":\"{block}\",\"text\":{quoted}}}]}}"
        )
    };
    match *kind {
        "message.user" => {
            record("response_item", item("user", "input_text"));
            record("event_msg", format!("{{\"type\":\"user_message\",\"message\":{quoted},\"images\":[]}}"));
        }
        "message.assistant" => {
            record(
                "event_msg",
                format!("{{\"type\":\"agent_message\",\"message\":{quoted},\"phase\":\"commentary\"}}"),
            );
            record("response_item", item("assistant", "output_text"));
        }
        "thinking" => record(
            "response_item",
            format!(
                "{{\"type\":\"reasoning\",\"summary\":[{{\"type\":\"summary_text\",\"text\":{quoted}}}],\"content\":null}}"
            ),
        ),
        "tool.call" => record(
            "response_item",
            format!(
                "{{\"type\":\"function_call\",\"name\":\"exec_command\",\"arguments\":{},\"call_id\":\"{call}\"}}",
                json(&arguments)
            ),
        ),
        _ => record(
            "response_item",
            format!("{{\"type\":\"function_call_output\",\"call_id\":\"{call}\",\"output\":{quoted}}}"),
        ),
    }
    if *kind == "tool.call" { arguments } else { (*text).to_owned() }
}

fn gemini(telling: &Telling<'_>, out: &mut String) -> String {
    let Telling { kind, text, uuid, seconds, .. } = telling;
    let (time, quoted) = (time(*seconds), json(text));
    let (role, said) = match *kind {
        "message.user" => ("user", format!("\"content\":[{{\"text\":{quoted}}}]")),
        "thinking" => (
            "gemini",
            format!(
                "\"model\":\"gemini-3-pro\",\"content\":\"\",\"thoughts\":[{{\"subject\":\"Plan\",\"description\":{quoted}}}]"
            ),
        ),
        _ => ("gemini", format!("\"model\":\"gemini-3-pro\",\"content\":{quoted}")),
    };
    let _ = write!(out, "{{\"id\":\"{uuid}\",\"timestamp\":\"{time}\",\"type\":\"{role}\",{said}}}");
    if *kind == "thinking" { format!("Plan\n{text}") } else { (*text).to_owned() }
}
