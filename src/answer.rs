//! What an answer says: success, or which failure.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use progenitor_client::{Error as CallError, ResponseValue};
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::connect_cause::ConnectProblem;
use crate::connecting;
use crate::details::{KeptDetails, shorten};
use crate::error::{Delivery, ErrorKind};
use crate::failure::{Answer, Failure, LOG_ID_LIMIT};
use crate::generated::platform::{SUCCESS_CODE, headers};
use crate::generated::{Exchange, Head};
use crate::json_object::Object;
use crate::meaning::{Code, EndpointCode, Meaning, Retry};
use crate::raw_json::RawJson;
use crate::redaction::Secrets;

/// What every answer of the platform has in common; build.rs implements it for each endpoint's answer.
pub(crate) trait Envelope: DeserializeOwned {
    /// The codes of the endpoint's own error table.
    type Code: EndpointCode;
    /// What the call is for, as its method says.
    const PURPOSE: Purpose;

    /// The code, the message and the `error` object.
    fn into_parts(self) -> (i64, Option<String>, Option<RawJson>);

    /// The code.
    fn code(&self) -> i64;

    /// The `error` object.
    fn error(&self) -> Option<&RawJson>;
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

/// What a call is for: what its failures can mean depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To change something.
    Change,
    /// To read: nothing of it can have taken effect.
    Read,
    /// To obtain a token: whatever is answered, nothing else was sent.
    Token,
}

impl Purpose {
    /// What a failure of such a call means, which means this where a cancellation ends with it.
    fn meaning(self, meaning: Meaning) -> Meaning {
        let Meaning { kind, delivery, retry } = meaning;
        match self {
            Self::Change => meaning,
            Self::Read => Meaning { delivery: delivery.min(Delivery::Rejected), ..meaning },
            // Such a request holds nothing but the credentials, so these are what a refusal of its content is about.
            Self::Token => {
                let of_content = matches!(kind, ErrorKind::Unauthorized | ErrorKind::InvalidParameter);
                let (kind, retry) =
                    if of_content { (ErrorKind::InvalidCredentials, Retry::Never) } else { (kind, retry) };
                Meaning { kind, delivery: Delivery::NotSent, retry }
            }
        }
    }
}

/// Makes a call with the generated client, within the time of its attempt, and classifies the answer.
///
/// # Errors
/// What the failure means, for this call alone.
pub(crate) async fn read<T: Envelope>(
    call: Pin<&mut impl Future<Output = Outcome<T>>>,
    clock: &Clock,
    exchange: &Exchange,
    secrets: &Secrets,
    purpose: Purpose,
    origin: &str,
) -> Result<Success<T>, Failure> {
    let reader = Reader { exchange, secrets, purpose, origin };
    // The body of an answer can be long in coming after the call has returned its head.
    let told = pin!(async { reader.tell(call.await).await });
    let outcome = clock.within_attempt(told).await.unwrap_or_else(|| Err(reader.cut_off()));
    exchange.forget_body();
    outcome
}

/// Classifies the answer to one call.
struct Reader<'a> {
    exchange: &'a Exchange,
    secrets: &'a Secrets,
    purpose: Purpose,
    origin: &'a str,
}

