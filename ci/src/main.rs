//! What continuous integration runs, and what to run before a commit: `cargo xtask ci`. What others say of our corpora: `cargo xtask
//! validate`. What a browser says of our reports: `cargo xtask browser`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal and for logs"
)]

mod browser;
mod steps;
mod validate;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use steps::{STEPS, Step};

const USAGE: &str = "usage: cargo xtask ci [STEP]...

Runs the steps in this order, or those that are named, and stops at the first that fails:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((verb, names)) if verb == "ci" => steps::chosen(names)
            .map_err(|wrong| (2, format!("{wrong}\n\n{}", usage())))
            .and_then(|steps| run(&steps)),
        Some((verb, rest)) if verb == "validate" && !rest.iter().any(|argument| is_help(argument)) => {
            validate::run(rest, &root())
        }
        Some((verb, rest)) if verb == "browser" && !rest.iter().any(|argument| is_help(argument)) => {
            browser::run(rest, &root())
        }
        Some((verb, _)) if ["validate", "browser"].contains(&verb.as_str()) || is_help(verb) => {
            print!("{}", usage());
            return ExitCode::SUCCESS;
        }
        _ => Err((2, format!("the things to do here are ci, validate and browser\n\n{}", usage()))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, said)) => {
            eprintln!("xtask: {said}");
            ExitCode::from(code)
        }
    }
}

fn is_help(argument: &str) -> bool {
    ["help", "--help", "-h"].contains(&argument)
}

fn usage() -> String {
    let lines = STEPS.iter().map(|step| format!("  {:<10}{}\n", step.name, step.line()));
    USAGE.to_owned() + &lines.collect::<String>() + "\n" + validate::USAGE + "\n" + browser::USAGE
}

/// Runs the steps; the error is an exit code and what to say.
fn run(steps: &[&Step]) -> Result<(), (u8, String)> {
    let began = Instant::now();
    for step in steps {
        println!("ci: {:<10}{}", step.name, step.line());
        let step_began = Instant::now();
        let status = command(step)
            .status()
            .map_err(|error| (2, format!("failed to start {}: {error}", step.line())))?;
        if !status.success() {
            let again = format!("repeat it with `cargo xtask ci {}`", step.name);
            return Err((1, format!("{} failed ({status}): {}; {again}", step.name, step.line())));
        }
        println!("ci: {:<10}passed in {:.1} s", step.name, step_began.elapsed().as_secs_f64());
    }
    println!("ci: passed in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn command(step: &Step) -> Command {
    // The cargo that runs this program, so that a chosen toolchain (`cargo +1.89 xtask ci`) stays chosen.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(step.arguments).envs(step.environment.iter().copied()).current_dir(root());
    command
}

/// The workspace's folder, from wherever cargo was called.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).parent().map(Path::to_owned).unwrap_or_default()
}
