//! A corpus that changes on disk, a step at a time, and what is true of it after each.
//!
//! A step is one way in which tools change their files while somebody watches: lines are appended, a line is there in part, a
//! log is written anew, a file is moved. What the files hold after each step is planned like any corpus, so the manifest is
//! that of the same oracle; a step only brings the disk from one to the next, as the tool itself would.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use crate::Error;
use crate::corpus::{self, MANIFEST};
use crate::manifest::{GENERATOR, Manifest};
use crate::ours::{lock, put_file};
use crate::plan::{Draft, Plan};
use crate::profile::{Profile, Spec};
use crate::write::{manifest_of, parse, text_of};

/// By how much a time of modification is set back.
const TIME_BACK: Duration = Duration::from_secs(86_400);

/// A way in which session files change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Whole lines are appended to four files.
    Append,
    /// A line is appended to each of them in part.
    Torn,
    /// These lines are completed.
    Completed,
    /// An append log is written anew as one line.
    Compacted,
    /// A line is appended behind that one.
    AppendAgain,
    /// A document becomes an append log: another file.
    ToLog,
    /// A session file is moved to another workspace.
    Moved,
    /// A session is copied: the same id in two workspaces.
    Copied,
    /// A session file is deleted.
    Deleted,
    /// A workspace gets one more session.
    NewSession,
    /// There is one more workspace, with a session.
    NewWorkspace,
    /// A file's time of modification changes, and nothing else.
    Touched,
    /// A file is cut to its beginning.
    Truncated,
    /// A session gets its first subagent.
    Subagent,
    /// A line is appended, and the time of modification set to that of a day before.
    TimeBack,
    /// A longer file takes a file's place by a rename.
    Replaced,
    /// A file is written anew with another text of the same length.
    SameSize,
    /// A rollout is compressed: another file takes the plain one's place.
    Pressed,
    /// A document is written anew with one more turn.
    Rewritten,
    /// A message gets one more part, which is a file of its own.
    NewPart,
    /// A database gets the rows of one more session.
    NewRows,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Step; 21] = [
        Step::Append,
        Step::Torn,
        Step::Completed,
        Step::Compacted,
        Step::AppendAgain,
        Step::ToLog,
        Step::Moved,
        Step::Copied,
        Step::Deleted,
        Step::NewSession,
        Step::NewWorkspace,
        Step::Touched,
        Step::Truncated,
        Step::Subagent,
        Step::TimeBack,
        Step::Replaced,
        Step::SameSize,
        Step::Pressed,
        Step::Rewritten,
        Step::NewPart,
        Step::NewRows,
    ];

    /// What has changed, in a few words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Step::Append => "whole lines appended",
            Step::Torn => "lines appended in part",
            Step::Completed => "lines completed",
            Step::Compacted => "a log written anew as one line",
            Step::AppendAgain => "a line appended behind it",
            Step::ToLog => "a document become a log",
            Step::Moved => "a session moved to another workspace",
            Step::Copied => "a session copied to another workspace",
            Step::Deleted => "a session deleted",
            Step::NewSession => "one more session",
            Step::NewWorkspace => "one more workspace",
            Step::Touched => "times of modification changed, nothing else",
            Step::Truncated => "a file cut to its beginning",
            Step::Subagent => "a session's first subagent",
            Step::TimeBack => "a line appended, the time of modification a day earlier",
            Step::Replaced => "a longer file renamed over another",
            Step::SameSize => "a file written anew with as many bytes",
            Step::Pressed => "a rollout compressed",
            Step::Rewritten => "a document written anew with one more turn",
            Step::NewPart => "a message's next part, a file of its own",
            Step::NewRows => "rows of one more session in a database",
        }
    }
}

/// The steps of a corpus.
#[derive(Clone, Debug)]
pub struct Growth {
    spec: Spec,
}

impl Growth {
    /// The steps of this seed's corpus, whatever the profile and scale of the spec.
    #[must_use]
    pub fn new(spec: &Spec) -> Growth {
        Growth { spec: Spec { profile: Profile::Growth, ..spec.clone() } }
    }

    /// What is true after so many steps; 0 is the corpus as it is generated.
    ///
    /// # Errors
    /// [`Error::Scale`] when the scale means nothing.
    pub fn manifest(&self, step: usize) -> Result<Manifest, Error> {
        parse(&self.text(step)?)
    }

    /// The manifest after so many steps, as text.
    fn text(&self, step: usize) -> Result<Vec<u8>, Error> {
        self.spec.validate()?;
        let mut draft = Draft::new(&self.spec);
        draft.growing(step);
        text_of(draft.planned(), &self.spec, step as u64, None, 1)
    }

    /// Takes a step, the first being 1, in a home where all before it have been taken. One that was broken off can be taken again.
    ///
    /// # Errors
    /// [`Error::Growth`] when there is no such step, [`Error::Io`] when the home cannot be changed.
    pub fn apply(&self, step: usize, home: &Path) -> Result<(), Error> {
        let Some(kind) = step.checked_sub(1).and_then(|at| Step::ALL.get(at)) else {
            return Err(Error::Growth {
                root: home.to_path_buf(),
                step: step as u64,
                why: format!("there are the steps 1 to {}", Step::ALL.len()),
            });
        };
        let scratch = home.with_file_name(".growth");
        remove(&scratch).map_err(Error::io("remove", &scratch))?;
        let changed = self.bring(*kind, step, home, &scratch);
        remove(&scratch).map_err(Error::io("remove", &scratch))?;
        changed
    }

