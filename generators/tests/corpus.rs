//! Corpora on disk: made, reused, checked and never in anyone's way.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use highwater_generators::{Corpus, Error, Manifest, Profile, Progress, Spec, ensure, foresee, list, verify};

const SMOKE: Spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };

/// Makes the smoke corpus and tells why it was written again, if it was there.
fn make(dir: &Path) -> (Corpus, Vec<String>, u64) {
    let reasons = Mutex::new(Vec::new());
    let written = Mutex::new(0);
    let observe = |progress: Progress<'_>| match progress {
        Progress::Rebuilding { why } => reasons.lock().unwrap().push(why.to_owned()),
        Progress::Wrote { bytes } => *written.lock().unwrap() += bytes,
        _ => {}
    };
    let corpus = ensure(dir, &SMOKE, 2, &AtomicBool::new(false), &observe).unwrap();
    (corpus, reasons.into_inner().unwrap(), written.into_inner().unwrap())
}

fn some_file(corpus: &Corpus, ending: &str) -> PathBuf {
    let mut files = corpus.manifest.files.iter();
    let entry = files.find(|file| file.path.ends_with(ending)).unwrap();
    corpus.home().join(&entry.path)
}

#[test]
fn another_seed_gives_another_corpus() {
    let other = foresee(&Spec { seed: 2, ..SMOKE }, 2).unwrap();
    assert_ne!(other.digest, foresee(&SMOKE, 2).unwrap().digest);
}

#[test]
fn a_corpus_is_written_as_foreseen_and_then_reused() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, reasons, written) = make(dir.path());
    assert_eq!(corpus.manifest, foresee(&SMOKE, 1).unwrap());
    assert_eq!((reasons.len(), written), (0, corpus.manifest.bytes));
    let (again, reasons, written) = make(dir.path());
    assert_eq!((reasons.len(), written), (0, 0));
    assert_eq!(again.manifest, corpus.manifest);
    let listed = list(dir.path()).unwrap().found;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].digest, corpus.manifest.digest);
}

#[test]
fn one_changed_byte_is_named_and_the_corpus_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, ..) = make(dir.path());
    let path = some_file(&corpus, "events.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = verify(&corpus.root, 2, &|_| ()).unwrap_err();
    assert!(error.to_string().contains("events.jsonl (changed)"), "{error}");
    let (again, reasons, _) = make(dir.path());
    assert!(reasons[0].contains("events.jsonl (changed)"), "{reasons:?}");
    assert_eq!(again.manifest, corpus.manifest);
    verify(&again.root, 2, &|_| ()).unwrap();
}

#[test]
fn missing_and_extra_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, ..) = make(dir.path());
    fs::remove_file(some_file(&corpus, "workspace.yaml")).unwrap();
    fs::write(corpus.home().join("extra.jsonl"), "{}").unwrap();
    match verify(&corpus.root, 2, &|_| ()).unwrap_err() {
        Error::Damaged { count, first, .. } => {
            assert_eq!(count, 2);
            assert!(first[0].ends_with("workspace.yaml (missing)"), "{first:?}");
            assert_eq!(first[1], "extra.jsonl (extra)");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_changed_manifest_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, ..) = make(dir.path());
    let path = corpus.root.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let sessions = format!("\"sessions\": {},", corpus.manifest.answer.sessions);
    assert!(text.contains(&sessions));
    fs::write(&path, text.replacen(&sessions, "\"sessions\": 1,", 1)).unwrap();
    assert!(matches!(verify(&corpus.root, 1, &|_| ()), Err(Error::Manifest { .. })));
    assert_eq!(make(dir.path()).0.manifest, corpus.manifest);
}

#[test]
fn what_is_not_a_corpus_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join(SMOKE.name());
    fs::create_dir(&root).unwrap();
    fs::write(root.join("precious.txt"), "mine").unwrap();
    let result = ensure(dir.path(), &SMOKE, 1, &AtomicBool::new(false), &|_| ());
    assert!(matches!(result, Err(Error::NotACorpus { .. })));
    assert_eq!(fs::read_to_string(root.join("precious.txt")).unwrap(), "mine");
    assert!(list(dir.path()).unwrap().found.is_empty());
}

#[test]
fn two_that_want_the_same_corpus_share_it() {
    let dir = tempfile::tempdir().unwrap();
    let written = std::thread::scope(|scope| {
        let other = scope.spawn(|| make(dir.path()).2);
        make(dir.path()).2 + other.join().unwrap()
    });
    assert_eq!(written, foresee(&SMOKE, 1).unwrap().bytes);
}

