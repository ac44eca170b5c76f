//! What the platform sends along with a failure.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::generated::platform::types::{FieldViolation, Help, KeyedDetail, PermissionViolation};
use crate::raw_json::RawJson;
use crate::redaction::Secrets;

/// The most text that is kept of an `error` object, in bytes.
const ROOM: usize = 16 * 1024;

/// The envelope's `error` object, without the log id, as the platform sent it.
///
/// Every part is optional and new ones appear without notice, so the whole is there [as sent](Self::as_json), and what is
/// known of it is read on demand: an entry that has another form than the document's is left out, never an error.
///
/// At most 16 KiB of its text are kept. Of more than that, the parts that fit are here, with the first entries of a list and
/// the beginning of a text that do not, and [`is_truncated`](Self::is_truncated) says so.
///
/// ```
/// use feishu_cancel_onboard::{Client, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// # let code = feishu_cancel_onboard::PlatformErrorCode::AppScopeMissing.code();
/// # let body = serde_json::json!({ "code": code, "msg": "no permission", "error": {
/// #     "troubleshooter": "https://open.feishu.cn/search",
/// #     "permission_violations": [{ "type": "action_scope_required", "subject": "hire:application" }],
/// #     "field_violations": [{ "field": "notes", "description": "too long" }],
/// #     "helps": [{ "url": "https://open.feishu.cn/app/cli_a1b2c3/auth", "description": "grant it here" }],
/// #     "details": [{ "key": "tenant", "value": "73658811060f175d" }],
/// #     "new_since": true,
/// # }});
/// # let answer = feishu_cancel_onboard::sandbox::Answer::json(http::StatusCode::BAD_REQUEST, &body);
/// # sandbox.fail_cancellations([feishu_cancel_onboard::sandbox::Fault::WithoutEffect(answer.into())]);
/// // The app lacks the scope.
/// let refused = client.cancel_onboard("1111111111", TerminationType::Other).send().await;
/// let error = refused.expect_err("it was refused");
/// let details = error.details().expect("the platform sent some");
/// for missing in details.permission_violations() {
///     println!("missing: {}", missing.subject.unwrap_or_default());
/// }
/// for help in details.helps() {
///     println!("{}: {}", help.description.unwrap_or_default(), help.url.unwrap_or_default());
/// }
/// for field in details.field_violations() {
///     println!("{}: {}", field.field.unwrap_or_default(), field.description.unwrap_or_default());
/// }
/// for detail in details.further() {
///     println!("{}: {}", detail.key.unwrap_or_default(), detail.value.unwrap_or_default());
/// }
/// println!("read on at {}", details.troubleshooter().unwrap_or_default());
/// assert_eq!(details.as_json()["new_since"], true);
/// assert!(!details.is_truncated());
/// # assert_eq!(details.permission_violations().len() + details.helps().len(), 2);
/// # assert_eq!(details.field_violations().len() + details.further().len(), 2);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    value: Value,
    is_truncated: bool,
}

impl Details {
    /// The whole, as the platform sent it.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.value
    }

    /// The whole, as the platform sent it.
    #[must_use]
    pub fn into_json(self) -> Value {
        self.value
    }

    /// Whether the platform sent more than is kept.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Where the platform's own troubleshooting starts.
    #[must_use]
    pub fn troubleshooter(&self) -> Option<&str> {
        self.value.get("troubleshooter").and_then(Value::as_str)
    }

    /// The fields of the request that were not accepted.
    #[must_use]
    pub fn field_violations(&self) -> Vec<FieldViolation> {
        self.entries("field_violations")
    }

    /// The permissions that are missing.
    #[must_use]
    pub fn permission_violations(&self) -> Vec<PermissionViolation> {
        self.entries("permission_violations")
    }

    /// Where to read on, or where to grant a missing scope.
    #[must_use]
    pub fn helps(&self) -> Vec<Help> {
        self.entries("helps")
    }

    /// Further details.
    #[must_use]
    pub fn further(&self) -> Vec<KeyedDetail> {
        self.entries("details")
    }

    fn entries<T: DeserializeOwned>(&self, key: &str) -> Vec<T> {
        let entries = self.value.get(key).and_then(Value::as_array);
        entries.into_iter().flatten().filter_map(|entry| T::deserialize(entry).ok()).collect()
    }
}

/// What is kept of an `error` object: text that is decoded when somebody asks for it.
#[derive(Clone, Debug)]
pub(crate) struct KeptDetails {
    text: Box<str>,
    is_truncated: bool,
}

impl KeptDetails {
    /// The log id in an `error` object, and what is kept of the rest, if there is any.
    pub(crate) fn of(error: &RawJson, secrets: &Secrets) -> (Option<String>, Option<Self>) {
        let mut room = Room { left: ROOM, is_truncated: false, secrets };
        let Some(members) = error.members() else {
            let value = room.take(error.text());
            return (None, value.map(|value| Self::new(&value, &room)));
        };
        let mut kept = Map::new();
        for (name, value) in members.iter().filter(|(name, _)| name != "log_id") {
            room.left = room.left.saturating_sub(name.len() + 4);
            if let Some(value) = room.take(value.get()) {
                kept.insert(secrets.apply(name).into_owned(), value);
            }
        }
        let log_id = members.iter().rev().find(|(name, _)| name == "log_id");
        let log_id: Option<String> = log_id.and_then(|(_, id)| serde_json::from_str(id.get()).ok());
        let log_id = log_id.map(|id| secrets.apply(&id).into_owned());
        let is_empty = kept.is_empty() && !room.is_truncated;
        (log_id, (!is_empty).then(|| Self::new(&Value::Object(kept), &room)))
    }

