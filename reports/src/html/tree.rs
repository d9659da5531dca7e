//! The tree of a foreign command: who lived when, and how large each process became.

use harness::record::{Case, Process, Unit};
use maud::{Markup, html};

use super::chart::{Bar, Bars, Row, WIDE, Words, bars};
use super::parts::{self, Table};
use crate::{figure, foreign, plain};

/// Most processes that are drawn; the largest are.
const PROCESSES: usize = 24;
/// Letters of a command line above its bar.
const LETTERS: usize = 80;

/// The timeline of one sample; nothing where no process was seen to live.
pub(super) fn figure(case: &Case) -> Markup {
    let mut seen: Vec<(&Process, f64)> = case
        .processes
        .iter()
        .filter(|process| process.lived.is_some() && process.pid != 0)
        .filter_map(|process| Some((process, process.metrics.get("rss.peak_bytes")?.value)))
        .collect();
    let all = seen.len();
    seen.sort_by(|one, other| other.1.total_cmp(&one.1));
    seen.truncate(PROCESSES);
    let begin = |process: &Process| process.lived.map_or(0.0, |lived| lived.from_seconds);
    seen.sort_by(|one, other| begin(one.0).total_cmp(&begin(other.0)));
    let title = format!("Timeline of the tree of {}", case.case);
    let chart = bars(&Bars {
        words: Words {
            title: &title,
            about: "One bar for each process, from its first to its last sight, with its own peak at the right.",
        },
        unit: Unit::Seconds,
        ends: None,
        rows: seen.iter().map(|(process, bytes)| row(process, *bytes)).collect(),
        width: WIDE,
    });
    let left = if all > seen.len() {
        format!(" The {} largest of {all} processes.", seen.len())
    } else {
        String::new()
    };
    parts::figure(
        &html! { b { "Timeline of " span.code { (case.case) } } " one sample; at the right the peak RSS of each process." (left) },
        &chart,
    )
}

fn row(process: &Process, bytes: f64) -> Row {
    let lived = process.lived.unwrap_or_default();
    let command = process.command.as_deref().map(|line| format!(": {line}")).unwrap_or_default();
    let bar = Bar {
        kind: "rss",
        from: lived.from_seconds,
        to: lived.to_seconds,
        said: figure::short(bytes, Unit::Bytes),
        ..Bar::default()
    };
    Row { name: plain::cut(&format!("{}{command}", process.role), LETTERS), bars: vec![bar] }
}

/// The processes as every instrument read them.
pub(super) fn tables(case: &Case) -> Markup {
    let tables = foreign::processes(case).into_iter().map(|read| {
        let table = read.table(usize::MAX);
        parts::table(&Table {
            caption: format!("Processes of {}, one sample of {}", case.case, read.instrument),
            titles: table.titles.iter().copied().map(parts::cell).collect(),
            // The last column is of command lines.
            sides: format!("{}w", &table.sides[..table.sides.len() - 1]),
            rows: table.rows.into_iter().map(parts::cells).collect(),
        })
    });
    html! { @for table in tables { (table) } }
}
