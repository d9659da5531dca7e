//! The calls of a step, those of tasks with all of their sessions.

use std::sync::{Arc, OnceLock};

use rand::RngExt;

use super::super::Act;
use super::super::call::{Call, FIRST_STATES, Payload, Place};
use super::super::content::Content;
use super::super::info;
use super::super::outline::OUTPUT_CAP;
use super::super::tool::Tool;
use super::work::Work;
use super::{Detail, Phase, Session};

/// Bytes of what a failed call says.
const FAILURE_BYTES: usize = 400;

impl Session {
    /// Plans the next call.
    pub(super) fn call(&mut self) -> Phase {
        let call = self.draw_call();
        self.call += 1;
        self.left -= 1;
        let is_change = call.is_change() && !call.payload.fails;
        if is_change {
            let file = self.outline.calls[self.call - 1].file;
            self.touch(file, call.before(), call.after());
        }
        if self.plan.has_child(call.tool) {
            return self.begin_task(call);
        }
        let asks = call.is_change() || call.tool == Tool::Bash;
        self.asking += usize::from(asks);
        let every = self.plan.permission_every;
        let may_wait = asks && every > 0 && self.asking.is_multiple_of(every);
        self.tell_call(call, may_wait);
        Phase::Call
    }

    fn draw_call(&mut self) -> Call {
        let draft = self.outline.calls[self.call];
        let place = Place {
            session: self.id.clone(),
            message: self.assistant.id.clone(),
            part: self.part_id(),
            call: self.ids.ascending("call", self.now),
            attachment: self.part_id(),
            start_ms: self.now,
            wait_ms: 0,
            end_ms: self.now + self.dice.random_range(300..1_800),
        };
        let content = self.files.now[draft.file];
        let output_bytes = match draft.tool {
            Tool::Read => content.bytes.min(OUTPUT_CAP),
            _ => draft.output.min(OUTPUT_CAP),
        };
        let fails = self.comes(self.plan.failed_per_mille) && draft.tool != Tool::Task;
        let output_bytes = if fails { FAILURE_BYTES } else { output_bytes };
        let payload = Payload {
            seed: self.dice.random(),
            output_bytes,
            attachment_bytes: draft.image,
            file_bytes: content.bytes,
            has_display: true,
            chunks: output_bytes.div_ceil(self.plan.bash_chunk_bytes.max(1)),
            fails,
            width: self.plan.width,
        };
        let (child, file) = (self.ids.descending("ses", self.now), info::path(draft.file));
        Call { place, tool: draft.tool, payload, file, content, child, printed: OnceLock::new() }
    }

    /// Remembers what became of a file.
    pub(super) fn touch(&mut self, file: usize, before: Option<Content>, after: Content) {
        self.files.now[file] = after;
        self.files.session.entry(file).or_insert(before);
        self.files.turn.entry(file).or_insert(before);
        self.files.step.push(info::path(file));
    }

    fn tell_call(&mut self, mut call: Call, may_wait: bool) {
        if may_wait {
            let wait = self.dice.random_range(500..4_000);
            (call.place.wait_ms, call.place.end_ms) = (wait, call.place.end_ms + wait);
        }
        let (start, end) = (call.place.start_ms, call.place.end_ms);
        let request = self.ids.ascending("per", start);
        let call = Arc::new(call);
        if self.detail == Detail::Live {
            self.tell_states(&call, 0, FIRST_STATES);
            if may_wait {
                let (asking, id) = (Arc::clone(&call), request.clone());
                let session = self.id.clone();
                let replied = Act::PermissionReplied { session, id: request };
                self.works.push_back(Work::one(start, move || Act::Permission(asking.permission(&id))));
                self.works.push_back(Work::one(start + call.place.wait_ms, move || replied));
            }
            self.tell_states(&call, FIRST_STATES, call.states() - 1);
        }
        self.tell_states(&call, call.states() - 1, call.states());
        self.now = end;
        if call.tool == Tool::Todowrite && !call.payload.fails {
            let (session, todos) = (self.id.clone(), call.todos());
            self.todos = Some(todos.clone());
            self.live(Act::Todos { session, todos });
        }
    }

    fn tell_states(&mut self, call: &Arc<Call>, next: usize, end: usize) {
        self.works.push_back(Work::Call { call: Arc::clone(call), next, end });
    }

    /// A task: all of its session comes before it ends.
    fn begin_task(&mut self, mut call: Call) -> Phase {
        let child = self.child();
        call.child.clone_from(&child.id);
        if self.detail == Detail::Live {
            // What it says of its session is told at once, before that begins.
            call.place.end_ms = call.place.start_ms;
            self.tell_states(&Arc::new(call.clone()), 0, call.states() - 1);
        }
        self.works.push_back(Work::Child(Box::new(child)));
        Phase::Task(Box::new(call))
    }

    pub(super) fn end_task(&mut self, mut call: Call) -> Phase {
        self.now += 1;
        call.place.end_ms = self.now;
        let call = Arc::new(call);
        self.tell_states(&call, call.states() - 1, call.states());
        Phase::Call
    }
}
