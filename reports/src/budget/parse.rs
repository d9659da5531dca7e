//! From the text of `budgets.toml` to [`Budgets`]; everything unknown is refused where it stands.

use std::ops::Range;
use std::path::Path;

use harness::record::Unit;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Budget, Budgets, Growth, Limit, Order, read_quantity};
use crate::{Error, metric};

const BUDGET_KEYS: &[&str] =
    &["case", "metric", "ceiling", "ceiling_metric", "ratio", "growth", "floor", "reason", "tripwire"];
const LIMIT_KEYS: &[&str] = &["ceiling", "ceiling_metric", "ratio", "growth", "floor"];
const ORDER_KEYS: &[&str] = &["metric", "cases", "reason"];
const RATIO_KEYS: &[&str] = &["of", "at_most"];

type Value<'t> = Spanned<DeValue<'t>>;

/// Where in the text something is wrong, and what.
struct Wrong(Range<usize>, String);

pub(super) fn budgets(text: &str, path: &Path) -> Result<Budgets, Error> {
    let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    file(text, &line_of).map(|(budgets, orders)| Budgets { path: path.to_owned(), budgets, orders }).map_err(
        |Wrong(span, message)| Error::Budget { path: path.to_owned(), line: line_of(span.start), message },
    )
}

fn file(text: &str, line_of: &dyn Fn(usize) -> usize) -> Result<(Vec<Budget>, Vec<Order>), Wrong> {
    let root = DeTable::parse(text)
        .map_err(|error| Wrong(error.span().unwrap_or(0..0), error.message().replace('\n', ", ")))?;
    let root = Table { name: "the file", table: root.get_ref(), span: root.span() };
    root.only(&["budget", "order"])?;
    let mut budgets = Vec::new();
    for entry in root.tables("budget", "[[budget]]")? {
        let budget = budget(&entry, line_of(entry.span.start))?;
        if let Some(first) = budgets.iter().find(|earlier| is_same(earlier, &budget)) {
            let message = format!(
                "a second limit of this kind for {:?} of {:?}; the first is in line {}",
                budget.metric, budget.case, first.line
            );
            return Err(Wrong(entry.span, message));
        }
        budgets.push(budget);
    }
    let mut orders = Vec::new();
    for entry in root.tables("order", "[[order]]")? {
        orders.push(order(&entry, line_of(entry.span.start))?);
    }
    Ok((budgets, orders))
}

fn is_same(a: &Budget, b: &Budget) -> bool {
    let kind = |budget: &Budget| std::mem::discriminant(&budget.limit);
    let of = |budget: &Budget| match &budget.limit {
        Limit::Ratio { of, .. } => Some(of.clone()),
        _ => None,
    };
    a.case == b.case && a.metric == b.metric && kind(a) == kind(b) && of(a) == of(b)
}

fn budget(entry: &Table<'_>, line: usize) -> Result<Budget, Wrong> {
    entry.only(BUDGET_KEYS)?;
    let metric = entry.metric("metric")?;
    let unit = metric::unit(&metric).expect("an unknown name was refused just now");
    Ok(Budget {
        case: entry.case("case")?,
        limit: limit(entry, unit)?,
        metric,
        reason: entry.reason()?,
        tripwire: entry.switch("tripwire")?,
        line,
    })
}

fn limit(entry: &Table<'_>, unit: Unit) -> Result<Limit, Wrong> {
    let given: Vec<&str> = LIMIT_KEYS.iter().copied().filter(|key| entry.get(key).is_some()).collect();
    let [key] = given[..] else {
        let found = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
        return Err(entry.wrong(format!("one limit of {} is needed, found {found}", LIMIT_KEYS.join(", "))));
    };
    let value = entry.get(key).expect("the key was found just now");
    match key {
        "ceiling" => Ok(Limit::Ceiling(quantity(key, value, unit)?)),
        "floor" => Ok(Limit::Floor(quantity(key, value, unit)?)),
        "ceiling_metric" => other_metric(entry, unit),
        "growth" => growth(value, unit),
        _ => ratio(value),
    }
}

fn other_metric(entry: &Table<'_>, unit: Unit) -> Result<Limit, Wrong> {
    let other = entry.metric("ceiling_metric")?;
    if metric::unit(&other) != Some(unit) {
        return Err(
            entry.wrong(format!("ceiling_metric: {other:?} has another unit than the metric it limits"))
        );
    }
    Ok(Limit::CeilingMetric(other))
}

fn growth(value: &Value<'_>, unit: Unit) -> Result<Limit, Wrong> {
    let percent = value.get_ref().as_str().and_then(|text| text.strip_suffix('%'));
    let Some(percent) = percent else {
        return Ok(Limit::Growth(Growth::By(quantity("growth", value, unit)?)));
    };
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(Limit::Growth(Growth::Percent(percent))),
        _ => Err(Wrong(
            value.span(),
            format!("growth: \"{percent}%\" is not a percentage, write for example \"2 %\""),
        )),
    }
}

