//! Values of the file as they are written, and what they stand for when not written.

use serde::de::{Deserialize, Deserializer, Error};
use toml::Spanned;

use super::CorpusChoice;
use crate::exec::{self, Wanted};

/// What is measured with when nothing is said.
pub(super) fn automatic() -> Vec<Wanted> {
    vec![Wanted::Auto]
}

pub(super) fn samples() -> u32 {
    3
}

/// Seconds.
pub(super) fn timeout() -> u32 {
    600
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn case_name<'de, D: Deserializer<'de>>(from: D) -> Result<Spanned<String>, D::Error> {
    let name = Spanned::<String>::deserialize(from)?;
    match exec::case_name(name.get_ref()) {
        Ok(_) => Ok(name),
        Err(exec::Error::BadName { name, why }) => Err(D::Error::custom(format!(
            "name: {name:?}: {why}; a case is called FAMILY/SCENARIO:STRATEGY, such as app/start:main"
        ))),
        Err(error) => Err(D::Error::custom(error)),
    }
}

pub(super) fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    if words.first().is_none_or(String::is_empty) {
        return Err(D::Error::custom("a command is a list of at least the program, such as [\"./app\"]"));
    }
    Ok(words)
}

pub(super) fn some_words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    words(from).map(Some)
}

pub(super) fn corpus<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CorpusChoice>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|why: String| D::Error::custom(format!("corpus: {why}")))
}

pub(super) fn instruments<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Wanted>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    if names.is_empty() {
        return Err(D::Error::custom("instrument: name one at least, or leave it out"));
    }
    names.iter().map(|name| name.parse().map_err(D::Error::custom)).collect()
}

pub(super) fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(D::Error::custom("a number of at least 1 is needed")),
        number => Ok(number),
    }
}

pub(super) fn pattern<'de, D: Deserializer<'de>>(from: D) -> Result<Option<regex::bytes::Regex>, D::Error> {
    let text = String::deserialize(from)?;
    let pattern = regex::bytes::Regex::new(&text);
    pattern.map(Some).map_err(|error| D::Error::custom(format!("phase_regex: {error}")))
}
