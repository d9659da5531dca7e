//! What of the session that is shown is mounted: everything, some turns, or the rows that can be seen.

pub mod rows;
pub mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::Range;

pub use rows::{Row, RowKind};
pub use shape::Shape;

use self::rows::{Plan, Slot, plan, shape};
use super::ledger::Ledger;
use super::store::maps::{Changes, Maps};
use super::strategy::Window as Choice;

/// Turns that are mounted at first.
pub const TURNS: usize = 10;
/// Turns that are added when older ones are looked for.
pub const BATCH: usize = 8;
/// As long as so many turns or fewer are above what is mounted, older ones are asked for ahead.
pub const AHEAD: usize = 16;
/// Ms between two times that older turns are asked for ahead.
const COOLDOWN_MS: i64 = 400;
/// How often that is done in vain.
const FRUITLESS: u32 = 2;

/// Rows that can be seen at once.
pub const VISIBLE: usize = 8;
/// Rows above and below that are mounted, too.
pub const OVERSCAN: usize = 2;

/// The first row that can be seen, or the first turn that is mounted.
#[derive(Debug)]
struct Anchor {
    kind: RowKind,
    message: Box<str>,
    part: Box<str>,
}

/// Messages and ids of parts.
type Keys = BTreeSet<(Box<str>, Box<str>)>;

/// Where the window is.
#[derive(Debug, Default)]
struct Place {
    /// None at the end of the transcript.
    anchor: Option<Anchor>,
    /// Where the anchor was found last.
    index: usize,
    /// Whether a batch of turns is to be shown as soon as there are older ones.
    is_revealing: bool,
    /// When older ones were asked for ahead, how many turns there were, and how often in vain.
    asked_ms: Option<i64>,
    turns_then: usize,
    fruitless: u32,
}

/// What is mounted.
#[derive(Debug)]
pub struct Window {
    choice: Choice,
    mounted: Vec<Row>,
    place: Place,
    rows: usize,
    turns: usize,
    mounts: u64,
    ledger: Ledger,
}

impl Window {
    pub(super) fn new(choice: Choice) -> Window {
        let (mounted, place, ledger) = (Vec::new(), Place::default(), Ledger::default());
        Window { choice, mounted, place, rows: 0, turns: 0, mounts: 0, ledger }
    }

    /// The rows that are mounted.
    pub fn mounted(&self) -> impl Iterator<Item = &Row> {
        self.mounted.iter()
    }

    /// How many turns have a row that is mounted.
    pub fn mounted_turns(&self) -> usize {
        let mut turns: Vec<usize> = self.mounted.iter().map(|row| row.turn).collect();
        turns.dedup();
        turns.len()
    }

    /// How many rows the transcript that is held has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many turns it has.
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// How many parts were ever mounted, each as often as it was.
    pub fn mounts(&self) -> u64 {
        self.mounts
    }

    /// The texts of what is mounted.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the end of the transcript is shown, and will be when it grows.
    pub fn is_at_end(&self) -> bool {
        self.choice != Choice::Rows || self.place.anchor.is_none()
    }

    /// Another session is shown, or this one is loaded: from its end.
    pub(super) fn reset(&mut self) {
        self.place = Place::default();
    }

    /// The end is looked at. Turns that are mounted stay so.
    pub(super) fn show_end(&mut self) {
        if self.choice == Choice::Rows {
            self.place.anchor = None;
        }
    }

    /// Goes up by a screen or a batch of turns. Says whether older messages are wanted.
    pub(super) fn scroll_up(&mut self, maps: &Maps, session: &str, now_ms: i64) -> bool {
        match self.choice {
            Choice::All => true,
            Choice::Turns => self.reveal(&plan(maps, session), now_ms),
            Choice::Rows => {
                let plan = plan(maps, session);
                let top = self.top(&plan).saturating_sub(VISIBLE);
                if plan.slots.len() > VISIBLE {
                    self.place_at(&plan, top);
                }
                top == 0
            }
        }
    }

    /// Goes down by a screen. Says whether that is the end of what is held.
    pub(super) fn scroll_down(&mut self, maps: &Maps, session: &str) -> bool {
        if self.is_at_end() {
            return true;
        }
        let plan = plan(maps, session);
        let top = self.top(&plan) + VISIBLE;
        let is_end = top + VISIBLE >= plan.slots.len();
        if is_end {
            self.place.anchor = None
        } else {
            self.place_at(&plan, top)
        }
        is_end
    }

