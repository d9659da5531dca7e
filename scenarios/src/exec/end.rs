//! Ends of commands: as records hold them, and whether they are the right ones.

use harness::record::CommandEnd;
use harness::subject::{End, Sample};

use super::{BURN_IN, Options, Pass};
use crate::runner::last_line;

/// Most characters of a command's last words that an error quotes.
const QUOTED_AT_MOST: usize = 200;

/// What a shell adds to the number of a signal to make an exit code of it.
const SIGNALLED: i32 = 128;

/// A sample's end, for the record.
pub(super) fn record(sample: &Sample, pass: Pass) -> CommandEnd {
    let deaths = sample.heap_deaths.iter().map(|death| format!("; {death}"));
    let (exit_code, signal) = match sample.status {
        End::Exit(code) => (Some(code), None),
        End::Signal(signal) => (None, Some(signal)),
        End::TimedOut | End::HeapLimit(_) | End::Stopped => (None, None),
    };
    CommandEnd {
        instrument: pass.to_string(),
        exit_code,
        signal,
        end: format!("{}{}", sample.status, deaths.collect::<String>()),
    }
}

/// Why a sample's end is not the right one, if it is not. A heap that was full makes it wrong whatever the exit code says.
pub(super) fn wrong(taken: &Sample, pass: Pass, number: u32, options: &Options) -> Option<String> {
    let what = match (taken.heap_deaths.first(), &taken.status) {
        (Some(death), status) => format!("{death}; the command {status}"),
        (None, End::Exit(code)) if *code == options.expected_exit => return None,
        (None, End::Signal(signal)) if *signal + SIGNALLED == options.expected_exit => return None,
        (None, End::TimedOut) => {
            let seconds = options.timeout.as_secs();
            format!(
                "the command was not done after {seconds} s and was ended with its whole tree; --timeout gives more"
            )
        }
        (None, status) => format!("the command {status}, exit code {} was expected", options.expected_exit),
    };
    let said = last_line(&taken.stderr)
        .map(|line| format!("; the last line of its standard error: {}", quoted(&line)));
    Some(format!("{}: {what}{}", sample(pass, number), said.unwrap_or_default()))
}

/// A sample, as errors name it.
pub(super) fn sample(pass: Pass, number: u32) -> String {
    match number {
        BURN_IN => format!("burn-in sample of {pass}"),
        number => format!("sample {number} of {pass}"),
    }
}

/// A line as an error can show it: not too long, and nothing in it that moves a terminal's cursor.
fn quoted(line: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = line.trim().chars().take(QUOTED_AT_MOST).map(printable).collect();
    if line.trim().chars().nth(QUOTED_AT_MOST).is_some() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_and_harmless() {
        assert_eq!(quoted("  a\u{1b}[31mb "), "a [31mb");
        assert_eq!(quoted(&"x".repeat(500)).len(), QUOTED_AT_MOST + 3);
    }
}
