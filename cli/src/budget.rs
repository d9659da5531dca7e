//! `highwater budget`: writes, tightens, explains and excuses the limits of a file of budgets.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use harness::record::Run;
use jiff::civil::Date;
use reports::budget::{Budgets, Desk, edit};
use reports::store;
use scenarios::project::Project;

use crate::args::{self, BudgetVerb};
use crate::{build, gate, project, show};

/// Does what was asked for; gives the exit code.
pub(crate) fn budget(args: &args::Budget) -> Result<i32> {
    match &args.verb {
        BudgetVerb::Init(args) => init(args),
        BudgetVerb::Ratchet(args) => ratchet(args),
        BudgetVerb::Explain(args) => explain(args),
        BudgetVerb::Waive(args) => waive(args),
    }
}

fn init(args: &args::Init) -> Result<i32> {
    let out = &args.out;
    if out.exists() && !args.force {
        bail!("{} exists already: name another file with --out, or replace it with --force", out.display());
    }
    let run = gate::read_run(&args.run)?;
    let first = edit::init(&run, args.headroom, out)?;
    store::write_atomically(out, first.text.as_bytes())?;
    let limits = first.limits;
    show::result(&format!("wrote {}: {limits} limit{}", out.display(), if limits == 1 { "" } else { "s" }));
    first.left_out.iter().for_each(|what| show::result(&format!("  without a limit: {what}")));
    Ok(0)
}

fn ratchet(args: &args::Ratchet) -> Result<i32> {
    let path = file(args.budgets.as_deref())?;
    let text = read(&path)?;
    let runs = args.runs.iter().map(|run| gate::read_run(run)).collect::<Result<Vec<Run>>>()?;
    let terms = edit::Terms {
        confirmations: args.confirm as usize,
        headroom_percent: args.headroom,
        today: gate::today(),
    };
    let ratcheted = edit::ratchet(&text, &path, &runs, &terms)?;
    for looked in &ratcheted.looked {
        show::result(&looked.in_words());
    }
    if ratcheted.text == text {
        show::note(&format!("{} is as it was", path.display()));
    } else if args.dry_run {
        show::note(&format!("{} is as it was: this was a dry run", path.display()));
    } else {
        store::write_atomically(&path, ratcheted.text.as_bytes())?;
        show::note(&format!("wrote {}", path.display()));
    }
    Ok(0)
}

fn explain(args: &args::Explain) -> Result<i32> {
    let judging = &project::with_budgets(&args.judging)?;
    let budgets = gate::read_budgets(judging)?;
    let run = args.run.as_deref().map(gate::read_run).transpose()?;
    let bases = gate::Bases::of(judging)?;
    let here = harness::environment::collect(build::build());
    let known = known(&budgets, run.as_ref(), project::here()?.as_ref());
    let desk = Desk { budgets: &budgets, run: run.as_ref(), against: &bases.against(), environment: &here };
    let lines = reports::budget::explain(&args.case, &known, &desk);
    if lines.is_empty() {
        bail!("no case is named {:?}; `highwater list` shows those that exist", args.case);
    }
    show::result(&lines.join("\n"));
    Ok(0)
}

/// The cases that exist: those of the tables, of the run and of the project, and those that the file names one by one.
fn known(budgets: &Budgets, run: Option<&Run>, project: Option<&Project>) -> Vec<String> {
    let own = scenarios::cases().into_iter().map(|case| case.name);
    let named = budgets.named().filter(|name| !name.contains('*')).map(str::to_owned);
    let measured = run.into_iter().flat_map(|run| run.cases.iter().map(|case| case.case.clone()));
    let projects = project.into_iter().flat_map(|project| project.measure.iter());
    let projects = projects.map(|measure| measure.name.get_ref().clone());
    own.chain(named).chain(measured).chain(projects).collect()
}

fn waive(args: &args::Waive) -> Result<i32> {
    let path = file(args.budgets.as_deref())?;
    let today = gate::today();
    let wanted = edit::Wanted {
        case: args.case.clone(),
        metric: args.metric.clone(),
        ceiling: args.ceiling.clone(),
        issue: args.issue.clone(),
        owner: args.owner.clone(),
        expires: day(&args.expires, today)?,
    };
    let text = edit::waive(&read(&path)?, &path, &wanted, today)?;
    store::write_atomically(&path, text.as_bytes())?;
    let added = Budgets::parse(&text, &path)?.waivers.pop().context("the waiver was not added")?;
    show::result(&format!(
        "{}:{}: {} {} is {}",
        path.display(),
        added.line,
        added.case,
        added.metric,
        added.in_words()
    ));
    Ok(0)
}

/// A day as it is typed: `2026-01-31`, or so many days from today, `30d`.
fn day(text: &str, today: Date) -> Result<Date> {
    let no_day = || format!("--expires {text}: write a day such as 2026-01-31, or days from now such as 30d");
    match text.strip_suffix('d') {
        Some(days) => {
            let days: i32 = days.parse().with_context(no_day)?;
            let span = jiff::Span::new().try_days(days).with_context(no_day)?;
            today.checked_add(span).with_context(no_day)
        }
        None => text.parse().with_context(no_day),
    }
}

/// The file that is to be changed: there must be one, since what is built in cannot be.
fn file(given: Option<&Path>) -> Result<PathBuf> {
    let named = match given {
        Some(path) => Some(path.to_owned()),
        None => project::budgets()?,
    };
    match named {
        Some(path) => Ok(path),
        None if Path::new(gate::BUDGETS).exists() => Ok(PathBuf::from(gate::BUDGETS)),
        None => bail!(
            "there is no {} here: name the file with --budgets, or make one with `highwater budget init`",
            gate::BUDGETS
        ),
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_date_or_so_many_days_from_now() {
        let today = jiff::civil::date(2026, 1, 31);
        assert_eq!(day("2026-03-01", today).unwrap(), jiff::civil::date(2026, 3, 1));
        assert_eq!(day("30d", today).unwrap(), jiff::civil::date(2026, 3, 2));
        for wrong in ["soon", "d", "1.5d", "2026-02-30", "99999999d"] {
            let said = format!("{:#}", day(wrong, today).unwrap_err());
            assert!(said.starts_with(&format!("--expires {wrong}: write a day")), "{said}");
        }
    }
}
