//! The life of one cancellation: what each of its attempts leads to, and what is known in the end.
//!
//! It runs in a separate task: a caller who stops waiting for it stops nothing that is under way, and begins nothing.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};
use tracing::{Instrument, Span, field};

use crate::answer::Success;
use crate::attempts::{Attempts, Failed, First, Next, Progress, Way};
use crate::client::Shared;
use crate::error::{Delivery, Error};
use crate::failure::Failure;
use crate::generated::cancel_onboard::types::CancelOnboardResponse;
use crate::generated::cancel_onboard::{ApplicationId, Client as EndpointClient, ErrorCode};
use crate::meaning::Code;
use crate::request::{CancelRequest, Cancelled, Outcome};
use crate::stop::Stop;

/// What is awaited before the first request is written, with the token in hand.
pub(crate) type BeforeSending = Box<dyn FnOnce() -> Recording + Send>;

/// Puts on record that a cancellation starts.
pub(crate) type Recording = Pin<Box<dyn Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send>>;

/// What is awaited with the result, before the caller has it.
pub(crate) type OnFinished = Box<dyn FnOnce(&CancelRequest, &Result<Cancelled, Error>) -> Finishing + Send>;

/// Puts on record how a cancellation ended.
pub(crate) type Finishing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A cancellation that was started, from [`CancelOnboard::start`](crate::CancelOnboard::start). Awaiting it gives its result.
///
/// Dropping it is not waiting for the result any more, and stops it as [`stop`](Self::stop) does.
///
/// ```
/// use feishu_cancel_onboard::{Client, Outcome, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// # let shutdown = std::future::pending::<()>();
/// let mut cancellation = client.cancel_onboard("1111111111", TerminationType::Other).start();
/// let result = tokio::select! {
///     result = &mut cancellation => result,
///     () = shutdown => {
///         cancellation.stop(); // begins nothing more, and waits for what is under way
///         cancellation.await
///     }
/// };
/// assert_eq!(result?.outcome(), Outcome::Cancelled);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[must_use = "dropping it stops the cancellation"]
pub struct Cancellation {
    task: JoinHandle<Verdict>,
    stop: Stop,
    progress: Arc<Progress>,
}

impl Cancellation {
    /// Starts a cancellation in a separate task.
    pub(crate) fn start(
        client: Arc<Shared>,
        request: CancelRequest,
        before_sending: Option<BeforeSending>,
        on_finished: Option<OnFinished>,
    ) -> Self {
        let (stop, progress) = (Stop::default(), Arc::<Progress>::default());
        let first = First { turn: None, before_sending, stop: stop.clone(), progress: Arc::clone(&progress) };
        let task = async move {
            let verdict = make(&client, &request, first).await;
            if let Some(on_finished) = on_finished {
                on_finished(&request, verdict.result()).await;
            }
            verdict
        };
        Self { task: tokio::spawn(task.in_current_span()), stop, progress }
    }

    /// Begins nothing more. A request that is under way is carried to its answer; if it is refused then, or if nothing was
    /// sent yet, the cancellation ends with [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) in place of another
    /// attempt.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Stops waiting for the result, and says what is known of the cancellation at this moment: that it has succeeded, or
    /// else why that is not known. With a request under way, its fate is unknown.
    ///
    /// A request that is under way is carried to its answer all the same, if the program runs for as long. One that has not
    /// begun to be written never will be.
    ///
    /// # Errors
    /// With the kind [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted), unless the cancellation has succeeded already.
    pub fn give_up(self) -> Result<Cancelled, Error> {
        self.stop.stop();
        self.given_up("stopped before the answer came")
    }

    fn given_up(&self, message: &str) -> Result<Cancelled, Error> {
        let given_up = self.progress.give_up();
        given_up.map_err(|(delivery, attempts)| Error::new(delivery, attempts, Failure::stopped(message), Vec::new()))
    }

    fn joined(&self, joined: Result<Verdict, JoinError>) -> Result<Cancelled, Error> {
        joined.map(Verdict::take).unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => self.given_up("the runtime ended before the cancellation"),
        })
    }
}

impl Future for Cancellation {
    type Output = Result<Cancelled, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context).map(|joined| self.joined(joined))
    }
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation")
            .field("attempts", &self.progress.begun())
            .field("delivery", &self.progress.delivery())
            .finish_non_exhaustive()
    }
}

/// The result of a cancellation. It is logged where it is dropped before somebody took it, at whatever moment that was.
pub(crate) struct Verdict {
    application_id: String,
    result: Option<Result<Cancelled, Error>>,
}

