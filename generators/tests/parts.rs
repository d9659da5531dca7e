//! A corpus made in parts, by several runs or several machines, is the one that is made in one go.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use highwater_generators::{
    Error, Profile, Progress, Shard, Spec, ensure, fit, generate, list, merge, verify,
};

const SMOKE: Spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };

/// A small corpus of a profile. A new profile needs its line here.
fn small(profile: Profile) -> Spec {
    let scale = match profile {
        // Of these the number of files is the same at every scale.
        Profile::Smoke | Profile::Growth => 1.0,
        Profile::Adversarial | Profile::Pathological => 0.0001,
        Profile::Steady => 0.03125,
        Profile::Laptop => 0.02,
        Profile::Heavy => 0.0005,
        Profile::Wide => 0.002,
        Profile::Own(_) => 0.5,
    };
    Spec { profile, scale, seed: 3 }
}

/// Makes a corpus in one go with so many threads, and tells its manifest as text.
fn whole(spec: &Spec, threads: usize) -> String {
    let dir = tempfile::tempdir().unwrap();
    let root = generate(dir.path(), spec, None, threads, &AtomicBool::new(false), &|_| ()).unwrap().root;
    text(&root)
}

fn text(root: &Path) -> String {
    fs::read_to_string(root.join("manifest.json")).unwrap()
}

fn partial(dir: &Path) -> PathBuf {
    dir.join(format!(".{}.partial", SMOKE.name()))
}

/// Makes the smoke corpus until so many files are written; tells what was found and what was written.
fn make_until(dir: &Path, files: usize) -> (Result<PathBuf, Error>, u64, usize) {
    let (stop, written, found) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(0));
    let observe = |progress: Progress<'_>| match progress {
        Progress::Wrote { .. } if written.fetch_add(1, Ordering::Relaxed) + 1 == files => {
            stop.store(true, Ordering::Relaxed);
        }
        Progress::Resuming { files } => *found.lock().unwrap() = files,
        _ => {}
    };
    let result = ensure(dir, &SMOKE, 2, &stop, &observe).map(|corpus| corpus.root);
    (result, found.into_inner().unwrap(), written.into_inner())
}

#[test]
fn a_stopped_run_goes_on_where_it_stopped() {
    let wanted = whole(&SMOKE, 1);
    for files in [1, 2, 7, 20, 45] {
        let dir = tempfile::tempdir().unwrap();
        let (stopped, ..) = make_until(dir.path(), files);
        let error = stopped.unwrap_err();
        assert!(matches!(error, Error::Stopped { .. }) && error.to_string().contains("goes on from there"));
        assert!(partial(dir.path()).is_dir() && !dir.path().join(SMOKE.name()).exists());
        let (root, found, written) = make_until(dir.path(), usize::MAX);
        let root = root.unwrap();
        assert!(found as usize >= files, "{found} of {files} files were found again");
        assert_eq!(text(&root), wanted);
        let manifest = verify(&root, 1, &|_| ()).unwrap();
        assert_eq!(found as usize + written, manifest.files.len(), "nothing is written twice");
        let mut left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["CACHEDIR.TAG", "home", "manifest.json"]);
        assert!(!partial(dir.path()).exists());
    }
}

#[test]
fn a_run_that_stops_again_and_again_comes_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut runs = 0;
    let root = loop {
        runs += 1;
        match make_until(dir.path(), 9).0 {
            Ok(root) => break root,
            Err(error) => assert!(matches!(error, Error::Stopped { .. }), "{error}"),
        }
    };
    assert!(runs > 3, "{runs}");
    assert_eq!(text(&root), whole(&SMOKE, 2));
}

