//! How runs, entries and series come out of a history.

use std::collections::HashMap;

use harness::record::{Direction, Environment, Unit};
use serde::de::DeserializeOwned;

use super::connection::{Connection, Row, Value};
use super::error::Failed;
use super::figures::{self, Figure};
use crate::history::entry::Change;
use crate::history::series::{Builder, Key, Point, RunMark, Selection, Testbed, Timeline};

/// Every run of a branch or of all, the last one first.
const RUNS: &str = "SELECT number, environment, id, time, version, commit_id, tag, dirty, committed, branch, subject, author, verdict \
     FROM highwater_runs WHERE (CAST($1 AS TEXT) IS NULL OR branch = $1) \
     ORDER BY moment DESC, measured DESC, number DESC LIMIT $2";

/// Runs in their order, their numbers in the tables, and what series are gathered with.
pub(super) struct Gathered {
    builder: Builder,
    runs: HashMap<i64, usize>,
}

/// Gathers the runs that are selected, with their environments.
pub(super) fn runs(connection: &mut Connection, selection: &Selection) -> Result<Gathered, Failed> {
    let last = selection.last.map_or(i64::MAX, |last| i64::try_from(last).unwrap_or(i64::MAX));
    let mut found = Vec::new();
    let values = [Value::MaybeText(selection.branch.as_deref()), Value::Int(last)];
    connection.query(RUNS, &values, &mut |row| {
        found.push((row.int(0)?, row.int(1)?, mark(row)?));
        Ok(())
    })?;
    let environments = environments(connection)?;
    let mut builder = Builder::default();
    let mut runs = HashMap::with_capacity(found.len());
    for (number, environment, mark) in found.into_iter().rev() {
        let environment = environments
            .get(&environment)
            .ok_or_else(|| Failed::damaged(format!("the environment of {}", mark.id)))?;
        let environment = builder.environment(environment);
        runs.insert(number, builder.run(RunMark { environment, ..mark }));
    }
    Ok(Gathered { builder, runs })
}

fn mark(row: &Row<'_>) -> Result<RunMark, Failed> {
    Ok(RunMark {
        id: row.text(2)?,
        time: row.text(3)?,
        version: row.text(4)?,
        commit: row.maybe_text(5)?,
        tag: row.maybe_text(6)?,
        dirty: row.maybe_int(7)?.map(|dirty| dirty != 0),
        change: Change {
            committed: row.maybe_text(8)?,
            branch: row.maybe_text(9)?,
            subject: row.maybe_text(10)?,
            author: row.maybe_text(11)?,
        },
        verdict: from_word(row.text(12)?)?,
        environment: 0,
    })
}

/// A unit, verdict and the like from the word for it.
fn from_word<T: DeserializeOwned>(word: String) -> Result<T, Failed> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(Failed::damaged)
}

fn environments(connection: &mut Connection) -> Result<HashMap<i64, Environment>, Failed> {
    let mut found = HashMap::new();
    connection.query("SELECT number, content FROM highwater_environments", &[], &mut |row| {
        let environment = serde_json::from_str(&row.text(1)?).map_err(Failed::damaged)?;
        found.insert(row.int(0)?, environment);
        Ok(())
    })?;
    Ok(found)
}

/// A case on a testbed, as the tables have it.
struct Place {
    case: String,
    corpus: String,
    testbed: Testbed,
}

/// A metric, as the tables have it.
struct Metric {
    name: String,
    unit: Unit,
    direction: Direction,
}

impl Gathered {
    /// The runs alone.
    pub(super) fn alone(self) -> Timeline {
        self.builder.finish()
    }

    /// The runs with the series that are selected.
    pub(super) fn with_series(
        mut self,
        connection: &mut Connection,
        selection: &Selection,
    ) -> Result<Timeline, Failed> {
        let (all, places) = places(connection, selection)?;
        let metrics = metrics(connection, selection)?;
        let mut series = HashMap::new();
        let mut each = |row: &Row<'_>| self.figures(row, &places, &metrics, &mut series);
        if places.len() == all {
            let sql = "SELECT case_number, run, packed FROM highwater_figures";
            connection.query(sql, &[], &mut each)?;
        } else {
            let sql = "SELECT case_number, run, packed FROM highwater_figures WHERE case_number = $1";
            for place in places.keys() {
                connection.query(sql, &[Value::Int(*place)], &mut each)?;
            }
        }
        Ok(self.builder.finish())
    }

