//! `highwater corpus`: writes, joins, checks and lists corpora.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use generators::{Corpus, Spec, Summary};

use crate::args::{self, CorpusVerb, SpecArgs};
use crate::progress::Progress;
use crate::{show, stop};

/// Does what was asked.
pub(crate) fn corpus(args: &args::Corpus) -> Result<i32> {
    match &args.verb {
        CorpusVerb::Generate { spec: args, shard } => {
            let (spec, stop) = (spec(args), stop::listen()?);
            let progress = Progress::bytes("corpus");
            let observe = |event: generators::Progress<'_>| follow(&progress, event);
            let made = generators::generate(&args.corpora, &spec, *shard, threads(), stop, &observe)?;
            drop(progress);
            tell(&made);
        }
        CorpusVerb::Merge { shards, out } => {
            let (progress, stop) = (Progress::bytes("merging"), stop::listen()?);
            let observe = |event: generators::Progress<'_>| follow(&progress, event);
            let made = generators::merge(shards, out.as_deref(), threads(), stop, &observe)?;
            drop(progress);
            tell(&made);
        }
        CorpusVerb::Verify { dir } => {
            let progress = Progress::bytes("checking");
            let manifest = generators::verify(dir, threads(), &|event| follow(&progress, event))?;
            drop(progress);
            show::result(&format!("{}: all {} files are as written", dir.display(), manifest.files.len()));
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
    let found = generators::list(dir)?;
    if found.is_empty() {
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
    Ok(())
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
    Ok(generators::ensure(corpora, spec, threads(), stop, &|event| follow(&progress, event))?)
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

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
