//! What tables show of a run: its cases by scenario, and the text of each cell. The terminal and the page share it.

use harness::record::{Case, Corpus, Environment, Metric, Process, Run, Unit, Verdict};

use crate::bytes::format_bytes;
use crate::judge::{NOTHING, TRIPWIRE};
use crate::{figure, foreign};

/// The cases of one scenario.
pub(crate) struct Group<'r> {
    /// `family/scenario`.
    pub(crate) scenario: &'r str,
    /// In the order of the run.
    pub(crate) cases: Vec<&'r Case>,
}

/// A column of the table of cases.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) cell: fn(&Group<'_>, &Case) -> String,
    /// Columns of higher rank go first where the line is too short.
    pub(crate) rank: u8,
}

impl Group<'_> {
    /// Whether its cases are of foreign commands.
    pub(crate) fn is_foreign(&self) -> bool {
        self.cases.iter().any(|case| case.command.is_some())
    }

    /// The columns that its cases may have.
    pub(crate) fn columns(&self) -> &'static [Column] {
        if self.is_foreign() { foreign::COLUMNS } else { COLUMNS }
    }
}

impl Column {
    /// Whether any case of the scenario has something to show in it.
    pub(crate) fn is_known(&self, group: &Group<'_>) -> bool {
        group.cases.iter().any(|case| (self.cell)(group, case) != missing())
    }
}

/// The columns of the table of cases, between the strategy's name and the verdict.
const COLUMNS: &[Column] = &[
    Column { title: "peak heap", cell: |_, case| cell(case, "heap.peak_bytes"), rank: 0 },
    Column { title: "peak RSS", cell: |_, case| peak_rss(case, ""), rank: 0 },
    Column { title: "total bytes", cell: |_, case| cell(case, "heap.total_bytes"), rank: 3 },
    Column { title: "time", cell: |_, case| cell(case, "time.wall_seconds"), rank: 2 },
    Column { title: "of as-reported", cell: part_of_reported, rank: 1 },
];

/// Figures that only some scenarios have, with the word that stands before them.
const SPECIAL: &[(&str, &str)] = &[
    ("survive.least_heap_bytes", "least heap"),
    ("stale.defects", "defects"),
    ("degrade.sessions_kept", "sessions kept"),
    ("degrade.told", "told"),
    ("engine.files_read", "files read"),
    ("law.exponent", "exponent"),
];

/// The run's cases by scenario, in order of first appearance.
pub(crate) fn groups(run: &Run) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in &run.cases {
        let (scenario, _) = parts(&case.case);
        match groups.iter_mut().find(|group| group.scenario == scenario) {
            Some(group) => group.cases.push(case),
            None => groups.push(Group { scenario, cases: vec![case] }),
        }
    }
    groups
}

/// `sync/cold:bounded` as `sync/cold` and `bounded`.
pub(crate) fn parts(case: &str) -> (&str, &str) {
    case.split_once(':').unwrap_or((case, ""))
}

/// A corpus in words: `heavy x 0.1, seed 1: 312 MiB, 640 sessions`.
pub(crate) fn corpus_in_words(corpus: &Corpus) -> String {
    // Of a person's own history nothing is known beforehand.
    if corpus.profile == "home" {
        return "a person's own history".to_owned();
    }
    let Corpus { profile, scale, seed, .. } = corpus;
    let sessions = figure::short(corpus.sessions as f64, Unit::Count);
    format!("{profile} x {scale}, seed {seed}: {}, {sessions} sessions", format_bytes(corpus.bytes))
}

/// The options of `highwater run` that choose the corpus: ` --profile heavy --scale 0.019 --seed 1`.
pub(crate) fn corpus_options(corpus: &Corpus) -> String {
    match corpus.profile.as_str() {
        "home" => " --home DIR".to_owned(),
        // What a scenario makes for itself is named after both, and is no profile: their names have no dash.
        own if own.contains('-') => String::new(),
        profile => format!(" --profile {profile} --scale {} --seed {}", corpus.scale, corpus.seed),
    }
}

/// The command that measures one case again; none for commands, whose cases are repeated together.
pub(crate) fn again(case: &Case) -> Option<String> {
    if case.command.is_some() || case.case.starts_with("compare/") {
        return None;
    }
    let corpus = case.corpus.as_ref().map(corpus_options).unwrap_or_default();
    Some(format!("highwater run {}{corpus} --sites", case.case))
}

