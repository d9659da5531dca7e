//! After each step of growth, a plain reader finds what the manifest says, and the disk has what a corpus made at once would have.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod reader;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use highwater_generators::{Corpus, Error, Growth, Manifest, Profile, Spec, Step, ensure, grow, verify};

const SPEC: Spec = Spec { profile: Profile::Growth, scale: 1.0, seed: 1 };

fn make(dir: &Path) -> Corpus {
    ensure(dir, &SPEC, 2, &AtomicBool::new(false), &|_| ()).unwrap()
}

fn check(home: &Path, manifest: &Manifest, after: &str) {
    let read = reader::read(home);
    let found: Vec<(&str, u64)> =
        read.sessions.iter().map(|session| (session.0.as_str(), session.3)).collect();
    let told: Vec<(&str, u64)> = manifest
        .answer
        .sessions_index
        .iter()
        .map(|session| (session.source.as_str(), session.requests))
        .collect();
    assert_eq!(found, told, "after {after}");
    assert_eq!(read.digest, manifest.answer.digest, "after {after}");
    assert_eq!(
        (read.workspaces, read.skipped_lines),
        (manifest.answer.workspaces, manifest.answer.skipped_lines),
        "after {after}"
    );
}

#[test]
fn a_plain_reader_answers_as_the_manifest_after_each_step() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    check(&corpus.home(), &corpus.manifest, "the beginning");
    assert_eq!(corpus.manifest, Growth::new(&SPEC).manifest(0).unwrap());
    let mut digests = vec![corpus.manifest.digest.clone()];
    for (number, step) in (1..).zip(Step::ALL) {
        let manifest = grow(&corpus.root, None).unwrap();
        assert_eq!(manifest.step, number);
        check(&corpus.home(), &manifest, step.describe());
        assert_eq!(verify(&corpus.root, 2, &|_| ()).unwrap(), manifest, "{step:?}");
        let has_changed = !digests.contains(&manifest.digest);
        assert_eq!(has_changed, step != Step::Touched, "{step:?}");
        digests.push(manifest.digest);
    }
    assert!(matches!(grow(&corpus.root, None), Err(Error::Growth { .. })));
    // What has grown is not what was asked for.
    assert_eq!(make(dir.path()).manifest.step, 0);
}

#[test]
fn a_step_changes_a_file_as_its_tool_does() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    let home = corpus.home();
    let at = |ending: &str| {
        let mut files = corpus.manifest.files.iter();
        home.join(&files.find(|file| file.path.ends_with(ending)).unwrap().path)
    };
    let (log, claude) = (at("grown-log.jsonl"), at("grown-claude.jsonl"));
    let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = fs::read(&log).unwrap();
    grow(&corpus.root, Some(2)).unwrap();
    let torn = fs::read(&log).unwrap();
    assert!(torn.starts_with(&before) && !torn.ends_with(b"\n"));
    grow(&corpus.root, Some(4)).unwrap();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 1);
    grow(&corpus.root, Some(11)).unwrap();
    let (old, content) = (SystemTime::UNIX_EPOCH, fs::read(&log).unwrap());
    fs::File::options().append(true).open(&log).unwrap().set_modified(old).unwrap();
    grow(&corpus.root, Some(12)).unwrap();
    assert!(modified(&log) > old);
    assert_eq!(fs::read(&log).unwrap(), content);
    grow(&corpus.root, Some(14)).unwrap();
    let before = (modified(&claude), fs::metadata(&claude).unwrap().len());
    grow(&corpus.root, Some(15)).unwrap();
    assert!(modified(&claude) < before.0 && fs::metadata(&claude).unwrap().len() > before.1);
    let length = fs::metadata(&claude).unwrap().len();
    let content = fs::read(&claude).unwrap();
    grow(&corpus.root, None).unwrap();
    grow(&corpus.root, None).unwrap();
    assert_eq!(fs::metadata(&claude).unwrap().len(), length);
    assert_ne!(fs::read(&claude).unwrap(), content);
}

