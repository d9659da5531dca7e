//! A profile of one's own: as many sessions as the recipe says, as long as it says, with as many requests.

mod later;

use crate::dice::normal_quantile;
use crate::plan::{CODE, Draft, INSIDERS, Item, KILO, Uri, Workspace};
use crate::recipe::{Format, History, Quantiles, Recipe, correlation};
use crate::size::Size;
use crate::vscode::Shape;

/// How far a session is looked for that has the bytes for another's requests: further ones are as long as their requests need.
const EXCHANGES_MAX: usize = 10_000;

/// Fewer sessions are paired with their requests so many times.
const FEW: u64 = 2_000;
/// See [`FEW`].
const DRAWS: u32 = 16;

/// A session to plan.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wanted {
    bytes: u64,
    requests: u64,
}

/// Bytes that a request needs at least, by format; of Codex, where the rollout is compressed. H, of this generator.
fn least(format: Format) -> u64 {
    match format {
        Format::Vscode => 5_000,
        Format::CopilotCli => 2_200,
        Format::Claude => 1_700,
        Format::Codex | Format::Gemini => 1_000,
        Format::Opencode | Format::Kilo => 3_500,
    }
}

impl Draft {
    /// The sessions of a recipe, by format.
    pub(super) fn own(&mut self, recipe: &Recipe) {
        for (format, history) in recipe.histories() {
            let sessions = self.wanted(history, least(format));
            match format {
                Format::Vscode => self.own_chats(history, &sessions),
                Format::CopilotCli => self.own_cli(&sessions),
                Format::Claude => self.own_claude(history, &sessions),
                Format::Codex => self.own_codex(history, &sessions),
                Format::Gemini => self.own_gemini(history, &sessions),
                Format::Opencode => self.own_opencode(history, &sessions),
                Format::Kilo => self.own_database(KILO, history, &sessions),
            }
        }
    }

    /// A count at the spec's scale; what there is at all is there at every scale.
    fn at_scale(&self, count: u64) -> u64 {
        ((count as f64 * self.spec.scale).round() as u64).max(u64::from(count > 0))
    }

    /// Bytes and requests of each session, in any order.
    fn wanted(&mut self, history: &History, least: u64) -> Vec<Wanted> {
        let count = self.at_scale(history.sessions);
        let tables = &history.quantiles;
        let main = history.bytes - history.subagent_bytes;
        let bytes = tables.bytes_per_session.draw(history.sessions, main, count);
        let requests = tables.requests_per_session.draw(history.sessions, history.requests, count);
        let mut best = (f64::INFINITY, Vec::new());
        // Few pairs that are drawn at random seldom have the correlation of their law: the nearest of some draws is taken.
        for _ in 0..if count <= FEW { DRAWS } else { 1 } {
            let mut wanted = self.pair(&bytes, &requests, history.rank_correlation);
            exchange(&mut wanted, least);
            let pairs: Vec<(u64, u64)> = wanted.iter().map(|one| (one.bytes, one.requests)).collect();
            let off = (correlation(&pairs) - history.rank_correlation).abs();
            if off < best.0 {
                best = (off, wanted);
            }
        }
        let mut wanted = best.1;
        self.dice.shuffle(&mut wanted);
        wanted
    }

    /// Pairs ascending bytes with ascending requests so that their ranks have this correlation: a Gaussian copula.
    fn pair(&mut self, bytes: &[u64], requests: &[u64], correlation: f64) -> Vec<Wanted> {
        // Pearson's correlation of the normal scores whose ranks have Spearman's.
        let pearson = 2.0 * libm::sin(std::f64::consts::PI / 6.0 * correlation);
        let noise = libm::sqrt((1.0 - pearson * pearson).max(0.0));
        let count = bytes.len() as f64;
        let mut scores: Vec<(f64, usize)> = (0..bytes.len())
            .map(|i| {
                let own = normal_quantile((i as f64 + 0.5) / count);
                let other = normal_quantile((self.dice.unit() + 0.5 / 4_294_967_296.0).min(1.0 - 1e-10));
                (pearson * own + noise * other, i)
            })
            .collect();
        scores.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut wanted: Vec<Wanted> = bytes.iter().map(|&bytes| Wanted { bytes, requests: 0 }).collect();
        for ((_, i), requests) in scores.into_iter().zip(requests) {
            wanted[i].requests = *requests;
        }
        wanted
    }