/// The figures that only this kind of scenario has, in words: `least heap 6 MiB`.
pub(crate) fn special(case: &Case) -> String {
    let words = special_names(case).map(|name| format!("{} {}", word_of(name), cell(case, name)));
    words.collect::<Vec<_>>().join(", ")
}

/// The metrics that only this kind of scenario has.
pub(crate) fn special_names(case: &Case) -> impl Iterator<Item = &str> {
    let named = SPECIAL.iter().map(|(name, _)| *name).filter(|name| case.metrics.contains_key(*name));
    let is_own = |name: &&str| name.starts_with("scenario.") && !name.contains('@');
    named.chain(case.metrics.keys().map(String::as_str).filter(is_own))
}

/// Such a metric in words: `least heap`.
pub(crate) fn word_of(name: &str) -> String {
    let named = SPECIAL.iter().find(|(known, _)| *known == name);
    named.map_or_else(
        || name.trim_start_matches("scenario.").replace('_', " "),
        |(_, word)| (*word).to_owned(),
    )
}

/// Where a run took place: what, and its value.
pub(crate) fn environment(environment: &Environment) -> [(&'static str, String); 6] {
    let Environment { platform, kernel, cpu, allocator, toolchain, target, lockfile, profile, .. } =
        environment;
    [
        ("platform", format!("{platform}, kernel {kernel}")),
        ("processor", format!("{cpu}, {}", counted(environment.cores as usize, "core"))),
        ("memory", format_bytes(environment.memory_bytes)),
        ("pages", format!("{}, huge pages {}", format_bytes(environment.page_bytes), environment.huge_pages)),
        ("allocator", allocator.clone()),
        ("build", format!("{toolchain}, {target}, {profile}, Cargo.lock {lockfile}")),
    ]
}

/// The commands that repeat a run: one for each scenario, and for each table of worths.
pub(crate) fn repeat(run: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups(run) {
        if group.is_foreign() {
            lines.extend(foreign::repeat(&group.cases));
            continue;
        }
        let corpus = group.cases.iter().find_map(|case| case.corpus.as_ref()).map(corpus_options);
        lines.push(format!("highwater run '{}:*'{}", group.scenario, corpus.unwrap_or_default()));
    }
    lines.extend(run.worth.iter().map(|worth| format!("highwater run --lattice {}", worth.scenario)));
    lines
}

/// The worst verdict of a case; `None` when no budget applied to it. A case that failed needs none.
pub(crate) fn worst(case: &Case) -> Option<Verdict> {
    let failed = case.error.as_ref().map(|_| Verdict::Error);
    case.verdicts.iter().map(|judgement| judgement.verdict).chain(failed).max()
}

/// The verdict's name, as in `run.json`.
pub(crate) fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Improved => "improved",
        Verdict::Waived => "waived",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Unfit => "unfit",
        Verdict::Regression => "regression",
        Verdict::Error => "error",
    }
}

/// Whether anything was to be judged: what nobody wanted judged has no verdict, nor has a comparison of choices.
pub(crate) fn is_judged(run: &Run) -> bool {
    run.verdict != Verdict::Pass || run.cases.iter().any(|case| !case.verdicts.is_empty())
}

/// Why a run failed in which no case and no limit did: nothing was judged, or not what a base was given for.
pub(crate) fn unfounded(run: &Run) -> Option<&str> {
    let is_told = |case: &Case| {
        case.error.is_some() || case.verdicts.iter().any(|judgement| judgement.verdict == Verdict::Error)
    };
    if run.verdict != Verdict::Error || run.cases.iter().any(is_told) {
        return None;
    }
    run.doubts.iter().map(String::as_str).find(|doubt| doubt.starts_with(NOTHING))
}

/// The run's verdict with what it rests on: `pass: 12 limits judged, 2 of them tripwires, in 8 cases`.
pub(crate) fn summary(run: &Run) -> String {
    let all = || run.cases.iter().flat_map(|case| &case.verdicts);
    let tripwires = all().filter(|judgement| judgement.why.starts_with(TRIPWIRE)).count();
    if !is_judged(run) {
        let choices = run.cases.is_empty() && !run.worth.is_empty();
        let measured = format!("{} measured", counted(run.cases.len(), "case"));
        return format!("not judged: {}", if choices { "choices were compared" } else { &measured });
    }
    let (limits, cases) = (counted(all().count(), "limit"), counted(run.cases.len(), "case"));
    let tripwires =
        if tripwires == 0 { String::new() } else { format!(", {tripwires} of them by tripwires") };
    format!("{}: {limits} judged{tripwires}, in {cases}", name(run.verdict))
}

