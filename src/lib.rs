//! Cancel the onboarding of a Feishu Hire candidate, and know for certain whether it happened.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod advice;
mod answer;
mod app_credentials;
mod attempts;
mod builder;
mod bulk;
mod cancellation;
mod client;
mod details;
#[cfg(feature = "check-docs")]
pub mod docs_page;
mod error;
mod facts;
mod failure;
mod generated;
mod json_object;
mod meaning;
mod origin;
mod pace;
mod printable;
mod redaction;
mod request;
mod request_json;
mod retry;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod termination_reasons;
mod token;

pub use advice::Advice;
pub use builder::ClientBuilder;
pub use bulk::CancelAll;
pub use client::{CancelOnboard, Client};
pub use details::Details;
pub use error::{Delivery, Error, ErrorKind};
pub use facts::{NamedOrigin, Operation, Page, RateLimit, Received, Scope, UnknownValue};
pub use failure::Failure;
/// What the endpoint that cancels answers with where it refuses, or fails.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorCode};
///
/// for &code in ErrorCode::ALL {
///     println!("{} {}, at HTTP {:?}", code.code(), code.label(), code.http_status());
///     assert_eq!(ErrorCode::from_code(code.code()), Some(code));
///     assert_eq!(Code::from_number(code.code()), Code::Endpoint(code));
/// }
/// ```
pub use generated::cancel_onboard::ErrorCode;
/// What the platform answers with before the endpoint has a say: about the token, the app, its scopes and the limit.
///
/// ```
/// use feishu_cancel_onboard::PlatformErrorCode;
///
/// for &code in PlatformErrorCode::ALL {
///     println!("{} {}", code.code(), code.label());
///     assert_eq!(PlatformErrorCode::from_code(code.code()), Some(code));
///     assert_eq!(code.http_status(), None); // the platform does not fix it
/// }
/// ```
pub use generated::cancel_onboard::PlatformErrorCode;
/// The type of reason, which every cancellation gives.
///
/// ```
/// use feishu_cancel_onboard::TerminationType;
///
/// let declined = TerminationType::CandidateDeclined;
/// assert_eq!(declined.name(), "candidate-declined");
/// assert_eq!("candidate-declined".parse(), Ok(declined));
/// assert_eq!(declined.value().to_string().parse(), Ok(declined));
/// assert_eq!(TerminationType::from_value(declined.value()), Some(declined));
/// for known in TerminationType::ALL {
///     println!("{known} {}", known.label());
/// }
/// ```
pub use generated::cancel_onboard::TerminationType;
/// An entry of [`Details::field_violations`], whose example reads one.
pub use generated::cancel_onboard::types::FieldViolation;
/// An entry of [`Details::helps`], whose example reads one.
pub use generated::cancel_onboard::types::Help;
/// An entry of [`Details::further`], whose example reads one.
pub use generated::cancel_onboard::types::KeyedDetail;
/// An entry of [`Details::permission_violations`], whose example reads one.
pub use generated::cancel_onboard::types::PermissionViolation;
/// Whether a [`TerminationReason`] can be given now.
///
/// ```
/// use feishu_cancel_onboard::ActiveStatus;
///
/// let disabled = ActiveStatus::Disabled;
/// assert_eq!(disabled.name(), "disabled");
/// assert_eq!("disabled".parse(), Ok(disabled));
/// assert_eq!(ActiveStatus::from_value(disabled.value()), Some(disabled));
/// for known in ActiveStatus::ALL {
///     println!("{known} {}", known.label());
/// }
/// ```
pub use generated::termination_reasons::ActiveStatus;
/// What the endpoint that lists termination reasons answers with where it refuses, or fails.
///
/// ```
/// use feishu_cancel_onboard::TerminationReasonsErrorCode;
///
/// for &code in TerminationReasonsErrorCode::ALL {
///     println!("{} {}, at HTTP {:?}", code.code(), code.label(), code.http_status());
///     assert_eq!(TerminationReasonsErrorCode::from_code(code.code()), Some(code));
/// }
/// ```
pub use generated::termination_reasons::ErrorCode as TerminationReasonsErrorCode;
pub use meaning::{Code, Meaning, Retry};
pub use origin::Origin;
pub use pace::Pace;
pub use printable::printable;
pub use request::{CancelRequest, Cancelled, Outcome};
pub use retry::RetryPolicy;
pub use termination_reasons::{TerminationReason, TerminationReasons};
pub use token::{AccessToken, TokenError, TokenFuture, TokenSource};

/// What the endpoint's published page says, as generated from the document in `spec/`.
///
/// ```
/// use feishu_cancel_onboard::document;
///
/// println!("{} is described at {}", document::OPERATION.path, document::PAGE.url);
/// println!("it is called at {}", document::ORIGINS[0].url);
/// println!("an answer with the code {} is a success", document::SUCCESS_CODE);
/// ```
pub mod document {
    pub use crate::generated::cancel_onboard::{OPERATION, ORIGINS, PAGE, SUCCESS_CODE};

    /// What the page of the endpoint that lists termination reasons says.
    ///
    /// ```
    /// use feishu_cancel_onboard::document::termination_reasons::{OPERATION, PAGE};
    ///
    /// println!("{} {} is described at {}", OPERATION.method, OPERATION.path, PAGE.url);
    /// ```
    pub mod termination_reasons {
        pub use crate::generated::termination_reasons::{OPERATION, PAGE};
    }
}

/// The code in the READMEs, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../README.zh-CN.md")]
struct Readme;
