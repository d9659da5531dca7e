//! The steps of ci/action/action.yml, run as the runner does: inputs and outputs reach the scripts by the environment that is written there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Said, call};

/// The file, as far as it is needed here.
pub(crate) struct Action {
    folder: PathBuf,
    defaults: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Debug, Default)]
struct Step {
    id: String,
    condition: String,
    script: String,
    env: BTreeMap<String, String>,
}

/// What a job came to.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) code: i32,
    /// Standard output and error of every step, in their order.
    pub(crate) log: String,
    outputs: BTreeMap<String, String>,
}

impl Job {
    /// An output of a step, as `measure.verdict`.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

impl Action {
    pub(crate) fn read() -> Action {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/action").canonicalize().unwrap();
        let text = std::fs::read_to_string(folder.join("action.yml")).unwrap();
        let (head, steps) = text.split_once("\n  steps:\n").unwrap();
        let inputs = head.split_once("\ninputs:\n").unwrap().1.split_once("\noutputs:\n").unwrap().0;
        let mut defaults = BTreeMap::new();
        let mut name = "";
        for line in inputs.lines() {
            match (line.strip_prefix("    default: "), line.strip_suffix(':')) {
                (Some(value), _) => drop(defaults.insert(name.to_owned(), unquoted(value))),
                (None, Some(input)) => name = input.trim(),
                _ => {}
            }
        }
        let action = Action { folder, defaults, steps: steps.split("\n    - ").map(Step::read).collect() };
        assert!(action.steps.iter().filter(|step| !step.script.is_empty()).count() >= 7, "steps were read");
        action
    }

    /// Runs the steps that have a script until one fails, in a repository, with the environment of a runner.
    pub(crate) fn run(&self, repository: &Path, inputs: &[(&str, &str)], runner: &[(&str, &str)]) -> Job {
        let mut known: BTreeMap<String, String> =
            self.defaults.iter().map(|(name, value)| (format!("inputs.{name}"), value.clone())).collect();
        for (name, value) in inputs {
            assert!(self.defaults.contains_key(*name), "the action has no input {name}");
            known.insert(format!("inputs.{name}"), (*value).to_owned());
        }
        known.insert("github.action_path".to_owned(), self.folder.display().to_string());
        known.insert("github.token".to_owned(), "secret-token".to_owned());
        let mut job = Job { code: 0, log: String::new(), outputs: BTreeMap::new() };
        for step in self.steps.iter().filter(|step| !step.script.is_empty()) {
            if !step.is_wanted(&known) {
                continue;
            }
            let said = step.run(repository, &known, runner);
            job.log += &said.out;
            job.log += &said.err;
            for line in std::fs::read_to_string(repository.join("../output")).unwrap_or_default().lines() {
                let (name, value) = line.split_once('=').unwrap();
                known.insert(format!("steps.{}.outputs.{name}", step.id), value.to_owned());
                job.outputs.insert(format!("{}.{name}", step.id), value.to_owned());
            }
            job.code = said.code.unwrap();
            if job.code != 0 {
                break;
            }
        }
        job
    }
}

impl Step {
    fn read(text: &str) -> Step {
        let mut step = Step::default();
        for line in text.lines() {
            let line = line.trim().trim_start_matches("- ");
            match line.split_once(": ") {
                Some(("id", value)) => step.id = value.to_owned(),
                Some(("if", value)) => step.condition = value.to_owned(),
                Some(("run", value)) => step.script = unquoted(value),
                Some((name, value)) if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
                    step.env.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        step
    }

    /// Whether the step's condition holds: terms of the kind `NAME == 'VALUE'`, with `&&` between them.
    fn is_wanted(&self, known: &BTreeMap<String, String>) -> bool {
        let value = |name: &str| known.get(name).cloned().unwrap_or_default();
        let holds = |term: &str| match (term.split_once(" == "), term.split_once(" != ")) {
            (Some((name, wanted)), _) => value(name) == unquoted(wanted),
            (_, Some((name, unwanted))) => value(name) != unquoted(unwanted),
            _ => panic!("a condition of another kind: {term}"),
        };
        self.condition.is_empty() || self.condition.split(" && ").all(holds)
    }

    fn run(&self, repository: &Path, known: &BTreeMap<String, String>, runner: &[(&str, &str)]) -> Said {
        let output = repository.join("../output");
        std::fs::write(&output, "").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &self.script]);
        command.current_dir(repository).env_clear().envs(runner.iter().copied());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("GITHUB_OUTPUT", output);
        command.envs(self.env.iter().map(|(name, value)| (name, filled(value, known))));
        call(command)
    }
}

/// A value with its expressions replaced.
fn filled(value: &str, known: &BTreeMap<String, String>) -> String {
    match value.strip_prefix("${{ ").and_then(|value| value.strip_suffix(" }}")) {
        // A default may itself be an expression.
        Some(name) => known.get(name).map_or_else(String::new, |value| filled(value, known)),
        None => value.to_owned(),
    }
}

fn unquoted(text: &str) -> String {
    let inner = |sign| text.strip_prefix(sign)?.strip_suffix(sign);
    inner('\'').or_else(|| inner('"')).unwrap_or(text).to_owned()
}
