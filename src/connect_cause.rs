//! Why no connection could be made, for programs and for people.

use std::fmt;

/// Why no connection could be made, and after how many tries.
///
/// `Display` says it in English, [`zh`](Self::zh) in Chinese. No password of a proxy is in either.
///
/// ```
/// use feishu_cancel_onboard::{Client, ConnectProblem, RetryPolicy, TerminationType};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let free = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let origin = format!("http://{}", free.local_addr()?);
/// # drop(free);
/// let client = Client::builder()
///     .origin(origin.parse()?) // nobody listens there
///     .app("cli_a1b2c3", "the app's secret")
///     .retry(RetryPolicy::default().attempts(2))
///     .build()?;
/// let error = client.cancel_onboard("1111111111", TerminationType::Other).send().await.expect_err("nobody is there");
/// let cause = error.cause().expect("there was no connection");
/// assert!(matches!(cause.problem(), ConnectProblem::Refused { address } if origin.ends_with(address)));
/// assert_eq!(cause.tries(), 2);
/// println!("{cause}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectCause {
    problem: ConnectProblem,
    pub(crate) tries: u32,
}

/// What is in the way of a connection.
///
/// ```
/// use feishu_cancel_onboard::{CertificateProblem, ConnectProblem};
///
/// fn is_for_the_network_team(problem: &ConnectProblem) -> bool {
///     match problem {
///         ConnectProblem::ProxyAnswered { .. } | ConnectProblem::ProxyFailed { .. } => true,
///         ConnectProblem::Certificate { problem, .. } => matches!(problem, CertificateProblem::UnknownIssuer { .. }),
///         _ => false,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// A host's name could not be looked up: the platform's, or the proxy's.
    ///
    /// Troubleshooting: check the origin, and whether this machine reaches a name server. Behind a proxy, set `HTTPS_PROXY`.
    NameNotFound {
        /// The name.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// Nobody listens at the address.
    ///
    /// Troubleshooting: check the port, and whether a firewall refuses connections.
    Refused {
        /// The address and the port.
        address: String,
    },
    /// There was no connection within the time for one.
    ///
    /// Troubleshooting: usually a firewall drops what is sent, or a proxy is needed and not set.
    TimedOut {
        /// The host or address, and the port.
        to: String,
    },
    /// The system could not make the connection, or it broke while it was made.
    ///
    /// Troubleshooting: the reason is the system's.
    Failed {
        /// The host or address, and the port.
        to: String,
        /// What the system says.
        reason: String,
    },
    /// The certificate was not accepted.
    ///
    /// Troubleshooting: where a company inspects TLS, trust the certificate of its authority, with
    /// [`ClientBuilder::root_certificate`](crate::ClientBuilder::root_certificate), the system's store, or `SSL_CERT_FILE`.
    Certificate {
        /// Whose certificate it should be.
        host: String,
        /// What is wrong with it.
        problem: CertificateProblem,
    },
    /// Both sides could not agree on an encrypted connection.
    ///
    /// Troubleshooting: usually something other than a TLS server listens there.
    Tls {
        /// With whom.
        host: String,
        /// What the TLS library says.
        reason: String,
    },
    /// The proxy answered with this HTTP status to the wish for a connection.
    ///
    /// Troubleshooting: for 407, the proxy wants a user name and a password: `http://user:password@host:port`. For 403 and
    /// 502, ask those who run the proxy whether it may, and can, reach the platform.
    ProxyAnswered {
        /// The proxy, where it is known: one that was given to the builder is not.
        proxy: Option<String>,
        /// The status.
        status: u16,
    },
    /// The proxy made no connection.
    ///
    /// Troubleshooting: the reason is the proxy's, where it gave one.
    ProxyFailed {
        /// The proxy, where it is known: one that was given to the builder is not.
        proxy: Option<String>,
        /// What is known of it.
        reason: String,
    },
    /// Something else.
    ///
    /// Troubleshooting: the reason is that of the HTTP library.
    Other {
        /// What the library says.
        reason: String,
    },
}

/// What is wrong with a certificate.
///
/// See [`ConnectProblem`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// Nobody whom this machine trusts has issued it.
    UnknownIssuer {
        /// Who has, as the certificate says, where it can be read.
        issuer: Option<String>,
    },
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is that of another host.
    OtherHost {
        /// The hosts that it is for, where they are known.
        names: Vec<String>,
    },
    /// Something else.
    Other {
        /// What the TLS library says.
        reason: String,
    },
}

impl ConnectCause {
    pub(crate) fn new(problem: ConnectProblem) -> Self {
        Self { problem, tries: 1 }
    }

