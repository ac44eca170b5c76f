//! Whatever happens to an attempt, the caller learns whether the cancellation can have taken effect, and what is safe to
//! try again is tried again: one row for each thing that can happen, on raw sockets.

mod faults;
mod raw_server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use faults::{Row, rows, status, with_headers};
use feishu_cancel_onboard::{
    Cancelled, Client, ClientBuilder, Delivery, Error, ErrorKind, Outcome, RetryPolicy, TerminationType,
};
use raw_server::{Act, RawServer, SECRET, TOKEN, json, response};
use tokio::time::Instant;

const OK: &str = r#"{"code":0,"msg":"success","data":{}}"#;
const TERMINATED: &str = r#"{"code":1002221,"msg":"terminated"}"#;

/// Long enough for a busy machine, and far below what a test that hangs would take.
const SOON: Duration = Duration::from_secs(15);

fn quick() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4)).deadline(Duration::from_secs(20))
}

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    Client::builder().origin(origin).app("cli_test", SECRET).attempt_timeout(Duration::from_secs(10)).retry(quick())
}

fn client(server: &RawServer) -> Client {
    builder(server).build().expect("it can be made")
}

/// A client that does not wait long where a row is about waiting for nothing.
fn client_for(server: &RawServer, kind: ErrorKind) -> Client {
    let timeout = if kind == ErrorKind::Timeout { Duration::from_millis(600) } else { Duration::from_secs(10) };
    builder(server).attempt_timeout(timeout).build().expect("it can be made")
}

async fn cancel(client: &Client) -> Result<Cancelled, Error> {
    client.cancel_onboard("1111111111", TerminationType::Other).send().await
}

