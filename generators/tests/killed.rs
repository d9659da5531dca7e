//! What a killed run leaves, and what others put in its way: nothing is lost, and nothing of anyone's is touched.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use highwater_generators::{
    Error, Manifest, Profile, Progress, Shard, Spec, Special, Summary, fit, generate, list, merge, verify,
};

const SMOKE: Spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };

/// Makes a corpus or a shard, and stops after so many bytes. Tells how many were written and how many files were found.
fn make(dir: &Path, spec: &Spec, shard: Option<Shard>, until: u64) -> (Result<Summary, Error>, u64, u64) {
    let (stop, written, found) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let observe = |progress: Progress<'_>| match progress {
        Progress::Wrote { bytes } if written.fetch_add(bytes, Ordering::Relaxed) + bytes >= until => {
            stop.store(true, Ordering::Relaxed);
        }
        Progress::Resuming { files } => found.store(files, Ordering::Relaxed),
        _ => {}
    };
    let made = generate(dir, spec, shard, 2, &stop, &observe);
    (made, written.into_inner(), found.into_inner())
}

fn whole(dir: &Path, shard: Option<Shard>) -> Summary {
    make(dir, &SMOKE, shard, u64::MAX).0.unwrap()
}

fn stopped(dir: &Path) -> PathBuf {
    let error = make(dir, &SMOKE, None, 1_000_000).0.unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }));
    hidden(dir, "partial")
}

fn hidden(dir: &Path, ending: &str) -> PathBuf {
    dir.join(format!(".{}.{ending}", SMOKE.name()))
}

/// Names in a folder but for those of locks.
fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".lock")).collect();
    names.sort();
    names
}

#[test]
fn an_old_corpus_that_was_put_aside_is_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let root = whole(dir.path(), None).root;
    fs::rename(&root, hidden(dir.path(), "old")).unwrap();
    let (made, written, _) = make(dir.path(), &SMOKE, None, u64::MAX);
    assert_eq!((made.unwrap().root, written), (root.clone(), 0));
    verify(&root, 1, &|_| ()).unwrap();
    assert_eq!(names(dir.path()), [SMOKE.name()]);
}

/// A run that was killed with the new corpus complete, and the old one put aside: also when its removal was begun.
#[test]
fn an_old_corpus_is_removed_when_another_is_in_its_place() {
    for is_begun in [false, true] {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (root, old) = (whole(dir.path(), None).root, hidden(dir.path(), "old"));
        fs::rename(whole(other.path(), None).root, &old).unwrap();
        if is_begun {
            fs::remove_dir_all(old.join("home")).unwrap();
        }
        fs::write(root.join("journal.jsonl"), "").unwrap();
        assert_eq!(make(dir.path(), &SMOKE, None, u64::MAX).1, 0);
        assert_eq!(names(dir.path()), [SMOKE.name()]);
        assert_eq!(names(&root), ["CACHEDIR.TAG", "home", "manifest.json"]);
    }
}

/// The new one takes the old one's place although the old one is put back first, and is not written twice.
#[test]
fn what_was_complete_when_the_run_was_killed_is_not_lost() {
    for shard in [None, Some(Shard { index: 1, count: 2 })] {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = whole(dir.path(), shard).root;
        let name = root.file_name().unwrap().to_str().unwrap();
        let hidden = |ending: &str| dir.path().join(format!(".{name}.{ending}"));
        // A whole corpus has its journal until it is in its place.
        let complete = match shard {
            Some(_) => whole(other.path(), shard).root,
            None => stopped(other.path()),
        };
        fs::rename(&complete, hidden("partial")).unwrap();
        fs::write(root.join("home/of-no-one"), "").unwrap();
        fs::rename(&root, hidden("old")).unwrap();
        let (made, written, found) = make(dir.path(), &SMOKE, shard, u64::MAX);
        let made = made.unwrap();
        assert!(found > 0 && written < made.bytes, "{found} {written}");
        assert_eq!((shard.is_none(), names(dir.path())), (written > 0, vec![name.to_owned()]));
        assert!(!root.join("home/of-no-one").exists());
    }
}

#[test]
fn a_damaged_corpus_is_replaced_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = whole(dir.path(), None).root;
    fs::remove_file(root.join("manifest.json")).unwrap();
    assert!(make(dir.path(), &SMOKE, None, u64::MAX).1 > 0);
    assert_eq!(names(dir.path()), [SMOKE.name()]);
    verify(&root, 1, &|_| ()).unwrap();
}

