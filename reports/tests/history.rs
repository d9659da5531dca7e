//! Histories in SQLite and in PostgreSQL: the same of both, under many writers, killed ones too.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]
#![expect(clippy::print_stdout, reason = "the test harness shows it beside the test's name")]

#[path = "history/checks.rs"]
mod checks;
#[path = "history/made.rs"]
mod made;
#[path = "history/server.rs"]
mod server;
#[path = "history/writers.rs"]
mod writers;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use harness::record::Tier;
use highwater_reports::history::entry::Entry;
use highwater_reports::history::series::Selection;
use highwater_reports::history::store::{Store, StoreError, Target};
use highwater_reports::history::{drift, page, release, runs, trend};
use highwater_reports::stats::divisive::Options;
use made::{entry, lines, plain, sealed};
use server::Server;

/// Executes statements behind the store's back.
fn raw(target: &Target, sql: &str) {
    match target {
        Target::File(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
        Target::Server(_) => client(target).batch_execute(sql).unwrap(),
    }
}

/// Asks for one number behind the store's back.
fn count(target: &Target, sql: &str) -> i64 {
    match target {
        Target::File(path) => {
            rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
        }
        Target::Server(_) => client(target).query_one(sql, &[]).unwrap().get(0),
    }
}

/// A target's text is its URL where that has no password.
fn client(target: &Target) -> postgres::Client {
    let url = target.to_string();
    let (head, rest) = url.split_once('@').unwrap();
    let (host, rest) = rest.rsplit_once(':').unwrap();
    let url = format!("{head}@{}:{rest}", host.replace('/', "%2F"));
    postgres::Client::connect(&url, postgres::NoTls).unwrap()
}

/// Makes every check on a history of its own, and names those that fail.
fn check_all(mut empty: impl FnMut() -> Target) {
    let failed = checks::ALL.iter().filter(|(name, check)| {
        let target = empty();
        let failed = panic::catch_unwind(AssertUnwindSafe(|| check(&target))).is_err();
        println!("{name}: {}", if failed { "failed" } else { "ok" });
        failed
    });
    let failed: Vec<&str> = failed.map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn everything_holds_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = (0..).map(|n| folder.path().join(format!("made for it/{n}/history.db")));
    check_all(|| Target::File(files.next().unwrap()));
}

#[test]
fn everything_holds_in_postgresql() {
    let Some(server) = Server::start() else { return };
    check_all(|| server.database().parse().unwrap());
    println!("both export the same bytes");
    let folder = tempfile::tempdir().unwrap();
    let mut file = Store::open(&Target::File(folder.path().join("history.db"))).unwrap();
    let mut team = Store::open(&server.database().parse().unwrap()).unwrap();
    for n in 0..50 {
        file.add(&stepped(n)).unwrap();
        team.add(&stepped(49 - n)).unwrap();
    }
    assert_eq!(checks::exported(&mut file), checks::exported(&mut team));
    println!("both give the same pages");
    let (first, second) = (pages(&mut file), pages(&mut team));
    assert!(first[0].contains("1 change of level"), "{}", first[0]);
    assert_eq!(first, second);
    println!("a way that is to be encrypted is");
    encrypted(&server);
    println!("writers that are killed");
    writers::killed(&server.database());
}

/// Run number `n`, one figure of which is larger from the 25th on.
fn stepped(n: u64) -> Entry {
    let mut entry = entry(n);
    let figure = &mut entry.cases[0].points[1];
    let more = if n < 25 { 0.0 } else { 100.0 };
    figure.median += more;
    figure.range = figure.range.map(|(low, high)| (low + more, high + more));
    sealed(entry)
}

/// Every page of a history in every form.
fn pages(store: &mut Store) -> Vec<String> {
    let all = store.timeline(&Selection::default()).unwrap();
    let releases = runs::releases(&all);
    let last = releases.last().unwrap();
    let entries = last.runs.iter().map(|run| store.entry(&all.runs[*run].id).unwrap()).collect::<Vec<_>>();
    let trends = trend::trends(&all, &Options::default(), 12.0);
    let drift = drift::drift(&all, None).unwrap();
    let report = release::release(&all, &entries, None, 12.0).unwrap();
    let drawn = trend::drawn(&trends).html();
    let pages = [trend::page(&trends), drift::page(&drift), release::page(&report)];
    let forms = pages.iter().flat_map(|page| [page.text(), page.markdown(), page.html()]);
    let data = [page::json(&trends), page::json(&drift), page::json(&report)];
    forms.chain(data).chain([drawn]).collect()
}

/// The server takes no plain text by network.
fn encrypted(server: &Server) {
    let database = server.database();
    let database = database.rsplit_once('/').unwrap().1;
    let open = |options: &str| {
        let url = server.network_url(database, options);
        Store::open(&url.parse().unwrap()).map(|_| ()).map_err(|error| {
            let said = error.to_string();
            assert!(!said.contains("s3cret"), "{said}");
            said
        })
    };
    let [ours, other] = ["ca.pem", "other.pem"].map(|name| server.path(name).display().to_string());
    open(&format!("sslmode=verify-full&sslrootcert={ours}")).unwrap();
    let said = open("sslmode=disable").unwrap_err();
    assert!(said.contains("no encryption"), "{said}");
    let said = open(&format!("sslmode=require&sslrootcert={other}")).unwrap_err();
    assert!(said.contains("certificate"), "{said}");
    let said = open("sslmode=verify-full&sslrootcert=/no/such.pem").unwrap_err();
    assert!(said.starts_with("failed to read certificates from sslrootcert /no/such.pem"), "{said}");
}

#[test]
fn writers_that_are_killed_tear_nothing_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    writers::killed(folder.path().join("history.db").to_str().unwrap());
}

