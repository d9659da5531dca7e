//! Adds a dated exception to a file of budgets.

use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;
use toml_edit::Value;

use super::ended_like;
use crate::budget::{Budget, Budgets, Limit, matches};
use crate::{Error, figure, metric};

/// Days that a waiver may hold at most: what is excused for longer is no exception but the limit.
pub const LONGEST_DAYS: i32 = 366;

/// The exception that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// An exact case name.
    pub case: String,
    /// The metric whose limits may be broken.
    pub metric: String,
    /// Up to this figure, as it is written in the file: `8 MiB`, `12`.
    pub ceiling: String,
    /// Where the problem is followed.
    pub issue: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// Adds a waiver to the end of a file; everything before it stays byte for byte.
///
/// # Errors
/// Occurs when the file cannot be read, when it has a waiver for this already, when the day has passed or is too far, and when there is
/// nothing to excuse: no such limit, or one that allows the ceiling.
pub fn waive(text: &str, path: &Path, wanted: &Wanted, today: Date) -> Result<String, Error> {
    let refused = |message: String| Error::Unchanged { path: path.to_owned(), message };
    let budgets = Budgets::parse(text, path)?;
    check_day(wanted.expires, today).map_err(refused)?;
    let is_same = |case: &str, metric: &str| case == wanted.case && metric == wanted.metric;
    if let Some(earlier) = budgets.waivers.iter().find(|waiver| is_same(&waiver.case, &waiver.metric)) {
        return Err(refused(format!(
            "line {} has a waiver for {} of {} already: change that one",
            earlier.line, earlier.metric, earlier.case
        )));
    }
    let changed = format!("{text}{}", ended_like(text, missing_end(text).to_owned() + &entry(wanted)));
    // Whatever is wrong with the new entry is found by reading it as the gate will.
    let read = Budgets::parse(&changed, path)?;
    let ceiling = read.waivers.last().expect("a waiver was added just now").ceiling;
    check_need(&budgets, wanted, ceiling).map_err(refused)?;
    Ok(changed)
}

fn check_day(expires: Date, today: Date) -> Result<(), String> {
    if expires < today {
        return Err(format!("a waiver until {expires} would have expired already, today is {today}"));
    }
    match today.checked_add(LONGEST_DAYS.days()) {
        Ok(last) if expires > last => Err(format!(
            "a waiver until {expires} is longer than the {LONGEST_DAYS} days that an exception may hold: until {last} at most"
        )),
        _ => Ok(()),
    }
}

/// A waiver needs a limit that is broken below its ceiling.
fn check_need(budgets: &Budgets, wanted: &Wanted, ceiling: f64) -> Result<(), String> {
    let Wanted { case, metric, .. } = wanted;
    let is_own =
        |budget: &&Budget| budget.metric == *metric && matches(&budget.case, case) && !budget.tripwire;
    let own: Vec<&Budget> = budgets.budgets.iter().filter(is_own).collect();
    let in_order = budgets.orders.iter().any(|order| order.metric == *metric && order.cases.contains(case));
    let in_sum = budgets.sums.iter().any(|sum| sum.within == *metric && sum.case == *case);
    if in_order || in_sum {
        return Ok(());
    }
    let ceilings: Vec<(f64, usize)> = own.iter().filter_map(|budget| fixed(budget)).collect();
    if own.is_empty() {
        return Err(format!("no limit of {metric} holds for {case}, so there is nothing to excuse"));
    }
    if let Some(floor) = own.iter().find(|budget| matches!(budget.limit, Limit::Floor(_))) {
        return Err(format!(
            "line {} is a floor, and a waiver, which has a ceiling, would excuse whatever is below",
            floor.line
        ));
    }
    let least = ceilings.iter().copied().reduce(|a, b| if b.0 < a.0 { b } else { a });
    match least {
        // Of a growth or a part of another case nobody knows yet what it will allow.
        Some((limit, line)) if ceilings.len() == own.len() && ceiling <= limit => Err(format!(
            "line {line} allows {} of {metric} already, so a waiver up to {} excuses nothing",
            shown(limit, metric),
            shown(ceiling, metric)
        )),
        _ => Ok(()),
    }
}

fn fixed(budget: &Budget) -> Option<(f64, usize)> {
    match budget.limit {
        Limit::Ceiling(limit) => Some((limit, budget.line)),
        _ => None,
    }
}

fn shown(value: f64, name: &str) -> String {
    figure::short(value, metric::unit(name).unwrap_or(harness::record::Unit::Count))
}

/// What ends the last line, and an empty line after it.
fn missing_end(text: &str) -> &'static str {
    let mut last = text.rsplit('\n').map(|line| line.trim_end_matches('\r'));
    match (text, last.next(), last.next()) {
        ("", ..) | (_, Some(""), Some("")) => "",
        (_, Some(""), _) => "\n",
        _ => "\n\n",
    }
}

