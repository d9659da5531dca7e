//! A place in the space of histories: for each tool, how much of the bytes it has, and what its sessions are like.

use std::collections::BTreeMap;

use generators::{Format, History, Quantiles, Recipe, Tables};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// The most weight that a tool has beside the others.
const WEIGHT_MAX: u32 = 8;
/// The largest part of a tool's bytes in one session, in eighths.
const LARGEST_MAX: u32 = 7;
/// Sessions of 2 kB to 64 MB.
const SESSION_LOG2: (u32, u32) = (11, 26);
/// No session has more requests than 2 to this.
const REQUESTS_LOG2_MAX: u32 = 12;
/// No workspace has more sessions than 2 to this.
const PLACE_LOG2_MAX: u32 = 10;
/// Bytes that a request needs at least, whatever the tool.
const REQUEST_BYTES: u64 = 2_000;

/// How often a neighbour is drawn that was not tried before; then any is taken.
const DRAWS: u32 = 50;

/// A history, by its knobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point(BTreeMap<Format, Knobs>);

/// What can be turned for one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Knobs {
    /// Its weight among the tools, from 1.
    weight: u32,
    /// Bytes of a session, as a power of 2.
    session_log2: u32,
    /// Requests of a session, as a power of 2, as far as its bytes have room for them.
    requests_log2: u32,
    /// Sessions of a workspace, as a power of 2.
    place_log2: u32,
    /// How much of the bytes one session has, in eighths.
    largest: u32,
    /// The shape of its files.
    shape: u32,
}

/// The shapes that a tool's files can have.
fn shapes(format: Format) -> &'static [&'static str] {
    match format {
        Format::Vscode => &["log", "v3", "v2", "v1", "compacted"],
        Format::Codex => &["plain", "compressed"],
        _ => &[],
    }
}

impl Knobs {
    /// An ordinary history.
    const START: Knobs =
        Knobs { weight: 1, session_log2: 18, requests_log2: 3, place_log2: 2, largest: 0, shape: 0 };

    /// Turns one knob a step.
    fn turn(&mut self, format: Format, knob: u32, up: bool) {
        let step = |value: &mut u32, least: u32, most: u32| {
            *value = if up { (*value + 1).min(most) } else { value.saturating_sub(1).max(least) };
        };
        match knob {
            0 => step(&mut self.weight, 1, WEIGHT_MAX),
            1 => step(&mut self.session_log2, SESSION_LOG2.0, SESSION_LOG2.1),
            2 => step(&mut self.requests_log2, 0, REQUESTS_LOG2_MAX),
            3 => step(&mut self.place_log2, 0, PLACE_LOG2_MAX),
            4 => step(&mut self.largest, 0, LARGEST_MAX),
            _ => {
                let shapes = shapes(format).len().max(1) as u32;
                self.shape = (self.shape + if up { 1 } else { shapes - 1 }) % shapes;
            }
        }
    }

    /// Knobs that [`Knobs::turn`] knows.
    const COUNT: u32 = 6;

    /// A history of so many bytes.
    fn history(&self, format: Format, bytes: u64) -> History {
        let large = bytes * u64::from(self.largest) / 8;
        let small = (1_u64 << self.session_log2).min(bytes);
        let mut sizes = vec![small; ((bytes - large) / small).max(1) as usize];
        if large > 0 {
            sizes.push(large);
        }
        sizes.sort_unstable();
        let per_request = (small >> self.requests_log2).max(REQUEST_BYTES);
        let requests: Vec<u64> = sizes.iter().map(|size| (size / per_request).max(1)).collect();
        let sessions = sizes.len() as u64;
        let places = (sessions >> self.place_log2).max(1);
        let mut in_places = vec![sessions / places; places as usize];
        in_places.iter_mut().take((sessions % places) as usize).for_each(|count| *count += 1);
        in_places.sort_unstable();
        let shape = shapes(format).get(self.shape as usize);
        History {
            roots: 1,
            workspaces: places,
            sessions,
            files: sessions,
            bytes: sizes.iter().sum(),
            requests: requests.iter().sum(),
            rank_correlation: 1.0,
            quantiles: Tables {
                sessions_per_workspace: Quantiles::of(&in_places),
                bytes_per_session: Quantiles::of(&sizes),
                requests_per_session: Quantiles::of(&requests),
                ..Tables::default()
            },
            shapes: shape.map(|shape| ((*shape).to_owned(), sessions)).into_iter().collect(),
            ..History::default()
        }
    }
}

impl Point {
    /// Where searches begin: one history for each tool alone.
    pub fn starts() -> Vec<Point> {
        Format::ALL.iter().map(|format| Point(BTreeMap::from([(*format, Knobs::START)]))).collect()
    }

    /// The history of so many bytes that lies here.
    pub fn recipe(&self, bytes: u64) -> Recipe {
        let all: u64 = self.0.values().map(|knobs| u64::from(knobs.weight)).sum();
        let history = |(format, knobs): (&Format, &Knobs)| {
            (*format, knobs.history(*format, (bytes * u64::from(knobs.weight) / all).max(1)))
        };
        Recipe::new("worst", self.0.iter().map(history).collect())
            .expect("the knobs stay where recipes mean something")
    }

    /// A neighbour whose history was not tried before, if one is found: two places may have one history, where one knob leaves no room for
    /// another.
    pub(super) fn unseen_neighbour(&self, bytes: u64, seen: &[Recipe], random: &mut ChaCha8Rng) -> Point {
        let mut neighbour = self.neighbour(random);
        for _ in 0..DRAWS {
            if !seen.contains(&neighbour.recipe(bytes)) {
                break;
            }
            neighbour = neighbour.neighbour(random);
        }
        neighbour
    }

    /// One or two steps away: a knob turned, or a tool more or less.
    fn neighbour(&self, random: &mut ChaCha8Rng) -> Point {
        let mut point = self.clone();
        for _ in 0..random.random_range(1..3) {
            point.step(random);
        }
        point
    }

    fn step(&mut self, random: &mut ChaCha8Rng) {
        let any = Format::ALL[random.random_range(0..Format::ALL.len())];
        if random.random_range(0..8) == 0 {
            if self.0.remove(&any).is_none() || self.0.is_empty() {
                self.0.insert(any, Knobs::START);
            }
            return;
        }
        let nth = random.random_range(0..self.0.len());
        let (knob, up) = (random.random_range(0..Knobs::COUNT), random.random());
        if let Some((format, knobs)) = self.0.iter_mut().nth(nth) {
            knobs.turn(*format, knob, up);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_place_has_a_history_of_about_its_bytes() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut point = Point::starts().remove(0);
        for _ in 0..2_000 {
            point = point.neighbour(&mut random);
            let recipe = point.recipe(16 << 20);
            let bytes: u64 = recipe.histories().map(|(_, history)| history.bytes).sum();
            assert!(bytes <= 2 * (16 << 20) && bytes > (16 << 20) / 8, "{bytes}: {point:?}");
            for (format, history) in recipe.histories() {
                assert!(history.requests >= history.sessions, "{format}: {history:?}");
            }
        }
    }

    #[test]
    fn one_session_has_as_many_eighths_as_its_knob_says() {
        let knobs = Knobs { largest: 6, ..Knobs::START };
        let history = knobs.history(Format::Claude, 8 << 20);
        // Tables have some four digits.
        let largest = history.quantiles.bytes_per_session.at(1.0);
        assert!((largest / f64::from(6 << 20) - 1.0).abs() < 1e-3, "{largest}");
        assert_eq!(history.sessions, (2 << 20 >> 18) + 1);
        assert_eq!(history.requests, 64 + 8 * 24);
    }
}
