//! `highwater list`: what there is.

use anyhow::Result;
use generators::Profile;
use harness::instrument::Instrument;

use crate::args::{self, What};
use crate::show;

/// Prints one list, or all of them.
pub(crate) fn list(args: &args::List) -> Result<i32> {
    let all = [What::Scenarios, What::Strategies, What::Profiles, What::Metrics, What::Instruments];
    let wanted: Vec<What> = args.what.map_or(all.to_vec(), |what| vec![what]);
    let several = wanted.len() > 1;
    for what in wanted {
        if several {
            show::result(&format!("# {what:?}"));
        }
        show::result(&lines(what));
    }
    Ok(0)
}

fn lines(what: What) -> String {
    let lines: Vec<String> = match what {
        What::Scenarios => scenarios::scenarios()
            .flat_map(|scenario| {
                [
                    format!("{:<18} {}", scenario.name, scenario.about),
                    format!("{:<18}   {}", "", scenario.strategies.join(" ")),
                ]
            })
            .collect(),
        What::Strategies => scenarios::strategies()
            .into_iter()
            .map(|(family, name, about)| format!("{family:<10} {name:<18} {about}"))
            .collect(),
        What::Profiles => Profile::BUILT_IN
            .iter()
            .map(|profile| format!("{:<18} {}", profile.name(), profile.describe()))
            .collect(),
        What::Metrics => {
            reports::metric::METRICS.iter().map(|(name, unit)| format!("{name:<32} {unit:?}")).collect()
        }
        What::Instruments => Instrument::ALL
            .iter()
            .map(|instrument| format!("{:<18} {}", instrument.name(), instrument.describe()))
            .collect(),
    };
    lines.join("\n") + "\n"
}
