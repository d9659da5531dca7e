//! What holds of every store, whichever database is behind it. Each check gets an empty one.

use std::thread;

use highwater_reports::history::entry::{Change, Entry, LineError};
use highwater_reports::history::series::{Selection, Timeline};
use highwater_reports::history::store::{Added, BadLine, Imported, Keep, Store, StoreError, Target};

use crate::made::{entry, lines, plain, sealed};

/// What is made of an empty history, and fails where it does not hold.
type Check = fn(&Target);

/// Every check, by its name.
pub(crate) const ALL: &[(&str, Check)] = &[
    ("a_run_comes_back_whole", a_run_comes_back_whole),
    ("a_run_is_kept_once", a_run_is_kept_once),
    ("runs_are_in_the_order_of_their_commits", runs_are_in_the_order_of_their_commits),
    ("series_are_those_of_the_entries", series_are_those_of_the_entries),
    ("a_run_is_found_by_the_beginning_of_its_id", a_run_is_found_by_the_beginning_of_its_id),
    ("what_cannot_be_read_again_is_refused", what_cannot_be_read_again_is_refused),
    ("an_export_is_an_import", an_export_is_an_import),
    ("bad_lines_are_named_and_the_rest_is_added", bad_lines_are_named_and_the_rest_is_added),
    ("pruning_keeps_what_it_is_told_to_and_releases", pruning_keeps_what_it_is_told_to_and_releases),
    ("pruned_runs_leave_nothing", pruned_runs_leave_nothing),
    ("many_writers_at_once_keep_each_run_once", many_writers_at_once_keep_each_run_once),
    ("an_older_schema_becomes_the_newest", an_older_schema_becomes_the_newest),
    ("a_migration_that_fails_changes_nothing", a_migration_that_fails_changes_nothing),
    ("a_newer_schema_is_refused", a_newer_schema_is_refused),
];

fn filled(target: &Target, count: u64) -> (Store, Vec<Entry>) {
    let mut store = Store::open(target).unwrap();
    let mut entries: Vec<Entry> = (0..count).map(entry).collect();
    // Written backwards: the order of adding is no order of the history.
    for entry in entries.iter().rev() {
        assert_eq!(store.add(entry).unwrap(), Added::New);
    }
    entries.sort_by_key(|entry| (entry.order(), entry.id.clone()));
    (store, entries)
}

pub(crate) fn exported(store: &mut Store) -> String {
    let mut out = Vec::new();
    let count = store.export(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), count);
    text
}

fn a_run_comes_back_whole(target: &Target) {
    let (mut store, entries) = filled(target, 6);
    for entry in &entries {
        assert_eq!(store.entry(&entry.id).unwrap(), *entry);
    }
    // Also for who opens it anew.
    drop(store);
    let mut store = Store::open_existing(target).unwrap();
    assert_eq!(store.entry(&entries[3].id).unwrap(), entries[3]);
}

fn a_run_is_kept_once(target: &Target) {
    let (mut store, entries) = filled(target, 3);
    let before = exported(&mut store);
    assert!(matches!(store.add(&entries[1]).unwrap(), Added::Known { .. }));
    let change = Change { branch: Some("other".to_owned()), ..Change::default() };
    let renamed = sealed(Entry { change, ..entries[1].clone() });
    assert_ne!(renamed.id, entries[1].id);
    let branch = entries[1].change.branch.clone();
    assert_eq!(store.add(&renamed).unwrap(), Added::Known { id: entries[1].id.clone(), branch });
    assert_eq!(exported(&mut store), before);
}

fn runs_are_in_the_order_of_their_commits(target: &Target) {
    let (mut store, mut entries) = filled(target, 40);
    // Two runs of one commit are in the order in which they were measured.
    let twin = sealed(Entry { time: "2030-01-01T00:00:00Z".to_owned(), ..entries[5].clone() });
    store.add(&twin).unwrap();
    entries.push(twin);
    let selections = [
        Selection::default(),
        Selection { branch: Some("main".to_owned()), ..Selection::default() },
        Selection { last: Some(7), ..Selection::default() },
        Selection { branch: Some("topic".to_owned()), last: Some(2), ..Selection::default() },
        Selection { branch: Some("none".to_owned()), ..Selection::default() },
        Selection { last: Some(0), ..Selection::default() },
    ];
    for selection in selections {
        let found = store.runs(&selection).unwrap();
        let nothing = Some("nothing".to_owned());
        let wanted = Timeline::of(&entries, &Selection { cases: nothing, ..selection.clone() });
        assert_eq!(found, wanted, "{selection:?}");
    }
    let all = store.runs(&Selection::default()).unwrap().runs;
    let moments: Vec<_> = all.iter().map(|run| (run.moment().unwrap(), run.time.clone())).collect();
    assert!(moments.is_sorted() && moments.len() == 41);
}

