//! What a reader must answer, and its digests, as `docs/answer.md` states them.

use std::collections::BTreeMap;

use crate::text::{Measure, Preview};

/// A digest of the answer: the first half of a BLAKE3 hash.
pub(crate) type Digest = [u8; 16];

/// Counts by name: languages or tools.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Not yet.
    #[default]
    Pending = 0,
    /// With an answer.
    Complete = 1,
    /// By its user.
    Cancelled = 2,
    /// With an error.
    Errored = 3,
}

/// A request, as delivered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) timestamp: u64,
    pub(crate) preview: String,
    pub(crate) message_units: u64,
    pub(crate) response_units: u64,
    /// How many texts the response has.
    pub(crate) responses: u64,
    pub(crate) model: &'static str,
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    pub(crate) state: State,
    pub(crate) images: u64,
    pub(crate) edited_files: u64,
    pub(crate) user_code: Counts,
    pub(crate) ai_code: Counts,
    pub(crate) tools: Counts,
    pub(crate) commands: Vec<String>,
}

impl Request {
    /// Sets the message.
    pub(crate) fn say(&mut self, message: &Measure, preview: Preview) {
        self.preview = preview.text;
        self.message_units = message.units;
        add_code(&mut self.user_code, message);
    }

    /// Adds a text of the response; an empty one does not count.
    pub(crate) fn respond(&mut self, text: &Measure) {
        if text.units == 0 {
            return;
        }
        self.response_units += text.units + u64::from(self.responses > 0);
        self.responses += 1;
        add_code(&mut self.ai_code, text);
    }

    /// Counts a call of a tool.
    pub(crate) fn call(&mut self, tool: &'static str) {
        *self.tools.entry(tool).or_default() += 1;
    }

    fn hash(&self, hasher: &mut Hasher) {
        hasher.string(&self.id);
        hasher.integer(self.timestamp);
        hasher.string(&self.preview);
        hasher.integer(self.message_units);
        hasher.integer(self.response_units);
        hasher.string(self.model);
        hasher.integer(self.prompt);
        hasher.integer(self.completion);
        hasher.integer(self.state as u64);
        hasher.integer(self.images);
        hasher.integer(self.edited_files);
        hasher.counts(&self.user_code);
        hasher.counts(&self.ai_code);
        hasher.counts(&self.tools);
        hasher.integer(self.commands.len() as u64);
        for command in &self.commands {
            hasher.string(command);
        }
    }
}

fn add_code(code: &mut Counts, text: &Measure) {
    for &(language, lines) in &text.code {
        *code.entry(language).or_default() += lines;
    }
}

/// A session, as delivered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) harness: &'static str,
    pub(crate) workspace: String,
    pub(crate) name: String,
    pub(crate) created: u64,
    pub(crate) last: u64,
    pub(crate) requests: Vec<Request>,
}

impl Session {
    /// The session digest.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.string("session/1");
        hasher.string(&self.id);
        hasher.string(self.harness);
        hasher.string(&self.workspace);
        hasher.string(&self.name);
        hasher.integer(self.created);
        hasher.integer(self.last);
        hasher.integer(self.requests.len() as u64);
        for request in &self.requests {
            request.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Lines added by request and uri.
pub(crate) type Edits = BTreeMap<(String, String), u64>;

/// The edit digest.
pub(crate) fn edits_digest(workspace: &str, directory: &str, edits: &Edits) -> Digest {
    let mut hasher = Hasher::default();
    hasher.string("edits/1");
    hasher.string(workspace);
    hasher.string(directory);
    hasher.integer(edits.len() as u64);
    for ((request, uri), lines) in edits {
        hasher.string(request);
        hasher.string(uri);
        hasher.integer(*lines);
    }
    hasher.finish()
}

/// The answer digest, of the digests in visiting order.
pub(crate) fn answer_digest<'a>(digests: impl Iterator<Item = &'a Digest>) -> Digest {
    let mut hasher = Hasher::default();
    for digest in digests {
        hasher.0.update(digest);
    }
    hasher.finish()
}

#[derive(Default)]
struct Hasher(blake3::Hasher);

impl Hasher {
    fn integer(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        self.integer(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn counts(&mut self, counts: &Counts) {
        self.integer(counts.len() as u64);
        for (name, count) in counts {
            self.string(name);
            self.integer(*count);
        }
    }

    fn finish(self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        digest
    }
}
