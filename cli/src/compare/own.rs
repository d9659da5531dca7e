//! highwater's own scenarios, done by an earlier build and by this program in turn.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use generators::Profile;
use harness::instrument::Instrument;
use scenarios::CaseSpec;
use scenarios::artifact::Repository;
use scenarios::exec::Wanted;
use scenarios::project::CorpusChoice;
use scenarios::runner::{self, Event, Input, Options, Plan};
use scenarios::view::browser::Model;

use super::{artifact, note};
use crate::exec::Taken;
use crate::progress::Progress;
use crate::{args, build, corpus, exec, folder, stop};

/// The case that is compared when none is named.
const CASE: &str = "sync/cold:bounded";

/// Samples of an instrument that counts: two, to see whether they are equal.
const EXACT_SAMPLES: u32 = 2;

/// Measures cases with the base's program and with this one.
pub(super) fn scenarios(args: &args::Compare) -> Result<Taken> {
    let plan = Plan { cases: cases(args)? };
    let instruments = instruments(args)?;
    if args.name.is_some() {
        bail!("--name names the cases of a command: those of highwater's own scenarios have their own names");
    }
    let stop = stop::listen()?;
    let head = std::env::current_exe().context("failed to find this program's own file")?;
    let (base, text) = base(args, &head, stop)?;
    let default = || CorpusChoice { profile: Profile::Heavy, scale: None };
    let choice = args.measuring.corpus.clone().unwrap_or_else(default);
    let input = Input::from_corpus(&corpus::ensure(&exec::spec(&args.measuring, choice), stop)?);
    stop::check()?;
    let scratch = folder::Scratch::new(&args.measuring.out)?;
    let options = Options {
        program: head.clone(),
        scratch: scratch.path().to_owned(),
        instruments,
        timeout: Duration::from_secs(args.measuring.timeout),
        ticks: runner::TICKS,
        browser: Model::default(),
        inject: None,
    };
    let time = jiff::Timestamp::now();
    let progress = Progress::count("measuring");
    let mut observe = |event: Event<'_>| {
        let Event::Case { case, number, of } = event;
        progress.set_length(of);
        progress.set(number, case);
    };
    let cases = runner::pairs(&plan, [&base, &head], &options, &input, stop, &mut observe);
    progress.finish();
    drop(progress);
    stop::check()?;
    let mut run = folder::record(time, build::artifact(), cases);
    note(&mut run, "base", &text);
    note(&mut run, "head", "this program");
    let profile = move |case: &str| runner::pair_sites(case, &plan, [&base, &head], &options, &input, stop);
    Ok(Taken { run, scratch, profile: Box::new(profile) })
}

fn cases(args: &args::Compare) -> Result<Vec<CaseSpec>> {
    let patterns = if args.cases.is_empty() { vec![CASE.to_owned()] } else { args.cases.clone() };
    let cases = scenarios::select(&patterns, reports::budget::matches)?;
    if let Some(other) = cases.iter().find(|case| !case.is_sampled()) {
        bail!(
            "--case {}: it is not measured by samples; compare two runs of it, as in `highwater compare BASE HEAD`",
            other.name
        );
    }
    Ok(cases)
}

fn instruments(args: &args::Compare) -> Result<Vec<(Instrument, u32)>> {
    let mut chosen = Vec::new();
    for wanted in &args.measuring.instrument {
        match (wanted, wanted.instrument()) {
            (Wanted::Auto, _) => chosen.extend([Instrument::Count, Instrument::Os]),
            (_, Some(instrument)) if instrument.reads_rust() => chosen.push(instrument),
            _ => bail!("--instrument: of highwater's own scenarios only Rust programs are read"),
        }
    }
    let samples = |instrument: &Instrument| if instrument.counts() { EXACT_SAMPLES } else { args.samples };
    Ok(chosen.iter().map(|instrument| (*instrument, samples(instrument))).collect())
}

/// The base's program, and what it is.
fn base(args: &args::Compare, head: &Path, stop: &AtomicBool) -> Result<(PathBuf, String)> {
    if let Some(path) = &args.base_artifact {
        let program = std::fs::canonicalize(path)
            .with_context(|| format!("failed to find --base-artifact {}", path.display()))?;
        return Ok((program.clone(), format!("the program {}", program.display())));
    }
    let reference =
        args.base_ref.as_deref().context("compare needs a base: --base-ref or --base-artifact")?;
    let repository = Repository::around(&artifact::here()?)?;
    let manifest = std::fs::read_to_string(repository.root().join("cli/Cargo.toml")).unwrap_or_default();
    if !manifest.contains("name = \"highwater\"") {
        bail!(
            "--base-ref without a command compares highwater's own scenarios, but {} is not its repository: give the command \
             after `--`, as in `highwater compare --base-ref {reference} -- ./target/release/parse large.json`",
            repository.root().display()
        );
    }
    // Code that is not optimised allocates otherwise: both sides are built alike.
    let profile = build::build().profile;
    let recipe = artifact::recipe(args, profile == "release")?;
    let own = head.strip_prefix(repository.root()).map(Path::to_owned);
    let place = own.unwrap_or_else(|_| Path::new("target").join(profile).join("highwater"));
    let base = artifact::base(args, repository, reference, &recipe, stop)?;
    let program = base.root.join(&place);
    if !program.is_file() {
        bail!("{}, but there is no {} in {}", base.note, place.display(), base.root.display());
    }
    Ok((program, base.note))
}
