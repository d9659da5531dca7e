//! Damage: one byte flipped in a corpus or a cache is found and named, and no wrong number is given.
#![cfg(unix)]

mod bench;

use std::fs;
use std::path::{Path, PathBuf};

use bench::{Corpus, Dice, Subject, call, copy, corpus, highwater, strategy, temporary};
use engine::sync::strategy::{End, Strategy};
use serde_json::Value;

/// Positions in corpus files at which a byte is flipped.
const CORPUS_FLIPS: usize = 40;
/// Positions in the old single file at which a byte is flipped.
const MONOLITH_FLIPS: usize = 40;

/// A copy of the shared corpus that a test may damage.
fn own_corpus(folder: &Path) -> Corpus {
    let name = corpus().root.file_name().expect("a corpus has a name");
    copy(&corpus().root, &folder.join(name));
    Corpus::only_one(folder)
}

fn verify(corpus: &Corpus) -> bench::Said {
    let mut command = highwater(&["corpus", "verify"]);
    command.arg(&corpus.root);
    call(command)
}

/// Changes one byte into another one.
fn flip(path: &Path, at: usize, dice: &mut Dice) {
    let mut bytes = fs::read(path).expect("the file can be read");
    bytes[at] ^= 1 + dice.below(255) as u8;
    fs::write(path, bytes).expect("the file can be written");
}

/// A seeded choice of files that are not empty, each with a position in it.
fn places(corpus: &Corpus, dice: &mut Dice) -> Vec<(PathBuf, usize)> {
    let files = corpus.files();
    let step = dice.below(files.len() as u64) as usize;
    let chosen = (0..files.len()).map(|number| &files[(number + step) % files.len()]);
    let sized =
        chosen.map(|file| (file, fs::metadata(corpus.home().join(file)).expect("a file is there").len()));
    let mut places: Vec<(PathBuf, usize)> = sized
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(file, bytes)| (file.clone(), dice.below(bytes) as usize))
        .collect();
    places.truncate(CORPUS_FLIPS);
    assert_eq!(places.len(), CORPUS_FLIPS);
    places
}

#[test]
fn verify_names_the_file_in_which_a_byte_was_flipped() {
    let folder = temporary();
    let corpus = own_corpus(folder.path());
    verify(&corpus).expect(0);
    let mut dice = Dice(3);
    for (file, at) in places(&corpus, &mut dice) {
        let path = corpus.home().join(&file);
        let whole = fs::read(&path).unwrap();
        flip(&path, at, &mut dice);
        let said = verify(&corpus).expect(2).complains(&[file.to_str().unwrap(), "generate it again"]);
        assert!(said.err.contains("in 1 files"), "{}", said.err);
        fs::write(&path, whole).unwrap();
    }
    verify(&corpus).expect(0);
}

#[test]
fn verify_names_files_that_are_missing_longer_shorter_or_strangers() {
    let folder = temporary();
    let corpus = own_corpus(folder.path());
    let file = &places(&corpus, &mut Dice(4))[0].0;
    let (name, path) = (file.to_str().unwrap(), corpus.home().join(file));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
    verify(&corpus).expect(2).complains(&[name]);
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    verify(&corpus).expect(2).complains(&[name]);
    fs::remove_file(&path).unwrap();
    verify(&corpus).expect(2).complains(&[name]);
    fs::write(&path, whole).unwrap();
    fs::write(corpus.home().join("stranger.txt"), "I do not belong here").unwrap();
    verify(&corpus).expect(2).complains(&["stranger.txt"]);
}

#[test]
fn generate_and_run_write_a_damaged_corpus_anew_and_say_so() {
    let folder = temporary();
    let corpus = own_corpus(folder.path());
    let mut dice = Dice(5);
    for (number, (file, at)) in places(&corpus, &mut dice).into_iter().step_by(10).enumerate() {
        flip(&corpus.home().join(&file), at, &mut dice);
        let mut command = match number {
            0 => highwater(&["run", "sync/cold:bounded", "--instrument", "count", "--profile", "smoke"]),
            _ => highwater(&["corpus", "generate", "--profile", "smoke"]),
        };
        if number == 0 {
            command.arg("--out").arg(folder.path().join("out"));
        }
        command.arg("--corpora").arg(folder.path());
        call(command).expect(0).complains(&["written anew", file.to_str().unwrap()]);
        verify(&corpus).expect(0);
    }
}

