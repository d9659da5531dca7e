//! Nothing of a history but numbers leaves it: a word that stands everywhere in it stands nowhere in its profile.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use highwater_generators::{Fit, Format, GRID, Profile, Recipe, Spec, ensure, fit};
use serde_json::{Map, Value};

const CANARY: &str = "kestrel";

fn read(home: &Path) -> Fit {
    fit(&[home.to_path_buf()], "mine", &AtomicBool::new(false), &|_| ()).unwrap()
}

/// What a reader goes by; everything else gets the canary.
const KEYS: [&str; 24] = [
    "type",
    "data",
    "message",
    "content",
    "text",
    "kind",
    "k",
    "v",
    "i",
    "requests",
    "result",
    "metadata",
    "toolCallRounds",
    "toolCalls",
    "usage",
    "output_tokens",
    "payload",
    "role",
    "messages",
    "version",
    "name",
    "tool",
    "toolName",
    "toolName",
];

/// A value with the canary in it. `keeps` the keys and types that a reader goes by, so that it reads on.
fn planted(value: Value, key: &str, keeps: bool) -> Value {
    let is_type = matches!(key, "type" | "kind" | "role" | "k");
    match value {
        Value::String(text) if keeps && is_type => Value::String(text),
        Value::String(text) => Value::String(format!("{CANARY} {text}")),
        Value::Array(items) => items.into_iter().map(|item| planted(item, key, keeps)).collect(),
        Value::Object(fields) => {
            let mut all = Map::new();
            for (name, value) in fields {
                let value = planted(value, &name, keeps);
                let kept = keeps && KEYS.contains(&name.as_str());
                all.insert(if kept { name } else { format!("{CANARY}{name}") }, value);
            }
            all.insert(CANARY.to_owned(), Value::String(CANARY.to_owned()));
            all.into()
        }
        other => other,
    }
}

/// A file's text with the canary in every line; one that is not JSON gets it in front.
fn planted_text(text: &[u8], keeps: bool) -> String {
    let plant = |text: &[u8]| match serde_json::from_slice::<Value>(text) {
        Ok(value) => planted(value, "", keeps).to_string(),
        Err(_) => format!("{CANARY} {}", String::from_utf8_lossy(text)),
    };
    if serde_json::from_slice::<Value>(text).is_ok() {
        return plant(text);
    }
    text.split(|byte| *byte == b'\n').map(|line| plant(line) + "\n").collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Names by which a session is found.
const NAMES: [&str; 9] = [
    "chatSessions",
    "chatEditingSessions",
    "events.jsonl",
    "workspace.yaml",
    "workspace.json",
    "subagents",
    "chats",
    "sessions",
    "state.json",
];

/// A path below a root with the canary in every name that a person or a tool gave.
fn planted_path(path: &Path) -> PathBuf {
    let name = |part: &std::ffi::OsStr| {
        let part = part.to_string_lossy().into_owned();
        if NAMES.contains(&part.as_str()) {
            return part;
        }
        let prefix = ["agent-", "rollout-", "session-"].into_iter().find(|prefix| part.starts_with(prefix));
        prefix.map_or(format!("{CANARY}{part}"), |prefix| part.replace(prefix, &format!("{prefix}{CANARY}")))
    };
    path.iter().map(name).collect()
}

const ROOTS: [&str; 4] = [
    ".config/Code/User/workspaceStorage",
    ".config/Code - Insiders/User/workspaceStorage",
    ".copilot/session-state",
    ".claude/projects",
];

/// The smoke corpus with canaries, below `home`.
fn plant_smoke(dir: &Path, home: &Path, keeps: bool) {
    let spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };
    let corpus = ensure(dir, &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    for root in ROOTS {
        let from = corpus.home().join(root);
        let mut found = Vec::new();
        files(&from, &mut found);
        for path in found {
            let to = home.join(root).join(planted_path(path.strip_prefix(&from).unwrap()));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, planted_text(&fs::read(path).unwrap(), keeps)).unwrap();
        }
    }
}

