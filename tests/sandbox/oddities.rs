//! Requests that no client library makes: never a server error, never another application's cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feishu_cancel_onboard::sandbox::{ApplicationState, PENDING, Sandbox};
use tokio::io::AsyncWriteExt;

use crate::wire::{exchange, head, parse, raw_cancellation, until};

async fn sandbox() -> Sandbox {
    Sandbox::builder().rate_limits([]).start().await.expect("it starts")
}

#[tokio::test]
async fn odd_percent_encoding_is_a_bad_parameter() {
    let sandbox = sandbox().await;
    for id in
        ["", "%", "%zz", "%f", "%ff", "%C3%28", "%2e%2e", "..", ".", "a%2F..%2F1111111111", "a\\..\\1111111111", "%00"]
    {
        let request = raw_cancellation(&sandbox, id);
        let (status, body) = parse(&exchange(&sandbox, &request).await.expect("it answers"));
        assert_eq!((status, body["code"].as_i64()), (400, Some(1002002)), "{id}: {body}");
        assert_eq!(body["error"]["field_violations"][0]["field"], "application_id", "{id}");
    }
    assert_eq!(sandbox.cancellations(), 0);
}

#[tokio::test]
async fn dots_in_a_path_are_not_resolved() {
    let sandbox = sandbox().await;
    let request = raw_cancellation(&sandbox, "a/../1111111111");
    assert_eq!(parse(&exchange(&sandbox, &request).await.expect("it answers")).0, 404);
    assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
}

#[tokio::test]
async fn a_body_of_any_length_is_read_and_refused_as_a_parameter() {
    let sandbox = sandbox().await;
    let target = "/open-apis/hire/v1/applications/1111111111/cancel_onboard";
    let body = format!(r#"{{"termination_type":1,"termination_reason_notes":"{}"}}"#, "x".repeat(20 << 20));
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let request = [head(&sandbox, target, &more), body].concat();
    let (status, body) = parse(&exchange(&sandbox, request.as_bytes()).await.expect("it answers"));
    assert_eq!((status, body["code"].as_i64()), (400, Some(1002002)));

    // Refused before the body matters, and still answered after it was sent.
    let unauthorised = request.replacen("Bearer t-", "Bearer u-", 1);
    let (status, body) = parse(&exchange(&sandbox, unauthorised.as_bytes()).await.expect("it answers"));
    assert_eq!((status, body["code"].as_i64()), (400, Some(99991671)));
}

#[tokio::test]
async fn a_chunked_body_is_a_body() {
    let sandbox = sandbox().await;
    let target = "/open-apis/hire/v1/applications/1111111111/cancel_onboard";
    let more = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let request = head(&sandbox, target, more) + "9\r\n{\"termina\r\ne\r\ntion_type\":22}\r\n0\r\n\r\n";
    let (status, body) = parse(&exchange(&sandbox, request.as_bytes()).await.expect("it answers"));
    assert_eq!((status, body["code"].as_i64()), (200, Some(0)), "{body}");
}

#[tokio::test]
async fn a_body_that_breaks_off_cancels_nothing() {
    let ended = Arc::new(AtomicBool::new(false));
    let teller = Arc::clone(&ended);
    let builder = Sandbox::builder().on_call(move |_| teller.store(true, Ordering::Release));
    let sandbox = builder.start().await.expect("it starts");
    let address = sandbox.base_url().strip_prefix("http://").expect("it is an HTTP origin");
    // What comes would be a whole body, if less of it had been promised.
    let request = String::from_utf8(raw_cancellation(&sandbox, PENDING)).expect("it is text");
    let request = request.replace("Content-Length: 23", "Content-Length: 24");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it takes the request");
    drop(stream);
    until(|| ended.load(Ordering::Acquire)).await;
    assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
    assert_ne!(sandbox.calls()[0].code, Some(0));
}

#[tokio::test]
async fn what_is_not_http_ends_only_its_own_connection() {
    let sandbox = sandbox().await;
    for bytes in
        [&b"\0\xff\r\n\r\n"[..], b"POST\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let answer = exchange(&sandbox, bytes).await.unwrap_or_default();
        assert!(answer.is_empty() || parse(&answer).0 == 400, "{:?}", String::from_utf8_lossy(&answer));
    }
    let request = raw_cancellation(&sandbox, PENDING);
    assert_eq!(parse(&exchange(&sandbox, &request).await.expect("it answers")).0, 200);
}

/// Not every client knows that the case of a header's name means nothing.
#[tokio::test]
async fn the_log_id_is_named_as_the_platform_writes_it() {
    let sandbox = sandbox().await;
    let request = raw_cancellation(&sandbox, PENDING);
    let answer = String::from_utf8(exchange(&sandbox, &request).await.expect("it answers")).expect("it is text");
    assert!(answer.contains("\r\nX-Tt-Logid: "), "{answer}");
}
