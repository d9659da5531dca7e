//! `highwater exec`: any command, measured. `highwater compare` measures two in the same way.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use harness::record::Run;
use harness::sites::Profile;
use harness::subject::Foreign;
use reports::budget::Budgets;
use scenarios::exec::{self, Arm, Options, Program, Samples};
use scenarios::project::CorpusChoice;
use scenarios::runner::Event;

mod project;

use crate::args::{self, Measuring, SpecArgs};
use crate::gate::Bases;
use crate::places::{self, Profiler};
use crate::progress::Progress;
use crate::{checkout, corpus, folder, gate, show, stop};

/// Why a run without budgets says nothing of good or bad.
const UNJUDGED: &str = "nothing was judged: no budgets were given (--budgets FILE names some)";

/// Samples of `os` when nothing is said.
const SAMPLES: u32 = 3;

/// Measures, judges where there are budgets, writes the reports, prints the table, and gives the verdict's exit code.
pub(crate) fn exec(args: &args::Exec) -> Result<i32> {
    if args.command.is_empty() {
        return project::exec(args);
    }
    if args.baseline.is_some() && args.budgets.is_none() {
        bail!("--baseline is what budgets of growth are judged against: name their file with --budgets");
    }
    let program = Program::find(args.command.clone())?;
    let name = match &args.name {
        Some(name) => exec::case_name(name)?,
        None => format!("exec/{}:as-given", exec::of_program(program.path())),
    };
    let names = [name.clone(), exec::quiet_name(&name)];
    let samples = args.samples.unwrap_or(SAMPLES);
    // A mistake in the budgets is said before the work, not after it.
    let budgets = args.budgets.as_deref().map(|path| budgets(path, &names)).transpose()?;
    let bases = Bases::read(args.baseline.as_deref(), None)?;
    if let Some(budgets) = &budgets {
        let checked = bases.against().check_samples(budgets, &names, samples as usize);
        checked.map_err(anyhow::Error::msg)?;
    }
    let mut taken = measure(&args.measuring, Samples::shown(samples), &[Arm { name, program }])?;
    taken.judge(args, budgets.as_ref(), &bases)?;
    taken.publish(&args.measuring, |run| reports::text::table(run, show::style()))
}

fn budgets(path: &Path, names: &[String]) -> Result<Budgets> {
    let budgets = Budgets::read(path)?;
    gate::check_cases(&budgets, names)?;
    Ok(budgets)
}

/// What was measured, and the directory in which its outputs still lie.
pub(crate) struct Taken {
    pub(crate) run: Run,
    pub(crate) scratch: folder::Scratch,
    /// Takes the allocation sites of one of its cases.
    pub(crate) profile: Box<Profiler<'static>>,
}

/// Measures commands.
pub(crate) fn measure(args: &Measuring, samples: Samples, arms: &[Arm]) -> Result<Taken> {
    let stop = stop::listen()?;
    let corpus = prepare(args, stop)?;
    measure_in(folder::Scratch::new(&args.out)?, corpus, args, samples, arms, stop)
}

/// What must be there before anything is measured: the standard input, and the corpus if there is one.
pub(crate) fn prepare(args: &Measuring, stop: &AtomicBool) -> Result<Option<generators::Corpus>> {
    if let Some(path) = &args.stdin {
        std::fs::File::open(path).with_context(|| format!("failed to open --stdin {}", path.display()))?;
    }
    let corpus = args.corpus.clone().map(|choice| corpus::ensure(&spec(args, choice), stop)).transpose()?;
    stop::check()?;
    Ok(corpus)
}

/// Measures commands in a directory that is there already.
pub(crate) fn measure_in(
    scratch: folder::Scratch,
    corpus: Option<generators::Corpus>,
    args: &Measuring,
    samples: Samples,
    arms: &[Arm],
    stop: &'static AtomicBool,
) -> Result<Taken> {
    let (run, profile) = take(&scratch, corpus, args, samples, arms, stop)?;
    Ok(Taken { run, scratch, profile })
}

