//! A command's case while it is measured, and the record it becomes.

use harness::record;
use harness::subject::{Output, Sample};

use super::program::PLACEHOLDER;
use super::{BURN_IN, Options, Pass, Program, end};
use crate::burn_in;
use crate::runner::record_of;

#[derive(Debug)]
pub(super) struct CaseRun {
    pub(super) name: String,
    pub(super) error: Option<String>,
    samples: Vec<Sample>,
    ends: Vec<record::CommandEnd>,
    notes: Vec<String>,
}

impl CaseRun {
    pub(super) fn new(name: &str) -> CaseRun {
        CaseRun {
            name: name.to_owned(),
            error: None,
            samples: Vec::new(),
            ends: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether it was never measured.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.error.is_none()
    }

    /// Adds a sample; a wrong end is the case's error.
    pub(super) fn add(&mut self, mut sample: Sample, pass: Pass, number: u32, options: &Options) {
        self.ends.push(end::record(&sample, pass));
        self.error = end::wrong(&sample, pass, number, options);
        let is_recorded = sample.processes.iter().any(|process| !process.metrics.is_empty());
        if self.error.is_none() && number == 1 && !pass.reads_from_outside() && !is_recorded {
            self.notes.push(pass.nothing_recorded());
        }
        // It is kept on disk, and this process stays small.
        (sample.stdout, sample.stderr) = (Output::default(), Output::default());
        self.samples.push(sample);
    }

    /// Notes a sample that is not used; a wrong end is the case's error all the same.
    pub(super) fn burn_in(&mut self, sample: Sample, pass: Pass, options: &Options) {
        self.error = end::wrong(&sample, pass, BURN_IN, options);
        if self.error.is_some() {
            self.ends.push(end::record(&sample, pass));
        }
        self.notes.push(burn_in::in_words(sample));
    }

    /// The record. A case with an error has no measurement, but says which processes there were.
    pub(super) fn record(self, program: &Program, options: &Options) -> record::Case {
        let mut case = record::Case {
            case: self.name,
            corpus: options.corpus.as_ref().map(record_of),
            command: Some(record::Command {
                line: program.line(),
                expected_exit: options.expected_exit,
                ends: self.ends,
            }),
            notes: self.notes,
            error: self.error,
            ..record::Case::default()
        };
        if options.corpus.is_none() && program.names_corpus() {
            case.notes.push(format!("{PLACEHOLDER} was left as it stands: there is no --corpus"));
        }
        harness::combine::fill(&mut case, &self.samples);
        if case.error.is_none() && case.metrics.is_empty() {
            case.error = Some("nothing was measured: no process left a record".to_owned());
        }
        if case.error.is_some() {
            case.metrics.clear();
        }
        case
    }
}
