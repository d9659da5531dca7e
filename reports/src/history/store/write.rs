//! How a run gets into a history.

use std::collections::HashSet;

use serde::Serialize;

use super::connection::{Connection, Value};
use super::error::Failed;
use super::figures::{self, Figure};
use super::{Added, schema};
use crate::history::entry::{Case, Entry, Point};
use crate::history::series::corpus_name;

/// Level of zstd: higher ones take longer than the disk saves.
const LEVEL: i32 = 3;

/// The numbers of names that are in the tables for sure, so that they need not be written again.
#[derive(Debug, Default)]
pub(super) struct Names {
    kept: HashSet<i64>,
    /// Those that the open transaction has written, in vain where it fails.
    fresh: HashSet<i64>,
}

impl Names {
    /// The transaction was kept.
    pub(super) fn keep(&mut self) {
        self.kept.extend(self.fresh.drain());
    }

    /// The transaction was undone.
    pub(super) fn forget(&mut self) {
        self.fresh.clear();
    }

    fn is_new(&mut self, number: i64) -> bool {
        !self.kept.contains(&number) && self.fresh.insert(number)
    }
}

/// Adds an entry with its line, within a transaction in which nobody else writes.
pub(super) fn add(
    connection: &mut Connection,
    names: &mut Names,
    entry: &Entry,
    line: &str,
) -> Result<Added, Failed> {
    match schema::version(connection)? {
        schema::NEWEST => {}
        other => return Err(Failed::Migrated(other)),
    }
    let (number, run) = (run_number(entry)?, entry.run_digest());
    let known = "SELECT id, branch FROM highwater_runs WHERE id = $1 OR run = $2";
    let mut kept = None;
    connection.query(known, &[Value::Text(&entry.id), Value::Text(&run)], &mut |row| {
        kept = Some(Added::Known { id: row.text(0)?, branch: row.maybe_text(1)? });
        Ok(())
    })?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let environment = environment(connection, names, entry)?;
    insert_run(connection, entry, number, &run, environment)?;
    let content = zstd::bulk::compress(line.as_bytes(), LEVEL).map_err(Failed::damaged)?;
    let values = [Value::Int(number), Value::Bytes(&content)];
    connection.execute("INSERT INTO highwater_entries (run, content) VALUES ($1, $2)", &values)?;
    insert_figures(connection, names, entry, number)?;
    Ok(Added::New)
}

/// The first 63 bits of the id, so that runs in the order of their numbers are in the order of their ids.
fn run_number(entry: &Entry) -> Result<i64, Failed> {
    let first = entry.id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let first = first.ok_or_else(|| Failed::damaged(format!("the id {:?}", entry.id)))?;
    Ok((first >> 1) as i64)
}

/// The number of what has this kind and these names: a digest of theirs, the same in every history. That two of a million have
/// the same happens once in 10^7 histories.
fn number(kind: &str, names: &[&str]) -> i64 {
    let text = serde_json::to_vec(&(kind, names)).expect("names are text");
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(&text).as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// A unit, verdict and the like as records write it.
fn word(value: impl Serialize) -> Result<String, Failed> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(Failed::damaged(format!("{other:?} is no word"))),
    }
}

fn environment(connection: &mut Connection, names: &mut Names, entry: &Entry) -> Result<i64, Failed> {
    let content = serde_json::to_string(&entry.environment).map_err(Failed::damaged)?;
    let number = number("environment", &[&content]);
    if names.is_new(number) {
        connection.execute(
            "INSERT INTO highwater_environments (number, content) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[Value::Int(number), Value::Text(&content)],
        )?;
    }
    Ok(number)
}