    /// What was in the way, the last time.
    #[must_use]
    pub fn problem(&self) -> &ConnectProblem {
        &self.problem
    }

    /// How many times a connection was tried. A connection for the access token counts too.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// The cause in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        format!("{}（共尝试连接 {} 次）", self.problem.zh(), self.tries)
    }
}

impl fmt::Display for ConnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = if self.tries == 1 { "try" } else { "tries" };
        write!(f, "{}, after {} {tries}", self.problem, self.tries)
    }
}

impl ConnectProblem {
    fn zh(&self) -> String {
        let the_proxy =
            |proxy: &Option<String>| proxy.as_ref().map_or("代理".to_owned(), |proxy| format!("代理 {proxy}"));
        match self {
            Self::NameNotFound { host, reason } => format!("域名 {host} 无法解析：{reason}"),
            Self::Refused { address } => format!("{address} 拒绝连接"),
            Self::TimedOut { to } => format!("连接 {to} 超时"),
            Self::Failed { to, reason } => format!("无法连接 {to}：{reason}"),
            Self::Certificate { host, problem } => match problem {
                CertificateProblem::UnknownIssuer { issuer: Some(issuer) } => {
                    format!("{host} 的证书不受信任，颁发者为 {issuer}")
                }
                CertificateProblem::UnknownIssuer { issuer: None } => format!("{host} 的证书不受信任，颁发者未知"),
                CertificateProblem::Expired => format!("{host} 的证书已过期"),
                CertificateProblem::NotYetValid => format!("{host} 的证书尚未生效"),
                CertificateProblem::OtherHost { names } if names.is_empty() => format!("证书不属于 {host}"),
                CertificateProblem::OtherHost { names } => format!("证书不属于 {host}，而属于 {}", names.join("、")),
                CertificateProblem::Other { reason } => format!("{host} 的证书不被接受：{reason}"),
            },
            Self::Tls { host, reason } => format!("与 {host} 的 TLS 握手失败：{reason}"),
            Self::ProxyAnswered { proxy, status: 407 } => {
                format!("{} 返回 HTTP 407，要求提供用户名和密码", the_proxy(proxy))
            }
            Self::ProxyAnswered { proxy, status } => format!("{} 返回 HTTP {status}", the_proxy(proxy)),
            Self::ProxyFailed { proxy, reason } => format!("{} 未能建立连接：{reason}", the_proxy(proxy)),
            Self::Other { reason } => reason.clone(),
        }
    }
}

impl fmt::Display for ConnectProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let the_proxy = |proxy: &Option<String>| {
            proxy.as_ref().map_or("the proxy".to_owned(), |proxy| format!("the proxy {proxy}"))
        };
        match self {
            Self::NameNotFound { host, reason } => write!(f, "the name {host} was not found ({reason})"),
            Self::Refused { address } => write!(f, "{address} refused the connection"),
            Self::TimedOut { to } => write!(f, "connecting to {to} timed out"),
            Self::Failed { to, reason } => write!(f, "connecting to {to} failed ({reason})"),
            Self::Certificate { host, problem } => match problem {
                CertificateProblem::UnknownIssuer { issuer: Some(issuer) } => {
                    write!(f, "the certificate of {host} is not trusted: it was issued by {issuer}")
                }
                CertificateProblem::UnknownIssuer { issuer: None } => {
                    write!(f, "the certificate of {host} is not trusted: its issuer is not known here")
                }
                CertificateProblem::Expired => write!(f, "the certificate of {host} has expired"),
                CertificateProblem::NotYetValid => write!(f, "the certificate of {host} is not valid yet"),
                CertificateProblem::OtherHost { names } if names.is_empty() => {
                    write!(f, "the certificate is not for {host}")
                }
                CertificateProblem::OtherHost { names } => {
                    write!(f, "the certificate is not for {host}, but for {}", names.join(", "))
                }
                CertificateProblem::Other { reason } => {
                    write!(f, "the certificate of {host} was not accepted ({reason})")
                }
            },
            Self::Tls { host, reason } => write!(f, "the TLS handshake with {host} failed ({reason})"),
            Self::ProxyAnswered { proxy, status: 407 } => {
                write!(f, "{} answered HTTP 407: it requires a user name and a password", the_proxy(proxy))
            }
            Self::ProxyAnswered { proxy, status } => write!(f, "{} answered HTTP {status}", the_proxy(proxy)),
            Self::ProxyFailed { proxy, reason } => write!(f, "{} made no connection ({reason})", the_proxy(proxy)),
            Self::Other { reason } => f.write_str(reason),
        }
    }
}
