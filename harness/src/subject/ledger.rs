//! What is known of the members of a tree: when each lived, how much memory it had, and in which phase. Pure: it is told
//! everything, and reads nothing itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cost, How, Member, Tree, TreePhase};
use crate::os::Resident;

/// Where a member's memory came from, and so whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// A copy of its maker's: until the member becomes another program, little of it is its own.
    Copied,
    /// Its maker's very own memory, which must not count twice.
    Shared,
    /// That of a program it has become itself.
    Own,
}

#[derive(Debug)]
struct Entry {
    member: Member,
    image: Image,
    traced: bool,
    lives: bool,
    /// Most bytes seen of the present image in the present phase.
    phase_peak_bytes: u64,
    /// Most bytes of the present image in the phases before.
    image_peak_bytes: u64,
    /// Most bytes of the images before, where those count.
    past_peak_bytes: u64,
    /// What the present phase has of the images before.
    past_phase_bytes: u64,
}

impl Entry {
    fn peak_bytes(&self) -> u64 {
        self.past_peak_bytes.max(self.image_peak_bytes).max(self.phase_peak_bytes)
    }

    fn phase_bytes(&self) -> u64 {
        self.past_phase_bytes.max(self.phase_peak_bytes)
    }
}

/// The members of one tree.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// Those that live, by process id.
    living: BTreeMap<u32, usize>,
    low_bytes: u64,
    proportional_bytes: Option<u64>,
    phases: Vec<TreePhase>,
    /// The present phase: its place in `phases`, when it began, and the largest sum seen in it.
    present: Option<(usize, Duration)>,
    present_low_bytes: u64,
    /// Whether a peak cannot be begun anew, so that a phase's figures are those of its polls alone.
    pub(super) is_polled_by_phase: bool,
}

impl Ledger {
    /// A member is there.
    pub(super) fn born(&mut self, pid: u32, image: Image, traced: bool, now: Duration) {
        let member = Member { pid, first_seen: now, last_seen: now, ..Member::default() };
        let entry = Entry {
            member,
            image,
            traced,
            lives: true,
            phase_peak_bytes: 0,
            image_peak_bytes: 0,
            past_peak_bytes: 0,
            past_phase_bytes: 0,
        };
        // An id that is still taken by one that lives was not heard of at its end.
        self.gone(pid, now);
        self.living.insert(pid, self.entries.len());
        self.entries.push(entry);
    }

    /// A member is called so from now on.
    pub(super) fn named(&mut self, pid: u32, command: String, command_line: String) {
        if let Some(entry) = self.entry(pid) {
            entry.member.command = command;
            // A process that has ended has no command line any more.
            if !command_line.is_empty() {
                entry.member.command_line = command_line;
            }
        }
    }

    /// A member has become another program. What a copy or a shared memory had before was its maker's.
    pub(super) fn executed(&mut self, pid: u32) {
        if let Some(entry) = self.entry(pid) {
            if entry.image == Image::Own {
                entry.past_peak_bytes = entry.peak_bytes();
                entry.past_phase_bytes = entry.phase_bytes();
            }
            entry.image = Image::Own;
            entry.image_peak_bytes = 0;
            entry.phase_peak_bytes = 0;
        }
    }

    /// A member was found to have memory of its own after all, or to share its maker's.
    pub(super) fn set_image(&mut self, pid: u32, image: Image) {
        if let Some(entry) = self.entry(pid) {
            entry.image = image;
        }
    }

    /// A member is traced no more.
    pub(super) fn let_go(&mut self, pid: u32) {
        if let Some(entry) = self.entry(pid) {
            entry.traced = false;
        }
    }

    /// A member's memory at this moment; gives what it adds to the sum.
    pub(super) fn saw(&mut self, pid: u32, resident: Resident, now: Duration) -> u64 {
        let is_polled_by_phase = self.is_polled_by_phase;
        let Some(entry) = self.entry(pid) else { return 0 };
        entry.member.last_seen = now;
        if entry.image == Image::Shared {
            return 0;
        }
        // Only another program, or somebody who began its peak anew, makes a peak go down.
        let went_down = resident.peak_bytes < entry.phase_peak_bytes && !is_polled_by_phase;
        if went_down && entry.image == Image::Copied {
            entry.image = Image::Own;
            entry.phase_peak_bytes = 0;
        }
        let peak = if is_polled_by_phase { resident.now_bytes } else { resident.peak_bytes };
        entry.phase_peak_bytes = entry.phase_peak_bytes.max(peak);
        entry.image_peak_bytes = entry.image_peak_bytes.max(resident.peak_bytes);
        resident.now_bytes
    }

