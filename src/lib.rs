//! Cancel the onboarding of a Feishu Hire candidate, and know for certain whether it happened.

mod facts;
#[allow(dead_code)] // the client comes next
mod generated;

pub use facts::{NamedOrigin, Operation, Page, RateLimit, Scope, UnknownValue};
pub use generated::cancel_onboard::{ErrorCode, PlatformErrorCode, TerminationType};
