//! Independent readers of the formats read a generated corpus, and what they say is compared with its manifest: `docs/validation.md`.

mod agentsview;
mod ccusage;
mod code_log;
mod codex;
mod compare;
mod deviation;
pub(crate) mod install;
mod manifest;
mod opencode;
pub(crate) mod process;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use compare::{Comparison, table};
use install::Source;
use manifest::Manifest;
use process::Home;

/// How the command is called, for the help.
pub(crate) const USAGE: &str = "usage: cargo xtask validate [--all] [--tool NAME]... [--profile NAME] [--scale X] [--seed N] \
[--highwater PATH]

Lets programs of other people read a generated corpus and compares what they say with its manifest (docs/validation.md). They are
installed into target/validators once; one that cannot be installed is skipped. Ends with 1 when one says something else.
";

/// A program that reads what highwater generates.
struct Tool {
    name: &'static str,
    source: Source,
    /// Whether it is small enough to be run by every `cargo xtask ci`.
    is_small: bool,
    check: fn(&Bench<'_>) -> Result<Vec<Comparison>, String>,
}

/// What a check works with.
pub(crate) struct Bench<'a> {
    /// The folder of the tool's programs.
    programs: &'a Path,
    /// The tool's own copy of the corpus.
    home: Home,
    manifest: &'a Manifest,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "ccusage",
        source: Source::Npm(&["ccusage@20.0.24", "@ccusage/ccusage-{platform}@20.0.24"]),
        is_small: true,
        check: ccusage::check,
    },
    Tool {
        name: "claude-code-log",
        source: Source::PyPi("claude-code-log==1.7.0", 10),
        is_small: true,
        check: code_log::check,
    },
    Tool {
        name: "agentsview",
        source: Source::PyPi("agentsview==0.46.1", 12),
        is_small: false,
        check: agentsview::check,
    },
    Tool {
        name: "codex",
        source: Source::Npm(&["@openai/codex@0.171.0"]),
        is_small: false,
        check: codex::check,
    },
    Tool {
        name: "opencode",
        source: Source::Npm(&["opencode-ai@1.18.33"]),
        is_small: false,
        check: opencode::check,
    },
];

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Options {
    tools: Vec<&'static str>,
    /// Passed on to `highwater corpus generate`.
    corpus: Vec<String>,
    highwater: Option<PathBuf>,
}

/// Runs the command; the error is an exit code and what to say.
pub(crate) fn run(arguments: &[String], root: &Path) -> Result<(), (u8, String)> {
    let options = options(arguments).map_err(|wrong| (2, format!("{wrong}\n\n{USAGE}")))?;
    let corpus = generate(&options, root).map_err(|why| (2, why))?;
    let manifest = Manifest::read(&corpus).map_err(|why| (2, why))?;
    println!("validate: corpus {} of scale {} and seed {}", manifest.profile, manifest.scale, manifest.seed);
    let folder = root.join("target/validators");
    let mut wrong = Vec::new();
    let (mut ran, mut compared) = (0, 0);
    for tool in TOOLS.iter().filter(|tool| options.tools.contains(&tool.name)) {
        let programs = match install::install(tool.name, tool.source, &folder) {
            Ok(programs) => programs,
            Err(why) => {
                println!("validate: {:<16}skipped: {why}", tool.name);
                continue;
            }
        };
        let home = Home::copy(&corpus, &folder.join("homes"), tool.name).map_err(|why| (2, why))?;
        let bench = Bench { programs: &programs, home, manifest: &manifest };
        ran += 1;
        match (tool.check)(&bench) {
            Ok(comparisons) => {
                compared += comparisons.iter().map(Comparison::compared).sum::<usize>();
                let is_equal = report(tool, &comparisons);
                if is_equal && !is_void(&comparisons) { bench.home.remove() } else { wrong.push(tool.name) }
            }
            Err(why) => {
                println!("validate: {:<16}failed: {why}", tool.name);
                wrong.push(tool.name);
            }
        }
    }
    if wrong.is_empty() {
        return measured(ran, compared);
    }
    let homes = folder.join("homes");
    Err((
        1,
        format!(
            "{} did not say what the manifest says; what they read is in {}",
            wrong.join(", "),
            homes.display()
        ),
    ))
}

