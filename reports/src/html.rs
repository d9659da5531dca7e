//! A run as a page for the browser: `report.html`, one file that needs no network and no script.
//!
//! The verdict stands first and what failed next to it, each failure with its figures, its sites and the command that repeats it. Then the
//! strategies of each scenario side by side, what each choice is worth, every verdict, doubts and the environment. All text is escaped where
//! it is written; it comes from corpora, commands and commits, and none of it is markup.

use harness::record::Run;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{plain, rows};

pub(crate) mod chart;
mod closing;
mod failures;
mod flame;
mod law;
mod overview;
pub(crate) mod parts;
mod scenario;
mod tree;
mod worth;

const STYLE: &str = include_str!("html/style.css");

/// Nothing is loaded from anywhere and no script runs, whatever the page holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Bytes that a report should not exceed, so that it can be mailed and opens at once.
const ROOM_BYTES: usize = 500_000;

/// How much of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Full,
    /// Without the charts of phases, which are most of a large page.
    Less,
}

/// The whole run. `drawing` gives the content of a file that stands beside the report, by its path from there, if it can be read: the
/// saved flamegraphs. They are drawn into the page as far as there is room.
pub fn report(run: &Run, drawing: &dyn Fn(&str) -> Option<String>) -> String {
    let run = &plain::run(run);
    let full = with_detail(run, drawing, Detail::Full);
    if full.len() <= ROOM_BYTES { full } else { with_detail(run, drawing, Detail::Less) }
}

fn with_detail(run: &Run, drawing: &dyn Fn(&str) -> Option<String>, detail: Detail) -> String {
    let groups = rows::groups(run);
    let failures = failures::of(run);
    let content = html! {
        header { (overview::banner(run)) }
        (overview::contents(run, &groups, !failures.is_empty()))
        main id="main" tabindex="-1" {
            (failures::section(run, &failures, drawing))
            (overview::scenarios(&groups))
            @if detail == Detail::Less { p.soft { "Phases are left out of a page as large as this one: report.md has them." } }
            @for (index, group) in groups.iter().enumerate() { (scenario::section(run, group, index, detail)) }
            (worth::section(run))
            (closing::sections(run))
        }
    };
    let verdict = if rows::is_judged(run) { rows::name(run.verdict) } else { "not judged" };
    page(&format!("{verdict}: highwater report"), &content)
}

/// A whole page of its own around its content, which holds a `main` with the id `main`.
pub(crate) fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (content)
                footer { "Written by highwater. This page loads nothing and runs no script." }
            }
        }
    };
    page.into_string() + "\n"
}

#[cfg(test)]
mod tests;
