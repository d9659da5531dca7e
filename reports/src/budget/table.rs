//! A table of the file whose values carry their places, so that a mistake is named where it stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::metric;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// Where in the text something is wrong, and what.
pub(super) struct Wrong(pub(super) Range<usize>, pub(super) String);

/// A table of the file, with the name that errors give it.
pub(super) struct Table<'t> {
    pub(super) name: &'t str,
    pub(super) table: &'t DeTable<'t>,
    pub(super) span: Range<usize>,
}

impl<'t> Table<'t> {
    pub(super) fn wrong(&self, message: String) -> Wrong {
        Wrong(self.span.clone(), message)
    }

    /// Refuses keys that no one would read.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        match self.table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some((key, _)) => {
                let message =
                    format!("unknown key {:?} in {}; known: {}", key.get_ref(), self.name, known.join(", "));
                Err(Wrong(key.span(), message))
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    pub(super) fn need(&self, key: &str) -> Result<&'t Value<'t>, Wrong> {
        self.get(key).ok_or_else(|| self.wrong(format!("missing key {key:?} in {}", self.name)))
    }

    /// The entries of an array of tables; none when the key is absent.
    pub(super) fn tables(&self, key: &str, name: &'t str) -> Result<Vec<Table<'t>>, Wrong> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let need = |value: &Value<'_>| Wrong(value.span(), format!("{key}: write each entry as {name}"));
        let items = value.get_ref().as_array().ok_or_else(|| need(value))?;
        let as_table = |item: &'t Value<'t>| {
            let table = item.get_ref().as_table().ok_or_else(|| need(item))?;
            Ok(Table { name, table, span: item.span() })
        };
        items.iter().map(as_table).collect()
    }

    pub(super) fn metric(&self, key: &str) -> Result<String, Wrong> {
        metric_name(key, self.need(key)?)
    }

    /// A text that may be absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Wrong> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text = value.get_ref().as_str();
        let text = text.ok_or_else(|| Wrong(value.span(), format!("{key}: a text is needed")))?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn case(&self, key: &str) -> Result<String, Wrong> {
        case_name(key, self.need(key)?)
    }

    pub(super) fn exact_case(&self, key: &str) -> Result<String, Wrong> {
        exact_case(key, self.need(key)?)
    }

    pub(super) fn reason(&self) -> Result<String, Wrong> {
        let value = self.need("reason")?;
        match value.get_ref().as_str().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(reason.to_owned()),
            _ => Err(Wrong(value.span(), "reason: say why the limit is what it is".to_owned())),
        }
    }

    pub(super) fn switch(&self, key: &str) -> Result<bool, Wrong> {
        let Some(value) = self.get(key) else {
            return Ok(false);
        };
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| Wrong(value.span(), format!("{key}: true or false is needed")))
    }
}

pub(super) fn metric_name(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = value.get_ref().as_str().unwrap_or_default();
    if metric::unit(name).is_none() {
        let hint = metric::nearest(name).map(|near| format!(", did you mean {near:?}?")).unwrap_or_default();
        return Err(Wrong(value.span(), format!("{key}: no metric is named {name:?}{hint}")));
    }
    Ok(name.to_owned())
}

pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()? as f64,
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

pub(super) fn exact_case(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = case_name(key, value)?;
    if name.contains('*') {
        return Err(Wrong(value.span(), format!("{key}: {name:?} must be one case, without *")));
    }
    Ok(name)
}

pub(super) fn case_name(key: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let name = value.get_ref().as_str().unwrap_or_default();
    let has_parts =
        name.split_once('/').is_some_and(|(family, rest)| !family.is_empty() && rest.contains(':'));
    if !has_parts && !name.contains('*') {
        let message = format!("{key}: {name:?} is not a case, write family/scenario:strategy");
        return Err(Wrong(value.span(), message));
    }
    Ok(name.to_owned())
}
