//! Linux: one loop that waits for output, for the end, and for the next look at the tree.
#![expect(unsafe_code, reason = "what runs between fork and exec is marked unsafe by std")]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::super::capture::Capture;
use super::super::tree::Watch;
use super::{End, Subject, Watched, command, failed};
use crate::instrument::Instrument;
use crate::{Error, os};

/// Between two looks at a young tree, and at one that has run for a second.
const DENSE: Duration = Duration::from_millis(1);
const SPARSE: Duration = Duration::from_millis(4);
/// How long descendants may outlive the first process before they are killed.
const LINGER: Duration = Duration::from_secs(2);
/// How often to look again for processes that were made while others were killed.
const KILL_ROUNDS: u32 = 1000;

pub(in crate::subject) fn run(subject: &Subject, stop: &AtomicBool) -> Result<Watched, Error> {
    os::become_subreaper().map_err(|source| Error::System { action: "adopt orphaned processes", source })?;
    let began = Instant::now();
    let mut child = spawn(subject)?;
    let guard = os::guard(child.id());
    let mut running = Running::new(subject, &mut child, began);
    if let Err(source) = guard {
        running.kill();
        return Err(Error::System { action: "guard a subject's processes", source });
    }
    let status = running.follow(subject.timeout, stop);
    Ok(running.finish(status))
}

fn spawn(subject: &Subject) -> Result<Child, Error> {
    let mut command = command(subject)?;
    let parent = std::process::id();
    // SAFETY: both calls are async-signal-safe and allocate nothing, as a child of a threaded process must not.
    unsafe {
        command.pre_exec(move || {
            os::begin_session()?;
            os::die_with_parent(parent)
        });
    }
    command.spawn().map_err(failed(subject))
}

/// A tree that is being watched.
struct Running {
    pid: u32,
    began: Instant,
    watch: Watch,
    exit: Option<OwnedFd>,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    root_status: Option<i32>,
    adopted: BTreeSet<u32>,
    cpu: Duration,
    stragglers: Vec<String>,
}

impl Running {
    fn new(subject: &Subject, child: &mut Child, began: Instant) -> Running {
        let pid = child.id();
        Running {
            pid,
            began,
            watch: Watch::new(pid, subject.record_dir.as_os_str(), subject.instrument == Instrument::Os),
            // Without it the end is noticed at the next look.
            exit: os::pidfd(pid).ok(),
            stdout: Stream::new(child.stdout.take()),
            stderr: Stream::new(child.stderr.take()),
            root_status: None,
            adopted: BTreeSet::new(),
            cpu: Duration::ZERO,
            stragglers: Vec::new(),
        }
    }

    /// Watches until the tree is gone, or has to be killed.
    fn follow(&mut self, timeout: Duration, stop: &AtomicBool) -> End {
        let mut ended_at = None;
        loop {
            let alive = self.look();
            if let Some(status) = self.root_status {
                let ended_at = *ended_at.get_or_insert_with(|| self.began.elapsed());
                if alive == 0 {
                    return end(status);
                }
                if self.began.elapsed() - ended_at > LINGER {
                    self.stragglers = self.watch.living();
                    self.kill();
                    return end(status);
                }
            }
            if stop.load(Relaxed) {
                self.kill();
                return End::Stopped;
            }
            if self.began.elapsed() > timeout {
                self.kill();
                return End::TimedOut;
            }
            self.wait();
        }
    }

    /// Looks at the tree once, and collects those that ended; returns how many live.
    fn look(&mut self) -> u32 {
        let alive = self.watch.poll(self.began.elapsed());
        self.adopted.extend(alive.iter().copied().filter(|&pid| pid != self.pid));
        self.reap();
        self.stdout.drain();
        self.stderr.drain();
        let root = u32::from(self.root_status.is_none());
        let others = alive.iter().filter(|&&pid| pid != self.pid && os::resident(pid).is_some()).count();
        root + others as u32
    }

    /// Collects the root and the orphans that ended. Those with a living parent are that parent's to collect.
    fn reap(&mut self) {
        if self.root_status.is_none()
            && let Some(ended) = os::reap(self.pid)
        {
            self.root_status = Some(ended.status);
            self.cpu += ended.cpu;
            self.exit = None;
        }
        let mut cpu = Duration::ZERO;
        self.adopted.retain(|&pid| match os::reap(pid) {
            Some(ended) => {
                cpu += ended.cpu;
                false
            }
            None => true,
        });
        self.cpu += cpu;
    }

    /// Waits for output, for the end of the root, or for the time of the next look.
    fn wait(&self) {
        let pause = if self.began.elapsed() < Duration::from_secs(1) { DENSE } else { SPARSE };
        let exit = self.exit.as_ref().map(AsRawFd::as_raw_fd);
        os::wait_readable([exit, self.stdout.descriptor(), self.stderr.descriptor()], pause);
    }

    /// Kills the whole tree and waits until it is gone.
    fn kill(&mut self) {
        for _ in 0..KILL_ROUNDS {
            let alive = self.watch.poll(self.began.elapsed());
            // The number of the group stays taken while it has members.
            if !alive.is_empty() {
                os::kill(-(self.pid as i32));
            }
            for &pid in &alive {
                os::kill(pid as i32);
            }
            if self.look() == 0 {
                return;
            }
            os::wait_readable([self.exit.as_ref().map(AsRawFd::as_raw_fd)], DENSE);
        }
    }

    fn finish(mut self, status: End) -> Watched {
        self.stdout.drain();
        self.stderr.drain();
        Watched {
            pid: self.pid,
            status,
            wall: self.began.elapsed(),
            tree: self.watch.finish(),
            cpu: self.cpu,
            stdout: self.stdout.capture.finish(),
            stderr: self.stderr.capture.finish(),
            stragglers: self.stragglers,
            doubts: Vec::new(),
        }
    }
}

fn end(status: i32) -> End {
    let status = ExitStatus::from_raw(status);
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Exit(-1),
    }
}

/// One output of the tree: a pipe that is read without waiting.
struct Stream<R> {
    pipe: Option<R>,
    capture: Capture,
}

impl<R: Read + AsRawFd> Stream<R> {
    fn new(pipe: Option<R>) -> Stream<R> {
        // A pipe that cannot be read without waiting is not read at all.
        let pipe = pipe.filter(|pipe| os::set_nonblocking(pipe.as_raw_fd()).is_ok());
        Stream { pipe, capture: Capture::default() }
    }

    fn descriptor(&self) -> Option<i32> {
        self.pipe.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Takes what is there; lets go of the pipe when nobody can write to it any more.
    fn drain(&mut self) {
        let mut buffer = [0_u8; 16 * 1024];
        while let Some(pipe) = self.pipe.as_mut() {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.capture.push(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}
