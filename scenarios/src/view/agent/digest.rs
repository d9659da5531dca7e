//! What a session must have, by its digest.

use serde_json::Value;

/// Digest of a session: of each message its id and its JSON, and after it the same of each of its parts, in the order of their ids.
/// JSON is written without spaces, keys by name.
#[derive(Debug, Default)]
pub(crate) struct Digester(blake3::Hasher);

/// Digest of one text.
pub(super) type Hash = [u8; 32];

impl Digester {
    /// Adds the next message, without its parts.
    #[cfg(test)]
    pub(crate) fn message(&mut self, value: &Value) {
        self.add("message", id(value), &hash(&value.to_string()));
    }

    /// Adds the next part of the message that was added last.
    #[cfg(test)]
    pub(crate) fn part(&mut self, value: &Value) {
        self.add("part", id(value), &hash(&value.to_string()));
    }

    pub(super) fn add(&mut self, what: &str, id: &str, hash: &Hash) {
        for word in [what, id] {
            self.0.update(&(word.len() as u64).to_le_bytes());
            self.0.update(word.as_bytes());
        }
        self.0.update(hash);
    }

    /// The digest, in hexadecimal.
    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

/// The id of a record.
pub(super) fn id(value: &Value) -> &str {
    value.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// Digest of a record's JSON.
pub(super) fn hash(json: &str) -> Hash {
    *blake3::hash(json.as_bytes()).as_bytes()
}
