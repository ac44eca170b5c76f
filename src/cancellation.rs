//! The life of one cancellation: what each of its attempts leads to, and what is known in the end.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::{Pin, pin};

use tracing::{Instrument, Span, field};

use crate::answer::Success;
use crate::attempts::{Attempts, Failed};
use crate::client::Shared;
use crate::error::{Delivery, Error};
use crate::failure::Failure;
use crate::generated::cancel_onboard::types::CancelOnboardResponse;
use crate::generated::cancel_onboard::{ApplicationId, Client as EndpointClient, ErrorCode};
use crate::meaning::Code;
use crate::pace::Permit;
use crate::request::{CancelRequest, Cancelled, Outcome};

/// What is awaited when the first request is about to be written, with the token and the permit in hand.
pub(crate) type BeforeSending = Box<dyn FnOnce() -> Recording + Send>;

/// Puts on record that a cancellation starts.
pub(crate) type Recording = Pin<Box<dyn Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send>>;

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
    let cancellation = pin!(async {
        let result = match request.checked_id() {
            Ok(id) => Cancellation::new(client, request, id, permit, before_sending).run().await,
            Err(error) => Err(error),
        };
        record(&Span::current(), &result);
        result
    });
    cancellation.instrument(span).await
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
    attempts: Attempts<'a>,
    /// What is known of the attempts so far, taken together, a lost one before this cancellation included.
    delivery: Delivery,
    earlier: Vec<Failure>,
}

impl<'a> Cancellation<'a> {
    fn new(
        client: &'a Shared,
        request: &'a CancelRequest,
        id: ApplicationId,
        permit: Option<Permit>,
        before_sending: Option<BeforeSending>,
    ) -> Self {
        let attempts = Attempts::new(client, &client.pacer).first(permit, before_sending);
        let delivery = if request.had_lost_attempt() { Delivery::Unknown } else { Delivery::NotSent };
        Self { client, request, id, attempts, delivery, earlier: Vec::new() }
    }

    async fn run(mut self) -> Result<Cancelled, Error> {
        loop {
            let Failed { failure, token } = match self.attempt().await {
                Ok(success) => return Ok(self.done(Outcome::Cancelled, success.log_id)),
                Err(failed) => failed,
            };
            let answered = failure.delivery() == Delivery::Rejected;
            if answered && self.delivery == Delivery::Unknown && failure.code() == Some(TERMINATED) {
                return Ok(self.done(Outcome::Terminated, failure.log_id().map(str::to_owned)));
            }
            if failure.settles() {
                return Err(self.failed(Delivery::Rejected, failure));
            }
            self.delivery = self.delivery.max(failure.delivery());
            if !self.attempts.next(&failure, token).await {
                let delivery = self.delivery;
                return Err(self.failed(delivery, failure));
            }
            self.earlier.push(failure);
        }
    }

    async fn attempt(&mut self) -> Result<Success<CancelOnboardResponse>, Failed> {
        let Self { client, request, id, attempts, .. } = self;
        let send = |exchange| {
            let (baseurl, client) = (client.origin.clone(), client.http.clone());
            let endpoint = EndpointClient { baseurl, client, inner: exchange };
            async move { endpoint.cancel_onboard(id, request.body()).await }
        };
        attempts.make(send).await
    }

    fn done(&self, outcome: Outcome, log_id: Option<String>) -> Cancelled {
        Cancelled { outcome, log_id, attempts: self.attempts.begun() }
    }

    fn failed(self, delivery: Delivery, last: Failure) -> Error {
        Error::new(delivery, self.attempts.begun(), last, self.earlier)
    }
}

/// What the platform answers where there is nothing left to cancel.
const TERMINATED: Code = Code::Endpoint(ErrorCode::ApplicationAlreadyTerminated);