impl Reader<'_> {
    async fn tell<T: Envelope>(&self, outcome: Outcome<T>) -> Result<Success<T>, Failure> {
        let reading = match outcome {
            Ok(answer) | Err(CallError::ErrorResponse(answer)) => Reading::Whole(answer.into_inner().0),
            Err(CallError::InvalidResponsePayload(body, _)) => Reading::of(&body),
            Err(CallError::UnexpectedResponse(response)) => match response.bytes().await {
                Ok(body) => Reading::of(&body),
                Err(error) => return Err(self.broken(error)),
            },
            Err(
                CallError::CommunicationError(error)
                | CallError::ResponseBodyError(error)
                | CallError::InvalidUpgrade(error),
            ) => return Err(self.broken(error)),
            Err(CallError::InvalidRequest(reason) | CallError::Custom(reason)) => {
                return Err(Failure::refused_here(reason));
            }
        };
        let Some(head) = self.exchange.head() else {
            return Err(self.without_answer(ErrorKind::ConnectionLost));
        };
        if self.exchange.is_over_limit() {
            let limit = crate::generated::BODY_LIMIT / 1024;
            return Err(self.not_the_platforms(head, format!("the answer is longer than {limit} KiB and was not read")));
        }
        match reading {
            Reading::Whole(content) => match content.code() {
                SUCCESS_CODE if self.can_be_success(head, content.error()) => Ok(self.success(head, Some(content))),
                _ => Err(self.refused::<T::Code>(content.into_parts(), head)),
            },
            Reading::Outline(outline) => match outline.code {
                SUCCESS_CODE if self.can_be_success(head, outline.error.as_ref()) => Ok(self.success(head, None)),
                _ => Err(self.refused::<T::Code>(outline.into_parts(), head)),
            },
            Reading::Nothing(form) => Err(self.not_the_platforms(head, unreadable(head, form))),
        }
    }

    /// Whether an answer that says success is the platform's: gateways send a code of 0 with other statuses.
    fn can_be_success(&self, head: &Head, error: Option<&RawJson>) -> bool {
        (200..300).contains(&head.status) || is_signed(head, error)
    }

    fn success<T>(&self, head: &Head, content: Option<T>) -> Success<T> {
        let mut log_id = self.secrets.apply_to(log_id(&head.headers));
        if let Some(log_id) = &mut log_id {
            shorten(log_id, LOG_ID_LIMIT);
        }
        Success { content, http_status: head.status, log_id }
    }

    /// An answer with an envelope that does not say success.
    fn refused<E: EndpointCode>(&self, parts: (i64, Option<String>, Option<RawJson>), head: &Head) -> Failure {
        let (number, message, error) = parts;
        let code = Code::of::<E>(number);
        // Who answers in the platform's place can send a code too. One that is listed is taken for the platform's.
        if matches!(code, Code::Unknown(_)) && !is_signed(head, error.as_ref()) {
            return self.not_the_platforms(head, format!("the answer has the code {number} and no log id"));
        }
        let (own_log_id, details) = error.map(|error| KeptDetails::of(&error, self.secrets)).unwrap_or_default();
        let answer = Answer {
            http_status: head.status,
            code: Some(code),
            log_id: self.secrets.apply_to(log_id(&head.headers)).or(own_log_id),
            message: self.secrets.apply_to(message),
            details,
        };
        self.failure(code.meaning(head.status)).with_answer(answer).with_retry_after(retry_after(&head.headers))
    }

    /// An answer that may come from somebody between here and a platform that did what was asked: it says nothing of that.
    fn not_the_platforms(&self, head: &Head, message: impl Into<String>) -> Failure {
        let retry = if (300..400).contains(&head.status) { Retry::Never } else { Retry::Later };
        let meaning = Meaning { kind: ErrorKind::UnexpectedResponse, delivery: Delivery::Unknown, retry };
        // It can have a header's value in it.
        self.with_head(self.failure(meaning)).with_message(self.secrets.apply(&message.into()))
    }

    /// A call that was cut off by its time.
    fn cut_off(&self) -> Failure {
        let failure = self.without_answer(ErrorKind::Timeout);
        let failure = match failure.kind() {
            ErrorKind::Connect => failure.with_cause(ConnectProblem::TimedOut { to: connecting::address(self.origin) }),
            _ => failure,
        };
        self.with_head(failure)
    }

    /// A call that ended without a whole answer.
    fn broken(&self, error: reqwest::Error) -> Failure {
        let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::ConnectionLost };
        let failure = match (error.is_builder(), self.exchange.begun_or_withheld()) {
            (true, false) => Failure::refused_here("the request can't be built"),
            _ => match self.without_answer(kind) {
                failure if failure.kind() == ErrorKind::Connect => failure.with_cause(connecting::problem_in(&error)),
                failure => failure,
            },
        };
        self.with_head(failure).with_source(Arc::new(error))
    }

    fn without_answer(&self, kind: ErrorKind) -> Failure {
        self.failure(match self.exchange.begun_or_withheld() {
            false => Meaning { kind: ErrorKind::Connect, delivery: Delivery::NotSent, retry: Retry::Later },
            true => Meaning { kind, delivery: Delivery::Unknown, retry: Retry::Later },
        })
    }

    fn failure(&self, meaning: Meaning) -> Failure {
        Failure::new(self.purpose.meaning(meaning))
    }

    fn with_head(&self, failure: Failure) -> Failure {
        match self.exchange.head() {
            None => failure,
            Some(head) => {
                let log_id = self.secrets.apply_to(log_id(&head.headers));
                let answer = Answer { http_status: head.status, log_id, ..Answer::default() };
                failure.with_answer(answer).with_retry_after(retry_after(&head.headers))
            }
        }
    }
}

