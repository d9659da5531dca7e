//! What a browser would add to what was measured, computed from named constants: never mixed with what was measured.

use engine::view::part::Kind;
use engine::view::window::{Row, Shape};
use harness::meter;
use harness::record::{Tier, Unit};
use serde::{Deserialize, Serialize};

use super::bench::Bench;

/// The cost model of a browser. Bytes, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Heap of a parsed value that nobody has read yet, by the bytes of its JSON. Measured of a store of solid-js 1.x on Node 20: 47.1 MB for
    /// 46.8 MB.
    pub unread_ratio: f64,
    /// The same once every field was read in a tracked scope: proxies and nodes of the graph hang on the values, and stay when the readers
    /// are gone. Same measurement: 92.9 MB.
    pub read_ratio: f64,
    /// Bytes of a character of a text in which one is above U+00FF, where others have one. Measured on V8: 2,000 texts of 4,001 characters take 8.1
    /// and 16.1 MB.
    pub wide_char: f64,
    /// What a piece that was appended to a text takes until the text is flattened: a rope has a node for each. Measured: 33 bytes a piece of four
    /// characters.
    pub rope_piece: f64,
    /// Nodes of a row: a turn's or a part of one, with its frame. Not published; assumed, like the other nodes.
    pub nodes_row: f64,
    /// Nodes of a text, beside one for each 80 characters of it.
    pub nodes_text: f64,
    /// Nodes of a card of a tool.
    pub nodes_tool: f64,
    /// Nodes of a card of an edit, beside those of its lines.
    pub nodes_edit: f64,
    /// Nodes of a line of an edit.
    pub nodes_changed_line: f64,
    /// Nodes of a card of a command, beside one for each line.
    pub nodes_bash: f64,
    /// What a node takes, outside and inside the heap of V8. Assumed: 0.5 KB and 0.25 KB.
    pub node_bytes: f64,
    /// Bytes of a session that a version before any cutting has left: 90 MB were seen.
    pub legacy_session_bytes: f64,
    /// Screenshots in a session of somebody who works on a web page, and characters of each. Assumed.
    pub screenshots: f64,
    /// See [`screenshots`](Model::screenshots).
    pub screenshot_bytes: f64,
    /// Views in one process of the browser: an editor may put all of a window into one. Assumed.
    pub views: f64,
    /// The most that V8 lets a process have: the cage of compressed pointers.
    pub ceiling_bytes: f64,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            unread_ratio: 1.01,
            read_ratio: 1.99,
            wide_char: 2.0,
            rope_piece: 33.0,
            nodes_row: 25.0,
            nodes_text: 12.0,
            nodes_tool: 30.0,
            nodes_edit: 40.0,
            nodes_changed_line: 6.0,
            nodes_bash: 35.0,
            node_bytes: 768.0,
            legacy_session_bytes: 90e6,
            screenshots: 20.0,
            screenshot_bytes: 1e6,
            views: 3.0,
            ceiling_bytes: 4_294_967_296.0,
        }
    }
}

impl Model {
    /// The constant that cannot be one, if there is such: below zero, or no number.
    pub fn flaw(&self) -> Option<String> {
        let constants = serde_json::to_value(self).ok()?;
        let mut constants = constants.as_object()?.iter();
        // What is no number is none in JSON, either.
        let wrong = constants.find(|(_, value)| value.as_f64().is_none_or(|value| value < 0.0));
        wrong.map(|(name, _)| name.clone())
    }
}

/// What a browser would have for what a view holds and has mounted, by the model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// What is held, as parsed values that nobody reads.
    pub(super) values: f64,
    /// What reading them once adds.
    pub(super) proxies: f64,
    /// What texts that need two bytes for each character add.
    pub(super) wide: f64,
    /// What pieces of texts add that are not flattened.
    pub(super) ropes: f64,
    /// Nodes that are mounted.
    pub(super) nodes: f64,
    /// What they take.
    pub(super) node_bytes: f64,
}

impl Cost {
    /// The cost of what a view holds now.
    pub(super) fn of(bench: &Bench, model: &Model) -> Cost {
        let stats = bench.pipeline.view.text_stats();
        let nodes = bench.pipeline.view.window().mounted().map(|row| row_nodes(row, model)).sum::<f64>();
        Cost {
            values: stats.text_bytes as f64 * model.unread_ratio,
            proxies: stats.hydrated_bytes as f64 * (model.read_ratio - model.unread_ratio),
            // In UTF-8 such a text has as many bytes as characters or more; the model counts characters.
            wide: stats.wide_units as f64 * (model.wide_char - 1.0),
            ropes: stats.deltas as f64 * model.rope_piece,
            nodes,
            node_bytes: nodes * model.node_bytes,
        }
    }

    /// All of it, in bytes.
    pub(super) fn bytes(&self) -> f64 {
        self.values + self.proxies + self.wide + self.ropes + self.node_bytes
    }

    /// Sets it as metrics that are modelled.
    pub(super) fn set(&self) {
        let set = |name, unit, value: f64| meter::set(name, unit, Tier::Modelled, value.round());
        set("scenario.model_bytes", Unit::Bytes, self.bytes());
        set("scenario.model_proxy_bytes", Unit::Bytes, self.proxies);
        set("scenario.model_wide_bytes", Unit::Bytes, self.wide);
        set("scenario.model_rope_bytes", Unit::Bytes, self.ropes);
        set("scenario.model_nodes", Unit::Count, self.nodes);
        set("scenario.model_node_bytes", Unit::Bytes, self.node_bytes);
    }
}

/// Nodes of a row that is mounted.
fn row_nodes(row: &Row, model: &Model) -> f64 {
    row.shapes.iter().map(|shape| shape_nodes(shape, model)).sum::<f64>() + model.nodes_row
}

/// Nodes of a part that is mounted.
fn shape_nodes(shape: &Shape, model: &Model) -> f64 {
    let (lines, changed) = (f64::from(shape.output_lines), f64::from(shape.changed_lines));
    match (shape.kind, shape.tool.as_deref()) {
        (Kind::Tool, Some("bash")) => model.nodes_bash + lines,
        (Kind::Tool, _) if shape.changed_lines > 0 => model.nodes_edit + model.nodes_changed_line * changed,
        (Kind::Tool, _) => model.nodes_tool,
        _ => model.nodes_text + shape.chars as f64 / 80.0,
    }
}
