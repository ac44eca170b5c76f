//! How a sandbox is set up.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::Sandbox;
use super::applications::{ApplicationState, Applications};
use super::exchange::{Shared, router};
use super::fault::Faults;
use super::journal::{Call, Journal, Observer};
use super::limit::Limits;
use super::random::{Random, unpredictable};
use super::schema::Schema;
use super::server::Server;
use super::tokens::Tokens;
use crate::RateLimit;
use crate::generated::{cancel_onboard, tenant_access_token, termination_reasons};

/// Sets up a [`Sandbox`]; [`Sandbox::builder`] makes one.
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::sandbox::{ApplicationState, Sandbox};
/// use feishu_cancel_onboard::{RateLimit, TerminationType};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let a_second = Duration::from_secs(1);
/// let sandbox = Sandbox::builder()
///     .port(0)
///     .credentials("cli_a1b2c3", "the app's secret")
///     .token_expire(600)
///     .rate_limits([RateLimit { calls: 5, period: a_second }])
///     .reason_rate_limits([])
///     .termination_reasons([json!({ "id": "1", "termination_type": TerminationType::Other }), json!({ "id": "2" })])
///     .reasons_per_page(1)
///     .latency(Duration::from_millis(5)..=Duration::from_millis(10))
///     .application("6949805467799537964", ApplicationState::Terminated)
///     .keep_calls(1000)
///     .grace(a_second)
///     .on_call(|call| println!("{} {} {:?}", call.method, call.path, call.status))
///     .start()
///     .await?;
/// assert_eq!(sandbox.application("6949805467799537964"), ApplicationState::Terminated);
/// # Ok(())
/// # }
/// ```
#[must_use = "it is `start` that starts a sandbox"]
pub struct SandboxBuilder {
    port: u16,
    app_id: String,
    app_secret: String,
    limits: Vec<RateLimit>,
    reasons: Vec<Value>,
    reasons_per_page: usize,
    reason_limits: Vec<RateLimit>,
    latency: RangeInclusive<Duration>,
    expire: Option<i64>,
    kept_calls: usize,
    grace: Duration,
    observer: Option<Observer>,
    applications: Applications,
}

impl SandboxBuilder {
    pub(super) fn new() -> Self {
        Self {
            port: 0,
            app_id: super::APP_ID.to_owned(),
            app_secret: super::APP_SECRET.to_owned(),
            limits: cancel_onboard::OPERATION.rate_limits.to_vec(),
            reasons: super::termination_reasons::by_default(),
            reasons_per_page: super::termination_reasons::PER_PAGE,
            reason_limits: termination_reasons::OPERATION.rate_limits.to_vec(),
            latency: Duration::ZERO..=Duration::ZERO,
            expire: None,
            kept_calls: usize::MAX,
            grace: Duration::from_secs(5),
            observer: None,
            applications: Applications::default(),
        }
    }

    /// The port on the loopback interface. Default: one that the system picks, which is also what 0 means.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The credentials of the one app there is. Default: [`APP_ID`](super::APP_ID) and
    /// [`APP_SECRET`](super::APP_SECRET).
    pub fn credentials(self, app_id: impl Into<String>, app_secret: impl Into<String>) -> Self {
        Self { app_id: app_id.into(), app_secret: app_secret.into(), ..self }
    }

    /// The rate limits on cancellations, which hold together; with none, every call is let through. Default: the
    /// documented ones.
    pub fn rate_limits(self, limits: impl Into<Vec<RateLimit>>) -> Self {
        Self { limits: limits.into(), ..self }
    }

    /// The termination reasons that are listed, each as it is to stand in a page, odd ones too: nothing of them is looked
    /// at. Default: twelve invented ones of all types, some of them disabled.
    pub fn termination_reasons(self, reasons: impl IntoIterator<Item = Value>) -> Self {
        Self { reasons: reasons.into_iter().collect(), ..self }
    }

    /// The most termination reasons that a page holds, even when more are asked for, as a platform may decide; 0 is taken
    /// as 1. Default: 10, so that the default ones take two pages.
    pub fn reasons_per_page(self, most: usize) -> Self {
        Self { reasons_per_page: most.max(1), ..self }
    }

    /// The rate limits on listing termination reasons, like [`rate_limits`](Self::rate_limits). Default: the documented
    /// ones.
    pub fn reason_rate_limits(self, limits: impl Into<Vec<RateLimit>>) -> Self {
        Self { reason_limits: limits.into(), ..self }
    }

    /// How long a cancellation that passed the limit takes to answer, at random within the range; it takes effect at
    /// once. Default: no time.
    pub fn latency(self, latency: RangeInclusive<Duration>) -> Self {
        Self { latency, ..self }
    }

    /// What `expire` says in the answer to a request for a token, in seconds. Default: the longest life a token has.
    /// See also [`Sandbox::set_token_expire`].
    pub fn token_expire(self, seconds: i64) -> Self {
        Self { expire: Some(seconds), ..self }
    }

    /// The state in which an application is at the start. Default: see [`Sandbox`].
    pub fn application(mut self, id: impl Into<String>, state: ApplicationState) -> Self {
        self.applications.set(id.into(), state);
        self
    }

    /// How many calls, the newest ones, [`Sandbox::calls`] remembers. Default: all.
    pub fn keep_calls(self, newest: usize) -> Self {
        Self { kept_calls: newest, ..self }
    }

    /// How long [`Sandbox::shutdown`] waits for calls under way. Default: 5 seconds.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Is told of each call once it has ended, answered or not, on the server's thread: it must not block for long.
    /// Default: nobody is told.
    pub fn on_call(self, observer: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self { observer: Some(Box::new(observer)), ..self }
    }

    /// Starts the server.
    ///
    /// # Errors
    /// When the port is taken, or the system has no port or thread to give.
    pub async fn start(self) -> io::Result<Sandbox> {
        let mut tokens = Tokens::new(self.app_id.clone(), self.app_secret.clone());
        if let Some(seconds) = self.expire {
            tokens.set_expire(seconds);
        }
        let shared = Arc::new(Shared {
            applications: Mutex::new(self.applications),
            tokens: Mutex::new(tokens),
            limits: Mutex::new(Limits::new(&self.limits)),
            reasons: self.reasons,
            reasons_per_page: self.reasons_per_page,
            reason_limits: Mutex::new(Limits::new(&self.reason_limits)),
            reason_faults: Mutex::new(Faults::default()),
            cancellation_faults: Mutex::new(Faults::default()),
            token_faults: Mutex::new(Faults::default()),
            latency: Mutex::new((self.latency, Random::new(unpredictable()))),
            journal: Arc::new(Journal::new(self.kept_calls, self.observer)),
            cancellation_schema: Schema::parse(cancel_onboard::REQUEST_SCHEMA.unwrap_or_default())?,
            token_schema: Schema::parse(tenant_access_token::REQUEST_SCHEMA.unwrap_or_default())?,
        });
        let served = Arc::clone(&shared);
        let server = Server::start(self.port, self.grace, |ending| router(served, ending)).await?;
        let base_url = format!("http://{}", server.address);
        Ok(Sandbox { base_url, app_id: self.app_id, app_secret: self.app_secret, shared, server })
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("port", &self.port)
            .field("app_id", &self.app_id)
            .field("limits", &self.limits)
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}
