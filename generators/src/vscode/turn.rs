//! One request of a VS Code chat with its response: rendered once, then put into a document or an append log.

use crate::answer::{Request, State};
use crate::dice::Dice;
use crate::distribution::{
    CANCELLED_SHARE, ERRORED_SHARE, OUTPUT_TOKENS, RENDERED_CONTEXT, TOOL_CALLS, VSCODE_TOOL_RESULT,
    VSCODE_TOOLS, message_bytes, tool_calls,
};
use crate::page::put;
use crate::pool::{Bulk, Pool, Tone};
use crate::text::{Atom, Measure, Preview};
use crate::vscode::part::{self, Call};
use crate::vscode::{Shape, Style, request_id};

/// Where a request is limited, it has a reference for so many of its bytes at most. A.
const REFERENCE_BYTES: usize = 4_000;

/// A response part within [`Turn::parts`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the text may be cut to what it was while it grew; 0 when it did not.
    pub(crate) grown: usize,
}

/// What a request shall be like.
#[derive(Clone, Copy)]
pub(crate) struct Wishes<'a> {
    /// The session's last: it may be pending.
    pub(crate) last: bool,
    /// With an image in this encoding: a dictionary of bytes, an array of bytes, base64.
    pub(crate) image: Option<u64>,
    /// Bytes of the image, where they are not left to its law.
    pub(crate) image_bytes: Option<usize>,
    /// A piece to begin the message with.
    pub(crate) first: Option<&'a Atom>,
    /// A message in more languages than a reader tells apart.
    pub(crate) languages: bool,
    /// A response whose last block is open.
    pub(crate) open_block: bool,
    /// Every kind of response part.
    pub(crate) everything: bool,
    /// Bytes of one more tool's result.
    pub(crate) extra_bytes: usize,
    /// Bytes that the request shall have in all, with what a log adds to it; none where nothing limits it.
    pub(crate) room: Option<usize>,
}

/// A request, rendered.
#[derive(Default)]
pub(crate) struct Turn {
    /// The fields before `response`.
    pub(crate) head: Vec<u8>,
    /// The response parts.
    pub(crate) parts: Vec<u8>,
    pub(crate) spans: Vec<Span>,
    /// The value of `result`, empty when there is none.
    pub(crate) result: Vec<u8>,
    /// Values of fields that are set at the end, by name.
    pub(crate) rest: Vec<(&'static str, Vec<u8>)>,
    /// What a reader must answer.
    pub(crate) request: Request,
    pub(crate) calls: Vec<Call>,
    /// Where in `result` (in `parts`, for the first shape) the text stands that fills the request up.
    pub(super) filling_at: Option<usize>,
    message: Vec<u8>,
}

impl Turn {
    /// Makes it another request.
    pub(crate) fn make(
        &mut self,
        style: &Style,
        time: u64,
        wishes: Wishes<'_>,
        pool: &Pool,
        dice: &mut Dice,
    ) {
        self.spans.clear();
        self.calls.clear();
        self.rest.clear();
        self.filling_at = None;
        for buffer in [&mut self.head, &mut self.parts, &mut self.result, &mut self.message] {
            buffer.clear();
        }
        self.request = Request { id: request_id(dice.id()), timestamp: time, ..Request::default() };
        if dice.chance(0.9) {
            self.request.model = style.model;
        }
        self.say(wishes, pool, dice);
        self.write_head(style, wishes, pool, dice);
        if style.shape == Shape::V1 {
            self.respond_in_one(wishes, pool, dice);
        } else {
            self.respond(style, wishes, pool, dice);
        }
        self.end(style, wishes, pool, dice);
        if let Some(room) = wishes.room {
            self.fill(style, room, pool, dice);
        }
    }

    fn say(&mut self, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let mut preview = Preview::new(500);
        let measure = if wishes.languages {
            let atoms: Vec<&Atom> = pool.languages.iter().collect();
            Pool::join(&mut self.message, &atoms, Some(&mut preview))
        } else {
            let bytes = wishes.at_most(message_bytes(dice), 12);
            pool.compose(&mut self.message, dice, bytes, Tone { first: wishes.first }, Some(&mut preview))
        };
        self.request.say(&measure, preview);
    }

