//! What our rule cuts, of whatever is long.

use serde_json::json;

use crate::*;

#[test]
fn by_the_rule_no_sample_is_long() {
    for part in samples() {
        let slim = slimmed(Slim::Rule, &part);
        let name = format!("{:?} {:?}", part.kind(), part.tool());
        let is_said = matches!(part.kind(), Kind::Text | Kind::Reasoning);
        let mut rest = slim.value().clone();
        if is_said {
            rest["text"] = "".into();
        }
        let (units, patches) = longest(&rest, "");
        assert!(units <= OUTPUT_CAP + 30 && patches <= PATCH_CAP, "{name}: {units} {patches}");
        assert_eq!(unbounded(&rest, 0), None, "{name}");
        assert!(!slim.value().to_string().contains("data:image"), "{name}");
        for key in ["id", "messageID", "sessionID", "type", "tool", "callID"] {
            assert_eq!(slim.value().get(key), part.value().get(key), "{name}: {key}");
        }
        for key in ["status", "title", "time"] {
            assert_eq!(at(&slim, "/state").get(key), at(&part, "/state").get(key), "{name}: {key}");
        }
        let written = part.value().to_string();
        let is_dropped =
            ["data:image", "before", "reasoningEncryptedContent"].iter().any(|what| written.contains(what));
        if written.len() < OUTPUT_CAP && !is_dropped {
            assert_eq!(slim, stripped(&part), "{name}: what is short stays");
        }
    }
}

#[test]
fn by_the_rule_texts_are_cut_whatever_they_are_called() {
    let cut = text(OUTPUT_CAP) + " [... 46000 more characters]";
    for (tool, pointer) in [
        ("read", "/state/output"),
        ("read", "/state/metadata/display/text"),
        ("edit", "/state/input/oldString"),
        ("skill", "/state/output"),
        ("browser_screenshot", "/state/input/script"),
        ("plugin", "/state/error"),
    ] {
        assert_eq!(*at(&slimmed(Slim::Rule, &sample(tool)), pointer), cut, "{tool} {pointer}");
    }
    let pending = call("write", "pending", json!({"input": {}, "raw": text(50_000)}));
    assert_eq!(*at(&slimmed(Slim::Rule, &pending), "/state/raw"), cut);
}

#[test]
fn by_the_rule_an_image_says_what_it_was() {
    let url = image(2_000_022);
    let shot =
        call("x", "completed", json!({"attachments": [{"type": "file", "mime": "image/png", "url": url}]}));
    let omitted = "highwater:omitted;mime=image/png;bytes=1500000";
    assert_eq!(*at(&slimmed(Slim::Rule, &shot), "/state/attachments/0/url"), omitted);
    let file = part("file", json!({"mime": "image/png", "url": url}));
    assert_eq!(slimmed(Slim::Rule, &file).value()["url"], omitted);
}

#[test]
fn by_the_rule_patches_stay_up_to_64000_units_together() {
    let file = |units: usize| json!({"additions": 1, "patch": "x".repeat(units), "before": "b"});
    let files: Vec<Value> = [PATCH_CAP + 1, PATCH_CAP - 10, 11, 10].map(file).into();
    let slim = slimmed(Slim::Rule, &call("mcp", "error", json!({"metadata": {"list": files}})));
    let kept = at(&slim, "/state/metadata/list").as_array().unwrap();
    let units: Vec<Option<usize>> = kept.iter().map(|file| file["patch"].as_str().map(str::len)).collect();
    assert_eq!(units, [None, Some(PATCH_CAP - 10), None, Some(10)]);
    assert_eq!(kept[3].get("before"), None);
    // Without a patch, a unified diff is the patch.
    let diffs =
        json!({"a": {"diff": text(9_000)}, "b": {"diff": text(9_000), "patch": "p"}, "c": {"diff": "d"}});
    let slim = slimmed(Slim::Rule, &call("mcp", "error", json!({"metadata": diffs})));
    assert_eq!(
        *at(&slim, "/state/metadata"),
        json!({"a": {"patch": text(9_000)}, "b": {"patch": "p"}, "c": {"diff": "d"}})
    );
}

#[test]
fn by_the_rule_what_is_much_is_cut_step_by_step() {
    let of = |metadata: Value| slimmed(Slim::Rule, &call("mcp", "completed", json!({"metadata": metadata})));
    let ten = of(vec![text(10_000); 10].into());
    assert_eq!(*at(&ten, "/state/metadata/9"), text(1_000) + " [... 9000 more characters]");
    let fifty = of(vec![text(10_000); 50].into());
    assert_eq!(*at(&fifty, "/state/metadata/49"), text(250) + " [... 9750 more characters]");
    let results = of((0..500).map(|n| json!({"name": n, "out": text(9_000), "more": text(9_000)})).collect());
    let kept = at(&results, "/state/metadata").as_array().unwrap();
    assert_eq!(kept.len(), 65);
    let cut = text(60) + " [... 8940 more characters]";
    assert_eq!(kept[63], json!({"name": 63, "out": cut, "more": cut}));
    assert_eq!(kept[64], json!({OMITTED: 436}));
    let keys =
        of((0..10_000).map(|n| (format!("{n:05}"), n.into())).collect::<serde_json::Map<_, _>>().into());
    assert_eq!(at(&keys, "/state/metadata").as_object().map(serde_json::Map::len), Some(65));
    assert_eq!(at(&keys, "/state/metadata")[OMITTED], 9_936);
}

