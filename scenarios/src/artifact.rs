//! Artifacts from a git ref: a checkout of its own for a commit, built there by a command and kept for the next time.
//!
//! The checkout is a worktree of the caller's repository, in a folder that the caller names, so that neither the files nor the
//! branches that a person works with are touched. Nothing is fetched: a commit that is not in the repository is an error.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::scratch::remove_tree;

mod build;

pub use build::Recipe;

/// How often a lock that another process holds is tried.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// What git tells its hooks of a repository; a program that one of them started must not take it for another's.
const GIT_VARIABLES: &[&str] = &["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no git.
    #[error("failed to start git, which a base from a git ref needs: {0}")]
    NoGit(io::Error),
    /// A directory is in no checkout.
    #[error("{} is not in a git repository, where --base-ref looks for its ref: {why}", directory.display())]
    NoRepository {
        /// The directory.
        directory: PathBuf,
        /// What git says.
        why: String,
    },
    /// A ref that git would take for an option.
    #[error("--base-ref {0}: a ref does not begin with `-`")]
    NotARef(String),
    /// A ref that leads to no commit of the repository.
    #[error(
        "--base-ref {reference}: the repository {} has no such commit; where only a part of it was cloned, \
         `git fetch origin {reference}` brings it",
        repository.display()
    )]
    NoCommit {
        /// The ref as given.
        reference: String,
        /// The repository's checkout.
        repository: PathBuf,
    },
    /// Git could not make the checkout.
    #[error("failed to check {commit} out to {}: {why}", path.display())]
    Checkout {
        /// The commit.
        commit: String,
        /// Where to.
        path: PathBuf,
        /// What git says.
        why: String,
    },
    /// A commit does not have the directory in which it should be built.
    #[error("{commit} has no directory {}, where its build command would run", below.display())]
    NoDirectory {
        /// The commit.
        commit: String,
        /// The directory, below the repository.
        below: PathBuf,
    },
    /// Cargo has nothing to build.
    #[error("there is no Cargo.toml in {} to build with cargo: --build names another command", directory.display())]
    NoCargo {
        /// Where it was looked for, and above.
        directory: PathBuf,
    },
    /// A build command could not be started.
    #[error("failed to start the build command `{line}` in {}: {source}", directory.display())]
    NotStarted {
        /// The command.
        line: String,
        /// Where it should run.
        directory: PathBuf,
        /// Why it did not.
        source: io::Error,
    },
    /// A build command failed.
    #[error("the build of {what} failed, `{line}` ended with {end}; its output is in {}, and ends with:\n{last}", log.display())]
    Build {
        /// What was built.
        what: String,
        /// The command.
        line: String,
        /// How it ended.
        end: String,
        /// The last lines of its output.
        last: String,
        /// The whole output.
        log: PathBuf,
    },
    /// A program lies elsewhere.
    #[error(
        "{} is not in the repository {}: name the built program by its path in it, such as ./target/release/parse, or put \
         {{artifact}} into the command where each side's checkout is meant, as in `node {{artifact}}/app.js`",
        program.display(), repository.display()
    )]
    Outside {
        /// The program as given.
        program: PathBuf,
        /// The repository's checkout.
        repository: PathBuf,
    },
    /// The caller asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// A file operation failed.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried (`make`).
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    }
}

/// A person's checkout, and where in it they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
    /// The person's directory, below the root.
    below: PathBuf,
}

/// A build of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its checkout, in which the build left what it made.
    pub root: PathBuf,
    /// Whether it was there already, built by the same command.
    pub is_reused: bool,
}

impl Repository {
    /// The repository that a directory is in.
    ///
    /// # Errors
    /// [`Error::NoGit`] and [`Error::NoRepository`].
    pub fn around(directory: &Path) -> Result<Repository, Error> {
        let ask = |what: &str| {
            git(directory, &["rev-parse", what])?
                .map_err(|why| Error::NoRepository { directory: directory.to_owned(), why })
        };
        Ok(Repository { root: ask("--show-toplevel")?.into(), below: ask("--show-prefix")?.into() })
    }

