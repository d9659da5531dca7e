//! `highwater history`: what many runs say together.

use anyhow::Result;
use reports::history::store::{Store, Target};

use crate::args::history::{History, HistoryVerb};

mod trends;

/// The history when none is named.
const DEFAULT: &str = "highwater.db";
/// Names the history where `--store` does not.
const VARIABLE: &str = "HIGHWATER_STORE";

/// Does what was asked for; gives the exit code.
pub(crate) fn history(args: &History) -> Result<i32> {
    let target: Target = named(args).parse()?;
    match &args.verb {
        HistoryVerb::Trend(args) => trends::trend(&mut Store::open_existing(&target)?, args),
        HistoryVerb::Drift(args) => trends::drift(&mut Store::open_existing(&target)?, args),
        HistoryVerb::Releases(args) => trends::releases(&mut Store::open_existing(&target)?, args),
    }
}

fn named(args: &History) -> String {
    let variable = || std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
    args.store.clone().or_else(variable).unwrap_or_else(|| DEFAULT.to_owned())
}
