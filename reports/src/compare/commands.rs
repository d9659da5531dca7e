//! Two commands of one run beside each other: figures, and what is said of them.

use std::fmt::Write as _;

use harness::record::{Case, Direction, Judgement, Metric, Run, Unit, Verdict};

use crate::rows::{self, Group};
use crate::text::{self, Style};
use crate::{aligned, figure, foreign, plain};

/// What is said of a comparison that was not judged.
const NOT_JUDGED: &str =
    "Nothing is judged: these are medians, with every sample beside them. A difference may be chance.";

/// A growth is called latent only where each side has this many samples in both passes.
const SAMPLES_FOR_LATENT: usize = 2;

/// For each pair of cases `NAME:base` and `NAME:head` of a run: the medians of each metric, every sample, the difference, and
/// percent of base. The pair `NAME:base-quiet` and `NAME:head-quiet` stands beneath, when there is one, and a growth that shows only there
/// is called latent. What watching cost is left out, since it says nothing of the commands. The last line is the verdict, where the run was judged.
pub fn commands(run: &Run) -> String {
    let run = plain::run(run);
    let mut out = String::new();
    for group in rows::groups(&run) {
        pair(&mut out, &group);
    }
    let judgements: Vec<(&Case, &Judgement)> =
        run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found))).collect();
    if judgements.is_empty() {
        let _ = writeln!(out, "{NOT_JUDGED}");
    }
    let plain = Style { colour: false, width: usize::MAX };
    text::verdicts(&run, plain).iter().for_each(|line| out.push_str(&format!("{line}\n")));
    if !run.doubts.is_empty() {
        let gap = if out.ends_with("\n\n") { "" } else { "\n" };
        let _ = writeln!(out, "{gap}doubts");
        run.doubts.iter().for_each(|doubt| out.push_str(&format!("  {doubt}\n")));
    }
    if !judgements.is_empty() {
        let gap = if out.ends_with("\n\n") { "" } else { "\n" };
        let _ = writeln!(out, "{gap}{}", last_line(run.verdict, &judgements));
    }
    out
}

/// The run's verdict, with the metrics that made it: `regression: rss.peak_bytes of compare/parse:head, 1 of 12 metrics judged`.
fn last_line(verdict: Verdict, judgements: &[(&Case, &Judgement)]) -> String {
    let of = judgements.len();
    let metrics = if of == 1 { "1 metric" } else { &format!("{of} metrics") };
    let own: Vec<String> = judgements
        .iter()
        .filter(|(_, found)| found.verdict == verdict)
        .map(|(case, found)| format!("{} of {}", found.metric, case.case))
        .collect();
    match verdict {
        Verdict::Pass => format!("pass: {metrics} judged, none worse than is allowed"),
        _ => format!("{}: {}; {metrics} judged", rows::name(verdict), own.join(", ")),
    }
}

fn pair(out: &mut String, group: &Group<'_>) {
    let find =
        |strategy: &str| group.cases.iter().copied().find(|case| rows::parts(&case.case).1 == strategy);
    let natural = Sides { base: find("base"), head: find("head") };
    let quiet = Sides { base: find("base-quiet"), head: find("head-quiet") };
    let corpus = group.cases.iter().find_map(|case| case.corpus.as_ref());
    let corpus = corpus.map(|corpus| format!(" on {}", rows::corpus_in_words(corpus)));
    let _ = writeln!(out, "{}{}", group.scenario, corpus.unwrap_or_default());
    for (side, case) in [("base", natural.base), ("head", natural.head)] {
        let line = match case {
            None => "was not measured".to_owned(),
            // What a case of highwater's own is of stands in its notes.
            Some(Case { command: None, .. }) => continue,
            Some(Case { command: Some(command), .. }) => foreign::command_line(&command.line),
        };
        let _ = writeln!(out, "  {side}  {line}");
    }
    if group.is_foreign() {
        out.push('\n');
    }
    let said: Vec<String> = group.cases.iter().flat_map(|case| said(case)).collect();
    if !said.is_empty() {
        let _ = writeln!(out, "{}\n", said.join("\n"));
    }
    natural.table(out);
    if quiet.base.is_some() || quiet.head.is_some() {
        let _ = writeln!(out, "  quiet: Node on one thread, with garbage collected on a fixed schedule");
        quiet.table(out);
        latent(out, &natural, &quiet);
    }
}