#[test]
fn the_smoke_corpus_is_small_and_has_everything() {
    for seed in 1..6 {
        let manifest = foresee(&Spec { seed, ..SMOKE }, 2).unwrap();
        assert!(manifest.bytes < 5_000_000, "{}", manifest.bytes);
        assert!(manifest.answer.sessions >= 25 && manifest.answer.workspaces >= 12);
        let records: Vec<&str> =
            manifest.files.iter().flat_map(|file| file.records.keys().map(String::as_str)).collect();
        let quirks: Vec<&str> =
            manifest.files.iter().flat_map(|file| file.quirks.iter().map(String::as_str)).collect();
        for kind in [
            "kind-0",
            "kind-1",
            "kind-2",
            "kind-3",
            "document",
            "user",
            "assistant",
            "progress",
            "abort",
            "a-type-of-tomorrow",
            "session",
            "project",
            "todo",
            "session-diff",
            "message-broken",
            "part-broken",
            "part-tool",
            "part-compaction",
            "part-unknown",
            "gemini",
            "warning",
            "item",
        ] {
            assert!(records.contains(&kind) || kind == "abort", "{kind}");
        }
        for quirk in [
            "lone-surrogate",
            "torn",
            "rewritten",
            "out-of-order",
            "line-separator",
            "resumed",
            "result-first",
            "copied",
            "superseded",
            "unanswered",
        ] {
            assert!(quirks.contains(&quirk), "{quirk}");
        }
    }
}

#[test]
fn the_smoke_corpus_has_every_record_of_codex_in_little_space() {
    for seed in 1..6 {
        let manifest = foresee(&Spec { seed, ..SMOKE }, 2).unwrap();
        let files: Vec<_> = manifest.files.iter().filter(|file| file.format == "codex").collect();
        assert!(files.iter().map(|file| file.bytes).sum::<u64>() < 600_000);
        let records: std::collections::BTreeSet<&str> =
            files.iter().flat_map(|file| file.records.keys().map(String::as_str)).collect();
        for kind in ["session_meta", "turn_context", "compacted", "session", "state", "world_state", "broken"]
        {
            assert!(records.contains(kind), "{kind}");
        }
        let of = |kind: &str| records.iter().filter(|record| record.starts_with(kind)).count();
        assert_eq!((of("response_item/"), of("event_msg/")), (14, 23), "{records:?}");
        for quirk in
            ["several-metas", "resumed", "copied", "superseded", "torn", "bad-operation", "unanswered"]
        {
            assert!(files.iter().any(|file| file.quirks.iter().any(|had| had == quirk)), "{quirk}");
        }
    }
}

/// What a law is read from: only the number of sessions may differ.
#[test]
fn a_steady_corpus_has_more_sessions_when_it_is_larger_and_no_others() {
    let steady = |scale| foresee(&Spec { profile: Profile::Steady, scale, seed: 1 }, 2).unwrap();
    let (small, large) = (steady(32.0 / 1024.0), steady(256.0 / 1024.0));
    assert_eq!((small.answer.sessions, large.answer.sessions), (32, 256));
    for manifest in [&small, &large] {
        let answer = &manifest.answer;
        assert_eq!((answer.workspaces * 8, answer.requests), (answer.sessions * 5, answer.sessions * 2));
        assert_eq!((answer.skipped_lines, answer.largest_session_requests), (0, 2));
        for part in ["/Code/", "/Code - Insiders/", ".copilot/", ".claude/"] {
            let sessions = answer.sessions_index.iter().filter(|session| session.source.contains(part));
            assert_eq!(sessions.count() as u64 * 4, answer.sessions, "{part}");
        }
        let sessions = manifest.files.iter().filter(|file| file.sessions > 0);
        let sizes: Vec<u64> = sessions.map(|file| file.bytes).collect();
        assert!(sizes.iter().all(|size| (32_000..128_000).contains(size)), "{sizes:?}");
    }
    let is_there = |file| large.files.contains(file);
    assert!(small.files.iter().all(is_there), "a smaller corpus is not a part of a larger one");
    let each = |manifest: &Manifest| manifest.bytes as f64 / manifest.answer.sessions as f64;
    assert!((each(&large) / each(&small) - 1.0).abs() < 0.05, "{} and {}", each(&small), each(&large));
}

/// The outliers of a heavy corpus keep their class at any scale.
#[test]
fn a_small_heavy_corpus_has_every_outlier() {
    let spec = Spec { profile: Profile::Heavy, scale: 0.0005, seed: 1 };
    let manifest = foresee(&spec, 2).unwrap();
    let large = |ending: &str, part: &str| {
        let mut files = manifest.files.iter();
        files.any(|file| file.bytes >= 20_000_000 && file.path.ends_with(ending) && file.path.contains(part))
    };
    assert!(large(".json", "chatSessions"));
    assert!(large(".jsonl", "chatSessions"));
    assert!(large("events.jsonl", "session-state"));
    assert!(large(".jsonl", ".claude/projects"));
    let products = [".config/Code/", ".config/Code - Insiders/"];
    for product in products {
        let directories: std::collections::BTreeSet<_> = manifest
            .files
            .iter()
            .filter(|file| file.path.starts_with(product))
            .filter_map(|file| file.path.split('/').nth(4))
            .collect();
        assert_eq!(directories.len(), 140, "{product}");
    }
}

