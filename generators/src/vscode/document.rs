//! A chat session as one JSON document.

use std::io;

use crate::answer::Session;
use crate::dice::Dice;
use crate::page::{Page, put};
use crate::pool::{Pool, Tone};
use crate::vscode::{Chat, Shape, Style, Turn, Turns};

/// Writes the document of a session.
pub(crate) fn write(
    chat: &Chat,
    style: &Style,
    pool: &Pool,
    dice: &mut Dice,
    page: &mut Page,
    session: &mut Session,
) -> io::Result<()> {
    page.record("document");
    state(chat, style, chat.requests, &mut Turns::new(chat, style), pool, dice, page, session)?;
    page.end_torn();
    Ok(())
}

/// Puts the state of a session after so many of its requests.
#[expect(clippy::too_many_arguments, reason = "they are the places it writes to")]
pub(crate) fn state(
    chat: &Chat,
    style: &Style,
    requests: u64,
    turns: &mut Turns<'_>,
    pool: &Pool,
    dice: &mut Dice,
    page: &mut Page,
    session: &mut Session,
) -> io::Result<()> {
    // In older files the requests came first, so that a reader does not know whose they are.
    let requests_first = matches!(style.shape, Shape::V1 | Shape::V2);
    put!(&mut page.buf; "{");
    if !requests_first {
        header(&mut page.buf, chat, style, pool, dice, session);
        put!(&mut page.buf; ",");
    }
    put!(&mut page.buf; "\"requests\":[");
    for i in 0..requests {
        put!(&mut page.buf; if i > 0 { "," } else { "" });
        let turn = turns.next(page.bytes(), pool, dice);
        whole(&mut page.buf, turn, style.shape);
        session.last = turn.request.timestamp;
        session.requests.push(turn.request.clone());
        page.spill()?;
    }
    put!(&mut page.buf; "]");
    if requests_first {
        put!(&mut page.buf; ",");
        header(&mut page.buf, chat, style, pool, dice, session);
    }
    put!(&mut page.buf; "}");
    Ok(())
}

/// The fields of a session beside its requests.
fn header(
    out: &mut Vec<u8>,
    chat: &Chat,
    style: &Style,
    pool: &Pool,
    dice: &mut Dice,
    session: &mut Session,
) {
    match style.shape {
        Shape::V1 => {
            // Neither version nor id: the file's name is the id.
            put!(out; "\"responderUsername\":\"GitHub Copilot\",\"responderAvatarIconUri\":{\"id\":\"copilot\"},\"creationDate\":", style.created);
            return;
        }
        Shape::V2 => {
            session.last = session.requests.last().map_or(style.created, |request| request.timestamp) + 5_000;
            put!(out; "\"version\":2,\"requesterUsername\":\"dev\",\"isImported\":false,\"lastMessageDate\":", session.last, ",\"computedTitle\":\"");
        }
        Shape::V3 | Shape::Log | Shape::Compacted => put!(out; "\"version\":3,\"customTitle\":\""),
    }
    out.extend_from_slice(&pool.sentence(dice).escaped);
    put!(out; "\",\"sessionId\":\"", chat.id, "\",\"creationDate\":", style.created,
        ",\"initialLocation\":\"panel\",\"responderUsername\":\"GitHub Copilot\"");
    if style.shape != Shape::V2 {
        put!(out; ",\"hasPendingEdits\":false,\"inputState\":{\"attachments\":[],\"mode\":{\"id\":\"agent\",\"kind\":\"agent\"},\
            \"selectedModel\":{\"identifier\":\"", style.model, "\",\"metadata\":{\"vendor\":\"copilot\",\"family\":\"", style.model,
            "\",\"maxInputTokens\":127805,\"maxOutputTokens\":64000}},\"inputText\":\"");
        pool.compose(out, dice, 20, Tone::default(), None);
        put!(out; "\",\"selections\":[],\"contrib\":{}},\"repoData\":{\"workspaceType\":\"local-git\",\"syncStatus\":\"synced\",\
            \"remoteUrl\":\"https://github.com/example/repo.git\",\"localBranch\":\"main\",\"diffs\":[]},\"pendingRequests\":[]");
    }
}

/// A whole request.
fn whole(out: &mut Vec<u8>, turn: &Turn, shape: Shape) {
    put!(out; "{", &turn.head, ",\"response\":");
    if shape == Shape::V1 {
        put!(out; "\"", &turn.parts, "\"");
    } else {
        put!(out; "[");
        for (i, span) in turn.spans.iter().enumerate() {
            put!(out; if i > 0 { "," } else { "" }, &turn.parts[span.start..span.end]);
        }
        put!(out; "]");
    }
    if !turn.result.is_empty() {
        put!(out; ",\"result\":", &turn.result);
    }
    for (name, value) in &turn.rest {
        put!(out; ",\"", *name, "\":", value);
    }
    put!(out; ",\"followups\":[],\"codeCitations\":[],\"timeSpentWaiting\":0}");
}