#[tokio::test]
async fn each_fault_that_goes_on_ends_as_the_table_says() {
    for Row(name, act, kind, delivery, attempts) in rows() {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let began = Instant::now();
        let error = cancel(&client_for(&server, kind)).await.expect_err(name);
        assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{name}: {error:?}");
        assert_eq!(error.attempts(), attempts, "{name}");
        assert_eq!(server.cancellations().len(), attempts as usize, "{name}");
        assert_eq!(error.failures().count(), attempts as usize, "{name}");
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn each_fault_that_passes_is_survived_where_the_table_says_so() {
    for Row(name, act, kind, delivery, attempts) in rows() {
        let server = RawServer::start(move |nth, _| if nth == 0 { act.clone() } else { json(200, OK) }).await;
        let result = cancel(&client_for(&server, kind)).await;
        match attempts {
            1 => assert_eq!(result.expect_err(name).delivery(), delivery, "{name}"),
            _ => {
                let done = result.expect(name);
                assert_eq!((done.outcome(), done.attempts()), (Outcome::Cancelled, 2), "{name}");
            }
        }
        assert_eq!(server.cancellations().len(), attempts.min(2) as usize, "{name}");
    }
}

#[tokio::test]
async fn told_terminated_after_each_fault_is_success_only_if_an_attempt_was_lost() {
    for Row(name, act, kind, delivery, attempts) in rows().into_iter().filter(|row| row.4 > 1) {
        let server = RawServer::start(move |nth, _| if nth == 0 { act.clone() } else { json(400, TERMINATED) }).await;
        let result = cancel(&client_for(&server, kind)).await;
        match delivery {
            Delivery::Unknown => {
                let done = result.expect(name);
                assert_eq!((done.outcome(), done.attempts()), (Outcome::Terminated, 2), "{name}");
            }
            _ => {
                let error = result.expect_err(name);
                assert_eq!(error.kind(), ErrorKind::AlreadyTerminated, "{name}");
                assert_eq!((error.delivery(), error.attempts()), (Delivery::Rejected, 2), "{name} {attempts}");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_fate_stays_unknown_until_the_endpoint_itself_answers() {
    for Row(name, act, kind, _, _) in rows() {
        let server = RawServer::start(move |nth, _| if nth == 0 { Act::Reset } else { act.clone() }).await;
        let result = cancel(&client_for(&server, kind)).await;
        let settled = [ErrorKind::InvalidParameter, ErrorKind::ManagedByFeishuPeople];
        match (kind, result) {
            (ErrorKind::AlreadyTerminated, Ok(done)) => assert_eq!(done.outcome(), Outcome::Terminated, "{name}"),
            (_, Ok(done)) => panic!("{name}: {done:?}"),
            (_, Err(error)) => {
                let expected = if settled.contains(&kind) { Delivery::Rejected } else { Delivery::Unknown };
                assert_eq!((error.kind(), error.delivery()), (kind, expected), "{name}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_attempt_lost_by_an_earlier_program_counts_like_one_lost_just_now() {
    for Row(name, act, kind, _, attempts) in rows() {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let client = client(&server);
        let call = client.cancel_onboard("1111111111", TerminationType::Other).after_lost_attempt();
        let settled = [ErrorKind::InvalidParameter, ErrorKind::ManagedByFeishuPeople];
        match (kind, call.send().await) {
            (ErrorKind::AlreadyTerminated, Ok(done)) => {
                assert_eq!((done.outcome(), done.attempts()), (Outcome::Terminated, 1), "{name}");
            }
            (_, Ok(done)) => panic!("{name}: {done:?}"),
            (_, Err(error)) => {
                let expected = if settled.contains(&kind) { Delivery::Rejected } else { Delivery::Unknown };
                assert_eq!((error.kind(), error.delivery()), (kind, expected), "{name}: {error:?}");
                assert_eq!(error.attempts(), attempts, "{name}");
            }
        }
    }
    let server = RawServer::start_with_tokens(|_, _| status(400, 99991543), |_, _| json(200, OK)).await;
    let client = client(&server);
    let call = client.cancel_onboard("1111111111", TerminationType::Other).after_lost_attempt();
    let error = call.send().await.expect_err("there is no token");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidCredentials, Delivery::Unknown));
    assert_eq!((error.attempts(), server.cancellations().len()), (0, 0));
}

#[tokio::test]
async fn an_unknown_fate_stays_unknown_when_there_is_no_connection_any_more() {
    let server = RawServer::start(|_, _| Act::Hang).await;
    let client = client_for(&server, ErrorKind::Timeout);
    let call = tokio::spawn(async move { cancel(&client).await });
    while server.cancellations().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(server);
    let error = call.await.expect("no panic").expect_err("nobody is there");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::Unknown), "{error:?}");
    assert_eq!(error.attempts(), 4);
    assert!(error.is_retryable());
    let kinds: Vec<_> = error.failures().map(|failure| failure.kind()).collect();
    assert_eq!(kinds[1..], [ErrorKind::Connect; 3], "{kinds:?}");
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent_and_it_is_tried_again() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let origin = format!("http://{}", free.local_addr().expect("it is bound")).parse().expect("loopback is an origin");
    drop(free);
    let client = Client::builder().origin(origin).tenant_access_token(TOKEN).retry(quick()).build();
    let error = cancel(&client.expect("it can be made")).await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::NotSent), "{error:?}");
    assert_eq!((error.attempts(), error.is_retryable(), error.reached_platform()), (4, true, false));
    let mut sources = 0;
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        sources += 1;
        source = cause.source();
    }
    assert!(sources >= 3, "the connection's own error is among the sources: {error:?}");
}

#[tokio::test]
async fn a_server_that_is_no_tls_server_gets_no_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let origin = format!("https://{}", listener.local_addr().expect("it is bound")).parse().expect("it is an origin");
    let log = Arc::clone(&seen);
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await.unwrap_or(0);
            log.lock().expect("no panic with it").extend_from_slice(&bytes[..read]);
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    });
    let client = Client::builder().origin(origin).tenant_access_token(TOKEN).retry(quick()).build();
    let error = cancel(&client.expect("it can be made")).await.expect_err("it is no TLS server");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::NotSent), "{error:?}");
    let seen = seen.lock().expect("no panic with it");
    assert!(!seen.is_empty() && !seen.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()));
    server.abort();
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = RawServer::start(|_, _| json(200, OK)).await;
        let location = format!("{}/open-apis/hire/v1/applications/1/cancel_onboard", elsewhere.origin);
        let answer = response(status, &[("Location", &location)], "");
        let server = RawServer::start(move |_, _| Act::Answer(answer.clone())).await;
        // Also not with a client whose own policy would follow.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(5));
        for client in [client(&server), builder(&server).http(http).build().expect("it can be made")] {
            let error = cancel(&client).await.expect_err("a redirect is no answer");
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Unknown));
            assert_eq!((error.http_status(), error.attempts()), (Some(status), 1));
        }
        assert_eq!(elsewhere.seen().len(), 0, "{status}");
    }
}

#[tokio::test]
async fn an_answer_one_byte_at_a_time_is_read() {
    let server = RawServer::start(|_, _| Act::Drip(response(200, &[("X-Tt-Logid", "L")], OK))).await;
    let client = builder(&server).attempt_timeout(Duration::from_secs(5)).build().expect("it can be made");
    let done = cancel(&client).await.expect("it is cancelled");
    assert_eq!((done.attempts(), done.log_id()), (1, Some("L")));
}

