//! ccusage: tokens of each session, from the files of five tools.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;
use crate::validate::manifest::{File, Manifest, Tokens};
use crate::validate::process::Home;

const NAME: &str = "ccusage";
const LIMIT: Duration = Duration::from_secs(300);

/// Formats as the manifest and as ccusage name them, and what a total of them is of.
const FORMATS: [(&str, &str); 6] = [
    ("claude", "claude"),
    ("copilot-cli", "copilot"),
    ("codex", "codex"),
    ("gemini", "gemini"),
    ("opencode", "opencode"),
    ("kilo", "kilo"),
];

/// Compares every format that the corpus has.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    let formats = FORMATS.iter().filter(|format| bench.manifest.of(format.0).next().is_some());
    formats.map(|(format, command)| compare(bench, format, command)).collect()
}

fn compare(bench: &Bench<'_>, format: &'static str, command: &str) -> Result<Comparison, String> {
    let mut comparison = Comparison::new(format, "sessions");
    let resumed = resumed(bench.manifest);
    let holds_any = |file: &&File| file.sessions > 0 || !is_nothing(&file.tokens);
    for file in bench.manifest.of(format).filter(holds_any) {
        let key = merged(key(bench.manifest, file), &resumed);
        // A file that holds no response of its own, but a copy of another's, is left out for its copy's sake.
        if let Some(why) = at(NAME, file) {
            comparison.leave_out(&key, why);
        }
        if !is_nothing(&file.tokens) {
            comparison.tell(&key, &figures(&file.tokens));
        }
    }
    let said = told(bench.programs, &bench.home, command)?;
    for session in said["sessions"].as_array().into_iter().flatten() {
        let tokens = tokens(session);
        if !is_nothing(&tokens) {
            comparison.find(&merged(listed(format, session), &resumed), &figures(&tokens));
        }
    }
    Ok(comparison)
}

fn told(programs: &Path, home: &Home, command: &str) -> Result<Value, String> {
    let mut ccusage = home.command(programs.join(NAME));
    ccusage.args([command, "session", "--json", "--offline"]);
    let out = home.run(&mut ccusage, LIMIT)?.checked(NAME)?;
    serde_json::from_str(&out).map_err(|error| format!("ccusage {command} said no JSON: {error}"))
}

fn figures(tokens: &Tokens) -> [(&'static str, u64); 4] {
    [
        ("input", tokens.input),
        ("cache read", tokens.cache_read),
        ("cache write", tokens.cache_write),
        ("output", tokens.output),
    ]
}

/// Of nothing but errors, or prompts that nothing answered: such a session need not be listed.
fn is_nothing(tokens: &Tokens) -> bool {
    tokens.input + tokens.cache_read + tokens.cache_write + tokens.output == 0
}

/// What ccusage says of a session. It counts reasoning beside the output for some formats and within it for others, but always in its total.
fn tokens(session: &Value) -> Tokens {
    let count = |name: &str| session[name].as_u64().unwrap_or(0);
    let (input, cache_read, cache_write) =
        (count("inputTokens"), count("cacheReadTokens"), count("cacheCreationTokens"));
    let output = count("totalTokens").saturating_sub(input + cache_read + cache_write);
    Tokens { input, cache_read, cache_write, output }
}

/// Projects of Claude where a session copies the beginning of another. Which of the two has the responses that both tell is decided by
/// the manifest for the first and by ccusage by chance, so that such a project is compared as a whole.
fn resumed(manifest: &Manifest) -> BTreeSet<String> {
    let files = manifest.of("claude").filter(|file| file.has("resumed"));
    files
        .map(|file| claude_key(&file.path))
        .filter_map(|key| key.split('/').next().map(str::to_owned))
        .collect()
}

fn merged(key: String, resumed: &BTreeSet<String>) -> String {
    match key.split('/').next() {
        Some(project) if resumed.contains(project) => format!("{project}, all sessions"),
        _ => key,
    }
}

/// The key of a session in what ccusage says.
fn listed(format: &str, session: &Value) -> String {
    let text = |name: &str| session[name].as_str().unwrap_or_default();
    match format {
        // Files of a workflow are a session of their own to it, named by their folder.
        "claude" => format!("{}/{}", text("projectPath"), text("sessionId")),
        "codex" => text("sessionFile").to_owned(),
        "copilot-cli" | "gemini" => text("sessionId").to_owned(),
        _ => WHOLE.to_owned(),
    }
}

/// The key of the session that a file's tokens are of: the same as [`listed`] gives.
fn key(manifest: &Manifest, file: &File) -> String {
    let path = Path::new(&file.path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match file.format.as_str() {
        "claude" => claude_key(&file.path),
        "codex" => stem.trim_end_matches(".jsonl").to_owned(),
        "copilot-cli" => file.path.rsplit('/').nth(1).unwrap_or_default().to_owned(),
        "gemini" => manifest.session_id(&file.path).unwrap_or(&stem).to_owned(),
        _ => WHOLE.to_owned(),
    }
}

/// Where one file holds many sessions, they are compared together.
const WHOLE: &str = "all sessions";

fn claude_key(path: &str) -> String {
    let below = path.strip_prefix(".claude/projects/").unwrap_or(path);
    match below.split('/').collect::<Vec<_>>()[..] {
        [project, main] => format!("{project}/{}", main.trim_end_matches(".jsonl")),
        [project, session, "subagents", _] => format!("{project}/{session}"),
        _ => below.rsplit_once('/').map_or(below, |split| split.0).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_claude_belong_to_the_session_that_ccusage_counts_them_for() {
        assert_eq!(claude_key(".claude/projects/-home/s.jsonl"), "-home/s");
        assert_eq!(claude_key(".claude/projects/-home/s/subagents/agent-1.jsonl"), "-home/s");
        assert_eq!(
            claude_key(".claude/projects/-home/s/subagents/workflows/wf_0/agent-1.jsonl"),
            "-home/s/subagents/workflows/wf_0"
        );
    }

    #[test]
    fn a_project_with_a_resumed_session_is_one() {
        let resumed = BTreeSet::from(["-home".to_owned()]);
        assert_eq!(merged("-home/s".to_owned(), &resumed), "-home, all sessions");
        assert_eq!(merged("-home-dev/s".to_owned(), &resumed), "-home-dev/s");
    }

    #[test]
    fn reasoning_is_output_whether_it_is_told_beside_it_or_within() {
        let beside = serde_json::json!({"inputTokens": 200, "cacheReadTokens": 2000, "cacheCreationTokens": 40,
            "outputTokens": 100, "totalTokens": 2354});
        assert_eq!(tokens(&beside).output, 114);
        let within = serde_json::json!({"inputTokens": 1800, "cacheReadTokens": 1200, "outputTokens": 600,
            "reasoningOutputTokens": 192, "totalTokens": 3600});
        assert_eq!(tokens(&within).output, 600);
    }
}
