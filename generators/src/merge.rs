//! Shards of a corpus, made into the corpus.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::assemble::{Assembly, IndexedFile};
use crate::corpus::{Listed, Summary, check, check_space, home, reusable};
use crate::journal::{self, Header};
use crate::making::{Job, SHARD_JOURNAL};
use crate::manifest::Manifest;
use crate::ours::{create, remove};
use crate::plan::Plan;
use crate::profile::Spec;
use crate::shard::Shard;
use crate::special::led_astray;
use crate::write::Progress;

/// What is wrong with a journal whose seal does not fit.
const CHANGED: &str = "was changed or cut off after it was written";

/// A shard on disk.
struct Part {
    root: PathBuf,
    spec: Spec,
    shard: Shard,
}

/// Joins all shards of a corpus into the corpus, in `dir` or beside the first of them. Its files are links to those of the shards
/// where the file system has such, and copies elsewhere. The shards stay as they are.
///
/// # Errors
/// [`Error::Merge`] names the shard that is missing, doubled, incomplete, of another corpus or from another generator;
/// [`Error::Journal`] the journal that was changed, [`Error::Damaged`] the files of a shard that were changed; and the errors of [`crate::ensure`].
pub fn merge(
    shards: &[PathBuf],
    dir: Option<&Path>,
    threads: usize,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Summary, Error> {
    let mut parts = shards.iter().map(|root| part(root)).collect::<Result<Vec<Part>, Error>>()?;
    parts.sort_by_key(|part| part.shard);
    let Some(first) = shards.first() else {
        return Err(Error::NoShards);
    };
    refuse_misfits(&parts)?;
    let spec = parts[0].spec.clone();
    let beside = first.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let job = Job { dir: dir.unwrap_or(beside), spec: &spec, shard: None, threads, stop, observer: progress };
    let _lock = job.claim()?;
    if job.root().exists() {
        match reusable(&job) {
            Ok(manifest) => return Ok(Summary::of_manifest(job.root(), &manifest)),
            Err(stopped @ Error::Stopped { .. }) => return Err(stopped),
            Err(error) => progress(Progress::Rebuilding { why: &error.to_string() }),
        }
    }
    let plan = Plan::new(&spec);
    let assembly = index(&parts, &plan, &job)?;
    let joined = job.joined();
    let written = write(&parts, &assembly, &joined, &job);
    match written.and_then(|()| job.finish(&joined, assembly, plan.workspaces)) {
        Ok(totals) => Ok(Summary::new(job.root(), &spec, None, totals)),
        Err(error) => {
            remove(&joined)?;
            Err(error)
        }
    }
}

fn part(root: &Path) -> Result<Part, Error> {
    let wrong = |why: String| Error::Merge { path: root.to_path_buf(), why };
    let Some(header) = header(root)? else {
        return Err(wrong(format!(
            "it has no {SHARD_JOURNAL}, so it is no complete shard; `highwater corpus generate --shard` writes one"
        )));
    };
    let spec = header.spec().ok_or_else(|| {
        wrong("another version of highwater wrote it; write all shards with the same one".to_owned())
    })?;
    let shard = header.shard.ok_or_else(|| wrong("it is a whole corpus and no shard".to_owned()))?;
    Ok(Part { root: root.to_path_buf(), spec, shard })
}

/// The first line of a shard's journal; none where there is no journal.
pub(crate) fn header(root: &Path) -> Result<Option<Header>, Error> {
    let path = root.join(SHARD_JOURNAL);
    let found = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| journal::header(&mut BufReader::new(file))),
    };
    found.map_err(Error::io("read", &path))?.map(Some).ok_or(Error::Journal { path, why: CHANGED })
}

/// Adds a shard's journal to an assembly, and tells each of its items.
fn add(assembly: &mut Assembly<File>, root: &Path, each: impl FnMut(String)) -> Result<(), Error> {
    let path = root.join(SHARD_JOURNAL);
    File::open(&path).and_then(|file| assembly.add(file, each)).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Error::Journal { path, why: CHANGED },
        _ => Error::io("read", &path)(error),
    })
}

