//! Entries of a corpus that are no regular file which anyone may read.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use rapidhash::v3::rapidhash_v3;
use serde::{Deserialize, Serialize};

/// What an entry is that has a file's name and is no regular file with a content that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// A directory without entries.
    Directory,
    /// A symbolic link, with what it points at, as it is written there.
    Symlink(String),
    /// A named pipe to which nobody writes: who opens it waits.
    Pipe,
    /// An empty file that its owner may not read; whoever may read everything finds it empty.
    Unreadable,
}

impl Special {
    /// Makes the entry, where nothing may be.
    pub(crate) fn make(&self, path: &Path) -> io::Result<()> {
        match self {
            Special::Directory => fs::create_dir(path),
            Special::Symlink(target) => link(target, path),
            Special::Pipe => pipe(path),
            Special::Unreadable => {
                fs::File::create_new(path)?;
                forbid(path)
            }
        }
    }

    /// What is wrong with the entry at a path, if anything is. No link is followed, and nothing opened.
    pub(crate) fn damage(&self, path: &Path) -> Option<String> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("missing".to_owned()),
            Err(error) => return Some(error.to_string()),
        };
        let is_same = match self {
            Special::Directory => metadata.is_dir(),
            Special::Symlink(target) => {
                fs::read_link(path).is_ok_and(|found| found == Path::new(target.as_str()))
            }
            Special::Pipe => is_pipe(&metadata),
            Special::Unreadable => metadata.is_file() && metadata.len() == 0 && is_forbidden(&metadata),
        };
        (!is_same).then(|| "changed".to_owned())
    }

    /// What stands for the entry's content in the manifest: a hash of what it is.
    pub(crate) fn digest(&self) -> String {
        format!("{:016x}", rapidhash_v3(format!("{self:?}").as_bytes()))
    }
}

/// The first path that lies below an entry which is no directory of files: whoever wrote it would write where a link leads.
pub(crate) fn led_astray<'a>(entries: impl Iterator<Item = (&'a str, bool)> + Clone) -> Option<&'a str> {
    let specials: HashSet<&str> =
        entries.clone().filter(|(_, is_special)| *is_special).map(|(path, _)| path).collect();
    let is_below = |path: &str| path.match_indices('/').any(|(at, _)| specials.contains(&path[..at]));
    entries.map(|(path, _)| path).find(|path| !specials.is_empty() && is_below(path))
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// The program that POSIX has for it: the standard library has no call, and those of others lack a platform or are unsafe.
#[cfg(unix)]
fn pipe(path: &Path) -> io::Result<()> {
    let status = std::process::Command::new("mkfifo").arg("-m").arg("600").arg("--").arg(path).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("mkfifo ended with {status}"))) }
}

#[cfg(unix)]
fn forbid(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o0))
}

#[cfg(unix)]
fn is_forbidden(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o777 == 0
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

/// Other systems have no such entries, and no plan asks for them there.
#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn pipe(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn forbid(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn is_forbidden(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_from_another_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let all =
            [Special::Directory, Special::Symlink("-x y".to_owned()), Special::Pipe, Special::Unreadable];
        for (number, special) in all.iter().enumerate() {
            let path = dir.path().join(format!("-{number}"));
            assert_eq!(special.damage(&path).as_deref(), Some("missing"));
            special.make(&path).unwrap();
            assert_eq!(special.damage(&path), None);
            for other in all.iter().filter(|other| *other != special) {
                assert_eq!(other.damage(&path).as_deref(), Some("changed"), "{other:?} where {special:?} is");
            }
        }
    }
}