    /// Takes the figures of one case of one run. `series` knows the index of each series by the numbers of case and metric, and
    /// none where the metric is not selected.
    fn figures(
        &mut self,
        row: &Row<'_>,
        places: &HashMap<i64, Place>,
        metrics: &HashMap<i64, Metric>,
        series: &mut HashMap<(i64, i64), Option<usize>>,
    ) -> Result<(), Failed> {
        let number = row.int(0)?;
        let (Some(place), Some(run)) = (places.get(&number), self.runs.get(&row.int(1)?)) else {
            return Ok(());
        };
        let (run, builder) = (*run, &mut self.builder);
        let packed = row.bytes(2)?;
        let corpus = figures::unpack(packed, |_| ())?.map(|digest| builder.corpus(digest));
        figures::unpack(packed, |figure| {
            let Figure { metric: name, tier, median, range, limit } = figure;
            let index = series.entry((number, name)).or_insert_with(|| {
                let metric = metrics.get(&name)?;
                Some(builder.series(key(place, metric)))
            });
            if let Some(index) = *index {
                builder.point(index, Point { run, corpus, tier, median, range, limit });
            }
        })?;
        Ok(())
    }
}

fn key(place: &Place, metric: &Metric) -> Key {
    Key {
        case: place.case.clone(),
        corpus: place.corpus.clone(),
        metric: metric.name.clone(),
        testbed: place.testbed.clone(),
        unit: metric.unit,
        direction: metric.direction,
    }
}

/// How many cases there are on all testbeds, and those selected.
fn places(
    connection: &mut Connection,
    selection: &Selection,
) -> Result<(usize, HashMap<i64, Place>), Failed> {
    let (mut all, mut found) = (0, HashMap::new());
    let sql = "SELECT number, name, corpus, target, allocator, profile FROM highwater_cases";
    connection.query(sql, &[], &mut |row| {
        all += 1;
        let case = row.text(1)?;
        if selection.has_case(&case) {
            let testbed = Testbed { target: row.text(3)?, allocator: row.text(4)?, profile: row.text(5)? };
            found.insert(row.int(0)?, Place { case, corpus: row.text(2)?, testbed });
        }
        Ok(())
    })?;
    Ok((all, found))
}

fn metrics(connection: &mut Connection, selection: &Selection) -> Result<HashMap<i64, Metric>, Failed> {
    let mut found = HashMap::new();
    connection.query("SELECT number, name, unit, direction FROM highwater_metrics", &[], &mut |row| {
        let name = row.text(1)?;
        if selection.has_metric(&name) {
            let (unit, direction) = (from_word(row.text(2)?)?, from_word(row.text(3)?)?);
            found.insert(row.int(0)?, Metric { name, unit, direction });
        }
        Ok(())
    })?;
    Ok(found)
}

/// The ids that begin so, and the line of the last of them.
pub(super) fn lines(
    connection: &mut Connection,
    beginning: &str,
) -> Result<(Vec<String>, Option<String>), Failed> {
    let (mut ids, mut line) = (Vec::new(), None);
    let sql = "SELECT r.id FROM highwater_runs r WHERE r.id LIKE $1 ORDER BY r.number";
    connection.query(sql, &[Value::Text(&format!("{beginning}%"))], &mut |row| {
        ids.push(row.text(0)?);
        Ok(())
    })?;
    if let Some(id) = ids.last() {
        let sql = "SELECT e.content FROM highwater_runs r JOIN highwater_entries e ON e.run = r.number WHERE r.id = $1";
        connection.query(sql, &[Value::Text(id)], &mut |row| {
            line = Some(super::write::unpacked(row.bytes(0)?)?);
            Ok(())
        })?;
    }
    Ok((ids, line))
}
