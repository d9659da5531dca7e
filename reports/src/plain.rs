//! Text from outside, such as command lines, phases and errors of foreign programs: made plain before it is shown, so that no terminal
//! obeys it and nothing reads in another order than it is written.

use std::collections::BTreeMap;

use harness::record::{Case, Process, Run, SiteGrowth};

/// The text on one line, without anything that a terminal would obey.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { plain(c) }).collect()
}

/// The same, with its line breaks.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn plain(c: char) -> char {
    match c {
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        // Signs without width, and those that turn the direction of writing.
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        // No XML has them.
        | '\u{fffe}'
        | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// The text cut to so many characters; a cut is shown by three dots.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}

/// A copy of the run in which every text is plain. Only errors keep their line breaks.
pub fn run(run: &Run) -> Run {
    let mut run = run.clone();
    let environment = &mut run.environment;
    let artifact = &mut run.artifact;
    let own = [
        &mut run.time,
        &mut environment.platform,
        &mut environment.kernel,
        &mut environment.cpu,
        &mut environment.allocator,
        &mut environment.toolchain,
        &mut environment.target,
        &mut environment.lockfile,
        &mut environment.profile,
        &mut environment.huge_pages,
        &mut artifact.version,
    ];
    make_plain(own.into_iter().chain(&mut artifact.commit).chain(&mut artifact.tag).chain(&mut run.doubts));
    for worth in &mut run.worth {
        let names = worth.choices.iter_mut().map(|choice| &mut choice.name);
        make_plain([&mut worth.scenario, &mut worth.metric].into_iter().chain(names));
    }
    for crossing in &mut run.crossings {
        make_plain([&mut crossing.metric, &mut crossing.steeper, &mut crossing.flatter]);
    }
    run.cases.iter_mut().for_each(case);
    run
}

fn case(case: &mut Case) {
    let laws = case.laws.iter_mut().flat_map(|law| [&mut law.metric].into_iter().chain(&mut law.of));
    make_plain([&mut case.case].into_iter().chain(&mut case.notes).chain(laws));
    case.error = case.error.as_deref().map(lines);
    if let Some(corpus) = &mut case.corpus {
        make_plain([&mut corpus.profile, &mut corpus.digest]);
    }
    for found in &mut case.verdicts {
        make_plain([&mut found.metric, &mut found.budget, &mut found.why]);
        if let Some(waiver) = &mut found.waiver {
            make_plain([&mut waiver.issue, &mut waiver.owner, &mut waiver.expires]);
        }
    }
    if let Some(command) = &mut case.command {
        let ends = command.ends.iter_mut().flat_map(|end| [&mut end.instrument, &mut end.end]);
        make_plain(command.line.iter_mut().chain(ends));
    }
    case.growth.iter_mut().for_each(growth);
    plain_keys(&mut case.metrics);
    case.processes.iter_mut().for_each(process);
}

fn growth(growth: &mut SiteGrowth) {
    make_plain([&mut growth.metric].into_iter().chain(&mut growth.flamegraph));
    for site in &mut growth.sites {
        make_plain(
            [&mut site.role, &mut site.function].into_iter().chain(&mut site.file).chain(&mut site.stack),
        );
    }
}

fn process(process: &mut Process) {
    let texts = [&mut process.role, &mut process.instrument];
    make_plain(texts.into_iter().chain(&mut process.end).chain(&mut process.command));
    plain_keys(&mut process.metrics);
    for phase in &mut process.phases {
        phase.name = line(&phase.name);
        plain_keys(&mut phase.metrics);
    }
}

fn make_plain<'t>(texts: impl IntoIterator<Item = &'t mut String>) {
    for text in texts {
        *text = line(text);
    }
}

fn plain_keys<V>(map: &mut BTreeMap<String, V>) {
    *map = std::mem::take(map).into_iter().map(|(name, value)| (line(&name), value)).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compare, html, markdown, specimen, text};

    #[test]
    fn no_text_of_a_run_reaches_the_terminal_or_the_page_as_a_command() {
        let style = text::Style { colour: false, width: 120 };
        let runs = [
            specimen::judged(),
            specimen::waived(),
            specimen::swept(),
            specimen::foreign(),
            specimen::compared(),
        ];
        for mut run in runs {
            run.cases[0].error = Some("one\ntwo".to_owned());
            let run = specimen::poisoned(&run, "\x1b[2J\u{9b}5m\u{202e}\r\x07");
            let runs = compare::compare(&run, &run);
            let two = [compare::text(&runs), compare::markdown(&runs), compare::commands(&run)];
            let one = [text::table(&run, style), markdown::report(&run), html::report(&run, &|_| None)];
            for shown in one.into_iter().chain(two) {
                let obeyed = shown.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
                assert_eq!(obeyed, None, "{shown}");
            }
        }
    }

    #[test]
    fn a_line_stays_one_line_and_keeps_what_people_write() {
        assert_eq!(line("a\tb\r\nc\u{1b}[31m Zürich 日本 😀"), "a b  c\u{fffd}[31m Zürich 日本 😀");
    }

    #[test]
    fn a_cut_is_shown_and_never_falls_inside_a_character() {
        assert_eq!(cut("日本語の長い名前", 6), "日本語...");
        assert_eq!(cut("short", 5), "short");
    }
}
