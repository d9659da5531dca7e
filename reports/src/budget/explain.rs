//! What a file of budgets says of one case, in words: limits here and elsewhere, what a run came to, exceptions, orders and sums.

use harness::record::{Case, Environment, Judgement, Metric, Run, Unit};
use jiff::civil::Date;

use super::{Budget, Budgets, Limit, Waiver, matches};
use crate::judge::{self, Against};
use crate::{figure, plain, rows};

/// What a case is explained from.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'d> {
    /// The file of budgets.
    pub budgets: &'d Budgets,
    /// A run, for figures and verdicts.
    pub run: Option<&'d Run>,
    /// What the run is judged against, and the day.
    pub against: &'d Against<'d>,
    /// Where "here" is: of the run, when there is one, its environment counts instead.
    pub environment: &'d Environment,
}

/// Explains every known case that fits a pattern, in lines; none when no case fits.
pub fn explain(pattern: &str, known: &[String], desk: &Desk<'_>) -> Vec<String> {
    let mut judged = desk.run.cloned();
    if let Some(run) = &mut judged {
        judge::judge(run, desk.budgets, desk.against);
    }
    let place = judged.as_ref().map_or(desk.environment, |run| &run.environment);
    let view = View {
        budgets: desk.budgets,
        in_force: desk.budgets.in_force(place),
        run: judged.as_ref(),
        place,
        today: desk.against.today,
    };
    let mut names: Vec<&str> =
        known.iter().map(String::as_str).filter(|name| matches(pattern, name)).collect();
    names.sort_unstable();
    names.dedup();
    // A run may hold names and errors from outside.
    names.into_iter().flat_map(|name| view.case(name)).map(|line| plain::line(&line)).collect()
}

/// A judged run beside the budgets.
struct View<'v> {
    budgets: &'v Budgets,
    in_force: Vec<&'v Budget>,
    run: Option<&'v Run>,
    place: &'v Environment,
    today: Date,
}