fn insert_run(
    connection: &mut Connection,
    entry: &Entry,
    number: i64,
    run: &str,
    environment: i64,
) -> Result<(), Failed> {
    let Entry { artifact, change, .. } = entry;
    let (moment, measured) =
        entry.order().ok_or_else(|| Failed::damaged(format!("the time {:?}", entry.time)))?;
    connection.execute(
        "INSERT INTO highwater_runs (number, id, run, moment, measured, time, version, commit_id, tag, dirty, committed, branch, \
         subject, author, verdict, environment) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &[
            Value::Int(number),
            Value::Text(&entry.id),
            Value::Text(run),
            Value::Int(moment),
            Value::Int(measured),
            Value::Text(&entry.time),
            Value::Text(&artifact.version),
            Value::MaybeText(artifact.commit.as_deref()),
            Value::MaybeText(artifact.tag.as_deref()),
            Value::MaybeInt(artifact.dirty.map(i64::from)),
            Value::MaybeText(change.committed.as_deref()),
            Value::MaybeText(change.branch.as_deref()),
            Value::MaybeText(change.subject.as_deref()),
            Value::MaybeText(change.author.as_deref()),
            Value::Text(&word(entry.verdict)?),
            Value::Int(environment),
        ],
    )?;
    Ok(())
}

/// Writes the packed figures of every case.
fn insert_figures(
    connection: &mut Connection,
    names: &mut Names,
    entry: &Entry,
    run: i64,
) -> Result<(), Failed> {
    for case in &entry.cases {
        let place = case_number(connection, names, entry, case)?;
        let mut figures = Vec::with_capacity(case.points.len());
        for point in &case.points {
            let Point { tier, median, range, limit, .. } = *point;
            figures.push(Figure {
                metric: metric_number(connection, names, point)?,
                tier,
                median,
                range,
                limit,
            });
        }
        let packed = figures::pack(case.corpus.as_ref().map(|corpus| corpus.digest.as_str()), &figures)?;
        // A case that stands twice in a run counts once.
        connection.execute(
            "INSERT INTO highwater_figures (case_number, run, packed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &[Value::Int(place), Value::Int(run), Value::Bytes(&packed)],
        )?;
    }
    Ok(())
}

fn case_number(
    connection: &mut Connection,
    names: &mut Names,
    entry: &Entry,
    case: &Case,
) -> Result<i64, Failed> {
    let corpus = corpus_name(case.corpus.as_ref());
    let environment = &entry.environment;
    let texts = [&case.case, &corpus, &environment.target, &environment.allocator, &environment.profile]
        .map(|s| &**s);
    let number = number("case", &texts);
    if names.is_new(number) {
        let [name, corpus, target, allocator, profile] = texts.map(Value::Text);
        connection.execute(
            "INSERT INTO highwater_cases (number, name, corpus, target, allocator, profile) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[Value::Int(number), name, corpus, target, allocator, profile],
        )?;
    }
    Ok(number)
}

fn metric_number(connection: &mut Connection, names: &mut Names, point: &Point) -> Result<i64, Failed> {
    let (unit, direction) = (word(point.unit)?, word(point.direction)?);
    let number = number("metric", &[&point.metric, &unit, &direction]);
    if names.is_new(number) {
        connection.execute(
            "INSERT INTO highwater_metrics (number, name, unit, direction) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            &[Value::Int(number), Value::Text(&point.metric), Value::Text(&unit), Value::Text(&direction)],
        )?;
    }
    Ok(number)
}

/// Writes the figures of every run from its entry, within a transaction in which nobody else writes.
pub(super) fn fill_figures(connection: &mut Connection) -> Result<(), Failed> {
    let mut runs = Vec::new();
    connection.query("SELECT run FROM highwater_entries", &[], &mut |row| {
        runs.push(row.int(0)?);
        Ok(())
    })?;
    let mut names = Names::default();
    for run in runs {
        let mut line = String::new();
        let sql = "SELECT content FROM highwater_entries WHERE run = $1";
        connection.query(sql, &[Value::Int(run)], &mut |row| {
            line = unpacked(row.bytes(0)?)?;
            Ok(())
        })?;
        let entry = Entry::from_line(&line).map_err(Failed::damaged)?;
        insert_figures(connection, &mut names, &entry, run)?;
    }
    Ok(())
}

/// The line of an entry, as it was added.
pub(super) fn unpacked(content: &[u8]) -> Result<String, Failed> {
    let line = zstd::decode_all(content).map_err(|error| Failed::damaged(format!("an entry: {error}")))?;
    String::from_utf8(line).map_err(|error| Failed::damaged(format!("an entry: {error}")))
}
