//! A model that is read from a JSON object and from nothing else.
//!
//! A derived model takes a list, too, for an object whose fields are in order: an answer `[0]` would pass for a success.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What a JSON object holds.
#[derive(Clone, Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Envelope {
        code: i64,
    }

    #[test]
    fn an_object_is_read_and_a_list_is_not() {
        let read = |json| serde_json::from_str::<Object<Envelope>>(json).map(|object| object.0.code);
        assert_eq!(read(r#" {"msg": [], "code": 7}"#).expect("it is an object"), 7);
        for json in ["[7]", "7", "null", "\"7\"", r#"{"code": 7}, "#, "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::from_str::<Envelope>("[7]").expect("this is why").code, 7);
    }
}
