//! `highwater doctor`: what can be measured here, and whether the project in this folder is ready.

use anyhow::Result;
use harness::record::{Environment, Verdict};
use serde_json::json;

use crate::{args, show};

mod checks;

use checks::{Check, State};

/// Prints every check, and what to do about what is missing. Only files that cannot be used are a failure.
pub(crate) fn doctor(args: &args::doctor::Doctor) -> Result<i32> {
    let environment = harness::environment::collect(crate::build::build());
    let checks = checks::all();
    show::result(&if args.json { machine(&environment, &checks)? } else { person(&environment, &checks) });
    let is_broken = checks.iter().any(|check| check.state == State::Broken);
    Ok(reports::exit::code(if is_broken { Verdict::Error } else { Verdict::Pass }))
}

fn person(environment: &Environment, checks: &[Check]) -> String {
    let mut text = format!(
        "{}, kernel {}, {} cores, {} of memory, {}\n",
        environment.platform,
        environment.kernel,
        environment.cores,
        reports::bytes::format_bytes(environment.memory_bytes),
        environment.toolchain
    );
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = check.group;
            text += &format!("\n{group}\n");
        }
        // Names and paths come from the project, which may be anybody's.
        let [name, detail] = [&check.name, &check.detail].map(|text| reports::plain_line(text));
        text += &format!("{:<6} {name:<30} {detail}\n", check.state.word());
        for (label, said) in [("without it", &check.loss), ("remedy", &check.remedy)] {
            if check.state != State::Yes && !said.is_empty() {
                text += &format!("       {label}: {}\n", reports::plain_line(said));
            }
        }
    }
    text
}

fn machine(environment: &Environment, checks: &[Check]) -> Result<String> {
    let check = |check: &Check| {
        json!({
            "group": check.group, "name": check.name, "state": check.state.word(), "detail": check.detail,
            "loss": check.loss, "remedy": check.remedy,
        })
    };
    let checks: Vec<serde_json::Value> = checks.iter().map(check).collect();
    Ok(serde_json::to_string_pretty(&json!({ "environment": environment, "checks": checks }))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_what_is_lost_and_what_to_do() {
        let check = |name: &str, state| Check {
            group: "tools",
            name: name.to_owned(),
            state,
            detail: "looked for\u{1b}[2J in PATH".to_owned(),
            loss: "no Node".to_owned(),
            remedy: "install it".to_owned(),
        };
        let text = person(&Environment::default(), &[check("node", State::No), check("git", State::Yes)]);
        let (first, second) = text.split_once("yes    git").unwrap();
        assert!(first.contains("no     node") && first.contains("without it: no Node\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(first.contains("remedy: install it\n") && !second.contains("remedy"), "{text}");
    }
}
