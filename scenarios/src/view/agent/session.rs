//! One session, told turn by turn: what is said next is made when it is asked for.

mod calls;
mod turn;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::Act;
use super::call::Call;
use super::content::{Content, FileState};
use super::ids::Ids;
use super::info::{self, Assistant, User};
use super::outline::Outline;
use super::plan::Plan;
use work::Work;

/// Sessions of tasks that one session can have with streams of their own.
const CHILDREN: u64 = 4_096;

/// How much of a session is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All that happens.
    Live,
    /// Only the last state of everything, which is what is stored.
    Stored,
}

/// What comes next.
#[derive(Debug)]
enum Phase {
    Begin,
    Turn,
    Step,
    Call,
    /// The session of a task has ended: the call ends, too.
    Task(Box<Call>),
    StepEnd,
    TurnEnd,
    End,
    Over,
}

/// The files of a session.
#[derive(Debug, Default)]
struct Files {
    /// All of them as they are.
    now: Vec<Content>,
    /// Those that were changed since the session began, as they were then.
    session: BTreeMap<usize, Option<Content>>,
    /// The same since the turn began.
    turn: BTreeMap<usize, Option<Content>>,
    /// Those that were changed in the step.
    step: Vec<String>,
}

/// A session that is told.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// The session whose task this one is.
    parent: Option<String>,
    plan: Arc<Plan>,
    detail: Detail,
    dice: ChaCha8Rng,
    ids: Ids,
    seed: u64,
    stream: u64,
    outline: Outline,
    files: Files,
    phase: Phase,
    works: VecDeque<Work>,
    start_ms: i64,
    /// When the last thing of all that was planned happens.
    now: i64,
    turn: usize,
    /// Calls that were made.
    call: usize,
    /// When the step began.
    step_ms: i64,
    /// Calls that it has, and those of them that are still to be made.
    step_calls: usize,
    left: usize,
    /// The message of the turn; without an id before the first.
    user: User,
    /// The message of the step; without an id before the first.
    assistant: Assistant,
    todos: Option<Value>,
    /// Sessions of tasks so far.
    children: u64,
    /// Calls so far that may need a permission.
    asking: usize,
}

impl Session {
    /// The session `number` of a plan.
    pub(super) fn new(plan: &Arc<Plan>, number: usize, detail: Detail) -> Session {
        let start_ms = plan.start_ms + plan.session_every_ms * number as i64;
        Session::at(Arc::clone(plan), number as u64 * CHILDREN, (start_ms, None), detail)
    }

    /// The session of a stream, which began at a time, for the task of another where it has one.
    fn at(
        plan: Arc<Plan>,
        stream: u64,
        (start_ms, parent): (i64, Option<String>),
        detail: Detail,
    ) -> Session {
        let dice = |stream: u64| {
            let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
            dice.set_stream(stream);
            dice
        };
        let (mut ids, mut dice) = (Ids::new(dice(2 * stream + 1)), dice(2 * stream));
        let id = ids.descending("ses", start_ms);
        let seed: u64 = dice.random();
        let outline = Outline::draw(&plan, (stream / CHILDREN) as usize, &mut dice);
        let contents = outline.files.iter().zip(1..);
        let width = plan.width;
        let now: Vec<Content> = contents
            .map(|(bytes, number)| Content {
                seed: seed.wrapping_add(number),
                bytes: *bytes,
                edits: 0,
                width,
            })
            .collect();
        let user = User { id: String::new(), session: id.clone(), at_ms: start_ms, width };
        let assistant = Assistant::of(String::new(), "", &id, start_ms);
        Session {
            id,
            parent,
            plan,
            detail,
            dice,
            ids,
            seed,
            stream,
            outline,
            files: Files { now, ..Files::default() },
            phase: Phase::Begin,
            works: VecDeque::new(),
            start_ms,
            now: start_ms,
            turn: 0,
            call: 0,
            step_ms: start_ms,
            step_calls: 0,
            left: 0,
            user,
            assistant,
            todos: None,
            children: 0,
            asking: 0,
        }
    }

    /// The session of a task of this one, beginning now.
    fn child(&mut self) -> Session {
        self.children += 1;
        let stream = self.stream + self.children % CHILDREN;
        Session::at(Arc::new(self.plan.of_child()), stream, (self.now, Some(self.id.clone())), self.detail)
    }

    /// When the next act is done; none: there is none.
    pub(super) fn next_ms(&mut self) -> Option<i64> {
        loop {
            while let Some(work) = self.works.front_mut() {
                if let Some(at_ms) = work.next_ms() {
                    return Some(at_ms);
                }
                if let Work::Child(child) = work {
                    self.now = self.now.max(child.now);
                }
                self.works.pop_front();
            }
            if matches!(self.phase, Phase::Over) {
                return None;
            }
            self.plan_more();
        }
    }

    /// The next act, after [`Session::next_ms`] has told when it is done.
    pub(super) fn next_act(&mut self) -> Option<Act> {
        self.works.front_mut()?.next_act()
    }

    fn plan_more(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Begin => {
                let session = self.value();
                self.live(Act::Session(session));
                Phase::Turn
            }
            Phase::Turn if self.turn == self.plan.turns => Phase::End,
            Phase::Turn => self.begin_turn(),
            Phase::Step => self.begin_step(),
            Phase::Call if self.left == 0 => Phase::StepEnd,
            Phase::Call => self.call(),
            Phase::Task(call) => self.end_task(*call),
            Phase::StepEnd => self.end_step(),
            Phase::TurnEnd => self.end_turn(),
            Phase::End => self.end(),
            Phase::Over => Phase::Over,
        };
    }

    /// The session as it is now.
    fn value(&self) -> Value {
        let files = self.states(&self.files.session);
        info::session(&self.id, self.parent.as_deref(), self.seed, (self.start_ms, self.now), &files)
    }

    /// What became of files that were like this.
    fn states(&self, before: &BTreeMap<usize, Option<Content>>) -> Vec<FileState> {
        let state = |(number, before): (&usize, &Option<Content>)| {
            FileState::of(info::path(*number), *before, self.files.now[*number])
        };
        before.iter().map(state).collect()
    }

    /// Plans an act for now.
    fn act(&mut self, act: Act) {
        self.works.push_back(Work::one(self.now, move || act));
    }

    /// The same, when all that happens is told.
    fn live(&mut self, act: Act) {
        if self.detail == Detail::Live {
            self.act(act);
        }
    }

    /// Whether something comes that comes in so many of a thousand cases.
    fn comes(&mut self, per_mille: u32) -> bool {
        self.dice.random_range(0..1_000) < per_mille
    }

    /// The end: what is stored once for the whole session.
    fn end(&mut self) -> Phase {
        let session = self.id.clone();
        if self.detail == Detail::Live {
            if self.plan.deleted {
                self.act(Act::Deleted { session });
            }
            return Phase::Over;
        }
        let value = self.value();
        self.act(Act::Session(value));
        if let Some(todos) = self.todos.take() {
            self.act(Act::Todos { session: session.clone(), todos });
        }
        let files = self.states(&self.files.session);
        if !files.is_empty() {
            self.act(Act::Diff { session, files });
        }
        Phase::Over
    }
}
