//! How connections are made: within their time, and with the cause where there is none.
//!
//! The HTTP library's own errors name neither the host nor the proxy, so what they say is put together here with where the
//! connection was to lead.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::Url;
use tokio::time::{Instant, timeout_at};
use tower_layer::Layer;
use tower_service::Service;

use crate::clock::later;
use crate::connect_cause::ConnectProblem;
use crate::proxy::Proxy;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The longest reason that is taken from an error, in characters.
const REASON_LIMIT: usize = 300;

/// The library's words for a proxy that was not reached, and for a SOCKS proxy.
const TO_PROXY: &str = "tunnel error: failed to create underlying connection";
const TO_SOCKS_PROXY: &str = "SOCKS error: failed to create underlying connection";

/// Where the connections of a client lead.
#[derive(Debug)]
pub(crate) struct Route {
    /// The host and the port of the origin.
    target: String,
    host: String,
    /// The proxy on the way.
    proxy: Way,
}

/// What stands between a client and the origin.
#[derive(Debug)]
pub(crate) enum Way {
    Direct,
    Through(Proxy),
    /// Perhaps a proxy that the caller gave, of which nothing is known here.
    Given,
}

impl Route {
    pub(crate) fn new(origin: &str, proxy: Way) -> Self {
        let target = address(origin);
        let host = target.rsplit_once(':').map_or(target.as_str(), |(host, _)| host).to_owned();
        Self { target, host, proxy }
    }

    /// The proxy on the way, where it is known.
    fn proxy(&self) -> Option<&Proxy> {
        match &self.proxy {
            Way::Through(proxy) => Some(proxy),
            Way::Direct | Way::Given => None,
        }
    }

    fn proxy_address(&self) -> Option<String> {
        self.proxy().map(|proxy| proxy.address.clone())
    }

    /// The first host on the way.
    fn first_host(&self) -> &str {
        self.proxy().map_or(&self.host, |proxy| &proxy.host)
    }

    /// The first host on the way, with its port.
    fn first(&self) -> &str {
        self.proxy().map_or(&self.target, |proxy| &proxy.address)
    }

    /// What was in the way of a connection that failed with this error.
    fn problem(&self, error: &(dyn StdError + 'static)) -> ConnectProblem {
        let chain: Vec<_> = chain(error).collect();
        let texts: Vec<_> = chain.iter().map(|error| short(&error.to_string())).collect();
        // A proxy that is reached over TLS has a certificate too.
        let with = if texts.iter().any(|text| text == TO_PROXY) { self.first_host() } else { &self.host };
        let of_tls = chain.iter().find_map(|error| tls_problem(*error, with));
        of_tls.or_else(|| self.problem_of_proxy(&texts)).unwrap_or_else(|| {
            let kind = chain.iter().find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind);
            self.problem_of_system(&format!("{error:?}"), kind, &texts)
        })
    }

    /// What the proxy said. Its errors have types that are not public.
    fn problem_of_proxy(&self, texts: &[String]) -> Option<ConnectProblem> {
        let last = texts.last()?;
        let proxy = self.proxy_address();
        for text in texts.iter().filter(|text| *text != TO_PROXY && *text != TO_SOCKS_PROXY) {
            let reason = match text.strip_prefix("tunnel error: ").or_else(|| text.strip_prefix("SOCKS error: ")) {
                Some("proxy authorization required") => {
                    return Some(ConnectProblem::ProxyAnswered { proxy, status: 407 });
                }
                Some("unsuccessful") => "it opened no tunnel".to_owned(),
                Some("io error establishing tunnel") => last.clone(),
                Some(said) => said.to_owned(),
                None => continue,
            };
            return Some(ConnectProblem::ProxyFailed { proxy, reason });
        }
        // A proxy that the caller gave could not be reached, wherever it is.
        let is_given = matches!(self.proxy, Way::Given) && texts.iter().any(|text| text == TO_PROXY);
        is_given.then(|| ConnectProblem::ProxyFailed { proxy: None, reason: last.clone() })
    }

