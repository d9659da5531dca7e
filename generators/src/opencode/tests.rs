//! Sizes that are asked for, and databases that are the same however they are made.

use std::collections::BTreeSet;
use std::path::Path;

use crate::manifest::Manifest;
use crate::opencode::{Database, Ids, OpenCode, Project};
use crate::plan::{Item, Plan, Quirk};
use crate::size::Size;
use crate::{Profile, Spec, write};

const SPEC: Spec = Spec { profile: Profile::Heavy, scale: 1.0, seed: 5 };
const TREE: usize = 6;
const DATABASE: usize = 7;

fn written(items: Vec<Item>, home: Option<&Path>, threads: usize) -> Manifest {
    let plan = Plan { items, workspaces: 1, files: 0, bytes: 0 };
    write::manifest_of(plan, &SPEC, home, threads).unwrap()
}

fn session(root: usize, number: u64, requests: u64, size: Size) -> OpenCode {
    let start = 1_750_000_000_000 + number * 86_400_000;
    OpenCode {
        root,
        project: Project { id: "global".to_owned(), worktree: "/home/dev".to_owned(), created: start },
        opens_project: false,
        id: Ids::text("ses", !Ids::tick(start), &mut crate::dice::Dice::new(&SPEC, &format!("{number}"))),
        parent: None,
        start,
        requests,
        size,
        images: 0,
        quirks: BTreeSet::new(),
    }
}

fn is_about(found: u64, asked: u64) -> bool {
    (found as f64 / asked as f64 - 1.0).abs() < 0.05
}

#[test]
fn a_tree_is_about_as_large_as_was_asked() {
    for (requests, bytes) in [(1, 150_000), (3, 400_000), (20, 3_000_000)] {
        for number in 0..4 {
            let item = Item::OpenCode(session(TREE, number, requests, Size::About(bytes)).into());
            let found = written(vec![item], None, 1).bytes;
            assert!(is_about(found, bytes), "{requests} requests: {found} for {bytes}");
        }
    }
}

#[test]
fn a_session_has_at_least_the_bytes_that_were_asked_for() {
    let item = Item::OpenCode(session(TREE, 0, 2, Size::AtLeast(2_000_000)).into());
    let found = written(vec![item], None, 1).bytes;
    assert!((2_000_000..2_600_000).contains(&found), "{found}");
}

#[test]
fn a_database_is_about_as_large_as_its_sessions_together() {
    for (count, requests, bytes) in [(1, 4, 2_000_000), (12, 3, 400_000), (40, 1, 150_000)] {
        let sessions = (0..count).map(|i| session(DATABASE, i, requests, Size::About(bytes))).collect();
        let database = Item::Database(Database { root: DATABASE, file: "opencode.db", sessions }.into());
        let found = written(vec![database], None, 1).bytes;
        assert!(is_about(found, count * bytes), "{count} sessions: {found} for {}", count * bytes);
    }
}

#[test]
fn sessions_of_one_kind_of_activity_have_the_mean_parts_and_bytes_that_were_measured() {
    let sessions: Vec<OpenCode> = (0..120).map(|i| session(DATABASE, i, 2, Size::Free)).collect();
    let database = Item::Database(Database { root: DATABASE, file: "opencode.db", sessions }.into());
    let manifest = written(vec![database], None, 1);
    let count = |kind: &str| -> f64 {
        let records = manifest.files[0].records.iter().filter(|record| record.0.starts_with(kind));
        records.map(|record| *record.1 as f64).sum()
    };
    let (messages, parts) = (count("message-"), count("part-"));
    assert!((3.0..4.2).contains(&(parts / messages)), "{} parts a message", parts / messages);
    assert!((20.0..34.0).contains(&(messages / 120.0)), "{} messages a session", messages / 120.0);
    let bytes = manifest.bytes as f64 / parts;
    assert!((2_800.0..4_600.0).contains(&bytes), "{bytes} bytes a part");
}

