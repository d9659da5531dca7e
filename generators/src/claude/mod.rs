//! Claude Code: `projects/<slug>/<uuid>.jsonl` and `<uuid>/subagents/**/agent-*.jsonl`.

mod file;
mod line;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::answer::{Request, Session, State};
use crate::claude::file::{File, cache_write};
use crate::dice::Dice;
use crate::manifest::Tokens;
use crate::plan::{Quirk, ROOTS};
use crate::size::Size;
use crate::text::{Measure, Preview};
use crate::write::{Desk, Facts};

/// A session to write.
#[derive(Clone, Debug)]
pub(crate) struct Claude {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The project's directory: its working directory with every other character a dash.
    pub(crate) directory: String,
    pub(crate) cwd: String,
    pub(crate) stem: String,
    /// Requests in the main file; a session without one has only subagents.
    pub(crate) requests: u64,
    /// Paths of subagent files below `subagents`, in order.
    pub(crate) subagents: Vec<String>,
    /// Bytes of each of them, about; none when they are as long as their steps make them.
    pub(crate) subagent_bytes: Vec<u64>,
    /// How long the (main) file is.
    pub(crate) size: Size,
    pub(crate) images: u64,
    /// The session whose first requests this one copies: its path and how many.
    pub(crate) resumes: Option<(String, u64)>,
    pub(crate) quirks: BTreeSet<Quirk>,
}

/// What breaks readers in subagents' files too, and not in the main file only.
const EVERYWHERE: [Quirk; 4] = [Quirk::Gateway, Quirk::OutOfOrder, Quirk::ResultFirst, Quirk::Rewritten];

/// Usage of a response, the largest seen.
type Usage = BTreeMap<(String, String), (u64, u64)>;

/// What a reader of a session knows while it reads on.
pub(crate) struct Reading {
    pub(crate) session: Session,
    /// Whether the last request is still open.
    open: bool,
    /// Whether what is written is a copy of another session's beginning: its responses were counted there.
    copies: bool,
    opened: BTreeSet<String>,
    usage: Usage,
    facts: Facts,
    usage_ids: BTreeSet<(String, String)>,
}

/// What an assistant's line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) text: Option<Measure>,
    pub(crate) tool: Option<&'static str>,
    pub(crate) model: Option<&'static str>,
    pub(crate) error: bool,
    /// Message id and request id.
    pub(crate) response: Option<(String, String)>,
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

impl Reading {
    fn new(session: Session) -> Self {
        let (opened, usage, usage_ids) = (BTreeSet::new(), Usage::new(), BTreeSet::new());
        Reading { session, open: false, copies: false, opened, usage, facts: Facts::default(), usage_ids }
    }

    /// A new file: the open request is closed.
    fn begin_file(&mut self) {
        self.open = false;
    }

    /// What the file that ends here held.
    fn end_file(&mut self, quirks: BTreeSet<&'static str>) -> Facts {
        let usage_ids = std::mem::take(&mut self.usage_ids).len() as u64;
        Facts { usage_ids, quirks, ..std::mem::take(&mut self.facts) }
    }

    /// A user's prompt: opens a request unless its line was seen before.
    pub(crate) fn prompt(&mut self, uuid: &str, timestamp: u64, texts: &[Measure], preview: Preview) {
        if !uuid.is_empty() && !self.opened.insert(uuid.to_owned()) {
            return;
        }
        let mut request = Request { id: uuid.to_owned(), timestamp, ..Request::default() };
        request.say(&Measure::joined(texts), preview);
        self.session.requests.push(request);
        self.facts.requests += 1;
        self.open = true;
    }

    fn open(&mut self) -> Option<&mut Request> {
        if self.open { self.session.requests.last_mut() } else { None }
    }

    /// Images in a user's line.
    pub(crate) fn images(&mut self, count: u64) {
        if let Some(request) = self.open() {
            request.images += count;
        }
    }

    /// The user stopped the request.
    pub(crate) fn interrupt(&mut self) {
        if let Some(request) = self.open() {
            request.state = State::Cancelled;
        }
    }

    /// A response has ended: its tokens, counted once however many lines told them.
    pub(crate) fn response(&mut self, input: u64, cached: u64, output: u64) {
        if self.copies {
            return;
        }
        self.facts.tokens += Tokens {
            responses: 1,
            input,
            cache_read: cached,
            cache_write: cache_write(cached),
            output,
            reasoning: 0,
        };
    }

    /// A line that a reader skips and counts.
    pub(crate) fn skip(&mut self) {
        self.facts.skipped_lines += 1;
    }

