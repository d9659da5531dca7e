//! Foreign commands on the page.

use harness::record::{Case, Run};

use super::{Page, code, escaped};
use crate::foreign::{self, Table};
use crate::rows;

impl Page {
    /// A foreign command: how it ended, every sample, the cost of watching, and why it has no measurement.
    pub(super) fn command(&mut self, case: &Case) {
        let Some(command) = &case.command else { return };
        let (_, strategy) = rows::parts(&case.case);
        self.line(&format!("\n{}: {}\n", code(strategy), code(&foreign::command_line(&command.line))));
        let said =
            foreign::ends(command).into_iter().chain(foreign::sampled(case)).chain(foreign::cost(case));
        said.chain(case.notes.iter().cloned()).for_each(|line| self.line(&format!("- {}", escaped(&line))));
        if let Some(error) = &case.error {
            self.line("\nIt has no measurement:\n");
            self.block(&error.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }

    /// The phases and the processes of each foreign command.
    pub(super) fn foreign(&mut self, run: &Run) {
        for case in run.cases.iter().filter(|case| case.command.is_some()) {
            if let Some(phases) = foreign::phases(case) {
                self.heading(&format!("Phases of {}", escaped(&case.case)));
                self.table(&phases.titles, &phases.sides, phases.rows);
            }
            for read in foreign::processes(case) {
                self.heading(&format!(
                    "Processes of {}, one sample of {}",
                    escaped(&case.case),
                    read.instrument
                ));
                self.code_last(read.table(usize::MAX));
            }
        }
    }

    /// A table whose last column is of command lines.
    fn code_last(&mut self, mut table: Table) {
        let commands: Vec<String> = table.rows.iter_mut().filter_map(Vec::pop).collect();
        let titles = table.titles.join(" | ");
        let marks: Vec<&str> =
            table.sides.chars().map(|side| if side == 'r' { "--:" } else { "---" }).collect();
        self.line(&format!("| {titles} |\n|{}|", marks.join("|")));
        for (row, command) in table.rows.iter().zip(commands) {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            let command = if command == rows::missing() { command } else { code(&command) };
            self.line(&format!("| {} | {command} |", cells.join(" | ")));
        }
    }
}
