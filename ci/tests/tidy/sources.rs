//! What Rust sources may hold: invariants 1 to 10 as far as they show in the text, and upkeep.

use crate::code::{bare, without_tests};
use crate::{Source, assert_none, files};

/// The libraries: they print nothing, parse no arguments and never exit.
const LIBRARIES: &[&str] =
    &["engine/src/", "generators/src/", "harness/src/", "scenarios/src/", "reports/src/"];

/// Where `unsafe` may stand: the allocators, the calls to the operating system, and what runs between fork and exec.
const UNSAFE: &[&str] = &["harness/src/alloc", "harness/src/os", "harness/src/subject/spawn"];

/// A file may be longer when it is one table.
const TABLES: &[&str] = &[];
const LINES_AT_MOST: usize = 800;

/// Where sample paths of made-up users are part of the data.
const SAMPLE_PATHS: &[&str] = &["generators/", "engine/", "scenarios/"];

/// A search for words in code, with what to say about them.
struct Rule {
    /// The files it is about, by how their paths begin.
    within: &'static [&'static str],
    /// Any of these in code (not in comments, texts or tests) is wrong.
    words: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        within: LIBRARIES,
        words: &["println!", "eprintln!", "print!", "eprint!", "dbg!"],
        why: "invariant 6: only cli and ci print",
    },
    Rule { within: LIBRARIES, words: &["process::exit"], why: "invariant 6: only cli and ci exit" },
    Rule {
        within: LIBRARIES,
        words: &["env::args", "clap::"],
        why: "invariant 6: only cli and ci parse arguments",
    },
    Rule {
        within: &["engine/src/"],
        words: &["cfg(feature", "harness::", "generators::", "scenarios::"],
        why: "invariant 1: the engine knows no other crate here and is built the same, measured or not",
    },
    Rule {
        within: &["harness/src/"],
        words: &["engine::", "generators::", "scenarios::"],
        why: "invariant 2: the harness knows no engine and no corpus",
    },
    Rule {
        within: &["generators/src/"],
        words: &["engine::", "harness::"],
        why: "invariant 3: the generators use no type or writer of the engine",
    },
    Rule {
        within: &["reports/src/"],
        words: &["Command::", "Instant::", "process::", "env::", "thread::"],
        why: "invariant 5: reports reads records, it never measures or spawns",
    },
    Rule {
        within: &["harness/src/record.rs"],
        words: &["crate::", "super::"],
        why: "invariant 5: the schema depends on nothing else",
    },
    Rule { within: &[""], words: &["todo!", "unimplemented!"], why: "unfinished code is not committed" },
];

/// Complaints about words that a rule forbids.
fn forbidden_words(rule: &Rule, source: &Source) -> Vec<String> {
    if !rule.within.iter().any(|start| source.path.starts_with(start)) {
        return Vec::new();
    }
    let code = without_tests(&bare(&source.text));
    let lines = code.lines().enumerate();
    let found = lines
        .filter_map(|(index, line)| Some((index, *rule.words.iter().find(|word| has_word(line, word))?)));
    found.map(|(index, word)| format!("{}:{}: `{word}`; {}", source.path, index + 1, rule.why)).collect()
}

/// Whether a line holds the word itself, not the end of a longer one (`print!` in `eprint!`).
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_part))
}

/// Complaints about `reports` naming more of `harness` than the records and the profiles of sites.
fn more_than_records(source: &Source) -> Vec<String> {
    let code = bare(&source.text);
    let lines = code.lines().enumerate().filter(|_| source.path.starts_with("reports/src/"));
    let other = |line: &str| {
        let is_data = |rest: &str| rest.starts_with("record") || rest.starts_with("sites");
        line.match_indices("harness::").any(|(at, found)| !is_data(&line[at + found.len()..]))
    };
    let found = lines.filter(|(_, line)| other(line));
    found
        .map(|(index, _)| {
            format!(
                "{}:{}: invariant 5: reports reads harness::record and harness::sites only",
                source.path,
                index + 1
            )
        })
        .collect()
}