    /// Which workspace each session is in, in any order.
    fn own_places(&mut self, history: &History, sessions: &[Wanted]) -> Vec<usize> {
        self.places_in(self.at_scale(history.workspaces), history, sessions.len() as u64)
    }

    /// Which of so many workspaces each of so many sessions is in, in any order.
    fn places_in(&mut self, workspaces: u64, history: &History, sessions: u64) -> Vec<usize> {
        let workspaces = workspaces.min(sessions);
        let law = history.quantiles.sessions_per_workspace;
        let mut counts = law.draw(history.workspaces, history.sessions, workspaces);
        for count in &mut counts {
            *count = (*count).max(1);
        }
        balance(&mut counts, sessions);
        let mut places: Vec<usize> =
            counts.iter().enumerate().flat_map(|(place, count)| vec![place; *count as usize]).collect();
        self.dice.shuffle(&mut places);
        places
    }

    fn own_chats(&mut self, history: &History, sessions: &[Wanted]) {
        let places = self.own_places(history, sessions);
        let roots: &[usize] = if history.roots > 1 { &[CODE, INSIDERS] } else { &[CODE] };
        let with_sessions = places.iter().max().map_or(0, |last| last + 1);
        let empty = (history.empty_workspaces as f64 * self.spec.scale).round() as usize;
        let workspaces: Vec<Workspace> =
            (0..with_sessions + empty).map(|i| self.workspace(roots[i % roots.len()], Uri::Folder)).collect();
        const SHAPES: [(&str, Shape); 5] = [
            ("log", Shape::Log),
            ("v3", Shape::V3),
            ("v2", Shape::V2),
            ("v1", Shape::V1),
            ("compacted", Shape::Compacted),
        ];
        let counts = SHAPES.map(|(name, _)| history.shapes.get(name).copied().unwrap_or(0));
        let mut shapes = shares(&counts, sessions.len());
        self.dice.shuffle(&mut shapes);
        for ((session, place), shape) in sessions.iter().zip(&places).zip(shapes) {
            let mut chat = self.chat(&workspaces[*place], SHAPES[shape].1, session.requests);
            chat.size = Size::About(session.bytes);
            self.items.push(Item::Chat(chat.into()));
        }
    }

    fn own_cli(&mut self, sessions: &[Wanted]) {
        for wanted in sessions {
            let mut session = self.cli(wanted.requests);
            session.size = Size::About(wanted.bytes);
            self.items.push(Item::Cli(session.into()));
        }
    }

    fn own_claude(&mut self, history: &History, sessions: &[Wanted]) {
        let places = self.own_places(history, sessions);
        let count = sessions.len() as u64;
        let draw = |law: Option<Quantiles>, of: u64, sum: u64, count: u64| {
            law.map_or_else(|| vec![0; count as usize], |law| law.draw(of, sum, count))
        };
        let tables = &history.quantiles;
        let mut subagents = draw(tables.subagents_per_session, history.sessions, history.subagents, count);
        let all = subagents.iter().sum();
        let mut sizes = draw(tables.bytes_per_subagent, history.subagents, history.subagent_bytes, all);
        self.dice.shuffle(&mut subagents);
        give_to_those_without(sessions, &mut subagents);
        self.dice.shuffle(&mut sizes);
        for ((wanted, place), subagents) in sessions.iter().zip(&places).zip(subagents) {
            let mut session = self.claude(&format!("/home/dev/claude-{place}"), wanted.requests);
            session.size = Size::About(wanted.bytes);
            session.subagents = self.subagents(u32::try_from(subagents).unwrap_or(u32::MAX));
            session.subagent_bytes = sizes.split_off(sizes.len() - session.subagents.len());
            self.items.push(Item::Claude(session.into()));
        }
    }
}

