//! Session histories of an exact shape, in the formats of three tools, and what a reader must find in them.
//!
//! Nothing here knows the engine: what is written, and what must be read, is said by the writer alone.

mod digest;
mod line;
pub(crate) mod pool;

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) use digest::{Digester, Said};
use line::Telling;

/// The tool whose files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Provider {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
}

impl Provider {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Provider::Claude => "claude",
            Provider::Codex => "codex",
            Provider::Gemini => "gemini",
        }
    }
}

/// How long texts are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Texts {
    /// A mix as in real sessions: short prompts and calls, long results, and a few that are several times as long; their mean.
    Realistic {
        /// Bytes of a text on average.
        mean_bytes: usize,
    },
    /// All of one length; said by person and model in turn.
    Fixed {
        /// Characters of ASCII.
        chars: usize,
    },
}

/// A history.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Sessions.
    pub(crate) sessions: usize,
    /// Events of each session.
    pub(crate) events: usize,
    /// Their texts.
    pub(crate) texts: Texts,
    /// Their tools, in turn.
    pub(crate) providers: &'static [Provider],
    /// What everything is drawn from.
    pub(crate) seed: u64,
}

/// A history that was written.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// Its sessions, in the order in which they were written.
    pub(crate) sessions: Vec<Written>,
    /// Bytes of its files.
    pub(crate) bytes: u64,
}

impl History {
    /// Digest of everything that must be read.
    pub(crate) fn digest(&self) -> String {
        Digester::of(&self.sessions)
    }

    /// Events of all sessions.
    pub(crate) fn events(&self) -> u64 {
        self.sessions.iter().map(|session| session.events.len() as u64).sum()
    }

    /// Commands that were typed into the chats.
    pub(crate) fn commands(&self) -> u64 {
        self.sessions.iter().map(|session| session.commands).sum()
    }
}

/// A session that was written, and that can go on.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Its tool.
    pub(crate) provider: Provider,
    /// The id that its tool gave it.
    pub(crate) id: String,
    /// Its file, below home.
    pub(crate) path: String,
    /// The first text of all.
    pub(crate) first: String,
    /// What must be read of it, in order.
    pub(crate) events: Vec<Said>,
    /// Commands that were typed into it.
    pub(crate) commands: u64,
    texts: Texts,
    dice: ChaCha8Rng,
    /// The call that waits for its result.
    call: Option<String>,
    /// The record before.
    parent: Option<String>,
    /// Seconds from the first event of any session to this one's.
    start: u64,
}

/// Writes a history below a home directory.
pub(crate) fn write(home: &Path, shape: &Shape) -> io::Result<History> {
    let mut history = History { sessions: Vec::new(), bytes: 0 };
    for number in 0..shape.sessions {
        let mut session = Written::new(shape, number);
        let text = session.begin(shape.events);
        let path = home.join(&session.path);
        fs::create_dir_all(path.parent().unwrap_or(home))?;
        let mut file = BufWriter::new(fs::File::create(&path)?);
        file.write_all(text.as_bytes())?;
        file.flush()?;
        history.bytes += text.len() as u64;
        history.sessions.push(session);
    }
    Ok(history)
}

/// Of so many messages of a person one holds a command for the daemon.
const COMMAND_EVERY: u32 = 40;

/// What ends a Gemini document.
const END: &str = "\n]}\n";

/// The lines that one event more adds to a session's file. A Gemini document does not grow at its end: see [`grown`].
pub(crate) fn next_lines(session: &mut Written) -> String {
    let mut text = String::new();
    session.event(&mut text);
    text
}

/// A session's file with one event more.
pub(crate) fn grown(mut file: String, session: &mut Written) -> String {
    let message = next_lines(session);
    if session.provider != Provider::Gemini {
        return file + &message;
    }
    file.truncate(file.strip_suffix(END).unwrap_or(&file).len());
    file + if session.events.len() > 1 { ",\n" } else { "" } + message.trim_end() + END
}

impl Written {
    fn new(shape: &Shape, number: usize) -> Written {
        let mut dice = ChaCha8Rng::seed_from_u64(shape.seed);
        dice.set_stream(number as u64);
        let provider = shape.providers[number % shape.providers.len()];
        let id = uuid(&mut dice);
        let path = match provider {
            Provider::Claude => format!(".claude/projects/-home-dev-project-{}/{id}.jsonl", number % 7),
            Provider::Codex => format!(".codex/sessions/2026/01/05/rollout-2026-01-05T08-00-00-{id}.jsonl"),
            Provider::Gemini => {
                format!(".gemini/tmp/3f9a2c/chats/session-2026-01-05T08-00-{}.json", &id[..8])
            }
        };
        Written {
            provider,
            id,
            path,
            first: String::new(),
            events: Vec::new(),
            commands: 0,
            texts: shape.texts,
            dice,
            call: None,
            parent: None,
            start: number as u64 % 3600,
        }
    }

    /// The session's file with its first events.
    fn begin(&mut self, events: usize) -> String {
        let mut text = String::new();
        line::head(self.provider, &self.id, self.start, &mut text);
        for number in 0..events {
            if self.provider == Provider::Gemini && number > 0 {
                text.push_str(",\n");
            }
            self.event(&mut text);
        }
        if self.provider == Provider::Gemini {
            text.push_str(END);
        }
        text
    }

    /// Adds the next event, in the words of its tool.
    fn event(&mut self, text: &mut String) {
        let kind = self.next_kind();
        let said = self.text(kind);
        if self.events.is_empty() {
            self.first.clone_from(&said);
        }
        let uuid = uuid(&mut self.dice);
        let call = match kind {
            "tool.call" => self.call.insert(format!("toolu_{}", &uuid[..8])).clone(),
            "tool.result" => self.call.take().unwrap_or_default(),
            _ => String::new(),
        };
        let telling = Telling {
            session: &self.id,
            kind,
            text: &said,
            uuid: &uuid,
            parent: self.parent.as_deref(),
            call: &call,
            seconds: self.start + self.events.len() as u64,
        };
        let read = line::write(self.provider, &telling, text);
        self.events.push(Said::of(kind, &read));
        self.parent = Some(uuid);
    }

    fn next_kind(&mut self) -> &'static str {
        if self.events.is_empty() {
            return "message.user";
        }
        if let Texts::Fixed { .. } = self.texts {
            return if self.events.len().is_multiple_of(2) { "message.user" } else { "message.assistant" };
        }
        if self.call.is_some() {
            return "tool.result";
        }
        match self.dice.random_range(0..100) {
            0..12 => "message.user",
            12..47 => "message.assistant",
            47..60 => "thinking",
            // A Gemini message has its call and its result together: that is two events.
            _ if self.provider == Provider::Gemini => "message.assistant",
            _ => "tool.call",
        }
    }

    fn text(&mut self, kind: &str) -> String {
        let mean_bytes = match self.texts {
            Texts::Fixed { chars } => return pool::plain(&mut self.dice, chars),
            Texts::Realistic { mean_bytes } => mean_bytes,
        };
        let bytes = pool::length(kind, mean_bytes, &mut self.dice);
        // No two texts of a session are equal, as hardly any two that people and models write are.
        let mut text = format!("{} {}", self.events.len() + 1, pool::text(&mut self.dice, bytes));
        if kind == "message.user" && self.dice.random_range(0..COMMAND_EVERY) == 0 {
            text += "\n::capture on";
            self.commands += 1;
        }
        text
    }
}

/// An id in the form of a UUID.
fn uuid(dice: &mut impl Rng) -> String {
    let value: u128 = dice.random();
    let hex = format!("{value:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests;
