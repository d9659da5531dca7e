//! `highwater merge`: joins the runs of several machines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use reports::merge::Part;

use crate::gate::{read_run, run_path};
use crate::{args, folder, places, show};

/// Joins runs with the files that lie beside them; its exit code tells only whether they could be joined.
pub(crate) fn merge(args: &args::Merge) -> Result<i32> {
    let read = |path: &PathBuf| Ok(Part { name: path.display().to_string(), run: read_run(path)? });
    let parts = args.runs.iter().map(read).collect::<Result<Vec<_>>>()?;
    let mut files = Vec::new();
    for path in &args.runs {
        let folder = run_path(path).parent().map(Path::to_owned).unwrap_or_default();
        if places::is_same(&folder, &args.out) {
            bail!("--out {} is one of the runs: name another folder", args.out.display());
        }
        files.extend(beside(&folder)?);
    }
    let run = reports::merge::merge(parts)?;
    unlike(&files)?;
    places::clear(&args.out)?;
    folder::clear_outputs(&args.out)?;
    for (from, to) in &files {
        let to = args.out.join(to);
        let parent = to.parent().unwrap_or(&args.out);
        fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
        fs::copy(from, &to)
            .with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    }
    folder::write(&run, &args.out)?;
    let (cases, files) = (run.cases.len(), files.len());
    show::result(&format!("joined {} runs: {cases} cases, {files} files beside them", args.runs.len()));
    folder::say(&args.out);
    Ok(0)
}

/// The sites and outputs that lie beside a run, each with its place in a run's folder.
fn beside(run: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    for path in folder::outputs_in(&run.join(folder::OUTPUT))?.into_iter().chain(places::files_in(run)?) {
        let to = path.strip_prefix(run).with_context(|| format!("{} lies elsewhere", path.display()))?;
        found.push((path.clone(), to.to_owned()));
    }
    found.sort();
    Ok(found)
}

/// Refuses two files for one place: cases of unlike names may have files of one name.
fn unlike(files: &[(PathBuf, PathBuf)]) -> Result<()> {
    let mut places = BTreeSet::new();
    match files.iter().find(|(_, to)| !places.insert(to)) {
        Some((from, to)) => bail!("two of the runs have a file {} ({})", to.display(), from.display()),
        None => Ok(()),
    }
}
