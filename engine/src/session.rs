//! What is kept of a session, how it is stripped, hashed and written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::json::text::{CodeLines, preview};

/// UTF-16 units of a message that are kept for good.
pub const PREVIEW_UNITS: usize = 500;
/// UTF-16 units of ids, models, and names of tools and workspaces that are kept.
pub const NAME_UNITS: usize = 128;
/// UTF-16 units of a command line that are kept.
pub const COMMAND_UNITS: usize = 200;
/// UTF-16 units of an edited file's URI that are kept.
pub const URI_UNITS: usize = 500;

/// One session, with its requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What is known of it as a whole.
    pub head: Head,
    /// Its requests, in order.
    pub requests: Vec<Request>,
}

/// What is known of a session as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Id that its tool gave it.
    pub id: Box<str>,
    /// The tool.
    pub harness: Box<str>,
    /// Key of its workspace: the directory's path below home.
    pub workspace: Box<str>,
    /// Name of its workspace.
    pub name: Box<str>,
    /// When it began, ms since 1970.
    pub created: i64,
    /// When it was last used, ms since 1970.
    pub last: i64,
}

/// One request of a person, with what it led to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Id that its tool gave it.
    pub id: Box<str>,
    /// When it was made, ms since 1970.
    pub timestamp: i64,
    /// The message; [`Request::strip`] leaves its first [`PREVIEW_UNITS`], and only those are written.
    #[serde(serialize_with = "write_preview")]
    pub message: String,
    /// The response's text while it is held; empty when stripped, and never written.
    #[serde(skip)]
    pub response: String,
    /// UTF-16 units of the whole message.
    pub message_units: u64,
    /// UTF-16 units of the whole response.
    pub response_units: u64,
    /// Model that answered.
    pub model: Box<str>,
    /// Tokens that the model read.
    pub prompt_tokens: u64,
    /// Tokens that the model wrote.
    pub completion_tokens: u64,
    /// How it ended.
    pub state: State,
    /// Images attached or made.
    pub images: u64,
    /// Files edited.
    pub edited: u64,
    /// Lines of code in the message.
    pub user_code: CodeLines,
    /// Lines of code in the response.
    pub ai_code: CodeLines,
    /// Calls of each tool.
    pub tools: Tools,
    /// Beginnings of the command lines that were asked to be run.
    pub commands: Vec<Box<str>>,
}

fn write_preview<S: serde::Serializer>(message: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(preview(message, PREVIEW_UNITS))
}

/// How a request ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It has no result yet.
    #[default]
    Pending,
    /// It was answered.
    Complete,
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Errored,
}

/// Calls of each tool, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tools(Vec<(Box<str>, u64)>);

impl Tools {
    /// Counts one call.
    pub fn count(&mut self, name: &str) {
        let name = preview(name, NAME_UNITS);
        match self.0.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => {
                // Most requests have a tool or two: growing by one keeps no spare room.
                self.0.reserve_exact(1);
                self.0.insert(at, (name.into(), 1));
            }
        }
    }

    /// Whether no tool was called.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What one edit file says: lines added by (request id, URI).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Edits {
    /// Key of its workspace.
    pub workspace: Box<str>,
    /// Name of its directory.
    pub directory: Box<str>,
    /// The lines, sorted.
    pub lines: Vec<(Box<str>, Box<str>, u64)>,
}

/// Lines added, by (request id, URI).
pub type EditLines = BTreeMap<(Box<str>, Box<str>), u64>;

impl Edits {
    /// The record of one edit file; none when it has no edit.
    pub fn new(workspace: &str, directory: &str, lines: EditLines) -> Option<Edits> {
        let lines: Vec<_> = lines.into_iter().map(|((request, uri), count)| (request, uri, count)).collect();
        (!lines.is_empty()).then(|| Edits { workspace: workspace.into(), directory: directory.into(), lines })
    }
}

impl Request {
    /// Drops the texts but for the message's preview. The message keeps its buffer, as the reported engine's substring kept
    /// its parent.
    pub fn strip(&mut self) {
        let kept = preview(&self.message, PREVIEW_UNITS).len();
        self.message.truncate(kept);
        self.response = String::new();
    }

    /// The message as it is written and hashed, whether stripped yet or not.
    pub fn preview(&self) -> &str {
        preview(&self.message, PREVIEW_UNITS)
    }
}

impl Session {
    /// [`Request::strip`] for every request.
    pub fn strip(&mut self) {
        self.requests.iter_mut().for_each(Request::strip);
    }
}

/// A 16-byte digest.
pub type Digest = [u8; 16];

/// A digest in lowercase hexadecimal.
pub fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes sessions and edit files as `docs/answer.md` section 4 says, piece by piece.
#[derive(Debug, Clone)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Begins a session of `requests` requests.
    pub fn session(head: &Head, requests: u64) -> Hasher {
        let mut hasher = Hasher(blake3::Hasher::new());
        hasher.text("session/1");
        for text in [&head.id, &head.harness, &head.workspace, &head.name] {
            hasher.text(text);
        }
        hasher.integer(head.created.cast_unsigned());
        hasher.integer(head.last.cast_unsigned());
        hasher.integer(requests);
        hasher
    }

    /// Adds the next request.
    pub fn request(&mut self, request: &Request) {
        self.text(&request.id);
        self.integer(request.timestamp.cast_unsigned());
        self.text(request.preview());
        self.integer(request.message_units);
        self.integer(request.response_units);
        self.text(&request.model);
        self.integer(request.prompt_tokens);
        self.integer(request.completion_tokens);
        self.integer(request.state as u64);
        self.integer(request.images);
        self.integer(request.edited);
        self.counts(request.user_code.iter());
        self.counts(request.ai_code.iter());
        self.counts(request.tools.0.iter().map(|(name, calls)| (&**name, *calls)));
        self.integer(request.commands.len() as u64);
        request.commands.iter().for_each(|command| self.text(command));
    }

    /// The digest of an edit file.
    pub fn edits(edits: &Edits) -> Digest {
        let mut hasher = Hasher(blake3::Hasher::new());
        hasher.text("edits/1");
        hasher.text(&edits.workspace);
        hasher.text(&edits.directory);
        hasher.integer(edits.lines.len() as u64);
        for (request, uri, lines) in &edits.lines {
            hasher.text(request);
            hasher.text(uri);
            hasher.integer(*lines);
        }
        hasher.finish()
    }

    /// The digest.
    pub fn finish(&self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        digest
    }

    fn text(&mut self, text: &str) {
        self.integer(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn integer(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    fn counts<'a>(&mut self, counts: impl ExactSizeIterator<Item = (&'a str, u64)>) {
        self.integer(counts.len() as u64);
        for (name, count) in counts {
            self.text(name);
            self.integer(count);
        }
    }
}

/// The digest of a sequence of digests: of an answer, or of a part of one.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    hasher: blake3::Hasher,
    /// Sessions so far.
    pub sessions: u64,
    /// Requests so far.
    pub requests: u64,
    /// Edit files so far.
    pub edits: u64,
}

impl Tally {
    /// Adds a session's digest.
    pub fn session(&mut self, digest: &Digest, requests: u64) {
        self.hasher.update(digest);
        self.sessions += 1;
        self.requests += requests;
    }

    /// Adds an edit file's digest.
    pub fn edits(&mut self, digest: &Digest) {
        self.hasher.update(digest);
        self.edits += 1;
    }

    /// The digest of everything added.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&self.hasher.finalize().as_bytes()[..16]);
        digest
    }
}
