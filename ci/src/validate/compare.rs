//! What the manifest says beside what a tool says: exactly, or it is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::validate::deviation::Deviation;

/// Rows of a difference that are shown; more are counted.
const SHOWN: usize = 40;

/// Figures by name, of one session or file or of a whole format.
pub(crate) type Figures = BTreeMap<&'static str, u64>;

/// One comparison of a tool with the manifest.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// The format that was read.
    pub(crate) format: &'static str,
    /// What the figures are of, in the plural: `sessions`.
    pub(crate) of: &'static str,
    told: BTreeMap<String, Figures>,
    found: BTreeMap<String, Figures>,
    left_out: BTreeMap<String, &'static Deviation>,
}

/// A figure that differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) of: String,
    pub(crate) figure: &'static str,
    /// What the manifest says, if it knows of such a thing.
    pub(crate) told: Option<u64>,
    pub(crate) found: Option<u64>,
}

impl Comparison {
    pub(crate) fn new(format: &'static str, of: &'static str) -> Self {
        Comparison { format, of, ..Comparison::default() }
    }

    /// Adds what the manifest says.
    pub(crate) fn tell(&mut self, of: &str, figures: &[(&'static str, u64)]) {
        add(&mut self.told, of, figures);
    }

    /// Adds what the tool says.
    pub(crate) fn find(&mut self, of: &str, figures: &[(&'static str, u64)]) {
        add(&mut self.found, of, figures);
    }

    /// Leaves something out on both sides, since the tool is known to count it otherwise.
    pub(crate) fn leave_out(&mut self, of: &str, why: &'static Deviation) {
        self.left_out.insert(of.to_owned(), why);
    }

    /// How many things are compared.
    pub(crate) fn compared(&self) -> usize {
        self.told.keys().filter(|of| !self.left_out.contains_key(*of)).count()
    }

    /// The deviations that were made use of, and for how many things each.
    pub(crate) fn deviations(&self) -> BTreeMap<&'static str, usize> {
        let mut used = BTreeMap::new();
        for why in self.left_out.values() {
            *used.entry(why.quirk).or_default() += 1;
        }
        used
    }

    /// Sums of what is compared, as the manifest has them.
    pub(crate) fn totals(&self) -> Figures {
        let mut totals = Figures::new();
        for (_, figures) in self.told.iter().filter(|(of, _)| !self.left_out.contains_key(*of)) {
            for (name, count) in figures {
                *totals.entry(name).or_default() += count;
            }
        }
        totals
    }

    /// Every figure that differs.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let all: BTreeSet<&String> = self.told.keys().chain(self.found.keys()).collect();
        let mut differences = Vec::new();
        for of in all.into_iter().filter(|of| !self.left_out.contains_key(*of)) {
            let (told, found) = (self.told.get(of), self.found.get(of));
            let names: BTreeSet<&'static str> =
                told.into_iter().chain(found).flat_map(|figures| figures.keys().copied()).collect();
            for figure in names {
                let of_side = |side: Option<&Figures>| side.and_then(|figures| figures.get(figure).copied());
                let (told, found) = (of_side(told), of_side(found));
                if told != found {
                    differences.push(Difference { of: of.clone(), figure, told, found });
                }
            }
        }
        differences
    }
}

fn add(side: &mut BTreeMap<String, Figures>, of: &str, figures: &[(&'static str, u64)]) {
    let own = side.entry(of.to_owned()).or_default();
    for (name, count) in figures {
        *own.entry(name).or_default() += count;
    }
}

/// A table of differences.
pub(crate) fn table(differences: &[Difference]) -> String {
    let mut table = format!("{:>16} {:>16}  what\n", "manifest", "tool");
    for row in differences.iter().take(SHOWN) {
        let side = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        table += &format!("{:>16} {:>16}  {} of {}\n", side(row.told), side(row.found), row.figure, row.of);
    }
    if differences.len() > SHOWN {
        table += &format!("{:>16} {:>16}  and {} more\n", "", "", differences.len() - SHOWN);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::deviation::{DEVIATIONS, Rule};

    fn comparison() -> Comparison {
        let mut comparison = Comparison::new("claude", "sessions");
        comparison.tell("a", &[("input", 3), ("output", 4)]);
        comparison.find("a", &[("input", 1), ("output", 4)]);
        comparison.find("a", &[("input", 2)]);
        comparison
    }

    #[test]
    fn equal_figures_give_no_difference_also_when_they_come_in_parts() {
        assert_eq!(comparison().differences(), []);
        assert_eq!(comparison().totals(), Figures::from([("input", 3), ("output", 4)]));
    }

    #[test]
    fn what_only_one_side_knows_is_a_difference() {
        let mut comparison = comparison();
        comparison.tell("b", &[("input", 0)]);
        comparison.find("c", &[("input", 5)]);
        let differences = comparison.differences();
        assert_eq!(
            differences,
            [
                Difference { of: "b".to_owned(), figure: "input", told: Some(0), found: None },
                Difference { of: "c".to_owned(), figure: "input", told: None, found: Some(5) },
            ]
        );
        assert!(table(&differences).contains("               -                5  input of c\n"));
    }

    #[test]
    fn what_is_left_out_is_counted_and_nowhere_compared() {
        let mut comparison = comparison();
        comparison.tell("b", &[("input", 9)]);
        let why = DEVIATIONS.iter().find(|why| matches!(why.rule, Rule::Has)).unwrap();
        comparison.leave_out("b", why);
        assert_eq!(comparison.differences(), []);
        assert_eq!(comparison.compared(), 1);
        assert_eq!(comparison.totals()["input"], 3);
        assert_eq!(comparison.deviations(), BTreeMap::from([(why.quirk, 1)]));
    }
}
