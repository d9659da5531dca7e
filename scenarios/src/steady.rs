//! The corpora of steady sessions beside a run's own: those of a sweep, which a law is read from, and a small one.

use std::fmt;
use std::str::FromStr;

use generators::{Corpus, Spec};

use crate::runner::Input;
use crate::{CaseSpec, Work, sync};

/// Sizes of a sweep.
pub const SIZES: usize = 5;

/// Sessions of the small corpus.
const SMALL_SESSIONS: u64 = 32;

/// Corpora of steady sessions, as far as the cases of a run need them.
#[derive(Debug, Clone, Default)]
pub struct Steady {
    /// Those of a sweep, smallest first.
    pub sweep: Vec<Input>,
    /// The small one.
    pub small: Option<Input>,
}

impl Steady {
    /// Has the corpora made that these cases need, by `ensure`.
    ///
    /// # Errors
    /// The first error of `ensure`.
    pub fn make<E>(
        cases: &[CaseSpec],
        sweep: Sweep,
        seed: u64,
        mut ensure: impl FnMut(&Spec) -> Result<Corpus, E>,
    ) -> Result<Steady, E> {
        let mut make = |sessions| Ok(Input::from_corpus(&ensure(&Spec::steady(sessions, seed))?));
        let needs = |kinds: &[sync::Kind]| {
            cases.iter().any(|case| matches!(case.work, Work::Sync(kind, _) if kinds.contains(&kind)))
        };
        let mut steady = Steady::default();
        if needs(&[sync::Kind::Swept]) {
            steady.sweep = sweep.sizes().into_iter().map(&mut make).collect::<Result<_, _>>()?;
        }
        if needs(&[sync::Kind::Sampled(sync::Drive::Idle), sync::Kind::Transformed]) {
            steady.small = Some(make(SMALL_SESSIONS)?);
        }
        Ok(steady)
    }
}

/// From how many sessions to how many a sweep goes; typed as `32..1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    from: u64,
    to: u64,
}

/// Fewest sessions from one size of a sweep to the next: what a steady corpus grows by.
const STEP_SESSIONS: u64 = 8;

/// Most sessions of a sweep: about 5 GB.
const SESSIONS_MAX: u64 = 102_400;

/// Why a text is no sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no sweep: give the fewest and the most sessions, each a multiple of 8, as in 32..1024 (at most {SESSIONS_MAX}, and the \
     most at least 16 times the fewest)"
)]
pub struct SweepError(String);

impl Default for Sweep {
    /// A 32-fold range: enough to tell a flat law from a linear one, in a second or two.
    fn default() -> Sweep {
        Sweep { from: 32, to: 1024 }
    }
}

impl Sweep {
    /// Sessions of each size, in steps that are equal in the logarithm, each rounded to a multiple of 8.
    pub fn sizes(&self) -> Vec<u64> {
        let (from, to) = (self.from as f64, self.to as f64);
        let size = |step: usize| from * (to / from).powf(step as f64 / (SIZES - 1) as f64);
        let round = |size: f64| (size / STEP_SESSIONS as f64).round() as u64 * STEP_SESSIONS;
        (0..SIZES).map(|step| round(size(step))).collect()
    }
}

impl fmt::Display for Sweep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.from, self.to)
    }
}

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Sweep, SweepError> {
        let wrong = || SweepError(text.to_owned());
        let number =
            |text: &str| text.parse().ok().filter(|number: &u64| number.is_multiple_of(STEP_SESSIONS));
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let sweep = Sweep { from: number(from).ok_or_else(wrong)?, to: number(to).ok_or_else(wrong)? };
        // Then every size differs from the one before by more than what is rounded.
        let is_wide = sweep.from > 0 && sweep.to <= SESSIONS_MAX && sweep.to / sweep.from >= 16;
        if is_wide { Ok(sweep) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_has_five_growing_sizes_over_its_whole_range() {
        assert_eq!(Sweep::default().sizes(), [32, 80, 184, 432, 1024]);
        let smallest: Sweep = "8..128".parse().unwrap();
        assert_eq!(smallest.sizes(), [8, 16, 32, 64, 128]);
    }

    #[test]
    fn a_sweep_is_parsed_from_what_it_displays() {
        assert_eq!(Sweep::default().to_string().parse(), Ok(Sweep::default()));
        for wrong in
            ["", "32", "32..", "..1024", "32..33", "1024..32", "0..1024", "30..1024", "32..1024000", "a..b"]
        {
            let error = wrong.parse::<Sweep>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("\"{wrong}\" is no sweep")), "{error}");
        }
    }
}