fn series_are_those_of_the_entries(target: &Target) {
    let (mut store, entries) = filled(target, 60);
    let all = store.timeline(&Selection::default()).unwrap();
    // Two cases of three metrics on two testbeds.
    assert_eq!((all.series.len(), all.runs.len()), (12, 60));
    assert!(all.corpora.len() > 5 && all.environments.len() == 4);
    let text = |text: &str| Some(text.to_owned());
    let selections = [
        Selection::default(),
        Selection { cases: text("sync/*:s1"), ..Selection::default() },
        Selection { metrics: text("*@p2"), last: Some(9), ..Selection::default() },
        Selection { branch: text("main"), cases: text("*s0"), ..Selection::default() },
        Selection { cases: text("no/such:case"), ..Selection::default() },
    ];
    for selection in selections {
        assert_eq!(store.timeline(&selection).unwrap(), Timeline::of(&entries, &selection), "{selection:?}");
    }
}

fn a_run_is_found_by_the_beginning_of_its_id(target: &Target) {
    let (mut store, entries) = filled(target, 40);
    let id = &entries[0].id;
    assert_eq!(store.entry(&id[..12]).unwrap().id, *id);
    assert_eq!(store.entry(&id.to_uppercase()).unwrap().id, *id);
    // Of 40 ids some begin alike.
    let alike = |digit: &u32| entries.iter().filter(|e| e.id.starts_with(&format!("{digit:x}"))).count();
    let digit = (0..16).find(|digit| alike(digit) > 1).unwrap();
    let said = store.entry(&format!("{digit:x}")).unwrap_err();
    assert!(matches!(said, StoreError::Ambiguous { count, .. } if count == alike(&digit)), "{said}");
    for wrong in ["", "%", "xyz", "0000000000000000", &format!("{id}0")] {
        assert!(matches!(store.entry(wrong), Err(StoreError::NoRun { .. })), "{wrong}");
    }
}

fn what_cannot_be_read_again_is_refused(target: &Target) {
    let mut store = Store::open(target).unwrap();
    let mut broken = plain(1, 1, 1);
    broken.cases[0].points[0].median = f64::NAN;
    assert!(matches!(store.add(&sealed(broken)), Err(StoreError::Entry(LineError::NoEntry { .. }))));
    let timeless =
        sealed(Entry { change: Change::default(), time: "yesterday".to_owned(), ..plain(1, 1, 1) });
    assert!(matches!(store.add(&timeless), Err(StoreError::Entry(LineError::Time { .. }))));
    let forged = Entry { id: plain(2, 1, 1).id, ..plain(1, 1, 1) };
    assert!(matches!(store.add(&forged), Err(StoreError::Entry(LineError::Changed { .. }))));
    let mut zero = plain(1, 1, 1);
    zero.cases[0].case = "a\0b".to_owned();
    assert!(matches!(store.add(&sealed(zero)), Err(StoreError::Entry(LineError::NoEntry { .. }))));
    assert_eq!(exported(&mut store), "");
}

fn an_export_is_an_import(target: &Target) {
    let (mut store, entries) = filled(target, 450);
    let text = exported(&mut store);
    assert_eq!(text, lines(&entries));
    let folder = tempfile::tempdir().unwrap();
    let mut other = Store::open(&Target::File(folder.path().join("other.db"))).unwrap();
    let imported = other.import(&mut text.as_bytes()).unwrap();
    assert_eq!(imported, Imported { added: 450, known: 0, bad: Vec::new() });
    assert_eq!(exported(&mut other), text);
    let all = Selection::default();
    assert_eq!(other.timeline(&all).unwrap(), store.timeline(&all).unwrap());
    let again = store.import(&mut text.as_bytes()).unwrap();
    assert_eq!(again, Imported { added: 0, known: 450, bad: Vec::new() });
    assert_eq!(exported(&mut store), text);
}