    fn write_head(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let head = &mut self.head;
        put!(head; "\"requestId\":\"", &self.request.id, "\",\"timestamp\":", self.request.timestamp, ",\"message\":");
        if style.shape == Shape::V1 {
            put!(head; "\"", &self.message, "\"");
        } else {
            let last = self.request.message_units;
            put!(head; "{\"parts\":[{\"range\":{\"start\":0,\"endExclusive\":", last,
                "},\"editorRange\":{\"startLineNumber\":1,\"startColumn\":1,\"endLineNumber\":1,\"endColumn\":", last + 1,
                "},\"text\":\"", &self.message, "\",\"kind\":\"text\"}],\"text\":\"", &self.message, "\"}");
        }
        put!(head; ",\"variableData\":{\"variables\":[");
        part::variables(head, style, wishes, &mut self.request, pool, dice);
        put!(head; "]}");
        if style.shape != Shape::V1 {
            put!(head; ",\"agent\":{\"extensionId\":{\"value\":\"GitHub.copilot-chat\",\"_lower\":\"github.copilot-chat\"},\
                \"extensionVersion\":\"0.33.1\",\"publisherDisplayName\":\"GitHub\",\"extensionDisplayName\":\"GitHub Copilot Chat\",\
                \"id\":\"github.copilot.editsAgent\",\"description\":\"Edit files in your workspace in agent mode\",\
                \"when\":\"config.chat.agent.enabled\",\"metadata\":{\"themeIcon\":{\"id\":\"tools\"},\"hasFollowups\":false,\
                \"supportIssueReporting\":false},\"name\":\"agent\",\"fullName\":\"GitHub Copilot\",\"isDefault\":true,\
                \"locations\":[\"panel\"],\"modes\":[\"agent\"],\"slashCommands\":[],\"disambiguation\":[]}");
        }
        if !self.request.model.is_empty() {
            put!(head; ",\"modelId\":\"", self.request.model, "\"");
        }
        if style.shape.is_log() {
            put!(head; ",\"modeInfo\":{\"kind\":\"agent\",\"isBuiltin\":true,\"modeId\":\"agent\",\"applyCodeBlockSuggestionId\":null}");
        }
    }

    /// The response of the first shape: one string.
    fn respond_in_one(&mut self, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let drawn = dice.size(crate::distribution::MARKDOWN) * 3;
        let bytes = wishes.room.map_or(drawn, |room| self.room_for_response(room));
        let start = self.parts.len();
        let measure = pool.compose(&mut self.parts, dice, bytes, Tone::default(), None);
        self.spans.push(Span { start, end: self.parts.len(), grown: 0 });
        self.request.respond(&measure);
    }

    fn respond(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let calls = tool_calls(dice, TOOL_CALLS).max(usize::from(wishes.everything) * 6);
        let calls = calls.min(wishes.calls_max());
        for _ in 0..calls {
            self.calls.push(Call { tool: dice.weighted(VSCODE_TOOLS), id: dice.id() });
        }
        if wishes.everything {
            self.calls[0].tool = "run_in_terminal";
        }
        let texts = (1 + dice.index(5)).min(wishes.texts_max());
        let mut next = 0;
        for text in 0..texts {
            self.text_part(style, wishes, pool, dice, wishes.open_block && text + 1 == texts);
            let until = self.calls.len() * (text + 1) / texts;
            for at in next..until {
                self.part(|parts, turn, dice| part::invocation(parts, style, turn, at, pool, dice), dice);
            }
            next = until;
            if (dice.chance(0.3) && wishes.has_room()) || wishes.everything {
                self.part(|parts, _, dice| part::edit_group(parts, style, pool, dice), dice);
            }
            if (dice.chance(0.2) && wishes.has_room()) || wishes.everything {
                self.part(|parts, _, dice| part::reference(parts, style, pool, dice), dice);
            }
        }
        if wishes.everything {
            for kind in 0..part::RARE {
                self.part(|parts, turn, dice| part::rare(parts, style, turn, kind, pool, dice), dice);
            }
        } else if dice.chance(0.1) && wishes.has_room() {
            let kind = dice.index(part::RARE);
            self.part(|parts, turn, dice| part::rare(parts, style, turn, kind, pool, dice), dice);
        }
        if wishes.image == Some(2) {
            self.part(|parts, turn, dice| part::image_result(parts, turn, pool, dice), dice);
        }
    }

