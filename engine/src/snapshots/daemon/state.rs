//! Which commands were run, kept on disk: one small file a session, replaced whole.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Notice, Observe};
use crate::checksum::{Checksum, hex};
use crate::snapshots::snapshot::Key;

/// What is kept of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The session, since the file's name is only a checksum of it.
    provider: String,
    session: String,
    /// Events that were looked at.
    pub(super) scanned: u64,
    /// Marks of the commands that were run, sorted.
    pub(super) executed: Vec<u64>,
}

/// The directory of these files.
#[derive(Debug)]
pub(super) struct States {
    directory: PathBuf,
}

impl States {
    pub(super) fn in_directory(directory: PathBuf) -> States {
        States { directory }
    }

    /// No id of a session becomes a path.
    fn path(&self, key: &Key) -> PathBuf {
        let mut checksum = Checksum::new();
        checksum.add(key.provider.name().as_bytes());
        checksum.add(b"/");
        checksum.add(key.id.as_bytes());
        self.directory.join(hex(checksum.value()) + ".json")
    }

    /// What was saved of a session. A file that cannot be used is skipped and named: its commands may run once more.
    pub(super) fn load(&self, key: &Key, observe: Observe<'_>) -> Option<Saved> {
        let path = self.path(key);
        let saved = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice::<Saved>(&bytes)?));
        match saved {
            Ok(saved) if saved.provider == key.provider.name() && saved.session == *key.id => {
                return Some(saved);
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => observe(Notice::Skipped { path: &path, lines: 0, why: &error.to_string() }),
        }
        None
    }

    /// Replaces what is saved of a session.
    pub(super) fn save(&mut self, key: &Key, scanned: u64, executed: &[u64], observe: Observe<'_>) {
        let path = self.path(key);
        let saved = Saved {
            provider: key.provider.name().to_owned(),
            session: key.id.to_string(),
            scanned,
            executed: executed.to_vec(),
        };
        let part = path.with_extension("part");
        let written = serde_json::to_vec(&saved).map_err(io::Error::from).and_then(|bytes| {
            fs::create_dir_all(&self.directory)?;
            fs::write(&part, bytes)?;
            fs::rename(&part, &path)
        });
        if let Err(error) = written {
            observe(Notice::Skipped { path: &path, lines: 0, why: &error.to_string() });
        }
    }
}