/// Refuses shards that are not all of one corpus, each once. They are in order.
fn refuse_misfits(parts: &[Part]) -> Result<(), Error> {
    let wrong = |part: &Part, why: String| Err(Error::Merge { path: part.root.clone(), why });
    for pair in parts.windows(2) {
        let [a, b] = pair else { continue };
        if a.spec != b.spec || a.shard.count != b.shard.count {
            let (of_a, of_b) = (a.shard, b.shard);
            let (spec_a, spec_b) = (a.spec.name(), b.spec.name());
            return wrong(
                b,
                format!(
                    "it is shard {of_b} of {spec_b}, and {} is shard {of_a} of {spec_a}",
                    a.root.display()
                ),
            );
        }
        if a.shard == b.shard {
            return wrong(b, format!("it is shard {}, and so is {}", b.shard, a.root.display()));
        }
    }
    let count = parts[0].shard.count;
    let is_missing = |index: &u32| !parts.iter().any(|part| part.shard.index == *index);
    let missing: Vec<String> =
        (1..=count).filter(is_missing).map(|index| Shard { index, count }.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let name = parts[0].spec.name();
    wrong(&parts[0], format!("of the shards of {name} these were not given: {}", missing.join(", ")))
}

/// Reads the journals of all shards, and checks that their items are all there and their files as written.
fn index(parts: &[Part], plan: &Plan, job: &Job<'_>) -> Result<Assembly<File>, Error> {
    let mut assembly = Assembly::new();
    for part in parts {
        let before = assembly.files.len();
        let mut found = Vec::new();
        add(&mut assembly, &part.root, |item| found.push(item))?;
        let items = plan.items.iter().enumerate().filter(|(place, _)| part.shard.has(*place));
        let mut wanted: Vec<String> = items.map(|(_, item)| item.path()).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        if wanted != found {
            let path = part.root.join(SHARD_JOURNAL);
            return Err(Error::Journal { path, why: "has other items than the shard" });
        }
        let entries = assembly.files.iter().map(|file| (file.path.as_str(), file.kind.is_some()));
        if let Some(astray) = led_astray(entries) {
            let why = format!("{astray} lies below an entry that is no directory; write the shard again");
            return Err(Error::Merge { path: part.root.clone(), why });
        }
        let files = &assembly.files[before..];
        let mut files: Vec<Listed<'_>> = files.iter().map(IndexedFile::listed).collect();
        files.sort_unstable_by_key(|file| file.path);
        check(&part.root, &files, job.threads, job.stop, job.observer)?;
    }
    Ok(assembly)
}

/// Puts the shards' files below `joined`, where nothing is.
fn write(parts: &[Part], assembly: &Assembly<File>, joined: &Path, job: &Job<'_>) -> Result<(), Error> {
    create(joined)?;
    let home_to = home(joined);
    fs::create_dir(&home_to).map_err(Error::io("create corpus directory", &home_to))?;
    let (mut last_folder, mut links) = (PathBuf::new(), true);
    for file in &assembly.files {
        if job.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped { before: "the shards were joined; the same command begins anew" });
        }
        let from = home(&parts[file.journal()].root).join(&file.path);
        let to = home_to.join(&file.path);
        if let Some(folder) = to.parent().filter(|folder| **folder != last_folder) {
            fs::create_dir_all(folder).map_err(Error::io("create directory", folder))?;
            last_folder = folder.to_path_buf();
        }
        if let Some(special) = &file.kind {
            special.make(&to).map_err(Error::io("write corpus file", &to))?;
            continue;
        }
        if links && fs::hard_link(&from, &to).is_ok() {
            continue;
        }
        if links {
            links = false;
            check_space(job.dir, joined, assembly.files.iter().map(|file| file.bytes).sum())?;
        }
        fs::copy(&from, &to).map_err(Error::io("copy to", &to))?;
    }
    Ok(())
}

/// A shard that is there, checked.
pub(crate) fn reusable_shard(job: &Job<'_>, shard: Shard) -> Result<Summary, Error> {
    let root = job.root();
    if header(&root)? != Some(Header::new(job.spec, Some(shard))) {
        let why = "it is of another generator or corpus".to_owned();
        return Err(Error::Merge { path: root, why });
    }
    let part = Part { root: root.clone(), spec: job.spec.clone(), shard };
    let mut assembly = index(&[part], &Plan::new(job.spec), job)?;
    assembly.sort();
    Ok(Summary::new(root, job.spec, Some(shard), assembly.totals()))
}

/// A shard in a list, unchecked.
pub(crate) fn summary(root: &Path) -> Result<Option<Summary>, Error> {
    let Some(header) = header(root)? else { return Ok(None) };
    let wrong = |why| Error::Journal { path: root.join(SHARD_JOURNAL), why };
    let spec = header.spec().ok_or_else(|| wrong("is of another version of highwater"))?;
    let shard = header.shard.ok_or_else(|| wrong("is of a whole corpus and no shard"))?;
    let mut assembly = Assembly::new();
    add(&mut assembly, root, |_| ())?;
    assembly.sort();
    Ok(Some(Summary::new(root.to_path_buf(), &spec, Some(shard), assembly.totals())))
}

impl Summary {
    /// Of a manifest.
    pub(crate) fn of_manifest(root: PathBuf, manifest: &Manifest) -> Self {
        Summary {
            root,
            profile: manifest.profile.clone(),
            scale: manifest.scale,
            seed: manifest.seed,
            shard: None,
            digest: manifest.digest.clone(),
            bytes: manifest.bytes,
            files: manifest.files.len() as u64,
            sessions: manifest.answer.sessions,
            requests: manifest.answer.requests,
        }
    }
}
