//! What each code means: which kind of failure, whether anything can have changed, whether to try again.
//!
//! The codes are generated from the documents, and the matches here have no wildcard arm: a code that is added to a document
//! stops the build until its meaning is written here.

use crate::advice::{self, Advice};
use crate::error::{Delivery, ErrorKind, Subject};
use crate::generated::cancel_onboard::ErrorCode;
use crate::generated::platform::{PlatformErrorCode, ServiceErrorCode};
use crate::generated::tenant_access_token::ErrorCode as TokenErrorCode;
use crate::generated::termination_reasons::ErrorCode as TerminationReasonsErrorCode;

/// A code of an answer's envelope.
///
/// ```
/// use feishu_cancel_onboard::{Code, Delivery, ErrorCode, ErrorKind};
///
/// let code = Code::Endpoint(ErrorCode::ManagedByFeishuPeople);
/// let status = code.http_status().expect("its page gives it one");
/// assert_eq!(code.meaning(status).kind, ErrorKind::ManagedByFeishuPeople);
/// println!("{} {}: {}", code.number(), code.label().unwrap_or("unknown"), code.advice(status).zh);
///
/// // Of a code that is not listed, the HTTP status says whether anything can have changed, provided that the answer is
/// // the platform's: without a log id it is none.
/// assert_eq!(Code::from_number(7).meaning(404).delivery, Delivery::Rejected);
/// assert_eq!(Code::from_number(7).meaning(502).delivery, Delivery::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// One of the error table of the endpoint that cancels.
    Endpoint(ErrorCode),
    /// One of the error table of the endpoint that lists termination reasons.
    TerminationReasons(TerminationReasonsErrorCode),
    /// One that any endpoint of the platform can answer with.
    Platform(PlatformErrorCode),
    /// One that any endpoint of the Hire service can answer with.
    Service(ServiceErrorCode),
    /// One of the endpoint that issues tokens.
    Token(TokenErrorCode),
    /// One that is not listed.
    Unknown(i64),
}

impl Code {
    /// The code with this number: that of the endpoint that cancels, else that of any endpoint, else that of another
    /// one.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Code, ErrorCode, ServiceErrorCode, TokenErrorCode};
    /// assert_eq!(Code::from_number(1002221), Code::Endpoint(ErrorCode::ApplicationAlreadyTerminated));
    /// assert_eq!(Code::from_number(1002201), Code::Service(ServiceErrorCode::ApplicationNotFound));
    /// assert_eq!(Code::from_number(10014), Code::Token(TokenErrorCode::AppSecretWrong));
    /// assert_eq!(Code::from_number(7), Code::Unknown(7));
    /// ```
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        if let Some(code) = ErrorCode::from_code(number) {
            Self::Endpoint(code)
        } else if let Some(code) = PlatformErrorCode::from_code(number) {
            Self::Platform(code)
        } else if let Some(code) = ServiceErrorCode::from_code(number) {
            Self::Service(code)
        } else if let Some(code) = TerminationReasonsErrorCode::from_code(number) {
            Self::TerminationReasons(code)
        } else if let Some(code) = TokenErrorCode::from_code(number) {
            Self::Token(code)
        } else {
            Self::Unknown(number)
        }
    }

    /// The code with this number, as the endpoint with these codes answers with it.
    pub(crate) fn of<E: EndpointCode>(number: i64) -> Self {
        let platform = || PlatformErrorCode::from_code(number).map(Self::Platform);
        E::find(number).or_else(platform).unwrap_or(Self::Unknown(number))
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Endpoint(code) => code.code(),
            Self::TerminationReasons(code) => code.code(),
            Self::Platform(code) => code.code(),
            Self::Service(code) => code.code(),
            Self::Token(code) => code.code(),
            Self::Unknown(number) => number,
        }
    }

    /// Short words for it, the page's own where a page lists it; none for one that is not listed.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Endpoint(code) => Some(code.label()),
            Self::TerminationReasons(code) => Some(code.label()),
            Self::Platform(code) => Some(code.label()),
            Self::Service(code) => Some(code.label()),
            Self::Token(code) => Some(code.label()),
            Self::Unknown(_) => None,
        }
    }

    /// Every listed code once: those of the endpoint that cancels first, then those of any endpoint of the platform, those
    /// of any endpoint of the Hire service, and those of the other endpoints.
    ///
    /// ```
    /// use feishu_cancel_onboard::Code;
    ///
    /// for code in Code::known() {
    ///     let status = code.http_status().unwrap_or(400);
    ///     println!("{} {}", code.number(), code.meaning(status).kind);
    /// }
    /// ```
    pub fn known() -> impl Iterator<Item = Self> {
        let endpoint = ErrorCode::ALL.iter().copied().map(Self::Endpoint);
        let platform = PlatformErrorCode::ALL.iter().copied().map(Self::Platform);
        let service = ServiceErrorCode::ALL.iter().copied().map(Self::Service);
        let reasons = TerminationReasonsErrorCode::ALL.iter().copied().map(Self::TerminationReasons);
        let token = TokenErrorCode::ALL.iter().copied().map(Self::Token);
        let all = endpoint.chain(platform).chain(service).chain(reasons).chain(token);
        // Of several codes with one number, the first is the one that `from_number` finds.
        all.filter(|code| Self::from_number(code.number()) == *code)
    }

    /// The HTTP status that it comes with, where one is documented.
    #[must_use]
    pub const fn http_status(self) -> Option<u16> {
        match self {
            Self::Endpoint(code) => code.http_status(),
            Self::TerminationReasons(code) => code.http_status(),
            Self::Platform(code) => code.http_status(),
            Self::Service(code) => code.http_status(),
            Self::Token(code) => code.http_status(),
            Self::Unknown(_) => None,
        }
    }

    /// The kind of failure, which no HTTP status changes.
    pub(crate) const fn kind(self) -> ErrorKind {
        self.meaning(0).kind
    }

    /// What a person should do about a call that it ended.
    #[must_use]
    pub fn advice(self, http_status: u16) -> Advice {
        let meaning = self.meaning(http_status);
        let subject = match self {
            Self::TerminationReasons(_) => Subject::TerminationReasons,
            Self::Endpoint(_) | Self::Platform(_) | Self::Service(_) | Self::Token(_) | Self::Unknown(_) => {
                Subject::Cancellation
            }
        };
        advice::of(meaning.kind, Some(self), meaning.delivery, subject)
    }

    /// What it means when it comes with this HTTP status.
    ///
    /// A listed code decides by itself; only for one that is not listed does the status say whether anything can have
    /// changed.
    #[must_use]
    pub const fn meaning(self, http_status: u16) -> Meaning {
        match self {
            Self::Endpoint(code) => of_endpoint(code),
            Self::TerminationReasons(code) => of_termination_reasons(code),
            Self::Platform(code) => of_platform(code),
            Self::Service(code) => of_service(code),
            Self::Token(code) => of_token(code),
            Self::Unknown(_) => of_unknown(http_status),
        }
    }
}

