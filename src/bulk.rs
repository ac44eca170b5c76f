//! Many cancellations: as fast as the pace allows, each as safe as a single one, never more at once than a fixed number.
//!
//! A cancellation's life, and with it its deadline, begins when its permit is at hand. One at a time is taken ahead to wait
//! for that. All of them are tasks of their own: a caller who does something else between two results, be it another call
//! with the same client, neither holds up those under way nor is held up by them.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use crate::attempts::FAR;
use crate::cancellation::{self, BeforeSending, Recording};
use crate::client::{Client, Shared};
use crate::error::Error;
use crate::request::{CancelRequest, Cancelled};

/// How many cancellations are under way at most, those included whose result has not been fetched yet.
const CEILING: usize = 256;

/// A request, and what became of it.
type Ended = (CancelRequest, Result<Cancelled, Error>);

/// Makes what is awaited before the first request of each cancellation.
type BeforeEach = Arc<dyn Fn(&CancelRequest) -> Recording + Send + Sync>;

impl Client {
    /// Makes many cancellations, as fast as the [`Pace`](crate::Pace) allows, and returns the result of each with its
    /// request, in the order in which they end.
    ///
    /// All that a single cancellation promises holds for each. How many are under way at once follows from the pace and from
    /// how long the platform takes to answer, up to 256. No more is taken from `requests` than that, and one that waits for
    /// its turn: memory does not grow with their number. The deadline of a cancellation begins with its turn, so that waiting
    /// for it costs none of it. Nothing begins while nobody polls.
    ///
    /// Dropping the stream stops everything; whether a request that was under way has taken effect is then not known.
    /// [`CancelAll::stop`] lets those that have begun come to their end.
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
            under_way: JoinSet::new(),
            waiting: None,
            stopped: watch::Sender::new(false),
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
    under_way: JoinSet<Option<Ended>>,
    /// Closes when the latest of those under way no longer waits for its permit.
    waiting: Option<oneshot::Receiver<()>>,
    stopped: watch::Sender<bool>,
}

impl<S> CancelAll<S> {
    /// Awaits something when the first request of a cancellation is about to be written, with the token and the permit in
    /// hand: a place to put on record that this cancellation has started.
    ///
    /// If it fails, nothing is sent, and the cancellation fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) and that error as a source.
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

    /// Begins nothing any more: what has not begun to be sent, or to be put on record, is given up without a result. The
    /// results of those that have begun still come, then the stream ends.
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
        self.stopped.send_replace(true);
    }
}

impl<S: Stream<Item = CancelRequest>> CancelAll<S> {
    /// Takes requests for as long as there is room and nobody waits for a permit.
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
        let (has_permit, waiting) = oneshot::channel();
        self.waiting = Some(waiting);
        let one = One {
            client: Arc::clone(&self.client),
            request,
            before_sending: self.before_sending.clone(),
            stopped: self.stopped.subscribe(),
        };
        self.under_way.spawn(one.run(has_permit).in_current_span());
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
                    if let Some(ended) = joined.unwrap_or_else(no_result) {
                        return Poll::Ready(Some(ended));
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

fn no_result(error: JoinError) -> Option<Ended> {
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
    stopped: watch::Receiver<bool>,
}

impl One {
    /// Waits for the permit, then makes the cancellation. None if it was stopped before it began.
    async fn run(mut self, has_permit: oneshot::Sender<()>) -> Option<Ended> {
        let begun = Arc::new(AtomicBool::new(false));
        let before_sending = self.before_sending(&begun);
        let life = async {
            // Where there will be none in a lifetime, the cancellation finds that out and says so.
            let permit = self.client.pacer.permit(Instant::now() + FAR).await.ok();
            drop(has_permit);
            cancellation::cancel(&self.client, &self.request, permit, Some(before_sending)).await
        };
        let result = unless_stopped(life, &mut self.stopped, &begun).await?;
        Some((self.request, result))
    }

    fn before_sending(&self, begun: &Arc<AtomicBool>) -> BeforeSending {
        let (begun, stopped) = (Arc::clone(begun), self.stopped.clone());
        let before_sending = self.before_sending.clone();
        let request = before_sending.is_some().then(|| self.request.clone());
        Box::new(move || {
            Box::pin(async move {
                if *stopped.borrow() {
                    // It is given up as soon as it waits.
                    pending::<()>().await;
                }
                begun.store(true, Ordering::Release);
                match (before_sending, request) {
                    (Some(before_sending), Some(request)) => before_sending(&request).await,
                    _ => Ok(()),
                }
            })
        })
    }
}

/// What comes of `life`; or nothing, if it was stopped before it had begun.
async fn unless_stopped<T>(
    life: impl Future<Output = T>,
    stopped: &mut watch::Receiver<bool>,
    begun: &AtomicBool,
) -> Option<T> {
    let mut life = pin!(life);
    let mut stopped = pin!(stopped.wait_for(|stopped| *stopped));
    poll_fn(|context| match life.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if begun.load(Ordering::Acquire) => Poll::Pending,
        Poll::Pending => stopped.as_mut().poll(context).map(|_| None),
    })
    .await
}
