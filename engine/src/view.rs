//! Shows sessions while they are worked on: the family `view`.
//!
//! An event goes from the [`server`] that stores a session, by a queue for each client, to the [`host`] in an editor, which passes on what its
//! view wants, and from there to the view: its [`store`] keeps what it was given, its [`window`] mounts what can be seen. What each of them does is
//! a choice of the [`strategy`]. A [`pipeline`] is all of them in one process; [`serve`] puts HTTP and server-sent events between them.

pub mod diff;
pub mod drafts;
pub mod event;
pub mod host;
pub mod ledger;
pub mod message;
pub mod part;
pub mod pipeline;
pub mod serve;
pub mod server;
pub mod size;
pub mod slim;
pub mod storage;
pub mod store;
pub mod strategy;
pub mod strip;
pub mod window;

pub use ledger::{Ledger, Ledgers};
pub use store::Store;
pub use strategy::Strategy;

use serde_json::Value;

/// A record that lacks what every one has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} {id:?} has no usable {lacks}")]
pub struct Malformed {
    /// What it should be.
    pub what: &'static str,
    /// Its id, where it has one.
    pub id: String,
    /// The field.
    pub lacks: &'static str,
}

impl Malformed {
    fn id_of(value: &Value) -> String {
        value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
