//! Which corpus a command is measured on.

use std::str::FromStr;

use generators::{Profile, Spec};

/// A profile, and its scale when not its own: `laptop`, `heavy@0.05`, `mine.toml`.
#[derive(Debug, Clone)]
pub struct CorpusChoice {
    /// The recipe.
    pub profile: Profile,
    /// The size, as a part of the profile's full size.
    pub scale: Option<f64>,
}

impl FromStr for CorpusChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<CorpusChoice, String> {
        let (profile, scale) = text.split_once('@').map_or((text, None), |(name, scale)| (name, Some(scale)));
        let profile: Profile = profile.parse().map_err(|error: generators::Error| error.to_string())?;
        let scale = scale.map(|scale| {
            let number = scale.parse();
            number.map_err(|_| format!("\"{scale}\" is no scale: give a number above 0, as in {profile}@0.1"))
        });
        let scale = scale.transpose()?;
        let size = scale.unwrap_or(profile.default_scale());
        let spec = Spec { profile, scale: size, seed: 1 };
        spec.validate().map_err(|error| error.to_string())?;
        Ok(CorpusChoice { profile: spec.profile, scale })
    }
}