    /// The root of the checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that a ref leads to, in full.
    ///
    /// # Errors
    /// [`Error::NotARef`] and [`Error::NoCommit`].
    pub fn commit(&self, reference: &str) -> Result<String, Error> {
        if reference.starts_with('-') {
            return Err(Error::NotARef(reference.to_owned()));
        }
        let found =
            git(&self.root, &["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")])?;
        found.map_err(|_| Error::NoCommit { reference: reference.to_owned(), repository: self.root.clone() })
    }

    /// Whether files of the checkout differ from its commit; none where git cannot tell.
    pub fn is_dirty(&self) -> Option<bool> {
        let changes = git(&self.root, &["status", "--porcelain", "--untracked-files=no"]).ok()?.ok()?;
        Some(!changes.is_empty())
    }

    /// The build of a commit in a folder: the one that is there when the same command made it, else a new one. Other processes that
    /// want the same build wait for it. A build that fails leaves nothing but its output.
    ///
    /// # Errors
    /// When the commit cannot be checked out or built, and [`Error::Stopped`].
    pub fn artifact(
        &self,
        commit: &str,
        recipe: &Recipe,
        folder: &Path,
        stop: &AtomicBool,
    ) -> Result<Artifact, Error> {
        fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
        let folder = fs::canonicalize(folder).map_err(Error::file("find", folder))?;
        let place = |ending: &str| folder.join(format!("{commit}{ending}"));
        let (root, mark) = (place(""), place(".built"));
        let _lock = lock(&place(".lock"), stop)?;
        let made_by = recipe.mark(&self.below);
        if root.is_dir() && fs::read_to_string(&mark).is_ok_and(|text| text == made_by) {
            return Ok(Artifact { root, is_reused: true });
        }
        let _ = fs::remove_file(&mark);
        let built = self
            .check_out(commit, &root)
            .and_then(|()| self.build_commit(commit, recipe, &root, &place(".log"), stop))
            .and_then(|()| fs::write(&mark, made_by).map_err(Error::file("write", &mark)));
        match built {
            Ok(()) => Ok(Artifact { root, is_reused: false }),
            Err(error) => {
                self.remove(&root);
                Err(error)
            }
        }
    }

    /// Builds the checkout itself, as it stands.
    ///
    /// # Errors
    /// When the build cannot be started or fails, and [`Error::Stopped`].
    pub fn build(&self, recipe: &Recipe, log: &Path, stop: &AtomicBool) -> Result<(), Error> {
        let site = build::Site { root: &self.root, below: &self.below };
        build::run("the checkout", recipe, site, log, stop)
    }

    fn build_commit(
        &self,
        commit: &str,
        recipe: &Recipe,
        root: &Path,
        log: &Path,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        if !root.join(&self.below).is_dir() {
            return Err(Error::NoDirectory { commit: commit.to_owned(), below: self.below.clone() });
        }
        build::run(commit, recipe, build::Site { root, below: &self.below }, log, stop)
    }

    /// A program's path below the root. It need not be there yet, so the path is read as text, and a link in it is followed on
    /// each side by itself.
    ///
    /// # Errors
    /// [`Error::Outside`].
    pub fn below_root(&self, program: &Path) -> Result<PathBuf, Error> {
        let outside = || Error::Outside { program: program.to_owned(), repository: self.root.clone() };
        // A name without a slash is one that PATH leads to.
        if program.components().count() < 2 {
            return Err(outside());
        }
        let path = straight(&self.root.join(&self.below).join(program));
        path.strip_prefix(&self.root).map(Path::to_owned).map_err(|_| outside())
    }

    fn check_out(&self, commit: &str, root: &Path) -> Result<(), Error> {
        // What an interrupted build has left.
        self.remove(root);
        let failed = |why| Error::Checkout { commit: commit.to_owned(), path: root.to_owned(), why };
        let path = root.to_str().ok_or_else(|| failed("the path is no UTF-8".to_owned()))?;
        // A hook of the person's would run in a checkout that it does not expect.
        let add = ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--force", "--detach", path, commit];
        git(&self.root, &add)?.map(drop).map_err(failed)
    }

    /// Removes a worktree with everything in it, and what git knows of it, but of no other. That none was there is no failure;
    /// what cannot be removed is in the way of the next checkout, which says so.
    fn remove(&self, root: &Path) {
        if let Some(path) = root.to_str() {
            let _ = git(&self.root, &["worktree", "remove", "--force", "--force", path]);
        }
        let _ = remove_tree(root);
    }
}

/// A path without `.` and `..`.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                straight.pop();
            }
            other => straight.push(other),
        }
    }
    straight
}

/// What git says, or in its own words why it does not.
fn git(directory: &Path, arguments: &[&str]) -> Result<Result<String, String>, Error> {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments).stdin(Stdio::null());
    for name in GIT_VARIABLES {
        command.env_remove(name);
    }
    let output = command.output().map_err(Error::NoGit)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        return Ok(Ok(text(&output.stdout)));
    }
    let said = text(&output.stderr);
    Ok(Err(said.lines().next_back().unwrap_or("git does not say why").to_owned()))
}

/// Waits for the lock, which the operating system frees when its holder dies.
fn lock(path: &Path, stop: &AtomicBool) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("make", path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if stop.load(Ordering::Relaxed) => return Err(Error::Stopped),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
