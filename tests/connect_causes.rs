//! Where no connection can be made, the error says why, and nothing of a password.

use test_support::{proxies, raw_server, tls_relay};

use std::collections::HashSet;
use std::time::Duration;

use feishu_cancel_onboard::{
    CertificateProblem, Client, ClientBuilder, ConnectProblem, Delivery, Error, ErrorKind, Pace, RetryPolicy,
    TerminationType,
};
use proxies::{Does, Proxy};
use raw_server::{RawServer, SECRET, json};
use tls_relay::{Authority, TlsRelay, Valid};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const OK: &str = r#"{"code":0,"msg":"success","data":{}}"#;
/// A name that no resolver has, behind proxies that do not look it up.
const ELSEWHERE: &str = "https://open.feishu.test";

fn certificate(authority: &Authority) -> reqwest::Certificate {
    reqwest::Certificate::from_der(authority.der()).expect("it is a certificate")
}

fn builder(origin: &str) -> ClientBuilder {
    let retry = RetryPolicy::default().attempts(3).backoff(Duration::from_millis(1), Duration::from_millis(4));
    let origin = origin.parse().expect("it is an origin");
    Client::builder().origin(origin).app("cli_test", SECRET).pace(Pace::unlimited()).retry(retry)
}

async fn fail(builder: ClientBuilder) -> Error {
    let client = builder.build().expect("it can be made");
    let result = client.cancel_onboard("1", TerminationType::Other).send().await;
    let error = result.expect_err("there is no connection");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::NotSent), "{error:?}");
    let cause = error.cause().expect("there is a cause");
    assert_eq!(cause.tries(), 3, "{error:?}");
    assert!(error.message().ends_with(&format!(": {cause}")), "{}", error.message());
    assert!(error.to_string().contains(&cause.to_string()), "{error}");
    assert!(cause.zh().ends_with("（共尝试连接 3 次）"), "{}", cause.zh());
    error
}

fn problem(error: &Error) -> &ConnectProblem {
    error.cause().expect("there is a cause").problem()
}

/// An address where nobody listens.
async fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    listener.local_addr().expect("it is bound").to_string()
}

#[tokio::test]
async fn an_address_that_refuses_is_named() {
    for scheme in ["http", "https"] {
        let address = free().await;
        let trust = certificate(&Authority::new("Any"));
        let error = fail(builder(&format!("{scheme}://{address}")).root_certificate(trust)).await;
        assert_eq!(problem(&error), &ConnectProblem::Refused { address: address.clone() });
        let expected = format!("no connection could be made: {address} refused the connection, after 3 tries");
        assert_eq!(error.message(), expected);
    }
}

