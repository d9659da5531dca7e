//! A base that is built from a git ref, and the command that is run of both sides.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use scenarios::artifact::{Artifact, Recipe, Repository};
use scenarios::exec::{self as commands, Program, Samples};

use super::{arms, name, note, words};
use crate::exec::Taken;
use crate::{args, exec, folder, show, stop};

/// A build of a git ref.
pub(super) struct Base {
    pub(super) repository: Repository,
    pub(super) root: PathBuf,
    /// The same by the path that the caller gave, as records show it.
    kept: PathBuf,
    /// What it is a build of, for the record.
    pub(super) note: String,
}

/// Builds both sides, and measures the command in turn.
pub(super) fn command(args: &args::Compare, reference: &str) -> Result<Taken> {
    let stop = stop::listen()?;
    let recipe = recipe(args, true)?;
    let repository = Repository::around(&here()?)?;
    // Before the work: what the program is, is known from what was typed.
    if commands::in_artifact(&args.command, Path::new("")).is_none() {
        repository.below_root(Path::new(&args.command[0]))?;
    }
    repository.commit(reference)?;
    let corpus = exec::prepare(&args.measuring, stop)?;
    let base = base(args, repository, reference, &recipe, stop)?;
    let scratch = folder::Scratch::new(&args.measuring.out)?;
    show::note(&format!("building the checkout: {}", recipe.line()));
    std::fs::create_dir_all(&args.artifacts)
        .with_context(|| format!("failed to make {}", args.artifacts.display()))?;
    let built = base.repository.build(&recipe, &args.artifacts.join("checkout.log"), stop);
    stop::check()?;
    built?;
    let root = base.repository.root();
    // Both sides are started by paths of one length, which no figure then depends on.
    let sides = [("base", &*base.root, &*base.kept), ("head", root, root)];
    let [base_program, head_program] = sides.map(|(side, root, shown)| {
        let link = link(scratch.path(), side, root)?;
        let started = Program::find(placed(&base.repository, &args.command, &link)?)?;
        Ok::<_, anyhow::Error>(started.shown_as(placed(&base.repository, &args.command, shown)?))
    });
    let (base_program, head_program) = (
        base_program.with_context(|| format!("after {}", base.note))?,
        head_program.context("after the checkout was built")?,
    );
    let name = name(args, &head_program)?;
    let arms = arms(&name, base_program, head_program);
    let mut taken =
        exec::measure_in(scratch, corpus, &args.measuring, Samples::judged(args.samples), &arms, stop)?;
    note(&mut taken.run, "base", &base.note);
    let changes = match base.repository.is_dirty() {
        Some(true) => ", with uncommitted changes",
        _ => "",
    };
    let commit = base.repository.commit("HEAD").map_or(String::new(), |commit| format!(" of {commit}"));
    note(&mut taken.run, "head", &format!("the checkout{commit}{changes}, built by `{}`", recipe.line()));
    Ok(taken)
}

/// Builds the base, or finds it built.
pub(super) fn base(
    args: &args::Compare,
    repository: Repository,
    reference: &str,
    recipe: &Recipe,
    stop: &AtomicBool,
) -> Result<Base> {
    let commit = repository.commit(reference)?;
    let line = recipe.line();
    show::note(&format!("building {reference} ({commit}): {line}"));
    let built = repository.artifact(&commit, recipe, &args.artifacts, stop);
    stop::check()?;
    let Artifact { root, is_reused } = built?;
    if is_reused {
        show::note(&format!("it was built before, in {}", root.display()));
    }
    let kept = args.artifacts.join(&commit);
    Ok(Base { repository, root, kept, note: format!("{reference}, {commit}, was built by `{line}`") })
}

pub(super) fn recipe(args: &args::Compare, release: bool) -> Result<Recipe> {
    let Some(line) = &args.build else { return Ok(Recipe::Cargo { release }) };
    let words = words("--build", line)?;
    Ok(Recipe::Words(words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect()))
}

pub(super) fn here() -> Result<PathBuf> {
    std::env::current_dir().context("failed to find the current directory")
}

/// The command as it is run of the side that is checked out there.
fn placed(repository: &Repository, command: &[OsString], root: &Path) -> Result<Vec<OsString>> {
    if let Some(words) = commands::in_artifact(command, root) {
        return Ok(words);
    }
    let program = root.join(repository.below_root(Path::new(&command[0]))?);
    Ok([program.into()].into_iter().chain(command[1..].iter().cloned()).collect())
}

/// A link to a side's checkout in the directory of this run.
#[cfg(unix)]
fn link(scratch: &Path, side: &str, root: &Path) -> Result<PathBuf> {
    let link = scratch.join(side);
    std::os::unix::fs::symlink(root, &link).with_context(|| format!("failed to make {}", link.display()))?;
    Ok(link)
}

/// The checkout itself: a link to it may need rights that nobody has.
#[cfg(not(unix))]
fn link(_scratch: &Path, _side: &str, root: &Path) -> Result<PathBuf> {
    Ok(root.to_owned())
}
