//! A session before it is told: its calls and their sizes, scaled so that the whole has the bytes that were asked for.

use rand::RngExt;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::plan::{Plan, Spread, Touch};
use super::tool::{Mix, Tool};

/// The most bytes of an output that tools give whole.
pub(super) const OUTPUT_CAP: usize = 50 * 1024;
/// The last characters of a command's output that its metadata keeps.
pub(super) const TAIL_CAP: usize = 30_000;
/// No file is larger: what is larger is not tracked.
const FILE_CAP: usize = 4 << 20;

/// Sixteen parts of a log-normal distribution with the median 1 and the deviation 0.9, in thousandths, each by its middle. Their mean
/// is 1.435.
const PARTS: [usize; 16] =
    [187, 305, 403, 497, 594, 696, 808, 932, 1073, 1238, 1436, 1684, 2011, 2482, 3275, 5346];

/// Draws each of the sixteen parts once before any comes again, so that short sessions have the mean, too.
#[derive(Debug)]
pub(super) struct Deck {
    parts: [usize; 16],
    at: usize,
    spread: Spread,
}

impl Deck {
    pub(super) fn new(spread: Spread) -> Deck {
        Deck { parts: PARTS, at: PARTS.len(), spread }
    }

    /// A size around a median.
    pub(super) fn size(&mut self, median: usize, dice: &mut ChaCha8Rng) -> usize {
        if self.at == self.parts.len() {
            self.parts.shuffle(dice);
            self.at = 0;
        }
        let part = self.parts[self.at];
        self.at += 1;
        median * if self.spread == Spread::None { 1_000 } else { part } / 1_000
    }
}

/// A call before it is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    pub(super) tool: Tool,
    /// Bytes of its output, where they are no file's.
    pub(super) output: usize,
    /// Its file, by number.
    pub(super) file: usize,
    /// Bytes of its image.
    pub(super) image: usize,
}

/// A session's calls, files and images.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) calls: Vec<Draft>,
    /// Bytes of each file; those of `write` stand after those that were there before.
    pub(super) files: Vec<usize>,
    /// Bytes of each image of the person.
    pub(super) images: Vec<usize>,
    /// Files that were there before.
    pub(super) old_files: usize,
}

/// Tools in the shares of a mix, as exactly as whole calls can have them, in any order.
fn shuffled(mix: Mix, calls: usize, dice: &mut ChaCha8Rng) -> Vec<Tool> {
    let total: usize = mix.iter().map(|(_, share)| share).sum();
    let mut tools = Vec::with_capacity(calls);
    let mut shares = 0;
    for (tool, share) in mix {
        shares += share;
        tools.resize((calls * shares + total / 2) / total.max(1), *tool);
    }
    tools.shuffle(dice);
    tools
}

impl Outline {
    /// Draws the outline of a session.
    pub(super) fn draw(plan: &Plan, number: usize, dice: &mut ChaCha8Rng) -> Outline {
        let (mut files, mut sizes) = (Deck::new(plan.spread), Deck::new(plan.spread));
        let old_files = match plan.touch {
            Touch::Any(files) | Touch::NewEachTurn(files) => files.max(1),
        };
        let mut outline = Outline { calls: Vec::new(), files: Vec::new(), images: Vec::new(), old_files };
        outline.files.extend((0..old_files).map(|_| files.size(plan.file_bytes, dice)));
        outline.images.extend((0..plan.images).map(|_| sizes.size(plan.image_bytes, dice)));
        let tools = shuffled(plan.mix, plan.calls, dice);
        let mut fresh = Fresh::default();
        for (at, tool) in tools.into_iter().enumerate() {
            let median = match tool {
                Tool::Bash => plan.bash_bytes,
                Tool::Webfetch => plan.page_bytes,
                _ => usual_output(tool),
            };
            let mut file = dice.random_range(0..old_files);
            if let (true, Touch::NewEachTurn(_)) = (tool.edits(), plan.touch) {
                file = fresh.file(turn_of(plan, at), old_files, file);
            }
            if tool == Tool::Write {
                file = outline.files.len();
                outline.files.push(files.size(plan.file_bytes, dice));
            }
            let image = if tool == Tool::McpScreenshot { plan.image_bytes / 4 } else { 0 };
            outline.calls.push(Draft { tool, output: sizes.size(median, dice), file, image });
        }
        if let Some(bytes) = plan.bytes_of(number) {
            outline.scale_to(bytes, plan);
        }
        outline
    }