/// Takes the samples of commands; gives the run, and what takes allocation sites of it.
fn take(
    scratch: &folder::Scratch,
    corpus: Option<generators::Corpus>,
    args: &Measuring,
    samples: Samples,
    arms: &[Arm],
    stop: &'static AtomicBool,
) -> Result<(Run, Box<Profiler<'static>>)> {
    let options = options(args, samples, corpus, scratch)?;
    let time = jiff::Timestamp::now();
    let measured = with_progress(args, |observe| exec::run(arms, &options, stop, observe))?;
    stop::check()?;
    let mut run = folder::record(time, checkout::artifact(), measured.cases);
    run.doubts = measured.doubts;
    let arms = arms.to_vec();
    let profile = move |case: &str| sites(case, &arms, &options, stop);
    Ok((run, Box::new(profile)))
}

/// The allocation sites of a command that was measured.
fn sites(case: &str, arms: &[Arm], options: &Options, stop: &AtomicBool) -> Result<Profile, String> {
    let arm = arms.iter().find(|arm| arm.name == case);
    let arm = arm.ok_or_else(|| "a quiet pass is of Node, whose heap dhat does not see".to_owned())?;
    exec::profile(arm, options, stop).map_err(|error| error.to_string())
}

/// Does the work beside a bar; without one where the command's own output is shown.
fn with_progress<T, E>(
    args: &Measuring,
    work: impl FnOnce(&mut dyn FnMut(Event<'_>)) -> Result<T, E>,
) -> Result<T, E> {
    if args.show_output {
        return work(&mut |_| {});
    }
    let progress = Progress::count("measuring");
    let done = work(&mut |event| {
        let Event::Case { case, number, of } = event;
        progress.set_length(of);
        progress.set(number, case);
    });
    if done.is_ok() {
        progress.finish();
    }
    done
}

pub(crate) fn spec(args: &Measuring, choice: CorpusChoice) -> SpecArgs {
    SpecArgs { profile: choice.profile, scale: choice.scale, seed: args.seed, corpora: args.corpora.clone() }
}

fn options(
    args: &Measuring,
    samples: Samples,
    corpus: Option<generators::Corpus>,
    scratch: &folder::Scratch,
) -> Result<Options> {
    Ok(Options {
        samples,
        wanted: args.instrument.clone(),
        corpus,
        warm: args.warm,
        expected_exit: args.expect_exit,
        timeout: Duration::from_secs(args.timeout),
        foreign: Foreign {
            stdin: args.stdin.clone(),
            show: args.show_output.then_some(show::pass_on),
            phase_pattern: args.phase_regex.clone(),
            untraced: args.no_trace,
            quiet: false,
        },
        cwd: std::env::current_dir().context("failed to find the current directory")?,
        scratch: scratch.path().to_owned(),
        outputs: scratch.outputs(),
    })
}

impl Taken {
    /// Saves allocation sites where they are asked for, and judges where there are budgets.
    fn judge(&mut self, args: &args::Exec, budgets: Option<&Budgets>, bases: &Bases) -> Result<()> {
        let out = &args.measuring.out;
        places::clear(out)?;
        if args.sites {
            places::save_all(&mut self.run, out, &mut self.profile)?;
        }
        let Some(budgets) = budgets else {
            gate::leave_unjudged(&mut self.run, UNJUDGED);
            return Ok(());
        };
        reports::judge::judge(&mut self.run, budgets, &bases.against());
        self.run.doubts.extend(bases.doubts(&self.run));
        bases.explain(&mut self.run, out, &mut self.profile)
    }

    /// Writes the reports, prints the text of the run, and gives its exit code. Where the command's own output is on
    /// standard output, the text goes to standard error.
    pub(crate) fn publish(&self, args: &Measuring, text: impl FnOnce(&Run) -> String) -> Result<i32> {
        folder::keep_outputs(&self.scratch, &args.out)?;
        folder::write(&self.run, &args.out)?;
        let text = text(&self.run);
        if args.show_output {
            show::note(text.trim_end())
        } else {
            show::result(&text)
        }
        folder::say(&args.out);
        if let Some(sentence) = gate::failure(&self.run) {
            show::error(&sentence);
        }
        Ok(reports::exit::code(self.run.verdict))
    }
}