fn bad_lines_are_named_and_the_rest_is_added(target: &Target) {
    let made: Vec<String> = (0..5).map(|n| entry(n).to_line()).collect();
    let changed = made[1].replace("engine: change 1", "engine: change 2");
    let torn = &made[2][..made[2].len() - 1];
    // A field of a later version is kept, and counts for the digest.
    let later = made[3].replace("\"schema\":1", "\"schema\":7");
    let text = [made[0].as_bytes(), b"", changed.as_bytes(), torn.as_bytes(), later.as_bytes(), b"\xff{"];
    let mut text = text.join(&b"\r\n"[..]);
    text.extend(format!("\n{}", made[4]).as_bytes());
    let mut store = Store::open(target).unwrap();
    let imported = store.import(&mut &text[..]).unwrap();
    assert_eq!((imported.added, imported.known), (2, 0));
    let bad: Vec<usize> = imported.bad.iter().map(|bad| bad.line).collect();
    assert_eq!(bad, [3, 4, 5, 6]);
    assert!(matches!(&imported.bad[0], BadLine { why: LineError::Changed { id }, .. } if *id == entry(1).id));
    assert!(matches!(imported.bad[1].why, LineError::NoEntry { .. }));
    assert_eq!(imported.bad[2].why, LineError::Schema { found: 7, known: 1 });
    assert!(imported.bad[3].why.to_string().contains("utf-8"), "{}", imported.bad[3].why);
    assert_eq!(exported(&mut store).lines().count(), 2);
}

fn pruning_keeps_what_it_is_told_to_and_releases(target: &Target) {
    let (mut store, _) = filled(target, 40);
    let all = store.runs(&Selection::default()).unwrap().runs;
    let ids = |runs: &[highwater_reports::history::series::RunMark]| -> Vec<String> {
        runs.iter().map(|run| run.id.clone()).collect()
    };
    let mut gone = |keep: &Keep| ids(&store.prune(keep, true).unwrap().gone);
    assert!(gone(&Keep::default()).is_empty(), "without a rule nothing goes");
    let main =
        |run: &&highwater_reports::history::series::RunMark| run.change.branch.as_deref() == Some("main");
    let on_main: Vec<_> = all.iter().filter(main).cloned().collect();
    let untagged = |runs: &[highwater_reports::history::series::RunMark]| {
        ids(&runs.iter().filter(|run| run.tag.is_none()).cloned().collect::<Vec<_>>())
    };
    let last = Keep { branch: Some("main".to_owned()), last: Some(3), since: None };
    assert_eq!(gone(&last), untagged(&on_main[..on_main.len() - 3]));
    let since = all[30].moment();
    assert_eq!(gone(&Keep { since, ..Keep::default() }), untagged(&all[..30]));
    // What either rule keeps, stays.
    let both = gone(&Keep { since: on_main[12].moment(), ..last.clone() });
    assert_eq!(both, untagged(&on_main[..12]));
    let nothing = gone(&Keep { last: Some(0), ..Keep::default() });
    assert_eq!(nothing, untagged(&all));
    // Dry runs have changed nothing.
    assert_eq!(store.runs(&Selection::default()).unwrap().runs, all);
    let pruned = store.prune(&last, false).unwrap();
    assert_eq!(pruned.kept + pruned.gone.len(), 40);
    let left = ids(&store.runs(&Selection::default()).unwrap().runs);
    assert!(pruned.releases > 0 && left.len() == pruned.kept);
    assert!(pruned.gone.iter().all(|run| !left.contains(&run.id)));
}

