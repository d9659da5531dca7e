//! What tables show of foreign commands: how they ended, their phases and processes, and what watching cost. The terminal and the page
//! share it. The texts are those of a plain run.

use std::collections::BTreeMap;

use harness::record::{Case, Command, Corpus, Lived, Metric, Process, Unit};

use crate::rows::{Column, cell, missing, peak_rss, samples};
use crate::{figure, metric, plain};

/// Beyond so many samples each one is not listed; `run.json` has them.
const SAMPLES_LISTED_MAX: usize = 10;

/// Names of phases and programs come from outside; longer ones are cut in tables.
const NAME_MAX: usize = 40;

/// How the name of the case of a quiet pass ends.
const QUIET: &str = "-quiet";

/// The columns of the table of cases, between the strategy's name and the verdict.
pub(crate) const COLUMNS: &[Column] = &[
    Column { title: "peak RSS", cell: |_, case| peak_rss(case, ""), rank: 0 },
    Column { title: "width", cell: |_, case| width(case, ""), rank: 1 },
    Column { title: "peak heap", cell: |_, case| cell(case, "heap.peak_bytes"), rank: 0 },
    Column { title: "V8 heap", cell: |_, case| cell(case, "v8.heap_peak_bytes"), rank: 0 },
    Column { title: "V8 external", cell: |_, case| cell(case, "v8.external_peak_bytes"), rank: 3 },
    Column { title: "tracemalloc", cell: |_, case| cell(case, "tracemalloc.peak_bytes"), rank: 0 },
    Column { title: "PSS", cell: |_, case| cell(case, "pss.peak_bytes"), rank: 2 },
    Column { title: "control group", cell: |_, case| cell(case, "cgroup.peak_bytes"), rank: 3 },
    Column { title: "time", cell: |_, case| cell(case, "time.wall_seconds"), rank: 2 },
];

/// The metrics whose samples are listed.
const SAMPLED: &[(&str, &str)] = &[
    ("rss.peak_bytes", "upper end of peak RSS"),
    ("heap.peak_bytes", "peak heap"),
    ("v8.heap_peak_bytes", "V8 heap"),
    ("tracemalloc.peak_bytes", "tracemalloc"),
    ("time.wall_seconds", "time"),
];

/// What is known of a phase, beside its resident memory.
const OF_PHASE: &[(&str, &str)] = &[
    ("heap.peak_bytes", "peak heap"),
    ("v8.heap_peak_bytes", "V8 heap"),
    ("tracemalloc.peak_bytes", "tracemalloc"),
    ("time.wall_seconds", "time"),
];

/// What is known of a process. The processes are sorted by the first of these that is known.
const OF_PROCESS: &[(&str, &str)] = &[
    ("rss.peak_bytes", "own peak RSS"),
    ("heap.peak_bytes", "own peak heap"),
    ("v8.heap_peak_bytes", "own V8 heap"),
    ("v8.external_peak_bytes", "V8 external"),
    ("tracemalloc.peak_bytes", "own tracemalloc"),
];

/// How wide the interval of the tree's peak is, in percent of its upper end.
fn width(case: &Case, suffix: &str) -> String {
    let of = |name: &str| case.metrics.get(&format!("{name}{suffix}")).map(|metric| metric.median);
    match (of("tree.peak_low_bytes"), of("tree.peak_high_bytes")) {
        (Some(low), Some(high)) if high > 0.0 => percent((high - low) / high),
        _ => missing(),
    }
}

fn percent(part: f64) -> String {
    format!("{} %", figure::ratio(part * 100.0))
}

