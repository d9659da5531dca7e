//! The folder of a run: its reports, and a place for its samples while it lasts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::record::{self, Artifact, Case, Run, Verdict};

use crate::{build, show};

/// Where the outputs of samples are kept in a run's folder.
pub(crate) const OUTPUT: &str = "output";

/// The record of a run that began then, of what was measured, not judged.
pub(crate) fn record(time: jiff::Timestamp, artifact: Artifact, cases: Vec<Case>) -> Run {
    Run {
        schema: record::SCHEMA,
        environment: harness::environment::collect(build::build()),
        artifact,
        time: time.to_string(),
        verdict: Verdict::Pass,
        cases,
        crossings: Vec::new(),
        worth: Vec::new(),
        doubts: Vec::new(),
    }
}

/// What [`write()`] writes for readers, beside `run.json`.
const REPORTS: [&str; 3] = ["report.md", "report.html", "junit.xml"];

/// Writes `run.json` and what is made of it for readers, each whole or not at all.
pub(crate) fn write(run: &Run, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("failed to make {}", out.display()))?;
    reports::store::write(&out.join("run.json"), run)?;
    let texts = [reports::markdown::report(run), page(run, out), reports::exchange::junit::report(run)?];
    for (name, text) in REPORTS.iter().zip(texts) {
        reports::store::write_atomically(&out.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// The page for the browser of a run that lies in a folder, with the flamegraphs that it has there.
pub(crate) fn page(run: &Run, folder: &Path) -> String {
    reports::html::report(run, &|file| {
        // The name comes from the run, which may be anybody's: only what lies in the folder is drawn into the page.
        let whole = std::fs::canonicalize(folder.join(file)).ok()?;
        let inside = whole.starts_with(std::fs::canonicalize(folder).ok()?);
        if inside { std::fs::read_to_string(whole).ok() } else { None }
    })
}

/// Moves the outputs of a run's samples to its folder, in place of those of the run before. Other files there stay.
pub(crate) fn keep_outputs(scratch: &Scratch, out: &Path) -> Result<()> {
    clear_outputs(out)?;
    let folder = out.join(OUTPUT);
    for path in outputs_in(&scratch.outputs())? {
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let kept = folder.join(path.file_name().unwrap_or_default());
        std::fs::rename(&path, &kept).with_context(|| format!("failed to write {}", kept.display()))?;
    }
    Ok(())
}

/// Removes the outputs of the run before.
pub(crate) fn clear_outputs(out: &Path) -> Result<()> {
    for path in outputs_in(&out.join(OUTPUT))? {
        std::fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
    }
    Ok(())
}

/// The files of a folder that are named as outputs of samples: `CASE.INSTRUMENT-NUMBER.stdout`.
pub(crate) fn outputs_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_output = |path: &PathBuf| {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.rsplit_once('-'));
        let has_number = number.is_some_and(|(_, number)| number.parse::<u32>().is_ok());
        has_number && path.extension().is_some_and(|ending| ending == "stdout" || ending == "stderr")
    };
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => {
            let entries = entries.with_context(|| format!("failed to list {}", folder.display()))?;
            Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_output).collect())
        }
    }
}

/// Says what was written.
pub(crate) fn say(out: &Path) {
    for name in ["run.json"].iter().chain(&REPORTS) {
        show::note(&format!("wrote {}", out.join(name).display()));
    }
}

/// Where the samples of this run get their directories; removed when the run ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(out: &Path) -> Result<Scratch> {
        let root = out.join(format!("scratch-{}", std::process::id()));
        std::fs::create_dir_all(&root).with_context(|| format!("failed to make {}", root.display()))?;
        let root =
            std::fs::canonicalize(&root).with_context(|| format!("failed to find {}", root.display()))?;
        Ok(Scratch(root))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where outputs lie until the run is whole.
    pub(crate) fn outputs(&self) -> PathBuf {
        self.0.join(OUTPUT)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs are in nobody's way: the name is this process's.
        let _ = scenarios::remove_tree(&self.0);
    }
}
