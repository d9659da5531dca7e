//! The daemon of snapshots finds every session of a regular file, names what it skips, and does not wait for a pipe.

use std::collections::BTreeSet;
use std::fs::File;

use engine::formats::source::Skips;
use engine::snapshots::event::{Body, Provider};
use engine::snapshots::read::{self, Resume};
use engine::snapshots::store::Limits;
use engine::snapshots::strategy::named;
use engine::snapshots::{Daemon, Notice, Options, Strategy};
use generators::FileEntry;

use super::corpus::{corpus, in_time};

/// Sessions of Claude Code that are known after ten seconds, and files of which something was skipped.
fn watch(strategy: Strategy) -> (BTreeSet<String>, BTreeSet<String>) {
    let home = corpus().home();
    let mut daemon = Daemon::new(&home, Options { strategy, limits: Limits::default(), state: None });
    let mut skipped = BTreeSet::new();
    for second in 0..10 {
        let mut observe = |notice: Notice<'_>| {
            if let Notice::Skipped { path, lines: 1.., .. } = notice {
                let below = path.strip_prefix(&home).unwrap();
                skipped.insert(below.to_str().unwrap().replace(std::path::MAIN_SEPARATOR, "/"));
            }
        };
        daemon.tick(second * 1_000, &mut observe).unwrap();
    }
    let of_claude = daemon.keys().filter(|key| key.provider == Provider::Claude);
    (of_claude.map(|key| key.id.to_string()).collect(), skipped)
}

#[test]
fn every_strategy_finds_the_sessions_of_regular_files() {
    let files = || {
        let all = corpus().manifest.files.iter();
        all.filter(|file| file.kind.is_none() && file.path.starts_with(".claude/projects/"))
    };
    let wanted: BTreeSet<String> = files()
        .filter_map(|file| Some(file.path.rsplit('/').next()?.strip_suffix(".jsonl")?.to_owned()))
        .collect();
    for (name, strategy) in named() {
        let (found, skipped) = in_time(move || watch(strategy));
        assert_eq!(found, wanted, "{name}");
        // A line without its end is left for later, and what a record's unused parts hold is not looked at. A record whose fields are of
        // other types, or there twice, is none to this reader.
        const STRICT: [&str; 8] = [
            "message-forms",
            "odd-times",
            "duplicate-kept-keys",
            "payload-forms",
            "prompt-forms",
            "tool-forms",
            "type-forms",
            "answer-forms",
        ];
        let is_strict = |file: &&FileEntry| file.quirks.iter().any(|quirk| STRICT.contains(&&**quirk));
        let all = corpus().manifest.files.iter();
        let broken: BTreeSet<String> = all
            .filter(|file| file.skipped_lines > 0 || is_strict(file))
            .map(|file| file.path.clone())
            .collect();
        assert!(skipped.is_subset(&broken), "{name}: {:?}", skipped.difference(&broken));
        for quirk in ["torn-line", "not-objects", "nul-before-line", "control-character-kept", "not-json"] {
            assert!(skipped.iter().any(|path| path.ends_with(&format!("/{quirk}.jsonl"))), "{name}: {quirk}");
        }
    }
}

/// What a reader of events makes of a file.
#[derive(Debug, PartialEq)]
struct Events {
    prompts: u64,
    is_legible: bool,
    id: Option<String>,
}

fn events(provider: Provider, file: &FileEntry) -> Events {
    let path = corpus().home().join(&file.path);
    let (mut resume, mut skips, mut prompts) = (Resume::default(), Skips::default(), 0);
    let mut opened = File::open(&path).unwrap();
    let done = read::read(provider, &mut opened, &mut resume, &mut skips, &mut |event| {
        prompts += u64::from(matches!(event.body, Body::User(_)));
    });
    let id = read::identify(provider, &path).unwrap().map(|id| id.to_string());
    Events { prompts, is_legible: done.unwrap().is_legible, id }
}

/// Regular files below a folder whose names end so, without those of some quirks.
fn regular(below: &str, ending: &str, without: &[&str]) -> Vec<&'static FileEntry> {
    let files = corpus().manifest.files.iter();
    let is_other = |file: &FileEntry| file.quirks.iter().any(|quirk| without.contains(&&**quirk));
    files
        .filter(|file| file.kind.is_none() && file.path.starts_with(below) && file.path.ends_with(ending))
        .filter(|file| !is_other(file))
        .collect()
}

#[test]
fn every_prompt_of_a_rollout_is_an_event() {
    // A prompt without a text is none.
    let files = regular(".codex/sessions/2026/01/01/", ".jsonl", &["prompt-forms", "odd-times"]);
    assert!(files.len() > 60, "{}", files.len());
    for file in files {
        let found = in_time(|| events(Provider::Codex, file));
        assert_eq!((found.prompts, found.is_legible), (file.requests, true), "{}", file.path);
    }
    // The form of 2025 has no events.
    for file in regular(".codex/sessions/2025/", ".jsonl", &[]) {
        let found = in_time(|| events(Provider::Codex, file));
        assert_eq!(found, Events { prompts: 0, is_legible: true, id: None }, "{}", file.path);
    }
}

#[test]
fn every_prompt_of_a_chat_is_an_event() {
    // To this reader a document whose fields are of other types, or there twice, is none.
    const STRICT: [&str; 4] = ["head-forms", "messages-no-array", "duplicate-kept-keys", "repeated-messages"];
    let files = regular(".gemini/tmp/", ".json", &["content-forms", "odd-times"]);
    assert!(files.len() > 60, "{}", files.len());
    let mut lax = BTreeSet::new();
    for file in files {
        let found = in_time(|| events(Provider::Gemini, file));
        let is_strict = file.quirks.iter().any(|quirk| STRICT.contains(&&**quirk));
        let wanted = if is_strict { (0, false) } else { (file.requests, !file.is_refused) };
        if file.is_refused && found.is_legible {
            lax.insert(&*file.quirks[0]);
        } else {
            assert_eq!((found.prompts, found.is_legible), wanted, "{}", file.path);
        }
    }
    // What no event is made of is passed over without a look at how deep or large it is.
    let passed_over = [
        "depth-128",
        "depth-300-ignored",
        "depth-300-kept",
        "invalid-utf8-ignored",
        "number-out-of-range-ignored",
        "number-out-of-range-kept",
    ];
    assert_eq!(lax, passed_over.into());
}