#[tokio::test]
async fn a_body_without_end_or_length_is_read_up_to_the_close() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let server = RawServer::start(move |_, _| Act::AnswerAndClose(format!("{head}{OK}").into_bytes())).await;
    assert_eq!(cancel(&client(&server)).await.expect("it is cancelled").attempts(), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_and_its_fate_is_unknown_at_any_status() {
    const TOTAL: usize = 200 * 1024 * 1024;
    for (status, announced, attempts) in
        [(200, true, 4), (200, false, 4), (400, true, 4), (500, false, 4), (302, true, 1)]
    {
        let length = if announced { format!("Content-Length: {TOTAL}\r\n") } else { String::new() };
        let head = format!("HTTP/1.1 {status} Any\r\n{length}\r\n").into_bytes();
        let server = RawServer::start(move |_, _| Act::Flood(head.clone(), TOTAL)).await;
        let client = builder(&server).attempt_timeout(Duration::from_secs(3)).build().expect("it can be made");
        let before = peak_memory();
        let error = cancel(&client).await.expect_err("nobody reads that");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Unknown), "{error:?}");
        assert_eq!((error.http_status(), error.attempts()), (Some(status), attempts));
        assert!(peak_memory() - before < 64 * 1024, "{} KiB more", peak_memory() - before);
    }
    let body = format!(r#"{{"code":0,"msg":"{}"}}"#, "x".repeat(1024 * 1024 - 19));
    assert_eq!(body.len(), 1024 * 1024);
    let server = RawServer::start(move |_, _| json(200, &body)).await;
    let client = builder(&server).attempt_timeout(Duration::from_secs(3)).build().expect("it can be made");
    cancel(&client).await.expect("a body at the limit is read");
}

/// The most memory that this process has held, in KiB.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn retry_after_is_honoured_and_never_undercut() {
    for headers in [[("Retry-After", "1")], [("x-ogw-ratelimit-reset", "1")]] {
        for (status, body) in [(503, "<html>busy</html>"), (429, "slow down"), (500, r#"{"code":1002001}"#)] {
            let answer = with_headers(status, &headers, body);
            let server = RawServer::start(move |nth, _| if nth == 0 { answer.clone() } else { json(200, OK) }).await;
            cancel(&client(&server)).await.expect("the second attempt succeeds");
            let [first, second] = &server.cancellations()[..] else { panic!("two attempts") };
            let apart = second.at - first.at;
            assert!(apart >= Duration::from_secs(1), "{headers:?} {status}: {apart:?}");
        }
    }
}

