//! The processes of a service, and how they are ended.

#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod process;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

#[cfg(unix)]
pub use unix::Tree;
#[cfg(windows)]
pub use windows::Tree;

/// What of a service is ended, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kill {
    /// The child, by force. What it has started goes on.
    Child,
    /// The child, by force, then its descendants: the fix that was proposed. By then they are somebody else's children, and none is
    /// found.
    ParentFirst,
    /// The child's process group: it is asked, gets its grace, and is forced: what upstream does. What has left the group goes on.
    Group,
    /// Everything that the service has started, whatever group or session it went to and whosever child it became: it is asked, gets
    /// its grace, and is forced until nothing is left. What this takes, and where it ends, [`limits`] says.
    Tree,
}

/// The environment variable by which a process knows, and shows, whose it is: tokens with colons between them, the innermost service's
/// last.
pub const MARKER: &str = "HIGHWATER_SERVICE";

/// How long processes have between being asked and being forced, where nothing else is said: upstream's, which has to be longer than the
/// 5 s that a command-line tool takes to end its own children.
pub const GRACE: Duration = Duration::from_secs(6);

/// How often an end that is under way is looked after.
pub const STEP: Duration = Duration::from_millis(10);

/// How long is waited for what was forced. Only processes inside a system call that cannot be interrupted outlive it.
const FORCE: Duration = Duration::from_secs(5);

/// What came of an end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Requests to end that were sent: one for each process, or one for a group.
    pub terminated: u32,
    /// The same of kills by force.
    pub killed: u32,
    /// Processes that were waited for, so that none of them is a zombie: the child, and orphans that came to this process.
    pub reaped: u32,
    /// Processes of the service that are still there, as far as can be seen: on Linux those that carry its [`MARKER`]; elsewhere the
    /// child at most.
    pub survivors: Vec<u32>,
    /// From the first signal to the last look, in milliseconds.
    pub took_ms: u64,
}

/// How a child went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Its exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that has ended it.
    pub signal: Option<i32>,
}

/// Where [`Kill::Tree`] ends on this operating system, in words for a report.
pub fn limits() -> &'static str {
    if cfg!(target_os = "linux") {
        "The supervisor's process adopts the orphans of all its children (child subreaper), also of those that no supervisor started. \
         A process escapes if it cleared its environment, left every known group and session, and lost its parent, all between two \
         looks. An orphan that led a session or group of its own and was gone between two looks stays a zombie of the supervisor's \
         process. Processes of another user cannot be signalled, and are reported as survivors. If the supervisor itself is killed by \
         force, the service goes on, unless it has asked to end with its parent."
    } else if cfg!(windows) {
        "A job object holds everything that the service starts, unless it was started to break away from it. There is no request to end: \
         the job is terminated at once, without grace. Written against the documentation, and not run on Windows yet."
    } else {
        "Descendants cannot be followed without /proc and a child subreaper: the process group is ended instead, and what has left it \
         goes on."
    }
}

/// Marks a command as the start of a service; gives the service's own token.
fn mark(command: &mut Command) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let token = format!("{}-{}-{count}", std::process::id(), since.as_nanos());
    let set = command.get_envs().find(|(name, _)| *name == OsStr::new(MARKER)).map(|(_, value)| value);
    let outer = set.map_or_else(|| std::env::var_os(MARKER), |value| value.map(OsString::from));
    let mut value = outer.unwrap_or_default();
    if !value.is_empty() {
        value.push(":");
    }
    value.push(&token);
    command.env(MARKER, value);
    token
}

#[cfg(test)]
mod tests {
    use super::{MARKER, mark};
    use std::process::Command;

    #[test]
    fn a_service_within_a_service_is_marked_for_both() {
        let mut command = Command::new("service");
        let outer = mark(&mut command);
        let inner = mark(&mut command);
        assert_ne!(outer, inner);
        let value = command.get_envs().find(|(name, _)| *name == MARKER).unwrap().1.unwrap();
        assert_eq!(value.to_str().unwrap(), format!("{outer}:{inner}"));
    }
}
