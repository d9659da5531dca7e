//! Requests of a Claude file that is about so long: their steps end where their share of it does.

use std::io;

use crate::claude::file::{File, answer_bytes};
use crate::claude::line;
use crate::dice::Dice;
use crate::distribution::{CANCELLED_SHARE, CLAUDE_TOOL_CALLS, CLAUDE_TOOLS, ERRORED_SHARE, tool_calls};

/// Bytes that an answer's line has beside its text. H, of this generator.
const ANSWER_LINE: usize = 960;

/// No step is begun when fewer bytes are left. H: its two lines without input and result, and the answer that must follow.
const STEP_LEAST: usize = 4_000;

/// Bytes of a result's line beside its two results. H.
const RESULT_LINE: usize = 900;

/// Steps that fill a request up at most. A: a session of megabytes has many lines and not one.
const FILLING_STEPS: usize = 60;

impl File<'_> {
    /// Bytes left of the request's share; none where nothing limits it.
    fn left(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_sub(self.page.bytes()) as usize)
    }

    /// A drawn size, cut to its part (one of `parts`) of what is left.
    pub(crate) fn at_most(&mut self, draw: impl FnOnce(&mut Dice) -> usize, parts: usize) -> usize {
        let drawn = draw(&mut self.dice);
        self.left().map_or(drawn, |left| drawn.min(left / parts))
    }

    /// Whether there is room for thoughts, which nobody misses.
    pub(crate) fn may_think(&self) -> bool {
        self.left().is_none_or(|left| left > 4 * STEP_LEAST)
    }

    /// The bytes of an answer's text: where a limit is, the last one goes up to it.
    pub(crate) fn text_bytes(&mut self) -> usize {
        let drawn = answer_bytes(&mut self.dice);
        match self.left() {
            None => drawn,
            Some(left) if left < STEP_LEAST => left.saturating_sub(ANSWER_LINE),
            Some(left) => drawn.min(left / 8),
        }
    }

    /// The bytes of a tool's result, which its line holds twice: where a limit is, the last one takes all but the answer.
    pub(crate) fn result_bytes(&self, drawn: usize) -> usize {
        let Some(left) = self.left() else { return drawn };
        let room = left.saturating_sub(RESULT_LINE + ANSWER_LINE + 300) / 2;
        if drawn + STEP_LEAST / 2 > room { room } else { drawn }
    }

    /// One request that ends where its share of the file ends, unless its prompt and answer alone need more.
    pub(crate) fn request_within(&mut self, index: u64) -> io::Result<()> {
        self.limit = self.size.after(index + 1, self.requests);
        let main = self.agent.is_none();
        if main && self.left() > Some(4 * STEP_LEAST) {
            for _ in 0..self.dice.below(3) {
                let kind = self.dice.index(line::NOISE);
                self.noise(kind)?;
            }
        }
        self.prompt(index)?;
        let mut calls = tool_calls(&mut self.dice, CLAUDE_TOOL_CALLS);
        let filling = self.left().unwrap_or(0) / FILLING_STEPS;
        while self.left() > Some(STEP_LEAST) {
            let tool = self.dice.weighted(CLAUDE_TOOLS);
            self.step(Some(tool), if calls == 0 { filling } else { 0 })?;
            calls = calls.saturating_sub(1);
        }
        let draw = self.dice.unit();
        let ends_otherwise = main && index + 1 < self.requests;
        if ends_otherwise && draw < CANCELLED_SHARE {
            self.interruption()
        } else if ends_otherwise && draw < CANCELLED_SHARE + ERRORED_SHARE {
            self.failure()
        } else {
            self.step(None, 0)
        }
    }

    /// The lines of a main file in which nothing was asked.
    pub(crate) fn only_noise(&mut self) -> io::Result<()> {
        while self.page.bytes() < self.size.estimate(0) {
            let kind = self.dice.index(line::NOISE);
            self.noise(kind)?;
        }
        Ok(())
    }
}