/// Refuses to call it agreement when programs ran and nothing was compared. Where none could be installed, that was said of each.
fn measured(ran: usize, compared: usize) -> Result<(), (u8, String)> {
    if ran > 0 && compared == 0 {
        return Err((1, "nothing was compared: the corpus has nothing that these programs read".to_owned()));
    }
    if ran == 0 {
        println!("validate: NOTHING COMPARED: none of the programs could be installed");
    }
    Ok(())
}

/// Whether a program had something to read, and not one thing of it was compared: then it cannot have disagreed.
fn is_void(comparisons: &[Comparison]) -> bool {
    !comparisons.is_empty() && comparisons.iter().all(|comparison| comparison.compared() == 0)
}

/// Prints what was compared, and says whether all of it was equal.
fn report(tool: &Tool, comparisons: &[Comparison]) -> bool {
    let version = tool.source.version();
    if comparisons.is_empty() {
        println!("validate: {:<16}{version:<10}has nothing to read in this corpus", tool.name);
    }
    let mut all_equal = true;
    for comparison in comparisons {
        let differences = comparison.differences();
        let verdict = match (differences.is_empty(), comparison.compared()) {
            (true, 0) => "NOTHING COMPARED",
            (true, _) => "equal",
            (false, _) => "DIFFERENT",
        };
        println!(
            "validate: {:<16}{version:<10}{:<12}{:>6} {:<9}{verdict}: {}{}",
            tool.name,
            comparison.format,
            comparison.compared(),
            comparison.of,
            sums(comparison),
            left_out(comparison),
        );
        if !differences.is_empty() {
            print!("{}", table(&differences));
            all_equal = false;
        }
    }
    all_equal
}