#[test]
fn a_database_is_the_same_file_wherever_and_by_however_many_threads_it_is_made() {
    let items = || {
        let of = |root, file| {
            let sessions = (0..5).map(|i| session(root, i, 2, Size::About(60_000))).collect();
            Item::Database(Database { root, file, sessions }.into())
        };
        vec![of(DATABASE, "opencode.db"), of(DATABASE + 1, "kilo.db")]
    };
    let home = tempfile::tempdir().unwrap();
    let kept = written(items(), Some(home.path()), 2);
    assert_eq!(kept, written(items(), None, 1));
    for file in &kept.files {
        assert_eq!(std::fs::metadata(home.path().join(&file.path)).unwrap().len(), file.bytes);
        assert_eq!(file.sessions, 5);
    }
    assert_eq!(kept.files[0].format, "kilo");
    assert_eq!(kept.files[1].format, "opencode");
}

/// A session's id, what it costs in 1/100,000 $, and its tokens in the order of the table's columns.
type Sums = (String, [u64; 6]);

fn sums(database: &rusqlite::Connection, sql: &str) -> Vec<Sums> {
    let mut statement = database.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let mut sums = [0; 6];
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = row.get::<_, i64>(i + 1)?.cast_unsigned();
        }
        Ok((row.get(0)?, sums))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_row_of_a_session_has_the_sums_of_its_messages() {
    for (root, file, path) in [
        (DATABASE, "opencode.db", ".local/share/opencode/opencode.db"),
        (DATABASE + 1, "kilo.db", ".local/share/kilo/kilo.db"),
    ] {
        let mut sessions: Vec<_> = (0..3).map(|i| session(root, i, 2, Size::About(60_000))).collect();
        sessions[1].quirks = [Quirk::UnknownTypes, Quirk::EveryPart, Quirk::BadOperation].into();
        let home = tempfile::tempdir().unwrap();
        let database = Item::Database(Box::new(Database { root, file, sessions }));
        let told = written(vec![database], Some(home.path()), 1).files[0].tokens;
        let database = rusqlite::Connection::open(home.path().join(path)).unwrap();
        // SQLite reads the messages by itself, without those whose JSON is none.
        let of_messages = "with answer as (select session_id, case when json_valid(data) then data end as data from message)
            select session_id, cast(round(sum(data ->> '$.cost') * 100000) as integer), sum(data ->> '$.tokens.input'),
            sum(data ->> '$.tokens.output'), sum(data ->> '$.tokens.reasoning'), sum(data ->> '$.tokens.cache.read'),
            sum(data ->> '$.tokens.cache.write') from answer where data ->> '$.role' = 'assistant'
            group by session_id order by session_id";
        let of_sessions =
            "select id, cast(round(cost * 100000) as integer), tokens_input, tokens_output, tokens_reasoning,
            tokens_cache_read, tokens_cache_write from session order by id";
        let found = sums(&database, of_sessions);
        assert_eq!(found, sums(&database, of_messages));
        assert_eq!(found.len(), 3);
        let [cost, input, output, reasoning, read, write] =
            std::array::from_fn(|i| found.iter().map(|row| row.1[i]).sum::<u64>());
        assert_eq!([input, read, write], [told.input, told.cache_read, told.cache_write]);
        assert_eq!([output + reasoning, reasoning], [told.output, told.reasoning]);
        assert!(cost > 0 && reasoning > 0, "{found:?}");
    }
}

#[test]
fn a_session_is_the_same_among_others() {
    let made = |numbers: &[u64]| {
        let sessions = numbers.iter().map(|&i| session(DATABASE, i, 2, Size::About(50_000))).collect();
        written(
            vec![Item::Database(Database { root: DATABASE, file: "opencode.db", sessions }.into())],
            None,
            1,
        )
    };
    let (three, alone) = (made(&[3, 1, 2]), made(&[2]));
    let [only] = &alone.answer.sessions_index[..] else { panic!("{alone:?}") };
    assert!(three.answer.sessions_index.contains(only));
}

#[test]
fn ids_of_one_millisecond_ascend_and_those_of_sessions_descend() {
    let mut dice = crate::dice::Dice::new(&SPEC, "ids");
    let mut ids: Vec<String> =
        (0..3).map(|i| Ids::text("msg", Ids::tick(1_750_000_000_000) + i, &mut dice)).collect();
    ids.push(Ids::text("msg", Ids::tick(1_750_000_000_001), &mut dice));
    assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 30), "{ids:?}");
    let sessions: Vec<String> = (0..4).map(|i| session(DATABASE, i, 1, Size::Free).id).collect();
    assert!(sessions.iter().rev().is_sorted(), "{sessions:?}");
}
