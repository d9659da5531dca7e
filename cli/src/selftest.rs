//! `highwater selftest`: how well the gate sees on this machine.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use generators::Corpus;
use harness::record::Moment;
use harness::sites::Profile;
use reports::calibration::{self, Calibration, Growth, Kind, Named, Rate, Subject, power, table};
use reports::sites;
use scenarios::runner::Event;
use scenarios::selftest::{self, Amounts, LEAST_EACH, Measured, Options, PLANTED_AT, Planted};

use crate::progress::Progress;
use crate::{args, build, corpus, folder, show, stop};

/// Where the calibration of this machine is kept, below the folder of the state of programs.
const FILE: &str = "calibration.json";
/// The variable that names the folder of this program's state.
const STATE: &str = "HIGHWATER_STATE";

/// Judgements that are drawn of each noisy rate.
const TRIALS: u64 = 1000;

/// What the default takes: some minutes. The exact samples suffice for the upper end of a rate of none to be below 1 in 100.
const AMOUNTS: Amounts =
    Amounts { exact: 800, noisy: 90, trials: 10, places: 2, each_place: 20, single: 100 };
/// What `--full` takes, for published figures.
const FULL: Amounts =
    Amounts { exact: 2000, noisy: 200, trials: 100, places: 5, each_place: 20, single: 100 };
/// Sizes of growth of the default, in percent.
const PERCENTS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// Runs under dhat with growth that is to be named, by default and in full.
const NAMED: u32 = 5;
/// See [`NAMED`].
const NAMED_FULL: u32 = 100;

/// Measures, judges, prints the tables and saves them.
pub(crate) fn selftest(args: &args::Selftest) -> Result<i32> {
    let subjects = subjects(args)?;
    let state = state_file()?;
    let stop = stop::listen()?;
    let corpora =
        [selftest::OWN_CORPUS, selftest::NODE_CORPUS].map(|spec| corpus::make(&args.corpora, &spec, stop));
    let [own, node] = corpora;
    let corpora = (&own?, &node?);
    stop::check()?;
    let began = (jiff::Timestamp::now(), Instant::now());
    let scratch = folder::Scratch::new(&args.out)?;
    let options = options(args, scratch.path())?;
    let taken = with_progress(|observe| selftest::run(&subjects, corpora, &options, stop, observe))?;
    stop::check()?;
    let named = match subjects.contains(&selftest::SUBJECTS[0]) {
        true => Some(named(args, corpora.0, &options, stop)?),
        false => None,
    };
    stop::check()?;
    let calibration = judged(args, taken, named, began);
    let out = args.out.join("selftest.json");
    calibration.write(&out)?;
    show::result(&if args.markdown { table::markdown(&calibration) } else { table::text(&calibration) });
    show::note(&format!("wrote {}", out.display()));
    // A part of the subjects is no calibration of the machine.
    if args.subject.is_empty() {
        calibration.write(&state)?;
        show::note(&format!("saved the calibration of this machine, {}", state.display()));
    }
    Ok(reports::exit::code(calibration.verdict().0))
}

fn subjects(args: &args::Selftest) -> Result<Vec<&'static str>> {
    if args.subject.is_empty() {
        return Ok(selftest::SUBJECTS.to_vec());
    }
    let known = |name: &String| {
        let found = selftest::SUBJECTS.into_iter().find(|known| known == name);
        found.with_context(|| format!("--subject {name}: known are {}", selftest::SUBJECTS.join(", ")))
    };
    args.subject.iter().map(known).collect()
}

fn options(args: &args::Selftest, scratch: &Path) -> Result<Options> {
    let amounts = match args.quick {
        Some(noisy) => Amounts { exact: noisy, noisy, trials: 2, places: 1, each_place: noisy, single: 8 },
        None if args.full => FULL,
        None => AMOUNTS,
    };
    Ok(Options {
        program: std::env::current_exe().context("failed to find this program's own file")?,
        scratch: scratch.to_owned(),
        timeout: Duration::from_secs(120),
        seed: args.seed,
        amounts,
        percents: if args.full { power::PERCENTS.to_vec() } else { PERCENTS.to_vec() },
    })
}

