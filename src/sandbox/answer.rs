//! Answers: the platform's envelope with its codes and statuses, and whatever else a test wants to be answered with.

use std::fmt;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version};
use serde::Serialize;
use serde_json::{Value, json};

use crate::generated::cancel_onboard::ErrorCode;
use crate::generated::cancel_onboard::types::CancelOnboardResponse;
use crate::generated::platform::types::FieldViolation;
use crate::generated::platform::{PlatformErrorCode, SUCCESS_CODE, ServiceErrorCode, headers};
use crate::generated::tenant_access_token::ErrorCode as TokenErrorCode;
use crate::generated::termination_reasons::ErrorCode as TerminationReasonsErrorCode;
use crate::raw_json::RawJson;

/// An answer to a call, for a [`Fault`](super::Fault) that sends it in place of the one that was due.
///
/// Those in the platform's envelope carry the log id of the call, in the envelope and as a header; the others are sent as
/// they are given.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{Answer, Fault, Sandbox};
/// use feishu_cancel_onboard::{Client, Delivery, ErrorCode, PlatformErrorCode, RetryPolicy, TerminationType};
/// use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let terminated = ErrorCode::ApplicationAlreadyTerminated.code();
/// let answers = [
///     (Answer::from(ErrorCode::InvalidParameter), Delivery::Rejected),
///     (Answer::from(PlatformErrorCode::AppScopeMissing).status(StatusCode::FORBIDDEN), Delivery::Rejected),
///     (Answer::json(StatusCode::OK, &json!({ "code": terminated, "since": "yesterday" })), Delivery::Rejected),
///     (Answer::code(1_009_999).status(StatusCode::INTERNAL_SERVER_ERROR), Delivery::Unknown),
///     (Answer::html(StatusCode::BAD_GATEWAY).header(RETRY_AFTER, HeaderValue::from_static("1")), Delivery::Unknown),
///     (Answer::bytes(StatusCode::OK, "{"), Delivery::Unknown),
///     (Answer::rate_limited(10, 1), Delivery::Rejected),
/// ];
///
/// let sandbox = Sandbox::start().await?;
/// let client = Client::builder()
///     .origin(sandbox.base_url().parse()?)
///     .app(sandbox.app_id(), sandbox.app_secret())
///     .retry(RetryPolicy::off())
///     .build()?;
/// for (answer, delivery) in answers {
///     sandbox.fail_cancellations([Fault::WithoutEffect(answer.into())]);
///     let result = client.cancel_onboard("1111111111", TerminationType::Other).send().await;
///     assert_eq!(result.expect_err("it failed").delivery(), delivery);
/// }
/// assert_eq!(sandbox.cancellations(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    code: Option<i64>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// The envelope of a failure.
    Refusal { message: String, violations: Vec<FieldViolation> },
    /// The envelope of a success.
    Done(Value),
    /// Sent as given.
    Given(Bytes),
}

/// The envelope's `error` object, as far as this server has something to put into it.
#[derive(Serialize)]
struct Detail<'a> {
    log_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    field_violations: &'a [FieldViolation],
}

