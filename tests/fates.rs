//! Whatever happens to an attempt, the caller learns whether the cancellation can have taken effect, and what is safe to
//! try again is tried again: one row for each thing that can happen, on raw sockets.

mod faults;
use test_support::raw_server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use faults::{FOR_TWO, Row, assert_attempts, rows, status, with_headers};
use feishu_cancel_onboard::{
    Cancelled, Client, ClientBuilder, Delivery, Error, ErrorKind, Outcome, Pace, RetryPolicy, TerminationType,
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
    let deadline = if kind == ErrorKind::RateLimited { FOR_TWO } else { Duration::from_secs(20) };
    builder(server).attempt_timeout(timeout).retry(quick().deadline(deadline)).build().expect("it can be made")
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
        assert_attempts(error.attempts(), attempts, name);
        assert_eq!(server.cancellations().len(), error.attempts() as usize, "{name}");
        assert_eq!(error.failures().count(), error.attempts() as usize, "{name}");
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
async fn an_unknown_fate_stays_unknown_until_the_endpoint_says_done_or_terminated() {
    for Row(name, act, kind, _, _) in rows() {
        let server = RawServer::start(move |nth, _| if nth == 0 { Act::Reset } else { act.clone() }).await;
        let result = cancel(&client_for(&server, kind)).await;
        match (kind, result) {
            (ErrorKind::AlreadyTerminated, Ok(done)) => assert_eq!(done.outcome(), Outcome::Terminated, "{name}"),
            (_, Ok(done)) => panic!("{name}: {done:?}"),
            (_, Err(error)) => {
                assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Unknown), "{name}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_attempt_lost_by_an_earlier_program_counts_like_one_lost_just_now() {
    for Row(name, act, kind, _, attempts) in rows() {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let client = client_for(&server, kind);
        let call = client.cancel_onboard("1111111111", TerminationType::Other).after_lost_attempt();
        match (kind, call.send().await) {
            (ErrorKind::AlreadyTerminated, Ok(done)) => {
                assert_eq!((done.outcome(), done.attempts()), (Outcome::Terminated, 1), "{name}");
            }
            (_, Ok(done)) => panic!("{name}: {done:?}"),
            (_, Err(error)) => {
                assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Unknown), "{name}: {error:?}");
                assert_attempts(error.attempts(), attempts, name);
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
        let error = cancel(&client(&server)).await.expect_err("a redirect is no answer");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Unknown));
        assert_eq!((error.http_status(), error.attempts()), (Some(status), 1));
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
async fn a_body_that_stops_coming_is_not_waited_for_beyond_the_attempt_at_any_status() {
    for (status, length) in [(200, "100"), (400, "100"), (404, "100"), (502, "100"), (200, "1048577")] {
        let head = format!("HTTP/1.1 {status} Any\r\nContent-Length: {length}\r\nX-Tt-Logid: L\r\n\r\n");
        let answer = Act::Answer(format!("{head}{{\"code\":").into_bytes());
        let server = RawServer::start(move |_, _| answer.clone()).await;
        let over_limit = length.len() > 3;
        let timeout = Duration::from_secs(if over_limit { 10 } else { 1 });
        let client = builder(&server).tenant_access_token(TOKEN).attempt_timeout(timeout).retry(RetryPolicy::off());
        let error = cancel(&client.build().expect("it can be made")).await.expect_err("there is no whole answer");
        let kind = if over_limit { ErrorKind::UnexpectedResponse } else { ErrorKind::Timeout };
        assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Unknown), "{status}");
        assert_eq!((error.http_status(), error.log_id()), (Some(status), Some("L")), "{status}");
    }
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
async fn retry_after_can_be_a_date() {
    let server = RawServer::start(|nth, _| {
        let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(2));
        if nth == 0 { with_headers(503, &[("Retry-After", &date)], "busy") } else { json(200, OK) }
    })
    .await;
    cancel(&client(&server)).await.expect("the second attempt succeeds");
    let [first, second] = &server.cancellations()[..] else { panic!("two attempts") };
    // A date is of whole seconds, so up to one of the two is lost.
    assert!(second.at - first.at >= Duration::from_millis(900));
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
    use ErrorKind::{AppUnavailable, ConnectionLost, InvalidCredentials, SystemError, Timeout, UnexpectedResponse};
    for (name, act, kind, requests) in [
        ("reset", Act::Reset, ConnectionLost, 4),
        ("hang", Act::Hang, Timeout, 4),
        ("502", with_headers(502, &[], "<html>"), UnexpectedResponse, 4),
        ("system error", status(500, 2200), SystemError, 4),
        ("system error at 200", status(200, 2200), SystemError, 4),
        ("success without a token", json(200, r#"{"code":0}"#), UnexpectedResponse, 4),
        (
            "a token that is none",
            json(200, r#"{"code":0,"tenant_access_token":"t\n","expire":7200}"#),
            UnexpectedResponse,
            4,
        ),
        ("credentials", status(400, 99991543), InvalidCredentials, 1),
        ("the secret", status(200, 10014), InvalidCredentials, 1),
        ("empty or malformed credentials", status(200, 10003), InvalidCredentials, 1),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_was_called_not_sent_never_arrives_however_short_the_time() {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let client = builder(&server)
        .tenant_access_token(TOKEN)
        .pace(Pace::unlimited())
        .attempt_timeout(Duration::from_millis(1))
        .retry(RetryPolicy::off())
        .build()
        .expect("it can be made");
    let mut calls = tokio::task::JoinSet::new();
    for caller in 0..40 {
        let client = client.clone();
        calls.spawn(async move {
            let mut not_sent = Vec::new();
            for call in 0..50 {
                let id = format!("{caller}-{call}");
                let result = client.cancel_onboard(&id, TerminationType::Other).send().await;
                if result.is_err_and(|error| error.delivery() == Delivery::NotSent) {
                    not_sent.push(format!("/open-apis/hire/v1/applications/{id}/cancel_onboard"));
                }
            }
            not_sent
        });
    }
    let not_sent: Vec<String> = calls.join_all().await.into_iter().flatten().collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let arrived: std::collections::HashSet<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    let wrong: Vec<_> = not_sent.iter().filter(|path| arrived.contains(*path)).collect();
    assert!(wrong.is_empty(), "{wrong:?} of {} that were called not sent", not_sent.len());
}

#[tokio::test]
async fn only_the_endpoint_itself_can_say_that_the_application_is_terminated() {
    let tokens = |nth, _: &raw_server::Seen| match nth {
        0 => json(200, &format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":0}}"#)),
        _ => json(400, TERMINATED),
    };
    let server = RawServer::start_with_tokens(tokens, |_, _| Act::Reset).await;
    let error = cancel(&client(&server)).await.expect_err("nobody said so");
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1), "{error:?}");
}

#[tokio::test]
async fn a_code_decides_also_where_the_rest_of_the_answer_cannot_be_read() {
    let odd = [r#""msg":"\ud800""#, r#""msg":1e999"#, r#""msg":"a","msg":"b""#, r#""data":"DEEP""#];
    for part in odd {
        let part = part.replace("\"DEEP\"", &format!("{}{}", "[".repeat(300), "]".repeat(300)));
        let body = |code: i64| format!(r#"{{"code":{code},{part}}}"#);
        let ok = body(0);
        let server = RawServer::start(move |_, _| json(200, &ok)).await;
        assert_eq!(cancel(&client(&server)).await.expect(&part).attempts(), 1, "{part}");
        let failed = body(1_002_001);
        let server = RawServer::start(move |_, _| json(400, &failed)).await;
        let error = cancel(&client(&server)).await.expect_err(&part);
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::SystemError, Delivery::Unknown), "{part}");
    }
    let mut gbk = response(400, &[], r#"{"code":1002910,"msg":"??"}"#);
    let at = gbk.len() - 4;
    gbk[at..at + 2].copy_from_slice(&[0xc4, 0xe3]);
    let server = RawServer::start(move |_, _| Act::Answer(gbk.clone())).await;
    let error = cancel(&client(&server)).await.expect_err("it is refused");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::ManagedByFeishuPeople, Delivery::Rejected));
}

#[tokio::test]
async fn the_longer_wait_counts_and_a_fraction_is_rounded_up() {
    let both = [("x-ogw-ratelimit-reset", "0"), ("Retry-After", "1")];
    let fraction = [("x-ogw-ratelimit-reset", "0.2")];
    for headers in [&both[..], &fraction] {
        let answer = with_headers(503, headers, "busy");
        let server = RawServer::start(move |nth, _| if nth == 0 { answer.clone() } else { json(200, OK) }).await;
        cancel(&client(&server)).await.expect("the second attempt succeeds");
        let [first, second] = &server.cancellations()[..] else { panic!("two attempts") };
        assert!(second.at - first.at >= Duration::from_secs(1), "{headers:?}");
    }
}

#[tokio::test]
async fn what_is_awaited_before_sending_is_bounded_and_comes_before_the_limiters_word() {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let client = builder(&server).retry(quick().deadline(Duration::from_millis(200))).build().expect("it can be made");
    let never = || std::future::pending::<Result<(), std::io::Error>>();
    let call = client.cancel_onboard("1", TerminationType::Other).before_sending(never);
    let error = call.send().await.expect_err("there is no time left");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Timeout, Delivery::NotSent, 0));
    let failing = || async { Err(std::io::Error::other("disk full")) };
    let call = client.cancel_onboard("1", TerminationType::Other).before_sending(failing);
    let error = call.send().await.expect_err("it can't be recorded");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::NotRecorded, Delivery::NotSent));
    assert!(error.is_retryable());
    assert!(error.to_string().contains("disk full"), "{error}");
    assert_eq!(server.cancellations().len(), 0);

    // A call that has its permit, and waits to be recorded, when another one is told to wait.
    let limited = with_headers(429, &[("x-ogw-ratelimit-reset", "1")], r#"{"code":99991400}"#);
    let server = RawServer::start(move |nth, _| if nth == 0 { limited.clone() } else { json(200, OK) }).await;
    let client = self::client(&server);
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok::<(), std::io::Error>(())
    };
    let waiting = client.cancel_onboard("2", TerminationType::Other).before_sending(slow).send();
    let (limited, waiting) = tokio::join!(cancel(&client), waiting);
    limited.expect("it is cancelled in the end");
    waiting.expect("it is cancelled in the end");
    let seen = server.cancellations();
    assert!(seen[1..].iter().all(|later| later.at - seen[0].at >= Duration::from_secs(1)), "{seen:?}");
}

#[tokio::test]
async fn no_value_in_the_builder_makes_a_call_panic() {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    for pace in
        [Pace::new(u32::MAX, Duration::MAX), Pace::new(1, Duration::ZERO), Pace::new(0, Duration::from_millis(1))]
    {
        for time in [Duration::MAX, Duration::from_secs(u64::MAX - 1)] {
            let retry = RetryPolicy::default().deadline(time).backoff(time, Duration::ZERO).attempts(u32::MAX);
            let client = builder(&server).pace(pace.clone()).attempt_timeout(time).connect_timeout(time).retry(retry);
            let client = client.build().expect("it can be made");
            for _ in 0..3 {
                cancel(&client).await.expect("it is cancelled");
            }
        }
    }
    let pace = Pace::new(1, Duration::from_secs(u64::MAX - 1));
    let client = builder(&server).pace(pace).build().expect("it can be made");
    cancel(&client).await.expect("the first one is let through");
    assert_eq!(cancel(&client).await.expect_err("the second one never is").kind(), ErrorKind::RateLimited);
}
