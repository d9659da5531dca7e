//! The page of drift.

use super::Drift;
use crate::history::compared::page::{counts, doubts, moved};
use crate::history::page::{Page, Section};

/// The page: what became worse, worst first; what became better; and what stands in the way of the comparison.
pub fn page(drift: &Drift) -> Page {
    let Drift { since, now, day, comparison, .. } = drift;
    let title = format!("Drift since {}", since.tag);
    let mut page = Page::new(
        &title,
        [format!("{} of {} against {now} of {day}.", since.tag, since.day), counts(comparison)],
    );
    page.add(moved("Worse", comparison, true, &since.tag));
    page.add(moved("Better", comparison, false, &since.tag));
    page.add(Section::new("Doubts").items(doubts(comparison)));
    page
}