fn with_progress<T>(work: impl FnOnce(&mut dyn FnMut(Event<'_>)) -> T) -> T {
    let progress = Progress::count("measuring");
    let done = work(&mut |event| {
        let Event::Case { case, number, of } = event;
        progress.set_length(of);
        progress.set(number, case);
    });
    progress.finish();
    done
}

/// Plants the smallest growth in runs under dhat, and looks whether its site is named and no other.
fn named(args: &args::Selftest, corpus: &Corpus, options: &Options, stop: &AtomicBool) -> Result<Named> {
    let trials = match args.quick {
        Some(_) => 1,
        None if args.full => NAMED_FULL,
        None => NAMED,
    };
    let profiles = with_progress(|observe| selftest::profiles(corpus, trials, options, stop, observe))?;
    let Some((base, heads)) = profiles else { bail!("stopped on request; nothing half-written was left") };
    let bytes = (LEAST_EACH * corpus.manifest.answer.sessions) as f64;
    let right = heads.iter().filter(|head| is_named(&base, head, bytes)).count();
    let first = heads
        .first()
        .map(|head| growth(&base, head))
        .map_or_else(String::new, |growth| sites::first_line(&growth));
    Ok(Named {
        planted: format!("{LEAST_EACH} B for each session"),
        named: Rate::of(right as u64, u64::from(trials)),
        first,
    })
}

fn growth(base: &Profile, head: &Profile) -> harness::record::SiteGrowth {
    sites::growth(base, head, Moment::Retained, None)
}

/// Whether the sites that grew are that of the planted function alone, by what was planted, to the byte.
fn is_named(base: &Profile, head: &Profile, bytes: f64) -> bool {
    let growth = growth(base, head);
    let grown: f64 = growth.sites.iter().map(|site| site.head_bytes - site.base_bytes).sum();
    let is_planted = |site: &harness::record::GrownSite| site.function == PLANTED_AT;
    !growth.sites.is_empty() && growth.sites.iter().all(is_planted) && grown == bytes
}

/// Judgements of everything that was taken.
fn judged(
    args: &args::Selftest,
    taken: selftest::Taken,
    named: Option<Named>,
    (began, clock): (jiff::Timestamp, Instant),
) -> Calibration {
    let terms = calibration::Terms::default();
    let plan = power::Plan { terms, trials: TRIALS, seed: args.seed };
    let mut subjects: Vec<Subject> =
        taken.subjects.into_iter().map(|measured| judge(measured, &plan)).collect();
    if let Some(first) = subjects.first_mut().filter(|subject| subject.name == selftest::SUBJECTS[0]) {
        first.named = named;
    }
    Calibration {
        schema: calibration::SCHEMA,
        environment: harness::environment::collect(build::build()),
        time: began.to_string(),
        seconds: clock.elapsed().as_secs_f64(),
        seed: args.seed,
        terms,
        subjects,
        doubts: taken.doubts,
    }
}

fn judge(measured: Measured, plan: &power::Plan) -> Subject {
    let Measured { name, corpus, runs, metrics } = measured;
    let judged = metrics.into_iter().map(|samples| {
        let grown = samples.grown.into_iter();
        let grown = grown.map(|(planted, places)| power::Grown { growth: of(planted), places });
        let samples = power::Samples {
            metric: samples.metric,
            tier: samples.tier,
            unit: samples.unit,
            plain: samples.plain,
            grown: grown.collect(),
        };
        power::of(&samples, plan)
    });
    Subject { name: name.to_owned(), corpus: Some(corpus), runs, metrics: judged.collect(), named: None }
}

fn of(planted: Planted) -> Growth {
    let kind = match planted.kind {
        selftest::Kind::Retained => Kind::Retained,
        selftest::Kind::Spike => Kind::Spike,
        selftest::Kind::Copy => Kind::Copy,
        selftest::Kind::Each => Kind::Each,
    };
    Growth { kind, what: planted.what, percent: planted.percent, bytes: planted.bytes }
}

/// The calibration of this machine: in HIGHWATER_STATE, else where the platform keeps the state of programs.
pub(crate) fn state_file() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = folder(STATE) {
        return Ok(own.join(FILE));
    }
    let home = || folder("HOME").or_else(|| folder("USERPROFILE"));
    let state = match std::env::consts::OS {
        "windows" => folder("LOCALAPPDATA"),
        "macos" => home().map(|home| home.join("Library/Application Support")),
        _ => folder("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state"))),
    };
    let state = state.with_context(|| format!("no folder for the calibration is known: set {STATE}"))?;
    Ok(state.join("highwater").join(FILE))
}
