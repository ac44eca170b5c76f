//! What an answer says: success, or which failure.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use progenitor_client::{Error as CallError, ResponseValue};
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::error::{Delivery, ErrorKind};
use crate::failure::{Answer, Failure};
use crate::generated::platform::{SUCCESS_CODE, headers};
use crate::generated::{Exchange, Head};
use crate::json_object::Object;
use crate::meaning::{self, Code, EndpointCode, Meaning, Retry};
use crate::redaction::Redaction;

/// What every answer of the platform has in common; build.rs implements it for each endpoint's answer.
pub(crate) trait Envelope: DeserializeOwned {
    /// The codes of the endpoint's own error table.
    type Code: EndpointCode;
    /// Whether the call only reads, as its method says: then nothing of it can take effect.
    const SAFE: bool;

    /// The code, the message and the `error` object.
    fn into_parts(self) -> (i64, Option<String>, Option<Value>);

    /// The code.
    fn code(&self) -> i64;
}

/// A success.
#[derive(Debug)]
pub(crate) struct Success<T> {
    /// The answer; `None` where it says that it is a success and nothing else of it has the documented form.
    pub content: Option<T>,
    /// The HTTP status.
    pub http_status: u16,
    /// The platform's id for the request.
    pub log_id: Option<String>,
}

/// What the generated client returns for a call.
pub(crate) type Outcome<T> = Result<ResponseValue<Object<T>>, CallError<Object<T>>>;

/// Makes a call with the generated client, within its time, and reads what comes of it.
///
/// The call is taken pinned: it is large, and would be copied from each future to the next on its way to where it is polled.
///
/// # Errors
/// What the failure means, for this call alone.
pub(crate) async fn read<T: Envelope>(
    call: Pin<&mut impl Future<Output = Outcome<T>>>,
    end: Instant,
    exchange: &Exchange,
    redaction: &Redaction<'_>,
) -> Result<Success<T>, Failure> {
    // The body of an answer can be long in coming after the call has returned its head.
    let told = pin!(async { tell(call.await, exchange, redaction).await });
    timeout_at(end, told).await.unwrap_or_else(|_| Err(cut_off(exchange, redaction))).map_err(of_call::<T>)
}

/// A failure of a call with this answer: where the call only reads, nothing of it can have taken effect.
fn of_call<T: Envelope>(failure: Failure) -> Failure {
    if T::SAFE { failure.without_effect() } else { failure }
}

async fn tell<T: Envelope>(
    outcome: Outcome<T>,
    exchange: &Exchange,
    redaction: &Redaction<'_>,
) -> Result<Success<T>, Failure> {
    let reading = match outcome {
        Ok(answer) | Err(CallError::ErrorResponse(answer)) => Reading::Whole(answer.into_inner().0),
        Err(CallError::InvalidResponsePayload(body, _)) => Reading::of(&body),
        Err(CallError::UnexpectedResponse(response)) => match response.bytes().await {
            Ok(body) => Reading::of(&body),
            Err(error) => return Err(broken(error, exchange, redaction)),
        },
        Err(
            CallError::CommunicationError(error)
            | CallError::ResponseBodyError(error)
            | CallError::InvalidUpgrade(error),
        ) => return Err(broken(error, exchange, redaction)),
        Err(CallError::InvalidRequest(reason) | CallError::Custom(reason)) => {
            return Err(Failure::refused_here(reason));
        }
    };
    let Some(head) = exchange.head() else {
        return Err(Failure::new(not_sent_or_unknown(exchange, ErrorKind::ConnectionLost)));
    };
    let log_id = redaction.apply_to(log_id(&head.headers));
    if exchange.is_over_limit() {
        return Err(over_limit(head, log_id));
    }
    match reading {
        Reading::Whole(content) if content.code() == SUCCESS_CODE => {
            Ok(Success { content: Some(content), http_status: head.status, log_id })
        }
        Reading::Outline(outline) if outline.code == SUCCESS_CODE => {
            Ok(Success { content: None, http_status: head.status, log_id })
        }
        Reading::Whole(content) => Err(refused::<T::Code>(content.into_parts(), head, log_id, redaction)),
        Reading::Outline(outline) => Err(refused::<T::Code>(outline.into_parts(), head, log_id, redaction)),
        Reading::Nothing => Err(unreadable(head, log_id)),
    }
}

/// What a call means that was cut off by its time.
fn cut_off(exchange: &Exchange, redaction: &Redaction<'_>) -> Failure {
    with_head(Failure::new(not_sent_or_unknown(exchange, ErrorKind::Timeout)), exchange, redaction)
}

enum Reading<T> {
    Whole(T),
    Outline(Outline),
    Nothing,
}

impl<T: Envelope> Reading<T> {
    fn of(body: &[u8]) -> Self {
        if let Ok(Object(content)) = serde_json::from_slice(body) {
            return Self::Whole(content);
        }
        if let Ok(Object(outline)) = serde_json::from_slice(body) {
            return Self::Outline(outline);
        }
        let code = serde_json::from_slice(body).map(|Object(CodeAlone { code })| code);
        code.map_or(Self::Nothing, |code| Self::Outline(Outline { code, msg: Value::Null, error: None }))
    }
}

