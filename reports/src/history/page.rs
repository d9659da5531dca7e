//! A page about a history: paragraphs, tables and charts, which the terminal, a merge request and a browser show in their own ways.
//!
//! Texts of commits and names are made plain when they are put on a page, so that nobody who shows one has to think of it; what markdown and
//! HTML would obey is escaped by what writes them.

use harness::record::Unit;
use serde::Serialize;

use crate::markdown::escaped;
use crate::summary::unlinked;
use crate::{aligned, plain};

mod html;

/// A page, top to bottom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// The answer in a few sentences.
    pub lead: Vec<String>,
    /// The parts; those without content are left out.
    pub sections: Vec<Section>,
}

/// A part of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// The figures, each with what it belongs to.
    pub table: Option<Table>,
    /// What is said beside the table, each of one line.
    pub items: Vec<String>,
    /// Drawings, for those who can show them; the table says the same.
    pub charts: Vec<Chart>,
}

/// A table of texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Titles of the columns.
    pub titles: Vec<String>,
    /// Of each column whether its cells go left (`l`) or right (`r`).
    pub sides: String,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// A series of figures over the runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The series.
    pub title: String,
    /// Unit of the figures.
    pub unit: Unit,
    /// The figures, oldest first.
    pub values: Vec<f64>,
    /// Of each figure the run: its tag or commit.
    pub runs: Vec<String>,
    /// Of each figure the day: `2026-01-31`.
    pub days: Vec<String>,
    /// The figures at which a new level begins.
    pub changes: Vec<usize>,
    /// What a budget allows at most, or at least where more is better.
    pub limit: Option<f64>,
}

impl Page {
    /// A page without sections.
    pub fn new(title: &str, lead: impl IntoIterator<Item = String>) -> Page {
        let lead = lead.into_iter().map(|line| plain::line(&line)).collect();
        Page { title: plain::line(title), lead, sections: Vec::new() }
    }

    /// Adds a section, unless it is empty.
    pub fn add(&mut self, section: Section) {
        if section.table.is_some() || !section.items.is_empty() || !section.charts.is_empty() {
            self.sections.push(section);
        }
    }

    /// The page for a terminal.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title.clone()];
        lines.extend(self.lead.iter().map(|line| format!("  {line}")));
        for section in &self.sections {
            lines.extend([String::new(), section.title.clone()]);
            lines.extend(section.table.iter().flat_map(Table::lines).map(|line| format!("  {line}")));
            lines.extend(section.items.iter().map(|item| format!("  {item}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The page for a browser: one file, as the report of a run is.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The page for a merge request, a release's notes or a step's summary.
    pub fn markdown(&self) -> String {
        let mut lines = vec![format!("# {}", escaped(&self.title)), String::new()];
        // A line of its own is a paragraph of its own.
        lines.extend(self.lead.iter().flat_map(|line| [paragraph(line), String::new()]));
        for section in &self.sections {
            lines.extend([format!("## {}", escaped(&section.title)), String::new()]);
            if let Some(table) = &section.table {
                lines.extend(table.markdown());
                lines.push(String::new());
            }
            if !section.items.is_empty() {
                lines.extend(section.items.iter().map(|item| format!("- {}", paragraph(item))));
                lines.push(String::new());
            }
        }
        unlinked(&lines.join("\n"))
    }
}

impl Section {
    /// A section with a title alone.
    pub fn new(title: &str) -> Section {
        Section { title: plain::line(title), ..Section::default() }
    }

    /// With a table, unless that has no rows.
    #[must_use]
    pub fn table(self, titles: &[&str], sides: &str, rows: Vec<Vec<String>>) -> Section {
        let cells = |row: Vec<String>| row.iter().map(|cell| plain::line(cell)).collect();
        let rows: Vec<Vec<String>> = rows.into_iter().map(cells).collect();
        let titles = titles.iter().map(|title| plain::line(title)).collect();
        let table = Table { titles, sides: sides.to_owned(), rows };
        Section { table: (!table.rows.is_empty()).then_some(table), ..self }
    }

    /// With what is said beside the table.
    #[must_use]
    pub fn items(self, items: impl IntoIterator<Item = String>) -> Section {
        Section { items: items.into_iter().map(|item| plain::line(&item)).collect(), ..self }
    }
}

impl Table {
    fn lines(&self) -> Vec<String> {
        let rows: Vec<Vec<String>> = [&self.titles].into_iter().chain(&self.rows).cloned().collect();
        aligned::lines(&rows, &self.sides)
    }

    fn markdown(&self) -> Vec<String> {
        let marks = self.sides.chars().map(|side| if side == 'r' { "--:" } else { "---" });
        let marks = format!("|{}|", marks.collect::<Vec<_>>().join("|"));
        let line = |row: &Vec<String>| {
            format!("| {} |", row.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" | "))
        };
        [line(&self.titles), marks].into_iter().chain(self.rows.iter().map(line)).collect()
    }
}

/// The data of a page, for other programs.
pub fn json(data: &impl Serialize) -> String {
    serde_json::to_string_pretty(data).expect("pages are made of text, numbers and lists")
}

/// Text that begins a line, and begins neither a heading nor a list with it.
fn paragraph(text: &str) -> String {
    match text.chars().next() {
        Some(first @ ('#' | '>' | '-' | '+' | '*' | '=' | '_' | '~')) => {
            format!("&#{};{}", u32::from(first), escaped(&text[1..]))
        }
        _ => escaped(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::new("about\n# it", ["a <b> `c`".to_owned()]);
        let rows =
            vec![vec!["x | y".to_owned(), "1".to_owned()], vec!["\u{1b}[2Jz".to_owned(), "12".to_owned()]];
        let items = ["# no heading <script>\u{202e} of @ada, #7".to_owned()];
        page.add(Section::new("the table").table(&["what", "figure\u{1b}[2J"], "lr", rows).items(items));
        page.add(Section::new("nothing").table(&["what"], "l", Vec::new()));
        page
    }

    #[test]
    fn a_page_on_the_terminal() {
        insta::assert_snapshot!(page().text());
    }

    #[test]
    fn a_page_in_a_browser_has_the_same_texts_and_no_markup_of_others() {
        let html = page().html();
        assert!(
            html.contains("<h2 id=\"part-0\">the table</h2>") && html.contains("a &lt;b&gt; `c`"),
            "{html}"
        );
        assert!(html.contains("# no heading &lt;script&gt;\u{fffd} of @ada") && !html.contains("<script"));
        assert!(!html.contains("nothing</h2>"));
    }

    #[test]
    fn a_page_as_markdown() {
        insta::assert_snapshot!(page().markdown());
    }
}
