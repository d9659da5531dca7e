//! agentsview: the sessions in its index, with their prompts or the tokens written for them.

use std::time::Duration;

use serde_json::Value;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;
use crate::validate::manifest::File;

const NAME: &str = "agentsview";
const LIMIT: Duration = Duration::from_secs(900);

/// Formats as the manifest and as agentsview name them, and the figure that both have. Of VS Code it estimates the tokens by itself.
const FORMATS: [(&str, &str, Figure); 3] = [
    ("claude", "claude", Figure::Output),
    ("copilot-cli", "copilot", Figure::Output),
    ("vscode", "vscode-copilot", Figure::Prompts),
];

#[derive(Clone, Copy, Debug)]
enum Figure {
    Prompts,
    Output,
}

/// Prints what the index knows of each session, by the Python that the tool is installed with.
const DUMP: &str = "import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute(
    'select agent, file_path, user_message_count, total_output_tokens from sessions')
print(json.dumps(rows.fetchall()))";

/// Lets it fill its index and compares that.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    let home = &bench.home;
    let mut sync = home.command(bench.programs.join(NAME));
    sync.arg("sync").envs([("AGENTSVIEW_NO_DAEMON", "1"), ("AGENTSVIEW_DISABLE_UPDATE_CHECK", "1")]);
    // It says that it failed when it could not read one file, and has read all others.
    let said = home.run(&mut sync, LIMIT)?;
    let index = home.path.join(".agentsview/sessions.db");
    if !index.is_file() {
        return Err(format!("{NAME} made no index ({}): {}", said.status, said.tail()));
    }
    let mut dump = home.command(bench.programs.join("python"));
    dump.args(["-c", DUMP]).arg(&index);
    let rows = home.run(&mut dump, LIMIT)?.checked("reading the index of agentsview")?;
    let rows: Vec<Value> =
        serde_json::from_str(&rows).map_err(|error| format!("the index of {NAME} gave no JSON: {error}"))?;
    let comparisons = FORMATS.iter().map(|format| compare(bench, &rows, *format));
    // Of a format that is not in the corpus it should say nothing; only if it does, that is told.
    let has = |comparison: &Comparison| bench.manifest.of(comparison.format).next().is_some();
    Ok(comparisons.filter(|comparison| has(comparison) || !comparison.differences().is_empty()).collect())
}

fn compare(bench: &Bench<'_>, rows: &[Value], format: (&'static str, &str, Figure)) -> Comparison {
    let (format, agent, figure) = format;
    let mut comparison = Comparison::new(format, "files");
    for file in bench.manifest.of(format) {
        if let Some(why) = at(NAME, file) {
            comparison.leave_out(key(&file.path), why);
        }
        if is_listed(file) {
            comparison.tell(key(&file.path), &figures(figure, file.requests, file.completion_tokens));
        }
    }
    let home = format!("{}/", bench.home.path.display());
    for row in rows.iter().filter(|row| row[0] == agent) {
        let path = row[1].as_str().unwrap_or_default();
        let count = |column: usize| row[column].as_u64().unwrap_or(0);
        comparison.find(key(path.strip_prefix(&home).unwrap_or(path)), &figures(figure, count(2), count(3)));
    }
    comparison
}

/// What tells a session from others: in VS Code its file's name, since the same one in two workspaces is one to the tool, in either.
fn key(path: &str) -> &str {
    path.rsplit_once("/chatSessions/").map_or(path, |(_, name)| name)
}

/// Files with something to show: it lists every subagent by itself, no session without a prompt, and a copied one once.
fn is_listed(file: &File) -> bool {
    if file.has("copied") {
        return false;
    }
    let is_subagent = file.path.contains("/subagents/") && file.path.ends_with(".jsonl");
    file.requests > 0 && (file.sessions > 0 || is_subagent)
}

fn figures(figure: Figure, prompts: u64, output: u64) -> [(&'static str, u64); 2] {
    let second = match figure {
        Figure::Prompts => ("prompts", prompts),
        Figure::Output => ("output", output),
    };
    [("sessions", 1), second]
}
