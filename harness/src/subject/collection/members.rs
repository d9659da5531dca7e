//! The members of a foreign program's tree as processes of its sample.

use std::collections::BTreeMap;

use crate::instrument::Instrument;
use crate::preload;
use crate::record::{Lived, PhaseReading, Process, Reading, Tier, Unit};
use crate::subject::{End, Member, Tree};

/// So many members have an entry of their own. The others share one, so that a build of thousands of processes leaves a record that can
/// be read.
const LISTED_MAX: usize = 100;

/// The metric of a member.
const PEAK: &str = "rss.peak_bytes";

/// Adds the members to the records that processes left. A member with a record keeps its role and its figures there.
pub(super) fn join(processes: &mut Vec<Process>, tree: &Tree, instrument: Instrument) {
    let recorded = processes.len();
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unrecorded = Vec::new();
    for member in &tree.members {
        let mut own = processes[..recorded].iter_mut().filter(|process| process.pid == member.pid).peekable();
        if own.peek().is_some() {
            add_to_records(own.collect(), member, instrument);
            continue;
        }
        let name = match preload::program(member) {
            "" => "process",
            name => name,
        };
        let number = numbers.entry(name).or_default();
        let role = loop {
            *number += 1;
            let role = format!("{name}-{number}");
            if !processes[..recorded].iter().any(|process| process.role == role) {
                break role;
            }
        };
        unrecorded.push(entry(role, member, instrument));
    }
    processes.extend(largest(unrecorded));
}

/// Says of the first process how it ended, when that was not well and its record does not say.
pub(super) fn say_end(processes: &mut [Process], root: u32, status: &End) {
    let first = processes.iter_mut().find(|process| process.pid == root);
    if let Some(process) = first.filter(|_| !status.is_success()) {
        process.end.get_or_insert_with(|| status.to_string());
    }
}

/// Tells the order of the tree's phases, with their times, in the entry of the first process.
pub(super) fn say_phases(processes: &mut [Process], root: u32, tree: &Tree) {
    let Some(process) = processes.iter_mut().find(|process| process.pid == root) else { return };
    for phase in &tree.phases {
        if process.phases.iter().all(|known| known.name != phase.name) {
            let time = Reading { value: phase.wall.as_secs_f64(), unit: Unit::Seconds, tier: Tier::Noisy };
            let metrics = BTreeMap::from([("time.wall_seconds".to_owned(), time)]);
            process.phases.push(PhaseReading { name: phase.name.clone(), metrics });
        }
    }
}

/// Threads may have records of their own; the memory is that of their process, and counts once.
fn add_to_records(mut records: Vec<&mut Process>, member: &Member, instrument: Instrument) {
    for record in &mut records {
        record.command = Some(member.command_line.clone());
        record.lived = Some(lived(member));
    }
    if !records.iter().any(|record| record.metrics.contains_key(PEAK)) {
        records[0].metrics.extend(peak(member.peak_bytes, instrument));
    }
}

fn entry(role: String, member: &Member, instrument: Instrument) -> Process {
    Process {
        role,
        instrument: instrument.name().to_owned(),
        pid: member.pid,
        metrics: peak(member.peak_bytes, instrument).into_iter().collect(),
        command: Some(member.command_line.clone()),
        lived: Some(lived(member)),
        ..Process::default()
    }
}

/// Memory is read under one instrument only; the others disturb it.
fn peak(bytes: u64, instrument: Instrument) -> Option<(String, Reading)> {
    let reading = Reading { value: bytes as f64, unit: Unit::Bytes, tier: Tier::Noisy };
    (instrument == Instrument::Os).then(|| (PEAK.to_owned(), reading))
}

fn lived(member: &Member) -> Lived {
    Lived { from_seconds: member.first_seen.as_secs_f64(), to_seconds: member.last_seen.as_secs_f64() }
}

/// The processes in their order, those beyond the largest as one.
fn largest(mut processes: Vec<Process>) -> Vec<Process> {
    if processes.len() <= LISTED_MAX {
        return processes;
    }
    let size = |process: &Process| process.metrics.get(PEAK).map_or(0.0, |reading| reading.value);
    let mut by_size: Vec<usize> = (0..processes.len()).collect();
    by_size.sort_by(|&one, &other| size(&processes[other]).total_cmp(&size(&processes[one])));
    let mut smaller = by_size.split_off(LISTED_MAX);
    smaller.sort_unstable();
    let rest = together(smaller.iter().map(|&index| &processes[index]));
    let mut index = 0;
    processes.retain(|_| {
        index += 1;
        smaller.binary_search(&(index - 1)).is_err()
    });
    processes.push(rest);
    processes
}

/// One entry for several processes, with the sum of their memory.
fn together<'p>(processes: impl Iterator<Item = &'p Process> + Clone) -> Process {
    let times = || processes.clone().filter_map(|process| process.lived);
    let mut metrics: BTreeMap<String, Reading> = BTreeMap::new();
    for (name, reading) in processes.clone().flat_map(|process| &process.metrics) {
        metrics.entry(name.clone()).and_modify(|sum| sum.value += reading.value).or_insert(*reading);
    }
    Process {
        role: format!("{} smaller processes", grouped(processes.clone().count())),
        instrument: processes.clone().next().map(|process| process.instrument.clone()).unwrap_or_default(),
        metrics,
        lived: Some(Lived {
            from_seconds: times().map(|lived| lived.from_seconds).fold(f64::INFINITY, f64::min),
            to_seconds: times().map(|lived| lived.to_seconds).fold(0.0, f64::max),
        }),
        ..Process::default()
    }
}

