//! Flamegraphs in the page. A saved drawing is a file from outside, with a script that writes its labels: it is read for its boxes, which
//! are drawn afresh, and none of its markup gets into the page.

use harness::record::SiteGrowth;
use maud::{Markup, html};

use super::chart::{Px, WIDE};
use super::parts;
use crate::plain;

/// Bytes of markup that all flamegraphs of a page may take together; those beyond are linked only.
const ROOM_BYTES: usize = 60_000;
/// Boxes narrower than this, in pixels, are nothing to see.
const NARROWEST: f64 = 1.5;
/// Height of a box.
const HIGH: f64 = 16.0;
/// A name that is cut to fewer letters says nothing.
const FEWEST: usize = 6;
/// The strongest colour of a box, so that its name can be read.
const STRONGEST: f64 = 0.6;
/// Width of a letter in a box.
const LETTER: f64 = 6.7;

/// The flamegraphs of a page, as far as there is room.
pub(super) struct Drawings<'d> {
    read: &'d dyn Fn(&str) -> Option<String>,
    left_bytes: usize,
}

/// A box of a flamegraph.
#[derive(Debug, PartialEq)]
struct Frame {
    /// The function, with its bytes.
    title: String,
    /// Left edge and width, as parts of the whole.
    from: f64,
    part: f64,
    /// Upper edge, in the pixels of the file.
    top: f64,
    colour: [u8; 3],
}

impl Frame {
    /// Whether it grew or shrank, as a class of the style sheet, and how strong its colour is. The file's red boxes lack green and blue, its
    /// blue ones red; the page has colours of its own for light and dark.
    fn change(&self) -> (Option<&'static str>, Option<Px>) {
        let [red, green, blue] = self.colour.map(f64::from);
        let strength = |lack: f64| Some(Px((lack / 255.0 * STRONGEST).max(0.2)));
        match red - blue {
            change if change > 0.0 => (Some("bad"), strength(red - green)),
            change if change < 0.0 => (Some("heap"), strength(blue - green)),
            _ => (None, None),
        }
    }
}

