//! A value of an answer as the platform sent it: its text, which is decoded only where it is asked for.
//!
//! Decoded, a value can take a hundred times the room of its text, which whoever answers decides.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The text of a JSON value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text, which is valid JSON.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The members of the value, in the order in which they were sent; none where it is no object.
    pub fn members(&self) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
        serde_json::from_str(self.text()).ok().map(|Members(members)| members)
    }

    /// The string that the value is, if it is one.
    pub fn into_string(self) -> Option<String> {
        serde_json::from_str(self.text()).ok()
    }

    /// The string in a member of the value.
    pub fn string_in(&self, member: &str) -> Option<String> {
        let members = self.members()?;
        let (_, value) = members.iter().rev().find(|(name, _)| name == member)?;
        serde_json::from_str(value.get()).ok()
    }
}

impl From<&Value> for RawJson {
    fn from(value: &Value) -> Self {
        // The text of a value is valid JSON.
        Self(RawValue::from_string(value.to_string()).unwrap_or_default())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name that is borrowed from the text where it holds no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_text() {
        let raw: RawJson =
            serde_json::from_str(r#" {"b": [1, 2], "a\u0062": {"c": null}, "b": 7} "#).expect("it is JSON");
        let members = raw.members().expect("it is an object");
        let texts: Vec<_> = members.iter().map(|(name, value)| (name.as_ref(), value.get())).collect();
        assert_eq!(texts, [("b", "[1, 2]"), ("ab", r#"{"c": null}"#), ("b", "7")]);
        assert_eq!(raw.string_in("b"), None);
        for other in ["[1]", "7", "\"b\""] {
            assert!(serde_json::from_str::<RawJson>(other).expect("it is JSON").members().is_none(), "{other}");
        }
    }
}
