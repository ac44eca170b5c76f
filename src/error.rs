//! What went wrong, whether the cancellation took effect all the same, and what to do now.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::advice::{self, Advice};
use crate::connect_cause::ConnectCause;
use crate::details::Details;
use crate::facts::Operation;
use crate::failure::Failure;
use crate::generated;
use crate::meaning::Code;

/// Defines the kinds once: the enum, the list of all, and the names.
macro_rules! error_kinds {
    ($(#[$doc:meta])* pub enum ErrorKind { $($(#[$kind_doc:meta])* $kind:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$kind_doc])* #[serde(rename = $name)] $kind,)*
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind's name in JSON output and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

error_kinds! {
    /// Why a cancellation did not succeed, in the words of this library.
    ///
    /// More kinds may come, hence `non_exhaustive`; [`Delivery`] is complete, and what a program does next is usually decided by
    /// that and by [`Error::is_retryable`].
    ///
    /// ```
    /// use feishu_cancel_onboard::{Code, ErrorCode, ErrorKind};
    ///
    /// let kind = Code::Endpoint(ErrorCode::ApplicationAlreadyTerminated).meaning(400).kind;
    /// assert_eq!(kind, ErrorKind::AlreadyTerminated);
    /// assert_eq!((kind.as_str(), kind.to_string().as_str()), ("already_terminated", "already_terminated"));
    /// assert!(ErrorKind::ALL.contains(&kind));
    /// ```
    pub enum ErrorKind {
        /// The application was terminated already, and not by this cancellation.
        AlreadyTerminated = "already_terminated",
        /// The candidate's pre-hire record is in Feishu People, where alone the onboarding can be cancelled.
        ManagedByFeishuPeople = "managed_by_feishu_people",
        /// There is no application with this id in the tenant.
        ApplicationNotFound = "application_not_found",
        /// The platform did not accept the request's content.
        InvalidParameter = "invalid_parameter",
        /// The platform failed.
        SystemError = "system_error",
        /// Over the rate limit, the platform's or the client's own.
        RateLimited = "rate_limited",
        /// The access token was refused.
        Unauthorized = "unauthorized",
        /// The app or its token lacks the scope.
        PermissionDenied = "permission_denied",
        /// The app is disabled, or not installed in the tenant.
        AppUnavailable = "app_unavailable",
        /// The app id or the app secret is wrong.
        InvalidCredentials = "invalid_credentials",
        /// The platform answered with another code.
        Other = "other",
        /// Refused here, before anything was sent: an id, an origin, missing credentials.
        InvalidRequest = "invalid_request",
        /// The caller's record of what is about to be sent failed, so nothing was sent.
        NotRecorded = "not_recorded",
        /// The caller's own source of tokens failed.
        TokenUnavailable = "token_unavailable",
        /// No answer within the time.
        Timeout = "timeout",
        /// No connection could be made.
        Connect = "connect",
        /// The connection broke before the answer was complete.
        ConnectionLost = "connection_lost",
        /// An answer that is not the platform's: no readable envelope.
        UnexpectedResponse = "unexpected_response",
        /// Stopped by the caller before the platform had settled it.
        Interrupted = "interrupted",
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a failed cancellation can have taken effect.
///
/// The order is by how much can have happened. A call that only reads, such as
/// [`Client::termination_reasons`](crate::Client::termination_reasons), takes no effect at all, so it never fails with
/// [`Unknown`](Self::Unknown): with a lost answer too it is [`Rejected`](Self::Rejected), of which `nothing changed` holds.
///
/// ```
/// use feishu_cancel_onboard::Delivery;
///
/// let of_attempts = [Delivery::Rejected, Delivery::Unknown, Delivery::NotSent];
/// assert_eq!(of_attempts.iter().max(), Some(&Delivery::Unknown));
/// assert_eq!(Delivery::Unknown.as_str(), "unknown");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// No request of it reached the platform: nothing changed.
    NotSent,
    /// The platform said no: nothing changed.
    Rejected,
    /// Some attempt may have taken effect, and nobody has said yet.
    Unknown,
}

impl Delivery {
    /// The name in JSON output and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a call was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A cancellation.
    Cancellation,
    /// A page of termination reasons.
    TerminationReasons,
}

impl Subject {
    /// The endpoint that is called.
    pub(crate) const fn operation(self) -> &'static Operation {
        match self {
            Self::Cancellation => &generated::cancel_onboard::OPERATION,
            Self::TerminationReasons => &generated::termination_reasons::OPERATION,
        }
    }
}

/// A cancellation that did not succeed, or a list of termination reasons that could not be read.
///
/// It answers questions: [`delivery`](Self::delivery) says whether anything can have changed, [`is_retryable`](Self::is_retryable)
/// whether the same call can succeed later, [`advice`](Self::advice) what a person should do, and [`kind`](Self::kind) and
/// [`code`](Self::code) what happened. Its source is the attempt that ended it; the attempts before that one are in
/// [`failures`](Self::failures).
///
/// Neither a secret nor a token is in it, in any form in which it can be printed.
///
/// ```
/// use feishu_cancel_onboard::{Client, Code, Delivery, Error, ErrorCode, ErrorKind, TerminationType};
///
/// fn what_now(error: &Error) -> &'static str {
///     match error.delivery() {
///         Delivery::NotSent | Delivery::Rejected if error.is_retryable() => "nothing changed; try again later",
///         Delivery::NotSent | Delivery::Rejected => "nothing changed; a person must act first",
///         Delivery::Unknown => "look at the application before anything else",
///     }
/// }
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// // This one is terminated already.
/// let result = client.cancel_onboard("2222222222", TerminationType::Other).send().await;
/// let error = result.expect_err("nothing is left to cancel");
/// assert_eq!(what_now(&error), "nothing changed; a person must act first");
/// assert_eq!(error.kind(), ErrorKind::AlreadyTerminated);
/// let code = ErrorCode::ApplicationAlreadyTerminated;
/// assert_eq!((error.known_code(), error.code()), (Some(Code::Endpoint(code)), Some(code.code())));
/// assert_eq!(error.http_status(), code.http_status());
/// assert!(error.reached_platform());
/// assert_eq!((error.attempts(), error.failures().count(), error.retry_after()), (1, 1, None));
/// println!("{}, log id {}", error.message(), error.log_id().unwrap_or_default());
/// println!("{}", error.advice().zh);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    subject: Subject,
    delivery: Delivery,
    attempts: u32,
    retry_after: Option<Duration>,
    last: Failure,
    /// Those before the last, the first one first.
    earlier: Vec<Failure>,
}

impl Error {
    pub(crate) fn new(delivery: Delivery, attempts: u32, last: Failure, earlier: Vec<Failure>) -> Self {
        let retry_after = last.retry_after();
        let subject = Subject::Cancellation;
        Self(Box::new(Inner { subject, delivery, attempts, retry_after, last, earlier }))
    }

    /// The same, of a call about something else than a cancellation.
    pub(crate) fn about(mut self, subject: Subject) -> Self {
        self.0.subject = subject;
        self
    }

    /// Something that was refused here, before anything was sent.
    pub(crate) fn refused_here(message: impl Into<String>) -> Self {
        Self::new(Delivery::NotSent, 0, Failure::refused_here(message), Vec::new())
    }

    /// A request that the caller itself refuses, in the form of all other failures: nothing was sent.
    ///
    /// For programs over this library that check more than it does, and report both alike.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, Error};
    ///
    /// /// No cancellation without a word of why.
    /// fn checked(request: &CancelRequest) -> Result<(), Error> {
    ///     request.check()?;
    ///     match request.termination_reason_notes() {
    ///         Some(_) => Ok(()),
    ///         None => Err(Error::invalid_request("notes are missing: say why")),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::refused_here(message)
    }

    /// The same failure, of a call that was to come before a cancellation and kept it from being made: whatever the call
    /// was, no request of the cancellation was begun, so [`delivery`](Self::delivery) is [`Delivery::NotSent`] and
    /// [`attempts`](Self::attempts) is 0.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, Error};
    ///
    /// /// Whether a reason can be given, found out before a cancellation that is to give it.
    /// async fn is_enabled(client: &Client, id: &str) -> Result<bool, Error> {
    ///     let mut reasons = client.termination_reasons();
    ///     while let Some(reason) = reasons.next().await.transpose().map_err(Error::before_cancelling)? {
    ///         if reason.id() == id {
    ///             return Ok(!reason.is_disabled());
    ///         }
    ///     }
    ///     Ok(false)
    /// }
    /// ```
    #[must_use]
    pub fn before_cancelling(mut self) -> Self {
        self.0.delivery = Delivery::NotSent;
        self.0.attempts = 0;
        self
    }

    /// A cancellation that the caller has stopped before it began, in the form of all other failures: nothing was sent.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Delivery, Error, ErrorKind};
    ///
    /// let error = Error::interrupted("the service shuts down");
    /// assert_eq!((error.kind(), error.delivery()), (ErrorKind::Interrupted, Delivery::NotSent));
    /// ```
    #[must_use]
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Delivery::NotSent, 0, Failure::stopped(message), Vec::new())
    }

    /// The same failure, of a cancellation an earlier attempt of which was lost: its fate stays unknown.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Delivery, Error};
    ///
    /// let error = Error::interrupted("the service shuts down").with_lost_attempt();
    /// assert_eq!(error.delivery(), Delivery::Unknown);
    /// ```
    #[must_use]
    pub fn with_lost_attempt(mut self) -> Self {
        self.0.delivery = Delivery::Unknown;
        self
    }

    /// What kind of failure ended the cancellation.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.last.kind()
    }

    /// Whether the cancellation, with all its attempts, can have taken effect.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// Whether the platform was reached: some request of the cancellation was at least begun to be written to it.
    ///
    /// Troubleshooting: when it is false, a connection, a token or time was wanting, or the request was refused here;
    /// [`message`](Self::message) says which. Nothing has happened: put that right, and make the same call again.
    #[must_use]
    pub fn reached_platform(&self) -> bool {
        self.0.delivery != Delivery::NotSent
    }

    /// Whether the same call, later, could succeed without anybody doing anything.
    ///
    /// Troubleshooting: when it is true, the platform or the network usually failed for longer than the
    /// [`RetryPolicy`](crate::RetryPolicy) allows, or too many calls were made. Wait for as long as
    /// [`retry_after`](Self::retry_after) says, or else a while, and make the same call again, with
    /// [`after_lost_attempt`](crate::CancelRequest::after_lost_attempt) where the fate is unknown. When it is false, do what
    /// [`advice`](Self::advice) says first.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.last.is_retryable()
    }

    /// How long the platform asked to wait before the next call.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many requests of the call were begun. Token requests do not count.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The code in the last answer's envelope.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        self.0.last.code().map(Code::number)
    }

    /// The last answer's code as one that the endpoint's page or the platform's list names, or as unknown.
    #[must_use]
    pub fn known_code(&self) -> Option<Code> {
        self.0.last.code()
    }

    /// The HTTP status of the last answer.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.last.http_status()
    }

    /// The platform's id for the last request, which its support asks for.
    #[must_use]
    pub fn log_id(&self) -> Option<&str> {
        self.0.last.log_id()
    }

    /// What went wrong, in one line: the platform's own message where it sent one. Where no connection could be made, it
    /// ends with the [`cause`](Self::cause).
    ///
    /// The platform's text is handed on as it came, save for secrets: before it reaches a terminal, it has to be made
    /// [`printable`](crate::printable).
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        self.0.last.message()
    }

    /// Why no connection could be made, where that ended the call.
    ///
    /// Troubleshooting: [`ConnectProblem`](crate::ConnectProblem) says what to do about each.
    #[must_use]
    pub fn cause(&self) -> Option<&ConnectCause> {
        self.0.last.cause()
    }

    /// What the platform sent in the envelope's `error` besides the log id. It is decoded anew at each call.
    #[must_use]
    pub fn details(&self) -> Option<Details> {
        self.0.last.details()
    }

    /// What to do next, in English and in Chinese.
    #[must_use]
    pub fn advice(&self) -> Advice {
        advice::of(self.kind(), self.known_code(), self.0.delivery, self.0.subject)
    }

    /// The failed attempts, the first one first.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.0.earlier.iter().chain([&self.0.last])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = match (self.0.subject, self.0.delivery) {
            (Subject::TerminationReasons, _) => "the termination reasons could not be listed",
            (Subject::Cancellation, Delivery::NotSent) => "nothing was sent",
            (Subject::Cancellation, Delivery::Rejected) => "the platform said no",
            (Subject::Cancellation, Delivery::Unknown) => "whether the onboarding was cancelled is not known",
        };
        write!(f, "{known}: {}", self.0.last)?;
        match self.0.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, ", after {attempts} attempts"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("delivery", &self.delivery())
            .field("retryable", &self.is_retryable())
            .field("retry_after", &self.retry_after())
            .field("attempts", &self.attempts())
            .field("details", &self.details().map(Details::into_json))
            .field("last", &self.0.last)
            .field("earlier", &self.0.earlier)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0.last)
    }
}
