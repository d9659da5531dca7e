//! What would have to come together for a view to reach the ceiling of a browser: each factor by itself, and the fewest that suffice.

use harness::meter;
use harness::record::{Tier, Unit};

use crate::view::browser::{Cost, Model};

/// What three hours left, as measured and as modelled.
pub(super) struct Base {
    /// What the view holds at the end.
    pub(super) cost: Cost,
    /// The most that was parsed and written at one time.
    pub(super) garbage: f64,
    /// Bytes of a session's JSON.
    pub(super) raw: f64,
    pub(super) sessions: f64,
    /// Bytes by which what is held grows in an hour.
    pub(super) per_hour: f64,
}

/// Something that makes it more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Factor {
    Proxies,
    Nodes,
    Garbage,
    Wide,
    Screenshots,
    Views,
    Legacy,
}

const FACTORS: [(Factor, &str, &str); 7] = [
    (Factor::Proxies, "scenario.model_with_proxies_bytes", "proxies of everything that was read"),
    (Factor::Nodes, "scenario.model_with_nodes_bytes", "nodes of what is mounted"),
    (Factor::Garbage, "scenario.model_with_garbage_bytes", "what was parsed and not yet collected"),
    (Factor::Wide, "scenario.model_with_wide_bytes", "two bytes for each character"),
    (Factor::Screenshots, "scenario.model_with_screenshots_bytes", "screenshots in the transcripts"),
    (Factor::Views, "scenario.model_with_views_bytes", "several views in one renderer"),
    (Factor::Legacy, "scenario.model_with_legacy_bytes", "sessions as old versions left them"),
];

/// Bytes that a browser would have with some of the factors.
fn total(base: &Base, model: &Model, has: impl Fn(Factor) -> bool) -> f64 {
    let when = |factor, with: f64, without: f64| if has(factor) { with } else { without };
    // A session of an old version is kept whole, as far as one of these is.
    let kept = base.cost.values * when(Factor::Legacy, model.legacy_session_bytes / base.raw, 1.0);
    let images = when(Factor::Screenshots, base.sessions * model.screenshots * model.screenshot_bytes, 0.0);
    // Base64 has no character above U+00FF.
    let texts = kept * when(Factor::Wide, model.wide_char, 1.0) + images;
    let read = texts * when(Factor::Proxies, model.read_ratio / model.unread_ratio, 1.0);
    let view = read + when(Factor::Nodes, base.cost.node_bytes, 0.0);
    view * when(Factor::Views, model.views, 1.0) + when(Factor::Garbage, base.garbage, 0.0)
}

/// Sets what each factor by itself would give, and says which are needed to reach the ceiling.
pub(super) fn report(base: &Base, model: &Model) -> Vec<String> {
    let set = |name, value: f64| meter::set(name, Unit::Bytes, Tier::Modelled, value.round());
    set("scenario.model_base_bytes", total(base, model, |_| false));
    for (factor, name, _) in FACTORS {
        set(name, total(base, model, |has| has == factor));
    }
    vec![growth(base, model), needed(base, model)]
}

fn growth(base: &Base, model: &Model) -> String {
    let mb = |bytes: f64| bytes / 1e6;
    let grown = base.per_hour * model.read_ratio;
    // What a window of rows and a log hold differs from hour to hour by less than this.
    if base.per_hour < 100_000.0 {
        return "over the last hour nothing grows".to_owned();
    }
    let left = model.ceiling_bytes - base.cost.bytes();
    format!(
        "over the last hour {:.1} MB more are held, {:.1} with the proxies of a browser: at that rate its {:.1} GiB are full in {:.0} hours more",
        mb(base.per_hour),
        mb(grown),
        model.ceiling_bytes / f64::from(1u32 << 30),
        left / grown
    )
}

/// The fewest factors with which the ceiling is reached; of several sets as small, the one that gives most.
fn needed(base: &Base, model: &Model) -> String {
    let gib = |bytes: f64| bytes / f64::from(1u32 << 30);
    let of = |set: u32| {
        total(base, model, |factor| {
            FACTORS.iter().enumerate().any(|(bit, (one, ..))| *one == factor && set & (1 << bit) != 0)
        })
    };
    let reaching = (0..1u32 << FACTORS.len()).filter(|set| of(*set) >= model.ceiling_bytes);
    let least = reaching.min_by(|a, b| {
        let size = a.count_ones().cmp(&b.count_ones());
        size.then_with(|| of(*b).total_cmp(&of(*a)))
    });
    let alone = format!("what was measured is {:.3} GiB of {:.1}", gib(of(0)), gib(model.ceiling_bytes));
    let Some(set) = least else {
        let all = gib(of((1 << FACTORS.len()) - 1));
        return format!("{alone}; all factors together give {all:.2} GiB, and do not reach it");
    };
    let names: Vec<&str> = FACTORS
        .iter()
        .enumerate()
        .filter(|(bit, _)| set & (1 << bit) != 0)
        .map(|(_, (.., name))| *name)
        .collect();
    format!("{alone}; to reach it takes {}, which give {:.2} GiB", names.join(", and "), gib(of(set)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(values: f64) -> Base {
        let cost = Cost { values, ..Cost::default() };
        Base { cost, garbage: 1e6, raw: 12e6, sessions: 10.0, per_hour: 0.0 }
    }

    /// The arithmetic of the facts: ten sessions of 20 MB with proxies are about a tenth of 4 GiB.
    #[test]
    fn ten_sessions_with_proxies_are_a_tenth_of_the_ceiling() {
        let model = Model::default();
        let part = total(&base(200e6), &model, |factor| factor == Factor::Proxies) / model.ceiling_bytes;
        assert!((0.08..0.11).contains(&part), "{part}");
        assert!(needed(&base(200e6), &model).contains("sessions as old versions left them"));
    }

    #[test]
    fn little_reaches_no_ceiling() {
        let said = needed(&base(1e5), &Model { views: 1.0, screenshots: 0.0, ..Model::default() });
        assert!(said.ends_with("and do not reach it"), "{said}");
        assert_eq!(growth(&base(1e5), &Model::default()), "over the last hour nothing grows");
    }
}
