//! Reports in a real browser: `cargo xtask browser`. Headless Chromium opens the reports of a failing, a passing and an empty run, and those
//! of a history, and is asked what no parser can tell: whether anything is loaded or complained about, whether every chart is drawn and its
//! labels can be read, and what axe-core finds.

mod runs;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::validate::install::{self, Source};
use crate::validate::process;

/// How the command is called, for the help.
pub(crate) const USAGE: &str = "usage: cargo xtask browser [--highwater PATH]

Opens reports of runs that it takes, and of a history, in headless Chromium and checks them, with screenshots in target/browser. It is skipped where Chromium
(HIGHWATER_CHROMIUM names one) or npm is missing, unless HIGHWATER_REQUIRE_BROWSER=1 is set.
";

/// Drives Chromium; it brings none of its own.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";
/// Finds what people with disabilities would stumble over.
const AXE: &str = "axe-core@4.14.1";

/// The script that looks at pages, for Node.
const CHECK: &str = include_str!("browser/check.mjs");

/// How long the browser may take for all pages.
const LIMIT: Duration = Duration::from_secs(600);

/// Names of Chromium on the path.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Runs the command; the error is an exit code and what to say.
pub(crate) fn run(arguments: &[String], root: &Path) -> Result<(), (u8, String)> {
    let highwater = options(arguments).map_err(|wrong| (2, format!("{wrong}\n\n{USAGE}")))?;
    let folder = root.join("target/browser");
    std::fs::create_dir_all(&folder)
        .map_err(|error| (2, format!("failed to make {}: {error}", folder.display())))?;
    let is_required = std::env::var_os("HIGHWATER_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    let (chromium, programs) = match tools(&folder) {
        Ok(tools) => tools,
        Err(why) if is_required => return Err((2, format!("HIGHWATER_REQUIRE_BROWSER=1 is set, but {why}"))),
        Err(why) => {
            println!("browser: skipped: {why}");
            return Ok(());
        }
    };
    let pages = runs::pages(highwater.as_deref(), root, &folder).map_err(|why| (2, why))?;
    check(&chromium, &programs, &pages, &folder)
}

fn options(arguments: &[String]) -> Result<Option<PathBuf>, String> {
    match arguments {
        [] => Ok(None),
        [name, path] if name == "--highwater" => Ok(Some(PathBuf::from(path))),
        [name] if name == "--highwater" => Err("--highwater needs a value".to_owned()),
        [other, ..] => Err(format!("browser knows no {other:?}")),
    }
}

/// Chromium, and the folder of the packages that drive it; the error is why one is missing.
fn tools(folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let chromium = chromium(folder)?;
    let programs = install::install("tools", Source::Npm(&[PLAYWRIGHT, AXE]), folder)?;
    Ok((chromium, programs.with_file_name("")))
}

fn chromium(folder: &Path) -> Result<PathBuf, String> {
    let named = std::env::var_os("HIGHWATER_CHROMIUM").map(PathBuf::from);
    let answers = |program: &PathBuf| {
        process::run(Command::new(program).arg("--version"), folder, Duration::from_secs(60))
            .is_ok_and(|said| said.status.success())
    };
    // Another one than was asked for would say nothing of it.
    let found = match named {
        Some(named) => Some(named).filter(answers),
        None => CHROMIUM.iter().map(PathBuf::from).find(answers),
    };
    found.ok_or_else(|| {
        "it needs Chromium: install it (Debian: apt-get install chromium) or name one by HIGHWATER_CHROMIUM=/path".to_owned()
    })
}

fn check(chromium: &Path, programs: &Path, pages: &[runs::Page], folder: &Path) -> Result<(), (u8, String)> {
    let script = folder.join("check.mjs");
    std::fs::write(&script, CHECK)
        .map_err(|error| (2, format!("failed to write {}: {error}", script.display())))?;
    let mut command = Command::new("node");
    command.arg(&script).arg(programs).arg(chromium).arg(folder.join("screenshots"));
    for page in pages {
        command.arg(page.charts.to_string()).arg(&page.path);
    }
    let said = process::run(&mut command, folder, LIMIT).map_err(|why| (2, why))?;
    print!("{}", said.out);
    match said.status.code() {
        Some(0) => Ok(()),
        // As the script says.
        Some(4) => {
            Err((1, format!("a report is not as it should be; screenshots are in {}", folder.display())))
        }
        _ => Err((2, format!("the browser could not be asked ({}): {}", said.status, said.tail()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_refused_before_anything_is_installed() {
        let parsed = |arguments: &[&str]| {
            options(&arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(parsed(&["--highwater", "/h"]), Ok(Some(PathBuf::from("/h"))));
        assert_eq!(parsed(&["--highwater"]), Err("--highwater needs a value".to_owned()));
        assert_eq!(parsed(&["--offline"]), Err("browser knows no \"--offline\"".to_owned()));
    }
}
