//! How well the gate sees on one machine: false alarms, detection curves, and the smallest growth that is seen, as `highwater selftest`
//! found them.
//!
//! [`power`] makes it of real samples, [`draw`] draws judgements from them, [`table`] shows it. A saved calibration tells a
//! judge whether a budget is tighter than what can be seen here; [`Calibration::mde`] answers that for one metric of one case.

use std::path::Path;

use harness::record::{Corpus, Environment, Tier, Unit, Verdict};
use serde::{Deserialize, Serialize};

use crate::{Error, fingerprint, stats, store};

pub mod draw;
pub mod power;
pub mod table;

/// Version of the saved file.
pub const SCHEMA: u32 = 1;

/// The part of judgements between equal programs that may be alarms at most: 1 in 100. What is held against it is the
/// upper end of the rate's interval.
pub const PROMISED_ALARMS: f64 = 0.01;

/// The subjects that show what a bound is for; they are run too seldom to hold a rate against the promise.
const DEMONSTRATIONS: &str = "threads/";

/// Confidence of every interval of a rate.
pub const RATE_CONFIDENCE: f64 = 0.95;

/// The detection rate at which a growth counts as the smallest that is seen.
pub const POWER: f64 = 0.8;

/// The rate at which it is seen nearly always.
pub const HIGH_POWER: f64 = 0.95;

/// What a self-test found on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`SCHEMA`] of the writer; always the first field.
    pub schema: u32,
    /// The machine, as far as memory figures depend on it.
    pub environment: Environment,
    /// When the self-test began, RFC 3339 in UTC.
    pub time: String,
    /// How long it took.
    pub seconds: f64,
    /// The seed of every random choice in it.
    pub seed: u64,
    /// The terms of the judgements.
    pub terms: Terms,
    /// What was measured.
    pub subjects: Vec<Subject>,
    /// What was left out, and why, as sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// How noisy samples were judged: the settings of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Samples of each side.
    pub samples: u64,
    /// Largest p at which a change counts as significant.
    pub alpha: f64,
    /// Confidence of the lower bound that must be beyond what is allowed.
    pub confidence: f64,
    /// Growth that is allowed, in percent of the base's median.
    pub allowed_percent: f64,
}

impl Default for Terms {
    /// The gate's own defaults; `docs/budgets.md`.
    fn default() -> Terms {
        Terms { samples: 15, alpha: 0.001, confidence: 0.95, allowed_percent: 2.0 }
    }
}

/// One measured subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The case (`sync/cold:bounded`), or the program (`node/keeps`).
    pub name: String,
    /// What it read.
    pub corpus: Option<Corpus>,
    /// Real processes that were run for it.
    pub runs: u64,
    /// What was found of each metric.
    pub metrics: Vec<MetricPower>,
    /// Growth that was to be named with its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Named>,
}

/// How well one metric of a subject is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricPower {
    /// The metric.
    pub metric: String,
    /// How it was judged: by equality, or by statistics.
    pub tier: Tier,
    /// Unit of its figures.
    pub unit: Unit,
    /// Real samples without growth.
    pub samples: u64,
    /// Their median.
    pub median: f64,
    /// Their standard deviation, in percent of the mean.
    pub deviation_percent: f64,
    /// Alarms among judgements between samples of the same program. Of a noisy metric these are drawn from one pool of samples, and
    /// so are not independent of each other; of an exact one each sample is used once.
    pub false_alarms: Rate,
    /// Judgements among these that came to no verdict.
    pub undecided: Rate,
    /// Alarms among the judgements that the samples give in the order taken, base and head in turn, each sample used once.
    pub in_order: Rate,
    /// How often growth is caught, by kind and size.
    pub curve: Vec<PowerPoint>,
    /// The smallest growth that is caught at these terms in [`POWER`] of all judgements; absent where no growth that was tried is.
    pub mde_80: Option<Effect>,
    /// The same in [`HIGH_POWER`] of them.
    pub mde_95: Option<Effect>,
    /// The smallest growth that can be told from none in [`POWER`] of all judgements, when nothing is allowed: what a budget
    /// must not be tighter than.
    pub resolution_80: Option<Effect>,
    /// The same in [`HIGH_POWER`] of them.
    pub resolution_95: Option<Effect>,
}

