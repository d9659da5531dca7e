//! Copilot CLI: `session-state/<id>/events.jsonl` with `workspace.yaml`.

mod within;

use std::collections::BTreeSet;
use std::io;

use crate::answer::{Request, Session, State};
use crate::dice::Dice;
use crate::distribution::{
    CANCELLED_SHARE, CLI_TOOLS, COPILOT_MODELS, OUTPUT_TOKENS, TOOL_CALLS, TOOL_INPUT, TOOL_RESULT,
    message_bytes, tool_calls,
};
use crate::manifest::Tokens;
use crate::page::{Iso, Page, put};
use crate::plan::{Quirk, ROOTS};
use crate::pool::{Bulk, Pool, Tone};
use crate::size::Size;
use crate::text::Preview;
use crate::write::{Desk, Facts};

/// A session to write.
#[derive(Clone, Debug)]
pub(crate) struct Cli {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    pub(crate) directory: String,
    /// The working directory; none has no `workspace.yaml`.
    pub(crate) cwd: Option<String>,
    pub(crate) requests: u64,
    /// How long the (main) file is.
    pub(crate) size: Size,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl Cli {
    fn workspace(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.directory)
    }

    /// The session's file.
    pub(crate) fn path(&self) -> String {
        format!("{}/events.jsonl", self.workspace())
    }

    /// Writes the session.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = self.path();
        let page = desk.open(&path)?;
        let mut session = Session {
            id: self.directory.clone(),
            harness: ROOTS[self.root].1,
            workspace: self.workspace(),
            name: Preview::of(
                self.cwd.as_deref().map_or("unknown", |cwd| cwd.rsplit('/').next().unwrap_or_default()),
                128,
            ),
            ..Session::default()
        };
        let dice = Dice::new(desk.spec, &path);
        let mut events = Events::new(self, page, desk.pool, dice);
        events.start(&mut session)?;
        for index in 0..self.requests {
            events.request(index)?;
        }
        events.stop(&mut session)?;
        let Events { page, facts, .. } = events;
        let quirks = self.quirks.iter().map(|quirk| quirk.name()).collect();
        desk.close(page, path.clone(), Facts { sessions: 1, quirks, ..facts })?;
        desk.deliver(self.root, "events.jsonl", path, &session);
        if let Some(cwd) = &self.cwd {
            let text = format!(
                "id: {}\ncwd: {cwd}\ngit_root: {cwd}\nbranch: main\nsummary_count: 0\n",
                self.directory
            );
            desk.write_small(format!("{}/workspace.yaml", self.workspace()), &text, "document")?;
        }
        Ok(())
    }
}

struct Events<'a> {
    cli: &'a Cli,
    page: Page,
    pool: &'a Pool,
    dice: Dice,
    time: u64,
    model: &'static str,
    requests: Vec<Request>,
    /// Of the messages so far.
    tokens: Tokens,
    facts: Facts,
    /// The file's bytes at which the request being written ends; none where nothing limits it.
    limit: Option<u64>,
}

impl<'a> Events<'a> {
    fn new(cli: &'a Cli, page: Page, pool: &'a Pool, mut dice: Dice) -> Self {
        let time = 1_735_689_600_000 + dice.between(0, 540 * 86_400_000);
        let model = *dice.pick(COPILOT_MODELS);
        let (requests, tokens, facts) = (Vec::new(), Tokens::default(), Facts::default());
        Events { cli, page, pool, dice, time, model, requests, tokens, facts, limit: None }
    }

    fn begin(&mut self, kind: &'static str) {
        put!(&mut self.page.buf; "{\"type\":\"", kind, "\",\"data\":{");
        self.page.record(kind);
    }

    /// Ends an event; its id and time are told.
    fn end(&mut self) -> io::Result<(String, u64)> {
        let (id, parent) = (self.dice.id(), self.dice.id());
        self.time += self.dice.between(20, 30_000);
        let mut time = self.time;
        if self.cli.has(Quirk::OutOfOrder) && self.dice.chance(0.1) {
            time -= 600_000;
        }
        put!(&mut self.page.buf; "},\"id\":\"", id, "\",\"timestamp\":");
        // Older versions wrote milliseconds.
        if self.cli.has(Quirk::NumericTime) {
            put!(&mut self.page.buf; time);
        } else {
            put!(&mut self.page.buf; "\"", Iso(time), "\"");
        }
        put!(&mut self.page.buf; ",\"parentId\":\"", parent, "\"}");
        self.page.end_line()?;
        Ok((id.to_string(), time))
    }

    fn event(&mut self, kind: &'static str, data: &str) -> io::Result<()> {
        self.begin(kind);
        put!(&mut self.page.buf; data);
        self.end().map(drop)
    }