    /// A markdown or thinking part, which grew while it was streamed.
    fn text_part(
        &mut self,
        style: &Style,
        wishes: Wishes<'_>,
        pool: &Pool,
        dice: &mut Dice,
        open_block: bool,
    ) {
        let start = self.parts.len();
        let thinking = style.shape.is_log() && dice.chance(0.2);
        let law = if thinking { crate::distribution::THINKING } else { crate::distribution::MARKDOWN };
        put!(&mut self.parts; if thinking { "{\"kind\":\"thinking\",\"value\":\"" } else { "{\"value\":\"" });
        let text = self.parts.len();
        let bytes = wishes.at_most(dice.size(law).max(20), 12);
        let measure = if open_block {
            let first = pool.sentence(dice);
            let block = dice.pick(&pool.open_blocks);
            Pool::join(&mut self.parts, &[first, block], None)
        } else {
            pool.compose(&mut self.parts, dice, bytes, Tone::default(), None)
        };
        let grown = text + measure.first_piece_bytes;
        let grown = if grown < self.parts.len() { grown } else { 0 };
        if thinking {
            put!(&mut self.parts; "\",\"id\":\"thinking_", self.spans.len(), "\",\"metadata\":{\"vscodeReasoningDone\":true}}");
        } else {
            put!(&mut self.parts; "\",\"supportThemeIcons\":false,\"supportHtml\":false,\"supportAlertSyntax\":false,\"uris\":{}}");
        }
        self.spans.push(Span { start, end: self.parts.len(), grown });
        self.request.respond(&measure);
    }

    /// Any other part: `write` appends it and may change the turn.
    fn part(&mut self, write: impl FnOnce(&mut Vec<u8>, &mut Turn, &mut Dice), dice: &mut Dice) {
        let mut parts = std::mem::take(&mut self.parts);
        let start = parts.len();
        write(&mut parts, self, dice);
        self.spans.push(Span { start, end: parts.len(), grown: 0 });
        self.parts = parts;
    }

    /// How the request ended: result, tokens and state.
    fn end(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let draw = dice.unit();
        self.request.state = if wishes.extra_bytes > 0 || wishes.room.is_some() && wishes.last {
            // Only a result can fill the file up.
            State::Complete
        } else if wishes.last && draw > 0.96 {
            State::Pending
        } else if draw < CANCELLED_SHARE {
            State::Cancelled
        } else if draw < CANCELLED_SHARE + ERRORED_SHARE {
            State::Errored
        } else {
            State::Complete
        };
        let state = self.request.state;
        if state == State::Pending {
            if dice.chance(0.5) {
                put!(&mut self.result; "{}");
            }
        } else if state != State::Cancelled || dice.chance(0.5) {
            self.write_result(style, wishes, pool, dice);
        }
        if state == State::Cancelled {
            self.rest.push(("isCanceled", b"true".to_vec()));
        } else if style.shape == Shape::V2 {
            self.rest.push(("isCanceled", b"false".to_vec()));
        }
        self.write_tokens(dice);
        self.write_references(style, wishes, pool, dice);
        if style.shape.is_log() || style.shape == Shape::V3 {
            let mut value = Vec::new();
            let time = self.request.timestamp + dice.between(2_000, 300_000);
            match state {
                State::Pending => put!(&mut value; "{\"value\":0}"),
                state => {
                    put!(&mut value; "{\"value\":", state as u64, ",\"completedAt\":", time, "}")
                }
            }
            self.rest.push(("modelState", value));
        }
    }

    /// Tokens in the result's metadata or beside it, or both: then each has its rule.
    fn write_tokens(&mut self, dice: &mut Dice) {
        if self.result.len() <= 2 || dice.chance(0.3) {
            let prompt = dice.between(2_000, 120_000);
            if self.request.prompt == 0 {
                self.request.prompt = prompt;
            }
            self.rest.push(("promptTokens", prompt.to_string().into_bytes()));
        }
        if dice.chance(0.5) {
            let completion = dice.size(OUTPUT_TOKENS) as u64;
            self.request.completion = completion;
            // Whole numbers may be written as fractions.
            let fraction = if dice.chance(0.02) { ".75" } else { "" };
            self.rest.push(("completionTokens", format!("{completion}{fraction}").into_bytes()));
        }
    }

