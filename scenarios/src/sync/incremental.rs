//! Changes a few workspaces: each gets one session more.

use std::fs;
use std::path::Path;

use crate::answer::Expected;
use crate::runner::{Input, Part};
use crate::scratch::Scratch;

/// Workspaces that change.
const CHANGED: usize = 3;

/// The key of a session's id.
const ID_KEY: &[u8] = b"\"sessionId\"";

/// Requests of a session that is chosen, at most.
const SMALL_REQUESTS: u64 = 50;

/// Marks the added files; it sorts behind every name that a tool gives.
pub(crate) const ADDED: &str = "zz-added";

/// Gives a sample a home in which a few workspaces have a copy of one of their sessions, under another name. Says what must be
/// answered then, and which files were added, as paths below home.
pub(crate) fn change(input: &Input, scratch: &Scratch) -> Result<(Expected, Vec<String>), String> {
    let chosen = choose(input);
    if chosen.len() < CHANGED {
        return Err(format!(
            "the corpus has {} workspaces of VS Code with sessions, {CHANGED} are needed",
            chosen.len()
        ));
    }
    let workspaces: Vec<&str> = chosen.iter().map(|part| directory(directory(&part.source))).collect();
    scratch
        .link_home(&input.home, &workspaces)
        .map_err(|error| format!("failed to link {}: {error}", input.home.display()))?;
    let mut added = Vec::new();
    for part in &chosen {
        let extension = part.source.rsplit_once('.').map_or("json", |(_, extension)| extension);
        let copy = format!("{}/{ADDED}.{extension}", directory(&part.source));
        let (from, to) = (scratch.home().join(&part.source), scratch.home().join(&copy));
        fs::copy(from, &to).map_err(|error| format!("failed to write {}: {error}", to.display()))?;
        added.push(copy);
    }
    Ok((expected(input, &chosen), added))
}

/// A session of each of some workspaces, spread over all of them. Small ones are taken, since what is looked at is what is
/// *not* read; and only those that say their own id, for else a copy would have another one.
fn choose(input: &Input) -> Vec<Part> {
    let mut candidates: Vec<&Part> = Vec::new();
    for part in &input.items {
        let is_small = part.requests.is_some_and(|requests| requests <= SMALL_REQUESTS);
        let is_new = candidates.last().is_none_or(|last| directory(&last.source) != directory(&part.source));
        let workspace = directory(directory(&part.source));
        // The reported engine takes workspaces of one name in two products for one: `sync/stale` is about that.
        let is_unique = !input.items.iter().any(|other| {
            let other = directory(directory(&other.source));
            other != workspace && name(other) == name(workspace)
        });
        if is_small
            && is_new
            && is_unique
            && part.source.contains("/chatSessions/")
            && says_its_id(&input.home.join(&part.source))
        {
            candidates.push(part);
        }
    }
    let step = (candidates.len() / CHANGED).max(1);
    candidates.into_iter().step_by(step).take(CHANGED).cloned().collect()
}

fn says_its_id(path: &Path) -> bool {
    fs::read(path).is_ok_and(|content| content.windows(ID_KEY.len()).any(|window| window == ID_KEY))
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn directory(source: &str) -> &str {
    source.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The added sessions stand behind the others of their workspaces.
fn expected(input: &Input, added: &[Part]) -> Expected {
    let mut hasher = engine::session::Tally::default();
    let mut items = input.items.iter().peekable();
    while let Some(part) = items.next() {
        add(&mut hasher, part);
        let ends_here =
            |next: Option<&&Part>| next.is_none_or(|next| directory(&next.source) != directory(&part.source));
        if ends_here(items.peek()) {
            added
                .iter()
                .filter(|copy| directory(&copy.source) == directory(&part.source))
                .for_each(|copy| add(&mut hasher, copy));
        }
    }
    Expected {
        digest: engine::session::hex(&hasher.digest()),
        sessions: hasher.sessions,
        requests: hasher.requests,
        skipped_lines: 0,
    }
}

fn add(tally: &mut engine::session::Tally, part: &Part) {
    let digest = unhex(&part.digest);
    match part.requests {
        Some(requests) => tally.session(&digest, requests),
        None => tally.edits(&digest),
    }
}

fn unhex(text: &str) -> engine::session::Digest {
    let mut digest = engine::session::Digest::default();
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    digest
}
