//! How progress is said.

use clap::ValueEnum;

/// Ways to say how far the work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manner {
    /// A bar on a terminal, else plain.
    #[default]
    Auto,
    /// A line now and then.
    Plain,
    /// JSON lines on standard error: verb, done, of, unit and message.
    Json,
    /// Nothing.
    None,
}
