//! Many cancellations: as fast as the pace allows, each as safe as a single one, never more at once than a fixed number.
//!
//! A cancellation's life begins with its turn to make a connection, and its deadline with its first permit. One at a time is
//! taken ahead to wait for its turn. Each of them is a separate task: a caller who does something else between two results, be it another call
//! with the same client, neither holds up those under way nor is held up by them.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use crate::attempts::First;
use crate::cancellation::{self, BeforeSending, Finishing, Recording, Verdict};
use crate::client::{Client, Shared};
use crate::clock::FAR;
use crate::error::{Error, ErrorKind};
use crate::request::{CancelRequest, Cancelled};
use crate::stop::Stop;

/// How many cancellations are under way at most, those included whose result has not been fetched yet.
const CEILING: usize = 256;

/// A request, and what became of it.
type Ended = (CancelRequest, Result<Cancelled, Error>);

/// Makes what is awaited before the first request of each cancellation.
type BeforeEach = Arc<dyn Fn(&CancelRequest) -> Recording + Send + Sync>;

/// Makes what is awaited with the result of each cancellation.
type OnEach = Arc<dyn Fn(&CancelRequest, &Result<Cancelled, Error>) -> Finishing + Send + Sync>;

impl Client {
    /// Makes many cancellations, as fast as the [`Pace`](crate::Pace) allows, and returns the result of each with its
    /// request, in the order in which they end.
    ///
    /// All that a single cancellation promises holds for each. How many are under way at once follows from the pace and from
    /// how long the platform takes to answer, up to 256. No more is taken from `requests` than that, and one that waits for
    /// its turn: memory does not grow with their number. The deadline of a cancellation begins with its turn, so that waiting
    /// for it costs none of it. Nothing begins while nobody polls.
    ///
    /// Dropping the stream stops nothing that is under way, and begins nothing: each request that has begun is carried to
    /// its answer, its verdict is logged and goes to [`CancelAll::on_finished`], and no further request is sent.
    /// [`CancelAll::stop`] does the same, and the results still come.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
    /// use futures_util::StreamExt;
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let ids = ["6949805467799537964", "6949805467799537965"];
    /// let requests = ids.map(|id| CancelRequest::new(id, TerminationType::CompanyRejected).notes("hiring freeze"));
    /// let mut results = client.cancel_all(futures_util::stream::iter(requests));
    /// while let Some((request, result)) = results.next().await {
    ///     match result {
    ///         Ok(done) => println!("{}: {}", request.application_id(), done.outcome().as_str()),
    ///         Err(error) => eprintln!("{}: {error}", request.application_id()),
    ///     }
    /// }
    /// # assert_eq!(sandbox.cancellations(), 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn cancel_all<S>(&self, requests: S) -> CancelAll<S>
    where
        S: Stream<Item = CancelRequest>,
    {
        CancelAll {
            client: Arc::clone(&self.shared),
            requests: Some(Box::pin(requests)),
            before_sending: None,
            on_finished: None,
            under_way: JoinSet::new(),
            waiting: None,
            stop: Stop::default(),
        }
    }
}

/// The results of many cancellations: see [`Client::cancel_all`].
///
/// # Panics
/// When it is polled outside of a Tokio runtime, when the runtime in which it was polled first has ended since, or when
/// something that it was given panics: the source of tokens, or what is awaited before sending.
#[must_use = "nothing is sent before the stream is polled"]
pub struct CancelAll<S> {
    client: Arc<Shared>,
    /// None once it has come to its end.
    requests: Option<Pin<Box<S>>>,
    before_sending: Option<BeforeEach>,
    on_finished: Option<OnEach>,
    under_way: JoinSet<Option<(CancelRequest, Verdict)>>,
    /// Closes when the latest of those under way no longer waits for its turn.
    waiting: Option<oneshot::Receiver<()>>,
    stop: Stop,
}

impl<S> CancelAll<S> {
    /// Awaits something before the first request of a cancellation is written, with the token in hand: a place to put on
    /// record that this cancellation has started.
    ///
    /// If it fails, nothing is sent, and the cancellation fails with
    /// [`ErrorKind::NotRecorded`](crate::ErrorKind::NotRecorded) and that error as a source.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
    /// use futures_util::StreamExt;
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let (started, on_record) = mpsc::channel(); // stands in for a table of your database
    /// let record = move |request: &CancelRequest| {
    ///     let recorded = started.send(request.application_id().to_owned());
    ///     async { recorded }
    /// };
    /// let requests = ["10", "11"].map(|id| CancelRequest::new(id, TerminationType::CompanyRejected));
    /// let results = client.cancel_all(futures_util::stream::iter(requests)).before_sending(record);
    /// assert_eq!(results.count().await, 2);
    /// assert_eq!(on_record.try_iter().count(), 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn before_sending<F, T, E>(mut self, record: F) -> Self
    where
        F: Fn(&CancelRequest) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.before_sending = Some(Arc::new(move |request| {
            let recorded = record(request);
            Box::pin(async { recorded.await.map_err(Into::into) })
        }));
        self
    }

    /// Awaits something with the result of each cancellation, before the stream gives it: a place to put on record how it
    /// ended. It is awaited also where the stream was dropped while the cancellation was under way.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
    /// use futures_util::StreamExt;
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let (ended, on_record) = mpsc::channel(); // stands in for a table of your database
    /// let record = move |request: &CancelRequest, result: &Result<_, _>| {
    ///     let recorded = ended.send((request.application_id().to_owned(), result.is_ok()));
    ///     async move { drop(recorded) }
    /// };
    /// let requests = ["10", "11"].map(|id| CancelRequest::new(id, TerminationType::CompanyRejected));
    /// let results = client.cancel_all(futures_util::stream::iter(requests)).on_finished(record);
    /// assert_eq!(results.count().await, 2);
    /// assert_eq!(on_record.try_iter().filter(|(_, cancelled)| *cancelled).count(), 2);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn on_finished<F, T>(mut self, record: F) -> Self
    where
        F: Fn(&CancelRequest, &Result<Cancelled, Error>) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.on_finished = Some(Arc::new(move |request, result| Box::pin(record(request, result))));
        self
    }

    /// Begins nothing more: what has not begun to be sent, or to be put on record, is given up without a result. Requests
    /// that are under way are carried to their answers; a cancellation that would be tried again ends with
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) instead. When the results of all that have begun have come,
    /// the stream ends.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
    /// use futures_util::StreamExt;
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let endless = futures_util::stream::iter(1..)
    ///     .map(|id| CancelRequest::new(format!("{id}"), TerminationType::CompanyRejected));
    /// let mut results = client.cancel_all(endless);
    /// let first = results.next().await;
    /// assert!(first.is_some());
    /// results.stop();
    /// while let Some((request, result)) = results.next().await {
    ///     println!("{} had begun: {result:?}", request.application_id());
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn stop(&mut self) {
        self.requests = None;
        self.stop.stop();
    }
}