#[cfg(unix)]
#[test]
fn a_copy_of_the_home_is_whole_and_shares_nothing_that_can_be_written() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (corpus, ..) = make(dir.path());
    let linked = some_file(&corpus, ".jsonl");
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&linked, &elsewhere).unwrap();
    symlink(&elsewhere, &linked).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o400)).unwrap();
    let copy = dir.path().join("copy");
    corpus.copy_home(&copy, &AtomicBool::new(false)).unwrap();
    for file in &corpus.manifest.files {
        let path = copy.join(&file.path);
        assert_eq!(fs::read(&path).unwrap(), fs::read(corpus.home().join(&file.path)).unwrap());
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.is_file() && !metadata.permissions().readonly(), "{}", file.path);
        fs::write(path, "changed").unwrap();
    }
    match verify(&corpus.root, 2, &|_| ()).unwrap_err() {
        Error::Damaged { count: 1, first, .. } => {
            assert!(first[0].ends_with("(no longer a regular file)"), "{first:?}");
        }
        other => panic!("{other}"),
    }
    fs::remove_file(&linked).unwrap();
    fs::rename(&elsewhere, &linked).unwrap();
    verify(&corpus.root, 2, &|_| ()).unwrap();
}

#[test]
fn a_copy_stops_when_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, ..) = make(dir.path());
    let stopped = corpus.copy_home(&dir.path().join("copy"), &AtomicBool::new(true));
    let error = stopped.unwrap_err();
    assert_eq!(error.to_string(), "stopped before the copy of the corpus was whole");
}

/// Many files and few bytes, of each kind in its share.
#[test]
fn a_small_wide_corpus_has_every_kind_in_its_share() {
    let manifest = foresee(&Spec { profile: Profile::Wide, scale: 0.02, seed: 1 }, 2).unwrap();
    let count = |root: &str, ending: &str| {
        let files = manifest.files.iter().filter(|file| file.path.starts_with(root));
        files.filter(|file| file.path.ends_with(ending)).count()
    };
    assert_eq!(count(".claude/projects/", ".jsonl"), 1_000);
    assert_eq!(count(".copilot/session-state/", "events.jsonl"), 200);
    assert_eq!(count(".config/Code/", "/workspace.json"), 52);
    let workspaces: std::collections::BTreeSet<&str> = manifest
        .answer
        .sessions_index
        .iter()
        .filter(|session| session.source.starts_with(".config/Code/"))
        .map(|session| session.workspace.as_str())
        .collect();
    assert_eq!(workspaces.len(), 1, "28 of 2,600 have chats");
    assert_eq!(manifest.answer.workspaces, 3 + 200 + 52);
    let smallest = foresee(&Spec { profile: Profile::Wide, scale: 1e-9, seed: 1 }, 1).unwrap();
    assert_eq!((smallest.answer.sessions, smallest.answer.workspaces), (3 + 1 + 1, 3 + 1 + 1));
}

/// Each trouble keeps its class at any scale.
#[test]
fn a_small_pathological_corpus_has_every_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let spec = Spec { profile: Profile::Pathological, scale: 0.0001, seed: 1 };
    let corpus = ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    let manifest = &corpus.manifest;
    let longest_line = |path: &str| {
        let text = fs::read(corpus.home().join(path)).unwrap();
        text.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap()
    };
    let files = |part: &str, quirk: &str| {
        let mut found: Vec<_> = manifest.files.iter().filter(|file| file.path.contains(part)).collect();
        found.retain(|file| quirk.is_empty() || file.quirks.iter().any(|each| each == quirk));
        found
    };
    let single: Vec<_> = files("chatSessions/", "").into_iter().filter(|file| file.lines == 1).collect();
    let lines = single.iter().filter(|file| file.path.ends_with(".jsonl") && file.bytes >= 5_000_000);
    assert_eq!(lines.count(), 2);
    let results = files("-large-lines/", "");
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|file| longest_line(&file.path) > 4_500_000));
    let persisted = files("-large-lines/", "persisted-output")[0];
    let text = fs::read_to_string(corpus.home().join(&persisted.path)).unwrap();
    assert_eq!(text.matches("<persisted-output>").count(), 1);
    let ordinary = files("-large-sessions/", "").into_iter().find(|file| file.bytes >= 4_900_000).unwrap();
    assert!(longest_line(&ordinary.path) < 1_000_000);
    assert_eq!(files("/subagents/", "").iter().filter(|file| file.path.ends_with(".jsonl")).count(), 80);
    let images = files("chatSessions/", "byte-dictionary")[0];
    let text = fs::read_to_string(corpus.home().join(&images.path)).unwrap();
    assert!(images.bytes > 5_000_000 && text.contains(",\"499999\":"), "{}", images.bytes);
    let storm = files("chatSessions/", "entry-storm")[0];
    assert!(storm.records["kind-2"] > 2_000, "{:?}", storm.records);
    let text = fs::read_to_string(corpus.home().join(&storm.path)).unwrap();
    assert!(text.matches("],\"i\":").count() > 1_000);
}