    /// What changes, as it is after so many steps.
    fn changing(&self, step: usize) -> Plan {
        let mut draft = Draft::new(&self.spec);
        let fixed = draft.growing(step);
        draft.items.drain(..fixed);
        draft.planned()
    }

    fn bring(&self, kind: Step, step: usize, home: &Path, scratch: &Path) -> Result<(), Error> {
        fs::create_dir_all(scratch).map_err(Error::io("create", scratch))?;
        let before = manifest_of(self.changing(step - 1), &self.spec, None, 1)?;
        let after = manifest_of(self.changing(step), &self.spec, Some(scratch), 1)?;
        let has = |manifest: &Manifest, path: &str| manifest.files.iter().any(|file| file.path == path);
        let mut gone =
            before.files.iter().filter(|file| !has(&after, &file.path)).map(|file| home.join(&file.path));
        for file in &after.files {
            let (new, to) = (scratch.join(&file.path), home.join(&file.path));
            let moved = if kind == Step::Moved && !to.exists() { gone.next() } else { None };
            let done = match moved {
                Some(from) => fs::rename(from, &to),
                None => update(kind, &new, &to),
            };
            done.map_err(Error::io("change", &to))?;
        }
        for path in gone {
            fs::remove_file(&path).or_else(unless_gone).map_err(Error::io("remove", &path))?;
        }
        Ok(())
    }
}

/// Gives a file what it has after a step, as the tool would: nothing where it has that, its end where it grew.
fn update(kind: Step, new: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let wanted = fs::read(new)?;
    if fs::symlink_metadata(to).is_ok_and(|meta| !meta.is_file()) {
        return Err(io::Error::other("it is no longer a regular file; generate the corpus again"));
    }
    let present = match fs::read(to) {
        Ok(present) => present,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::rename(new, to),
        Err(error) => return Err(error),
    };
    if present == wanted {
        return if kind == Step::Touched { touch(to, SystemTime::now()) } else { Ok(()) };
    }
    let modified = fs::metadata(to)?.modified()?;
    keep_to_itself(to)?;
    match kind {
        Step::Replaced => fs::rename(new, to)?,
        Step::Truncated => OpenOptions::new().write(true).open(to)?.set_len(wanted.len() as u64)?,
        _ => match wanted.strip_prefix(present.as_slice()) {
            Some(end) => OpenOptions::new().append(true).open(to)?.write_all(end)?,
            None => fs::write(to, &wanted)?,
        },
    }
    if kind == Step::TimeBack { touch(to, modified - TIME_BACK) } else { Ok(()) }
}

/// Gives a file that a merge has linked to a shard's a content of its own, so that the shard stays as it is.
#[cfg(unix)]
fn keep_to_itself(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata(path)?.nlink() < 2 {
        return Ok(());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::copy(path, &beside)?;
    fs::rename(beside, path)
}

/// The standard library does not tell links elsewhere: a merged corpus that grows there changes the shards it was merged of.
#[cfg(not(unix))]
fn keep_to_itself(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn touch(path: &Path, time: SystemTime) -> io::Result<()> {
    File::options().append(true).open(path)?.set_times(FileTimes::new().set_modified(time))
}

fn remove(directory: &Path) -> io::Result<()> {
    fs::remove_dir_all(directory).or_else(unless_gone)
}

fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Takes the next step of a corpus on disk, or all up to a given one, and writes its manifest anew after each.
///
/// # Errors
/// [`Error::Growth`] when it is no corpus that grows or there is no such step to take, [`Error::Manifest`] and [`Error::Io`].
pub fn grow(root: &Path, to: Option<u64>) -> Result<Manifest, Error> {
    let path = root.join(MANIFEST);
    let name = root.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
    let _lock = lock(&root.with_file_name(format!(".{name}.lock")), &AtomicBool::new(false))?;
    let mut manifest = Manifest::read(&path)?;
    let last = to.unwrap_or(manifest.step + 1);
    let refused = |why: String| Error::Growth { root: root.to_path_buf(), step: last, why };
    if manifest.profile != Profile::Growth.name() {
        return Err(refused(format!("its profile is {}, only that of growth can", manifest.profile)));
    }
    if manifest.generator != GENERATOR {
        return Err(refused("another version of highwater wrote it; generate it again".to_owned()));
    }
    if last <= manifest.step || last > Step::ALL.len() as u64 {
        return Err(refused(format!(
            "it has taken {} of {} steps; generate it again to begin anew",
            manifest.step,
            Step::ALL.len()
        )));
    }
    let spec = Spec { profile: Profile::Growth, scale: manifest.scale, seed: manifest.seed };
    let growth = Growth::new(&spec);
    while manifest.step < last {
        let step = manifest.step as usize + 1;
        growth.apply(step, &corpus::home(root))?;
        let text = growth.text(step)?;
        manifest = parse(&text)?;
        let beside = root.join(format!("{MANIFEST}.new"));
        put_file(&beside, &text)?;
        fs::rename(&beside, &path).map_err(Error::io("replace", &path))?;
    }
    Ok(manifest)
}
