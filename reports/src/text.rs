//! A run as a table for the terminal.

use harness::record::{Case, Judgement, Run, SiteGrowth, Unit, Verdict, Worth};

use crate::judge::TRIPWIRE;
use crate::rows::{self, Column, Group};
use crate::{aligned, debt, explain, figure, law, metric, plain, real_engine, sites};

mod foreign;

/// How the terminal can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether verdicts are coloured (ANSI).
    pub colour: bool,
    /// Columns of the terminal. Where they are too few, the table leaves out columns, never cases.
    pub width: usize,
}

/// The whole run: a table of the cases by scenario, the processes, the verdicts that need attention, and the doubts.
pub fn table(run: &Run, style: Style) -> String {
    let run = &plain::run(run);
    let mut out = String::new();
    cases(&mut out, run, style);
    for (title, lines) in foreign::sections(run, style.width) {
        section(&mut out, &title, lines);
    }
    section(&mut out, "ours beside the real engine, as parts of as-reported", real(run));
    for each in &run.worth {
        let title = format!("what each choice is worth in {} of {}", each.metric, each.scenario);
        section(&mut out, &title, worth(each));
    }
    section(&mut out, "laws: what grows with the sessions", laws(run));
    section(&mut out, "crossings of laws", law::crossings_in_words(run));
    section(&mut out, "processes, peak heap and peak RSS", processes(run));
    section(&mut out, "tripwires, which must break their limits", tripwires(run));
    section(&mut out, "verdicts", verdicts(run, style));
    section(&mut out, "waived", debt::lines(run));
    section(&mut out, "doubts", run.doubts.clone());
    let summary = rows::summary(run);
    out.push('\n');
    line(&mut out, &paint(&summary, run.verdict, style));
    out
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    line(out, "");
    line(out, title);
    for text in lines {
        line(out, &format!("  {text}"));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn cases(out: &mut String, run: &Run, style: Style) {
    let (foreign, own): (Vec<_>, Vec<_>) = rows::groups(run).into_iter().partition(Group::is_foreign);
    for groups in [own, foreign] {
        let layout = Layout::that_fits(&groups, style.width);
        groups.iter().for_each(|group| scenario(out, group, &layout, style));
    }
}

fn scenario(out: &mut String, group: &Group<'_>, layout: &Layout, style: Style) {
    if !out.is_empty() {
        line(out, "");
    }
    let corpus = group.cases.iter().find_map(|case| case.corpus.as_ref());
    let corpus = corpus.map(|corpus| format!(" on {}", rows::corpus_in_words(corpus)));
    line(out, &format!("{}{}", group.scenario, corpus.unwrap_or_default()));
    let columns = layout.columns_of(group);
    let titles = columns.iter().map(|(column, width)| format!("  {:>width$}", column.title));
    line(out, &layout.named("strategy", titles, "verdict"));
    for case in &group.cases {
        let cells = columns.iter().map(|(column, width)| format!("  {:>width$}", (column.cell)(group, case)));
        let text = layout.named(rows::parts(&case.case).1, cells, &verdict(case, style));
        line(out, &format!("{text}  {}", rows::special(case)));
        foreign::beneath(case).iter().chain(&case.notes).for_each(|note| line(out, &format!("    {note}")));
    }
}

fn verdict(case: &Case, style: Style) -> String {
    let word = rows::verdict_of(case);
    rows::worst(case).map_or(word.clone(), |worst| paint(&word, worst, style))
}

/// Which columns are shown and how wide they are, the same for all scenarios so that figures stand beneath each other.
struct Layout {
    name_width: usize,
    columns: Vec<(&'static Column, usize)>,
}

impl Layout {
    /// Leaves out the columns of the highest rank until the lines are no longer than the terminal is wide.
    fn that_fits(groups: &[Group<'_>], width: usize) -> Layout {
        let cases = || groups.iter().flat_map(|group| group.cases.iter().map(move |case| (group, *case)));
        let names = cases().map(|(_, case)| rows::parts(&case.case).1.len());
        let measure = |column: &'static Column| {
            let cells = cases().map(|(group, case)| (column.cell)(group, case).chars().count());
            (column, cells.chain([column.title.len()]).max().unwrap_or(0))
        };
        let columns = groups.first().map_or(&[][..], Group::columns).iter();
        let mut layout = Layout {
            name_width: names.chain(["strategy".len()]).max().unwrap_or(0),
            columns: columns.map(measure).collect(),
        };
        for rank in (1..=3).rev() {
            if layout.width() > width {
                layout.columns.retain(|(column, _)| column.rank < rank);
            }
        }
        layout
    }

    fn width(&self) -> usize {
        let columns: usize = self.columns.iter().map(|(_, width)| width + 2).sum();
        2 + self.name_width + columns + 2 + "inconclusive".len()
    }

    /// The columns in which a scenario has anything to show.
    fn columns_of(&self, group: &Group<'_>) -> Vec<(&'static Column, usize)> {
        self.columns.iter().copied().filter(|(column, _)| column.is_known(group)).collect()
    }

    fn named(&self, name: &str, cells: impl Iterator<Item = String>, verdict: &str) -> String {
        let cells: String = cells.collect();
        format!("  {name:<width$}{cells}  {verdict}", width = self.name_width)
    }
}

fn processes(run: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    for case in run.cases.iter().filter(|case| case.command.is_none()) {
        let roles = rows::roles(case);
        if roles.len() < 2 {
            continue;
        }
        let each = roles.iter().map(|role| {
            let peaks = format!(
                "{} {}",
                role.name,
                pair(&role.cell(None, "heap.peak_bytes"), &role.cell(None, "rss.peak_bytes"))
            );
            rows::ends(role).map_or(peaks.clone(), |end| format!("{peaks} ({end})"))
        });
        let each = each.collect::<Vec<_>>().join(", ");
        let together = pair(&rows::cell(case, "heap.peak_bytes"), &rows::peak_rss(case, ""));
        lines.push(format!("{}: {each}; together {together}", case.case));
    }
    lines
}

fn pair(heap: &str, rss: &str) -> String {
    format!("{heap} / {rss}")
}

fn real(run: &Run) -> Vec<String> {
    let beside = real_engine::beside(run);
    if beside.is_empty() {
        return Vec::new();
    }
    let row = |a: &str, b: &str, c: &str, d: &str| format!("{a:<16}  {b:>9}  {c:>15}  {d:>20}");
    let head = row("strategy", "our heap", "our worker RSS", "real engine's RSS");
    let lines = beside.iter().map(|each| row(each.strategy, &each.heap, &each.worker_rss, &each.real));
    [head].into_iter().chain(lines).chain([real_engine::SOURCE.to_owned()]).collect()
}

fn worth(worth: &Worth) -> Vec<String> {
    let unit = metric::unit(&worth.metric).unwrap_or(Unit::Count);
    let names = worth.choices.iter().map(|choice| choice.name.len());
    let width = names.chain(["choice".len()]).max().unwrap_or(0);
    let row = |name: &str, cells: [String; 3]| {
        let [alone, last, shapley] = cells;
        format!("{name:<width$}  {alone:>12}  {last:>19}  {shapley:>20}")
    };
    let titles = ["alone", "added to all others", "on average (Shapley)"];
    let head = row("choice", titles.map(str::to_owned));
    let rows = worth.choices.iter().map(|choice| {
        let figures = [choice.alone, choice.last, choice.shapley];
        row(&choice.name, figures.map(|value| figure::change(value, unit)))
    });
    let ends = worth.combinations.first().zip(worth.combinations.last());
    let ends = ends.map(|(none, all)| {
        let (none, all) = (figure::short(*none, unit), figure::short(*all, unit));
        format!("from {none} with none of them to {all} with all; less than zero is a saving")
    });
    [head].into_iter().chain(rows).chain(ends).chain([crate::worth::conclusion(worth)]).collect()
}

/// The laws of whole cases, and beneath them where each reaches which size. The page has those of phases too.
fn laws(run: &Run) -> Vec<String> {
    let table = aligned::lines(&law::table(run, false), "llrrr");
    table.into_iter().chain(law::horizons_in_words(run)).collect()
}

fn tripwires(run: &Run) -> Vec<String> {
    let broken = judgements(run).filter(|(_, found)| found.verdict == Verdict::Pass);
    let named = broken.filter_map(|(case, found)| {
        let why = found.why.strip_prefix(TRIPWIRE)?;
        Some(format!("{} {}: {why}", case.case, found.metric))
    });
    named.collect()
}

/// What was not simply kept: the limit and the place on the first line, the figures below, then the sites that grew.
pub(crate) fn verdicts(run: &Run, style: Style) -> Vec<String> {
    let notable = judgements(run).filter(|(_, found)| found.verdict != Verdict::Pass);
    let mut shown: Vec<&SiteGrowth> = Vec::new();
    let said = notable.flat_map(|(case, found)| {
        let verdict = paint(rows::name(found.verdict), found.verdict, style);
        let growth = explain::of(case, found);
        let place = growth.map_or_else(String::new, |growth| format!(" {}", sites::first_line(growth)));
        let mut lines = vec![
            format!("{verdict}: {} {}{place}, {}", case.case, found.metric, found.budget),
            format!("  {}", found.why),
        ];
        // Several limits of one case look at the same moment: its sites are listed once.
        if let Some(growth) = growth.filter(|growth| !shown.iter().any(|other| std::ptr::eq(*other, *growth)))
        {
            shown.push(growth);
            lines.extend(places(case, growth));
        }
        lines
    });
    said.collect()
}

/// The sites that grew, how few would have to go, and how to see it again.
fn places(case: &Case, growth: &SiteGrowth) -> Vec<String> {
    let mut lines = vec![format!("  {}", sites::deletion(growth))];
    lines.extend(sites::text(growth).lines().map(str::to_owned));
    lines.extend(growth.flamegraph.iter().map(|file| format!("  flamegraph of the difference: {file}")));
    lines.extend(rows::again(case).map(|command| format!("  again: {command}")));
    lines
}

fn judgements(run: &Run) -> impl Iterator<Item = (&Case, &Judgement)> {
    run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found)))
}

fn paint(text: &str, verdict: Verdict, style: Style) -> String {
    if !style.colour {
        return text.to_owned();
    }
    let code = match verdict {
        Verdict::Pass | Verdict::Improved => 32,
        Verdict::Waived | Verdict::Inconclusive | Verdict::Unfit => 33,
        Verdict::Regression | Verdict::Error => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// A figure as the tables show it: `8.41 MiB`, `1.24 s`, `12,345`.
pub fn figure(value: f64, unit: Unit) -> String {
    figure::short(value, unit)
}

#[cfg(test)]
mod tests;
