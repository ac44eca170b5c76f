//! Where a page is read from: a file, standard input or an address. No more is read than the longest page has, nothing is
//! sent along, and what comes over the network comes by https.

use std::error::Error as _;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use feishu_cancel_onboard::{Error, Origin};
use feishu_cancel_onboard_check_docs::{PageError, SIZE_LIMIT};
use reqwest::Url;
use reqwest::redirect::Policy;

use crate::arguments::Output;

/// How often one address may lead to another.
const MOST_REDIRECTS: usize = 5;

/// Where a page is read from.
#[derive(Clone, Debug)]
pub enum PageSource {
    File(PathBuf),
    StandardInput,
    Address {
        url: Url,
        /// Whether requests to it stay on this machine.
        is_loopback: bool,
    },
}

/// Why there is no page to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It can't be read, or is not the page.
    Page(String),
    /// It can't be had over the network.
    Network(String),
}

impl PageSource {
    /// Takes a page as it is given on the command line: `-`, an address, or else a file.
    ///
    /// # Errors
    /// What is wrong with an address. What was given is not repeated: it may hold a password.
    pub fn parse(given: OsString) -> Result<Self, Failure> {
        match given.to_str() {
            Some("-") => Ok(Self::StandardInput),
            Some(text) if text.contains("://") => Self::address(text),
            _ => Ok(Self::File(given.into())),
        }
    }

    fn address(text: &str) -> Result<Self, Failure> {
        let refuse = |reason: &str| Err(Failure::Page(format!("the page's address {reason}")));
        let Ok(url) = Url::parse(text) else { return refuse("is not a URL: give one that begins with https://") };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not hold a user name or a password");
        }
        if !matches!(url.scheme(), "https" | "http") {
            return refuse("must be https");
        }
        if names_this_machine_otherwise(&url) {
            return refuse(
                "names this machine in a way that other programs may resolve otherwise: use localhost or 127.0.0.1",
            );
        }
        match origin(&url) {
            Ok(origin) => Ok(Self::Address { url, is_loopback: origin.is_loopback() }),
            Err(error) => Err(Failure::Page(format!("the page's address can't be used: {}", error.message()))),
        }
    }

    /// How the page is called in the output: as it was given, except that a dash is no name for people.
    pub fn name(&self, form: Output) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::StandardInput if form == Output::Text => "standard input".to_owned(),
            Self::StandardInput => "-".to_owned(),
            Self::Address { url, .. } => url.to_string(),
        }
    }

    /// Reads the page. `timeout` is for all that the network takes.
    ///
    /// # Errors
    /// When it can't be read or is longer than any page.
    pub async fn read(self, timeout: Duration) -> Result<Vec<u8>, Failure> {
        let read = match self {
            Self::Address { url, is_loopback } => {
                check_proxy(&url).map_err(|error| Failure::Page(error.message().into_owned()))?;
                return fetch(url, is_loopback, timeout).await;
            }
            Self::File(path) => tokio::task::spawn_blocking(move || at_most(File::open(path)?)).await,
            Self::StandardInput => tokio::task::spawn_blocking(|| at_most(io::stdin().lock())).await,
        };
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        read.map_err(|error| Failure::Page(format!("can't be read: {error}; give a file, - or an https:// address")))
    }
}

/// Reads a byte more than a page can have, by which the check knows that it is none.
fn at_most(from: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

async fn fetch(url: Url, is_loopback: bool, timeout: Duration) -> Result<Vec<u8>, Failure> {
    let network = |error| Failure::Network(words(error, timeout));
    let mut answer = client(is_loopback, timeout).map_err(network)?.get(url).send().await.map_err(network)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(Failure::Network(format!("the server answered with HTTP {}", status.as_u16())));
    }
    let mut content = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(network)? {
        if content.len() + chunk.len() > SIZE_LIMIT {
            return Err(Failure::Page(PageError::TooLarge.to_string()));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// Refuses a proxy that the client would ignore, because it can't use it.
fn check_proxy(url: &Url) -> Result<(), Error> {
    let origin: Origin = url.origin().ascii_serialization().parse()?;
    origin.proxy().map(drop)
}

fn client(is_loopback: bool, timeout: Duration) -> reqwest::Result<reqwest::Client> {
    let http = reqwest::Client::builder()
        .user_agent(concat!("feishu-cancel-onboard/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .redirect(redirects(is_loopback))
        .retry(reqwest::retry::never())
        .referer(false);
    if is_loopback {
        let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        // A proxy is another machine, and so can be what a resolver calls localhost.
        http.no_proxy().resolve_to_addrs("localhost", &loopback).build()
    } else {
        http.https_only(true).build()
    }
}

/// Redirects are followed from https to https, or within one origin, and never off this machine or onto it: what began here
/// stays here.
fn redirects(is_loopback: bool) -> Policy {
    Policy::custom(move |attempt| {
        let is_https = |url: &Url| url.scheme() == "https";
        let (from, to) = (attempt.previous().last(), attempt.url());
        let same_side = origin(to).is_ok_and(|origin| origin.is_loopback() == is_loopback);
        let kept = from.is_some_and(|from| (is_https(from) && is_https(to)) || from.origin() == to.origin());
        if !(same_side && kept) {
            attempt.error("it leads away from https, or from this machine to another one or back")
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error(format!("it leads on more than {MOST_REDIRECTS} times"))
        } else {
            attempt.follow()
        }
    })
}

/// Whether a host is on this machine on most systems, and not on all.
fn names_this_machine_otherwise(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let name = host.trim_end_matches('.');
    let is_other_name = name.ends_with(".localhost") || (name == "localhost" && name != host);
    is_other_name || matches!(host, "0.0.0.0" | "[::]")
}

/// The origin of an address, if it may be called.
fn origin(url: &Url) -> Result<Origin, Error> {
    url.origin().ascii_serialization().parse()
}

/// A failure of the network with all its causes. The address stands beside it and is not repeated.
fn words(error: reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return format!("no whole answer within {} s; --timeout gives it longer", timeout.as_secs_f64());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
