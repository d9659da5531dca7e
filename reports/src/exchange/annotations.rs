//! Annotations of GitHub: workflow commands, which put a sentence beside the lines of a change that took the memory.

use std::fmt::Write as _;

use harness::record::{Case, GrownSite, Judgement, Run, SiteGrowth, Verdict};

use crate::{figure, metric, rows};

/// Sites that are shown for each broken limit; GitHub shows ten annotations of a kind for each step.
const SITES: usize = 3;

/// One `::error` for each broken limit, at its largest grown site where one is known in a file; one more for each further site of the
/// fewest that would suffice. Cases that could not be judged get a `::warning`.
pub fn report(run: &Run) -> String {
    let run = &crate::plain_run(run);
    let mut text = String::new();
    if let Some(why) = rows::unfounded(run) {
        command(&mut text, "error", None, "highwater", why);
    }
    for case in &run.cases {
        let told = case.verdicts.iter().any(|judgement| judgement.verdict == Verdict::Error);
        if let Some(error) = case.error.as_deref().filter(|_| !told) {
            command(&mut text, "error", None, &format!("highwater: error of {}", case.case), error);
        }
        for (index, judgement) in case.verdicts.iter().enumerate() {
            let metrics = || case.verdicts[..index].iter().filter(|other| other.verdict == judgement.verdict);
            match judgement.verdict {
                Verdict::Regression => {
                    let is_first = metrics().all(|other| other.metric != judgement.metric);
                    broken(&mut text, case, judgement, is_first);
                }
                Verdict::Error => command(&mut text, "error", None, &title(case, judgement), &judgement.why),
                Verdict::Inconclusive | Verdict::Unfit => {
                    command(&mut text, "warning", None, &title(case, judgement), &judgement.why);
                }
                Verdict::Pass | Verdict::Improved | Verdict::Waived => {}
            }
        }
    }
    text
}

fn broken(text: &mut String, case: &Case, judgement: &Judgement, is_first: bool) {
    let growth = case.growth.iter().find(|growth| growth.metric == judgement.metric);
    let sites: Vec<&GrownSite> = growth.map(shown).unwrap_or_default();
    let title = title(case, judgement);
    let Some((first, others)) = sites.split_first() else {
        return command(text, "error", None, &title, &judgement.why);
    };
    command(text, "error", Some(first), &title, &format!("{}; {}", judgement.why, grew(first, judgement)));
    // Several limits of one metric are broken by the same sites.
    for site in others.iter().filter(|_| is_first) {
        command(text, "error", Some(site), &title, &grew(site, judgement));
    }
}

/// The largest sites that lie in a known file: as many as would suffice, when that is known.
fn shown(growth: &SiteGrowth) -> Vec<&GrownSite> {
    let enough = growth.enough_sites.map_or(1, |enough| enough as usize).clamp(1, SITES);
    growth.sites.iter().filter(|site| site.file.is_some()).take(enough).collect()
}

fn grew(site: &GrownSite, judgement: &Judgement) -> String {
    let unit = metric::unit(&judgement.metric).unwrap_or(harness::record::Unit::Bytes);
    let by = figure::change(site.head_bytes - site.base_bytes, harness::record::Unit::Bytes);
    let of = if unit == harness::record::Unit::Bytes { "of it " } else { "" };
    format!("{by} {of}in {}", site.function)
}

fn title(case: &Case, judgement: &Judgement) -> String {
    format!("highwater: {} of {} {}", rows::name(judgement.verdict), case.case, judgement.metric)
}

fn command(text: &mut String, kind: &str, site: Option<&GrownSite>, title: &str, message: &str) {
    let mut properties = String::new();
    if let Some(file) = site.and_then(|site| site.file.as_deref()) {
        let _ = write!(properties, "file={},", property(file));
        if let Some(line) = site.and_then(|site| site.line) {
            let _ = write!(properties, "line={line},");
        }
    }
    let _ = writeln!(text, "::{kind} {properties}title={}::{}", property(title), data(message));
}

/// A message is one line, and `%` begins what stands for another sign.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