impl Answer {
    /// Code 0, with nothing in `data`, at HTTP 200.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::{Answer, Fault, PENDING, Sandbox};
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// sandbox.fail_cancellations([Fault::WithoutEffect(Answer::success().into())]);
    ///
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// client.cancel_onboard(PENDING, TerminationType::Other).send().await?; // a platform that lies
    /// assert_eq!(sandbox.cancellations(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn success() -> Self {
        let envelope = CancelOnboardResponse {
            code: SUCCESS_CODE,
            msg: Some("success".to_owned()),
            data: Some(RawJson::from(&json!({}))),
            error: None,
        };
        Self::done(&envelope)
    }

    /// A code that neither [`ErrorCode`] nor [`PlatformErrorCode`] needs to know, at HTTP 400.
    #[must_use]
    pub fn code(code: i64) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, code, "error")
    }

    /// The limiter's refusal: `ceiling` calls are allowed in its window, and calls are let through again in
    /// `reset_seconds`.
    #[must_use]
    pub fn rate_limited(ceiling: u32, reset_seconds: u64) -> Self {
        Self::from(PlatformErrorCode::RateLimited)
            .header(headers::RATE_LIMIT_CEILING, ceiling.into())
            .header(headers::RATE_LIMIT_RESET, reset_seconds.into())
    }

    /// A JSON value.
    #[must_use]
    pub fn json(status: StatusCode, body: &Value) -> Self {
        let code = serde_json::from_value::<CancelOnboardResponse>(body.clone()).ok().map(|envelope| envelope.code);
        let answer = Self::bytes(status, body.to_string());
        Self { code, ..answer }.header(CONTENT_TYPE, HeaderValue::from_static(JSON))
    }

    /// A page such as gateways send.
    #[must_use]
    pub fn html(status: StatusCode) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
        Self::bytes(status, body).header(CONTENT_TYPE, HeaderValue::from_static("text/html"))
    }

    /// Any bytes, empty ones too, without a content type.
    #[must_use]
    pub fn bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderMap::new(), code: None, content: Content::Given(body.into()) }
    }

    /// The same answer at another HTTP status.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same answer with one more header, or with another value of one that it has.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The envelope of a success.
    pub(super) fn done(envelope: &impl Serialize) -> Self {
        let content = Content::Done(serde_json::to_value(envelope).unwrap_or_default());
        Self { status: StatusCode::OK, headers: HeaderMap::new(), code: Some(SUCCESS_CODE), content }
    }

    /// The same refusal with the fields that were not accepted.
    pub(super) fn violations(mut self, violations: Vec<FieldViolation>) -> Self {
        if let Content::Refusal { violations: of_answer, .. } = &mut self.content {
            *of_answer = violations;
        }
        self
    }

    /// An answer of the gateway in front of the API: no envelope, but a log id.
    pub(super) fn gateway(status: StatusCode) -> Self {
        Self::bytes(status, format!("{status}\n")).header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
    }

    fn refusal(status: StatusCode, code: i64, message: &str) -> Self {
        let content = Content::Refusal { message: message.to_owned(), violations: Vec::new() };
        Self { status, headers: HeaderMap::new(), code: Some(code), content }
    }

    /// The HTTP status and the envelope's code.
    pub(super) fn outcome(&self) -> (u16, Option<i64>) {
        (self.status.as_u16(), self.code)
    }

    /// The answer to the call with this log id.
    pub(super) fn into_response(self, log_id: &str) -> Response<Bytes> {
        let Self { status, headers, code, content } = self;
        let envelope = match content {
            Content::Given(body) => return response(status, headers, body),
            Content::Done(envelope) => envelope,
            Content::Refusal { message, violations } => {
                let detail = Detail { log_id, field_violations: &violations };
                let envelope = CancelOnboardResponse {
                    code: code.unwrap_or_default(),
                    msg: Some(message),
                    data: None,
                    error: serde_json::to_value(detail).ok().as_ref().map(RawJson::from),
                };
                serde_json::to_value(envelope).unwrap_or_default()
            }
        };
        let mut whole = HeaderMap::new();
        whole.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        whole.extend(headers);
        signed(response(status, whole, envelope.to_string().into()), log_id)
    }
}

const JSON: &str = "application/json; charset=utf-8";

fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The answer with the log id as a header, unless it has one.
pub(super) fn signed(mut response: Response<Bytes>, log_id: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(log_id) {
        response.headers_mut().entry(headers::LOG_ID).or_insert(value);
    }
    response
}

/// The answer as axum sends it.
pub(super) fn whole(response: Response<Bytes>) -> Response {
    response.map(Body::from)
}

/// The answer as it stands on the wire, up to and including the first `kept` bytes of its body.
pub(super) fn cut_short(response: &Response<Bytes>, kept: usize) -> Bytes {
    let mut wire = format!("{:?} {}\r\n", Version::HTTP_11, response.status()).into_bytes();
    for (name, value) in response.headers() {
        wire.extend_from_slice(name.as_str().as_bytes());
        wire.extend_from_slice(b": ");
        wire.extend_from_slice(value.as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    let body = response.body();
    wire.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    wire.extend_from_slice(&body[..kept.min(body.len())]);
    wire.into()
}

impl From<ErrorCode> for Answer {
    /// The code at the HTTP status that the page gives it.
    fn from(code: ErrorCode) -> Self {
        Self::refusal(documented(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST), code.code(), code.label())
    }
}

impl From<TerminationReasonsErrorCode> for Answer {
    /// The code at the HTTP status that the page gives it.
    fn from(code: TerminationReasonsErrorCode) -> Self {
        Self::refusal(documented(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST), code.code(), code.label())
    }
}

impl From<PlatformErrorCode> for Answer {
    /// The code at the HTTP status that is usual for it; the pages don't fix it.
    fn from(code: PlatformErrorCode) -> Self {
        let usual = match code {
            PlatformErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            PlatformErrorCode::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::refusal(documented(code.http_status()).unwrap_or(usual), code.code(), code.label())
    }
}

impl From<ServiceErrorCode> for Answer {
    /// The code at the HTTP status that tables give it, 400 where none does.
    fn from(code: ServiceErrorCode) -> Self {
        Self::refusal(documented(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST), code.code(), code.label())
    }
}

impl From<TokenErrorCode> for Answer {
    /// The code at the HTTP status that it was seen with.
    fn from(code: TokenErrorCode) -> Self {
        Self::refusal(documented(code.http_status()).unwrap_or(StatusCode::OK), code.code(), code.label())
    }
}

fn documented(status: Option<u16>) -> Option<StatusCode> {
    status.and_then(|status| StatusCode::from_u16(status).ok())
}

impl fmt::Debug for Answer {
    /// The body can hold a token, so it is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("code", &self.code).finish_non_exhaustive()
    }
}
