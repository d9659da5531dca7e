//! The manifest: what is true of a corpus, written beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use rapidhash::v3::RapidStreamHasherV3;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::page::{file_hasher, hex};
use crate::profile::Spec;
use crate::special::{Special, led_astray};

/// The form of this manifest.
pub(crate) const SCHEMA: &str = "highwater-corpus/3";

/// Which generator wrote the corpus. It grows with every change of the bytes that a spec gives, so that older corpora are rebuilt.
pub(crate) const GENERATOR: u32 = 4;

/// What is true of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the manifest: `highwater-corpus/3`.
    pub schema: String,
    /// Which generator wrote the corpus.
    pub generator: u32,
    /// The profile's name.
    pub profile: String,
    /// The scale.
    pub scale: f64,
    /// The seed.
    pub seed: u64,
    /// Steps that the corpus has grown by.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u64,
    /// Digest of the whole corpus: of every file's path, size and digest, in order of the paths.
    pub digest: String,
    /// Sum of the files' sizes.
    pub bytes: u64,
    /// Sums by format, as [`FileEntry::format`] names it.
    pub formats: BTreeMap<String, FormatTotals>,
    /// What a reader must answer.
    pub answer: Answer,
    /// Every file below the home directory, in order of the paths.
    pub files: Vec<FileEntry>,
    /// Digest of the manifest itself, with this field empty.
    pub seal: String,
}

/// What a reader of the corpus must answer: `docs/answer.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer digest, over all sessions and edit files in visiting order.
    pub digest: String,
    /// Sessions delivered.
    pub sessions: u64,
    /// Requests in them.
    pub requests: u64,
    /// Edit files with at least one edit.
    pub edit_files: u64,
    /// Workspace directories, also those without sessions.
    pub workspaces: u64,
    /// Requests of the session that has most of them, in its final state.
    pub largest_session_requests: u64,
    /// Lines that a reader skips and counts.
    pub skipped_lines: u64,
    /// The sessions in visiting order.
    pub sessions_index: Vec<SessionEntry>,
    /// The edit files in visiting order.
    pub edits_index: Vec<EditEntry>,
}

/// One edit file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditEntry {
    /// Its path below the home directory, with `/`.
    pub source: String,
    /// Its edit digest.
    pub digest: String,
    /// How many sessions are visited before it.
    pub sessions_before: u64,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// Where it is: a path below the home directory, with `/`. A Claude session without a main file is its directory.
    pub source: String,
    /// Its id.
    pub id: String,
    /// Its workspace's key.
    pub workspace: String,
    /// Its requests.
    pub requests: u64,
    /// Its session digest.
    pub digest: String,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path below the home directory, with `/`.
    #[serde(deserialize_with = "below_home")]
    pub path: String,
    /// What it is, where it is no regular file that can be read; it has no bytes then, and its digest is of what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Special>,
    /// The tool that writes such files: `vscode`, `copilot-cli`, `claude`, `codex`, `gemini`, `opencode` or `kilo`.
    pub format: String,
    /// Size.
    pub bytes: u64,
    /// rapidhash v3 of its content, 16 hexadecimal digits.
    pub digest: String,
    /// Lines, the last one also when it is torn.
    pub lines: u64,
    /// Records by type: lines by their type, `kind-0` to `kind-3` in an append log, `document` for a file that is one. None are
    /// told of a file that is made around a defect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub records: BTreeMap<String, u64>,
    /// Sessions that a reader finds in it; a subagent's file has none of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sessions: u64,
    /// Requests that a reader finds in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Distinct responses (message id and request id) whose usage it reports.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub usage_ids: u64,
    /// Prompt tokens of its requests.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompt_tokens: u64,
    /// Completion tokens of its requests.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub completion_tokens: u64,
    /// What the models read and wrote for it: each response once, and none that is a copy of another file's.
    #[serde(default, skip_serializing_if = "Tokens::is_none")]
    pub tokens: Tokens,
    /// Lines that a reader skips and counts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_lines: u64,
    /// Whether a reader refuses the file as a whole: it gives no session, and is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// What was put in it to break parsers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<String>,
}

/// Reads a path, which must not lead out of the home directory.
fn below_home<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let stays = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
    if stays && path.split('/').all(is_plain) {
        return Ok(path);
    }
    Err(D::Error::custom(format!("{path:?} is no path below the home directory")))
}

/// What the files of a format hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatTotals {
    /// Files.
    pub files: u64,
    /// Sum of their sizes.
    pub bytes: u64,
    /// Sessions found in them. A session that no file stands for, as one of Claude with subagents only, is not among them.
    pub sessions: u64,
    /// Requests found in them.
    pub requests: u64,
    /// What the models read and wrote for them.
    pub tokens: Tokens,
}

impl FormatTotals {
    /// Adds what a file holds.
    pub(crate) fn add(&mut self, file: &FileEntry) {
        self.files += 1;
        self.bytes += file.bytes;
        self.sessions += file.sessions;
        self.requests += file.requests;
        self.tokens += file.tokens;
    }
}

/// Tokens of responses, as tools that count a person's usage sum them. No token is in two of the counts, but for `reasoning`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Responses.
    pub responses: u64,
    /// Read anew: neither from a cache nor written to one.
    pub input: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Read and written to a cache.
    pub cache_write: u64,
    /// Written by the model, reasoning included.
    pub output: u64,
    /// Of `output`: written as reasoning, where the format tells.
    pub reasoning: u64,
}

