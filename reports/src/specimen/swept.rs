//! Two strategies on corpora of five sizes, with their laws.

use std::collections::BTreeMap;

use harness::record::{Case, Corpus, Run, SweepPoint, Unit};

use super::{MIB, exact, noisy, run};
use crate::law;

/// One strategy that holds every session and one that holds an entry of an index for each, with some scatter.
pub(crate) fn swept() -> Run {
    let mut run = run();
    run.doubts.clear();
    run.cases = vec![
        case("as-reported", |sessions, scatter| 0.5 * MIB + 410e3 * sessions * (1.0 + scatter)),
        case("bounded", |sessions, scatter| 3.0 * MIB + 700.0 * sessions * (1.0 + scatter)),
        case("flat", |_, _| 4.0 * MIB),
    ];
    law::fill(&mut run);
    run
}

/// A case whose peak heap is a function of the sessions, and of a scatter of a few percent.
fn case(strategy: &str, peak: impl Fn(f64, f64) -> f64) -> Case {
    let sizes = [(20, 0.01), (48, -0.02), (113, 0.015), (269, -0.005), (640, 0.01)];
    let point = |(sessions, scatter): (u64, f64)| {
        let heap = peak(sessions as f64, scatter).round();
        let rss = [heap * 1.1 + 3e6, heap * 1.1 + 3.2e6, heap * 1.1 + 3.1e6];
        let corpus = Corpus {
            profile: "steady".to_owned(),
            scale: sessions as f64 / 640.0,
            sessions,
            ..Corpus::default()
        };
        SweepPoint {
            corpus,
            size: None,
            metrics: BTreeMap::from([
                ("heap.peak_bytes".to_owned(), exact(heap, Unit::Bytes)),
                ("heap.peak_bytes@consume".to_owned(), exact((heap / 3.0).round(), Unit::Bytes)),
                ("rss.peak_bytes".to_owned(), noisy(&rss, Unit::Bytes)),
            ]),
        }
    };
    let sweep: Vec<SweepPoint> = sizes.into_iter().map(point).collect();
    let largest = sweep.last().cloned();
    Case {
        case: format!("sync/law:{strategy}"),
        corpus: largest.as_ref().map(|point| point.corpus.clone()),
        metrics: largest.map(|point| point.metrics).unwrap_or_default(),
        sweep,
        ..Case::default()
    }
}