    /// What the system said.
    ///
    /// Some of the errors hide their cause from everything but `Debug`, which names the address and the system's error.
    fn problem_of_system(&self, shown: &str, kind: Option<io::ErrorKind>, texts: &[String]) -> ConnectProblem {
        let reason = texts.last().cloned().unwrap_or_default();
        let says = |text: &str| texts.iter().any(|own| own == text);
        if says("error resolving for socks proxy") || says("invalid dns name") {
            return ConnectProblem::NameNotFound { host: self.host.clone(), reason };
        }
        if says("dns error") || shown.contains("\"dns error\"") {
            return ConnectProblem::NameNotFound { host: self.first_host().to_owned(), reason };
        }
        let to = address_in(shown).unwrap_or_else(|| self.first().to_owned());
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => ConnectProblem::Refused { address: to },
            None if shown.contains("kind: ConnectionRefused") => ConnectProblem::Refused { address: to },
            Some(io::ErrorKind::TimedOut) => ConnectProblem::TimedOut { to },
            Some(_) => ConnectProblem::Failed { to, reason },
            None => ConnectProblem::Other { reason },
        }
    }
}

/// The host and the port of an origin.
pub(crate) fn address(origin: &str) -> String {
    let url = Url::parse(origin).ok();
    let parts = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    parts.map_or_else(|| origin.to_owned(), |(host, port)| format!("{host}:{port}"))
}

/// What was in the way, by the error of a call that had no connection.
pub(crate) fn problem_in(error: &(dyn StdError + 'static)) -> ConnectProblem {
    let found = chain(error).find_map(|error| error.downcast_ref::<ConnectError>());
    found.map_or_else(
        || ConnectProblem::Other {
            reason: chain(error).last().map(|last| short(&last.to_string())).unwrap_or_default(),
        },
        |error| error.problem.clone(),
    )
}

/// An error and everything below it. `source` passes over what an [`io::Error`] holds.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

fn short(text: &str) -> String {
    text.chars().take(REASON_LIMIT).collect()
}

/// The address that a connection was made to, as the `Debug` of the error says.
fn address_in(shown: &str) -> Option<String> {
    let (_, after) = shown.split_once("ConnectError(\"tcp connect error\", ")?;
    let address: SocketAddr = after.split(", ").next()?.parse().ok()?;
    Some(address.to_string())
}

#[cfg(feature = "rustls")]
use crate::tls::problem as tls_problem;

/// Other libraries for TLS are named by the text of their errors.
#[cfg(not(feature = "rustls"))]
fn tls_problem(_: &(dyn StdError + 'static), _: &str) -> Option<ConnectProblem> {
    None
}

/// A connection that was not made, and why.
#[derive(Debug)]
struct ConnectError {
    problem: ConnectProblem,
    source: Option<BoxError>,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Makes connections within a time, and says why there is none.
#[derive(Clone)]
pub(crate) struct ConnectLayer {
    pub route: Arc<Route>,
    /// How long making a connection may take.
    pub timeout: Duration,
}

impl<S> Layer<S> for ConnectLayer {
    type Service = Connector<S>;

    fn layer(&self, connector: S) -> Connector<S> {
        Connector { connector, made: self.clone() }
    }
}

/// A connector behind a [`ConnectLayer`].
#[derive(Clone)]
pub(crate) struct Connector<S> {
    connector: S,
    made: ConnectLayer,
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: R) -> Self::Future {
        let (connecting, ConnectLayer { route, timeout }) = (self.connector.call(to), self.made.clone());
        Box::pin(async move {
            let end = later(Instant::now(), timeout);
            let error = match timeout_at(end, connecting).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => {
                    let mut problem = route.problem(error.as_ref());
                    // The library says only that it was none of those that it knows.
                    if let (ConnectProblem::ProxyFailed { .. }, Some(proxy)) = (&problem, route.proxy())
                        && chain(error.as_ref()).any(|error| error.to_string() == "tunnel error: unsuccessful")
                        && let Ok(Some(status)) = timeout_at(end, proxy.ask(&route.target)).await
                    {
                        problem = ConnectProblem::ProxyAnswered { proxy: route.proxy_address(), status };
                    }
                    ConnectError { problem, source: Some(error) }
                }
                Err(_) => {
                    ConnectError { problem: ConnectProblem::TimedOut { to: route.first().to_owned() }, source: None }
                }
            };
            Err(error.into())
        })
    }
}