/// `1234` as `1,234`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::subject::TreePhase;

    fn member(pid: u32, command_line: &str, peak_bytes: u64) -> Member {
        Member {
            pid,
            command: "MainThread".to_owned(),
            command_line: command_line.to_owned(),
            peak_bytes,
            first_seen: Duration::from_millis(u64::from(pid)),
            last_seen: Duration::from_millis(2 * u64::from(pid)),
        }
    }

    fn joined(mut records: Vec<Process>, members: Vec<Member>, instrument: Instrument) -> Vec<Process> {
        join(&mut records, &Tree { members, ..Tree::default() }, instrument);
        records
    }

    fn sum(processes: &[Process]) -> f64 {
        processes.iter().filter_map(|process| process.metrics.get(PEAK)).map(|reading| reading.value).sum()
    }

    #[test]
    fn members_are_named_by_their_program_and_numbered_by_first_sight() {
        let members = vec![
            member(10, "/usr/bin/node host.js", 5),
            member(11, "sh -c true", 1),
            member(12, "node worker.js", 9),
            member(13, "", 0),
        ];
        let processes = joined(Vec::new(), members, Instrument::Os);
        let roles: Vec<&str> = processes.iter().map(|process| process.role.as_str()).collect();
        assert_eq!(roles, ["node-1", "sh-1", "node-2", "MainThread-1"]);
        assert_eq!(processes[0].command.as_deref(), Some("/usr/bin/node host.js"));
        assert_eq!(processes[1].lived, Some(Lived { from_seconds: 0.011, to_seconds: 0.022 }));
        assert_eq!(sum(&processes), 15.0);
    }

    #[test]
    fn a_record_keeps_its_role_and_its_figures() {
        let own = Reading { value: 7.0, unit: Unit::Bytes, tier: Tier::Noisy };
        let record = Process {
            role: "parent".to_owned(),
            pid: 10,
            metrics: BTreeMap::from([(PEAK.to_owned(), own)]),
            ..Process::default()
        };
        let processes = joined(vec![record], vec![member(10, "parser x", 5)], Instrument::Os);
        assert_eq!(processes.len(), 1);
        assert_eq!(
            (processes[0].role.as_str(), processes[0].command.as_deref()),
            ("parent", Some("parser x"))
        );
        assert_eq!(sum(&processes), 7.0);
    }

    #[test]
    fn threads_with_records_share_the_memory_of_their_process() {
        let thread = |role: &str| Process { role: role.to_owned(), pid: 10, ..Process::default() };
        let records = vec![thread("node"), thread("node-thread-1")];
        let processes = joined(records, vec![member(10, "node x.js", 5)], Instrument::Os);
        assert!(processes.iter().all(|process| process.command.is_some()));
        assert_eq!((processes.len(), sum(&processes)), (2, 5.0));
    }

    #[test]
    fn a_role_that_a_record_has_is_not_given_again() {
        let record = Process { role: "node-1".to_owned(), pid: 99, ..Process::default() };
        let processes = joined(vec![record], vec![member(10, "node x.js", 5)], Instrument::Os);
        assert_eq!(processes[1].role, "node-2");
    }

    #[test]
    fn memory_is_known_under_one_instrument_only() {
        let processes = joined(Vec::new(), vec![member(10, "node x.js", 5)], Instrument::V8);
        assert!(processes[0].metrics.is_empty());
    }

    #[test]
    fn thousands_of_members_are_a_hundred_entries_and_one_with_the_same_sum() {
        let members: Vec<Member> =
            (1..=2345).map(|pid| member(pid, "cc x.c", u64::from(pid * 7919 % 2345))).collect();
        let expected: u64 = members.iter().map(|member| member.peak_bytes).sum();
        let processes = joined(Vec::new(), members, Instrument::Os);
        assert_eq!((processes.len(), sum(&processes)), (101, expected as f64));
        let least =
            processes[..100].iter().map(|process| process.metrics[PEAK].value).fold(f64::MAX, f64::min);
        assert_eq!(least, 2245.0);
        assert!(processes[..100].is_sorted_by_key(|process| process.pid));
        let rest = &processes[100];
        assert_eq!((rest.role.as_str(), rest.pid), ("2,245 smaller processes", 0));
        let to_seconds = Duration::from_millis(2 * 2345).as_secs_f64();
        assert_eq!(rest.lived, Some(Lived { from_seconds: 0.001, to_seconds }));
    }

    #[test]
    fn the_first_process_tells_the_order_of_the_phases() {
        let phase = |name: &str| TreePhase { name: name.to_owned(), ..TreePhase::default() };
        let tree = Tree { phases: vec![phase("show"), phase("Cold parse")], ..Tree::default() };
        let mut processes = joined(Vec::new(), vec![member(10, "node x.js", 5)], Instrument::Os);
        processes[0].phases.push(PhaseReading { name: "Cold parse".to_owned(), ..PhaseReading::default() });
        say_phases(&mut processes, 10, &tree);
        let names: Vec<&str> = processes[0].phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["Cold parse", "show"]);
        assert!(processes[0].phases[0].metrics.is_empty(), "a record's own phase stays as it is");
    }

    #[test]
    fn the_first_process_says_how_it_ended_badly() {
        let members = vec![member(10, "node x.js", 5), member(11, "sh", 5)];
        let mut processes = joined(Vec::new(), members, Instrument::Os);
        say_end(&mut processes, 10, &End::Exit(0));
        assert_eq!(processes[0].end, None);
        say_end(&mut processes, 10, &End::Signal(9));
        assert_eq!(processes[0].end.as_deref(), Some("was killed by signal 9"));
        assert_eq!(processes[1].end, None);
    }
}
