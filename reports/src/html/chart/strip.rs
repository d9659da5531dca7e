//! Strips of dots, all on one axis: many rows of a table at one look.

use maud::{Markup, html};

use super::{Axis, Px};

const WIDTH: f64 = 260.0;
/// Room at both ends, for dots and names of ticks.
const INSET: f64 = 6.0;
/// The style sheet knows it too: it puts the dots at half the height.
const HEIGHT: f64 = 16.0;

/// The axis of all rows. The cells of the table have the figures, so that the drawings are hidden from who does not see them.
pub(crate) struct Strip(Axis);

impl Strip {
    pub(crate) fn new(axis: Axis) -> Strip {
        Strip(axis.over(INSET, WIDTH - INSET))
    }

    /// The axis alone, for the head of the column.
    pub(crate) fn head(&self) -> Markup {
        html! { svg.strip viewBox=(format!("0 0 {WIDTH} 14")) width=(WIDTH) aria-hidden="true" { (self.0.below(14.0, -2.0, WIDTH)) } }
    }

    /// A dot for each value, with its name for who points at it.
    pub(crate) fn row(&self, values: &[(f64, String)]) -> Markup {
        let lines: String =
            self.0.ticks.iter().map(|(value, _)| format!("M{} 0v{HEIGHT}", Px(self.0.at(*value)))).collect();
        html! {
            svg.strip viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) aria-hidden="true" {
                path.grid d=(lines) {}
                g.dots {
                    @for (value, name) in values {
                        circle cx=(Px(self.0.at(*value))) { title { (name) } }
                    }
                }
            }
        }
    }
}
