//! Finding the members of a tree by looking: for trees that cannot be traced, and for members that were let go.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use crate::instrument::RECORD_DIR;
use crate::os;
use crate::subject::Member;
use crate::subject::ledger::{Image, Ledger};

/// How long a process is looked at closely: it may become another program of the same name, as a script does that starts one.
const YOUNG: Duration = Duration::from_millis(100);

/// Finds members by their parents, and orphans by their session or by the environment they were started with.
#[derive(Debug)]
pub(super) struct Finder {
    root: u32,
    /// The entry of the environment that only this sample's processes have.
    mark: Vec<u8>,
    /// When each process began, in clock ticks: with its id a name that is never used twice.
    starts: BTreeMap<u32, u64>,
}

impl Finder {
    pub(super) fn new(root: u32, record_dir: &OsStr) -> Finder {
        let mark = [RECORD_DIR.as_bytes(), b"=", record_dir.as_bytes()].concat();
        let starts = os::start_ticks(root).map(|start| (root, start)).into_iter().collect();
        Finder { root, mark, starts }
    }

    /// Brings a ledger up to date: who is new, who was renamed, who has memory of his own by now.
    pub(super) fn look(&mut self, ledger: &mut Ledger, now: Duration) {
        for pid in self.alive(ledger) {
            let Some(start) = os::start_ticks(pid) else { continue };
            // One that has ended has no memory. If its parents have ended, too, it is ours to collect.
            if ledger.member(pid).is_none() && os::resident(pid).is_none() {
                os::reap(pid);
                continue;
            }
            let before = self.starts.insert(pid, start);
            let is_known = ledger.member(pid).is_some() && before.is_none_or(|before| before == start);
            if !is_known {
                ledger.born(pid, self.image(pid), false, now);
            } else if ledger.image(pid) == Some(Image::Shared) && self.image(pid) != Image::Shared {
                ledger.set_image(pid, Image::Own);
            }
            // A process changes its name when it becomes another program, mostly soon.
            let name = os::command(pid).unwrap_or_default();
            let is_news = |member: &Member| member.command != name || now < member.first_seen + YOUNG;
            if ledger.member(pid).is_some_and(is_news) {
                ledger.named(pid, name, os::command_line(pid).unwrap_or_default());
            }
        }
    }

    fn image(&self, pid: u32) -> Image {
        if pid == self.root {
            return Image::Own;
        }
        let shares = os::identity(pid).is_some_and(|identity| os::share_memory(identity.parent, pid));
        if shares { Image::Shared } else { Image::Copied }
    }

    /// The members that are not traced with their descendants, and those whose parents died and who therefore came to us.
    fn alive(&self, ledger: &Ledger) -> Vec<u32> {
        let living = ledger.living();
        let traced: Vec<u32> = living.iter().filter(|(_, traced)| *traced).map(|&(pid, _)| pid).collect();
        let known = living.into_iter().filter(|(_, traced)| !traced).map(|(pid, _)| pid);
        // Once a process was collected, its id may come to be somebody else's.
        let same = |pid: &u32| self.starts.get(pid).is_none_or(|start| os::start_ticks(*pid) == Some(*start));
        let adopted = os::children(std::process::id());
        let adopted = adopted.into_iter().filter(|pid| !traced.contains(pid) && self.is_ours(*pid));
        let mut alive: Vec<u32> = known.filter(same).collect();
        for pid in adopted {
            if !alive.contains(&pid) {
                alive.push(pid);
            }
        }
        let mut next = 0;
        while let Some(&pid) = alive.get(next) {
            for child in os::children(pid) {
                if !alive.contains(&child) && !traced.contains(&child) {
                    alive.push(child);
                }
            }
            next += 1;
        }
        alive
    }

    /// Whether a child of ours is an orphan of this sample rather than a process of somebody else in this program.
    fn is_ours(&self, pid: u32) -> bool {
        let known = self.starts.get(&pid).is_some_and(|start| os::start_ticks(pid) == Some(*start));
        known || os::session(pid) == Some(self.root) || os::is_marked(pid, &self.mark)
    }
}
