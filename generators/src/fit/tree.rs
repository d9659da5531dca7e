//! OpenCode's tree of files: a session is a file of its own, and so is each of its messages and parts.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::fit::Reader;
use crate::fit::documents::Piece;
use crate::fit::folder::ends;
use crate::fit::tally::{Lines, Session, Tally};

/// What is counted of a session while its files are read.
#[derive(Default)]
struct Open {
    session: Session,
    lines: Lines,
    /// Tool calls of the open request, if one is.
    calls: Option<u64>,
}

impl Open {
    fn end_request(&mut self) {
        self.calls.take().into_iter().for_each(|calls| self.lines.request(calls));
    }
}

impl Reader<'_> {
    /// Sessions of a project: a session's bytes are those of its messages and parts too. One of which anything was not read is not counted.
    pub(super) fn tree(&mut self, project: &Path, tally: &mut Tally) -> Result<(), Error> {
        // storage/session/<project>
        let Some(storage) = project.ancestors().nth(2).map(Path::to_path_buf) else { return Ok(()) };
        for path in self.list(project).files.into_iter().filter(|path| ends(path, ".json")) {
            let before = self.skipped.len();
            let open = self.tree_session(&path, &storage)?;
            if self.skipped.len() == before {
                tally.lines.join(open.lines);
                tally.session(open.session, "tree");
            } else {
                self.skip(&path, "a session that was not read to its end");
            }
        }
        Ok(())
    }

    fn tree_session(&mut self, path: &Path, storage: &Path) -> Result<Open, Error> {
        let mut open = Open::default();
        let piece = &mut Piece::new(&mut open.lines);
        let Some(bytes) = self.scan(path, false, piece)? else { return Ok(open) };
        open.session.bytes = bytes;
        for message in self.list(&of(path, storage, "message")).files {
            self.message(&message, storage, &mut open)?;
        }
        open.end_request();
        Ok(open)
    }

    /// A message and its parts.
    fn message(&mut self, path: &Path, storage: &Path, open: &mut Open) -> Result<(), Error> {
        let mut message = Piece::new(&mut open.lines);
        let bytes = self.scan(path, false, &mut message)?;
        let is_user = message.is_user;
        open.session.bytes += bytes.unwrap_or(0);
        if is_user {
            open.session.requests += 1;
            open.end_request();
            open.calls = Some(0);
        }
        for part in self.list(&of(path, storage, "part")).files {
            let mut piece = Piece::new(&mut open.lines);
            let bytes = self.scan(&part, false, &mut piece)?;
            let is_call = piece.is_call;
            open.session.bytes += bytes.unwrap_or(0);
            open.calls = open.calls.map(|calls| calls + u64::from(is_call));
        }
        Ok(())
    }
}

/// Where the messages of a session or the parts of a message are: in a directory of its id.
fn of(file: &Path, storage: &Path, what: &str) -> PathBuf {
    storage.join(what).join(file.file_stem().unwrap_or_default())
}
