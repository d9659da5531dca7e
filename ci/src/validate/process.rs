//! Other people's programs: with an environment of their own, never longer than their time, what they say kept in files.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a running program is looked after.
const POLL: Duration = Duration::from_millis(20);

/// What a program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A copy of a corpus's home for one tool, and what the tool says there. It is removed when all is well.
#[derive(Debug)]
pub(crate) struct Home {
    /// What the tool takes for the home directory.
    pub(crate) path: PathBuf,
    /// Beside it, for what the tool says and makes.
    pub(crate) scratch: PathBuf,
}

impl Home {
    /// Copies the home of a corpus to below `folder`, under the tool's name.
    pub(crate) fn copy(corpus: &Path, folder: &Path, tool: &str) -> Result<Self, String> {
        let scratch = folder.join(tool);
        let failed = |error: std::io::Error| {
            format!("failed to copy the corpus to {}: {error}; make room there", scratch.display())
        };
        if scratch.exists() {
            fs::remove_dir_all(&scratch).map_err(failed)?;
        }
        let path = scratch.join("home");
        copy(&corpus.join("home"), &path).map_err(failed)?;
        Ok(Home { path, scratch })
    }

    /// Removes the copy.
    pub(crate) fn remove(self) {
        // What cannot be removed is written over by the next copy.
        let _ = fs::remove_dir_all(&self.scratch);
    }

    /// A command that sees nothing of the person's own home, settings and sessions.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = command_at(program, &self.path);
        command
            .env("CODEX_HOME", self.path.join(".codex"))
            .env("CLAUDE_CONFIG_DIR", self.path.join(".claude"));
        command
    }

    /// Runs a command for at most `limit`.
    pub(crate) fn run(&self, command: &mut Command, limit: Duration) -> Result<Said, String> {
        run(command, &self.scratch, limit)
    }
}

/// A command with nothing of the person's environment but where programs are, and with this directory as its home.
pub(crate) fn command_at(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(home);
    for kept in ["PATH", "SystemRoot"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    for (name, below) in [
        ("HOME", ""),
        ("USERPROFILE", ""),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ] {
        command.env(name, home.join(below));
    }
    command.envs([("TZ", "UTC"), ("LANG", "C.UTF-8"), ("NO_COLOR", "1"), ("DO_NOT_TRACK", "1")]);
    command
}

/// Runs a command to its end, or to the end of its time. It reads nothing, and what it says goes through files in `scratch`.
pub(crate) fn run(command: &mut Command, scratch: &Path, limit: Duration) -> Result<Said, String> {
    let name =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
    let file = |path: &Path| {
        File::create(path).map_err(|error| format!("failed to create {}: {error}", path.display()))
    };
    command.stdin(Stdio::null()).stdout(file(&out)?).stderr(file(&err)?);
    let mut child = command.spawn().map_err(|error| format!("failed to start {name}: {error}"))?;
    let status = wait(&mut child, limit).map_err(|why| format!("{name} {why}"))?;
    let read = |path: &Path| fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned());
    let failed = |error| format!("failed to read what {name} said: {error}");
    Ok(Said { status, out: read(&out).map_err(failed)?, err: read(&err).map_err(failed)? })
}

/// Waits for a program; one that takes longer is ended.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if began.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => {
                // One that has just ended by itself cannot be killed, and need not be.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("took longer than {} s and was ended", limit.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

impl Said {
    /// What was said on standard output, if the program was content.
    pub(crate) fn checked(self, name: &str) -> Result<String, String> {
        if self.status.success() {
            return Ok(self.out);
        }
        Err(format!("{name} failed ({}): {}", self.status, self.tail()))
    }

    /// The last lines of its complaints.
    pub(crate) fn tail(&self) -> String {
        let lines: Vec<&str> = self.err.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("highwater-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let scratch = scratch("long");
        let said = run(Command::new("sleep").arg("60"), &scratch, Duration::from_millis(50));
        fs::remove_dir_all(&scratch).unwrap();
        assert_eq!(said.unwrap_err(), "sleep took longer than 0 s and was ended");
    }

    #[test]
    fn a_tool_sees_a_copy_of_the_home_and_nothing_of_the_persons_own() {
        let folder = scratch("home");
        fs::create_dir_all(folder.join("corpus/home/.claude")).unwrap();
        fs::write(folder.join("corpus/home/.claude/a"), "kept").unwrap();
        let home = Home::copy(&folder.join("corpus"), &folder, "tool").unwrap();
        let said = home
            .run(home.command("sh").args(["-c", "cat .claude/a; env; exit 3"]), Duration::from_secs(20))
            .unwrap();
        let expected = format!("HOME={}", home.path.display());
        assert!(said.out.starts_with("kept") && said.out.contains(&expected), "{}", said.out);
        assert!(!said.out.contains("CARGO"), "{}", said.out);
        assert!(said.checked("sh").unwrap_err().starts_with("sh failed (exit status: 3)"));
        home.remove();
        assert!(!folder.join("tool").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
