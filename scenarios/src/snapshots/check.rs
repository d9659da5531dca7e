//! Scenarios that look for defects: small histories that change, and what the daemon makes of them.

mod edit;
mod evicted;
mod kept;
mod replay;

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use engine::snapshots::Strategy;
use engine::snapshots::snapshot::Key;

use super::bench::Bench;
use super::{Account, Drive, Task};
use crate::answer::Defect;

/// One defect: how it is looked for. The result says how it shows; none when it does not.
struct Check {
    name: &'static str,
    find: fn(Strategy) -> Result<Option<String>, String>,
}

/// Looks for every defect of a scenario, each on histories of its own.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let checks: &[Check] = match task.drive {
        Drive::Oversize => kept::OVERSIZE,
        Drive::Limits => kept::LIMITS,
        Drive::Snippet => kept::SNIPPET,
        Drive::Isolation => kept::ISOLATION,
        Drive::Touch => evicted::TOUCH,
        _ => replay::REPLAY,
    };
    let mut account = Account::default();
    for check in checks {
        let found = (check.find)(task.strategy).map_err(|error| format!("{}: {error}", check.name))?;
        account.defects.push(Defect { name: check.name.to_owned(), found });
    }
    Ok(account)
}

/// How two things differ, if they do.
fn unless_equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Option<String> {
    (found != wanted).then(|| format!("{what}: {found:?}, not {wanted:?}"))
}

/// How many events of a session can be had; none where the session cannot.
fn events_of(bench: &mut Bench, key: &Key) -> Result<Option<u64>, String> {
    Ok(bench.fetch(key)?.map(|snapshot| snapshot.events.len() as u64))
}

/// The key of the session with an id.
fn key_of(bench: &Bench, id: &str) -> Result<Key, String> {
    let keys = bench.keys();
    keys.into_iter().find(|key| &*key.id == id).ok_or_else(|| format!("there is no session {id}"))
}

/// Gives a file the time of the daemon's clock, as if its tool had written it then.
fn set_time(path: &Path, now: i64) -> Result<(), String> {
    let time = UNIX_EPOCH + Duration::from_millis(now.cast_unsigned());
    let file = fs::OpenOptions::new().append(true).open(path);
    file.and_then(|file| file.set_modified(time))
        .map_err(|error| format!("failed to set the time of {}: {error}", path.display()))
}
