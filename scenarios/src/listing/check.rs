//! Scenarios that look for defects: by small homes that change, by each container, and by requests that race.

mod orphans;
mod race;
mod stale;

use engine::listing::Strategy;

use super::{Account, Drive, Task};
use crate::answer::Defect;

/// One defect: how it is looked for. The result says how it shows; none when it does not.
struct Check {
    name: &'static str,
    find: fn(Strategy) -> Result<Option<String>, String>,
}

/// Looks for every defect of a scenario, each on a home of its own.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let checks: &[Check] = match task.drive {
        Drive::Orphans => orphans::ORPHANS,
        Drive::Race => race::RACE,
        _ => stale::STALE,
    };
    // Most of them wait most of the time until files count as being at rest.
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> =
            checks.iter().map(|check| scope.spawn(|| (check.find)(task.strategy))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("it ended in a panic".to_owned()))
        };
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    let mut account = Account::default();
    for (check, found) in checks.iter().zip(found) {
        let found = found.map_err(|error| format!("{}: {error}", check.name))?;
        account.defects.push(Defect { name: check.name.to_owned(), found });
    }
    Ok(account)
}

/// How two things differ, if they do.
fn unless_equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Option<String> {
    (found != wanted).then(|| format!("{what}: {found:?}, not {wanted:?}"))
}
