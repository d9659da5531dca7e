//! Requests of a Copilot CLI session that is about so long: their steps end where their share of it does.

use std::io;

use super::Events;
use crate::answer::Request;
use crate::dice::Dice;
use crate::distribution::{ANSWER, CLI_TOOLS};

/// Bytes of an answer's event beside its text and signature. H, of this generator.
const ANSWER_EVENT: usize = 330;

/// Bytes of the event that ends a turn. H.
const TURN_END: usize = 200;

/// Bytes of the events that end a session, on average. H: most have one of 500 bytes.
const SESSION_END: u64 = 400;

/// No step is begun when fewer bytes are left. H: its events without input and result, and the answer that must follow.
const STEP_LEAST: usize = 3_500;

/// Bytes of a result's event beside its two results. H.
const RESULT_EVENT: usize = 350;

/// Steps that fill a request up at most. A: a session of megabytes has many events and not one.
const FILLING_STEPS: usize = 60;

impl Events<'_> {
    /// Sets where the next request ends, where that is limited.
    pub(super) fn begin_share(&mut self, index: u64) {
        let (size, requests) = (self.cli.size, self.cli.requests);
        let left = size.left(index, requests, self.page.bytes());
        let end = if index + 1 == requests { SESSION_END } else { 0 };
        self.limit = left.map(|left| (self.page.bytes() + left as u64).saturating_sub(end));
    }

    /// Bytes left of the request's share; none where nothing limits it.
    fn left(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_sub(self.page.bytes()) as usize)
    }

    /// A drawn size, cut to its part (one of `parts`) of what is left.
    pub(super) fn at_most(&mut self, draw: impl FnOnce(&mut Dice) -> usize, parts: usize) -> usize {
        let drawn = draw(&mut self.dice);
        self.left().map_or(drawn, |left| drawn.min(left / parts))
    }

    /// The bytes of an answer's text, which a signature follows.
    pub(super) fn text_bytes(&mut self, with_tool: bool) -> usize {
        let drawn = self.dice.size(ANSWER);
        match self.left() {
            None => drawn,
            Some(left) if with_tool => drawn.min(left / 10),
            Some(left) => left.saturating_sub(ANSWER_EVENT + TURN_END) / 2,
        }
    }

    /// The bytes of an answer's signature: where a limit is, the last one goes up to it.
    pub(super) fn signature_bytes(&mut self, with_tool: bool) -> usize {
        let drawn = 200 + self.dice.index(3_000);
        match self.left() {
            None => drawn,
            Some(left) if with_tool => drawn.min(left / 10),
            // What stands behind the signature.
            Some(left) => left.saturating_sub(TURN_END + 150).clamp(16, 8_000),
        }
    }

    /// The bytes of a tool's result, which its event holds twice: where a limit is, the last one takes all but the answer.
    pub(super) fn result_bytes(&self, drawn: usize) -> usize {
        let Some(left) = self.left() else { return drawn };
        let room = left.saturating_sub(RESULT_EVENT + ANSWER_EVENT + TURN_END + 400) / 2;
        if drawn + STEP_LEAST / 2 > room { room } else { drawn }
    }

    /// The steps of a request that ends where its share of the file ends.
    pub(super) fn steps_within(&mut self, request: &mut Request, calls: usize) -> io::Result<()> {
        let mut calls = calls;
        let filling = self.left().unwrap_or(0) / FILLING_STEPS;
        while self.left() > Some(STEP_LEAST) {
            let tool = self.dice.weighted(CLI_TOOLS);
            self.assistant_message(request, Some(tool))?;
            self.tool(request, tool, if calls == 0 { filling } else { 0 })?;
            calls = calls.saturating_sub(1);
        }
        Ok(())
    }
}
