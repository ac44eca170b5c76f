//! Keeps a secret out of what the platform sent, should it ever echo one.

use std::borrow::Cow;

use serde_json::Value;

const PLACEHOLDER: &str = "[redacted]";

/// The secrets of one call.
pub(crate) struct Redaction<'a>(pub(crate) &'a [&'a str]);

impl Redaction<'_> {
    /// The text without the secrets.
    pub(crate) fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            if text.contains(secret) {
                text = text.replace(secret, PLACEHOLDER).into();
            }
        }
        text
    }

    /// The text, if there is one, without the secrets.
    pub(crate) fn apply_to(&self, text: Option<String>) -> Option<String> {
        text.map(|text| match self.apply(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(redacted) => redacted,
        })
    }

    /// Takes the secrets out of every string and key of a value.
    pub(crate) fn apply_to_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.apply(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply_to_json(item)),
            Value::Object(map) => {
                if map.keys().any(|key| matches!(self.apply(key), Cow::Owned(_))) {
                    *map = std::mem::take(map).into_iter().map(|(k, v)| (self.apply(&k).into_owned(), v)).collect();
                }
                map.values_mut().for_each(|below| self.apply_to_json(below));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
