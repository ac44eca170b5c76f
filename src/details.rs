//! What the platform sends along with a failure.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::generated::platform::types::{FieldViolation, Help, KeyedDetail, PermissionViolation};

/// The envelope's `error` object, without the log id, as the platform sent it.
///
/// Every part is optional and new ones appear without notice, so the whole is there [as sent](Self::as_json), and what is
/// known of it is read on demand: an entry that has another form than the document's is left out, never an error.
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
/// # assert_eq!(details.permission_violations().len() + details.helps().len(), 2);
/// # assert_eq!(details.field_violations().len() + details.further().len(), 2);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