impl View<'_> {
    fn case(&self, name: &str) -> Vec<String> {
        let of_case = |budget: &&Budget| matches(&budget.case, name);
        let (here, elsewhere): (Vec<&Budget>, Vec<&Budget>) =
            self.budgets.budgets.iter().filter(of_case).partition(|budget| self.is_in_force(budget));
        let mut lines = vec![name.to_owned()];
        let measured = self.run.map(|run| run.cases.iter().find(|case| case.case == name));
        if let Some(what) = measured.map(not_measured) {
            lines.extend(what);
        }
        if here.is_empty() {
            lines.push(format!(
                "  no limit is in force on {} with {}",
                self.place.platform, self.place.allocator
            ));
        }
        here.into_iter().for_each(|budget| lines.extend(self.limit(name, budget)));
        elsewhere.into_iter().for_each(|budget| lines.push(self.elsewhere(budget)));
        lines.extend(self.orders(name));
        lines.extend(self.sums(name));
        let waivers = self.budgets.waivers.iter().filter(|waiver| waiver.case == name);
        lines.extend(waivers.map(|waiver| self.waiver(waiver)));
        lines
    }

    fn is_in_force(&self, budget: &Budget) -> bool {
        self.in_force.iter().any(|other| std::ptr::eq(*other, budget))
    }

    fn limit(&self, name: &str, budget: &Budget) -> Vec<String> {
        let mut marks = Vec::new();
        if budget.tripwire {
            marks.push("a tripwire, which must break it".to_owned());
        }
        if budget.primary {
            marks.push("primary".to_owned());
        }
        marks.extend(place_in_words(budget));
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join("; ")) };
        let at = self.at(budget.line);
        let mut lines = vec![format!("  {} {}{marks}  {at}", budget.metric, budget.in_words())];
        lines.push(format!("    because: {}", budget.reason));
        lines.extend(self.now(name, budget).map(|now| format!("    now: {now}")));
        lines
    }

    /// What the run came to.
    fn now(&self, name: &str, budget: &Budget) -> Option<String> {
        let run = self.run?;
        let case = run.cases.iter().find(|case| case.case == name && case.error.is_none())?;
        let limit = budget.in_words();
        let of_budget = |found: &&Judgement| found.metric == budget.metric && found.budget == limit;
        let Some(found) = case.verdicts.iter().find(of_budget) else {
            let what = format!("{}{name} {} {limit}: ", judge::NOT_JUDGED, budget.metric);
            let doubt = run.doubts.iter().find_map(|doubt| doubt.strip_prefix(what.as_str()));
            return doubt.map(|why| format!("not judged, {why}"));
        };
        let verdict = rows::name(found.verdict);
        match room(run, case, budget) {
            Some(room) => Some(format!("{room}; {verdict}")),
            None => Some(format!("{verdict}: {}", found.why)),
        }
    }

    fn elsewhere(&self, budget: &Budget) -> String {
        let place = place_in_words(budget);
        // A limit without a place holds everywhere but where a more particular one stands for it.
        let place = place.unwrap_or_else(|| "where no more particular limit holds".to_owned());
        format!("  elsewhere: {} {}, {place}  {}", budget.metric, budget.in_words(), self.at(budget.line))
    }

    fn orders(&self, name: &str) -> Vec<String> {
        let own = self.budgets.orders.iter().filter(|order| order.cases.iter().any(|case| case == name));
        let lines = own.flat_map(|order| {
            let what = format!("  in the order of {}: {}", order.metric, order.cases.join(" > "));
            [format!("{what}  {}", self.at(order.line)), format!("    because: {}", order.reason)]
        });
        lines.collect()
    }

    fn sums(&self, name: &str) -> Vec<String> {
        let own = self.budgets.sums.iter().filter(|sum| sum.case == name);
        let lines = own.flat_map(|sum| {
            let container = sum.container.map(|bytes| format!(", within a container of {}", shown(bytes)));
            let what =
                format!("  in the sum: {} {}{}", sum.within, sum.in_words(), container.unwrap_or_default());
            [format!("{what}  {}", self.at(sum.line)), format!("    because: {}", sum.reason)]
        });
        lines.collect()
    }

    fn waiver(&self, waiver: &Waiver) -> String {
        let days = (waiver.expires - self.today).get_days();
        let left = match days {
            _ if waiver.has_expired(self.today) => {
                format!("expired {} ago", rows::counted(-days as usize, "day"))
            }
            0 => "its last day is today".to_owned(),
            days => format!("{} left", rows::counted(days as usize, "day")),
        };
        format!("  {} {}; {left}  {}", waiver.metric, waiver.in_words(), self.at(waiver.line))
    }

    fn at(&self, line: usize) -> String {
        format!("[{}:{line}]", self.budgets.path.display())
    }
}

/// Why a run has no figures of the case.
fn not_measured(case: Option<&Case>) -> Option<String> {
    match case {
        None => Some("  the run does not have this case".to_owned()),
        Some(case) => Some(format!("  not measured: {}", case.error.as_ref()?)),
    }
}

fn place_in_words(budget: &Budget) -> Option<String> {
    let platform = budget.place.platform.as_ref().map(|platform| format!("on {platform}"));
    let allocator = budget.place.allocator.as_ref().map(|allocator| format!("with {allocator}"));
    let both: Vec<String> = platform.into_iter().chain(allocator).collect();
    (!both.is_empty()).then(|| both.join(" "))
}

/// How much of a limit is left: `2.80 MiB of 6.22 MiB, 55 % left`. None where the limit is no figure that the run tells.
fn room(run: &Run, case: &Case, budget: &Budget) -> Option<String> {
    let metric = case.metrics.get(&budget.metric).filter(|metric| !metric.samples.is_empty())?;
    let other = |case: &Case, name: &str| Some(case.metrics.get(name)?.median);
    let limit = match &budget.limit {
        Limit::Ceiling(limit) => *limit,
        Limit::CeilingMetric(name) => other(case, name)?,
        Limit::Ratio { of, at_most } => {
            let whole = run.cases.iter().find(|case| case.case == *of)?;
            other(whole, &budget.metric)? * at_most
        }
        Limit::Floor(limit) => {
            return Some(format!(
                "{} against at least {}",
                figure::short(metric.median, metric.unit),
                figure::short(*limit, metric.unit)
            ));
        }
        Limit::Growth(_) | Limit::Drift(_) => return None,
    };
    Some(left(metric, limit))
}

