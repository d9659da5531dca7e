//! Why a case grew: the sites behind its failed limits, and the line of the ledger that resident memory is charged to.

use harness::record::{Case, Judgement, Moment, SiteGrowth, Verdict};
use harness::sites::Profile;

use crate::{ledger, metric, sites};

/// How the note begins that charges a growth of resident memory.
const CHARGED: &str = "where it went: ";

/// Metrics of which a number of bytes too much is a number of bytes of sites.
const WHOLE: &[&str] = &[
    "heap.peak_bytes",
    "heap.peak_bound_bytes",
    "heap.total_bytes",
    "heap.retained_bytes",
    "rss.peak_bytes",
    "pss.peak_bytes",
    "tree.peak_low_bytes",
    "tree.peak_high_bytes",
    "jemalloc.allocated_peak_bytes",
    "jemalloc.resident_peak_bytes",
];

/// The moment at which a metric looks at the heap; none for metrics that sites do not explain.
pub fn moment(name: &str) -> Option<Moment> {
    let (plain, _) = metric::split(name);
    match plain {
        "heap.total_bytes" | "heap.total_blocks" | "heap.churn_bytes_per_tick" => Some(Moment::Total),
        "heap.retained_bytes" | "rate.live_bytes_per_tick" | "rate.live_bytes_per_day" => {
            Some(Moment::Retained)
        }
        "heap.peak_bytes"
        | "heap.peak_bound_bytes"
        | "rss.peak_bytes"
        | "pss.peak_bytes"
        | "tree.peak_low_bytes"
        | "tree.peak_high_bytes"
        | "jemalloc.allocated_peak_bytes"
        | "jemalloc.resident_peak_bytes"
        | "law.bytes_per_session"
        | "law.intercept_bytes" => Some(Moment::Peak),
        _ => None,
    }
}

/// Whether the case broke a limit that allocation sites can explain.
pub fn is_wanted(case: &Case) -> bool {
    failed(case).next().is_some()
}

/// The broken limits that sites can explain, each with its moment.
fn failed(case: &Case) -> impl Iterator<Item = (&Judgement, Moment)> {
    let broken = case.verdicts.iter().filter(|found| found.verdict == Verdict::Regression);
    broken.filter_map(|found| Some((found, moment(&found.metric)?)))
}

/// Adds the sites that grew to a case that failed, once for each moment that its broken limits look at. Gives the moments, of which
/// flamegraphs can be drawn.
///
/// # Errors
/// When the profiles were taken on different corpora: then their sites say nothing of the code.
pub fn add_sites(case: &mut Case, base: &Profile, head: &Profile) -> Result<Vec<Moment>, String> {
    case.growth.clear();
    if base.corpus != head.corpus {
        return Err("the profiles were taken on different corpora".to_owned());
    }
    let mut found: Vec<SiteGrowth> = Vec::new();
    let mut broken: Vec<(&Judgement, Moment)> = failed(case).collect();
    // Limits in bytes first, since what would keep them can be said.
    broken.sort_by_key(|(found, _)| !WHOLE.contains(&found.metric.as_str()));
    for (broken, moment) in broken {
        if found.iter().any(|growth| growth.moment == moment) {
            continue;
        }
        let limit = limit_bytes(case, broken, moment, head);
        found.push(SiteGrowth { metric: broken.metric.clone(), ..sites::growth(base, head, moment, limit) });
    }
    case.growth = found;
    Ok(case.growth.iter().map(|growth| growth.moment).collect())
}

/// Bytes that the sites together may have, so that the limit is kept: what they have, less what is too much.
fn limit_bytes(case: &Case, broken: &Judgement, moment: Moment, head: &Profile) -> Option<f64> {
    // Bytes per tick, day or session are no part of what sites add up to, nor is one phase of it.
    let is_whole = case.metrics.contains_key(&broken.metric) && WHOLE.contains(&broken.metric.as_str());
    let too_much = broken.over.filter(|_| is_whole)?;
    Some(head.bytes(moment) as f64 - too_much)
}

