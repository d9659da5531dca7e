//! What was said, by its digest.

use super::Written;

/// An event as a reader must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its kind.
    pub(crate) kind: &'static str,
    /// Digest of its text.
    digest: [u8; 16],
}

impl Said {
    pub(super) fn of(kind: &'static str, text: &str) -> Said {
        Said { kind, digest: digest(text) }
    }
}

fn digest(text: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    digest
}

/// Digest of sessions: of each its tool, its id, and its events' kinds and texts.
#[derive(Debug, Default)]
pub(crate) struct Digester(blake3::Hasher);

impl Digester {
    /// The digest of some sessions, by tool and id.
    pub(crate) fn of(sessions: &[Written]) -> String {
        let mut sorted: Vec<&Written> = sessions.iter().collect();
        sorted.sort_by_key(|session| (session.provider, &session.id));
        let mut digester = Digester::default();
        for session in sorted {
            digester.session(session.provider.name(), &session.id, session.events.len() as u64);
            session.events.iter().for_each(|said| digester.said(said));
        }
        digester.finish()
    }

    /// Begins a session.
    pub(crate) fn session(&mut self, provider: &str, id: &str, events: u64) {
        self.word(provider);
        self.word(id);
        self.0.update(&events.to_le_bytes());
    }

    /// Adds an event that was read.
    pub(crate) fn event(&mut self, kind: &str, text: &str) {
        self.word(kind);
        self.0.update(&digest(text));
    }

    /// Adds an event that was written.
    pub(crate) fn said(&mut self, said: &Said) {
        self.word(said.kind);
        self.0.update(&said.digest);
    }

    fn word(&mut self, word: &str) {
        self.0.update(&(word.len() as u64).to_le_bytes());
        self.0.update(word.as_bytes());
    }

    /// The digest, in hexadecimal.
    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}
