//! The same cases of two programs, in turn: forwards and backwards (ABBA), so that a slow minute of the machine falls on both.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use harness::instrument::Instrument;
use harness::record;
use harness::sites::Profile;
use harness::subject::Sample;

use super::{CaseRun, Event, Input, Options, Plan, Runner, rounds, sample};
use crate::{CaseSpec, burn_in, sites};

/// The two sides, by the names of their cases: `compare/sync-cold-bounded:base` and `:head`.
const SIDES: [&str; 2] = ["base", "head"];

/// A case of one side.
struct Side {
    spec: CaseSpec,
    run: CaseRun,
}

/// Measures the sampled cases of a plan with two builds of this program, base first. Each side has one sample that is noted and not
/// used. A side that fails carries its error, and ends the samples of the other.
pub fn pairs(
    plan: &Plan,
    programs: [&Path; 2],
    options: &Options,
    input: &Input,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Vec<record::Case> {
    let own = [0, 1].map(|side| options_of(side, programs, options));
    let (mut base_is_silent, mut head_is_silent) = (|_: Event<'_>| {}, |_: Event<'_>| {});
    let mut runners = [
        Runner::new(&own[0], input, stop, &mut base_is_silent),
        Runner::new(&own[1], input, stop, &mut head_is_silent),
    ];
    let mut cases: Vec<[Side; 2]> = plan.cases.iter().filter_map(sides).collect();
    let rounds = rounds(options);
    let of = ((rounds.len() + 1) * cases.len() * SIDES.len()) as u64;
    let mut number = 0;
    let mut tell = |side: &Side| {
        observe(Event::Case { case: &side.spec.name, number, of });
        number += 1;
    };
    for pair in &mut cases {
        for (side, runner) in pair.iter_mut().zip(&mut runners) {
            tell(side);
            side.burn_in(runner);
        }
    }
    for (at, &instrument) in rounds.iter().enumerate() {
        let turn = rounds[..at].iter().filter(|earlier| **earlier == instrument).count();
        for pair in &mut cases {
            for place in 0..SIDES.len() {
                let side = if turn % 2 == 0 { place } else { SIDES.len() - 1 - place };
                tell(&pair[side]);
                if pair.iter().all(|side| side.run.error.is_none()) {
                    pair[side].sample(&mut runners[side], instrument);
                }
            }
        }
    }
    cases.into_iter().flatten().map(|side| side.run.record(input)).collect()
}

fn options_of(side: usize, programs: [&Path; 2], options: &Options) -> Options {
    Options {
        program: programs[side].to_owned(),
        // Names of equal length, so that no figure depends on the side.
        scratch: options.scratch.join(SIDES[side]),
        ..options.clone()
    }
}

/// The allocation sites of one side's case, by the name that [`pairs`] gives it.
///
/// # Errors
/// When no side of the plan has that name, or [`sites::profile`] fails.
pub fn pair_sites(
    name: &str,
    plan: &Plan,
    programs: [&Path; 2],
    options: &Options,
    input: &Input,
    stop: &AtomicBool,
) -> Result<Profile, String> {
    let mut all = plan.cases.iter().filter_map(sides).flat_map(|pair| pair.into_iter().enumerate());
    let (side, found) =
        all.find(|(_, side)| side.spec.name == name).ok_or_else(|| format!("{name} was not measured"))?;
    let own = options_of(side, programs, options);
    sites::profile(&mut Runner::new(&own, input, stop, &mut |_| {}), &found.spec)
}

/// The two sides of a case; none where it is not measured by samples.
fn sides(spec: &CaseSpec) -> Option<[Side; 2]> {
    if !spec.is_sampled() {
        return None;
    }
    let name = spec.name.replace(['/', ':'], "-");
    Some(SIDES.map(|side| {
        let spec = CaseSpec { name: format!("compare/{name}:{side}"), ..spec.clone() };
        let run = CaseRun::new(&spec.name);
        Side { spec, run }
    }))
}

impl Side {
    fn sample(&mut self, runner: &mut Runner<'_>, instrument: Instrument) {
        runner.sampled(instrument, &mut [(&self.spec, &mut self.run)]);
    }

    /// One sample that is noted and not used. A program of another time may not do what is asked of it here.
    fn burn_in(&mut self, runner: &mut Runner<'_>) {
        let taken = self.first_sample(runner);
        match (self.run.error.take(), taken) {
            (None, Ok(Some(sample))) => self.run.notes.push(burn_in::in_words(sample)),
            (None, Ok(None)) => {}
            (Some(why), _) | (_, Err(why)) => {
                let program = runner.options.program.display();
                self.run.error = Some(format!(
                    "{program} could not do this case: {why}; a build of another time may drive its scenarios otherwise, and can \
                     then be compared only by a saved run of its own"
                ));
            }
        }
    }

    fn first_sample(&mut self, runner: &mut Runner<'_>) -> Result<Option<Sample>, String> {
        let Some(ready) = runner.prepare(&self.spec, &mut self.run) else { return Ok(None) };
        let (options, stop) = (runner.options, runner.stop);
        let (sample, answer) = sample(options, stop, &ready.scratch, &ready.task, Instrument::Os, None)?;
        runner.check_sample(&ready, &answer)?;
        Ok(Some(sample))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_case_have_names_of_one_scenario() {
        let cases = crate::cases();
        let find = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
        let named = |name: &str| sides(find(name)).map(|sides| sides.map(|side| side.spec.name));
        let expected =
            ["compare/sync-cold-bounded:base", "compare/sync-cold-bounded:head"].map(str::to_owned);
        assert_eq!(named("sync/cold:bounded"), Some(expected));
        assert_eq!(named("sync/survive:bounded"), None);
    }
}