#[test]
fn a_file_of_someone_else_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "not a database, but long enough to be looked at as one".repeat(20)).unwrap();
    let database = folder.path().join("other.db");
    rusqlite::Connection::open(&database).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    for path in [text, database] {
        let before = fs::read(&path).unwrap();
        let said = Store::open(&Target::File(path.clone())).err().unwrap();
        assert!(matches!(&said, StoreError::Foreign { path: named } if *named == path), "{said}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no journal is left beside them");
}

#[test]
fn a_missing_file_is_made_only_by_who_adds() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::File(folder.path().join("sub/history.db"));
    let said = Store::open_existing(&target).err().unwrap().to_string();
    assert!(said.starts_with("there is no history in ") && said.contains("highwater history add"), "{said}");
    assert!(!folder.path().join("sub").exists());
    Store::open(&target).unwrap();
    Store::open_existing(&target).unwrap();
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let target: Target = "postgres://ada:s3cret@127.0.0.1:1/history".parse().unwrap();
    let said = Store::open(&target).err().unwrap().to_string();
    assert!(said.starts_with("failed to open the history postgres://ada@127.0.0.1:1/history: "), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

/// Run number `n` of a project that lives: each of its fifty figures has 5 % more every 500 runs, and every other scatters by 1 %.
fn lived(n: u64) -> Entry {
    let mut entry = plain(n, 5, 10);
    for (at, figure) in (0..).zip(entry.cases.iter_mut().flat_map(|case| &mut case.points)) {
        let mixed = (n * 50 + at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let draw = (mixed >> 40) as f64 / f64::from(1 << 24) - 0.5;
        let level = 1e6 * (1.0 + 0.05 * (n / 500) as f64);
        figure.median = match figure.tier {
            Tier::Exact => level.round(),
            _ => level * (1.0 + 0.02 * draw),
        };
        figure.range = figure.range.map(|_| (0.99 * level, 1.01 * level));
        figure.limit = Some(4e6);
    }
    sealed(entry)
}

/// `cargo test -p highwater-reports --test history -- --ignored --nocapture ten_thousand` prints the figures.
#[test]
#[ignore = "measures, and takes a while"]
fn ten_thousand_runs_of_fifty_figures() {
    let entries: Vec<Entry> = (0..10_000).map(lived).collect();
    let text = lines(&entries);
    println!("{} bytes of lines", text.len());
    let folder = tempfile::tempdir().unwrap();
    let file = Target::File(folder.path().join("history.db"));
    measured("SQLite", &file, &text);
    println!("SQLite: {} bytes", fs::metadata(folder.path().join("history.db")).unwrap().len());
    if let Some(server) = Server::start() {
        let target = server.database().parse().unwrap();
        measured("PostgreSQL", &target, &text);
        println!("PostgreSQL: {} bytes", count(&target, "SELECT pg_database_size(current_database())"));
    }
}

fn measured(name: &str, target: &Target, text: &str) {
    fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let value = work();
        println!("{what}: {:.3} s", begun.elapsed().as_secs_f64());
        value
    }
    let mut store = Store::open(target).unwrap();
    let imported = timed(&format!("{name} import"), || store.import(&mut text.as_bytes()).unwrap());
    assert_eq!(imported.added, 10_000);
    drop(store);
    for _ in 0..2 {
        let mut store = timed(&format!("{name} open"), || Store::open(target).unwrap());
        let all = timed(&format!("{name} all series"), || store.timeline(&Selection::default()).unwrap());
        assert_eq!(all.series.iter().map(|series| series.points.len()).sum::<usize>(), 500_000);
        let one = Selection { cases: Some("sync/cold:s3".to_owned()), ..Selection::default() };
        timed(&format!("{name} series of one case"), || store.timeline(&one).unwrap());
        let last = Selection { last: Some(100), ..one };
        timed(&format!("{name} its last 100 runs"), || store.timeline(&last).unwrap());
        let trends = timed(&format!("{name} trends"), || trend::trends(&all, &Options::default(), 26.0));
        let steps: usize = trends.series.iter().map(|series| series.steps.len()).sum();
        println!("{name} steps: {steps} of 950 that were planted");
        timed(&format!("{name} list"), || store.runs(&Selection::default()).unwrap());
        assert_eq!(timed(&format!("{name} export"), || checks::exported(&mut store)), text);
    }
}
