//! A supervisor under test, and a look at the processes around it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use highwater_engine::listing::supervisor::probe::Health;
use highwater_engine::listing::supervisor::tree::{Ended, Kill};
use highwater_engine::listing::supervisor::watch::Policy;
use highwater_engine::listing::supervisor::{Address, Happened, Options, Supervisor};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Says what this very program shall be, when it is started as a service.
pub(super) const ROLE: &str = "HIGHWATER_TEST_ROLE";
/// Says which shell script a service starts.
pub(super) const SCRIPT: &str = "HIGHWATER_TEST_SCRIPT";
/// Says which process runs the test.
const OWNER: &str = "HIGHWATER_TEST_OWNER";
const GENEROUS: Duration = Duration::from_secs(30);

/// Lets one test go at a time, since adoption of orphans is the whole process's, and kills what a failed one has left.
pub(super) struct Alone(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

pub(super) fn alone() -> Alone {
    static ALONE: Mutex<()> = Mutex::new(());
    Alone(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mark = format!("{OWNER}={}", own());
        let is_left = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let is_marked = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
            is_marked || state(*pid).is_some_and(|(_, parent)| parent == own())
        };
        for _ in 0..1_000 {
            let left: Vec<Pid> = pids().filter(is_left).filter_map(Pid::from_raw).collect();
            if left.is_empty() {
                break;
            }
            for pid in left {
                let _ = kill_process(pid, Signal::KILL);
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A supervisor, and the time that it is told: a probe is due with each step.
pub(super) struct Run {
    pub(super) supervisor: Supervisor,
    pub(super) now_ms: u64,
    pub(super) seen: Vec<Happened>,
}

impl Run {
    pub(super) fn new(role: &'static str, script: Option<String>, health: Health, kill: Kill) -> Run {
        let make = move || {
            let mut command = Command::new(env::current_exe().unwrap());
            command
                .args(["--exact", "child_entry", "--nocapture"])
                .env(ROLE, role)
                .env(OWNER, own().to_string());
            if let Some(script) = &script {
                command.env(SCRIPT, script);
            }
            command
        };
        Run::of(Box::new(make), health, kill)
    }

    pub(super) fn of(make: Box<dyn FnMut() -> Command + Send>, health: Health, kill: Kill) -> Run {
        let policy = Policy { probe_every_ms: 50, probe_ms: 300, ..Policy::default() };
        let (address, grace) = (Address::Announced, Duration::from_millis(500));
        let options = Options { make, address, health, kill, policy, grace };
        Run { supervisor: Supervisor::new(options), now_ms: 0, seen: Vec::new() }
    }

    /// Lets time pass, of which a little is real.
    pub(super) fn step(&mut self, ms: u64) {
        self.now_ms += ms;
        self.seen.extend(self.supervisor.tick(self.now_ms));
        thread::sleep(Duration::from_millis(5));
    }

    pub(super) fn steps(&mut self, count: u32) {
        for _ in 0..count {
            self.step(50);
        }
    }

    /// Steps until so many things of a kind were seen.
    pub(super) fn until(&mut self, count: usize, is: impl Fn(&Happened) -> bool) {
        let begun = Instant::now();
        while self.count(&is) < count {
            assert!(begun.elapsed() < GENEROUS, "{:?}", self.seen);
            self.step(50);
        }
    }

    pub(super) fn count(&self, is: impl Fn(&Happened) -> bool) -> usize {
        self.seen.iter().filter(|happened| is(happened)).count()
    }

    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.supervisor.pid().unwrap()).unwrap()
    }

    pub(super) fn stop(&mut self) -> Ended {
        self.supervisor.stop().unwrap()
    }
}

pub(super) fn started(happened: &Happened) -> bool {
    matches!(happened, Happened::Started { .. })
}

pub(super) fn listening(happened: &Happened) -> bool {
    matches!(happened, Happened::Listening { .. })
}

pub(super) fn unhealthy(happened: &Happened) -> bool {
    matches!(happened, Happened::Unhealthy { .. })
}

pub(super) fn restarting(happened: &Happened) -> bool {
    matches!(happened, Happened::Restarting { .. })
}

pub(super) fn opened(happened: &Happened) -> bool {
    matches!(happened, Happened::CircuitOpen { .. })
}

/// State and parent of a process.
pub(super) fn state(pid: i32) -> Option<(char, i32)> {
    let line = String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?).into_owned();
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub(super) fn is_alive(pid: i32) -> bool {
    state(pid).is_some_and(|(state, _)| state != 'Z')
}

pub(super) fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

pub(super) fn zombies() -> Vec<i32> {
    pids().filter(|pid| state(*pid).is_some_and(|(state, parent)| state == 'Z' && parent == own())).collect()
}

pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < GENEROUS, "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn read_pid(path: &Path) -> i32 {
    wait_for("pid", || fs::read_to_string(path).ok()?.strip_suffix('\n')?.parse().ok())
}

pub(super) fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// A script that starts a process in a session of its own, writes its number to `file`, and leaves it an orphan.
pub(super) fn detached(file: &Path, program: &str) -> String {
    let write = format!("echo $$ > {0}.new; mv {0}.new {0}", file.display());
    format!("setsid sh -c '(sh -c \"{}; {program}\" &)' &", write.replace("$$", "\\$\\$"))
}

/// Living and dead children of a process.
pub(super) fn children(of: i32) -> Vec<i32> {
    pids().filter(|pid| state(*pid).is_some_and(|(_, parent)| parent == of)).collect()
}
