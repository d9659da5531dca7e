//! The processes that are known to be a service's, on Linux.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::{Signal, getpid};

use super::process::{self, Stat};

/// A process of the service.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: u64,
    /// Whether it was asked to end.
    asked: bool,
    /// Whether it was killed by force.
    forced: bool,
}

/// Who is a service's. A member stays one when it changes its group, its session or its parent.
#[derive(Debug)]
pub(super) struct Ledger {
    own: i32,
    own_stat: Stat,
    child: i32,
    token: String,
    members: BTreeMap<i32, Member>,
    /// Orphans that came to this process and died before they were seen: nobody else waits for them.
    strays: Vec<i32>,
}

impl Ledger {
    /// The ledger of a child that was just started with this token in its [`MARKER`](super::MARKER).
    pub(super) fn new(child: i32, token: String) -> Ledger {
        let own = getpid().as_raw_nonzero().get();
        let nobody = Stat { dead: false, parent: 0, group: own, session: own, start: 0 };
        let own_stat = process::stat(own).unwrap_or(nobody);
        let mut ledger = Ledger { own, own_stat, child, token, members: BTreeMap::new(), strays: Vec::new() };
        if let Some(stat) = process::stat(child) {
            ledger.add(child, &stat);
        }
        ledger
    }

    fn add(&mut self, pid: i32, stat: &Stat) {
        self.members.insert(pid, Member { start: stat.start, asked: false, forced: false });
    }

    /// Looks at all processes: takes out who is gone, and in who came from a member or is an orphan that was one's.
    pub(super) fn walk(&mut self) {
        let all = process::all();
        self.members.retain(|pid, member| all.get(pid).is_some_and(|stat| stat.start == member.start));
        for (pid, stat) in &all {
            if self.may_be_adopted(*pid, stat) && process::carries(*pid, &self.token) {
                self.add(*pid, stat);
            }
        }
        // Who comes in may bring others in.
        loop {
            let count = self.members.len();
            self.adopt_by_group(&all);
            self.descend(&all);
            if self.members.len() == count {
                break;
            }
        }
        // Who was started by this process is in its session, or leads one. Others were somebody else's children.
        let is_stray = |(pid, stat): &(&i32, &Stat)| {
            let is_from_elsewhere = stat.session != self.own_stat.session && stat.session != **pid;
            stat.dead && is_from_elsewhere && self.may_be_adopted(**pid, stat)
        };
        self.strays = all.iter().filter(is_stray).map(|(pid, _)| *pid).collect();
    }

    /// Whether it is a child of this process that is not known to be the service's: an orphan of it, or one of somebody else's.
    fn may_be_adopted(&self, pid: i32, stat: &Stat) -> bool {
        stat.parent == self.own && pid != self.child && !self.members.contains_key(&pid)
    }

    /// Takes in orphans that are in a group or session of members. Zombies have lost their marker, and others may have.
    fn adopt_by_group(&mut self, all: &BTreeMap<i32, Stat>) {
        let of_members = |number: fn(&Stat) -> i32| -> BTreeSet<i32> {
            let own = number(&self.own_stat);
            let numbers = self.members.keys().filter_map(|pid| all.get(pid)).map(number);
            numbers.filter(|number| *number != own).collect()
        };
        let (groups, sessions) = (of_members(|stat| stat.group), of_members(|stat| stat.session));
        for (pid, stat) in all {
            let is_among = groups.contains(&stat.group) || sessions.contains(&stat.session);
            if is_among && self.may_be_adopted(*pid, stat) {
                self.add(*pid, stat);
            }
        }
    }

    /// Takes in the children of members.
    fn descend(&mut self, all: &BTreeMap<i32, Stat>) {
        for (pid, stat) in all {
            if !self.members.contains_key(pid) && self.is_child_of_a_member(stat) {
                self.add(*pid, stat);
            }
        }
    }

    /// The parent is looked at again: if it is still the same process, its number was its own when its child was looked at. If it is not,
    /// the child is an orphan by now, and the next walk sees to it.
    fn is_child_of_a_member(&self, stat: &Stat) -> bool {
        let parent = self.members.get(&stat.parent);
        parent.is_some_and(|parent| self.is_there(stat.parent, parent).is_some())
    }

