//! Runs that someone means ill with.

use harness::record::Run;
use serde_json::Value;

/// The run with a text before every text and every name of a metric.
pub(crate) fn poisoned(run: &Run, with: &str) -> Run {
    let mut value = serde_json::to_value(run).unwrap();
    poison(&mut value, with, false);
    serde_json::from_value(value).unwrap()
}

/// The same, but metrics have their names, so that everything is drawn that a page draws of them.
pub(crate) fn poisoned_beside_metrics(run: &Run, with: &str) -> Run {
    let whole = serde_json::to_value(run).unwrap();
    let mut value = serde_json::to_value(poisoned(run, with)).unwrap();
    restore(&mut value, &whole, with);
    serde_json::from_value(value).unwrap()
}

/// Gives metrics their names back.
fn restore(value: &mut Value, whole: &Value, with: &str) {
    match (value, whole) {
        (Value::Array(all), Value::Array(whole)) => {
            all.iter_mut().zip(whole).for_each(|(each, whole)| restore(each, whole, with));
        }
        (Value::Object(map), Value::Object(whole)) => {
            for (name, each) in std::mem::take(map) {
                let name = name.strip_prefix(with).map_or(name.clone(), str::to_owned);
                let mut each = each;
                if name == "metric" {
                    each = whole[&name].clone();
                }
                restore(&mut each, &whole[&name], with);
                map.insert(name, each);
            }
        }
        _ => {}
    }
}

/// Puts a text before every text and every key of a map that stands below `metrics`.
fn poison(value: &mut Value, with: &str, keys: bool) {
    match value {
        Value::String(text) => text.insert_str(0, with),
        Value::Array(all) => all.iter_mut().for_each(|each| poison(each, with, false)),
        Value::Object(map) => {
            for (name, each) in std::mem::take(map) {
                let mut each = each;
                // These are the names of enumerations, which no other text can replace.
                if !["tier", "unit", "direction", "verdict", "moment"].contains(&name.as_str()) {
                    poison(&mut each, with, name == "metrics");
                }
                map.insert(if keys { format!("{with}{name}") } else { name }, each);
            }
        }
        _ => {}
    }
}
