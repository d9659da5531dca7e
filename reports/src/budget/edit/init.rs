//! A first file of budgets: what a run came to, and some headroom.

use std::fmt::Write as _;
use std::path::Path;

use harness::record::{Case, Metric, Run, Unit};
use toml_edit::Value;

use super::{highest, is_exact, with_headroom, written};
use crate::budget::{Budgets, SCHEMA_ADDRESS};
use crate::decision::{self, Terms};
use crate::{Error, figure, plain};

/// A new file of budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct First {
    /// Its text.
    pub text: String,
    /// How many limits it has.
    pub limits: usize,
    /// The cases that have none, with the reason, one line each.
    pub left_out: Vec<String>,
}

/// Peaks that a ceiling is written for, the most telling first: the first that was measured, and of a command also the first that
/// is of its whole tree.
const PEAKS: &[&str] =
    &["heap.peak_bytes", "tree.peak_high_bytes", "rss.peak_bytes", "survive.least_heap_bytes"];
const OF_A_TREE: &[&str] = &["tree.peak_high_bytes", "rss.peak_bytes"];

/// Least headroom of what differs from run to run, in percent: the next run may well be above the largest sample.
const NOISY_HEADROOM_PERCENT: f64 = 10.0;

/// How much resident memory may grow: less than that is rarely told from chance at 15 samples a side.
const NOISY_GROWTH: &str = "2 %";

const MANUAL: &str = "\
# Budgets of memory: the limits of each case, with the reason for each. The manual is docs/budgets.md of highwater.
#
# A case is family/scenario:strategy, and * stands for any text. Each [[budget]] has one of these limits:
#   ceiling = \"8 MiB\"                      at most this
#   floor = 0.9                            at least this
#   ceiling_metric = \"heap.bound_bytes\"    at most another metric of the case
#   ratio = { of = \"a/b:c\", at_most = 0.5 }  at most this part of the same metric of another case
#   growth = \"0 B\" or \"2 %\"                not worse than the baseline (--baseline FILE) by more than this
#   drift = \"5 %\"                          not worse than the last release (--release FILE) by more than this
# and may have
#   primary = true                         a growth that is tested by itself, whatever else is tested
#   platform = \"*-linux\", allocator = \"*\"  where the limit holds; everywhere when not given
#   tripwire = true                        the case must break the limit: one that does not shows that nothing is seen
#
# highwater budget ratchet RUN RUN RUN     tightens the ceilings that three runs in a row have kept with room to spare
# highwater budget explain CASE            says what holds for a case, and why
# highwater budget waive CASE METRIC ...   excuses a broken limit, up to a ceiling and until a day
";

/// Writes the budgets that a run keeps, with so many percent of headroom.
///
/// # Errors
/// Occurs when no case of the run has a peak to limit.
pub fn init(run: &Run, headroom_percent: f64, path: &Path) -> Result<First, Error> {
    let mut writer = Writer {
        run,
        headroom_percent,
        text: format!("#:schema {SCHEMA_ADDRESS}\n{MANUAL}"),
        limits: 0,
        left_out: Vec::new(),
    };
    run.cases.iter().for_each(|case| writer.case(case));
    let Writer { mut text, limits, left_out, .. } = writer;
    if limits == 0 {
        let why = left_out.first().map_or("the run has no cases", String::as_str);
        let message = format!("there is nothing to limit: {why}");
        return Err(Error::Unchanged { path: path.to_owned(), message });
    }
    if !left_out.is_empty() {
        text.push_str("\n# Without a limit:\n");
        left_out.iter().for_each(|what| comment(&mut text, what));
    }
    Budgets::parse(&text, path)?;
    Ok(First { text, limits, left_out })
}

struct Writer<'r> {
    run: &'r Run,
    headroom_percent: f64,
    text: String,
    limits: usize,
    left_out: Vec<String>,
}