/// How the samples of a command ended: one line when all ended alike.
pub(crate) fn ends(command: &Command) -> Vec<String> {
    let mut by_end: Vec<(&str, Vec<String>)> = Vec::new();
    let several = command.ends.iter().any(|end| end.instrument != command.ends[0].instrument);
    for (index, end) in command.ends.iter().enumerate() {
        let instrument = if several { format!(" ({})", end.instrument) } else { String::new() };
        let sample = format!("{}{instrument}", index + 1);
        match by_end.iter_mut().find(|(words, _)| *words == end.end) {
            Some((_, samples)) => samples.push(sample),
            None => by_end.push((&end.end, vec![sample])),
        }
    }
    let expected = match command.expected_exit {
        0 => String::new(),
        code => format!("; exit code {code} was expected"),
    };
    let all = by_end.len() == 1;
    let lines = by_end.into_iter().map(|(words, samples)| match samples.len() {
        1 if all => format!("the sample {words}{expected}"),
        count if all => format!("each of {count} samples {words}{expected}"),
        1 => format!("sample {} {words}{expected}", samples[0]),
        _ => format!("each of the samples {} {words}{expected}", samples.join(", ")),
    });
    lines.collect()
}

/// What watching the trees cost, as a sentence.
pub(crate) fn cost(case: &Case) -> Option<String> {
    let median = |name: &str| case.metrics.get(name).map(|metric| metric.median);
    let share = median("watch.cpu_share")?;
    let traced = median("watch.seconds_per_process").map(|each| {
        let ms = figure::ratio(each * 1000.0);
        format!(", stopping and reading {ms} ms for each process")
    });
    Some(format!("looking at the tree took {} of a core{}", percent(share), traced.unwrap_or_default()))
}

/// Every sample of the main metrics, where there are several and not many: `peak RSS of each sample: 120 MiB, 122 MiB`.
pub(crate) fn sampled(case: &Case) -> Vec<String> {
    let few = |metric: &&Metric| (2..=SAMPLES_LISTED_MAX).contains(&metric.samples.len());
    let known =
        SAMPLED.iter().filter_map(|(name, title)| Some((title, case.metrics.get(*name).filter(few)?)));
    known.map(|(title, metric)| format!("{title} of each sample: {}", samples(metric))).collect()
}

/// The error of a case by lines, the first with what it means.
pub(crate) fn error(case: &Case) -> Vec<String> {
    let lines = case.error.iter().flat_map(|error| error.lines()).enumerate();
    lines
        .map(|(at, line)| if at == 0 { format!("no measurement: {line}") } else { format!("  {line}") })
        .collect()
}

/// A table: titles and rows, and which columns are of figures.
pub(crate) struct Table {
    pub(crate) titles: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// `l` or `r` for each column.
    pub(crate) sides: String,
}

/// The phases of a case, in order; none when it has none.
pub(crate) fn phases(case: &Case) -> Option<Table> {
    let names = phase_names(case);
    let known = |name: &str| names.iter().any(|phase| case.metrics.contains_key(&format!("{name}@{phase}")));
    let others: Vec<_> = OF_PHASE.iter().filter(|(name, _)| known(name)).collect();
    let rows = names.iter().map(|phase| {
        let suffix = format!("@{phase}");
        let memory = [plain::cut(phase, NAME_MAX), peak_rss(case, &suffix), width(case, &suffix)];
        let others = others.iter().map(|(name, _)| cell(case, &format!("{name}{suffix}")));
        memory.into_iter().chain(others).collect()
    });
    let titles = ["phase", "peak RSS", "width"].into_iter().chain(others.iter().map(|(_, title)| *title));
    let table = Table {
        titles: titles.collect(),
        rows: rows.collect(),
        sides: format!("lrr{}", "r".repeat(others.len())),
    };
    (!names.is_empty()).then_some(table)
}

/// In the order of the processes' records, then what only the metrics know.
pub(crate) fn phase_names(case: &Case) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let recorded = case.processes.iter().flat_map(|process| &process.phases).map(|phase| phase.name.as_str());
    let measured = case.metrics.keys().filter_map(|name| metric::split(name).1);
    for name in recorded.chain(measured) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The processes of a case as one instrument read them.
pub(crate) struct Read<'c> {
    pub(crate) instrument: &'c str,
    /// Those that the instrument could read, the largest first; several smaller ones that share an entry last.
    pub(crate) processes: Vec<&'c Process>,
    metrics: Vec<(&'static str, &'static str)>,
}

