//! Bytes: of presets, of single tools, and of all that is told until a call is done.

use super::*;

fn json_bytes(plan: &Plan, number: usize) -> u64 {
    Script::stored(plan, number)
        .map(|step| match step.act {
            Act::Message(value) | Act::Part(value) => value.to_string().len() as u64,
            _ => 0,
        })
        .sum()
}

fn assert_near(bytes: u64, expected: u64, per_cent: u64, what: &str) {
    let most = expected * per_cent / 100;
    assert!(bytes.abs_diff(expected) <= most, "{what}: {bytes} is not {expected} +- {per_cent} %");
}

#[test]
fn presets_have_their_sizes() {
    for seed in 0..12 {
        assert_near(json_bytes(&Plan::light(seed), 0), 3_000_000, 15, &format!("light {seed}"));
    }
    let heavy: Vec<u64> = (0..10).map(|number| json_bytes(&Plan::heavy(1), number)).collect();
    let shares = [1_000, 417, 1_667, 708, 1_292, 833, 1_167, 583, 1_500, 833];
    for (number, (bytes, share)) in heavy.iter().zip(shares).enumerate() {
        assert_near(*bytes, 12_000 * share, 15, &format!("heavy {number}"));
    }
    assert_near(heavy.iter().sum(), 120_000_000, 8, "heavy");
    assert_near(json_bytes(&Plan::legacy(1), 0), 90_000_000, 15, "legacy");
    let patching = Plan { mix: PATCHING, family: Family::Gpt, ..Plan::heavy(2) };
    assert_near(json_bytes(&patching, 0), 12_000_000, 15, "patching");
}

#[test]
fn a_summary_can_be_as_large_as_the_largest_that_was_seen() {
    let plan = Plan { large_summary_bytes: 22_500_000, ..Plan::legacy(1) };
    let messages = Script::stored(&plan, 0).filter_map(|step| match step.act {
        Act::Message(value) => Some(value.to_string().len() as u64),
        _ => None,
    });
    let largest = messages.max().unwrap();
    assert!((22_500_000..27_000_000).contains(&largest), "{largest}");
    assert_near(json_bytes(&plan, 0), 90_000_000, 15, "legacy with a large summary");
}

fn parts(acts: Vec<Act>) -> Vec<Value> {
    let part = |act| if let Act::Part(part) = act { Some(part) } else { None };
    acts.into_iter().filter_map(part).filter(|part| part["type"] == "tool").collect()
}

#[test]
fn a_command_that_is_told_piece_by_piece_costs_as_much_as_was_measured() {
    let payload = Payload { chunks: 2_000, ..Payload::of(1, 400_000) };
    let (mut bytes, mut updates) = (0, 0);
    for part in parts(tool_call(Tool::Bash, &payload)) {
        if part["state"]["status"] == "running" {
            let output = part["state"]["metadata"]["output"].as_str().unwrap_or_default();
            assert!(output.chars().count() <= 30_000);
            updates += 1;
        }
        bytes += part.to_string().len() as u64;
    }
    assert_eq!(updates, 2_001);
    assert_near(bytes, 59_000_000, 5, "updates");
}

#[test]
fn ten_files_of_fifty_kibibytes_cost_as_much_as_was_measured() {
    let files = (0..10).map(|seed| FileState::edited(info::path(seed), seed as u64, 50 * 1024, Width::Ascii));
    let diff: Vec<Value> = files.map(|file| file.value()).collect();
    assert_near(Value::from(diff).to_string().len() as u64, 1_046_126, 2, "diff");
}

#[test]
fn an_edit_tells_both_files_twice() {
    let parts = parts(tool_call(Tool::Edit, &Payload::of(3, 20_000)));
    let bytes: usize = parts.iter().map(|part| part.to_string().len()).sum();
    let last = parts.last().unwrap();
    let of = |path: &str| last.pointer(path).unwrap().to_string().len();
    let contents =
        ["/state/metadata/diff", "/state/metadata/filediff/before", "/state/metadata/filediff/after"];
    let once: usize = contents.iter().map(|path| of(path)).sum();
    assert!(once > 40_000, "{once}");
    assert!((2 * once..2 * once + 8_000).contains(&bytes), "{bytes} for twice {once}");
}

