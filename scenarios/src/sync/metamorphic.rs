//! What must not matter: a history that says the same in another order, in other directories or under other names takes as much.
//!
//! No oracle is needed: the untouched corpus is compared with its variants, and how far the peak moves is the metric.

use std::collections::{BTreeMap, BTreeSet};

use engine::sync::Strategy;
use engine::sync::discover::{Layout, ROOTS, Root};
use harness::instrument::Instrument;
use harness::record::{Tier, Unit};

use crate::answer::Pass;
use crate::runner::{CaseRun, Input, Runner};
use crate::scratch::Tree;
use crate::sync::{Drive, Task};

/// Times that every variant is measured, to see that it takes the same each time.
const SAMPLES: usize = 2;
/// Directories without sessions that are added to each root.
const EMPTY: usize = 8;
/// Characters by which names become longer.
const LONGER: usize = 40;

/// A way to say the same.
struct Variant {
    name: &'static str,
    change: fn(&mut Tree),
    /// Workspace directories that there are more.
    more_workspaces: u64,
    /// Whether the digest stays, which covers order and places of sessions.
    keeps_digest: bool,
}

const VARIANTS: [Variant; 5] = [
    Variant { name: "workspaces in reverse order", change: reverse, more_workspaces: 0, keeps_digest: false },
    Variant { name: "a workspace split in two", change: split, more_workspaces: 1, keeps_digest: false },
    Variant { name: "longer names", change: lengthen, more_workspaces: 0, keeps_digest: false },
    Variant { name: "shorter names", change: shorten, more_workspaces: 0, keeps_digest: false },
    Variant {
        name: "directories without sessions",
        change: add_empty,
        more_workspaces: 4 * EMPTY as u64,
        keeps_digest: true,
    },
];

/// Measures the untouched corpus and each variant, and says how far the peak moved at most.
pub(crate) fn measure(runner: &mut Runner<'_>, strategy: Strategy, case: &mut CaseRun) -> Result<(), String> {
    let input = runner.steady.small.clone().ok_or("the small corpus was not made")?;
    *case = CaseRun::on(&case.name, &input);
    for sample in 0..SAMPLES {
        let (pass, untouched) = run(runner, strategy, case, &input, None)?;
        let mut moved: f64 = 0.0;
        for variant in &VARIANTS {
            let (other, peak) = run(runner, strategy, case, &input, Some(variant))?;
            check(&pass, &other, variant).map_err(|error| format!("{}: {error}", variant.name))?;
            moved = moved.max((peak - untouched).abs());
            if sample == 0 {
                case.notes.push(format!("{}: {:+} bytes", variant.name, peak - untouched));
            }
        }
        case.set("metamorphic.moved_bytes", Unit::Bytes, Tier::Exact, moved);
    }
    Ok(())
}

/// A cold parse of the corpus or of one of its variants: what it answered, and its peak. Only the untouched corpus's sample is
/// the case's own.
fn run(
    runner: &mut Runner<'_>,
    strategy: Strategy,
    case: &mut CaseRun,
    input: &Input,
    variant: Option<&Variant>,
) -> Result<(Pass, f64), String> {
    let about_home = |error| format!("failed to link {}: {error}", input.home.display());
    let mut tree = Tree::of(&input.home).map_err(about_home)?;
    if let Some(variant) = variant {
        (variant.change)(&mut tree);
    }
    let scratch = runner.scratch(&case.name)?;
    tree.link(&input.home, &scratch.home()).map_err(about_home)?;
    let task = Task { drive: Drive::Cold, strategy, worker_heap_bytes: None, attempts: Some(1) };
    let (sample, answer) = runner.sample(&scratch, &task, Instrument::Count, None)?;
    let pass = answer.last()?.clone();
    let peaks = sample.processes.iter().filter_map(|process| process.metrics.get("heap.peak_bytes"));
    let peak = peaks.map(|reading| reading.value).sum();
    if variant.is_none() {
        answer.check(input.expected.as_ref().ok_or("the small corpus has no manifest")?)?;
        case.add(sample, &pass, input);
    }
    Ok((pass, peak))
}

/// Checks that a variant says the same as the untouched corpus, as far as it should.
fn check(untouched: &Pass, other: &Pass, variant: &Variant) -> Result<(), String> {
    if !other.complete {
        return Err(format!("it was not completed: {}", other.failures.join("; ")));
    }
    let workspaces = untouched.workspaces + variant.more_workspaces;
    for (name, found, wanted) in [
        ("sessions", other.sessions, untouched.sessions),
        ("requests", other.requests, untouched.requests),
        ("tokens", other.tokens, untouched.tokens),
        ("workspaces", other.workspaces, workspaces),
    ] {
        if found != wanted {
            return Err(format!("it answered {found} {name} instead of {wanted}"));
        }
    }
    if (other.digest == untouched.digest) != variant.keeps_digest {
        return Err(format!(
            "its digest {} should {}differ",
            other.digest,
            if variant.keeps_digest { "not " } else { "" }
        ));
    }
    Ok(())
}

/// The root, the workspace's name and the rest of a path below home.
fn split_path(path: &str) -> Option<(&'static Root, &str, &str)> {
    ROOTS.iter().find_map(|root| {
        let below = path.strip_prefix(root.path)?.strip_prefix('/')?;
        let (name, rest) = below.split_once('/')?;
        Some((root, name, rest))
    })
}

