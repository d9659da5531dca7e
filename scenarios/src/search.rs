//! Looks for the history that is worst for a case: the most bytes of peak heap for each byte of input, by climbing from
//! history to history as long as a neighbour is worse.

mod point;

use std::sync::atomic::{AtomicBool, Ordering};

use generators::Recipe;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use point::Point;

use crate::lattice::counted;
use crate::runner::{Input, Options, Runner};
use crate::{CaseSpec, Error, Work, sync};

/// What is measured of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Sum of the peaks of all processes of the case, in bytes of heap.
    pub peak: f64,
    /// Bytes of the corpus.
    pub bytes: u64,
    /// The most that the case may take by the promise of `bounded`; none where nothing is promised.
    pub bound: Option<u64>,
}

/// What is looked for, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Bytes of each history that is tried: of a smaller one, what every process needs would be all that is seen.
    pub bytes: u64,
    /// Histories that are tried.
    pub rounds: u32,
    /// Which of the equally likely ways is gone.
    pub seed: u64,
}

/// A history that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// Where it lies.
    pub point: Point,
    /// What it is like.
    pub recipe: Recipe,
    /// What was measured.
    pub reading: Reading,
    /// Peak bytes for each byte of input: what is searched for. A corpus that came out smaller than it was wished counts as if it had not.
    pub ratio: f64,
}

/// Climbs to the worst history that so many rounds find: first one of each tool's own, then neighbours of the worst so far. Each that is worse
/// than all before it is told.
///
/// # Errors
/// The first error of `measure`.
pub fn climb<E>(
    wish: Wish,
    mut measure: impl FnMut(u32, &Recipe) -> Result<Reading, E>,
    mut tell: impl FnMut(&Tried),
) -> Result<Option<Tried>, E> {
    let mut random = ChaCha8Rng::seed_from_u64(wish.seed);
    let mut starts = Point::starts().into_iter();
    let mut worst: Option<Tried> = None;
    let mut seen: Vec<Recipe> = Vec::new();
    for round in 0..wish.rounds {
        let point = match (starts.next(), &worst) {
            (Some(start), _) => start,
            (None, Some(worst)) => worst.point.unseen_neighbour(wish.bytes, &seen, &mut random),
            (None, None) => break,
        };
        let recipe = point.recipe(wish.bytes);
        seen.push(recipe.clone());
        let reading = measure(round, &recipe)?;
        let ratio = reading.peak / reading.bytes.max(wish.bytes) as f64;
        let tried = Tried { point, recipe, reading, ratio };
        if worst.as_ref().is_none_or(|worst| tried.ratio > worst.ratio) {
            tell(&tried);
            worst = Some(tried);
        }
    }
    Ok(worst)
}

/// Whether a case's input is the corpus, so that a worse one can be looked for.
pub fn can_search(case: &CaseSpec) -> bool {
    use sync::{Drive, Kind};
    matches!(case.work, Work::Sync(Kind::Sampled(Drive::Cold | Drive::Warm | Drive::Incremental), _))
}

/// What a case takes on a history, its answer checked like any other sample's.
///
/// # Errors
/// [`Error::Failed`] when the case fails on it, or `stop` was set.
pub fn measure(
    case: &CaseSpec,
    options: &Options,
    input: &Input,
    stop: &AtomicBool,
) -> Result<Reading, Error> {
    let failed = |why: String| Error::Failed { case: case.name.clone(), why };
    if stop.load(Ordering::Relaxed) {
        return Err(failed("it was stopped".to_owned()));
    }
    let mut silent = |_: crate::runner::Event<'_>| {};
    let mut runner = Runner::new(options, input, stop, &mut silent);
    let peaks = counted(&mut runner, &["heap.peak_bytes"], &case.name, case.work).map_err(failed)?;
    Ok(Reading { peak: peaks.iter().sum(), bytes: input.corpus.bytes, bound: input.bound_bytes })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use generators::Format;

    use super::*;

    const WISH: Wish = Wish { bytes: 16 << 20, rounds: 120, seed: 1 };

    /// A program whose peak is 3 kB for each session of Claude, and nothing else.
    fn of_sessions(recipe: &Recipe) -> Reading {
        let sessions = recipe.history(Format::Claude).map_or(0, |history| history.sessions);
        Reading { peak: 3_000.0 * sessions as f64, bytes: WISH.bytes, bound: None }
    }

    #[test]
    fn a_search_climbs_to_many_sessions_where_each_costs() {
        let measure = |_, recipe: &Recipe| Ok::<_, Infallible>(of_sessions(recipe));
        let mut ratios = Vec::new();
        let worst = climb(WISH, measure, |tried| ratios.push(tried.ratio)).unwrap().unwrap();
        assert!(ratios.windows(2).all(|pair| pair[0] < pair[1]), "{ratios:?}");
        let sessions = worst.recipe.history(Format::Claude).unwrap().sessions;
        let least = Point::starts()[2].recipe(WISH.bytes).history(Format::Claude).unwrap().sessions;
        assert!(sessions > 8 * least, "{sessions} and {least} at the start");
    }

    #[test]
    fn the_same_seed_goes_the_same_way() {
        let go = |seed| {
            let measure = |_, recipe: &Recipe| Ok::<_, Infallible>(of_sessions(recipe));
            climb(Wish { seed, ..WISH }, measure, |_| ()).unwrap()
        };
        assert_eq!(go(1), go(1));
        assert_ne!(go(1), go(2));
    }

    #[test]
    fn no_history_is_tried_twice() {
        let mut recipes = Vec::new();
        let measure = |_, recipe: &Recipe| {
            recipes.push(recipe.to_toml());
            Ok::<_, Infallible>(of_sessions(recipe))
        };
        climb(WISH, measure, |_| ()).unwrap();
        let tried = recipes.len();
        recipes.sort_unstable();
        recipes.dedup();
        assert_eq!(recipes.len(), tried);
    }

    #[test]
    fn a_failure_ends_the_search_and_is_told() {
        let measure = |round, _: &Recipe| {
            if round == 3 { Err("no") } else { Ok(of_sessions(&Point::starts()[0].recipe(1))) }
        };
        assert_eq!(climb(WISH, measure, |_| ()), Err("no"));
    }

    #[test]
    fn only_cases_of_the_corpus_can_be_searched() {
        let can = |name: &str| crate::cases().iter().any(|case| case.name == name && can_search(case));
        assert!(can("sync/cold:bounded") && can("sync/warm:as-reported"));
        assert!(!can("sync/idle:bounded") && !can("sync/law:bounded") && !can("view/switch:bounded"));
    }
}
