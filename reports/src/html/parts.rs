//! What every page is made of: verdicts as words with colours, tables, figures, commands.

use harness::record::Verdict;
use maud::{Markup, html};

use crate::rows;

/// More columns than these may not fit a phone, so that the table scrolls by itself and can be reached with the keyboard.
const COLUMNS_OF_PHONE: usize = 3;

/// The style of a verdict: good, doubtful or bad.
pub(crate) fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass | Verdict::Improved => "ok",
        Verdict::Waived | Verdict::Inconclusive | Verdict::Unfit => "warn",
        Verdict::Regression | Verdict::Error => "fail",
    }
}

/// A verdict as a coloured word; the style sheet adds a sign that tells tones apart without their colours.
pub(crate) fn chip(verdict: Verdict, word: &str) -> Markup {
    html! { span.chip.(tone(verdict)) { (word) } }
}

/// The verdict of a case, as the tables show it.
pub(crate) fn verdict_of(case: &harness::record::Case) -> Markup {
    let word = rows::verdict_of(case);
    match rows::worst(case) {
        Some(worst) => chip(worst, &word),
        None => html! { span.chip.none { (word) } },
    }
}

/// A table. Its first column names the rows.
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) titles: Vec<Markup>,
    /// `l`, `r` (figures) or `w` (long text) for each column.
    pub(crate) sides: String,
    pub(crate) rows: Vec<Vec<Markup>>,
}

/// The table in a frame that scrolls by itself.
pub(crate) fn table(table: &Table) -> Markup {
    // Where all columns but the first are of figures, the table says so once: most tables do, and they are large.
    let is_of_figures = table.sides.chars().skip(1).all(|side| side == 'r');
    let side = |index: usize| match table.sides.chars().nth(index) {
        Some('r') if !is_of_figures => Some("r"),
        Some('w') => Some("w"),
        _ => None,
    };
    let reached = (table.titles.len() > COLUMNS_OF_PHONE).then_some("0");
    html! {
        div.scroll tabindex=[reached] {
            table class=[is_of_figures.then_some("figures")] {
                caption { (table.caption) }
                thead { tr { @for (index, name) in table.titles.iter().enumerate() { th scope="col" class=[side(index)] { (name) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 { th scope="row" class=[side(0)] { (cell) } } @else { td class=[side(index)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A cell of plain text.
pub(crate) fn cell(text: &str) -> Markup {
    html! { (text) }
}

/// Cells of plain text.
pub(crate) fn cells(texts: impl IntoIterator<Item = String>) -> Vec<Markup> {
    texts.into_iter().map(|text| html! { (text) }).collect()
}

/// A chart with its caption; nothing where there is no chart.
pub(crate) fn figure(caption: &Markup, chart: &Markup) -> Markup {
    if chart.0.is_empty() {
        return html! {};
    }
    let broad = chart.0.contains("class=\"wide\"").then_some("broad");
    html! { figure class=[broad] { figcaption { (caption) } (chart) } }
}

/// A long part that is closed until it is asked for.
pub(crate) fn closed(summary: &str, content: &Markup) -> Markup {
    if content.0.is_empty() {
        return html! {};
    }
    html! { details { summary { (summary) } (content) } }
}

/// Commands, to be copied.
pub(crate) fn commands(lines: &[String]) -> Markup {
    html! { pre { code { (lines.join("\n")) } } }
}

/// A list of sentences; nothing where there are none.
pub(crate) fn list(items: &[String]) -> Markup {
    if items.is_empty() {
        return html! {};
    }
    html! { ul { @for item in items { li { (item) } } } }
}
