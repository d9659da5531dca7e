//! The tree of a sample: which processes belong to it, and how much of memory they have.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::{How, Member, Tree};
use crate::instrument::RECORD_DIR;
use crate::os;

/// Follows the processes of one sample.
#[derive(Debug)]
pub(super) struct Watch {
    root: u32,
    root_start: Option<u64>,
    /// The entry of the environment that only this sample's processes have.
    mark: Vec<u8>,
    reads_memory: bool,
    /// By process id and start, which together are never used twice.
    seen: BTreeMap<(u32, u64), usize>,
    members: Vec<Member>,
    low_bytes: u64,
    polls: u64,
}

impl Watch {
    pub(super) fn new(root: u32, record_dir: &OsStr, reads_memory: bool) -> Watch {
        let mark = [RECORD_DIR.as_bytes(), b"=", record_dir.as_bytes()].concat();
        let root_start = os::start_ticks(root);
        Watch {
            root,
            root_start,
            mark,
            reads_memory,
            seen: BTreeMap::new(),
            members: Vec::new(),
            low_bytes: 0,
            polls: 0,
        }
    }

    /// Looks at every living process of the tree; returns their ids.
    pub(super) fn poll(&mut self, now: Duration) -> Vec<u32> {
        let alive = self.alive();
        self.polls += 1;
        let mut sum = 0;
        for &pid in &alive {
            let Some(start) = os::start_ticks(pid) else {
                continue;
            };
            let index = self.member(pid, start, now);
            let member = &mut self.members[index];
            member.last_seen = now;
            if !self.reads_memory {
                continue;
            }
            if let Some(resident) = os::resident(pid) {
                sum += resident.now_bytes;
                member.peak_bytes = member.peak_bytes.max(resident.peak_bytes);
            }
            // A process changes its name when it becomes another program.
            if let Some(name) = os::command(pid).filter(|name| *name != member.command) {
                member.command = name;
                member.command_line = os::command_line(pid).unwrap_or_default();
            }
        }
        self.low_bytes = self.low_bytes.max(sum);
        alive
    }

    fn member(&mut self, pid: u32, start: u64, now: Duration) -> usize {
        *self.seen.entry((pid, start)).or_insert_with(|| {
            let command = os::command(pid).unwrap_or_default();
            let command_line = os::command_line(pid).unwrap_or_default();
            let times = (now, now);
            self.members.push(Member {
                pid,
                command,
                command_line,
                peak_bytes: 0,
                first_seen: times.0,
                last_seen: times.1,
            });
            self.members.len() - 1
        })
    }

    /// The root with its descendants, and those whose parents died and who therefore came to us.
    fn alive(&self) -> Vec<u32> {
        let adopted =
            os::children(std::process::id()).into_iter().filter(|&pid| pid != self.root && self.is_ours(pid));
        // Once the root was collected, its id may come to be somebody else's.
        let root = Some(self.root).filter(|&pid| os::start_ticks(pid) == self.root_start);
        let mut alive: Vec<u32> = root.into_iter().chain(adopted).collect();
        let mut next = 0;
        while let Some(&pid) = alive.get(next) {
            for child in os::children(pid) {
                if !alive.contains(&child) {
                    alive.push(child);
                }
            }
            next += 1;
        }
        alive
    }

    /// Whether a child of ours is an orphan of this sample rather than a process of somebody else in this program.
    fn is_ours(&self, pid: u32) -> bool {
        let known = os::start_ticks(pid).is_some_and(|start| self.seen.contains_key(&(pid, start)));
        known || os::session(pid) == Some(self.root) || os::is_marked(pid, &self.mark)
    }

    /// The command lines of the members that live.
    pub(super) fn living(&self) -> Vec<String> {
        self.alive().into_iter().filter_map(os::command_line).collect()
    }

    pub(super) fn finish(self) -> Option<Tree> {
        self.reads_memory.then(|| Tree {
            low_bytes: self.low_bytes,
            high_bytes: self.members.iter().map(|member| member.peak_bytes).sum(),
            members: self.members,
            how: How { polls: self.polls, traced: false },
            ..Tree::default()
        })
    }
}
