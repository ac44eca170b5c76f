//! How a client is made: where it calls, as whom, and how patiently.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::SecretString;

use crate::app_credentials::{AppCredentials, Endpoint};
use crate::client::{Client, Shared};
use crate::connecting::{ConnectLayer, Route, Way};
use crate::error::Error;
use crate::generated::termination_reasons;
use crate::origin::Origin;
use crate::own_connection::GateLayer;
use crate::pace::{Pace, Pacer};
use crate::redaction::Secrets;
use crate::retry::RetryPolicy;
use crate::token::{TokenSource, Tokens};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::{Client, Origin, Pace, RetryPolicy};
///
/// let client = Client::builder()
///     .origin(Origin::LARK)
///     .app("cli_a1b2c3", "the app's secret")
///     .attempt_timeout(Duration::from_secs(20))
///     .connect_timeout(Duration::from_secs(3))
///     .retry(RetryPolicy::default().attempts(6))
///     .pace(Pace::new(2, Duration::from_secs(1)))
///     .reasons_pace(Pace::new(1, Duration::from_secs(1)))
///     .build()?;
/// # Ok::<(), feishu_cancel_onboard::Error>(())
/// ```
#[must_use = "nothing is made before `build`"]
#[derive(Default)]
pub struct ClientBuilder {
    origin: Origin,
    credentials: Option<Credentials>,
    attempt_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    retry: RetryPolicy,
    pace: Pace,
    reasons_pace: Option<Pace>,
    user_agent: Option<HeaderValue>,
    proxies: Vec<reqwest::Proxy>,
    #[cfg(feature = "rustls")]
    root_certificates: Vec<reqwest::Certificate>,
}

enum Credentials {
    App { id: String, secret: SecretString },
    Token(SecretString),
    Source(Arc<dyn TokenSource>),
}