/// Complaints about unsafe code outside its modules, or without the reason why it is sound.
fn unsafe_code(source: &Source) -> Vec<String> {
    let code = bare(&source.text);
    let raw: Vec<&str> = source.text.lines().collect();
    let is_allowed = UNSAFE.iter().any(|start| source.path.starts_with(start));
    let mut complaints = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let begins = |what: &str| line.contains(&format!("unsafe {what}"));
        if !["{", "fn", "impl", "extern"].iter().any(|what| begins(what)) {
            continue;
        }
        let place = format!("{}:{}", source.path, index + 1);
        if !is_allowed && source.path.contains("/src/") {
            complaints.push(format!("{place}: invariant 7: `unsafe` only in {}", UNSAFE.join(", ")));
        }
        let above = &raw[index.saturating_sub(8)..=index];
        if begins("{") && !above.iter().any(|line| line.contains("SAFETY:")) {
            complaints
                .push(format!("{place}: invariant 7: an unsafe block without a `SAFETY:` sentence above it"));
        }
    }
    complaints
}

/// Complaints about a file that does not open with what it is for.
fn no_opening_sentence(source: &Source) -> Vec<String> {
    let opens = source.text.starts_with("//! ");
    (!opens)
        .then(|| {
            format!(
                "{}:1: the file must open with `//!` and one sentence that says what it is for",
                source.path
            )
        })
        .into_iter()
        .collect()
}

fn too_long(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let is_table = TABLES.contains(&source.path.as_str());
    let long = lines > LINES_AT_MOST && !is_table;
    long.then(|| format!("{}: {lines} lines; cut it at a concept, {LINES_AT_MOST} are the most", source.path))
        .into_iter()
        .collect()
}

/// Complaints about notes to do something that nobody owns: they are written `TODO(name): ...`.
fn orphans(source: &Source) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_orphan = |line: &str, mark: &str| {
        let comment = line.find("//").unwrap_or(line.len());
        line.match_indices(mark).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + mark.len()..]);
            at > comment
                && !before.ends_with(is_part)
                && !after.starts_with(is_part)
                && !after.starts_with('(')
        })
    };
    let found = source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| ["TODO", "FIXME"].iter().any(|mark| is_orphan(line, mark)));
    found
        .map(|(index, _)| {
            format!("{}:{}: a note without an owner, write `TODO(name)`", source.path, index + 1)
        })
        .collect()
}

/// Complaints about paths that exist on one machine only.
fn machine_paths(source: &Source) -> Vec<String> {
    let is_sample = SAMPLE_PATHS.iter().any(|start| source.path.starts_with(start));
    let wrong = |line: &str| {
        let everywhere = ["/work/", "/root/"].iter().any(|start| has_path(line, start));
        everywhere || (!is_sample && ["/home/", "/Users/"].iter().any(|start| has_path(line, start)))
    };
    let found = source.text.lines().enumerate().filter(|(_, line)| wrong(line));
    found.map(|(index, _)| format!("{}:{}: a path of one machine", source.path, index + 1)).collect()
}

/// Whether an absolute path begins here: not a folder of that name inside another path.
fn has_path(line: &str, start: &str) -> bool {
    line.match_indices(start)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*}~/".contains(c)))
}

fn check(sources: &[Source], check: impl Fn(&Source) -> Vec<String>) {
    assert_none(sources.iter().flat_map(check).collect());
}

#[test]
fn no_forbidden_word_stands_in_code() {
    check(&files(&[".rs"]), |source| RULES.iter().flat_map(|rule| forbidden_words(rule, source)).collect());
}

#[test]
fn reports_knows_records_only() {
    check(&files(&[".rs"]), more_than_records);
}

#[test]
fn unsafe_code_stands_where_it_may_and_says_why_it_is_sound() {
    check(&files(&[".rs"]), unsafe_code);
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    check(&files(&[".rs"]), no_opening_sentence);
}

#[test]
fn files_are_cut_at_concepts() {
    check(&files(&[".rs"]), too_long);
}

#[test]
fn notes_have_owners() {
    check(&files(&[".rs"]), orphans);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let own = "ci/tests/tidy/sources.rs";
    let sources: Vec<Source> = files(&[".rs", ".toml", ".md", ".yml", ".sh", "run"])
        .into_iter()
        .filter(|source| source.path != own)
        .collect();
    check(&sources, machine_paths);
}

