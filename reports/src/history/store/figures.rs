//! The figures of one case of one run, as one value.
//!
//! All series of 10,000 runs with 50 figures each are 500,000 figures. As rows of their own these took 0.19 s to read from SQLite
//! and 0.50 s from PostgreSQL (0.92 s as one array for each series); packed by case and run, 0.02 s and 0.07 s.

use harness::record::Tier;

use super::error::Failed;

/// First byte of every value: its layout.
const LAYOUT: u8 = 1;
/// Flags beside the tier, which takes the lowest two bits.
const HAS_RANGE: u8 = 4;
/// See [`HAS_RANGE`].
const HAS_LIMIT: u8 = 8;
/// A length that stands for no digest.
const NO_CORPUS: u16 = u16::MAX;

/// A figure without its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figure {
    /// Number of the metric.
    pub(super) metric: i64,
    pub(super) tier: Tier,
    pub(super) median: f64,
    pub(super) range: Option<(f64, f64)>,
    pub(super) limit: Option<f64>,
}

/// Packs the figures of a case, and the digest of its corpus.
pub(super) fn pack(corpus: Option<&str>, figures: &[Figure]) -> Result<Vec<u8>, Failed> {
    let mut packed = vec![LAYOUT];
    let length = corpus.map_or(Some(NO_CORPUS), |digest| {
        u16::try_from(digest.len()).ok().filter(|length| *length != NO_CORPUS)
    });
    let length = length.ok_or_else(|| Failed::damaged("the digest of a corpus has over 65,534 bytes"))?;
    packed.extend(length.to_le_bytes());
    packed.extend(corpus.unwrap_or_default().as_bytes());
    for figure in figures {
        let tier = match figure.tier {
            Tier::Exact => 0,
            Tier::Noisy => 1,
            Tier::Modelled => 2,
        };
        let has_range = if figure.range.is_some() { HAS_RANGE } else { 0 };
        let has_limit = if figure.limit.is_some() { HAS_LIMIT } else { 0 };
        packed.extend(figure.metric.to_le_bytes());
        packed.push(tier | has_range | has_limit);
        let (least, greatest) = figure.range.unzip();
        for value in [Some(figure.median), least, greatest, figure.limit].into_iter().flatten() {
            packed.extend(value.to_le_bytes());
        }
    }
    Ok(packed)
}

/// Unpacks: gives the digest of the corpus, and each figure to `each`.
pub(super) fn unpack(packed: &[u8], mut each: impl FnMut(Figure)) -> Result<Option<&str>, Failed> {
    let torn = || Failed::damaged("the figures of a case");
    let mut rest = packed;
    let [layout] = take(&mut rest).ok_or_else(torn)?;
    if layout != LAYOUT {
        return Err(Failed::damaged(format!("the figures of a case have the layout {layout}")));
    }
    let length = u16::from_le_bytes(take(&mut rest).ok_or_else(torn)?);
    let corpus = match length {
        NO_CORPUS => None,
        length => {
            let (digest, after) = rest.split_at_checked(usize::from(length)).ok_or_else(torn)?;
            rest = after;
            Some(std::str::from_utf8(digest).map_err(Failed::damaged)?)
        }
    };
    while !rest.is_empty() {
        each(figure(&mut rest).ok_or_else(torn)?);
    }
    Ok(corpus)
}

fn figure(rest: &mut &[u8]) -> Option<Figure> {
    let metric = i64::from_le_bytes(take(rest)?);
    let [flags] = take(rest)?;
    let tier = match flags & 3 {
        0 => Tier::Exact,
        1 => Tier::Noisy,
        2 => Tier::Modelled,
        _ => return None,
    };
    let mut number = || take(rest).map(f64::from_le_bytes);
    let median = number()?;
    let range = if flags & HAS_RANGE == 0 { None } else { Some((number()?, number()?)) };
    let limit = if flags & HAS_LIMIT == 0 { None } else { Some(number()?) };
    Some(Figure { metric, tier, median, range, limit })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Figure> {
        let plain = Figure { metric: -7, tier: Tier::Exact, median: 0.1, range: None, limit: None };
        let ranged = Figure { tier: Tier::Noisy, range: Some((-1.5, 1e300)), ..plain };
        let limited = Figure { metric: i64::MAX, tier: Tier::Modelled, limit: Some(3.0), ..plain };
        vec![plain, ranged, limited, Figure { limit: Some(8.0), ..ranged }]
    }

    #[test]
    fn figures_come_out_as_they_went_in() {
        for corpus in [None, Some(""), Some("a1b2")] {
            let packed = pack(corpus, &some()).unwrap();
            let mut found = Vec::new();
            assert_eq!(unpack(&packed, |figure| found.push(figure)).unwrap(), corpus);
            assert_eq!(found, some());
        }
    }

    #[test]
    fn a_value_that_is_cut_off_within_a_figure_is_damaged() {
        let whole = pack(Some("a1b2"), &some()).unwrap();
        let mut ends = Vec::new();
        for end in 0..whole.len() {
            if unpack(&whole[..end], |_| ()).is_ok() {
                ends.push(end);
            }
        }
        // After the digest, and after each figure but the last.
        assert_eq!(ends, [7, 24, 57, 82]);
    }

    #[test]
    fn another_layout_is_not_guessed_at() {
        let mut packed = pack(None, &some()).unwrap();
        packed[0] = 2;
        assert!(unpack(&packed, |_| ()).unwrap_err().to_string().contains("layout 2"));
    }
}
