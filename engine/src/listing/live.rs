//! What the service holds of each session that is live: who looks at it, what was said to it, what its process said last.
//!
//! Time is told by whoever drives it: nothing here waits. [`scattered`] is the reported service's way, many containers that know
//! nothing of each other; [`owned`] is ours, one thing for each session.

pub mod owned;
pub mod ring;
pub mod scattered;
pub mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;

use owned::Owned;
use ring::Ring;
use scattered::Scattered;

use super::strategy::{Runtime, Strategy};

/// How long a session waits for a client to come back, ms.
pub const GRACE_MS: u64 = 30_000;
/// The same while a question waits for its answer.
pub const QUESTION_GRACE_MS: u64 = 30 * 60_000;
/// How long a session that was made ready in advance waits for its first message.
pub const PREWARM_MS: u64 = 5 * 60_000;
/// From one sweep to the next.
pub const SWEEP_MS: u64 = 60_000;
/// Most sessions that nobody uses.
pub const IDLE_MAX: usize = 500;

/// The id of a session.
pub type Sid = Arc<str>;
/// A connected client; the service numbers them.
pub type Client = u64;

/// What happens to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// A client opened a connection.
    Connect(Client),
    /// It went away.
    Disconnect(Client),
    /// A person said something.
    Say(&'a str),
    /// A person stopped the answer.
    Stop,
    /// The session's process came, or went.
    Process(bool),
    /// The process said something, as a JSON text.
    Message(&'a str),
    /// The process asked a question, or had its answer.
    Question(bool),
    /// The process, or a request, told the commands that can be typed.
    Commands(&'a [String]),
    /// A person chose another provider and model.
    Model(&'a str, &'a str),
    /// The session is made ready in advance.
    Prewarm,
    /// Its process is being started.
    Starting(bool),
    /// It was started in a directory.
    StartedIn(&'a str),
    /// What was said to it was removed.
    Clear,
    /// It was deleted.
    Remove,
}

/// What is known of a live session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Connected clients.
    pub clients: usize,
    /// Whether its process is there.
    pub has_process: bool,
    /// Whether its process waits for an answer.
    pub has_question: bool,
    /// Whether its process is being started.
    pub is_starting: bool,
    /// Whether its answer was stopped.
    pub is_stopped: bool,
    /// Whether it was made ready in advance.
    pub is_prewarmed: bool,
    /// How often something was said to it.
    pub said: u64,
    /// The first of that, or its beginning.
    pub first_said: String,
    /// Commands that can be typed.
    pub commands: Vec<String>,
    /// The provider and model that were chosen.
    pub model: Option<(String, String)>,
    /// Where it was started.
    pub started_in: Option<String>,
    /// Tools whose results have not come.
    pub awaited_tools: usize,
    /// The error with which its last turn ended.
    pub last_error: Option<String>,
}

/// State of live sessions.
pub enum Live {
    /// In many containers.
    Scattered(Box<Scattered>),
    /// In one.
    Owned(Box<Owned>),
}

impl Live {
    /// No session yet.
    pub fn new(strategy: &Strategy) -> Live {
        match strategy.runtime {
            Runtime::Forever => Live::Scattered(Box::new(Scattered::new(false, strategy.messages))),
            Runtime::Swept => Live::Scattered(Box::new(Scattered::new(true, strategy.messages))),
            Runtime::Owned => Live::Owned(Box::new(Owned::new(strategy.messages))),
        }
    }

    /// Notes what happened to a session.
    pub fn act(&mut self, sid: &Sid, act: Act<'_>, now_ms: u64) {
        match self {
            Live::Scattered(live) => live.act(sid, act, now_ms),
            Live::Owned(live) => live.act(sid, act, now_ms),
        }
    }

    /// Does what is due; to be called every second or so. Gives the sessions whose grace is over: their processes are to be ended.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Sid> {
        match self {
            Live::Scattered(live) => live.tick(now_ms),
            Live::Owned(live) => live.tick(now_ms),
        }
    }

    /// Entries of each container.
    pub fn containers(&self) -> Vec<(&'static str, usize)> {
        match self {
            Live::Scattered(live) => live.containers(),
            Live::Owned(live) => live.containers(),
        }
    }

    /// Entries of all containers.
    pub fn entries(&self) -> usize {
        self.containers().iter().map(|(_, entries)| entries).sum()
    }

    /// Whether state of a session is held by which its answer is shown.
    pub fn holds(&self, sid: &str) -> bool {
        match self {
            Live::Scattered(live) => live.holds(sid),
            Live::Owned(live) => live.holds(sid),
        }
    }

    /// What is known of a session; none where nothing is.
    pub fn state(&self, sid: &str) -> Option<State> {
        match self {
            Live::Scattered(live) => live.state(sid),
            Live::Owned(live) => live.state(sid),
        }
    }

    /// What a session's process said last; none where it has none.
    pub fn messages(&self, sid: &str) -> Option<&Ring> {
        match self {
            Live::Scattered(live) => live.ring(sid),
            Live::Owned(live) => live.ring(sid),
        }
    }
}

/// The beginning of a text, so many bytes at most.
fn beginning(text: &str, bytes: usize) -> Box<str> {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}
