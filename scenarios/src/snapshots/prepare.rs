//! What is put in place before each sample: homes with histories, made once and linked, and the lines that a session will get.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use engine::snapshots::Strategy;
use engine::snapshots::strategy::Ingest;
use harness::record;
use harness::subject::Sample;

use super::{Account, Drive, Task, estimator, rest};
use crate::answer::Answer;
use crate::history::{self, Digester, Provider, Shape, Texts};
use crate::runner::{self, CaseRun, Ready, Runner};
use crate::scratch::{Scratch, Tree};

/// Sessions of the real daemon when the bug was reported, and events of each.
const SESSIONS: usize = 53;
const EVENTS: usize = 293;

/// Mean bytes of a text with which these sessions take the 30 MB that the real ones took.
const MEAN_BYTES: usize = 1_650;

/// Sessions, events of each, and mean bytes of a text with which half as much again as the budget comes in.
const MANY_SESSIONS: usize = 150;
const FEW_EVENTS: usize = 100;
const LONG_MEAN_BYTES: usize = 20_800;

/// Ticks of a day.
const DAY_TICKS: u32 = 24 * 60 * 60;
/// Ticks for which a daemon stays up at each size of a sweep.
const SWEEP_TICKS: u32 = 20;
/// Events of each session, where the sessions grow in number, and sessions, where their events do.
const SWEEP_EVENTS: usize = 5;
const SWEEP_SESSIONS: usize = 10;
/// Ticks from one event of the active session to the next.
const TICKS_PER_EVENT: u32 = 5;
/// Events that come in one by one where one session is followed from nothing.
const GROWN_EVENTS: u32 = 600;

/// Every tool whose files are read.
const ALL: &[Provider] = &[Provider::Claude, Provider::Codex, Provider::Gemini];

/// What a drive needs on disk.
struct Setting {
    /// Histories, and in which directory of the sample's home each lies.
    histories: Vec<(String, Shape)>,
    ticks: u32,
    /// Ticks from one event of the first session to the next; none where nothing happens.
    every: Option<u32>,
}

impl Setting {
    fn of(drive: Drive, size: Option<u64>, ticks: u32) -> Setting {
        let shape = |sessions, events, mean_bytes| Shape {
            sessions,
            events,
            texts: Texts::Realistic { mean_bytes },
            providers: ALL,
            seed: 1,
        };
        // Events of one size: what differs from size to size is then how many there are.
        let texts = Texts::Fixed { chars: 200 };
        let providers = &[Provider::Claude];
        let sweep = |sessions, events| Shape { sessions, events, texts, providers, seed: 1 };
        let one = |shape| vec![(String::new(), shape)];
        let real = || one(shape(SESSIONS, EVENTS, MEAN_BYTES));
        let setting = |histories, ticks, every| Setting { histories, ticks, every };
        let size = size.map_or(SESSIONS, |size| size as usize);
        match drive {
            Drive::Idle | Drive::Persistent => setting(real(), ticks, None),
            Drive::Day => setting(real(), DAY_TICKS, None),
            Drive::Active => setting(real(), ticks, Some(TICKS_PER_EVENT)),
            Drive::Growth => setting(one(shape(1, 1, 300)), GROWN_EVENTS, Some(1)),
            Drive::AmongSessions => {
                setting(one(sweep(size, SWEEP_EVENTS)), SWEEP_TICKS, Some(TICKS_PER_EVENT))
            }
            Drive::AmongEvents => {
                setting(one(sweep(SWEEP_SESSIONS, size)), SWEEP_TICKS, Some(TICKS_PER_EVENT))
            }
            Drive::Budget => setting(one(shape(MANY_SESSIONS, FEW_EVENTS, LONG_MEAN_BYTES)), 0, None),
            Drive::Estimator => setting(estimator::SIZES.map(|(chars, _)| of_size(chars)).to_vec(), 0, None),
            Drive::Oversize
            | Drive::Touch
            | Drive::Limits
            | Drive::Snippet
            | Drive::Replay
            | Drive::Isolation => setting(Vec::new(), 0, None),
        }
    }
}

/// A history of texts of one length, in a directory named after it.
fn of_size(chars: usize) -> (String, Shape) {
    let texts = Texts::Fixed { chars };
    let shape = Shape { sessions: SESSIONS, events: EVENTS, texts, providers: ALL, seed: 1 };
    (chars.to_string(), shape)
}

/// What a sample must answer, and what is said of it.
pub(crate) struct Wanted {
    digest: Option<String>,
    events: u64,
    commands: Option<u64>,
    corpus: record::Corpus,
    /// Whether a strategy may lose sessions, and then has no digest.
    may_lose: bool,
}

