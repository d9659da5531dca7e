//! CSV (RFC 4180), for a spreadsheet or a data frame: one line for each metric of each case.

use harness::record::{Case, Direction, Metric, Run, Tier, Verdict};

use super::{range, unit};
use crate::{Error, metric, rows};

/// What the columns are. `low` and `high` are the least and the greatest sample, or the ends of an estimate's interval; `verdict` is the
/// gravest of the budgets on this metric.
const TITLES: [&str; 16] = [
    "case",
    "metric",
    "phase",
    "median",
    "low",
    "high",
    "samples",
    "unit",
    "tier",
    "direction",
    "verdict",
    "profile",
    "scale",
    "seed",
    "commit",
    "time",
];

/// Every metric of every case; a case without a measurement has one line, whose metric is empty and whose verdict is `error`.
/// So has a limit on what was not measured.
///
/// # Errors
/// None are known: lines are written into memory.
pub fn report(run: &Run) -> Result<String, Error> {
    let run = &crate::plain_run(run);
    let mut lines = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| Error::Text { what: "CSV", why: error.to_string() };
    lines.write_record(TITLES).map_err(wrong)?;
    for case in &run.cases {
        for (name, metric) in &case.metrics {
            lines.write_record(line(run, case, name, metric)).map_err(wrong)?;
        }
        if case.metrics.is_empty() {
            lines.write_record(unmeasured(run, case, "", rows::worst(case))).map_err(wrong)?;
            continue;
        }
        for judgement in case.verdicts.iter().filter(|found| !case.metrics.contains_key(&found.metric)) {
            let line = unmeasured(run, case, &judgement.metric, Some(judgement.verdict));
            lines.write_record(line).map_err(wrong)?;
        }
    }
    let bytes = lines.into_inner().map_err(|error| wrong(error.into_error().into()))?;
    String::from_utf8(bytes).map_err(|error| Error::Text { what: "CSV", why: error.to_string() })
}

fn line(run: &Run, case: &Case, name: &str, found: &Metric) -> [String; 16] {
    let (plain, phase) = metric::split(name);
    let (low, high) = range(found);
    let judged = case.verdicts.iter().filter(|judgement| judgement.metric == name);
    let verdict = judged.map(|judgement| judgement.verdict).max().map_or("", rows::name);
    let tier = match found.tier {
        Tier::Exact => "exact",
        Tier::Noisy => "noisy",
        Tier::Modelled => "modelled",
    };
    let direction = match found.direction {
        Direction::Lower => "lower",
        Direction::Higher => "higher",
    };
    let start = [case.case.as_str(), plain, phase.unwrap_or_default()].map(cell);
    let figures = [found.median, low, high].map(|figure| figure.to_string());
    let kind = [found.samples.len().to_string(), unit(found.unit).to_owned(), tier.to_owned()];
    let rest = [direction.to_owned(), verdict.to_owned()];
    let all: Vec<String> = [&start[..], &figures, &kind, &rest, &of_run(run, case)].concat();
    all.try_into().unwrap_or_default()
}

fn unmeasured(run: &Run, case: &Case, metric: &str, verdict: Option<Verdict>) -> [String; 16] {
    let (plain, phase) = metric::split(metric);
    let mut cells: [String; 16] = Default::default();
    for (at, text) in [case.case.as_str(), plain, phase.unwrap_or_default()].into_iter().enumerate() {
        cells[at] = cell(text);
    }
    cells[10] = verdict.map_or("", rows::name).to_owned();
    cells[11..].clone_from_slice(&of_run(run, case));
    cells
}

/// What a line says of its corpus and run.
fn of_run(run: &Run, case: &Case) -> [String; 5] {
    let commit = run.artifact.commit.clone().unwrap_or_default();
    let [profile, scale, seed] = match &case.corpus {
        Some(corpus) => [cell(&corpus.profile), corpus.scale.to_string(), corpus.seed.to_string()],
        None => Default::default(),
    };
    [profile, scale, seed, cell(&commit), cell(&run.time)]
}

/// A text that a spreadsheet does not take for a formula, as the names of foreign cases might be.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
