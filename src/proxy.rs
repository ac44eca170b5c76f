//! The proxy that the environment names: checked before it is used, since the HTTP library ignores one that it can't use,
//! and would call without it.

use std::fmt;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::Error;

/// What names a proxy for https, in the order in which it counts: the first of each group that is there.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
/// The kinds of proxy, and their usual ports.
const SCHEMES: [(&str, u16); 6] =
    [("http", 80), ("https", 443), ("socks4", 1080), ("socks4a", 1080), ("socks5", 1080), ("socks5h", 1080)];
/// The longest first line of an answer that is read, in bytes.
const LINE_LIMIT: usize = 1024;

/// The proxy on the way to an origin.
pub(crate) struct Proxy {
    pub host: String,
    /// The host and the port.
    pub address: String,
    used: Intercept,
}

impl Proxy {
    /// The proxy that a client uses for this https origin; none where it uses none.
    ///
    /// # Errors
    /// When the environment names one that can't be used.
    pub(crate) fn from_environment(origin: &str) -> Result<Option<Self>, Error> {
        let Ok(origin) = origin.parse::<Uri>() else { return Ok(None) };
        let exempt = first(&["NO_PROXY", "no_proxy"])?.map(|(_, hosts)| hosts).unwrap_or_default();
        if Matcher::builder().all("http://proxy.invalid").no(exempt).build().intercept(&origin).is_none() {
            return Ok(None);
        }
        for names in &VARIABLES {
            if let Some((name, value)) = first(names)?.filter(|(_, value)| !value.is_empty()) {
                // What was given is not repeated: it may hold a password.
                check(&value).map_err(|problem| Error::refused_here(format!("{name} {problem}")))?;
                break;
            }
        }
        Ok(Matcher::from_system().intercept(&origin).map(Self::new))
    }

    fn new(used: Intercept) -> Self {
        let uri = used.uri();
        let host = uri.host().unwrap_or_default().to_owned();
        let usual = SCHEMES.iter().find(|(scheme, _)| uri.scheme_str() == Some(scheme)).map_or(80, |(_, port)| *port);
        let address = format!("{host}:{}", uri.port_u16().unwrap_or(usual));
        Self { host, address, used }
    }

    /// Asks the proxy for a tunnel, and returns the status that it refuses with.
    ///
    /// The HTTP library, which has asked before, does not tell which one it was.
    pub(crate) async fn ask(&self, target: &str) -> Option<u16> {
        if self.used.uri().scheme_str() != Some("http") {
            return None;
        }
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(credentials) = self.used.basic_auth() {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(credentials.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        stream.write_all(&request).await.ok()?;
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') && answer.len() < LINE_LIMIT {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                break;
            }
        }
        status(&answer).filter(|status| !(200..300).contains(status))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.address).finish()
    }
}

/// The status in the first line of an answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let status = line.strip_prefix("HTTP/1.")?.get(1..)?.trim_start();
    status.get(..3)?.parse().ok().filter(|status| (100..1000).contains(status))
}

/// The first of these variables that is there, with its value.
fn first(names: &[&'static str]) -> Result<Option<(&'static str, String)>, Error> {
    for name in names {
        match std::env::var(name) {
            Ok(value) => return Ok(Some((name, value))),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Error::refused_here(format!("{name} is not valid Unicode")));
            }
        }
    }
    Ok(None)
}

/// What keeps an address from being that of a proxy.
fn check(value: &str) -> Result<(), &'static str> {
    let no_address = "is not the address of a proxy: give one such as http://proxy.example.com:3128";
    let uri: Uri = value.parse().map_err(|_| no_address)?;
    let authority = uri.authority().ok_or(no_address)?;
    if uri.scheme_str().is_some_and(|scheme| SCHEMES.iter().all(|(known, _)| *known != scheme)) {
        return Err("names a kind of proxy that can't be used: http, https, socks4, socks4a, socks5 and socks5h can");
    }
    let place = authority.as_str().rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').ok_or(no_address)?,
        None => place.find(':').map_or((place, ""), |colon| place.split_at(colon)),
    };
    if host.is_empty() {
        return Err("names no host");
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        _ => Err("has a port that is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_taken_is_one_that_the_library_uses() {
        let target = Uri::from_static("https://open.feishu.cn");
        let library = |value: &str| Matcher::builder().https(value).build().intercept(&target);
        for good in [
            "http://proxy:3128",
            "proxy:3128",
            "proxy",
            "http://user:p%40ss@proxy:3128/",
            "https://proxy",
            "socks5://127.0.0.1:1080",
            "socks5h://user:secret@proxy",
            "http://[::1]:3128",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
            let proxy = Proxy::new(library(good).expect(good));
            assert!(!proxy.address.contains("user"), "{}", proxy.address);
        }
        for bad in [
            "htp://proxy:3128",
            "http://proxy:99999",
            "http://proxy:0",
            "http://proxy:",
            "http://proxy:port",
            "http://:3128",
            "http://",
            "://proxy",
            " http://proxy:3128",
            "http://proxy:3128\n",
            "proxy:3128/path",
            "/proxy",
            "http://[::1",
            "ftp://proxy",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(Proxy::new(library("socks5://proxy").expect("it is one")).address, "proxy:1080");
        assert_eq!(Proxy::new(library("http://[::1]:3128").expect("it is one")).address, "[::1]:3128");
    }

    #[test]
    fn a_status_is_read_from_the_first_line_alone() {
        for (answer, expected) in [
            ("HTTP/1.1 502 Bad Gateway\r\nX: HTTP/1.1 403\r\n", Some(502)),
            ("HTTP/1.0 403\r\n", Some(403)),
            ("HTTP/1.1 5", None),
            ("HTTP/1.1 099 x\r\n", None),
            ("HTTP/2 502\r\n", None),
            ("502", None),
            ("", None),
        ] {
            assert_eq!(status(answer.as_bytes()), expected, "{answer:?}");
        }
    }
}