/// What a power failure may leave: a journal cut anywhere, files of which it knows nothing, and files that are not whole.
#[test]
fn a_damaged_journal_is_believed_as_far_as_it_goes() {
    let wanted = whole(&SMOKE, 1);
    for percent in [0, 3, 40, 77, 99] {
        let dir = tempfile::tempdir().unwrap();
        make_until(dir.path(), 45).0.unwrap_err();
        let journal = partial(dir.path()).join("journal.jsonl");
        let whole = fs::read(&journal).unwrap();
        fs::write(&journal, &whole[..whole.len() * percent / 100]).unwrap();
        let (root, found, _) = make_until(dir.path(), usize::MAX);
        assert_eq!(text(&root.unwrap()), wanted, "{percent} %");
        assert_eq!(found > 0, percent >= 40, "{percent} %: {found}");
    }
}

#[test]
fn a_file_that_is_not_as_the_journal_says_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    make_until(dir.path(), 45).0.unwrap_err();
    let home = partial(dir.path()).join("home");
    let mut files = Vec::new();
    collect(&home, &mut files);
    files.sort();
    fs::write(&files[3], "shorter").unwrap();
    fs::remove_file(&files[10]).unwrap();
    fs::write(home.join("of-no-one"), "x").unwrap();
    let (root, ..) = make_until(dir.path(), usize::MAX);
    assert_eq!(text(root.as_ref().unwrap()), whole(&SMOKE, 1));
    verify(&root.unwrap(), 1, &|_| ()).unwrap();
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        // No link is followed: some corpora have one that leads to itself.
        if entry.file_type().unwrap().is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

#[test]
fn what_another_generator_left_is_not_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    make_until(dir.path(), 45).0.unwrap_err();
    let journal = partial(dir.path()).join("journal.jsonl");
    let changed = fs::read_to_string(&journal).unwrap().replacen("\"generator\":", "\"generator\":9", 1);
    fs::write(&journal, changed).unwrap();
    let (root, found, _) = make_until(dir.path(), usize::MAX);
    assert_eq!((found, text(&root.unwrap())), (0, whole(&SMOKE, 1)));
}

fn shard(dir: &Path, spec: &Spec, index: u32, count: u32, threads: usize) -> PathBuf {
    let shard = Some(Shard { index, count });
    generate(dir, spec, shard, threads, &AtomicBool::new(false), &|_| ()).unwrap().root
}

fn join(shards: &[PathBuf], dir: Option<&Path>) -> Result<PathBuf, Error> {
    merge(shards, dir, 2, &AtomicBool::new(false), &|_| ()).map(|corpus| corpus.root)
}

#[test]
fn the_bytes_are_the_same_on_any_number_of_threads_and_in_shards() {
    let dir = tempfile::tempdir().unwrap();
    let own = own(dir.path()).profile;
    for profile in Profile::BUILT_IN.into_iter().chain([own]) {
        let spec = small(profile);
        let wanted = whole(&spec, 1);
        assert!(wanted == whole(&spec, 8), "{}", spec.name());
        let dir = tempfile::tempdir().unwrap();
        let shards = [3, 1, 2].map(|index| shard(dir.path(), &spec, index, 3, index as usize));
        let root = join(&shards, None).unwrap();
        assert_eq!(root, dir.path().join(spec.name()));
        assert!(text(&root) == wanted, "{}", spec.name());
        let manifest = verify(&root, 2, &|_| ()).unwrap();
        let (files, sessions) = (manifest.files.len(), manifest.answer.sessions);
        assert!(files >= 10 && sessions >= 5, "{}: nothing to share: {files}, {sessions}", spec.name());
        for shard in &shards {
            let mut own = Vec::new();
            collect(&shard.join("home"), &mut own);
            assert!(!own.is_empty() && own.len() < files, "{}: {} of {files}", shard.display(), own.len());
        }
    }
}

