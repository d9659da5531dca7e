//! Gemini CLI: `tmp/<hash of the project>/chats/session-<start>-<id>.json`, one document each, with `logs.json` beside.

mod message;

use std::collections::BTreeSet;
use std::io;

use crate::answer::{Request, Session, State};
use crate::dice::Dice;
use crate::distribution::{
    ANSWER, ERRORED_SHARE, GEMINI_MODELS, GEMINI_TOOLS, OUT_OF_ORDER_SHARE, TOOL_CALLS, TOOL_INPUT,
    TOOL_RESULT, tool_calls,
};
use crate::page::{Iso, Page, put};
use crate::plan::{Quirk, ROOTS};
use crate::pool::Pool;
use crate::size::Size;
use crate::text::Preview;
use crate::write::{Desk, Facts};

/// Bytes of a message around its texts, about.
const ENVELOPE_BYTES: usize = 900;

/// A session to write.
#[derive(Clone, Debug)]
pub(crate) struct Gemini {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The project's directory: 64 hexadecimal digits.
    pub(crate) directory: String,
    pub(crate) id: String,
    /// When it began, ms since 1970.
    pub(crate) start: u64,
    pub(crate) requests: u64,
    /// How long the session's file is.
    pub(crate) size: Size,
    /// Requests with an image.
    pub(crate) images: u64,
    /// Whether the project's list of prompts is written with it.
    pub(crate) logs: bool,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl Gemini {
    fn workspace(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.directory)
    }

    /// The file's name without its extension.
    fn stem(&self) -> String {
        let mut start = Vec::new();
        put!(&mut start; Iso(self.start));
        let minute = String::from_utf8_lossy(&start[..16]).replace(':', "-");
        format!("session-{minute}-{}", &self.id[..8])
    }

    /// The session's file.
    pub(crate) fn path(&self) -> String {
        format!("{}/chats/{}.json", self.workspace(), self.stem())
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Writes the session and what belongs to it.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = self.path();
        let page = desk.open(&path)?;
        let mut session = Session {
            id: if self.has(Quirk::NoSessionId) { self.stem() } else { self.id.clone() },
            harness: ROOTS[self.root].1,
            workspace: self.workspace(),
            name: Preview::of(&self.directory, 128),
            created: self.start,
            ..Session::default()
        };
        let mut messages = Messages::new(self, page, desk.pool, Dice::new(desk.spec, &path));
        messages.document(&mut session)?;
        let Messages { page, mut facts, logs, .. } = messages;
        facts.requests = session.requests.len() as u64;
        facts.prompt = session.requests.iter().map(|request| request.prompt).sum();
        facts.completion = session.requests.iter().map(|request| request.completion).sum();
        let quirks = self.quirks.iter().map(|quirk| quirk.name()).collect();
        desk.close(page, path.clone(), Facts { sessions: 1, quirks, ..facts })?;
        desk.deliver(self.root, path.rsplit('/').next().unwrap_or_default(), path.clone(), &session);
        if self.logs {
            let logs = String::from_utf8(logs).map_err(io::Error::other)?;
            desk.write_small(format!("{}/logs.json", self.workspace()), &format!("[{logs}\n]"), "document")?;
        }
        Ok(())
    }
}

struct Messages<'a> {
    gemini: &'a Gemini,
    page: Page,
    pool: &'a Pool,
    dice: Dice,
    time: u64,
    model: &'static str,
    facts: Facts,
    /// Elements of `logs.json`.
    logs: Vec<u8>,
    written: bool,
}

impl<'a> Messages<'a> {
    fn new(gemini: &'a Gemini, page: Page, pool: &'a Pool, mut dice: Dice) -> Self {
        let model = dice.pick::<&str>(GEMINI_MODELS);
        let (facts, logs) = (Facts::default(), Vec::new());
        Messages { gemini, page, pool, dice, time: gemini.start, model, facts, logs, written: false }
    }

