//! The client: cheap to clone, safe to share.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::builder::ClientBuilder;
use crate::cancellation::{BeforeSending, Cancellation, OnFinished};
use crate::error::Error;
use crate::generated::cancel_onboard::TerminationType;
use crate::pace::Pacer;
use crate::redaction::Secrets;
use crate::request::{CancelRequest, Cancelled};
use crate::retry::RetryPolicy;
use crate::termination_reasons::TerminationReasons;
use crate::token::Tokens;

/// A client of the platform, for one app in one tenant.
///
/// Clones share everything: the token, the pace, the connections of calls that only read. Make one and clone it; a second one would not know how fast
/// the first one calls.
///
/// Each attempt of a cancellation makes a separate connection. On one that is kept, a late or additional answer can't be
/// told from the answer to the next request, and would report a cancellation that never happened. The connection is made
/// before the rate limit counts the request, so that this costs nothing of the rate.
///
/// ```
/// use feishu_cancel_onboard::{Client, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// // A clone for each task: all of them share one token and one pace.
/// let tasks = ["6949805467799537964", "6949805467799537965"].map(|id| {
///     let client = client.clone();
///     tokio::spawn(async move { client.cancel_onboard(id, TerminationType::CandidateDeclined).send().await })
/// });
/// for task in tasks {
///     println!("cancelled, log id {:?}", task.await??.log_id());
/// }
/// # assert_eq!((sandbox.cancellations(), sandbox.token_requests()), (2, 1));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

/// What the clones of a client share.
pub(crate) struct Shared {
    pub(crate) origin: String,
    /// For tokens and for what only reads, which share connections.
    pub(crate) http: reqwest::Client,
    /// For cancellations, each of whose attempts has a separate connection.
    pub(crate) http_without_reuse: reqwest::Client,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) tokens: Tokens,
    pub(crate) pacer: Arc<Pacer>,
    /// The pace of listing termination reasons: limits hold for each endpoint alone.
    pub(crate) reasons_pacer: Arc<Pacer>,
    pub(crate) retry: RetryPolicy,
    pub(crate) attempt_timeout: Duration,
}

impl Client {
    /// A builder, which needs credentials before it builds.
    ///
    /// See [`ClientBuilder`] for an example.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Prepares the cancellation of the onboarding that an application leads to; [`CancelOnboard::send`] makes it.
    ///
    /// The endpoint and its limits are described on its page, [`document::PAGE`](crate::document::PAGE).
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
    /// let done = client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
    /// assert_eq!(done.outcome(), Outcome::Cancelled);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn cancel_onboard(
        &self,
        application_id: impl Into<String>,
        termination_type: TerminationType,
    ) -> CancelOnboard<'_> {
        self.prepare(CancelRequest::new(application_id, termination_type))
    }

    /// Prepares a cancellation from a request that was made before.
    ///
    /// ```
    /// use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let request = CancelRequest::new("1111111111", TerminationType::Other).notes("moved abroad");
    /// client.prepare(request.clone()).send().await?;
    /// println!("cancelled the onboarding of {}", request.application_id());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn prepare(&self, request: CancelRequest) -> CancelOnboard<'_> {
        CancelOnboard { client: self, request, before_sending: None, on_finished: None }
    }

    /// How long cancellations of this client and its clones wait from now on, because the platform asked for that; `None`
    /// where they do not.
    ///
    /// For whoever shows the progress of many: a wait of hours is worth a word, or an end.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// # use feishu_cancel_onboard::sandbox::{Answer, Fault};
    /// # sandbox.fail_cancellations([Fault::WithoutEffect(Answer::rate_limited(10, 3600).into())]);
    /// assert_eq!(client.asked_to_wait(), None);
    /// let refused = client.cancel_onboard("1111111111", TerminationType::Other).send().await;
    /// println!("{}", refused.expect_err("the platform asks to wait for an hour"));
    /// assert!(client.asked_to_wait().is_some_and(|wait| wait.as_secs() > 3500));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn asked_to_wait(&self) -> Option<Duration> {
        self.shared.pacer.paused_for()
    }

    /// Lists the termination reasons of the tenant, the system's own and those that it has added, enabled and disabled ones,
    /// in the platform's order.
    ///
    /// The ids are those that [`reason_ids`](CancelOnboard::reason_ids) takes. Nothing is sent before the first one is
    /// awaited; the endpoint is described on its page, [`document::termination_reasons::PAGE`].
    ///
    /// [`document::termination_reasons::PAGE`]: crate::document::termination_reasons::PAGE
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, Received, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let mut reasons = client.termination_reasons();
    /// while let Some(reason) = reasons.next().await.transpose()? {
    ///     let declined = reason.termination_type() == Some(Received::Known(TerminationType::CandidateDeclined));
    ///     if declined && !reason.is_disabled() {
    ///         println!("{} {}", reason.id(), reason.name_en().unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn termination_reasons(&self) -> TerminationReasons {
        TerminationReasons::new(Arc::clone(&self.shared))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.shared.origin)
            .field("retry", &self.shared.retry)
            .field("attempt_timeout", &self.shared.attempt_timeout)
            .finish_non_exhaustive()
    }
}

