//! What the host of the view cuts from parts and messages before it passes them on.
//!
//! [`Slim::Five`] and [`Slim::Thirteen`] are upstream's tables of tools; [`Slim::Rule`] is ours, a rule for whatever is long.
//!
//! What is slim stays as it is when it is slimmed again. (Upstream counts wrong then: its marker makes an output longer than the cap.) A
//! part slims to the same whether the server has [stripped](super::strip) it or not, so that a transcript that was seen live equals the
//! one that is loaded later. The tables do not hold to that everywhere:
//! - what tools that they do not know say in the fields that the server strips is there live, and gone when it is loaded;
//! - a file of `apply_patch` with a patch that only the table finds too long and a `diff` that it does not has that diff live, none later;
//! - of messages, five keeps everything, and thirteen keeps contents before and after.

mod fit;
mod rule;
mod table;
mod text;

use serde_json::Value;

use super::message::Message;
use super::part::Part;
use super::strategy::Slim;

pub use rule::{KEY_CAP, PART_CAP, PATCHES_BYTES, TEXT_BYTES};

/// UTF-16 units of a tool's output, or of any text, at most; what says that more was there is not counted.
pub const OUTPUT_CAP: usize = 4_000;

/// UTF-16 units of a patch at most; a longer one is dropped whole. By [`Slim::Rule`] the patches of one part have as many together.
pub const PATCH_CAP: usize = 64_000;

/// The name of the entry, or of the last item's only entry, that says how many more there were.
pub const OMITTED: &str = "highwater:omitted";

/// Slims a part.
pub fn part(slim: Slim, part: &mut Part) {
    match slim {
        Slim::Five => table::five(part),
        Slim::Thirteen => table::thirteen(part),
        Slim::Rule => rule::part(part),
    }
}

/// Slims any other record: a request to a person, a list of things to do, an error. The tables have nothing to do with them.
pub fn value(slim: Slim, value: &mut Value) {
    if slim == Slim::Rule {
        rule::value(value);
    }
}

/// Slims a message. Five has nothing to do with messages.
pub fn message(slim: Slim, message: &mut Message) {
    match slim {
        Slim::Five => {}
        Slim::Thirteen => table::message(message),
        Slim::Rule => rule::message(message),
    }
}