/// Histories of the other tools, with a canary wherever one can stand.
fn plant_others(home: &Path) {
    let other = [
        (
            ".codex/sessions/2026/03/21/rollout-2026-03-21T10-00-00-kestrel.jsonl",
            r#"{"type":"session_meta","payload":{"id":"kestrel","cwd":"/kestrel","model":"kestrel"}}
{"type":"event_msg","payload":{"type":"user_message","message":"kestrel"}}
{"type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"kestrel"}}
{"type":"response_item","payload":{"type":"function_call","name":"kestrel"}}
{"type":"response_item","payload":{"type":"kestrel_call","kestrel":"kestrel"}}
{"type":"kestrel","kestrel":{"kestrel":["kestrel"]}}
{"kestrel
"#,
        ),
        (".codex/archived_sessions/rollout-kestrel.jsonl.zst", "kestrel"),
        (
            ".gemini/tmp/kestrel/chats/session-kestrel.json",
            r#"{"sessionId":"kestrel","messages":[{"type":"user","content":"kestrel"},
{"type":"gemini","content":"kestrel","model":"kestrel","toolCalls":[{"name":"kestrel"},{"name":"replace"}]},
{"type":"kestrel","kestrel":"kestrel"}]}"#,
        ),
        (".local/share/opencode/storage/session/kestrel/ses_kestrel.json", r#"{"title":"kestrel"}"#),
        (
            ".local/share/opencode/storage/message/ses_kestrel/msg_1.json",
            r#"{"role":"user","kestrel":"kestrel"}"#,
        ),
        (".local/share/opencode/storage/message/ses_kestrel/msg_2.json", r#"{"role":"assistant"}"#),
        (
            ".local/share/opencode/storage/part/msg_2/prt_kestrel.json",
            r#"{"type":"tool","tool":"kestrel","state":{"input":{"kestrel":"kestrel"}}}"#,
        ),
        (".local/share/opencode/storage/part/msg_2/prt_2.json", r#"{"type":"kestrel","tool":"bash"}"#),
    ];
    let write = |path: &str, text: &[u8]| {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (path, text) in other {
        write(path, text.as_bytes());
    }
    let packed = zstd::encode_all(other[0].1.as_bytes(), 3).unwrap();
    write(".codex/sessions/2026/03/20/rollout-kestrel.jsonl.zst", &packed);
    write(".codex/archived_sessions/rollout-kestrel-torn.jsonl.zst", &packed[..packed.len() - 9]);
    // Beside the plain file it is what that was before.
    let superseded = ".codex/sessions/2026/03/21/rollout-2026-03-21T10-00-00-kestrel.jsonl.zst";
    write(superseded, &packed);
    plant_database(&home.join(".local/share/kilo/kilo.db"));
}

/// A database of Kilo with canaries, one of them in a text that is longer than any other value may be.
fn plant_database(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let database = rusqlite::Connection::open(path).unwrap();
    let long = format!(r#"{{"type":"text","text":"{}"}}"#, CANARY.repeat(100_000));
    database
        .execute_batch(
            "create table session (id text primary key, project_id text);
             create table message (id text primary key, session_id text, data);
             create table part (id text primary key, message_id text, data);
             insert into session values ('ses_kestrel', 'kestrel'), ('ses_kestrel_2', 'kestrel_2');
             insert into message values ('m2', 'ses_kestrel', '{\"role\":\"assistant\",\"kestrel\":{\"kestrel\":1}}'),
                 ('m1', 'ses_kestrel', '{\"role\":\"user\"}'), ('m3', 'ses_kestrel', 7), ('m4', 'kestrel', '{}');
             insert into part values ('p1', 'm2', '{\"type\":\"tool\",\"tool\":\"kestrel\",\"state\":{\"input\":\"kestrel\"}}'),
                 ('p2', 'm2', '{\"type\":\"tool\",\"tool\":\"bash\"}'), ('p3', 'm2', '{\"type\":\"kestrel\"}'), ('p4', 'm2', '{\"kestrel');",
        )
        .unwrap();
    database.execute("insert into part values ('p5', 'm1', ?1)", [long]).unwrap();
}

#[test]
fn no_word_of_a_history_is_in_its_profile() {
    for keeps in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join(format!("{CANARY}-home"));
        plant_smoke(dir.path(), &home, keeps);
        plant_others(&home);
        let found = read(&home);
        let text = found.recipe.to_toml();
        assert!(!text.to_lowercase().contains(CANARY), "{text}");
        // Nothing but words of ours: whatever else was there would have to be among them.
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let words: BTreeSet<&str> = text.split(|c: char| !is_word(c)).collect();
        let long = words.iter().filter(|word| word.len() > 40).collect::<Vec<_>>();
        assert!(long.is_empty(), "{long:?}");
        // It was all read: sessions of every tool are there, and what has no public name was seen.
        let formats: Vec<Format> = found.recipe.histories().map(|(format, _)| format).collect();
        assert_eq!(formats.len(), 7, "{formats:?}");
        for (format, history) in found.recipe.histories() {
            let of_canary = history.records.get("other").copied().unwrap_or(0);
            let seen = of_canary > 0 || history.tools.contains_key("other") || format == Format::Vscode;
            assert!(seen, "{format}: {history:?}");
        }
        if keeps {
            let claude = found.recipe.history(Format::Claude).unwrap();
            assert!(claude.requests > 10 && claude.tools["other"] > 10, "{claude:?}");
        }
    }
}

#[test]
fn other_tools_are_counted_too_and_what_is_not_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    plant_others(dir.path());
    let found = read(dir.path());
    let history = |format| found.recipe.history(format).unwrap();
    let codex = history(Format::Codex);
    assert_eq!((codex.sessions, codex.requests, codex.workspaces), (2, 2, 2));
    assert_eq!((codex.tools["shell"], codex.tools["other"]), (2, 4));
    assert_eq!((codex.shapes["plain"], codex.shapes["compressed"]), (1, 1));
    assert_eq!(codex.quantiles.tool_calls_per_request.0, [3.0; GRID.len()]);
    let gemini = history(Format::Gemini);
    assert_eq!((gemini.requests, gemini.tools["replace"], gemini.records["user"]), (1, 1, 1));
    let opencode = history(Format::Opencode);
    assert_eq!((opencode.sessions, opencode.requests, opencode.tools["bash"]), (1, 1, 1));
    let kilo = history(Format::Kilo);
    assert_eq!((kilo.sessions, kilo.requests, kilo.workspaces), (2, 1, 2));
    assert_eq!((kilo.tools["bash"], kilo.tools["other"], kilo.records["text"]), (1, 1, 1));
    assert!(kilo.bytes > 700_000 && kilo.longest_line == 700_025, "{kilo:?}");
    assert_eq!(found.broken_lines, 4);
    let mut named: Vec<String> = found
        .skipped
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    named.sort();
    assert_eq!(named, ["rollout-kestrel-torn.jsonl.zst", "rollout-kestrel.jsonl.zst"]);
}

/// A profile that someone sends, with one line changed.
fn refusal(line: &str, instead: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    plant_others(dir.path());
    let text = read(dir.path()).recipe.to_toml();
    let start = text.find(line).unwrap_or_else(|| panic!("{line} is not in {text}"));
    let end = start + text[start..].find('\n').unwrap();
    let changed = [&text[..start], instead, &text[end..]].concat();
    Recipe::parse(&changed, Path::new("sent.toml")).unwrap_err().to_string()
}

#[test]
fn what_no_history_can_be_like_is_refused_with_its_field() {
    let cases = [
        (
            "schema = ",
            "schema = \"highwater-profile/9\"",
            "schema: this program reads \"highwater-profile/1\"",
        ),
        ("name = ", "name = \"../../etc\"", "name: give small letters, digits and dashes"),
        ("name = ", "name = \"heavy\"", "name: \"heavy\" is a profile of this program"),
        ("sessions = ", "sessions = 18446744073709551615", "codex.sessions: 18446744073709551615 is not"),
        (
            "sessions = ",
            "sessions = 9000000000000000000",
            "codex.sessions: 9000000000000000000 is not from 1",
        ),
        ("sessions = ", "sessions = 0", "codex.sessions: 0 is not from 1"),
        ("sessions = ", "sessions = -1", "file: it is no profile"),
        ("bytes = ", "bytes = 9000000000000000000", "codex.bytes: 9000000000000000000 is not from 0"),
        ("subagent_bytes = ", "subagent_bytes = 99999999", "codex.subagent_bytes: 99999999 is not from 0"),
        ("workspaces = ", "workspaces = 3", "codex.workspaces: 3 workspaces cannot each have one of 2"),
        ("rank_correlation = ", "rank_correlation = nan", "codex.rank_correlation: NaN is not from -1"),
        ("depth = ", "surprise = 1", "unknown field `surprise`"),
        (
            "sessions = ",
            "sessions = 400000",
            "codex.quantiles.bytes_per_session: its values are those of more than the 659",
        ),
        ("shell = 2", "kestrel = 1", "codex.tools: it has a name that no public list names"),
    ];
    for (line, instead, expected) in cases {
        let error = refusal(line, instead);
        assert!(error.starts_with("profile sent.toml: ") && error.contains(expected), "{instead}: {error}");
    }
    let table = |values: &str| format!("bytes_per_session = [{values}]");
    let tables = [
        ("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "invalid length 11"),
        ("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, nan", "codex.quantiles.bytes_per_session: NaN is not from 0"),
        ("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, inf", "codex.quantiles.bytes_per_session: inf is not from 0"),
        ("-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11", "codex.quantiles.bytes_per_session: -1 is not from 0"),
        ("0, 1, 2, 3, 9, 5, 6, 7, 8, 9, 10, 11", "the value at share 0.5 is below that at 0.25"),
        // One session cannot be longer than all are, nor all together.
        (
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1e12",
            "codex.quantiles.bytes_per_session: its values are those of more than",
        ),
    ];
    for (values, expected) in tables {
        // A table may be written over several lines: the whole of it is replaced.
        let error = refusal_of_table(&table(values));
        assert!(error.contains(expected), "{values}: {error}");
    }
}

fn refusal_of_table(instead: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    plant_others(dir.path());
    let text = read(dir.path()).recipe.to_toml();
    let start = text.find("bytes_per_session = [").unwrap();
    let end = start + text[start..].find(']').unwrap() + 1;
    let changed = [&text[..start], instead, &text[end..]].concat();
    Recipe::parse(&changed, Path::new("sent.toml")).unwrap_err().to_string()
}

#[test]
fn a_profile_is_read_as_it_was_written_and_named_by_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    plant_others(dir.path());
    let recipe = read(dir.path()).recipe;
    let path = dir.path().join("mine.toml");
    fs::write(&path, recipe.to_toml()).unwrap();
    let profile: Profile = path.to_str().unwrap().parse().unwrap();
    assert_eq!(profile, Profile::from(recipe.clone()));
    let name = Spec { profile, scale: 0.5, seed: 3 }.name();
    assert!(name.starts_with("mine-") && name.ends_with("-0.5-3") && name.len() == 5 + 8 + 6, "{name}");
    let mut other = recipe;
    other.codex.as_mut().unwrap().bytes += 1;
    assert_ne!(name, Spec { profile: other.into(), scale: 0.5, seed: 3 }.name());
    fs::write(&path, "x".repeat(2 << 20)).unwrap();
    assert!(Recipe::load(&path).unwrap_err().to_string().contains("file: it has 2097152 bytes"));
}