#[test]
fn by_the_rule_ids_stay_whole_and_others_make_room_for_them() {
    let id = "i".repeat(5_000);
    let metadata = Value::from(vec![text(4_000); 5]);
    let mut value = call("mcp", "completed", json!({"metadata": metadata})).into_value();
    value["id"] = id.as_str().into();
    let slim = slimmed(Slim::Rule, &Part::new(value).unwrap());
    assert_eq!(slim.id(), id);
    assert_eq!(unbounded(slim.value(), 0), None);
}

#[test]
fn by_the_rule_an_entry_with_an_endless_name_is_left_out() {
    let metadata = json!({"k".repeat(KEY_CAP): 1, "l".repeat(KEY_CAP + 1): 2, "m": text(3_000)});
    let slim = slimmed(Slim::Rule, &call("mcp", "completed", json!({"metadata": metadata})));
    assert_eq!(*at(&slim, "/state/metadata"), json!({"k".repeat(KEY_CAP): 1, OMITTED: 1, "m": text(3_000)}));
}

#[test]
fn by_the_rule_what_is_much_at_every_depth_fits_and_keeps_its_names() {
    let many = |inner: Value| -> Value { vec![inner; 70].into() };
    let cube = many(many(many(json!({"content": "c", "k": "v"}))));
    let wide: serde_json::Map<_, _> =
        (0..300).map(|n| (format!("{n:05}"), json!({"a": cube[0][0]}))).collect();
    let state =
        json!({"input": {"filePath": "a.ts", "todos": cube}, "output": text(5_000), "metadata": wide});
    let call = call("server_tool", "completed", state);
    let slim = slimmed(Slim::Rule, &call);
    assert_eq!(unbounded(slim.value(), 0), None);
    assert!(slimmed(Slim::Rule, &slim) == slim);
    for (pointer, kept) in
        [("/tool", "server_tool"), ("/callID", "call_1"), ("/state/input/filePath", "a.ts")]
    {
        assert_eq!(*at(&slim, pointer), kept);
    }
    assert_eq!(*at(&slim, "/state/time"), json!({"start": 1, "end": 2}));
    assert!(at(&slim, "/state/output").as_str().unwrap().ends_with(" [... 4940 more characters]"));
    assert_eq!(at(&slim, "/state/input/todos/0/0/0/content"), "c");
    assert!(at(&slim, "/state/metadata/00000/a").is_array(), "metadata has a share too");
}

#[test]
fn by_the_rule_what_a_person_reads_is_whole_up_to_256_kib() {
    let said = |text: &str| slimmed(Slim::Rule, &part("text", json!({"text": text}))).value()["text"].clone();
    assert_eq!(said(&"x".repeat(TEXT_BYTES)), "x".repeat(TEXT_BYTES));
    assert_eq!(said(&"x".repeat(TEXT_BYTES + 1)), "x".repeat(TEXT_BYTES) + " [... 1 more characters]");
    assert_eq!(said("data:image/png;base64,AAAA is a URL"), "data:image/png;base64,AAAA is a URL");
}

#[test]
fn by_the_rule_a_message_of_a_thousand_files_fits() {
    let [user, _] = messages(1_000, 5_000);
    let slim = slimmed_message(Slim::Rule, &user);
    let (_, patches) = longest(slim.value(), "");
    assert_eq!(unbounded(slim.value(), 0), None);
    assert!(patches > PATCH_CAP - 5_000, "{patches}");
    let diffs = slim.value()["summary"]["diffs"].as_array().unwrap();
    assert_eq!((diffs.len(), &diffs[64]), (65, &json!({OMITTED: 936})));
    assert_eq!((slim.id(), slim.created()), ("msg_1", 5));
}

#[test]
fn by_the_rule_a_short_text_does_not_hold_the_room_of_a_long_one() {
    let Value::String(output) = at(&slimmed(Slim::Rule, &sample("bash")), "/state/output").clone() else {
        panic!()
    };
    let mut part = sample("bash");
    slim::part(Slim::Rule, &mut part);
    let Some(Value::String(cut)) = part.into_value().pointer_mut("/state/output").map(Value::take) else {
        panic!()
    };
    assert_eq!((cut.len(), cut.capacity()), (output.len(), output.len()));
}
