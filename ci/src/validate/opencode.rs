//! OpenCode itself: the sessions of a database as it exports them.

use std::time::Duration;

use serde_json::Value;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::process::Home;

const NAME: &str = "opencode";
const LIMIT: Duration = Duration::from_secs(120);
const DATABASE: &str = ".local/share/opencode/opencode.db";

/// Sessions that are exported: each export starts the program anew.
const EXPORTED: usize = 24;

/// Lets it open the database and export its first sessions.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    if !bench.home.path.join(DATABASE).is_file() {
        return Ok(Vec::new());
    }
    // The first start may bring the database to the program's own form, and fails when it is none of its kind.
    run(bench, &["session", "list", "--format", "json"])?;
    let mut comparison = Comparison::new(NAME, "sessions");
    let sessions = bench.manifest.answer.sessions_index.iter();
    for session in sessions.filter(|session| session.source.starts_with(DATABASE)).take(EXPORTED) {
        comparison.tell(&session.id, &[("prompts", session.requests)]);
        let export = run(bench, &["export", &session.id])?;
        let export: Value = serde_json::from_str(&export)
            .map_err(|error| format!("opencode export {} said no JSON: {error}", session.id))?;
        let messages = export["messages"].as_array().into_iter().flatten();
        let prompts = messages.filter(|message| message["info"]["role"] == "user").count();
        comparison.find(&session.id, &[("prompts", prompts as u64)]);
    }
    Ok(vec![comparison])
}

fn run(bench: &Bench<'_>, arguments: &[&str]) -> Result<String, String> {
    let home: &Home = &bench.home;
    let mut command = home.command(bench.programs.join(NAME));
    command.args(arguments).envs([
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
    ]);
    home.run(&mut command, LIMIT)?.checked(&format!("opencode {}", arguments.join(" ")))
}
