//! The steady profile: sessions of one shape, whose number alone grows with the scale, so that it can carry a law.

use crate::plan::{CODE, Draft, INSIDERS, Item, Uri};
use crate::profile::{STEADY_SESSIONS, STEADY_UNIT_SESSIONS};
use crate::size::Size;
use crate::vscode::Shape;

/// Requests of each session.
const REQUESTS: u64 = 2;
/// Bytes that each session has at least: those with few and short tool calls are filled up.
const BYTES: u64 = 32_000;

impl Draft {
    /// A smaller corpus is a part of a larger one: units are drawn one after the other.
    pub(super) fn steady(&mut self) {
        let units = (self.spec.scale * STEADY_SESSIONS as f64 / STEADY_UNIT_SESSIONS as f64).round().max(1.0);
        for unit in 0..units as u64 {
            self.steady_unit(unit);
        }
    }

    /// Two sessions in a workspace of each product, two of Copilot CLI, and two in a Claude project.
    fn steady_unit(&mut self, unit: u64) {
        for root in [CODE, INSIDERS] {
            let workspace = self.workspace(root, Uri::Folder);
            for shape in [Shape::Log, Shape::V3] {
                let mut chat = self.chat(&workspace, shape, REQUESTS);
                chat.size = Size::AtLeast(BYTES);
                self.items.push(Item::Chat(chat.into()));
            }
        }
        for _ in 0..2 {
            let mut session = self.cli(REQUESTS);
            session.size = Size::AtLeast(BYTES);
            self.items.push(Item::Cli(session.into()));
        }
        for _ in 0..2 {
            // Names of one length, and so paths.
            let mut session = self.claude(&format!("/home/dev/steady-{unit:05}"), REQUESTS);
            session.size = Size::AtLeast(BYTES);
            self.items.push(Item::Claude(session.into()));
        }
    }
}
