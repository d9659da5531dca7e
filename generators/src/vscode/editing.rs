//! `chatEditingSessions/<id>/state.json`: which files a session's requests edited.

use std::io;

use crate::answer::{Edits, Session};
use crate::dice::Dice;
use crate::distribution::TOOL_INPUT;
use crate::page::put;
use crate::plan::ROOTS;
use crate::text::Preview;
use crate::vscode::{Chat, Editing};
use crate::write::{Desk, Facts};

/// Share of requests that edit a file. A.
const EDITING_SHARE: f64 = 0.4;

/// Writes the state that belongs to a session, if any.
pub(crate) fn write(chat: &Chat, session: &Session, desk: &mut Desk<'_>, dice: &mut Dice) -> io::Result<()> {
    let path =
        format!("{}/{}/chatEditingSessions/{}/state.json", ROOTS[chat.root].0, chat.directory, chat.id);
    match chat.editing {
        Editing::None => Ok(()),
        Editing::Empty => {
            let text = format!(
                "{{\"version\":2,\"sessionId\":\"{}\",\"linearHistory\":[],\"linearHistoryIndex\":0,\"initialFileContents\":[],\
                 \"recentSnapshot\":{{\"entries\":[]}}}}",
                chat.id
            );
            desk.write_small(path, &text, "document")
        }
        Editing::Timeline => timeline(chat, session, path, desk, dice),
    }
}

fn timeline(
    chat: &Chat,
    session: &Session,
    path: String,
    desk: &mut Desk<'_>,
    dice: &mut Dice,
) -> io::Result<()> {
    let mut page = desk.open(&path)?;
    let pool = desk.pool;
    let mut edits = Edits::new();
    page.record("document");
    put!(&mut page.buf; "{\"version\":2,\"initialFileContents\":[],\"timeline\":{\"checkpoints\":[],\"currentEpoch\":3,\"epochCounter\":9,\"fileBaselines\":[],\"operations\":[");
    put!(&mut page.buf; "{\"type\":\"create\",\"requestId\":\"none\",\"uri\":{\"path\":\"/new.rs\",\"scheme\":\"file\"},\"epoch\":1,\"initialContent\":\"\"}");
    for request in &session.requests {
        if !dice.chance(EDITING_SHARE) {
            continue;
        }
        for _ in 0..1 + dice.geometric(0.4, 5) {
            let file = format!("file:///home/dev/{}/{}", chat.name, pool.path(dice));
            put!(&mut page.buf; ",{\"type\":\"textEdit\",\"requestId\":\"", &request.id, "\",\"uri\":{\"$mid\":1,\"external\":\"", &file,
                "\",\"scheme\":\"file\"},\"epoch\":", dice.below(100), ",\"edits\":[");
            let mut lines = 0;
            for i in 0..dice.below(4) {
                put!(&mut page.buf; if i > 0 { "," } else { "" }, "{\"text\":\"");
                let bytes = dice.size(TOOL_INPUT);
                lines += pool.lines(&mut page.buf, dice, bytes);
                put!(&mut page.buf; "\",\"range\":{\"startLineNumber\":1,\"startColumn\":1,\"endLineNumber\":2,\"endColumn\":1}}");
            }
            put!(&mut page.buf; "]}");
            *edits.entry((request.id.clone(), Preview::of(&file, 500))).or_default() += lines;
            page.spill()?;
        }
    }
    put!(&mut page.buf; "]},\"recentSnapshot\":{\"entries\":[]}}");
    page.end_torn();
    desk.close(page, path, Facts::default())?;
    desk.deliver_edits(chat.root, &session.workspace, &session.id, &edits);
    Ok(())
}
