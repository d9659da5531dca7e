//! Histories that are written once, for every sample that needs them.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use harness::record;

use super::Runner;
use crate::history::{self, History, Shape};
use crate::scratch::Scratch;

/// Histories that were written.
pub(crate) struct Kept {
    /// Where they are.
    pub(crate) scratch: Scratch,
    /// What was written.
    pub(crate) histories: Vec<History>,
    is_dated: Cell<bool>,
}

impl Kept {
    /// Gives the files times of their own, the first time only: that would make them look as if just written.
    pub(crate) fn date_once(&self, date: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.is_dated.replace(true) { Ok(()) } else { date() }
    }

    /// The histories as records name them. They are made for a scenario, and no profile's.
    pub(crate) fn in_record(&self, profile: &str) -> record::Corpus {
        let digests: Vec<String> = self.histories.iter().map(History::digest).collect();
        record::Corpus {
            profile: profile.to_owned(),
            scale: 1.0,
            seed: 1,
            digest: digests.join(" "),
            bytes: self.histories.iter().map(|history| history.bytes).sum(),
            sessions: self.histories.iter().map(|history| history.sessions.len() as u64).sum(),
        }
    }
}

impl Runner<'_> {
    /// Histories by their shapes, each in a directory of the same home; written once.
    pub(crate) fn kept_histories(&mut self, wanted: &[(String, Shape)]) -> Result<Rc<Kept>, String> {
        let key = format!("{wanted:?}");
        if let Some(kept) = self.histories.get(&key) {
            return Ok(Rc::clone(kept));
        }
        let scratch = self.scratch("histories")?;
        let write = |(directory, shape): &(String, Shape)| {
            let home = scratch.home().join(directory);
            history::write(&home, shape)
                .map_err(|error| format!("failed to write {}: {error}", home.display()))
        };
        let histories = wanted.iter().map(write).collect::<Result<_, _>>()?;
        let kept = Rc::new(Kept { scratch, histories, is_dated: Cell::new(false) });
        self.histories.insert(key, Rc::clone(&kept));
        Ok(kept)
    }
}
