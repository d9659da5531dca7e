//! Charts as inline SVG: axes with round ticks and units, and labels beside what they name in place of legends.
//!
//! A chart says in its title and description what it shows; it needs no script, and takes its colours from the page.

use std::fmt;

use maud::{Markup, html};

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod line;
mod strip;
mod text;

pub(crate) use axis::Axis;
pub(crate) use bars::{Bar, Bars, Row, bars, shows_limits};
pub(crate) use line::{Lines, Mark, Series, line};
pub(crate) use strip::Strip;

/// Width of a chart that stands beside others, in pixels: what a phone has beside its margins.
pub(crate) const NARROW: f64 = 340.0;
/// Width of a chart that stands alone.
pub(crate) const WIDE: f64 = 700.0;

/// What a chart is called, and what it shows in words for whoever does not see it.
pub(crate) struct Words<'w> {
    pub(crate) title: &'w str,
    pub(crate) about: &'w str,
}

/// A length in pixels, written to a tenth.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Px(pub(crate) f64);

impl fmt::Display for Px {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        // Of -0.0 nobody wants to see the sign.
        write!(out, "{}", if tenths == 0.0 { 0.0 } else { tenths })
    }
}

/// The drawing with its name, in a frame that scrolls by itself where a screen is narrower than the chart can be.
fn drawing(words: &Words<'_>, (width, height): (f64, f64), content: &Markup) -> Markup {
    let svg = html! {
        svg class=[(width >= WIDE).then_some("wide")] role="img" viewBox=(format!("0 0 {} {}", Px(width), Px(height))) width=(Px(width)) {
            title { (words.title) }
            @if !words.about.is_empty() { desc { (words.about) } }
            (content)
        }
    };
    if width >= WIDE {
        html! { div.scroll tabindex="0" { (svg) } }
    } else {
        svg
    }
}
