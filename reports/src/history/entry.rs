//! What a history keeps of a run: its artifact, its environment, every figure, and every judgement that was not a pass.

use harness::record::{Artifact, Corpus, Direction, Environment, Judgement, Run, Tier, Unit, Verdict};
use serde::{Deserialize, Serialize};

/// Version of an entry as `history export` writes it.
pub const SCHEMA: u32 = 1;

/// One run, as a history keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`] of the writer; always the first field.
    pub schema: u32,
    /// Digest of everything else in the entry, in hexadecimal: the same run has the same id on every machine.
    pub id: String,
    /// When the run began, RFC 3339 in UTC.
    pub time: String,
    /// What was measured.
    pub artifact: Artifact,
    /// Where the artifact stands in the history of its project.
    pub change: Change,
    /// Where the run took place.
    pub environment: Environment,
    /// The worst verdict of all cases.
    pub verdict: Verdict,
    /// Every case with its figures, in the order of the run.
    pub cases: Vec<Case>,
}

/// A commit, as a person looks for it. What is not known stays empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the commit was made, RFC 3339 in UTC: orders the runs of a branch, whenever they were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<String>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// First line of the commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// One case of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `family/scenario:strategy`.
    pub case: String,
    /// The input; absent for cases without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<Corpus>,
    /// Its figures, by name.
    pub points: Vec<Point>,
    /// Judgements that are not a pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judgements: Vec<Judgement>,
    /// Why it has no measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One metric of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Name of the metric; a phase's is `NAME@PHASE`.
    pub metric: String,
    /// How far it can be trusted to repeat.
    pub tier: Tier,
    /// Its unit.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// Median of the samples.
    pub median: f64,
    /// Least and greatest sample; absent where all are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The most (or least, where more is better) that an absolute budget allowed, in the metric's unit; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl Entry {
    /// What a history keeps of a run.
    pub fn of(run: &Run, change: Change) -> Entry {
        let cases = run.cases.iter().map(case).collect();
        let entry = Entry {
            schema: SCHEMA,
            id: String::new(),
            time: run.time.clone(),
            artifact: run.artifact.clone(),
            change,
            environment: run.environment.clone(),
            verdict: run.verdict,
            cases,
        };
        Entry { id: entry.digest(), ..entry }
    }

    /// When the run takes its place among others: the time of the commit, else of the run, and among runs of one commit the time of
    /// the run; in microseconds since 1970. Absent where one is no RFC 3339 time.
    pub fn order(&self) -> Option<(i64, i64)> {
        let measured = self.time.parse::<jiff::Timestamp>().ok()?.as_microsecond();
        let Some(committed) = &self.change.committed else { return Some((measured, measured)) };
        Some((committed.parse::<jiff::Timestamp>().ok()?.as_microsecond(), measured))
    }

    /// The id that the content of the entry has: another one than [`Entry::id`] says that it was changed.
    pub fn digest(&self) -> String {
        let content = Entry { id: String::new(), ..self.clone() };
        digest(content.to_line().as_bytes())
    }

    /// Digest of what was measured, whatever was said of the commit's place: two entries with the same are of one run.
    pub fn run_digest(&self) -> String {
        Entry { change: Change::default(), ..self.clone() }.digest()
    }

    /// The entry as one line of JSON, without a line break at its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("entries hold only text, numbers and lists")
    }

    /// Reads a line that [`Entry::to_line`] wrote, and checks its digest.
    ///
    /// The digest is that of the text as it stands: fields that this program does not know count too, and a figure that is read
    /// and written again may differ in its last digit. So what keeps entries keeps their lines.
    pub fn from_line(line: &str) -> Result<Entry, LineError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u64,
        }
        let no_entry = |error: serde_json::Error| LineError::NoEntry { why: error.to_string() };
        let Version { schema } = serde_json::from_str(line).map_err(no_entry)?;
        if schema != u64::from(SCHEMA) {
            return Err(LineError::Schema { found: schema, known: SCHEMA });
        }
        let entry: Entry = serde_json::from_str(line).map_err(no_entry)?;
        // PostgreSQL has no text with it, and both stores keep the same.
        if has_nul(line) {
            return Err(LineError::NoEntry { why: "it has a NUL character in a text".to_owned() });
        }
        let head = format!("{{\"schema\":{SCHEMA},\"id\":\"");
        let rest = line.strip_prefix(&head).and_then(|rest| rest.strip_prefix(&entry.id));
        let found = rest.map(|rest| digest(format!("{head}{rest}").as_bytes()));
        if found.as_ref() != Some(&entry.id) {
            return Err(LineError::Changed { id: entry.id });
        }
        if entry.order().is_none() {
            let is_time = |time: &String| time.parse::<jiff::Timestamp>().is_ok();
            let committed = entry.change.committed.filter(|time| !is_time(time));
            let time = committed.unwrap_or(entry.time);
            return Err(LineError::Time { id: entry.id, time });
        }
        Ok(entry)
    }
}