/// The envelope when something in it does not have the documented form: the code alone decides.
#[derive(Deserialize)]
struct Outline {
    code: i64,
    #[serde(default)]
    msg: Value,
    #[serde(default)]
    error: Option<Value>,
}

/// The code, when something else in the envelope can't even be read as JSON values: a text that is not UTF-8, for
/// instance.
#[derive(Deserialize)]
struct CodeAlone {
    code: i64,
}

impl Outline {
    fn into_parts(self) -> (i64, Option<String>, Option<Value>) {
        let message = match self.msg {
            Value::String(message) => Some(message),
            _ => None,
        };
        (self.code, message, self.error)
    }
}

fn refused<E: EndpointCode>(
    (code, message, error): (i64, Option<String>, Option<Value>),
    head: &Head,
    log_id: Option<String>,
    redaction: &Redaction<'_>,
) -> Failure {
    let code = Code::of::<E>(code);
    let meaning = code.meaning(head.status);
    let (own_log_id, details) = details(error, redaction);
    let answer = Answer {
        http_status: head.status,
        code: Some(code),
        log_id: log_id.or(own_log_id),
        message: redaction.apply_to(message),
        details,
    };
    Failure::new(meaning).with_answer(answer).with_retry_after(retry_after(&head.headers))
}

/// Splits the envelope's `error` into the log id and the rest.
fn details(error: Option<Value>, redaction: &Redaction<'_>) -> (Option<String>, Option<Value>) {
    let mut error = error.unwrap_or_default();
    redaction.apply_to_json(&mut error);
    let log_id = match &mut error {
        Value::Object(map) => map.remove("log_id").and_then(|id| id.as_str().map(str::to_owned)),
        _ => None,
    };
    let empty = error.is_null() || error.as_object().is_some_and(serde_json::Map::is_empty);
    (log_id, (!empty).then_some(error))
}

fn unreadable(head: &Head, log_id: Option<String>) -> Failure {
    let answer = Answer { http_status: head.status, log_id, ..Answer::default() };
    let what = match head.status {
        300..=399 => "the answer is a redirect, which is never followed",
        _ => "the answer holds no readable envelope",
    };
    let failure = Failure::new(meaning::of_unreadable(head.status)).with_answer(answer);
    failure.with_message(what).with_retry_after(retry_after(&head.headers))
}

fn over_limit(head: &Head, log_id: Option<String>) -> Failure {
    let retry = if (300..400).contains(&head.status) { Retry::Never } else { Retry::Later };
    let meaning = Meaning { kind: ErrorKind::UnexpectedResponse, delivery: Delivery::Unknown, retry };
    let answer = Answer { http_status: head.status, log_id, ..Answer::default() };
    let limit = crate::generated::BODY_LIMIT / 1024;
    let failure = Failure::new(meaning).with_answer(answer).with_retry_after(retry_after(&head.headers));
    failure.with_message(format!("the answer is longer than {limit} KiB and was not read"))
}

/// A call that ended without a whole answer.
fn broken(error: reqwest::Error, exchange: &Exchange, redaction: &Redaction<'_>) -> Failure {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::ConnectionLost };
    let failure = match (error.is_builder(), exchange.begun_or_withheld()) {
        (true, false) => Failure::refused_here("the request can't be built"),
        _ => Failure::new(not_sent_or_unknown(exchange, kind)),
    };
    with_head(failure, exchange, redaction).with_source(Arc::new(error))
}

fn not_sent_or_unknown(exchange: &Exchange, kind: ErrorKind) -> Meaning {
    match exchange.begun_or_withheld() {
        false => Meaning { kind: ErrorKind::Connect, delivery: Delivery::NotSent, retry: Retry::Later },
        true => Meaning { kind, delivery: Delivery::Unknown, retry: Retry::Later },
    }
}

fn with_head(failure: Failure, exchange: &Exchange, redaction: &Redaction<'_>) -> Failure {
    match exchange.head() {
        None => failure,
        Some(head) => {
            let log_id = redaction.apply_to(log_id(&head.headers));
            let answer = Answer { http_status: head.status, log_id, ..Answer::default() };
            failure.with_answer(answer).with_retry_after(retry_after(&head.headers))
        }
    }
}

fn log_id(headers: &HeaderMap) -> Option<String> {
    let text = |name| text(headers, name).filter(|text| !text.is_empty());
    text(headers::LOG_ID).or_else(|| text(headers::REQUEST_ID)).map(str::to_owned)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// How long the answer asks to wait, by the limiter's own header or by `Retry-After` in either of its forms; the longer
/// wait where both are there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| text(headers, name).map(str::trim);
    let reset = text(headers::RATE_LIMIT_RESET).and_then(seconds);
    let retry_after = text(RETRY_AFTER).and_then(|text| seconds(text).or_else(|| until(text)));
    reset.max(retry_after)
}

/// Whole seconds, or a fraction rounded up: a wait is never cut short.
fn seconds(text: &str) -> Option<Duration> {
    let fraction = || text.parse().ok().filter(|seconds: &f64| (0.0..1e9).contains(seconds));
    let whole = text.parse().ok();
    whole.map(Duration::from_secs).or_else(|| fraction().map(|seconds| Duration::from_secs_f64(seconds.ceil())))
}

/// From now to a date.
fn until(date: &str) -> Option<Duration> {
    let until = httpdate::parse_http_date(date).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}
