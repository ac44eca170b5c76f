//! A stand-in for the platform: a real HTTP server on loopback that issues tokens, lists termination reasons and cancels
//! onboardings, keeping state, with the checks, codes, limits and headers of the platform. For tests, and for trying things out.
//!
//! [`Sandbox`] is where to begin, [`Fault`] what can go wrong with it.

mod answer;
mod applications;
mod builder;
mod cancel_onboard;
mod connection;
mod exchange;
mod fault;
mod journal;
mod limit;
mod random;
mod schema;
mod server;
mod tenant_access_token;
mod termination_reasons;
mod tokens;

use std::sync::Arc;
use std::time::Instant;
use std::{fmt, io};

pub use answer::Answer;
pub use applications::{ApplicationState, IN_FEISHU_PEOPLE, PENDING, TERMINATED};
pub use builder::SandboxBuilder;
pub use fault::{Ending, Fault};
pub use journal::Call;

use self::exchange::{Shared, lock};
use self::server::Server;

/// The app id that a sandbox knows unless it is given another. It is no real app's.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{APP_ID, APP_SECRET, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::start().await?;
/// assert_eq!((sandbox.app_id(), sandbox.app_secret()), (APP_ID, APP_SECRET));
/// # Ok(())
/// # }
/// ```
pub const APP_ID: &str = "cli_sandbox";
/// The app secret that a sandbox knows unless it is given another. It is nobody's secret.
///
/// See [`APP_ID`] for an example.
pub const APP_SECRET: &str = "sandbox-secret-for-nothing-real";

/// A running stand-in for the platform.
///
/// It listens on 127.0.0.1 only, on a thread of its own, so the caller may block or use any runtime. Dropping it ends it,
/// with every connection to it.
///
/// When it starts, [`PENDING`] and any id that is not named here is an application pending onboarding, [`TERMINATED`] is
/// already terminated, and [`IN_FEISHU_PEOPLE`] has its pre-hire record in Feishu People. A cancelled one is terminated from
/// then on.
///
/// Twelve invented termination reasons are listed, of all types and some of them disabled, ten of them at most on a page;
/// which of them a cancellation names is not looked at.
///
/// Like the platform, it looks at a call in this order: path and method, token, rate limit, content type and body and
/// application id, state of the application. Every answer has a log id.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{ApplicationState, Ending, Fault, PENDING, Sandbox};
/// use feishu_cancel_onboard::{Client, Outcome, TerminationType};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// assert!(sandbox.base_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
///
/// // The next cancellation takes effect, but its answer is lost.
/// sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset)]);
///
/// // What is to be tested runs here.
/// let origin = sandbox.base_url().parse()?;
/// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let done = client.cancel_onboard(PENDING, TerminationType::Other).send().await?;
/// assert_eq!(done.outcome(), Outcome::Terminated);
///
/// assert_eq!(sandbox.application(PENDING), ApplicationState::Terminated);
/// assert_eq!((sandbox.cancellations(), sandbox.token_requests()), (1, 1));
/// assert_eq!(sandbox.calls().len(), 3);
/// sandbox.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    base_url: String,
    app_id: String,
    app_secret: String,
    shared: Arc<Shared>,
    server: Server,
}

