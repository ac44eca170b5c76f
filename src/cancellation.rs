//! The life of one cancellation: its attempts, the waits between them, and what is known in the end.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, Span, field};

use crate::answer;
use crate::client::Shared;
use crate::error::{Delivery, Error, ErrorKind};
use crate::failure::Failure;
use crate::generated::Exchange;
use crate::generated::cancel_onboard::types::ApplicationId;
use crate::generated::cancel_onboard::{Client as EndpointClient, ErrorCode};
use crate::meaning::{Code, Meaning, Retry};
use crate::pace::{Permit, TooLong};
use crate::redaction::Redaction;
use crate::request::{CancelRequest, Cancelled, Outcome};
use crate::retry::Waits;
use crate::token::AccessToken;

/// What is awaited when the first request is about to be written, with the token and the permit in hand.
pub(crate) type BeforeSending =
    Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send>> + Send>;

/// Makes a cancellation.
pub(crate) async fn cancel(
    client: &Shared,
    request: &CancelRequest,
    permit: Option<Permit>,
    before_sending: Option<BeforeSending>,
) -> Result<Cancelled, Error> {
    let span = tracing::info_span!(
        "cancel_onboard",
        application_id = request.application_id(),
        termination_type = request.termination_type().value(),
        attempts = field::Empty,
        outcome = field::Empty,
        delivery = field::Empty,
        kind = field::Empty,
    );
    async {
        let result = match request.checked_id() {
            Ok(id) => Cancellation::new(client, request, id, permit, before_sending).run().await,
            Err(error) => Err(error),
        };
        record(&Span::current(), &result);
        result
    }
    .instrument(span)
    .await
}

fn record(span: &Span, result: &Result<Cancelled, Error>) {
    match result {
        Ok(done) => {
            span.record("attempts", done.attempts).record("outcome", done.outcome.as_str());
            tracing::debug!(log_id = done.log_id(), "cancelled");
        }
        Err(error) => {
            span.record("attempts", error.attempts())
                .record("delivery", error.delivery().as_str())
                .record("kind", error.kind().as_str());
            tracing::debug!(code = error.code(), log_id = error.log_id(), "not cancelled");
        }
    }
}

struct Cancellation<'a> {
    client: &'a Shared,
    request: &'a CancelRequest,
    id: ApplicationId,
    deadline: Instant,
    waits: Waits,
    permit: Option<Permit>,
    before_sending: Option<BeforeSending>,
    attempts: u32,
    had_new_token: bool,
    /// What is known of the attempts so far, taken together.
    delivery: Delivery,
    earlier: Vec<Failure>,
}

/// A failed attempt, with the token that it was made with.
struct Failed {
    failure: Failure,
    token: Option<AccessToken>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, token: None }
    }
}