    /// An assistant's line.
    pub(crate) fn assistant(&mut self, said: &Said) {
        let mut usage = (said.prompt, said.completion);
        if let Some(response) = &said.response {
            self.usage_ids.insert(response.clone());
        }
        if !self.open {
            return;
        }
        if let Some(response) = &said.response {
            let largest = self.usage.entry(response.clone()).or_default();
            usage = (usage.0.saturating_sub(largest.0), usage.1.saturating_sub(largest.1));
            *largest = (largest.0 + usage.0, largest.1 + usage.1);
        }
        self.facts.prompt += usage.0;
        self.facts.completion += usage.1;
        let Some(request) = self.open() else { return };
        request.prompt += usage.0;
        request.completion += usage.1;
        if let Some(text) = &said.text {
            request.respond(text);
        }
        if let Some(tool) = said.tool {
            request.call(tool);
        }
        if let Some(model) = said.model {
            request.model = model;
        }
        request.state = match request.state {
            State::Cancelled => State::Cancelled,
            _ if said.error => State::Errored,
            State::Errored => State::Errored,
            _ => State::Complete,
        };
    }
}

impl Claude {
    fn workspace(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.directory)
    }

    /// Whether the session has a main file. One that nobody ever prompted has one when it was counted as a file.
    pub(crate) fn has_main(&self) -> bool {
        self.requests > 0 || matches!(self.size, Size::About(bytes) if bytes > 0)
    }

    /// The main file, or the directory of a session without one.
    pub(crate) fn path(&self) -> String {
        let extension = if self.has_main() { ".jsonl" } else { "" };
        format!("{}/{}{extension}", self.workspace(), self.stem)
    }

    /// Writes the session's files.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let mut reading = Reading::new(Session {
            id: self.stem.clone(),
            harness: ROOTS[self.root].1,
            workspace: self.workspace(),
            name: Preview::of(self.cwd.rsplit('/').next().unwrap_or_default(), 128),
            ..Session::default()
        });
        if self.has_main() {
            self.write_main(desk, &mut reading)?;
        }
        for (i, path) in self.subagents.iter().enumerate() {
            let size = self.subagent_bytes.get(i).map_or(Size::Free, |bytes| Size::About(*bytes));
            self.write_subagent(desk, &mut reading, path, size)?;
        }
        let session = &mut reading.session;
        session.created = session.requests.first().map_or(0, |request| request.timestamp);
        session.last = session.requests.last().map_or(0, |request| request.timestamp);
        desk.deliver(self.root, &self.stem, self.path(), session);
        Ok(())
    }

    fn write_main(&self, desk: &mut Desk<'_>, reading: &mut Reading) -> io::Result<()> {
        let path = self.path();
        let page = desk.open(&path)?;
        reading.begin_file();
        let dice = Dice::new(desk.spec, self.resumes.as_ref().map_or(&path, |resumed| &resumed.0));
        let mut file = File::new(self, None, page, desk.pool, dice, reading);
        file.titles()?;
        for index in 0..self.requests {
            file.reading.copies = self.resumes.as_ref().is_some_and(|resumed| index < resumed.1);
            if self.resumes.as_ref().is_some_and(|resumed| resumed.1 == index) {
                file.dice = Dice::new(desk.spec, &path);
            }
            file.request(index)?;
        }
        if self.requests == 0 {
            file.only_noise()?;
        }
        file.quirks()?;
        let page = file.page;
        let quirks = self.quirks.iter().map(|quirk| quirk.name()).collect();
        let facts = Facts { sessions: 1, ..reading.end_file(quirks) };
        desk.close(page, path, facts)
    }

    fn write_subagent(
        &self,
        desk: &mut Desk<'_>,
        reading: &mut Reading,
        below: &str,
        size: Size,
    ) -> io::Result<()> {
        let path = format!("{}/{}/subagents/{below}", self.workspace(), self.stem);
        let agent = below
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_start_matches("agent-")
            .trim_end_matches(".jsonl");
        let page = desk.open(&path)?;
        reading.begin_file();
        let dice = Dice::new(desk.spec, &path);
        let mut file = File::new(self, Some(agent), page, desk.pool, dice, reading);
        (file.size, file.requests) = (size, 1);
        file.request(0)?;
        let page = file.page;
        let everywhere = |quirk: &&Quirk| EVERYWHERE.contains(quirk);
        let quirks = self.quirks.iter().filter(everywhere).map(|quirk| quirk.name()).collect();
        let facts = reading.end_file(quirks);
        desk.close(page, path.clone(), facts)?;
        let meta = format!(
            "{{\"agentType\":\"general-purpose\",\"description\":\"Look into it\",\"toolUseId\":\"toolu_{agent}\",\"spawnDepth\":1}}"
        );
        desk.write_small(path.replace(".jsonl", ".meta.json"), &meta, "document")
    }
}
