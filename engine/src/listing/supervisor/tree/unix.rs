//! Processes of a service on Unix.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};

#[cfg(target_os = "linux")]
use super::ledger::{Ledger, kill_descendants, reap_group};
use super::{Ended, FORCE, Kill, Left, STEP, mark};

/// A child and what it has started. Dropping it ends nothing.
#[derive(Debug)]
pub struct Tree {
    /// It is waited for at the very end: until then its number, and the number of its group, can be nobody else's.
    child: Child,
    pid: Pid,
    kill: Kill,
    #[cfg(target_os = "linux")]
    ledger: Ledger,
    phase: Phase,
    begun: Option<Instant>,
    ended: Ended,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Running,
    /// All were asked, and are forced at this time.
    Asked(Instant),
    /// All were forced, and are given up at this time.
    Forced(Instant),
}

impl Tree {
    /// Starts the child, in a process group of its own and marked as a service's. For [`Kill::Tree`] this process adopts the orphans of
    /// its children from now on.
    ///
    /// # Errors
    /// When it cannot be started, or orphans cannot be adopted.
    pub fn start(mut command: Command, kill: Kill) -> io::Result<Tree> {
        let kill = if kill == Kill::Tree && !cfg!(target_os = "linux") { Kill::Group } else { kill };
        #[cfg(target_os = "linux")]
        if kill == Kill::Tree {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        }
        let token = mark(&mut command);
        let child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        #[cfg(target_os = "linux")]
        let ledger = Ledger::new(pid.as_raw_nonzero().get(), token);
        #[cfg(not(target_os = "linux"))]
        drop(token);
        Ok(Tree {
            child,
            pid,
            kill,
            #[cfg(target_os = "linux")]
            ledger,
            phase: Phase::Running,
            begun: None,
            ended: Ended::default(),
        })
    }

    /// The child's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the child prints, if it is piped and was not taken yet.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How the child went, if it did. It stays to be waited for.
    pub fn left(&self) -> Option<Left> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => {
                status.map(|status| Left { code: status.exit_status(), signal: status.terminating_signal() })
            }
            Err(Errno::INTR) => None,
            // Somebody has waited for it in our place: it is gone, and nobody knows how.
            Err(_) => Some(Left { code: None, signal: None }),
        }
    }

    /// Takes note of what the child has started, so that it is still known when its parent is gone. To be called now and then.
    pub fn look(&mut self) {
        #[cfg(target_os = "linux")]
        if self.kill == Kill::Tree {
            self.ledger.walk();
            self.ended.reaped += self.ledger.reap();
        }
    }

    /// Begins to end it, or goes on with that, without waiting; to be called every [`STEP`] until it gives what came of it.
    pub fn end(&mut self, grace: Duration) -> Option<Ended> {
        let now = Instant::now();
        self.begun.get_or_insert(now);
        let is_over = match self.kill {
            Kill::Child | Kill::ParentFirst => self.end_child(now),
            Kill::Group => self.end_group(now, grace),
            Kill::Tree => self.end_tree(now, grace),
        };
        is_over.then(|| self.result())
    }

    /// Ends it, and waits until that is done.
    pub fn end_now(&mut self, grace: Duration) -> Ended {
        loop {
            if let Some(ended) = self.end(grace) {
                return ended;
            }
            std::thread::sleep(STEP);
        }
    }

    fn end_child(&mut self, now: Instant) -> bool {
        let until = match self.phase {
            Phase::Forced(until) => until,
            Phase::Running | Phase::Asked(_) => {
                self.ended.killed += u32::from(self.left().is_none() && self.child.kill().is_ok());
                self.phase = Phase::Forced(now + FORCE);
                now + FORCE
            }
        };
        if !self.reap_child() {
            return now >= until;
        }
        #[cfg(target_os = "linux")]
        if self.kill == Kill::ParentFirst {
            self.ended.killed += kill_descendants(self.pid.as_raw_nonzero().get());
        }
        true
    }

    fn end_group(&mut self, now: Instant, grace: Duration) -> bool {
        match self.phase {
            Phase::Running => {
                self.ended.terminated += self.signal_group(Signal::TERM);
                self.phase = Phase::Asked(now + grace);
            }
            Phase::Asked(until) if now >= until => {
                self.ended.killed += self.signal_group(Signal::KILL);
                self.phase = Phase::Forced(now + FORCE);
            }
            Phase::Forced(until) if now >= until => return true,
            Phase::Asked(_) | Phase::Forced(_) => {}
        }
        // Until the child is waited for, the group is there; and once it is, the group's number is safe only while somebody is in it.
        self.left().is_some() && self.reap_child() && self.group_is_gone()
    }

    fn group_is_gone(&mut self) -> bool {
        // Of a process that adopts orphans, zombies of the group are its own, and hold the group until they are waited for.
        #[cfg(target_os = "linux")]
        {
            self.ended.reaped += reap_group(self.pid.as_raw_nonzero().get());
        }
        test_kill_process_group(self.pid) == Err(Errno::SRCH)
    }

    fn signal_group(&self, signal: Signal) -> u32 {
        u32::from(kill_process_group(self.pid, signal).is_ok())
    }

    #[cfg(target_os = "linux")]
    fn end_tree(&mut self, now: Instant, grace: Duration) -> bool {
        match self.phase {
            Phase::Running => {
                self.ledger.walk();
                self.ended.terminated += self.ledger.ask();
                self.phase = Phase::Asked(now + grace);
            }
            Phase::Asked(until) if now >= until => {
                self.ledger.walk();
                self.ended.killed += self.ledger.force();
                self.phase = Phase::Forced(now + FORCE);
            }
            // A walk through all processes is dear: it comes once those that are known are gone.
            Phase::Asked(_) if !self.ledger.living().is_empty() => return false,
            Phase::Asked(_) => {
                self.ledger.walk();
                self.ended.terminated += self.ledger.ask();
            }
            Phase::Forced(until) => {
                self.ledger.walk();
                self.ended.killed += self.ledger.force();
                if now >= until {
                    return true;
                }
            }
        }
        self.ended.reaped += self.ledger.reap();
        self.ledger.is_empty() && self.ledger.living().is_empty() && self.reap_child()
    }

    #[cfg(not(target_os = "linux"))]
    fn end_tree(&mut self, now: Instant, grace: Duration) -> bool {
        self.end_group(now, grace)
    }

    /// Waits for the child if it is dead; tells whether it is gone.
    fn reap_child(&mut self) -> bool {
        match self.child.try_wait() {
            Ok(None) => false,
            Ok(Some(_)) | Err(_) => true,
        }
    }

    fn result(&mut self) -> Ended {
        let mut ended = std::mem::take(&mut self.ended);
        let is_gone = self.reap_child();
        ended.reaped += u32::from(is_gone);
        #[cfg(target_os = "linux")]
        {
            ended.survivors = self.ledger.anywhere();
        }
        #[cfg(not(target_os = "linux"))]
        if !is_gone {
            ended.survivors.push(self.id());
        }
        let took = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        ended.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        ended
    }
}
