//! What the platform sends along with a failure.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::generated::cancel_onboard::types::{FieldViolation, Help, KeyedDetail, PermissionViolation};

/// The envelope's `error` object, without the log id, as the platform sent it.
///
/// Every part is optional and new ones appear without notice, so the whole is there [as sent](Self::as_json), and what is
/// known of it is read on demand: an entry that has another form than the document's is left out, never an error.
#[derive(Clone, Copy, Debug)]
pub struct Details<'a>(&'a Value);

impl<'a> Details<'a> {
    pub(crate) const fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The whole, as the platform sent it.
    #[must_use]
    pub const fn as_json(self) -> &'a Value {
        self.0
    }

    /// Where the platform's own troubleshooting starts.
    #[must_use]
    pub fn troubleshooter(self) -> Option<&'a str> {
        self.0.get("troubleshooter").and_then(Value::as_str)
    }

    /// The fields of the request that were not accepted.
    #[must_use]
    pub fn field_violations(self) -> Vec<FieldViolation> {
        self.entries("field_violations")
    }

    /// The permissions that are missing.
    #[must_use]
    pub fn permission_violations(self) -> Vec<PermissionViolation> {
        self.entries("permission_violations")
    }

    /// Where to read on, or where to grant a missing scope.
    #[must_use]
    pub fn helps(self) -> Vec<Help> {
        self.entries("helps")
    }

    /// Further details.
    #[must_use]
    pub fn further(self) -> Vec<KeyedDetail> {
        self.entries("details")
    }

    fn entries<T: DeserializeOwned>(self, key: &str) -> Vec<T> {
        let entries = self.0.get(key).and_then(Value::as_array);
        entries.into_iter().flatten().filter_map(|entry| T::deserialize(entry).ok()).collect()
    }
}
