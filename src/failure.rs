//! One failed attempt.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::connect_cause::{ConnectCause, ConnectProblem};
use crate::details::{Details, KeptDetails, shorten};
use crate::error::{Delivery, ErrorKind};
use crate::meaning::{Code, Meaning, Retry};
use crate::printable::printable;

/// The most that is kept of the platform's message, in bytes.
const MESSAGE_LIMIT: usize = 4 * 1024;
/// The most that is kept of a log id, in bytes.
pub(crate) const LOG_ID_LIMIT: usize = 256;

/// Why one attempt of a call failed.
///
/// ```
/// use feishu_cancel_onboard::{Client, Code, Delivery, ErrorCode, ErrorKind, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// # let (answer, lost) = (http::StatusCode::BAD_GATEWAY, feishu_cancel_onboard::sandbox::Ending::Reset);
/// # let answer = feishu_cancel_onboard::sandbox::Answer::html(answer).into();
/// # use feishu_cancel_onboard::sandbox::Fault::WithoutEffect;
/// # let missing = ErrorCode::InvalidParameter.into();
/// # sandbox.fail_cancellations([WithoutEffect(answer), WithoutEffect(lost), WithoutEffect(missing)]);
/// // A gateway answers, then nobody, then the platform, which says no.
/// let result = client.cancel_onboard("1111111111", TerminationType::Other).send().await;
/// let error = result.expect_err("it said no");
/// let failures: Vec<_> = error.failures().collect();
/// let [gateway, lost, refused] = failures[..] else { panic!("three attempts") };
///
/// assert_eq!((gateway.kind(), gateway.http_status()), (ErrorKind::UnexpectedResponse, Some(502)));
/// assert_eq!((lost.kind(), lost.delivery()), (ErrorKind::ConnectionLost, Delivery::Unknown));
/// assert!(gateway.is_retryable() && lost.is_retryable() && lost.retry_after().is_none());
/// assert_eq!(refused.code(), Some(Code::Endpoint(ErrorCode::InvalidParameter)));
/// println!("{}, log id {}", refused.message(), refused.log_id().unwrap_or_default());
/// assert_eq!(error.delivery(), Delivery::Unknown); // the lost one may still be carried out
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Failure {
    meaning: Meaning,
    answer: Option<Box<Answer>>,
    message: Option<String>,
    cause: Option<Box<ConnectCause>>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What is known of the answer that an attempt failed with.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub http_status: u16,
    pub code: Option<Code>,
    pub log_id: Option<String>,
    pub message: Option<String>,
    pub details: Option<KeptDetails>,
}

impl Failure {
    pub(crate) fn new(meaning: Meaning) -> Self {
        Self { meaning, answer: None, message: None, cause: None, retry_after: None, source: None }
    }

    /// Something that was refused here, before anything was sent.
    pub(crate) fn refused_here(message: impl Into<String>) -> Self {
        let (kind, delivery) = (ErrorKind::InvalidRequest, Delivery::NotSent);
        Self::new(Meaning { kind, delivery, retry: Retry::Never }).with_message(message)
    }

    /// The same, with no more of the answer than anybody needs: whoever answers decides how much it is.
    pub(crate) fn with_answer(mut self, mut answer: Answer) -> Self {
        if let Some(message) = &mut answer.message {
            shorten(message, MESSAGE_LIMIT);
        }
        if let Some(log_id) = &mut answer.log_id {
            shorten(log_id, LOG_ID_LIMIT);
        }
        self.answer = Some(Box::new(answer));
        self
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub(crate) fn with_cause(mut self, problem: ConnectProblem) -> Self {
        self.cause = Some(Box::new(ConnectCause::new(problem)));
        self
    }

    /// The same, where it is one of so many tries to connect.
    pub(crate) fn with_tries(mut self, tries: u32) -> Self {
        if let Some(cause) = &mut self.cause {
            cause.tries = tries;
        }
        self
    }

    /// The same without what only the last failure of a call is asked for.
    pub(crate) fn without_details(mut self) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.details = None;
        }
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn with_source(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        self.source = Some(source);
        self
    }

