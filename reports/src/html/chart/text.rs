//! How much room a text takes, as far as can be said without a browser.

use super::Px;

/// Height of a line of labels.
pub(super) const LINE: f64 = 13.0;
/// Width of a letter of a label, in pixels: fonts differ, so this is rather too much.
const LETTER: f64 = 6.9;
/// Letters of this code and beyond are as wide as two.
const WIDE_FROM: char = '\u{1100}';

/// The width of a label.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(letter).sum()
}

/// The label cut to a width; a cut is shown by three dots.
pub(super) fn fitted(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut left = most - width("...");
    let fits = |c: &char| {
        left -= letter(*c);
        left >= 0.0
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}...", kept.trim_end())
}

fn letter(c: char) -> f64 {
    if c >= WIDE_FROM { 2.0 * LETTER } else { LETTER }
}

/// Where a label goes whose middle should be at a place, so that it stays within the drawing.
pub(super) fn centred(text: &str, at: f64, within: f64) -> Px {
    let half = width(text) / 2.0;
    Px(at.min(within - half).max(half))
}

/// A label of a line: from where to where it reaches, and its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

/// Moves labels that would overlap up and down, in their order, and keeps them within bounds as far as there is room.
pub(super) fn apart(places: &mut [Place], (from, to): (f64, f64)) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|one, other| places[*one].y.total_cmp(&places[*other].y));
    push(places, &order, from, 1.0);
    order.reverse();
    push(places, &order, to, -1.0);
}

/// Moves each label on, up (-1) or down (1), until it is free of those before it.
fn push(places: &mut [Place], order: &[usize], bound: f64, way: f64) {
    for (done, index) in order.iter().enumerate() {
        let own = places[*index];
        let before = order[..done].iter().map(|other| places[*other]);
        let beside = before.filter(|other| other.left < own.right && own.left < other.right);
        let nearest = beside.map(|other| (other.y + way * LINE) * way).fold(bound * way, f64::max);
        places[*index].y = (own.y * way).max(nearest) * way;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_to_its_room() {
        assert_eq!(fitted("bounded", 100.0), "bounded");
        assert_eq!(fitted("a very long strategy", 64.0), "a very...");
        assert!(width(&fitted("日本語の長い名前", 64.0)) <= 64.0);
    }

    #[test]
    fn labels_that_would_overlap_are_moved_apart_and_stay_inside() {
        let place = |y| Place { left: 0.0, right: 10.0, y };
        let mut places = [98.0, 99.0, 20.0, 100.0].map(place);
        apart(&mut places, (5.0, 100.0));
        assert_eq!(places.map(|place| place.y), [74.0, 87.0, 20.0, 100.0]);
    }

    #[test]
    fn labels_beside_each_other_stay_where_they_are() {
        let place = |left| Place { left, right: left + 10.0, y: 50.0 };
        let mut places = [0.0, 20.0].map(place);
        apart(&mut places, (5.0, 100.0));
        assert_eq!(places, [0.0, 20.0].map(place));
    }

    #[test]
    fn a_label_at_the_edge_is_moved_into_the_drawing() {
        assert_eq!(centred("1234", 100.0, 100.0), Px(100.0 - width("1234") / 2.0));
        assert_eq!(centred("1234", 0.0, 100.0), Px(width("1234") / 2.0));
    }
}
