//! A run as a page: `report.md`, for a merge request or a release's records.

use std::fmt::Write as _;

use harness::record::{Case, Run, Unit, Worth};

use crate::rows::{self, Group};
use crate::{debt, figure, law, plain, real_engine, sites};

mod foreign;

/// The whole run: summary, environment, tables by scenario, laws, phases, what each choice is worth, verdicts, doubts, and how to repeat it.
pub fn report(run: &Run) -> String {
    let run = &plain::run(run);
    let mut page = Page::default();
    page.summary(run);
    page.environment(run);
    for group in rows::groups(run) {
        page.scenario(&group);
    }
    page.foreign(run);
    page.real_engine(run);
    page.laws(run);
    page.processes(run);
    for worth in &run.worth {
        page.worth(worth);
    }
    page.verdicts(run);
    page.places(run);
    page.list("Waived", &debt::lines(run));
    page.list("Doubts", &run.doubts);
    page.reproduce(run);
    page.text
}

/// The page so far.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, title: &str) {
        self.line(&format!("\n## {title}\n"));
    }

    /// A table: the first column to the left, the others as `align` says (`l` or `r` for each).
    fn table(&mut self, titles: &[&str], align: &str, rows: impl IntoIterator<Item = Vec<String>>) {
        let marks = align.chars().map(|side| if side == 'r' { "--:" } else { "---" });
        self.line(&format!("| {} |", titles.join(" | ")));
        self.line(&format!("|{}|", marks.collect::<Vec<_>>().join("|")));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    fn block(&mut self, lines: &[String]) {
        self.text.push_str(&block(lines));
    }

    fn list(&mut self, title: &str, items: &[String]) {
        if !items.is_empty() {
            self.heading(title);
            items.iter().for_each(|item| self.line(&format!("- {}", escaped(item))));
        }
    }

    fn summary(&mut self, run: &Run) {
        self.line("# highwater report\n");
        self.line(&format!("**{}**", rows::summary(run)));
        let artifact = &run.artifact;
        let mut what = format!("\nhighwater {}", escaped(&artifact.version));
        if let Some(commit) = &artifact.commit {
            let _ = write!(what, ", commit {}", escaped(commit));
        }
        if let Some(tag) = &artifact.tag {
            let _ = write!(what, ", tag {}", escaped(tag));
        }
        if artifact.dirty == Some(true) {
            what.push_str(", with uncommitted changes");
        }
        self.line(&format!("{what}; begun {}.", escaped(&run.time)));
    }

    fn environment(&mut self, run: &Run) {
        self.heading("Environment");
        let rows = rows::environment(&run.environment);
        self.table(&["what", "value"], "ll", rows.map(|(what, value)| vec![what.to_owned(), value]));
    }

    fn scenario(&mut self, group: &Group<'_>) {
        self.heading(&escaped(group.scenario));
        if let Some(corpus) = group.cases.iter().find_map(|case| case.corpus.as_ref()) {
            let digest = match corpus.digest.as_str() {
                "" => String::new(),
                digest => format!(", digest {}", code(digest)),
            };
            self.line(&format!(
                "Corpus: {}{digest}.
",
                escaped(&rows::corpus_in_words(corpus))
            ));
        }
        let columns: Vec<_> = group.columns().iter().filter(|column| column.is_known(group)).collect();
        let special = group.cases.iter().any(|case| !rows::special(case).is_empty());
        let titles =
            ["strategy"].into_iter().chain(columns.iter().map(|column| column.title)).chain(["verdict"]);
        let titles: Vec<&str> = titles.chain(special.then_some("also")).collect();
        let align = format!("l{}l{}", "r".repeat(columns.len()), if special { "l" } else { "" });
        let rows = group.cases.iter().map(|case| {
            let cells = columns.iter().map(|column| (column.cell)(group, case));
            let name = rows::parts(&case.case).1.to_owned();
            let row = [name].into_iter().chain(cells).chain([rows::verdict_of(case)]);
            row.chain(special.then(|| rows::special(case))).collect()
        });
        self.table(&titles, &align, rows);
        group.cases.iter().for_each(|case| self.said(case));
    }

    /// What is noted of a case, and why it has no measurement.
    fn said(&mut self, case: &Case) {
        if case.command.is_some() {
            return self.command(case);
        }
        let (_, strategy) = rows::parts(&case.case);
        let said = case.notes.iter().map(String::as_str).chain(case.error.as_deref());
        said.for_each(|note| self.line(&format!("\n{}: {}", code(strategy), escaped(note))));
    }

    fn real_engine(&mut self, run: &Run) {
        let beside = real_engine::beside(run);
        if beside.is_empty() {
            return;
        }
        self.heading("Ours beside the real engine");
        self.line("Each figure is a part of `as-reported`'s.\n");
        let rows = beside
            .into_iter()
            .map(|each| vec![each.strategy.to_owned(), each.heap, each.worker_rss, each.real]);
        self.table(&["strategy", "our peak heap", "our worker's peak RSS", "real engine's"], "lrrr", rows);
        self.line(&format!("\nThe {}.", real_engine::SOURCE));
    }

    /// What grows with the sessions, of cases and phases; where sizes are reached; and where strategies cross.
    fn laws(&mut self, run: &Run) {
        if let [titles, rows @ ..] = &law::table(run, true)[..] {
            self.heading("Laws");
            self.line("Peak = what it takes without sessions + sessions x what each takes; in brackets intervals of 95 %.\n");
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            self.table(&titles, "llrrr", rows.iter().cloned());
            self.line("");
            law::horizons_in_words(run).iter().for_each(|line| self.line(&format!("- {}", escaped(line))));
        }
        self.list("Crossings of laws", &law::crossings_in_words(run));
    }

    fn processes(&mut self, run: &Run) {
        let own = run.cases.iter().filter(|case| case.command.is_none());
        let rows: Vec<Vec<String>> = own.flat_map(process_rows).collect();
        if rows.is_empty() {
            return;
        }
        self.heading("Processes and phases");
        self.line("Each process apart, then all together. The phase in which a process peaks is in bold.\n");
        self.table(&["case", "process", "phase", "peak heap", "peak RSS"], "lllrr", rows);
    }

    fn worth(&mut self, worth: &Worth) {
        let unit = crate::metric::unit(&worth.metric).unwrap_or(Unit::Count);
        let title = format!("What each choice is worth in {} of {}", worth.metric, worth.scenario);
        self.heading(&escaped(&title));
        if let (Some(none), Some(all)) = (worth.combinations.first(), worth.combinations.last()) {
            let (none, all) = (figure::short(*none, unit), figure::short(*all, unit));
            self.line(&format!(
                "From {none} with none of them to {all} with all; less than zero is a saving: {}.\n",
                crate::worth::conclusion(worth)
            ));
        }
        let rows = worth.choices.iter().map(|choice| {
            let figures =
                [choice.alone, choice.last, choice.shapley].map(|value| figure::change(value, unit));
            [choice.name.clone()].into_iter().chain(figures).collect()
        });
        self.table(&["choice", "alone", "added to all others", "on average (Shapley)"], "lrrr", rows);
    }

    fn verdicts(&mut self, run: &Run) {
        self.heading("Verdicts");
        let mut judged: Vec<_> =
            run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found))).collect();
        // The gravest first, else in the order of the run.
        judged.sort_by_key(|(_, found)| std::cmp::Reverse(found.verdict));
        let rows = judged.into_iter().map(|(case, found)| {
            let verdict = rows::name(found.verdict).to_owned();
            vec![verdict, case.case.clone(), found.metric.clone(), found.budget.clone(), found.why.clone()]
        });
        self.table(&["verdict", "case", "metric", "budget", "why"], "lllll", rows);
    }

    /// The sites behind broken limits.
    fn places(&mut self, run: &Run) {
        for (case, growth) in
            run.cases.iter().flat_map(|case| case.growth.iter().map(move |growth| (case, growth)))
        {
            self.heading(&escaped(&format!("Where {} of {} grew", growth.metric, case.case)));
            let is_ours = |file: &&String| {
                file.starts_with("sites/")
                    && file.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
            };
            let drawn = growth.flamegraph.iter().filter(is_ours);
            let flamegraph = drawn.map(|file| format!("; [flamegraph]({file})"));
            let _ = writeln!(
                self.text,
                "{}: {}{}\n\n{}",
                escaped(&sites::first_line(growth)),
                sites::deletion(growth),
                flamegraph.collect::<String>(),
                sites::markdown(growth)
            );
        }
    }

    fn reproduce(&mut self, run: &Run) {
        self.heading("How to repeat it");
        self.block(&rows::repeat(run));
    }
}

