//! The manifest says what a plain reader of the corpus finds.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod reader;

use std::sync::atomic::AtomicBool;

use highwater_generators::{self as generators, Corpus, Profile, Spec};

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
    assert_eq!(read.digest, answer.digest);
}

#[test]
fn a_plain_reader_of_the_smoke_corpus_answers_as_its_manifest() {
    check(&make(Profile::Smoke, 1.0).1);
}

#[test]
fn a_plain_reader_of_a_small_steady_corpus_answers_as_its_manifest() {
    check(&make(Profile::Steady, 1.0 / 32.0).1);
}

#[test]
fn a_plain_reader_of_a_small_laptop_corpus_answers_as_its_manifest() {
    check(&make(Profile::Laptop, 0.05).1);
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
    check(&make(Profile::Heavy, 0.0005).1);
}
