//! claude-code-log: the sessions it finds, and the lines that do not have the fields it knows them by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;

const NAME: &str = "claude-code-log";
const LIMIT: Duration = Duration::from_secs(600);

/// What it says of a line whose `message` is null, as the tool itself writes some: it goes on behind it.
const OF_NULL: &str = "argument of type 'NoneType' is not iterable";

/// A project that is planted in its copy of the corpus, with one line of each kind that it refuses. Where it tells fewer of them, it
/// words its complaints otherwise than is understood here, and that it told none of any other file would mean nothing.
const PLANTED: &str = "-highwater-planted";
const REFUSED: [&str; 3] = ["[]", "{\"type\":", "{\"type\":\"user\"}"];

/// Compares the sessions, and counts refused lines where there should be none.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    if bench.manifest.of("claude").next().is_none() {
        return Ok(Vec::new());
    }
    let (projects, out) = (bench.home.path.join(".claude/projects"), bench.home.scratch.join("rendered"));
    plant(&projects)?;
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

/// The planted file, below the projects.
fn planted() -> PathBuf {
    Path::new(PLANTED).join("planted.jsonl")
}

fn plant(projects: &Path) -> Result<(), String> {
    let path = projects.join(planted());
    let failed = |error| format!("failed to write {}: {error}", path.display());
    std::fs::create_dir_all(projects.join(PLANTED)).map_err(failed)?;
    std::fs::write(&path, REFUSED.join("\n") + "\n").map_err(failed)
}

fn sessions(bench: &Bench<'_>, summary: &Value) -> Comparison {
    let mut comparison = Comparison::new("claude", "sessions");
    for file in bench.manifest.of("claude").filter(|file| file.sessions > 0) {
        let key = file.path.trim_start_matches(".claude/projects/").trim_end_matches(".jsonl");
        comparison.tell(key, &[("sessions", 1)]);
    }
    let projects = summary["projects"].as_array().into_iter().flatten();
    for project in projects.filter(|project| project["name"] != PLANTED) {
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
    let of = |path: &str| {
        let path = bench.home.path.join(path);
        [("refused lines", refused.get(path.to_string_lossy().as_ref()).copied().unwrap_or(0))]
    };
    let planted = format!(".claude/projects/{}", planted().display());
    comparison.tell(&planted, &[("refused lines", REFUSED.len() as u64)]);
    comparison.find(&planted, &of(&planted));
    let is_log = |path: &str| path.ends_with(".jsonl");
    for file in bench.manifest.of("claude").filter(|file| is_log(&file.path)) {
        if let Some(why) = at(NAME, file) {
            comparison.leave_out(&file.path, why);
        }
        comparison.tell(&file.path, &[("refused lines", 0)]);
        comparison.find(&file.path, &of(&file.path));
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
    use crate::validate::manifest::{Answer, File, Manifest};
    use crate::validate::process::Home;

    /// A corpus with one file of Claude, read by a tool that complains in these words of the planted one.
    fn differences(words: &str) -> usize {
        let file = File {
            path: ".claude/projects/p/s.jsonl".to_owned(),
            format: "claude".to_owned(),
            ..File::default()
        };
        let manifest = Manifest {
            profile: "smoke".to_owned(),
            scale: 1.0,
            seed: 1,
            answer: Answer { sessions_index: Vec::new() },
            files: vec![file],
        };
        let home = Home { path: PathBuf::from("/h"), scratch: PathBuf::from("/s") };
        let bench = Bench { programs: Path::new("/p"), home, manifest: &manifest };
        let complaints: String = (1..=REFUSED.len())
            .map(|line| format!("{words} {line} of /h/.claude/projects/{} | why\n", planted().display()))
            .collect();
        lines(&bench, &complaints).differences().len()
    }

    #[test]
    fn complaints_in_other_words_are_a_difference() {
        assert_eq!((differences("Line"), differences("Row")), (0, 1));
    }

    #[test]
    fn complaints_are_counted_by_file_but_for_those_of_null_messages() {
        let said = "Processing\nLine 3 of /h/a.jsonl | 7 validation errors for SystemTranscriptEntry\nparentUuid\n\
            Line 4 of /h/a.jsonl | Unexpected error: argument of type 'NoneType' is not iterable\n\
            Line 9 of /h/b c.jsonl is not a JSON object: null\nLine of nothing\n";
        assert_eq!(refused(said), BTreeMap::from([("/h/a.jsonl", 1), ("/h/b c.jsonl", 1)]));
    }
}