#[test]
fn a_damaged_manifest_is_named_and_written_anew() {
    let folder = temporary();
    let corpus = own_corpus(folder.path());
    let path = corpus.root.join("manifest.json");
    let whole = fs::read(&path).unwrap();
    let mut dice = Dice(6);
    for _ in 0..10 {
        let at = dice.below(whole.len() as u64) as usize;
        flip(&path, at, &mut dice);
        verify(&corpus).expect(2).complains(&["manifest"]);
        let mut command = highwater(&["corpus", "generate", "--profile", "smoke", "--corpora"]);
        command.arg(folder.path());
        call(command).expect(0).complains(&["written anew"]);
        assert!(fs::read(&path).unwrap() == whole, "the manifest is another one, byte {at}");
    }
}

/// A subject with a cache that `choices` have made.
fn primed(folder: &Path, choices: Strategy) -> Subject {
    let subject = Subject::new(&folder.join("subject"), &corpus().home());
    let answer = subject.answer("Cold", choices);
    assert_eq!(answer["passes"][0]["digest"], corpus().digest(), "{answer}");
    subject
}

/// One pass over what the cache now is; its answer must be right.
fn next_pass(subject: &Subject, what: &str) -> Value {
    let answer = subject.answer("Cold", strategy("bounded"));
    let pass = &answer["passes"][0];
    assert_eq!(pass["digest"], corpus().digest(), "{what}: {answer}");
    assert_eq!(pass["complete"], true, "{what}: {answer}");
    pass.clone()
}

/// Every fragment of a cache, with its content.
fn fragments(subject: &Subject) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(subject.cache().join("fragments")).expect("a primed cache has fragments");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a cache can be read").path()).collect();
    paths.sort_unstable();
    assert!(paths.len() > 5, "{paths:?}");
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("a fragment can be read"))).collect()
}

/// Puts content in a fragment's place; the next run must answer rightly, name it, and make it as it was.
fn damage_is_named_and_healed(subject: &Subject, path: &Path, whole: &[u8], damaged: &[u8], what: &str) {
    fs::write(path, damaged).expect("a fragment can be written");
    let name = path.file_name().expect("a fragment has a name").to_string_lossy();
    let what = format!("{name}, {what}");
    let pass = next_pass(subject, &what);
    assert_eq!(pass["skipped"]["fragments"], 1, "{what}: {pass}");
    let named = pass["skipped"]["named"].as_array().expect("what was skipped is named");
    assert!(named.iter().any(|pair| pair[0] == *name), "{what}: {named:?}");
    assert_eq!(pass["work"]["parsed"], 1, "{what}: {pass}");
    assert!(fs::read(path).expect("the fragment was made anew") == whole, "{what}: it was made another way");
}

#[test]
fn a_whole_cache_is_used_and_nothing_in_it_named() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    let pass = next_pass(&subject, "nothing is damaged");
    assert_eq!((&pass["skipped"]["fragments"], &pass["work"]["parsed"]), (&0.into(), &0.into()), "{pass}");
}

#[test]
fn a_flipped_byte_in_any_fragment_is_named_and_costs_no_wrong_number() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    let mut dice = Dice(7);
    for (path, whole) in fragments(&subject) {
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        let within = |from: usize, to: usize, dice: &mut Dice| from + dice.below((to - from) as u64) as usize;
        let places = [
            0,
            within(0, first, &mut dice),
            first,
            within(0, whole.len(), &mut dice),
            last - 1,
            last,
            within(last, whole.len(), &mut dice),
            whole.len() - 1,
        ];
        for at in places {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 + dice.below(255) as u8;
            let what = format!("byte {at} of {}: {} -> {}", whole.len(), whole[at], damaged[at]);
            damage_is_named_and_healed(&subject, &path, &whole, &damaged, &what);
        }
    }
}

#[test]
fn another_version_or_fingerprint_that_came_by_damage_is_named_as_well() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    for (path, whole) in fragments(&subject) {
        let line = String::from_utf8_lossy(&whole).lines().next().unwrap().to_owned();
        for key in ["\"version\":", "\"fingerprint\":\""] {
            let at = line.find(key).unwrap() + key.len();
            let mut damaged = whole.clone();
            damaged[at] = if whole[at] == b'7' { b'8' } else { b'7' };
            damage_is_named_and_healed(&subject, &path, &whole, &damaged, key);
        }
    }
}

