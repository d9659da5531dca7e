//! `highwater corpus search`: the worst history for a case.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use generators::{Profile, Recipe, Spec};
use harness::instrument::Instrument;
use reports::bytes::format_bytes;
use scenarios::CaseSpec;
use scenarios::runner::{Input, Options, TICKS};
use scenarios::search::{self, Reading, Tried, Wish};
use scenarios::view::browser::Model;

use crate::progress::Progress;
use crate::{args, corpus, folder, show, stop};

/// How long one sample may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Searches, tells each worse history, and saves the worst as a profile.
pub(crate) fn search(args: &args::Search) -> Result<i32> {
    let case = case(&args.case)?;
    if args.out.exists() && !args.force {
        bail!("{} exists; name another file with --out, or replace it with --force", args.out.display());
    }
    let stop = stop::listen()?;
    let scratch = folder::Scratch::new(
        args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref()),
    )?;
    let options = Options {
        program: std::env::current_exe().context("failed to find this program's own file")?,
        scratch: scratch.path().join("samples"),
        instruments: vec![(Instrument::Count, 1)],
        timeout: TIMEOUT,
        ticks: TICKS,
        browser: Model::default(),
        inject: None,
    };
    let corpora = scratch.path().join("corpora");
    let wish = Wish { bytes: args.bytes, rounds: args.rounds, seed: args.seed };
    let progress = Progress::count("searching");
    progress.set_length(u64::from(args.rounds));
    let measure = |round: u32, recipe: &Recipe| -> Result<Reading> {
        stop::check()?;
        progress.set(u64::from(round), &case.name);
        let spec = Spec { profile: Profile::from(recipe.clone()), scale: 1.0, seed: args.seed };
        let corpus = generators::ensure(&corpora, &spec, corpus::threads(), stop, &|_| ())?;
        let reading = search::measure(&case, &options, &Input::from_corpus(&corpus), stop);
        fs::remove_dir_all(&corpus.root)
            .with_context(|| format!("failed to remove {}", corpus.root.display()))?;
        Ok(reading?)
    };
    let worst = search::climb(wish, measure, |tried| progress.note(&sentence(tried)))?;
    progress.finish();
    drop(progress);
    let worst = worst.context("nothing was tried: give at least one of --rounds")?;
    reports::store::write_atomically(&args.out, worst.recipe.to_toml().as_bytes())?;
    show::result(&format!("{}: the worst of {} histories: {}", case.name, args.rounds, sentence(&worst)));
    show::note(&format!(
        "wrote {}; `highwater run {} --profile {}` measures it again",
        args.out.display(),
        case.name,
        args.out.display()
    ));
    Ok(0)
}

fn case(name: &str) -> Result<CaseSpec> {
    let mut cases = scenarios::select(&[name.to_owned()], reports::budget::matches)?;
    match (cases.len(), cases.pop()) {
        (1, Some(case)) if search::can_search(&case) => Ok(case),
        (1, Some(case)) => bail!(
            "{} does not read the corpus as it is, so that no worse one can be looked for; a case of sync/cold, sync/warm or sync/incremental does",
            case.name
        ),
        (count, _) => bail!("{name} names {count} cases; name one, such as sync/cold:bounded"),
    }
}

/// What was found, and by which history.
fn sentence(tried: &Tried) -> String {
    let Reading { peak, bytes, bound } = tried.reading;
    let histories: Vec<String> = tried
        .recipe
        .histories()
        .map(|(format, history)| {
            let shapes: Vec<&str> = history.shapes.keys().map(String::as_str).collect();
            let shapes = if shapes.is_empty() { String::new() } else { format!(" ({})", shapes.join(", ")) };
            let (sessions, requests) = (history.sessions, history.requests);
            format!(
                "{format}{shapes} {sessions} sessions in {} workspaces, {requests} requests",
                history.workspaces
            )
        })
        .collect();
    let bound = bound
        .map_or_else(String::new, |bound| format!(", {:.0} % of the bound", peak / bound as f64 * 100.0));
    let ratio = tried.ratio;
    format!(
        "{ratio:.4} bytes of peak a byte ({} of {}{bound}): {}",
        format_bytes(peak as u64),
        format_bytes(bytes),
        histories.join("; ")
    )
}