#[test]
fn shards_are_listed_and_made_once_and_may_be_removed_after_the_merge() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shards = [1, 2].map(|index| shard(dir.path(), &SMOKE, index, 2, 2));
    let listed = list(dir.path()).unwrap().found;
    let parts: Vec<String> = listed.iter().map(|shard| shard.shard.unwrap().to_string()).collect();
    assert_eq!(parts, ["1/2", "2/2"]);
    let before = fs::metadata(shards[0].join("shard.jsonl")).unwrap().modified().unwrap();
    shard(dir.path(), &SMOKE, 1, 2, 1);
    assert_eq!(fs::metadata(shards[0].join("shard.jsonl")).unwrap().modified().unwrap(), before);
    let root = join(&shards, Some(out.path())).unwrap();
    let corpus = &list(out.path()).unwrap().found[0];
    assert_eq!(listed.iter().map(|shard| shard.bytes).sum::<u64>(), corpus.bytes);
    assert_eq!(listed.iter().map(|shard| shard.requests).sum::<u64>(), corpus.requests);
    drop(dir);
    assert_eq!(text(&root), whole(&SMOKE, 1));
    verify(&root, 2, &|_| ()).unwrap();
}

#[test]
fn shards_that_do_not_fit_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second, third] = [1, 2, 3].map(|index| shard(dir.path(), &SMOKE, index, 3, 2));
    let other = shard(dir.path(), &Spec { seed: 2, ..SMOKE }, 2, 3, 2);
    let whole = ensure(dir.path(), &Spec { seed: 5, ..SMOKE }, 2, &AtomicBool::new(false), &|_| ());
    let refused = |shards: &[&PathBuf], why: &str| {
        let shards: Vec<PathBuf> = shards.iter().map(|path| path.to_path_buf()).collect();
        let error = join(&shards, None).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!dir.path().join(SMOKE.name()).exists() && !partial(dir.path()).exists());
    };
    refused(&[&first], "these were not given: 2/3, 3/3");
    refused(&[&first, &third, &second, &third], "it is shard 3/3, and so is ");
    refused(&[&first, &other, &third], "it is shard 2/3 of smoke-1-2, and");
    refused(&[&first, &second, &whole.unwrap().root], "has no shard.jsonl");
    let journal = second.join("shard.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"generator\":", "\"generator\":9", 1)).unwrap();
    refused(&[&first, &second, &third], "another version of highwater wrote it");
    fs::write(&journal, &text[..text.len() / 2]).unwrap();
    refused(&[&first, &second, &third], "shard.jsonl was changed");
    fs::write(&journal, text).unwrap();
    let mut files = Vec::new();
    collect(&third.join("home"), &mut files);
    fs::remove_file(&files[0]).unwrap();
    refused(&[&first, &second, &third], "(missing)");
    // Made again, it fits.
    shard(dir.path(), &SMOKE, 3, 3, 1);
    join(&[first, second, third], None).unwrap();
}

#[test]
fn a_shard_journal_that_was_changed_or_cut_off_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let shards = [1, 2].map(|index| shard(dir.path(), &SMOKE, index, 2, 2));
    let journal = shards[1].join("shard.jsonl");
    let written = fs::read_to_string(&journal).unwrap();
    let visit = written.rfind("\"requests\":").unwrap() + "\"requests\":".len();
    let changed = format!("{}1{}", &written[..visit], &written[visit..]);
    let last_line = written.trim_end().rfind('\n').unwrap() + 1;
    let first_line = written.replacen("{\"journal\"", "{\"jornal\"", 1);
    for text in [changed.as_str(), &written[..last_line], &format!("{written}\n"), &first_line, ""] {
        fs::write(&journal, text).unwrap();
        let error = join(&shards, None).unwrap_err();
        let wanted = format!("{} was changed or cut off", journal.display());
        assert!(matches!(error, Error::Journal { .. }) && error.to_string().contains(&wanted), "{error}");
    }
    fs::write(&journal, changed).unwrap();
    let reasons = Mutex::new(Vec::new());
    let observe = |progress: Progress<'_>| {
        if let Progress::Rebuilding { why } = progress {
            reasons.lock().unwrap().push(why.to_owned());
        }
    };
    let part = Some(Shard { index: 2, count: 2 });
    generate(dir.path(), &SMOKE, part, 1, &AtomicBool::new(false), &observe).unwrap();
    assert!(reasons.into_inner().unwrap()[0].contains("shard.jsonl was changed"));
    assert_eq!(text(&join(&shards, None).unwrap()), whole(&SMOKE, 1));
}

