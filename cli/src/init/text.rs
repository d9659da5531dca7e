//! The text of the files that are written.

use toml::Value;

use super::Entry;
use super::found::Found;

/// A first ceiling: so high that it says little, so that what was measured takes its place.
const FIRST_CEILING: &str = "512 MiB";

const PROJECT: &str = "\
# What highwater measures of this project, and by what it is judged. `highwater exec --help` and docs/project.md of highwater
# are the manual.
#
#   highwater exec                  builds, measures everything below in one run, and judges it
#   highwater exec --name 'app/*'   measures some of it
#   highwater gate                  judges the last run again
#   highwater budget init --force   writes limits from the last run
";

/// Keys that an entry may have; shown below the first.
const MORE: &str = "\
# These keys can be added:
# corpus = \"smoke\"            each sample gets a home with histories of AI coding tools (HOME, and {corpus} in an argument)
# samples = 3                 of resident memory
# timeout = 600               seconds
# expect_exit = 0             128 + N for signal N: 143 for a service that SIGTERM ends
# instrument = [\"auto\"]       os, v8, quiet, tracemalloc, count: `highwater list instruments`
# phase_regex = 'phase=(\\w+)'   lines of its output that begin a phase
# stdin = \"input.json\"
";

const EMPTY: &str = "
# [[measure]]
# name = \"app/start:main\"
# command = [\"./app\", \"--once\"]
";

const BUDGETS: &str = "\
# The limits of this project's memory, with the reason for each. docs/budgets.md of highwater is the manual.
#
# These first limits are not measured. After a first `highwater exec`, `highwater budget init --force` replaces them by what was
# measured and 10 % of headroom.
";

/// The project's own file.
pub(super) fn project(found: &Found) -> String {
    let mut text = format!("#:schema {}\n{PROJECT}", scenarios::project::SCHEMA_ADDRESS);
    if let Some(build) = &found.build {
        text += &format!("\n# Run once, before anything is measured.\nbuild = {}\n", list(build));
    } else if found.entries.is_empty() {
        text += "\n# build = [\"make\"]          is run once, before anything is measured\n";
    }
    text += &format!("\nbudgets = {}\n", Value::from(super::BUDGETS));
    if found.entries.is_empty() {
        return text + EMPTY + MORE;
    }
    for (index, entry) in found.entries.iter().enumerate() {
        let (name, command) = (Value::from(entry.name.as_str()), list(&entry.command));
        text += &format!("\n[[measure]]\nname = {name}\ncommand = {command}\n");
        if index == 0 {
            text += MORE;
        }
    }
    text
}

/// First limits of everything that is measured.
pub(super) fn budgets(entries: &[Entry]) -> String {
    let mut text = format!("#:schema {}\n{BUDGETS}", reports::budget::SCHEMA_ADDRESS);
    for entry in entries {
        // The memory of a whole tree is read on Linux only.
        text += &limit(&entry.name, "tree.peak_high_bytes", "platform = \"*-linux\"\n");
        if entry.is_node() {
            text += &limit(&entry.name, "v8.heap_peak_bytes", "");
        }
    }
    text
}

fn limit(case: &str, metric: &str, place: &str) -> String {
    let reason = "a first limit, not measured: replace it with `highwater budget init --force`";
    format!(
        "\n[[budget]]\ncase = {}\nmetric = \"{metric}\"\nceiling = \"{FIRST_CEILING}\"\n{place}reason = \"{reason}\"\n",
        Value::from(case)
    )
}

/// The workflow for GitHub.
pub(super) fn github(found: &Found) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let steps: String = found.steps.iter().map(|step| format!("      {step}\n")).collect();
    format!(
        "\
# Measures memory at every push to the main branch and every pull request, and fails when a limit of budgets.toml is broken. The manual is docs/ci.md of
# highwater.
name: highwater

on:
  push:
    branches: [main, master]
  pull_request:

# Of two pushes in a row the latter counts.
concurrency:
  group: highwater-${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

permissions:
  contents: read
  # For the one comment on a pull request; without it there is the summary.
  pull-requests: write

jobs:
  memory:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
{steps}      # Everything that highwater.toml names.
      - uses: highwater-rs/highwater/ci/action@v{version}
        with:
          version: {version}
"
    )
}

/// The job for GitLab, to be included by the project's own file.
pub(super) fn gitlab() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "\
# Measures memory, and fails when a limit of budgets.toml is broken. .gitlab-ci.yml includes it:
#
#   include:
#     - local: {}
#
# The image must have what builds and runs the project. The manual is docs/ci.md of highwater.
include:
  - remote: https://raw.githubusercontent.com/highwater-rs/highwater/v{version}/ci/gitlab/highwater.yml

memory:
  extends: .highwater
  variables:
    # Without a HIGHWATER_COMMAND, everything that highwater.toml names.
    HIGHWATER_VERSION: {version}
    HIGHWATER_RELEASES: https://github.com/highwater-rs/highwater/releases/download
",
        super::GITLAB
    )
}

/// A list of texts, as TOML on one line.
fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}

/// A number of things, in words: `1 program`, `2 programs`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use reports::budget::Budgets;
    use scenarios::project::{FILE, Project};

    use super::*;

    fn found() -> Found {
        Found {
            build: Some(vec!["npm".to_owned(), "run".to_owned()]),
            entries: vec![
                Entry::new("app", "a", &["node", "it's \"a\".js"]),
                Entry::new("app", "b", &["./b"]),
            ],
            steps: vec!["- run: npm ci"],
            ..Found::default()
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let project = Project::parse(&project(&found()), Path::new(FILE)).unwrap();
        assert_eq!(project.measure[0].command, ["node", "it's \"a\".js"]);
        assert_eq!(project.build.unwrap(), ["npm", "run"]);
        let budgets = Budgets::parse(&budgets(&found().entries), Path::new("budgets.toml")).unwrap();
        let limits: Vec<&str> = budgets.budgets.iter().map(|budget| budget.metric.as_str()).collect();
        assert_eq!(limits, ["tree.peak_high_bytes", "v8.heap_peak_bytes", "tree.peak_high_bytes"]);
    }

    #[test]
    fn a_project_without_programs_is_told_what_is_missing() {
        let error = Project::parse(&project(&Found::default()), Path::new(FILE)).unwrap_err().to_string();
        assert!(error.contains("there is nothing to measure: add a [[measure]]"), "{error}");
        assert!(Budgets::parse(&budgets(&[]), Path::new("budgets.toml")).unwrap().budgets.is_empty());
    }

    #[test]
    fn the_keys_that_are_shown_are_those_that_there_are() {
        let shown = MORE.lines().filter(|line| line.contains(" = "));
        let shown = shown.filter_map(|line| line.strip_prefix("# ")?.split("   ").next()).collect::<Vec<_>>();
        assert_eq!(shown.len(), 7, "{shown:?}");
        let entry = "[[measure]]\nname = \"app/start:main\"\ncommand = [\"./app\"]\n";
        let text = format!("{entry}{}\n", shown.join("\n"));
        assert!(Project::parse(&text, Path::new(FILE)).is_ok(), "{text}");
    }

    #[test]
    fn the_workflow_takes_the_action_of_this_version() {
        let text = github(&found());
        assert!(text.contains(concat!("ci/action@v", env!("CARGO_PKG_VERSION"), "\n")), "{text}");
        assert!(text.contains("      - run: npm ci\n      # Everything"), "{text}");
        assert!(gitlab().contains("local: .gitlab/highwater.yml"));
    }
}
