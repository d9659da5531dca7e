//! `highwater gate`: judges a saved run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use harness::record::{Judgement, Run, Verdict};
use reports::baseline::Base;
use reports::budget::Budgets;
use reports::calibration::Calibration;
use reports::judge::Against;
use scenarios::exec;

use crate::args::{self, Judging};
use crate::places::{self, Profiler};
use crate::{project, selftest, show};

/// The budgets of this project, for where there is no file.
const BUILT_IN: &str = include_str!("../../ci/budgets.toml");
/// Where budgets are looked for.
pub(crate) const BUDGETS: &str = "ci/budgets.toml";

/// The corpora that the project's own budgets are figures of: the run's own, and the one that some scenarios bring with them.
const OWN_CORPUS: &str = "heavy";
/// See [`OWN_CORPUS`].
const STEADY_CORPUS: &str = "steady";

/// Judges, prints, and gives the verdict's exit code.
pub(crate) fn gate(args: &args::Gate) -> Result<i32> {
    // A mistake in the project's file is said before one in the run.
    let judging = &project::with_budgets(&args.judging)?;
    let mut run = read_run(&args.run)?;
    if run.cases.is_empty() {
        bail!(
            "{} has no cases: nothing was measured, and a gate that measured nothing is not green",
            run_path(&args.run).display()
        );
    }
    if judging.budgets.is_none()
        && let Some(other) = other_corpus(&run)
    {
        bail!(
            "this run is of {other}, and the budgets are those of the profile {OWN_CORPUS}: name the file of budgets that it is to be judged by with --budgets"
        );
    }
    let folder = run_path(&args.run).parent().map(Path::to_owned).unwrap_or_default();
    judge(&mut run, judging, &folder, &mut |_| {
        Err("this run has saved none: `highwater run --sites` does".to_owned())
    })?;
    show::result(&reports::text::table(&run, show::style()));
    if let Some(sentence) = failure(&run) {
        show::error(&sentence);
    }
    Ok(reports::exit::code(run.verdict))
}

/// The corpus of a run of our own cases, when none of them read the one that the project's budgets are for. Commands have their own
/// budgets, and a law its own corpora.
fn other_corpus(run: &Run) -> Option<String> {
    let own = run.cases.iter().filter(|case| case.command.is_none() && case.sweep.is_empty());
    let profiles: Vec<&str> = own
        .filter_map(|case| case.corpus.as_ref())
        .map(|corpus| corpus.profile.as_str())
        .filter(|profile| *profile != STEADY_CORPUS)
        .collect();
    if profiles.contains(&OWN_CORPUS) {
        return None;
    }
    profiles.first().map(|profile| match *profile {
        "home" => "a person's own history".to_owned(),
        profile => format!("the profile {profile}"),
    })
}

/// Why the run could not be judged, in one sentence; none when it was.
pub(crate) fn failure(run: &Run) -> Option<String> {
    // Names and errors may come from a file, or from a foreign program.
    let run = &reports::plain_run(run);
    if run.verdict != Verdict::Error {
        return None;
    }
    let found = run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found)));
    let failed: Vec<String> = found
        .filter(|(_, found)| found.verdict == Verdict::Error)
        .map(|(case, found)| {
            let metric = if found.metric == "*" { String::new() } else { format!(" {}", found.metric) };
            format!("{}{metric}: {}", case.case, found.why)
        })
        .collect();
    let nothing = run.doubts.iter().find(|doubt| doubt.starts_with(reports::judge::NOTHING)).cloned();
    let first = failed.first().cloned().or(nothing)?.replace('\n', " ");
    Some(match failed.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more)", more - 1),
    })
}

/// Judges a run that lies in a folder, and names the sites of what broke a limit.
pub(crate) fn judge(
    run: &mut Run,
    judging: &Judging,
    folder: &Path,
    profile: &mut Profiler<'_>,
) -> Result<()> {
    let names: Vec<String> = run.cases.iter().map(|case| case.case.clone()).collect();
    let budgets = budgets(judging, &names)?;
    let bases = Bases::of(judging)?;
    reports::judge::judge(run, &budgets, &bases.against());
    run.doubts.extend(bases.doubts(run));
    bases.explain(run, folder, profile)
}

/// Checks, before the work, that a run of these cases with so many noisy samples can be judged.
pub(crate) fn check(judging: &Judging, names: &[String], samples: u32) -> Result<()> {
    let budgets = budgets(judging, names)?;
    let checked = Bases::of(judging)?.against().check_samples(&budgets, names, samples as usize);
    checked.map_err(anyhow::Error::msg)
}

/// What growth and drift are judged against.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    baseline: Option<Base>,
    release: Option<Base>,
    /// The folder of the baseline's run, where its allocation sites may lie.
    folder: PathBuf,
    /// What a self-test found on this machine.
    calibration: Option<Calibration>,
    /// Why a self-test that was found does not count.
    ignored: Option<String>,
}