fn ratio(value: &Value<'_>) -> Result<Limit, Wrong> {
    let example = "ratio: write { of = \"sync/cold:as-reported\", at_most = 0.04 }";
    let table = value.get_ref().as_table().ok_or_else(|| Wrong(value.span(), example.to_owned()))?;
    let table = Table { name: "ratio", table, span: value.span() };
    table.only(RATIO_KEYS)?;
    let at_most = table.need("at_most")?;
    let part = number(at_most.get_ref())
        .filter(|part| *part > 0.0)
        .ok_or_else(|| Wrong(at_most.span(), "at_most: a number above 0 is needed".to_owned()))?;
    Ok(Limit::Ratio { of: table.exact_case("of")?, at_most: part })
}

fn order(entry: &Table<'_>, line: usize) -> Result<Order, Wrong> {
    entry.only(ORDER_KEYS)?;
    let list = entry.need("cases")?;
    let need = || Wrong(list.span(), "cases: a list of at least two case names is needed".to_owned());
    let items = list.get_ref().as_array().filter(|items| items.len() >= 2).ok_or_else(need)?;
    let mut cases: Vec<String> = Vec::new();
    for item in items {
        let case = exact_case("cases", item)?;
        if cases.contains(&case) {
            return Err(Wrong(item.span(), format!("cases: {case:?} is named twice")));
        }
        cases.push(case);
    }
    Ok(Order { metric: entry.metric("metric")?, cases, reason: entry.reason()?, line })
}

fn quantity(key: &str, value: &Value<'_>, unit: Unit) -> Result<f64, Wrong> {
    let read = match value.get_ref() {
        DeValue::String(text) => read_quantity(text, unit),
        plain => number(plain)
            .filter(|number| *number >= 0.0)
            .ok_or_else(|| "a number of at least 0, or a text such as \"8 MiB\", is needed".to_owned()),
    };
    read.map_err(|message| Wrong(value.span(), format!("{key}: {message}")))
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()? as f64,
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn exact_case(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = case_name(key, value)?;
    if name.contains('*') {
        return Err(Wrong(value.span(), format!("{key}: {name:?} must be one case, without *")));
    }
    Ok(name)
}

fn case_name(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = value.get_ref().as_str().unwrap_or_default();
    let has_parts =
        name.split_once('/').is_some_and(|(family, rest)| !family.is_empty() && rest.contains(':'));
    if !has_parts && !name.contains('*') {
        let message = format!("{key}: {name:?} is not a case, write family/scenario:strategy");
        return Err(Wrong(value.span(), message));
    }
    Ok(name.to_owned())
}

/// A table of the file, with the name that errors give it.
struct Table<'t> {
    name: &'t str,
    table: &'t DeTable<'t>,
    span: Range<usize>,
}

impl<'t> Table<'t> {
    fn wrong(&self, message: String) -> Wrong {
        Wrong(self.span.clone(), message)
    }

    /// Refuses keys that no one would read.
    fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        match self.table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some((key, _)) => {
                let message =
                    format!("unknown key {:?} in {}; known: {}", key.get_ref(), self.name, known.join(", "));
                Err(Wrong(key.span(), message))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn need(&self, key: &str) -> Result<&'t Value<'t>, Wrong> {
        self.get(key).ok_or_else(|| self.wrong(format!("missing key {key:?} in {}", self.name)))
    }

    /// The entries of an array of tables; none when the key is absent.
    fn tables(&self, key: &str, name: &'t str) -> Result<Vec<Table<'t>>, Wrong> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let need = |value: &Value<'_>| Wrong(value.span(), format!("{key}: write each entry as {name}"));
        let items = value.get_ref().as_array().ok_or_else(|| need(value))?;
        let as_table = |item: &'t Value<'t>| {
            let table = item.get_ref().as_table().ok_or_else(|| need(item))?;
            Ok(Table { name, table, span: item.span() })
        };
        items.iter().map(as_table).collect()
    }

    fn metric(&self, key: &str) -> Result<String, Wrong> {
        let value = self.need(key)?;
        let name = value.get_ref().as_str().unwrap_or_default();
        if metric::unit(name).is_none() {
            let hint =
                metric::nearest(name).map(|near| format!(", did you mean {near:?}?")).unwrap_or_default();
            return Err(Wrong(value.span(), format!("{key}: no metric is named {name:?}{hint}")));
        }
        Ok(name.to_owned())
    }

    fn case(&self, key: &str) -> Result<String, Wrong> {
        case_name(key, self.need(key)?)
    }

    fn exact_case(&self, key: &str) -> Result<String, Wrong> {
        exact_case(key, self.need(key)?)
    }

    fn reason(&self) -> Result<String, Wrong> {
        let value = self.need("reason")?;
        match value.get_ref().as_str().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(reason.to_owned()),
            _ => Err(Wrong(value.span(), "reason: say why the limit is what it is".to_owned())),
        }
    }

    fn switch(&self, key: &str) -> Result<bool, Wrong> {
        let Some(value) = self.get(key) else {
            return Ok(false);
        };
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| Wrong(value.span(), format!("{key}: true or false is needed")))
    }
}
