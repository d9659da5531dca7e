//! `highwater run`: the main job.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use generators::{Profile, Spec};
use harness::instrument::Instrument;
use harness::record::{self, Worth};
use harness::sites;
use reports::baseline::Baseline;
use scenarios::lattice::{self, LATTICES, Lattice};
use scenarios::runner::{self, Event, Input, Options, Plan, Runner};
use scenarios::view::browser::Model;
use scenarios::{CaseSpec, Steady};

use crate::places::{self, Profiler};
use crate::progress::Progress;
use crate::{args, build, corpus, folder, gate, show, stop};

/// Samples of an instrument that counts: two, to see whether they are equal.
const EXACT_SAMPLES: u32 = 2;

/// Measures, judges, writes the reports, prints the table, and gives the verdict's exit code.
pub(crate) fn run(args: &args::Run) -> Result<i32> {
    let plan = plan(args)?;
    // A mistake in the budgets is said before the work, not after it.
    gate::check(&args.judging, &plan.names(), args.samples)?;
    let stop = stop::listen()?;
    let input = input(args, stop)?;
    let steady = steady(args, &plan, stop)?;
    stop::check()?;
    let scratch = folder::Scratch::new(&args.out)?;
    let options = options(args, scratch.path())?;
    let mut run = measure(args, &plan, &options, &input, steady, stop)?;
    stop::check()?;
    let mut silent = |_: Event<'_>| {};
    let mut runner = Runner::new(&options, &input, stop, &mut silent);
    let mut profile = |case: &str| places_of(case, &plan, &mut runner);
    places::clear(&args.out)?;
    if args.sites {
        places::save_all(&mut run, &args.out, &mut profile)?;
    }
    judge(&mut run, args, &mut profile)?;
    stop::check()?;
    folder::write(&run, &args.out)?;
    if let Some(path) = &args.save_baseline {
        Baseline::of(&run).write(path)?;
        show::note(&format!("saved the baseline {}", path.display()));
    }
    show::result(&reports::text::table(&run, show::style()));
    folder::say(&args.out);
    if let Some(sentence) = gate::failure(&run) {
        show::error(&sentence);
    }
    Ok(reports::exit::code(run.verdict))
}

fn plan(args: &args::Run) -> Result<Plan> {
    if let Some(scenario) = &args.lattice {
        lattice(scenario)?;
        return Ok(Plan { cases: Vec::new() });
    }
    let cases = scenarios::select(&args.cases, reports::budget::matches)?;
    let fits = |case: &CaseSpec| args.home.is_none() || case.reads_any_home();
    Ok(Plan { cases: cases.into_iter().filter(fits).collect() })
}

fn input(args: &args::Run, stop: &AtomicBool) -> Result<Input> {
    match &args.home {
        None => Ok(Input::from_corpus(&corpus::ensure(&args.spec, stop)?)),
        Some(home) if home.is_dir() => Ok(Input::from_home(home)),
        Some(home) => bail!("{} is not a directory; --home takes a home directory", home.display()),
    }
}

/// The corpora of steady sessions that the plan's cases need beside the run's own.
fn steady(args: &args::Run, plan: &Plan, stop: &AtomicBool) -> Result<Steady> {
    let make = |spec: &Spec| corpus::make(&args.spec.corpora, spec, stop);
    Steady::make(&plan.cases, args.sweep, args.spec.seed, make)
}

/// The cost model of a browser in a file; what the file does not name is as it is built in.
fn model(path: &Path) -> Result<Model> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read the model {}", path.display()))?;
    let model: Model = toml::from_str(&text).with_context(|| {
        format!("{} is no model of a browser: docs/view.md lists what it may say", path.display())
    })?;
    match model.flaw() {
        Some(name) => bail!("{}: {name} must be a number that is not below 0", path.display()),
        None => Ok(model),
    }
}

fn options(args: &args::Run, scratch: &Path) -> Result<Options> {
    let samples =
        |instrument: &Instrument| if *instrument == Instrument::Os { args.samples } else { EXACT_SAMPLES };
    Ok(Options {
        program: std::env::current_exe().context("failed to find this program's own file")?,
        scratch: scratch.to_owned(),
        instruments: args.instrument.iter().map(|instrument| (*instrument, samples(instrument))).collect(),
        timeout: Duration::from_secs(args.timeout),
        ticks: args.ticks,
        browser: args.model.as_deref().map(model).transpose()?.unwrap_or_default(),
        inject: args.inject.clone(),
    })
}

fn measure(
    args: &args::Run,
    plan: &Plan,
    options: &Options,
    input: &Input,
    steady: Steady,
    stop: &AtomicBool,
) -> Result<record::Run> {
    let progress = Progress::count("measuring");
    let mut observe = |event: Event<'_>| {
        let Event::Case { case, number, of } = event;
        progress.set_length(of);
        progress.set(number, case);
    };
    let time = jiff::Timestamp::now();
    let mut runner = Runner::new(options, input, stop, &mut observe);
    runner.steady = steady;
    let (cases, worth) = match &args.lattice {
        Some(scenario) => (Vec::new(), worth(&mut runner, scenario)?),
        None => (runner::run(plan, &mut runner), Vec::new()),
    };
    progress.finish();
    let mut run = record::Run { worth, ..folder::record(time, build::artifact(), cases) };
    if let Some(planted) = &args.inject {
        run.doubts.push(format!("growth was planted ({planted}): no figure is that of the program as it is"));
    }
    reports::law::fill(&mut run);
    reports::rate::fill(&mut run);
    Ok(run)
}

/// The fixes of a scenario.
fn lattice(scenario: &str) -> Result<&'static Lattice> {
    lattice::of(scenario).with_context(|| {
        let known: Vec<&str> = LATTICES.iter().map(|lattice| lattice.scenario).collect();
        format!("--lattice {scenario}: only the fixes of {} can be combined", known.join(", "))
    })
}

fn worth(runner: &mut Runner<'_>, scenario: &str) -> Result<Vec<Worth>> {
    let lattice = lattice(scenario)?;
    let values = lattice::measure(runner, lattice)?;
    let of = |(metric, values): (&&str, &Vec<f64>)| {
        reports::worth::shapley(lattice.scenario, metric, lattice.names, values)
    };
    Ok(lattice.metrics.iter().zip(&values).map(of).collect())
}

/// The allocation sites of a case of the plan.
fn places_of(name: &str, plan: &Plan, runner: &mut Runner<'_>) -> Result<sites::Profile, String> {
    let spec = plan.cases.iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| format!("{name} is not among the cases of this run"))?;
    show::note(&format!("looking for the allocation sites of {name}"));
    scenarios::sites::profile(runner, spec)
}

fn judge(run: &mut record::Run, args: &args::Run, profile: &mut Profiler<'_>) -> Result<()> {
    match unjudged(args) {
        None => gate::judge(run, &args.judging, &args.out, profile),
        Some(why) => {
            gate::leave_unjudged(run, why);
            Ok(())
        }
    }
}

/// Why a run is not judged, if it is not: the project's budgets are figures of its own corpus.
fn unjudged(args: &args::Run) -> Option<&'static str> {
    if args.lattice.is_some() {
        return Some("the worth of fixes is a comparison: no budget applies to it");
    }
    if args.judging.budgets.is_some() {
        return None;
    }
    if args.home.is_some() {
        return Some("a person's own history has no budgets: nothing was judged (--budgets FILE names some)");
    }
    let is_default = args.spec.profile == Profile::Heavy;
    (!is_default).then_some(
        "the budgets are those of the profile heavy: nothing was judged (--budgets FILE names some)",
    )
}
