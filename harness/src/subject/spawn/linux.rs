//! Linux: one thread that waits for output, for the end, and for the next look at the tree; and where tracing is possible, one
//! that hears of every process.
#![expect(unsafe_code, reason = "what runs between fork and exec is marked unsafe by std")]

use std::collections::BTreeSet;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::super::ledger::Image;
use super::super::marks::Rule;
use super::super::{Channel, Cost, How};
use super::{End, Subject, Watched, command, failed};
use crate::instrument::Instrument;
use crate::meter::PHASE_DESCRIPTOR;
use crate::{Error, os};

mod finder;
mod group;
mod shared;
mod stream;
mod tracer;

use finder::Finder;
use group::Group;
use shared::Shared;
use stream::Stream;
use tracer::Tracer;

/// A look at a tree costs at most one part in so many of the time until the next; more where nothing else tells of its peaks.
const LOOK_SHARE: u32 = 200;
const LOOK_SHARE_UNTRACED: u32 = 20;
const DENSE: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(100);
/// Proportional memory is read at most one part in so many of the time.
const PROPORTIONAL_SHARE: u32 = 400;
/// What reading proportional memory costs for each MiB: 8.6 to 9.2 ms were measured at 300 MB.
const PROPORTIONAL_PER_MIB: Duration = Duration::from_micros(30);
/// By how much a sum must exceed the one at which proportional memory was last read: one part in so many, and so many bytes.
const PROPORTIONAL_STEP: u64 = 50;
const PROPORTIONAL_STEP_BYTES: u64 = 1 << 20;
/// How long descendants may outlive the first process before they are killed.
const LINGER: Duration = Duration::from_secs(2);
/// How often to look again for processes that were made while others were killed.
const KILL_ROUNDS: u32 = 1000;
/// Different phases of one program.
const PHASES_MAX: usize = 100;

pub(in crate::subject) fn run(subject: &Subject, stop: &AtomicBool) -> Result<Watched, Error> {
    let system = |action| move |source| Error::System { action, source };
    os::become_subreaper().map_err(system("adopt orphaned processes"))?;
    let (bell, ringer) = pipe().map_err(system("make a pipe"))?;
    let (announced, announce) = pipe().map_err(system("make a pipe"))?;
    let (gate, open) = pipe().map_err(system("make a pipe"))?;
    let (phases, phase) = pipe().map_err(system("make a pipe"))?;
    let group = (subject.foreign.is_some() && reads_memory(subject)).then(Group::new).flatten();
    let command = command(subject)?;
    let shared = Shared::new(ringer);
    let (running, status) = thread::scope(|scope| {
        scope.spawn(|| attend(subject, &shared, group.as_ref(), announced, open));
        let mut child = spawn(subject, command, announce, gate, phase)?;
        let guard = os::guard(child.id());
        let mut running = Running::new(subject, &shared, &mut child, (bell, phases));
        if let Err(source) = guard {
            running.kill();
            return Err(Error::System { action: "guard a subject's processes", source });
        }
        let status = running.follow(subject.timeout, stop);
        Ok((running, status))
    })?;
    Ok(running.finish(status, group.as_ref()))
}

/// Whether every member's memory is read, rather than only by its own record.
fn reads_memory(subject: &Subject) -> bool {
    subject.instrument == Instrument::Os
}

/// Starts the program. Before it becomes itself, its process says which it is and waits until it is attended to.
fn spawn(
    subject: &Subject,
    mut command: Command,
    announce: PipeWriter,
    gate: PipeReader,
    phase: PipeWriter,
) -> Result<Child, Error> {
    let parent = std::process::id();
    let takes_phases = subject.foreign.is_some();
    if takes_phases {
        command.env(PHASE_DESCRIPTOR, phase.as_raw_fd().to_string());
    }
    let (announce_to, wait_for, phase_to) = (announce.as_raw_fd(), gate.as_raw_fd(), phase.as_raw_fd());
    // SAFETY: all these calls are async-signal-safe and allocate nothing, as a child of a threaded process must not.
    unsafe {
        command.pre_exec(move || {
            os::begin_session()?;
            os::die_with_parent(parent)?;
            if takes_phases {
                os::keep_open(phase_to)?;
            }
            os::announce(announce_to, wait_for)
        });
    }
    command.spawn().map_err(failed(subject))
}

