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

    /// From when to when it had at most so many bytes. A member that is traced does nothing before it is heard of, and has nothing
    /// any more when its end is; of others the sight is no measure.
    fn span(&self, bytes: u64, now: Duration) -> Span {
        match (self.traced, self.lives) {
            (false, _) => Span { from: Duration::ZERO, to: Duration::MAX, bytes },
            (true, true) => Span { from: self.member.first_seen, to: now, bytes },
            (true, false) => Span { from: self.member.first_seen, to: self.member.last_seen, bytes },
        }
    }

    fn phase_bytes(&self) -> u64 {
        self.past_phase_bytes.max(self.phase_peak_bytes)
    }
}

/// A stretch of time in which a member had at most so many bytes.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Duration,
    to: Duration,
    bytes: u64,
}

/// The most of one span, and the most of all that overlap at one moment: an upper bound of what the members had together.
fn extremes(spans: impl Iterator<Item = Span>) -> (u64, u64) {
    let mut largest = 0;
    let mut changes = Vec::new();
    for span in spans {
        largest = largest.max(span.bytes);
        // Of two at one moment the beginning comes first.
        changes.push((span.from, 0, span.bytes));
        changes.push((span.to, 1, span.bytes));
    }
    changes.sort_unstable();
    let (mut sum, mut highest) = (0_u64, 0);
    for (_, is_end, bytes) in changes {
        if is_end == 0 {
            sum += bytes;
            highest = highest.max(sum);
        } else {
            sum -= bytes;
        }
    }
    (largest, highest)
}

