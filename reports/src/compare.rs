//! Two runs side by side: what each metric of each case was, and whether the change can be told from noise.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::record::{Case, Direction, Metric, Run, Unit, Verdict};

use crate::decision::{self, Terms};
use crate::judge::interval::is_noisy;
use crate::{figure, fingerprint, plain};

mod commands;

pub use commands::commands;

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// One line for each metric of each case that both runs measured.
    pub lines: Vec<Line>,
    /// Cases of only one of the runs, and what else makes the comparison doubtful, as sentences.
    pub doubts: Vec<String>,
}

/// One metric of one case in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// `family/scenario:strategy`.
    pub case: String,
    /// The metric.
    pub metric: String,
    /// Unit of both figures.
    pub unit: Unit,
    /// Median in the base run.
    pub base: f64,
    /// Median in the head run.
    pub head: f64,
    /// What became of it.
    pub change: Change,
}

/// What became of a metric from base to head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Exact, and the same.
    Equal,
    /// Changed for the good: exact and different, or noisy and no chance (by the terms of [`decision`]).
    Better,
    /// Changed for the bad, in the same sense.
    Worse,
    /// Noisy, and may be chance.
    WithinNoise,
    /// Noisy, with too few samples to say.
    NotJudged,
}

impl Change {
    /// The change in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Change::Equal => "equal",
            Change::Better => "better",
            Change::Worse => "worse",
            Change::WithinNoise => "within noise",
            Change::NotJudged => "not judged",
        }
    }
}

impl Line {
    /// By how much head differs from base, in percent of base; `None` when base is 0.
    pub fn percent(&self) -> Option<f64> {
        (self.base != 0.0).then(|| (self.head - self.base) / self.base * 100.0)
    }

    fn cells(&self) -> [String; 6] {
        let percent = match self.percent() {
            None => "-".to_owned(),
            Some(0.0) => "0 %".to_owned(),
            Some(percent) => format!("{percent:+.2} %"),
        };
        [
            self.metric.clone(),
            figure::short(self.base, self.unit),
            figure::short(self.head, self.unit),
            figure::change(self.head - self.base, self.unit),
            percent,
            self.change.in_words().to_owned(),
        ]
    }
}

/// Compares what both runs measured; phases are left out, since a case's own figures are what budgets limit.
pub fn compare(base: &Run, head: &Run) -> Comparison {
    let (base, head) = (&plain::run(base), &plain::run(head));
    let mut comparison =
        Comparison { lines: Vec::new(), doubts: fingerprint::all(&base.environment, &head.environment) };
    let doubts = &mut comparison.doubts;
    for case in &head.cases {
        let Some(earlier) = base.cases.iter().find(|earlier| earlier.case == case.case) else {
            doubts.push(format!("{} is only in the head run", case.case));
            continue;
        };
        match incomparable(earlier, case) {
            Some(why) => doubts.push(format!("{} is not compared: {why}", case.case)),
            None => comparison.lines.extend(lines(earlier, case)),
        }
    }
    let names: BTreeSet<&str> = head.cases.iter().map(|case| case.case.as_str()).collect();
    let gone = base.cases.iter().filter(|case| !names.contains(case.case.as_str()));
    doubts.extend(gone.map(|case| format!("{} is only in the base run", case.case)));
    comparison
}

fn incomparable(base: &Case, head: &Case) -> Option<String> {
    let failed = [("base", base), ("head", head)]
        .into_iter()
        .find_map(|(which, case)| Some((which, case.error.as_ref()?)));
    if let Some((which, error)) = failed {
        return Some(format!("it has no measurement in the {which} run, {error}"));
    }
    let digest = |case: &Case| case.corpus.as_ref().map(|corpus| corpus.digest.clone());
    (digest(base) != digest(head)).then(|| "the runs read different corpora".to_owned())
}

fn lines(base: &Case, head: &Case) -> Vec<Line> {
    let plain = head.metrics.iter().filter(|(name, _)| !name.contains('@'));
    let both = plain.filter_map(|(name, metric)| Some((name, base.metrics.get(name)?, metric)));
    both.map(|(name, earlier, metric)| Line {
        case: head.case.clone(),
        metric: name.clone(),
        unit: metric.unit,
        base: earlier.median,
        head: metric.median,
        change: change(earlier, metric),
    })
    .collect()
}

fn change(base: &Metric, head: &Metric) -> Change {
    if !is_noisy(base) && !is_noisy(head) {
        return if base.median == head.median { Change::Equal } else { towards(base, head) };
    }
    let terms = Terms::default();
    if decision::feasible(base.samples.len(), head.samples.len(), terms.alpha).is_err() {
        return Change::NotJudged;
    }
    match decision::noisy(&base.samples, &head.samples, 0.0, head.direction, &terms).0 {
        Verdict::Regression => Change::Worse,
        Verdict::Improved => Change::Better,
        _ => Change::WithinNoise,
    }
}

fn towards(base: &Metric, head: &Metric) -> Change {
    let fell = head.median < base.median;
    if fell == (head.direction == Direction::Lower) { Change::Better } else { Change::Worse }
}

const TITLES: [&str; 6] = ["metric", "base", "head", "change", "percent", "judged"];

