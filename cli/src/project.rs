//! The project in the current folder, as its `highwater.toml` says.

use std::path::{Path, PathBuf};

use anyhow::Result;
use scenarios::project::{FILE, Project};

use crate::args::Judging;

/// The project's file, where there is one.
pub(crate) fn here() -> Result<Option<Project>> {
    let path = Path::new(FILE);
    if path.exists() { Ok(Some(Project::read(path)?)) } else { Ok(None) }
}

/// The file of budgets that the project names.
pub(crate) fn budgets() -> Result<Option<PathBuf>> {
    Ok(here()?.and_then(|project| project.budgets))
}

/// What was asked for, with the project's budgets and baseline where nothing was said of them.
pub(crate) fn with_budgets(asked: &Judging) -> Result<Judging> {
    if asked.budgets.is_some() {
        return Ok(asked.clone());
    }
    let Some(project) = here()?.filter(|project| project.budgets.is_some()) else {
        return Ok(asked.clone());
    };
    let baseline = asked.baseline.clone().or(project.baseline);
    Ok(Judging { budgets: project.budgets, baseline, ..asked.clone() })
}
