//! Records of each tool as events; files that grow, end in the middle of a line, or are written anew.

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::snapshots::event::Body;

const CLAUDE: &str = concat!(
    r#"{"type":"file-history-snapshot","messageId":"m"}"#,
    "\n",
    r#"{"type":"user","uuid":"u1","timestamp":"2026-01-01T00:00:00Z","message":{"role":"user","content":"hi é \ud83d\ude00"}}"#,
    "\n\n",
    r#"{"type":"assistant","uuid":"a1","timestamp":"2026-01-01T00:00:01Z","message":{"model":"m-1","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"one"},{"type":"text","text":"two"},{"type":"tool_use","id":"t1","name":"Read","input":{"path": "a"}}]}}"#,
    "\n",
    r#"{"type":"user","uuid":"u2","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]},{"type":"text","text":"<system-reminder>s</system-reminder>"}]}}"#,
    "\r\n",
    r#"{"type":"assistant","uuid":"a2","isSidechain":true,"message":{"content":"aside"}}"#,
    "\n",
    r#"{"type":"assistant","uuid":"a3","message":{"content":[{"type":"tool_use","id":"t2","name":"AskUserQuestion","input":{"questions":[{"question":"which?"}]}}]}}"#,
    "\n",
    r#"{"type":"user","uuid":"u3","toolUseResult":{"questions":[{"question":"which?"}],"answers":{"which?":"this"}},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"done"}]}}"#,
    "\n",
    r#"{"type":"system","uuid":"s1","subtype":"compact","content":"compacted"}"#,
    "\n",
);

const CODEX: &str = concat!(
    r#"{"timestamp":"t0","type":"session_meta","payload":{"id":"c1","source":"cli","cwd":"/w"}}"#,
    "\n",
    r#"{"timestamp":"t1","type":"turn_context","payload":{"turn_id":"n1","model":"g-5"}}"#,
    "\n",
    r##"{"timestamp":"t2","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"# Context\nMy request for Codex: do it"}]}}"##,
    "\n",
    r##"{"timestamp":"t3","type":"event_msg","payload":{"type":"user_message","message":"# Context\nMy request for Codex: do it"}}"##,
    "\n",
    r#"{"timestamp":"t4","type":"event_msg","payload":{"type":"agent_message","message":"on it","phase":"commentary"}}"#,
    "\n",
    r#"{"timestamp":"t5","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"on it"}],"phase":"commentary"}}"#,
    "\n",
    r#"{"timestamp":"t6","type":"response_item","payload":{"type":"function_call","name":"exec","arguments":"{\"cmd\":\"ls\"}","call_id":"k1"}}"#,
    "\n",
    r#"{"timestamp":"t7","type":"response_item","payload":{"type":"function_call_output","call_id":"k1","output":"a\nb"}}"#,
    "\n",
    r#"{"timestamp":"t8","type":"response_item","payload":{"type":"reasoning","summary":[{"type":"summary_text","text":"so"}]}}"#,
    "\n",
    r#"{"timestamp":"t9","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}],"phase":"final_answer"}}"#,
    "\n",
);

const GEMINI: &str = r#"{"sessionId":"g1","messages":[
    {"id":"m1","type":"user","timestamp":"t","content":[{"text":"full\n::go now"}],"displayContent":[{"text":"full"}]},
    {"id":"m2","type":"info","content":"update"},
    {"id":"m3","type":"gemini","model":"p","content":"ok","thoughts":[{"subject":"S","description":"d"}],
     "toolCalls":[{"id":"k","name":"read_file","args":{"p":1},"resultDisplay":"r"}]}]}"#;

fn file(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    file
}

/// The events of a text, read on from where reading was left.
fn read_on(provider: Provider, text: &[u8], resume: &mut Resume) -> (Vec<Event>, Skips, Done) {
    let (mut events, mut skips) = (Vec::new(), Skips::default());
    let done = read(provider, &mut file(text), resume, &mut skips, &mut |event| events.push(event)).unwrap();
    (events, skips, done)
}