/// The comparison for the terminal.
pub fn text(comparison: &Comparison) -> String {
    let rows: Vec<[String; 6]> = comparison.lines.iter().map(Line::cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([TITLES[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let aligned = |cells: &[String; 6]| {
        let mut line = format!("  {:<width$}", cells[0], width = widths[0]);
        for (cell, width) in cells[1..5].iter().zip(&widths[1..]) {
            let _ = write!(line, "  {cell:>width$}");
        }
        format!("{line}  {}\n", cells[5])
    };
    let mut out = String::new();
    for (index, (line, row)) in comparison.lines.iter().zip(&rows).enumerate() {
        if index == 0 || comparison.lines[index - 1].case != line.case {
            let gap = if index == 0 { "" } else { "\n" };
            let _ = writeln!(out, "{gap}{}", line.case);
            out.push_str(&aligned(&TITLES.map(str::to_owned)));
        }
        out.push_str(&aligned(row));
    }
    if !comparison.doubts.is_empty() {
        let _ = writeln!(out, "\ndoubts");
        comparison.doubts.iter().for_each(|doubt| out.push_str(&format!("  {doubt}\n")));
    }
    out
}

/// The comparison as a page.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = "# Comparison\n".to_owned();
    for (index, line) in comparison.lines.iter().enumerate() {
        if index == 0 || comparison.lines[index - 1].case != line.case {
            let _ =
                writeln!(out, "\n## {}\n\n| {} |\n|---|--:|--:|--:|--:|---|", line.case, TITLES.join(" | "));
        }
        let _ = writeln!(out, "| {} |", line.cells().join(" | "));
    }
    if !comparison.doubts.is_empty() {
        let _ = writeln!(out, "\n## Doubts\n");
        comparison.doubts.iter().for_each(|doubt| out.push_str(&format!("- {doubt}\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen::{self, exact, noisy};

    fn changed(name: &str, metric: &str, change: impl FnOnce(&mut Metric)) -> Run {
        let mut run = specimen::run();
        let case = run.cases.iter_mut().find(|case| case.case == name).unwrap();
        change(case.metrics.get_mut(metric).unwrap());
        run
    }

    fn line(base: &Run, head: &Run, metric: &str) -> Line {
        let found = compare(base, head).lines;
        found.into_iter().find(|line| line.case == "sync/cold:bounded" && line.metric == metric).unwrap()
    }

    #[test]
    fn one_byte_of_an_exact_metric_is_a_change() {
        let base = specimen::run();
        assert_eq!(line(&base, &base, "heap.peak_bytes").change, Change::Equal);
        let head = changed("sync/cold:bounded", "heap.peak_bytes", |metric| metric.median += 1.0);
        assert_eq!(line(&base, &head, "heap.peak_bytes").change, Change::Worse);
        assert_eq!(line(&head, &base, "heap.peak_bytes").change, Change::Better);
    }

    #[test]
    fn few_noisy_samples_are_not_judged_however_far_apart() {
        let base = specimen::run();
        let head =
            changed("sync/cold:bounded", "rss.peak_bytes", |metric| *metric = noisy(&[9e9; 3], Unit::Bytes));
        assert_eq!(line(&base, &head, "rss.peak_bytes").change, Change::NotJudged);
    }

    #[test]
    fn enough_noisy_samples_are_judged_by_the_terms_of_the_gate() {
        let from = |first: f64| {
            let samples: Vec<f64> = (0..8).map(|number| first + f64::from(number)).collect();
            changed("sync/cold:bounded", "rss.peak_bytes", |metric| *metric = noisy(&samples, Unit::Bytes))
        };
        let base = from(10.0);
        assert_eq!(line(&base, &from(12.5), "rss.peak_bytes").change, Change::WithinNoise);
        assert_eq!(line(&base, &from(18.5), "rss.peak_bytes").change, Change::Worse);
        assert_eq!(line(&base, &from(1.5), "rss.peak_bytes").change, Change::Better);
    }

    #[test]
    fn more_is_better_where_the_metric_says_so() {
        let (mut base, mut head) = (exact(1.0, Unit::Count), exact(2.0, Unit::Count));
        (base.direction, head.direction) = (Direction::Higher, Direction::Higher);
        assert_eq!(change(&base, &head), Change::Better);
    }

    #[test]
    fn cases_on_other_corpora_or_without_measurement_are_not_compared() {
        let base = specimen::run();
        let mut head = specimen::run();
        head.cases[0].corpus.as_mut().unwrap().digest = "ffff".to_owned();
        head.cases[1].error = Some("the answer is wrong".to_owned());
        let gone = head.cases.pop().unwrap();
        let comparison = compare(&base, &head);
        assert_eq!(
            comparison.doubts,
            [
                format!("{} is not compared: the runs read different corpora", head.cases[0].case),
                format!(
                    "{} is not compared: it has no measurement in the head run, the answer is wrong",
                    head.cases[1].case
                ),
                format!("{} is only in the base run", gone.case),
            ]
        );
        assert!(
            comparison
                .lines
                .iter()
                .all(|line| line.case != head.cases[0].case && line.case != head.cases[1].case)
        );
    }

    #[test]
    fn a_comparison_as_text_and_as_a_page() {
        let mut base = specimen::run();
        base.cases.retain(|case| case.case.ends_with(":bounded"));
        let mut head = changed("sync/cold:bounded", "heap.peak_bytes", |metric| metric.median += 65_536.0);
        head.cases.retain(|case| case.case.ends_with(":bounded"));
        head.environment.kernel = "6.19.0".to_owned();
        let comparison = compare(&base, &head);
        insta::assert_snapshot!(text(&comparison) + "\n" + &markdown(&comparison));
    }
}
