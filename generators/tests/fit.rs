//! A history's shape: found where it is, reproduced from what was found, and nothing else of it kept.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use highwater_generators::{Corpus, Fit, Format, History, Profile, Quantiles, Spec, ensure, fit};

fn make(dir: &Path, profile: Profile, scale: f64) -> Corpus {
    let spec = Spec { profile, scale, seed: 1 };
    ensure(dir, &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap()
}

fn read(directory: &Path) -> Fit {
    fit(&[directory.to_path_buf()], "mine", &AtomicBool::new(false), &|_| ()).unwrap()
}

/// The main session files of a format, as the manifest tells them: bytes and requests.
fn told(corpus: &Corpus, format: Format) -> Vec<(u64, u64)> {
    let files = corpus.manifest.files.iter();
    let files = files.filter(|file| file.format == format.name() && file.sessions > 0);
    files.map(|file| (file.bytes, file.requests)).collect()
}

/// The requests of each session of a format, as the manifest tells them.
fn told_requests(corpus: &Corpus, format: Format) -> Vec<u64> {
    let of_format = |source: &str| {
        let mut files = corpus.manifest.files.iter();
        files.any(|file| file.path == source && file.format == format.name())
    };
    let sessions = corpus.manifest.answer.sessions_index.iter().filter(|session| of_format(&session.source));
    sessions.map(|session| session.requests).collect()
}

fn near(what: &str, found: f64, wanted: f64, percent: f64) {
    let off = (found - wanted).abs();
    assert!(off <= wanted * percent / 100.0 + 0.5, "{what}: {found} instead of {wanted}");
}

fn quantiles(values: impl Iterator<Item = u64>) -> Quantiles {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    Quantiles::of(&values)
}

/// Bytes of a database without sessions: a page or two for each of its tables and indices.
const SHARED_BYTES: u64 = 65_536;

fn same_quantiles(what: &str, told: Vec<u64>, found: &Quantiles) {
    let wanted = quantiles(told.into_iter());
    for share in [0.5, 0.9, 0.99] {
        near(&format!("{what} at {share}"), found.at(share), wanted.at(share), 10.0);
    }
}

#[test]
fn a_generated_history_has_the_parameters_it_was_made_with() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path(), Profile::Heavy, 0.005);
    let found = read(&corpus.home());
    assert_eq!(found.skipped, []);
    let all: Vec<Format> = found.recipe.histories().map(|(format, _)| format).collect();
    assert_eq!(all, Format::ALL);
    for format in all {
        let history = found.recipe.history(format).unwrap();
        let told = told(&corpus, format);
        let requests: u64 = told.iter().map(|one| one.1).sum();
        near(&format!("{format} requests"), history.requests as f64, requests as f64, 1.0);
        let bytes: u64 = told.iter().map(|one| one.0).sum();
        if history.shapes.contains_key("database") {
            let each = told_requests(&corpus, format);
            assert_eq!(history.sessions, each.len() as u64, "{format}");
            same_quantiles(&format!("{format} requests"), each, &history.quantiles.requests_per_session);
            // What a session takes in its database is reckoned from its rows; what all share counts for none.
            near(&format!("{format} bytes"), history.bytes as f64, (bytes - SHARED_BYTES) as f64, 5.0);
        } else {
            // A directory with subagents alone is a session without a file.
            assert_eq!(history.files - history.subagents, told.len() as u64, "{format}");
            assert_eq!(history.bytes - history.subagent_bytes, bytes, "{format}");
            let (bytes, requests) = told.into_iter().unzip();
            same_quantiles(&format!("{format} bytes"), bytes, &history.quantiles.bytes_per_session);
            same_quantiles(&format!("{format} requests"), requests, &history.quantiles.requests_per_session);
        }
        // Of few sessions it may be any.
        let is_paired = history.sessions < 30 || (0.5..1.0).contains(&history.rank_correlation);
        assert!(is_paired, "{format}: {}", history.rank_correlation);
    }
    let vscode = found.recipe.history(Format::Vscode).unwrap();
    assert_eq!((vscode.roots, vscode.workspaces + vscode.empty_workspaces), (2, 280));
    let terminal = vscode.tools["run_in_terminal"] as f64 / vscode.tools.values().sum::<u64>() as f64;
    near("share of terminal calls", terminal * 100.0, 38.0, 10.0);
}

