//! What became of a worker that did not deliver, in one sentence that says what to do.

use std::fmt;
use std::path::Path;
use std::process::ExitStatus;

use super::discover::ROOTS;
use super::frame::FrameError;

/// The exit code with which Electron's allocator gives up on Windows (0xE0000008), as the seed's log shows it.
const ELECTRON_OUT_OF_MEMORY: u32 = 3_758_096_392;

/// What a shell adds to the number of the signal that ended a process.
const SHELL_SIGNAL: i32 = 128;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// What the worker's heap limit wrote before it ended the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapDeath {
    /// The limit.
    pub limit_bytes: u64,
    /// Bytes in use when it was reached.
    pub live_bytes: u64,
}

/// Why a worker did not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Its heap reached the limit.
    HeapLimit(HeapDeath),
    /// It ended with the code for a failed allocation.
    OutOfMemory,
    /// It aborted, as runtimes do when an allocation fails.
    Aborted,
    /// It was killed from outside, as the kernel does when memory runs out.
    Killed,
    /// It took too long.
    TimedOut,
    /// What it sent was torn, damaged, or out of order.
    Torn(String),
    /// It said itself that it could not go on.
    Reported(String),
    /// It could not be started.
    NotStarted(String),
    /// It ended with another code.
    Exited(i32),
    /// It was ended by another signal.
    Signalled(i32),
    /// It ended well without having delivered.
    Silent,
}

/// What is known of the end of a worker.
#[derive(Debug, Default)]
pub struct Evidence<'a> {
    /// What its heap limit wrote.
    pub heap: Option<HeapDeath>,
    /// Whether the time was up.
    pub timed_out: bool,
    /// What was wrong with what it sent.
    pub frame: Option<&'a FrameError>,
    /// Exit code.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
}

/// Code and signal of an exit status.
pub fn code_and_signal(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    (status.code(), signal)
}

/// Why a worker did not deliver: the strongest evidence first.
pub fn classify(evidence: &Evidence<'_>) -> Cause {
    if let Some(death) = evidence.heap {
        return Cause::HeapLimit(death);
    }
    if evidence.timed_out {
        return Cause::TimedOut;
    }
    match (evidence.code, evidence.signal) {
        (_, Some(SIGABRT)) => return Cause::Aborted,
        (_, Some(SIGKILL)) => return Cause::Killed,
        (_, Some(signal)) => return Cause::Signalled(signal),
        (Some(code), _) if code.cast_unsigned() == ELECTRON_OUT_OF_MEMORY => {
            return Cause::OutOfMemory;
        }
        (Some(code), _) if code == SHELL_SIGNAL + SIGABRT => return Cause::Aborted,
        (Some(code), _) if code == SHELL_SIGNAL + SIGKILL => return Cause::Killed,
        (Some(code), _) if code != 0 => return Cause::Exited(code),
        _ => {}
    }
    match evidence.frame {
        Some(error) => Cause::Torn(error.to_string()),
        None => Cause::Silent,
    }
}

impl Cause {
    /// Whether another attempt may end otherwise.
    pub fn is_worth_a_retry(&self) -> bool {
        !matches!(self, Cause::TimedOut | Cause::NotStarted(_) | Cause::Reported(_))
    }

    /// Whether there may be more to read than memory for it.
    pub fn is_about_memory(&self) -> bool {
        matches!(
            self,
            Cause::HeapLimit(_) | Cause::OutOfMemory | Cause::Aborted | Cause::Killed | Cause::TimedOut
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::HeapLimit(death) => write!(
                formatter,
                "ran out of memory: its heap reached the limit of {}",
                mebibytes(death.limit_bytes)
            ),
            Cause::OutOfMemory => formatter.write_str("ran out of memory (exit code 0xE0000008)"),
            Cause::Aborted => formatter.write_str("aborted, most likely because it ran out of memory"),
            Cause::Killed => {
                formatter.write_str("was killed, most likely by the system because memory ran out")
            }
            Cause::TimedOut => formatter.write_str("took too long and was stopped"),
            Cause::Torn(error) => write!(formatter, "sent something that cannot be used ({error})"),
            Cause::Reported(error) => write!(formatter, "could not go on ({error})"),
            Cause::NotStarted(error) => write!(formatter, "could not be started ({error})"),
            Cause::Exited(code) => write!(formatter, "ended with exit code {code}"),
            Cause::Signalled(signal) => write!(formatter, "was ended by signal {signal}"),
            Cause::Silent => formatter.write_str("ended without a result"),
        }
    }
}