impl<'d> Drawings<'d> {
    pub(super) fn new(read: &'d dyn Fn(&str) -> Option<String>) -> Drawings<'d> {
        Drawings { read, left_bytes: ROOM_BYTES }
    }

    /// The flamegraph of a growth, drawn where it can be read and there is room, and linked in any case.
    pub(super) fn next(&mut self, growth: &SiteGrowth) -> Markup {
        let Some(file) = growth.flamegraph.as_ref().filter(|file| is_ours(file)) else { return html! {} };
        let drawn = (self.read)(file).map(|text| draw(&frames(&text), &growth.metric));
        let drawn = drawn.filter(|drawn| !drawn.0.is_empty() && drawn.0.len() <= self.left_bytes);
        self.left_bytes -= drawn.as_ref().map_or(0, |drawn| drawn.0.len());
        html! {
            @if let Some(drawn) = drawn {
                (parts::closed("Flamegraph of the difference", &html! {
                    p.soft { "As wide as the bytes now; red grew, blue shrank, pale is as before. Callers stand below what they call." }
                    (drawn)
                }))
            }
            p.soft { a href=(file) { "Flamegraph with search and zoom" } " (a file beside this report)" }
        }
    }
}

/// Whether a path is one that highwater writes: below `sites/`, and without anything that leads out of there.
fn is_ours(file: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = file.strip_prefix("sites/");
    name.is_some_and(|name| !name.starts_with('.') && name.chars().all(is_plain))
}

/// The boxes of a file; those that cannot be read are left out.
fn frames(svg: &str) -> Vec<Frame> {
    svg.split("<g><title>").skip(1).filter_map(frame).collect()
}

/// `function (1,024 bytes, 3%; +1%)</title><rect x="1%" y="20" width="3%" height="15" fill="rgb(1,2,3)" ...`
fn frame(text: &str) -> Option<Frame> {
    let (title, rest) = text.split_once("</title>")?;
    let value = |name: &str| {
        let (_, rest) = rest.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let percent = |name: &str| value(name)?.strip_suffix('%')?.parse::<f64>().ok().map(|value| value / 100.0);
    let colour = value("fill")?.strip_prefix("rgb(")?.strip_suffix(')')?;
    let parts: Vec<u8> = colour.split(',').map_while(|part| part.parse().ok()).collect();
    let (from, part, top) = (percent("x")?, percent("width")?, value("y")?.parse::<f64>().ok()?);
    let is_inside = (0.0..=1.0).contains(&from) && (0.0..=1.0).contains(&part) && (0.0..1e5).contains(&top);
    is_inside.then_some(())?;
    Some(Frame { title: unescaped(title), from, part, top, colour: parts.try_into().ok()? })
}

fn unescaped(text: &str) -> String {
    let signs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    plain::line(&signs.iter().fold(text.to_owned(), |text, (escape, sign)| text.replace(escape, sign)))
}

fn draw(frames: &[Frame], metric: &str) -> Markup {
    let wide: Vec<&Frame> = frames.iter().filter(|frame| frame.part * WIDE >= NARROWEST).collect();
    let top = wide.iter().map(|frame| frame.top).fold(f64::INFINITY, f64::min);
    let bottom = wide.iter().map(|frame| frame.top).fold(0.0, f64::max);
    if wide.is_empty() {
        return html! {};
    }
    let height = bottom - top + HIGH;
    html! {
        div.scroll tabindex="0" {
            svg.wide.flame role="img" viewBox=(format!("0 0 {WIDE} {}", Px(height))) width=(WIDE) {
                title { "Flamegraph of the growth of " (metric) }
                desc { "Its largest parts are the sites of the table above." }
                @for frame in wide { (draw_frame(frame, frame.top - top)) }
            }
        }
    }
}

fn draw_frame(frame: &Frame, top: f64) -> Markup {
    let (x, width) = (frame.from * WIDE, frame.part * WIDE);
    let (tone, strength) = frame.change();
    // What a box is called goes without the figures that its title has.
    let name = frame.title.rsplit_once(" (").map_or(frame.title.as_str(), |(name, _)| name);
    let letters = ((width - 4.0) / LETTER).max(0.0) as usize;
    let label = (letters >= name.chars().count().min(FEWEST)).then(|| plain::cut(name, letters));
    html! {
        g {
            title { (frame.title) }
            path class=[tone] fill-opacity=[strength] d=(format!("M{} {}h{}v{HIGH}h-{}z", Px(x), Px(top), Px(width), Px(width))) {}
            @if let Some(label) = label { text x=(Px(x + 2.0)) y=(Px(top + 12.0)) { (label) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = r#"<svg onload="init(evt)"><script>alert(1)</script><svg id="frames"><g><title>a&lt;b&gt; (512 bytes, 50%; +1%)</title><rect x="0%" y="20" width="50%" height="15" fill="rgb(255,0,16)"/><text></text></g><g><title>bad</title><rect x="zero" y="20" width="50%" fill="rgb(255,0,16)"/></g></svg></svg>"#;

    #[test]
    fn a_drawing_is_read_for_its_boxes_only() {
        let frames = frames(SVG);
        let title = "a<b> (512 bytes, 50%; +1%)".to_owned();
        assert_eq!(frames, [Frame { title, from: 0.0, part: 0.5, top: 20.0, colour: [255, 0, 16] }]);
        insta::assert_snapshot!(draw(&frames, "heap.peak_bytes").into_string());
    }

    #[test]
    fn what_grew_is_red_and_what_shrank_is_blue() {
        let change = |colour| Frame { title: String::new(), from: 0.0, part: 1.0, top: 0.0, colour }.change();
        assert_eq!(change([255, 0, 0]), (Some("bad"), Some(Px(STRONGEST))));
        assert_eq!(change([128, 128, 255]).0, Some("heap"));
        assert_eq!(change([250, 250, 250]), (None, None));
    }

    #[test]
    fn drawings_without_room_are_linked_only() {
        let growth =
            SiteGrowth { flamegraph: Some("sites/a.peak.svg".to_owned()), ..crate::specimen::grown() };
        let read = |_: &str| Some(SVG.to_owned());
        let mut drawings = Drawings::new(&read);
        assert!(drawings.next(&growth).0.contains("<svg"));
        drawings.left_bytes = 100;
        let linked = drawings.next(&growth).0;
        assert!(!linked.contains("<svg") && linked.contains("href=\"sites/a.peak.svg\""), "{linked}");
    }

    #[test]
    fn only_paths_below_the_folder_of_sites_are_linked() {
        let ours = [
            "sites/a-b.peak.svg",
            "sites/../x.svg",
            "sites/a/../../x.svg",
            "javascript:alert(1)",
            "/etc/x.svg",
        ];
        assert_eq!(ours.map(is_ours), [true, false, false, false, false]);
    }
}
