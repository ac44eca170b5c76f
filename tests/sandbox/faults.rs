//! Programmed failures: each ends the call as it says, with an effect or without.

use std::time::{Duration, Instant};

use feishu_cancel_onboard::sandbox::{Answer, ApplicationState, Ending, Fault, PENDING, Sandbox, TERMINATED};
use feishu_cancel_onboard::{ErrorCode, PlatformErrorCode};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::wire::{
    Answered, ask_for_token, cancel, cancellation, client, exchange, head, obtain_token, parse, raw_cancellation, send,
    until,
};

async fn sandbox() -> Sandbox {
    Sandbox::builder().rate_limits([]).start().await.expect("it starts")
}

fn delivered(sandbox: &Sandbox) -> Vec<bool> {
    sandbox.calls().iter().map(|call| call.delivered).collect()
}

fn answered(answer: Answer) -> Fault {
    Fault::WithoutEffect(answer.into())
}

#[tokio::test]
async fn an_answer_is_given_without_effect() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([
        answered(ErrorCode::SystemError.into()),
        answered(Answer::from(PlatformErrorCode::AppScopeMissing).status(StatusCode::FORBIDDEN)),
        answered(Answer::rate_limited(10, 86400)),
        answered(Answer::code(1_234_567).status(StatusCode::BAD_GATEWAY)),
        answered(Answer::html(StatusCode::BAD_GATEWAY).header(header::RETRY_AFTER, HeaderValue::from_static("2"))),
        answered(Answer::json(StatusCode::OK, &json!({"code": "0"}))),
        answered(Answer::bytes(StatusCode::NO_CONTENT, "")),
    ]);
    cancel(&sandbox, PENDING).await.assert(500, 1002001);
    cancel(&sandbox, PENDING).await.assert(403, 99991672);
    let limited = cancel(&sandbox, PENDING).await;
    limited.assert(429, 99991400);
    assert_eq!(limited.header("x-ogw-ratelimit-limit"), Some("10"));
    assert_eq!(limited.header("x-ogw-ratelimit-reset"), Some("86400"));
    cancel(&sandbox, PENDING).await.assert(502, 1_234_567);
    let page = cancel(&sandbox, PENDING).await;
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html")));
    assert_eq!((page.header("retry-after"), page.header("x-tt-logid")), (Some("2"), None));
    assert!(page.body.contains("502 Bad Gateway"), "{}", page.body);
    assert_eq!(cancel(&sandbox, PENDING).await.body, r#"{"code":"0"}"#);
    let Answered { status, body, .. } = cancel(&sandbox, PENDING).await;
    assert_eq!((status, body.as_str()), (204, ""));

    assert_eq!(sandbox.cancellations(), 0);
    let codes: Vec<_> = sandbox.calls().iter().map(|call| (call.status, call.code)).collect();
    let expected = [(500, Some(1002001)), (403, Some(99991672)), (429, Some(99991400)), (502, Some(1_234_567))];
    assert_eq!(codes[..4], expected.map(|(status, code)| (Some(status), code)));
    assert_eq!(codes[4..], [502, 200, 204].map(|status| (Some(status), None)));
    // What was programmed is used up.
    cancel(&sandbox, PENDING).await.assert(200, 0);
    assert_eq!(delivered(&sandbox), [true; 8]);
}

#[tokio::test]
async fn an_answer_is_given_although_the_call_took_effect() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::WithEffect(Answer::html(StatusCode::BAD_GATEWAY).into())]);
    assert_eq!(cancel(&sandbox, PENDING).await.status, 502);
    assert_eq!(sandbox.application(PENDING), ApplicationState::Terminated);
    cancel(&sandbox, PENDING).await.assert(400, 1002221);
}

