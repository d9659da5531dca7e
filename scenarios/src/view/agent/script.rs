//! The acts of all sessions of a plan, in the order of time.

use std::sync::Arc;

use super::Step;
use super::plan::Plan;
use super::session::{Detail, Session};

/// The acts of sessions as they happen: by time, and of one millisecond by the number of the session. Each is made when it is asked for.
#[derive(Debug)]
pub(crate) struct Script {
    sessions: Vec<Session>,
}

impl Script {
    /// All sessions of a plan.
    pub(crate) fn new(plan: &Plan) -> Script {
        let plan = Arc::new(plan.clone());
        let sessions = (0..plan.sessions).map(|number| Session::new(&plan, number, Detail::Live)).collect();
        Script { sessions }
    }

    /// One of them.
    pub(crate) fn of(plan: &Plan, number: usize) -> Script {
        Script { sessions: vec![Session::new(&Arc::new(plan.clone()), number, Detail::Live)] }
    }

    /// The last states of everything in one of them, and in the sessions of its tasks.
    pub(super) fn stored(plan: &Plan, number: usize) -> Script {
        Script { sessions: vec![Session::new(&Arc::new(plan.clone()), number, Detail::Stored)] }
    }

    /// Ids of its sessions, without those of tasks.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.sessions.iter().map(|session| session.id.as_str())
    }

    /// When the next act is done, ms since 1970; none: all are told.
    pub(crate) fn next_ms(&mut self) -> Option<i64> {
        self.next().map(|(at_ms, _)| at_ms)
    }

    fn next(&mut self) -> Option<(i64, usize)> {
        let times = self.sessions.iter_mut().enumerate();
        times.filter_map(|(number, session)| Some((session.next_ms()?, number))).min()
    }
}

impl Iterator for Script {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (at_ms, number) = Script::next(self)?;
        let act = self.sessions[number].next_act()?;
        Some(Step { at_ms, act })
    }
}
