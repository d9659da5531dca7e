//! `highwater corpus`: writes, checks and lists corpora.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use generators::{Corpus, Spec, Step};

use crate::args::{self, CorpusVerb, SpecArgs};
use crate::progress::Progress;
use crate::{show, stop};

/// Does what was asked.
pub(crate) fn corpus(args: &args::Corpus) -> Result<i32> {
    match &args.verb {
        CorpusVerb::Generate(args) => {
            let corpus = ensure(args, stop::listen()?)?;
            let manifest = &corpus.manifest;
            show::result(&format!(
                "{}: {} in {} files, {} sessions, {} requests, digest {}",
                corpus.root.display(),
                reports::bytes::format_bytes(manifest.bytes),
                manifest.files.len(),
                manifest.answer.sessions,
                manifest.answer.requests,
                manifest.digest
            ));
        }
        CorpusVerb::Verify { dir } => {
            let progress = Progress::bytes("checking");
            let manifest = generators::verify(dir, threads(), &|event| follow(&progress, event))?;
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
        CorpusVerb::List { dir } => {
            let found = generators::list(dir)?;
            if found.is_empty() {
                show::note(&format!(
                    "no corpora in {}; `highwater corpus generate` writes one",
                    dir.display()
                ));
            }
            for corpus in found {
                show::result(&format!(
                    "{}  {}  {} files  {} sessions  {}",
                    corpus.root.display(),
                    reports::bytes::format_bytes(corpus.bytes),
                    corpus.files,
                    corpus.sessions,
                    corpus.digest
                ));
            }
        }
    }
    Ok(0)
}

/// The corpus that was asked for: reused when it is whole, else written.
pub(crate) fn ensure(args: &SpecArgs, stop: &AtomicBool) -> Result<Corpus> {
    let scale = args.scale.unwrap_or_else(|| args.profile.default_scale());
    make(&args.corpora, &Spec { profile: args.profile, scale, seed: args.seed }, stop)
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
        generators::Progress::Rebuilding { why } => {
            progress.note(&format!("the corpus is written anew: {why}"))
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