impl<S: Stream<Item = CancelRequest>> CancelAll<S> {
    /// Takes requests for as long as there is room and nobody waits for its turn.
    fn take_more(&mut self, context: &mut Context<'_>) {
        while self.under_way.len() < CEILING {
            if let Some(waiting) = &mut self.waiting {
                if Pin::new(waiting).poll(context).is_pending() {
                    return;
                }
                self.waiting = None;
            }
            let Some(requests) = &mut self.requests else { return };
            match requests.as_mut().poll_next(context) {
                Poll::Pending => return,
                Poll::Ready(None) => self.requests = None,
                Poll::Ready(Some(request)) => self.begin(request),
            }
        }
    }

    fn begin(&mut self, request: CancelRequest) {
        let (has_turn, waiting) = oneshot::channel();
        self.waiting = Some(waiting);
        let one = One {
            client: Arc::clone(&self.client),
            request,
            before_sending: self.before_sending.clone(),
            on_finished: self.on_finished.clone(),
            stop: self.stop.clone(),
        };
        self.under_way.spawn(one.run(has_turn).in_current_span());
    }
}

impl<S> Drop for CancelAll<S> {
    fn drop(&mut self) {
        self.stop.stop();
        // Those under way are carried to their answers.
        self.under_way.detach_all();
    }
}

impl<S: Stream<Item = CancelRequest>> Stream for CancelAll<S> {
    type Item = Ended;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Ended>> {
        let this = self.get_mut();
        loop {
            this.take_more(context);
            match this.under_way.poll_join_next(context) {
                Poll::Ready(Some(joined)) => {
                    if let Some((request, verdict)) = joined.unwrap_or_else(no_result) {
                        return Poll::Ready(Some((request, verdict.take())));
                    }
                }
                Poll::Ready(None) if this.requests.is_none() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let to_come = self.requests.as_ref().map_or(Some(0), |requests| requests.size_hint().1);
        (0, to_come.and_then(|to_come| to_come.checked_add(self.under_way.len())))
    }
}

impl<S: Stream<Item = CancelRequest>> FusedStream for CancelAll<S> {
    fn is_terminated(&self) -> bool {
        self.requests.is_none() && self.under_way.is_empty()
    }
}

impl<S> fmt::Debug for CancelAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelAll")
            .field("under_way", &self.under_way.len())
            .field("takes_more", &self.requests.is_some())
            .finish_non_exhaustive()
    }
}

fn no_result<T>(error: JoinError) -> Option<T> {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => panic!("the runtime that cancellations were under way in has ended before them"),
    }
}

/// One of many.
struct One {
    client: Arc<Shared>,
    request: CancelRequest,
    before_sending: Option<BeforeEach>,
    on_finished: Option<OnEach>,
    stop: Stop,
}

impl One {
    /// Waits for its turn, then makes the cancellation. None if it was stopped before it began.
    async fn run(self, has_turn: oneshot::Sender<()>) -> Option<(CancelRequest, Verdict)> {
        let recorded = Arc::new(AtomicBool::new(false));
        let before_sending = self.before_sending(&recorded);
        let Self { client, request, on_finished, stop, .. } = self;
        // Where there will be none in a lifetime, the cancellation finds that out and says so.
        let turn = stop.or(client.pacer.turn(Instant::now() + FAR)).await.ok()?.ok();
        drop(has_turn);
        let first = First { turn, before_sending, stop, progress: Arc::default() };
        let verdict = cancellation::make(&client, &request, first).await;
        let nothing_began = |error: &Error| error.kind() == ErrorKind::Interrupted && error.attempts() == 0;
        if verdict.result().as_ref().is_err_and(nothing_began) && !recorded.load(Ordering::Acquire) {
            let _ = verdict.take();
            return None;
        }
        if let Some(on_finished) = on_finished {
            on_finished(&request, verdict.result()).await;
        }
        Some((request, verdict))
    }

    /// What is awaited before sending, which notes that it has begun.
    fn before_sending(&self, begun: &Arc<AtomicBool>) -> Option<BeforeSending> {
        let before_sending = self.before_sending.clone()?;
        let (begun, request) = (Arc::clone(begun), self.request.clone());
        Some(Box::new(move || {
            begun.store(true, Ordering::Release);
            before_sending(&request)
        }))
    }
}