fn entry(wanted: &Wanted) -> String {
    let Wanted { case, metric, ceiling, issue, owner, expires } = wanted;
    let text = |text: &str| Value::from(text).to_string();
    let ceiling = match ceiling.trim() {
        // A count is a plain number in the file, too.
        plain if plain.parse::<f64>().is_ok_and(f64::is_finite) => plain.to_owned(),
        quantity => text(quantity),
    };
    let [case, metric, issue, owner] = [case, metric, issue, owner].map(|each| text(each));
    format!(
        "[[waiver]]\ncase = {case}\nmetric = {metric}\nceiling = {ceiling}\nissue = {issue}\nowner = {owner}\nexpires = {expires}\n"
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const FILE: &str = "budgets.toml";
    const TODAY: Date = date(2026, 1, 1);
    const LIMITS: &str = "# of ours\n[[budget]] # peak\ncase = \"a/b:*\"\nmetric = \"heap.peak_bytes\"\nceiling = \"8 MiB\"\nreason = \"so\"\n";

    fn wanted() -> Wanted {
        Wanted {
            case: "a/b:c".to_owned(),
            metric: "heap.peak_bytes".to_owned(),
            ceiling: "9 MiB".to_owned(),
            issue: "#7".to_owned(),
            owner: "ada".to_owned(),
            expires: date(2026, 1, 31),
        }
    }

    fn with(wanted: &Wanted) -> Result<String, String> {
        waive(LIMITS, Path::new(FILE), wanted, TODAY).map_err(|error| error.to_string())
    }

    #[test]
    fn a_waiver_is_added_at_the_end_and_all_else_stays() {
        let text = with(&wanted()).unwrap();
        assert_eq!(
            text,
            format!(
                "{LIMITS}\n[[waiver]]\ncase = \"a/b:c\"\nmetric = \"heap.peak_bytes\"\nceiling = \"9 MiB\"\nissue = \"#7\"\nowner = \"ada\"\nexpires = 2026-01-31\n"
            )
        );
        let read = Budgets::parse(&text, Path::new(FILE)).unwrap().waivers.remove(0);
        assert_eq!(read.in_words(), "waived up to 9 MiB until 2026-01-31 (ada, #7)");
    }

    #[test]
    fn a_last_line_is_ended_before_a_waiver_is_added() {
        for text in [LIMITS.trim_end().to_owned(), LIMITS.replace('\n', "\r\n"), format!("{LIMITS}\n")] {
            let changed = waive(&text, Path::new(FILE), &wanted(), TODAY).unwrap();
            assert!(changed.starts_with(&text), "{changed:?}");
            let end = if text.contains('\r') { "\r\n" } else { "\n" };
            assert!(changed.contains(&format!("{end}{end}[[waiver]]{end}case")), "{changed:?}");
        }
    }

    #[test]
    fn a_second_waiver_for_the_same_is_refused_with_the_line_of_the_first() {
        let once = with(&wanted()).unwrap();
        let said = waive(&once, Path::new(FILE), &wanted(), TODAY).unwrap_err().to_string();
        assert_eq!(
            said,
            "budgets.toml: line 8 has a waiver for heap.peak_bytes of a/b:c already: change that one"
        );
    }

    #[test]
    fn a_day_that_has_passed_or_is_too_far_is_refused() {
        let until = |expires| with(&Wanted { expires, ..wanted() });
        assert!(until(date(2025, 12, 31)).unwrap_err().contains("would have expired already"));
        assert!(until(TODAY).is_ok(), "it holds on its last day");
        assert!(until(date(2027, 1, 2)).is_ok());
        assert!(until(date(2027, 1, 3)).unwrap_err().ends_with("until 2027-01-02 at most"));
    }

    #[test]
    fn a_waiver_that_excuses_nothing_is_refused() {
        let said = with(&Wanted { ceiling: "8 MiB".to_owned(), ..wanted() }).unwrap_err();
        assert_eq!(
            said,
            "budgets.toml: line 2 allows 8 MiB of heap.peak_bytes already, so a waiver up to 8 MiB excuses nothing"
        );
        let said = with(&Wanted { case: "a/x:c".to_owned(), ..wanted() }).unwrap_err();
        assert!(said.ends_with("no limit of heap.peak_bytes holds for a/x:c, so there is nothing to excuse"));
        let tripwire = LIMITS.replace("reason", "tripwire = true\nreason");
        assert!(waive(&tripwire, Path::new(FILE), &wanted(), TODAY).is_err());
        let floor = LIMITS.replace("ceiling", "floor");
        let said = waive(&floor, Path::new(FILE), &wanted(), TODAY).unwrap_err().to_string();
        assert!(said.contains("line 2 is a floor"), "{said}");
        // The same ceiling may excuse a growth.
        let growth = LIMITS.replace("ceiling", "growth");
        assert!(waive(&growth, Path::new(FILE), &wanted(), TODAY).is_ok());
    }

    #[test]
    fn a_waiver_that_the_gate_could_not_read_is_refused() {
        let refused = |wanted: &Wanted, part: &str| {
            let said = with(wanted).unwrap_err();
            assert!(said.contains(part), "{said}");
        };
        refused(&Wanted { ceiling: "8 m".to_owned(), ..wanted() }, "is not a number of bytes");
        refused(&Wanted { owner: " ".to_owned(), ..wanted() }, "owner: who or what is meant?");
        refused(&Wanted { case: "a/b:*".to_owned(), ..wanted() }, "must be one case, without *");
        refused(
            &Wanted { metric: "heap.paek_bytes".to_owned(), ..wanted() },
            "did you mean \"heap.peak_bytes\"?",
        );
    }
}
