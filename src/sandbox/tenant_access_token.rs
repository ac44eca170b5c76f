//! The endpoint that issues tokens.

use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::Value;

use super::answer::Answer;
use super::connection::Cut;
use super::exchange::{Context, Shared, lock};
use crate::PlatformErrorCode;

pub(super) async fn handle(
    State(context): State<Context>,
    Extension(cut): Extension<Cut>,
    request: Request,
) -> Response {
    let shared = context.shared.clone();
    let exchange = context.begin(cut, request, None);
    lock(&shared.tokens).requested();
    let fault = lock(&shared.token_faults).next();
    exchange.perform(fault, Duration::ZERO, |_, body| issue(&shared, body)).await
}

/// Issues a token to whoever has the credentials; anything else is credentials that are wrong. The content type is not
/// looked at, as an official SDK sends none here.
fn issue(shared: &Shared, body: Option<&[u8]>) -> Answer {
    let body: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
    let sound = body.filter(|body| shared.token_schema.violations(body).is_empty());
    let request = sound.and_then(|body| serde_json::from_value(body).ok());
    let granted =
        request.ok_or(PlatformErrorCode::AppCredentialsWrong).and_then(|request| lock(&shared.tokens).grant(&request));
    granted.map_or_else(Answer::from, |granted| Answer::done(&granted))
}
