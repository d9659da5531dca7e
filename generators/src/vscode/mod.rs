//! VS Code Copilot Chat: `workspaceStorage/<hash>/{workspace.json,chatSessions,chatEditingSessions}`.

mod document;
mod editing;
mod index;
mod log;
mod part;
mod turn;
mod within;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::answer::Session;
use crate::dice::Dice;
use crate::distribution::{COPILOT_MODELS, DICTIONARY_IMAGE_BYTES, OUT_OF_ORDER_SHARE};
use crate::page::Id;
use crate::plan::{Quirk, ROOTS};
use crate::size::Size;
use crate::text::Preview;
use crate::write::{Desk, Facts};

pub(crate) use index::Index;
pub(crate) use turn::Turn;

/// The shape of a chat session's file: it changed over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The first: no version, messages and responses are strings, requests come first.
    V1,
    /// With `computedTitle` and `lastMessageDate`.
    V2,
    /// The last form that is one document.
    V3,
    /// The append log, with everything since its last compaction.
    Log,
    /// The append log just after its compaction: one line.
    Compacted,
}

impl Shape {
    pub(crate) fn is_log(self) -> bool {
        matches!(self, Shape::Log | Shape::Compacted)
    }
}

/// What stands in `chatEditingSessions` for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editing {
    /// Nothing.
    None,
    /// A state without edits, as most are.
    Empty,
    /// A timeline of text edits.
    Timeline,
}

/// A chat session to write.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The workspace's directory, shared among its chats.
    pub(crate) directory: Arc<str>,
    /// The workspace's name, likewise.
    pub(crate) name: Arc<str>,
    /// The session's id: the file's name without its extension.
    pub(crate) id: Id,
    /// The path of the session that this one is a copy of.
    pub(crate) origin: Option<String>,
    pub(crate) shape: Shape,
    pub(crate) requests: u64,
    /// How long the (main) file is.
    pub(crate) size: Size,
    /// Requests with an image.
    pub(crate) images: u64,
    pub(crate) editing: Editing,
    /// Whether an older `.json` of the session stands beside its log.
    pub(crate) superseded: bool,
    /// Entries of a log that append to the first response and cut it off, before what is left of it.
    pub(crate) storm: u64,
    pub(crate) quirks: BTreeSet<Quirk>,
}

/// What is the same in all requests of a session.
pub(crate) struct Style {
    pub(crate) shape: Shape,
    pub(crate) project: String,
    pub(crate) model: &'static str,
    pub(crate) created: u64,
    /// The first image's encoding, of three.
    pub(crate) first_encoding: u64,
}

impl Chat {
    /// The workspace's key.
    pub(crate) fn workspace(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.directory)
    }

    /// The session's file.
    pub(crate) fn path(&self) -> String {
        let extension = if self.shape.is_log() { "jsonl" } else { "json" };
        format!("{}/chatSessions/{}.{extension}", self.workspace(), self.id)
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Writes the session and what belongs to it.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let dice = &mut self.dice(desk);
        let style = self.style(desk, dice);
        let mut session = Session {
            id: self.id.to_string(),
            harness: ROOTS[self.root].1,
            workspace: self.workspace(),
            name: Preview::of(&self.name, 128),
            created: style.created,
            ..Session::default()
        };
        if self.superseded {
            self.write_superseded(desk, dice, &style)?;
        }
        let mut facts = Facts {
            sessions: 1,
            quirks: self.quirks.iter().map(|quirk| quirk.name()).collect(),
            ..Facts::default()
        };
        if self.shape == Shape::V1 {
            facts.quirks.insert("string-messages");
        }
        let path = self.path();
        let mut page = desk.open(&path)?;
        if self.shape.is_log() {
            log::write(self, &style, desk.pool, dice, &mut page, &mut session, &mut facts)?;
        } else {
            document::write(self, &style, desk.pool, dice, &mut page, &mut session)?;
        }
        for request in &session.requests {
            facts.requests += 1;
            facts.prompt += request.prompt;
            facts.completion += request.completion;
        }
        desk.close(page, path.clone(), facts)?;
        desk.deliver(self.root, path.rsplit('/').next().unwrap_or_default(), path.clone(), &session);
        editing::write(self, &session, desk, dice)
    }

    /// The draws that its content is made from: a copy has those of its origin.
    fn dice(&self, desk: &Desk<'_>) -> Dice {
        match &self.origin {
            Some(origin) => Dice::new(desk.spec, origin),
            None => Dice::new(desk.spec, &self.path()),
        }
    }

    fn style(&self, desk: &Desk<'_>, dice: &mut Dice) -> Style {
        Style {
            shape: self.shape,
            project: format!("/home/{}/work", dice.pick(&desk.pool.people)),
            model: dice.pick::<&str>(COPILOT_MODELS),
            // A day within 2025 and 2026.
            created: 1_735_689_600_000 + dice.between(0, 540 * 86_400_000),
            first_encoding: dice.between(0, 3),
        }
    }

    /// The document that the session was before it became a log: a reader must pass it over.
    fn write_superseded(&self, desk: &mut Desk<'_>, dice: &mut Dice, style: &Style) -> io::Result<()> {
        let old = Chat { shape: Shape::V3, requests: 1, images: 0, quirks: BTreeSet::new(), ..self.clone() };
        let path = old.path();
        let mut page = desk.open(&path)?;
        document::write(&old, style, desk.pool, dice, &mut page, &mut Session::default())?;
        let quirks = BTreeSet::from(["superseded"]);
        desk.close(page, path, Facts { quirks, ..Facts::default() })
    }
}