mod bad_examples {
    use super::*;
    use crate::source;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        RULES.iter().flat_map(|rule| forbidden_words(rule, &source(path, text))).collect()
    }

    #[test]
    fn a_library_that_prints_exits_or_reads_arguments_is_found() {
        for word in ["println!(1)", "eprintln!(1)", "std::process::exit(1)", "std::env::args()", "dbg!(1)"] {
            let text = format!("//! A.\nfn a() {{ {word}; }}");
            let found = complaints("engine/src/a.rs", &text);
            assert!(found[0].starts_with("engine/src/a.rs:2: "), "{word}: {found:?}");
            assert!(complaints("cli/src/a.rs", &text).is_empty(), "{word}");
            assert!(complaints("engine/examples/a.rs", &text).is_empty(), "{word}");
        }
    }

    #[test]
    fn what_stands_in_a_comment_a_text_or_a_test_is_not_found() {
        let text = "//! A.\n// println!\nconst B: &str = \"println!\";\n#[cfg(test)]\nmod tests { fn a() { println!(1) } }";
        assert!(complaints("engine/src/a.rs", text).is_empty());
    }

    #[test]
    fn a_crate_that_names_one_it_must_not_know_is_found() {
        for (path, text) in [
            ("engine/src/a.rs", "use harness::heap;"),
            ("engine/src/a.rs", "#[cfg(feature = \"bench\")]"),
            ("harness/src/a.rs", "use engine::sync;"),
            ("generators/src/a.rs", "use engine::sync;"),
            ("reports/src/a.rs", "let now = Instant::now();"),
            ("harness/src/record.rs", "use crate::heap;"),
            ("scenarios/src/a.rs", "todo!()"),
        ] {
            assert_eq!(complaints(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn a_report_that_reaches_for_the_instrument_is_found() {
        assert_eq!(more_than_records(&source("reports/src/a.rs", "use harness::heap::Region;")).len(), 1);
        assert!(more_than_records(&source("reports/src/a.rs", "use harness::record::Run;")).is_empty());
    }

    #[test]
    fn unsafe_code_elsewhere_or_without_its_sentence_is_found() {
        let good = "fn a() {\n    // SAFETY: the pointer is valid, the caller says.\n    unsafe { b() }\n}";
        assert!(unsafe_code(&source("harness/src/alloc.rs", good)).is_empty());
        assert_eq!(unsafe_code(&source("harness/src/phase.rs", good)).len(), 1);
        assert_eq!(unsafe_code(&source("harness/src/alloc.rs", "fn a() { unsafe { b() } }")).len(), 1);
        assert_eq!(unsafe_code(&source("engine/src/a.rs", "unsafe impl Send for A {}")).len(), 1);
        assert!(unsafe_code(&source("engine/src/a.rs", "#![deny(unsafe_code)] // unsafe { }")).is_empty());
    }

    #[test]
    fn a_file_without_an_opening_or_end_is_found() {
        assert_eq!(no_opening_sentence(&source("a.rs", "use b;")).len(), 1);
        assert_eq!(too_long(&source("a.rs", &"\n".repeat(LINES_AT_MOST + 1))).len(), 1);
        assert!(too_long(&source("a.rs", &"\n".repeat(LINES_AT_MOST))).is_empty());
    }

    #[test]
    fn a_note_without_an_owner_is_found() {
        assert_eq!(orphans(&source("a.rs", "// TO\u{44}O: later")).len(), 1);
        assert!(
            orphans(&source("a.rs", "// TO\u{44}O(ada): later\nconst MASTODON: u8 = 1; // fine")).is_empty()
        );
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for text in ["see /home/ada/x", "\"/work/a\"", "(/Users/ada)", "cp /root/a"] {
            assert_eq!(machine_paths(&source("docs/a.md", text)).len(), 1, "{text}");
        }
        assert!(machine_paths(&source("generators/src/a.rs", "file:///home/dev/app")).is_empty());
        assert!(machine_paths(&source("docs/a.md", "target/work/a, ~/home/, $HOME/home/x")).is_empty());
    }
}
