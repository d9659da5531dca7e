//! Tests of the page as a whole, read as a browser reads it.

use std::collections::BTreeSet;

use harness::record::{Case, Run, Ticks, Unit, Verdict};
use scraper::{ElementRef, Html, Selector};

use super::*;
use crate::specimen::{self, exact};
use crate::worth;

/// Every element that a page may have.
const ELEMENTS: &[&str] = &[
    "a",
    "article",
    "b",
    "body",
    "caption",
    "circle",
    "code",
    "dd",
    "desc",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "html",
    "li",
    "main",
    "meta",
    "nav",
    "p",
    "path",
    "pre",
    "section",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
];

/// A run that failed, with sites and worth and all.
fn failing() -> Run {
    let mut run = specimen::judged();
    let case = run.cases.iter_mut().find(|case| case.case == "sync/cold:bounded").unwrap();
    case.growth = vec![specimen::grown()];
    case.processes[0].ticks =
        Some(Ticks { every: 1, seconds_per_tick: Some(60.0), live_bytes: vec![1e6, 2e6, 1.5e6, 3e6] });
    run.worth.push(worth::shapley(
        "sync/cold",
        "heap.peak_bytes",
        &["s4", "s2"],
        &[2e8, 1.2e8, 1.7e8, 0.8e8],
    ));
    run.cases.extend(specimen::swept().cases);
    run.crossings = specimen::swept().crossings;
    run
}

fn empty() -> Run {
    Run { cases: Vec::new(), doubts: Vec::new(), ..specimen::run() }
}

fn drawing(_: &str) -> Option<String> {
    Some(
        r#"<svg><script>alert(1)</script><g><title>a (1 bytes, 9%; +1%)</title><rect x="0%" y="9" width="50%" fill="rgb(255,9,9)"/></g></svg>"#
            .to_owned(),
    )
}

fn runs() -> Vec<Run> {
    vec![failing(), empty(), specimen::waived(), specimen::foreign(), specimen::compared(), specimen::swept()]
}