/// The members of one tree.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// Those that live, by process id.
    living: BTreeMap<u32, usize>,
    low_bytes: u64,
    /// The sum of resident bytes at which proportional bytes were read last, and those.
    proportional: Option<(u64, u64)>,
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
            entry.image_peak_bytes = 0;
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

    /// The members seen at one moment had so many bytes together, and so many when shared pages are counted once.
    pub(super) fn proportional_sum(&mut self, resident_bytes: u64, proportional_bytes: u64) {
        let before = self.proportional.map_or(0, |(_, bytes)| bytes);
        self.proportional = Some((resident_bytes, proportional_bytes.max(before)));
    }

    /// A member has ended.
    pub(super) fn gone(&mut self, pid: u32, now: Duration) {
        if let Some(entry) = self.entry(pid) {
            entry.lives = false;
            entry.member.last_seen = now;
        }
        self.living.remove(&pid);
    }

    /// The largest sum so far.
    pub(super) fn low_bytes(&self) -> u64 {
        self.low_bytes
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
        let (largest, high_bytes) =
            extremes(self.entries.iter().map(|entry| entry.span(entry.phase_bytes(), now)));
        let low_bytes = self.present_low_bytes.max(largest).min(high_bytes);
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
        let spans = self.entries.iter().map(|entry| entry.span(entry.member.peak_bytes, now));
        let (largest, high_bytes) = extremes(spans);
        // A member's own peak was a moment, too; and a sum may have held copies that turned out to be nobody's own.
        let low_bytes = self.low_bytes.max(largest).min(high_bytes);
        Tree {
            low_bytes,
            high_bytes,
            // Read much below the peak it says nothing of the peak.
            proportional_bytes: self
                .proportional
                .filter(|(at, _)| at / 9 >= low_bytes / 10)
                .map(|(_, bytes)| bytes),
            cgroup_bytes: None,
            members: self.entries.into_iter().map(|entry| entry.member).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn resident(now: u64, peak: u64) -> Resident {
        Resident { now_bytes: now * MIB, peak_bytes: peak * MIB, anonymous_bytes: 0 }
    }

    fn finish(ledger: Ledger) -> Tree {
        ledger.finish(at(1000), How::default(), Cost::default())
    }

    /// A member that lives for a while, with a peak.
    fn member(ledger: &mut Ledger, pid: u32, (from, to): (u64, u64), peak: u64, traced: bool) {
        ledger.born(pid, Image::Own, traced, at(from));
        ledger.saw(pid, resident(peak, peak), at(to));
        ledger.gone(pid, at(to));
    }

    #[test]
    fn members_that_never_met_are_not_added() {
        let mut ledger = Ledger::default();
        member(&mut ledger, 1, (0, 100), 5, true);
        member(&mut ledger, 2, (10, 20), 30, true);
        member(&mut ledger, 3, (30, 40), 40, true);
        let tree = finish(ledger);
        assert_eq!((tree.low_bytes, tree.high_bytes), (40 * MIB, 45 * MIB));
    }

    #[test]
    fn of_members_that_were_only_seen_nobody_knows_whether_they_met() {
        let mut ledger = Ledger::default();
        member(&mut ledger, 1, (10, 20), 30, false);
        member(&mut ledger, 2, (30, 40), 40, false);
        assert_eq!(finish(ledger).high_bytes, 70 * MIB);
    }

    #[test]
    fn what_a_copy_had_before_it_became_a_program_is_dropped_and_what_a_program_had_is_kept() {
        for (image, peak) in [(Image::Copied, 2), (Image::Own, 200)] {
            let mut ledger = Ledger::default();
            ledger.born(1, image, true, at(0));
            ledger.saw(1, resident(200, 200), at(1));
            ledger.executed(1);
            ledger.saw(1, resident(1, 2), at(2));
            assert_eq!(finish(ledger).members[0].peak_bytes, peak * MIB);
        }
    }

    #[test]
    fn a_copy_that_stays_one_counts_and_shared_memory_never() {
        for (image, peak) in [(Image::Copied, 200), (Image::Shared, 0)] {
            let mut ledger = Ledger::default();
            ledger.born(1, image, true, at(0));
            ledger.saw(1, resident(200, 200), at(1));
            assert_eq!(finish(ledger).high_bytes, peak * MIB);
        }
    }

    #[test]
    fn a_polled_copy_became_a_program_when_its_peak_went_down() {
        let mut ledger = Ledger::default();
        ledger.born(1, Image::Copied, false, at(0));
        ledger.saw(1, resident(200, 200), at(1));
        ledger.saw(1, resident(3, 4), at(2));
        ledger.saw(1, resident(2, 4), at(3));
        assert_eq!(finish(ledger).high_bytes, 4 * MIB);
    }

    #[test]
    fn each_phase_has_its_own_peak_and_the_same_name_goes_on() {
        let mut ledger = Ledger::default();
        ledger.born(1, Image::Own, true, at(0));
        ledger.saw(1, resident(50, 50), at(1));
        ledger.begin_phase("a", at(10));
        ledger.saw(1, resident(10, 20), at(11));
        ledger.begin_phase("b", at(20));
        ledger.saw(1, resident(10, 12), at(21));
        ledger.begin_phase("a", at(30));
        ledger.saw(1, resident(10, 40), at(31));
        let tree = finish(ledger);
        let phases: Vec<_> =
            tree.phases.iter().map(|phase| (&*phase.name, phase.high_bytes / MIB, phase.wall)).collect();
        assert_eq!(phases, [("a", 40, at(980)), ("b", 12, at(10))]);
        assert_eq!(tree.high_bytes, 50 * MIB);
    }

    #[test]
    fn where_a_peak_cannot_begin_anew_a_phase_has_what_was_seen_in_it() {
        let mut ledger = Ledger { is_polled_by_phase: true, ..Ledger::default() };
        ledger.born(1, Image::Own, true, at(0));
        ledger.begin_phase("a", at(10));
        ledger.saw(1, resident(10, 50), at(11));
        let tree = finish(ledger);
        assert_eq!((tree.phases[0].high_bytes, tree.high_bytes), (10 * MIB, 50 * MIB));
    }

    #[test]
    fn a_sum_with_copies_that_were_nobodys_own_is_no_more_than_the_upper_end() {
        let mut ledger = Ledger::default();
        ledger.born(1, Image::Own, true, at(0));
        ledger.born(2, Image::Copied, true, at(1));
        let sum = ledger.saw(1, resident(200, 200), at(2)) + ledger.saw(2, resident(200, 200), at(2));
        ledger.sum(sum);
        ledger.executed(2);
        ledger.saw(2, resident(1, 1), at(3));
        let tree = finish(ledger);
        assert_eq!((tree.low_bytes, tree.high_bytes), (201 * MIB, 201 * MIB));
    }

    #[test]
    fn proportional_memory_read_far_below_the_peak_is_not_told() {
        for (at_mib, told) in [(95, Some(7)), (50, None)] {
            let mut ledger = Ledger::default();
            member(&mut ledger, 1, (0, 10), 100, true);
            ledger.proportional_sum(at_mib * MIB, 7);
            assert_eq!(finish(ledger).proportional_bytes, told);
        }
    }
}
