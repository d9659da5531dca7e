//! What cases are run on: a generated corpus with its oracle, or a person's own history.

use std::path::{Path, PathBuf};

use harness::record;

use crate::answer::Expected;

/// What cases are run on.
#[derive(Debug, Clone)]
pub struct Input {
    /// The home directory whose histories are read.
    pub home: PathBuf,
    /// What the records say of it.
    pub corpus: record::Corpus,
    /// What every answer is checked against; for a person's own history it is what the first case answers.
    pub expected: Option<Expected>,
    /// Parts of an answer in visiting order: where each stands, and its digest.
    pub items: Vec<Part>,
    /// Most that `sync/cold:bounded` may have on its heap, in bytes; none where the size of the largest session is not known.
    pub bound_bytes: Option<u64>,
}

/// A session or edit file of a corpus.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its file below home.
    pub source: String,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// Its requests; none for an edit file.
    pub requests: Option<u64>,
}

impl Input {
    /// A generated corpus, with its manifest as the oracle.
    pub fn from_corpus(corpus: &generators::Corpus) -> Input {
        let manifest = &corpus.manifest;
        let answer = &manifest.answer;
        Input {
            home: corpus.home(),
            corpus: record_of(corpus),
            expected: Some(Expected {
                digest: answer.digest.clone(),
                sessions: answer.sessions,
                requests: answer.requests,
                skipped_lines: answer.skipped_lines,
            }),
            items: parts(answer),
            bound_bytes: Some(bound_bytes(answer)),
        }
    }

    /// A person's own history. Nothing is known of it but what strategies say, so they are checked against each other.
    pub fn from_home(home: &Path) -> Input {
        let corpus = record::Corpus { profile: "home".to_owned(), scale: 1.0, ..record::Corpus::default() };
        Input { home: home.to_owned(), corpus, expected: None, items: Vec::new(), bound_bytes: None }
    }
}

/// What records say of a generated corpus.
pub(crate) fn record_of(corpus: &generators::Corpus) -> record::Corpus {
    let manifest = &corpus.manifest;
    record::Corpus {
        profile: manifest.profile.clone(),
        scale: manifest.scale,
        seed: manifest.seed,
        digest: manifest.digest.clone(),
        bytes: manifest.bytes,
        sessions: manifest.answer.sessions,
    }
}

/// Sessions and edit files of an answer, in visiting order.
fn parts(answer: &generators::Answer) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut edits = answer.edits_index.iter().peekable();
    for number in 0..=answer.sessions_index.len() {
        while let Some(entry) = edits.next_if(|entry| entry.sessions_before == number as u64) {
            parts.push(Part { source: entry.source.clone(), digest: entry.digest.clone(), requests: None });
        }
        if let Some(entry) = answer.sessions_index.get(number) {
            parts.push(Part {
                source: entry.source.clone(),
                digest: entry.digest.clone(),
                requests: Some(entry.requests),
            });
        }
    }
    parts
}

/// The bound that `bounded` promises: 4 MiB + 1 KiB for each session and workspace directory + 2 KiB for each live request
/// of the largest session, whatever the bytes.
fn bound_bytes(answer: &generators::Answer) -> u64 {
    (4 << 20) + 1024 * (answer.sessions + answer.workspaces) + 2048 * answer.largest_session_requests
}
