//! Tokens obtained from an app's id and secret, kept until shortly before they end.
//!
//! However many calls wait for a token, one request is made, and they share what comes of it, also when it fails. From
//! some time before a token ends it is renewed in the background, while it still serves.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::answer::{self, Purpose};
use crate::clock::Clock;
use crate::error::{Delivery, Error, ErrorKind};
use crate::failure::Failure;
use crate::generated::tenant_access_token::types::{TenantAccessTokenRequest, TenantAccessTokenResponse};
use crate::generated::tenant_access_token::{Client as TokenClient, TOKEN_LIFETIME_MAXIMUM, TOKEN_RENEW_BEFORE_END};
use crate::generated::{Exchange, Secret};
use crate::meaning::{Meaning, Retry};
use crate::redaction::Secrets;
use crate::token::{AccessToken, TokenError};

/// How long before its end a token is not used any more: a request takes time to arrive.
const MARGIN: Duration = Duration::from_secs(60);
/// How long after a failed renewal the next one begins.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// The tokens of one app.
pub(crate) struct AppCredentials(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    state: Mutex<State>,
}

/// What a token is requested with.
pub(crate) struct Endpoint {
    pub origin: String,
    pub http: reqwest::Client,
    pub timeout: Duration,
    pub app_id: String,
    pub app_secret: SecretString,
    pub secrets: Arc<Secrets>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    request: Option<Pending>,
}

/// A token that is kept.
struct Held {
    token: AccessToken,
    renew_at: Instant,
    ends: Instant,
}

/// A request under way, and what came of it once it has ended.
type Pending = watch::Receiver<Option<Result<AccessToken, TokenError>>>;

/// A token, and how long it lives.
struct Issued {
    token: AccessToken,
    lifetime: Duration,
}

impl AppCredentials {
    /// # Errors
    /// When the id or the secret is empty.
    pub(crate) fn new(endpoint: Endpoint) -> Result<Self, Error> {
        if endpoint.app_id.is_empty() || endpoint.app_secret.expose_secret().is_empty() {
            return Err(Error::refused_here("the app id or the app secret is empty"));
        }
        Ok(Self(Arc::new(Shared { endpoint, state: Mutex::default() })))
    }

    /// The token that is kept, or else a new one.
    pub(crate) async fn token(&self) -> Result<AccessToken, TokenError> {
        loop {
            let mut request = match self.0.at_hand() {
                Ok(token) => return Ok(token),
                Err(request) => request,
            };
            let outcome = request.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
            if let Ok(Some(outcome)) = outcome {
                return outcome;
            }
            // The runtime that made the request ended before it did; this one makes its own.
            self.0.lock().forget(&request);
        }
    }

    /// Drops a token that the platform refused. There is always another one to be had.
    pub(crate) fn refused(&self, token: &AccessToken) -> bool {
        let mut state = self.0.lock();
        if state.held.as_ref().is_some_and(|held| held.token.is_same(token)) {
            state.held = None;
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that is kept, or the request to wait for.
    fn at_hand(self: &Arc<Self>) -> Result<AccessToken, Pending> {
        let now = Instant::now();
        let mut state = self.lock();
        match &state.held {
            Some(held) if now < held.ends => {
                let token = held.token.clone();
                if now >= held.renew_at && state.request.is_none() {
                    self.request(&mut state);
                }
                Ok(token)
            }
            _ => Err(match &state.request {
                Some(request) => request.clone(),
                None => self.request(&mut state),
            }),
        }
    }

    /// Begins a request that goes on whoever stops waiting for it.
    fn request(self: &Arc<Self>, state: &mut State) -> Pending {
        let (sender, receiver) = watch::channel(None);
        state.request = Some(receiver.clone());
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let asked = Instant::now();
            let outcome = shared.endpoint.issue().await;
            let mut state = shared.lock();
            state.request = None;
            let outcome = match outcome {
                Ok(issued) => {
                    state.held = Some(Held::new(&issued, asked));
                    Ok(issued.token)
                }
                Err(error) => {
                    if let Some(held) = &mut state.held {
                        held.renew_at = Instant::now() + RENEWAL_PAUSE;
                        tracing::warn!("the access token could not be renewed, and still serves: {}", error.0);
                    }
                    Err(error)
                }
            };
            drop(state);
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}

impl State {
    fn forget(&mut self, request: &Pending) {
        if self.request.as_ref().is_some_and(|current| current.same_channel(request)) {
            self.request = None;
        }
    }
}

impl Held {
    fn new(issued: &Issued, asked: Instant) -> Self {
        let lifetime = issued.lifetime;
        // A token that comes with less than the documented time left must not be renewed at every call.
        let renew_after = lifetime.saturating_sub(TOKEN_RENEW_BEFORE_END).max(lifetime / 2);
        let margin = MARGIN.min(lifetime / 10);
        Self { token: issued.token.clone(), renew_at: asked + renew_after, ends: asked + (lifetime - margin) }
    }
}

impl Endpoint {
    async fn issue(&self) -> Result<Issued, TokenError> {
        let exchange = Exchange::new(None);
        let client = TokenClient { baseurl: self.origin.clone(), client: self.http.clone(), inner: exchange.clone() };
        let request =
            TenantAccessTokenRequest { app_id: self.app_id.clone(), app_secret: Secret(self.app_secret.clone()) };
        let call = pin!(client.tenant_access_token(&request));
        let clock = Clock::start(self.timeout);
        let outcome = answer::read(call, &clock, &exchange, &self.secrets, Purpose::Token, &self.origin).await;
        let issued = match outcome.map(|success| success.content) {
            Ok(Some(content)) => issued(content)?,
            Ok(None) => return Err(TokenError(nothing_issued())),
            Err(failure) => return Err(TokenError(failure)),
        };
        self.secrets.add(&issued.token);
        Ok(issued)
    }
}

fn issued(content: TenantAccessTokenResponse) -> Result<Issued, TokenError> {
    let token = content.tenant_access_token.ok_or_else(|| TokenError(nothing_issued()))?;
    let token = AccessToken::new(token.0).map_err(|_| TokenError(nothing_issued()))?;
    let seconds = u64::try_from(content.expire.unwrap_or(0)).unwrap_or(0);
    Ok(Issued { token, lifetime: Duration::from_secs(seconds).min(TOKEN_LIFETIME_MAXIMUM) })
}

fn nothing_issued() -> Failure {
    let (kind, delivery) = (ErrorKind::UnexpectedResponse, Delivery::NotSent);
    Failure::new(Meaning { kind, delivery, retry: Retry::Later })
        .with_message("the token endpoint answered with success and without a token")
}