fn pruned_runs_leave_nothing(target: &Target) {
    let (mut store, mut entries) = filled(target, 40);
    let since = "2026-01-02T00:00:00Z".parse().ok();
    let gone = store.prune(&Keep { since, ..Keep::default() }, false).unwrap().gone;
    assert!(gone.len() > 10);
    entries.retain(|entry| gone.iter().all(|run| run.id != entry.id));
    let all = Selection::default();
    assert_eq!(exported(&mut store), lines(&entries));
    assert_eq!(store.timeline(&all).unwrap(), Timeline::of(&entries, &all));
    let rows = |table: &str| crate::count(target, &format!("SELECT count(*) FROM {table}"));
    assert_eq!(rows("highwater_entries"), entries.len() as i64);
    assert_eq!(rows("highwater_figures"), 2 * entries.len() as i64);
    // What has gone can be added again.
    let back = gone.iter().map(|run| (0..40).map(entry).find(|entry| entry.id == run.id).unwrap());
    assert!(back.into_iter().all(|entry| store.add(&entry).unwrap() == Added::New));
    let whole: Vec<Entry> = (0..40).map(entry).collect();
    assert_eq!(store.timeline(&all).unwrap(), Timeline::of(&whole, &all));
}

fn many_writers_at_once_keep_each_run_once(target: &Target) {
    // Each opens the new history itself, and adds all in an order of its own.
    let write = |writer: u64| {
        let mut store = Store::open(target).unwrap();
        let added = (0..30).map(|n| store.add(&entry((n * 7 + writer * 11) % 30)).unwrap());
        added.filter(|added| *added == Added::New).count()
    };
    let new: usize = thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(new, 30);
    let entries: Vec<Entry> = (0..30).map(entry).collect();
    let mut store = Store::open(target).unwrap();
    let all = Selection::default();
    assert_eq!(store.timeline(&all).unwrap(), Timeline::of(&entries, &all));
}

/// Makes the tables those of the first schema.
fn downgrade(target: &Target) {
    crate::raw(
        target,
        "DROP TABLE highwater_cases; DROP TABLE highwater_metrics; DROP TABLE highwater_figures; \
         UPDATE highwater_schema SET version = 1",
    );
}

fn an_older_schema_becomes_the_newest(target: &Target) {
    let (mut store, entries) = filled(target, 20);
    let all = Selection::default();
    let before = (exported(&mut store), store.timeline(&all).unwrap());
    drop(store);
    downgrade(target);
    let mut store = Store::open(target).unwrap();
    assert_eq!((exported(&mut store), store.timeline(&all).unwrap()), before);
    assert_eq!(crate::count(target, "SELECT version FROM highwater_schema"), 2);
    assert!(matches!(store.add(&entries[0]).unwrap(), Added::Known { .. }));
    assert_eq!(store.add(&entry(21)).unwrap(), Added::New);
}

fn a_migration_that_fails_changes_nothing(target: &Target) {
    let (store, entries) = filled(target, 5);
    drop(store);
    downgrade(target);
    let content = if matches!(target, Target::File(_)) { "x'00'" } else { "'\\x00'" };
    crate::raw(
        target,
        &format!(
            "UPDATE highwater_entries SET content = {content} WHERE run = (SELECT max(run) FROM highwater_entries)"
        ),
    );
    let said = Store::open(target).err().unwrap().to_string();
    assert!(said.contains("damaged: an entry"), "{said}");
    assert_eq!(crate::count(target, "SELECT version FROM highwater_schema"), 1);
    // The tables of the second schema are not there, so they can be made.
    crate::raw(target, "CREATE TABLE highwater_figures (x BIGINT); DROP TABLE highwater_figures");
    crate::raw(target, "DELETE FROM highwater_entries WHERE run = (SELECT max(run) FROM highwater_entries)");
    let mut store = Store::open(target).unwrap();
    assert_eq!(exported(&mut store).lines().count(), entries.len() - 1);
}

fn a_newer_schema_is_refused(target: &Target) {
    let (mut open, _) = filled(target, 2);
    crate::raw(target, "UPDATE highwater_schema SET version = 3");
    let said = Store::open(target).err().unwrap();
    assert!(matches!(said, StoreError::Newer { found: 3, known: 2, .. }));
    assert!(
        said.to_string()
            .contains("has schema 3, and this program knows those up to 2: use the newer highwater")
    );
    // Who has opened it before does not write what the newer schema may not have.
    let said = open.add(&entry(3)).unwrap_err().to_string();
    assert!(said.contains("its schema became 3 meanwhile"), "{said}");
    assert_eq!(crate::count(target, "SELECT count(*) FROM highwater_runs"), 2);
}