    fn is_there(&self, pid: i32, member: &Member) -> Option<Stat> {
        process::stat(pid).filter(|stat| stat.start == member.start)
    }

    /// Members that are alive, without looking for new ones.
    pub(super) fn living(&self) -> Vec<i32> {
        let is_alive =
            |(pid, member): &(&i32, &Member)| self.is_there(**pid, member).is_some_and(|stat| !stat.dead);
        self.members.iter().filter(is_alive).map(|(pid, _)| *pid).collect()
    }

    /// Asks those to end that were not asked yet, and wakes who was stopped, so that it can; gives how many.
    pub(super) fn ask(&mut self) -> u32 {
        let mut count = 0;
        for pid in self.living() {
            if let Some(member) = self.members.get_mut(&pid)
                && !member.asked
                && process::send(pid, member.start, Signal::TERM)
            {
                member.asked = true;
                count += 1;
                process::send(pid, member.start, Signal::CONT);
            }
        }
        count
    }

    /// Kills all by force; gives how many of them for the first time.
    pub(super) fn force(&mut self) -> u32 {
        let mut count = 0;
        for pid in self.living() {
            if let Some(member) = self.members.get_mut(&pid)
                && process::send(pid, member.start, Signal::KILL)
                && !member.forced
            {
                member.forced = true;
                count += 1;
            }
        }
        count
    }

    /// Waits for the dead that have come to this process, the child excepted; gives how many there were.
    pub(super) fn reap(&mut self) -> u32 {
        let dead = |(pid, member): (&i32, &Member)| {
            let stat = self.is_there(*pid, member)?;
            (stat.dead && stat.parent == self.own && *pid != self.child).then_some(*pid)
        };
        let mut pids: Vec<i32> = self.members.iter().filter_map(dead).collect();
        pids.append(&mut self.strays);
        pids.retain(|pid| process::reap(*pid));
        for pid in &pids {
            self.members.remove(pid);
        }
        u32::try_from(pids.len()).unwrap_or(u32::MAX)
    }

    /// Whether nothing is left, the dead included, but the child that is waited for last.
    pub(super) fn is_empty(&self) -> bool {
        self.members.keys().all(|pid| *pid == self.child)
    }

    /// Living processes of the service wherever they are, those that were never adopted included.
    pub(super) fn anywhere(&self) -> Vec<u32> {
        let known: BTreeSet<i32> = self.living().into_iter().collect();
        let is_ours = |(pid, stat): &(&i32, &Stat)| {
            !stat.dead && (known.contains(pid) || process::carries(**pid, &self.token))
        };
        let all = process::all();
        all.iter().filter(is_ours).filter_map(|(pid, _)| u32::try_from(*pid).ok()).collect()
    }
}

/// Kills the living descendants of a process by force, as far as their parents lead to it; gives how many.
pub(super) fn kill_descendants(of: i32) -> u32 {
    let all = process::all();
    let mut found = BTreeSet::from([of]);
    loop {
        let before = found.len();
        found.extend(
            all.iter()
                .filter(|(_, stat)| found.contains(&stat.parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if found.len() == before {
            break;
        }
    }
    found.remove(&of);
    let kill = |pid: &i32| all.get(pid).is_some_and(|stat| process::send(*pid, stat.start, Signal::KILL));
    u32::try_from(found.iter().filter(|pid| kill(pid)).count()).unwrap_or(u32::MAX)
}

/// Waits for the dead of a group that have come to this process as orphans; gives how many there were. The group's first process is gone.
pub(super) fn reap_group(group: i32) -> u32 {
    let own = getpid().as_raw_nonzero().get();
    let all = process::all();
    let dead = all.iter().filter(|(_, stat)| stat.dead && stat.group == group && stat.parent == own);
    u32::try_from(dead.filter(|(pid, _)| process::reap(**pid)).count()).unwrap_or(u32::MAX)
}