/// The names of workspaces by root, sorted.
fn names(tree: &Tree) -> BTreeMap<&'static str, Vec<String>> {
    let mut names: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (path, _) in &tree.files {
        if let Some((root, name, _)) = split_path(path) {
            names.entry(root.path).or_default().insert(name.to_owned());
        }
    }
    names.into_iter().map(|(root, names)| (root, names.into_iter().collect())).collect()
}

/// Gives each file below a workspace another place: `place` has its root, its workspace's number of how many, its workspace's
/// name and the rest of its path, and gives the last two anew.
fn replace(tree: &mut Tree, place: impl Fn(&Root, &[String], usize, &str) -> (String, String)) {
    let names = names(tree);
    for (path, _) in &mut tree.files {
        let Some((root, name, rest)) = split_path(path) else { continue };
        let all = &names[root.path];
        let Some(at) = all.iter().position(|known| known == name) else { continue };
        let (name, rest) = place(root, all, at, rest);
        *path = format!("{}/{name}/{rest}", root.path);
    }
}

fn reverse(tree: &mut Tree) {
    replace(tree, |_, names, at, rest| (names[names.len() - 1 - at].clone(), rest.to_owned()));
}

/// Every second session of the first workspace goes to another one, which has the same `workspace.json`.
fn split(tree: &mut Tree) {
    let Some(name) = names(tree).get(ROOTS[0].path).and_then(|names| names.first().cloned()) else { return };
    let from = format!("{}/{name}/", ROOTS[0].path);
    // As long as the name was, and no other: the names are hexadecimal.
    let to = format!("{}/{}x/", ROOTS[0].path, &name[..name.len() - 1]);
    let mut sessions = 0;
    let mut again = Vec::new();
    for (path, source) in &mut tree.files {
        let Some(rest) = path.strip_prefix(&from) else { continue };
        let moved = format!("{to}{rest}");
        if !rest.starts_with("chatSessions/") {
            again.push((moved, source.clone()));
        } else {
            sessions += 1;
            if sessions % 2 == 0 {
                *path = moved;
            }
        }
    }
    tree.files.extend(again);
}

fn lengthen(tree: &mut Tree) {
    let more = "x".repeat(LONGER);
    replace(tree, |root, names, at, rest| {
        (format!("{}{more}", names[at]), renamed(root, rest, &|stem| format!("{stem}{more}")))
    });
}

/// Workspaces are numbered, and the names of sessions keep their first eight characters.
fn shorten(tree: &mut Tree) {
    replace(tree, |root, _, at, rest| {
        (format!("{at:03}"), renamed(root, rest, &|stem| stem.chars().take(8).collect()))
    });
}

/// The path in its workspace of a session with another name, where a session says its id itself and needs no name for it.
fn renamed(root: &Root, rest: &str, name: &dyn Fn(&str) -> String) -> String {
    let session = rest.strip_prefix("chatSessions/").and_then(|file| file.rsplit_once('.'));
    match session {
        Some((stem, extension)) if root.layout == Layout::VsCode => {
            format!("chatSessions/{}.{extension}", name(stem))
        }
        _ => rest.to_owned(),
    }
}

fn add_empty(tree: &mut Tree) {
    let roots: Vec<&'static str> = names(tree).into_keys().collect();
    for root in roots {
        // Among the others: half of the hexadecimal names begin with less.
        tree.directories.extend((0..EMPTY).map(|number| format!("{root}/7fempty-{number}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        let files = paths.iter().map(|path| ((*path).to_owned(), (*path).to_owned())).collect();
        Tree { files, directories: Vec::new() }
    }

    fn places(tree: &Tree) -> Vec<&str> {
        tree.files.iter().map(|(place, _)| place.as_str()).collect()
    }

    #[test]
    fn reversed_workspaces_exchange_their_names() {
        let mut tree =
            tree(&[".claude/projects/a/1.jsonl", ".claude/projects/b/2.jsonl", ".claude/projects/c/3.jsonl"]);
        reverse(&mut tree);
        assert_eq!(
            places(&tree),
            [".claude/projects/c/1.jsonl", ".claude/projects/b/2.jsonl", ".claude/projects/a/3.jsonl"]
        );
    }

    #[test]
    fn a_split_workspace_keeps_every_session_once_and_its_name_twice() {
        let root = ROOTS[0].path;
        let mut tree = tree(
            &["ab/chatSessions/1.json", "ab/chatSessions/2.json", "ab/workspace.json"]
                .map(|path| format!("{root}/{path}"))
                .each_ref()
                .map(String::as_str),
        );
        split(&mut tree);
        let expected =
            ["ab/chatSessions/1.json", "ax/chatSessions/2.json", "ab/workspace.json", "ax/workspace.json"];
        assert_eq!(places(&tree), expected.map(|path| format!("{root}/{path}")));
    }

    #[test]
    fn a_variant_that_loses_a_session_is_no_variant() {
        let untouched = Pass { sessions: 2, complete: true, ..Pass::default() };
        let lost = Pass { sessions: 1, ..untouched.clone() };
        let variant = &VARIANTS[4];
        let error =
            check(&untouched, &Pass { workspaces: variant.more_workspaces, ..lost }, variant).unwrap_err();
        assert_eq!(error, "it answered 1 sessions instead of 2");
        let same = Pass { workspaces: variant.more_workspaces, ..untouched.clone() };
        assert_eq!(check(&untouched, &same, variant), Ok(()));
    }
}
