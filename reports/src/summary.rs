//! The page of a merge request: ten seconds to know whether it may go in, what broke, where, and how to see it again.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::record::{Case, Judgement, Run, Verdict};

use crate::markdown::{code, escaped};
use crate::{debt, foreign, rows, sites};

/// Broken limits that are told with their sites; further ones are in the table alone.
const TOLD: usize = 5;
/// Lines of the table of verdicts; the report has all.
const LISTED: usize = 50;
/// Improvements, waivers and doubts that are listed, of each.
const LISTED_BESIDE: usize = 10;

/// What follows from a run, as short Markdown.
pub fn report(run: &Run) -> String {
    let run = &crate::plain_run(run);
    let mut page = format!("## {}\n", escaped(&headline(run)));
    verdicts(&mut page, run);
    let broken = judged(run, |verdict| verdict == Verdict::Regression);
    // Several limits of one metric are broken at the same places.
    let mut told = BTreeSet::new();
    let places = broken.iter().filter(|(case, judgement)| told.insert((&case.case, &judgement.metric)));
    for (case, judgement) in places.take(TOLD) {
        place(&mut page, case, judgement);
    }
    list(&mut page, "Improved", &improved(run));
    list(&mut page, "Waived", &debt::lines(run));
    list(&mut page, "Doubts", &run.doubts);
    repeat(&mut page, run);
    let commit = run.artifact.commit.as_deref().map(|commit| format!(", commit {}", code(commit)));
    let _ = writeln!(page, "\nhighwater {}{}.", escaped(&run.artifact.version), commit.unwrap_or_default());
    unlinked(&page)
}

/// A page that calls nobody and refers to no issue: outside of code, GitHub and GitLab make links of `@name` and `#1`, and tell those
/// who are meant. A space of no width after the sign prevents that and cannot be seen.
pub(crate) fn unlinked(page: &str) -> String {
    const SIGNS: [&str; 4] = ["@", "#", "&#64;", "&#35;"];
    let mut out = String::new();
    let mut rest = page;
    while let Some(c) = rest.chars().next() {
        if c == '`' {
            let (code, after) = rest.split_at(code_end(rest));
            out.push_str(code);
            rest = after;
            continue;
        }
        let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
        let (text, after) = rest.split_at(sign.map_or(c.len_utf8(), str::len));
        // A phase, as in `heap.peak_bytes@parse`, is nobody's name.
        let is_within_a_word = text == "@" && out.ends_with(char::is_alphanumeric);
        // Nor is what stands for a sign, as `&#91;`, an issue.
        let is_escape = text == "#" && out.ends_with('&');
        out.push_str(text);
        if sign.is_some() && !is_within_a_word && !is_escape && after.starts_with(char::is_alphanumeric) {
            out.push('\u{200b}');
        }
        rest = after;
    }
    out
}

/// Where the code ends that this text begins with: behind as many backticks as it begins with, or behind those where no more follow.
fn code_end(text: &str) -> usize {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let mut at = ticks;
    while let Some(found) = text[at..].find('`') {
        let run = &text[at + found..];
        let length = run.len() - run.trim_start_matches('`').len();
        at += found + length;
        if length == ticks {
            return at;
        }
    }
    ticks
}

/// Worse and broken never look alike, from the first line on.
fn headline(run: &Run) -> String {
    let says = match run.verdict {
        Verdict::Regression => "Memory: a budget is broken",
        Verdict::Error => "Memory: could not be measured",
        Verdict::Inconclusive | Verdict::Unfit => "Memory: could not be judged",
        Verdict::Waived => "Memory: within budget, with waivers",
        Verdict::Improved => "Memory: within budget, and improved",
        Verdict::Pass => "Memory: within budget",
    };
    if let Some(why) = rows::unfounded(run) {
        return format!("Memory: {}", escaped(why));
    }
    // A run that nobody wanted judged has kept no budget.
    match rows::summary(run) {
        summary if summary.starts_with("not judged") => format!("Memory: {summary}"),
        summary => format!("{says} ({summary})"),
    }
}

fn judged(run: &Run, wanted: fn(Verdict) -> bool) -> Vec<(&Case, &Judgement)> {
    let all = run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found)));
    let mut judged: Vec<_> = all.filter(|(_, found)| wanted(found.verdict)).collect();
    judged.sort_by_key(|(_, found)| std::cmp::Reverse(found.verdict));
    judged
}

