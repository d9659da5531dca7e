//! What VS Code itself knows of a workspace's chats: `state.vscdb`, a table of keys and values with an index of the sessions.

use std::io;
use std::sync::Arc;

use crate::dice::Dice;
use crate::page::put;
use crate::plan::ROOTS;
use crate::pool::Pool;
use crate::sqlite::Sheet;
use crate::vscode::Chat;
use crate::write::{Desk, Facts};

/// VS Code's own table and version.
const SCHEMA: &str =
    "pragma user_version = 1; create table ItemTable (key text unique on conflict replace, value blob);";

/// Where the index stands.
const KEY: &str = "chat.ChatSessionStore.index";

/// What else VS Code keeps of a workspace. A: a few of many.
const OTHERS: &[(&str, &str)] = &[
    ("debug.selectedroot", "file:///home/dev/app"),
    (
        "memento/workbench.parts.editor",
        "{\"editorpart.state\":{\"serializedGrid\":{\"root\":{\"type\":\"branch\",\"data\":[]}}}}",
    ),
    ("terminal.integrated.layoutInfo", "{\"tabs\":[]}"),
    ("workbench.explorer.treeViewState", "{\"focus\":[],\"selection\":[],\"expanded\":[],\"scrollTop\":0}"),
    ("workbench.panel.chat.numberOfVisibleViews", "1"),
];

/// A workspace's state to write.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The workspace's directory.
    pub(crate) directory: String,
    /// The sessions that are listed: VS Code shows no other, whatever files there are.
    pub(crate) chats: Vec<Arc<Chat>>,
}

impl Index {
    /// The state's file.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/state.vscdb", ROOTS[self.root].0, self.directory)
    }

    /// Writes the state. Nothing of the answer depends on it.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = self.path();
        let dice = &mut Dice::new(desk.spec, &path);
        let mut index = b"{\"version\":1,\"entries\":{".to_vec();
        for (i, chat) in self.chats.iter().enumerate() {
            put!(&mut index; if i > 0 { "," } else { "" });
            // The day is drawn as for the session's file.
            let created = chat.style(desk, &mut chat.dice(desk)).created;
            entry(&mut index, chat, created, desk.pool, dice);
        }
        put!(&mut index; "}}");
        let index = String::from_utf8(index).map_err(io::Error::other)?;
        let mut sheet = Sheet::create(desk.place(&path)?, SCHEMA)?;
        for (key, value) in [(KEY, index.as_str())].iter().chain(OTHERS) {
            sheet.insert("item", "insert into ItemTable (key, value) values (?1, ?2)", &[key, value])?;
        }
        desk.note(sheet.finish()?, path, Facts::default());
        Ok(())
    }
}

/// Puts what the index says of a session.
fn entry(out: &mut Vec<u8>, chat: &Chat, created: u64, pool: &Pool, dice: &mut Dice) {
    let started = created + chat.requests * 900_000;
    put!(out; "\"", chat.id, "\":{\"sessionId\":\"", chat.id, "\",\"title\":\"", &*pool.sentence(dice).escaped,
        "\",\"lastMessageDate\":", started, ",\"timing\":{\"created\":", created);
    if chat.requests > 0 {
        put!(out; ",\"lastRequestStarted\":", started, ",\"lastRequestEnded\":", started + dice.between(1_000, 90_000));
    }
    put!(out; "},\"initialLocation\":\"panel\",\"hasPendingEdits\":false,");
    if dice.chance(0.3) {
        put!(out; "\"stats\":{\"fileCount\":1,\"added\":", dice.below(90), ",\"removed\":", dice.below(30), "},");
    }
    put!(out; "\"lastResponseState\":1,\"isEmpty\":", chat.requests == 0, ",\"isExternal\":false}");
}
