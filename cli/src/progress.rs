//! Progress: bars on a terminal, a line now and then elsewhere, JSON lines for machines.

use std::io::IsTerminal;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use crate::args::progress::Manner;
use crate::show;

/// After this long work that is said plainly is said to go on for the first time.
const PLAIN_BEGIN: Duration = Duration::from_secs(1);
/// Plain progress is said this often at most.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
/// JSON lines of what is counted by the byte come this often at most.
const JSON_INTERVAL: Duration = Duration::from_millis(200);

static MANNER: OnceLock<Manner> = OnceLock::new();

/// Sets how all progress of this process is said; the first call counts.
pub(crate) fn choose(manner: Manner) {
    let _ = MANNER.set(match manner {
        Manner::Auto if !is_drawn() => Manner::Plain,
        manner => manner,
    });
}

/// Whether a bar can be drawn on standard error.
fn is_drawn() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// Progress of one piece of work.
pub(crate) struct Progress {
    bar: ProgressBar,
    manner: Manner,
    /// When the next line is due.
    due: Mutex<Instant>,
    verb: &'static str,
    unit: &'static str,
}

impl Progress {
    /// Of bytes.
    pub(crate) fn bytes(verb: &'static str) -> Progress {
        let template = "{msg:30!} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        Progress::new(verb, "bytes", template)
    }

    /// Of things that are counted.
    pub(crate) fn count(verb: &'static str) -> Progress {
        Progress::new(verb, "steps", "{pos:>4}/{len} {bar:30} {elapsed} {msg}")
    }

    fn new(verb: &'static str, unit: &'static str, template: &str) -> Progress {
        let manner = MANNER.get().copied().unwrap_or_default();
        let is_bar = manner == Manner::Auto;
        let target = if is_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(verb);
        if is_bar {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let wait = if manner == Manner::Plain { PLAIN_BEGIN } else { Duration::ZERO };
        Progress { bar, manner, due: Mutex::new(Instant::now() + wait), verb, unit }
    }

    /// How much there is to do.
    pub(crate) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    /// So much more is done.
    pub(crate) fn add(&self, amount: u64) {
        self.bar.inc(amount);
        self.say(None);
    }

    /// So much is done, and this comes next.
    pub(crate) fn set(&self, done: u64, next: &str) {
        self.bar.set_position(done);
        self.bar.set_message(next.to_owned());
        self.say(Some(next));
    }

    /// All is done.
    pub(crate) fn finish(&self) {
        self.bar.set_position(self.bar.length().unwrap_or(0));
    }

    /// Says something beside the bar.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| show::note(text));
    }

    /// Says how far it is, where a line is due.
    fn say(&self, next: Option<&str>) {
        let interval = match (self.manner, next) {
            (Manner::Plain, _) => PLAIN_INTERVAL,
            (Manner::Json, None) => JSON_INTERVAL,
            // What is counted one by one is told one by one.
            (Manner::Json, Some(_)) => Duration::ZERO,
            (Manner::Auto | Manner::None, _) => return,
        };
        let Ok(mut due) = self.due.lock() else { return };
        let now = Instant::now();
        if now >= *due || interval.is_zero() {
            *due = now + interval;
            self.line(next.unwrap_or_default());
        }
    }

    fn line(&self, message: &str) {
        let (done, of) = (self.bar.position(), self.bar.length());
        if self.manner == Manner::Json {
            let line = serde_json::json!({
                "verb": self.verb, "done": done, "of": of, "unit": self.unit, "message": message,
            });
            show::note(&line.to_string());
        } else {
            let share = (done * 100).checked_div(of.unwrap_or(0)).unwrap_or(0);
            show::note(&format!("{} {share} % {message}", self.verb));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Each step is told before it is done; how far it came in the end is told here.
        if self.manner == Manner::Json && !std::thread::panicking() {
            self.line("end");
        }
        self.bar.finish_and_clear();
    }
}
