//! What callers may do with any of the public types: share them among tasks, print them, and hand errors on as errors.

use std::error::Error as StdError;
use std::fmt::Debug;

use feishu_cancel_onboard::{
    AccessToken, ActiveStatus, Advice, CancelAll, CancelOnboard, CancelRequest, Cancelled, Client, ClientBuilder, Code,
    Delivery, Details, Error, ErrorCode, ErrorKind, Failure, FieldViolation, Help, KeyedDetail, Meaning, NamedOrigin,
    Operation, Origin, Outcome, Pace, Page, PermissionViolation, PlatformErrorCode, RateLimit, Received, Retry,
    RetryPolicy, Scope, ServiceErrorCode, TerminationReason, TerminationReasons, TerminationReasonsErrorCode,
    TerminationType, TokenError, TokenErrorCode, TokenFuture, TokenSource, UnknownValue,
};

fn is_shareable<T: Send + Sync + Debug + ?Sized>() {}
fn is_movable<T: Send + Debug>() {}
fn is_an_error<T: StdError + Send + Sync + 'static>() {}

macro_rules! all {
    ($check:ident: $($type:ty),* $(,)?) => { $($check::<$type>();)* };
}

#[test]
fn what_is_public_can_be_shared_among_tasks_and_printed() {
    all!(is_shareable: AccessToken, ActiveStatus, Advice, CancelRequest, Cancelled, Client, ClientBuilder, Code);
    all!(is_shareable: Delivery, Details, Error, ErrorCode, ErrorKind, Failure, FieldViolation, Help);
    all!(is_shareable: KeyedDetail, Meaning, NamedOrigin, Operation, Origin, Outcome, Pace, Page);
    all!(is_shareable: PermissionViolation, PlatformErrorCode, RateLimit, Received<TerminationType>, Retry);
    all!(is_shareable: RetryPolicy, Scope, TerminationReason, TerminationReasonsErrorCode, TerminationType);
    all!(is_shareable: ServiceErrorCode, TokenError, TokenErrorCode, UnknownValue);
}

#[test]
fn what_is_awaited_can_be_moved_to_another_task() {
    all!(is_movable: CancelOnboard<'static>, CancelAll<futures_util::stream::Empty<CancelRequest>>, TerminationReasons);
    fn is_send<T: Send>(_: T) {}
    fn futures(client: &Client, source: &dyn TokenSource, mut reasons: TerminationReasons) {
        is_send(client.cancel_onboard("1111111111", TerminationType::Other).send());
        is_send(reasons.next());
        is_send::<TokenFuture<'_>>(source.token());
    }
    let _ = futures;
}

#[test]
fn errors_are_errors() {
    all!(is_an_error: Error, Failure, TokenError, UnknownValue);
}

#[cfg(feature = "sandbox")]
#[test]
fn the_same_holds_for_the_sandbox() {
    use feishu_cancel_onboard::sandbox::{Answer, ApplicationState, Call, Ending, Fault, Sandbox, SandboxBuilder};
    all!(is_shareable: Answer, ApplicationState, Call, Ending, Fault, Sandbox, SandboxBuilder);
}

#[test]
fn names_are_the_same_as_text_and_as_json() {
    let kinds = [
        ErrorKind::AlreadyTerminated,
        ErrorKind::ManagedByFeishuPeople,
        ErrorKind::InvalidParameter,
        ErrorKind::SystemError,
        ErrorKind::RateLimited,
        ErrorKind::Unauthorized,
        ErrorKind::PermissionDenied,
        ErrorKind::AppUnavailable,
        ErrorKind::InvalidCredentials,
        ErrorKind::Other,
        ErrorKind::InvalidRequest,
        ErrorKind::Timeout,
        ErrorKind::Connect,
        ErrorKind::ConnectionLost,
        ErrorKind::UnexpectedResponse,
    ];
    for kind in kinds {
        let json = serde_json::to_value(kind).expect("it has a name");
        assert_eq!((json.as_str(), kind.to_string().as_str()), (Some(kind.as_str()), kind.as_str()));
        assert_eq!(serde_json::from_value::<ErrorKind>(json).expect("it is its name"), kind);
    }
    for delivery in [Delivery::NotSent, Delivery::Rejected, Delivery::Unknown] {
        let json = serde_json::to_value(delivery).expect("it has a name");
        assert_eq!((json.as_str(), delivery.to_string().as_str()), (Some(delivery.as_str()), delivery.as_str()));
        assert_eq!(serde_json::from_value::<Delivery>(json).expect("it is its name"), delivery);
    }
    for outcome in [Outcome::Cancelled, Outcome::Terminated] {
        let json = serde_json::to_value(outcome).expect("it has a name");
        assert_eq!((json.as_str(), outcome.to_string().as_str()), (Some(outcome.as_str()), outcome.as_str()));
    }
}

#[test]
fn values_can_be_keys() {
    fn is_a_key<T: Eq + std::hash::Hash>() {}
    all!(is_a_key: Advice, Cancelled, Code, Delivery, ErrorKind, Meaning, NamedOrigin, Operation, Origin, Outcome);
    all!(is_a_key: Pace, Page, RateLimit, Received<TerminationType>, Retry, RetryPolicy, Scope, UnknownValue);
}

#[test]
fn what_the_platform_sent_can_be_compared() {
    fn is_comparable<T: PartialEq>() {}
    all!(is_comparable: Details, FieldViolation, Help, KeyedDetail, PermissionViolation, TerminationReason);
}

#[test]
fn an_error_can_be_kept_and_handed_on() {
    let error = Error::invalid_request("notes are missing: say why");
    let kept = error.clone();
    assert_eq!((kept.kind(), kept.to_string()), (error.kind(), error.to_string()));
}
