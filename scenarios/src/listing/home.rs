//! Homes whose lists are known: which rows they must have, by a rule of its own.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::history::{History, Written};

/// When the first session of a history was written, s since 1970; each next one a second later.
const FIRST_SECONDS: u64 = 1_767_600_000;
/// Characters of a title.
const TITLE_CHARS: usize = 80;

/// Gives the files of a history their times, in their order.
pub(crate) fn date(home: &Path, history: &History) -> std::io::Result<()> {
    for (number, session) in (0..).zip(&history.sessions) {
        let time = UNIX_EPOCH + Duration::from_secs(FIRST_SECONDS + number);
        File::options().append(true).open(home.join(&session.path))?.set_modified(time)?;
    }
    Ok(())
}

/// The title under which a session is listed: the beginning of the first thing that was said.
pub(crate) fn title(session: &Written) -> String {
    let text = session.first.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(TITLE_CHARS) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// Digest of the rows of a list: of each its id, its title and its messages.
#[derive(Debug, Default)]
pub(crate) struct Digester(blake3::Hasher);

impl Digester {
    pub(crate) fn row(&mut self, id: &str, title: &str, messages: u64) {
        for word in [id, title] {
            self.0.update(&(word.len() as u64).to_le_bytes());
            self.0.update(word.as_bytes());
        }
        self.0.update(&messages.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

/// Digest of the list of some sessions, in this order.
pub(crate) fn digest<'a>(sessions: impl Iterator<Item = &'a Written>) -> String {
    let mut digester = Digester::default();
    for session in sessions {
        digester.row(&session.id, &title(session), session.events.len() as u64);
    }
    digester.finish()
}
