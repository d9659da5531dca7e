//! One file of a Claude session: prompts, steps with their tools, and everything else that stands between them.

use std::io;
use std::ops::Range;

use crate::claude::line::{self, Block};
use crate::claude::{Claude, Reading, Said};
use crate::dice::Dice;
use crate::distribution::{
    ANSWER, CACHED_TOKENS, CANCELLED_SHARE, CLAUDE_MODELS, CLAUDE_TOOL_CALLS, CLAUDE_TOOLS, ERRORED_SHARE,
    INPUT_TOKENS, OUT_OF_ORDER_SHARE, OUTPUT_TOKENS, REWRITTEN_LINE_SHARE, TOOL_INPUT, message_bytes,
    tool_calls,
};
use crate::page::{Id, Iso, Page, put};
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::size::Size;
use crate::text::Preview;

/// Share of lines beside the conversation (titles, snapshots, modes) per request. A.
const NOISE_PER_REQUEST: u32 = 3;

/// What a response writes to the cache that reads so much from it.
pub(crate) fn cache_write(cached: u64) -> u64 {
    cached / 50
}

/// A file being written.
pub(crate) struct File<'a> {
    pub(crate) claude: &'a Claude,
    pub(crate) agent: Option<&'a str>,
    pub(crate) page: Page,
    pub(crate) pool: &'a Pool,
    pub(crate) dice: Dice,
    pub(crate) reading: &'a mut Reading,
    time: u64,
    parent: Option<Id>,
    model: &'static str,
    /// The file's bytes before the line.
    line_start: u64,
    /// How long the file is.
    pub(crate) size: Size,
    /// Requests of the file, among which its bytes are shared.
    pub(crate) requests: u64,
    /// The file's bytes at which the request being written ends; none where nothing limits it.
    pub(crate) limit: Option<u64>,
}

impl<'a> File<'a> {
    pub(crate) fn new(
        claude: &'a Claude,
        agent: Option<&'a str>,
        page: Page,
        pool: &'a Pool,
        mut dice: Dice,
        reading: &'a mut Reading,
    ) -> Self {
        let time = 1_735_689_600_000 + dice.between(0, 540 * 86_400_000);
        let model = *dice.pick(CLAUDE_MODELS);
        let (size, requests) = if agent.is_none() { (claude.size, claude.requests) } else { (Size::Free, 1) };
        File {
            claude,
            agent,
            page,
            pool,
            dice,
            reading,
            time,
            parent: None,
            model,
            line_start: 0,
            size,
            requests,
            limit: None,
        }
    }

    /// The lines that a main file begins with.
    pub(crate) fn titles(&mut self) -> io::Result<()> {
        for kind in [0, 1, 4] {
            self.noise(kind)?;
        }
        if self.claude.has(Quirk::UnknownTypes) {
            for kind in 0..line::NOISE {
                self.noise(kind)?;
            }
        }
        Ok(())
    }

    /// One request: its prompt, its steps, its end.
    pub(crate) fn request(&mut self, index: u64) -> io::Result<()> {
        self.time += 1_000 + self.dice.between(0, 900_000);
        if let Size::About(_) = self.size {
            return self.request_within(index);
        }
        if self.agent.is_none() {
            for _ in 0..self.dice.below(NOISE_PER_REQUEST) {
                let kind = self.dice.index(line::NOISE);
                self.noise(kind)?;
            }
        }
        self.prompt(index)?;
        let calls = tool_calls(&mut self.dice, CLAUDE_TOOL_CALLS).max(usize::from(self.agent.is_some()));
        let draw = self.dice.unit();
        let every = self.claude.has(Quirk::EveryPart) && index == 0;
        if every {
            for (tool, _) in CLAUDE_TOOLS {
                self.step(Some(tool), 0)?;
            }
        } else {
            for _ in 0..calls {
                let tool = self.dice.weighted(CLAUDE_TOOLS);
                self.step(Some(tool), 0)?;
            }
        }
        let main = self.agent.is_none();
        if main && let Some(target) = self.size.after(index + 1, self.requests) {
            let extra = target.saturating_sub(self.page.bytes());
            self.step(Some("Bash"), extra as usize)?;
        }
        if main && draw < CANCELLED_SHARE || every {
            self.interruption()?;
        } else if main && draw < CANCELLED_SHARE + ERRORED_SHARE {
            self.failure()?;
        } else if !main || draw < 0.98 {
            self.step(None, 0)?;
        }
        if self.agent.is_none() && self.dice.chance(0.5) {
            self.noise(line::TURN_DURATION)?;
        }
        Ok(())
    }

