//! The attempts of one call: for each the token, the permit and the request, and between them the waits.
//!
//! What an attempt leads to is for the endpoint to say; what all of them share is here.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, field};

use crate::answer::{self, Envelope, Outcome, Success};
use crate::cancellation::BeforeSending;
use crate::client::Shared;
use crate::clock::Clock;
use crate::error::{Delivery, ErrorKind};
use crate::failure::Failure;
use crate::generated::Exchange;
use crate::generated::platform::SUCCESS_CODE;
use crate::meaning::{Code, Meaning, Retry};
use crate::own_connection::{Closed, Gate};
use crate::pace::{Pacer, TooLong, Turn};
use crate::request::Cancelled;
use crate::retry::Waits;
use crate::stop::{Stop, Stopped};
use crate::token::AccessToken;

/// How long calls wait after a refusal by the rate limit that does not say how long; it doubles with each further one.
const WITHOUT_RESET: Duration = Duration::from_secs(1);
/// The longest such wait.
const WITHOUT_RESET_LIMIT: Duration = Duration::from_secs(10);
/// By how much a wait that the platform asks for is lengthened at most, so that the programs that share a quota do not all
/// come back at once. It is half of the wait where that is less.
const SPREAD: Duration = Duration::from_secs(5);

/// How many failed attempts are kept of a call: that many of the first ones, and as many of the latest ones.
const KEPT: usize = 8;

/// The attempts of one call, and their results so far.
pub(crate) struct Attempts<'a> {
    client: &'a Shared,
    way: Way<'a>,
    clock: Arc<Clock>,
    stop: Stop,
    progress: Arc<Progress>,
    /// Made when there is something to wait for.
    waits: Option<Waits>,
    turn: Option<Turn>,
    before_sending: Option<BeforeSending>,
    /// How many of the policy's attempts are used up: those that were told to wait are not.
    used: u32,
    /// How many times it was told to wait without being told for how long.
    told_to_wait: u32,
    had_new_token: bool,
    /// How long was waited before the attempt that comes next.
    waited: Duration,
    earlier: Vec<Failure>,
    /// How many attempts had no connection.
    unconnected: u32,
}

/// What a call begins with.
#[derive(Default)]
pub(crate) struct First {
    /// The turn of the first attempt, where it was waited for before.
    pub turn: Option<Turn>,
    /// What is awaited before the first request.
    pub before_sending: Option<BeforeSending>,
    /// What can stop it.
    pub stop: Stop,
    /// What tells others how far it is.
    pub progress: Arc<Progress>,
}

/// On what connections the requests of a call go.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// Each on a separate one.
    OwnConnections(&'a Arc<Pacer>),
    /// On connections that other calls use too.
    SharedConnections(&'a Arc<Pacer>),
}

impl<'a> Way<'a> {
    fn pacer(self) -> &'a Arc<Pacer> {
        match self {
            Self::OwnConnections(pacer) | Self::SharedConnections(pacer) => pacer,
        }
    }
}

/// How far the attempts of a call are, for those who look on.
#[derive(Default)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Default)]
struct State {
    begun: u32,
    /// What is known of the attempts that have ended, taken together.
    ended: Option<Delivery>,
    under_way: Option<Exchange>,
    succeeded: Option<Cancelled>,
}

impl Progress {
    /// How many requests were begun. Token requests do not count.
    pub(crate) fn begun(&self) -> u32 {
        self.read(|state| state.begun)
    }

    /// What is known of the call now, a request that is under way included.
    pub(crate) fn delivery(&self) -> Delivery {
        self.read(|state| {
            let under_way = state.under_way.as_ref().is_some_and(Exchange::has_begun);
            let now = if under_way { Delivery::Unknown } else { Delivery::NotSent };
            now.max(state.ended.unwrap_or(Delivery::NotSent))
        })
    }