impl<'a> Cancellation<'a> {
    fn new(
        client: &'a Shared,
        request: &'a CancelRequest,
        id: ApplicationId,
        permit: Option<Permit>,
        before_sending: Option<BeforeSending>,
    ) -> Self {
        let now = Instant::now();
        Self {
            client,
            request,
            id,
            deadline: now.checked_add(client.retry.time()).unwrap_or(now + FAR),
            waits: client.retry.waits(),
            permit,
            before_sending,
            attempts: 0,
            had_new_token: false,
            delivery: Delivery::NotSent,
            earlier: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<Cancelled, Error> {
        for tried in 1.. {
            let Failed { failure, token } = match self.attempt(tried).await {
                Ok(log_id) => return Ok(self.done(Outcome::Cancelled, log_id)),
                Err(failed) => failed,
            };
            if self.delivery == Delivery::Unknown && failure.code() == Some(TERMINATED) {
                return Ok(self.done(Outcome::Terminated, failure.log_id().map(str::to_owned)));
            }
            if failure.settles() {
                return Err(self.failed(Delivery::Rejected, failure));
            }
            self.delivery = self.delivery.max(failure.delivery());
            let again = tried < self.client.retry.most_attempts() && self.before_next(&failure, token).await;
            if !again {
                let delivery = self.delivery;
                return Err(self.failed(delivery, failure));
            }
            self.earlier.push(failure);
        }
        unreachable!("the attempts are counted down")
    }

    /// Waits for the time of the next attempt, if there is to be one.
    async fn before_next(&mut self, failure: &Failure, token: Option<AccessToken>) -> bool {
        let asked = failure.retry_after();
        let wait = match failure.retry() {
            Retry::Never => return false,
            Retry::WithNewToken => {
                let renewable = token.is_some_and(|token| self.client.tokens.refused(&token));
                return renewable && !std::mem::replace(&mut self.had_new_token, true);
            }
            Retry::Later => self.waits.draw().max(asked.unwrap_or_default()),
            Retry::AfterReset => asked.unwrap_or_else(|| self.waits.draw().max(WITHOUT_RESET)),
        };
        let Some(until) = Instant::now().checked_add(wait).filter(|until| *until <= self.deadline) else {
            return false;
        };
        tracing::debug!(wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "trying again");
        sleep_until(until).await;
        true
    }

    async fn attempt(&mut self, number: u32) -> Result<Option<String>, Failed> {
        let span = tracing::info_span!(
            "attempt",
            number,
            status = field::Empty,
            code = field::Empty,
            log_id = field::Empty,
            delivery = field::Empty,
        );
        let outcome = self.make_attempt().instrument(span.clone()).await;
        match &outcome {
            Ok(log_id) => {
                span.record("code", 0).record("log_id", log_id.as_deref());
            }
            Err(Failed { failure, .. }) => {
                span.record("status", failure.http_status())
                    .record("code", failure.code().map(Code::number))
                    .record("log_id", failure.log_id())
                    .record("delivery", failure.delivery().as_str());
                span.in_scope(|| tracing::debug!("{failure}"));
            }
        }
        outcome
    }

    async fn make_attempt(&mut self) -> Result<Option<String>, Failed> {
        let token = token(self.client, self.deadline).await?;
        let permit = self.permit().await?;
        if let Some(before_sending) = self.before_sending.take() {
            before_sending().await.map_err(not_recorded)?;
        }
        let exchange = Exchange::new(Some(token.authorization())).with_permit(permit);
        let endpoint = EndpointClient {
            baseurl: self.client.origin.clone(),
            client: self.client.http.clone(),
            inner: exchange.clone(),
        };
        self.attempts += 1;
        let end = self.deadline.min(Instant::now() + self.client.attempt_timeout);
        let call = endpoint.cancel_onboard(&self.id, self.request.body());
        let outcome = match timeout_at(end, call).await {
            Ok(outcome) => answer::read(outcome, &exchange, &Redaction(&[token.secret()])).await,
            Err(_) => Err(answer::cut_off(&exchange)),
        };
        match outcome {
            Ok(success) => Ok(success.log_id),
            Err(failure) => {
                if failure.retry() == Retry::AfterReset {
                    self.client.pacer.pause(failure.retry_after().unwrap_or(WITHOUT_RESET));
                }
                Err(Failed { failure, token: Some(token) })
            }
        }
    }

    async fn permit(&mut self) -> Result<Permit, Failure> {
        if let Some(permit) = self.permit.take() {
            return Ok(permit);
        }
        self.client.pacer.permit(self.deadline).await.map_err(|TooLong(wait)| {
            let meaning =
                Meaning { kind: ErrorKind::RateLimited, delivery: Delivery::NotSent, retry: Retry::AfterReset };
            Failure::new(meaning)
                .with_message("the rate limit lets no call through within the time of the cancellation")
                .with_retry_after((!wait.is_zero()).then_some(wait))
        })
    }

    fn done(&self, outcome: Outcome, log_id: Option<String>) -> Cancelled {
        Cancelled { outcome, log_id, attempts: self.attempts }
    }

    fn failed(self, delivery: Delivery, last: Failure) -> Error {
        Error::new(delivery, self.attempts, last, self.earlier)
    }
}

/// What the platform answers where there is nothing left to cancel.
const TERMINATED: Code = Code::Endpoint(ErrorCode::ApplicationAlreadyTerminated);

/// How long calls wait after a refusal by the rate limit that does not say how long.
const WITHOUT_RESET: Duration = Duration::from_secs(1);

/// Stands in for a deadline that is too far away to be reckoned with.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

async fn token(client: &Shared, deadline: Instant) -> Result<AccessToken, Failure> {
    match timeout_at(deadline, client.tokens.token()).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(error.0),
        Err(_) => {
            let meaning = Meaning { kind: ErrorKind::Timeout, delivery: Delivery::NotSent, retry: Retry::Later };
            Err(Failure::new(meaning).with_message("no access token within the time of the cancellation"))
        }
    }
}

fn not_recorded(error: Box<dyn StdError + Send + Sync>) -> Failure {
    Failure::refused_here(format!("not sent, because what comes before it failed: {error}"))
        .with_source(Arc::from(error))
}