/// The requests of a session, one after the other.
pub(crate) struct Turns<'a> {
    chat: &'a Chat,
    style: &'a Style,
    time: u64,
    index: u64,
    pub(crate) turn: Turn,
}

impl<'a> Turns<'a> {
    pub(crate) fn new(chat: &'a Chat, style: &'a Style) -> Self {
        Turns { chat, style, time: style.created, index: 0, turn: Turn::default() }
    }

    /// Makes the next request, after so many bytes of the file.
    pub(crate) fn next(&mut self, bytes: u64, pool: &crate::pool::Pool, dice: &mut Dice) -> &Turn {
        self.time += 1_000 + dice.between(0, 1_800_000);
        let mut time = self.time;
        if self.index > 0
            && (self.chat.has(Quirk::OutOfOrder) && self.index == 1 || dice.chance(OUT_OF_ORDER_SHARE / 8.0))
        {
            time -= 7_200_000;
        }
        let dictionary = self.chat.has(Quirk::ByteDictionary);
        let encoding = if dictionary { 0 } else { (self.index + self.style.first_encoding) % 3 };
        let wishes = turn::Wishes {
            last: self.index + 1 == self.chat.requests,
            image: (self.index < self.chat.images).then_some(encoding),
            image_bytes: dictionary.then_some(DICTIONARY_IMAGE_BYTES),
            first: self.first_piece(pool, dice),
            languages: self.index == 0 && self.chat.has(Quirk::ManyLanguages),
            open_block: self.chat.has(Quirk::OpenBlock),
            everything: self.chat.has(Quirk::EveryPart),
            extra_bytes: self.extra_bytes(bytes),
            room: self.room(bytes),
        };
        self.index += 1;
        self.turn.make(self.style, time, wishes, pool, dice);
        &self.turn
    }

    /// Bytes that the next request is filled up with, after so many bytes of the file.
    fn extra_bytes(&self, bytes: u64) -> usize {
        if let Size::About(_) = self.chat.size {
            return 0;
        }
        let target = self.chat.size.after(self.index + 1, self.chat.requests).unwrap_or(0);
        target.saturating_sub(bytes) as usize
    }

    fn first_piece<'p>(&self, pool: &'p crate::pool::Pool, dice: &mut Dice) -> Option<&'p crate::text::Atom> {
        if self.index > 0 && self.index != self.chat.requests / 2 {
            return None;
        }
        if self.chat.has(Quirk::LoneSurrogate) {
            return Some(dice.pick(&pool.surrogates));
        }
        self.chat.has(Quirk::LineSeparator).then(|| dice.pick(&pool.separators))
    }
}

/// A request's id.
pub(crate) fn request_id(id: Id) -> String {
    format!("request_{id}")
}
