//! OpenCode and Kilo: sessions of messages of parts, each a JSON object, kept as a tree of files or as rows of a database.

mod conversation;
mod database;
mod pages;
mod part;
mod step;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::io;

use crate::answer::Session;
use crate::dice::Dice;
use crate::plan::{Quirk, ROOTS};
use crate::size::Size;
use crate::text::{Atom, Preview};
use crate::write::{Desk, Facts};

pub(crate) use conversation::Ids;
pub(crate) use database::Database;
pub use database::SCHEMA;
pub(crate) use pages::Pages;

/// Where sessions work: a repository.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The hash of its first commit, or `global`.
    pub(crate) id: String,
    pub(crate) worktree: String,
    /// When it was first opened, ms since 1970.
    pub(crate) created: u64,
}

/// A session to write, in either store.
#[derive(Clone, Debug)]
pub(crate) struct OpenCode {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    pub(crate) project: Project,
    /// Whether the project's file is written with it, where it is a file.
    pub(crate) opens_project: bool,
    pub(crate) id: String,
    /// The session that a subagent's session belongs to.
    pub(crate) parent: Option<String>,
    /// When it began, ms since 1970.
    pub(crate) start: u64,
    pub(crate) requests: u64,
    /// How long all of the session is: the bytes of its files, or what it adds to the database.
    pub(crate) size: Size,
    /// Requests with an image.
    pub(crate) images: u64,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl OpenCode {
    /// The session's file, where it is one.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/{}.json", ROOTS[self.root].0, self.project.id, self.id)
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Writes the session as a tree of files.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = self.path();
        let dice = Dice::new(desk.spec, &path);
        let workspace = format!("{}/{}", ROOTS[self.root].0, self.project.id);
        let pool = desk.pool;
        let session = conversation::write(self, workspace, pool, dice, &mut tree::Tree::new(self, desk))?;
        desk.deliver(self.root, &format!("{}.json", self.id), path, &session);
        Ok(())
    }

    /// The session of the answer before anything is said in it.
    fn answer(&self, workspace: String) -> Session {
        Session {
            id: self.id.clone(),
            harness: ROOTS[self.root].1,
            workspace,
            name: Preview::of(self.project.worktree.rsplit('/').next().unwrap_or_default(), 128),
            created: self.start,
            ..Session::default()
        }
    }
}

/// The JSON of a record.
#[derive(Clone, Copy, Debug)]
enum Body<'a> {
    /// Its fields, without braces and without the ids, which each store keeps in its own place.
    Fields(&'a [u8]),
    /// What is no JSON object: a reader skips and counts it.
    Broken(&'a [u8]),
}

/// A message or a part.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    /// Its kind in the manifest.
    kind: &'static str,
    id: &'a str,
    /// The message that a part belongs to.
    message: Option<&'a str>,
    created: u64,
    updated: u64,
    body: Body<'a>,
}

/// An item of a session's list of tasks.
#[derive(Clone, Copy, Debug)]
struct Todo<'a> {
    content: &'a Atom,
    status: &'static str,
    priority: &'static str,
}

/// What is said of a session as a whole, once it is written.
#[derive(Debug)]
struct Head<'a> {
    title: &'a Atom,
    slug: String,
    /// The last change, ms since 1970.
    updated: u64,
    additions: u64,
    deletions: u64,
    files: u64,
    /// What the model's messages cost, in 1/100,000 $.
    cost: u64,
    facts: Facts,
}

/// What keeps sessions.
trait Store {
    /// Bytes of the session so far.
    fn bytes(&self) -> u64;
    /// Keeps a message or a part.
    fn record(&mut self, record: &Record<'_>) -> io::Result<()>;
    /// Keeps the list of tasks.
    fn todos(&mut self, todos: &[Todo<'_>], time: u64) -> io::Result<()>;
    /// Keeps what the session changed: the elements of a JSON array.
    fn diff(&mut self, diffs: &[u8]) -> io::Result<()>;
    /// Keeps the session itself.
    fn session(&mut self, head: Head<'_>) -> io::Result<()>;
}
