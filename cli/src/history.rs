//! `highwater history`: keeps runs, and shows what is kept.

mod trends;

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context, Result, bail};
use reports::history::entry::{Change, Entry};
use reports::history::list;
use reports::history::series::{RunMark, Selection, Timeline};
use reports::history::store::{Added, Keep, Store, Target};

use crate::args::history::{Add, History, HistoryVerb, List, Prune};
use crate::{checkout, gate, show};

/// Where a history is when nothing else is said.
const STORE: &str = ".highwater/history.db";
/// What is said of a run that was just added, when nobody named its branch.
const NO_BRANCH: &str = "its branch is not known, so no trend of a branch shows it, and it stays as it is; of the next run name it with --branch";
/// Names the history, as `--store` does.
const VARIABLE: &str = "HIGHWATER_STORE";

/// Does what was asked for; gives the exit code.
pub(crate) fn history(args: &History) -> Result<i32> {
    let target = target(args.store.as_deref())?;
    match &args.verb {
        HistoryVerb::Add(args) => add(&target, args),
        HistoryVerb::List(args) => list(&target, args),
        HistoryVerb::Trend(args) => trends::trend(&mut Store::open_existing(&target)?, args),
        HistoryVerb::Drift(args) => trends::drift(&mut Store::open_existing(&target)?, args),
        HistoryVerb::Releases(args) => trends::releases(&mut Store::open_existing(&target)?, args),
        HistoryVerb::Export { file } => export(&target, file.as_deref()),
        HistoryVerb::Import { file } => import(&target, file),
        HistoryVerb::Prune(args) => prune(&target, args),
    }
}

/// The history that is meant; without a word of one, that of the environment or of this folder.
pub(crate) fn target(store: Option<&str>) -> Result<Target> {
    if let Some(store) = store {
        return store.parse().context("--store");
    }
    match std::env::var(VARIABLE) {
        Ok(store) if !store.is_empty() => store.parse().context(VARIABLE),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
        _ => Ok(Target::File(STORE.into())),
    }
}

/// A URL in a file's place would be shown with its password when the file is not found.
fn check_file(path: &Path) -> Result<()> {
    if path.to_string_lossy().to_ascii_lowercase().starts_with("postgres")
        && path.to_string_lossy().contains("://")
    {
        bail!("a URL stands where a file or run is to be named: the history is named with --store");
    }
    Ok(())
}

fn add(target: &Target, args: &Add) -> Result<i32> {
    args.runs.iter().try_for_each(|run| check_file(run))?;
    // All are read before one is added.
    let mut runs = Vec::new();
    for path in &args.runs {
        let run = gate::read_run(path)?;
        if run.cases.is_empty() {
            bail!("{} has no cases: there is nothing to keep of it", gate::run_path(path).display());
        }
        runs.push((path, run));
    }
    let mut store = Store::open(target)?;
    for (path, run) in runs {
        let entry = Entry::of(&run, change(run.artifact.commit.as_deref(), args));
        match store.add(&entry)? {
            Added::New => {
                show::result(&format!("added {} {}", list::short_id(&entry.id), path.display()));
                if entry.change.branch.is_none() {
                    show::note(NO_BRANCH);
                }
            }
            Added::Known { id, branch } => {
                show::result(&format!("known {} {}", list::short_id(&id), path.display()));
                if branch != entry.change.branch {
                    let kept =
                        branch.map_or("without a branch".to_owned(), |name| format!("as one of {name}"));
                    show::note(&reports::plain_line(&format!("it was kept {kept}, and stays so")));
                }
            }
        }
    }
    Ok(0)
}

/// What was said of the commit, and for the rest what git knows.
fn change(commit: Option<&str>, args: &Add) -> Change {
    let known = commit.map(checkout::change).unwrap_or_default();
    Change {
        committed: args.committed.map(|time| time.to_string()).or(known.committed),
        branch: args.branch.clone().or(known.branch),
        subject: args.subject.clone().or(known.subject),
        author: args.author.clone().or(known.author),
    }
}

fn list(target: &Target, args: &List) -> Result<i32> {
    let selection = Selection { branch: args.branch.clone(), ..Selection::default() };
    let mut timeline = Store::open_existing(target)?.runs(&selection)?;
    let all = timeline.runs.len();
    timeline.runs.drain(..all.saturating_sub(args.last));
    show::result(&list::table(&timeline));
    show::note(&format!("{} of {all} runs", timeline.runs.len()));
    Ok(0)
}

fn export(target: &Target, file: Option<&Path>) -> Result<i32> {
    let mut store = Store::open_existing(target)?;
    match file {
        None => {
            store.export(&mut BufWriter::new(io::stdout().lock()))?;
        }
        Some(path) => {
            check_file(path)?;
            let mut lines = Vec::new();
            let count = store.export(&mut lines)?;
            reports::store::write_atomically(path, &lines)?;
            show::note(&format!("wrote {count} runs to {}", path.display()));
        }
    }
    Ok(0)
}

fn import(target: &Target, file: &Path) -> Result<i32> {
    check_file(file)?;
    let imported = if file == Path::new("-") {
        Store::open(target)?.import(&mut io::stdin().lock())?
    } else {
        let opened = File::open(file).with_context(|| format!("failed to read {}", file.display()))?;
        Store::open(target)?.import(&mut BufReader::new(opened))?
    };
    for bad in &imported.bad {
        let said = format!("{}:{}: {}", file.display(), bad.line, bad.why);
        show::note(&reports::plain_line(&said));
    }
    show::result(&format!(
        "added {}, known {}, left out {}",
        imported.added,
        imported.known,
        imported.bad.len()
    ));
    if !imported.bad.is_empty() {
        bail!("{} lines of {} are no runs; all others are kept", imported.bad.len(), file.display());
    }
    Ok(0)
}

fn prune(target: &Target, args: &Prune) -> Result<i32> {
    let keep = Keep { branch: args.branch.clone(), last: args.rules.keep, since: args.rules.since };
    let pruned = Store::open_existing(target)?.prune(&keep, args.dry_run)?;
    let gone: Vec<RunMark> = pruned.gone;
    let count = gone.len();
    if count > 0 {
        show::result(&list::table(&Timeline { runs: gone, ..Timeline::default() }));
    }
    let releases = match pruned.releases {
        0 => String::new(),
        releases => format!(", {releases} of them only as releases"),
    };
    let verb = if args.dry_run { "would go" } else { "went" };
    show::note(&format!("{count} runs {verb}, {} stay{releases}", pruned.kept));
    Ok(0)
}