/// How many of some judgements were alarms, with a Wilson interval of [`RATE_CONFIDENCE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Judgements that were alarms.
    pub alarms: u64,
    /// All judgements.
    pub trials: u64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Rate {
    /// So many of so many. Of no judgement nothing is known: the interval is all there is.
    pub fn of(alarms: u64, trials: u64) -> Rate {
        let (low, high) = match trials {
            0 => (0.0, 1.0),
            _ => stats::proportion::wilson(alarms, trials, RATE_CONFIDENCE),
        };
        Rate { alarms, trials, low, high }
    }

    /// The part that were alarms; 0 where there was no judgement.
    pub fn part(&self) -> f64 {
        if self.trials == 0 { 0.0 } else { self.alarms as f64 / self.trials as f64 }
    }
}

/// How often growth of one kind and size is caught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerPoint {
    /// The growth.
    #[serde(flatten)]
    pub growth: Growth,
    /// Judgements that caught it.
    pub caught: Rate,
}

/// A growth that was planted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// How it was planted.
    pub kind: Kind,
    /// How much of it, in words: `5 %`, `64 B`.
    pub what: String,
    /// Its size in percent of the subject's median peak: of the heap where the heap is counted, else of resident memory.
    pub percent: f64,
    /// Its size in bytes; of growth for each session, of all sessions together.
    pub bytes: f64,
}

impl Growth {
    /// So many percent of a median.
    pub fn of(kind: Kind, percent: f64, median: f64) -> Growth {
        Growth { kind, what: format!("{percent} %"), percent, bytes: percent / 100.0 * median }
    }
}

/// What is planted into a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing: the growth is added to the samples of a head. What a gate could see if all growth showed in full.
    Shift,
    /// A block that is kept from some moment on.
    Retained,
    /// A block that is touched and freed at once.
    Spike,
    /// A block that lives as long as another one: a copy.
    Copy,
    /// A block kept for each session.
    Each,
}

impl Kind {
    /// Every kind, in the order of reports.
    pub const ALL: [Kind; 5] = [Kind::Shift, Kind::Retained, Kind::Spike, Kind::Copy, Kind::Each];

    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Shift => "shift",
            Kind::Retained => "retained",
            Kind::Spike => "spike",
            Kind::Copy => "copy",
            Kind::Each => "each",
        }
    }

    /// What it is, in one sentence.
    pub const fn describe(self) -> &'static str {
        match self {
            Kind::Shift => "added to the samples of the head, so that all of it shows",
            Kind::Retained => "kept from a random allocation on",
            Kind::Spike => "touched and freed at once, at a random allocation",
            Kind::Copy => "one extra copy, kept as long as what was copied",
            Kind::Each => "kept for each session",
        }
    }
}

/// A growth, as a part of the median and in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// In percent of the median.
    pub percent: f64,
    /// In the metric's unit.
    pub size: f64,
}

/// Growth that was planted, and how often its place was named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// What was planted, in words.
    pub planted: String,
    /// Trials in which the first site named was the planted one.
    pub named: Rate,
    /// The site, as the first trial named it.
    pub first: String,
}

/// The smallest growth that is seen in one metric of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Mde {
    /// The subject that was calibrated: the case itself, or one of the same kind.
    pub subject: String,
    /// In percent of the base's median. 0 where every change is seen.
    pub percent: f64,
    /// In the metric's unit, for a base as large as the calibrated subject.
    pub size: f64,
    /// Samples of each side with which it is seen.
    pub samples: u64,
}

impl Mde {
    /// The same with another number of samples a side: noise goes down with the square root of their number.
    #[must_use]
    pub fn with_samples(&self, samples: u64) -> Mde {
        let factor = (self.samples as f64 / samples.max(1) as f64).sqrt();
        Mde { percent: self.percent * factor, size: self.size * factor, samples, ..self.clone() }
    }
}

/// The families of our own cases, one process like the other: for a noisy metric one stands for another. Of a foreign program
/// nothing is known before it has been measured.
const OWN_FAMILIES: &[&str] = &["sync", "listing", "snapshots", "view"];