#[test]
fn every_tool_can_be_asked_for_as_large_as_its_heavy_field_is() {
    let payload = Payload { attachment_bytes: 1_500_000, ..Payload::of(5, 200_000) };
    for (tool, id) in TOOLS {
        let parts = parts(tool_call(tool, &payload));
        let last = parts.last().unwrap();
        assert_eq!((&last["tool"], &last["state"]["status"]), (&Value::from(id), &Value::from("completed")));
        let url = last["state"]["attachments"][0]["url"].as_str().unwrap();
        assert_eq!(url.len(), 22 + 2_000_000);
        let rest = last.to_string().len() - url.len();
        let least = match tool {
            Tool::Multiedit => 800_000,
            Tool::Write | Tool::Todowrite => 600_000,
            Tool::Read | Tool::Edit | Tool::ApplyPatch | Tool::Todoread | Tool::Lsp | Tool::Batch => 400_000,
            Tool::Bash => 230_000,
            _ => 200_000,
        };
        assert!((least..least * 5 / 4 + 10_000).contains(&rest), "{id}: {rest}");
    }
    let failed = Payload { fails: true, ..Payload::of(5, 200_000) };
    let failed = parts(tool_call(Tool::Lsp, &failed)).pop().unwrap();
    assert!(failed["state"]["error"].as_str().unwrap().len() > 199_000);
}

#[test]
fn an_image_has_the_characters_of_its_bytes() {
    for (bytes, chars) in [(0, 22), (1, 26), (2, 26), (3, 26), (4, 30), (2_250_000, 3_000_022)] {
        let url = words::data_url(9, bytes);
        assert_eq!(url.len(), chars);
        assert_eq!(url.matches('=').count(), [0, 2, 1][bytes % 3]);
    }
}

#[test]
fn a_width_changes_characters_but_not_bytes() {
    for bytes in [0, 1, 2, 7, 500, 5_000, 200_000] {
        for width in [Width::Ascii, Width::Marked, Width::Cjk] {
            let text = words::text(4, bytes, width);
            assert!(text.len() <= bytes && text.len() + 3 > bytes, "{} of {bytes}", text.len());
            let marks = text.matches('…').count();
            match width {
                Width::Ascii => assert!(text.is_ascii()),
                Width::Marked => assert_eq!(marks, usize::from(bytes >= 4_000)),
                Width::Cjk if bytes > 100 => {
                    let wide = text.chars().filter(|c| *c > '\u{2fff}').count();
                    assert!(wide * 3 > bytes / 2, "{wide} of {bytes}");
                }
                Width::Cjk => {}
            }
        }
    }
}

/// Bytes of all that is told of edits, and of nothing else.
fn edit_bytes(spread: Spread) -> u64 {
    let plan = Plan {
        turns: 40,
        calls: 240,
        mix: &[(Tool::Edit, 1)],
        touch: Touch::Any(16),
        file_bytes: 20_000,
        spread,
        session_bytes: None,
        failed_per_mille: 0,
        ..Plan::light(2)
    };
    let tool = |step: Step| {
        record(&step.act).filter(|(_, value)| value["type"] == "tool").map(|(_, value)| value.to_string())
    };
    Script::of(&plan, 0).filter_map(tool).map(|json| json.len() as u64).sum()
}

#[test]
fn many_edits_cost_as_much_as_was_reckoned() {
    assert_near(edit_bytes(Spread::None), 20_000_000, 10, "240 edits of 20 KB");
    assert_near(edit_bytes(Spread::LogNormal), 29_000_000, 15, "240 edits of 20 KB, log-normal");
}