#[tokio::test]
async fn a_reset_loses_the_answer_or_the_request() {
    for (fault, cancellations) in [(Fault::WithEffect(Ending::Reset), 1), (Fault::WithoutEffect(Ending::Reset), 0)] {
        let sandbox = sandbox().await;
        sandbox.fail_cancellations([fault]);
        let request = raw_cancellation(&sandbox, PENDING);
        let error = exchange(&sandbox, &request).await.expect_err("it is reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(sandbox.cancellations(), cancellations);
        assert_eq!(delivered(&sandbox), [false]);
        let after = if cancellations == 1 { (400, 1002221) } else { (200, 0) };
        cancel(&sandbox, PENDING).await.assert(after.0, after.1);
    }
}

#[tokio::test]
async fn a_close_ends_the_connection_without_a_byte() {
    for (fault, cancellations) in [(Fault::WithEffect(Ending::Close), 1), (Fault::WithoutEffect(Ending::Close), 0)] {
        let sandbox = sandbox().await;
        sandbox.fail_cancellations([fault]);
        let request = raw_cancellation(&sandbox, PENDING);
        assert_eq!(exchange(&sandbox, &request).await.expect("it ends in order"), b"");
        assert_eq!(sandbox.cancellations(), cancellations);
        assert_eq!(delivered(&sandbox), [false]);
    }
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_comes() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([
        Fault::WithEffect(Ending::Truncated(4)),
        Fault::WithEffect(Ending::Truncated(usize::MAX)),
        Fault::WithoutEffect(Ending::Truncated(0)),
        Fault::WithEffect(Ending::Truncated(9)),
    ]);
    let request = raw_cancellation(&sandbox, PENDING);
    for (status, kept, cancellations) in [(200, 4, 1), (400, usize::MAX, 1), (500, 0, 1)] {
        let answer = String::from_utf8(exchange(&sandbox, &request).await.expect("it ends in order")).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("the head is whole");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("x-tt-logid: "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("there is a length");
        let length: usize = length.parse().expect("it is a number");
        assert_eq!(body.len(), kept.min(length - 1));
        assert!(!body.ends_with('}'));
        assert_eq!(sandbox.cancellations(), cancellations);
    }
    assert!(send(cancellation(&sandbox, PENDING)).await.is_err(), "a client sees that something is missing");
    assert_eq!(delivered(&sandbox), [false; 4]);
}

#[tokio::test]
async fn raw_bytes_come_as_they_are() {
    let sandbox = sandbox().await;
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n\0\xff";
    sandbox.fail_cancellations([Fault::WithoutEffect(Ending::Raw(bytes::Bytes::from_static(bytes)))]);
    let request = raw_cancellation(&sandbox, PENDING);
    assert_eq!(exchange(&sandbox, &request).await.expect("it ends in order"), bytes);
    assert_eq!(sandbox.cancellations(), 0);
}

#[tokio::test]
async fn a_call_that_hangs_is_never_answered() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Hang), Fault::WithoutEffect(Ending::Hang)]);
    for cancellations in [1, 1] {
        let call = cancellation(&sandbox, PENDING).timeout(Duration::from_millis(150));
        assert!(send(call).await.expect_err("it gives up").is_timeout());
        assert_eq!(sandbox.cancellations(), cancellations);
    }
    assert_eq!(delivered(&sandbox), [false; 2]);
    cancel(&sandbox, PENDING).await.assert(400, 1002221);
}

#[tokio::test]
async fn the_end_of_the_sandbox_does_not_wait_for_a_call_that_hangs() {
    let sandbox = Sandbox::builder().grace(Duration::from_secs(3600)).start().await.expect("it starts");
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Hang)]);
    let call = tokio::spawn(send(cancellation(&sandbox, PENDING)));
    until(|| sandbox.cancellations() == 1).await;
    tokio::time::timeout(Duration::from_secs(30), sandbox.shutdown()).await.expect("it ends");
    assert!(call.await.expect("it runs").is_err());
}

#[tokio::test]
async fn the_end_waits_for_calls_under_way() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::Delay(Duration::from_millis(300))]);
    let call = tokio::spawn(send(cancellation(&sandbox, PENDING)));
    until(|| sandbox.cancellations() == 1).await;
    sandbox.shutdown().await;
    call.await.expect("it runs").expect("it is answered").assert(200, 0);
}

#[tokio::test]
async fn a_connection_in_use_is_cut_only_at_the_call_that_fails() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::None, Fault::None, Fault::WithEffect(Ending::Close)]);
    let address = sandbox.base_url().strip_prefix("http://").expect("it is an HTTP origin");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let mut ends = Vec::new();
    for id in ["a", "b", "c"] {
        let request = String::from_utf8(raw_cancellation(&sandbox, id)).expect("it is text");
        let request = request.replace("Connection: close\r\n", "");
        stream.write_all(request.as_bytes()).await.expect("it takes the request");
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.expect("it ends in order");
        ends.push(if read == 0 { 0 } else { parse(&answer[..read]).0 });
    }
    assert_eq!(ends, [200, 200, 0]);
    assert_eq!(sandbox.cancellations(), 3);
    assert_eq!(delivered(&sandbox), [true, true, false]);
}