    /// Scales what can be scaled, until the session has so many bytes of JSON.
    fn scale_to(&mut self, bytes: u64, plan: &Plan) {
        let (mut low, mut high) = (1, 1_000_000);
        while low < high {
            let middle = (low + high) / 2;
            if self.scaled(middle).json_bytes(plan) < bytes { low = middle + 1 } else { high = middle }
        }
        *self = self.scaled(low);
    }

    fn scaled(&self, thousandths: usize) -> Outline {
        let scale = |bytes: &usize| (*bytes * thousandths / 1_000).clamp(200, FILE_CAP);
        let call = |draft: &Draft| Draft {
            output: if draft.tool == Tool::Bash { scale(&draft.output) } else { draft.output },
            image: draft.image.min(scale(&draft.image)),
            ..*draft
        };
        Outline {
            calls: self.calls.iter().map(call).collect(),
            files: self.files.iter().map(scale).collect(),
            images: self.images.iter().map(|bytes| (*bytes).min(scale(bytes))).collect(),
            old_files: self.old_files,
        }
    }

    /// About how many bytes of JSON the session has.
    fn json_bytes(&self, plan: &Plan) -> u64 {
        let calls: usize = self.calls.iter().map(|draft| self.call_bytes(draft)).sum();
        let images: usize = self.images.iter().sum::<usize>() * 4 / 3;
        // What the contents of this turn's files, before and after, add to its message.
        let mut summaries = plan.large_summary_bytes;
        for turn in 0..plan.turns {
            let of_turn = &self.calls[plan.calls_before(turn)..plan.calls_before(turn + 1)];
            let mut touched: Vec<(usize, usize)> = of_turn
                .iter()
                .filter(|draft| draft.tool.edits() || draft.tool == Tool::Write)
                .map(|draft| (draft.file, if draft.tool == Tool::Write { 1 } else { 2 }))
                .collect();
            touched.sort_unstable();
            touched.dedup();
            summaries += touched.iter().map(|(file, copies)| self.files[*file] * copies).sum::<usize>();
        }
        let succeeded = calls * (1_000 - plan.failed_per_mille as usize) / 1_000;
        // Escapes take one byte of forty-three. A step has two calls, and a turn one step without.
        let escaped = (succeeded + summaries) * 44 / 43 + images;
        let steps = plan.calls / 2 + plan.turns;
        let said = steps * (plan.text_bytes * 3 + 2_600) + plan.turns * 1_800 + plan.calls * 650;
        (escaped + said) as u64
    }

    /// About how many bytes the payloads of a finished call have.
    fn call_bytes(&self, draft: &Draft) -> usize {
        let file = self.files[draft.file];
        match draft.tool {
            Tool::Read => 2 * file.min(OUTPUT_CAP) * 26 / 25 + 1_400,
            Tool::Edit | Tool::ApplyPatch => 2 * file + 2_500,
            Tool::Multiedit => 4 * file + 5_000,
            Tool::Write => 3 * file,
            Tool::Bash => draft.output.min(OUTPUT_CAP) + draft.output.min(TAIL_CAP),
            Tool::Task => draft.output + 2_000,
            Tool::Todowrite => 3 * draft.output,
            _ => draft.output.min(OUTPUT_CAP) + draft.image * 4 / 3,
        }
    }
}

/// The files of a session that edits a new one in each turn.
#[derive(Debug, Default)]
struct Fresh {
    /// Files that were edited.
    files: usize,
    /// The turn that has edited its new one, counted from one.
    turn: usize,
}

impl Fresh {
    /// The file that is edited next: in a turn a new one first, as long as there are any, and then those that were edited.
    fn file(&mut self, turn: usize, most: usize, drawn: usize) -> usize {
        if self.turn == turn + 1 || self.files == most {
            return drawn % self.files;
        }
        (self.turn, self.files) = (turn + 1, self.files + 1);
        self.files - 1
    }
}

/// The turn of a call.
fn turn_of(plan: &Plan, call: usize) -> usize {
    (0..plan.turns).rev().find(|turn| plan.calls_before(*turn) <= call).unwrap_or_default()
}

/// Median bytes of what a tool gives.
fn usual_output(tool: Tool) -> usize {
    match tool {
        Tool::Grep | Tool::CodebaseSearch => 3_000,
        Tool::Glob | Tool::List => 1_500,
        Tool::Todowrite | Tool::Todoread => 1_000,
        Tool::Websearch | Tool::Skill | Tool::McpIssues | Tool::McpDocs => 5_000,
        Tool::Codesearch => 12_000,
        Tool::Task | Tool::Batch | Tool::Lsp => 2_500,
        _ => 150,
    }
}