#[test]
fn the_last_steps_change_the_files_that_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    let paths = |manifest: &Manifest| -> BTreeMap<String, String> {
        manifest.files.iter().map(|file| (file.path.clone(), file.digest.clone())).collect()
    };
    let mut before = paths(&grow(&corpus.root, Some(17)).unwrap());
    let wanted = [
        (Step::Pressed, vec!["-rollout-grown-codex.jsonl", "+rollout-grown-codex.jsonl.zst"]),
        (Step::Rewritten, vec!["~session-grown-gemini.json"]),
        (Step::NewPart, vec!["+2ar.json"]),
        (Step::NewRows, vec!["~kilo.db"]),
    ];
    for (step, changes) in wanted {
        let manifest = grow(&corpus.root, None).unwrap();
        assert_eq!(Step::ALL[manifest.step as usize - 1], step);
        let after = paths(&manifest);
        let gone = before.keys().filter(|path| !after.contains_key(*path)).map(|path| ('-', path));
        let changed = after.iter().filter(|(path, digest)| before.get(*path) != Some(*digest));
        let changed = changed.map(|(path, _)| (if before.contains_key(path) { '~' } else { '+' }, path));
        let found: Vec<(char, &String)> = gone.chain(changed).collect();
        assert_eq!(found.len(), changes.len(), "{step:?}: {found:?}");
        for ((kind, path), wanted) in found.into_iter().zip(changes) {
            assert!(wanted.starts_with(kind) && path.ends_with(&wanted[1..]), "{step:?}: {kind} {path}");
            assert_eq!(corpus.home().join(path).exists(), kind != '-', "{step:?}: {path}");
        }
        before = after;
    }
}

#[test]
fn a_step_that_was_broken_off_can_be_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    let growth = Growth::new(&SPEC);
    for step in 1..=Step::ALL.len() {
        growth.apply(step, &corpus.home()).unwrap();
        growth.apply(step, &corpus.home()).unwrap();
        check(&corpus.home(), &growth.manifest(step).unwrap(), &format!("step {step}, twice"));
    }
}

#[test]
fn only_a_corpus_of_growth_grows_and_only_onwards() {
    let dir = tempfile::tempdir().unwrap();
    let smoke = Spec { profile: Profile::Smoke, ..SPEC };
    let other = ensure(dir.path(), &smoke, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    assert!(grow(&other.root, None).unwrap_err().to_string().contains("its profile is smoke"));
    let corpus = make(dir.path());
    grow(&corpus.root, Some(3)).unwrap();
    for step in [0, 3, 22] {
        assert!(grow(&corpus.root, Some(step)).unwrap_err().to_string().contains("it has taken 3 of 21"));
    }
}

/// The files that the first step changes.
#[cfg(unix)]
fn changed_by_the_first_step(corpus: &Corpus) -> Vec<std::path::PathBuf> {
    let after = Growth::new(&SPEC).manifest(1).unwrap();
    let is_same = |file: &&highwater_generators::FileEntry| {
        corpus.manifest.files.iter().any(|before| before.path == file.path && before.digest != file.digest)
    };
    after.files.iter().filter(is_same).map(|file| corpus.home().join(&file.path)).collect()
}

#[cfg(unix)]
#[test]
fn a_step_changes_nothing_that_is_linked_to_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    let changed = changed_by_the_first_step(&corpus);
    assert!(changed.len() >= 3);
    let shard = dir.path().join("of-a-shard");
    fs::hard_link(&changed[0], &shard).unwrap();
    let before = fs::read(&shard).unwrap();
    grow(&corpus.root, None).unwrap();
    assert_eq!(fs::read(&shard).unwrap(), before);
    verify(&corpus.root, 1, &|_| ()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_step_writes_through_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path());
    let file = changed_by_the_first_step(&corpus).remove(0);
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    let error = grow(&corpus.root, None).unwrap_err().to_string();
    assert!(error.contains("no longer a regular file"), "{error}");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
}
