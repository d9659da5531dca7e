//! `highwater init`: the files with which a project measures itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use scenarios::project::{FILE, Project};

use crate::{args, show};

mod cargo;
mod found;
mod node;
mod python;
mod text;

use found::Entry;

/// The file of first limits.
const BUDGETS: &str = "budgets.toml";
const GITHUB: &str = ".github/workflows/highwater.yml";
const GITLAB: &str = ".gitlab/highwater.yml";

/// Looks, writes what is not there, and says what is next.
pub(crate) fn init(args: &args::init::Init) -> Result<i32> {
    let folder = args.folder.as_path();
    if !folder.is_dir() {
        bail!("{} is not a directory: give the folder of a project", folder.display());
    }
    let found = found::look(folder)?;
    found.kinds.iter().for_each(|kind| show::result(&format!("found {kind}")));
    let own = folder.join(FILE);
    let is_kept = own.exists() && !args.force;
    write(folder, FILE, &text::project(&found), args.force)?;
    let entries = if is_kept { entries_of(&Project::read(&own)?) } else { found.entries.clone() };
    write(folder, BUDGETS, &text::budgets(&entries), args.force)?;
    let is_gitlab = folder.join(".gitlab-ci.yml").exists();
    if is_gitlab {
        write(folder, GITLAB, &text::gitlab(), args.force)?;
    } else {
        write(folder, GITHUB, &text::github(&found), args.force)?;
    }
    if let Some(root) = repository_above(folder) {
        show::result(&format!(
            "note: GitHub and GitLab read such files at the root of the repository only: move it to {} and name {} in its input \
             `working-directory`",
            root.display(),
            folder.display()
        ));
    }
    found.notes.iter().for_each(|note| show::result(&format!("note: {note}")));
    if is_gitlab {
        show::result(&format!("note: add to .gitlab-ci.yml: include: [{{ local: {GITLAB} }}]"));
    }
    if !ignores_target(folder) {
        show::result("note: runs are written below target/highwater: add target/ to .gitignore");
    }
    show::result(&next(folder, entries.is_empty()));
    Ok(0)
}

/// Writes a file, unless it is there.
fn write(folder: &Path, name: &str, text: &str, force: bool) -> Result<()> {
    let path = folder.join(name);
    let is_there = path.exists();
    if is_there && !force {
        show::result(&format!("kept {name}, which is there already; --force replaces it"));
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
    }
    reports::store::write_atomically(&path, text.as_bytes())?;
    show::result(&format!("{} {name}", if is_there { "replaced" } else { "wrote" }));
    Ok(())
}

/// What a file that was there already measures.
fn entries_of(project: &Project) -> Vec<Entry> {
    let entry = |measure: &scenarios::project::Measure| Entry {
        name: measure.name.get_ref().clone(),
        command: measure.command.clone(),
    };
    project.measure.iter().map(entry).collect()
}

/// The root of the repository of a folder that is not its root.
fn repository_above(folder: &Path) -> Option<PathBuf> {
    let whole = std::fs::canonicalize(folder).ok()?;
    let root = whole.ancestors().find(|above| above.join(".git").exists())?;
    (root != whole).then(|| root.to_owned())
}

fn ignores_target(folder: &Path) -> bool {
    let text = std::fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    text.lines().any(|line| line.trim().trim_matches('/') == "target")
}

/// What to do now.
fn next(folder: &Path, is_empty: bool) -> String {
    let there = if folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", shlex::try_quote(&folder.display().to_string()).unwrap_or_default())
    };
    if is_empty {
        return format!(
            "next: name a command in {}, then `{there}highwater exec`",
            folder.join(FILE).display()
        );
    }
    format!("next: `{there}highwater exec` builds, measures and judges")
}