fn left(metric: &Metric, limit: f64) -> String {
    let largest = metric.samples.iter().copied().fold(metric.median, f64::max);
    let of = format!("{} of {}", figure::short(largest, metric.unit), figure::short(limit, metric.unit));
    if limit <= 0.0 {
        return of;
    }
    let part = (1.0 - largest / limit) * 100.0;
    let word = if part < 0.0 { "over" } else { "left" };
    // A little left is not nothing left.
    let percent = if part != 0.0 && part.abs() < 1.0 {
        "less than 1".to_owned()
    } else {
        format!("{:.0}", part.abs().trunc())
    };
    format!("{of}, {percent} % {word}")
}

fn shown(bytes: f64) -> String {
    figure::short(bytes, Unit::Bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::specimen;

    const TEXT: &str = r##"
[[budget]]
case = "sync/cold:*"
metric = "heap.peak_bytes"
ceiling_metric = "heap.bound_bytes"
reason = "the bound of the design"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
growth = 0
primary = true
reason = "exact"

[[budget]]
case = "sync/cold:bounded"
metric = "rss.peak_bytes"
ceiling = "30 MiB"
reason = "everywhere"

[[budget]]
case = "sync/cold:bounded"
metric = "rss.peak_bytes"
ceiling = "8 MiB"
platform = "*-linux"
reason = "too tight on purpose"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes@consume"
ceiling = "3 MiB"
reason = "half"

[[order]]
metric = "heap.peak_bytes"
cases = ["sync/cold:as-reported", "sync/cold:bounded"]
reason = "the fix must help"

[[sum]]
case = "sync/cold:bounded"
parts = ["heap.peak_bytes@consume"]
slack = "4 MiB"
within = "rss.peak_bytes"
reason = "fits"

[[waiver]]
case = "sync/cold:bounded"
metric = "rss.peak_bytes"
ceiling = "30 MiB"
issue = "#7"
owner = "ada"
expires = 2026-03-01
"##;

    fn explained(pattern: &str, run: Option<&Run>) -> String {
        let budgets = Budgets::parse(TEXT, Path::new("budgets.toml")).unwrap();
        let against = Against::nothing(jiff::civil::date(2026, 2, 1));
        let environment = specimen::run().environment;
        let desk = Desk { budgets: &budgets, run, against: &against, environment: &environment };
        let known: Vec<String> = specimen::run().cases.into_iter().map(|case| case.case).collect();
        explain(pattern, &known, &desk).join("\n")
    }

    #[test]
    fn a_case_is_explained_with_what_a_run_came_to() {
        insta::assert_snapshot!(explained("sync/cold:bounded", Some(&specimen::run())));
    }

    #[test]
    fn without_a_run_only_the_limits_are_told() {
        let said = explained("*/cold:bounded", None);
        assert!(!said.contains("now:") && said.contains("primary"), "{said}");
        assert!(
            said.contains("elsewhere: rss.peak_bytes at most 30 MiB, where no more particular limit holds")
        );
        assert!(said.contains("; 28 days left  [budgets.toml:46]"), "{said}");
    }

    #[test]
    fn a_case_without_limits_says_so_and_an_unknown_one_is_nothing() {
        assert_eq!(
            explained("sync/degrade:bounded", None),
            "sync/degrade:bounded\n  no limit is in force on x86_64-linux with system"
        );
        assert_eq!(explained("no/such:case", None), "");
    }

    #[test]
    fn a_case_that_failed_has_no_figures() {
        let mut run = specimen::run();
        run.cases[0].error = Some("a wrong answer".to_owned());
        let said = explained("sync/cold:as-reported", Some(&run));
        assert!(said.contains("\n  not measured: a wrong answer\n") && !said.contains("now:"), "{said}");
    }

    #[test]
    fn a_little_left_is_not_nothing_left() {
        let metric = specimen::exact(1000.0, Unit::Count);
        assert_eq!(left(&metric, 1000.0), "1,000 of 1,000, 0 % left");
        assert_eq!(left(&metric, 1001.0), "1,000 of 1,001, less than 1 % left");
        assert_eq!(left(&metric, 800.0), "1,000 of 800, 25 % over");
        assert_eq!(left(&metric, 0.0), "1,000 of 0");
    }
}
