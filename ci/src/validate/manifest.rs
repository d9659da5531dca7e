//! What a corpus's manifest says, as far as it is compared. It is read as any program would read it, with no code of the generator.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// What is true of a corpus.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) profile: String,
    pub(crate) scale: f64,
    pub(crate) seed: u64,
    pub(crate) answer: Answer,
    pub(crate) files: Vec<File>,
}

/// What a reader answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) sessions_index: Vec<Session>,
}

/// A session that a reader finds.
#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) requests: u64,
}

/// A file of the corpus.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) format: String,
    pub(crate) sessions: u64,
    pub(crate) requests: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) skipped_lines: u64,
    pub(crate) tokens: Tokens,
    pub(crate) records: BTreeMap<String, u64>,
    pub(crate) quirks: Vec<String>,
}

/// Tokens of responses, each counted once; the reasoning is in the output.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
}

impl Manifest {
    /// Reads the manifest of a corpus's folder.
    pub(crate) fn read(corpus: &Path) -> Result<Self, String> {
        let path = corpus.join("manifest.json");
        let text = fs::read(&path).map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        serde_json::from_slice(&text)
            .map_err(|error| format!("{} is no manifest that is known here: {error}", path.display()))
    }

    /// The files of a format.
    pub(crate) fn of<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.format == format)
    }

    /// The id of the session whose (main) file is at a path.
    pub(crate) fn session_id(&self, path: &str) -> Option<&str> {
        let found = self.answer.sessions_index.iter().find(|session| session.source == path);
        found.map(|session| session.id.as_str())
    }
}

impl File {
    /// Whether something of this name was put in it.
    pub(crate) fn has(&self, quirk: &str) -> bool {
        self.quirks.iter().any(|own| own == quirk)
    }
}
