//! Histories that were written, read back by a walk of their own.

use serde_json::Value;

use super::*;

const ALL: &[Provider] = &[Provider::Claude, Provider::Codex, Provider::Gemini];

fn shape(texts: Texts) -> Shape {
    Shape { sessions: 6, events: 400, texts, providers: ALL, seed: 3 }
}

fn written(shape: &Shape) -> (tempfile::TempDir, History) {
    let home = tempfile::tempdir().unwrap();
    let history = write(home.path(), shape).unwrap();
    (home, history)
}

/// Events of a file by a walk of its own: of Codex each text is counted where the other record of it is not.
fn events_in(provider: Provider, text: &str) -> usize {
    if provider == Provider::Gemini {
        return serde_json::from_str::<Value>(text).unwrap()["messages"].as_array().unwrap().len();
    }
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_event = |record: &Value| match provider {
        Provider::Claude => record["message"].is_object(),
        _ => {
            let payload = &record["payload"];
            record["type"] == "event_msg" || record["type"] == "response_item" && payload["role"].is_null()
        }
    };
    records.filter(is_event).count()
}

#[test]
fn each_session_has_exactly_its_events() {
    let (home, history) = written(&shape(Texts::Realistic { mean_bytes: 500 }));
    for session in &history.sessions {
        let text = fs::read_to_string(home.path().join(&session.path)).unwrap();
        assert_eq!(
            (session.events.len(), events_in(session.provider, &text)),
            (400, 400),
            "{}",
            session.path
        );
    }
    let mut ids: Vec<&String> = history.sessions.iter().map(|session| &session.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    let commands: usize = history
        .sessions
        .iter()
        .map(|session| fs::read_to_string(home.path().join(&session.path)).unwrap())
        .map(|text| {
            text.lines().filter(|line| line.contains("::capture on") && !line.contains("input_text")).count()
        })
        .sum();
    assert_eq!(history.commands(), commands as u64);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let shape = shape(Texts::Realistic { mean_bytes: 100 });
    let ((one, first), (other, second)) = (written(&shape), written(&shape));
    assert_eq!((first.digest(), first.bytes), (second.digest(), second.bytes));
    for session in &first.sessions {
        let read = |home: &tempfile::TempDir| fs::read(home.path().join(&session.path)).unwrap();
        assert_eq!(read(&one), read(&other));
    }
    let (_, third) = written(&Shape { seed: 4, ..shape });
    assert_ne!(first.digest(), third.digest());
}

#[test]
fn texts_have_the_mean_that_was_asked_for() {
    let mut session = Written::new(&shape(Texts::Realistic { mean_bytes: 2000 }), 0);
    let mut bytes = 0;
    for _ in 0..20_000 {
        let kind = session.next_kind();
        bytes += session.text(kind).len();
        session.event(&mut String::new());
    }
    let mean = bytes as f64 / 20_000.0;
    assert!((1_900.0..2_100.0).contains(&mean), "{mean}");
}

#[test]
fn fixed_texts_have_their_length_and_no_command() {
    let (home, history) = written(&shape(Texts::Fixed { chars: 20 }));
    assert_eq!(history.commands(), 0);
    let session = &history.sessions[0];
    let text = fs::read_to_string(home.path().join(&session.path)).unwrap();
    let first: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(first["message"]["content"].as_str().unwrap().chars().count(), 20);
}

#[test]
fn a_session_goes_on_as_if_it_had_been_longer() {
    for provider in 0..ALL.len() {
        let providers = &ALL[provider..=provider];
        let texts = Texts::Realistic { mean_bytes: 100 };
        let (short_home, mut short) = written(&Shape { sessions: 1, events: 10, texts, providers, seed: 5 });
        let (long_home, long) = written(&Shape { sessions: 1, events: 11, texts, providers, seed: 5 });
        let session = &mut short.sessions[0];
        let file = fs::read_to_string(short_home.path().join(&session.path)).unwrap();
        let file = grown(file, session);
        assert_eq!(file, fs::read_to_string(long_home.path().join(&session.path)).unwrap());
        assert_eq!(Digester::of(&short.sessions), long.digest());
    }
}
