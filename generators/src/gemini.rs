//! Gemini CLI: `tmp/<hash of the project>/chats/session-<start>-<id>.json`, one document each, with `logs.json` beside.

use std::collections::BTreeSet;
use std::io;

use crate::answer::{Request, Session, State};
use crate::dice::Dice;
use crate::distribution::{
    ANSWER, CACHED_TOKENS, ERRORED_SHARE, GEMINI_MODELS, GEMINI_TOOLS, INPUT_TOKENS, OUT_OF_ORDER_SHARE,
    OUTPUT_TOKENS, THINKING, TOOL_CALLS, TOOL_ERROR_SHARE, TOOL_INPUT, TOOL_RESULT, message_bytes,
    tool_calls,
};
use crate::page::{Iso, Page, put};
use crate::plan::{Quirk, ROOTS};
use crate::pool::{Bulk, Pool, Tone};
use crate::size::Size;
use crate::text::{Atom, Measure, Preview};
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
    logs: String,
    written: bool,
}

impl<'a> Messages<'a> {
    fn new(gemini: &'a Gemini, page: Page, pool: &'a Pool, mut dice: Dice) -> Self {
        let model = dice.pick::<&str>(GEMINI_MODELS);
        let (facts, logs) = (Facts::default(), String::new());
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
                let bytes = self.pool.tool_result_bytes(&mut self.dice, TOOL_RESULT);
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

    fn first_piece(&mut self, index: u64) -> Option<&'a Atom> {
        let pool = self.pool;
        if index != self.gemini.requests / 2 {
            return None;
        }
        if self.gemini.has(Quirk::LoneSurrogate) {
            return Some(self.dice.pick(&pool.surrogates));
        }
        self.gemini.has(Quirk::LineSeparator).then(|| self.dice.pick(&pool.separators))
    }

