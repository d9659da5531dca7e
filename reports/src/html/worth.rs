//! What each of several choices is worth, as bars and as a table.

use harness::record::{ChoiceWorth, Run, Unit, Worth};
use maud::{Markup, html};

use super::chart::{Bar, Bars, NARROW, Row, Words, bars};
use super::parts::{self, Table};
use crate::{figure, metric};

/// The section; nothing where no choices were combined.
pub(super) fn section(run: &Run) -> Markup {
    if run.worth.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="worth" {
            h2 id="worth" { "What each choice is worth" }
            @for worth in &run.worth { (one(worth)) }
        }
    }
}

fn one(worth: &Worth) -> Markup {
    let unit = metric::unit(&worth.metric).unwrap_or(Unit::Count);
    let ends = worth.combinations.first().zip(worth.combinations.last());
    html! {
        h3 { (worth.metric) " of " (worth.scenario) }
        @if let Some((none, all)) = ends {
            p {
                "From " b { (figure::short(*none, unit)) } " with none of them to " b { (figure::short(*all, unit)) } " with all: "
                (crate::worth::conclusion(worth)) "."
            }
        }
        div.charts { (chart(worth, unit)) }
        (table(worth, unit))
    }
}

fn chart(worth: &Worth, unit: Unit) -> Markup {
    let row = |choice: &ChoiceWorth| Row {
        name: choice.name.clone(),
        bars: vec![Bar {
            kind: if choice.shapley > 0.0 { "bad" } else { "plain" },
            to: choice.shapley,
            rings: vec![choice.alone, choice.last],
            said: figure::change(choice.shapley, unit),
            ..Bar::default()
        }],
    };
    let title = format!("Worth of each choice in {} of {}", worth.metric, worth.scenario);
    let chart = bars(&Bars {
        words: Words {
            title: &title,
            about: "One bar for each choice; left of zero is a saving. The table has the figures.",
        },
        unit,
        ends: None,
        rows: worth.choices.iter().map(row).collect(),
        width: NARROW,
    });
    let caption = html! { b { "On average (Shapley)" } " left of zero is a saving; rings: alone, and added to all others" };
    parts::figure(&caption, &chart)
}

fn table(worth: &Worth, unit: Unit) -> Markup {
    let rows = worth.choices.iter().map(|choice| {
        let figures = [choice.alone, choice.last, choice.shapley].map(|value| figure::change(value, unit));
        parts::cells([choice.name.clone()].into_iter().chain(figures))
    });
    let titles = ["choice", "alone", "added to all others", "on average (Shapley)"];
    parts::table(&Table {
        caption: format!("Worth in {} of {}", worth.metric, worth.scenario),
        titles: titles.map(parts::cell).to_vec(),
        sides: "lrrr".to_owned(),
        rows: rows.collect(),
    })
}
