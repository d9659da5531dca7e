//! Codex CLI: `.codex/sessions/<Y>/<M>/<D>/rollout-<time>-<id>.jsonl`, also compressed, also archived.

mod file;
mod history;
mod rare;
mod reading;
mod record;
mod said;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::answer::Session;
use crate::codex::file::File;
use crate::codex::reading::Reading;
use crate::manifest::Tokens;
use crate::page::{Id, Iso, Page, put};
use crate::plan::{Quirk, ROOTS};
use crate::pool::Pool;
use crate::profile::Spec;
use crate::size::Size;
use crate::write::{Desk, Facts};

/// Bytes of what a session begins with, of an ordinary request and of an image, for the estimate. H, of this generator.
const SESSION_BYTES: u64 = 25_000;
/// See [`SESSION_BYTES`].
const REQUEST_BYTES: u64 = 78_000;
/// See [`SESSION_BYTES`].
const IMAGE_BYTES: u64 = 50_000;
/// How many times smaller a compressed file is. H.
pub(crate) const COMPRESSED: u64 = 4;

/// How often a compressed file's content is tried.
const TRIALS: usize = 5;
/// It need not come nearer to the wanted size than this share of it.
const TRIAL_OFF: f64 = 0.02;

/// The forms that the tool has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each line an envelope; turns have ids.
    Current,
    /// Each line an envelope; turns have no ids and no end of their own.
    Enveloped2025,
    /// Lines are bare items without times, and the first one has no type.
    Bare,
}

/// A session to write.
#[derive(Clone, Debug)]
pub(crate) struct Codex {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The directory below the root.
    pub(crate) directory: String,
    pub(crate) id: Id,
    /// When it began, in milliseconds since 1970.
    pub(crate) start: u64,
    pub(crate) cwd: String,
    /// Requests, those copied of a parent included.
    pub(crate) requests: u64,
    /// How long the file's content is.
    pub(crate) size: Size,
    pub(crate) form: Form,
    pub(crate) compressed: bool,
    /// How long the compressed file is, where its content shall be as long as that takes; 0 is as long as it comes to.
    pub(crate) pressed_bytes: u64,
    /// How often the history was compacted: each time all of it is written again.
    pub(crate) compactions: u64,
    /// Bytes of the history in each compacted record; 0 is as long as it is.
    pub(crate) compacted_bytes: u64,
    /// The first requests have an image each.
    pub(crate) images: u64,
    /// The session whose first lines this one copies, and how many of its requests.
    pub(crate) forks: Option<(Arc<Codex>, u64)>,
    /// A compressed one beside the plain file of the same name: nobody reads it.
    pub(crate) is_superseded: bool,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl Codex {
    fn workspace(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.directory)
    }

    /// The file's name without its ending: the time has dashes for colons, since Windows refuses those.
    pub(crate) fn stem(&self) -> String {
        let mut time = Vec::new();
        put!(&mut time; Iso(self.start));
        let time = String::from_utf8_lossy(&time[..19]).replace(':', "-");
        format!("rollout-{time}-{}", self.id)
    }

    fn name(&self) -> String {
        format!("{}.jsonl{}", self.stem(), if self.compressed { ".zst" } else { "" })
    }

    /// The session's file.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.workspace(), self.name())
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Whether a history must be kept while the file is written: it or one it copies is compacted.
    fn keeps_history(&self) -> bool {
        self.compactions > 0 && self.form == Form::Current
            || self.forks.as_ref().is_some_and(|fork| fork.0.keeps_history())
    }

    /// Bytes of the file, estimated.
    pub(crate) fn estimate(&self) -> u64 {
        let requests = SESSION_BYTES + self.requests * REQUEST_BYTES + self.images * IMAGE_BYTES;
        let content = self.size.estimate(requests + self.compactions * self.compacted_bytes);
        if self.compressed { content / COMPRESSED } else { content }
    }

    /// Writes the session.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        if self.compressed && self.pressed_bytes > 0 {
            let size = Size::About(self.content_bytes(desk.spec, desk.pool)?);
            return Codex { size, pressed_bytes: 0, ..self.clone() }.write(desk);
        }
        let path = self.path();
        let mut page = desk.open(&path)?;
        if self.compressed {
            page.compress()?;
        }
        let (page, reading) = self.fill(desk.spec, desk.pool, page)?;
        let (mut session, mut facts) = reading.end();
        session.harness = ROOTS[self.root].1;
        session.workspace = self.workspace();
        facts.quirks = self.quirks.iter().map(|quirk| quirk.name()).collect();
        if self.is_superseded {
            let quirks = BTreeSet::from(["superseded"]);
            return desk.close(page, path, Facts { quirks, ..Facts::default() });
        }
        if self.has(Quirk::Copied) {
            facts.tokens = Tokens::default();
        }
        desk.close(page, path.clone(), facts)?;
        desk.deliver(self.root, &self.name(), path, &session);
        Ok(())
    }

    /// Bytes of content that a compressed file of the wanted size takes, found by trying: how far a text can be compressed is known only
    /// when it has been.
    fn content_bytes(&self, spec: &Spec, pool: &Pool) -> io::Result<u64> {
        let wanted = self.pressed_bytes as f64;
        let (mut content, mut best) = (self.size.estimate(0) as f64, (f64::INFINITY, 0));
        for _ in 0..TRIALS {
            let trial = Codex { size: Size::About(content as u64), ..self.clone() };
            let mut page = Page::open(None, Vec::new())?;
            page.compress()?;
            let (page, _) = trial.fill(spec, pool, page)?;
            let found = page.finish()?.0.bytes as f64;
            let off = (found / wanted - 1.0).abs();
            if off < best.0 {
                best = (off, content as u64);
            }
            if off < TRIAL_OFF {
                break;
            }
            content *= wanted / found;
        }
        Ok(best.1)
    }

    fn fill(&self, spec: &Spec, pool: &Pool, page: Page) -> io::Result<(Page, Reading)> {
        let session = Session { id: self.stem(), ..Session::default() };
        let mut file = File::new(self, spec, pool, page, Reading::new(session));
        file.session(self.requests)?;
        file.quirks()?;
        Ok((file.page, file.reading))
    }
}