fn read_all(provider: Provider, text: &str) -> Vec<Event> {
    let (events, skips, _) = read_on(provider, text.as_bytes(), &mut Resume::default());
    assert_eq!(skips, Skips::default());
    events
}

fn told(events: &[Event]) -> Vec<(&str, &str, &str)> {
    events.iter().map(|event| (&*event.id, event.kind(), event.text())).collect()
}

#[test]
fn claude_records_are_events() {
    let events = read_all(Provider::Claude, CLAUDE);
    assert_eq!(
        told(&events),
        [
            ("u1:message.user", "message.user", "hi é 😀"),
            ("a1:thinking", "thinking", "hm"),
            ("a1:message.assistant", "message.assistant", "one"),
            ("a1:message.assistant:1", "message.assistant", "two"),
            ("a1:tool.call", "tool.call", r#"{"path": "a"}"#),
            ("u2:tool.result", "tool.result", "x\ny"),
            ("a3:tool.call", "tool.call", r#"{"questions":[{"question":"which?"}]}"#),
            ("a3:decision", "decision", "which?"),
            ("u3:tool.result", "tool.result", "done"),
            ("u3:decision", "decision", "which?: this"),
            ("s1:provider.info", "provider.info", "compacted"),
        ]
    );
    assert!(matches!(&events[2].body, Body::Assistant { model: Some(model), .. } if &**model == "m-1"));
    assert_eq!(events.last().map(|event| event.source.cursor), Some(CLAUDE.len() as u64));
}

#[test]
fn codex_texts_are_taken_once() {
    let events = read_all(Provider::Codex, CODEX);
    let texts: Vec<(&str, &str)> = events.iter().map(|event| (event.kind(), event.text())).collect();
    assert_eq!(
        texts,
        [
            ("message.user", "do it"),
            ("message.assistant", "on it"),
            ("tool.call", r#"{"cmd":"ls"}"#),
            ("tool.result", "a\nb"),
            ("thinking", "so"),
            ("message.assistant", "done"),
        ]
    );
    assert!(events.iter().all(|event| event.turn.as_deref() == Some("n1")));
    assert_eq!(&*events[0].timestamp, "t3");
    assert!(matches!(&events[5].body, Body::Assistant { model: Some(model), phase: Some(phase), .. }
        if &**model == "g-5" && &**phase == "final_answer"));
}

#[test]
fn gemini_messages_are_events() {
    let events = read_all(Provider::Gemini, GEMINI);
    assert_eq!(
        told(&events),
        [
            ("m1:message.user", "message.user", "full\n::go now"),
            ("m3:thinking", "thinking", "S\nd"),
            ("m3:message.assistant", "message.assistant", "ok"),
            ("m3:tool.call", "tool.call", r#"{"p":1}"#),
            ("m3:tool.result", "tool.result", "r"),
        ]
    );
    assert_eq!((events[0].source.cursor, events[4].source.cursor), (1, 3));
}

#[test]
fn a_document_that_is_being_written_gives_nothing_and_is_read_later() {
    let mut resume = Resume::default();
    let (events, _, done) = read_on(Provider::Gemini, &GEMINI.as_bytes()[..100], &mut resume);
    assert_eq!((events.len(), done.is_legible, resume.offset), (0, false, 0));
    assert_eq!(read_on(Provider::Gemini, GEMINI.as_bytes(), &mut resume).0.len(), 5);
    assert_eq!(resume.offset, 3);
    assert!(read_on(Provider::Gemini, GEMINI.as_bytes(), &mut resume).0.is_empty());
}

#[test]
fn a_torn_last_line_is_neither_skipped_nor_lost() {
    let line = r#"{"type":"user","uuid":"u","message":{"content":"a"}}"#;
    let mut resume = Resume::default();
    let (events, skips, _) = read_on(Provider::Claude, &line.as_bytes()[..30], &mut resume);
    assert_eq!((events.len(), skips.lines, resume.offset), (0, 0, 0));
    // Whole, but without its end: it is read, and its end is a blank line later.
    assert_eq!(read_on(Provider::Claude, line.as_bytes(), &mut resume).0.len(), 1);
    let more = format!("{line}\n{line}\n");
    assert_eq!(read_on(Provider::Claude, more.as_bytes(), &mut resume).0.len(), 1);
    assert_eq!((resume.offset, resume.lines), (more.len() as u64, 2));
}

#[test]
fn what_is_no_record_is_counted_and_the_first_is_named() {
    let text = "\u{feff}{}\nnonsense\n[1]\n[]\n{\"type\":\"user\"}\n{\"type\":\"other\",\"uuid\":1}\n";
    let (events, skips, _) = read_on(Provider::Claude, text.as_bytes(), &mut Resume::default());
    assert_eq!((events.len(), skips.lines), (0, 3));
    assert!(skips.first.as_deref().is_some_and(|first| first.starts_with("line 2: expected")), "{skips:?}");
}

#[test]
fn half_a_surrogate_pair_is_replaced() {
    let text = "{\"type\":\"user\",\"message\":{\"content\":\"a \\ud83d b\"}}\n";
    assert_eq!(read_all(Provider::Claude, text)[0].text(), "a \u{fffd} b");
}

#[test]
fn texts_take_no_more_than_their_length() {
    for event in read_all(Provider::Claude, CLAUDE) {
        let texts =
            [&event.id, &event.timestamp, &event.source.kind].map(|text| text.len()).iter().sum::<usize>();
        assert!(event.heap_bytes() >= texts + event.text().len());
    }
}

#[test]
fn a_session_has_the_id_that_its_tool_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let id = |provider, path: &Path| identify(provider, path).unwrap().map(String::from);
    assert_eq!(id(Provider::Claude, Path::new("x/abc.jsonl")).as_deref(), Some("abc"));
    assert_eq!(id(Provider::Codex, &write("rollout.jsonl", CODEX)).as_deref(), Some("c1"));
    assert_eq!(id(Provider::Codex, &write("torn.jsonl", &CODEX[..20])), None);
    let uuid = "01a7c9e4-6d12-7b3a-9f42-8c6d5e1a0b73";
    let long = format!(
        "{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"other\",\"text\":\"{}\"}}}}\n",
        "x".repeat(40_000)
    );
    assert_eq!(id(Provider::Codex, &write(&format!("rollout-{uuid}.jsonl"), &long)).as_deref(), Some(uuid));
    assert_eq!(id(Provider::Gemini, &write("g.json", GEMINI)).as_deref(), Some("g1"));
    assert_eq!(id(Provider::Gemini, &write("half.json", &GEMINI[..50])), None);
}

#[test]
fn only_files_of_sessions_are_sessions() {
    for (path, provider) in [
        (".claude/projects/-work/a.jsonl", Some(Provider::Claude)),
        (".claude/projects/-work/agent-a.jsonl", None),
        (".claude/history.jsonl", None),
        (".codex/sessions/2026/01/05/rollout-a.jsonl", Some(Provider::Codex)),
        (".gemini/tmp/abc/chats/session-a.json", Some(Provider::Gemini)),
        (".gemini/settings.json", None),
    ] {
        assert_eq!(provider_of(Path::new(path)), provider, "{path}");
    }
}

proptest! {
    /// However a file grows, its events are those of the whole file.
    #[test]
    fn reading_on_gives_what_reading_at_once_gives(cuts in prop::collection::vec(0usize..2000, 0..6)) {
        for (provider, text) in [(Provider::Claude, CLAUDE), (Provider::Codex, CODEX)] {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let (mut events, mut resume) = (Vec::new(), Resume::default());
            for cut in cuts {
                let (more, skips, _) = read_on(provider, &text.as_bytes()[..cut], &mut resume);
                prop_assert_eq!(skips.lines, 0);
                events.extend(more);
            }
            // Reading goes on at once behind a whole line whose end has not come yet.
            let at_once = read_all(provider, text);
            let ends = events.iter_mut().zip(&at_once);
            ends.for_each(|(event, other)| event.source.cursor = other.source.cursor);
            prop_assert_eq!(events, at_once);
        }
    }
}
