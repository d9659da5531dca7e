//! What pages say of the project: its invariants, its layout, and links that lead somewhere.

use std::collections::BTreeSet;
use std::fs;

use crate::{Source, assert_none, files, root};

/// How many invariants there are, and for those that only a run can show, the tests that do.
const INVARIANTS: usize = 10;
const SHOWN_BY_TESTS: &[(&str, &str)] = &[
    ("generators/tests/pinned.rs", "corpora_have_their_pinned_digests"),
    ("reports/src/judge/tests.rs", "a_case_with_a_wrong_answer_is_an_error_whatever_its_figures"),
    ("reports/src/judge/tests.rs", "a_budget_without_samples_is_an_error"),
    ("reports/src/judge/tests.rs", "a_run_in_which_nothing_was_judged_is_an_error"),
];

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md stands at the root")
}

/// The numbers of a page's lines `Invariant N: ...`, in order.
fn invariants(page: &str) -> Vec<usize> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("Invariant ")?.split_once(": "));
    lines.filter(|(_, text)| text.ends_with('.')).filter_map(|(number, _)| number.parse().ok()).collect()
}

#[test]
fn every_invariant_is_a_line_of_the_architecture() {
    assert_eq!(invariants(&architecture()), (1..=INVARIANTS).collect::<Vec<_>>());
}

#[test]
fn the_tests_that_show_an_invariant_exist() {
    for (path, name) in SHOWN_BY_TESTS {
        let text = fs::read_to_string(root().join(path))
            .unwrap_or_else(|error| panic!("failed to read {path}: {error}"));
        assert!(text.contains(&format!("fn {name}()")), "{path} has no test {name}");
    }
}

/// The top-level folders that a page's tree lists: lines of its first block of code that begin with `NAME/`.
fn tree(page: &str) -> BTreeSet<String> {
    let block = page.split("```").nth(1).unwrap_or_default();
    let names = block.lines().filter_map(|line| line.split_once('/'));
    names
        .filter(|(name, _)| !name.is_empty() && !name.contains(' '))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn the_tree_of_the_architecture_lists_the_folders_that_exist() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    // What git and cargo keep is not the project's.
    let names: BTreeSet<String> = names.filter(|name| ![".git", "target"].contains(&name.as_str())).collect();
    assert_eq!(tree(&architecture()), names);
}

/// Links of a page to files of the project, without what follows `#`.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    local
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty())
        .collect()
}

/// Complaints about links that lead nowhere.
fn dead_links(page: &Source, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from_root = |target: &str| {
        if folder.is_empty() { target.to_owned() } else { format!("{folder}/{target}") }
    };
    let dead = links(&page.text).into_iter().filter(|target| !exists(&from_root(target)));
    dead.map(|target| format!("{}: the link to {target} leads nowhere", page.path)).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let exists = |path: &str| root().join(path).exists();
    assert_none(files(&[".md"]).iter().flat_map(|page| dead_links(page, exists)).collect());
}

/// The budgets of the project are read by the program itself; here only that they are there, each with a reason.
#[test]
fn the_projects_own_budgets_have_reasons() {
    let text = fs::read_to_string(root().join("ci/budgets.toml")).expect("ci/budgets.toml is there");
    let table: toml::Table = text.parse().unwrap();
    let entries = ["budget", "order"].into_iter().filter_map(|key| table.get(key)?.as_array()).flatten();
    let reasons: Vec<&str> = entries.map(|entry| entry["reason"].as_str().unwrap()).collect();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()));
}

mod bad_examples {
    use super::*;
    use crate::source;

    #[test]
    fn a_missing_or_cut_off_invariant_is_seen() {
        assert_eq!(invariants("Invariant 1: a.\n\nInvariant 3: b.\nInvariant 4: cut"), [1, 3]);
    }

    #[test]
    fn a_folder_is_read_from_the_tree_only() {
        let page = "# A\n```\nCargo.toml  a file\nengine/     the/engine\n  benches/  inside\n.ci/        hidden\n```\ndocs/ elsewhere";
        assert_eq!(tree(page), BTreeSet::from(["engine".to_owned(), ".ci".to_owned()]));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let page = source("docs/a.md", "[b](b.md) [c](../c.md#part) [d](https://example.com/d) [e](#here)");
        assert_eq!(
            dead_links(&page, |path| path == "docs/b.md"),
            ["docs/a.md: the link to ../c.md leads nowhere"]
        );
    }
}
