//! Writes a plan: items in any order by any number of threads, put in order when the manifest is assembled.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::Error;
use crate::answer::{Edits, Session, edits_digest};
use crate::assemble::Assembly;
use crate::journal::{Entry, Header, Journal, Line, Visit};
use crate::manifest::{EditEntry, FileEntry, Manifest, SessionEntry, Tokens};
use crate::page::{Finished, Page, hex};
use crate::plan::{Item, Plan};
use crate::pool::Pool;
use crate::profile::Spec;
use crate::special::Special;

/// What happens while a corpus is made or checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Writing begins: about so much is to come.
    Planned {
        /// Files to write.
        files: u64,
        /// Bytes to write, estimated.
        bytes: u64,
    },
    /// A file was written.
    Wrote {
        /// Its size.
        bytes: u64,
    },
    /// Part of a file was read back and hashed.
    Checked {
        /// How much of it.
        bytes: u64,
    },
    /// Part of the corpus was there, from a run that was interrupted: the rest is written.
    Resuming {
        /// Files that are there.
        files: u64,
    },
    /// The corpus that is there is not the right one, and is written again.
    Rebuilding {
        /// What is wrong with it.
        why: &'a str,
    },
}

/// Someone who wants to know.
pub(crate) type Observer<'a> = dyn Fn(Progress<'_>) + Sync + 'a;

/// What a file held, for its entry in the manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) sessions: u64,
    pub(crate) requests: u64,
    pub(crate) usage_ids: u64,
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    pub(crate) tokens: Tokens,
    pub(crate) skipped_lines: u64,
    pub(crate) is_refused: bool,
    pub(crate) quirks: BTreeSet<&'static str>,
}

impl Facts {
    /// Adds what another session of the same file held.
    pub(crate) fn add(&mut self, more: Facts) {
        self.sessions += more.sessions;
        self.requests += more.requests;
        self.usage_ids += more.usage_ids;
        self.prompt += more.prompt;
        self.completion += more.completion;
        self.tokens += more.tokens;
        self.skipped_lines += more.skipped_lines;
        self.is_refused |= more.is_refused;
        self.quirks.extend(more.quirks);
    }
}

/// One thread's desk: what it writes with, and what the item at hand has.
pub(crate) struct Desk<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) pool: &'a Pool,
    home: Option<&'a Path>,
    observer: &'a Observer<'a>,
    buffer: Vec<u8>,
    last_folder: PathBuf,
    /// What the item at hand has so far, for the journal.
    lines: Vec<Line>,
}

impl<'a> Desk<'a> {
    fn new(spec: &'a Spec, pool: &'a Pool, home: Option<&'a Path>, observer: &'a Observer<'a>) -> Self {
        let (buffer, last_folder) = (Vec::new(), PathBuf::new());
        Desk { spec, pool, home, observer, buffer, last_folder, lines: Vec::new() }
    }

    /// Opens a file below the home directory.
    pub(crate) fn open(&mut self, path: &str) -> io::Result<Page> {
        let place = self.place(path)?;
        Page::open(place.as_deref(), std::mem::take(&mut self.buffer))
    }

    /// Where a file below the home directory shall be, its folder made; none where nothing is written.
    pub(crate) fn place(&mut self, path: &str) -> io::Result<Option<PathBuf>> {
        let Some(home) = self.home else { return Ok(None) };
        let path = home.join(path);
        if let Some(folder) = path.parent()
            && folder != self.last_folder
        {
            fs::create_dir_all(folder)?;
            self.last_folder = folder.to_path_buf();
        }
        Ok(Some(path))
    }

    /// Finishes a file and notes what it held.
    pub(crate) fn close(&mut self, page: Page, path: String, facts: Facts) -> io::Result<()> {
        let (finished, buffer) = page.finish()?;
        self.buffer = buffer;
        self.note(finished, path, facts);
        Ok(())
    }

    /// Notes a file that is finished, and what it held.
    pub(crate) fn note(&mut self, finished: Finished, path: String, facts: Facts) {
        (self.observer)(Progress::Wrote { bytes: finished.bytes });
        self.lines.push(Line::File(FileEntry {
            format: format_of(&path).to_owned(),
            path,
            kind: None,
            bytes: finished.bytes,
            digest: finished.digest,
            lines: finished.lines,
            records: finished.records,
            sessions: facts.sessions,
            requests: facts.requests,
            usage_ids: facts.usage_ids,
            prompt_tokens: facts.prompt,
            completion_tokens: facts.completion,
            tokens: facts.tokens,
            skipped_lines: facts.skipped_lines,
            is_refused: facts.is_refused,
            quirks: facts.quirks.into_iter().map(str::to_owned).collect(),
        }));
    }

    /// Writes a small file that holds no session.
    pub(crate) fn write_small(&mut self, path: String, content: &str, kind: &'static str) -> io::Result<()> {
        let mut page = self.open(&path)?;
        page.buf.extend_from_slice(content.as_bytes());
        page.record(kind);
        if content.ends_with('\n') {
            page.lines_ended(content.lines().count() as u64)?;
        } else {
            page.end_torn();
        }
        self.close(page, path, Facts::default())
    }

    /// Makes an entry that is no regular file which can be read, and notes what a reader finds behind it.
    pub(crate) fn special(&mut self, path: String, special: &Special, facts: Facts) -> io::Result<()> {
        if let Some(home) = self.home {
            let at = home.join(&path);
            if let Some(folder) = at.parent() {
                fs::create_dir_all(folder)?;
            }
            special.make(&at)?;
        }
        self.lines.push(Line::File(FileEntry {
            format: format_of(&path).to_owned(),
            path,
            kind: Some(special.clone()),
            digest: special.digest(),
            sessions: facts.sessions,
            requests: facts.requests,
            prompt_tokens: facts.prompt,
            completion_tokens: facts.completion,
            skipped_lines: facts.skipped_lines,
            is_refused: facts.is_refused,
            quirks: facts.quirks.into_iter().map(str::to_owned).collect(),
            ..FileEntry::default()
        }));
        Ok(())
    }

