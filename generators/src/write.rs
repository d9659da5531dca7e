//! Writes a plan: items in any order by any number of threads, put in order at the end.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::Error;
use crate::answer::{Digest, Edits, Session, answer_digest, edits_digest};
use crate::manifest::{Answer, EditEntry, FileEntry, Manifest, SessionEntry, Tokens};
use crate::page::{Page, hex};
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

/// Where something is visited: root, workspace, sessions before edits, name.
type Place = (usize, String, bool, String);

struct Visit {
    place: Place,
    digest: Digest,
    entry: Entry,
}

enum Entry {
    Session(SessionEntry),
    Edits(EditEntry),
}

/// One thread's desk: what it writes with and what it has written.
pub(crate) struct Desk<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) pool: &'a Pool,
    home: Option<&'a Path>,
    observer: &'a Observer<'a>,
    buffer: Vec<u8>,
    last_folder: PathBuf,
    files: Vec<FileEntry>,
    visits: Vec<Visit>,
}

impl<'a> Desk<'a> {
    fn new(spec: &'a Spec, pool: &'a Pool, home: Option<&'a Path>, observer: &'a Observer<'a>) -> Self {
        let (buffer, last_folder) = (Vec::new(), PathBuf::new());
        Desk { spec, pool, home, observer, buffer, last_folder, files: Vec::new(), visits: Vec::new() }
    }

    /// Opens a file below the home directory.
    pub(crate) fn open(&mut self, path: &str) -> io::Result<Page> {
        let buffer = std::mem::take(&mut self.buffer);
        let Some(home) = self.home else {
            return Page::open(None, buffer);
        };
        let path = home.join(path);
        if let Some(folder) = path.parent()
            && folder != self.last_folder
        {
            fs::create_dir_all(folder)?;
            self.last_folder = folder.to_path_buf();
        }
        Page::open(Some(&path), buffer)
    }

    /// Finishes a file and notes what it held.
    pub(crate) fn close(&mut self, page: Page, path: String, facts: Facts) -> io::Result<()> {
        let (finished, buffer) = page.finish()?;
        self.buffer = buffer;
        (self.observer)(Progress::Wrote { bytes: finished.bytes });
        self.files.push(FileEntry {
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
        });
        Ok(())
    }

    /// Writes a small file that holds no session.
    pub(crate) fn write_small(&mut self, path: String, content: &str, kind: &'static str) -> io::Result<()> {
        let mut page = self.open(&path)?;
        page.buf.extend_from_slice(content.as_bytes());
        page.record(kind);
        page.end_torn();
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
        self.files.push(FileEntry {
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
        });
        Ok(())
    }

    /// Notes a session of the answer; one without requests is not delivered.
    pub(crate) fn deliver(&mut self, root: usize, name: &str, source: String, session: &Session) {
        if session.requests.is_empty() {
            return;
        }
        let digest = session.digest();
        let entry = SessionEntry {
            source,
            id: session.id.clone(),
            workspace: session.workspace.clone(),
            requests: session.requests.len() as u64,
            digest: hex(&digest),
        };
        let place = (root, session.workspace.clone(), false, name.to_owned());
        self.visits.push(Visit { place, digest, entry: Entry::Session(entry) });
    }

    /// Notes an edit file of the answer; one without edits gives no record.
    pub(crate) fn deliver_edits(&mut self, root: usize, workspace: &str, directory: &str, edits: &Edits) {
        if edits.is_empty() {
            return;
        }
        let digest = edits_digest(workspace, directory, edits);
        let place = (root, workspace.to_owned(), true, directory.to_owned());
        let entry = EditEntry {
            source: format!("{workspace}/chatEditingSessions/{directory}/state.json"),
            digest: hex(&digest),
            sessions_before: 0,
        };
        self.visits.push(Visit { place, digest, entry: Entry::Edits(entry) });
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
    write(&Plan::new(spec), spec, None, threads, &AtomicBool::new(false), &|_| ())
}

/// Writes every file of a plan below `home`.
pub(crate) fn write(
    plan: &Plan,
    spec: &Spec,
    home: Option<&Path>,
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<Manifest, Error> {
    observer(Progress::Planned { files: plan.files, bytes: plan.bytes });
    let pool = Pool::new(spec);
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = || {
        let mut desk = Desk::new(spec, &pool, home, observer);
        while let Some(item) = plan.items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                fail(&failure, Error::Stopped, &next, plan);
            } else if let Err(error) = item.write(&mut desk) {
                let path = home.unwrap_or(Path::new("")).join(item.path());
                fail(&failure, Error::io("write corpus file", &path)(error), &next, plan);
            }
        }
        (desk.files, desk.visits)
    };
    let mut files = Vec::new();
    let mut visits = Vec::new();
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut take = |(some_files, some_visits): (Vec<FileEntry>, Vec<Visit>)| {
            files.extend(some_files);
            visits.extend(some_visits);
        };
        take(work());
        for other in others {
            match other.join() {
                Ok(done) => take(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or(None) {
        return Err(error);
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let answer = answer(visits, &files, plan);
    Ok(Manifest::new(spec, files, answer))
}

/// Keeps the first failure and lets every thread finish its item and no more.
fn fail(failure: &Mutex<Option<Error>>, error: Error, next: &AtomicUsize, plan: &Plan) {
    next.store(plan.items.len(), Ordering::Relaxed);
    if let Ok(mut failure) = failure.lock() {
        failure.get_or_insert(error);
    }
}

fn answer(mut visits: Vec<Visit>, files: &[FileEntry], plan: &Plan) -> Answer {
    visits.sort_unstable_by(|a, b| a.place.cmp(&b.place));
    let digest = hex(&answer_digest(visits.iter().map(|visit| &visit.digest)));
    let (mut sessions_index, mut edits_index) = (Vec::new(), Vec::new());
    for visit in visits {
        match visit.entry {
            Entry::Session(entry) => sessions_index.push(entry),
            Entry::Edits(entry) => {
                edits_index.push(EditEntry { sessions_before: sessions_index.len() as u64, ..entry });
            }
        }
    }
    Answer {
        digest,
        sessions: sessions_index.len() as u64,
        requests: sessions_index.iter().map(|session| session.requests).sum(),
        edit_files: edits_index.len() as u64,
        workspaces: plan.workspaces,
        largest_session_requests: sessions_index.iter().map(|session| session.requests).max().unwrap_or(0),
        skipped_lines: files.iter().map(|file| file.skipped_lines).sum(),
        sessions_index,
        edits_index,
    }
}

impl Item {
    fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        match self {
            Item::File(file) => desk.write_small(file.path.clone(), &file.content, file.kind),
            Item::Chat(chat) => chat.write(desk),
            Item::Cli(session) => session.write(desk),
            Item::Claude(session) => session.write(desk),
            Item::Hostile(hostile) => hostile.write(desk),
        }
    }
}
