//! The manual is a book: every page of docs/ is in it, and every verb has a page.

use std::collections::BTreeSet;
use std::fs;

use crate::{assert_none, files, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
}

/// The chapters of a summary: what each is called, and its page below docs/. A draft has no page.
fn chapters(summary: &str) -> Vec<(&str, &str)> {
    let lines = summary.lines().filter_map(|line| line.trim().strip_prefix("- [")?.strip_suffix(')'));
    lines.filter_map(|line| line.split_once("](")).collect()
}

/// Complaints about pages that no chapter leads to, and chapters that lead to no page or to one twice.
fn unlike(summary: &str, pages: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut listed = BTreeSet::new();
    for (name, page) in chapters(summary) {
        if !pages.contains(page) {
            complaints.push(format!("docs/SUMMARY.md: {name} leads to {page:?}, which is not there"));
        }
        if !listed.insert(page.to_owned()) {
            complaints.push(format!("docs/SUMMARY.md: {page} is there twice"));
        }
    }
    let missing = pages.difference(&listed);
    complaints.extend(missing.map(|page| format!("docs/SUMMARY.md: docs/{page} is no chapter")));
    complaints
}

#[test]
fn every_page_is_a_chapter() {
    let pages =
        files(&[".md"]).into_iter().filter_map(|page| Some(page.path.strip_prefix("docs/")?.to_owned()));
    let pages = pages.filter(|page| page != "SUMMARY.md").collect();
    assert_none(unlike(&read("docs/SUMMARY.md"), &pages));
}

/// The verbs, from the variants of the enum that clap reads.
fn verbs(source: &str) -> Vec<String> {
    let body =
        source.split("enum Verb {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
    let names = body.lines().filter_map(|line| line.trim().split('(').next());
    names
        .filter(|name| {
            name.chars().next().is_some_and(char::is_uppercase) && name.chars().all(char::is_alphanumeric)
        })
        .map(str::to_lowercase)
        .collect()
}

/// Verbs that no chapter is named after, as `highwater VERB`.
fn without_page(verbs: &[String], summary: &str) -> Vec<String> {
    let is_named = |verb: &str| {
        chapters(summary).iter().any(|(name, _)| {
            let words: Vec<&str> = name.split([' ', ',', ':']).collect();
            words.windows(2).any(|pair| pair == ["highwater", verb])
        })
    };
    let without = verbs.iter().filter(|verb| !is_named(verb));
    without.map(|verb| format!("docs/SUMMARY.md: no chapter is called `highwater {verb}`")).collect()
}

#[test]
fn every_verb_has_a_page() {
    let verbs = verbs(&read("cli/src/args.rs"));
    assert!(verbs.contains(&"doctor".to_owned()), "{verbs:?}");
    assert_none(without_page(&verbs, &read("docs/SUMMARY.md")));
}

mod bad_examples {
    use super::*;

    #[test]
    fn a_page_that_is_forgotten_and_a_chapter_without_a_page_are_found() {
        let summary = "# Summary\n\n- [A](a.md)\n  - [B](b.md)\n- [Again](a.md)\n- [C](c.md)\n";
        let pages = ["a.md", "b.md", "d.md"].map(str::to_owned).into();
        assert_eq!(
            unlike(summary, &pages),
            [
                "docs/SUMMARY.md: a.md is there twice",
                "docs/SUMMARY.md: C leads to \"c.md\", which is not there",
                "docs/SUMMARY.md: docs/d.md is no chapter",
            ]
        );
    }

    #[test]
    fn a_verb_without_a_page_is_found() {
        let source = "pub(crate) enum Verb {\n    /// Says.\n    Run(Run),\n    // A comment.\n    Compare(Box<Compare>),\n    Man(shell::Man),\n}\n";
        let verbs = verbs(source);
        assert_eq!(verbs, ["run", "compare", "man"]);
        let summary =
            "- [highwater run](run.md)\n- [Shells: highwater man, highwater list](a.md)\n- [compare](c.md)\n";
        assert_eq!(
            without_page(&verbs, summary),
            ["docs/SUMMARY.md: no chapter is called `highwater compare`"]
        );
    }
}