    /// Notes a session of the answer; one without requests is not delivered.
    pub(crate) fn deliver(&mut self, root: usize, name: &str, source: String, session: &Session) {
        if session.requests.is_empty() {
            return;
        }
        let entry = SessionEntry {
            source,
            id: session.id.clone(),
            workspace: session.workspace.clone(),
            requests: session.requests.len() as u64,
            digest: hex(&session.digest()),
        };
        let place = (root, session.workspace.clone(), false, name.to_owned());
        self.lines.push(Line::Visit(Visit { place, entry: Entry::Session(entry) }));
    }

    /// Notes an edit file of the answer; one without edits gives no record.
    pub(crate) fn deliver_edits(&mut self, root: usize, workspace: &str, directory: &str, edits: &Edits) {
        if edits.is_empty() {
            return;
        }
        let place = (root, workspace.to_owned(), true, directory.to_owned());
        let entry = EditEntry {
            source: format!("{workspace}/chatEditingSessions/{directory}/state.json"),
            digest: hex(&edits_digest(workspace, directory, edits)),
            sessions_before: 0,
        };
        self.lines.push(Line::Visit(Visit { place, entry: Entry::Edits(entry) }));
    }
}

/// The tool that writes files at such a path.
fn format_of(path: &str) -> &'static str {
    const FORMATS: [(&str, &str); 6] = [
        (".copilot/", "copilot-cli"),
        (".claude/", "claude"),
        (".codex/", "codex"),
        (".gemini/", "gemini"),
        (".local/share/opencode/", "opencode"),
        (".local/share/kilo/", "kilo"),
    ];
    FORMATS.iter().find(|format| path.starts_with(format.0)).map_or("vscode", |format| format.1)
}

/// The manifest that a corpus will have, without writing it.
///
/// # Errors
/// [`Error::Scale`] when the scale means nothing.
pub fn foresee(spec: &Spec, threads: usize) -> Result<Manifest, Error> {
    spec.validate()?;
    manifest_of(Plan::new(spec), spec, None, threads)
}

/// The manifest of a plan, whose files are written below `home` where one is given.
pub(crate) fn manifest_of(
    plan: Plan,
    spec: &Spec,
    home: Option<&Path>,
    threads: usize,
) -> Result<Manifest, Error> {
    parse(&text_of(plan, spec, 0, home, threads)?)
}

/// A manifest's text, read.
pub(crate) fn parse(text: &[u8]) -> Result<Manifest, Error> {
    Manifest::parse(text).map_err(|why| Error::Manifest { path: "manifest.json".into(), why })
}

/// The text of the manifest of a plan after so many steps.
pub(crate) fn text_of(
    plan: Plan,
    spec: &Spec,
    step: u64,
    home: Option<&Path>,
    threads: usize,
) -> Result<Vec<u8>, Error> {
    let (workspaces, nowhere) = (plan.workspaces, Path::new("manifest.json"));
    let begun = Journal::begin(Vec::new(), &Header::new(spec, None));
    let journal = begun.map_err(Error::io("foresee", nowhere))?;
    let journal = write(plan, spec, home, journal, threads, &AtomicBool::new(false), &|_| ())?;
    let mut assembly = Assembly::new();
    let mut text = Vec::new();
    let written = journal
        .end()
        .and_then(|journal| assembly.add(Cursor::new(journal), |_| ()))
        .and_then(|()| assembly.write(spec, step, workspaces, Cursor::new(&mut text)));
    written.map_err(Error::io("foresee", nowhere))?;
    Ok(text)
}

/// Writes every file of a plan below `home`, and notes in the journal what is complete.
pub(crate) fn write<W: io::Write + Send>(
    plan: Plan,
    spec: &Spec,
    home: Option<&Path>,
    journal: Journal<W>,
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<Journal<W>, Error> {
    observer(Progress::Planned { files: plan.files, bytes: plan.bytes });
    let pool = Pool::new(spec);
    // Items that are written are let go.
    let items = Mutex::new(plan.items.into_iter());
    let failure = Mutex::new(None);
    let fail = |error: Error| {
        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    };
    let is_over = || failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    let work = || {
        let mut desk = Desk::new(spec, &pool, home, observer);
        while !is_over() {
            let Some(item) = items.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
            if stop.load(Ordering::Relaxed) {
                return fail(Error::Stopped {
                    before: "the corpus was complete; the same command goes on from there",
                });
            }
            let path = item.path();
            let written = item.write(&mut desk).and_then(|()| {
                let noted = journal.note(&path, desk.lines.iter());
                desk.lines.clear();
                noted
            });
            if let Err(error) = written {
                return fail(Error::io("write corpus file", &home.unwrap_or(Path::new("")).join(path))(
                    error,
                ));
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work();
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(journal), Err)
}

impl Item {
    fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        match self {
            Item::File(file) => desk.write_small(file.path.clone(), &file.content, file.kind),
            Item::Chat(chat) => chat.write(desk),
            Item::Cli(session) => session.write(desk),
            Item::Claude(session) => session.write(desk),
            Item::Codex(session) => session.write(desk),
            Item::Gemini(session) => session.write(desk),
            Item::OpenCode(session) => session.write(desk),
            Item::Database(database) => database.write(desk),
            Item::Index(index) => index.write(desk),
            Item::Hostile(hostile) => hostile.write(desk),
            Item::Damaged(damaged) => damaged.write(desk),
        }
    }
}
