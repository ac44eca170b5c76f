//! The client: cheap to clone, safe to share.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::builder::ClientBuilder;
use crate::cancellation::{self, BeforeSending};
use crate::error::Error;
use crate::generated::cancel_onboard::TerminationType;
use crate::pace::Pacer;
use crate::request::{CancelRequest, Cancelled};
use crate::retry::RetryPolicy;
use crate::termination_reasons::TerminationReasons;
use crate::token::Tokens;

/// A client of the platform, for one app in one tenant.
///
/// Clones share everything: connections, the token, the pace. Make one and clone it; a second one would not know how fast
/// the first one calls.
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
    pub(crate) http: reqwest::Client,
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
        CancelOnboard { client: self, request, before_sending: None }
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

    /// Awaits something when the first request is about to be written, with the token and the permit in hand: a place to
    /// put on record that the cancellation has started.
    ///
    /// If it fails, nothing is sent, and the cancellation fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) and that error as a source.
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

    /// Makes the cancellation, and tries again where that is safe.
    ///
    /// It ends within the deadline of the [`RetryPolicy`], 60 seconds by default. Dropping the future leaves the client fit
    /// for use; whether a request that was under way has taken effect is then not known.
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
    /// When it is awaited outside of a Tokio runtime with I/O and time enabled, or when the source of tokens panics.
    pub async fn send(self) -> Result<Cancelled, Error> {
        cancellation::cancel(&self.client.shared, &self.request, None, self.before_sending).await
    }
}

impl fmt::Debug for CancelOnboard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelOnboard").field("request", &self.request).finish_non_exhaustive()
    }
}
