//! What is looked at.

use std::io::IsTerminal;
use std::path::Path;

use reports::budget::Budgets;
use reports::calibration::Calibration;
use reports::history::store::{Store, StoreError};
use scenarios::exec::Program;
use scenarios::project::{FILE, Measure, Project};

use crate::{gate, history, selftest};

/// One thing that was looked at.
pub(super) struct Check {
    /// Under which heading.
    pub(super) group: &'static str,
    /// What.
    pub(super) name: String,
    pub(super) state: State,
    /// What was found.
    pub(super) detail: String,
    /// What is lost without it.
    pub(super) loss: String,
    /// What to do.
    pub(super) remedy: String,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is there and can be used.
    Yes,
    /// It is not there, and the rest works without it.
    No,
    /// It is there and cannot be used.
    Broken,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Yes => "yes",
            State::No => "no",
            State::Broken => "broken",
        }
    }

    fn of(is: bool) -> State {
        if is { State::Yes } else { State::No }
    }
}

const SYSTEM: &str = "system";
const TOOLS: &str = "tools";
const PROJECT: &str = "project in this folder";
const OUTPUT: &str = "output";

/// Programs that some verbs start, with what is lost without them.
const PROGRAMS: &[(&str, &str)] = &[
    ("node", "Node programs cannot be measured, nor the subjects of `highwater selftest` that are Node"),
    ("python3", "Python programs cannot be measured by this name"),
    ("git", "`highwater compare --base-ref` cannot build the base, and commits are not named in a history"),
    ("cargo", "Rust projects cannot be built by `highwater exec` and `highwater compare --base-ref`"),
];

/// Looks at everything.
pub(super) fn all() -> Vec<Check> {
    let mut checks: Vec<Check> = harness::os::capabilities().into_iter().map(capability).collect();
    checks.push(calibration());
    checks.extend(PROGRAMS.iter().map(|(name, loss)| program(name, loss)));
    checks.extend(project());
    checks.push(kept());
    checks.push(colours());
    checks.push(terminal());
    checks
}

fn capability(found: harness::os::Capability) -> Check {
    Check {
        group: SYSTEM,
        name: found.name.to_owned(),
        state: State::of(found.available),
        detail: found.detail,
        loss: found.loss.to_owned(),
        remedy: found.remedy.to_owned(),
    }
}

fn check(group: &'static str, name: &str, state: State, detail: impl Into<String>) -> Check {
    let (loss, remedy) = (String::new(), String::new());
    Check { group, name: name.to_owned(), state, detail: detail.into(), loss, remedy }
}

impl Check {
    fn but(self, loss: &str, remedy: &str) -> Check {
        Check { loss: loss.to_owned(), remedy: remedy.to_owned(), ..self }
    }
}

/// What a self-test found on this machine.
fn calibration() -> Check {
    const NAME: &str = "calibration";
    let loss = "a budget that is tighter than what can be told apart here is judged all the same";
    let remedy = "`highwater selftest` takes some minutes";
    let path = match selftest::state_file() {
        Ok(path) => path,
        Err(error) => return check(SYSTEM, NAME, State::No, format!("{error:#}")).but(loss, remedy),
    };
    if !path.is_file() {
        return check(SYSTEM, NAME, State::No, "no self-test was made on this machine").but(loss, remedy);
    }
    match Calibration::read(&path) {
        Ok(_) => check(SYSTEM, NAME, State::Yes, path.display().to_string()),
        Err(error) => check(SYSTEM, NAME, State::Broken, error.to_string()).but(loss, remedy),
    }
}

fn program(name: &str, loss: &str) -> Check {
    match which::which(name) {
        Ok(path) => check(TOOLS, name, State::Yes, path.display().to_string()),
        Err(_) => check(TOOLS, name, State::No, "not found in PATH")
            .but(loss, &format!("install {name}, or add its folder to PATH")),
    }
}

/// The project's file, its budgets, and its programs.
fn project() -> Vec<Check> {
    if !Path::new(FILE).exists() {
        let loss = "`highwater exec` needs a command";
        return vec![check(PROJECT, FILE, State::No, "not there").but(loss, "`highwater init` writes one")];
    }
    let project = match Project::read(Path::new(FILE)) {
        Ok(project) => project,
        Err(error) => return vec![check(PROJECT, FILE, State::Broken, error.to_string())],
    };
    let names: Vec<String> = project.measure.iter().flat_map(Measure::cases).collect();
    let measured = format!("measures {}", names.iter().step_by(2).cloned().collect::<Vec<_>>().join(", "));
    let mut checks = vec![check(PROJECT, FILE, State::Yes, measured), budgets(&project, &names)];
    checks.extend(project.measure.iter().map(|measure| command(measure, project.build.is_some())));
    checks
}

fn budgets(project: &Project, names: &[String]) -> Check {
    let Some(path) = &project.budgets else {
        let remedy =
            "name a file in highwater.toml: budgets = \"budgets.toml\"; `highwater budget init` writes one";
        return check(PROJECT, "budgets", State::No, "none are named").but("nothing is judged", remedy);
    };
    let read = Budgets::read(path).map_err(|error| format!("{error:#}"));
    let checked = read.and_then(|budgets| {
        gate::check_all_cases(&budgets, names).map_err(|error| format!("{error:#}")).map(|()| budgets)
    });
    match checked {
        Ok(budgets) => {
            let limits = budgets.budgets.len();
            let detail = format!("{}: {limits} limit{}", path.display(), if limits == 1 { "" } else { "s" });
            check(PROJECT, "budgets", State::Yes, detail)
        }
        Err(error) => check(PROJECT, "budgets", State::Broken, error),
    }
}

/// Whether the program of an entry is there; what a build makes need not be.
fn command(measure: &Measure, is_built: bool) -> Check {
    let name = measure.name.get_ref();
    match Program::find(measure.command.iter().map(Into::into).collect()) {
        Ok(program) => check(PROJECT, name, State::Yes, program.path().display().to_string()),
        Err(error) if is_built => check(PROJECT, name, State::No, format!("{error}"))
            .but("", "`highwater exec` runs the build first"),
        Err(error) => check(PROJECT, name, State::Broken, error.to_string()),
    }
}

/// The history of runs.
fn kept() -> Check {
    const NAME: &str = "history";
    let target = match history::target(None) {
        Ok(target) => target,
        Err(error) => return check(PROJECT, NAME, State::Broken, format!("{error:#}")),
    };
    match Store::count(&target) {
        Ok(runs) => check(PROJECT, NAME, State::Yes, format!("{target}: {runs} runs")),
        Err(StoreError::Missing { path }) => {
            check(PROJECT, NAME, State::No, format!("{} is not there", path.display())).but(
                "there are no trends, no drift and no reports of releases",
                "`highwater history add` keeps a run",
            )
        }
        Err(error) => check(PROJECT, NAME, State::Broken, error.to_string()),
    }
}

fn colours() -> Check {
    let is_set = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let detail = if is_set { "NO_COLOR is set" } else { "NO_COLOR is not set" };
    check(OUTPUT, "colours on a terminal", State::of(!is_set), detail)
}

fn terminal() -> Check {
    let is_terminal = std::io::stderr().is_terminal();
    let detail = if is_terminal { "bars on standard error" } else { "standard error is no terminal" };
    check(OUTPUT, "progress as bars", State::of(is_terminal), detail)
        .but("", "--progress json is for machines, --progress none for silence")
}
