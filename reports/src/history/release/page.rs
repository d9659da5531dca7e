//! The page of a release.

use harness::record::{Unit, Verdict};

use super::{Against, Debt, Report};
use crate::history::compared::page::{counts, doubts, moved};
use crate::history::page::{Page, Section};
use crate::history::trend;
use crate::{figure, rows};

/// The page: the verdict, the release against the last one and that of a year before, debt, and headroom.
pub fn page(report: &Report) -> Page {
    let release = &report.release;
    let mut page = Page::new(&format!("Release {}", release.tag), lead(report));
    for against in report.last.iter().chain(report.year.iter().filter(|_| !is_the_last(report))) {
        sections(&mut page, against);
    }
    page.add(debts(report));
    let titles = ["series", "at the release", "limit", "in a week", "reached in"];
    page.add(
        Section::new("Headroom: when limits are reached, if figures go on as they did up to this release")
            .table(&titles, "lrrrl", trend::headroom_rows(&report.headroom)),
    );
    page
}

fn lead(report: &Report) -> Vec<String> {
    let release = &report.release;
    let runs = rows::counted(release.runs.len(), "run");
    let mut lead =
        vec![format!("{} of {}, {runs}: {}.", release.tag, release.day, rows::name(report.verdict))];
    match &report.last {
        Some(last) => {
            lead.push(format!("Against {} of {}: {}", last.than.tag, last.than.day, counts(&last.comparison)))
        }
        None => lead
            .push("It is the first release of the history, so there is none to compare it with.".to_owned()),
    }
    match &report.year {
        Some(year) if is_the_last(report) => {
            lead.push(format!("{} is also the newest release that is a year older.", year.than.tag));
        }
        Some(year) => lead.push(format!(
            "Against {} of {}, a year before: {}",
            year.than.tag,
            year.than.day,
            counts(&year.comparison)
        )),
        None => lead.push("No release of the history is a year older.".to_owned()),
    }
    lead
}

fn is_the_last(report: &Report) -> bool {
    report.last.as_ref().zip(report.year.as_ref()).is_some_and(|(last, year)| last.than == year.than)
}

fn sections(page: &mut Page, against: &Against) {
    let tag = &against.than.tag;
    page.add(moved(&format!("Worse than {tag}"), &against.comparison, true, tag));
    page.add(moved(&format!("Better than {tag}"), &against.comparison, false, tag));
    page.add(Section::new(&format!("Doubts about {tag}")).items(doubts(&against.comparison)));
}

fn debts(report: &Report) -> Section {
    let titles = ["verdict", "case", "metric", "limit", "over", "excused by", "issue", "until"];
    let rows = report.debts.iter().map(debt).collect();
    let bytes = report.debt_bytes();
    let waivers: Vec<&str> = report
        .debts
        .iter()
        .filter(|debt| debt.verdict == Verdict::Waived)
        .filter_map(|debt| Some(debt.waiver.as_ref()?.expires.as_str()))
        .collect();
    // Days are written year first, so that the order of the texts is that of the days.
    let sum = waivers.iter().min().map(|next| {
        let bytes = figure::short(bytes, Unit::Bytes);
        format!("debt: {bytes} in {}, the next ends on {next}", rows::counted(waivers.len(), "waived limit"))
    });
    Section::new("Limits that were not kept, and who excused it").table(&titles, "llllrlll", rows).items(sum)
}

fn debt(debt: &Debt) -> Vec<String> {
    let of_waiver = |text: fn(&harness::record::Waiver) -> &String| {
        debt.waiver.as_ref().map_or_else(rows::missing, |waiver| text(waiver).clone())
    };
    vec![
        rows::name(debt.verdict).to_owned(),
        debt.case.clone(),
        debt.metric.clone(),
        debt.budget.clone(),
        debt.over.map_or_else(rows::missing, |over| figure::change(over, debt.unit)),
        of_waiver(|waiver| &waiver.owner),
        of_waiver(|waiver| &waiver.issue),
        of_waiver(|waiver| &waiver.expires),
    ]
}
