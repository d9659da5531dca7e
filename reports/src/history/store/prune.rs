//! Which runs a history need not keep for ever.

use std::collections::HashMap;

use super::connection::{Connection, Purpose, Value};
use super::error::{Failed, StoreError};
use super::{Store, read};
use crate::history::series::{RunMark, Selection};

/// What is kept. A run goes when it is beyond every rule that is given; without a rule none goes. Runs of a tag, which are
/// releases, always stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// Only runs of this branch may go. Those of all, when absent.
    pub branch: Option<String>,
    /// Rule: the last so many runs of each branch stay.
    pub last: Option<usize>,
    /// Rule: what is not older than this stays, by the time of the commit, else of the run.
    pub since: Option<jiff::Timestamp>,
}

/// What went, or would go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pruned {
    /// The runs, oldest first. The index of their environment says nothing.
    pub gone: Vec<RunMark>,
    /// How many stay.
    pub kept: usize,
    /// How many of those stay for their tag alone.
    pub releases: usize,
}

impl Store {
    /// Removes what need not be kept, at once or not at all. A dry run says what would go.
    ///
    /// A file does not become smaller: its free room is used by what is added next.
    pub fn prune(&mut self, keep: &Keep, dry_run: bool) -> Result<Pruned, StoreError> {
        let purpose = if dry_run { Purpose::Read } else { Purpose::Write };
        let what = if dry_run { "read" } else { "prune" };
        self.attempt(what, |connection, _| {
            connection.within(purpose, |connection| {
                let runs = read::runs(connection, &Selection::default())?.alone().runs;
                let pruned = choose(runs, keep);
                if !dry_run {
                    remove(connection, &pruned.gone)?;
                }
                Ok(pruned)
            })
        })
    }
}

fn choose(runs: Vec<RunMark>, keep: &Keep) -> Pruned {
    let mut seen: HashMap<Option<String>, usize> = HashMap::new();
    let mut pruned = Pruned::default();
    for run in runs.into_iter().rev() {
        let later = seen.entry(run.change.branch.clone()).or_default();
        let is_among_last = keep.last.map(|last| *later < last);
        *later += 1;
        let is_new = keep.since.map(|since| run.moment().is_none_or(|moment| moment >= since));
        let rules = [is_among_last, is_new];
        let may_go = keep.branch.is_none() || run.change.branch == keep.branch;
        let is_kept = !may_go || rules.iter().all(Option::is_none) || rules.contains(&Some(true));
        if !is_kept && run.tag.is_none() {
            pruned.gone.push(run);
        } else {
            pruned.kept += 1;
            pruned.releases += usize::from(!is_kept);
        }
    }
    pruned.gone.reverse();
    pruned
}

fn remove(connection: &mut Connection, gone: &[RunMark]) -> Result<(), Failed> {
    for run in gone {
        connection.execute("DELETE FROM highwater_runs WHERE id = $1", &[Value::Text(&run.id)])?;
    }
    if !gone.is_empty() {
        let orphans = "NOT IN (SELECT number FROM highwater_runs)";
        connection.batch(&format!("DELETE FROM highwater_entries WHERE run {orphans}"))?;
        connection.batch(&format!("DELETE FROM highwater_figures WHERE run {orphans}"))?;
    }
    Ok(())
}