/// The other thread's whole life: it lets the new process go on once that is in its group and traced, and traces its tree.
fn attend(
    subject: &Subject,
    shared: &Shared,
    group: Option<&Group>,
    mut announced: PipeReader,
    mut open: PipeWriter,
) {
    let mut pid = [0; 4];
    if announced.read_exact(&mut pid).is_err() {
        return;
    }
    let pid = u32::from_ne_bytes(pid);
    let placed = group.is_some_and(|group| group.place(pid));
    let traced = trace(subject, shared, pid);
    {
        let mut state = shared.state();
        state.in_group = placed;
        state.traced = traced;
        state.follows = traced;
    }
    // What a thread pays for its first allocation and its first look at a process is paid before the program begins.
    if traced {
        let _ = (os::identity(pid), os::resident(pid), os::command_line(pid));
    }
    // A child that no longer waits is one whose start has failed.
    let _ = open.write_all(b"!");
    if traced {
        let before = os::thread_cpu();
        Tracer::new(pid, shared, reads_memory(subject)).follow();
        {
            let mut state = shared.state();
            state.tracing = os::thread_cpu().saturating_sub(before);
            state.follows = false;
        }
        shared.ring();
    }
}

/// Begins to trace where that is of use and allowed.
fn trace(subject: &Subject, shared: &Shared, pid: u32) -> bool {
    let wanted = reads_memory(subject) || subject.foreign.is_some();
    if !wanted || subject.foreign.as_ref().is_some_and(|foreign| foreign.untraced) {
        return false;
    }
    match os::seize(pid) {
        Ok(()) => true,
        Err(error) => {
            // Our own processes leave records that make up for it.
            if subject.foreign.is_some() {
                let why = format!(
                    "processes could not be traced ({error}), only polled: a peak in the last moments of a process, and processes that lived for a moment, may be missed"
                );
                shared.state().doubts.insert(why);
            }
            false
        }
    }
}

/// A tree that is being watched.
struct Running<'a> {
    subject: &'a Subject,
    shared: &'a Shared,
    pid: u32,
    finder: Finder,
    exit: Option<OwnedFd>,
    bell: PipeReader,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    phases: Stream<PipeReader>,
    phase_names: BTreeSet<String>,
    next_look: Duration,
    polls: u64,
    polling: Duration,
    proportional: Duration,
    proportional_at_bytes: u64,
    stragglers: Vec<String>,
}