/// How a case failed, and what is noted of it.
fn said(case: &Case) -> Vec<String> {
    let (_, strategy) = rows::parts(&case.case);
    let lines = foreign::error(case).into_iter().chain(case.notes.iter().cloned());
    lines.map(|line| format!("  {strategy}: {line}")).collect()
}

/// Two cases that belong together, as far as they were measured.
struct Sides<'r> {
    base: Option<&'r Case>,
    head: Option<&'r Case>,
}

impl<'r> Sides<'r> {
    /// The metrics that both sides have, without those of the watching.
    fn metrics(&self) -> Vec<(&'r str, &'r Metric, &'r Metric)> {
        let (Some(base), Some(head)) = (self.base, self.head) else {
            return Vec::new();
        };
        let of_commands = base.metrics.iter().filter(|(name, _)| !name.starts_with("watch."));
        of_commands
            .filter_map(|(name, metric)| Some((name.as_str(), metric, head.metrics.get(name)?)))
            .collect()
    }

    fn is_judged(&self) -> bool {
        self.head.is_some_and(|head| !head.verdicts.is_empty())
    }

    /// The gravest verdict on a metric of head; empty where it was not judged.
    fn verdict_of(&self, metric: &str) -> String {
        let own =
            self.head.into_iter().flat_map(|head| &head.verdicts).filter(|found| found.metric == metric);
        own.map(|found| found.verdict)
            .max()
            .map_or_else(String::new, |verdict| rows::name(verdict).to_owned())
    }

    fn table(&self, out: &mut String) {
        let metrics = self.metrics();
        if metrics.is_empty() {
            let _ = writeln!(out, "  no metric was measured of both\n");
            return;
        }
        let titles = ["metric", "base", "head", "difference", "percent", "verdict"].map(str::to_owned);
        let rows = metrics.iter().map(|(name, base, head)| {
            row(name, base, head).into_iter().chain([self.verdict_of(name)]).collect::<Vec<String>>()
        });
        let mut rows: Vec<Vec<String>> = [titles.to_vec()].into_iter().chain(rows).collect();
        let columns = if self.is_judged() { "lrrrrl" } else { "lrrrr" };
        rows.iter_mut().for_each(|row| row.truncate(columns.len()));
        let lines = aligned::lines(&rows, columns);
        let _ = writeln!(out, "  {}", lines[0]);
        for (line, (_, base, head)) in lines[1..].iter().zip(metrics) {
            let _ = writeln!(out, "  {line}");
            for (side, metric) in [("base", base), ("head", head)] {
                let _ = writeln!(out, "    {side}: {}", rows::samples(metric));
            }
        }
        out.push('\n');
    }
}

fn row(name: &str, base: &Metric, head: &Metric) -> Vec<String> {
    let difference = head.median - base.median;
    let percent = match difference {
        0.0 => "0 %".to_owned(),
        _ if base.median == 0.0 => "-".to_owned(),
        _ => format!("{:+.2} %", difference / base.median * 100.0),
    };
    vec![
        name.to_owned(),
        figure::short(base.median, base.unit),
        figure::short(head.median, head.unit),
        figure::change(difference, base.unit),
        percent,
    ]
}