    pub(crate) fn prompt(&mut self, index: u64) -> io::Result<()> {
        let uuid = self.dice.id();
        self.begin("user");
        let mut preview = Preview::new(500);
        let bytes = self.at_most(message_bytes, 3);
        let tone = Tone { first: self.first_piece(index) };
        let image = index < self.claude.images && self.agent.is_none();
        let blocks = image || self.dice.chance(0.2);
        let out = &mut self.page.buf;
        put!(out; ",\"message\":{\"role\":\"user\",\"content\":", if blocks { "[{\"type\":\"text\",\"text\":\"" } else { "\"" });
        let mut texts = vec![if self.claude.has(Quirk::ManyLanguages) && index == 0 {
            let atoms: Vec<_> = self.pool.languages.iter().collect();
            Pool::join(out, &atoms, Some(&mut preview))
        } else {
            self.pool.compose(out, &mut self.dice, bytes, tone, Some(&mut preview))
        }];
        if blocks {
            put!(out; "\"},{\"type\":\"text\",\"text\":\"\"},{\"type\":\"text\",\"text\":\"");
            preview.push("\n", 1);
            texts.push(self.pool.compose(out, &mut self.dice, 40, Tone::default(), Some(&mut preview)));
            put!(out; "\"}");
            if image {
                line::image(out, self.pool, &mut self.dice);
            }
            put!(out; "]}");
        } else {
            put!(out; "\"}");
        }
        let time = self.stamp();
        let again = self.end("user", uuid, time)?;
        self.reading.prompt(&uuid.to_string(), time, &texts, preview);
        self.reading.images(u64::from(image) * (1 + u64::from(again)));
        Ok(())
    }

