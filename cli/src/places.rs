//! Where memory went: the allocation sites of cases, saved beside a run, and compared where a limit is broken.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::record::{Case, Moment, Run};
use harness::sites::Profile;
use reports::explain;

use crate::show;

/// Where profiles and flamegraphs lie in a run's folder.
const FOLDER: &str = "sites";

/// Takes the profile of a case, or says why there is none.
pub(crate) type Profiler<'p> = dyn FnMut(&str) -> Result<Profile, String> + 'p;

/// Saves the profile of every case that has one.
pub(crate) fn save_all(run: &mut Run, out: &Path, profile: &mut Profiler<'_>) -> Result<()> {
    let measured = run.cases.iter().filter(|case| case.error.is_none()).map(|case| case.case.clone());
    for case in measured.collect::<Vec<_>>() {
        match profile(&case) {
            Ok(profile) => save(out, &profile, &run.artifact)?,
            Err(why) => run.doubts.push(format!("the sites of {case} were not saved: {why}")),
        }
    }
    Ok(())
}

/// Names the sites of every case that broke a limit, by its saved profile or a new one, against the profile that the base has saved.
pub(crate) fn explain_run(
    run: &mut Run,
    base: &Run,
    base_folder: &Path,
    out: &Path,
    profile: &mut Profiler<'_>,
) -> Result<()> {
    for index in broken(run) {
        let name = run.cases[index].case.clone();
        if let Some(earlier) = base.cases.iter().find(|earlier| earlier.case == name) {
            explain::charge(&mut run.cases[index], earlier);
        }
        if is_same(base_folder, out) {
            let why = "the baseline lies in this run's own folder: name another with --out";
            run.doubts.push(format!("the sites of {name} were not compared: {why}"));
            continue;
        }
        let earlier = path(base_folder, &name);
        if !earlier.is_file() {
            let why = format!("{} is not there: --sites saves it", earlier.display());
            run.doubts.push(format!("the sites of {name} were not compared: {why}"));
            continue;
        }
        let earlier = Profile::load(&earlier)?;
        let later = match Profile::load(&path(out, &name)) {
            Ok(saved) => Ok(saved),
            Err(_) => profile(&name),
        };
        match later {
            Ok(later) => add(run, index, (&earlier, &later), out)?,
            Err(why) => run.doubts.push(format!("the sites of {name} were not compared: {why}")),
        }
    }
    Ok(())
}

/// Names the sites of every head that broke a limit, against its base of the same run; both are profiled now.
pub(crate) fn explain_pairs(run: &mut Run, out: &Path, profile: &mut Profiler<'_>) -> Result<()> {
    for index in broken(run) {
        let Some(base) = reports::judge::base_of(run, index) else { continue };
        let earlier = run.cases[base].clone();
        explain::charge(&mut run.cases[index], &earlier);
        let name = run.cases[index].case.clone();
        show::note(&format!("looking for where {name} grew"));
        match profile(&earlier.case).and_then(|base| Ok((base, profile(&name)?))) {
            Ok((earlier, later)) => add(run, index, (&earlier, &later), out)?,
            Err(why) => run.doubts.push(format!("the sites of {name} were not compared: {why}")),
        }
    }
    Ok(())
}

pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    // The folder of `run.json` is an empty path, and means this one.
    let whole = |path: &Path| std::fs::canonicalize(Path::new(".").join(path)).ok();
    whole(one).is_some_and(|one| Some(one) == whole(other))
}

/// The cases that broke a limit which sites can explain.
fn broken(run: &Run) -> Vec<usize> {
    let cases = run.cases.iter().enumerate();
    cases.filter(|(_, case)| explain::is_wanted(case)).map(|(index, _)| index).collect()
}

/// Adds what grew to a case, and draws it.
fn add(run: &mut Run, index: usize, (base, head): (&Profile, &Profile), out: &Path) -> Result<()> {
    save(out, head, &run.artifact)?;
    let case = &mut run.cases[index];
    let moments = match explain::add_sites(case, base, head) {
        Ok(moments) => moments,
        Err(why) => {
            let name = case.case.clone();
            run.doubts.push(format!("the sites of {name} were not compared: {why}"));
            return Ok(());
        }
    };
    for moment in moments {
        let Ok(drawing) = reports::sites::flamegraph(base, head, moment) else { continue };
        let file = format!("{FOLDER}/{}.{}.svg", scenarios::exec::file_name(&case.case), word(moment));
        reports::store::write_atomically(&out.join(&file), drawing.as_bytes())?;
        name_drawing(case, moment, &file);
    }
    Ok(())
}

fn name_drawing(case: &mut Case, moment: Moment, file: &str) {
    let own = case.growth.iter_mut().filter(|growth| growth.moment == moment);
    own.for_each(|growth| growth.flamegraph = Some(file.to_owned()));
}

const MOMENTS: [Moment; 3] = [Moment::Peak, Moment::Total, Moment::Retained];

fn word(moment: Moment) -> &'static str {
    match moment {
        Moment::Peak => "peak",
        Moment::Total => "total",
        Moment::Retained => "retained",
    }
}

fn save(out: &Path, profile: &Profile, artifact: &harness::record::Artifact) -> Result<()> {
    let path = path(out, &profile.case);
    let folder = path.parent().unwrap_or(out);
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(Profile { artifact: artifact.clone(), ..profile.clone() }.save(&path)?)
}

/// Where the profile of a case is saved in a run's folder.
fn path(folder: &Path, case: &str) -> PathBuf {
    folder.join(FOLDER).join(format!("{}.json", scenarios::exec::file_name(case)))
}

/// Removes the profiles and flamegraphs of the run before. Other files there stay.
pub(crate) fn clear(out: &Path) -> Result<()> {
    for file in files_in(out)? {
        std::fs::remove_file(&file).with_context(|| format!("failed to remove {}", file.display()))?;
    }
    Ok(())
}

/// The profiles of a run's folder with their flamegraphs: only what reads as a profile is one.
pub(crate) fn files_in(out: &Path) -> Result<Vec<PathBuf>> {
    let folder = out.join(FOLDER);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("failed to list {}", folder.display()))?,
    };
    let mut files = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_profile =
            path.extension().is_some_and(|ending| ending == "json") && Profile::load(&path).is_ok();
        if !is_profile {
            continue;
        }
        let drawings = MOMENTS.map(|moment| path.with_extension(format!("{}.svg", word(moment))));
        files.extend(drawings.into_iter().filter(|file| file.is_file()));
        files.push(path);
    }
    Ok(files)
}
