//! When a service is asked whether it is well, restarted, and left alone: a state machine without an operating system, which is told the
//! time.

use serde::{Deserialize, Serialize};

/// How patient a watch is. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// From one probe to the next.
    pub probe_every_ms: u64,
    /// How long one probe may take; a slow answer within it is an answer.
    pub probe_ms: u64,
    /// Probes in a row that have to fail before the child is restarted.
    pub failures: u32,
    /// How long each restart waits, as long as no child was stable in between.
    pub attempts_ms: [u64; 3],
    /// For how long a child has to be well until all attempts are there again.
    pub stable_ms: u64,
    /// For how long nothing is started once the attempts are used up. Then one more child is tried at a time.
    pub open_ms: u64,
    /// How long a child may take until it listens.
    pub start_ms: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            probe_every_ms: 60_000,
            probe_ms: 5_000,
            failures: 5,
            attempts_ms: [0, 250, 1_000],
            stable_ms: 60_000,
            open_ms: 60_000,
            start_ms: 30_000,
        }
    }
}

/// What a watch is told. What is about a child names its generation, and is ignored when that child is no longer the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing but time has passed.
    Passed,
    /// The child listens.
    Listening(u64),
    /// The child is gone, or could not be started.
    Exited(u64),
    /// The child has answered a probe.
    Answered(u64),
    /// The child has not answered a probe.
    Unanswered(u64),
    /// There shall be no child any more.
    Quit,
}

impl Event {
    fn generation(self) -> Option<u64> {
        match self {
            Event::Passed | Event::Quit => None,
            Event::Listening(of) | Event::Exited(of) | Event::Answered(of) | Event::Unanswered(of) => {
                Some(of)
            }
        }
    }
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Start the child of this generation.
    Start(u64),
    /// Ask the child of this generation whether it is well.
    Probe(u64),
    /// End whatever is left of the child, itself included.
    End {
        /// Why.
        why: Why,
        /// What comes after it. A start is an action of its own, when its time has come.
        then: Then,
    },
}

/// Why a child is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is gone already, and what it has started may not be.
    Exited,
    /// It has left too many probes in a row unanswered.
    Unanswered,
    /// It did not listen in time.
    NeverListened,
    /// There shall be none any more.
    Quit,
}

/// What comes after the end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// A start after so many milliseconds.
    StartIn(u64),
    /// The attempts are used up: one more try after so many milliseconds.
    OpenFor(u64),
    /// Nothing.
    Nothing,
}

/// Watches over one child at a time.
#[derive(Debug)]
pub struct Watch {
    policy: Policy,
    state: State,
    generation: u64,
    /// Restarts since a child was last stable, at most as many as there are attempts.
    attempts: usize,
    open: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// No child until this time.
    Waiting(u64),
    /// A child that has to listen by this time.
    Starting(u64),
    Up(Up),
    Quit,
}

/// A child that listens.
#[derive(Debug, Clone, Copy)]
struct Up {
    next_probe_ms: u64,
    /// Whether a probe is under way: there is one at a time.
    probing: bool,
    failures: u32,
    /// Since when every probe was answered.
    steady_ms: Option<u64>,
}

impl Watch {
    /// A watch that wants its first child at once.
    pub fn new(policy: Policy) -> Watch {
        Watch { policy, state: State::Waiting(0), generation: 0, attempts: 0, open: false }
    }

    /// The generation of the child that there is. An action to start that was not yet carried out is void when this has changed.
    pub fn current(&self) -> Option<u64> {
        matches!(self.state, State::Starting(_) | State::Up(_)).then_some(self.generation)
    }

    /// Whether the attempts are used up and nothing is started.
    pub fn is_open(&self) -> bool {
        self.open && matches!(self.state, State::Waiting(_))
    }

    /// When time alone makes for something to do, in milliseconds.
    pub fn next_ms(&self) -> Option<u64> {
        match self.state {
            State::Waiting(until) | State::Starting(until) => Some(until),
            State::Up(up) => (!up.probing).then_some(up.next_probe_ms),
            State::Quit => None,
        }
    }

    /// Takes an event in; `now_ms` never goes back.
    pub fn on(&mut self, now_ms: u64, event: Event) -> Action {
        if event.generation().is_some_and(|of| self.current() != Some(of)) {
            return Action::Nothing;
        }
        match event {
            Event::Passed => self.passed(now_ms),
            Event::Listening(_) => self.listening(now_ms),
            Event::Exited(_) => {
                self.settle(now_ms);
                self.failed(now_ms, Why::Exited)
            }
            Event::Answered(_) => self.answered(now_ms),
            Event::Unanswered(_) => self.unanswered(now_ms),
            Event::Quit => self.quit(),
        }
    }

    fn passed(&mut self, now_ms: u64) -> Action {
        match &mut self.state {
            State::Waiting(until) if now_ms >= *until => {
                self.generation += 1;
                self.state = State::Starting(now_ms.saturating_add(self.policy.start_ms));
                Action::Start(self.generation)
            }
            State::Starting(until) if now_ms >= *until => self.failed(now_ms, Why::NeverListened),
            State::Up(up) if !up.probing && now_ms >= up.next_probe_ms => {
                up.probing = true;
                up.next_probe_ms = now_ms.saturating_add(self.policy.probe_every_ms);
                Action::Probe(self.generation)
            }
            _ => {
                self.settle(now_ms);
                Action::Nothing
            }
        }
    }

    fn listening(&mut self, now_ms: u64) -> Action {
        if let State::Starting(_) = self.state {
            let next_probe_ms = now_ms.saturating_add(self.policy.probe_every_ms);
            self.state =
                State::Up(Up { next_probe_ms, probing: false, failures: 0, steady_ms: Some(now_ms) });
        }
        Action::Nothing
    }

    fn answered(&mut self, now_ms: u64) -> Action {
        if let State::Up(up) = &mut self.state {
            up.probing = false;
            up.failures = 0;
            up.steady_ms.get_or_insert(now_ms);
        }
        self.settle(now_ms);
        Action::Nothing
    }

    fn unanswered(&mut self, now_ms: u64) -> Action {
        let State::Up(up) = &mut self.state else { return Action::Nothing };
        up.probing = false;
        up.failures += 1;
        up.steady_ms = None;
        if up.failures < self.policy.failures {
            return Action::Nothing;
        }
        self.failed(now_ms, Why::Unanswered)
    }

    /// Gives all attempts back once a child was well for long enough. While a probe is under way nobody knows whether it is: a child that
    /// hangs from its first moment would else be stable just before the first probe finds that out.
    fn settle(&mut self, now_ms: u64) {
        if let State::Up(Up { probing: false, steady_ms: Some(since), .. }) = self.state
            && now_ms.saturating_sub(since) >= self.policy.stable_ms
        {
            self.attempts = 0;
            self.open = false;
        }
    }

    fn failed(&mut self, now_ms: u64, why: Why) -> Action {
        let (wait, then) = if let Some(wait) = self.policy.attempts_ms.get(self.attempts) {
            self.attempts += 1;
            (*wait, Then::StartIn(*wait))
        } else {
            self.open = true;
            (self.policy.open_ms, Then::OpenFor(self.policy.open_ms))
        };
        self.state = State::Waiting(now_ms.saturating_add(wait));
        Action::End { why, then }
    }

    fn quit(&mut self) -> Action {
        let had = self.current().is_some();
        self.state = State::Quit;
        if had { Action::End { why: Why::Quit, then: Then::Nothing } } else { Action::Nothing }
    }
}

#[cfg(test)]
mod tests;