/// Why a line is no entry that a history can keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Occurs when the line is not what an export writes, also when it was cut off.
    #[error("it is no entry of a history: {why}")]
    NoEntry {
        /// What is wrong with it.
        why: String,
    },
    /// Occurs when another version of the program wrote it.
    #[error("it has schema {found}, but this program reads schema {known}: use the highwater that wrote it")]
    Schema {
        /// The version in the line.
        found: u64,
        /// The version that can be read.
        known: u32,
    },
    /// Occurs when the content does not have the digest that it is named by.
    #[error("{id:?} is not the digest of its content: the line was changed after it was exported")]
    Changed {
        /// The id that it has.
        id: String,
    },
    /// Occurs when its place among other runs cannot be told.
    #[error("the time {time:?} of {id} is not one of RFC 3339, such as 2026-01-31T12:00:00Z")]
    Time {
        /// The id of the entry.
        id: String,
        /// The time of its commit, or of the run.
        time: String,
    },
}

/// Whether JSON has the escape of NUL: `u0000` behind an odd number of backslashes.
fn has_nul(json: &str) -> bool {
    let backslashes = |at: usize| json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
    json.match_indices("u0000").any(|(at, _)| backslashes(at) % 2 == 1)
}

fn digest(text: &[u8]) -> String {
    blake3::hash(text).to_hex()[..ID_DIGITS].to_owned()
}

/// Hexadecimal digits of an id: 128 bits, of which a billion random ones have no two equal but once in 10^20 histories.
pub const ID_DIGITS: usize = 32;

fn case(case: &harness::record::Case) -> Case {
    let points = case.metrics.iter().map(|(name, metric)| {
        let least = metric.samples.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = metric.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What is estimated has no samples of its own, but an interval.
        let (least, greatest) =
            metric.interval.map_or((least, greatest), |interval| (interval.low, interval.high));
        let judged = case.verdicts.iter().filter(|judgement| judgement.metric == *name);
        let tighter = match metric.direction {
            Direction::Lower => f64::min,
            Direction::Higher => f64::max,
        };
        Point {
            metric: name.clone(),
            tier: metric.tier,
            unit: metric.unit,
            direction: metric.direction,
            median: metric.median,
            range: (least < greatest).then_some((least, greatest)),
            // A tripwire's limit is one to break.
            limit: judged.filter_map(|judgement| judgement.limit).filter(|_| !case.tripwire).reduce(tighter),
        }
    });
    let judgements = case.verdicts.iter().filter(|judgement| judgement.verdict != Verdict::Pass);
    Case {
        case: case.case.clone(),
        corpus: case.corpus.clone(),
        points: points.collect(),
        judgements: judgements.cloned().collect(),
        error: case.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use harness::record::{Estimate, Metric};

    use super::*;

    #[test]
    fn only_an_escape_of_nul_is_one() {
        assert!(has_nul(r#"{"a":"\u0000"}"#) && has_nul(r#"{"a":"\\\u0000"}"#));
        assert!(!has_nul(r#"{"a":"refuse \\u0000 in names, u0000"}"#));
    }

    /// The figure of a case with these limits.
    fn kept(direction: Direction, limits: &[f64]) -> Point {
        let interval = Some(Estimate { value: 1.0, low: 0.5, high: 1.5 });
        let metric = Metric {
            tier: Tier::Noisy,
            unit: Unit::Count,
            direction,
            median: 1.0,
            samples: vec![1.0],
            demoted: false,
            interval,
        };
        let verdicts = limits.iter().map(|limit| Judgement {
            metric: "x".to_owned(),
            limit: Some(*limit),
            ..Judgement::default()
        });
        let found = harness::record::Case {
            verdicts: verdicts.collect(),
            metrics: [("x".to_owned(), metric)].into(),
            ..harness::record::Case::default()
        };
        case(&found).points[0].clone()
    }

    #[test]
    fn of_several_limits_the_tightest_is_kept_and_of_an_estimate_its_interval() {
        assert_eq!(kept(Direction::Lower, &[3.0, 2.0]).limit, Some(2.0));
        let floor = kept(Direction::Higher, &[0.9, 0.95]);
        assert_eq!((floor.limit, floor.range), (Some(0.95), Some((0.5, 1.5))));
    }
}
