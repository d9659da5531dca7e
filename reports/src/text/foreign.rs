//! Foreign commands for the terminal.

use harness::record::{Case, Run};

use crate::foreign::{self, Table};
use crate::{aligned, plain};

/// Beyond so many processes of a case, the others are only counted.
const PROCESSES_MAX: usize = 20;

/// A command line is not cut to less than this, however narrow the terminal.
const COMMAND_MIN: usize = 24;

/// What stands beneath the line of a case: its command and how that ended, every sample, the cost of watching, the error.
pub(super) fn beneath(case: &Case) -> Vec<String> {
    let Some(command) = &case.command else { return Vec::new() };
    let mut lines = vec![foreign::command_line(&command.line)];
    lines.extend(foreign::error(case));
    lines.extend(foreign::ends(command));
    lines.extend(foreign::sampled(case));
    lines.extend(foreign::cost(case));
    lines
}

/// The phases and the processes of each foreign command: titles with the lines beneath them.
pub(super) fn sections(run: &Run, width: usize) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    for case in run.cases.iter().filter(|case| case.command.is_some()) {
        if let Some(phases) = foreign::phases(case) {
            sections.push((format!("phases of {}", case.case), lines(&phases)));
        }
        for read in foreign::processes(case) {
            let title = format!("processes of {}, one sample of {}", case.case, read.instrument);
            let mut table = read.table(PROCESSES_MAX);
            cut_last(&mut table, width);
            sections.push((title, lines(&table).into_iter().chain(read.more(PROCESSES_MAX)).collect()));
        }
    }
    sections
}

fn lines(table: &Table) -> Vec<String> {
    let titles = table.titles.iter().map(|title| (*title).to_owned()).collect();
    let rows: Vec<Vec<String>> = [titles].into_iter().chain(table.rows.iter().cloned()).collect();
    aligned::lines(&rows, &table.sides)
}

/// Cuts the last column so that the lines are no longer than the terminal is wide.
fn cut_last(table: &mut Table, width: usize) {
    let last = table.titles.len() - 1;
    let before = |column: usize| {
        let cells = table.rows.iter().map(|row| row[column].chars().count());
        cells.chain([table.titles[column].len()]).max().unwrap_or(0) + 2
    };
    let left = width.saturating_sub(2 + (0..last).map(before).sum::<usize>()).max(COMMAND_MIN);
    for row in &mut table.rows {
        row[last] = plain::cut(&row[last], left);
    }
}
