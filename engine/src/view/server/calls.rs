//! Calls of tools that have not ended: in which state each is, and what of its progress was not told yet.

use std::collections::BTreeMap;

use super::ServerError;
use crate::view::part::{Kind, Part, Status};

/// Ms from one word about a running tool to the next, where they are not told each.
const EVERY_MS: i64 = 250;

/// Calls that have begun and not ended, by their parts.
#[derive(Debug, Default)]
pub(super) struct Calls {
    running: BTreeMap<String, Call>,
}

#[derive(Debug)]
struct Call {
    session: String,
    message: String,
    status: Status,
    /// When it was told last.
    told_ms: i64,
    /// What was not told yet.
    held: Option<Part>,
}

impl Calls {
    /// Refuses a state that cannot come next. A call that is not known may only begin, or be told again when it has ended.
    pub(super) fn check(&self, part: &Part) -> Result<(), ServerError> {
        let (Kind::Tool, Some(next)) = (part.kind(), part.status()) else { return Ok(()) };
        match self.running.get(part.id()).map(|call| call.status) {
            Some(present) if !present.may_become(next) => Err(refused(part, next, "runs already")),
            None if next == Status::Running => Err(refused(part, next, "has not begun, or has ended")),
            _ => Ok(()),
        }
    }

    /// Notes the state of a call that was stored and told.
    pub(super) fn note(&mut self, part: &Part, now_ms: i64) {
        let (Kind::Tool, Some(status)) = (part.kind(), part.status()) else { return };
        if matches!(status, Status::Completed | Status::Error) {
            // What was held is older than the end.
            self.running.remove(part.id());
            return;
        }
        let (session, message) = (part.session().to_owned(), part.message().to_owned());
        let call = Call { session, message, status, told_ms: now_ms, held: None };
        self.running.insert(part.id().to_owned(), call);
    }

    /// Holds a running call's part back if the last word about it was just said; gives it otherwise.
    pub(super) fn hold(&mut self, part: Part, now_ms: i64) -> Option<Part> {
        let Some(call) = self.running.get_mut(part.id()) else { return Some(part) };
        let runs = part.status() == Some(Status::Running);
        if !runs || call.told_ms.saturating_add(EVERY_MS) <= now_ms {
            return Some(part);
        }
        (call.status, call.held) = (Status::Running, Some(part));
        None
    }

    /// A part that was held back and is due.
    pub(super) fn due(&mut self, now_ms: i64) -> Option<Part> {
        let is_due = |call: &&mut Call| call.held.is_some() && call.told_ms + EVERY_MS <= now_ms;
        let call = self.running.values_mut().find(is_due)?;
        call.told_ms = now_ms;
        call.held.take()
    }

    /// Forgets the calls of a message: all, or that of one part.
    pub(super) fn forget_in(&mut self, message: &str, part: Option<&str>) {
        self.running.retain(|id, call| call.message != message || part.is_some_and(|part| part != id));
    }

    /// Forgets the calls of a session.
    pub(super) fn forget(&mut self, session: &str) {
        self.running.retain(|_, call| call.session != session);
    }

    /// Calls that have not ended.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }
}

fn refused(part: &Part, next: Status, present: &'static str) -> ServerError {
    let next = match next {
        Status::Pending => "pending",
        Status::Running => "running",
        Status::Completed => "completed",
        Status::Error => "an error",
    };
    ServerError::State { part: part.id().to_owned(), session: part.session().to_owned(), next, present }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(status: &str, output: &str) -> Part {
        let state = json!({"status": status, "metadata": {"output": output}});
        let part = json!({"id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "tool", "tool": "bash",
                          "state": state});
        Part::new(part).unwrap()
    }

    fn told(calls: &mut Calls, status: &str, output: &str, now: i64) -> bool {
        let part = call(status, output);
        calls.check(&part).unwrap();
        let told = calls.hold(part, now);
        told.iter().for_each(|part| calls.note(part, now));
        told.is_some()
    }

    #[test]
    fn progress_is_told_four_times_a_second_and_the_last_word_always() {
        let mut calls = Calls::default();
        assert!(told(&mut calls, "pending", "", 0));
        let told_of = |calls: &mut Calls| (1..=100).filter(|n| told(calls, "running", "o", n * 10)).count();
        assert_eq!(told_of(&mut calls), 4);
        assert!(!told(&mut calls, "running", "more", 1_005));
        assert!(calls.due(1_249).is_none());
        assert_eq!(calls.due(1_260).map(|part| part.status()), Some(Some(Status::Running)));
        assert!(calls.due(9_999).is_none());
        told(&mut calls, "running", "held", 1_270);
        assert!(told(&mut calls, "completed", "end", 1_280));
        assert_eq!((calls.due(9_999), calls.len()), (None, 0));
    }

    #[test]
    fn a_call_goes_through_its_states_in_order() {
        let mut calls = Calls::default();
        assert!(calls.check(&call("running", "")).is_err());
        assert!(told(&mut calls, "pending", "", 0));
        assert!(told(&mut calls, "running", "", 1_000));
        let error = calls.check(&call("pending", "")).unwrap_err().to_string();
        assert_eq!(error, "the call prt_1 of the session ses_1 cannot become pending: it runs already");
        assert!(told(&mut calls, "completed", "", 2_000));
        // Its output is compacted later.
        calls.check(&call("completed", "")).unwrap();
        assert!(calls.check(&call("running", "")).is_err());
    }

    #[test]
    fn calls_of_a_deleted_session_are_forgotten() {
        let mut calls = Calls::default();
        assert!(told(&mut calls, "pending", "", 0));
        calls.forget("ses_2");
        calls.forget_in("msg_1", Some("prt_2"));
        calls.forget_in("msg_2", None);
        assert_eq!(calls.len(), 1);
        calls.forget("ses_1");
        assert_eq!(calls.len(), 0);
        assert!(told(&mut calls, "pending", "", 0));
        calls.forget_in("msg_1", Some("prt_1"));
        assert_eq!(calls.len(), 0);
    }
}
