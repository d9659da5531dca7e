//! The directory of one sample: a home, a cache, a place for records.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::subject::{CACHE, HOME};

/// The directory of one sample, made fresh; removed with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) root: PathBuf,
}

impl Scratch {
    pub(crate) fn new(root: PathBuf) -> io::Result<Scratch> {
        match remove_tree(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(root.join("records"))?;
        Ok(Scratch { root })
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join(HOME)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join(CACHE)
    }

    /// Removes the records of a sample before.
    pub(crate) fn clear_records(&self) -> io::Result<()> {
        fs::remove_dir_all(self.records())?;
        fs::create_dir(self.records())
    }

    /// Makes a directory the sample's home, as it is.
    pub(crate) fn borrow_home(&self, home: &Path) -> io::Result<()> {
        link(&fs::canonicalize(home)?, &self.home())
    }

    /// Gives the sample a home of its own that looks like another one, in which some workspaces (paths below home) can be
    /// changed: these have copies of their files' names, everything else is a link to the original.
    pub(crate) fn link_home(&self, home: &Path, changing: &[&str]) -> io::Result<()> {
        link_around(&fs::canonicalize(home)?, &self.home(), Path::new(""), changing)
    }

    /// Gives the sample a copy of a cache.
    pub(crate) fn copy_cache(&self, cache: &Path) -> io::Result<()> {
        copy_tree(cache, &self.cache())
    }
}

/// A home directory to be linked together: where each file stands, and which file of another home it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    /// Place below the new home, and below the other one.
    pub(crate) files: Vec<(String, String)>,
    /// Directories below the new home that need not hold files.
    pub(crate) directories: Vec<String>,
}

impl Tree {
    /// Every file of a home in its own place, sorted.
    pub(crate) fn of(home: &Path) -> io::Result<Tree> {
        let mut tree = Tree::default();
        collect(home, "", &mut tree.files)?;
        tree.files.sort_unstable();
        Ok(tree)
    }

    /// Puts it together: links where the file system can, else copies.
    pub(crate) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        for directory in &self.directories {
            fs::create_dir_all(to.join(directory))?;
        }
        for (place, source) in &self.files {
            let (source, target) = (from.join(source), to.join(place));
            fs::create_dir_all(target.parent().unwrap_or(to))?;
            link_or_copy(&source, &target)?;
        }
        Ok(())
    }
}

fn collect(home: &Path, below: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(home.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(home, &path, files)?;
        } else {
            files.push((path.clone(), path));
        }
    }
    Ok(())
}

fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed before the next sample of this name.
        let _ = remove_tree(&self.root);
    }
}

/// Removes a directory with everything in it, also what a program made read-only there.
///
/// # Errors
/// When something in it belongs to another user, or the directory is not there.
pub fn remove_tree(root: &Path) -> io::Result<()> {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            unlock(root)?;
            fs::remove_dir_all(root)
        }
        result => result,
    }
}

/// Lets its owner list and change every directory of a tree; links are not followed.
#[cfg(unix)]
fn unlock(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        }
    }
    Ok(())
}

/// Lets every file of a tree be removed; links are not followed.
#[cfg(not(unix))]
#[expect(clippy::permissions_set_readonly_false, reason = "only Unix has permissions for everyone")]
fn unlock(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        } else {
            let mut permissions = entry.metadata()?.permissions();
            permissions.set_readonly(false);
            fs::set_permissions(entry.path(), permissions)?;
        }
    }
    Ok(())
}

/// Links what holds none of the changing workspaces whole, and goes into what does.
fn link_around(home: &Path, copy: &Path, below: &Path, changing: &[&str]) -> io::Result<()> {
    let (from, to) = (home.join(below), copy.join(below));
    if changing.iter().any(|workspace| Path::new(workspace) == below) {
        return each_file(&from, &to, &link_or_copy);
    }
    if !changing.iter().any(|workspace| Path::new(workspace).starts_with(below)) {
        return link(&from, &to);
    }
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(&from)? {
        link_around(home, copy, &below.join(entry?.file_name()), changing)?;
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(from, to);
    #[cfg(windows)]
    return if from.is_dir() {
        std::os::windows::fs::symlink_dir(from, to)
    } else {
        std::os::windows::fs::symlink_file(from, to)
    };
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    each_file(from, to, &|from, to| {
        // Fragments are only ever replaced whole, so that a link to one is as good as a copy; and there are hundreds of them.
        let is_fragment = from.extension().is_some_and(|extension| extension == "fragment");
        match is_fragment.then(|| fs::hard_link(from, to)) {
            Some(Ok(())) => Ok(()),
            _ => fs::copy(from, to).map(drop),
        }
    })
}

fn each_file(from: &Path, to: &Path, place: &dyn Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), &target, place)?;
        } else {
            place(&entry.path(), &target)?;
        }
    }
    Ok(())
}
