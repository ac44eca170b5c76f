//! The rate limit on the wire, and the latency.

use std::time::{Duration, Instant};

use feishu_cancel_onboard::RateLimit;
use feishu_cancel_onboard::sandbox::{PENDING, Sandbox, TERMINATED};

use crate::wire::{cancel, cancellation, send, until};

#[tokio::test]
async fn ten_calls_in_any_second_are_let_through() {
    let sandbox = Sandbox::start().await.expect("it starts");
    let mut refused = 0;
    for _ in 0..60 {
        let answer = cancel(&sandbox, TERMINATED).await;
        if answer.code() == 99991400 {
            refused += 1;
            answer.assert(429, 99991400);
            assert_eq!(answer.header("x-ogw-ratelimit-limit"), Some("10"));
            assert_eq!(answer.header("x-ogw-ratelimit-reset"), Some("1"));
        } else {
            answer.assert(400, 1002221);
            assert_eq!(answer.header("x-ogw-ratelimit-reset"), None);
        }
    }
    let calls = sandbox.calls();
    let let_through: Vec<_> = calls.iter().filter(|call| call.status == Some(400)).map(|call| call.at).collect();
    assert_eq!(let_through.len() + refused, 60);
    for eleven in let_through.windows(11) {
        let apart = eleven[10].duration_since(eleven[0]);
        assert!(apart >= Duration::from_secs(1), "eleven calls in {apart:?}");
    }
    if calls[59].at.duration_since(calls[0].at) < Duration::from_secs(1) {
        assert_eq!(refused, 50);
    }
}

#[tokio::test]
async fn a_refused_call_has_no_effect_and_does_not_prolong_the_wait() {
    let limit = RateLimit { calls: 1, period: Duration::from_secs(1) };
    let sandbox = Sandbox::builder().rate_limits([limit]).start().await.expect("it starts");
    cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    let begun = Instant::now();
    let mut refused = 0;
    while cancel(&sandbox, PENDING).await.code() == 99991400 {
        refused += 1;
        assert!(begun.elapsed() < Duration::from_secs(30), "it never lets a call through again");
    }
    assert!(refused > 0);
    assert_eq!(sandbox.cancellations(), 1);
}

#[tokio::test]
async fn the_limit_can_be_another_or_off() {
    let sandbox = Sandbox::builder().rate_limits([]).start().await.expect("it starts");
    for _ in 0..30 {
        cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    }
    let minute = RateLimit { calls: 2, period: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().rate_limits([minute]).start().await.expect("it starts");
    cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    let answer = cancel(&sandbox, TERMINATED).await;
    answer.assert(429, 99991400);
    assert_eq!(answer.header("x-ogw-ratelimit-limit"), Some("2"));
    let reset: u64 = answer.header("x-ogw-ratelimit-reset").and_then(|reset| reset.parse().ok()).expect("a number");
    assert!((2..=60).contains(&reset), "{reset}");
}

#[tokio::test]
async fn an_answer_takes_the_latency_and_the_effect_does_not() {
    let latency = Duration::from_millis(200)..=Duration::from_millis(400);
    let sandbox = Sandbox::builder().latency(latency).start().await.expect("it starts");
    let begun = Instant::now();
    cancel(&sandbox, "a").await.assert(200, 0);
    assert!(begun.elapsed() >= Duration::from_millis(200));

    // The caller gives up while it waits.
    let call = cancellation(&sandbox, PENDING).timeout(Duration::from_millis(50));
    assert!(send(call).await.expect_err("it gives up").is_timeout());
    assert_eq!(sandbox.cancellations(), 2);
    until(|| sandbox.calls()[1].status.is_some()).await;
    let call = &sandbox.calls()[1];
    assert_eq!((call.status, call.code, call.delivered), (Some(200), Some(0), false));
}