/// The codes of an endpoint itself.
///
/// What build.rs generates for an endpoint's answer asks for it, so a further document stops the build until the meaning of
/// its codes is written here.
pub(crate) trait EndpointCode {
    /// The code with this number, if it is one of the endpoint or of the service that it belongs to.
    fn find(number: i64) -> Option<Code>;
}

/// The code with this number, if any endpoint of the Hire service can answer with it.
fn find_of_service(number: i64) -> Option<Code> {
    ServiceErrorCode::from_code(number).map(Code::Service)
}

impl EndpointCode for ErrorCode {
    fn find(number: i64) -> Option<Code> {
        Self::from_code(number).map(Code::Endpoint).or_else(|| find_of_service(number))
    }
}

impl EndpointCode for TerminationReasonsErrorCode {
    fn find(number: i64) -> Option<Code> {
        Self::from_code(number).map(Code::TerminationReasons).or_else(|| find_of_service(number))
    }
}

impl EndpointCode for TokenErrorCode {
    /// It is no endpoint of the Hire service: what it answers never speaks of an application.
    fn find(number: i64) -> Option<Code> {
        Self::from_code(number).map(Code::Token)
    }
}

/// What a code means for the attempt that it answers.
///
/// ```
/// use feishu_cancel_onboard::{Code, Delivery, ErrorKind, PlatformErrorCode, Retry};
///
/// let meaning = Code::Platform(PlatformErrorCode::RateLimited).meaning(429);
/// assert_eq!((meaning.kind, meaning.delivery), (ErrorKind::RateLimited, Delivery::Rejected));
/// assert_eq!(meaning.retry, Retry::AfterReset);
/// assert!(meaning.is_retryable());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Meaning {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// Whether the attempt can have taken effect.
    pub delivery: Delivery,
    /// What is tried next.
    pub retry: Retry,
}

/// What a failed attempt leads to.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorCode, PlatformErrorCode, Retry};
///
/// let next = |code: Code| code.meaning(400).retry;
/// assert_eq!(next(Code::Endpoint(ErrorCode::SystemError)), Retry::Later);
/// assert_eq!(next(Code::Endpoint(ErrorCode::InvalidParameter)), Retry::Never);
/// assert_eq!(next(Code::Platform(PlatformErrorCode::RateLimited)), Retry::AfterReset);
/// assert_eq!(next(Code::Platform(PlatformErrorCode::AccessTokenExpired)), Retry::WithNewToken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// Nothing: it would fail again.
    Never,
    /// Another attempt after a while.
    Later,
    /// Another attempt once the rate limit lets calls through again.
    AfterReset,
    /// One more attempt with a token newly obtained.
    WithNewToken,
    /// Nothing here: whether the same call can succeed later depends on the caller's own programs, not on the platform.
    ByCaller,
}

