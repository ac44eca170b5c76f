//! The attempts of one call: for each the token, the permit and the request, and between them the waits.
//!
//! What an attempt leads to is for the endpoint to say; what all of them share is here.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, field};

use crate::answer::{self, Envelope, Outcome, Success};
use crate::cancellation::BeforeSending;
use crate::client::Shared;
use crate::error::{Delivery, ErrorKind};
use crate::failure::Failure;
use crate::generated::Exchange;
use crate::generated::platform::SUCCESS_CODE;
use crate::meaning::{Code, Meaning, Retry};
use crate::pace::{Pacer, Permit, TooLong};
use crate::redaction::Redaction;
use crate::retry::Waits;
use crate::token::AccessToken;

/// How long calls wait after a refusal by the rate limit that does not say how long.
const WITHOUT_RESET: Duration = Duration::from_secs(1);

/// Stands in for a deadline that is too far away to be reckoned with.
pub(crate) const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The attempts of one call, and what is known of them so far.
pub(crate) struct Attempts<'a> {
    client: &'a Shared,
    pacer: &'a Arc<Pacer>,
    deadline: Instant,
    /// Made when there is something to wait for.
    waits: Option<Waits>,
    permit: Option<Permit>,
    before_sending: Option<BeforeSending>,
    tried: u32,
    begun: u32,
    had_new_token: bool,
    /// How long was waited before the attempt that comes next.
    waited: Duration,
}

/// A failed attempt, with the token that it was made with.
pub(crate) struct Failed {
    pub failure: Failure,
    pub token: Option<AccessToken>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, token: None }
    }
}

impl<'a> Attempts<'a> {
    /// Those of a call that begins now and keeps this pace.
    pub(crate) fn new(client: &'a Shared, pacer: &'a Arc<Pacer>) -> Self {
        let now = Instant::now();
        Self {
            client,
            pacer,
            deadline: later(now, client.retry.time()),
            waits: None,
            permit: None,
            before_sending: None,
            tried: 0,
            begun: 0,
            had_new_token: false,
            waited: Duration::ZERO,
        }
    }

    /// The same, with what the first request is to be made with and is to wait for.
    pub(crate) fn first(self, permit: Option<Permit>, before_sending: Option<BeforeSending>) -> Self {
        Self { permit, before_sending, ..self }
    }

    /// How many requests were begun. Token requests do not count.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }

    /// Makes an attempt; `call` sends the request.
    pub(crate) async fn make<T: Envelope, C>(&mut self, call: impl FnOnce(Exchange) -> C) -> Result<Success<T>, Failed>
    where
        C: Future<Output = Outcome<T>>,
    {
        self.tried += 1;
        let waited = std::mem::take(&mut self.waited);
        let span = tracing::info_span!(
            "attempt",
            number = self.tried,
            wait_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            status = field::Empty,
            code = field::Empty,
            log_id = field::Empty,
            delivery = field::Empty,
        );
        let request = pin!(self.request(call));
        let outcome = request.instrument(span.clone()).await;
        match &outcome {
            Ok(success) => {
                span.record("status", success.http_status)
                    .record("code", SUCCESS_CODE)
                    .record("log_id", success.log_id.as_deref());
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

    /// Waits for the time of the next attempt after this failure, if there is to be one.
    pub(crate) async fn next(&mut self, failure: &Failure, token: Option<AccessToken>) -> bool {
        // The source is told of a refusal also where this call has no attempt left: the next one has.
        let renewable = failure.retry() == Retry::WithNewToken
            && token.is_some_and(|token| self.client.tokens.refused(&token))
            && !std::mem::replace(&mut self.had_new_token, true);
        if self.tried >= self.client.retry.most_attempts() {
            return false;
        }
        let asked = failure.retry_after();
        let client = self.client;
        let mut draw = || self.waits.get_or_insert_with(|| client.retry.waits()).draw();
        let wait = match failure.retry() {
            Retry::Never | Retry::ByCaller => return false,
            Retry::WithNewToken => return renewable,
            Retry::Later => draw().max(asked.unwrap_or_default()),
            Retry::AfterReset => asked.unwrap_or_else(|| draw().max(WITHOUT_RESET)),
        };
        let Some(until) = Instant::now().checked_add(wait).filter(|until| *until <= self.deadline) else {
            return false;
        };
        self.waited = wait;
        sleep_until(until).await;
        true
    }

    async fn request<T: Envelope, C>(&mut self, call: impl FnOnce(Exchange) -> C) -> Result<Success<T>, Failed>
    where
        C: Future<Output = Outcome<T>>,
    {
        let token = token(self.client, self.deadline).await?;
        let mut permit = self.permit().await?;
        if let Some(before_sending) = self.before_sending.take() {
            let recorded = timeout_at(self.deadline, before_sending()).await;
            recorded.map_err(|_| out_of_time())?.map_err(not_recorded)?;
            // What the limiter said in the meantime holds for a permit in hand too.
            while self.pacer.is_paused() {
                drop(permit);
                permit = self.permit().await?;
            }
        }
        let now = Instant::now();
        if self.deadline <= now {
            return Err(out_of_time().into());
        }
        let exchange = Exchange::new(Some(token.authorization())).with_permit(permit);
        self.begun += 1;
        let end = self.deadline.min(later(now, self.client.attempt_timeout));
        let call = pin!(call(exchange.clone()));
        let outcome = answer::read(call, end, &exchange, &Redaction(&[token.secret()])).await;
        outcome.map_err(|failure| {
            if failure.retry() == Retry::AfterReset {
                self.pacer.pause(failure.retry_after().unwrap_or(WITHOUT_RESET));
            }
            Failed { failure, token: Some(token) }
        })
    }

    async fn permit(&mut self) -> Result<Permit, Failure> {
        if let Some(permit) = self.permit.take() {
            return Ok(permit);
        }
        self.pacer.permit(self.deadline).await.map_err(|TooLong(wait)| {
            if self.deadline <= Instant::now() {
                return out_of_time();
            }
            let meaning =
                Meaning { kind: ErrorKind::RateLimited, delivery: Delivery::NotSent, retry: Retry::AfterReset };
            Failure::new(meaning)
                .with_message("the rate limit lets no call through within the time of the call")
                .with_retry_after((!wait.is_zero()).then_some(wait))
        })
    }
}

async fn token(client: &Shared, deadline: Instant) -> Result<AccessToken, Failure> {
    match timeout_at(deadline, client.tokens.token()).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(error.0),
        Err(_) => Err(out_of_time()),
    }
}

/// Nothing was sent, for the time of the call is over.
fn out_of_time() -> Failure {
    let meaning = Meaning { kind: ErrorKind::Timeout, delivery: Delivery::NotSent, retry: Retry::Later };
    Failure::new(meaning).with_message("the time of the call was over before a request could be sent")
}

/// A moment, or one that is far away where it can't be reckoned with.
pub(crate) fn later(from: Instant, by: Duration) -> Instant {
    from.checked_add(by).unwrap_or(from + FAR)
}

fn not_recorded(error: Box<dyn StdError + Send + Sync>) -> Failure {
    Failure::refused_here(format!("not sent, because what comes before it failed: {error}"))
        .with_source(Arc::from(error))
}
