//! Debt: what waivers excuse in a run, and until when. The terminal and the page share it.

use std::collections::BTreeMap;

use harness::record::{Case, Judgement, Run, Unit, Verdict, Waiver};

use crate::{figure, metric, rows};

/// What is excused of one metric of one case.
struct Excused<'r> {
    case: &'r str,
    metric: &'r str,
    /// How far beyond the limit that is broken most, in the metric's unit.
    over: f64,
    waiver: &'r Waiver,
}

/// Every broken limit that is excused, and the sum of the excused bytes; no line when nothing is.
pub(crate) fn lines(run: &Run) -> Vec<String> {
    let excused = excused(run);
    let mut lines: Vec<String> = excused.iter().map(in_words).collect();
    lines.extend(sum(&excused));
    lines
}

/// One waiver excuses every limit of its metric: of those the one that is broken most counts.
fn excused(run: &Run) -> Vec<Excused<'_>> {
    let mut found: BTreeMap<(usize, &str), Excused<'_>> = BTreeMap::new();
    let judgements = run
        .cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| case.verdicts.iter().map(move |judgement| (index, case, judgement)));
    for (index, case, judgement) in judgements {
        let Some(new) = of(case, judgement) else { continue };
        let known = found.entry((index, new.metric)).or_insert(Excused { over: new.over, ..new });
        known.over = known.over.max(judgement.over.unwrap_or(0.0));
    }
    found.into_values().collect()
}

fn of<'r>(case: &'r Case, judgement: &'r Judgement) -> Option<Excused<'r>> {
    let waiver = judgement.waiver.as_ref().filter(|_| judgement.verdict == Verdict::Waived)?;
    let over = judgement.over.unwrap_or(0.0);
    Some(Excused { case: &case.case, metric: &judgement.metric, over, waiver })
}

fn unit(excused: &Excused<'_>) -> Unit {
    metric::unit(excused.metric).unwrap_or(Unit::Count)
}

fn in_words(excused: &Excused<'_>) -> String {
    let Excused { case, metric, over, waiver } = excused;
    let Waiver { ceiling, issue, owner, expires } = waiver;
    let shown = |value: f64| figure::short(value, unit(excused));
    format!(
        "{case} {metric}: {} over its limit, excused up to {} until {expires} ({owner}, {issue})",
        shown(*over),
        shown(*ceiling)
    )
}

fn sum(excused: &[Excused<'_>]) -> Option<String> {
    // Days are written year first, so that the order of the texts is that of the days.
    let next = excused.iter().map(|each| &each.waiver.expires).min()?;
    let in_bytes: Vec<f64> =
        excused.iter().filter(|each| unit(each) == Unit::Bytes).map(|each| each.over).collect();
    let others = excused.len() - in_bytes.len();
    let bytes = (!in_bytes.is_empty()).then(|| {
        let sum = figure::short(in_bytes.iter().sum(), Unit::Bytes);
        format!("{sum} in {}", rows::counted(in_bytes.len(), "waiver"))
    });
    let others = match (others, &bytes) {
        (0, _) => None,
        (_, None) => Some(rows::counted(others, "waiver")),
        (_, Some(_)) => Some(format!("{} of another unit", rows::counted(others, "waiver"))),
    };
    let what: Vec<String> = bytes.into_iter().chain(others).collect();
    Some(format!("debt: {}, the next ends on {next}", what.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn without_waivers_there_is_no_debt() {
        assert_eq!(lines(&specimen::judged()), Vec::<String>::new());
    }

    #[test]
    fn bytes_are_summed_and_each_waiver_counts_once() {
        let lines = lines(&specimen::waived());
        assert_eq!(
            lines.last().unwrap(),
            "debt: 3.92 MiB in 2 waivers and 1 waiver of another unit, the next ends on 2026-02-28"
        );
        assert_eq!(lines.len(), 4, "{lines:?}");
    }
}