/// Whether an answer has the platform's own log id. The fallback for that does not count: gateways send it too.
fn is_signed(head: &Head, error: Option<&RawJson>) -> bool {
    let of_header = text(&head.headers, headers::LOG_ID);
    let is_id = |id: &str| !id.trim().is_empty();
    of_header.is_some_and(is_id) || error.and_then(|error| error.string_in("log_id")).is_some_and(|id| is_id(&id))
}

/// What is said of an answer without a readable envelope.
fn unreadable(head: &Head, form: Form) -> String {
    let coding = text(&head.headers, CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    let compressed =
        |coding| format!("the answer is compressed ({coding}), which was not asked for, and can't be read");
    match (head.status, coding, form) {
        (300..=399, _, _) => "the answer is a redirect, which is never followed".to_owned(),
        (_, Some(coding), _) => compressed(coding),
        (_, None, Form::Gzip) => compressed("gzip, although no header says so"),
        (_, None, Form::Other) => "the answer holds no readable envelope".to_owned(),
    }
}

enum Reading<T> {
    Whole(T),
    Outline(Outline),
    Nothing(Form),
}

/// What a body without a readable envelope looks like.
#[derive(Clone, Copy)]
enum Form {
    Gzip,
    Other,
}

impl Form {
    fn of(body: &[u8]) -> Self {
        if body.starts_with(&[0x1f, 0x8b]) { Self::Gzip } else { Self::Other }
    }
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
        let outline = code.map(|code| Self::Outline(Outline { code, msg: None, error: None }));
        outline.unwrap_or_else(|_| Self::Nothing(Form::of(body)))
    }
}

/// The envelope when something in it does not have the documented form: the code alone decides.
#[derive(Deserialize)]
struct Outline {
    code: i64,
    #[serde(default)]
    msg: Option<RawJson>,
    #[serde(default)]
    error: Option<RawJson>,
}

/// The code, when something else in the envelope can't even be read as JSON values: a text that is not UTF-8, for
/// instance.
#[derive(Deserialize)]
struct CodeAlone {
    code: i64,
}

impl Outline {
    fn into_parts(self) -> (i64, Option<String>, Option<RawJson>) {
        (self.code, self.msg.and_then(RawJson::into_string), self.error)
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
    let answered = || text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    let retry_after = text(RETRY_AFTER).and_then(|text| seconds(text).or_else(|| until(text, answered())));
    reset.max(retry_after)
}

/// Whole seconds, or a fraction rounded up: a wait is never cut short.
fn seconds(text: &str) -> Option<Duration> {
    let fraction = || text.parse().ok().filter(|seconds: &f64| (0.0..1e9).contains(seconds));
    let whole = text.parse().ok();
    whole.map(Duration::from_secs).or_else(|| fraction().map(|seconds| Duration::from_secs_f64(seconds.ceil())))
}

/// To a date from when the answer was given, by the clock of whoever gave it.
fn until(date: &str, answered: SystemTime) -> Option<Duration> {
    let until = httpdate::parse_http_date(date).ok()?;
    Some(until.duration_since(answered).unwrap_or_default())
}