    fn user(&mut self, index: u64) -> io::Result<Request> {
        let (id, timestamp) = self.begin("user")?;
        let bytes = message_bytes(&mut self.dice).min(self.room(index) / 4);
        let tone = Tone { first: self.first_piece(index) };
        let image = index < self.gemini.images;
        let list = image || self.dice.chance(0.4);
        let mut preview = Preview::new(500);
        let out = &mut self.page.buf;
        put!(out; if list { "[{\"text\":\"" } else { "\"" });
        let start = out.len();
        let mut texts = vec![if self.gemini.has(Quirk::ManyLanguages) && index == 0 {
            let atoms: Vec<&Atom> = self.pool.languages.iter().collect();
            Pool::join(out, &atoms, Some(&mut preview))
        } else {
            self.pool.compose(out, &mut self.dice, bytes, tone, Some(&mut preview))
        }];
        if self.gemini.logs {
            let said = String::from_utf8_lossy(&out[start..]);
            let comma = if index > 0 { "," } else { "" };
            let mut time = Vec::new();
            put!(&mut time; Iso(timestamp));
            let (id, time) = (&self.gemini.id, String::from_utf8_lossy(&time));
            self.logs += &format!(
                "{comma}\n  {{\"sessionId\":\"{id}\",\"messageId\":{index},\"type\":\"user\",\"message\":\"{said}\",\"timestamp\":\"{time}\"}}"
            );
        }
        if list {
            // What a file that is mentioned holds comes as texts of its own.
            put!(out; "\"},{\"text\":\"\"},\"");
            preview.push("\n", 1);
            texts.push(self.pool.compose(out, &mut self.dice, 40, Tone::default(), Some(&mut preview)));
            put!(out; "\"");
            if image {
                put!(out; ",{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"");
                let bytes = self.pool.image_bytes(&mut self.dice);
                self.pool.image_base64(out, &mut self.dice, bytes);
                put!(out; "\"}}");
            }
            put!(out; "]}");
        } else {
            put!(out; "\"}");
        }
        let mut request = Request { id, timestamp, images: u64::from(image), ..Request::default() };
        request.say(&Measure::joined(&texts), preview);
        Ok(request)
    }

    /// A message of the model: a text of about so many bytes, and a call of a tool with so long an output.
    fn gemini(
        &mut self,
        request: &mut Request,
        bytes: usize,
        call: Option<(&'static str, usize)>,
    ) -> io::Result<()> {
        self.begin("gemini")?;
        let out = &mut self.page.buf;
        put!(out; "\"");
        if bytes > 0 {
            let measure = if call.is_none() && self.gemini.has(Quirk::OpenBlock) {
                let atoms = [self.pool.sentence(&mut self.dice), self.dice.pick(&self.pool.open_blocks)];
                Pool::join(out, &atoms, None)
            } else {
                self.pool.compose(out, &mut self.dice, bytes, Tone::default(), None)
            };
            request.respond(&measure);
        }
        put!(out; "\",\"thoughts\":[");
        if self.dice.chance(0.5) {
            put!(out; "{\"subject\":\"Considering the next step\",\"description\":\"");
            let bytes = self.dice.size(THINKING).min(ENVELOPE_BYTES / 2);
            self.pool.compose(out, &mut self.dice, bytes, Tone::default(), None);
            put!(out; "\",\"timestamp\":\"", Iso(self.time), "\"}");
        }
        put!(out; "]");
        self.tokens(request);
        if self.dice.chance(0.95) {
            put!(&mut self.page.buf; ",\"model\":\"", self.model, "\"");
            request.model = self.model;
        } else {
            put!(&mut self.page.buf; ",\"model\":\"\"");
        }
        if let Some((tool, bytes)) = call {
            self.call(tool, bytes);
            request.call(tool);
        }
        put!(&mut self.page.buf; "}");
        Ok(())
    }

    fn tokens(&mut self, request: &mut Request) {
        if self.dice.chance(0.02) {
            put!(&mut self.page.buf; ",\"tokens\":null");
            return;
        }
        let [new, cached, output, thoughts] =
            [INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS, OUTPUT_TOKENS].map(|law| self.dice.size(law) as u64);
        let input = new + cached;
        put!(&mut self.page.buf; ",\"tokens\":{\"input\":", input, ",\"output\":", output, ",\"cached\":", cached,
            ",\"thoughts\":", thoughts, ",\"tool\":0,\"total\":", input + output + thoughts, "}");
        request.prompt += input;
        request.completion += output + thoughts;
        let tokens = &mut self.facts.tokens;
        tokens.responses += 1;
        tokens.input += new;
        tokens.cache_read += cached;
        tokens.output += output + thoughts;
        tokens.reasoning += thoughts;
    }

    /// A call with its result, which most tools give twice: for the model and for the screen.
    fn call(&mut self, tool: &'static str, bytes: usize) {
        let id = self.dice.between(1_735_689_600_000, 1_785_689_600_000);
        let failed = self.dice.chance(TOOL_ERROR_SHARE);
        let out = &mut self.page.buf;
        put!(out; ",\"toolCalls\":[{\"id\":\"", tool, "-", id, "\",\"name\":\"", tool, "\",\"args\":{");
        match tool {
            "run_shell_command" => {
                put!(out; "\"command\":\"", &*self.pool.command(&mut self.dice).escaped, "\"");
            }
            "replace" | "write_file" => {
                put!(out; "\"file_path\":\"", self.pool.path(&mut self.dice), "\",\"content\":\"");
                let bytes = self.dice.size(TOOL_INPUT).min(bytes.max(80));
                self.pool.lines(out, &mut self.dice, bytes);
                put!(out; "\"");
            }
            _ => put!(out; "\"file_path\":\"", self.pool.path(&mut self.dice), "\""),
        }
        put!(out; "},\"result\":[{\"functionResponse\":{\"id\":\"", tool, "-", id, "\",\"name\":\"", tool, "\",\"response\":{\"",
            if failed { "error" } else { "output" }, "\":\"");
        let start = out.len();
        let kind = if tool == "run_shell_command" { Bulk::Log } else { Pool::bulk_kind(&mut self.dice) };
        self.pool.bulk(out, &mut self.dice, kind, bytes);
        let output = start..out.len();
        put!(out; "\"}}}],\"status\":\"", if failed { "error" } else { "success" }, "\",\"timestamp\":\"", Iso(self.time),
            "\",\"displayName\":\"", tool, "\",\"description\":\"\",\"renderOutputAsMarkdown\":true,\"resultDisplay\":");
        match tool {
            "replace" | "write_file" => {
                put!(out; "{\"fileName\":\"main.rs\",\"fileDiff\":\"");
                out.extend_from_within(output);
                put!(out; "\",\"originalContent\":null,\"newContent\":\"\"}");
            }
            "run_shell_command" | "list_directory" => {
                put!(out; "\"");
                out.extend_from_within(output);
                put!(out; "\"");
            }
            _ => put!(out; "\"Read.\""),
        }
        put!(out; "}]");
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
                let plan = Plan { items: vec![Item::Gemini(session)], workspaces: 1, files: 1, bytes: 0 };
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
