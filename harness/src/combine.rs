//! Samples become the metrics of a case. Pure: it reads samples and measures nothing.
//!
//! Within one sample, a metric of several processes is their sum: `heap.peak_bytes` is the sum of each process's own exact peak, and
//! `rss.peak_bytes` the sum of each one's own peak. So is a phase's, over the processes that have that phase. Wall time is
//! that of the first process that has it (the parent), and a ratio is the largest. A phase of a foreign program is one of its tree. Where a metric is read by several
//! instruments, the first of [`Instrument::ALL`] that has it gives it.
//!
//! Over samples, a metric keeps every figure. One that is exact by nature but differed is noisy, and says that it was demoted.

use std::collections::BTreeMap;

use crate::instrument::Instrument;
use crate::record::{Case, Direction, Metric, Process, Reading, Tier, Unit};
use crate::subject::{HeapDeath, How, Sample};

/// What all samples of a case came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Combined {
    /// Every metric, phases as `NAME@PHASE`.
    pub metrics: BTreeMap<String, Metric>,
    /// The processes of the first sample of each instrument.
    pub processes: Vec<Process>,
    /// What a reader should know of the samples, as sentences.
    pub notes: Vec<String>,
}

/// Puts together the samples of one case, of one or several instruments, each in the order taken.
pub fn combine(samples: &[Sample]) -> Combined {
    let mut combined = Combined::default();
    for instrument in Instrument::ALL {
        let own: Vec<&Sample> = samples.iter().filter(|sample| sample.instrument == instrument).collect();
        let Some(first) = own.first() else { continue };
        combined.processes.extend(first.processes.iter().cloned());
        for (name, metric) in over_samples(&own) {
            combined.metrics.entry(name).or_insert(metric);
        }
    }
    combined.notes = notes(samples);
    combined
}

/// Writes what [`combine`] found into a case.
pub fn fill(case: &mut Case, samples: &[Sample]) {
    let combined = combine(samples);
    case.metrics = combined.metrics;
    case.processes = combined.processes;
    case.notes.extend(combined.notes);
}

/// The median: the middle figure, or the mean of the two in the middle. None of nothing.
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

type Readings = BTreeMap<String, Reading>;

/// The metrics of the samples of one instrument.
fn over_samples(samples: &[&Sample]) -> BTreeMap<String, Metric> {
    let mut figures: BTreeMap<String, (Reading, Vec<f64>)> = BTreeMap::new();
    for sample in samples {
        for (name, reading) in of_sample(sample) {
            figures.entry(name).or_insert((reading, Vec::new())).1.push(reading.value);
        }
    }
    figures
        .into_iter()
        .filter_map(|(name, (reading, figures))| Some((name, metric(reading, figures, samples.len())?)))
        .collect()
}

fn metric(reading: Reading, figures: Vec<f64>, samples: usize) -> Option<Metric> {
    let median = median(&figures)?;
    let equal = figures.len() == samples && figures.iter().all(|&figure| figure == figures[0]);
    let demoted = reading.tier == Tier::Exact && !equal;
    Some(Metric {
        tier: if demoted { Tier::Noisy } else { reading.tier },
        unit: reading.unit,
        direction: Direction::Lower,
        median,
        samples: figures,
        demoted,
        interval: None,
    })
}

/// The figures of one sample, over all its processes.
fn of_sample(sample: &Sample) -> Readings {
    let mut sum = Readings::new();
    for process in &sample.processes {
        for (name, reading) in &process.metrics {
            add(&mut sum, name.clone(), *reading);
        }
        for phase in &process.phases {
            for (name, reading) in &phase.metrics {
                add(&mut sum, format!("{name}@{}", phase.name), *reading);
            }
        }
    }
    // The bound of a case needs the bound of every process in it.
    if sample.processes.iter().any(|process| !process.metrics.contains_key("heap.peak_bound_bytes")) {
        sum.remove("heap.peak_bound_bytes");
    }
    add_from_outside(&mut sum, sample);
    sum
}

fn add(sum: &mut Readings, name: String, reading: Reading) {
    let is_wall = name == "time.wall_seconds" || name.starts_with("time.wall_seconds@");
    sum.entry(name)
        .and_modify(|known| match known.unit {
            _ if is_wall => {}
            Unit::Ratio => known.value = known.value.max(reading.value),
            _ => known.value += reading.value,
        })
        .or_insert(reading);
}

