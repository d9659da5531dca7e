//! Where memory went: the allocation sites that grew from a base to a head, and which of them would have to go for a limit to be kept.
//!
//! Sites are matched by role and identity. What finds no partner, because a function was renamed, inlined or called by another way, is
//! paired in three more steps, each on what the one before left over:
//!
//! 1. a site that vanished and one that appeared, with the very same six figures, are one site that moved;
//! 2. what is left with the same functions of the program's own on its stack is paired, largest first;
//! 3. what is left with the same own function is paired, largest first.
//!
//! A pair takes the vanished site's bytes off the new one's, never more than that has. So pairing makes growth smaller, never larger, and
//! what is neither is shown as what it looks like: a new site, whose base is 0.

use harness::record::{GrownSite, Moment, SiteGrowth};
use harness::sites::{Frame, Origin, Profile, Site};

use crate::Error;

mod flame;
mod pairs;
mod words;

pub(crate) use words::{callers, more, place};
pub use words::{deletion, first_line, markdown, text};

use pairs::Pair;

/// Most sites that a record keeps.
pub const KEPT_SITES: usize = 20;

/// The sites that grew at a moment, largest growth first. The metric is left for the caller to name.
///
/// `limit_bytes` is what all processes together may have at that moment; with it the fewest sites are found whose growth undone keeps it.
/// That is said of the head's own peak: once undone, another moment may be the peak.
pub fn growth(base: &Profile, head: &Profile, moment: Moment, limit_bytes: Option<f64>) -> SiteGrowth {
    let mut grown: Vec<GrownSite> = pairs::of(base, head, moment).iter().filter_map(grown_site).collect();
    grown.sort_by(|one, other| {
        let place = |site: &GrownSite| (site.role.clone(), site.stack.clone());
        growth_of(other).total_cmp(&growth_of(one)).then_with(|| place(one).cmp(&place(other)))
    });
    let head_bytes = head.bytes(moment) as f64;
    SiteGrowth {
        metric: String::new(),
        moment,
        base_bytes: base.bytes(moment) as f64,
        head_bytes,
        grown_sites: grown.len() as u64,
        limit_bytes,
        enough_sites: limit_bytes.and_then(|limit| enough(&grown, head_bytes, limit)),
        sites: grown.into_iter().take(KEPT_SITES).collect(),
        flamegraph: None,
    }
}

/// A differential flamegraph of the bytes at a moment, as SVG: as wide as the head's bytes, red where they grew, blue where they shrank.
///
/// # Errors
/// When neither profile has a byte in the head's stacks.
pub fn flamegraph(base: &Profile, head: &Profile, moment: Moment) -> Result<String, Error> {
    flame::draw(base, head, moment)
}

/// The smallest number of sites, largest first, without whose growth the head keeps the limit.
fn enough(grown: &[GrownSite], head_bytes: f64, limit_bytes: f64) -> Option<u64> {
    let mut left = head_bytes;
    let mut undone = 0;
    for site in grown {
        if left <= limit_bytes {
            break;
        }
        left -= growth_of(site);
        undone += 1;
    }
    (left <= limit_bytes).then_some(undone)
}

/// Bytes by which a site grew.
pub(crate) fn growth_of(site: &GrownSite) -> f64 {
    site.head_bytes - site.base_bytes
}

/// What the record says of a pair; none where it did not grow.
fn grown_site(pair: &Pair<'_>) -> Option<GrownSite> {
    if pair.head_bytes <= pair.base_bytes {
        return None;
    }
    let own = pair.site.own()?;
    Some(GrownSite {
        role: pair.role.to_owned(),
        function: own.function.clone(),
        file: own.file.clone(),
        line: own.line,
        stack: pair.site.stack.iter().map(|frame| frame.function.clone()).collect(),
        base_bytes: pair.base_bytes as f64,
        head_bytes: pair.head_bytes as f64,
        base_blocks: pair.base_blocks as f64,
        head_blocks: pair.head_blocks as f64,
    })
}

/// The functions of the program's own on a stack, innermost first.
fn own_stack(site: &Site) -> Vec<&str> {
    let is_own = |frame: &&Frame| frame.origin == Origin::Own;
    site.stack.iter().filter(is_own).map(|frame| frame.function.as_str()).collect()
}

#[cfg(test)]
mod tests;
