//! The same session in three alphabets: what a browser would need for its texts.

use harness::meter;
use harness::record::{Tier, Unit};

use super::agent::{Plan, Script, Width};
use super::bench::{Bench, bytes};
use super::browser::Cost;
use super::{Account, Task};

/// In ASCII, with one sign above U+00FF in each long text, and in Chinese; with the names of what is held and what it would take.
const WIDTHS: [(Width, &str, &str); 3] = [
    (Width::Ascii, "scenario.ascii_bytes", "scenario.model_ascii_wide_bytes"),
    (Width::Marked, "scenario.marked_bytes", "scenario.model_marked_wide_bytes"),
    (Width::Cjk, "scenario.cjk_bytes", "scenario.model_cjk_wide_bytes"),
];

/// One session after the other, streamed in small pieces.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let mut ropes: f64 = 0.0;
    for (number, (width, held, wide)) in WIDTHS.into_iter().enumerate() {
        // Each has a database and a view of its own.
        let mut bench = Bench::named(task, &format!("{number}.db"))?;
        let plan =
            Plan { turns: 4, calls: 24, session_bytes: Some(700_000), width, ..Plan::light(task.seed) };
        let script = Script::new(&plan);
        let id = script.sessions().next().unwrap_or_default().to_owned();
        meter::phase(width_name(width));
        let mut most: f64 = 0.0;
        bench.play_watched(script, &id, |bench| most = most.max(Cost::of(bench, &task.browser).ropes))?;
        let cost = Cost::of(&bench, &task.browser);
        bytes(held, bench.view_bytes());
        meter::set(wide, Unit::Bytes, Tier::Modelled, cost.wide);
        if cost.ropes > 0.0 {
            return Err(format!("{} bytes of pieces are left when every text is complete", cost.ropes));
        }
        ropes = ropes.max(most);
    }
    meter::set("scenario.model_rope_bytes", Unit::Bytes, Tier::Modelled, ropes);
    Ok(Account::default())
}

fn width_name(width: Width) -> &'static str {
    match width {
        Width::Ascii => "ascii",
        Width::Marked => "marked",
        Width::Cjk => "cjk",
    }
}