impl ClientBuilder {
    /// Where to call: [`Origin::FEISHU`] by default.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The id and the secret of a custom app, from which tokens are obtained and renewed.
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials = Some(Credentials::App { id: id.into(), secret: secret.into() });
        self
    }

    /// A `tenant_access_token` obtained elsewhere. It is not renewed: when it is refused, the cancellation fails.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, ErrorKind};
    ///
    /// let client = Client::builder().tenant_access_token("t-0123456789abcdef").build()?;
    /// let error = Client::builder().tenant_access_token("with\na line break").build().expect_err("not a token");
    /// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    /// # Ok::<(), feishu_cancel_onboard::Error>(())
    /// ```
    pub fn tenant_access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.credentials = Some(Credentials::Token(token.into()));
        self
    }

    /// A source of tokens, such as a vault or a cache that several processes share.
    ///
    /// ```
    /// use feishu_cancel_onboard::{AccessToken, Client, TokenFuture, TokenSource};
    ///
    /// struct Shared;
    ///
    /// impl TokenSource for Shared {
    ///     fn token(&self) -> TokenFuture<'_> {
    ///         Box::pin(async { AccessToken::new("t-from-the-cache") })
    ///     }
    /// }
    ///
    /// let client = Client::builder().token_source(Shared).build()?;
    /// # Ok::<(), feishu_cancel_onboard::Error>(())
    /// ```
    pub fn token_source(mut self, source: impl TokenSource) -> Self {
        self.credentials = Some(Credentials::Source(Arc::new(source)));
        self
    }

    /// How long one attempt may take, its connection included, its wait for the rate limit not: 10 seconds by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// How long making a connection may take: 5 seconds by default, and never longer than an attempt.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How often to try, and for how long.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How fast to cancel: as fast as the endpoint's page allows by default.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// How fast to read pages of termination reasons: as fast as that endpoint's page allows by default. The platform counts
    /// them apart from cancellations.
    pub fn reasons_pace(mut self, pace: Pace) -> Self {
        self.reasons_pace = Some(pace);
        self
    }

    /// What the requests say of the program that makes them: the name and the version of this library by default.
    ///
    /// ```
    /// use feishu_cancel_onboard::Client;
    ///
    /// let agent = reqwest::header::HeaderValue::from_static("hr-service/3.1");
    /// let client = Client::builder().app("cli_a1b2c3", "the app's secret").user_agent(agent).build()?;
    /// # Ok::<(), feishu_cancel_onboard::Error>(())
    /// ```
    pub fn user_agent(mut self, agent: HeaderValue) -> Self {
        self.user_agent = Some(agent);
        self
    }

    /// Adds a proxy, in place of those that the environment names. It is not used for a loopback origin.
    ///
    /// ```
    /// use feishu_cancel_onboard::Client;
    ///
    /// let proxy = reqwest::Proxy::https("http://proxy.example.com:3128")?;
    /// let client = Client::builder().app("cli_a1b2c3", "the app's secret").proxy(proxy).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxies.push(proxy);
        self
    }

    /// Trusts one more certificate authority beside those of the system, for a gateway with a certificate of its own
    /// authority.
    ///
    /// ```no_run
    /// use feishu_cancel_onboard::Client;
    ///
    /// let authority = reqwest::Certificate::from_pem(&std::fs::read("authority.pem")?)?;
    /// let client = Client::builder().app("cli_a1b2c3", "the app's secret").root_certificate(authority).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "rustls")]
    pub fn root_certificate(mut self, authority: reqwest::Certificate) -> Self {
        self.root_certificates.push(authority);
        self
    }

    /// Makes the client.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Client, ErrorKind};
    ///
    /// let error = Client::builder().build().expect_err("it has no credentials");
    /// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    /// assert!(error.message().contains("credentials are missing"));
    /// ```
    ///
    /// # Errors
    /// With the kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest), when credentials are missing or can't be any, when
    /// the environment names a proxy or a file of certificates that can't be used, or when the HTTP client can't be made.
    pub fn build(self) -> Result<Client, Error> {
        let attempt_timeout = self.attempt_timeout.unwrap_or(ATTEMPT_TIMEOUT);
        let connect_timeout = self.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(attempt_timeout);
        if attempt_timeout.is_zero() || connect_timeout.is_zero() {
            return Err(Error::refused_here("a timeout of zero leaves no time for an answer"));
        }
        let connecting = ConnectLayer { route: Arc::new(self.route()?), timeout: connect_timeout };
        let trust = self.trust()?;
        let http = self.http(&trust, |http| http.connector_layer(connecting.clone()))?;
        // What follows an answer on a connection must not be taken for the answer to the next cancellation.
        let http_without_reuse = self.http(&trust, |http| {
            http.pool_max_idle_per_host(0).connector_layer(connecting.clone()).connector_layer(GateLayer)
        })?;
        let origin = self.origin.as_str().to_owned();
        let mut secrets = Arc::<Secrets>::default();
        let tokens = match self.credentials {
            None => return Err(Error::refused_here("credentials are missing: give an app id and secret, or a token")),
            Some(Credentials::Source(source)) => Tokens::Source(source),
            Some(Credentials::Token(token)) => Tokens::given(token)?,
            Some(Credentials::App { id, secret }) => {
                secrets = Arc::new(Secrets::with_app_secret(secret.clone()));
                let endpoint = Endpoint {
                    origin: origin.clone(),
                    http: http.clone(),
                    timeout: attempt_timeout,
                    app_id: id,
                    app_secret: secret,
                    secrets: Arc::clone(&secrets),
                };
                Tokens::App(AppCredentials::new(endpoint)?)
            }
        };
        let pacer = Pacer::new(&self.pace);
        let reasons_pace = self.reasons_pace.unwrap_or_else(|| Pace::of(termination_reasons::OPERATION.rate_limits));
        let reasons_pacer = Pacer::new(&reasons_pace);
        let retry = self.retry;
        let shared =
            Shared { origin, http, http_without_reuse, secrets, tokens, pacer, reasons_pacer, retry, attempt_timeout };
        Ok(Client { shared: Arc::new(shared) })
    }

    /// Where the connections lead.
    fn route(&self) -> Result<Route, Error> {
        let way = match self.proxies.is_empty() {
            true => self.origin.find_proxy()?.map_or(Way::Direct, Way::Through),
            false => Way::Given,
        };
        Ok(Route::new(self.origin.as_str(), way))
    }

    /// What connections are encrypted with.
    #[cfg(feature = "rustls")]
    fn trust(&self) -> Result<Trust, Error> {
        // A loopback origin without TLS needs nothing of what may be wrong with the system's certificates.
        match (self.origin.is_https(), self.root_certificates.is_empty()) {
            (false, _) => Ok(Trust::Nobody),
            (true, true) => crate::tls::config().map(Box::new).map(Trust::System),
            // Their content is known to the HTTP library alone.
            (true, false) => Ok(Trust::Library),
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[allow(clippy::unnecessary_wraps, reason = "with TLS by rustls it can fail")]
    fn trust(&self) -> Result<Trust, Error> {
        Ok(Trust::Library)
    }

    /// An HTTP client whose requests go to the origin and nowhere else.
    fn http(
        &self,
        trust: &Trust,
        set_up: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<reqwest::Client, Error> {
        let built = match trust {
            #[cfg(feature = "rustls")]
            // The library takes what is made with its own version of rustls alone.
            Trust::System(config) => set_up(self.http_builder().tls_backend_preconfigured((**config).clone()))
                .build()
                .or_else(|_| set_up(self.http_builder()).build()),
            #[cfg(feature = "rustls")]
            Trust::Nobody => set_up(self.http_builder().tls_certs_only([])).build(),
            Trust::Library => set_up(self.http_builder()).build(),
        };
        built.map_err(|error| Error::refused_here(format!("the HTTP client can't be made: {error}")))
    }

    fn http_builder(&self) -> reqwest::ClientBuilder {
        let agent = HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        let mut http = reqwest::Client::builder()
            .user_agent(self.user_agent.clone().unwrap_or(agent))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // In HTTP/2 a request can be under way before its body is asked for, and then nobody could say that it was not.
            .http1_only();
        for proxy in &self.proxies {
            http = http.proxy(proxy.clone());
        }
        #[cfg(feature = "rustls")]
        for authority in &self.root_certificates {
            http = http.add_root_certificate(authority.clone());
        }
        match self.origin.is_loopback() {
            true => {
                let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
                // A proxy is another machine, and so can be what a resolver calls localhost.
                http.no_proxy().resolve_to_addrs("localhost", &loopback)
            }
            false => http.https_only(true),
        }
    }
}

/// What connections are encrypted with.
enum Trust {
    /// As the HTTP library does it by itself.
    Library,
    #[cfg(feature = "rustls")]
    System(Box<rustls::ClientConfig>),
    #[cfg(feature = "rustls")]
    Nobody,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("origin", &self.origin)
            .field("retry", &self.retry)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
