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
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use feishu_cancel_onboard::{Client, TerminationType};
///
/// let client = Client::builder().app("cli_a1b2c3", std::env::var("FEISHU_APP_SECRET")?).build()?;
/// let done = client
///     .cancel_onboard("1111111111", TerminationType::CandidateDeclined)
///     .notes("took another offer")
///     .send()
///     .await?;
/// println!("cancelled, log id {:?}", done.log_id());
/// # Ok(())
/// # }
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
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Prepares the cancellation of the onboarding that an application leads to; [`CancelOnboard::send`] makes it.
    ///
    /// The endpoint and its limits are described on its page, [`document::PAGE`](crate::document::PAGE).
    pub fn cancel_onboard(
        &self,
        application_id: impl Into<String>,
        termination_type: TerminationType,
    ) -> CancelOnboard<'_> {
        self.prepare(CancelRequest::new(application_id, termination_type))
    }

    /// Prepares a cancellation from a request that was made before.
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
    pub fn after_lost_attempt(mut self) -> Self {
        self.request = self.request.after_lost_attempt();
        self
    }

    /// Awaits something when the first request is about to be written, with the token and the permit in hand: a place to
    /// put on record that the cancellation has started.
    ///
    /// If it fails, nothing is sent, and the cancellation fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) and that error as a source.
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
    /// # Errors
    /// When the onboarding is not known to be cancelled. [`Error::delivery`] says whether it can have been.
    pub async fn send(self) -> Result<Cancelled, Error> {
        cancellation::cancel(&self.client.shared, &self.request, None, self.before_sending).await
    }
}

impl fmt::Debug for CancelOnboard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelOnboard").field("request", &self.request).finish_non_exhaustive()
    }
}
