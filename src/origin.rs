//! Where requests go, and nowhere else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

use crate::error::Error;
use crate::generated::platform::ORIGINS;
use crate::proxy::Proxy;

/// The origin of the platform: scheme, host and port, without a path.
///
/// `https` is required; `http` is taken only for a loopback address, as tests use it.
///
/// ```
/// use feishu_cancel_onboard::Origin;
///
/// assert_eq!(Origin::default(), Origin::FEISHU);
/// assert_eq!("lark".parse::<Origin>()?, Origin::LARK);
/// assert_eq!("https://gateway.example.com/".parse::<Origin>()?.as_str(), "https://gateway.example.com");
/// assert!("http://gateway.example.com".parse::<Origin>().is_err());
/// let error = "feishuu".parse::<Origin>().expect_err("there is no such name");
/// assert_eq!(error.message(), "the origin must be feishu or lark, or a URL such as https://open.feishu.cn");
/// # Ok::<(), feishu_cancel_onboard::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Named(&'static str),
    Given(String),
}

impl Origin {
    /// Feishu.
    pub const FEISHU: Self = Self(Place::Named(named("feishu")));
    /// Lark.
    pub const LARK: Self = Self(Place::Named(named("lark")));

    /// The origin as text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Place::Named(origin) => origin,
            Place::Given(origin) => origin,
        }
    }

    /// Whether requests to it stay on this machine.
    ///
    /// ```
    /// use feishu_cancel_onboard::Origin;
    ///
    /// assert!("http://127.0.0.1:8099".parse::<Origin>()?.is_loopback());
    /// assert!(!Origin::FEISHU.is_loopback());
    /// # Ok::<(), feishu_cancel_onboard::Error>(())
    /// ```
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(self.as_str()).is_ok_and(|url| is_loopback(&url))
    }

    #[cfg(feature = "rustls")]
    pub(crate) fn is_https(&self) -> bool {
        self.as_str().starts_with("https:")
    }

    /// The host and port of the proxy that a client uses to reach it, as `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, or
    /// the system; none where it uses none.
    ///
    /// ```
    /// use feishu_cancel_onboard::Origin;
    ///
    /// // A proxy is another machine.
    /// assert_eq!("http://127.0.0.1:8099".parse::<Origin>()?.proxy()?, None);
    /// # Ok::<(), feishu_cancel_onboard::Error>(())
    /// ```
    ///
    /// # Errors
    /// With the kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest), when the environment names a proxy that can't be
    /// used.
    pub fn proxy(&self) -> Result<Option<String>, Error> {
        Ok(self.find_proxy()?.map(|proxy| proxy.address))
    }

    pub(crate) fn find_proxy(&self) -> Result<Option<Proxy>, Error> {
        if self.is_loopback() { Ok(None) } else { Proxy::from_environment(self.as_str()) }
    }
}

/// The origin that the document gives this name.
const fn named(name: &str) -> &'static str {
    let mut index = 0;
    while index < ORIGINS.len() {
        if same(ORIGINS[index].name, name) {
            return ORIGINS[index].url;
        }
        index += 1;
    }
    panic!("the document gives no origin this name")
}

/// The names that an origin can be given by, as in `feishu or lark`.
fn names() -> String {
    ORIGINS.iter().map(|origin| origin.name).collect::<Vec<_>>().join(" or ")
}

/// `==` is not `const`.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

impl Default for Origin {
    /// Feishu.
    fn default() -> Self {
        Self::FEISHU
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Origin {
    type Err = Error;

    /// Takes `feishu`, `lark`, or the URL of an origin.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Some(origin) = ORIGINS.iter().find(|origin| origin.name.eq_ignore_ascii_case(text)) {
            return Ok(Self(Place::Named(origin.url)));
        }
        let refuse = |reason: &str| Err(Error::refused_here(format!("the origin {reason}")));
        // What was given is not repeated in these messages: it may hold a password.
        let url = match Url::parse(text) {
            Ok(url) if text.contains("://") => url,
            // A host with a port would be read as a URL whose scheme is the host.
            _ => return refuse(&format!("must be {}, or a URL such as {}", names(), Self::FEISHU)),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not hold a user name or a password");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return refuse("must have no path, query or fragment: /open-apis is added here");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refuse("must be https: http is taken only for a loopback address"),
            _ => return refuse("must be https"),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refuse("names no host");
        }
        Ok(Self(Place::Given(url.as_str().trim_end_matches('/').to_owned())))
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    // An IPv4 address within an IPv6 one leads to the same place.
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}