    /// Keeps a request that is under way from beginning, where it has not begun, and says what is known of the call then:
    /// the success, or its delivery and how many requests were begun. No request may begin afterwards.
    pub(crate) fn give_up(&self) -> Result<Cancelled, (Delivery, u32)> {
        self.read(|state| {
            if let Some(done) = &state.succeeded {
                return Ok(done.clone());
            }
            let ended = state.ended.unwrap_or(Delivery::NotSent);
            Err(match state.under_way.as_ref().map(Exchange::begun_or_withheld) {
                Some(true) => (Delivery::Unknown, state.begun),
                Some(false) => (ended, state.begun - 1),
                None => (ended, state.begun),
            })
        })
    }

    /// Takes note of the success with which the call ended.
    pub(crate) fn succeed(&self, done: &Cancelled) {
        self.change(|state| state.succeeded = Some(done.clone()));
    }

    /// Adds the delivery of attempts that have ended to that of the earlier ones.
    pub(crate) fn learn(&self, delivery: Delivery) {
        self.change(|state| state.ended = state.ended.max(Some(delivery)));
    }

    fn begin(&self, exchange: &Exchange) {
        self.change(|state| {
            state.begun += 1;
            state.under_way = Some(exchange.clone());
        });
    }

    /// Takes back an attempt whose request was not let through to its connection.
    fn take_back(&self) {
        self.change(|state| {
            state.begun -= 1;
            state.under_way = None;
        });
    }

