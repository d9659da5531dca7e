//! Runs a build command, with its output in a file, until it ends or the caller asks to stop.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Error, GIT_VARIABLES};

/// How often it is looked whether the build has ended.
const POLL: Duration = Duration::from_millis(20);

/// How many of the last lines of a failed build its error shows.
const LINES_SHOWN: usize = 8;

/// Where cargo would build for all checkouts alike, and so replace one side's program by the other's.
const SHARED_TARGETS: &[&str] = &["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// How an artifact is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipe {
    /// By cargo, with the versions of `Cargo.lock` where there is one.
    Cargo {
        /// Whether optimised.
        release: bool,
    },
    /// By these words: a program and its arguments. There is no shell.
    Words(Vec<String>),
}

/// Where a build runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'p> {
    pub(super) root: &'p Path,
    pub(super) below: &'p Path,
}

impl Recipe {
    /// The command as people read it; what depends on the checkout is left out.
    pub fn line(&self) -> String {
        match self {
            Recipe::Cargo { release } => cargo(*release).join(" "),
            Recipe::Words(words) => words.join(" "),
        }
    }

    /// What tells that an artifact was made by this recipe. Words are told apart, also where one holds a blank.
    pub(super) fn mark(&self, below: &Path) -> String {
        format!("{self:?} in {below:?}\n")
    }

    fn words(&self, site: Site<'_>) -> Result<Vec<String>, Error> {
        let release = match self {
            Recipe::Words(words) => return Ok(words.clone()),
            Recipe::Cargo { release } => *release,
        };
        let directory = site.root.join(site.below);
        let has = |name: &str| {
            let within = directory.ancestors().take_while(|above| above.starts_with(site.root));
            within.into_iter().any(|above| above.join(name).is_file())
        };
        // Cargo itself would look above the checkout, too, and build what it finds there.
        if !has("Cargo.toml") {
            return Err(Error::NoCargo { directory });
        }
        let mut words = cargo(release);
        if has("Cargo.lock") {
            words.push("--locked".to_owned());
        }
        Ok(words)
    }
}

fn cargo(release: bool) -> Vec<String> {
    let words = ["cargo", "build"].into_iter().chain(release.then_some("--release"));
    words.map(str::to_owned).collect()
}

/// Builds what is called so.
pub(super) fn run(
    what: &str,
    recipe: &Recipe,
    site: Site<'_>,
    log: &Path,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let words = recipe.words(site)?;
    let directory = site.root.join(site.below);
    let output = File::create(log).map_err(Error::file("make", log))?;
    let errors = output.try_clone().map_err(Error::file("write", log))?;
    let mut command = Command::new(program(&words, &directory));
    command.args(words.iter().skip(1)).current_dir(&directory);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    for name in SHARED_TARGETS.iter().chain(GIT_VARIABLES) {
        command.env_remove(name);
    }
    // A group of its own, so that all of it can be ended.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let line = words.join(" ");
    let mut child =
        command.spawn().map_err(|source| Error::NotStarted { line: line.clone(), directory, source })?;
    let status = loop {
        if stop.load(Ordering::Relaxed) {
            end(&mut child);
            return Err(Error::Stopped);
        }
        match child.try_wait().map_err(Error::file("wait for the build that writes", log))? {
            Some(status) => break status,
            None => std::thread::sleep(POLL),
        }
    };
    if status.success() {
        return Ok(());
    }
    let last = last_lines(&fs::read(log).unwrap_or_default());
    Err(Error::Build { what: what.to_owned(), line, end: status.to_string(), last, log: log.to_owned() })
}

/// The program of a command. One that is named by a relative path lies below the directory that it runs in.
fn program(words: &[String], directory: &Path) -> std::path::PathBuf {
    let program = Path::new(words.first().map_or("", String::as_str));
    if program.components().count() > 1 { directory.join(program) } else { program.to_owned() }
}

/// Ends a build with everything that it has started. What is gone already needs no end.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The last lines of an output that say anything, with nothing in them that moves a terminal's cursor.
fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let said: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let shown = said[said.len().saturating_sub(LINES_SHOWN)..].iter();
    let lines: Vec<String> =
        shown.map(|line| format!("  {}", line.chars().map(printable).collect::<String>())).collect();
    if lines.is_empty() { "  (it wrote nothing)".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_build_shows_its_last_lines_and_no_more() {
        let output: String = (1..=20).map(|number| format!("line {number}\n\n")).collect();
        let shown = last_lines(output.as_bytes());
        assert!(shown.starts_with("  line 13\n") && shown.ends_with("\n  line 20"), "{shown}");
        assert_eq!(last_lines(b"\x1b[31mred\n"), "   [31mred");
        assert_eq!(last_lines(b""), "  (it wrote nothing)");
    }

    #[test]
    fn cargo_keeps_to_the_lock_file_and_looks_for_nothing_above_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let (root, below) = (folder.path().join("repository"), Path::new("sub"));
        fs::create_dir_all(root.join(below)).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let words = || Recipe::Cargo { release: true }.words(Site { root: &root, below });
        assert!(matches!(words(), Err(Error::NoCargo { .. })));
        fs::write(root.join("Cargo.toml"), "").unwrap();
        assert_eq!(words().unwrap(), ["cargo", "build", "--release"]);
        fs::write(root.join("Cargo.lock"), "").unwrap();
        assert_eq!(words().unwrap().last().unwrap(), "--locked");
    }

    #[test]
    fn recipes_are_told_apart_by_their_words() {
        let words = |words: &[&str]| Recipe::Words(words.iter().map(|word| (*word).to_owned()).collect());
        let here = Path::new("");
        assert_ne!(words(&["a", "b c"]).mark(here), words(&["a b", "c"]).mark(here));
        assert_ne!(words(&["a"]).mark(here), words(&["a"]).mark(Path::new("sub")));
    }
}
