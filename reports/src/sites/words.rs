//! Grown sites as people read them.

use std::fmt::Write as _;

use harness::record::{GrownSite, SiteGrowth, Unit};

use super::growth_of;
use crate::figure::change;
use crate::markdown::escaped;

/// The part of a growth, in percent, that sites must explain to be named together.
const EXPLAINED_PERCENT: f64 = 95.0;
/// Sites that are listed on a terminal; the page has all that are kept.
const LISTED: usize = 5;
/// Callers that are shown of each site.
const CALLERS: usize = 2;

/// The site that grew most, in one line: `+3.10 MiB in copy_summaries (src/planted.rs:12)`.
pub fn first_line(growth: &SiteGrowth) -> String {
    match growth.sites.first() {
        Some(site) => format!("{} in {}", change(growth_of(site), Unit::Bytes), place(site)),
        None => "no allocation site grew".to_owned(),
    }
}

/// How few sites explain the growth, and how few would have to go back: `3 sites explain 96 % of +41.2 MiB; reverting #1 alone passes`.
///
/// Where sites shrank as well, the growth that is explained is what grew without them.
pub fn deletion(growth: &SiteGrowth) -> String {
    let net = growth.head_bytes - growth.base_bytes;
    let known: f64 = growth.sites.iter().map(growth_of).sum();
    if growth.sites.is_empty() {
        return "no allocation site grew".to_owned();
    }
    // Sites that are not kept have no figures; what all sites grew by is then at least the net growth.
    let grown = known.max(net);
    let mut explained = 0.0;
    let mut named = 0;
    for site in &growth.sites {
        if explained >= grown * EXPLAINED_PERCENT / 100.0 {
            break;
        }
        explained += growth_of(site);
        named += 1;
    }
    let (sites, verb) = if named == 1 { ("site", "explains") } else { ("sites", "explain") };
    let percent = (explained / grown * 100.0).floor();
    let mut text = format!("{named} {sites} {verb} {percent} % of {}", change(grown, Unit::Bytes));
    if grown > net {
        let _ = write!(text, " ({} elsewhere)", change(net - grown, Unit::Bytes));
    }
    if growth.limit_bytes.is_none() {
        return text;
    }
    let _ = match growth.enough_sites {
        Some(0) => write!(text, "; under dhat the limit is kept without reverting any"),
        Some(1) => write!(text, "; reverting #1 alone passes"),
        Some(enough) => write!(text, "; reverting #1 to #{enough} passes"),
        None => write!(text, "; reverting all of them does not suffice"),
    };
    text
}

/// The sites as lines of text, each with its callers below.
pub fn text(growth: &SiteGrowth) -> String {
    let mut out = String::new();
    for (index, site) in growth.sites.iter().take(LISTED).enumerate() {
        let _ = writeln!(out, "  #{} {}", index + 1, line(site));
        for caller in callers(site) {
            let _ = writeln!(out, "       called by {caller}");
        }
    }
    if let Some(more) = more(growth, LISTED) {
        let _ = writeln!(out, "  {more}");
    }
    out
}

/// The sites as a table in Markdown.
pub fn markdown(growth: &SiteGrowth) -> String {
    let mut out = String::from("| # | bytes | blocks | site | called by |\n|---:|---:|---:|---|---|\n");
    for (index, site) in growth.sites.iter().enumerate() {
        let callers: Vec<String> = callers(site).map(escaped).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {}, {} | {} |",
            index + 1,
            change(growth_of(site), Unit::Bytes),
            change(site.head_blocks - site.base_blocks, Unit::Blocks),
            escaped(&place(site)),
            escaped(&site.role),
            callers.join(", ")
        );
    }
    if let Some(more) = more(growth, growth.sites.len()) {
        let _ = writeln!(out, "\n{more}");
    }
    out
}

fn line(site: &GrownSite) -> String {
    format!(
        "{} in {}, {} blocks, {}",
        change(growth_of(site), Unit::Bytes),
        place(site),
        change(site.head_blocks - site.base_blocks, Unit::Blocks),
        site.role
    )
}

/// The function, with its place where that is known.
pub(crate) fn place(site: &GrownSite) -> String {
    match (&site.file, site.line) {
        (Some(file), Some(line)) => format!("{} ({file}:{line})", site.function),
        (Some(file), None) => format!("{} ({file})", site.function),
        _ => site.function.clone(),
    }
}

/// The next functions outside of the one that the site is named after.
pub(crate) fn callers(site: &GrownSite) -> impl Iterator<Item = &str> {
    let own = site.stack.iter().position(|function| *function == site.function);
    let outer = own.map_or(&[][..], |at| &site.stack[at + 1..]);
    outer.iter().take(CALLERS).map(String::as_str)
}

/// What the list leaves out.
pub(crate) fn more(growth: &SiteGrowth, listed: usize) -> Option<String> {
    let more = growth.grown_sites.saturating_sub(listed.min(growth.sites.len()) as u64);
    (more > 0).then(|| format!("and {more} more that grew by less"))
}
