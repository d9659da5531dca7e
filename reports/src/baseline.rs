//! What a run is compared against: the exact metrics of an earlier one, small enough to be committed.

use std::collections::BTreeMap;
use std::path::Path;

use harness::record::{Case, Environment, Metric, Run, Tier};
use serde::{Deserialize, Serialize};

use crate::judge::growth::BaseFigures;
use crate::{Error, fingerprint, store};

/// Version of the file. It grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Exact metrics of one run, and what they depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// When the run began, RFC 3339 in UTC.
    pub time: String,
    /// The commit that was measured, when known.
    pub commit: Option<String>,
    /// What exact figures depend on, beside the code and the corpus.
    pub key: Key,
    /// Figures by case name.
    pub cases: BTreeMap<String, CaseFigures>,
}

/// What exact figures depend on: they are comparable only where all of it is equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Version of the compiler.
    pub toolchain: String,
    /// The target triple.
    pub target: String,
    /// The default allocator.
    pub allocator: String,
    /// Digest of `Cargo.lock`.
    pub lockfile: String,
    /// Build profile: unoptimised code allocates where optimised code does not.
    pub profile: String,
}

/// The exact metrics of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFigures {
    /// Digest of the corpus: other bytes have other figures.
    pub corpus: Option<String>,
    /// The figure of each exact metric.
    pub metrics: BTreeMap<String, f64>,
}

impl Key {
    /// The key of figures taken in an environment.
    pub fn of(environment: &Environment) -> Key {
        Key {
            toolchain: environment.toolchain.clone(),
            target: environment.target.clone(),
            allocator: environment.allocator.clone(),
            lockfile: environment.lockfile.clone(),
            profile: environment.profile.clone(),
        }
    }

    /// What differs between two keys, in words; `None` when nothing does.
    fn difference(&self, other: &Key) -> Option<String> {
        let fields = [
            ("toolchain", &self.toolchain, &other.toolchain),
            ("target", &self.target, &other.target),
            ("allocator", &self.allocator, &other.allocator),
            ("Cargo.lock", &self.lockfile, &other.lockfile),
            ("build profile", &self.profile, &other.profile),
        ];
        let (field, base, head) = fields.into_iter().find(|(_, base, head)| base != head)?;
        Some(format!("the baseline's {field} is {base}, this run's is {head}"))
    }
}

impl Baseline {
    /// The baseline that a run is to later ones. Metrics that are not exact, or were not in this run, are left out.
    pub fn of(run: &Run) -> Baseline {
        let measured = run.cases.iter().filter(|case| case.error.is_none());
        let figures = |case: &Case| CaseFigures {
            corpus: case.corpus.as_ref().map(|corpus| corpus.digest.clone()),
            metrics: case
                .metrics
                .iter()
                .filter(|(_, metric)| is_exact(metric))
                .map(|(name, metric)| (name.clone(), metric.median))
                .collect(),
        };
        Baseline {
            schema: SCHEMA,
            time: run.time.clone(),
            commit: run.artifact.commit.clone(),
            key: Key::of(&run.environment),
            cases: measured.map(|case| (case.case.clone(), figures(case))).collect(),
        }
    }

    /// Reads a saved baseline.
    pub fn read(path: &Path) -> Result<Baseline, Error> {
        store::read_versioned(path, "baseline", SCHEMA)
    }

    /// Writes the baseline, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let figures =
            self.cases.iter().flat_map(|(case, c)| c.metrics.iter().map(move |(name, v)| (case, name, v)));
        if let Some((case, name, _)) = figures.into_iter().find(|(_, _, value)| !value.is_finite()) {
            return Err(Error::NotFinite { path: path.to_owned(), what: format!("{name} of {case}") });
        }
        let mut text =
            serde_json::to_string_pretty(self).expect("a baseline holds only text and finite numbers");
        text.push('\n');
        store::write_atomically(path, text.as_bytes())
    }

    /// The figure that a case's metric is compared with, or why there is none.
    fn figure(&self, environment: &Environment, case: &Case, metric: &str) -> Result<f64, String> {
        if let Some(difference) = self.key.difference(&Key::of(environment)) {
            return Err(difference);
        }
        let figures = self.cases.get(&case.case).ok_or("the baseline does not have this case")?;
        if figures.corpus.as_deref() != digest(case) {
            return Err(OTHER_CORPUS.to_owned());
        }
        let figure = figures
            .metrics
            .get(metric)
            .ok_or("the baseline does not have this metric, it keeps exact ones only")?;
        Ok(*figure)
    }
}

/// What growth is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    /// The exact figures of an earlier run.
    Figures(Baseline),
    /// A whole run, with every sample.
    Run(Box<Run>),
}