/// Names the growths that show in the quiet pass only.
fn latent(out: &mut String, natural: &Sides<'_>, quiet: &Sides<'_>) {
    let in_natural = natural.metrics();
    let mut found = false;
    for (name, base, head) in quiet.metrics() {
        let Some((_, natural_base, natural_head)) = in_natural.iter().find(|(other, ..)| *other == name)
        else {
            continue;
        };
        let enough =
            [base, head, natural_base, natural_head].iter().all(|m| m.samples.len() >= SAMPLES_FOR_LATENT);
        // Time on one thread says nothing of time on several.
        if enough && base.unit == Unit::Bytes && grows(base, head) && !grows(natural_base, natural_head) {
            found = true;
            let _ = writeln!(
                out,
                "  latent: {name} grows in the quiet pass, where no sample of head is as good as any of base ({} \
                 against {}); in the natural pass they overlap or lie the other way",
                head.samples.len(),
                base.samples.len()
            );
        }
    }
    if found {
        out.push('\n');
    }
}

/// Whether every sample of head is worse than every sample of base.
fn grows(base: &Metric, head: &Metric) -> bool {
    let least = |metric: &Metric| metric.samples.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |metric: &Metric| metric.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match base.direction {
        Direction::Lower => least(head) > most(base),
        Direction::Higher => most(head) < least(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn two_commands_beside_each_other() {
        insta::assert_snapshot!(commands(&specimen::compared()));
    }

    #[test]
    fn a_judged_comparison_ends_with_its_verdict() {
        let mut run = specimen::compared();
        let found = |metric: &str, verdict| Judgement {
            metric: metric.to_owned(),
            verdict,
            budget: "at most 2 % worse than base".to_owned(),
            why: "101 MiB, +1 MiB from base's 100 MiB".to_owned(),
            ..Judgement::default()
        };
        run.cases[1].verdicts =
            vec![found("rss.peak_bytes", Verdict::Pass), found("time.wall_seconds", Verdict::Pass)];
        let shown = commands(&run);
        assert!(shown.ends_with("\npass: 2 metrics judged, none worse than is allowed\n"), "{shown}");
        run.cases[1].verdicts[0].verdict = Verdict::Regression;
        run.verdict = Verdict::Regression;
        insta::assert_snapshot!(commands(&run));
    }

    fn with(strategy: &str, change: impl Fn(&mut Metric)) -> String {
        let mut run = specimen::compared();
        let case = run.cases.iter_mut().find(|case| case.case.ends_with(strategy)).unwrap();
        change(case.metrics.get_mut("rss.peak_bytes").unwrap());
        commands(&run)
    }

    #[test]
    fn a_growth_that_shows_in_the_natural_pass_too_is_not_latent() {
        assert!(commands(&specimen::compared()).contains("latent: rss.peak_bytes"));
        let natural = with(":head", |metric| metric.samples.iter_mut().for_each(|sample| *sample *= 2.0));
        assert!(!natural.contains("latent"), "{natural}");
    }

    #[test]
    fn quiet_samples_that_touch_are_no_growth() {
        let most = |metric: &Metric| metric.samples.iter().copied().fold(0.0, f64::max);
        let base = specimen::compared().cases[2].metrics["rss.peak_bytes"].clone();
        let touching = with(":head-quiet", |metric| metric.samples[0] = most(&base));
        assert!(!touching.contains("latent"), "{touching}");
    }

    #[test]
    fn one_sample_makes_no_growth() {
        let single = with(":base-quiet", |metric| metric.samples.truncate(1));
        assert!(!single.contains("latent"), "{single}");
    }

    #[test]
    fn a_command_that_failed_is_told_with_its_whole_error() {
        let mut run = specimen::compared();
        run.cases[1].error = Some("ended with exit code 3\nlast output: <no such file>".to_owned());
        run.cases[1].metrics.clear();
        let shown = commands(&run);
        assert!(shown.contains(
            "  head: no measurement: ended with exit code 3\n  head:   last output: <no such file>\n"
        ));
        assert!(shown.contains("no metric was measured of both"), "{shown}");
    }
}