    /// A call that was stopped before something of it, which was not sent then.
    pub(crate) fn stopped(message: impl Into<String>) -> Self {
        let (kind, delivery) = (ErrorKind::Interrupted, Delivery::NotSent);
        Self::new(Meaning { kind, delivery, retry: Retry::ByCaller }).with_message(message)
    }

    pub(crate) fn retry(&self) -> Retry {
        self.meaning.retry
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.meaning.kind
    }

    /// Whether this attempt can have taken effect.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.meaning.delivery
    }

    /// Whether the same call, later, could succeed without anybody doing anything.
    ///
    /// Troubleshooting: as for [`Error::is_retryable`](crate::Error::is_retryable), of this attempt alone.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.meaning.is_retryable()
    }

    /// How long the platform asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The code of the answer's envelope.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.answer.as_ref()?.code
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.http_status)
    }

    /// The platform's id for the request.
    #[must_use]
    pub fn log_id(&self) -> Option<&str> {
        self.answer.as_ref()?.log_id.as_deref()
    }

    /// Why no connection could be made, where none could.
    #[must_use]
    pub fn cause(&self) -> Option<&ConnectCause> {
        self.cause.as_deref()
    }

    /// What went wrong, in one line: the platform's own message where it sent one. Where no connection could be made, it
    /// ends with the [`cause`](Self::cause).
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        let sent = self.answer.as_ref().and_then(|answer| answer.message.as_deref());
        match (sent.or(self.message.as_deref()), &self.cause) {
            (Some(message), _) if !message.is_empty() => Cow::Borrowed(message),
            (_, Some(cause)) => Cow::Owned(format!("{}: {cause}", self.summary())),
            _ => Cow::Borrowed(self.code().and_then(Code::label).unwrap_or_else(|| self.summary())),
        }
    }

    pub(crate) fn details(&self) -> Option<Details> {
        self.answer.as_ref()?.details.as_ref().map(KeptDetails::decode)
    }

    fn summary(&self) -> &'static str {
        match self.meaning.kind {
            ErrorKind::AlreadyTerminated => "the application is already terminated",
            ErrorKind::ManagedByFeishuPeople => "the onboarding is managed in Feishu People",
            ErrorKind::ApplicationNotFound => "there is no such application",
            ErrorKind::InvalidParameter => "a parameter was not accepted",
            ErrorKind::SystemError => "the platform failed",
            ErrorKind::RateLimited => "over the rate limit",
            ErrorKind::Unauthorized => "the access token was refused",
            ErrorKind::PermissionDenied => "a permission is missing",
            ErrorKind::AppUnavailable => "the app is not available in this tenant",
            ErrorKind::InvalidCredentials => "the app's credentials were refused",
            ErrorKind::Other => "the platform answered with another code",
            ErrorKind::InvalidRequest => "the request was refused before it was sent",
            ErrorKind::NotRecorded => "the record before sending failed",
            ErrorKind::TokenUnavailable => "the source of access tokens failed",
            ErrorKind::Timeout => "no answer within the time",
            ErrorKind::Connect => "no connection could be made",
            ErrorKind::ConnectionLost => "the connection broke before the answer was complete",
            ErrorKind::UnexpectedResponse => "the answer is not the platform's",
            ErrorKind::Interrupted => "stopped before the platform had settled it",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.summary())?;
        match (self.message(), &self.cause) {
            (_, Some(cause)) => write!(f, ": {}", printable(&cause.to_string()))?,
            (message, None) if message != self.summary() => write!(f, ": {}", printable(&message))?,
            _ => {}
        }
        let code = self.code().map(|code| format!("code {}", code.number()));
        let status = self.http_status().map(|status| format!("HTTP {status}"));
        let log_id = self.log_id().map(|log_id| format!("log id {}", printable(log_id)));
        let facts: Vec<_> = [code, status, log_id].into_iter().flatten().collect();
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind())
            .field("delivery", &self.delivery())
            .field("retry", &self.meaning.retry)
            .field("retry_after", &self.retry_after)
            .field("code", &self.code())
            .field("http_status", &self.http_status())
            .field("log_id", &self.log_id())
            .field("message", &self.message())
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
