//! `highwater corpus`: writes, joins, checks and lists corpora, and makes profiles of people's own histories.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use generators::{Corpus, Fit, Listing, Spec, Step, Summary};

use crate::args::{self, CorpusVerb, SpecArgs};
use crate::progress::Progress;
use crate::{search, show, stop};

/// How many of the files, directories and links that were not read are named.
const NAMED_MAX: usize = 10;

/// Does what was asked.
pub(crate) fn corpus(args: &args::Corpus) -> Result<i32> {
    match &args.verb {
        CorpusVerb::Generate { spec: args, shard } => {
            let (spec, stop) = (spec(args), stop::listen()?);
            let progress = Progress::bytes("corpus");
            let observe = |event: generators::Progress<'_>| follow(&progress, event);
            let made = generators::generate(&args.corpora, &spec, *shard, threads(), stop, &observe)?;
            progress.finish();
            drop(progress);
            tell(&made);
        }
        CorpusVerb::Merge { shards, out } => {
            let (progress, stop) = (Progress::bytes("merging"), stop::listen()?);
            let observe = |event: generators::Progress<'_>| follow(&progress, event);
            let made = generators::merge(shards, out.as_deref(), threads(), stop, &observe)?;
            progress.finish();
            drop(progress);
            tell(&made);
        }
        CorpusVerb::Search(args) => return search::search(args),
        CorpusVerb::Verify { dir } => {
            let progress = Progress::bytes("checking");
            let manifest = generators::verify(dir, threads(), &|event| follow(&progress, event))?;
            progress.finish();
            drop(progress);
            show::result(&format!("{}: all {} files are as written", dir.display(), manifest.files.len()));
        }
        CorpusVerb::Grow { dir, step } => {
            let manifest = generators::grow(dir, *step)?;
            let taken = usize::try_from(manifest.step)?.checked_sub(1).and_then(|at| Step::ALL.get(at));
            show::result(&format!(
                "{}: step {} of {} ({}), {} sessions, digest {}",
                dir.display(),
                manifest.step,
                Step::ALL.len(),
                taken.map_or("none", |step| step.describe()),
                manifest.answer.sessions,
                manifest.digest
            ));
        }
        CorpusVerb::Fit(args) => fit(args)?,
        CorpusVerb::Key { corpus, seed } => {
            let scale = corpus.scale.unwrap_or_else(|| corpus.profile.default_scale());
            show::result(&Spec { profile: corpus.profile.clone(), scale, seed: *seed }.key());
        }
        CorpusVerb::List { dir } => list(dir)?,
    }
    Ok(0)
}

fn tell(made: &Summary) {
    show::result(&format!(
        "{}: {} in {} files, {} sessions, {} requests, digest {}",
        made.root.display(),
        reports::bytes::format_bytes(made.bytes),
        made.files,
        made.sessions,
        made.requests,
        made.digest
    ));
    if let Some(shard) = made.shard {
        show::note(&format!(
            "this is shard {shard}; `highwater corpus merge` joins all {} to the corpus",
            shard.count
        ));
    }
}

fn list(dir: &Path) -> Result<()> {
    let Listing { found, damaged } = generators::list(dir)?;
    if found.is_empty() && damaged.is_empty() {
        show::note(&format!("no corpora in {}; `highwater corpus generate` writes one", dir.display()));
    }
    for corpus in found {
        let shard = corpus.shard.map(|shard| format!("  shard {shard}")).unwrap_or_default();
        show::result(&format!(
            "{}  {}  {} files  {} sessions  {}{shard}",
            corpus.root.display(),
            reports::bytes::format_bytes(corpus.bytes),
            corpus.files,
            corpus.sessions,
            corpus.digest
        ));
    }
    for (root, error) in damaged {
        show::note(&format!("damaged: {} ({error})", root.display()));
    }
    Ok(())
}

/// Makes a profile of histories, and writes it.
fn fit(args: &args::Fit) -> Result<()> {
    let out = &args.out;
    if out.exists() && !args.force {
        bail!("{} exists: give another --out, or --force to replace it", out.display());
    }
    // What would fail behind a long reading is looked at before it; the name, by `generators::fit` itself.
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("there is no folder {}: make it, or give another --out", folder.display());
    }
    let progress = Progress::bytes("reading");
    let observe = |event: generators::Progress<'_>| follow(&progress, event);
    let found = generators::fit(&args.directories, &args.name, stop::listen()?, &observe)?;
    drop(progress);
    fs::write(out, found.recipe.to_toml())
        .with_context(|| format!("failed to write the profile {}", out.display()))?;
    say(&found);
    show::result(&format!(
        "{}: no text, path or name of the history is in it; `highwater corpus generate --profile {}` grows a corpus of its shape",
        out.display(),
        out.display()
    ));
    Ok(())
}

/// Says what was found, and names what was not read.
fn say(found: &Fit) {
    for (format, history) in found.recipe.histories() {
        show::result(&format!(
            "{format:<12} {} sessions with {} requests in {} workspaces, {} in {} files",
            history.sessions,
            history.requests,
            history.workspaces,
            reports::bytes::format_bytes(history.bytes),
            history.files
        ));
    }
    if found.broken_lines > 0 {
        show::note(&format!(
            "{} lines are no whole JSON objects: only their bytes count",
            found.broken_lines
        ));
    }
    for (path, why) in found.skipped.iter().take(NAMED_MAX) {
        show::note(&reports::plain_line(&format!("not read: {} ({why})", path.display())));
    }
    if found.skipped.len() > NAMED_MAX {
        let more = found.skipped.len() - NAMED_MAX;
        show::note(&format!("not read: {more} more, {} in all", found.skipped.len()));
    }
}

/// The corpus that was asked for: reused when it is whole, else written.
pub(crate) fn ensure(args: &SpecArgs, stop: &AtomicBool) -> Result<Corpus> {
    make(&args.corpora, &spec(args), stop)
}

fn spec(args: &SpecArgs) -> Spec {
    let scale = args.scale.unwrap_or_else(|| args.profile.default_scale());
    Spec { profile: args.profile.clone(), scale, seed: args.seed }
}

/// The corpus of a spec in a folder: reused when it is whole, else written.
pub(crate) fn make(corpora: &Path, spec: &Spec, stop: &AtomicBool) -> Result<Corpus> {
    let progress = Progress::bytes("corpus");
    let corpus = generators::ensure(corpora, spec, threads(), stop, &|event| follow(&progress, event))?;
    progress.finish();
    Ok(corpus)
}

fn follow(progress: &Progress, event: generators::Progress<'_>) {
    match event {
        generators::Progress::Planned { bytes, .. } => progress.set_length(bytes),
        generators::Progress::Wrote { bytes } | generators::Progress::Checked { bytes } => {
            progress.add(bytes)
        }
        generators::Progress::Resuming { files } => {
            progress.note(&format!("{files} files are there already, from a run that was interrupted"))
        }
        generators::Progress::Rebuilding { why } => {
            progress.note(&format!("the corpus is written anew: {why}"))
        }
    }
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
