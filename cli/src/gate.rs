//! `highwater gate`: judges a saved run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::record::Run;
use reports::baseline::Baseline;
use reports::budget::Budgets;

use crate::args::{self, Judging};
use crate::show;

/// The budgets of this project, for where there is no file.
const BUILT_IN: &str = include_str!("../../ci/budgets.toml");
/// Where budgets are looked for.
const BUDGETS: &str = "ci/budgets.toml";

/// Judges, prints, and gives the verdict's exit code.
pub(crate) fn gate(args: &args::Gate) -> Result<i32> {
    let mut run = read_run(&args.run)?;
    judge(&mut run, &args.judging)?;
    show::result(&reports::text::table(&run, show::style()));
    Ok(reports::exit::code(run.verdict))
}

/// Judges a run.
pub(crate) fn judge(run: &mut Run, judging: &Judging) -> Result<()> {
    let budgets = budgets(judging)?;
    let baseline = match &judging.baseline {
        None => None,
        Some(path) => Some(read_baseline(path)?),
    };
    reports::judge::judge(run, &budgets, baseline.as_ref());
    Ok(())
}

/// The budgets that were asked for, checked against the cases that exist.
pub(crate) fn budgets(judging: &Judging) -> Result<Budgets> {
    let budgets = match &judging.budgets {
        Some(path) => Budgets::read(path)?,
        None if Path::new(BUDGETS).exists() => Budgets::read(Path::new(BUDGETS))?,
        None => Budgets::parse(BUILT_IN, Path::new("the budgets built in"))?,
    };
    let known: Vec<String> = scenarios::cases().into_iter().map(|case| case.name).collect();
    budgets.check_cases(&known)?;
    Ok(budgets)
}

fn read_baseline(path: &Path) -> Result<Baseline> {
    match reports::store::read(&run_path(path)) {
        Ok(run) => Ok(Baseline::of(&run)),
        Err(_) => Baseline::read(path)
            .with_context(|| format!("{} is neither a run nor a baseline", path.display())),
    }
}

/// Reads a run from its file, or from the folder that holds it.
pub(crate) fn read_run(path: &Path) -> Result<Run> {
    let path = run_path(path);
    reports::store::read(&path)
        .with_context(|| format!("failed to read a run; `highwater run` writes one ({})", path.display()))
}

pub(crate) fn run_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("run.json") } else { path.to_owned() }
}