fn sums(comparison: &Comparison) -> String {
    let totals = comparison.totals();
    totals.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

fn left_out(comparison: &Comparison) -> String {
    let deviations = comparison.deviations();
    if deviations.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = deviations.iter().map(|(quirk, count)| format!("{count} {quirk}")).collect();
    format!("; left out: {}", parts.join(", "))
}

/// Lets highwater make the corpus, unless it is there, and says where it is.
fn generate(options: &Options, root: &Path) -> Result<PathBuf, String> {
    let mut command = match &options.highwater {
        Some(program) => Command::new(program),
        None => {
            let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            command.args(["run", "--quiet", "--package", "highwater", "--"]);
            command
        }
    };
    command.current_dir(root).args(["corpus", "generate"]).args(&options.corpus);
    command.arg("--corpora").arg(root.join("target/highwater/corpora"));
    let said = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("failed to start highwater to make the corpus: {error}"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    let path = text.lines().last().and_then(|line| line.rsplit_once(": ")).map(|split| split.0);
    match path {
        Some(path) if said.status.success() => Ok(PathBuf::from(path)),
        _ => Err(format!("highwater made no corpus ({}): {text}", said.status)),
    }
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let small = || TOOLS.iter().filter(|tool| tool.is_small).map(|tool| tool.name).collect();
    let mut options = Options { tools: Vec::new(), corpus: Vec::new(), highwater: None };
    let (mut rest, mut has_profile) = (arguments.iter(), false);
    while let Some(name) = rest.next() {
        if name == "--all" {
            options.tools = TOOLS.iter().map(|tool| tool.name).collect();
            continue;
        }
        if !["--tool", "--profile", "--scale", "--seed", "--highwater"].contains(&name.as_str()) {
            return Err(format!("validate knows no {name:?}"));
        }
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--tool" => options.tools.push(known(value)?),
            "--highwater" => options.highwater = Some(PathBuf::from(value)),
            _ => {
                has_profile |= name == "--profile";
                options.corpus.extend([name.clone(), value.clone()]);
            }
        }
    }
    if options.tools.is_empty() {
        options.tools = small();
    }
    if !has_profile {
        options.corpus.extend(["--profile".to_owned(), "smoke".to_owned()]);
    }
    Ok(options)
}

fn known(name: &str) -> Result<&'static str, String> {
    TOOLS.iter().find(|tool| tool.name == name).map(|tool| tool.name).ok_or_else(|| {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        format!("no tool is named {name:?}; known: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Options, String> {
        options(&arguments.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn agreement_without_a_comparison_is_none() {
        assert_eq!((measured(0, 0), measured(2, 1)), (Ok(()), Ok(())));
        assert!(matches!(measured(2, 0), Err((1, _))));
    }

    #[test]
    fn a_program_of_which_nothing_is_compared_does_not_agree() {
        let mut comparison = Comparison::new("claude", "sessions");
        let why = deviation::DEVIATIONS.first().expect("some are known");
        comparison.tell("a", &[("sessions", 1)]);
        comparison.leave_out("a", why);
        assert!(is_void(&[comparison]) && is_void(&[Comparison::new("codex", "threads")]));
        let mut comparison = Comparison::new("claude", "sessions");
        comparison.tell("a", &[("sessions", 1)]);
        assert!(!is_void(&[comparison, Comparison::new("codex", "threads")]) && !is_void(&[]));
    }

    #[test]
    fn the_small_tools_read_the_smoke_corpus_when_nothing_is_said() {
        let options = parsed("").unwrap();
        assert_eq!(options.tools, ["ccusage", "claude-code-log"]);
        assert_eq!(options.corpus, ["--profile", "smoke"]);
    }

    #[test]
    fn what_a_corpus_is_of_is_passed_on() {
        let options = parsed("--tool codex --scale 0.1 --profile laptop --highwater /h").unwrap();
        assert_eq!(options.tools, ["codex"]);
        assert_eq!(options.corpus, ["--scale", "0.1", "--profile", "laptop"]);
        assert_eq!(options.highwater, Some(PathBuf::from("/h")));
    }

    #[test]
    fn what_is_unknown_is_refused_before_anything_is_installed() {
        assert_eq!(parsed("--offline").unwrap_err(), "validate knows no \"--offline\"");
        assert_eq!(parsed("--seed").unwrap_err(), "--seed needs a value");
        assert!(
            parsed("--tool ccuse").unwrap_err().starts_with("no tool is named \"ccuse\"; known: ccusage,")
        );
    }

    #[test]
    fn the_page_names_every_tool_with_the_version_that_is_installed() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/validation.md");
        let page = std::fs::read_to_string(page).expect("docs/validation.md is there");
        for tool in TOOLS {
            let row = format!("| {} | {} |", tool.name, tool.source.version());
            assert!(page.contains(&row), "docs/validation.md has no row that begins {row}");
        }
    }

    #[test]
    fn where_a_record_was_checked_is_told_with_the_version_that_is_installed() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md");
        let page = std::fs::read_to_string(page).expect("docs/formats.md is there");
        for (name, tool) in [("Codex CLI", "codex"), ("ccusage", "ccusage")] {
            let tool = TOOLS.iter().find(|known| known.name == tool).expect("it is known");
            let now = format!("{name} {}", tool.source.version());
            let rows = page.lines().filter(|line| line.starts_with('|'));
            assert!(rows.clone().any(|row| row.contains(&now)), "docs/formats.md has no row with {now}");
            // A row may also name the version whose own file the record was taken from.
            let own = "written by Codex CLI 0.114";
            let bare = |row: &&str| row.replace(&now, "").replace(own, "").contains(name);
            assert_eq!(rows.clone().find(bare), None, "it names another version than {now}");
        }
    }
}
