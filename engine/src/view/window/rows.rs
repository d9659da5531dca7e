//! The rows of a transcript: one for what a person says, one for each eight parts of the answer, for what it changed, and for an error.

use std::collections::BTreeMap;

use super::shape::Shape;
use crate::view::message::Role;
use crate::view::store::maps::Maps;

/// Parts of an answer's row.
pub const PARTS: usize = 8;

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// What a person says.
    User,
    /// Up to [`PARTS`] parts of the answer.
    Answer,
    /// The files that the turn has changed.
    Diff,
    /// What went wrong.
    Error,
}

/// A row that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which of the transcript's turns it belongs to, from 0.
    pub turn: usize,
    /// What it shows.
    pub kind: RowKind,
    /// The message that it begins with.
    pub message: Box<str>,
    /// Its parts.
    pub shapes: Vec<Shape>,
}

/// A row that could be mounted.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub(super) turn: usize,
    pub(super) kind: RowKind,
    pub(super) message: &'a str,
    /// Messages and ids of its parts.
    pub(super) items: Vec<(&'a str, &'a str)>,
}

/// All rows of a transcript, and where each turn begins among them.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) slots: Vec<Slot<'a>>,
    /// For each turn the index of its first row. A turn without rows begins where the next one does.
    pub(super) turns: Vec<usize>,
    /// For each turn its first message.
    pub(super) heads: Vec<&'a str>,
}

/// A turn: what a person says, and the messages that answer it.
#[derive(Default)]
struct Turn<'a> {
    user: Option<&'a str>,
    answers: Vec<&'a str>,
}

impl Slot<'_> {
    /// Whether a mounted row shows this, but for what its parts say.
    pub(super) fn is(&self, row: &Row) -> bool {
        self.kind == row.kind
            && self.message == &*row.message
            && self.items.len() == row.shapes.len()
            && self
                .items
                .iter()
                .zip(&row.shapes)
                .all(|(item, shape)| *item == (&*shape.message, &*shape.part))
    }
}

/// What is mounted of a part, or of a message where the part has no id. None where it is not held.
pub(super) fn shape(
    maps: &Maps,
    session: &str,
    kind: RowKind,
    (message, part): (&str, &str),
) -> Option<Shape> {
    let info = maps.messages.get(session, message);
    match kind {
        RowKind::User | RowKind::Answer => {
            maps.parts.get(message, part).map(|stored| Shape::of_part(message, part, stored))
        }
        RowKind::Diff => info.map(|info| Shape::of_diffs(message, info)),
        RowKind::Error => info.map(|info| Shape::of_error(message, info)),
    }
}

/// The rows of a session.
pub(super) fn plan<'a>(maps: &'a Maps, session: &str) -> Plan<'a> {
    let mut plan = Plan::default();
    for (number, turn) in turns(maps, session).into_iter().enumerate() {
        plan.turns.push(plan.slots.len());
        plan.heads.push(turn.user.or(turn.answers.first().copied()).unwrap_or_default());
        let mut slot = |kind, message, items| plan.slots.push(Slot { turn: number, kind, message, items });
        let parts = |message: &'a str| maps.parts.of(message).map(move |(part, _)| (message, part));
        if let Some(user) = turn.user {
            slot(RowKind::User, user, parts(user).collect());
        }
        let of_answers: Vec<(&str, &str)> = turn.answers.iter().flat_map(|answer| parts(answer)).collect();
        for row in of_answers.chunks(PARTS) {
            slot(RowKind::Answer, row[0].0, row.to_vec());
        }
        let info = |message: &str| maps.messages.get(session, message);
        if let Some(user) = turn.user.filter(|user| info(user).is_some_and(|info| info.has_diffs)) {
            slot(RowKind::Diff, user, vec![(user, "")]);
        }
        for answer in turn.answers.iter().filter(|answer| info(answer).is_some_and(|info| info.has_error)) {
            slot(RowKind::Error, answer, vec![(answer, "")]);
        }
    }
    plan
}

/// The turns of a session. An answer belongs to its parent's; without that, to the one before it, as the first answers of a page may.
fn turns<'a>(maps: &'a Maps, session: &str) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::new();
    let mut by_user = BTreeMap::new();
    for (id, info) in maps.messages.of(session) {
        if info.role == Role::User {
            by_user.insert(id, turns.len());
            turns.push(Turn { user: Some(id), answers: Vec::new() });
            continue;
        }
        if turns.is_empty() {
            turns.push(Turn::default());
        }
        let at = by_user.get(&*info.parent).copied().unwrap_or(turns.len() - 1);
        turns[at].answers.push(id);
    }
    turns
}
