//! Which corpus: a profile, a scale and a seed.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;
use crate::recipe::Recipe;

/// Sessions of the profile steady at scale 1.
pub(crate) const STEADY_SESSIONS: u64 = 1024;
/// Sessions of a unit of the profile steady, which has each format in its share: what grows is the number of units.
pub(crate) const STEADY_UNIT_SESSIONS: u64 = 8;

/// A corpus's recipe.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Every format, record type and quirk once, in a few megabytes.
    Smoke,
    /// Sessions of one shape, of which only the number grows: what laws are read from.
    Steady,
    /// An ordinary user's history.
    Laptop,
    /// A heavy user's history: many workspaces and a few huge files.
    Heavy,
    /// Tens of thousands of small files.
    Wide,
    /// One of each file that has broken a reader by its size or shape.
    Pathological,
    /// One file for each defect that breaks readers, and what a correct reader makes of it.
    Adversarial,
    /// A small history that then changes, a step at a time.
    Growth,
    /// The shape of a person's own history.
    Own(Arc<Own>),
}

/// A recipe and what it is called in names of corpora.
#[derive(Debug, PartialEq)]
pub struct Own {
    /// The recipe.
    pub recipe: Recipe,
    label: String,
}

impl From<Recipe> for Profile {
    fn from(recipe: Recipe) -> Self {
        let label = recipe.label();
        Profile::Own(Arc::new(Own { recipe, label }))
    }
}

impl Profile {
    /// The profiles of this program, smallest first.
    pub const BUILT_IN: [Profile; 8] = [
        Profile::Smoke,
        Profile::Steady,
        Profile::Laptop,
        Profile::Heavy,
        Profile::Wide,
        Profile::Pathological,
        Profile::Adversarial,
        Profile::Growth,
    ];

    /// The name, as in paths: that of an own profile ends in 8 digits of its digest.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Profile::Smoke => "smoke",
            Profile::Steady => "steady",
            Profile::Laptop => "laptop",
            Profile::Heavy => "heavy",
            Profile::Adversarial => "adversarial",
            Profile::Growth => "growth",
            Profile::Wide => "wide",
            Profile::Pathological => "pathological",
            Profile::Own(own) => &own.label,
        }
    }

    /// The recipe, where it is an own profile.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Profile::Own(own) => Some(&own.recipe),
            _ => None,
        }
    }

    /// One sentence for a list of profiles.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Profile::Smoke => {
                "every format, record type and quirk at least once, in under 5 MB whatever the scale"
            }
            Profile::Steady => {
                "sessions of one shape in every format, whose number alone grows: 1,024 of about 50 kB at scale 1"
            }
            Profile::Laptop => {
                "an ordinary user's history: one log directory, 25 workspaces, 8 Claude projects"
            }
            Profile::Heavy => {
                "a heavy user's history: 3 log directories, 280 workspaces, and outliers of 20 MB and more; \
                 15 GB at scale 1"
            }
            Profile::Adversarial => {
                "one file for each defect that breaks readers, with what a correct reader makes of it; \
                 its long lines are of 22 MB at scale 1"
            }
            Profile::Growth => {
                "a small history before its first step; `highwater corpus grow` takes the next one"
            }
            Profile::Wide => {
                "72,600 small files: 50,000 Claude sessions in 3 projects, 10,000 of Copilot CLI, 2,600 workspaces \
                 of which 28 have chats; 0.5 GB at scale 1"
            }
            Profile::Pathological => {
                "one of each file that broke a reader: single lines of 22 to 510 MB, images as dictionaries, \
                 10,000 changes of one array, 404 subagents; 1.4 GB at scale 1, and at least 5 MB of each"
            }
            Profile::Own(_) => "the shape of a history that `highwater corpus fit` has read",
        }
    }

    /// The scale that is meant when none is given.
    #[must_use]
    pub fn default_scale(&self) -> f64 {
        match self {
            Profile::Smoke
            | Profile::Steady
            | Profile::Laptop
            | Profile::Wide
            | Profile::Growth
            | Profile::Own(_) => 1.0,
            Profile::Heavy => 0.019,
            Profile::Adversarial => 0.1,
            Profile::Pathological => 0.1,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = Error;

    /// A profile of this program by its name, or an own one by the path of its file, which ends in `.toml`.
    fn from_str(name: &str) -> Result<Self, Error> {
        if name.ends_with(".toml") {
            return Recipe::load(Path::new(name)).map(Profile::from);
        }
        let found = Profile::BUILT_IN.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| Error::UnknownProfile {
            name: name.to_owned(),
            known: Profile::BUILT_IN.map(|profile| profile.name().to_owned()).join(", "),
        })
    }
}

/// What identifies a corpus: the same spec gives the same bytes on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The recipe.
    pub profile: Profile,
    /// How much of it: counts grow with the scale, and the bytes with them.
    pub scale: f64,
    /// Which of the equally likely corpora.
    pub seed: u64,
}

impl Default for Spec {
    /// The default corpus: `heavy` at its default scale.
    fn default() -> Self {
        Spec { profile: Profile::Heavy, scale: Profile::Heavy.default_scale(), seed: 1 }
    }
}

impl Spec {
    /// The steady corpus with so many sessions, rounded to the nearest multiple of 8: each format has its share in every 8.
    #[must_use]
    pub fn steady(sessions: u64, seed: u64) -> Spec {
        let units = ((sessions + STEADY_UNIT_SESSIONS / 2) / STEADY_UNIT_SESSIONS).max(1);
        let scale = (units * STEADY_UNIT_SESSIONS) as f64 / STEADY_SESSIONS as f64;
        Spec { profile: Profile::Steady, scale, seed }
    }

    /// What the corpus's bytes depend on, as one word: its name and the generator's version. Corpora of one key are equal, so that a
    /// cache can keep them by it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}-g{}", self.name(), crate::manifest::GENERATOR)
    }

    /// The corpus's directory name, such as `heavy-0.019-1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}-{}", self.profile, self.scale, self.seed)
    }

    /// Refuses a scale that means nothing.
    ///
    /// # Errors
    /// [`Error::Scale`] when the scale is not a finite number above 0.
    pub fn validate(&self) -> Result<(), Error> {
        if self.scale.is_finite() && self.scale > 0.0 {
            return Ok(());
        }
        Err(Error::Scale { scale: self.scale, example: self.profile.default_scale() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_parsed_from_what_it_displays() {
        for profile in Profile::BUILT_IN {
            assert_eq!(profile.to_string().parse::<Profile>().unwrap(), profile);
        }
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_known_ones() {
        let error = "huge".parse::<Profile>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown profile \"huge\": known ones are smoke, steady, laptop, heavy, wide, pathological, adversarial, growth, and files that end in .toml \
             (`highwater corpus fit`)"
        );
    }

    #[test]
    fn a_scale_that_means_nothing_is_refused() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Spec { scale, ..Spec::default() }.validate().is_err());
        }
        assert!(Spec::default().validate().is_ok());
    }

    #[test]
    fn a_steady_spec_has_the_sessions_that_were_asked_for() {
        for (asked, scale) in [(1024, 1.0), (32, 0.03125), (35, 0.03125), (36, 0.0390625), (0, 0.0078125)] {
            assert_eq!(Spec::steady(asked, 1).scale, scale, "{asked}");
        }
    }

    #[test]
    fn a_spec_names_its_directory() {
        assert_eq!(Spec::default().name(), "heavy-0.019-1");
    }
}
