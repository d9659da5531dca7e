//! A chat session as an append log of changes: kinds 0 (state), 1 (set), 2 (append, with `i` after a cut) and 3 (delete).

use std::io;

use crate::answer::{Session, State};
use crate::dice::Dice;
use crate::distribution::{COMPACTION_ENTRIES, ENTRIES_PER_REQUEST};
use crate::page::{Page, put};
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::vscode::{Chat, Shape, Style, Turn, Turns, document};
use crate::write::Facts;

/// Share of requests that were dropped again (the user edited an earlier one), and of those written by two entries at once. A.
const DROPPED_SHARE: f64 = 0.02;

/// Writes the log of a session.
pub(crate) fn write(
    chat: &Chat,
    style: &Style,
    pool: &Pool,
    dice: &mut Dice,
    page: &mut Page,
    session: &mut Session,
    facts: &mut Facts,
) -> io::Result<()> {
    let mut turns = Turns::new(chat, style);
    let compacted = compacted_requests(chat, dice);
    if chat.has(Quirk::NoFirstState) {
        put!(&mut page.buf; "{\"kind\":1,\"k\":[\"creationDate\"],\"v\":", style.created, "}");
        end(page, "kind-1")?;
    } else {
        put!(&mut page.buf; "{\"kind\":0,\"v\":");
        document::state(chat, style, compacted, &mut turns, pool, dice, page, session)?;
        put!(&mut page.buf; "}");
        end(page, "kind-0")?;
    }
    let mut log = Log { page, pool, index: compacted, storm: chat.storm };
    for i in compacted..chat.requests {
        if i > 0 && (dice.chance(DROPPED_SHARE) || i == 1 && chat.has(Quirk::DroppedRequest)) {
            log.dropped_request(style, dice)?;
            facts.quirks.insert(Quirk::DroppedRequest.name());
        }
        let turn = turns.next(log.page.bytes(), pool, dice);
        log.request(turn, dice)?;
        session.last = turn.request.timestamp;
        session.requests.push(turn.request.clone());
        log.index += 1;
    }
    log.quirks(chat, session, facts, dice)?;
    Ok(())
}

/// How many requests the first line holds: all but a few once the log was compacted.
fn compacted_requests(chat: &Chat, dice: &mut Dice) -> u64 {
    if chat.shape == Shape::Compacted {
        return chat.requests;
    }
    let since = chat.requests % (COMPACTION_ENTRIES / ENTRIES_PER_REQUEST);
    if chat.requests * ENTRIES_PER_REQUEST > COMPACTION_ENTRIES && !chat.has(Quirk::NoFirstState) {
        chat.requests - since
    } else if chat.has(Quirk::NoFirstState) || dice.chance(0.9) {
        0
    } else {
        chat.requests / 2
    }
}

fn end(page: &mut Page, kind: &'static str) -> io::Result<()> {
    page.record(kind);
    page.end_line()
}

struct Log<'a> {
    page: &'a mut Page,
    pool: &'a Pool,
    /// Index of the request being written.
    index: u64,
    /// Entries that the first response still has before its own.
    storm: u64,
}