    /// Takes note that an attempt ended, of which the delivery is known in the same moment.
    fn end(&self, delivery: Delivery) {
        self.change(|state| {
            state.under_way = None;
            state.ended = state.ended.max(Some(delivery));
        });
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
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

impl From<Stopped> for Failed {
    fn from(_: Stopped) -> Self {
        Failure::stopped("stopped before a request was sent").into()
    }
}

/// What is done about a failed attempt.
pub(crate) enum Next {
    /// Another attempt, now that its time has come.
    Again,
    /// Nothing: the call ends with this failure, and the earlier ones are those before it.
    End(Failure),
}

impl<'a> Attempts<'a> {
    /// Those of a call that begins now and goes this way.
    pub(crate) fn new(client: &'a Shared, way: Way<'a>, first: First) -> Self {
        let First { turn, before_sending, stop, progress } = first;
        let time = client.retry.time();
        // Whoever waited for a turn before has waited for nothing that the call's time is for.
        let clock = if turn.is_some() { Clock::start_with_first_permit(time) } else { Clock::start(time) };
        Self {
            client,
            way,
            clock: Arc::new(clock),
            stop,
            progress,
            waits: None,
            turn,
            before_sending,
            used: 0,
            told_to_wait: 0,
            had_new_token: false,
            waited: Duration::ZERO,
            earlier: Vec::new(),
            unconnected: 0,
        }
    }

    /// How many requests were begun. Token requests do not count.
    pub(crate) fn begun(&self) -> u32 {
        self.progress.begun()
    }

    /// The failed attempts but the last, the first one first. Of very many, those in the middle are left out.
    pub(crate) fn into_earlier(self) -> Vec<Failure> {
        self.earlier
    }

    /// Makes an attempt; `call` sends the request.
    pub(crate) async fn make<T: Envelope, C>(
        &mut self,
        mut call: impl FnMut(Exchange) -> C,
    ) -> Result<Success<T>, Failed>
    where
        C: Future<Output = Outcome<T>>,
    {
        let waited = std::mem::take(&mut self.waited);
        let span = tracing::info_span!(
            "attempt",
            number = self.begun() + 1,
            wait_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            status = field::Empty,
            code = field::Empty,
            log_id = field::Empty,
            delivery = field::Empty,
        );
        let request = pin!(async {
            loop {
                if let Some(outcome) = self.request(&mut call).await {
                    return outcome;
                }
            }
        });
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
    pub(crate) async fn next(&mut self, failed: Failed) -> Next {
        let Failed { failure, token } = failed;
        self.unconnected += u32::from(failure.cause().is_some());
        let failure = failure.with_tries(self.unconnected);
        // The source is told of a refusal also where this call has no attempt left: the next one has.
        let renewable = failure.retry() == Retry::WithNewToken
            && token.is_some_and(|token| self.client.tokens.refused(&token))
            && !std::mem::replace(&mut self.had_new_token, true);
        let Some(wait) = self.wait_after(&failure, renewable) else { return Next::End(failure) };
        let deadline = self.clock.deadline();
        let Some(until) = Instant::now().checked_add(wait).filter(|until| *until <= deadline) else {
            return Next::End(failure);
        };
        self.waited = wait;
        let message = format!("stopped before the next attempt; the last one: {failure}");
        self.keep(failure);
        match self.stop.or(sleep_until(until)).await {
            Ok(()) => Next::Again,
            Err(Stopped) => Next::End(Failure::stopped(message)),
        }
    }

    /// How long to wait for the next attempt; none where there is none.
    fn wait_after(&mut self, failure: &Failure, renewable: bool) -> Option<Duration> {
        let policy = &self.client.retry;
        if failure.retry() == Retry::AfterReset {
            let wait = self.wait_after_refusal(failure);
            // The refusal uses up no attempt: the quota is shared with every other program of the app.
            return policy.waits_for_the_limit().then_some(wait);
        }
        self.used += 1;
        if self.used >= policy.most_attempts() {
            return None;
        }
        match failure.retry() {
            Retry::Never | Retry::ByCaller => None,
            Retry::WithNewToken => renewable.then_some(Duration::ZERO),
            Retry::Later | Retry::AfterReset => {
                let drawn = self.waits.get_or_insert_with(|| policy.waits()).draw();
                Some(drawn.max(failure.retry_after().unwrap_or_default()))
            }
        }
    }

    /// How long to wait after a refusal by the rate limit, which every call of the client waits for then.
    fn wait_after_refusal(&mut self, failure: &Failure) -> Duration {
        let asked = failure.retry_after().filter(|asked| !asked.is_zero());
        let least = asked.unwrap_or_else(|| {
            let doubled = WITHOUT_RESET.saturating_mul(1 << self.told_to_wait.min(8));
            self.told_to_wait += 1;
            doubled.min(WITHOUT_RESET_LIMIT)
        });
        let spread = (least / 2).min(SPREAD).mul_f64(fastrand::f64());
        let wait = least.saturating_add(spread);
        // What was asked fits into the time of the call even where the spread does not.
        let left = self.clock.deadline().saturating_duration_since(Instant::now());
        let wait = if least <= left { wait.min(left) } else { wait };
        // One that was answered at the token's endpoint or made here says nothing of this one's limit.
        if failure.delivery() == Delivery::Rejected {
            self.way.pacer().pause(wait);
        }
        wait
    }

    /// Keeps a failure that another attempt follows.
    fn keep(&mut self, failure: Failure) {
        if self.earlier.len() == 2 * KEPT - 1 {
            self.earlier.remove(KEPT);
        }
        self.earlier.push(failure.without_details());
    }

    /// Makes an attempt; none where its connection would have waited too long for its permit, and nothing was sent.
    async fn request<T: Envelope, C>(
        &mut self,
        call: &mut impl FnMut(Exchange) -> C,
    ) -> Option<Result<Success<T>, Failed>>
    where
        C: Future<Output = Outcome<T>>,
    {
        let (token, exchange) = match self.prepare().await {
            Ok(prepared) => prepared,
            Err(failed) => return Some(Err(failed)),
        };
        self.progress.begin(&exchange);
        // In a box, since it is large: every future around it would be as large, and copied on its way to where it is polled.
        let reading = Box::pin(async {
            let call = pin!(call(exchange.clone()));
            answer::read(call, &self.clock, &exchange, &self.client.secrets, T::PURPOSE, &self.client.origin).await
        });
        let Some(outcome) = unless_withheld(&self.stop, reading, &exchange).await else {
            self.progress.take_back();
            return Some(Err(Stopped.into()));
        };
        if let (Err(_), Some(closed)) = (&outcome, exchange.gate_closed()) {
            self.progress.take_back();
            return match closed {
                Closed::Idle => None,
                Closed::TooLong(wait) => Some(Err(self.no_permit(wait).into())),
            };
        }
        // Until the call says what a success is, whoever looks on must not take it for an attempt that came to nothing.
        self.progress.end(outcome.as_ref().map_or_else(Failure::delivery, |_| Delivery::Unknown));
        Some(outcome.map_err(|failure| Failed { failure, token: Some(token) }))
    }

    /// All that a request needs, in the order in which it is had.
    async fn prepare(&mut self) -> Result<(AccessToken, Exchange), Failed> {
        let token = self.token().await?;
        self.client.secrets.add(&token);
        let exchange = match self.way {
            Way::SharedConnections(pacer) => {
                let permit = self.stop.or(pacer.permit(self.clock.deadline())).await?;
                let permit = permit.map_err(|TooLong(wait)| self.no_permit(wait))?;
                Exchange::new(Some(token.authorization())).with_permit(permit)
            }
            Way::OwnConnections(pacer) => {
                let turn = match self.turn.take() {
                    Some(turn) => turn,
                    None => {
                        let turn = self.stop.or(pacer.turn(self.clock.deadline())).await?;
                        turn.map_err(|TooLong(wait)| self.no_permit(wait))?
                    }
                };
                self.record().await?;
                Exchange::with_gate(token.authorization(), Gate::new(Arc::clone(&self.clock), turn))
            }
        };
        if self.stop.is_stopped() {
            return Err(Stopped.into());
        }
        match self.clock.start_attempt(self.client.attempt_timeout) {
            true => Ok((token, exchange)),
            false => Err(out_of_time().into()),
        }
    }

    async fn token(&mut self) -> Result<AccessToken, Failed> {
        let token = timeout_at(self.clock.deadline(), self.client.tokens.token());
        match self.stop.or(token).await? {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) => Err(error.0.into()),
            Err(_) => Err(out_of_time().into()),
        }
    }

    /// Awaits the caller's record of the first request. It is not dropped once it has begun, since the request may be on
    /// record by then.
    async fn record(&mut self) -> Result<(), Failed> {
        if self.stop.is_stopped() {
            return Err(Stopped.into());
        }
        let Some(before_sending) = self.before_sending.take() else { return Ok(()) };
        let recorded = timeout_at(self.clock.deadline(), before_sending()).await;
        recorded.map_err(|_| out_of_time())?.map_err(not_recorded)?;
        Ok(())
    }

    fn no_permit(&self, wait: Duration) -> Failure {
        if self.clock.deadline() <= Instant::now() {
            return out_of_time();
        }
        let meaning = Meaning { kind: ErrorKind::RateLimited, delivery: Delivery::NotSent, retry: Retry::AfterReset };
        Failure::new(meaning)
            .with_message("the rate limit lets no call through within the time of the call")
            .with_retry_after((!wait.is_zero()).then_some(wait))
    }
}

/// The result of a request; none if it is stopped before anything of it was sent, in which case nothing will be.
async fn unless_withheld<T>(
    stop: &Stop,
    mut reading: Pin<Box<impl Future<Output = T>>>,
    exchange: &Exchange,
) -> Option<T> {
    match stop.or(reading.as_mut()).await {
        Ok(outcome) => Some(outcome),
        // What has begun is carried to its answer.
        Err(Stopped) if exchange.begun_or_withheld() => Some(reading.await),
        Err(Stopped) => None,
    }
}

/// Nothing was sent, for the time of the call is over.
fn out_of_time() -> Failure {
    let meaning = Meaning { kind: ErrorKind::Timeout, delivery: Delivery::NotSent, retry: Retry::Later };
    Failure::new(meaning).with_message("the time of the call was over before a request could be sent")
}

fn not_recorded(error: Box<dyn StdError + Send + Sync>) -> Failure {
    let meaning = Meaning { kind: ErrorKind::NotRecorded, delivery: Delivery::NotSent, retry: Retry::ByCaller };
    Failure::new(meaning)
        .with_message(format!("not sent, because the record before it failed: {error}"))
        .with_source(Arc::from(error))
}