    /// The members seen at one moment had so much together.
    pub(super) fn sum(&mut self, bytes: u64) {
        self.low_bytes = self.low_bytes.max(bytes);
        self.present_low_bytes = self.present_low_bytes.max(bytes);
    }

    /// The members seen at one moment had so much together, shared pages counted once.
    pub(super) fn proportional_sum(&mut self, bytes: u64) {
        self.proportional_bytes = Some(self.proportional_bytes.unwrap_or(0).max(bytes));
    }

    /// A member has ended.
    pub(super) fn gone(&mut self, pid: u32, now: Duration) {
        if let Some(entry) = self.entry(pid) {
            entry.lives = false;
            entry.member.last_seen = now;
        }
        self.living.remove(&pid);
    }

    /// The ids of those that live, each with whether it is traced.
    pub(super) fn living(&self) -> Vec<(u32, bool)> {
        self.living.iter().map(|(&pid, &index)| (pid, self.entries[index].traced)).collect()
    }

    /// The living member with this id.
    pub(super) fn member(&self, pid: u32) -> Option<&Member> {
        self.living.get(&pid).map(|&index| &self.entries[index].member)
    }

    /// Where a living member's memory came from.
    pub(super) fn image(&self, pid: u32) -> Option<Image> {
        self.living.get(&pid).map(|&index| self.entries[index].image)
    }

    /// The command lines of those that live.
    pub(super) fn command_lines(&self) -> Vec<String> {
        self.living.values().map(|&index| self.entries[index].member.command_line.clone()).collect()
    }

    /// A phase begins now; the one before ends. Every member has just been seen.
    pub(super) fn begin_phase(&mut self, name: &str, now: Duration) {
        self.end_phase(now);
        let known = self.phases.iter().position(|phase| phase.name == name);
        let index = known.unwrap_or_else(|| {
            self.phases.push(TreePhase { name: name.to_owned(), ..TreePhase::default() });
            self.phases.len() - 1
        });
        self.present = Some((index, now));
    }

    fn end_phase(&mut self, now: Duration) {
        let peaks = || self.entries.iter().map(Entry::phase_bytes);
        let high_bytes = peaks().sum::<u64>();
        let low_bytes = self.present_low_bytes.max(peaks().max().unwrap_or(0));
        if let Some((index, began)) = self.present {
            let phase = &mut self.phases[index];
            phase.high_bytes = phase.high_bytes.max(high_bytes);
            phase.low_bytes = phase.low_bytes.max(low_bytes);
            phase.wall += now.saturating_sub(began);
        }
        self.present_low_bytes = 0;
        for entry in &mut self.entries {
            entry.image_peak_bytes = entry.image_peak_bytes.max(entry.phase_peak_bytes);
            entry.phase_peak_bytes = 0;
            entry.past_phase_bytes = 0;
        }
    }

    /// The tree is gone.
    pub(super) fn finish(mut self, now: Duration, how: How, cost: Cost) -> Tree {
        for entry in &mut self.entries {
            entry.member.peak_bytes = entry.peak_bytes();
        }
        self.end_phase(now);
        let members: Vec<Member> = self.entries.into_iter().map(|entry| entry.member).collect();
        let largest = members.iter().map(|member| member.peak_bytes).max().unwrap_or(0);
        Tree {
            // A member's own peak was a moment, too.
            low_bytes: self.low_bytes.max(largest),
            high_bytes: members.iter().map(|member| member.peak_bytes).sum(),
            proportional_bytes: self.proportional_bytes,
            cgroup_bytes: None,
            members,
            phases: self.phases,
            how,
            cost,
        }
    }

    fn entry(&mut self, pid: u32) -> Option<&mut Entry> {
        let index = *self.living.get(&pid)?;
        self.entries.get_mut(index)
    }
}