    fn first_piece(&mut self, index: u64) -> Option<&'a crate::text::Atom> {
        if index != self.claude.requests / 2 || self.agent.is_some() {
            return None;
        }
        let pool = self.pool;
        if self.claude.has(Quirk::LoneSurrogate) {
            return Some(self.dice.pick(&pool.surrogates));
        }
        self.claude.has(Quirk::LineSeparator).then(|| self.dice.pick(&pool.separators))
    }

    /// One answer of the model, a block a line, and the result of its tool, `extra` bytes longer than others.
    pub(crate) fn step(&mut self, tool: Option<&'static str>, extra: usize) -> io::Result<()> {
        let mut said = Said {
            model: Some(self.model),
            prompt: self.dice.size(INPUT_TOKENS) as u64,
            completion: 1 + self.dice.size(OUTPUT_TOKENS) as u64,
            ..Said::default()
        };
        let message = format!("msg_{}", self.dice.id().token());
        let response = format!("req_{}", self.dice.id().token());
        let gateway = self.claude.has(Quirk::Gateway);
        said.response = (!gateway).then_some((message, response));
        let cached = self.dice.size(CACHED_TOKENS) as u64;
        let grows = self.dice.chance(0.11);
        let full = said.completion;
        if self.dice.chance(0.3) && self.may_think() {
            said.completion = if grows { full / 3 + 1 } else { full };
            self.assistant(&mut said, cached, Block::Thinking)?;
        }
        if tool.is_none() || self.dice.chance(0.4) {
            said.completion = if grows { full / 2 + 1 } else { full };
            let open = self.claude.has(Quirk::OpenBlock) && tool.is_none();
            self.assistant(&mut said, cached, Block::Text { open })?;
        }
        // A response that ends without a tool is never told in full when it grows: the largest figure is what is known of it.
        self.reading.response(said.prompt, cached, if tool.is_some() { full } else { said.completion });
        let Some(tool) = tool else { return Ok(()) };
        said.completion = full;
        let id = self.dice.id();
        if self.claude.has(Quirk::ResultFirst) && self.dice.chance(0.2) {
            self.result(tool, id, extra)?;
            return self.assistant(&mut said, cached, Block::Tool { tool, id });
        }
        self.assistant(&mut said, cached, Block::Tool { tool, id })?;
        self.result(tool, id, extra)
    }

    fn assistant(&mut self, said: &mut Said, cached: u64, block: Block) -> io::Result<()> {
        let uuid = self.dice.id();
        self.begin("assistant");
        let created = cache_write(cached);
        let mut line = Said { prompt: said.prompt + cached + created, ..said.clone() };
        line::message_head(&mut self.page.buf, &line, self.model);
        line::block(self, &mut line, block);
        let out = &mut self.page.buf;
        let stop = if matches!(block, Block::Tool { .. }) { "tool_use" } else { "end_turn" };
        put!(out; "],\"stop_reason\":\"", stop, "\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":", said.prompt,
            ",\"cache_creation_input_tokens\":", created, ",\"cache_read_input_tokens\":", cached, ",\"output_tokens\":", line.completion,
            ",\"service_tier\":\"standard\",\"cache_creation\":{\"ephemeral_5m_input_tokens\":", created,
            ",\"ephemeral_1h_input_tokens\":0}}}");
        if let Some((_, request)) = &line.response {
            put!(out; ",\"requestId\":\"", request, "\"");
        }
        let time = self.stamp();
        let again = self.end("assistant", uuid, time)?;
        for _ in 0..1 + u32::from(again) {
            self.reading.assistant(&line);
        }
        Ok(())
    }

    /// A tool's result, which the line holds twice.
    fn result(&mut self, tool: &'static str, id: Id, extra: usize) -> io::Result<()> {
        let uuid = self.dice.id();
        self.begin("user");
        line::result(self, tool, id, extra)?;
        let time = self.stamp();
        self.end("user", uuid, time)?;
        Ok(())
    }

    pub(crate) fn interruption(&mut self) -> io::Result<()> {
        let uuid = self.dice.id();
        self.begin("user");
        put!(&mut self.page.buf; ",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"[Request interrupted by user for tool use]\"}]}");
        let time = self.stamp();
        self.end("user", uuid, time)?;
        self.reading.interrupt();
        Ok(())
    }

    /// An error of the API, told by a message of no model.
    pub(crate) fn failure(&mut self) -> io::Result<()> {
        let uuid = self.dice.id();
        self.begin("assistant");
        let mut said = Said { error: true, ..Said::default() };
        let out = &mut self.page.buf;
        put!(out; ",\"message\":{\"id\":\"", uuid, "\",\"model\":\"<synthetic>\",\"role\":\"assistant\",\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"");
        said.text = Some(self.pool.compose(out, &mut self.dice, 60, Tone::default(), None));
        put!(out; "\"}],\"stop_reason\":\"stop_sequence\",\"usage\":{\"input_tokens\":0,\"output_tokens\":0}},\"isApiErrorMessage\":true");
        let time = self.stamp();
        let again = self.end("assistant", uuid, time)?;
        for _ in 0..1 + u32::from(again) {
            self.reading.assistant(&said);
        }
        Ok(())
    }

    /// A line beside the conversation.
    pub(crate) fn noise(&mut self, kind: usize) -> io::Result<()> {
        let uuid = self.dice.id();
        self.line_start = self.page.bytes();
        let name = line::noise(self, kind, uuid);
        self.page.record(name);
        self.page.end_line()
    }

    /// What breaks readers, at the end of a main file.
    pub(crate) fn quirks(&mut self) -> io::Result<()> {
        if self.claude.has(Quirk::BadOperation) {
            for line in [
                "[1,2]",
                "{\"uuid\":\"no type\"}",
                "{\"type\":7}",
                "{\"type\":\"user\",",
                "null",
                "{\"type\":\"user\",\"a\":\"\\u12\"}",
            ] {
                put!(&mut self.page.buf; line);
                self.page.record("broken");
                self.page.end_line()?;
                self.reading.skip();
            }
        }
        if self.claude.has(Quirk::Torn) {
            self.begin("assistant");
            put!(&mut self.page.buf; ",\"message\":{\"id\":\"msg_torn\",\"content\":[{\"type\":\"text\",\"text\":\"cut of");
            self.page.record("broken");
            self.page.end_torn();
            self.reading.skip();
        }
        Ok(())
    }

    /// Begins a line with the envelope's first fields.
    fn begin(&mut self, kind: &str) {
        self.line_start = self.page.bytes();
        let (parent, out) = (self.parent, &mut self.page.buf);
        match parent {
            Some(parent) => put!(out; "{\"parentUuid\":\"", parent, "\""),
            None => put!(out; "{\"parentUuid\":null"),
        }
        put!(out; ",\"isSidechain\":", self.agent.is_some(), ",\"userType\":\"external\",\"entrypoint\":\"cli\",\"cwd\":\"", &self.claude.cwd,
            "\",\"sessionId\":\"", &self.claude.stem, "\",\"version\":\"2.1.157\",\"gitBranch\":\"main\",");
        if let Some(agent) = self.agent {
            put!(out; "\"agentId\":\"", agent, "\",");
        }
        put!(out; "\"type\":\"", kind, "\"");
    }

    /// Ends a line with the envelope's last fields, and says whether it was written once more under the same uuid, as some are.
    fn end(&mut self, kind: &'static str, uuid: Id, time: u64) -> io::Result<bool> {
        put!(&mut self.page.buf; ",\"uuid\":\"", uuid, "\",\"timestamp\":\"", Iso(time), "\"}");
        self.parent = Some(uuid);
        self.page.record(kind);
        // A line that is longer than the buffer is not written twice.
        let line = self.page.place(self.line_start).map(|start| start..self.page.buf.len());
        self.page.buf.push(b'\n');
        let again =
            line.filter(|_| self.claude.has(Quirk::Rewritten) && self.dice.chance(REWRITTEN_LINE_SHARE));
        if let Some(line) = again.clone() {
            self.page.record(kind);
            self.copy(line);
        }
        let again = again.is_some();
        self.page.lines_ended(1 + u64::from(again))?;
        Ok(again)
    }

    /// Copies a line, mostly with another branch.
    fn copy(&mut self, line: Range<usize>) {
        const BRANCH: &[u8] = b"\"gitBranch\":\"main\"";
        let start = self.page.buf.len();
        self.page.buf.extend_from_within(line);
        if self.dice.chance(0.75)
            && let Some(at) = self.page.buf[start..].windows(BRANCH.len()).position(|window| window == BRANCH)
        {
            self.page.buf[start + at..start + at + BRANCH.len()].copy_from_slice(b"\"gitBranch\":\"next\"");
        }
        self.page.buf.push(b'\n');
    }

    /// The next line's time.
    pub(crate) fn stamp(&mut self) -> u64 {
        self.time += self.dice.between(50, 20_000);
        let odd = self.claude.has(Quirk::OutOfOrder) && self.dice.chance(OUT_OF_ORDER_SHARE * 10.0);
        if odd { self.time - 3_600_000 } else { self.time }
    }

    /// The last line's uuid.
    pub(crate) fn parent(&self) -> Option<Id> {
        self.parent
    }

    /// A line that is ignored by everyone who reads.
    pub(crate) fn envelope(&mut self, kind: &str) {
        self.begin(kind);
    }
}

impl Claude {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// The bytes of an image in a line.
pub(crate) fn image_bytes(pool: &Pool, dice: &mut Dice) -> usize {
    pool.image_bytes(dice) * 2
}

/// The bytes of an answer's text.
pub(crate) fn answer_bytes(dice: &mut Dice) -> usize {
    dice.size(ANSWER).max(12)
}

/// The bytes of a tool's input.
pub(crate) fn input_bytes(dice: &mut Dice) -> usize {
    dice.size(TOOL_INPUT)
}
