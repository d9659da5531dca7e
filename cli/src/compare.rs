//! `highwater compare`: two saved runs side by side, or a base and a head measured in turn and judged.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use harness::record::{Judgement, Run, Verdict};
use reports::decision::{self, Terms};
use reports::fitness;
use reports::judge::PairTerms;
use scenarios::exec::{self as commands, Arm, Program, Samples};

use crate::exec::Taken;
use crate::gate::read_run;
use crate::{args, exec, places, show};

mod artifact;
mod own;

/// Prints the comparison, and gives the verdict's exit code; two saved runs are not judged.
pub(crate) fn compare(args: &args::Compare) -> Result<i32> {
    if let (Some(base), Some(head)) = (&args.base_run, &args.head_run) {
        let (base, head) = (read_run(base)?, read_run(head)?);
        show::result(&reports::compare::text(&reports::compare::compare(&base, &head)));
        return Ok(0);
    }
    feasible(args)?;
    let mut taken = match (&args.base, &args.head, &args.base_ref) {
        (Some(base), Some(head), _) => two_commands(args, base, head)?,
        (_, _, Some(reference)) if !args.command.is_empty() => artifact::command(args, reference)?,
        _ => own::scenarios(args)?,
    };
    judge(&mut taken.run, args);
    places::clear(&args.measuring.out)?;
    places::explain_pairs(&mut taken.run, &args.measuring.out, &mut taken.profile)?;
    taken.publish(&args.measuring, reports::compare::commands)
}

/// Complains before anything is measured when the samples could never be judged.
fn feasible(args: &args::Compare) -> Result<()> {
    let samples = args.samples as usize;
    if let Err(why) = decision::feasible(samples, samples, args.judged.alpha) {
        bail!("--samples {samples}: {why}");
    }
    Ok(())
}

/// Measures two commands in turn.
fn two_commands(args: &args::Compare, base: &str, head: &str) -> Result<Taken> {
    let program = |option: &str, line: &str| Ok::<_, anyhow::Error>(Program::find(words(option, line)?)?);
    let (base, head) = (program("--base", base)?, program("--head", head)?);
    let name = name(args, &base)?;
    exec::measure(&args.measuring, Samples::judged(args.samples), &arms(&name, base, head))
}

/// NAME of the cases.
fn name(args: &args::Compare, program: &Program) -> Result<String> {
    match &args.name {
        Some(name) if !name.is_empty() && commands::plain(name) == *name => Ok(name.clone()),
        Some(name) => bail!("--name {name}: use letters, digits, `_`, `.` and `-`"),
        None => Ok(commands::of_program(program.path())),
    }
}

fn arms(name: &str, base: Program, head: Program) -> [Arm; 2] {
    [("base", base), ("head", head)]
        .map(|(strategy, program)| Arm { name: format!("compare/{name}:{strategy}"), program })
}

/// A command line as words, by the rules of a shell but without one: nothing is expanded, piped or redirected.
fn words(option: &str, line: &str) -> Result<Vec<OsString>> {
    let words = shlex::split(line).with_context(|| {
        format!("{option} {line}: a quote is not closed, or a backslash stands at the end")
    })?;
    if words.is_empty() {
        bail!("{option} is empty: give a command with its arguments in one text");
    }
    Ok(words.into_iter().map(Into::into).collect())
}

/// Judges each head by its base, unless the base was not quiet enough to judge by.
fn judge(run: &mut Run, args: &args::Compare) {
    let judged = &args.judged;
    let usual = PairTerms::default();
    let primary = if judged.primary.is_empty() { usual.primary } else { judged.primary.clone() };
    let terms = Terms { alpha: judged.alpha, confidence: judged.confidence };
    reports::judge::pairs(
        run,
        &PairTerms { allowed: judged.allow, allowed_exact: judged.allow_exact, terms, primary },
    );
    fitness::apply(run, judged.spread_max / 100.0);
    missing_primaries(run, &judged.primary);
}

/// A metric that was asked for and that no side has is an error: nothing was judged by it.
fn missing_primaries(run: &mut Run, primary: &[String]) {
    let is_there = |name: &&String| run.cases.iter().any(|case| case.metrics.contains_key(*name));
    let missing: Vec<String> = primary.iter().filter(|name| !is_there(name)).cloned().collect();
    let Some(head) = run.cases.iter_mut().rfind(|case| case.error.is_none()) else { return };
    for metric in missing {
        let why = format!("{metric} was not measured: another --instrument may read it");
        let budget = "measured on both sides".to_owned();
        head.verdicts.push(Judgement {
            metric,
            verdict: Verdict::Error,
            budget,
            why,
            ..Judgement::default()
        });
        run.verdict = Verdict::Error;
    }
}

/// Notes what a side is a build of.
fn note(run: &mut Run, side: &str, text: &str) {
    let strategy =
        |name: &str| name.rsplit_once(':').map_or(String::new(), |(_, strategy)| strategy.to_owned());
    for case in run.cases.iter_mut().filter(|case| strategy(&case.case).starts_with(side)) {
        case.notes.insert(0, text.to_owned());
    }
}