/// What the journal claims goes into the manifest.
#[test]
fn a_changed_journal_is_gone_on_with_up_to_the_change() {
    let dir = tempfile::tempdir().unwrap();
    make_until(dir.path(), 45).0.unwrap_err();
    let journal = partial(dir.path()).join("journal.jsonl");
    let changed = fs::read_to_string(&journal).unwrap().replace("\"requests\":", "\"requests\":1");
    fs::write(&journal, changed).unwrap();
    assert!(text(&make_until(dir.path(), usize::MAX).0.unwrap()) == whole(&SMOKE, 1));
}

#[test]
fn a_stopped_shard_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (stop, found) = (AtomicBool::new(false), Mutex::new(0));
    let observe = |progress: Progress<'_>| match progress {
        Progress::Wrote { .. } => stop.store(true, Ordering::Relaxed),
        Progress::Resuming { files } => *found.lock().unwrap() = files,
        _ => {}
    };
    let part = Some(Shard { index: 2, count: 2 });
    let stopped = generate(dir.path(), &SMOKE, part, 1, &stop, &observe);
    assert!(matches!(stopped, Err(Error::Stopped { .. })));
    let again = generate(dir.path(), &SMOKE, part, 1, &AtomicBool::new(false), &observe).unwrap();
    assert!(*found.lock().unwrap() > 0);
    let root = join(&[shard(dir.path(), &SMOKE, 1, 2, 1), again.root], None).unwrap();
    assert_eq!(text(&root), whole(&SMOKE, 1));
}

/// The smoke corpus's shape as a profile of one's own.
fn own(dir: &Path) -> Spec {
    let corpus = ensure(dir, &SMOKE, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    let found = fit(&[corpus.home()], "own", &AtomicBool::new(false), &|_| ()).unwrap();
    Spec { profile: found.recipe.into(), scale: 0.5, seed: 4 }
}

#[test]
fn an_own_profile_is_gone_on_with_and_merged_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let spec = own(dir.path());
    let wanted = whole(&spec, 1);
    let (stop, found) = (AtomicBool::new(false), Mutex::new(0));
    let observe = |progress: Progress<'_>| match progress {
        Progress::Wrote { .. } => stop.store(true, Ordering::Relaxed),
        Progress::Resuming { files } => *found.lock().unwrap() = files,
        _ => {}
    };
    assert!(matches!(ensure(dir.path(), &spec, 1, &stop, &observe), Err(Error::Stopped { .. })));
    let root = ensure(dir.path(), &spec, 1, &AtomicBool::new(false), &observe).unwrap().root;
    assert!(*found.lock().unwrap() > 0);
    assert_eq!(text(&root), wanted);
    let shards = [2, 1].map(|index| shard(dir.path(), &spec, index, 2, 2));
    assert_eq!(list(dir.path()).unwrap().found.iter().filter(|corpus| corpus.shard.is_some()).count(), 2);
    let out = tempfile::tempdir().unwrap();
    assert_eq!(text(&join(&shards, Some(out.path())).unwrap()), wanted);
    // Two profiles of one name are two profiles.
    let mut other = spec.profile.recipe().unwrap().clone();
    other.claude.as_mut().unwrap().bytes += 1;
    let other = shard(dir.path(), &Spec { profile: other.into(), ..spec }, 2, 2, 2);
    let error = join(&[shards[1].clone(), other], Some(out.path())).unwrap_err().to_string();
    assert!(error.contains("it is shard 2/2 of own-"), "{error}");
}
