//! The manifest says what a plain reader of the corpus finds.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod reader;
#[path = "oracle/tokens.rs"]
mod tokens;

use std::sync::atomic::AtomicBool;

use highwater_generators::{self as generators, Corpus, Profile, Spec, Tokens};

fn make(profile: Profile, scale: f64) -> (tempfile::TempDir, Corpus) {
    let dir = tempfile::tempdir().unwrap();
    let spec = Spec { profile, scale, seed: 1 };
    let corpus = generators::ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    (dir, corpus)
}

fn check(corpus: &Corpus) {
    let read = reader::read(&corpus.home());
    let answer = &corpus.manifest.answer;
    let found: Vec<&String> = read.sessions.iter().map(|session| &session.0).collect();
    let told: Vec<&String> = answer.sessions_index.iter().map(|session| &session.source).collect();
    assert_eq!(found, told);
    for (read, told) in read.sessions.iter().zip(&answer.sessions_index) {
        let (source, id, workspace, requests, digest) = read;
        assert_eq!(
            (source, id, workspace, requests),
            (&told.source, &told.id, &told.workspace, &told.requests)
        );
        assert_eq!(digest, &told.digest, "{source}");
    }
    assert_eq!(read.workspaces, answer.workspaces);
    assert_eq!(read.edit_files, answer.edit_files);
    assert_eq!(read.skipped_lines, answer.skipped_lines);
    let files = &corpus.manifest.files;
    let refused: Vec<&String> = files.iter().filter(|file| file.is_refused).map(|file| &file.path).collect();
    assert_eq!(read.refused.iter().collect::<Vec<_>>(), refused);
    assert_eq!(read.digest, answer.digest);
}

/// The tokens of a corpus whose files are what their tools write.
fn check_tokens(corpus: &Corpus) {
    let formats = &corpus.manifest.formats;
    for (format, counted) in
        [("claude", tokens::claude(&corpus.home())), ("copilot-cli", tokens::copilot(&corpus.home()))]
    {
        let told = formats.get(format).map_or(Tokens::default(), |totals| totals.tokens);
        let told = [told.responses, told.input, told.cache_read, told.cache_write, told.output];
        assert_eq!(told, counted, "tokens of {format}");
    }
}

fn check_whole(corpus: &Corpus) {
    check(corpus);
    check_tokens(corpus);
}

#[test]
fn a_plain_reader_of_the_smoke_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Smoke, 1.0).1);
}

#[test]
fn a_plain_reader_of_a_small_steady_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Steady, 1.0 / 32.0).1);
}

#[test]
fn a_plain_reader_of_a_small_laptop_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Laptop, 0.05).1);
}

#[test]
fn a_plain_reader_of_a_corpus_of_ones_own_answers_as_its_manifest() {
    // The smoke corpus has sessions without requests, and without a file.
    let (dir, smoke) = make(Profile::Smoke, 1.0);
    let home = [smoke.home()];
    let found = generators::fit(&home, "mine", &AtomicBool::new(false), &|_| ()).unwrap();
    let spec = Spec { profile: found.recipe.into(), scale: 2.0, seed: 1 };
    let own = generators::ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    assert!(own.manifest.answer.sessions > smoke.manifest.answer.sessions);
    check(&own);
}

#[test]
fn a_plain_reader_of_a_small_heavy_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Heavy, 0.0005).1);
}

#[test]
fn a_plain_reader_of_a_small_wide_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Wide, 0.002).1);
}

#[test]
fn a_plain_reader_of_a_small_pathological_corpus_answers_as_its_manifest() {
    check_whole(&make(Profile::Pathological, 0.0001).1);
}

#[test]
fn a_plain_reader_of_the_adversarial_corpus_makes_of_each_file_what_its_manifest_says() {
    let (_dir, corpus) = make(Profile::Adversarial, 0.01);
    let read = reader::read(&corpus.home());
    for file in &corpus.manifest.files {
        let skipped = read.skipped.get(&file.path).copied().unwrap_or(0);
        assert_eq!(skipped, file.skipped_lines, "{}", file.path);
        assert_eq!(read.refused.contains(&file.path), file.is_refused, "{}", file.path);
        let found = read.sessions.iter().filter(|session| session.0 == file.path);
        assert_eq!(found.map(|session| session.3).sum::<u64>(), file.requests, "{}", file.path);
    }
    check(&corpus);
    assert!(corpus.manifest.bytes < 40_000_000, "{}", corpus.manifest.bytes);
    generators::verify(&corpus.root, 2, &|_| ()).unwrap();
    let foreseen = generators::foresee(&Spec { profile: Profile::Adversarial, scale: 0.01, seed: 1 }, 1);
    assert_eq!(foreseen.unwrap(), corpus.manifest);
}

#[test]
fn a_copy_of_the_adversarial_corpus_is_as_hard_to_read() {
    let (dir, corpus) = make(Profile::Adversarial, 0.01);
    let copy = dir.path().join("copy");
    corpus.copy_home(&copy, &AtomicBool::new(false)).unwrap();
    assert_eq!(reader::read(&copy), reader::read(&corpus.home()));
    let special = corpus.manifest.files.iter().filter(|file| file.kind.is_some());
    assert_eq!(special.count() > 20, cfg!(unix));
}

#[cfg(unix)]
#[test]
fn another_entry_in_the_place_of_a_special_one_is_damage() {
    let (_dir, corpus) = make(Profile::Adversarial, 0.01);
    let mut special =
        corpus.manifest.files.iter().filter(|file| file.kind == Some(generators::Special::Pipe));
    let pipe = &special.next().unwrap().path;
    std::fs::remove_file(corpus.home().join(pipe)).unwrap();
    std::fs::write(corpus.home().join(pipe), "").unwrap();
    let error = generators::verify(&corpus.root, 2, &|_| ()).unwrap_err().to_string();
    assert!(error.contains(&format!("{pipe} (changed)")), "{error}");
}
