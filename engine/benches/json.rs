//! The cutting reader against what bounds it: reading, finding line ends, finding quotes and backslashes; and against plain parses.
//!
//! All run over memory, so that one figure can be divided by another. The reader drops every string longer than 64 units.

use std::hint::black_box;
use std::io::{Read, sink};
use std::marker::PhantomData;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use highwater_engine::json::cut::{Caps, CutReader};
use highwater_engine::json::text::Measure;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

const CAPS: Caps = Caps { by_key: &[("message", 500), ("requestId", 128), ("uuid", 128)], other: 64 };
const BYTES: usize = 4 << 20;

// ---- Synthetic texts ----

/// A few thousand words of a text, the same each time.
struct Words {
    state: u64,
    words: &'static [&'static str],
}

impl Words {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A text of about so many bytes, with a line end about every `line` words, and blocks of code.
    fn text(&mut self, bytes: usize, line: u64) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            text += self.words[self.next() as usize % self.words.len()];
            let choice = self.next();
            match (choice % line, choice % 11) {
                (0, 0) => text += "\n```rust\nlet a = \"b\";\n\treturn;\n```\n",
                (0, _) => text.push('\n'),
                _ => text.push(' '),
            }
        }
        text
    }
}

fn words(words: &'static [&'static str]) -> Words {
    Words { state: 0x9E37_79B9_7F4A_7C15, words }
}

const ENGLISH: &[&str] = &[
    "session", "the", "memory", "of", "reads", "strings", "a", "bounded", "buffer", "and", "returns", "high",
    "water",
];
const CHINESE: &[&str] = &["会话", "内存", "的", "读取", "字符串", "缓冲区", "高水位", "返回"];
const EMOJI: &[&str] =
    &["session", "the", "memory", "of", "reads", "é", "done ✅", "strings", "bounded", "🦀", "buffer"];
const ESCAPES: &[&str] = &["\"a\"", "C:\\b", "\tx", "\"", "\\n", "\n", "{\"k\": \"v\"}"];

/// One document of requests, as VS Code writes it.
fn document(mut words: Words, line: u64) -> Vec<u8> {
    let mut requests = Vec::new();
    let mut bytes = 0;
    while bytes < BYTES {
        let parts: Vec<Value> =
            (0..6).map(|_| json!({"kind": "markdown", "value": words.text(6_000, line)})).collect();
        bytes += 36_000;
        requests.push(json!({
            "requestId": format!("request_{bytes}"), "timestamp": bytes, "message": {"text": words.text(800, line)},
            "response": parts, "modelId": "copilot/model", "isCanceled": false, "result": {"metadata": {"promptTokens": bytes}},
        }));
    }
    serde_json::to_vec(&json!({"sessionId": "s", "requests": requests})).expect("a value can be written")
}

/// Lines, as Claude Code writes them.
fn lines() -> Vec<u8> {
    let mut words = words(ENGLISH);
    let mut out = Vec::new();
    while out.len() < BYTES {
        let size = [200, 900, 2_500, 12_000, 40_000][words.next() as usize % 5];
        let line = json!({
            "parentUuid": "0a1b2c3d-0000-4000-8000-000000000000", "uuid": format!("0a1b2c3d-0000-4000-8000-{:012}", out.len()),
            "type": "assistant", "cwd": "/home/user/project", "sessionId": "0a1b2c3d-1111-4000-8000-000000000000",
            "version": "2.0.1", "gitBranch": "main", "timestamp": "2026-01-01T00:00:00.000Z", "requestId": "req_011",
            "message": {
                "id": "msg_01", "role": "assistant", "model": "model", "content": [{"type": "text", "text": words.text(size, 12)}],
                "usage": {"input_tokens": 12, "cache_read_input_tokens": 3456, "output_tokens": 789},
            },
        });
        out.extend(serde_json::to_vec(&line).expect("a value can be written"));
        out.push(b'\n');
    }
    out
}

// ---- Types that keep what the engine keeps ----

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    requests: Vec<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    timestamp: u64,
}

#[derive(Deserialize)]
struct Record {
    uuid: String,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    usage: Usage,
}

#[derive(Deserialize)]
struct Usage {
    output_tokens: u64,
}

// ---- What is measured ----

fn read_only(mut bytes: &[u8], buffer: &mut [u8]) -> usize {
    let mut total = 0;
    while let Ok(read @ 1..) = bytes.read(buffer) {
        total += black_box(&buffer[..read]).len();
    }
    total
}

fn drain(bytes: &[u8]) -> u64 {
    std::io::copy(&mut CutReader::new(bytes, CAPS).document(), &mut sink()).expect("the text is sound")
}

fn typed_document(bytes: &[u8], scratch: &mut Vec<u8>) -> u64 {
    let mut reader = CutReader::new(bytes, CAPS);
    let session = reader.document().read(PhantomData::<Session>, scratch).expect("the text is sound");
    session.requests.iter().map(|request| request.timestamp).sum()
}

fn typed_lines(bytes: &[u8], scratch: &mut Vec<u8>) -> u64 {
    let mut reader = CutReader::new(bytes, CAPS);
    let mut total = 0;
    while let Some(line) = reader.next_line().expect("memory does not fail") {
        let record = line.read(PhantomData::<Record>, scratch).expect("the line is sound");
        total += record.message.usage.output_tokens + record.uuid.len() as u64;
    }
    total
}

fn plain<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> usize {
    let mut texts = 0;
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<T>() {
        black_box(value.expect("the text is sound"));
        texts += 1;
    }
    texts
}

fn benches(criterion: &mut Criterion) {
    let inputs = [
        ("document", document(words(ENGLISH), 12), typed_document as fn(&[u8], &mut Vec<u8>) -> u64),
        ("emoji", document(words(EMOJI), 12), typed_document),
        ("chinese", document(words(CHINESE), 12), typed_document),
        ("escapes", document(words(ESCAPES), 12), typed_document),
        ("lines", lines(), typed_lines),
    ];
    for (name, bytes, typed) in &inputs {
        let mut group = criterion.benchmark_group("json");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group
            .sample_size(20)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        let mut measure = |what: &str, run: &mut dyn FnMut(&[u8]) -> u64| {
            group.bench_with_input(BenchmarkId::new(what, name), bytes, |bench, bytes| {
                bench.iter(|| run(bytes))
            });
        };
        let (mut buffer, mut scratch) = (vec![0; 64 * 1024], Vec::new());
        measure("read", &mut |bytes| read_only(bytes, &mut buffer) as u64);
        measure("memchr newline", &mut |bytes| memchr::memchr_iter(b'\n', bytes).count() as u64);
        measure("memchr2 quote backslash", &mut |bytes| {
            memchr::memchr2_iter(b'"', b'\\', bytes).count() as u64
        });
        measure("cut, drained", &mut |bytes| drain(bytes));
        measure("cut, typed", &mut |bytes| typed(bytes, &mut scratch));
        measure("plain ignored", &mut |bytes| plain::<IgnoredAny>(bytes) as u64);
        measure("plain value", &mut |bytes| plain::<Value>(bytes) as u64);
        group.finish();
    }
    let text = words(ENGLISH).text(BYTES, 12);
    let mut group = criterion.benchmark_group("text");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(20)
        .measurement_time(Duration::from_secs(1));
    group.bench_function("measure", |bench| bench.iter(|| Measure::of(black_box(&text))));
    group.finish();
}

criterion_group!(json, benches);
criterion_main!(json);