fn all<'d>(page: &'d Html, selector: &str) -> Vec<ElementRef<'d>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn attributes<'d>(page: &'d Html, name: &str) -> Vec<&'d str> {
    all(page, &format!("[{name}]")).into_iter().filter_map(|element| element.attr(name)).collect()
}

#[test]
fn a_page_is_well_formed_and_leads_nowhere_else() {
    for run in runs() {
        let text = report(&run, &drawing);
        let page = Html::parse_document(&text);
        assert_eq!(page.errors, Vec::<std::borrow::Cow<'static, str>>::new());
        assert!(!text.contains("url(") && attributes(&page, "src").is_empty());
        let links = attributes(&page, "href");
        let leads_away = links.iter().find(|link| !link.starts_with('#') && !link.starts_with("sites/"));
        assert_eq!(leads_away, None);
        let ids = attributes(&page, "id");
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "{ids:?}");
        let targets = links.iter().filter_map(|link| link.strip_prefix('#'));
        let missing = targets.chain(attributes(&page, "aria-labelledby")).find(|id| !known.contains(id));
        assert_eq!(missing, None);
    }
}

#[test]
fn a_page_can_be_read_without_seeing_it() {
    for run in runs() {
        let page = Html::parse_document(&report(&run, &drawing));
        assert_eq!(
            (all(&page, "main").len(), all(&page, "h1").len(), all(&page, "html[lang]").len()),
            (1, 1, 1)
        );
        let level = |heading: &ElementRef<'_>| heading.value().name()[1..].parse::<u8>().unwrap();
        let levels: Vec<u8> = all(&page, "h1, h2, h3, h4").iter().map(level).collect();
        assert!(levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
        assert_eq!(all(&page, "table").len(), all(&page, "table > caption").len());
        assert_eq!(all(&page, "th:not([scope])").len(), 0);
        let drawings = all(&page, "svg").len();
        assert_eq!(all(&page, "svg[role=img] > title, svg[aria-hidden]").len(), drawings);
        let untitled = all(&page, "svg > title").into_iter().find(|title| title.inner_html().is_empty());
        assert_eq!(untitled, None);
    }
}

#[test]
fn no_text_of_a_run_becomes_markup() {
    let evil =
        "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' <!-- \u{202e}";
    // Files of flamegraphs are named by texts too.
    let drawings = |run: &Run| all(&Html::parse_document(&report(run, &|_| None)), "svg").len();
    let of_each = |run: Run| {
        let beside = specimen::poisoned_beside_metrics(&run, evil);
        assert_eq!(drawings(&beside), drawings(&run), "not all is drawn of a hostile run");
        [specimen::poisoned(&run, evil), beside]
    };
    for run in runs().into_iter().flat_map(of_each) {
        let page = Html::parse_document(&report(&run, &drawing));
        let names: BTreeSet<&str> = all(&page, "*").iter().map(|element| element.value().name()).collect();
        let unknown: Vec<&str> = names.into_iter().filter(|name| !ELEMENTS.contains(name)).collect();
        assert_eq!(unknown, [""; 0]);
        let handler = all(&page, "*").into_iter().find_map(|element| {
            element
                .value()
                .attrs()
                .map(|(name, _)| name.to_owned())
                .find(|name| name.starts_with("on") || name == "style")
        });
        assert_eq!(handler, None);
        assert!(!page.html().contains('\u{202e}'));
        // What was meant as markup is there to be read.
        assert!(page.root_element().text().any(|text| text.contains("<script>alert(1)</script>")));
    }
}

#[test]
fn the_verdict_and_what_failed_stand_before_all_else() {
    let text = report(&failing(), &drawing);
    let places: Vec<usize> =
        ["<h1>", "id=\"failed\"", "id=\"f0\"", "id=\"s0\"", "id=\"worth\"", "id=\"verdicts\""]
            .iter()
            .map(|mark| text.find(mark).unwrap())
            .collect();
    assert!(places.is_sorted(), "{places:?}");
    let title = format!("<title>{}: highwater report</title>", crate::rows::name(failing().verdict));
    assert!(text.contains(&title), "{}", &text[..2000]);
}

#[test]
fn a_passing_run_has_no_failures_to_show() {
    let text = report(&specimen::waived(), &drawing);
    assert!(text.contains("4 excused") && !text.contains("id=\"failed\""), "{}", &text[..8000]);
}

#[test]
fn what_nobody_judged_is_not_called_good() {
    let text = report(&Run { verdict: Verdict::Pass, ..specimen::foreign() }, &drawing);
    assert!(text.contains("<title>not judged: highwater report</title>"));
    assert!(report(&empty(), &drawing).contains("nothing was measured"));
}

/// So many scenarios of five strategies, each with phases and figures of its own.
fn large(scenarios: usize) -> Run {
    let mut run = specimen::judged();
    let cold: Vec<Case> =
        run.cases.iter().filter(|case| case.case.starts_with("sync/cold:")).cloned().collect();
    run.cases.clear();
    for scenario in 0..scenarios {
        for case in &cold {
            let mut case = case.clone();
            case.case = case.case.replace("sync/cold", &format!("large/scenario-{scenario}"));
            for phase in ["parse", "send"] {
                case.metrics.insert(format!("heap.peak_bytes@{phase}"), exact(1e6, Unit::Bytes));
            }
            for figure in 0..12 {
                case.metrics.insert(
                    format!("scenario.figure_{figure}_bytes"),
                    exact(1e6 + f64::from(figure), Unit::Bytes),
                );
            }
            // A card for each of hundreds of failures is another page than the one that is looked at here.
            case.verdicts.iter_mut().for_each(|found| found.verdict = Verdict::Pass);
            case.notes = vec!["churn, not a leak: 15.9 MiB a tick allocated, nothing kept".to_owned()];
            run.cases.push(case);
        }
    }
    run
}

#[test]
fn a_large_run_is_a_page_of_half_a_megabyte_at_most() {
    let whole = report(&large(32), &drawing);
    assert!(whole.len() <= ROOM_BYTES && whole.contains("Phases, with the strategies"), "{}", whole.len());
    let shortened = report(&large(44), &drawing);
    assert!(
        shortened.len() <= ROOM_BYTES && shortened.contains("Phases are left out"),
        "{}",
        shortened.len()
    );
}

/// The part of a page between two marks.
fn part<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let begin = page.find(from).unwrap();
    &page[begin..begin + page[begin..].find(to).unwrap()]
}

/// One line for each element, so that a change is seen where it is.
fn lines(markup: &str) -> String {
    markup.replace("><", ">\n<")
}

#[test]
fn the_banner_of_a_failed_run() {
    let page = report(&failing(), &drawing);
    insta::assert_snapshot!(lines(part(&page, "<header>", "</header>")));
}

#[test]
fn the_card_of_a_failed_case() {
    let page = report(&failing(), &drawing);
    let at = page.find(">sync/cold:bounded</span></h3>").unwrap();
    let begin = page[..at].rfind("<article").unwrap();
    insta::assert_snapshot!(lines(part(&page[begin..], "<article", "</article>")));
}

#[test]
fn a_scenario_side_by_side() {
    let page = report(&failing(), &drawing);
    insta::assert_snapshot!(lines(part(&page, "<section aria-labelledby=\"s0\"", "</section>")));
}

#[test]
fn the_chart_of_a_law() {
    let page = report(&specimen::swept(), &drawing);
    insta::assert_snapshot!(lines(part(&page, "<figure class=\"broad\"", "</figure>")));
}

#[test]
fn the_worth_of_choices() {
    let page = report(&failing(), &drawing);
    insta::assert_snapshot!(lines(part(&page, "<section aria-labelledby=\"worth\"", "</section>")));
}

#[test]
fn the_timeline_of_a_tree() {
    let page = report(&specimen::foreign(), &drawing);
    insta::assert_snapshot!(lines(part(&page, "<figure class=\"broad\"", "</figure>")));
}