impl Runner<'_> {
    /// What a case needs for its next sample. `size` is that of a sweep: sessions, or events of a session.
    pub(crate) fn ready_to_snapshot(
        &mut self,
        case: &str,
        drive: Drive,
        strategy: Strategy,
        size: Option<u64>,
    ) -> Result<Ready, String> {
        let setting = Setting::of(drive, size, self.options.ticks);
        let scratch = self.scratch(case)?;
        let mut wanted = self.furnish_histories(drive, &setting, &scratch)?;
        wanted.may_lose = strategy.ingest == Ingest::Merge && drive == Drive::Budget;
        let task = Task { drive, strategy, ticks: setting.ticks };
        Ok(Ready { scratch, task: task.into(), wanted: runner::Wanted::Snapshots(wanted) })
    }

    fn furnish_histories(
        &mut self,
        drive: Drive,
        setting: &Setting,
        scratch: &Scratch,
    ) -> Result<Wanted, String> {
        let kept = self.kept_histories(&setting.histories)?;
        let (from, to) = (kept.scratch.home(), scratch.home());
        let about = |error: std::io::Error| format!("failed to link {}: {error}", from.display());
        let corpus = kept.in_record(&format!("snapshots-{drive:?}").to_lowercase());
        let events = kept.histories.iter().map(history::History::events).sum();
        let mut wanted = Wanted { digest: None, events, commands: None, corpus, may_lose: false };
        if setting.histories.is_empty() {
            fs::create_dir_all(&to).map_err(about)?;
            return Ok(wanted);
        }
        let digests: Vec<String> = kept.histories.iter().map(history::History::digest).collect();
        wanted.digest = Some(digests.join(" "));
        match (setting.every, kept.histories.first()) {
            (Some(every), Some(history)) => {
                Tree::of(&from).and_then(|tree| tree.link(&from, &to)).map_err(about)?;
                let lines = setting.ticks / every;
                let (digest, commands) = write_script(history, lines, every, scratch)?;
                wanted.events += u64::from(lines);
                (wanted.digest, wanted.commands) = (Some(digest), Some(commands));
            }
            (_, history) => {
                scratch.borrow_home(&from).map_err(about)?;
                let looks = matches!(drive, Drive::Idle | Drive::Persistent | Drive::Day);
                wanted.commands = history.filter(|_| looks).map(history::History::commands);
            }
        }
        Ok(wanted)
    }

    /// Checks what a sample answered.
    pub(crate) fn check_snapshots(&self, wanted: &Wanted, answer: &Answer) -> Result<(), String> {
        let account = account(answer)?;
        if account.digest != wanted.digest && !(wanted.may_lose && account.digest.is_none()) {
            return Err(format!(
                "{} events were delivered, and {} were written; they are not the same",
                account.events, wanted.events
            ));
        }
        match (account.commands, wanted.commands) {
            (Some(ran), Some(wanted)) if ran != wanted => {
                Err(format!("{ran} commands were run, and {wanted} were typed"))
            }
            _ => Ok(()),
        }
    }

    /// Adds a sample whose answer is right to its case.
    pub(crate) fn take_in_snapshots(
        &self,
        wanted: &Wanted,
        sample: Sample,
        answer: &Answer,
        case: &mut CaseRun,
    ) -> Result<(), String> {
        let account = account(answer)?;
        case.add_defects(&account.defects);
        case.corpus = Some(wanted.corpus.clone());
        case.samples.push(sample);
        Ok(())
    }
}

fn account(answer: &Answer) -> Result<&Account, String> {
    match (&answer.error, &answer.snapshots) {
        (Some(error), _) => Err(error.clone()),
        (None, Some(account)) => Ok(account),
        (None, None) => Err("the subject gave no answer".to_owned()),
    }
}

/// Gives a sample its own copy of the first session's file, and the lines that it will get; the digest and the commands of
/// everything then.
fn write_script(
    history: &history::History,
    lines: u32,
    every: u32,
    scratch: &Scratch,
) -> Result<(String, u64), String> {
    let mut sessions = history.sessions.clone();
    let active = sessions.first_mut().ok_or("a history without sessions has none that goes on")?;
    let file = scratch.home().join(&active.path);
    let path = scratch.root.join(rest::SCRIPT);
    let about = |error: std::io::Error| format!("failed to write {}: {error}", path.display());
    own_copy(&file).map_err(about)?;
    let mut script = BufWriter::new(fs::File::create(&path).map_err(about)?);
    writeln!(script, "{every} {}", active.path).map_err(about)?;
    for _ in 0..lines {
        script.write_all(history::next_lines(active).as_bytes()).map_err(about)?;
    }
    script.flush().map_err(about)?;
    let commands = sessions.iter().map(|session| session.commands).sum();
    Ok((Digester::of(&sessions), commands))
}

/// Puts a copy of a file in its place, where a link to a file of others may be.
fn own_copy(file: &Path) -> std::io::Result<()> {
    let bytes = fs::read(file)?;
    fs::remove_file(file)?;
    fs::write(file, bytes)
}