    fn reveal(&mut self, plan: &Plan<'_>, now_ms: i64) -> bool {
        let start = self.place.index;
        if start == 0 {
            self.place.is_revealing = true;
            return true;
        }
        self.place_turn(plan, start.saturating_sub(BATCH));
        start <= AHEAD && self.may_ask_ahead(now_ms)
    }

    fn may_ask_ahead(&mut self, now_ms: i64) -> bool {
        let place = &mut self.place;
        if let Some(asked_ms) = place.asked_ms {
            if now_ms - asked_ms < COOLDOWN_MS {
                return false;
            }
            place.fruitless = if self.turns > place.turns_then { 0 } else { place.fruitless + 1 };
            if place.fruitless >= FRUITLESS {
                return false;
            }
        }
        (place.asked_ms, place.turns_then) = (Some(now_ms), self.turns);
        true
    }

    fn place_at(&mut self, plan: &Plan<'_>, top: usize) {
        let Some(slot) = plan.slots.get(top) else { return };
        let part = slot.items.first().map_or("", |(_, part)| part);
        let message = slot.items.first().map_or(slot.message, |(message, _)| message);
        self.place.anchor = Some(Anchor { kind: slot.kind, message: message.into(), part: part.into() });
        self.place.index = top;
    }

    fn place_turn(&mut self, plan: &Plan<'_>, start: usize) {
        self.place.index = start;
        let head = plan.heads.get(start);
        self.place.anchor =
            head.map(|head| Anchor { kind: RowKind::User, message: (*head).into(), part: Box::default() });
    }

