//! The steps of continuous integration, in order.

/// One cargo command.
pub(crate) struct Step {
    /// How it is chosen on the command line.
    pub(crate) name: &'static str,
    /// What follows `cargo`.
    pub(crate) arguments: &'static [&'static str],
    /// Set for this command only.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

/// The cheapest first, so that a slip is told soon. The tests are those that README.md tells everyone to run.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", arguments: &["fmt", "--all", "--check"], environment: &[] },
    Step {
        name: "clippy",
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        environment: &[],
    },
    Step { name: "test", arguments: &["test", "--workspace"], environment: &[] },
    Step {
        name: "doc",
        arguments: &["doc", "--workspace", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    // Skips what cannot be installed, and says so: it needs the network once.
    Step { name: "validate", arguments: &["xtask", "validate"], environment: &[] },
    Step { name: "browser", arguments: &["xtask", "browser"], environment: &[] },
];

impl Step {
    /// The command as one would type it.
    pub(crate) fn line(&self) -> String {
        let mut line = String::new();
        for (name, value) in self.environment {
            line.push_str(&format!("{name}='{value}' "));
        }
        line + "cargo " + &self.arguments.join(" ")
    }
}

/// The named steps, in the order of [`STEPS`]; all of them when none is named.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Step>, String> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step is named {unknown:?}; known: {}", known.join(", ")));
    }
    let is_chosen = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(is_chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Result<Vec<&'static str>, String> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        Ok(chosen(&wanted)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn all_steps_are_run_when_none_is_named() {
        assert_eq!(names(&[]), Ok(vec!["fmt", "clippy", "test", "doc", "validate", "browser"]));
    }

    #[test]
    fn named_steps_keep_their_order() {
        assert_eq!(names(&["doc", "fmt"]), Ok(vec!["fmt", "doc"]));
    }

    #[test]
    fn an_unknown_step_is_refused_before_any_is_run() {
        assert_eq!(
            names(&["fmt", "lint"]),
            Err("no step is named \"lint\"; known: fmt, clippy, test, doc, validate, browser".to_owned())
        );
    }

    #[test]
    fn a_step_is_shown_as_one_would_type_it() {
        assert_eq!(STEPS[3].line(), "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps");
    }

    /// The commands of a page: lines that begin with `cargo`, as they stand in a block of code.
    fn commands(page: &str) -> Vec<&str> {
        let lines = page.lines().map(|line| line.trim().trim_start_matches("$ "));
        lines.filter(|line| line.starts_with("cargo ")).collect()
    }

    #[test]
    fn the_readme_begins_with_the_commands_that_are_run_here() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let page = std::fs::read_to_string(readme).expect("README.md stands at the root");
        let test = STEPS.iter().find(|step| step.name == "test").unwrap().line();
        assert_eq!(
            commands(&page)[..2],
            ["cargo run --release -- run", &test],
            "the first two commands of README.md"
        );
    }
}