#[test]
fn a_truncated_or_lengthened_fragment_is_named_and_costs_no_wrong_number() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    for (path, whole) in fragments(&subject) {
        let newlines: Vec<usize> =
            (0..whole.len() - 1).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
        let ends = [0, 1, newlines[0], whole.len() / 2, newlines[newlines.len() - 1], whole.len() - 1];
        for end in ends {
            let what = format!("cut to {end} of {}", whole.len());
            damage_is_named_and_healed(&subject, &path, &whole, &whole[..end], &what);
        }
        let longer = [&whole[..], b"\n"].concat();
        damage_is_named_and_healed(&subject, &path, &whole, &longer, "one byte more");
    }
}

#[test]
fn a_fragment_in_the_place_of_another_is_named_and_costs_no_wrong_number() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    let fragments = fragments(&subject);
    for (number, (path, whole)) in fragments.iter().enumerate() {
        let (_, other) = &fragments[(number + 1) % fragments.len()];
        let name = path.file_name().unwrap().to_string_lossy();
        fs::write(path, other).unwrap();
        let pass = next_pass(&subject, &format!("{name} is another one"));
        assert_eq!(pass["work"]["parsed"], 1, "{pass}");
        assert!(fs::read(path).unwrap() == *whole, "{name} was made another way");
    }
}

#[test]
fn a_fragment_that_is_gone_is_made_anew() {
    let folder = temporary();
    let subject = primed(folder.path(), strategy("bounded"));
    for (path, whole) in fragments(&subject) {
        fs::remove_file(&path).unwrap();
        next_pass(&subject, "a fragment is gone");
        assert!(fs::read(&path).unwrap() == whole, "{} was made another way", path.display());
    }
}

/// The old single file, as its writer leaves it when it is not killed.
fn primed_monolith(folder: &Path) -> Subject {
    primed(folder, Strategy { end: End::Wait, ..strategy("as-reported") })
}

/// Replaces the old single file, and migrates it into a cache of its own.
fn migrate(folder: &Path, number: usize, old: &Subject, parsed: &[u8], what: &str) -> Value {
    let subject = Subject::new(&folder.join(format!("subject-{number}")), &corpus().home());
    copy(&old.cache(), &subject.cache());
    fs::write(subject.cache().join("parsed.json"), parsed).expect("the old cache can be written");
    next_pass(&subject, what)
}

#[test]
fn an_old_single_file_that_is_whole_is_migrated() {
    let folder = temporary();
    let old = primed_monolith(folder.path());
    let whole = fs::read(old.cache().join("parsed.json")).unwrap();
    let pass = migrate(folder.path(), 0, &old, &whole, "nothing is damaged");
    assert_eq!(pass["work"]["migrated"], true, "{pass}");
}

#[test]
fn an_old_single_file_that_is_cut_short_is_named_and_costs_no_wrong_number() {
    let folder = temporary();
    let old = primed_monolith(folder.path());
    let whole = fs::read(old.cache().join("parsed.json")).unwrap();
    for (number, end) in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 1].into_iter().enumerate() {
        let pass = migrate(folder.path(), number, &old, &whole[..end], &format!("cut to {end}"));
        let named = pass["skipped"]["named"].to_string();
        assert!(named.contains("parsed.json"), "cut to {end}: {named}");
    }
}

#[test]
fn a_flipped_byte_in_an_old_single_file_costs_no_wrong_number() {
    let folder = temporary();
    let old = primed_monolith(folder.path());
    let whole = fs::read(old.cache().join("parsed.json")).unwrap();
    let mut dice = Dice(11);
    for number in 0..MONOLITH_FLIPS {
        let at = dice.below(whole.len() as u64) as usize;
        let mut damaged = whole.clone();
        damaged[at] ^= 1 + dice.below(255) as u8;
        migrate(
            folder.path(),
            number,
            &old,
            &damaged,
            &format!("byte {at}: {} -> {}", whole[at], damaged[at]),
        );
    }
}
