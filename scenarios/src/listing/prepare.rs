//! What is put in place before each sample: homes with sessions, made once and linked.

use engine::listing::Strategy;
use engine::listing::strategy::Cache;
use harness::record;
use harness::subject::Sample;

use super::{Account, Drive, Task, bench, home, lists, pile_up, scale};
use crate::answer::Answer;
use crate::history::{Provider, Shape, Texts};
use crate::runner::{self, CaseRun, Kept, Ready, Runner};
use crate::scratch::{Scratch, Tree};

/// Sessions of the home on which the reports are about, lines of each, and mean bytes of a text with which they take the
/// 187 MB that the real ones took.
const SESSIONS: usize = 140;
const LINES: usize = 1_200;
const MEAN_BYTES: usize = 770;
/// Lines of a session where more than one list is made by strategies that read everything each time.
const FEW_LINES: usize = 100;
/// Lines of a session where clients press: as many as the list needs to take longer than they wait.
const PRESSED_LINES: usize = 293;
/// Lists in a row of a strategy that reads everything for each.
pub(super) const FEW_TICKS: u32 = 3;

/// What a drive needs on disk.
struct Setting {
    history: Option<Shape>,
    ticks: u32,
}

impl Setting {
    fn of(drive: Drive, strategy: &Strategy, ticks: u32) -> Setting {
        let providers = &[Provider::Claude];
        // Linking a file touches it: who links has files of its own, and those of the others stay at rest.
        let seed = if matches!(drive, Drive::Writes | Drive::Soak | Drive::PileUp) { 2 } else { 1 };
        let shape = |sessions, events, mean_bytes| {
            let texts = Texts::Realistic { mean_bytes };
            Some(Shape { sessions, events, texts, providers, seed })
        };
        let reads_all = matches!(strategy.cache, Cache::None | Cache::Sliding);
        let few = if reads_all { ticks.min(FEW_TICKS) } else { ticks };
        let (history, ticks) = match drive {
            Drive::Cold => (shape(SESSIONS, LINES, MEAN_BYTES), 0),
            Drive::Warm => (shape(SESSIONS, FEW_LINES, MEAN_BYTES), few),
            Drive::Writes => (shape(SESSIONS, FEW_LINES, MEAN_BYTES), few),
            // As many lines as are appended while the clients press.
            Drive::PileUp => (shape(SESSIONS, PRESSED_LINES, MEAN_BYTES), pile_up::TICKS),
            Drive::Supervised => (shape(SESSIONS, PRESSED_LINES, MEAN_BYTES), 0),
            Drive::Scale => (shape(scale::SESSIONS, 8, 200), 0),
            Drive::Soak => (shape(10, 100, MEAN_BYTES), ticks),
            _ => (None, ticks),
        };
        Setting { history, ticks }
    }
}

/// What a sample must answer, and what is said of it.
pub(crate) struct Wanted {
    listed: Option<String>,
    corpus: record::Corpus,
}

impl Runner<'_> {
    /// What a case needs for its next sample.
    pub(crate) fn ready_to_list(
        &mut self,
        case: &str,
        drive: Drive,
        strategy: Strategy,
    ) -> Result<Ready, String> {
        let setting = Setting::of(drive, &strategy, self.options.ticks);
        let scratch = self.scratch(case)?;
        let wanted = self.furnish_home(drive, &setting, &scratch)?;
        let task = Task { drive, strategy, ticks: setting.ticks };
        Ok(Ready { scratch, task: task.into(), wanted: runner::Wanted::Listing(wanted) })
    }

    fn furnish_home(&mut self, drive: Drive, setting: &Setting, scratch: &Scratch) -> Result<Wanted, String> {
        let histories: Vec<_> = setting.history.iter().map(|shape| (String::new(), shape.clone())).collect();
        let kept = self.kept_histories(&histories)?;
        let corpus = in_record(drive, &kept);
        let to = scratch.home();
        let Some(history) = kept.histories.first() else {
            std::fs::create_dir_all(&to)
                .map_err(|error| format!("failed to make {}: {error}", to.display()))?;
            return Ok(Wanted { listed: None, corpus });
        };
        let from = kept.scratch.home();
        let about = |error: std::io::Error| format!("failed to link {}: {error}", from.display());
        kept.date_once(|| home::date(&from, history).inspect(|()| bench::rest())).map_err(about)?;
        let newest_first = || history.sessions.iter().rev();
        let listed = match drive {
            Drive::Cold | Drive::Warm => Some(home::digest(newest_first())),
            Drive::Scale => Some(home::digest(newest_first().skip(scale::OFFSET).take(scale::LIMIT))),
            Drive::Supervised => None,
            _ => {
                Tree::of(&from).and_then(|tree| tree.link(&from, &to)).map_err(about)?;
                let listed = lists::write_script(history, setting.ticks, scratch)?;
                // While clients write, no list is the last one.
                let listed = Some(listed).filter(|_| drive == Drive::Writes);
                return Ok(Wanted { listed, corpus });
            }
        };
        scratch.borrow_home(&from).map_err(about)?;
        Ok(Wanted { listed, corpus })
    }

    /// Checks what a sample answered.
    pub(crate) fn check_listing(&self, wanted: &Wanted, answer: &Answer) -> Result<(), String> {
        let account = account(answer)?;
        if wanted.listed.is_some() && account.listed != wanted.listed {
            let Account { rows, .. } = account;
            return Err(format!("the last list, of {rows} rows, is not that of the home as it was written"));
        }
        Ok(())
    }

    /// Adds a sample whose answer is right to its case.
    pub(crate) fn take_in_listing(
        &self,
        wanted: &Wanted,
        sample: Sample,
        answer: &Answer,
        case: &mut CaseRun,
    ) -> Result<(), String> {
        case.add_defects(&account(answer)?.defects);
        case.corpus = Some(wanted.corpus.clone());
        case.samples.push(sample);
        Ok(())
    }
}

fn account(answer: &Answer) -> Result<&Account, String> {
    match (&answer.error, &answer.listing) {
        (Some(error), _) => Err(error.clone()),
        (None, Some(account)) => Ok(account),
        (None, None) => Err("the subject gave no answer".to_owned()),
    }
}

/// The home as records name it. It is made for the scenario, and no profile's.
fn in_record(drive: Drive, kept: &Kept) -> record::Corpus {
    kept.in_record(&format!("listing-{drive:?}").to_lowercase())
}
