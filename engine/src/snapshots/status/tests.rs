//! Rows in order, and a board that is kept against one that is made anew.

use proptest::prelude::*;

use super::*;
use crate::snapshots::event::Provider;

fn key(number: u8) -> Key {
    Key { provider: Provider::Codex, id: format!("{number}").into() }
}

fn used(last: Option<i64>) -> Metadata {
    Metadata { last_event: last, updated: 7, ..Metadata::default() }
}

#[test]
fn those_in_use_come_first_and_the_latest_of_them() {
    let now = 1_000_000;
    let mut board = Board::default();
    for (number, last) in [(1, Some(now - STALE_MS - 1)), (2, Some(now - 10)), (3, None), (4, Some(now - 5))]
    {
        board.set(&key(number), &used(last), now);
    }
    let order: Vec<(String, bool)> = board.rows().map(|row| (row.key.id.to_string(), row.is_stale)).collect();
    let expected = [("4", false), ("2", false), ("1", true), ("3", true)];
    assert_eq!(order, expected.map(|(id, is_stale)| (id.to_owned(), is_stale)));
}

#[test]
fn five_minutes_are_not_yet_stale() {
    assert!(!Row::of(&key(1), &used(Some(0)), None, STALE_MS).is_stale);
    assert!(Row::of(&key(1), &used(Some(0)), None, STALE_MS + 1).is_stale);
}

proptest! {
    /// A board that is kept shows what one that is made anew shows, at every moment.
    #[test]
    fn what_is_kept_is_what_would_be_made_anew(
        steps in prop::collection::vec((0u8..5, prop::option::of(0i64..900_000), 0i64..200_000, any::<bool>()), 1..40)
    ) {
        let (mut board, mut known, mut now) = (Board::default(), BTreeMap::new(), 0);
        for (number, last, passed, is_removed) in steps {
            now += passed;
            let metadata = used(last);
            if is_removed {
                board.remove(&key(number));
                known.remove(&key(number));
            } else {
                board.set(&key(number), &metadata, now);
                known.insert(key(number), metadata);
            }
            board.expire(now);
            let mut anew = Board::default();
            anew.replace(known.iter().map(|(key, metadata)| Row::of(key, metadata, None, now)));
            prop_assert!(board.rows().eq(anew.rows()));
            prop_assert_eq!(board.ranks.len(), board.rows.len());
            prop_assert_eq!(board.expiries.len(), board.rows().filter(|row| !row.is_stale).count());
        }
    }
}