fn alike(what: &str, found: &History, wanted: &History, scale: f64) {
    type Count = fn(&History) -> u64;
    let counts: [(&str, Count, f64); 5] = [
        ("sessions", |history| history.sessions, 0.5),
        ("workspaces", |history| history.workspaces, 0.5),
        ("files", |history| history.files, 5.0),
        ("bytes", |history| history.bytes, 5.0),
        ("requests", |history| history.requests, 5.0),
    ];
    for (name, count, percent) in counts {
        // What there is at all is there at every scale.
        let scaled = (count(wanted) as f64 * scale).max(count(wanted).min(1) as f64);
        near(&format!("{what} {name}"), count(found) as f64, scaled, percent);
    }
    if scale < 1.0 {
        return;
    }
    near(&format!("{what} subagent bytes"), found.subagent_bytes as f64, wanted.subagent_bytes as f64, 5.0);
    for share in [0.5, 0.9, 0.99] {
        let sizes = |history: &History| history.quantiles.bytes_per_session.at(share);
        near(&format!("{what} bytes at {share}"), sizes(found), sizes(wanted), 10.0);
        let requests = |history: &History| history.quantiles.requests_per_session.at(share);
        near(&format!("{what} requests at {share}"), requests(found), requests(wanted), 10.0);
    }
    // A step between few ranks is a large one.
    let off = (found.rank_correlation - wanted.rank_correlation).abs();
    assert!(
        off < if wanted.sessions < 30 { 0.3 } else { 0.15 },
        "{what}: correlation {} instead of {}",
        found.rank_correlation,
        wanted.rank_correlation
    );
}

#[test]
fn a_corpus_made_from_a_fit_has_the_same_fit() {
    let histories = [(Profile::Laptop, 0.3), (Profile::Heavy, 0.002), (Profile::Steady, 0.1)];
    for (profile, scale) in histories {
        let dir = tempfile::tempdir().unwrap();
        let name = profile.name().to_owned();
        let recipe = read(&make(dir.path(), profile, scale).home()).recipe;
        let corpus = make(dir.path(), Profile::from(recipe.clone()), 1.0);
        let again = read(&corpus.home()).recipe;
        for (format, wanted) in recipe.histories() {
            alike(&format!("{name} {format}"), again.history(format).unwrap(), wanted, 1.0);
        }
    }
}

#[test]
fn sessions_of_opencode_that_were_files_are_files_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut recipe = read(&make(dir.path(), Profile::Laptop, 0.5).home()).recipe;
    let opencode = recipe.opencode.as_mut().unwrap();
    opencode.shapes = [("tree".to_owned(), opencode.sessions)].into();
    let corpus = make(dir.path(), Profile::from(recipe.clone()), 1.0);
    let again = read(&corpus.home()).recipe;
    let found = again.history(Format::Opencode).unwrap();
    assert_eq!(found.shapes, recipe.opencode.as_ref().unwrap().shapes);
    alike("tree", found, recipe.opencode.as_ref().unwrap(), 1.0);
}

#[test]
fn a_tenth_of_a_profile_is_a_tenth_of_its_sessions_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = read(&make(dir.path(), Profile::Laptop, 1.0).home()).recipe;
    let corpus = make(dir.path(), Profile::from(recipe.clone()), 0.1);
    let again = read(&corpus.home()).recipe;
    for (format, wanted) in recipe.histories() {
        alike(&format!("a tenth of {format}"), again.history(format).unwrap(), wanted, 0.1);
    }
}

/// What a stranger's files may say must not end the fit of everything else.
#[test]
fn absurd_counts_and_keys_told_twice_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let twice =
        "{\"kind\":0,\"v\":{\"requests\":[{},{}]},\"v\":{},\"kind\":2,\"k\":[\"requests\"],\"i\":0}\n";
    put(".config/Code/User/workspaceStorage/a/chatSessions/b.jsonl", twice);
    let said = |tokens: &str, id: &str| {
        format!(
            "{{\"type\":\"assistant\",\"sessionId\":\"s\",\"requestId\":\"{id}\",\"message\":{{\"id\":\"{id}\",\"role\":\"assistant\",\
             \"content\":[],\"usage\":{{\"output_tokens\":{tokens}}}}}}}\n"
        )
    };
    let lines = ["1e30", "-7", "1e30", "5"].iter().zip(["a", "b", "c", "d"]);
    put(".claude/projects/p/s.jsonl", &lines.map(|(tokens, id)| said(tokens, id)).collect::<String>());
    let recipe = read(dir.path()).recipe;
    assert_eq!(recipe.claude.unwrap().output_tokens, 5);
    assert_eq!(recipe.vscode.unwrap().sessions, 1);
}