impl Meaning {
    /// Whether the same call, later, could succeed without anybody doing anything.
    ///
    /// Troubleshooting: as for [`Error::is_retryable`](crate::Error::is_retryable). For a refused token it is false
    /// although one more attempt is made: once that is refused too, only a person can give another token.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self.retry {
            Retry::Later | Retry::AfterReset | Retry::ByCaller => true,
            Retry::Never | Retry::WithNewToken => false,
        }
    }

    const fn rejected(kind: ErrorKind, retry: Retry) -> Self {
        Self { kind, delivery: Delivery::Rejected, retry }
    }

    const fn unknown(kind: ErrorKind, retry: Retry) -> Self {
        Self { kind, delivery: Delivery::Unknown, retry }
    }
}

const fn of_endpoint(code: ErrorCode) -> Meaning {
    match code {
        // The page gives no word on whether a system error leaves the cancellation undone.
        ErrorCode::SystemError => Meaning::unknown(ErrorKind::SystemError, Retry::Later),
        ErrorCode::InvalidParameter => Meaning::rejected(ErrorKind::InvalidParameter, Retry::Never),
        ErrorCode::ApplicationAlreadyTerminated => Meaning::rejected(ErrorKind::AlreadyTerminated, Retry::Never),
        ErrorCode::ManagedByFeishuPeople => Meaning::rejected(ErrorKind::ManagedByFeishuPeople, Retry::Never),
    }
}

/// A call that only reads takes no effect, whatever becomes of it.
const fn of_termination_reasons(code: TerminationReasonsErrorCode) -> Meaning {
    match code {
        TerminationReasonsErrorCode::SystemError => Meaning::rejected(ErrorKind::SystemError, Retry::Later),
        TerminationReasonsErrorCode::InvalidParameter => Meaning::rejected(ErrorKind::InvalidParameter, Retry::Never),
    }
}

const fn of_platform(code: PlatformErrorCode) -> Meaning {
    match code {
        PlatformErrorCode::RateLimited => Meaning::rejected(ErrorKind::RateLimited, Retry::AfterReset),
        PlatformErrorCode::AuthorizationMissing
        | PlatformErrorCode::AccessTokenInvalid
        | PlatformErrorCode::AppAccessTokenInvalid
        | PlatformErrorCode::UserAccessTokenInvalid
        | PlatformErrorCode::AccessTokenMalformed
        | PlatformErrorCode::AccessTokenExpired => Meaning::rejected(ErrorKind::Unauthorized, Retry::WithNewToken),
        PlatformErrorCode::AppScopeMissing | PlatformErrorCode::TokenScopeMissing => {
            Meaning::rejected(ErrorKind::PermissionDenied, Retry::Never)
        }
        PlatformErrorCode::AppCredentialsWrong => Meaning::rejected(ErrorKind::InvalidCredentials, Retry::Never),
        PlatformErrorCode::AppDisabled | PlatformErrorCode::AppStatusUnavailable => {
            Meaning::rejected(ErrorKind::AppUnavailable, Retry::Never)
        }
        // It passes, and nobody says at which point it came up.
        PlatformErrorCode::InternalError => Meaning::unknown(ErrorKind::SystemError, Retry::Later),
        PlatformErrorCode::FieldValidationFailed => Meaning::rejected(ErrorKind::InvalidParameter, Retry::Never),
    }
}

const fn of_service(code: ServiceErrorCode) -> Meaning {
    match code {
        ServiceErrorCode::ApplicationNotFound => Meaning::rejected(ErrorKind::ApplicationNotFound, Retry::Never),
        // Somebody else is changing the application at the moment.
        ServiceErrorCode::ApplicationLockFailed => Meaning::rejected(ErrorKind::Other, Retry::Later),
        // The list of codes does not say whether a part of the update was made.
        ServiceErrorCode::ApplicationUpdateFailed => Meaning::unknown(ErrorKind::Other, Retry::Later),
        ServiceErrorCode::JobProcessNotFound
        | ServiceErrorCode::JobProcessStageNotFound
        | ServiceErrorCode::ApplicationStageNotFound
        | ServiceErrorCode::TalentHired
        | ServiceErrorCode::TalentLocked
        | ServiceErrorCode::TalentConfidential
        | ServiceErrorCode::StateNotAllowed
        | ServiceErrorCode::EmployeeNotFound
        | ServiceErrorCode::HrSyncNotEnabled => Meaning::rejected(ErrorKind::Other, Retry::Never),
    }
}

const fn of_token(code: TokenErrorCode) -> Meaning {
    match code {
        TokenErrorCode::CredentialsMalformed | TokenErrorCode::AppSecretWrong => {
            Meaning::rejected(ErrorKind::InvalidCredentials, Retry::Never)
        }
    }
}

const fn of_unknown(http_status: u16) -> Meaning {
    match http_status {
        500..=599 => Meaning::unknown(ErrorKind::Other, Retry::Later),
        200..=299 | 400..=499 => Meaning::rejected(ErrorKind::Other, Retry::Never),
        _ => Meaning::unknown(ErrorKind::Other, Retry::Never),
    }
}