/// What was seen from outside: the tree, and for programs that record nothing, time and memory too.
fn add_from_outside(sum: &mut Readings, sample: &Sample) {
    if sample.instrument != Instrument::Os {
        return;
    }
    // Of a foreign program the tree is what was asked for, whatever some of its processes know of themselves.
    if is_foreign(sample) {
        for name in ["time.wall_seconds", "time.cpu_seconds", "rss.peak_bytes"] {
            sum.remove(name);
        }
    }
    let mut offer = |name: &str, unit, value| {
        sum.entry(name.to_owned()).or_insert(Reading { value, unit, tier: Tier::Noisy });
    };
    offer("time.wall_seconds", Unit::Seconds, sample.wall.as_secs_f64());
    offer("time.cpu_seconds", Unit::Seconds, sample.cpu.as_secs_f64());
    let Some(tree) = &sample.tree else { return };
    offer("tree.peak_low_bytes", Unit::Bytes, tree.low_bytes as f64);
    offer("tree.peak_high_bytes", Unit::Bytes, tree.high_bytes as f64);
    offer("rss.peak_bytes", Unit::Bytes, tree.high_bytes as f64);
    for (name, bytes) in
        [("pss.peak_bytes", tree.proportional_bytes), ("cgroup.peak_bytes", tree.cgroup_bytes)]
    {
        if let Some(bytes) = bytes {
            offer(name, Unit::Bytes, bytes as f64);
        }
    }
    for phase in &tree.phases {
        let name = &phase.name;
        offer(&format!("tree.peak_low_bytes@{name}"), Unit::Bytes, phase.low_bytes as f64);
        offer(&format!("tree.peak_high_bytes@{name}"), Unit::Bytes, phase.high_bytes as f64);
        offer(&format!("rss.peak_bytes@{name}"), Unit::Bytes, phase.high_bytes as f64);
        offer(&format!("time.wall_seconds@{name}"), Unit::Seconds, phase.wall.as_secs_f64());
    }
    if is_foreign(sample) {
        let cost = tree.cost.polling.as_secs_f64();
        offer("watch.cpu_share", Unit::Ratio, cost / sample.wall.as_secs_f64().max(f64::MIN_POSITIVE));
    }
    if is_foreign(sample) && tree.how.traced {
        let each = tree.cost.tracing.as_secs_f64() / tree.members.len() as f64;
        offer("watch.seconds_per_process", Unit::Seconds, each);
    }
}

/// Whether the sample is of a program that knows nothing of this crate: only its processes have command lines.
fn is_foreign(sample: &Sample) -> bool {
    sample.processes.iter().any(|process| process.command.is_some())
}

fn notes(samples: &[Sample]) -> Vec<String> {
    let mut notes = Vec::new();
    for sample in samples {
        // How a foreign program ended is said of the command.
        let status = sample.status.to_string();
        let told = |process: &Process, end: &String| process.command.is_some() && *end == status;
        let ends = sample.processes.iter().filter_map(|process| Some((process, process.end.as_ref()?)));
        let ends = ends.filter(|(process, end)| !told(process, end));
        notes.extend(ends.map(|(process, end)| format!("{} {end}", process.role)));
        let ends = sample.stragglers.iter();
        notes.extend(ends.map(|line| format!("outlived the first process and was killed: {line}")));
        notes.extend(sample.heap_deaths.iter().map(HeapDeath::to_string));
        notes.extend(sample.doubts.iter().cloned());
    }
    notes.sort();
    notes.dedup();
    notes.extend(how_trees_were_read(samples));
    notes
}

/// How the trees of foreign programs were read, and what that costs: a sentence for those that were traced, one for the others.
fn how_trees_were_read(samples: &[Sample]) -> Vec<String> {
    let read = samples.iter().filter(|sample| sample.instrument == Instrument::Os && is_foreign(sample));
    let trees: Vec<How> = read.filter_map(|sample| Some(sample.tree.as_ref()?.how)).collect();
    let (traced, polled): (Vec<How>, Vec<How>) = trees.iter().partition(|how| how.traced);
    let of = |some: &[How]| match trees.len() {
        1 => "the tree was".to_owned(),
        all if some.len() == all => "the trees were".to_owned(),
        all => format!("in {} of {all} samples the tree was", some.len()),
    };
    let mut said = Vec::new();
    if !traced.is_empty() {
        said.push(format!("{} read at every member's end and in {} polls", of(&traced), polls(&traced)));
    }
    if !polled.is_empty() {
        said.push(format!(
            "{} only polled, {} times: a peak in the last moments of a process may be missed",
            of(&polled),
            polls(&polled)
        ));
    }
    said
}