    /// The first row that can be seen.
    fn top(&self, plan: &Plan<'_>) -> usize {
        let last = plan.slots.len().saturating_sub(VISIBLE);
        let Some(Anchor { kind, message, part }) = &self.place.anchor else { return last };
        let is_it = |slot: &Slot<'_>| {
            let mut items = slot.items.iter();
            let has = items.any(|(of, id)| (*of, *id) == (&**message, &**part));
            slot.kind == *kind && (has || (part.is_empty() && slot.message == &**message))
        };
        let found = plan.slots.iter().position(is_it);
        found.unwrap_or_else(|| self.place.index.min(last))
    }

    /// The window goes along with what it shows.
    fn keep_place(&mut self, plan: &Plan<'_>) {
        (self.rows, self.turns) = (plan.slots.len(), plan.turns.len());
        match self.choice {
            Choice::All => {}
            Choice::Turns => self.keep_turn(plan),
            Choice::Rows => self.place.index = self.top(plan),
        }
    }

    fn keep_turn(&mut self, plan: &Plan<'_>) {
        let before = self.place.index;
        let found = self.place.anchor.as_ref().map(|anchor| {
            let found = plan.heads.iter().position(|head| *head == &*anchor.message);
            found.unwrap_or(before)
        });
        let start = match found {
            Some(start) if start < plan.heads.len() => start,
            _ => plan.heads.len().saturating_sub(TURNS),
        };
        let has_older = found.is_some() && start > before;
        let is_revealed = self.place.is_revealing && has_older;
        self.place.is_revealing &= !is_revealed;
        self.place_turn(plan, if is_revealed { start.saturating_sub(BATCH) } else { start });
    }

    fn range(&self, plan: &Plan<'_>) -> Range<usize> {
        match self.choice {
            Choice::All => 0..plan.slots.len(),
            Choice::Turns => plan.turns.get(self.place.index).copied().unwrap_or(0)..plan.slots.len(),
            Choice::Rows => {
                let top = self.top(plan);
                let end = (top + VISIBLE + OVERSCAN).min(plan.slots.len());
                top.saturating_sub(OVERSCAN)..end
            }
        }
    }

    /// Mounts what came, and drops what went.
    pub(super) fn follow(&mut self, maps: &mut Maps, session: Option<&str>, changes: &Changes) {
        let mut mounted = Keys::new();
        if changes.is_layout {
            let plan = session.map(|session| plan(maps, session)).unwrap_or_default();
            self.keep_place(&plan);
            self.lay_out(maps, session.unwrap_or_default(), &plan, &mut mounted);
        }
        for key in &changes.of {
            if !mounted.contains(key) && self.refresh(maps, session.unwrap_or_default(), (&key.0, &key.1)) {
                mounted.insert(key.clone());
            }
        }
        self.mounts += mounted.len() as u64;
        for (message, part) in &mounted {
            maps.hydrate(message, part);
        }
    }

    fn lay_out(&mut self, maps: &Maps, session: &str, plan: &Plan<'_>, mounted: &mut Keys) {
        let slots = &plan.slots[self.range(plan)];
        let mut old = mem::take(&mut self.mounted);
        // Rows at both ends that are as they were stay; between them, parts that were mounted move to their new rows.
        let first = slots.iter().zip(&old).take_while(|(slot, row)| slot.is(row)).count();
        let ends = slots[first..].iter().rev().zip(old[first..].iter().rev());
        let last = ends.take_while(|(slot, row)| slot.is(row)).count();
        let after = old.split_off(old.len() - last);
        let fresh = &slots[first..slots.len() - last];
        let mut pool = self.unmount(old.split_off(first), fresh);
        let new = fresh.iter().map(|slot| {
            let shapes = slot.items.iter().filter_map(|(message, part)| {
                let key = ((*message).into(), (*part).into());
                if let Some(shape) = pool.remove(&key) {
                    return Some(shape);
                }
                let shape = shape(maps, session, slot.kind, (message, part))?;
                self.ledger.add(shape.bytes());
                mounted.insert(key);
                Some(shape)
            });
            let shapes = shapes.collect();
            Row { turn: slot.turn, kind: slot.kind, message: slot.message.into(), shapes }
        });
        old.extend(new.collect::<Vec<Row>>());
        old.extend(after);
        old.iter_mut().zip(slots).for_each(|(row, slot)| row.turn = slot.turn);
        self.mounted = old;
    }

    /// Takes rows apart, and keeps of their parts those that other rows show. The rest goes before anything new is mounted.
    fn unmount(&mut self, rows: Vec<Row>, fresh: &[Slot<'_>]) -> BTreeMap<(Box<str>, Box<str>), Shape> {
        let needed: BTreeSet<(&str, &str)> =
            fresh.iter().flat_map(|slot| slot.items.iter().copied()).collect();
        let mut kept = BTreeMap::new();
        for shape in rows.into_iter().flat_map(|row| row.shapes) {
            if needed.contains(&(&*shape.message, &*shape.part)) {
                kept.insert((shape.message.clone(), shape.part.clone()), shape);
            } else {
                self.ledger.remove(shape.bytes());
            }
        }
        kept
    }

    fn find(&mut self, (message, part): (&str, &str)) -> Option<(RowKind, &mut Shape)> {
        let is_it = |shape: &Shape| (&*shape.message, &*shape.part) == (message, part);
        self.mounted.iter_mut().rev().find_map(|row| {
            let kind = row.kind;
            row.shapes.iter_mut().rev().find(|shape| is_it(shape)).map(|shape| (kind, shape))
        })
    }

    /// A part has changed, or a message, where the part has no id. Says whether it is mounted.
    fn refresh(&mut self, maps: &Maps, session: &str, of: (&str, &str)) -> bool {
        let Some((kind, old)) = self.find(of) else { return false };
        let Some(new) = shape(maps, session, kind, of) else { return false };
        let (gone, come) = (old.bytes(), new.bytes());
        *old = new;
        self.ledger.remove(gone);
        self.ledger.add(come);
        true
    }

    /// A part has grown by a text.
    pub(super) fn append(&mut self, of: (&str, &str), text: &str) {
        if let Some((_, shape)) = self.find(of) {
            shape.append(text);
            self.ledger.grow(text.len() as u64);
        }
    }

    /// Says what is mounted that should not be, or the other way round.
    pub(super) fn audit(&self, maps: &Maps, session: Option<&str>) -> Result<(), String> {
        let shapes = || self.mounted.iter().flat_map(|row| &row.shapes);
        let walked = (shapes().map(Shape::bytes).sum::<u64>(), shapes().count() as u64);
        let told = (self.ledger.live(), self.ledger.entries());
        if walked != told {
            return Err(format!("the window holds {walked:?} bytes and parts, its ledger says {told:?}"));
        }
        let plan = session.map(|session| plan(maps, session)).unwrap_or_default();
        let anew = plan.slots[self.range(&plan)].iter().map(|slot| {
            let shape = |of: &(&str, &str)| shape(maps, session.unwrap_or_default(), slot.kind, *of);
            let shapes = slot.items.iter().filter_map(shape).collect();
            Row { turn: slot.turn, kind: slot.kind, message: slot.message.into(), shapes }
        });
        let anew: Vec<Row> = anew.collect();
        if anew != self.mounted {
            let rows = |rows: &[Row]| rows.iter().map(|row| row.message.clone()).collect::<Vec<_>>();
            return Err(format!("mounted are {:?}, should be {:?}", rows(&self.mounted), rows(&anew)));
        }
        let most = VISIBLE + 2 * OVERSCAN;
        if self.choice == Choice::Rows && self.mounted.len() > most {
            return Err(format!("{} rows are mounted, {most} at most", self.mounted.len()));
        }
        Ok(())
    }
}
