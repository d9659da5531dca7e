//! claude-code-log: the sessions it finds, and the lines that do not have the fields it knows them by.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;

const NAME: &str = "claude-code-log";
const LIMIT: Duration = Duration::from_secs(600);

/// What it says of a line whose `message` is null, as the tool itself writes some: it goes on behind it.
const OF_NULL: &str = "argument of type 'NoneType' is not iterable";

/// Compares the sessions, and counts refused lines where there should be none.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    if bench.manifest.of("claude").next().is_none() {
        return Ok(Vec::new());
    }
    let (projects, out) = (bench.home.path.join(".claude/projects"), bench.home.scratch.join("rendered"));
    let mut command = bench.home.command(bench.programs.join(NAME));
    command.arg(&projects).args(["--all-projects", "--format", "json", "--output"]).arg(&out);
    let said = bench.home.run(&mut command, LIMIT)?;
    let complaints = format!("{}\n{}", said.out, said.err);
    said.checked(NAME)?;
    let summary = out.join("all-projects-summary.json");
    let text = std::fs::read_to_string(&summary)
        .map_err(|error| format!("{NAME} wrote no {}: {error}", summary.display()))?;
    let summary = serde_json::from_str(&text).map_err(|error| format!("{NAME} wrote no JSON: {error}"))?;
    Ok(vec![sessions(bench, &summary), lines(bench, &complaints)])
}

fn sessions(bench: &Bench<'_>, summary: &Value) -> Comparison {
    let mut comparison = Comparison::new("claude", "sessions");
    for file in bench.manifest.of("claude").filter(|file| file.sessions > 0) {
        let key = file.path.trim_start_matches(".claude/projects/").trim_end_matches(".jsonl");
        comparison.tell(key, &[("sessions", 1)]);
    }
    for project in summary["projects"].as_array().into_iter().flatten() {
        for session in project["sessions"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = format!("{}/{}", text(&project["name"]), text(&session["id"]));
            comparison.find(&key, &[("sessions", 1)]);
        }
    }
    comparison
}

fn lines(bench: &Bench<'_>, complaints: &str) -> Comparison {
    let mut comparison = Comparison::new("claude", "files");
    let refused = refused(complaints);
    let is_log = |path: &str| path.ends_with(".jsonl");
    for file in bench.manifest.of("claude").filter(|file| is_log(&file.path)) {
        if let Some(why) = at(NAME, file) {
            comparison.leave_out(&file.path, why);
        }
        let path = bench.home.path.join(&file.path);
        let count = refused.get(path.to_string_lossy().as_ref()).copied().unwrap_or(0);
        comparison.tell(&file.path, &[("refused lines", 0)]);
        comparison.find(&file.path, &[("refused lines", count)]);
    }
    comparison
}

/// Complaints by file: `Line 7 of PATH | WHY` or `Line 7 of PATH is not a JSON object: LINE`.
fn refused(complaints: &str) -> BTreeMap<&str, u64> {
    let mut refused = BTreeMap::new();
    for line in complaints.lines().filter(|line| !line.contains(OF_NULL)) {
        let Some((number, rest)) = line.strip_prefix("Line ").and_then(|line| line.split_once(" of ")) else {
            continue;
        };
        let end = rest.find(" | ").or_else(|| rest.find(" is not "));
        if let (true, Some(end)) = (number.parse::<u64>().is_ok(), end) {
            *refused.entry(&rest[..end]).or_default() += 1;
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_counted_by_file_but_for_those_of_null_messages() {
        let said = "Processing\nLine 3 of /h/a.jsonl | 7 validation errors for SystemTranscriptEntry\nparentUuid\n\
            Line 4 of /h/a.jsonl | Unexpected error: argument of type 'NoneType' is not iterable\n\
            Line 9 of /h/b c.jsonl is not a JSON object: null\nLine of nothing\n";
        assert_eq!(refused(said), BTreeMap::from([("/h/a.jsonl", 1), ("/h/b c.jsonl", 1)]));
    }
}