fn process_rows(case: &Case) -> Vec<Vec<String>> {
    let roles = rows::roles(case);
    let mut table = Vec::new();
    for role in &roles {
        let name = rows::ends(role).map_or(role.name.to_owned(), |end| format!("{} ({end})", role.name));
        let row = |phase: Option<&str>| {
            let cell = |metric: &str| {
                let text = role.cell(phase, metric);
                let peaks = phase.is_some() && role.figure(phase, metric) == role.figure(None, metric);
                if peaks && text != rows::missing() { format!("**{text}**") } else { text }
            };
            let shown = phase.unwrap_or("all").to_owned();
            vec![case.case.clone(), name.clone(), shown, cell("heap.peak_bytes"), cell("rss.peak_bytes")]
        };
        table.push(row(None));
        table.extend(role.phases().into_iter().map(|phase| row(Some(phase))));
    }
    if roles.len() > 1 {
        let peaks = [rows::cell(case, "heap.peak_bytes"), rows::peak_rss(case, "")];
        let name = [case.case.clone(), "together".to_owned(), "all".to_owned()];
        table.push(name.into_iter().chain(peaks).collect());
    }
    table
}

/// Text that is shown as it is, such as commands and errors.
pub(crate) fn block(lines: &[String]) -> String {
    let ticks = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(ticks + 1));
    let mut text = format!("{fence}\n");
    lines.iter().for_each(|line| text.extend([line, "\n"]));
    text + &fence + "\n"
}