impl Bases {
    pub(crate) fn read(baseline: Option<&Path>, release: Option<&Path>) -> Result<Bases> {
        let read = |path: Option<&Path>| path.map(read_base).transpose();
        let folder = baseline.map(run_path).and_then(|path| path.parent().map(Path::to_owned));
        let folder = folder.unwrap_or_default();
        let bases = Bases { baseline: read(baseline)?, release: read(release)?, folder, ..Bases::default() };
        let saved = selftest::state_file().ok().filter(|path| path.is_file());
        match saved.map(|path| Calibration::read(&path)).transpose() {
            Ok(calibration) => Ok(Bases { calibration, ..bases }),
            Err(error) => {
                Ok(Bases { ignored: Some(format!("the saved self-test is ignored: {error}")), ..bases })
            }
        }
    }

    pub(crate) fn of(judging: &Judging) -> Result<Bases> {
        let bases = Bases::read(judging.baseline.as_deref(), judging.release.as_deref())?;
        match &judging.calibration {
            Some(path) => Ok(Bases { calibration: Some(Calibration::read(path)?), ..bases }),
            None => Ok(bases),
        }
    }

    pub(crate) fn against(&self) -> Against<'_> {
        let (baseline, release) = (self.baseline.as_ref(), self.release.as_ref());
        let calibration = self.calibration.as_ref();
        Against { baseline, release, calibration, ..Against::nothing(today()) }
    }

    /// Names the allocation sites of cases that broke a limit, where the baseline is a whole run.
    pub(crate) fn explain(&self, run: &mut Run, out: &Path, profile: &mut Profiler<'_>) -> Result<()> {
        match &self.baseline {
            Some(Base::Run(base)) => places::explain_run(run, base, &self.folder, out, profile),
            _ => Ok(()),
        }
    }

    pub(crate) fn doubts(&self, run: &Run) -> Vec<String> {
        let bases: Vec<&Base> = [&self.baseline, &self.release].into_iter().flatten().collect();
        let mut doubts: Vec<String> = bases.iter().flat_map(|base| base.doubts(&run.environment)).collect();
        if !bases.is_empty() {
            doubts.extend(self.ignored.clone());
            doubts.extend(self.calibration.iter().filter_map(|found| found.doubt(&run.environment)));
        }
        doubts
    }
}

/// The day by which waivers are judged.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Gives every failed case the verdict of an error, and says why nothing else is judged.
pub(crate) fn leave_unjudged(run: &mut Run, why: &str) {
    for case in &mut run.cases {
        let Some(error) = &case.error else { continue };
        case.verdicts.push(Judgement {
            metric: "*".to_owned(),
            verdict: Verdict::Error,
            budget: "the right answer, measured".to_owned(),
            why: format!("not measured: {error}"),
            ..Judgement::default()
        });
        run.verdict = Verdict::Error;
    }
    run.doubts.push(why.to_owned());
}

/// The budgets that were asked for, checked against the cases that exist: those of the tables, and those of this run.
pub(crate) fn budgets(judging: &Judging, names: &[String]) -> Result<Budgets> {
    let budgets = read_budgets(judging)?;
    check_cases(&budgets, names)?;
    Ok(budgets)
}

/// The budgets that were asked for.
pub(crate) fn read_budgets(judging: &Judging) -> Result<Budgets> {
    Ok(match &judging.budgets {
        Some(path) => Budgets::read(path)?,
        None if Path::new(BUDGETS).exists() => Budgets::read(Path::new(BUDGETS))?,
        None => Budgets::parse(BUILT_IN, Path::new("the budgets built in"))?,
    })
}

/// Complains of names that no case has. One file may hold the budgets of several commands, so names of the families of commands,
/// and of those of this run, are not looked for.
pub(crate) fn check_cases(budgets: &Budgets, names: &[String]) -> Result<()> {
    let family = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    let mut families: Vec<String> = names.iter().map(|name| family(name)).collect();
    families.extend(exec::FAMILIES.map(str::to_owned));
    families.retain(|family| !exec::is_taken(family));
    let mut known: Vec<String> = scenarios::cases().into_iter().map(|case| case.name).collect();
    known.extend(names.iter().cloned());
    known.extend(budgets.named().filter(|name| families.contains(&family(name))).map(str::to_owned));
    budgets.check_cases(&known)?;
    Ok(())
}

/// Complains of names that no case has, where all cases of a project are known. Those of the families of commands are not looked for:
/// they are measured by `highwater exec -- CMD` and `highwater compare`.
pub(crate) fn check_all_cases(budgets: &Budgets, names: &[String]) -> Result<()> {
    let is_of_a_command = |name: &&str| exec::FAMILIES.contains(&name.split('/').next().unwrap_or_default());
    let mut known: Vec<String> = scenarios::cases().into_iter().map(|case| case.name).collect();
    known.extend(names.iter().cloned());
    known.extend(budgets.named().filter(is_of_a_command).map(str::to_owned));
    budgets.check_cases(&known)?;
    Ok(())
}

fn read_base(path: &Path) -> Result<Base> {
    Base::read(&run_path(path)).with_context(|| {
        format!(
            "failed to read a base from {}; `highwater run --save-baseline` and `--out` write one",
            path.display()
        )
    })
}

/// Reads a run from its file, or from the folder that holds it.
pub(crate) fn read_run(path: &Path) -> Result<Run> {
    let path = run_path(path);
    reports::store::read(&path)
        .with_context(|| format!("failed to read a run; `highwater run` writes one ({})", path.display()))
}

pub(crate) fn run_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("run.json") } else { path.to_owned() }
}
