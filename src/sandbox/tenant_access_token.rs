//! The endpoint that issues tokens.

use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;

use super::answer::Answer;
use super::cancel_onboard::body_violations;
use super::connection::Cut;
use super::exchange::{Context, Shared, lock};
use crate::PlatformErrorCode;

pub(super) async fn handle(
    State(context): State<Context>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let shared = context.shared.clone();
    let exchange = context.begin(cut, request, None);
    lock(&shared.tokens).requested();
    let fault = lock(&shared.token_faults).next();
    exchange.perform(fault, Duration::ZERO, |head, body| issue(&shared, head, body)).await
}

/// Issues a token to whoever has the credentials; anything else is credentials that are wrong.
fn issue(shared: &Shared, head: &Parts, body: Option<&[u8]>) -> Answer {
    let sound = body_violations(&shared.token_schema, head, body).is_empty();
    let request = body.filter(|_| sound).and_then(|body| serde_json::from_slice(body).ok());
    let granted =
        request.ok_or(PlatformErrorCode::AppCredentialsWrong).and_then(|request| lock(&shared.tokens).grant(&request));
    granted.map_or_else(Answer::from, |granted| Answer::done(&granted))
}
