//! The daemon of snapshots finds every session of a regular file, names what it skips, and does not wait for a pipe.

use std::collections::BTreeSet;

use engine::snapshots::store::Limits;
use engine::snapshots::strategy::named;
use engine::snapshots::{Daemon, Notice, Options, Strategy};
use generators::FileEntry;

use super::corpus::{corpus, in_time};

/// Sessions that are known after ten seconds, and files of which something was skipped.
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
    (daemon.keys().map(|key| key.id.to_string()).collect(), skipped)
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
        const STRICT: [&str; 3] = ["message-forms", "odd-times", "duplicate-kept-keys"];
        let is_strict = |file: &&FileEntry| file.quirks.iter().any(|quirk| STRICT.contains(&&**quirk));
        let broken: BTreeSet<String> = files()
            .filter(|file| file.skipped_lines > 0 || is_strict(file))
            .map(|file| file.path.clone())
            .collect();
        assert!(skipped.is_subset(&broken), "{name}: {:?}", skipped.difference(&broken));
        for quirk in ["torn-line", "not-objects", "nul-before-line", "control-character-kept", "not-json"] {
            assert!(skipped.iter().any(|path| path.ends_with(&format!("/{quirk}.jsonl"))), "{name}: {quirk}");
        }
    }
}
