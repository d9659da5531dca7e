//! What is asked for: how many sessions, of what, how large, and when.

use super::tool::{self, Mix, Tool};
use super::words::Width;

/// When plans begin unless they say otherwise, ms since 1970. The part of the time that ids keep does not wrap for a year after it.
pub(crate) const START_MS: i64 = 1_767_600_000_000;

const MB: u64 = 1_000_000;

/// Sizes of sessions by thousandths of the mean, which is what they have: from five to twenty where the mean is twelve.
const WIDE: &[u64] = &[1_000, 417, 1_667, 708, 1_292, 833, 1_167, 583, 1_500, 833];
/// All of one size.
const EVEN: &[u64] = &[1_000];

/// Which files are edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Any of so many.
    Any(usize),
    /// In each turn one that was not touched before, until there are so many; then any of them.
    NewEachTurn(usize),
}

/// How sizes lie around their median.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All on it.
    None,
    /// Log-normal, standard deviation of the logarithm 0.9.
    LogNormal,
}

/// Whose model works: it says which of its thoughts it encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Signs its reasoning.
    Claude,
    /// Encrypts it, and edits by `apply_patch`: its plans have the mix [`tool::PATCHING`].
    Gpt,
}

/// Sessions that an agent makes. The same plan makes the same acts, and session `n` of it is the same whatever is made beside it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What everything is drawn from.
    pub(crate) seed: u64,
    /// Sessions, without those of tasks.
    pub(crate) sessions: usize,
    /// Turns of each.
    pub(crate) turns: usize,
    /// Calls of each, spread evenly over its turns.
    pub(crate) calls: usize,
    /// Which tools are called.
    pub(crate) mix: Mix,
    /// Whose model calls them.
    pub(crate) family: Family,
    /// Median bytes of a file that is read, written or edited.
    pub(crate) file_bytes: usize,
    /// How sizes lie around their medians.
    pub(crate) spread: Spread,
    /// Which files are edited.
    pub(crate) touch: Touch,
    /// Median bytes of what a command prints.
    pub(crate) bash_bytes: usize,
    /// Bytes of each piece in which it comes.
    pub(crate) bash_chunk_bytes: usize,
    /// Median bytes of a page that is fetched.
    pub(crate) page_bytes: usize,
    /// Median bytes of what the model says in a step; it thinks twice as much.
    pub(crate) text_bytes: usize,
    /// Images that the person attaches in each session.
    pub(crate) images: usize,
    /// Median bytes of each, before they are base64.
    pub(crate) image_bytes: usize,
    /// Bytes of JSON of all messages and parts of a session on average. When given, files, pages, images and outputs are scaled
    /// to give them.
    pub(crate) session_bytes: Option<u64>,
    /// Sizes of the sessions in turn, in thousandths of `session_bytes`.
    pub(crate) sizes: &'static [u64],
    /// Bytes of file contents that the summary of one message, in the middle of the session, has beside the turn's own.
    pub(crate) large_summary_bytes: usize,
    /// How many of a thousand calls fail.
    pub(crate) failed_per_mille: u32,
    /// Calls of the session of each task; none: tasks have no sessions.
    pub(crate) child_calls: usize,
    /// Of so many calls that edit or run something one asks first; 0: none.
    pub(crate) permission_every: usize,
    /// Of so many turns one asks the person something; 0: none.
    pub(crate) question_every: usize,
    /// When the first session begins, ms since 1970.
    pub(crate) start_ms: i64,
    /// From one session's beginning to the next one's.
    pub(crate) session_every_ms: i64,
    /// From one call of a session to the next, where what the model says lets it.
    pub(crate) call_every_ms: i64,
    /// Pieces of text in a second.
    pub(crate) deltas_per_s: i64,
    /// The characters of all texts.
    pub(crate) width: Width,
    /// Whether each session is deleted at its end.
    pub(crate) deleted: bool,
}

impl Plan {
    /// One session of three megabytes: a hundred calls in seventeen turns.
    pub(crate) fn light(seed: u64) -> Plan {
        Plan {
            seed,
            sessions: 1,
            turns: 17,
            calls: 100,
            mix: tool::USUAL,
            family: Family::Claude,
            file_bytes: 18_000,
            spread: Spread::LogNormal,
            touch: Touch::Any(14),
            bash_bytes: 5_000,
            bash_chunk_bytes: 200,
            page_bytes: 20_000,
            text_bytes: 500,
            images: 0,
            image_bytes: 500_000,
            session_bytes: Some(3 * MB),
            sizes: EVEN,
            large_summary_bytes: 0,
            failed_per_mille: 40,
            child_calls: 0,
            permission_every: 6,
            question_every: 9,
            start_ms: START_MS,
            session_every_ms: 1_080_000,
            call_every_ms: 9_000,
            deltas_per_s: 40,
            width: Width::Ascii,
            deleted: false,
        }
    }

    /// Ten sessions of five to twenty megabytes, twelve on average: 120 calls in twenty turns, with three images.
    pub(crate) fn heavy(seed: u64) -> Plan {
        Plan {
            sessions: 10,
            turns: 20,
            calls: 120,
            file_bytes: 50_000,
            images: 3,
            session_bytes: Some(12 * MB),
            sizes: WIDE,
            ..Plan::light(seed)
        }
    }

    /// One session of ninety megabytes, as versions before any stripping have left them.
    pub(crate) fn legacy(seed: u64) -> Plan {
        Plan {
            turns: 60,
            calls: 500,
            file_bytes: 120_000,
            touch: Touch::Any(40),
            images: 6,
            session_bytes: Some(90 * MB),
            ..Plan::light(seed)
        }
    }

    /// Where the session `number` shall end up, bytes of JSON.
    pub(super) fn bytes_of(&self, number: usize) -> Option<u64> {
        self.session_bytes.map(|mean| mean * self.sizes[number % self.sizes.len()] / 1_000)
    }

    /// The plan of the session of a task.
    pub(super) fn of_child(&self) -> Plan {
        Plan {
            turns: 1,
            calls: self.child_calls,
            mix: tool::OF_CHILDREN,
            images: 0,
            session_bytes: None,
            large_summary_bytes: 0,
            child_calls: 0,
            question_every: 0,
            ..self.clone()
        }
    }

    /// Calls before a turn begins.
    pub(super) fn calls_before(&self, turn: usize) -> usize {
        self.calls * turn / self.turns.max(1)
    }

    /// Whether this plan's tasks have sessions.
    pub(super) fn has_child(&self, tool: Tool) -> bool {
        tool == Tool::Task && self.child_calls > 0
    }
}