    fn start(&mut self, session: &mut Session) -> io::Result<()> {
        // Events before any request change the session only.
        self.event("session.info", "\"infoType\":\"authentication\",\"message\":\"Logged in\"")?;
        self.begin("session.start");
        if self.cli.has(Quirk::NoSessionId) {
            put!(&mut self.page.buf; "\"version\":1");
        } else {
            session.id = self.dice.id().to_string();
            put!(&mut self.page.buf; "\"sessionId\":\"", &session.id, "\",\"version\":1");
        }
        put!(&mut self.page.buf; ",\"producer\":\"copilot-agent\",\"copilotVersion\":\"0.0.400\",\"startTime\":\"", Iso(self.time),
            "\",\"selectedModel\":\"", self.model, "\",\"context\":{\"cwd\":\"", self.cli.cwd.as_deref().unwrap_or("/"), "\",\"branch\":\"main\"}");
        self.end().map(drop)
    }

    fn request(&mut self, index: u64) -> io::Result<()> {
        self.time += self.dice.between(1_000, 900_000);
        if self.dice.chance(0.05) {
            self.model = *self.dice.pick(COPILOT_MODELS);
            let data = format!("\"previousModel\":\"auto\",\"newModel\":\"{}\"", self.model);
            self.event("session.model_change", &data)?;
        }
        self.begin_share(index);
        let mut request = self.user_message(index)?;
        if self.cli.has(Quirk::Unanswered) && index == 1 {
            // Nothing answers it: it is not delivered.
            return Ok(());
        }
        self.event("assistant.turn_start", "\"turnId\":\"0\"")?;
        let calls = tool_calls(&mut self.dice, TOOL_CALLS);
        let aborted = self.dice.chance(CANCELLED_SHARE);
        if self.limit.is_some() {
            self.steps_within(&mut request, calls)?;
        } else {
            for _ in 0..calls {
                let tool = self.dice.weighted(CLI_TOOLS);
                self.assistant_message(&mut request, Some(tool))?;
                self.tool(&mut request, tool, 0)?;
            }
            let target = self.cli.size.after(index + 1, self.cli.requests).unwrap_or(0);
            let extra = target.saturating_sub(self.page.bytes());
            if extra > 0 {
                self.tool(&mut request, "view", extra as usize)?;
            }
        }
        if aborted {
            self.event("abort", "\"reason\":\"user initiated\"")?;
            request.state = State::Cancelled;
        } else {
            self.assistant_message(&mut request, None)?;
        }
        self.event("assistant.turn_end", "\"turnId\":\"0\"")?;
        self.facts.requests += 1;
        self.requests.push(request);
        Ok(())
    }

    fn user_message(&mut self, index: u64) -> io::Result<Request> {
        let mut request = Request { model: self.model, state: State::Complete, ..Request::default() };
        let mut preview = Preview::new(500);
        let bytes = self.at_most(message_bytes, 5);
        self.begin("user.message");
        let tone =
            Tone { first: self.cli.has(Quirk::LoneSurrogate).then(|| self.dice.pick(&self.pool.surrogates)) };
        let out = &mut self.page.buf;
        put!(out; "\"content\":\"");
        let start = out.len();
        let measure = self.pool.compose(out, &mut self.dice, bytes, tone, Some(&mut preview));
        let content = start..out.len();
        put!(out; "\",\"transformedContent\":\"<current_datetime>2026-01-01T00:00:00Z</current_datetime>\\n\\n");
        out.extend_from_within(content);
        put!(out; "\",\"attachments\":[{\"type\":\"file\",\"path\":\"/tmp/a\",\"displayName\":\"a\"}");
        if index == 0 && self.cli.has(Quirk::EveryPart) {
            put!(out; ",{\"type\":\"image\",\"data\":\"");
            self.pool.image_base64(out, &mut self.dice, 9_000);
            put!(out; "\"}");
            request.images = 1;
        }
        put!(out; "],\"agentMode\":\"interactive\"");
        (request.id, request.timestamp) = self.end()?;
        request.say(&measure, preview);
        Ok(request)
    }

    fn assistant_message(&mut self, request: &mut Request, tool: Option<&'static str>) -> io::Result<()> {
        let bytes = self.text_bytes(tool.is_some());
        let tokens = 1 + self.dice.size(OUTPUT_TOKENS) as u64;
        let silent = tool.is_some() && self.dice.chance(0.5);
        self.begin("assistant.message");
        let out = &mut self.page.buf;
        put!(out; "\"messageId\":\"", self.dice.id(), "\",\"content\":\"");
        if !silent {
            let measure = self.pool.compose(out, &mut self.dice, bytes, Tone::default(), None);
            request.respond(&measure);
        }
        put!(out; "\",\"toolRequests\":[");
        if let Some(tool) = tool {
            put!(out; "{\"toolCallId\":\"call_0\",\"name\":\"", tool, "\",\"arguments\":{\"intent\":\"look\"},\"type\":\"function\"}");
        }
        put!(out; "],\"reasoningOpaque\":\"");
        let bytes = self.signature_bytes(tool.is_some());
        let out = &mut self.page.buf;
        self.pool.signature(out, &mut self.dice, bytes);
        put!(out; "\",\"outputTokens\":", tokens);
        request.completion += tokens;
        self.tokens += Tokens { responses: 1, output: tokens, ..Tokens::default() };
        self.end().map(drop)
    }