impl Sandbox {
    /// Starts a sandbox as it is by default, on a port that the system picks.
    ///
    /// # Errors
    /// When the system has no port or thread to give.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A sandbox to be set up otherwise.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    /// Its origin, without a path: `http://127.0.0.1:` and the port.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The id of the app that it knows.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The secret of that app.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.app_secret
    }

    /// The calls that it saw, in the order in which they came, those under way included. Neither tokens nor secrets are in
    /// them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.journal.calls()
    }

    /// The state of an application.
    #[must_use]
    pub fn application(&self, id: &str) -> ApplicationState {
        lock(&self.shared.applications).state(id)
    }

    /// Puts an application into a state.
    ///
    /// ```
    /// # use feishu_cancel_onboard::sandbox::{ApplicationState, Sandbox};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let sandbox = Sandbox::start().await?;
    /// sandbox.set_application("6949805467799537964", ApplicationState::InFeishuPeople);
    /// assert_eq!(sandbox.application("6949805467799537964"), ApplicationState::InFeishuPeople);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_application(&self, id: impl Into<String>, state: ApplicationState) {
        lock(&self.shared.applications).set(id.into(), state);
    }

    /// How many cancellations took effect, whatever their callers were told.
    #[must_use]
    pub fn cancellations(&self) -> usize {
        lock(&self.shared.applications).cancelled()
    }

    /// How many requests for a token came, refused and failed ones included.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        lock(&self.shared.tokens).requests()
    }

    /// A token that is good, as the next request for one would get it; it does not count as a request.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::Sandbox;
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).tenant_access_token(sandbox.token()).build()?;
    /// client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
    /// assert_eq!(sandbox.token_requests(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn token(&self) -> String {
        lock(&self.shared.tokens).current(Instant::now()).0
    }

    /// Makes the tokens handed out so far invalid (99991663). The next request for one gets a new one.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::Sandbox;
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
    ///
    /// sandbox.revoke_tokens();
    /// let done = client.cancel_onboard("4444444444", TerminationType::Other).send().await?;
    /// assert_eq!((done.attempts(), sandbox.token_requests()), (2, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke_tokens(&self) {
        lock(&self.shared.tokens).revoke();
    }

    /// Brings the tokens handed out so far to their end (99991677). The next request for one gets a new one.
    ///
    /// See [`revoke_tokens`](Self::revoke_tokens) for an example; only the code is another.
    pub fn expire_tokens(&self) {
        lock(&self.shared.tokens).expire();
    }

    /// Sets what `expire` says of tokens from now on, in seconds; the next request gets a new token.
    ///
    /// A token lives as long as that, if that is between 1 second and the longest life a token has; with anything else it
    /// lives as long as a token can.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::Sandbox;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let sandbox = Sandbox::start().await?;
    /// let before = sandbox.token();
    /// sandbox.set_token_expire(60);
    /// assert_ne!(sandbox.token(), before);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_token_expire(&self, seconds: i64) {
        lock(&self.shared.tokens).set_expire(seconds);
    }

    /// Programs what goes wrong with the next cancellations that pass the token and the limit: one fault for each, after
    /// those already programmed.
    ///
    /// See [`Fault`] for an example.
    pub fn fail_cancellations(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared.cancellation_faults).extend(faults);
    }

    /// Programs what goes wrong with the next requests for a token: one fault for each, after those already programmed.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
    /// use feishu_cancel_onboard::{Client, Delivery, PlatformErrorCode, TerminationType};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// sandbox.fail_token_requests([Fault::WithoutEffect(PlatformErrorCode::AppDisabled.into())]);
    ///
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let result = client.cancel_onboard("1111111111", TerminationType::Other).send().await;
    /// let error = result.expect_err("there is no token");
    /// assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn fail_token_requests(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared.token_faults).extend(faults);
    }

    /// Programs what goes wrong with the next pages of termination reasons that pass the token and the limits: one fault for
    /// each, after those already programmed.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::{Fault, Sandbox};
    /// use feishu_cancel_onboard::{Client, ErrorKind, TerminationReasonsErrorCode};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// sandbox.fail_reason_lists([Fault::WithoutEffect(TerminationReasonsErrorCode::InvalidParameter.into())]);
    ///
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let error = client.termination_reasons().next().await.and_then(Result::err).expect("it was refused");
    /// assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fail_reason_lists(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared.reason_faults).extend(faults);
    }

    /// Programs what can go wrong with any cancellation that passes the token and the limit and for which no fault is
    /// programmed: each fault with its probability, of which the sum is 1 at most. The seed decides which ones, so that a
    /// run can be repeated. No faults, no failures.
    ///
    /// ```
    /// use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
    /// use feishu_cancel_onboard::{Client, TerminationType};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let faults = [(0.3, Fault::WithEffect(Ending::Reset)), (0.2, Fault::WithoutEffect(Ending::Reset))];
    /// sandbox.fail_cancellations_at_random(7, faults);
    ///
    /// let origin = sandbox.base_url().parse()?;
    /// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// for id in ["10", "11", "12"] {
    ///     println!("{id}: {:?}", client.cancel_onboard(id, TerminationType::Other).send().await);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn fail_cancellations_at_random(&self, seed: u64, faults: impl IntoIterator<Item = (f64, Fault)>) {
        lock(&self.shared.cancellation_faults).at_random(seed, faults);
    }

    /// The same for requests for a token.
    ///
    /// See [`fail_cancellations_at_random`](Self::fail_cancellations_at_random) for an example.
    pub fn fail_token_requests_at_random(&self, seed: u64, faults: impl IntoIterator<Item = (f64, Fault)>) {
        lock(&self.shared.token_faults).at_random(seed, faults);
    }

    /// Takes no more calls, lets those under way get their answers, for as long as [`SandboxBuilder::grace`] says, and
    /// ends. Once this returns, the port is free.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.base_url)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