impl Base {
    /// Reads a base from a file that is a run or a saved baseline.
    pub fn read(path: &Path) -> Result<Base, Error> {
        match store::read(path) {
            Ok(run) => Ok(Base::Run(Box::new(run))),
            // A file that is no run may still be a baseline; what is wrong with it is then said of that.
            Err(Error::Malformed { .. }) => Ok(Base::Figures(Baseline::read(path)?)),
            Err(error) => Err(error),
        }
    }

    /// What a case's metric is compared with, or why there is nothing.
    pub(crate) fn figures(
        &self,
        environment: &Environment,
        case: &Case,
        name: &str,
    ) -> Result<BaseFigures, String> {
        let run = match self {
            Base::Figures(baseline) => {
                let median = baseline.figure(environment, case, name)?;
                return Ok(BaseFigures { median, samples: vec![median], is_noisy: false });
            }
            Base::Run(run) => run,
        };
        let earlier = run.cases.iter().find(|earlier| earlier.case == case.case);
        let earlier = earlier.ok_or("the baseline does not have this case")?;
        if let Some(error) = &earlier.error {
            return Err(format!("the baseline has no measurement of this case, {error}"));
        }
        if digest(earlier) != digest(case) {
            return Err(OTHER_CORPUS.to_owned());
        }
        let metric = earlier.metrics.get(name).filter(|metric| !metric.samples.is_empty());
        let metric = metric.ok_or("the baseline does not have this metric")?;
        let both_exact = is_exact(metric) && case.metrics.get(name).is_some_and(is_exact);
        let differs = match both_exact {
            true => Key::of(&run.environment).difference(&Key::of(environment)),
            false => fingerprint::refusal(&run.environment, environment),
        };
        match differs {
            Some(difference) => Err(difference),
            None => Ok(BaseFigures::of(metric)),
        }
    }

    /// How many noisy samples the base has of a case's metric; none where it has none or is exact.
    pub(crate) fn noisy_samples(&self, case: &str, name: &str) -> Option<usize> {
        let Base::Run(run) = self else { return None };
        let metric = run.cases.iter().find(|earlier| earlier.case == case)?.metrics.get(name)?;
        (!is_exact(metric)).then_some(metric.samples.len())
    }

    /// What makes a comparison with this base doubtful, as sentences.
    pub fn doubts(&self, environment: &Environment) -> Vec<String> {
        match self {
            Base::Figures(_) => Vec::new(),
            Base::Run(run) => fingerprint::warnings(&run.environment, environment),
        }
    }
}

const OTHER_CORPUS: &str = "the baseline was taken on another corpus";

fn digest(case: &Case) -> Option<&str> {
    case.corpus.as_ref().map(|corpus| corpus.digest.as_str())
}

fn is_exact(metric: &Metric) -> bool {
    metric.tier == Tier::Exact && !metric.demoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn a_baseline_keeps_exact_metrics_only() {
        let baseline = Baseline::of(&specimen::run());
        let kept = &baseline.cases["sync/cold:bounded"].metrics;
        assert!(kept.contains_key("heap.peak_bytes"));
        assert!(!kept.contains_key("rss.peak_bytes") && !kept.contains_key("time.wall_seconds"));
    }

    #[test]
    fn a_baseline_leaves_out_what_was_not_exact_in_its_run() {
        let mut run = specimen::run();
        run.cases[0].metrics.get_mut("heap.peak_bytes").unwrap().demoted = true;
        assert!(!Baseline::of(&run).cases[&run.cases[0].case].metrics.contains_key("heap.peak_bytes"));
    }

    #[test]
    fn a_baseline_leaves_out_cases_without_a_measurement() {
        let mut run = specimen::run();
        run.cases[0].error = Some("the answer is wrong".to_owned());
        assert!(!Baseline::of(&run).cases.contains_key(&run.cases[0].case));
    }

    #[test]
    fn a_baseline_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        let baseline = Baseline::of(&specimen::run());
        baseline.write(&path).unwrap();
        assert_eq!(Baseline::read(&path).unwrap(), baseline);
    }

    #[test]
    fn figures_of_another_toolchain_or_corpus_are_not_compared() {
        let run = specimen::run();
        let baseline = Baseline::of(&run);
        let case = run.cases.iter().find(|case| case.case == "sync/cold:bounded").unwrap();
        assert_eq!(
            baseline.figure(&run.environment, case, "heap.peak_bytes"),
            Ok(case.metrics["heap.peak_bytes"].median)
        );

        let elsewhere = Environment { toolchain: "rustc 9.9.9".to_owned(), ..run.environment.clone() };
        let why = baseline.figure(&elsewhere, case, "heap.peak_bytes").unwrap_err();
        assert!(why.ends_with("this run's is rustc 9.9.9"), "{why}");

        let mut other = case.clone();
        other.corpus.as_mut().unwrap().digest = "ffff".to_owned();
        let why = baseline.figure(&run.environment, &other, "heap.peak_bytes").unwrap_err();
        assert_eq!(why, "the baseline was taken on another corpus");
    }
}
