//! The page of trends.

use super::{Mark, MovedNear, Step, Trend, Trends, headroom};
use crate::history::page::{Chart, Page, Section};
use crate::history::runs;
use crate::rows::{self, counted};
use crate::{figure, plain};

/// So many runs between two levels are named one by one.
const NAMED: usize = 5;
/// So many series, and so many changes, are listed.
const LISTED: usize = 50;

/// The page: changes with what lies between the runs, newest first; what is left up to the limits, soonest first; and every series.
pub fn page(trends: &Trends) -> Page {
    let mut page = Page::new("Trends", lead(trends));
    page.add(changes(trends));
    let titles = ["series", "now", "limit", "in a week", "reached in"];
    page.add(Section::new("Headroom: when limits are reached, if figures go on as they do").table(
        &titles,
        "lrrrl",
        headroom::rows(&trends.series),
    ));
    page.add(all(trends));
    page
}

/// The same with a drawing of each series that is listed, for those who can show them.
pub fn drawn(trends: &Trends) -> Page {
    let mut drawn = page(trends);
    if let Some(series) = drawn.sections.last_mut() {
        series.charts = listed(trends).map(|trend| chart(trends, trend)).collect();
    }
    drawn
}

fn lead(trends: &Trends) -> Vec<String> {
    let [first, .., last] = &trends.runs[..] else {
        return vec![format!("{}, too few to have a trend.", counted(trends.runs.len(), "run"))];
    };
    let steps = || trends.series.iter().flat_map(|trend| &trend.steps);
    let changed = trends.series.iter().filter(|trend| !trend.steps.is_empty()).count();
    let (worse, all) = (steps().filter(|step| step.worse).count(), steps().count());
    vec![
        format!(
            "{} from {} to {}, {} series.",
            counted(trends.runs.len(), "run"),
            first.day,
            last.day,
            trends.series.len()
        ),
        format!("{} of level in {changed} series, {worse} of them for the worse.", counted(all, "change")),
    ]
}

/// Every change of level, the newest first.
fn changes(trends: &Trends) -> Section {
    let mut steps: Vec<(&Trend, &Step)> =
        trends.series.iter().flat_map(|trend| trend.steps.iter().map(move |step| (trend, step))).collect();
    // Sorting keeps the order of names among changes of one run.
    steps.sort_by_key(|(_, step)| std::cmp::Reverse(step.first_after));
    let more = steps.len().saturating_sub(LISTED);
    steps.truncate(LISTED);
    let rows = steps.iter().map(|(trend, step)| {
        let unit = trend.key.unit;
        vec![
            trends.runs[step.first_after].day.clone(),
            trend.name.clone(),
            if step.worse { "worse" } else { "better" }.to_owned(),
            runs::percent(step.part),
            format!("{} -> {}", figure::short(step.before, unit), figure::short(step.after, unit)),
            step.commits.clone().unwrap_or_else(|| same_or_unknown(trends, step)),
        ]
    });
    let rows = rows.collect();
    let titles = ["day", "series", "", "change", "from -> to", "commits between"];
    let mut said: Vec<String> = Vec::new();
    for (_, step) in &steps {
        // Series that changed at the same runs have the same causes.
        let cause = cause(trends, step);
        if !said.contains(&cause) {
            said.push(cause);
        }
    }
    if more > 0 {
        said.push(format!("and {more} more changes before these"));
    }
    Section::new("Changes of level").table(&titles, "lllrll", rows).items(said)
}

fn same_or_unknown(trends: &Trends, step: &Step) -> String {
    let commit = |run: usize| trends.runs[run].commit.as_ref();
    match (commit(step.last_before), commit(step.first_after)) {
        (Some(before), Some(after)) if before == after => "none: the same commit".to_owned(),
        _ => "not known".to_owned(),
    }
}

/// What may have caused a change: the environment where it changed too, else the commits between the runs.
fn cause(trends: &Trends, step: &Step) -> String {
    let place = step.commits.clone().unwrap_or_else(|| trends.runs[step.first_after].day.clone());
    if !step.moved.is_empty() {
        let moved: Vec<String> = step.moved.iter().map(moved).collect();
        return format!("{place}: not to be blamed on a commit while this changed too: {}", moved.join("; "));
    }
    let between = step.last_before + 1..=step.first_after;
    let mut named: Vec<String> = Vec::new();
    for run in between.rev().map(|run| &trends.runs[run]) {
        let commit = run.commit.as_deref().map(runs::short);
        let said = [commit, run.subject.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        if !said.is_empty() && !named.contains(&said) {
            named.push(said);
        }
    }
    if named.is_empty() {
        return format!("{place}: the commits of these runs are not known");
    }
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{place}: {}{more}", named.join("; "))
}

fn moved(near: &MovedNear) -> String {
    let off = near.runs_off.unsigned_abs() as usize;
    let place = match near.runs_off {
        0 => String::new(),
        below if below < 0 => format!(", {} earlier", counted(off, "run")),
        _ => format!(", {} later", counted(off, "run")),
    };
    format!("{}{place}", near.moved.in_words())
}

/// The series that are listed, those with changes first.
fn listed(trends: &Trends) -> impl Iterator<Item = &Trend> {
    let (changed, steady): (Vec<_>, Vec<_>) = trends.series.iter().partition(|trend| !trend.steps.is_empty());
    changed.into_iter().chain(steady).take(LISTED)
}

fn all(trends: &Trends) -> Section {
    let more = trends.series.len().saturating_sub(LISTED);
    let titles = ["series", "runs", "first", "last", "change", "limit", "changes of level"];
    let said =
        (more > 0).then(|| format!("and {more} more series: choose some by a pattern of cases or metrics"));
    Section::new("Series").table(&titles, "lrrrrrr", listed(trends).map(row).collect()).items(said)
}

fn row(trend: &Trend) -> Vec<String> {
    let shown =
        |value: Option<&f64>| value.map_or_else(rows::missing, |value| figure::short(*value, trend.key.unit));
    let (first, last) = (trend.values.first(), trend.values.last());
    let change = first.zip(last).map(|(first, last)| runs::percent(runs::part(*first, *last)));
    vec![
        trend.name.clone(),
        trend.values.len().to_string(),
        shown(first),
        shown(last),
        change.unwrap_or_else(rows::missing),
        shown(trend.limit.as_ref()),
        trend.steps.len().to_string(),
    ]
}

fn chart(trends: &Trends, trend: &Trend) -> Chart {
    let marks = || trend.runs.iter().map(|run| &trends.runs[*run]);
    let name = |mark: &Mark| {
        let commit = mark.commit.as_deref().map(runs::short);
        plain::line(&mark.tag.clone().or(commit).unwrap_or_else(|| mark.day.clone()))
    };
    Chart {
        title: plain::line(&trend.name),
        unit: trend.key.unit,
        values: trend.values.clone(),
        runs: marks().map(name).collect(),
        days: marks().map(|mark| plain::line(&mark.day)).collect(),
        changes: trend.steps.iter().map(|step| step.at).collect(),
        limit: trend.limit,
    }
}