/// From the fewest polls to the most: `790 to 812`.
fn polls(trees: &[How]) -> String {
    let counts = || trees.iter().map(|how| how.polls);
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::PhaseReading;
    use crate::subject::{Cost, End, Member, Output, Tree, TreePhase};

    fn reading(value: f64, unit: Unit, tier: Tier) -> Reading {
        Reading { value, unit, tier }
    }

    fn process(role: &str, metrics: &[(&str, f64, Unit, Tier)]) -> Process {
        let metrics =
            metrics.iter().map(|&(name, value, unit, tier)| (name.into(), reading(value, unit, tier)));
        Process { role: role.into(), metrics: metrics.collect(), ..Process::default() }
    }

    fn sample(instrument: Instrument, processes: Vec<Process>) -> Sample {
        Sample {
            instrument,
            status: End::Exit(0),
            processes,
            heap_limits: Vec::new(),
            heap_deaths: Vec::new(),
            tree: None,
            doubts: Vec::new(),
            wall: Duration::from_secs(2),
            cpu: Duration::from_secs(1),
            stdout: Output::default(),
            stderr: Output::default(),
            stragglers: Vec::new(),
        }
    }

    fn peak(role: &str, bytes: f64) -> Process {
        process(role, &[("heap.peak_bytes", bytes, Unit::Bytes, Tier::Exact)])
    }

    #[test]
    fn peaks_of_processes_are_added() {
        let samples = [sample(Instrument::Count, vec![peak("parent", 10.0), peak("worker", 5.0)])];
        let metric = &combine(&samples).metrics["heap.peak_bytes"];
        assert_eq!((metric.median, metric.tier, metric.demoted), (15.0, Tier::Exact, false));
    }

    #[test]
    fn an_exact_metric_that_differs_is_demoted() {
        let samples = [10.0, 12.0, 11.0].map(|bytes| sample(Instrument::Count, vec![peak("parent", bytes)]));
        let metric = &combine(&samples).metrics["heap.peak_bytes"];
        assert_eq!((metric.median, metric.tier, metric.demoted), (11.0, Tier::Noisy, true));
        assert_eq!(metric.samples, [10.0, 12.0, 11.0]);
    }

    #[test]
    fn an_exact_metric_that_one_sample_lacks_is_demoted() {
        let samples = [
            sample(Instrument::Count, vec![peak("parent", 1.0)]),
            sample(Instrument::Count, vec![process("parent", &[])]),
        ];
        assert!(combine(&samples).metrics["heap.peak_bytes"].demoted);
    }

    #[test]
    fn the_bound_is_absent_when_one_process_has_none() {
        let bounded = |role| process(role, &[("heap.peak_bound_bytes", 7.0, Unit::Bytes, Tier::Exact)]);
        let both = [sample(Instrument::Count, vec![bounded("parent"), bounded("worker")])];
        assert_eq!(combine(&both).metrics["heap.peak_bound_bytes"].median, 14.0);
        let one = [sample(Instrument::Count, vec![bounded("parent"), peak("worker", 1.0)])];
        assert!(!combine(&one).metrics.contains_key("heap.peak_bound_bytes"));
    }

    #[test]
    fn phases_are_named_after_the_metric_and_added_over_processes() {
        let mut parent = process("parent", &[]);
        let metrics =
            BTreeMap::from([("heap.peak_bytes".to_owned(), reading(3.0, Unit::Bytes, Tier::Exact))]);
        parent.phases.push(PhaseReading { name: "parse".into(), metrics });
        let mut worker = parent.clone();
        worker.role = "worker".into();
        let combined = combine(&[sample(Instrument::Count, vec![parent, worker])]);
        assert_eq!(combined.metrics["heap.peak_bytes@parse"].median, 6.0);
    }

    #[test]
    fn wall_time_is_the_parents_and_a_ratio_the_largest() {
        let with = |role, wall, ratio| {
            process(
                role,
                &[
                    ("time.wall_seconds", wall, Unit::Seconds, Tier::Noisy),
                    ("share", ratio, Unit::Ratio, Tier::Exact),
                ],
            )
        };
        let combined =
            combine(&[sample(Instrument::Os, vec![with("parent", 4.0, 0.1), with("worker", 3.0, 0.5)])]);
        assert_eq!(combined.metrics["time.wall_seconds"].median, 4.0);
        assert_eq!(combined.metrics["share"].median, 0.5);
    }

    #[test]
    fn a_program_without_records_is_known_from_outside() {
        let mut outside = sample(Instrument::Os, Vec::new());
        outside.tree = Some(Tree { low_bytes: 5, high_bytes: 8, ..Tree::default() });
        let metrics = combine(&[outside]).metrics;
        assert_eq!(metrics["rss.peak_bytes"].median, 8.0);
        assert_eq!(metrics["tree.peak_low_bytes"].median, 5.0);
        assert_eq!(metrics["time.wall_seconds"].median, 2.0);
    }

    /// A sample of a foreign program, whose tree was watched for 2 s and 20 ms of processor time.
    fn foreign(traced: bool, polls: u64) -> Sample {
        let process = |role: &str| Process { command: Some("node x.js".into()), ..peak(role, 0.0) };
        let member = |pid| Member {
            pid,
            command: "node".into(),
            command_line: "node x.js".into(),
            peak_bytes: 4,
            first_seen: Duration::ZERO,
            last_seen: Duration::from_secs(2),
        };
        let phase = TreePhase {
            name: "Cold parse".into(),
            low_bytes: 3,
            high_bytes: 6,
            wall: Duration::from_millis(500),
        };
        let tree = Tree {
            low_bytes: 5,
            high_bytes: 8,
            proportional_bytes: Some(7),
            members: vec![member(1), member(2)],
            phases: vec![phase],
            how: How { polls, traced },
            cost: Cost { polling: Duration::from_millis(12), tracing: Duration::from_millis(8) },
            ..Tree::default()
        };
        Sample { tree: Some(tree), ..sample(Instrument::Os, vec![process("node-1"), process("node-2")]) }
    }

    #[test]
    fn the_phases_of_a_foreign_program_are_those_of_its_tree() {
        let metrics = combine(&[foreign(true, 1)]).metrics;
        assert_eq!(metrics["tree.peak_low_bytes@Cold parse"].median, 3.0);
        assert_eq!(metrics["tree.peak_high_bytes@Cold parse"].median, 6.0);
        assert_eq!(metrics["rss.peak_bytes@Cold parse"].median, 6.0);
        assert_eq!(metrics["time.wall_seconds@Cold parse"].median, 0.5);
        assert_eq!(metrics["pss.peak_bytes"].median, 7.0);
        assert!(!metrics.contains_key("cgroup.peak_bytes"), "no control group was read");
    }

    #[test]
    fn the_cost_of_watching_is_told_of_foreign_programs() {
        let metrics = combine(&[foreign(true, 1)]).metrics;
        assert_eq!(metrics["watch.cpu_share"].median, 0.006);
        assert_eq!(metrics["watch.seconds_per_process"].median, 0.004);
        assert!(!combine(&[foreign(false, 1)]).metrics.contains_key("watch.seconds_per_process"));
        let own = Sample { processes: vec![peak("parent", 1.0)], ..foreign(true, 1) };
        assert!(!combine(&[own]).metrics.contains_key("watch.cpu_share"));
        let other = Sample { instrument: Instrument::V8, ..foreign(true, 1) };
        assert!(!combine(&[other]).metrics.contains_key("watch.cpu_share"));
    }

    #[test]
    fn how_the_trees_were_read_is_one_sentence_for_all() {
        let traced = "read at every member's end and in";
        assert_eq!(combine(&[foreign(true, 812)]).notes, [format!("the tree was {traced} 812 polls")]);
        let several = combine(&[foreign(true, 812), foreign(true, 790), foreign(true, 800)]);
        assert_eq!(several.notes, [format!("the trees were {traced} 790 to 812 polls")]);
        let mixed = combine(&[foreign(true, 812), foreign(false, 9)]);
        let polled = "only polled, 9 times: a peak in the last moments of a process may be missed";
        assert_eq!(
            mixed.notes,
            [
                format!("in 1 of 2 samples the tree was {traced} 812 polls"),
                format!("in 1 of 2 samples the tree was {polled}"),
            ]
        );
    }

    #[test]
    fn a_full_heap_is_a_note() {
        let death = HeapDeath {
            pid: 1234,
            what: "node, a worker thread".into(),
            limit_bytes: Some(64 << 20),
            used_bytes: Some(66_165_146),
        };
        let dead = Sample { heap_deaths: vec![death], ..sample(Instrument::Os, Vec::new()) };
        let said = "node, a worker thread (process 1234), ran out of heap: limit 64 MiB, 63.1 MiB in use";
        assert_eq!(combine(&[dead]).notes, [said]);
    }

    #[test]
    fn how_the_command_ended_is_not_said_again_of_its_process() {
        let mut ended = foreign(true, 1);
        ended.status = End::Exit(3);
        ended.processes[0].end = Some(End::Exit(3).to_string());
        ended.processes[1].end = Some("reached its heap limit".into());
        let notes = combine(&[ended]).notes;
        assert!(notes.contains(&"node-2 reached its heap limit".to_owned()), "{notes:?}");
        assert!(!notes.iter().any(|note| note.starts_with("node-1")), "{notes:?}");
    }

    #[test]
    fn a_death_is_noted_once() {
        let mut dead = process("worker", &[]);
        dead.end = Some("reached its heap limit".into());
        let samples = [1, 2].map(|_| sample(Instrument::Count, vec![dead.clone()]));
        assert_eq!(combine(&samples).notes, ["worker reached its heap limit"]);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