/// Notes to which line of the ledger a growth of resident memory is charged, where the limit of that is broken.
pub fn charge(case: &mut Case, base: &Case) {
    case.notes.retain(|note| !note.starts_with(CHARGED));
    let is_resident =
        |found: &Judgement| found.metric == "rss.peak_bytes" && found.verdict == Verdict::Regression;
    if case.verdicts.iter().any(is_resident)
        && let Some(change) = ledger::change(base, case)
    {
        case.notes.push(format!("{CHARGED}{}", change.in_words()));
    }
}

/// The growth that explains a judgement; none where it needs none, or has none.
pub(crate) fn of<'c>(case: &'c Case, found: &Judgement) -> Option<&'c SiteGrowth> {
    if found.verdict != Verdict::Regression {
        return None;
    }
    let moment = moment(&found.metric)?;
    case.growth.iter().find(|growth| growth.moment == moment && !growth.sites.is_empty())
}

#[cfg(test)]
mod tests {
    use harness::record::{Metric, Unit};
    use harness::sites::{Frame, Origin, ProcessSites, Site};

    use super::*;
    use crate::specimen::{exact, noisy};

    fn profile(bytes: u64) -> Profile {
        let frame = Frame {
            function: "parse::keep".to_owned(),
            file: Some("src/parse.rs".to_owned()),
            line: Some(7),
            origin: Origin::Own,
        };
        let site = Site { stack: vec![frame], peak_bytes: bytes, peak_blocks: 1, ..Site::default() };
        let processes = vec![ProcessSites { role: "parent".to_owned(), sites: vec![site] }];
        Profile { processes, ..Profile::default() }
    }

    fn failed_case(metric: &str, value: Metric, over: f64) -> Case {
        let found = Judgement {
            metric: metric.to_owned(),
            verdict: Verdict::Regression,
            over: Some(over),
            ..Judgement::default()
        };
        let metrics = [(metric.to_owned(), value)].into();
        Case { case: "a/b:head".to_owned(), metrics, verdicts: vec![found], ..Case::default() }
    }

    #[test]
    fn a_broken_limit_of_the_heap_names_the_site_and_what_suffices() {
        let mut case = failed_case("heap.peak_bytes", exact(5000.0, Unit::Bytes), 100.0);
        let moments = add_sites(&mut case, &profile(4000), &profile(5000));
        assert_eq!(moments, Ok(vec![Moment::Peak]));
        let growth = of(&case, &case.verdicts[0]).unwrap();
        assert_eq!((growth.sites[0].function.as_str(), growth.enough_sites), ("parse::keep", Some(1)));
    }

    #[test]
    fn profiles_of_different_corpora_are_not_compared() {
        let mut case = failed_case("heap.peak_bytes", exact(5000.0, Unit::Bytes), 100.0);
        let other = Profile { corpus: Some("ffff".to_owned()), ..profile(4000) };
        assert!(add_sites(&mut case, &other, &profile(5000)).is_err());
    }

    #[test]
    fn a_limit_that_sites_do_not_explain_asks_for_none() {
        let case = failed_case("time.wall_seconds", noisy(&[1.0, 2.0], Unit::Seconds), 1.0);
        assert!(!is_wanted(&case));
    }

    #[test]
    fn resident_memory_that_grew_beside_the_heap_is_called_fragmentation() {
        let with = |rss: f64, held: f64| {
            let mut case = failed_case("rss.peak_bytes", noisy(&[rss], Unit::Bytes), 1e6);
            case.metrics.insert("heap.peak_bytes".to_owned(), exact(10e6, Unit::Bytes));
            case.metrics.insert("allocator.held_bytes".to_owned(), noisy(&[held], Unit::Bytes));
            case
        };
        let (base, mut head) = (with(20e6, 12e6), with(50e6, 41e6));
        charge(&mut head, &base);
        charge(&mut head, &base);
        let [note] = &head.notes[..] else { panic!("{:?}", head.notes) };
        assert!(note.starts_with("where it went: RSS +28.6 MiB: heap 0 B, "), "{note}");
        assert!(note.ends_with(": fragmentation"), "{note}");
    }
}
