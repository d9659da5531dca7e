//! What is kept when there is too much.

use serde_json::json;

use super::*;

/// Fits a value and checks that it does.
fn fitted(mut value: Value, budget: usize) -> Value {
    let used = fit("", &mut value, budget);
    assert!(used.is_some_and(|used| used <= budget && json_bytes(&value) <= used), "{used:?} for {value}");
    value
}

#[test]
fn what_fits_stays() {
    let value = json!({"b": [1, {"c": "é\n"}], "a": null});
    let bytes = json_bytes(&value);
    assert!(fits(&value, bytes) && !fits(&value, bytes - 1));
    assert_eq!(fitted(value.clone(), bytes), value);
}

#[test]
fn patches_are_not_counted() {
    let value = json!({"patch": "x".repeat(1000)});
    assert!(fits(&value, 10) && !fits(&value, 9));
    assert!(!fits(&json!({"patch": ["x".repeat(1000)]}), 100));
}

#[test]
fn named_and_plain_entries_are_kept_before_others() {
    let many: Map<String, Value> = (0..10_000).map(|n| (format!("a{n:05}"), n.into())).collect();
    let mut value = Value::Object(many);
    value["type"] = "tool".into();
    value["state"] = json!({"status": "completed", "input": {"x": "y".repeat(500)}});
    value["batch"] = (0..1000).map(|n| json!({"n": n})).collect();
    let kept = fitted(value, 4_000);
    assert_eq!(kept["type"], "tool");
    assert_eq!(kept["state"]["input"]["x"].as_str().map(str::len), Some(500));
    let batch = kept["batch"].as_array().unwrap();
    assert!(batch.len() > 20, "the array has a share: {}", batch.len());
    assert_eq!(batch.last().unwrap()[OMITTED].as_u64(), Some(1001 - batch.len() as u64));
    // All but the three above and the mark itself.
    assert_eq!(kept[OMITTED].as_u64(), Some(10_000 - (kept.as_object().unwrap().len() as u64 - 4)));
}

#[test]
fn nothing_is_left_of_what_has_no_room_for_brackets() {
    assert_eq!(fit("", &mut json!([1, 2, 3]), 6), None);
    assert_eq!(fit("", &mut json!("abc"), 4), None);
}

#[test]
fn what_was_left_out_before_is_counted_too() {
    let mut items: Vec<Value> = (0..100).map(Value::from).collect();
    items.push(json!({OMITTED: 7}));
    let kept = fitted(items.into(), 100);
    let kept = kept.as_array().unwrap();
    assert_eq!(kept.last().unwrap()[OMITTED].as_u64(), Some(107 - (kept.len() as u64 - 1)));
}
