//! What is printed: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use harness::subject::Channel;
use reports::text::Style;

/// Columns of a table that is not drawn on a terminal.
const PLAIN_COLUMNS: usize = 120;

/// Prints a result. That nobody reads on is no failure.
pub(crate) fn result(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
}

/// Says something about the work. That nobody reads it is no failure here either.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// An error with its causes. Many an error says its cause itself: it is said once.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Says what failed. Errors name paths, and a path may hold what a terminal would obey.
pub(crate) fn error(text: &str) {
    note(&format!("error: {}", reports::plain_lines(text)));
}

/// Passes on what a measured program wrote, to the same channel.
pub(crate) fn pass_on(channel: Channel, bytes: &[u8]) {
    let _ = match channel {
        Channel::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Channel::Err => std::io::stderr().lock().write_all(bytes),
    };
}

/// How tables are drawn: plain when the output is not a terminal or colours are not wanted (`NO_COLOR`).
/// As what is no terminal is written.
pub(crate) const PLAIN: Style = Style { colour: false, width: PLAIN_COLUMNS };

pub(crate) fn style() -> Style {
    let is_terminal = std::io::stdout().is_terminal();
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = terminal_size::terminal_size().map_or(PLAIN_COLUMNS, |(width, _)| usize::from(width.0));
    Style { colour, width }
}
