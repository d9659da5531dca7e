//! The thread that traces a tree: it hears of every process that is made, of every program that is begun, and reads each process
//! while it is stopped at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::shared::Shared;
use crate::os::{self, Stop};
use crate::subject::ledger::Image;

/// Programs that trace others, which they cannot while they are traced themselves.
const TRACERS: [&str; 7] = ["strace", "ltrace", "gdb", "lldb", "lldb-server", "rr", "proot"];
/// Members of a tree that is summed at the end of each of them; a larger one costs too much.
const SUMMED_MAX: usize = 16;
/// A member is small when it has less than one part in so many of what the tree had.
const SMALL: u64 = 8;
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;

pub(super) struct Tracer<'a> {
    pub(super) root: u32,
    pub(super) shared: &'a Shared,
    /// Whether members' memory is read at their ends.
    pub(super) reads_memory: bool,
    /// Ids of the processes and threads that were seen.
    known: BTreeSet<u32>,
    /// Processes that were made in their makers' memory and are not yet there.
    vforked: BTreeSet<u32>,
    /// The process that made each member.
    makers: BTreeMap<u32, u32>,
    /// Members that ended before their makers, who are to collect them. When a maker ends without having done so, they come to us.
    left: BTreeMap<u32, Vec<u32>>,
}

impl Tracer<'_> {
    pub(super) fn new(root: u32, shared: &Shared, reads_memory: bool) -> Tracer<'_> {
        Tracer {
            root,
            shared,
            reads_memory,
            known: BTreeSet::from([root]),
            vforked: BTreeSet::new(),
            makers: BTreeMap::new(),
            left: BTreeMap::new(),
        }
    }

    /// Follows the tree until no member is left, or it turns out that the program cannot be started.
    pub(super) fn follow(mut self) {
        // Until the program has begun, its failure is the spawner's to collect.
        let mut has_begun = false;
        while !has_begun {
            let Some((pid, stop)) = os::wait_for_stop() else { return };
            has_begun = pid == self.root && matches!(stop, Stop::Executed { .. });
            self.handle(pid, stop);
        }
        while let Some((pid, stop)) = os::wait() {
            self.handle(pid, stop);
        }
    }

    fn handle(&mut self, pid: u32, stop: Stop) {
        match stop {
            Stop::Attached => self.attached(pid),
            Stop::Vforked(made) => self.vforked(made),
            Stop::Made => {}
            Stop::Executed { former } => {
                if self.executed(pid, former) {
                    os::let_go(pid);
                    return;
                }
            }
            Stop::Ending => self.ending(pid),
            Stop::Signal(signal) => return os::resume(pid, signal),
            Stop::Group => return os::leave_stopped(pid),
            Stop::Ended { status, cpu } => return self.ended(pid, status, cpu),
        }
        os::resume(pid, 0);
    }

    /// A process or thread is there for the first time, or runs again.
    fn attached(&mut self, pid: u32) {
        if !self.known.insert(pid) {
            return;
        }
        // Threads share the memory that is read at the end of their process's first one, which comes when all of them are to end.
        let is_process = os::is_process(pid);
        os::trace_end(pid, is_process);
        if !is_process {
            return;
        }
        let Some(identity) = os::identity(pid) else { return };
        self.makers.insert(pid, identity.parent);
        // The kernel tells it either way, and not every kernel in both.
        let shares = self.vforked.remove(&pid) || os::share_memory(identity.parent, pid);
        let image = if shares { Image::Shared } else { Image::Copied };
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.ledger.born(pid, image, true, now);
        // Until it becomes another program it is called as its maker.
        let maker = state.ledger.member(identity.parent);
        let names = maker.map(|maker| (maker.command.clone(), maker.command_line.clone()));
        let (name, line) = names.unwrap_or_else(|| {
            (os::command(pid).unwrap_or_default(), os::command_line(pid).unwrap_or_default())
        });
        state.ledger.named(pid, name, line);
    }

    /// A process was made in its maker's memory.
    fn vforked(&mut self, made: u32) {
        let mut state = self.shared.state();
        match state.ledger.image(made) {
            Some(Image::Copied) => state.ledger.set_image(made, Image::Shared),
            Some(_) => {}
            None => drop(self.vforked.insert(made)),
        }
    }

    /// A process has become another program; gives whether it is to be let go.
    fn executed(&mut self, pid: u32, former: u32) -> bool {
        if former != pid {
            self.known.remove(&former);
        }
        // The thread that did it may have been one that was not to stop.
        os::trace_end(pid, true);
        let now = self.shared.now();
        let name = os::command(pid).unwrap_or_default();
        let line = os::command_line(pid).unwrap_or_default();
        let traces = TRACERS.contains(&name.as_str());
        let mut state = self.shared.state();
        if state.ledger.member(pid).is_some() {
            state.ledger.executed(pid);
        } else {
            self.known.insert(pid);
            state.ledger.born(pid, Image::Own, true, now);
        }
        state.ledger.named(pid, name.clone(), line);
        if gains_rights(pid) {
            state.doubts.insert(format!(
                "{name} gains rights when it starts, but not while it is traced: try without tracing"
            ));
        }
        if traces {
            state.ledger.let_go(pid);
            state.traced = false;
            state.doubts.insert(format!(
                "{name} traces others itself, so that it and what it starts were only polled: a peak in the last moments of a process may be missed"
            ));
            self.known.remove(&pid);
        }
        traces
    }

    /// A process is about to end, and its memory still stands.
    fn ending(&mut self, pid: u32) {
        if !self.reads_memory {
            return;
        }
        let (_, own) = self.shared.read(&[pid]);
        let (living, low_bytes) = {
            let state = self.shared.state();
            (state.ledger.living(), state.ledger.low_bytes())
        };
        // What a tree has together is often most when one of it is about to end, unless that is a small one.
        if (2..=SUMMED_MAX).contains(&living.len()) && own >= low_bytes / SMALL {
            let living: Vec<u32> = living.into_iter().map(|(pid, _)| pid).collect();
            self.shared.read(&living);
        }
    }

    fn ended(&mut self, pid: u32, status: i32, cpu: Duration) {
        self.known.remove(&pid);
        let now = self.shared.now();
        let mut state = self.shared.state();
        if state.ledger.member(pid).is_none() {
            return;
        }
        state.ledger.gone(pid, now);
        let maker = self.makers.remove(&pid).filter(|maker| state.ledger.member(*maker).is_some());
        match maker {
            Some(maker) => self.left.entry(maker).or_default().push(pid),
            // The time of others is in that of the makers that collect them.
            None => state.cpu += cpu,
        }
        let left = self.left.remove(&pid).unwrap_or_default();
        state.cpu += left.into_iter().filter_map(os::reap).map(|ended| ended.cpu).sum::<Duration>();
        if pid == self.root {
            state.root_status = Some(status);
            drop(state);
            self.shared.ring();
        }
    }
}

/// Whether a process runs a file that gives it another user's or group's rights.
fn gains_rights(pid: u32) -> bool {
    let own = std::fs::metadata(Path::new("/proc").join(pid.to_string()))
        .map(|process| (process.uid(), process.gid()));
    let file = std::fs::metadata(format!("/proc/{pid}/exe"));
    let (Ok(own), Ok(file)) = (own, file) else { return false };
    file.mode() & SETUID != 0 && own.0 != file.uid() || file.mode() & SETGID != 0 && own.1 != file.gid()
}