    fn document(&mut self, session: &mut Session) -> io::Result<()> {
        // The document says first when it was written last: the times of its requests are drawn before all else.
        let mut time = self.gemini.start;
        let times: Vec<u64> = (0..self.gemini.requests)
            .map(|_| {
                time += self.dice.between(400_000, 2_400_000);
                time
            })
            .collect();
        let last = time + self.dice.between(1_000, 400_000);
        self.page.record("document");
        put!(&mut self.page.buf; "{\n");
        if !self.gemini.has(Quirk::NoSessionId) {
            put!(&mut self.page.buf; "  \"sessionId\": \"", &self.gemini.id, "\",\n");
        }
        put!(&mut self.page.buf; "  \"projectHash\": \"", &self.gemini.directory, "\",\n  \"startTime\": ");
        self.stamp(self.gemini.start);
        if !self.gemini.has(Quirk::NumericTime) {
            put!(&mut self.page.buf; ",\n  \"lastUpdated\": ");
            self.stamp(last);
            session.last = last;
        }
        put!(&mut self.page.buf; ",\n  \"messages\": [");
        self.page.lines_ended(5)?;
        self.noise(false)?;
        for (index, time) in (0..).zip(times) {
            self.time = time;
            session.requests.push(self.request(index)?);
        }
        self.noise(true)?;
        self.bad_elements()?;
        put!(&mut self.page.buf; "\n  ]\n}");
        self.page.lines_ended(2)?;
        self.page.end_torn();
        if session.last == 0 {
            session.last =
                session.requests.last().map_or(session.created, |request: &Request| request.timestamp);
        }
        Ok(())
    }

    /// A time as the session writes it.
    fn stamp(&mut self, time: u64) {
        if self.gemini.has(Quirk::NumericTime) {
            put!(&mut self.page.buf; time);
        } else {
            put!(&mut self.page.buf; "\"", Iso(time), "\"");
        }
    }

    /// An element of the list begins, on a line of its own.
    fn element(&mut self) -> io::Result<()> {
        put!(&mut self.page.buf; if self.written { ",\n    " } else { "\n    " });
        self.written = true;
        self.page.lines_ended(1)
    }

    /// A message begins; its id and time are told.
    fn begin(&mut self, kind: &'static str) -> io::Result<(String, u64)> {
        self.element()?;
        let id = self.dice.id();
        self.time += self.dice.between(20, 2_000);
        let mut time = self.time;
        if self.gemini.has(Quirk::OutOfOrder) && self.dice.chance(0.2)
            || self.dice.chance(OUT_OF_ORDER_SHARE / 8.0)
        {
            time -= 600_000;
        }
        put!(&mut self.page.buf; "{\"id\":\"", id, "\",\"timestamp\":");
        self.stamp(time);
        put!(&mut self.page.buf; ",\"type\":\"", kind, "\",\"content\":");
        self.page.record(kind);
        Ok((id.to_string(), time))
    }

