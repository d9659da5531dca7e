//! A measured figure as an interval, and a limit that it keeps, breaks, or holds inside.

use harness::record::{Metric, Tier, Verdict};

/// On which side of a limit a figure has to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sense {
    AtMost,
    AtLeast,
}

/// Between which figures the truth lies, as far as the samples say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Interval {
    pub(super) fn point(figure: f64) -> Interval {
        Interval { low: figure, high: figure }
    }

    /// Exact metrics are one point, noisy ones reach from their least sample to their largest, estimates are what their fit says.
    pub(super) fn of(metric: &Metric) -> Interval {
        if let Some(interval) = metric.interval {
            return Interval { low: interval.low, high: interval.high };
        }
        if is_noisy(metric) {
            let low = metric.samples.iter().copied().fold(metric.median, f64::min);
            let high = metric.samples.iter().copied().fold(metric.median, f64::max);
            return Interval { low, high };
        }
        Interval::point(metric.median)
    }

    pub(super) fn times(self, factor: f64) -> Interval {
        Interval { low: self.low * factor, high: self.high * factor }
    }

    pub(super) fn less(self, part: Interval) -> Interval {
        Interval { low: self.low - part.high, high: self.high - part.low }
    }

    pub(super) fn judge(self, limit: Interval, sense: Sense) -> Verdict {
        let (keeps, breaks) = match sense {
            Sense::AtMost => (self.high <= limit.low, self.low > limit.high),
            Sense::AtLeast => (self.low >= limit.high, self.high < limit.low),
        };
        match (keeps, breaks) {
            (true, _) => Verdict::Pass,
            (_, true) => Verdict::Regression,
            _ => Verdict::Inconclusive,
        }
    }
}

/// Both ends of a metric's interval.
pub(crate) fn ends(metric: &Metric) -> (f64, f64) {
    let Interval { low, high } = Interval::of(metric);
    (low, high)
}

/// Whether the metric's figures differ from run to run, by nature or in this run.
pub(crate) fn is_noisy(metric: &Metric) -> bool {
    metric.tier == Tier::Noisy || metric.demoted
}