impl Calibration {
    /// The smallest growth of a metric that is told from none in [`POWER`] of all judgements, nothing being allowed: a budget
    /// that allows less can be neither kept nor broken with certainty here.
    ///
    /// It is that of the case itself where it was calibrated; else, for a noisy metric of our own cases, that of the own case whose
    /// name has most in common with this one. None where nothing is known: of foreign programs that were not calibrated under
    /// this name, and of metrics that were not measured or not often enough to be judged. Where no growth that was tried was seen
    /// often enough, it is the largest of these.
    pub fn mde(&self, case: &str, metric: &str) -> Option<Mde> {
        let own = self.subjects.iter().find(|subject| subject.name == case);
        let found = own.and_then(|subject| Some((subject, subject.metric(metric)?)));
        let (subject, power) = found.or_else(|| self.nearest(case, metric))?;
        // Where not even the largest growth that was tried is seen often enough, what is seen is larger than that.
        let unseen =
            Effect { percent: power::LARGEST_SHIFT, size: power.median * power::LARGEST_SHIFT / 100.0 };
        let effect = match power.resolution_80 {
            Some(effect) => effect,
            None if power.false_alarms.trials > 0 => unseen,
            None => return None,
        };
        let samples = if power.tier == Tier::Exact { 1 } else { self.terms.samples };
        Some(Mde { subject: subject.name.clone(), percent: effect.percent, size: effect.size, samples })
    }

    fn nearest(&self, case: &str, metric: &str) -> Option<(&Subject, &MetricPower)> {
        if !is_own(case) {
            return None;
        }
        let candidates = self.subjects.iter().filter(|subject| is_own(&subject.name));
        let powers = candidates.filter_map(|subject| {
            let power = subject.metric(metric).filter(|power| power.tier == Tier::Noisy)?;
            Some((subject, power))
        });
        powers.max_by_key(|(subject, _)| in_common(&subject.name, case))
    }

    /// What makes the calibration doubtful here: it was taken where memory figures are others. It must be ignored then.
    pub fn doubt(&self, here: &Environment) -> Option<String> {
        // Another compiler or lock file changes what is measured, not how well it is seen.
        let differences: Vec<String> = fingerprint::of_machine(&self.environment, here)
            .map(|(field, then, now)| format!("{field} {then} then, {now} now"))
            .collect();
        if differences.is_empty() {
            return None;
        }
        Some(format!(
            "the calibration of {} was taken under other conditions and is ignored ({}): `highwater selftest` takes a new one",
            self.time,
            differences.join("; ")
        ))
    }

    /// Whether the gate keeps what it promises, and why not, one sentence for each metric that does not.
    ///
    /// [`Verdict::Regression`] when an alarm rate's upper end is above [`PROMISED_ALARMS`]; [`Verdict::Inconclusive`] where so few
    /// judgements were made that it would be without any alarm.
    pub fn verdict(&self) -> (Verdict, Vec<String>) {
        let mut worst = Verdict::Pass;
        let mut why = Vec::new();
        if self.subjects.iter().all(|subject| subject.metrics.is_empty()) {
            return (Verdict::Error, vec!["nothing was measured".to_owned()]);
        }
        let promised = self.metrics().filter(|(subject, _)| !subject.name.starts_with(DEMONSTRATIONS));
        for (subject, power) in promised {
            let rate = &power.false_alarms;
            if rate.high <= PROMISED_ALARMS {
                continue;
            }
            let too_few = Rate::of(0, rate.trials).high > PROMISED_ALARMS && rate.low <= PROMISED_ALARMS;
            let verdict = if too_few { Verdict::Inconclusive } else { Verdict::Regression };
            worst = worst.max(verdict);
            let what = format!("{} of {}", power.metric, subject.name);
            let said = format!("{} alarms in {} judgements", rate.alarms, rate.trials);
            why.push(match too_few {
                true => format!("{what}: {said} are too few to tell whether 1 in 100 is kept"),
                false => format!("{what}: {said}, at most {:.2} %; 1 % is promised", rate.high * 100.0),
            });
        }
        (worst, why)
    }

    /// Every metric with its subject.
    pub fn metrics(&self) -> impl Iterator<Item = (&Subject, &MetricPower)> {
        self.subjects.iter().flat_map(|subject| subject.metrics.iter().map(move |power| (subject, power)))
    }

    /// Reads a saved calibration.
    ///
    /// # Errors
    /// When the file cannot be read, or is not one of this version.
    pub fn read(path: &Path) -> Result<Calibration, Error> {
        store::read_versioned(path, "calibration", SCHEMA)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text =
            serde_json::to_string_pretty(self).expect("a calibration holds only text, numbers and lists");
        text.push('\n');
        store::write_atomically(path, text.as_bytes())
    }
}

impl Subject {
    /// What was found of a metric.
    pub fn metric(&self, name: &str) -> Option<&MetricPower> {
        self.metrics.iter().find(|power| power.metric == name)
    }
}

fn is_own(case: &str) -> bool {
    OWN_FAMILIES.contains(&case.split('/').next().unwrap_or_default())
}

/// Bytes that two names have in common at their beginning.
fn in_common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests;
