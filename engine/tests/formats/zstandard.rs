//! Rollouts that are compressed.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::codex::{DAY, said};
use crate::{Home, Reading, check};

/// A frame of one block that is stored as it is, with a window that takes `2^(10 + exponent) * (1 + eighths / 8)` bytes.
fn stored(content: &[u8], exponent: u8, eighths: u8) -> Vec<u8> {
    let block = 1 | (content.len() as u32) << 3;
    let header = [0x28, 0xB5, 0x2F, 0xFD, 0, exponent << 3 | eighths];
    [&header[..], &block.to_le_bytes()[..3], content].concat()
}

fn skipped(bytes: &[u8]) -> Vec<u8> {
    [&[0x5F, 0x2A, 0x4D, 0x18][..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

fn compressed(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

fn read(content: &[u8]) -> Reading {
    Home::new().with(&format!("{DAY}/rollout-a.jsonl.zst"), content).read()
}

#[track_caller]
fn expect_refused(what: &str, content: &[u8], why: &str) {
    let reading = read(content);
    assert_eq!((reading.sessions.len(), reading.skipped.files, reading.skipped.lines), (0, 1, 0), "{what}");
    let (path, reason) = &reading.skipped.named[0];
    assert_eq!(&**path, format!("{DAY}/rollout-a.jsonl.zst"));
    assert!(reason.contains(why), "{what}: {reason}");
}

/// Lines of which no two are alike, a megabyte of them: more than any buffer.
fn lines() -> String {
    let mut random = 1_u64;
    let mut word = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:x} ", random >> 40)
    };
    (0..400).map(|_| said(&(0..350).map(|_| word()).collect::<String>()) + "\n").collect()
}

#[test]
fn a_compressed_rollout_is_what_it_was_before() {
    let lines = lines();
    let plain = Home::new().with(&format!("{DAY}/rollout-a.jsonl"), &lines).read();
    assert_eq!(plain.sessions[0].requests.len(), 400);
    let (first, second) = lines.as_bytes().split_at(300_001);
    let frames =
        [compressed(first), skipped(&[7; 70_000]), skipped(b""), compressed(b""), compressed(second)];
    for content in [compressed(lines.as_bytes()), frames.concat(), [skipped(b"x"), frames.concat()].concat()]
    {
        let reading = read(&content);
        assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{:?}", reading.skipped);
        assert_eq!(reading.sessions, plain.sessions);
    }
}

#[test]
fn a_file_that_is_there_uncompressed_too_is_read_once() {
    let home = Home::new().with(&format!("{DAY}/rollout-a.jsonl.zst"), compressed(said("z").as_bytes()));
    let home = home.with(&format!("{DAY}/rollout-a.jsonl"), said("p"));
    let home = home.with(&format!("{DAY}/rollout-b.jsonl.zst"), compressed(said("z").as_bytes()));
    let home = home.with(&format!("{DAY}/rollout-c.zst"), compressed(said("z").as_bytes()));
    let reading = home.read();
    let said: Vec<(&str, &str)> =
        reading.sessions.iter().map(|session| (&*session.head.id, &*session.requests[0].message)).collect();
    assert_eq!(said, [("rollout-a", "p"), ("rollout-b", "z")]);
    assert_eq!(reading.skipped.files, 0);
}

#[test]
fn windows_are_limited() {
    let line = said("a");
    let reading = read(&stored(line.as_bytes(), 13, 0));
    check("eight MiB", &reading.sessions[0].requests, &serde_json::json!([{"message": "a"}]));
    expect_refused("nine MiB", &stored(line.as_bytes(), 13, 1), "window");
    expect_refused("as much as there can be", &stored(line.as_bytes(), 31, 7), "Window");
    let good = stored(line.as_bytes(), 0, 0);
    expect_refused("the second frame", &[good, stored(line.as_bytes(), 21, 0)].concat(), "window");
}

#[test]
fn literals_that_no_block_can_hold_are_refused() {
    // One literal, repeated 2^20 - 1 times.
    let literals = [0xFD, 0xFF, 0xFF, b'x', 0];
    let block = (5_u32 << 3 | 2 << 1 | 1).to_le_bytes();
    let frame = [&[0x28, 0xB5, 0x2F, 0xFD, 0, 13 << 3][..], &block[..3], &literals].concat();
    expect_refused("a million literals", &frame, "its literals are 1048575 bytes");
}

#[test]
fn what_ends_too_early_is_refused() {
    let line = said("a") + "\n17\n";
    let frame = compressed(line.as_bytes());
    for end in 1..frame.len() {
        let reading = read(&frame[..end]);
        assert_eq!((reading.sessions.len(), reading.skipped.files), (0, 1), "{end} of {}", frame.len());
        let reading = read(&[&frame[..], &frame[..end]].concat());
        assert_eq!((reading.sessions.len(), reading.skipped.files), (0, 1), "one, and {end}");
    }
    let skipped = skipped(b"to be skipped");
    for end in 1..skipped.len() {
        let reading = read(&[&frame[..], &skipped[..end]].concat());
        assert_eq!((reading.sessions.len(), reading.skipped.files), (0, 1), "{end} of {}", skipped.len());
    }
    let lines = lines();
    let long = compressed(lines.as_bytes());
    expect_refused("a long file", &long[..long.len() - 1], "cannot be decompressed");
    expect_refused("something else", line.as_bytes(), "cannot be decompressed");
    assert_eq!(read(b"").skipped.files, 0, "no frame is as many as any");
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let lines = (0..30).map(|number| said(&format!("text {number}")) + "\n").collect::<String>();
    let sound = compressed(lines.as_bytes());
    let expected = read(&sound).sessions;
    assert_eq!(expected[0].requests.len(), 30);
    for at in 0..sound.len() {
        for bit in 0..8 {
            let mut damaged = sound.clone();
            damaged[at] ^= 1 << bit;
            let reading = read(&damaged);
            let is_harmless = reading.sessions == expected && reading.skipped.files == 0;
            let is_refused = reading.sessions.is_empty() && reading.skipped.files == 1;
            assert!(is_harmless || is_refused, "bit {bit} of byte {at}: {:?}", reading.skipped);
        }
    }
}