    fn new(value: &Value, room: &Room<'_>) -> Self {
        Self { text: value.to_string().into(), is_truncated: room.is_truncated }
    }

    pub(crate) fn decode(&self) -> Details {
        // It was a value before it was this text.
        let value = serde_json::from_str(&self.text).unwrap_or_default();
        Details { value, is_truncated: self.is_truncated }
    }
}

/// The room for what is kept.
struct Room<'a> {
    left: usize,
    is_truncated: bool,
    secrets: &'a Secrets,
}

impl Room<'_> {
    /// The value in this text, or the part of it that there is room for, without secrets.
    fn take(&mut self, text: &str) -> Option<Value> {
        if text.len() <= self.left
            && let Ok(mut value) = serde_json::from_str(text)
        {
            self.secrets.apply_to_json(&mut value);
            self.left -= text.len();
            return Some(value);
        }
        self.is_truncated = true;
        // No part takes all the room away from those after it.
        let share = self.left / 2;
        match text.as_bytes().first() {
            Some(b'[') => self.first_entries(text, share),
            Some(b'"') => self.beginning(text, share),
            _ => None,
        }
    }

    fn first_entries(&mut self, text: &str, share: usize) -> Option<Value> {
        let mut kept = Vec::new();
        for mut value in first_entries(text, share) {
            self.secrets.apply_to_json(&mut value);
            kept.push(value);
        }
        self.left -= share;
        (!kept.is_empty()).then_some(Value::Array(kept))
    }

    fn beginning(&mut self, text: &str, share: usize) -> Option<Value> {
        let text: String = serde_json::from_str(text).ok()?;
        // A cut could leave a part of a secret that is not found any more.
        let mut text = self.secrets.apply(&text).into_owned();
        let length = shorten(&mut text, share);
        self.left -= length.min(self.left);
        Some(Value::String(text))
    }
}

/// The first entries of a list, as far as so many bytes hold them. What comes after them is not even read.
fn first_entries(list: &str, room: usize) -> Vec<Value> {
    struct Entries<'a> {
        read: &'a mut Vec<Value>,
        room: usize,
    }

    impl<'de> Visitor<'de> for Entries<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(entry) = list.next_element::<&RawValue>()? {
                let entry = entry.get();
                let left = self.room.checked_sub(entry.len() + 1).ok_or_else(|| A::Error::custom("no room is left"))?;
                self.room = left;
                self.read.push(serde_json::from_str(entry).map_err(A::Error::custom)?);
            }
            Ok(())
        }
    }

    let mut read = Vec::new();
    // The error says only where it stopped.
    let _ = serde_json::Deserializer::from_str(list).deserialize_seq(Entries { read: &mut read, room });
    read
}

/// Cuts a text to what takes so many bytes in JSON, and says how many it takes.
pub(crate) fn shorten(text: &mut String, room: usize) -> usize {
    const MARK: char = '…';
    let mut length = 0;
    for (at, character) in text.char_indices() {
        let next = length
            + match character {
                '"' | '\\' => 2,
                '\0'..='\u{1f}' => 6,
                _ => character.len_utf8(),
            };
        if next > room {
            text.truncate(at);
            text.push(MARK);
            return length + MARK.len_utf8();
        }
        length = next;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(error: &str) -> Details {
        let raw = serde_json::from_str(error).expect("it is JSON");
        let (_, kept) = KeptDetails::of(&raw, &Secrets::default());
        let kept = kept.expect("something is kept");
        assert!(kept.text.len() <= ROOM + 1024, "{}", kept.text.len());
        kept.decode()
    }

    #[test]
    fn what_is_too_large_leaves_room_for_what_comes_after_it() {
        let entries = r#"{"field":"notes","description":"too long"},"#.repeat(20_000);
        let text = "字\\u0001".repeat(100_000);
        let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let error = format!(
            r#"{{"log_id":"L","message":"{text}","map":{{"a":"{text}"}},"field_violations":[{entries}{{}}],
            "deep":{nested},"helps":[{{"url":"u"}}]}}"#
        );
        let details = kept(&error);
        assert!(details.is_truncated());
        assert!(details.field_violations().len() > 50);
        assert_eq!(details.helps().len(), 1);
        assert!(
            details.as_json()["message"].as_str().is_some_and(|text| text.starts_with("字") && text.ends_with('…'))
        );
        assert!(details.as_json().get("map").is_none() && details.as_json().get("deep").is_none());
    }

    #[test]
    fn what_is_no_object_is_kept_too() {
        assert_eq!(kept(r#""why""#).as_json(), "why");
        assert!(
            kept(&format!("[{}7]", "7,".repeat(100_000))).as_json().as_array().is_some_and(|list| list.len() > 100)
        );
    }
}
