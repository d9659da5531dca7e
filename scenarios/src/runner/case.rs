//! A case while it is measured, and the record that becomes of it.

use std::collections::BTreeMap;

use engine::sync::Strategy;
use engine::sync::protocol::Skipped;
use harness::record::{self, Direction, Metric, Tier, Unit};
use harness::subject::Sample;

use super::Input;
use crate::answer::{Defect, Pass};

/// How much of what was skipped a note names.
const SKIPPED_NAMED: usize = 5;

/// A case while it is measured.
#[derive(Debug)]
pub(crate) struct CaseRun {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
    set: BTreeMap<String, Metric>,
    pub(crate) processes: Vec<record::Process>,
    pub(crate) notes: Vec<String>,
    /// The same on smaller corpora, smallest first.
    pub(crate) smaller: Vec<CaseRun>,
    /// Its size among those of a sweep, where that is not told by sessions.
    pub(crate) size: Option<record::Size>,
    /// What it was run on, where that is not the runner's input.
    pub(crate) corpus: Option<record::Corpus>,
    pub(super) error: Option<String>,
}

impl CaseRun {
    pub(crate) fn new(name: &str) -> CaseRun {
        CaseRun {
            name: name.to_owned(),
            samples: Vec::new(),
            set: BTreeMap::new(),
            processes: Vec::new(),
            notes: Vec::new(),
            smaller: Vec::new(),
            size: None,
            corpus: None,
            error: None,
        }
    }

    /// A case that is run on another input than the runner's.
    pub(crate) fn on(name: &str, input: &Input) -> CaseRun {
        CaseRun { corpus: Some(input.corpus.clone()), ..CaseRun::new(name) }
    }

    /// Adds a sample of a metric that a scenario defines.
    pub(crate) fn set(&mut self, name: &str, unit: Unit, tier: Tier, value: f64) {
        let metric = self.set.entry(name.to_owned()).or_insert_with(|| Metric {
            tier,
            unit,
            direction: if name.starts_with("degrade.") { Direction::Higher } else { Direction::Lower },
            median: value,
            samples: Vec::new(),
            demoted: false,
            interval: None,
        });
        metric.samples.push(value);
    }

    /// Counts the defects that a sample found, and names them with the first one.
    pub(crate) fn add_defects(&mut self, defects: &[Defect]) {
        if defects.is_empty() {
            return;
        }
        let found = defects.iter().filter(|defect| defect.found.is_some()).count();
        self.set("scenario.defects", Unit::Count, Tier::Exact, found as f64);
        for defect in defects.iter().filter(|_| self.samples.is_empty()) {
            let state = defect.found.as_ref().map_or("absent".to_owned(), |how| format!("present ({how})"));
            self.notes.push(format!("{}: {state}", defect.name));
        }
    }

    /// Says what figures mean, once.
    pub(crate) fn note_once(&mut self, notes: &[String]) {
        if self.samples.is_empty() {
            self.notes.extend_from_slice(notes);
        }
    }

    pub(crate) fn add(&mut self, sample: Sample, pass: &Pass, input: &Input) {
        let count = |value: u64| value as f64;
        let work = &pass.work;
        for (name, unit, value) in [
            ("engine.sessions", Unit::Count, count(pass.sessions)),
            ("engine.requests", Unit::Count, count(pass.requests)),
            ("engine.skipped_lines", Unit::Count, count(pass.skipped.lines)),
            ("engine.skipped_files", Unit::Count, count(pass.skipped.files)),
            ("engine.files_read", Unit::Count, count(work.files)),
            ("engine.workspaces_cached", Unit::Count, count(work.cached)),
            ("engine.bytes_read", Unit::Bytes, count(work.bytes)),
        ] {
            self.set(name, unit, Tier::Exact, value);
        }
        if let Some(bound) = input.bound_bytes {
            self.set("heap.bound_bytes", Unit::Bytes, Tier::Modelled, count(bound));
        }
        self.samples.push(sample);
    }

    /// Says what was passed over, once: files always, lines where no manifest says how many cannot be read. A strategy that
    /// looks for files which need not exist counts those, too: that is one of the defects that `sync/stale` shows, and no news
    /// elsewhere.
    pub(crate) fn note_skipped(&mut self, pass: &Pass, strategy: &Strategy, input: &Input) {
        let Skipped { files, lines, named, .. } = &pass.skipped;
        let news = *files > 0 || *lines > 0 && input.expected.is_none();
        if self.samples.len() > 1 || !news || strategy.probe_missing {
            return;
        }
        let some: Vec<String> =
            named.iter().take(SKIPPED_NAMED).map(|(path, why)| format!("{path}: {why}")).collect();
        let more = if named.len() > SKIPPED_NAMED { "; and more" } else { "" };
        self.notes.push(format!("skipped, files {files}, lines {lines}: {}{more}", some.join("; ")));
    }

    pub(super) fn record(mut self, input: &Input) -> record::Case {
        let corpus = self.corpus.unwrap_or_else(|| input.corpus.clone());
        let mut case = record::Case { case: self.name, corpus: Some(corpus), ..record::Case::default() };
        harness::combine::fill(&mut case, &self.samples);
        for metric in self.set.values_mut() {
            metric.median = harness::combine::median(&metric.samples).unwrap_or(metric.median);
            if metric.tier == Tier::Exact && metric.samples.iter().any(|sample| *sample != metric.samples[0])
            {
                (metric.tier, metric.demoted) = (Tier::Noisy, true);
            }
        }
        case.metrics.extend(self.set);
        case.processes.extend(self.processes);
        case.notes.extend(self.notes);
        case.error = self.error;
        if !self.smaller.is_empty() {
            let smaller = self.smaller.into_iter().map(|run| (run.size.clone(), run.record(input)));
            let mut sweep: Vec<record::SweepPoint> =
                smaller.filter_map(|(size, case)| point(size, &case)).collect();
            sweep.extend(point(self.size, &case));
            case.sweep = sweep;
        }
        case
    }
}

/// A case as one size of a sweep.
fn point(size: Option<record::Size>, case: &record::Case) -> Option<record::SweepPoint> {
    let corpus = case.corpus.clone()?;
    Some(record::SweepPoint { corpus, size, metrics: case.metrics.clone() })
}
