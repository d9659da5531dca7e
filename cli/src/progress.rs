//! Progress: bars on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::show;

/// Where there is no terminal, progress is said this often at most.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Progress of one piece of work.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: Option<std::sync::Mutex<Instant>>,
    verb: &'static str,
}

impl Progress {
    /// Of bytes.
    pub(crate) fn bytes(verb: &'static str) -> Progress {
        Progress::new(
            verb,
            "{msg:30!} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}",
        )
    }

    /// Of things that are counted.
    pub(crate) fn count(verb: &'static str) -> Progress {
        Progress::new(verb, "{pos:>4}/{len} {bar:30} {elapsed} {msg}")
    }

    fn new(verb: &'static str, template: &str) -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(verb);
        if is_terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let plain = (!is_terminal).then(|| std::sync::Mutex::new(Instant::now()));
        Progress { bar, plain, verb }
    }

    /// How much there is to do.
    pub(crate) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    /// So much more is done.
    pub(crate) fn add(&self, amount: u64) {
        self.bar.inc(amount);
        self.say_plainly(None);
    }

    /// So much is done, and this comes next.
    pub(crate) fn set(&self, done: u64, next: &str) {
        self.bar.set_position(done);
        self.bar.set_message(next.to_owned());
        self.say_plainly(Some(next));
    }

    /// Says something beside the bar.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| show::note(text));
    }

    fn say_plainly(&self, next: Option<&str>) {
        let Some(last) = &self.plain else { return };
        let Ok(mut last) = last.lock() else { return };
        if last.elapsed() >= PLAIN_INTERVAL {
            *last = Instant::now();
            let (done, length) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let share = (done * 100).checked_div(length).unwrap_or(0);
            show::note(&format!("{} {share} % {}", self.verb, next.unwrap_or_default()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