/// Text on one line that ends no cell and opens no markup but emphasis, which the tables use themselves.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\|"),
            '\n' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // A backslash of its own could undo the escape of a bar that follows it.
            '\\' | '`' | '[' | ']' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Text from outside, shown as it is within a line or a cell.
pub(crate) fn code(text: &str) -> String {
    if !text.is_empty() && !text.contains(['|', '`', '\\', '\n']) {
        return format!("`{text}`");
    }
    // Backticks and bars have no escape within backticks that holds in tables too.
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            c if c.is_ascii_punctuation() && !"-./=,'".contains(c) => {
                out.push_str(&format!("&#{};", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    format!("<code>{out}</code>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{specimen, worth};

    #[test]
    fn the_page_of_a_judged_run() {
        let mut run = specimen::judged();
        run.cases.retain(|case| !case.case.contains(":s"));
        let mib = 1_048_576.0;
        let values = [200.0 * mib, 120.0 * mib, 170.0 * mib, 80.0 * mib];
        run.worth.push(worth::shapley(
            "sync/cold",
            "heap.peak_bytes",
            &["s4-low-prefetch", "s2-eager-strip"],
            &values,
        ));
        insta::assert_snapshot!(report(&run));
    }

    #[test]
    fn what_is_waived_is_a_list_of_its_own() {
        let page = report(&specimen::waived());
        assert!(
            page.contains("\n## Waived\n\n- sync/cold:bounded heap.peak_bytes: 2.92 MiB over its limit"),
            "{page}"
        );
    }

    #[test]
    fn the_page_of_laws() {
        let page = report(&specimen::swept());
        let laws = &page[page.find("## Laws").unwrap()..page.find("## Verdicts").unwrap()];
        insta::assert_snapshot!(laws);
    }

    #[test]
    fn what_a_program_said_cannot_break_a_table() {
        let mut run = specimen::judged();
        run.cases[0].verdicts[0].why = "a | b\nc".to_owned();
        assert!(report(&run).contains("| a \\| b c |"));
    }

    #[test]
    fn the_page_of_foreign_commands() {
        insta::assert_snapshot!(report(&specimen::foreign()));
    }

    #[test]
    fn text_from_outside_is_shown_as_it_is() {
        assert_eq!(
            escaped(r"a\|b `c` <d> [e](f) & g"),
            r"a&#92;\|b &#96;c&#96; &lt;d> &#91;e&#93;(f) &amp; g"
        );
        assert_eq!(code("node x.js <b> @scope/p"), "`node x.js <b> @scope/p`");
        assert_eq!(code("a|b `c`\n*d*"), "<code>a&#124;b &#96;c&#96; &#42;d&#42;</code>");
    }

    #[test]
    fn a_block_cannot_be_closed_from_within() {
        let mut run = specimen::foreign();
        run.cases[1].error = Some("first\n````\n# not a heading".to_owned());
        let page = report(&run);
        assert!(page.contains("\n`````\nfirst\n````\n# not a heading\n`````\n"), "{page}");
    }

    #[test]
    fn two_commands_are_repeated_as_two() {
        let page = report(&specimen::compared());
        let line = "highwater compare --base 'node old.js' --head 'node new.js' --corpus heavy@0.1 --seed 1";
        assert!(page.contains(&format!("\n{line}\n")), "{page}");
    }

    #[test]
    fn a_report_names_the_command_that_repeats_each_scenario() {
        let page = report(&specimen::judged());
        assert!(page.contains("\nhighwater run 'sync/cold:*' --profile heavy --scale 0.1 --seed 1\n"));
        assert!(page.contains("\nhighwater run 'sync/survive:*' --profile heavy --scale 0.1 --seed 1\n"));
    }
}