/// The processes of a case by instrument, each of one sample.
pub(crate) fn processes(case: &Case) -> Vec<Read<'_>> {
    let mut by_instrument: Vec<(&str, Vec<&Process>)> = Vec::new();
    for process in &case.processes {
        match by_instrument.iter_mut().find(|(instrument, _)| *instrument == process.instrument) {
            Some((_, processes)) => processes.push(process),
            None => by_instrument.push((&process.instrument, vec![process])),
        }
    }
    by_instrument.into_iter().filter_map(|(instrument, processes)| Read::of(instrument, processes)).collect()
}

impl<'c> Read<'c> {
    fn of(instrument: &'c str, processes: Vec<&'c Process>) -> Option<Read<'c>> {
        let known = |name: &str| processes.iter().any(|process| process.metrics.contains_key(name));
        let metrics: Vec<_> = OF_PROCESS.iter().copied().filter(|(name, _)| known(name)).collect();
        let (first, _) = *metrics.first()?;
        let has = |process: &&Process| metrics.iter().any(|(name, _)| process.metrics.contains_key(*name));
        let mut processes: Vec<&Process> = processes.into_iter().filter(has).collect();
        let size = |process: &Process| process.metrics.get(first).map_or(0.0, |reading| reading.value);
        processes.sort_by(|one, other| {
            let order = (one.pid == 0).cmp(&(other.pid == 0));
            order.then(size(other).total_cmp(&size(one)))
        });
        Some(Read { instrument, processes, metrics })
    }

    /// The largest processes, so many at most. Command lines stand in the last column.
    pub(crate) fn table(&self, at_most: usize) -> Table {
        let shown = &self.processes[..self.processes.len().min(at_most)];
        let ended = shown.iter().any(|process| process.end.is_some());
        let rows = shown.iter().map(|process| {
            let figures = self.metrics.iter().map(|(name, _)| process_cell(process, name));
            let mut row: Vec<String> = figures.collect();
            row.extend([process.lived.map_or_else(missing, lived), plain::cut(&process.role, NAME_MAX)]);
            row.extend(ended.then(|| process.end.clone().unwrap_or_else(missing)));
            row.push(process.command.clone().unwrap_or_else(missing));
            row
        });
        let mut titles: Vec<&str> = self.metrics.iter().map(|(_, title)| *title).collect();
        titles.extend(["lived", "process"]);
        titles.extend(ended.then_some("ended"));
        titles.push("command line");
        let sides = format!("{}rl{}l", "r".repeat(self.metrics.len()), if ended { "l" } else { "" });
        Table { titles, rows: rows.collect(), sides }
    }

    /// What stands for the processes beyond the first `at_most`: `and 80 more with 12 MiB together`.
    pub(crate) fn more(&self, at_most: usize) -> Option<String> {
        let left = self.processes.get(at_most..).filter(|left| !left.is_empty())?;
        let (name, _) = self.metrics[0];
        let sum: f64 =
            left.iter().filter_map(|process| process.metrics.get(name)).map(|reading| reading.value).sum();
        let (several, single): (Vec<&&Process>, Vec<&&Process>) =
            left.iter().partition(|process| process.pid == 0);
        let single = (!single.is_empty()).then(|| format!("{} more", single.len()));
        let what: Vec<String> =
            single.into_iter().chain(several.iter().map(|process| process.role.clone())).collect();
        Some(format!("and {} with {} together", what.join(" and "), figure::short(sum, Unit::Bytes)))
    }
}

fn process_cell(process: &Process, name: &str) -> String {
    process.metrics.get(name).map_or_else(missing, |reading| figure::short(reading.value, reading.unit))
}

fn lived(lived: Lived) -> String {
    format!("{:.2}-{:.2} s", lived.from_seconds, lived.to_seconds)
}

