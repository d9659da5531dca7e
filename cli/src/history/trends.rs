//! `highwater history trend`, `drift` and `releases`.

use anyhow::Result;
use reports::history::entry::Entry;
use reports::history::page::{self, Page};
use reports::history::series::Selection;
use reports::history::store::Store;
use reports::history::{drift as drifts, release, runs, trend as trends};
use reports::stats::divisive::Options;

use crate::args::trends::{Drift, PageForm, Releases, Shown, Trend};
use crate::show;

/// Where figures changed for good, and when limits are reached.
pub(super) fn trend(store: &mut Store, args: &Trend) -> Result<i32> {
    let timeline = store.timeline(&Selection {
        cases: args.cases.clone(),
        metrics: args.metric.clone(),
        branch: args.branch.clone(),
        last: args.last.map(|last| usize::try_from(last).unwrap_or(usize::MAX)),
    })?;
    if timeline.series.is_empty() {
        show::note(&nothing(args));
    }
    let options = Options { min_magnitude: args.min_change / 100.0, ..Options::default() };
    let found = trends::trends(&timeline, &options, args.weeks);
    match args.shown.format {
        // Only here drawings are seen.
        PageForm::Html => show::result(&trends::drawn(&found).html()),
        _ => print(&args.shown, &trends::page(&found), || page::json(&found)),
    }
    Ok(0)
}

fn nothing(args: &Trend) -> String {
    let chosen = [
        args.cases.as_ref().map(|pattern| format!("cases {pattern:?}")),
        args.metric.as_ref().map(|pattern| format!("metrics {pattern:?}")),
        args.branch.as_ref().map(|branch| format!("branch {branch:?}")),
    ];
    let chosen: Vec<String> = chosen.into_iter().flatten().collect();
    match chosen.is_empty() {
        true => "the history is empty: add runs with highwater history add".to_owned(),
        false => format!("no run of the history has figures of {}", chosen.join(", ")),
    }
}

/// What became better and worse since a release.
pub(super) fn drift(store: &mut Store, args: &Drift) -> Result<i32> {
    let timeline = store.timeline(&of_branch(args.branch.as_deref()))?;
    let found = drifts::drift(&timeline, args.since.as_deref())?;
    print(&args.shown, &drifts::page(&found), || page::json(&found));
    Ok(0)
}

/// The report of a release.
pub(super) fn releases(store: &mut Store, args: &Releases) -> Result<i32> {
    let timeline = store.timeline(&of_branch(args.branch.as_deref()))?;
    let known = runs::releases(&timeline);
    let chosen = known.iter().rev().find(|release| args.tag.as_ref().is_none_or(|tag| release.tag == *tag));
    let ids = chosen.iter().flat_map(|release| &release.runs).map(|run| timeline.runs[*run].id.as_str());
    let entries = ids.map(|id| store.entry(id)).collect::<Result<Vec<Entry>, _>>()?;
    let found = release::release(&timeline, &entries, args.tag.as_deref(), args.weeks)?;
    print(&args.shown, &release::page(&found), || page::json(&found));
    Ok(0)
}

fn of_branch(branch: Option<&str>) -> Selection {
    Selection { branch: branch.map(str::to_owned), ..Selection::default() }
}

fn print(shown: &Shown, page: &Page, data: impl FnOnce() -> String) {
    show::result(&match shown.format {
        PageForm::Text => page.text(),
        PageForm::Markdown => page.markdown(),
        PageForm::Html => page.html(),
        PageForm::Json => data(),
    });
}