impl Tokens {
    fn is_none(&self) -> bool {
        *self == Tokens::default()
    }
}

impl std::ops::AddAssign for Tokens {
    fn add_assign(&mut self, more: Tokens) {
        self.responses += more.responses;
        self.input += more.input;
        self.cache_read += more.cache_read;
        self.cache_write += more.cache_write;
        self.output += more.output;
        self.reasoning += more.reasoning;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Manifest {
    /// Reads a manifest and checks that it is whole.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Manifest`] when it is not a manifest or was changed.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::io("read corpus manifest", path))?;
        Manifest::parse(&text).map_err(|why| Error::Manifest { path: path.to_path_buf(), why })
    }

    /// A manifest from its text, or what is wrong with it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let manifest: Manifest = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if manifest.schema != SCHEMA {
            return Err(format!("its schema is \"{}\", not \"{SCHEMA}\"", manifest.schema));
        }
        let mut digest = CorpusDigest::default();
        manifest.files.iter().for_each(|file| digest.add(&file.path, file.bytes, &file.digest));
        if manifest.seal != seal_of(text) || manifest.digest != digest.finish() {
            return Err("it was changed after it was written".to_owned());
        }
        let entries = manifest.files.iter().map(|file| (file.path.as_str(), file.kind.is_some()));
        if let Some(path) = led_astray(entries) {
            return Err(format!("{path} lies below an entry that is no directory"));
        }
        Ok(manifest)
    }

    /// Whether the manifest is of this spec, from this generator, and has not grown.
    pub(crate) fn is_of(&self, spec: &Spec) -> bool {
        self.generator == GENERATOR
            && self.profile == spec.profile.name()
            && self.scale.to_bits() == spec.scale.to_bits()
            && self.seed == spec.seed
            && self.step == 0
    }
}

/// What follows the seal in a manifest's text: it is the last field.
pub(crate) const SEAL_TAIL: &[u8] = b"\"\n}\n";

/// Digits of a seal.
const SEAL_DIGITS: usize = 16;

/// The digest of a manifest's text with an empty seal.
pub(crate) struct Seal(RapidStreamHasherV3<'static>);

impl Default for Seal {
    fn default() -> Self {
        Seal(file_hasher())
    }
}

impl Seal {
    pub(crate) fn add(&mut self, text: &[u8]) {
        self.0.write(text);
    }

    pub(crate) fn finish(self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// The seal that a text should have.
fn seal_of(text: &[u8]) -> String {
    let end = text.len().saturating_sub(SEAL_TAIL.len());
    let mut seal = Seal::default();
    seal.add(&text[..end.saturating_sub(SEAL_DIGITS)]);
    seal.add(&text[end..]);
    seal.finish()
}

/// The digest of a corpus, of its files in order of their paths.
#[derive(Default)]
pub(crate) struct CorpusDigest(blake3::Hasher);

impl CorpusDigest {
    pub(crate) fn add(&mut self, path: &str, bytes: u64, digest: &str) {
        self.0.update(&(path.len() as u64).to_le_bytes());
        self.0.update(path.as_bytes());
        self.0.update(&bytes.to_le_bytes());
        self.0.update(digest.as_bytes());
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize().as_bytes()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_of_the_home_is_refused() {
        let read = |path: &str| {
            let entry = FileEntry { path: path.to_owned(), ..FileEntry::default() };
            serde_json::from_str::<FileEntry>(&serde_json::to_string(&entry).unwrap())
        };
        for wrong in ["", ".", "..", "/etc/passwd", "../a", "a/../../b", "a//b", "a/./b", "a/"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for right in ["a", ".claude/projects/-home-dev/a b.jsonl", "a/..b", "a/b.."] {
            assert_eq!(read(right).unwrap().path, right);
        }
    }

    /// A manifest's text with a seal that fits.
    fn sealed(mut manifest: Manifest) -> Vec<u8> {
        let mut digest = CorpusDigest::default();
        manifest.files.iter().for_each(|file| digest.add(&file.path, file.bytes, &file.digest));
        manifest.digest = digest.finish();
        let text = |manifest: &Manifest| {
            let mut text = serde_json::to_vec_pretty(manifest).unwrap();
            text.push(b'\n');
            text
        };
        manifest.seal = "0".repeat(SEAL_DIGITS);
        manifest.seal = seal_of(&text(&manifest));
        text(&manifest)
    }

    #[test]
    fn a_manifest_that_writes_through_a_link_is_refused() {
        let spec = Spec { profile: crate::Profile::Smoke, scale: 1.0, seed: 1 };
        let mut manifest = crate::foresee(&spec, 1).unwrap();
        let entry = |path: &str, kind| FileEntry { path: path.to_owned(), kind, ..FileEntry::default() };
        manifest.files.push(entry("a", Some(Special::Symlink("/elsewhere".to_owned()))));
        assert!(Manifest::parse(&sealed(manifest.clone())).is_ok());
        manifest.files.push(entry("a/b", None));
        let why = Manifest::parse(&sealed(manifest)).unwrap_err();
        assert_eq!(why, "a/b lies below an entry that is no directory");
    }
}