/// A cancellation that is ready to be made.
///
/// ```
/// use feishu_cancel_onboard::{Client, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let cancellation = client
///     .cancel_onboard("1111111111", TerminationType::CandidateDeclined)
///     .reason_ids(["6959090661225640000"])
///     .notes("took another offer");
/// let done = cancellation.send().await?;
/// assert_eq!(done.attempts(), 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[must_use = "nothing is sent before `send` is awaited"]
pub struct CancelOnboard<'a> {
    client: &'a Client,
    request: CancelRequest,
    before_sending: Option<BeforeSending>,
    on_finished: Option<OnFinished>,
}

impl CancelOnboard<'_> {
    /// Adds ids of detailed reasons, of those that the tenant has set up.
    pub fn reason_ids<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.request = self.request.reason_ids(ids);
        self
    }

    /// Sets a remark in free text.
    pub fn notes(mut self, notes: impl Into<String>) -> Self {
        self.request = self.request.notes(notes);
        self
    }

    /// Says that an attempt of this same cancellation was made before and lost: see
    /// [`CancelRequest::after_lost_attempt`].
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
    /// // The record says that this one had started when the program was killed. It had taken effect.
    /// # sandbox.set_application("6949805467799537964", feishu_cancel_onboard::sandbox::ApplicationState::Terminated);
    /// let again = client.cancel_onboard("6949805467799537964", TerminationType::Other).after_lost_attempt();
    /// assert_eq!(again.send().await?.outcome(), Outcome::Terminated);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn after_lost_attempt(mut self) -> Self {
        self.request = self.request.after_lost_attempt();
        self
    }

    /// Awaits something before the first request is written, with the token in hand: a place to put on record that the
    /// cancellation has started.
    ///
    /// If it fails, nothing is sent, and the cancellation fails with
    /// [`ErrorKind::NotRecorded`](crate::ErrorKind::NotRecorded) and that error as a source.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, Delivery, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let cancellation = client.cancel_onboard("1111111111", TerminationType::Other);
    /// let error = cancellation
    ///     .before_sending(|| async { Err(std::io::Error::other("the database is read-only")) })
    ///     .send()
    ///     .await
    ///     .expect_err("what is not on record is not sent");
    /// assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    /// # assert_eq!(sandbox.cancellations(), 0);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn before_sending<F, T, E>(mut self, record: F) -> Self
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.before_sending = Some(Box::new(|| {
            let recorded = record();
            Box::pin(async { recorded.await.map_err(Into::into) })
        }));
        self
    }

    /// Awaits something with the result, before the caller has it: a place to put on record how the cancellation ended.
    ///
    /// It is awaited also where the caller has stopped waiting, as servers do when their own caller hangs up.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// # use feishu_cancel_onboard::sandbox::Fault;
    /// # sandbox.fail_cancellations([Fault::Delay(std::time::Duration::from_millis(100))]);
    /// let (ended, on_record) = mpsc::channel(); // stands in for a table of your database
    /// let cancellation = client.cancel_onboard("1111111111", TerminationType::Other).on_finished(move |_, result| {
    ///     let cancelled = result.is_ok();
    ///     async move { drop(ended.send(cancelled)) }
    /// });
    /// // Nobody waits for it longer than this.
    /// let waited = tokio::time::timeout(std::time::Duration::from_millis(50), cancellation.send()).await;
    /// assert!(waited.is_err());
    /// # tokio::task::yield_now().await;
    /// # let on_record = tokio::task::spawn_blocking(move || on_record.recv());
    /// # assert!(on_record.await??);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn on_finished<F, T>(mut self, record: F) -> Self
    where
        F: FnOnce(&CancelRequest, &Result<Cancelled, Error>) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.on_finished = Some(Box::new(|request, result| Box::pin(record(request, result))));
        self
    }

    /// Makes the cancellation, and tries again where that is safe.
    ///
    /// It ends within the deadline of the [`RetryPolicy`], 60 seconds by default.
    ///
    /// Dropping the future stops nothing that is under way, and begins nothing: a request that has begun is carried to its
    /// answer in a separate task, the verdict is logged and goes to [`on_finished`](Self::on_finished), and no further
    /// request is sent. Whoever makes the cancellation again without having the verdict makes it with
    /// [`after_lost_attempt`](Self::after_lost_attempt).
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, Delivery, TerminationType};
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// // This one's pre-hire record is in Feishu People.
    /// match client.cancel_onboard("3333333333", TerminationType::Other).send().await {
    ///     Ok(done) => println!("{}", done.outcome().as_str()),
    ///     Err(error) if error.delivery() == Delivery::Unknown => println!("to be looked at: {error}"),
    ///     Err(error) => println!("nothing changed: {}", error.advice().en),
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// When the onboarding is not known to be cancelled. [`Error::delivery`] says whether it can have been.
    ///
    /// # Panics
    /// When it is awaited outside of a Tokio runtime with I/O and time enabled, or when something that it was given panics:
    /// the source of tokens, or what is awaited before sending or with the result.
    pub async fn send(self) -> Result<Cancelled, Error> {
        self.start().await
    }

    /// Starts the cancellation, so that it can be stopped while it is waited for: see [`Cancellation`].
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime; and as [`send`](Self::send) does, when it is awaited.
    pub fn start(self) -> Cancellation {
        let Self { client, request, before_sending, on_finished } = self;
        Cancellation::start(Arc::clone(&client.shared), request, before_sending, on_finished)
    }
}

impl fmt::Debug for CancelOnboard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelOnboard").field("request", &self.request).finish_non_exhaustive()
    }
}