#[cfg(unix)]
#[test]
fn an_empty_directory_that_was_not_noted_is_no_hindrance() {
    let spec = Spec { profile: Profile::Adversarial, scale: 0.01, seed: 1 };
    let dir = tempfile::tempdir().unwrap();
    let manifest = highwater_generators::foresee(&spec, 2).unwrap();
    let directory = |file: &&highwater_generators::FileEntry| file.kind == Some(Special::Directory);
    let directories: Vec<&str> =
        manifest.files.iter().filter(directory).map(|file| file.path.as_str()).collect();
    assert!(directories.len() > 1);
    assert!(make(dir.path(), &spec, None, 1).0.is_err());
    let home = dir.path().join(format!(".{}.partial/home", spec.name()));
    for path in directories {
        fs::create_dir_all(home.join(path).join("within")).unwrap();
    }
    let root = make(dir.path(), &spec, None, u64::MAX).0.unwrap().root;
    assert_eq!(Manifest::read(&root.join("manifest.json")).unwrap(), manifest);
    verify(&root, 1, &|_| ()).unwrap();
}

#[test]
fn a_merge_leaves_what_can_be_gone_on_with() {
    let (dir, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shards = [1, 2].map(|index| whole(parts.path(), Some(Shard { index, count: 2 })).root);
    let partial = stopped(dir.path());
    let journal = fs::read(partial.join("journal.jsonl")).unwrap();
    let stop = AtomicBool::new(false);
    let stop_at_check = |progress: Progress<'_>| {
        if let Progress::Checked { .. } = progress {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let error = merge(&shards, Some(dir.path()), 1, &stop, &stop_at_check).unwrap_err();
    assert!(error.to_string().starts_with("stopped before all files were checked"), "{error}");
    assert_eq!(fs::read(partial.join("journal.jsonl")).unwrap(), journal);
    // What a killed merge left.
    fs::create_dir(hidden(dir.path(), "merge")).unwrap();
    let root = merge(&shards, Some(dir.path()), 1, &AtomicBool::new(false), &|_| ()).unwrap().root;
    assert_eq!(fs::read(partial.join("journal.jsonl")).unwrap(), journal);
    verify(&root, 1, &|_| ()).unwrap();
    assert_eq!(names(dir.path()), [format!(".{}.partial", SMOKE.name()), SMOKE.name()]);
    fs::remove_dir_all(&root).unwrap();
    let (again, _, found) = make(dir.path(), &SMOKE, None, u64::MAX);
    assert!(again.is_ok() && found > 0);
}

#[test]
fn a_partial_that_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let partial = stopped(dir.path());
    let before = fs::read(partial.join("journal.jsonl")).unwrap();
    fs::remove_file(partial.join("CACHEDIR.TAG")).unwrap();
    fs::write(partial.join("home/precious"), "mine").unwrap();
    let left_alone = |made: Result<Summary, Error>| {
        let error = made.unwrap_err();
        assert!(matches!(&error, Error::NotACorpus { path } if *path == partial), "{error}");
        assert_eq!(fs::read_to_string(partial.join("home/precious")).unwrap(), "mine");
    };
    left_alone(make(dir.path(), &SMOKE, None, u64::MAX).0);
    assert_eq!(fs::read(partial.join("journal.jsonl")).unwrap(), before);
    fs::remove_file(partial.join("journal.jsonl")).unwrap();
    left_alone(make(dir.path(), &SMOKE, None, u64::MAX).0);
    // A corpus that is there is used all the same.
    let other = tempfile::tempdir().unwrap();
    fs::rename(whole(other.path(), None).root, dir.path().join(SMOKE.name())).unwrap();
    make(dir.path(), &SMOKE, None, u64::MAX).0.unwrap();
    assert_eq!(fs::read_to_string(partial.join("home/precious")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, hidden(dir.path(), "lock")).unwrap();
    let error = make(dir.path(), &SMOKE, None, u64::MAX).0.unwrap_err();
    assert!(matches!(error, Error::Lock { .. }), "{error}");
    assert!(!elsewhere.exists() && !hidden(dir.path(), "partial").exists());
}

#[test]
fn damaged_corpora_are_listed_beside_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = whole(dir.path(), None);
    let damaged = make(dir.path(), &Spec { seed: 2, ..SMOKE }, None, u64::MAX).0.unwrap().root;
    fs::write(damaged.join("manifest.json"), "{").unwrap();
    let shards = [1, 2].map(|index| whole(dir.path(), Some(Shard { index, count: 2 })));
    let journal = shards[1].root.join("shard.jsonl");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 1]).unwrap();
    let listing = list(dir.path()).unwrap();
    assert_eq!(listing.found, [corpus, shards[0].clone()]);
    let [(shard, of_shard), (whole, of_whole)] = &listing.damaged[..] else { panic!("{listing:?}") };
    assert_eq!((shard, whole), (&shards[1].root, &damaged));
    assert!(matches!(of_shard, Error::Journal { .. }) && matches!(of_whole, Error::Manifest { .. }));
}

#[test]
fn who_stops_is_told_what_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let home = whole(dir.path(), None).root.join("home");
    let stop = AtomicBool::new(true);
    let error = fit(&[home], "own", &stop, &|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "stopped before the history was read; no profile was made");
    let error = merge(&[], None, 1, &stop, &|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("no shard was given: name "), "{error}");
}