impl Log<'_> {
    /// A request as it happened: asked, answered part by part, ended.
    fn request(&mut self, turn: &Turn, dice: &mut Dice) -> io::Result<()> {
        self.push_request(turn)?;
        self.storm(dice)?;
        let index = self.index;
        let mut batch = 0;
        for (at, span) in turn.spans.iter().enumerate() {
            let part = &turn.parts[span.start..span.end];
            if span.grown > 0 && dice.chance(0.5) {
                // What had been streamed so far, and then the part again, whole.
                let begin = &turn.parts[span.start..span.grown];
                put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\",", index, ",\"response\"],\"v\":[", begin, "\"}]}");
                end(self.page, "kind-2")?;
                put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\",", index, ",\"response\"],\"v\":[", part, "],\"i\":", at, "}");
            } else if at > batch && dice.chance(0.1) {
                // The part before is said again with this one.
                let before = turn.spans[at - 1];
                put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\",", index, ",\"response\"],\"v\":[",
                    &turn.parts[before.start..before.end], ",", part, "],\"i\":", at - 1, "}");
                batch = at + 1;
            } else {
                put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\",", index, ",\"response\"],\"v\":[", part, "]}");
            }
            end(self.page, "kind-2")?;
        }
        self.end_request(turn, dice)
    }

    fn push_request(&mut self, turn: &Turn) -> io::Result<()> {
        put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\"],\"v\":[{", &turn.head,
            ",\"response\":[],\"modelState\":{\"value\":0}}]}");
        end(self.page, "kind-2")
    }

    /// Entries that append to the response and cut it off again, as when a tool streams its output: nothing of them is left.
    fn storm(&mut self, dice: &mut Dice) -> io::Result<()> {
        let index = self.index;
        let mut parts = 0;
        while self.storm > 0 {
            self.storm -= 1;
            put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\",", index, ",\"response\"]");
            if self.storm == 0 {
                put!(&mut self.page.buf; ",\"i\":0}");
            } else {
                put!(&mut self.page.buf; ",\"v\":[{\"value\":\"", &*self.pool.sentence(dice).escaped, "\"}]");
                if dice.chance(0.7) {
                    parts -= dice.below(8).min(parts);
                    put!(&mut self.page.buf; ",\"i\":", parts);
                }
                parts += 1;
                put!(&mut self.page.buf; "}");
            }
            end(self.page, "kind-2")?;
        }
        Ok(())
    }

    fn end_request(&mut self, turn: &Turn, dice: &mut Dice) -> io::Result<()> {
        let index = self.index;
        if turn.request.state != State::Cancelled && dice.chance(0.05) {
            // Cancelled, and taken back: the field is set and deleted again.
            self.set(index, "isCanceled", b"true")?;
            put!(&mut self.page.buf; "{\"kind\":3,\"k\":[\"requests\",", index, ",\"isCanceled\"]}");
            end(self.page, "kind-3")?;
        }
        if !turn.result.is_empty() {
            if dice.chance(0.2) {
                self.set(index, "result", b"{\"timings\":{\"firstProgress\":812}}")?;
            }
            self.set(index, "result", &turn.result)?;
        }
        for (name, value) in &turn.rest {
            self.set(index, name, value)?;
        }
        if dice.chance(0.3) {
            put!(&mut self.page.buf; "{\"kind\":1,\"k\":[\"inputState\",\"inputText\"],\"v\":\"");
            self.pool.compose(&mut self.page.buf, dice, 30, Tone::default(), None);
            put!(&mut self.page.buf; "\"}");
            end(self.page, "kind-1")?;
            put!(&mut self.page.buf; "{\"kind\":3,\"k\":[\"inputState\",\"inputText\"]}");
            end(self.page, "kind-3")?;
        }
        Ok(())
    }

    fn set(&mut self, index: u64, name: &str, value: &[u8]) -> io::Result<()> {
        put!(&mut self.page.buf; "{\"kind\":1,\"k\":[\"requests\",", index, ",\"", name, "\"],\"v\":", value, "}");
        end(self.page, "kind-1")
    }

    /// A request that was cut off again: nothing of it is left in the final state.
    fn dropped_request(&mut self, style: &Style, dice: &mut Dice) -> io::Result<()> {
        let index = self.index;
        put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\"],\"v\":[{\"requestId\":\"request_", dice.id(),
            "\",\"timestamp\":", style.created, ",\"message\":{\"text\":\"");
        self.pool.compose(&mut self.page.buf, dice, 200, Tone::default(), None);
        put!(&mut self.page.buf; "\",\"parts\":[]},\"response\":[{\"value\":\"Dropped.\"}],\"result\":{\"metadata\":{\"promptTokens\":999}}}]}");
        end(self.page, "kind-2")?;
        put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\"],\"i\":", index, "}");
        end(self.page, "kind-2")
    }

    /// What breaks readers, at the end of the log.
    fn quirks(
        &mut self,
        chat: &Chat,
        session: &mut Session,
        facts: &mut Facts,
        dice: &mut Dice,
    ) -> io::Result<()> {
        if chat.has(Quirk::DeletedRequest) && session.requests.len() > 2 {
            put!(&mut self.page.buf; "{\"kind\":3,\"k\":[\"requests\",1]}");
            end(self.page, "kind-3")?;
            session.requests.remove(1);
        }
        if chat.has(Quirk::BadOperation) {
            // None of these can be applied; the blank line and the last one are not errors.
            let bad = [
                "{\"kind\":1,\"k\":[\"requests\",2000000000,\"result\"],\"v\":{}}",
                "{\"kind\":1,\"k\":[\"requests\",0,\"__proto__\",\"polluted\"],\"v\":true}",
                "{\"kind\":1,\"k\":[\"creationDate\",\"major\"],\"v\":3}",
                "{\"kind\":7,\"k\":[\"requests\"],\"v\":[]}",
                "{\"kind\":1,\"k\":[],\"v\":{}}",
                "[1,2,3]",
                "{\"kind\":1,\"k\":[\"customTitle\"],\"v\":\"bad escape \\x\"}",
            ];
            for line in bad {
                put!(&mut self.page.buf; line);
                end(self.page, "broken")?;
                facts.skipped_lines += 1;
            }
            self.page.end_line()?;
            put!(&mut self.page.buf; "{\"kind\":3,\"k\":[\"neverSet\"]}");
            end(self.page, "kind-3")?;
        }
        if chat.has(Quirk::Torn) {
            put!(&mut self.page.buf; "{\"kind\":2,\"k\":[\"requests\"],\"v\":[{\"requestId\":\"request_", dice.id(), "\",\"message\":{\"text\":\"cut of");
            self.page.record("broken");
            self.page.end_torn();
            facts.skipped_lines += 1;
        }
        Ok(())
    }
}