/// Changes the largest counts so that all have a sum; none falls below 1.
fn balance(counts: &mut [u64], sum: u64) {
    let found: u64 = counts.iter().sum();
    if let Some(last) = counts.last_mut() {
        *last += sum.saturating_sub(found);
    }
    let mut surplus = found.saturating_sub(sum);
    for count in counts.iter_mut().rev() {
        let less = surplus.min(*count - 1);
        *count -= less;
        surplus -= less;
    }
}

/// Lets sessions without a file have subagents, since such a session is nothing but those.
fn give_to_those_without(sessions: &[Wanted], subagents: &mut [u64]) {
    let is_empty = |wanted: &Wanted| *wanted == Wanted { bytes: 0, requests: 0 };
    let mut from = 0;
    for i in 0..sessions.len() {
        if !is_empty(&sessions[i]) || subagents[i] > 0 {
            continue;
        }
        while from < sessions.len() && (subagents[from] == 0 || is_empty(&sessions[from])) {
            from += 1;
        }
        if from == sessions.len() {
            return;
        }
        subagents.swap(i, from);
    }
}

/// Gives the requests of sessions that are too short for them to longer ones with fewer. Sessions come in order of their bytes.
fn exchange(wanted: &mut [Wanted], least: u64) {
    let fits = |requests: u64, bytes: u64| requests.saturating_mul(least) <= bytes;
    for i in (0..wanted.len()).rev() {
        let short = wanted[i];
        if fits(short.requests, short.bytes) {
            continue;
        }
        let partner = (i + 1..wanted.len()).take(EXCHANGES_MAX).find(|j| {
            let long = wanted[*j];
            fits(short.requests, long.bytes) && fits(long.requests, short.bytes)
        });
        if let Some(j) = partner {
            (wanted[i].requests, wanted[j].requests) = (wanted[j].requests, short.requests);
        }
    }
}

/// Indices of counts, so many in all and each as often as its count's share says; of the first one where all counts are 0.
fn shares(counts: &[u64], wanted: usize) -> Vec<usize> {
    let total = counts.iter().map(|count| *count as f64).sum::<f64>();
    let mut sum = 0.0;
    let mut indices = Vec::with_capacity(wanted);
    for (i, count) in counts.iter().enumerate() {
        sum += *count as f64;
        let until = if total > 0.0 { (sum / total * wanted as f64).round() as usize } else { 0 };
        indices.resize(until.max(indices.len()), i);
    }
    indices.resize(wanted, 0);
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_balanced_at_their_largest() {
        for (sum, expected) in [(10, [1, 2, 7]), (6, [1, 2, 3]), (4, [1, 2, 1]), (3, [1, 1, 1])] {
            let mut counts = [1, 2, 4];
            balance(&mut counts, sum);
            assert_eq!(counts, expected, "{sum}");
        }
    }

    #[test]
    fn requests_move_to_where_there_are_bytes_for_them() {
        let session = |bytes, requests| Wanted { bytes, requests };
        let mut wanted = [session(100, 5), session(200, 2), session(900, 1)];
        exchange(&mut wanted, 100);
        assert_eq!(wanted, [session(100, 1), session(200, 2), session(900, 5)]);
    }

    #[test]
    fn subagents_are_where_there_is_nothing_else() {
        let sessions = [0, 3, 0, 2, 0].map(|requests| Wanted { bytes: requests * 9, requests });
        let mut subagents = [0, 4, 1, 0, 0];
        give_to_those_without(&sessions, &mut subagents);
        assert_eq!(subagents, [4, 0, 1, 0, 0]);
    }

    #[test]
    fn shares_are_those_of_the_counts() {
        assert_eq!(shares(&[1, 0, 3], 4), [0, 2, 2, 2]);
        assert_eq!(shares(&[0, 0], 2), [0, 0]);
        assert_eq!(shares(&[1, 1], 3).len(), 3);
    }
}