impl Writer<'_> {
    fn case(&mut self, case: &Case) {
        if let Some(error) = &case.error {
            self.left_out.push(plain::line(&format!("{}: not measured, {error}", case.case)));
            return;
        }
        let first =
            |names: &[&'static str]| names.iter().find_map(|name| Some((*name, measured(case, name)?)));
        let Some((name, metric)) = first(PEAKS) else {
            let what = format!("{}: none of {} was measured", case.case, PEAKS.join(", "));
            self.left_out.push(plain::line(&what));
            return;
        };
        let _ = writeln!(self.text, "\n# {}", plain::line(&case.case));
        self.limits_of(case, name, metric);
        if let Some((tree, metric)) =
            first(OF_A_TREE).filter(|(tree, _)| case.command.is_some() && *tree != name)
        {
            self.limits_of(case, tree, metric);
        }
    }

    /// A ceiling, and a growth limit where it could ever be judged.
    fn limits_of(&mut self, case: &Case, name: &str, metric: &Metric) {
        let is_exact = is_exact(metric);
        let percent =
            if is_exact { self.headroom_percent } else { self.headroom_percent.max(NOISY_HEADROOM_PERCENT) };
        let limit = written(with_headroom(highest(metric), percent), metric.unit);
        let measured = self.measured_in_words(case, metric);
        self.entry(case, name, "ceiling", limit, &format!("{measured}; headroom {percent} %"));
        if is_exact {
            let why = "the figure repeats to the byte, so one byte more is a change of the program";
            self.entry(case, name, "growth", zero(metric.unit), why);
            return;
        }
        let samples = metric.samples.len();
        match decision::feasible(samples, samples, Terms::default().alpha) {
            Ok(()) => {
                let why = "the figure differs from run to run, and more than this is a change of the program";
                self.entry(case, name, "growth", NOISY_GROWTH.into(), why);
            }
            Err(why) => {
                let _ = writeln!(self.text, "\n# No growth limit of {name}:");
                comment(&mut self.text, &why);
            }
        }
    }

    fn measured_in_words(&self, case: &Case, metric: &Metric) -> String {
        let figure = match metric.unit {
            Unit::Bytes => format!("{} B", figure::short(highest(metric), Unit::Count)),
            unit => figure::short(highest(metric), unit),
        };
        let largest = if is_exact(metric) {
            String::new()
        } else {
            format!(", the largest of {} samples,", metric.samples.len())
        };
        let day = self.run.time.get(..10).unwrap_or(&self.run.time);
        // The commit is that of highwater: it says nothing of somebody else's program.
        let own = self.run.artifact.commit.as_deref().filter(|_| case.command.is_none());
        let commit = own.map(|commit| format!(" at {}", commit.get(..12).unwrap_or(commit)));
        format!("measured {figure}{largest} on {day}{}", commit.unwrap_or_default())
    }

    fn entry(&mut self, case: &Case, metric: &str, key: &str, limit: Value, reason: &str) {
        let (case, metric) = (Value::from(case.case.as_str()), Value::from(metric));
        let primary = if key == "growth" { "primary = true\n" } else { "" };
        let reason = Value::from(reason);
        let _ = write!(
            self.text,
            "\n[[budget]]\ncase = {case}\nmetric = {metric}\n{key} = {limit}\n{primary}reason = {reason}\n"
        );
        self.limits += 1;
    }
}

fn measured<'c>(case: &'c Case, name: &str) -> Option<&'c Metric> {
    case.metrics.get(name).filter(|metric| !metric.samples.is_empty() && metric.median.is_finite())
}

fn zero(unit: Unit) -> Value {
    if unit == Unit::Bytes { "0 B".into() } else { 0.into() }
}

fn comment(text: &mut String, said: &str) {
    let _ = writeln!(text, "# {said}");
}

#[cfg(test)]
mod tests {
    use harness::record::Verdict;

    use super::*;
    use crate::judge::{self, Against};
    use crate::specimen;

    const FILE: &str = "budgets.toml";

    fn first(run: &Run, headroom: f64) -> First {
        init(run, headroom, Path::new(FILE)).unwrap()
    }

    #[test]
    fn a_first_file_passes_on_the_run_that_it_is_made_of() {
        for mut run in [specimen::run(), specimen::foreign()] {
            run.cases.retain(|case| case.error.is_none());
            for headroom in [0.0, 10.0, 33.3] {
                let budgets = Budgets::parse(&first(&run, headroom).text, Path::new(FILE)).unwrap();
                let mut run = run.clone();
                judge::judge(&mut run, &budgets, &Against::nothing(jiff::civil::date(2026, 2, 1)));
                assert_eq!(run.verdict, Verdict::Pass, "{headroom} % {:?}", run.doubts);
            }
        }
    }

    #[test]
    fn a_first_file_says_what_was_measured_when_and_where() {
        let mut run = specimen::run();
        run.cases.retain(|case| case.case.ends_with(":bounded") || case.case.ends_with(":as-reported"));
        run.cases[0].error = Some("the worker died".to_owned());
        let metric = run.cases[1].metrics.get_mut("heap.peak_bytes").unwrap();
        metric.samples[0] += 1024.0;
        let text = first(&run, 10.0).text;
        let (hint, rest) = text.split_once('\n').unwrap();
        assert_eq!(hint, format!("#:schema {SCHEMA_ADDRESS}"));
        insta::assert_snapshot!(rest);
    }

    #[test]
    fn resident_memory_has_a_growth_limit_when_there_are_samples_to_judge_it() {
        let mut run = specimen::run();
        run.cases.truncate(1);
        run.cases[0].metrics.remove("heap.peak_bytes");
        let few = first(&run, 0.0).text;
        assert!(few.contains("7 a side can") && !few.contains("growth = \"2 %\"\n"), "{few}");
        let samples: Vec<f64> = (0..7).map(|index| 1e8 + f64::from(index)).collect();
        run.cases[0].metrics.insert("rss.peak_bytes".to_owned(), specimen::noisy(&samples, Unit::Bytes));
        let enough = first(&run, 0.0).text;
        assert!(enough.contains("growth = \"2 %\"\nprimary = true\n"), "{enough}");
        assert!(
            enough.contains("the largest of 7 samples, on 2026-01-02 at 0123456789ab; headroom 10 %"),
            "{enough}"
        );
    }

    #[test]
    fn a_run_without_a_peak_makes_no_file() {
        let mut run = specimen::run();
        run.cases.clear();
        let said = init(&run, 10.0, Path::new(FILE)).unwrap_err().to_string();
        assert_eq!(said, "budgets.toml: there is nothing to limit: the run has no cases");
    }

    #[test]
    fn names_and_errors_from_outside_leave_a_file_that_can_be_read() {
        let mut run = specimen::run();
        run.cases.truncate(2);
        run.cases[1].error = Some("first\nthe \u{1b}[31msecond".to_owned());
        run.cases[0].case = "exec/\"a\\b\":as-given".to_owned();
        let budgets = Budgets::parse(&first(&run, 10.0).text, Path::new(FILE)).unwrap();
        assert_eq!(budgets.budgets[0].case, run.cases[0].case);
    }
}