impl Verdict {
    pub(crate) fn result(&self) -> &Result<Cancelled, Error> {
        self.result.as_ref().expect("only `take` takes it, and the verdict with it")
    }

    pub(crate) fn take(mut self) -> Result<Cancelled, Error> {
        self.result.take().expect("only `take` takes it, and the verdict with it")
    }
}

impl Drop for Verdict {
    fn drop(&mut self) {
        let application_id = self.application_id.as_str();
        match &self.result {
            None => {}
            Some(Ok(done)) => {
                let log_id = done.log_id();
                tracing::warn!(application_id, log_id, "nobody waited for the result: {}", done.outcome());
            }
            Some(Err(error)) => tracing::warn!(application_id, "nobody waited for the result: {error}"),
        }
    }
}

/// Makes a cancellation.
pub(crate) async fn make(client: &Shared, request: &CancelRequest, first: First) -> Verdict {
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
            Ok(id) => attempt_until_settled(client, request, &id, first).await,
            Err(error) => Err(error),
        };
        record(&Span::current(), request, &result);
        result
    });
    let result = Some(cancellation.instrument(span).await);
    Verdict { application_id: request.application_id().to_owned(), result }
}

async fn attempt_until_settled(
    client: &Shared,
    request: &CancelRequest,
    id: &ApplicationId,
    first: First,
) -> Result<Cancelled, Error> {
    let progress = Arc::clone(&first.progress);
    if request.had_lost_attempt() {
        progress.learn(Delivery::Unknown);
    }
    let mut attempts = Attempts::new(client, Way::OwnConnections(&client.pacer), first);
    loop {
        let lost_before = progress.delivery() == Delivery::Unknown;
        let failed = match attempt(client, &mut attempts, request, id).await {
            Ok(success) => return Ok(done(Outcome::Cancelled, &progress, success.log_id)),
            Err(failed) => failed,
        };
        let refused = failed.failure.delivery() == Delivery::Rejected;
        if refused && lost_before && failed.failure.code() == Some(TERMINATED) {
            let log_id = failed.failure.log_id().map(str::to_owned);
            return Ok(done(Outcome::Terminated, &progress, log_id));
        }
        // Nothing but success and that settles what was lost before: even a refusal by the endpoint may be what the lost
        // attempt caused, and the lost attempt may still be carried out.
        if let Next::End(failure) = attempts.next(failed).await {
            return Err(Error::new(progress.delivery(), progress.begun(), failure, attempts.into_earlier()));
        }
    }
}

/// What the event of a verdict is told apart by: it is documented, and does not move with the code.
const VERDICT: &str = "feishu_cancel_onboard::verdict";

/// Says how a cancellation ended: in its span, and in an event that holds all of it, for those who count.
fn record(span: &Span, request: &CancelRequest, result: &Result<Cancelled, Error>) {
    let application_id = request.application_id();
    match result {
        Ok(done) => {
            let (attempts, outcome) = (done.attempts, done.outcome.as_str());
            span.record("attempts", attempts).record("outcome", outcome);
            let log_id = done.log_id();
            tracing::info!(target: VERDICT, application_id, outcome, attempts, log_id, "cancelled");
        }
        Err(error) => {
            let (attempts, delivery, kind) = (error.attempts(), error.delivery().as_str(), error.kind().as_str());
            span.record("attempts", attempts).record("delivery", delivery).record("kind", kind);
            let (code, retryable, log_id) = (error.code(), error.is_retryable(), error.log_id());
            tracing::info!(
                target: VERDICT, application_id, kind, delivery, attempts, code, retryable, log_id, "not cancelled"
            );
        }
    }
}

async fn attempt(
    client: &Shared,
    attempts: &mut Attempts<'_>,
    request: &CancelRequest,
    id: &ApplicationId,
) -> Result<Success<CancelOnboardResponse>, Failed> {
    let send = |exchange| {
        let (baseurl, client) = (client.origin.clone(), client.http_without_reuse.clone());
        let endpoint = EndpointClient { baseurl, client, inner: exchange };
        async move { endpoint.cancel_onboard(id, request.body()).await }
    };
    attempts.make(send).await
}

fn done(outcome: Outcome, progress: &Progress, log_id: Option<String>) -> Cancelled {
    let done = Cancelled { outcome, log_id, attempts: progress.begun() };
    progress.succeed(&done);
    done
}

/// What the platform answers where there is nothing left to cancel.
const TERMINATED: Code = Code::Endpoint(ErrorCode::ApplicationAlreadyTerminated);
