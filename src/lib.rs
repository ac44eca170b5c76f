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
pub use generated::cancel_onboard::types::{FieldViolation, Help, KeyedDetail, PermissionViolation};
pub use generated::cancel_onboard::{ErrorCode, PlatformErrorCode, TerminationType};
pub use generated::termination_reasons::{ActiveStatus, ErrorCode as TerminationReasonsErrorCode};
pub use meaning::{Code, Meaning, Retry};
pub use origin::Origin;
pub use pace::Pace;
pub use printable::printable;
pub use request::{CancelRequest, Cancelled, Outcome};
pub use retry::RetryPolicy;
pub use termination_reasons::{TerminationReason, TerminationReasons};
pub use token::{AccessToken, TokenError, TokenFuture, TokenSource};

/// What the endpoint's published page says, as generated from the document in `spec/`.
pub mod document {
    pub use crate::generated::cancel_onboard::{OPERATION, ORIGINS, PAGE, SUCCESS_CODE};

    /// What the page of the endpoint that lists termination reasons says.
    pub mod termination_reasons {
        pub use crate::generated::termination_reasons::{OPERATION, PAGE};
    }
}

/// The code in the READMEs, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../README.zh-CN.md")]
struct Readme;
