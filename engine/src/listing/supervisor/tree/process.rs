//! Processes as `/proc` shows them, told apart by when they started.

use std::collections::BTreeMap;
use std::fs;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal, waitpid,
};

use super::MARKER;

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Whether it is gone and only waits to be waited for.
    pub dead: bool,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// When it started, in ticks since the machine did. With the number it names a process for good.
    pub start: u64,
}

/// What there is of a process, if there is one of this number.
pub(super) fn stat(pid: i32) -> Option<Stat> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in parentheses, which may hold any byte, spaces and parentheses included.
fn parse(line: &[u8]) -> Option<Stat> {
    let end = line.iter().rposition(|byte| *byte == b')')?;
    let fields: Vec<&str> =
        std::str::from_utf8(line.get(end + 1..)?).ok()?.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse().ok();
    let threads: u32 = fields.get(17)?.parse().ok()?;
    Some(Stat {
        // A process whose first thread has ended looks like a zombie while its other threads go on.
        dead: matches!(*fields.first()?, "Z" | "X" | "x") && threads <= 1,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        start: fields.get(19)?.parse().ok()?,
    })
}

/// All processes that there are, by their numbers.
pub(super) fn all() -> BTreeMap<i32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// Whether a process was started for the service of this token. Of zombies and of other users' processes that cannot be seen.
pub(super) fn carries(pid: i32, token: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| holds(&environment, token))
}

fn holds(environment: &[u8], token: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.strip_prefix(MARKER.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| value.split(|byte| *byte == b':').any(|item| item == token.as_bytes()))
    })
}

/// Sends a signal to the process of this number that started then, and to no other; tells whether it was sent. The handle is taken first,
/// so that the number cannot go to another process between the look and the signal. Kernels without such handles leave that moment.
pub(super) fn send(pid: i32, start: u64, signal: Signal) -> bool {
    let Some(number) = Pid::from_raw(pid) else { return false };
    let handle = pidfd_open(number, PidfdFlags::empty());
    if stat(pid).is_none_or(|stat| stat.start != start) {
        return false;
    }
    match handle {
        Ok(handle) => pidfd_send_signal(handle, signal).is_ok(),
        Err(Errno::SRCH) => false,
        Err(_) => kill_process(number, signal).is_ok(),
    }
}

/// Waits for one child that is dead; tells whether it was there.
pub(super) fn reap(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::{Stat, holds, parse, send, stat};
    use rustix::process::Signal;
    use std::process::{Command, Stdio};

    #[test]
    fn a_name_may_look_like_the_fields_behind_it() {
        let line = b"42 (a) Z 1 (\xff b) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 123456 0 0";
        let expected = Stat { dead: false, parent: 7, group: 8, session: 9, start: 123_456 };
        assert_eq!(parse(line), Some(expected));
    }

    #[test]
    fn a_zombie_with_threads_is_alive() {
        let line = |threads| format!("42 (x) Z 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 {threads} 0 5 0");
        assert!(parse(line(1).as_bytes()).unwrap().dead);
        assert!(!parse(line(2).as_bytes()).unwrap().dead);
    }

    #[test]
    fn a_marker_is_a_whole_item() {
        let environment = b"A=1\0HIGHWATER_SERVICE=12-3-0:45-6-1\0B=12-3\0";
        assert!(holds(environment, "12-3-0") && holds(environment, "45-6-1"));
        assert!(!holds(environment, "12-3"));
        assert!(!holds(b"NOT_HIGHWATER_SERVICE=12-3-0\0", "12-3-0"));
    }

    #[test]
    fn a_number_that_went_to_another_process_gets_no_signal() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let start = stat(pid).unwrap().start;
        assert!(!send(pid, start - 1, Signal::KILL));
        assert!(child.try_wait().unwrap().is_none());
        assert!(send(pid, start, Signal::KILL));
        child.wait().unwrap();
        assert!(!send(pid, start, Signal::KILL));
    }
}