    fn write_references(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let mut value = b"[".to_vec();
        let count = wishes.at_most(dice.below(6) as usize, REFERENCE_BYTES);
        for i in 0..count {
            put!(&mut value; if i > 0 { "," } else { "" }, "{\"kind\":\"reference\",\"reference\":");
            part::uri(&mut value, style, pool.path(dice));
            put!(&mut value; ",\"options\":{\"isDeletion\":false}}");
        }
        put!(&mut value; "]");
        self.rest.push(("contentReferences", value));
        if dice.chance(0.35) && wishes.has_room() {
            let count = 1 + dice.below(3);
            let mut value = b"[".to_vec();
            for i in 0..count {
                put!(&mut value; if i > 0 { "," } else { "" }, "{\"uri\":");
                part::uri(&mut value, style, pool.path(dice));
                put!(&mut value; ",\"eventKind\":", dice.below(3) + 1, "}");
            }
            put!(&mut value; "]");
            self.rest.push(("editedFileEvents", value));
            self.request.edited_files = u64::from(count);
        }
    }

    fn write_result(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let out = &mut self.result;
        put!(out; "{");
        if self.request.state == State::Errored {
            put!(out; "\"errorDetails\":{\"message\":\"Sorry, your request failed. Please try again.\\n\\nReason: rate limited\",\
                \"code\":\"rateLimited\",\"responseIsIncomplete\":true},");
        }
        put!(out; "\"timings\":{\"firstProgress\":", dice.between(300, 9_000), ",\"totalElapsed\":", dice.between(9_000, 300_000), "}");
        if style.shape == Shape::V1 {
            put!(out; "}");
            return;
        }
        put!(out; ",\"metadata\":{\"codeBlocks\":[{\"code\":\"");
        pool.bulk(out, dice, Bulk::Code, wishes.at_most(600, 12));
        put!(out; "\",\"language\":\"rust\",\"markdownBeforeBlock\":\"\"}],\"renderedUserMessage\":[{\"type\":1,\"text\":\"<context>\\n");
        let context = wishes.at_most(dice.size(RENDERED_CONTEXT), 8);
        pool.bulk(out, dice, Bulk::Code, context);
        put!(out; "</context>\\n<userRequest>\\n", &self.message, "\\n</userRequest>\\n\"}],\"toolCallRounds\":[");
        self.write_rounds(style, wishes, pool, dice);
        let (prompt, output) = (dice.between(2_000, 120_000), dice.size(OUTPUT_TOKENS) as u64);
        if dice.chance(0.8) {
            self.request.prompt = prompt;
            put!(&mut self.result; ",\"promptTokens\":", prompt);
        }
        if dice.chance(0.8) {
            self.request.completion = output;
            put!(&mut self.result; ",\"outputTokens\":", output);
        }
        put!(&mut self.result; ",\"modelMessageId\":\"", dice.id(), "\",\"agentId\":\"github.copilot.editsAgent\"}}");
    }

    /// The rounds of tool calls, and then their results.
    fn write_rounds(&mut self, style: &Style, wishes: Wishes<'_>, pool: &Pool, dice: &mut Dice) {
        let out = &mut self.result;
        let calls = self.calls.len();
        let mut at = 0;
        while at < calls {
            let round = (1 + dice.geometric(0.2, 3) as usize).min(calls - at);
            put!(out; if at > 0 { "," } else { "" }, "{\"response\":\"");
            pool.compose(out, dice, 60, Tone::default(), None);
            put!(out; "\",\"toolCalls\":[");
            for (i, call) in self.calls[at..at + round].iter().enumerate() {
                put!(out; if i > 0 { "," } else { "" });
                part::call(out, style, call, wishes.at_most(40_000, 12), pool, dice);
                self.request.call(call.tool);
            }
            put!(out; "],\"toolInputRetry\":0,\"id\":\"", dice.id(), "\"}");
            at += round;
        }
        put!(out; "],\"toolCallResults\":{");
        for (i, call) in self.calls.iter().enumerate() {
            put!(out; if i > 0 { "," } else { "" });
            let bytes = wishes.at_most(pool.tool_result_bytes(dice, VSCODE_TOOL_RESULT), 2 * calls);
            part::call_result(out, call, bytes, pool, dice);
        }
        if wishes.extra_bytes > 0 || wishes.room.is_some() {
            let call = Call { tool: "read_file", id: dice.id() };
            put!(out; if calls > 0 { "," } else { "" });
            part::call_result(out, &call, wishes.extra_bytes, pool, dice);
            // Before the end of the result that was just put.
            self.filling_at = Some(out.len() - part::CALL_RESULT_END.len());
        }
        put!(out; "}");
    }
}

/// The measure of a text that is a single piece.
pub(crate) fn single(atom: &Atom) -> Measure {
    let mut measure = Measure::default();
    measure.add(atom);
    measure
}
