//! A request as JSON: `application_id`, and the fields of the endpoint's request body.
//!
//! A field that is neither, and one that stands twice, are errors: what is misspelt must not be left out silently.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::generated::cancel_onboard::types::CancelOnboardRequest;
use crate::request::CancelRequest;

const APPLICATION_ID: &str = "application_id";

/// From `application_id` and the fields of the endpoint's request body, and no others.
///
/// ```
/// use feishu_cancel_onboard::CancelRequest;
///
/// let json = r#"{"application_id": "1111111111", "termination_type": 22, "termination_reason_notes": "another offer"}"#;
/// let request: CancelRequest = serde_json::from_str(json)?;
/// assert_eq!(request.application_id(), "1111111111");
/// assert!(serde_json::from_str::<CancelRequest>(r#"{"application_id": "1", "termination_type": 22, "note": ""}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for CancelRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = CancelRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the fields of a cancellation")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<CancelRequest, A::Error> {
        let mut application_id: Option<String> = None;
        let body = CancelOnboardRequest::deserialize(Body { fields, application_id: &mut application_id })?;
        let application_id = application_id.ok_or_else(|| A::Error::missing_field(APPLICATION_ID))?;
        Ok(CancelRequest::with_body(application_id, body))
    }
}

/// The fields without the application id, which is put aside on the way.
struct Body<'a, A> {
    fields: A,
    application_id: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Body<'_, A> {
    type Error = A::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(BodyFields { body: self, names })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        self.deserialize_struct("", &[], visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

struct BodyFields<'a, A> {
    body: Body<'a, A>,
    /// The fields that the body has.
    names: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for BodyFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Body { fields, application_id } = &mut self.body;
        while let Some(name) = fields.next_key::<String>()? {
            if name == APPLICATION_ID {
                if application_id.replace(fields.next_value()?).is_some() {
                    return Err(A::Error::duplicate_field(APPLICATION_ID));
                }
            } else if self.names.contains(&name.as_str()) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            } else {
                let names = self.names.join(", ");
                return Err(A::Error::custom(format!(
                    "unknown field `{name}`, expected one of {APPLICATION_ID}, {names}"
                )));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.body.fields.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::cancel_onboard::TerminationType;

    fn refused(json: &str) -> String {
        serde_json::from_str::<CancelRequest>(json).expect_err(json).to_string()
    }

    #[test]
    fn a_request_is_its_id_and_the_fields_of_the_body() {
        let json = r#"{"termination_reason_id_list":["a","b"],"termination_type":1,"application_id":"7",
            "termination_reason_notes":"n"}"#;
        let whole = CancelRequest::new("7", TerminationType::CompanyRejected).reason_ids(["a", "b"]).notes("n");
        assert_eq!(serde_json::from_str::<CancelRequest>(json).expect("it is one"), whole);
        let json = r#"{"application_id":"7","termination_type":27,"termination_reason_notes":null}"#;
        let least = CancelRequest::new("7", TerminationType::Other);
        assert_eq!(serde_json::from_str::<CancelRequest>(json).expect("it is one"), least);
    }

    #[test]
    fn what_is_unknown_missing_twice_or_of_another_type_is_refused() {
        for (json, part) in [
            (r#"{"application_id":"7"}"#, "missing field `termination_type`"),
            (r#"{"termination_type":1}"#, "missing field `application_id`"),
            (r#"{"application_id":"7","termination_type":1,"reason":"x"}"#, "unknown field `reason`"),
            (r#"{"application_id":"7","application_id":"7","termination_type":1}"#, "duplicate field `application_id`"),
            (
                r#"{"application_id":"7","termination_type":1,"termination_type":1}"#,
                "duplicate field `termination_type`",
            ),
            (r#"{"application_id":7,"termination_type":1}"#, "expected a string"),
            (r#"{"application_id":"7","termination_type":"1"}"#, "expected i64"),
            (r#"{"application_id":"7","termination_type":2}"#, "one of 1, 22, 27"),
            (r#"{"application_id":"7","termination_type":1,"termination_reason_id_list":"a"}"#, "expected a sequence"),
            (r#"["7",1]"#, "an object with the fields of a cancellation"),
        ] {
            assert!(refused(json).contains(part), "{json}: {}", refused(json));
        }
    }
}