/// What is not as it should be.
fn verdicts(page: &mut String, run: &Run) {
    let grave = judged(run, |verdict| verdict > Verdict::Waived);
    let told = |case: &&Case| !case.verdicts.iter().any(|found| found.verdict == Verdict::Error);
    let unmeasured = run.cases.iter().filter(|case| case.error.is_some()).filter(told);
    let failed = unmeasured.map(|case| {
        ("error", case.case.as_str(), "", "the right answer, measured", case.error.as_deref().unwrap_or(""))
    });
    let rest = grave.iter().map(|(case, found)| {
        (rows::name(found.verdict), case.case.as_str(), &*found.metric, &*found.budget, &*found.why)
    });
    let lines: Vec<_> = failed.chain(rest).collect();
    if lines.is_empty() {
        return;
    }
    page.push_str("\n| verdict | case | metric | budget | why |\n|---|---|---|---|---|\n");
    for (verdict, case, metric, budget, why) in lines.iter().take(LISTED) {
        let [case, metric, budget, why] = [case, metric, budget, why].map(|cell| escaped(cell));
        let _ = writeln!(page, "| {verdict} | {case} | {metric} | {budget} | {why} |");
    }
    if let more @ 1.. = lines.len().saturating_sub(LISTED) {
        let _ = writeln!(page, "\nand {more} more, in the report.");
    }
}

/// Where a broken limit's bytes went.
fn place(page: &mut String, case: &Case, judgement: &Judgement) {
    for growth in case.growth.iter().filter(|growth| growth.metric == judgement.metric) {
        let _ = writeln!(
            page,
            "\n<details open><summary>Where {} of {} grew: {}</summary>\n\n{}\n\n{}\n</details>",
            escaped(&growth.metric),
            escaped(&case.case),
            escaped(&sites::first_line(growth)),
            sites::deletion(growth),
            sites::markdown(growth)
        );
    }
}

fn improved(run: &Run) -> Vec<String> {
    let found = judged(run, |verdict| verdict == Verdict::Improved);
    found.iter().map(|(case, found)| format!("{} {}: {}", case.case, found.metric, found.why)).collect()
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n**{title}**\n");
    for line in lines.iter().take(LISTED_BESIDE) {
        let _ = writeln!(page, "- {}", escaped(line));
    }
    if let more @ 1.. = lines.len().saturating_sub(LISTED_BESIDE) {
        let _ = writeln!(page, "- and {more} more, in the report");
    }
}

/// The commands that measure the broken cases again.
fn repeat(page: &mut String, run: &Run) {
    let broken =
        run.cases.iter().filter(|case| rows::worst(case).is_some_and(|worst| worst > Verdict::Waived));
    // Commands that were compared are repeated together, which is one line for them all.
    let (commands, own): (Vec<&Case>, Vec<&Case>) = broken.partition(|case| case.command.is_some());
    let of_commands =
        rows::groups(run).into_iter().filter(|group| group.cases.iter().any(|case| commands.contains(case)));
    let of_commands = of_commands.flat_map(|group| foreign::repeat(&group.cases));
    let commands: Vec<String> =
        own.into_iter().filter_map(rows::again).chain(of_commands).take(TOLD).collect();
    if !commands.is_empty() {
        page.push_str("\nRepeat it with\n\n");
        page.push_str(&crate::markdown::block(&commands));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_and_no_issue_referred_to_but_in_code() {
        assert_eq!(
            unlinked("ask @ada, see a/b#12 and &#64;bob"),
            "ask @\u{200b}ada, see a/b#\u{200b}12 and &#64;\u{200b}bob"
        );
        assert_eq!(unlinked("heap.peak_bytes@parse"), "heap.peak_bytes@parse");
        assert_eq!(unlinked("&#91;x&#93;"), "&#91;x&#93;");
        assert_eq!(unlinked("## A\n| # | a @ b |"), "## A\n| # | a @ b |");
        for code in ["`npx @scope/tool #1`", "```\nrun @a `x` #1\n```\n", "``a ` @b``"] {
            assert_eq!(unlinked(code), code);
        }
        assert_eq!(unlinked("a ` that stays open: @ada"), "a ` that stays open: @\u{200b}ada");
    }
}
