//! From the text of `budgets.toml` to [`Budgets`]; everything unknown is refused where it stands.

use std::path::Path;

use harness::record::Unit;
use toml::de::{DeTable, DeValue};

use super::table::{Table, Value, Wrong, exact_case, metric_name, number};
use super::{Budget, Budgets, Growth, Limit, Order, Place, Sum, Waiver, read_growth, read_quantity};
use crate::{Error, metric};

const BUDGET_KEYS: &[&str] = &[
    "case",
    "metric",
    "ceiling",
    "ceiling_metric",
    "ratio",
    "growth",
    "drift",
    "floor",
    "reason",
    "tripwire",
    "primary",
    "platform",
    "allocator",
];
const LIMIT_KEYS: &[&str] = &["ceiling", "ceiling_metric", "ratio", "growth", "drift", "floor"];
const ORDER_KEYS: &[&str] = &["metric", "cases", "reason"];
const RATIO_KEYS: &[&str] = &["of", "at_most"];
const SUM_KEYS: &[&str] = &["case", "parts", "slack", "within", "container", "reason"];
const WAIVER_KEYS: &[&str] = &["case", "metric", "ceiling", "issue", "owner", "expires"];

/// The keys of each kind of entry, as the schema names it.
#[cfg(test)]
pub(super) const KEYS: &[(&str, &[&str])] =
    &[("Budget", BUDGET_KEYS), ("Order", ORDER_KEYS), ("Sum", SUM_KEYS), ("Waiver", WAIVER_KEYS)];

pub(super) fn budgets(text: &str, path: &Path) -> Result<Budgets, Error> {
    let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let budgets = file(text, path, &line_of).map_err(|Wrong(span, message)| Error::Budget {
        path: path.to_owned(),
        line: line_of(span.start),
        message,
    })?;
    for sum in &budgets.sums {
        sum.check(&budgets).map_err(|message| Error::Budget {
            path: path.to_owned(),
            line: sum.line,
            message,
        })?;
    }
    Ok(budgets)
}

fn file(text: &str, path: &Path, line_of: &dyn Fn(usize) -> usize) -> Result<Budgets, Wrong> {
    let root = DeTable::parse(text)
        .map_err(|error| Wrong(error.span().unwrap_or(0..0), error.message().replace('\n', ", ")))?;
    let root = Table { name: "the file", table: root.get_ref(), span: root.span() };
    root.only(&["budget", "order", "sum", "waiver"])?;
    let mut budgets: Vec<Budget> = Vec::new();
    for entry in root.tables("budget", "[[budget]]")? {
        let budget = budget(&entry, line_of(entry.span.start))?;
        if let Some(first) =
            budgets.iter().find(|earlier| earlier.is_like(&budget) && earlier.place == budget.place)
        {
            let message = format!(
                "a second limit of this kind for {:?} of {:?}; the first is in line {}",
                budget.metric, budget.case, first.line
            );
            return Err(Wrong(entry.span, message));
        }
        budgets.push(budget);
    }
    let line = |entry: &Table<'_>| line_of(entry.span.start);
    let orders = root.tables("order", "[[order]]")?;
    let sums = root.tables("sum", "[[sum]]")?;
    let waivers = root.tables("waiver", "[[waiver]]")?;
    Ok(Budgets {
        path: path.to_owned(),
        budgets,
        orders: orders.iter().map(|entry| order(entry, line(entry))).collect::<Result<_, _>>()?,
        sums: sums.iter().map(|entry| sum(entry, line(entry))).collect::<Result<_, _>>()?,
        waivers: waivers.iter().map(|entry| waiver(entry, line(entry))).collect::<Result<_, _>>()?,
    })
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
        primary: entry.switch("primary")?,
        place: Place { platform: entry.text("platform")?, allocator: entry.text("allocator")? },
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
        "growth" => Ok(Limit::Growth(growth(key, value, unit)?)),
        "drift" => Ok(Limit::Drift(growth(key, value, unit)?)),
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

fn growth(key: &str, value: &Value<'_>, unit: Unit) -> Result<Growth, Wrong> {
    match value.get_ref().as_str() {
        Some(text) => {
            read_growth(text, unit).map_err(|message| Wrong(value.span(), format!("{key}: {message}")))
        }
        None => Ok(Growth::By(quantity(key, value, unit)?)),
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

fn sum(entry: &Table<'_>, line: usize) -> Result<Sum, Wrong> {
    entry.only(SUM_KEYS)?;
    let list = entry.need("parts")?;
    let need = || Wrong(list.span(), "parts: a list of metrics is needed".to_owned());
    let items = list.get_ref().as_array().filter(|items| !items.is_empty()).ok_or_else(need)?;
    let parts = items.iter().map(|item| bytes_metric("parts", item)).collect::<Result<_, _>>()?;
    let bytes = |key: &str| entry.get(key).map(|value| quantity(key, value, Unit::Bytes)).transpose();
    Ok(Sum {
        case: entry.exact_case("case")?,
        parts,
        slack: bytes("slack")?.unwrap_or(0.0),
        within: bytes_metric("within", entry.need("within")?)?,
        container: bytes("container")?,
        reason: entry.reason()?,
        line,
    })
}

fn bytes_metric(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = metric_name(key, value)?;
    match metric::unit(&name) {
        Some(Unit::Bytes) => Ok(name),
        _ => Err(Wrong(value.span(), format!("{key}: {name:?} is no number of bytes"))),
    }
}

fn waiver(entry: &Table<'_>, line: usize) -> Result<Waiver, Wrong> {
    entry.only(WAIVER_KEYS)?;
    let metric = entry.metric("metric")?;
    let unit = metric::unit(&metric).expect("an unknown name was refused just now");
    let said = |key: &str| -> Result<String, Wrong> {
        let value = entry.need(key)?;
        let text = entry.text(key)?.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Wrong(value.span(), format!("{key}: who or what is meant? It must not be empty")));
        }
        Ok(text)
    };
    Ok(Waiver {
        case: entry.exact_case("case")?,
        ceiling: quantity("ceiling", entry.need("ceiling")?, unit)?,
        metric,
        issue: said("issue")?,
        owner: said("owner")?,
        expires: date("expires", entry.need("expires")?)?,
        line,
    })
}

fn date(key: &str, value: &Value<'_>) -> Result<jiff::civil::Date, Wrong> {
    let text = match value.get_ref() {
        DeValue::Datetime(date) => date.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    text.parse()
        .map_err(|_| Wrong(value.span(), format!("{key}: {text:?} is no date, write for example 2026-01-31")))
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