    /// Messages that do nothing: what the tool tells its user, and what stands before any prompt.
    fn noise(&mut self, after: bool) -> io::Result<()> {
        if !self.gemini.has(Quirk::UnknownTypes) {
            return Ok(());
        }
        let kinds: &[&'static str] = if after { &["a-type-of-tomorrow"] } else { &["info", "gemini"] };
        for kind in kinds {
            self.begin(kind)?;
            put!(&mut self.page.buf; "\"Update available.\"}");
        }
        Ok(())
    }

    /// Elements that a reader skips and counts.
    fn bad_elements(&mut self) -> io::Result<()> {
        if !self.gemini.has(Quirk::BadOperation) {
            return Ok(());
        }
        for element in ["null", "[]", "{\"type\":7}", "{\"id\":\"m\",\"content\":\"without a type\"}"] {
            self.element()?;
            put!(&mut self.page.buf; element);
            self.page.record("broken");
            self.facts.skipped_lines += 1;
        }
        Ok(())
    }

    fn target(&self, index: u64) -> usize {
        self.gemini.size.after(index + 1, self.gemini.requests).unwrap_or(0) as usize
    }

    /// Bytes that the request may still take.
    fn room(&self, index: u64) -> usize {
        if !matches!(self.gemini.size, Size::About(_)) {
            return usize::MAX;
        }
        self.target(index).saturating_sub(self.page.bytes() as usize)
    }

    fn request(&mut self, index: u64) -> io::Result<Request> {
        let mut request = self.user(index)?;
        let last = index + 1 == self.gemini.requests;
        if last && self.gemini.has(Quirk::Unanswered) {
            return Ok(request);
        }
        request.state = State::Complete;
        let answer = self.dice.size(ANSWER).min(self.room(index) / 3);
        let everything = index == 0 && self.gemini.has(Quirk::EveryPart);
        let calls = if everything { 0 } else { tool_calls(&mut self.dice, TOOL_CALLS) };
        if everything {
            for (tool, _) in GEMINI_TOOLS {
                let bytes = self.pool.tool_result_bytes(&mut self.dice, TOOL_INPUT);
                self.gemini(&mut request, 80, Some((tool, bytes)))?;
            }
        }
        for _ in 0..calls {
            let tool = self.dice.weighted(GEMINI_TOOLS);
            let room = self.room(index);
            if room < 8 * ENVELOPE_BYTES + answer {
                break;
            }
            let bytes = self.pool.tool_result_bytes(&mut self.dice, TOOL_RESULT).min(room / 4);
            let silent = self.dice.chance(0.5);
            let said = if silent { 0 } else { self.dice.size(ANSWER).min(room / 8) };
            self.gemini(&mut request, said, Some((tool, bytes)))?;
        }
        let missing = self.target(index).saturating_sub(self.page.bytes() as usize);
        // The two messages to come have bytes of their own.
        let reserve =
            if matches!(self.gemini.size, Size::About(_)) { 2 * ENVELOPE_BYTES + answer } else { 0 };
        if missing > reserve {
            self.gemini(&mut request, 0, Some(("web_fetch", missing - reserve)))?;
        }
        self.gemini(&mut request, answer.max(1), None)?;
        if self.dice.chance(ERRORED_SHARE) || self.gemini.has(Quirk::EveryPart) && index == 1 {
            self.trouble(&mut request)?;
        }
        Ok(request)
    }

    /// An error, and a warning before it.
    fn trouble(&mut self, request: &mut Request) -> io::Result<()> {
        self.begin("warning")?;
        put!(&mut self.page.buf; "\"The model is slow.\"}");
        self.begin("error")?;
        put!(&mut self.page.buf; "\"[API Error: You have exhausted your capacity on this model.]\"}");
        request.state = State::Errored;
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::plan::{Item, Plan};
    use crate::{Profile, Spec, write};

    /// Writes sessions of so many requests and such a size, and tells the bytes of each.
    fn bytes(requests: u64, size: Size) -> Vec<u64> {
        let spec = Spec { profile: Profile::Heavy, scale: 1.0, seed: 5 };
        (0..5)
            .map(|number| {
                let session = Gemini {
                    root: 5,
                    directory: "ab".repeat(32),
                    id: format!("0000000{number}-0000"),
                    start: 1_750_000_000_000,
                    requests,
                    size,
                    images: 0,
                    logs: false,
                    quirks: BTreeSet::new(),
                };
                let plan =
                    Plan { items: vec![Item::Gemini(session.into())], workspaces: 1, files: 1, bytes: 0 };
                write::manifest_of(plan, &spec, None, 1).unwrap().bytes
            })
            .collect()
    }

    #[test]
    fn a_session_is_about_as_large_as_was_asked() {
        for (requests, asked) in [(1, 60_000), (3, 150_000), (20, 2_000_000)] {
            let found = bytes(requests, Size::About(asked));
            let is_about = |found: &u64| (*found as f64 / asked as f64 - 1.0).abs() < 0.05;
            assert!(found.iter().all(is_about), "{requests} requests: {found:?} for {asked}");
        }
    }

    #[test]
    fn a_session_has_at_least_the_bytes_that_were_asked_for() {
        let found = bytes(2, Size::AtLeast(500_000));
        assert!(found.iter().all(|found| *found >= 500_000), "{found:?}");
    }
}
