//! What to cancel, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::generated::cancel_onboard::types::CancelOnboardRequest;
use crate::generated::cancel_onboard::{ApplicationId, TerminationType};

/// One cancellation to be made.
///
/// The application id is checked when it is sent: only letters, digits, `_` and `-` are taken, 64 at most.
///
/// ```
/// use feishu_cancel_onboard::{CancelRequest, TerminationType};
///
/// let request = CancelRequest::new("1111111111", TerminationType::CompanyRejected)
///     .reason_ids(["6959090661225640000"])
///     .notes("the position is closed");
/// assert_eq!(request.application_id(), "1111111111");
/// assert_eq!(request.termination_type(), TerminationType::CompanyRejected);
/// assert_eq!(request.termination_reason_ids(), ["6959090661225640000"]);
/// assert_eq!(request.termination_reason_notes(), Some("the position is closed"));
/// ```
#[derive(Clone, Debug)]
pub struct CancelRequest {
    application_id: String,
    body: CancelOnboardRequest,
    after_lost_attempt: bool,
}

impl CancelRequest {
    /// Cancels the onboarding that this application leads to, for this type of reason.
    #[must_use]
    pub fn new(application_id: impl Into<String>, termination_type: TerminationType) -> Self {
        let body = CancelOnboardRequest {
            termination_type,
            termination_reason_id_list: Vec::new(),
            termination_reason_notes: None,
        };
        Self::with_body(application_id.into(), body)
    }

    pub(crate) fn with_body(application_id: String, body: CancelOnboardRequest) -> Self {
        Self { application_id, body, after_lost_attempt: false }
    }

    /// Adds ids of detailed reasons, of those that the tenant has set up.
    #[must_use]
    pub fn reason_ids<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.body.termination_reason_id_list.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Sets a remark in free text.
    #[must_use]
    pub fn notes(mut self, notes: impl Into<String>) -> Self {
        self.body.termination_reason_notes = Some(notes.into());
        self
    }

    /// Says that an attempt of this same cancellation was made before, and that nobody knows what became of it: the program
    /// that made it was killed, for instance.
    ///
    /// It is then as if that attempt had been lost just now. Where the platform says that the application is terminated
    /// already, the outcome is [`Outcome::Terminated`]; and what fails otherwise leaves the fate unknown, unless the endpoint
    /// itself says that nothing changed.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, TerminationType};
    ///
    /// let request = CancelRequest::new("1111111111", TerminationType::CompanyRejected);
    /// let again = request.clone().after_lost_attempt();
    /// assert_ne!(again, request);
    /// ```
    #[must_use]
    pub fn after_lost_attempt(mut self) -> Self {
        self.after_lost_attempt = true;
        self
    }

    /// The application's id, as it was given.
    #[must_use]
    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// The type of reason.
    #[must_use]
    pub fn termination_type(&self) -> TerminationType {
        self.body.termination_type
    }

    /// The ids of detailed reasons.
    #[must_use]
    pub fn termination_reason_ids(&self) -> &[String] {
        &self.body.termination_reason_id_list
    }

    /// The remark in free text, where there is one.
    #[must_use]
    pub fn termination_reason_notes(&self) -> Option<&str> {
        self.body.termination_reason_notes.as_deref()
    }

    /// Checks what sending it would check before anything is sent.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, ErrorKind, TerminationType};
    ///
    /// let request = CancelRequest::new("1111111111/../2222222222", TerminationType::Other);
    /// let error = request.check().expect_err("it leads to another application");
    /// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    /// ```
    ///
    /// # Errors
    /// When the application id can't be one.
    pub fn check(&self) -> Result<(), Error> {
        self.checked_id().map(drop)
    }

    pub(crate) fn had_lost_attempt(&self) -> bool {
        self.after_lost_attempt
    }

    pub(crate) fn body(&self) -> &CancelOnboardRequest {
        &self.body
    }

    /// The id as one that can't lead anywhere else.
    ///
    /// # Errors
    /// When it has other characters, or is too long or empty.
    pub(crate) fn checked_id(&self) -> Result<ApplicationId, Error> {
        self.application_id.parse().map_err(|error| {
            Error::refused_here(format!("the application id {error}, as in 1111111111, and nothing else"))
        })
    }
}

impl PartialEq for CancelRequest {
    fn eq(&self, other: &Self) -> bool {
        // Without a rest, so that a field that the document brings must be compared too.
        let CancelOnboardRequest { termination_type, termination_reason_id_list, termination_reason_notes } =
            &self.body;
        self.application_id == other.application_id
            && self.after_lost_attempt == other.after_lost_attempt
            && *termination_type == other.body.termination_type
            && *termination_reason_id_list == other.body.termination_reason_id_list
            && *termination_reason_notes == other.body.termination_reason_notes
    }
}

impl Eq for CancelRequest {}

/// How a cancellation succeeded.
///
/// ```
/// use feishu_cancel_onboard::Outcome;
///
/// let outcome: Outcome = serde_json::from_str(r#""terminated""#)?;
/// assert_eq!(outcome, Outcome::Terminated);
/// assert_eq!(outcome.as_str(), "terminated");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The platform told us that it cancelled the onboarding.
    Cancelled,
    /// The application is terminated, and most likely by us: an attempt of this cancellation ended without a known result,
    /// and a later one was told that the application is terminated already.
    ///
    /// Somebody else may have terminated it before. Where it matters who did, the application's history in Feishu Hire
    /// tells.
    Terminated,
}

impl Outcome {
    /// The name in JSON output and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Terminated => "terminated",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A cancellation that succeeded.
///
/// ```
/// use feishu_cancel_onboard::{Client, Outcome, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let done = client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
/// assert_eq!((done.outcome(), done.attempts()), (Outcome::Cancelled, 1));
/// println!("log id {}", done.log_id().unwrap_or("none"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cancelled {
    pub(crate) outcome: Outcome,
    pub(crate) log_id: Option<String>,
    pub(crate) attempts: u32,
}

impl Cancelled {
    /// How it succeeded.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The platform's id for the request that settled it, which its support asks for.
    #[must_use]
    pub fn log_id(&self) -> Option<&str> {
        self.log_id.as_deref()
    }

    /// How many cancellation requests were begun. Token requests do not count.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}