    fn tool(&mut self, request: &mut Request, tool: &'static str, extra: usize) -> io::Result<()> {
        let call = self.dice.id();
        self.begin("tool.execution_start");
        let out = &mut self.page.buf;
        put!(out; "\"toolCallId\":\"", call, "\",\"toolName\":\"", tool, "\",\"arguments\":{\"command\":\"", &*self.pool.command(&mut self.dice).escaped,
            "\",\"file_text\":\"");
        let bytes = self.at_most(|dice| dice.size(TOOL_INPUT), 10);
        let out = &mut self.page.buf;
        self.pool.lines(out, &mut self.dice, bytes);
        put!(out; "\"}");
        self.end()?;
        request.call(tool);
        self.begin("tool.execution_complete");
        let out = &mut self.page.buf;
        put!(out; "\"toolCallId\":\"", call, "\",\"success\":true");
        if self.dice.chance(0.3) {
            let model = *self.dice.pick(COPILOT_MODELS);
            put!(out; ",\"model\":\"", model, "\"");
            request.model = model;
        } else if self.dice.chance(0.3) {
            put!(out; ",\"model\":\"\"");
        }
        put!(out; ",\"result\":{\"content\":\"");
        let drawn = self.pool.tool_result_bytes(&mut self.dice, TOOL_RESULT) + extra / 2;
        let bytes = self.result_bytes(drawn);
        let kind = if tool == "bash" { Bulk::Log } else { Pool::bulk_kind(&mut self.dice) };
        let content = self.pool.passage(&mut self.dice, kind, bytes);
        self.page.passage(content)?;
        put!(&mut self.page.buf; "\",\"detailedContent\":\"");
        self.page.passage(content)?;
        put!(&mut self.page.buf; "\"},\"toolTelemetry\":{\"metrics\":{\"commandTimeoutMs\":30000}}");
        self.end().map(drop)
    }

    fn stop(&mut self, session: &mut Session) -> io::Result<()> {
        if self.dice.chance(0.1) || self.cli.has(Quirk::EveryPart) {
            self.event("session.compaction_start", "")?;
            self.event("session.compaction_complete", "\"success\":true,\"preCompactionTokens\":120000")?;
            self.event("hook.start", "\"hookType\":\"sessionEnd\"")?;
            self.event("hook.end", "\"success\":true")?;
            self.event("session.resume", "\"eventCount\":12")?;
        }
        if self.cli.has(Quirk::BadOperation) {
            for line in [
                "[]",
                "{\"type\":null}",
                "{\"data\":{}}",
                "{\"type\":\"user.message\",\"data\":{\"content\":\"unfinished\"}",
            ] {
                put!(&mut self.page.buf; line);
                self.page.record("broken");
                self.page.end_line()?;
                self.facts.skipped_lines += 1;
            }
        }
        if self.dice.chance(0.7) && !(self.cli.has(Quirk::Unanswered) && self.cli.requests == 2) {
            self.shutdown()?;
        }
        if self.cli.has(Quirk::Torn) {
            put!(&mut self.page.buf; "{\"type\":\"assistant.message\",\"data\":{\"content\":\"cut of");
            self.page.record("broken");
            self.page.end_torn();
            self.facts.skipped_lines += 1;
        }
        session.requests = std::mem::take(&mut self.requests);
        session.created = session.requests.first().map_or(0, |request| request.timestamp);
        session.last = session.requests.last().map_or(0, |request| request.timestamp);
        self.facts.tokens = self.tokens;
        for request in &session.requests {
            self.facts.prompt += request.prompt;
            self.facts.completion += request.completion;
        }
        Ok(())
    }
}

impl Events<'_> {
    /// What the session used, by model. Only here does the tool tell what the models read; a session that was never shut down does not.
    fn shutdown(&mut self) -> io::Result<()> {
        const TITLES_CACHED: u64 = 4;
        let (some, more) = (self.dice.between(1_000, 500_000), self.dice.between(1_000, 500_000));
        let Tokens { responses, output, .. } = self.tokens;
        let data = format!(
            "\"shutdownType\":\"routine\",\"modelMetrics\":{{\"{}\":{{\"requests\":{{\"count\":{responses}}},\"usage\":{{\"inputTokens\":{some},\"outputTokens\":{output}}}}},\
             \"gpt-5-mini\":{{\"usage\":{{\"inputTokens\":{more},\"cacheReadTokens\":{TITLES_CACHED}}}}}}}",
            self.model
        );
        self.event("session.shutdown", &data)?;
        let (input, cache_read) = (some + more - TITLES_CACHED, TITLES_CACHED);
        self.tokens += Tokens { input, cache_read, ..Tokens::default() };
        // The tokens belong to the request that is open, which is the last one.
        if let Some(request) = self.requests.last_mut() {
            request.prompt += some + more;
        }
        Ok(())
    }
}

impl Cli {
    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}