/// Words as a shell reads them back: what is more than letters, digits and a few signs is quoted.
pub(crate) fn command_line(words: &[String]) -> String {
    let is_safe = |c: char| c.is_alphanumeric() || "-_./:=,@%+{}".contains(c);
    let quoted = |word: &String| match !word.is_empty() && word.chars().all(is_safe) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The commands that repeat the cases of one scenario: two in comparison, or each by itself with its quiet pass.
pub(crate) fn repeat(cases: &[&Case]) -> Vec<String> {
    let corpus = cases.iter().find_map(|case| case.corpus.as_ref());
    let corpus = corpus.map_or_else(String::new, |Corpus { profile, scale, seed, .. }| {
        format!(" --corpus {profile}@{scale} --seed {seed}")
    });
    let lines: BTreeMap<&str, String> = cases
        .iter()
        .filter_map(|case| Some((case.case.as_str(), command_line(&case.command.as_ref()?.line))))
        .collect();
    let side =
        |which: &str| lines.iter().find(|(case, _)| case.ends_with(which)).map(|(_, line)| line.clone());
    if let (Some(base), Some(head)) = (side(":base"), side(":head")) {
        let (base, head) = (command_line(&[base]), command_line(&[head]));
        return vec![format!("highwater compare --base {base} --head {head}{corpus}")];
    }
    let is_quiet = |case: &str| case.strip_suffix(QUIET).is_some_and(|natural| lines.contains_key(natural));
    let natural = lines.iter().filter(|(case, _)| !is_quiet(case));
    natural
        .map(|(case, line)| {
            format!("highwater exec --name {}{corpus} -- {line}", command_line(&[(*case).to_owned()]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use harness::record::CommandEnd;

    use super::*;
    use crate::specimen;

    fn ended(ends: &[(&str, &str)], expected_exit: i32) -> Vec<String> {
        let ends = ends.iter().map(|(instrument, end)| CommandEnd {
            instrument: (*instrument).to_owned(),
            end: (*end).to_owned(),
            ..CommandEnd::default()
        });
        super::ends(&Command { expected_exit, ends: ends.collect(), ..Command::default() })
    }

    #[test]
    fn samples_that_ended_alike_share_a_line() {
        let (well, killed) = ("ended with exit code 0", "was killed by signal 9");
        assert_eq!(ended(&[("os", well)], 0), ["the sample ended with exit code 0"]);
        assert_eq!(ended(&[("os", well), ("v8", well)], 0), ["each of 2 samples ended with exit code 0"]);
        assert_eq!(
            ended(&[("os", killed), ("os", well), ("v8", killed)], 3),
            [
                "each of the samples 1 (os), 3 (v8) was killed by signal 9; exit code 3 was expected",
                "sample 2 (os) ended with exit code 0; exit code 3 was expected",
            ]
        );
        assert_eq!(ended(&[], 0), [""; 0]);
    }

    #[test]
    fn a_command_is_written_as_a_shell_reads_it() {
        let words = ["node", "", "it's", "a b", "$HOME", "{corpus}/x", "Zürich"].map(str::to_owned);
        assert_eq!(command_line(&words), r"node '' 'it'\''s' 'a b' '$HOME' {corpus}/x Zürich");
    }

    #[test]
    fn a_quiet_pass_is_repeated_with_its_natural_one() {
        let mut run = specimen::foreign();
        run.cases[1].case = "exec/parse:natural-quiet".to_owned();
        let cases: Vec<&Case> = run.cases.iter().collect();
        let line = "highwater exec --name exec/parse:natural --corpus heavy@0.1 --seed 1 -- \
                    node parse-host.cjs --pattern 'a|b`c` d'";
        assert_eq!(repeat(&cases), [line]);
    }

    #[test]
    fn many_samples_are_not_listed() {
        let mut case = specimen::foreign().cases.remove(0);
        assert!(sampled(&case)[0].ends_with(": 130 MiB, 131 MiB, 132 MiB"));
        case.metrics.values_mut().for_each(|metric| metric.samples = vec![1.0; SAMPLES_LISTED_MAX + 1]);
        assert_eq!(sampled(&case), [""; 0]);
    }
}