#[tokio::test]
async fn a_name_that_is_not_found_is_named() {
    // Longer than a part of a name can be, so that no server is asked for it.
    let host = format!("{}.test", "a".repeat(64));
    let trust = certificate(&Authority::new("Any"));
    let error = fail(builder(&format!("https://{host}")).root_certificate(trust)).await;
    assert!(matches!(problem(&error), ConnectProblem::NameNotFound { host: found, .. } if *found == host), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_named() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let address = silent.local_addr().expect("it is bound").to_string();
    let time = Duration::from_millis(50);
    for attempt in [Duration::from_secs(60), time] {
        let builder = builder(&format!("https://{address}")).root_certificate(certificate(&Authority::new("Any")));
        let error = fail(builder.connect_timeout(time).attempt_timeout(attempt)).await;
        assert_eq!(problem(&error), &ConnectProblem::TimedOut { to: address.clone() });
    }
}

#[tokio::test]
async fn what_is_no_tls_server_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let origin = format!("https://{}", listener.local_addr().expect("it is bound"));
    let server = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.expect("the client listens");
            open.push(stream);
        }
    });
    let error = fail(builder(&origin).root_certificate(certificate(&Authority::new("Any")))).await;
    assert!(matches!(problem(&error), ConnectProblem::Tls { host, .. } if host == "127.0.0.1"), "{error:?}");
    server.abort();
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let authority = Authority::new("Inspection Root");
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let of_others = ["gateway.example.com", "192.0.2.7"];
    for (names, valid, trusted, expected) in [
        (&["127.0.0.1"][..], Valid::Now, false, CertificateProblem::UnknownIssuer { issuer: None }),
        (&["127.0.0.1"], Valid::Before, true, CertificateProblem::Expired),
        (&["127.0.0.1"], Valid::Later, true, CertificateProblem::NotYetValid),
        (
            &of_others,
            Valid::Now,
            true,
            CertificateProblem::OtherHost { names: vec!["gateway.example.com".to_owned(), "192.0.2.7".to_owned()] },
        ),
    ] {
        let relay = TlsRelay::start(&server.origin, &authority, (names, valid), Duration::ZERO).await;
        let trust = if trusted { certificate(&authority) } else { certificate(&Authority::new("Another Root")) };
        let error = fail(builder(&relay.origin()).root_certificate(trust)).await;
        let expected = ConnectProblem::Certificate { host: "127.0.0.1".to_owned(), problem: expected };
        assert_eq!(problem(&error), &expected, "{error:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn what_a_given_proxy_answers_is_told_without_its_password() {
    for (does, expected) in [
        (Does::Refuse(407), ConnectProblem::ProxyAnswered { proxy: None, status: 407 }),
        (Does::Refuse(502), ConnectProblem::ProxyFailed { proxy: None, reason: "it opened no tunnel".to_owned() }),
        (Does::Close, ConnectProblem::ProxyFailed { proxy: None, reason: "unexpected end of file".to_owned() }),
    ] {
        let server = Proxy::http(does).await;
        let proxy = reqwest::Proxy::https(format!("http://operator:pa55-of-the-pr0xy@{}", server.address));
        let builder = builder(ELSEWHERE).proxy(proxy.expect("it is one"));
        let error = fail(builder.root_certificate(certificate(&Authority::new("Any")))).await;
        assert_eq!(problem(&error), &expected, "{error:?}");
        assert!(server.asked().iter().all(|head| head.starts_with("CONNECT open.feishu.test:443 ")));
        assert!(server.asked().iter().all(|head| head.to_ascii_lowercase().contains("proxy-authorization: basic ")));
        let printed = format!("{error} {error:?} {}", error.message());
        assert!(!printed.contains("pa55") && !printed.contains("operator"), "{printed}");
    }
    let nobody = free().await;
    let builder = builder(ELSEWHERE).proxy(reqwest::Proxy::https(format!("http://{nobody}")).expect("it is one"));
    let error = fail(builder.root_certificate(certificate(&Authority::new("Any")))).await;
    assert!(matches!(problem(&error), ConnectProblem::ProxyFailed { proxy: None, .. }), "{error:?}");
}

#[tokio::test]
async fn only_tries_to_connect_are_counted_as_such() {
    // The first attempt fails otherwise, and then nobody listens any more.
    let server = RawServer::start(|_, _| raw_server::Act::Reset).await;
    let client = builder(&server.origin).build().expect("it can be made");
    let error = client.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is reset");
    assert_eq!((error.kind(), error.cause()), (ErrorKind::ConnectionLost, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cancellation_has_its_own_connection_through_a_slow_handshake() {
    const COUNT: usize = 40;
    let authority = Authority::new("Company Root");
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let names: (&[&str], _) = (&["127.0.0.1"], Valid::Now);
    let relay = TlsRelay::start(&server.origin, &authority, names, Duration::from_millis(150)).await;
    let client = builder(&relay.origin()).root_certificate(certificate(&authority)).build().expect("it can be made");
    let tasks: Vec<_> = (0..COUNT)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { client.cancel_onboard(id.to_string(), TerminationType::Other).send().await })
        })
        .collect();
    for task in tasks {
        let done = task.await.expect("no panic").expect("it is cancelled");
        assert_eq!(done.attempts(), 1);
    }
    let cancellations = server.cancellations();
    let own: HashSet<_> = cancellations.iter().map(|seen| seen.connection).collect();
    assert_eq!((cancellations.len(), own.len()), (COUNT, COUNT));
    assert_eq!((server.token_requests(), relay.connections()), (1, COUNT + 1));
}
