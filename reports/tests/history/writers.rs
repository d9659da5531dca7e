//! Writers that are processes, of which one is killed.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use highwater_reports::history::entry::Entry;
use highwater_reports::history::series::{Selection, Timeline};
use highwater_reports::history::store::{Store, Target};

use crate::checks::exported;
use crate::made::entry;

/// Where a writer writes.
const STORE: &str = "HIGHWATER_TEST_STORE";
/// The number of its first record.
const FIRST: &str = "HIGHWATER_TEST_FIRST";
/// Records of each writer.
const RECORDS: u64 = 1000;
/// Records that both writers have.
const SHARED: u64 = 100;

/// Adds records, and prints the id of each once it is acknowledged.
#[test]
#[ignore = "a writer, started by the tests that kill it"]
fn a_writer() {
    let target: Target = std::env::var(STORE).unwrap().parse().unwrap();
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let mut store = Store::open(&target).unwrap();
    for n in first..first + RECORDS {
        let entry = entry(n);
        store.add(&entry).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {}", entry.id).unwrap();
        out.flush().unwrap();
    }
}

fn writer(store: &str, first: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "writers::a_writer", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(STORE, store).env(FIRST, first.to_string()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().unwrap()
}

/// Reads the acknowledgements of a writer, and kills it after so many. A line that the kill has cut off acknowledges nothing.
fn acknowledged(mut child: Child, kill_after: Option<usize>) -> Vec<String> {
    let mut found = Vec::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let id = line.rsplit_once("acknowledged ").map(|(_, id)| id.to_owned());
        found.extend(id.filter(|id| id.len() == 32));
        if kill_after == Some(found.len()) {
            child.kill().unwrap();
        }
    }
    assert_eq!(child.wait().unwrap().success(), kill_after.is_none());
    found
}

/// Two writers of which one is killed at a moment that nobody chose: nothing is torn, nothing is there twice, nothing that was
/// acknowledged is lost; and the killed one can begin again.
pub(crate) fn killed(store: &str) {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let after = 1 + nanos as usize / 7 % (RECORDS as usize - 100);
    println!("one is killed after {after} records");
    let second = RECORDS - SHARED;
    let (first, other) = (writer(store, 0), writer(store, second));
    let (mut kept, others) = std::thread::scope(|scope| {
        let first = scope.spawn(|| acknowledged(first, Some(after)));
        let other = scope.spawn(|| acknowledged(other, None));
        (first.join().unwrap(), other.join().unwrap())
    });
    assert!(kept.len() >= after && others.len() == RECORDS as usize, "{} {}", kept.len(), others.len());
    kept.extend(others);
    let target: Target = store.parse().unwrap();
    let ids = whole(&target);
    assert!(kept.iter().all(|id| ids.contains(id)), "what was acknowledged is there");
    // At most the one that was being added when the kill came is there besides.
    let kept: HashSet<String> = kept.into_iter().collect();
    assert!(ids.len() - kept.len() <= 1, "{} {}", ids.len(), kept.len());
    assert_eq!(acknowledged(writer(store, 0), None).len(), RECORDS as usize);
    assert_eq!(whole(&target).len() as u64, 2 * RECORDS - SHARED);
}

/// The ids of all runs, each of which is whole and there once.
fn whole(target: &Target) -> HashSet<String> {
    let mut store = Store::open_existing(target).unwrap();
    let text = exported(&mut store);
    let entries: Vec<Entry> = text.lines().map(|line| Entry::from_line(line).unwrap()).collect();
    let ids: HashSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
    assert_eq!(ids.len(), entries.len());
    let all = Selection::default();
    assert_eq!(store.timeline(&all).unwrap(), Timeline::of(&entries, &all));
    ids
}
