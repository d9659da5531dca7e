//! What is put in place before each sample: sessions that were written once, and copied.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use engine::view::Strategy;
use harness::record;
use harness::subject::Sample;

use super::agent::{Plan, Written, write_database, write_tree};
use super::bench::{DATABASE, in_words};
use super::{Account, Drive, Task, load, switch};
use crate::answer::Answer;
use crate::runner::{self, CaseRun, Ready, Runner};
use crate::scratch::{Scratch, Tree};

/// The sessions that a drive finds, and in which layout.
enum Stored {
    Database(Plan),
    Tree(Plan),
}

impl Stored {
    fn of(drive: Drive, seed: u64) -> Option<Stored> {
        Some(match drive {
            Drive::Switch => Stored::Database(switch::ten_sessions(seed)),
            Drive::Revisit => Stored::Database(switch::two_sessions(seed)),
            Drive::Hundred => Stored::Database(switch::hundred_sessions(seed)),
            Drive::Window => Stored::Database(load::many_turns(seed)),
            Drive::GiantTurn => Stored::Database(load::giant_turn(seed)),
            Drive::Paging => Stored::Database(load::many_messages(seed)),
            Drive::Minutes => Stored::Database(load::older(seed)),
            Drive::Legacy => Stored::Tree(load::legacy(seed)),
            _ => return None,
        })
    }

    fn write(&self, home: &Path) -> Result<Written, String> {
        match self {
            Stored::Database(plan) => write_database(&home.join(DATABASE), plan),
            Stored::Tree(plan) => write_tree(home, plan),
        }
        .map_err(in_words)
    }
}

/// Sessions that were written.
pub(crate) struct Kept {
    scratch: Scratch,
    written: Written,
}

/// What a sample must answer, and what is said of it.
pub(crate) struct Wanted {
    /// Messages of the first session.
    messages: Option<u64>,
    corpus: record::Corpus,
}

impl Runner<'_> {
    /// What a case needs for its next sample.
    pub(crate) fn ready_to_view(
        &mut self,
        case: &str,
        drive: Drive,
        strategy: Strategy,
    ) -> Result<Ready, String> {
        let seed = self.input.corpus.seed;
        let scratch = self.scratch(case)?;
        let home = scratch.home();
        let about = |error: std::io::Error| format!("failed to furnish {}: {error}", home.display());
        let profile = format!("view-{drive:?}").to_lowercase();
        let mut corpus = record::Corpus { profile, scale: 1.0, seed, ..record::Corpus::default() };
        let mut messages = None;
        match Stored::of(drive, seed) {
            Some(stored) => {
                let kept = self.kept_sessions(drive, seed, &stored)?;
                match stored {
                    // It is written to: a copy.
                    Stored::Database(_) => {
                        fs::create_dir_all(&home).map_err(about)?;
                        let from = kept.scratch.home().join(DATABASE);
                        fs::copy(from, home.join(DATABASE)).map(drop).map_err(about)?;
                    }
                    // Its files are replaced, never written to: links.
                    Stored::Tree(_) => {
                        let from = kept.scratch.home();
                        Tree::of(&from).and_then(|tree| tree.link(&from, &home)).map_err(about)?;
                    }
                }
                let sessions = &kept.written.sessions;
                let digests: String = sessions.iter().map(|session| session.digest.as_str()).collect();
                corpus.digest = blake3::hash(digests.as_bytes()).to_hex().to_string();
                (corpus.bytes, corpus.sessions) = (kept.written.bytes, sessions.len() as u64);
                messages = sessions.first().map(|session| session.messages as u64);
            }
            None => fs::create_dir_all(&home).map_err(about)?,
        }
        let task = Task { drive, strategy, seed, browser: self.options.browser };
        Ok(Ready { scratch, task: task.into(), wanted: runner::Wanted::View(Wanted { messages, corpus }) })
    }

    /// Sessions that are written once.
    fn kept_sessions(&mut self, drive: Drive, seed: u64, stored: &Stored) -> Result<Rc<Kept>, String> {
        let key = format!("{drive:?} {seed}");
        if let Some(kept) = self.views.get(&key) {
            return Ok(Rc::clone(kept));
        }
        let scratch = self.scratch("sessions")?;
        let home = scratch.home();
        fs::create_dir_all(&home).map_err(|error| format!("failed to make {}: {error}", home.display()))?;
        let written = stored.write(&home)?;
        let kept = Rc::new(Kept { scratch, written });
        self.views.insert(key, Rc::clone(&kept));
        Ok(kept)
    }

    /// Checks what a sample answered.
    pub(crate) fn check_view(&self, wanted: &Wanted, answer: &Answer) -> Result<(), String> {
        match (account(answer)?.messages, wanted.messages) {
            (Some(seen), Some(written)) if seen != written => {
                Err(format!("{seen} messages were seen, and {written} were written"))
            }
            _ => Ok(()),
        }
    }

    /// Adds a sample whose answer is right to its case.
    pub(crate) fn take_in_view(
        &self,
        wanted: &Wanted,
        sample: Sample,
        answer: &Answer,
        case: &mut CaseRun,
    ) -> Result<(), String> {
        let account = account(answer)?;
        case.add_defects(&account.defects);
        case.note_once(&account.notes);
        case.corpus = Some(wanted.corpus.clone());
        case.samples.push(sample);
        Ok(())
    }
}

fn account(answer: &Answer) -> Result<&Account, String> {
    match (&answer.error, &answer.view) {
        (Some(error), _) => Err(error.clone()),
        (None, Some(account)) => Ok(account),
        (None, None) => Err("the subject gave no answer".to_owned()),
    }
}