#[tokio::test]
async fn what_was_due_is_noted_and_nothing_where_nothing_was() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([
        Fault::WithEffect(Ending::Close),
        Fault::WithoutEffect(Ending::Close),
        Fault::WithoutEffect(Ending::Truncated(1)),
    ]);
    for _ in 0..3 {
        let request = raw_cancellation(&sandbox, PENDING);
        exchange(&sandbox, &request).await.expect("it ends in order");
    }
    let noted: Vec<_> = sandbox.calls().iter().map(|call| (call.status, call.code)).collect();
    assert_eq!(noted, [(Some(200), Some(0)), (None, None), (Some(500), Some(1002001))]);
}

#[tokio::test]
async fn the_end_waits_only_so_long_and_dropping_it_not_at_all() {
    for drop_it in [false, true] {
        let grace = Duration::from_millis(if drop_it { 3_600_000 } else { 100 });
        let sandbox = Sandbox::builder().grace(grace).start().await.expect("it starts");
        sandbox.fail_cancellations([Fault::Delay(Duration::from_secs(3600))]);
        let call = tokio::spawn(send(cancellation(&sandbox, PENDING)));
        until(|| sandbox.cancellations() == 1).await;
        let ended = async {
            if drop_it {
                drop(sandbox);
            } else {
                sandbox.shutdown().await;
            }
            call.await.expect("it runs").expect_err("its connection ends");
        };
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("it ends");
    }
}

#[tokio::test]
async fn a_reset_without_effect_does_not_wait_for_the_body() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::WithoutEffect(Ending::Reset)]);
    let more = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
    let request = head(&sandbox, "/open-apis/hire/v1/applications/1111111111/cancel_onboard", more);
    let reset = tokio::time::timeout(Duration::from_secs(30), exchange(&sandbox, request.as_bytes())).await;
    let error = reset.expect("it ends").expect_err("it is reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_delay_is_only_a_delay() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([Fault::None, Fault::Delay(Duration::from_millis(200))]);
    cancel(&sandbox, PENDING).await.assert(200, 0);
    let begun = Instant::now();
    cancel(&sandbox, "other").await.assert(200, 0);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(delivered(&sandbox), [true; 2]);
}

#[tokio::test]
async fn a_call_refused_for_its_token_uses_up_no_fault() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations([answered(ErrorCode::SystemError.into())]);
    let call = cancellation(&sandbox, PENDING).header("authorization", "Bearer t-1");
    sandbox.revoke_tokens();
    send(call).await.expect("it answers").assert(400, 99991663);
    cancel(&sandbox, PENDING).await.assert(500, 1002001);
}

#[tokio::test]
async fn requests_for_a_token_fail_by_a_queue_of_their_own() {
    let sandbox = sandbox().await;
    sandbox.fail_token_requests([
        answered(PlatformErrorCode::AppDisabled.into()),
        Fault::WithEffect(Ending::Raw("".into())),
    ]);
    cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    ask_for_token(&sandbox, &json!({})).await.assert(400, 99991662);
    let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", sandbox.base_url());
    assert!(send(client().post(url)).await.is_err());
    obtain_token(&sandbox).await;
    assert_eq!(sandbox.token_requests(), 3);
}

#[tokio::test]
async fn a_seed_makes_failures_at_random_the_same_again() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let sandbox = sandbox().await;
        sandbox.fail_cancellations_at_random(
            seed,
            [(0.3, Fault::WithEffect(Ending::Close)), (0.3, answered(ErrorCode::SystemError.into()))],
        );
        let mut run = Vec::new();
        for id in 0..40 {
            let request = raw_cancellation(&sandbox, &format!("id-{id}"));
            let answer = exchange(&sandbox, &request).await.expect("it ends in order");
            run.push(if answer.is_empty() { 0 } else { parse(&answer).0 });
        }
        assert!([0, 200, 500].iter().all(|kind| run.contains(kind)), "{run:?}");
        assert_eq!(sandbox.cancellations(), run.iter().filter(|kind| **kind != 500).count());
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_probability_leaves_requests_for_a_token_alone_unless_it_is_theirs() {
    let sandbox = sandbox().await;
    sandbox.fail_cancellations_at_random(1, [(1.0, answered(ErrorCode::SystemError.into()))]);
    obtain_token(&sandbox).await;
    sandbox.fail_token_requests_at_random(1, [(1.0, answered(Answer::html(StatusCode::SERVICE_UNAVAILABLE)))]);
    assert_eq!(ask_for_token(&sandbox, &json!({})).await.status, 503);
    cancel(&sandbox, PENDING).await.assert(500, 1002001);
    sandbox.fail_cancellations_at_random(1, []);
    cancel(&sandbox, PENDING).await.assert(200, 0);
}
