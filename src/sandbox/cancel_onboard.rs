//! The endpoint that cancels, with the checks in the order in which the platform makes them.

use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::connection::Cut;
use super::exchange::{Context, Shared, lock};
use super::schema::{Schema, violation};
use crate::ErrorCode;
use crate::generated::cancel_onboard::{ApplicationId, OPERATION};
use crate::generated::platform::types::FieldViolation;

pub(super) async fn handle(
    State(context): State<Context>,
    Extension(cut): Extension<Cut>,
    request: Request,
) -> Response {
    let shared = context.shared.clone();
    let id = application_id(request.uri().path());
    let mut exchange = context.begin(cut, request, Some(id.clone()));
    if let Some(refusal) = exchange.refusal(&shared.tokens, &shared.limits) {
        exchange.read().await;
        return exchange.answer(refusal);
    }
    let fault = lock(&shared.cancellation_faults).next();
    let latency = latency(&shared);
    exchange.perform(fault, latency, |head, body| cancel(&shared, &id, head, body)).await
}

/// Cancels, if the request is as the document says and the application's state allows it.
fn cancel(shared: &Shared, id: &str, head: &Parts, body: Option<&[u8]>) -> Answer {
    let mut violations = body_violations(&shared.cancellation_schema, head, body);
    if let Err(error) = id.parse::<ApplicationId>() {
        violations.push(violation(path_parameter().0, id, error.to_string()));
    }
    if !violations.is_empty() {
        return Answer::from(ErrorCode::InvalidParameter).violations(violations);
    }
    lock(&shared.applications).cancel(id).map_or_else(Answer::from, |()| Answer::success())
}

/// What in a body, if it could be read, and in its content type is not as the document says.
fn body_violations(schema: &Schema, head: &Parts, body: Option<&[u8]>) -> Vec<FieldViolation> {
    let essence = |content_type: &str| content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let sent = head.headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let sent = sent.as_deref().unwrap_or_default();
    let wanted = essence(OPERATION.content_type.unwrap_or_default());
    if essence(sent) != wanted {
        return vec![violation(CONTENT_TYPE.as_str(), sent, format!("must be {wanted}"))];
    }
    let Some(body) = body else {
        return vec![violation("body", "", "must be whole, and not as long as this")];
    };
    match serde_json::from_slice(body) {
        Ok(body) => schema.violations(&body),
        Err(error) => {
            vec![violation("body", &String::from_utf8_lossy(body), format!("must be JSON: {error}"))]
        }
    }
}

/// The path parameter: its name, and what stands before and after it in the path.
fn path_parameter() -> (&'static str, &'static str, &'static str) {
    let (before, rest) = OPERATION.path.split_once('{').unwrap_or((OPERATION.path, ""));
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    (name, before, after)
}

/// The application id in a path, decoded; as it stands there, if what it decodes to is not text.
fn application_id(path: &str) -> String {
    let (_, before, after) = path_parameter();
    let raw = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap_or(path);
    percent_decode_str(raw).decode_utf8().map_or_else(|_| raw.to_owned(), |id| id.into_owned())
}

fn latency(shared: &Shared) -> Duration {
    let (range, random) = &mut *lock(&shared.latency);
    random.within(range)
}