/// `1 case`, `2 cases`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// The processes of a case by role, in order of first appearance: each was read by several instruments.
pub(crate) fn roles(case: &Case) -> Vec<Role<'_>> {
    let mut roles: Vec<Role<'_>> = Vec::new();
    for process in &case.processes {
        match roles.iter_mut().find(|role| role.name == process.role) {
            Some(role) => role.readings.push(process),
            None => roles.push(Role { name: &process.role, readings: vec![process] }),
        }
    }
    roles
}

/// One process of a case, as each instrument read it in a process of its own.
pub(crate) struct Role<'r> {
    pub(crate) name: &'r str,
    pub(crate) readings: Vec<&'r Process>,
}

impl Role<'_> {
    /// A figure of the whole process, or of one phase.
    pub(crate) fn figure(&self, phase: Option<&str>, metric: &str) -> Option<f64> {
        self.readings.iter().find_map(|process| {
            let metrics = match phase {
                None => &process.metrics,
                Some(name) => &process.phases.iter().find(|phase| phase.name == name)?.metrics,
            };
            metrics.get(metric).map(|reading| reading.value)
        })
    }

    /// The same as the text of a cell.
    pub(crate) fn cell(&self, phase: Option<&str>, metric: &str) -> String {
        self.figure(phase, metric).map_or_else(missing, |value| figure::short(value, Unit::Bytes))
    }

    /// The names of the process's phases, in order of first entry.
    pub(crate) fn phases(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for phase in self.readings.iter().flat_map(|process| &process.phases) {
            if !names.contains(&phase.name.as_str()) {
                names.push(&phase.name);
            }
        }
        names
    }
}

/// How the process ended, when not well.
pub(crate) fn ends<'r>(role: &Role<'r>) -> Option<&'r str> {
    role.readings.iter().find_map(|process| process.end.as_deref())
}

/// The text of a cell whose metric was not measured.
pub(crate) fn missing() -> String {
    "-".to_owned()
}

pub(crate) fn cell(case: &Case, metric: &str) -> String {
    case.metrics.get(metric).map_or_else(missing, shown)
}

/// Every sample of a metric, in the order taken.
pub(crate) fn samples(metric: &Metric) -> String {
    let each = metric.samples.iter().map(|sample| figure::short(*sample, metric.unit));
    each.collect::<Vec<_>>().join(", ")
}

fn shown(metric: &Metric) -> String {
    figure::short(metric.median, metric.unit)
}

/// Resident memory of all processes together, as an interval where that is known. `suffix` is empty, or names a phase: `@parse`.
pub(crate) fn peak_rss(case: &Case, suffix: &str) -> String {
    let tree = |name: &str| case.metrics.get(&format!("{name}{suffix}")).map(shown);
    match (tree("tree.peak_low_bytes"), tree("tree.peak_high_bytes")) {
        (Some(low), Some(high)) if low != high => match (low.split_once(' '), high.split_once(' ')) {
            (Some((figure, unit)), Some((_, high_unit))) if unit == high_unit => {
                format!("{figure}-{high}")
            }
            _ => format!("{low}-{high}"),
        },
        (_, Some(high)) => high,
        _ => cell(case, &format!("rss.peak_bytes{suffix}")),
    }
}

/// How much of `as-reported`'s heap a case of the same scenario takes.
fn part_of_reported(group: &Group<'_>, case: &Case) -> String {
    let part = || {
        let reported = group.cases.iter().find(|other| parts(&other.case).1 == "as-reported")?;
        let both = |name: &str| Some((case.metrics.get(name)?.median, reported.metrics.get(name)?.median));
        let (own, whole) = both("survive.least_heap_bytes").or_else(|| both("heap.peak_bytes"))?;
        (whole > 0.0).then(|| figure::ratio(own / whole))
    };
    part().unwrap_or_else(missing)
}

/// The verdict of a case as one word or two.
pub(crate) fn verdict_of(case: &Case) -> String {
    match worst(case) {
        None => "no budget".to_owned(),
        Some(Verdict::Pass) if case.tripwire => "tripwire".to_owned(),
        Some(verdict) => name(verdict).to_owned(),
    }
}