/// A failure, with how far the worker got and what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// Workspaces that were finished.
    pub done: u64,
    /// Workspaces in all, when the worker got as far as counting them.
    pub total: u64,
    /// The file that was being read: its path below home.
    pub file: Option<Box<str>>,
    /// Sessions that arrived before, and are kept.
    pub kept: u64,
    /// The largest log directory, and its bytes.
    pub largest: Option<(&'static str, u64)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the parse worker {}", self.cause)?;
        if self.total > 0 {
            write!(formatter, " after {} of {} workspaces", self.done, self.total)?;
        }
        if let Some(file) = &self.file {
            write!(formatter, ", while reading {file}")?;
        }
        match self.kept {
            0 => formatter.write_str("; no session had arrived")?,
            1 => formatter.write_str("; the 1 session that had arrived is kept")?,
            kept => write!(formatter, "; the {kept} sessions that had arrived are kept")?,
        }
        if let Some((root, bytes)) = self.largest {
            write!(
                formatter,
                "; clear or exclude old sessions, the largest log directory is {root} ({})",
                mebibytes(bytes)
            )?;
        }
        Ok(())
    }
}

/// The root whose files are largest in sum.
pub fn largest_root(home: &Path) -> Option<(&'static str, u64)> {
    let sizes = ROOTS.iter().map(|root| (root.path, tree_bytes(&home.join(root.path), 8)));
    sizes.filter(|(_, bytes)| *bytes > 0).max_by_key(|(_, bytes)| *bytes)
}

fn tree_bytes(path: &Path, depth: usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() && depth > 0 => tree_bytes(&entry.path(), depth - 1),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_death_is_told_apart() {
        let heap = HeapDeath { limit_bytes: 1 << 20, live_bytes: 1 << 20 };
        let torn = FrameError::Torn(3);
        let none = Evidence::default;
        let table = [
            (Evidence { heap: Some(heap), signal: Some(6), ..none() }, Cause::HeapLimit(heap)),
            (Evidence { code: Some(3_758_096_392_u32.cast_signed()), ..none() }, Cause::OutOfMemory),
            (Evidence { signal: Some(6), ..none() }, Cause::Aborted),
            (Evidence { code: Some(134), ..none() }, Cause::Aborted),
            (Evidence { signal: Some(9), ..none() }, Cause::Killed),
            (Evidence { code: Some(137), ..none() }, Cause::Killed),
            (Evidence { timed_out: true, signal: Some(9), ..none() }, Cause::TimedOut),
            (Evidence { frame: Some(&torn), code: Some(0), ..none() }, Cause::Torn(torn.to_string())),
            (Evidence { frame: Some(&torn), signal: Some(9), ..none() }, Cause::Killed),
            (Evidence { code: Some(3), ..none() }, Cause::Exited(3)),
            (Evidence { signal: Some(15), ..none() }, Cause::Signalled(15)),
            (Evidence { code: Some(0), ..none() }, Cause::Silent),
        ];
        for (evidence, cause) in table {
            assert_eq!(classify(&evidence), cause, "{evidence:?}");
        }
    }

    #[test]
    fn the_sentence_says_what_happened_how_far_it_got_and_what_to_do() {
        let failure = Failure {
            cause: Cause::HeapLimit(HeapDeath { limit_bytes: 64 << 20, live_bytes: 64 << 20 }),
            done: 31,
            total: 280,
            file: Some(".config/Code/User/workspaceStorage/0a/chatSessions/x.jsonl".into()),
            kept: 402,
            largest: Some((".claude/projects", 210 << 20)),
        };
        assert_eq!(
            failure.to_string(),
            "the parse worker ran out of memory: its heap reached the limit of 64.0 MiB after 31 of 280 workspaces, \
             while reading .config/Code/User/workspaceStorage/0a/chatSessions/x.jsonl; the 402 sessions that had arrived are \
             kept; clear or exclude old sessions, the largest log directory is .claude/projects (210.0 MiB)"
        );
    }
}