#[tokio::test]
async fn a_limit_without_a_reset_waits_a_while_all_the_same() {
    let server = RawServer::start(|nth, _| if nth == 0 { status(429, 99991400) } else { json(200, OK) }).await;
    cancel(&client(&server)).await.expect("the second attempt succeeds");
    let [first, second] = &server.cancellations()[..] else { panic!("two attempts") };
    assert!(second.at - first.at >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_reset_beyond_the_deadline_ends_at_once_and_says_how_long() {
    for reset in ["86400", "18446744073709551615"] {
        let answer = with_headers(429, &[("x-ogw-ratelimit-reset", reset)], r#"{"code":99991400,"msg":"limit"}"#);
        let server = RawServer::start(move |_, _| answer.clone()).await;
        let client = client(&server);
        let began = Instant::now();
        let error = cancel(&client).await.expect_err("it is limited");
        assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::RateLimited, Delivery::Rejected, 1));
        assert_eq!(error.retry_after().map(|wait| wait.as_secs().to_string()).as_deref(), Some(reset));
        assert!(error.is_retryable());
        assert!(began.elapsed() < SOON);
    }
}

#[tokio::test]
async fn a_limit_holds_for_every_call_of_the_client() {
    let answer = with_headers(429, &[("x-ogw-ratelimit-reset", "1")], r#"{"code":99991400,"msg":"limit"}"#);
    let server = RawServer::start(move |nth, _| if nth == 0 { answer.clone() } else { json(200, OK) }).await;
    let client = client(&server);
    let limited = tokio::spawn({
        let client = client.clone();
        async move { cancel(&client).await }
    });
    while server.cancellations().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    cancel(&client).await.expect("it waits and is cancelled");
    limited.await.expect("no panic").expect("it waits and is cancelled");
    let seen = server.cancellations();
    assert_eq!(seen.len(), 3);
    assert!(seen[1..].iter().all(|later| later.at - seen[0].at >= Duration::from_secs(1)), "{seen:?}");
}

#[tokio::test]
async fn an_attempt_never_runs_past_the_deadline() {
    let server = RawServer::start(|_, _| Act::Hang).await;
    let client = builder(&server)
        .attempt_timeout(Duration::from_secs(60))
        .retry(RetryPolicy::default().deadline(Duration::from_millis(400)))
        .build()
        .expect("it can be made");
    let began = Instant::now();
    let error = cancel(&client).await.expect_err("nobody answers");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Timeout, Delivery::Unknown, 1));
    assert!(began.elapsed() >= Duration::from_millis(400) && began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn retries_can_be_turned_off() {
    let server = RawServer::start(|_, _| status(500, 1002001)).await;
    let client = builder(&server).retry(RetryPolicy::off()).build().expect("it can be made");
    assert_eq!(cancel(&client).await.expect_err("it fails").attempts(), 1);
    let server = RawServer::start(|_, _| status(400, 99991663)).await;
    let client = builder(&server).retry(RetryPolicy::off()).build().expect("it can be made");
    assert_eq!(cancel(&client).await.expect_err("it fails").attempts(), 1);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_token_that_the_caller_gave_is_not_tried_again() {
    let server = RawServer::start(|_, _| status(400, 99991663)).await;
    let client = builder(&server).tenant_access_token(TOKEN).build().expect("it can be made");
    let error = cancel(&client).await.expect_err("it is refused");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Unauthorized, Delivery::Rejected, 1));
    assert_eq!((server.cancellations().len(), server.token_requests()), (1, 0));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    use ErrorKind::{
        AppUnavailable, ConnectionLost, InvalidCredentials, RateLimited, SystemError, Timeout, UnexpectedResponse,
    };
    let limited = with_headers(429, &[("x-ogw-ratelimit-reset", "0")], r#"{"code":99991400}"#);
    for (name, act, kind, requests) in [
        ("reset", Act::Reset, ConnectionLost, 4),
        ("hang", Act::Hang, Timeout, 4),
        ("502", with_headers(502, &[], "<html>"), UnexpectedResponse, 4),
        ("system error", status(500, 1002001), SystemError, 4),
        ("limited", limited, RateLimited, 4),
        ("success without a token", json(200, r#"{"code":0}"#), UnexpectedResponse, 4),
        (
            "a token that is none",
            json(200, r#"{"code":0,"tenant_access_token":"t\n","expire":7200}"#),
            UnexpectedResponse,
            4,
        ),
        ("credentials", status(400, 99991543), InvalidCredentials, 1),
        ("credentials, by another code", status(200, 10014), InvalidCredentials, 1),
        ("app disabled", status(400, 99991662), AppUnavailable, 1),
        ("redirect", with_headers(302, &[("Location", "/")], ""), UnexpectedResponse, 1),
    ] {
        let server = RawServer::start_with_tokens(move |_, _| act.clone(), |_, _| json(200, OK)).await;
        let error = cancel(&client_for(&server, kind)).await.expect_err(name);
        assert_eq!((error.kind(), error.delivery()), (kind, Delivery::NotSent), "{name}: {error:?}");
        assert_eq!((error.attempts(), server.cancellations().len()), (0, 0), "{name}");
        assert_eq!(server.token_requests(), requests, "{name}");
    }
}

#[tokio::test]
async fn a_connection_that_went_stale_costs_nothing() {
    let server = RawServer::start(|_, _| Act::AnswerAndClose(response(200, &[], OK))).await;
    let client = client(&server);
    for _ in 0..5 {
        assert_eq!(cancel(&client).await.expect("it is cancelled").attempts(), 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.cancellations().len(), 5);
}

#[tokio::test]
async fn a_call_that_is_dropped_at_any_point_leaves_the_client_fit_for_use() {
    let server =
        RawServer::start(|nth, _| if nth % 2 == 0 { json(200, OK) } else { Act::Drip(response(200, &[], OK)) }).await;
    let client = client(&server);
    for step in 0..60_u64 {
        let call = cancel(&client);
        let _ = tokio::time::timeout(Duration::from_micros(step * 50), call).await;
    }
    let done = builder(&server).attempt_timeout(Duration::from_secs(3)).build().expect("it can be made");
    cancel(&done).await.expect("the server is fit for use");
    cancel(&client).await.expect("the client is fit for use");
}