impl<'a> Running<'a> {
    fn new(
        subject: &'a Subject,
        shared: &'a Shared,
        child: &mut Child,
        (bell, phases): (PipeReader, PipeReader),
    ) -> Running<'a> {
        let pid = child.id();
        let show = subject.foreign.as_ref().and_then(|foreign| foreign.show);
        let show = |channel| show.map(|show| (show, channel));
        let pattern = subject.foreign.as_ref().and_then(|foreign| foreign.phase_pattern.clone());
        let rule = pattern.map_or(Rule::Never, Rule::Pattern);
        // A bell that is read without waiting; where that cannot be had, the next look comes in its time.
        let _ = os::set_nonblocking(bell.as_raw_fd());
        let mut finder = Finder::new(pid, subject.record_dir.as_os_str());
        let is_traced = shared.state().traced;
        if !is_traced {
            let mut state = shared.state();
            state.ledger.born(pid, Image::Own, false, shared.now());
            finder.look(&mut state.ledger, shared.now());
        }
        Running {
            subject,
            shared,
            pid,
            finder,
            // Without it the end is noticed at the next look.
            exit: os::pidfd(pid).ok(),
            bell,
            stdout: Stream::new(child.stdout.take(), rule.clone(), show(Channel::Out)),
            stderr: Stream::new(child.stderr.take(), rule, show(Channel::Err)),
            phases: Stream::new(Some(phases), Rule::Mark, None),
            phase_names: BTreeSet::new(),
            next_look: Duration::ZERO,
            polls: 0,
            polling: Duration::ZERO,
            proportional: Duration::ZERO,
            proportional_at_bytes: 0,
            stragglers: Vec::new(),
        }
    }

    /// Watches until the tree is gone, or has to be killed.
    fn follow(&mut self, timeout: Duration, stop: &AtomicBool) -> End {
        let mut ended_at = None;
        loop {
            self.drain();
            if self.shared.now() >= self.next_look {
                self.look();
            }
            self.collect_root();
            if let Some(status) = self.root_status() {
                let ended_at = *ended_at.get_or_insert_with(|| {
                    // What it made last may not have been seen.
                    self.look();
                    self.shared.now()
                });
                if self.is_gone() {
                    return end(status);
                }
                if self.shared.now() - ended_at > LINGER {
                    self.stragglers = self.shared.state().ledger.command_lines();
                    self.kill();
                    return end(status);
                }
            }
            if stop.load(Relaxed) {
                self.kill();
                return End::Stopped;
            }
            if self.shared.now() > timeout {
                self.kill();
                return End::TimedOut;
            }
            self.wait();
        }
    }

    fn root_status(&self) -> Option<i32> {
        self.shared.state().root_status
    }

    fn is_gone(&self) -> bool {
        let state = self.shared.state();
        !state.follows && state.ledger.living().is_empty()
    }

    /// Collects the root when no tracer does: it was never traced, was let go, or died before it became the program.
    fn collect_root(&self) {
        let mut state = self.shared.state();
        if state.follows || state.root_status.is_some() {
            return;
        }
        if let Some(ended) = os::reap(self.pid) {
            state.root_status = Some(ended.status);
            state.cpu += ended.cpu;
            state.ledger.gone(self.pid, self.shared.now());
        }
    }

    /// Looks at the tree once, and collects those that ended and are ours to collect.
    fn look(&mut self) {
        let before = os::thread_cpu();
        let now = self.shared.now();
        let living = {
            let mut state = self.shared.state();
            // The members of a tree that is traced throughout are told, not found.
            if !state.traced || state.ledger.living().iter().any(|(_, traced)| !traced) {
                self.finder.look(&mut state.ledger, now);
            }
            state.ledger.living()
        };
        let (mut seen, mut sum) = (Vec::new(), 0);
        if reads_memory(self.subject) {
            let members: Vec<u32> = living.iter().map(|&(pid, _)| pid).collect();
            (seen, sum) = self.shared.read(&members);
        }
        for (pid, traced) in living {
            if !traced && !seen.contains(&pid) && os::resident(pid).is_none() {
                self.collect(pid, now);
            }
        }
        self.polls += 1;
        let cost = os::thread_cpu().saturating_sub(before);
        self.polling += cost;
        self.next_look = now + self.pause(cost);
        if reads_memory(self.subject) {
            self.read_proportional(&seen, sum);
        }
    }

    /// Until the next look: soon where nothing but looks tells of peaks, else as seldom as its cost demands.
    fn pause(&self, cost: Duration) -> Duration {
        let share = if self.shared.state().traced { LOOK_SHARE } else { LOOK_SHARE_UNTRACED };
        (cost * share).clamp(DENSE, LOOK_MAX)
    }

    /// Takes notice that a member that is not traced has ended, and collects it when it is our child. Others are their parents' to collect.
    fn collect(&self, pid: u32, now: Duration) {
        // Of the root the first thread may have ended while others run on.
        if pid == self.pid {
            return self.collect_root();
        }
        let ended = os::reap(pid);
        let mut state = self.shared.state();
        state.cpu += ended.map_or(Duration::ZERO, |ended| ended.cpu);
        state.ledger.gone(pid, now);
    }

    /// Reads shared pages once, when the sum has come to a new height and enough time has passed to afford it.
    fn read_proportional(&mut self, seen: &[u32], sum: u64) {
        let step = self.proportional_at_bytes / PROPORTIONAL_STEP + PROPORTIONAL_STEP_BYTES;
        let is_new = sum > self.proportional_at_bytes + step;
        let cost = self.proportional + PROPORTIONAL_PER_MIB * u32::try_from(sum >> 20).unwrap_or(u32::MAX);
        if !is_new || seen.len() < 2 || cost.saturating_mul(PROPORTIONAL_SHARE) > self.shared.now() {
            return;
        }
        let before = os::thread_cpu();
        let each: Option<u64> = seen.iter().map(|&pid| os::proportional_bytes(pid)).sum();
        self.proportional += os::thread_cpu().saturating_sub(before);
        self.proportional_at_bytes = sum;
        if let Some(proportional) = each {
            self.shared.state().ledger.proportional_sum(sum, proportional);
        }
    }

    /// Takes what was written, and begins the phases that it marks.
    fn drain(&mut self) {
        let mut names = self.phases.drain();
        names.extend(self.stdout.drain());
        names.extend(self.stderr.drain());
        for name in names {
            self.begin_phase(&name);
        }
    }

    fn begin_phase(&mut self, name: &str) {
        if self.phase_names.len() >= PHASES_MAX && !self.phase_names.contains(name) {
            let why = format!(
                "more than {PHASES_MAX} different phases were marked; the rest counts to the last of them"
            );
            self.shared.state().doubts.insert(why);
            return;
        }
        self.phase_names.insert(name.to_owned());
        let mut state = self.shared.state();
        let now = self.shared.now();
        if !state.traced {
            self.finder.look(&mut state.ledger, now);
        }
        if !reads_memory(self.subject) {
            state.ledger.begin_phase(name, now);
            return;
        }
        let living: Vec<u32> = state.ledger.living().into_iter().map(|(pid, _)| pid).collect();
        state.read(&living, now);
        state.ledger.begin_phase(name, now);
        let refused: Vec<u32> = living.into_iter().filter(|&pid| !os::reset_peak(pid)).collect();
        let refused = refused.into_iter().any(|pid| os::resident(pid).is_some());
        if refused && !state.ledger.is_polled_by_phase {
            state.ledger.is_polled_by_phase = true;
            state.doubts.insert(
                "the peak of a process cannot be begun anew here (/proc/PID/clear_refs is refused), so the peaks of phases are those of the polls: a short one may be missed".to_owned(),
            );
        }
    }

    /// Waits for output, for the end of the root, or for the time of the next look.
    fn wait(&mut self) {
        let pause = self.next_look.saturating_sub(self.shared.now());
        let [exit, bell, ..] = os::wait_readable(
            [
                self.exit.as_ref().map(AsRawFd::as_raw_fd),
                Some(self.bell.as_raw_fd()),
                self.stdout.descriptor(),
                self.stderr.descriptor(),
                self.phases.descriptor(),
            ],
            pause,
        );
        if bell {
            let _ = self.bell.read(&mut [0; 16]);
        }
        if exit {
            self.exit = None;
            self.next_look = Duration::ZERO;
        }
    }

    /// Kills the whole tree and waits until it is gone.
    fn kill(&mut self) {
        for _ in 0..KILL_ROUNDS {
            self.look();
            let living = self.shared.state().ledger.living();
            // The number of the group stays taken while it has members.
            if !living.is_empty() {
                os::kill(-(self.pid as i32));
            }
            for &(pid, _) in &living {
                os::kill(pid as i32);
            }
            if self.is_gone() && self.root_status().is_some() {
                return;
            }
            os::wait_readable([self.exit.as_ref().map(AsRawFd::as_raw_fd)], DENSE);
        }
    }

    fn finish(mut self, status: End, group: Option<&Group>) -> Watched {
        self.drain();
        let wall = self.shared.now();
        let mut state = self.shared.state();
        let how = How { polls: self.polls, traced: state.traced };
        let cost = Cost { polling: self.polling + self.proportional, tracing: state.tracing };
        let has_tree = reads_memory(self.subject) || self.subject.foreign.is_some();
        let mut tree = has_tree.then(|| std::mem::take(&mut state.ledger).finish(wall, how, cost));
        if let Some(tree) = tree.as_mut().filter(|_| state.in_group && reads_memory(self.subject)) {
            tree.cgroup_bytes = group.and_then(Group::peak_bytes);
        }
        Watched {
            pid: self.pid,
            status,
            wall,
            tree,
            cpu: state.cpu,
            stdout: self.stdout.capture.finish(),
            stderr: self.stderr.capture.finish(),
            stragglers: self.stragglers,
            doubts: std::mem::take(&mut state.doubts).into_iter().collect(),
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
