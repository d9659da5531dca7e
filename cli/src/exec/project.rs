//! `highwater exec` without a command: everything that the project's file names, in one run.

use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use harness::sites::Profile;
use reports::budget::Budgets;
use scenarios::exec::{Arm, Program, Samples};
use scenarios::project::{FILE, Measure, Project};

use super::{Taken, prepare, take};
use crate::args::{self, Measuring};
use crate::gate::{self, Bases};
use crate::places::Profiler;
use crate::{checkout, folder, project, show, stop};

/// Builds, measures, judges where there are budgets, writes the reports, prints the table, and gives the verdict's exit code.
pub(super) fn exec(args: &args::Exec) -> Result<i32> {
    let project = project::here()?.with_context(|| {
        format!("there is no command after `--`, and no {FILE} here: `highwater init` writes one")
    })?;
    let chosen = chosen(&project, args.name.as_deref())?;
    let budgets = args.budgets.as_deref().or(project.budgets.as_deref()).map(Budgets::read).transpose()?;
    let baseline = args.baseline.as_deref().or(project.baseline.as_deref());
    let bases = Bases::read(baseline, None)?;
    // A mistake in the budgets is said before the work, not after it.
    if let Some(budgets) = &budgets {
        check(budgets, &bases, &project, &chosen, args)?;
    }
    let stop = stop::listen()?;
    if let Some(words) = &project.build {
        build(words)?;
    }
    let mut taken = measure(args, &chosen, stop)?;
    taken.judge(args, budgets.as_ref(), &bases)?;
    taken.publish(&args.measuring, |run| reports::text::table(run, show::style()))
}

/// The entries of this name, or that fit this pattern; all when none is given.
fn chosen<'p>(project: &'p Project, pattern: Option<&str>) -> Result<Vec<&'p Measure>> {
    let fits = |measure: &&Measure| {
        pattern.is_none_or(|pattern| reports::budget::matches(pattern, measure.name.get_ref()))
    };
    let chosen: Vec<&Measure> = project.measure.iter().filter(fits).collect();
    if let (true, Some(pattern)) = (chosen.is_empty(), pattern) {
        let known: Vec<&str> =
            project.measure.iter().map(|measure| measure.name.get_ref().as_str()).collect();
        bail!("--name {pattern}: {FILE} measures nothing of this name; it has {}", known.join(", "));
    }
    Ok(chosen)
}

/// Complains of budgets that name what is not measured, or that so many samples cannot be judged by.
fn check(
    budgets: &Budgets,
    bases: &Bases,
    project: &Project,
    chosen: &[&Measure],
    args: &args::Exec,
) -> Result<()> {
    let names: Vec<String> = project.measure.iter().flat_map(Measure::cases).collect();
    gate::check_all_cases(budgets, &names)?;
    for measure in chosen {
        let samples = args.samples.unwrap_or(measure.samples) as usize;
        let checked = bases.against().check_samples(budgets, &measure.cases(), samples);
        checked.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Makes what is measured. What the build says goes to standard error, as it comes.
fn build(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().context("the build is empty")?;
    let line = words.join(" ");
    show::note(&format!("building: {line}"));
    // The whole path: on Windows npm and others are scripts, which a name alone does not start.
    let program = which::which(program)
        .with_context(|| format!("{FILE}: build: {program} was not found: install it, or name another"))?;
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("failed to start the build, {line}"))?;
    stop::check()?;
    if status.success() { Ok(()) } else { bail!("the build failed with {status}: {line}") }
}

/// Measures the entries, one after the other.
fn measure(args: &args::Exec, chosen: &[&Measure], stop: &'static AtomicBool) -> Result<Taken> {
    let mut arms = Vec::new();
    // A command that is not there is said before the first is measured.
    for measure in chosen {
        let name = measure.name.get_ref().clone();
        let words = measure.command.iter().map(Into::into).collect();
        let program = Program::find(words).with_context(|| format!("{FILE}: {name}"))?;
        arms.push(Arm { name, program });
    }
    let scratch = folder::Scratch::new(&args.measuring.out)?;
    let mut run = folder::record(jiff::Timestamp::now(), checkout::artifact(), Vec::new());
    let mut profilers: Vec<(String, Box<Profiler<'static>>)> = Vec::new();
    for (measure, arm) in chosen.iter().zip(arms) {
        let measuring = measuring(measure, args);
        let samples = Samples::shown(args.samples.unwrap_or(measure.samples));
        let corpus = prepare(&measuring, stop)?;
        let (name, arms) = (arm.name.clone(), [arm]);
        let (part, profile) = take(&scratch, corpus, &measuring, samples, &arms, stop)?;
        run.cases.extend(part.cases);
        run.doubts.extend(part.doubts);
        profilers.push((name, profile));
    }
    let profile = move |case: &str| profile(case, &mut profilers);
    Ok(Taken { run, scratch, profile: Box::new(profile) })
}

/// The allocation sites of one of the entries.
fn profile(
    case: &str,
    profilers: &mut [(String, Box<Profiler<'static>>)],
) -> std::result::Result<Profile, String> {
    let own = profilers.iter_mut().find(|(name, _)| name == case);
    let (_, profile) =
        own.ok_or_else(|| "a quiet pass is of Node, whose heap dhat does not see".to_owned())?;
    profile(case)
}

/// How one entry is measured.
fn measuring(measure: &Measure, args: &args::Exec) -> Measuring {
    Measuring {
        corpus: measure.corpus.clone(),
        seed: measure.seed.unwrap_or(args.measuring.seed),
        corpora: args.measuring.corpora.clone(),
        warm: measure.warm,
        timeout: u64::from(measure.timeout),
        expect_exit: measure.expect_exit,
        instrument: measure.instrument.clone(),
        phase_regex: measure.phase_regex.clone(),
        stdin: measure.stdin.clone(),
        show_output: args.measuring.show_output,
        no_trace: !measure.trace,
        out: args.measuring.out.clone(),
    }
}
