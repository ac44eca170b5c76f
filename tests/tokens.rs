//! One request for any number of waiting calls, renewal before a token ends, and one renewal for any number of refusals.

use test_support::raw_server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feishu_cancel_onboard::{
    AccessToken, Client, ClientBuilder, Code, Delivery, ErrorKind, Pace, PlatformErrorCode, RetryPolicy,
    TerminationType, TokenError, TokenErrorCode, TokenFuture, TokenSource,
};
use raw_server::{Act, RawServer, SECRET, Seen, json};

const OK: &str = r#"{"code":0}"#;

fn issue(token: &str, expire: i64) -> Act {
    json(200, &format!(r#"{{"code":0,"msg":"ok","tenant_access_token":"{token}","expire":{expire}}}"#))
}

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4));
    Client::builder().origin(origin).app("cli_test", SECRET).pace(Pace::unlimited()).retry(retry)
}

fn client(server: &RawServer) -> Client {
    builder(server).build().expect("it can be made")
}

async fn cancel(client: &Client) -> Result<u32, feishu_cancel_onboard::Error> {
    client.cancel_onboard("1111111111", TerminationType::Other).send().await.map(|done| done.attempts())
}

async fn cancel_at_once(client: &Client, calls: usize) -> Vec<Result<u32, feishu_cancel_onboard::Error>> {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let client = client.clone();
        running.spawn(async move { cancel(&client).await });
    }
    running.join_all().await
}

/// Lets time pass for the client while nothing is under way on the wire.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come about");
}

#[tokio::test]
async fn a_hundred_concurrent_first_calls_make_one_token_request() {
    let server = RawServer::start_with_tokens(|_, _| issue("t-1", 7200), |_, _| json(200, OK)).await;
    let results = cancel_at_once(&client(&server), 100).await;
    assert!(results.iter().all(|result| matches!(result, Ok(1))));
    assert_eq!((server.token_requests(), server.cancellations().len()), (1, 100));
}

#[tokio::test]
async fn waiting_calls_share_a_failure_and_the_next_call_tries_anew() {
    let tokens =
        |nth, _: &Seen| if nth == 0 { json(400, r#"{"code":99991543,"msg":"no"}"#) } else { issue("t-1", 7200) };
    let server = RawServer::start_with_tokens(tokens, |_, _| json(200, OK)).await;
    let client = client(&server);
    for result in cancel_at_once(&client, 100).await {
        let error = result.expect_err("no token");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidCredentials, Delivery::NotSent));
    }
    assert_eq!((server.token_requests(), server.cancellations().len()), (1, 0));
    assert_eq!(cancel(&client).await.expect("the next call tries anew"), 1);
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn a_thousand_calls_through_a_revocation_make_one_renewal() {
    // The platform hands out the same string again: what counts is which request it came from.
    for (first, second) in [("t-1", "t-2"), ("t-same", "t-same")] {
        let issued = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&issued);
        let tokens = move |nth, _: &Seen| {
            count.store(nth + 1, Ordering::SeqCst);
            issue(if nth == 0 { first } else { second }, 7200)
        };
        let script = move |nth, seen: &Seen| {
            let old = if first == second {
                issued.load(Ordering::SeqCst) < 2
            } else {
                seen.header("authorization")[0].ends_with(first)
            };
            // The first calls succeed with the first token, which is then revoked.
            if old && nth >= 200 { json(400, r#"{"code":99991663,"msg":"revoked"}"#) } else { json(200, OK) }
        };
        let server = RawServer::start_with_tokens(tokens, script).await;
        let client = client(&server);
        let mut results = Vec::new();
        for _ in 0..10 {
            results.extend(cancel_at_once(&client, 100).await);
        }
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(results.len(), 1000);
        assert_eq!(server.token_requests(), 2, "{first} {second}");
    }
}

#[tokio::test]
async fn a_token_that_goes_on_being_refused_is_renewed_once_for_a_call() {
    let server =
        RawServer::start_with_tokens(|_, _| issue("t-1", 7200), |_, _| json(400, r#"{"code":99991663}"#)).await;
    let error = cancel(&client(&server)).await.expect_err("it is refused");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Unauthorized, Delivery::Rejected, 2));
    assert_eq!((server.token_requests(), server.cancellations().len()), (2, 2));
}

#[tokio::test]
async fn a_refused_token_is_dropped_also_by_a_call_that_has_no_attempt_left() {
    let script = |_, seen: &Seen| match seen.header("authorization")[0] {
        "Bearer t-1" => json(400, r#"{"code":99991663}"#),
        _ => json(200, OK),
    };
    let tokens = |nth, _: &Seen| issue(if nth == 0 { "t-1" } else { "t-2" }, 7200);
    let server = RawServer::start_with_tokens(tokens, script).await;
    let client = builder(&server).retry(RetryPolicy::off()).build().expect("it can be made");
    cancel(&client).await.expect_err("it is refused");
    assert_eq!(cancel(&client).await.expect("the next call has a new token"), 1);
}

#[tokio::test]
async fn a_token_is_renewed_in_the_background_half_an_hour_before_its_end() {
    let tokens = |nth, _: &Seen| if nth == 0 { issue("t-1", 7200) } else { issue("t-2", 7200) };
    let server = RawServer::start_with_tokens(tokens, |_, _| json(200, OK)).await;
    let client = client(&server);
    cancel(&client).await.expect("it is cancelled");
    pass(Duration::from_secs(7200 - 1800 - 60)).await;
    cancel(&client).await.expect("it is cancelled");
    assert_eq!(server.token_requests(), 1);
    pass(Duration::from_secs(120)).await;
    cancel(&client).await.expect("no call waits for the renewal");
    until(|| server.token_requests() == 2).await;
    until_called_with(&server, &client, "t-2").await;
    let tokens: Vec<_> = server.cancellations().iter().map(|seen| seen.header("authorization")[0].to_owned()).collect();
    assert_eq!(tokens[..3], ["Bearer t-1", "Bearer t-1", "Bearer t-1"]);
    assert_eq!(server.token_requests(), 2);
}

async fn until_called_with(server: &RawServer, client: &Client, token: &str) {
    for _ in 0..100 {
        cancel(client).await.expect("it is cancelled");
        let last = server.cancellations().pop().expect("there was a call");
        if last.header("authorization")[0].ends_with(token) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{token} is never used");
}

#[tokio::test]
async fn a_renewal_that_fails_does_not_fail_calls_while_the_token_lives() {
    let tokens = |nth, _: &Seen| if nth == 0 { issue("t-1", 7200) } else { json(500, r#"{"code":2200}"#) };
    let server = RawServer::start_with_tokens(tokens, |_, _| json(200, OK)).await;
    let client = client(&server);
    cancel(&client).await.expect("it is cancelled");
    pass(Duration::from_secs(6000)).await;
    for _ in 0..20 {
        cancel(&client).await.expect("the token still serves");
    }
    until(|| server.token_requests() == 2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..20 {
        cancel(&client).await.expect("the token still serves");
    }
    assert_eq!(server.token_requests(), 2, "a renewal that failed is not made anew by every call");
    pass(Duration::from_secs(1300)).await;
    let error = cancel(&client).await.expect_err("the token has ended");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::SystemError, Delivery::NotSent));
}

/// The token endpoint knows of no application: codes that speak of one are not listed there, and mean nothing else either.
#[tokio::test]
async fn what_the_token_endpoint_answers_never_speaks_of_the_application() {
    use ErrorKind::{InvalidCredentials, Other};
    let unlisted = [1002001, 1002002, 1002201, 1002209, 1002212, 1002218, 1002221, 1002910, 7];
    let unlisted = unlisted.map(|code| (code, Code::Unknown(code)));
    let own = TokenErrorCode::ALL.iter().map(|&code| (code.code(), Code::Token(code)));
    let field = (99992402, Code::Platform(PlatformErrorCode::FieldValidationFailed));
    for (number, code) in unlisted.into_iter().chain(own).chain([field]) {
        for status in [200, 400, 500] {
            let kind = if code == Code::Unknown(number) { Other } else { InvalidCredentials };
            let body = format!(r#"{{"code":{number},"msg":"no","error":{{"log_id":"L1"}}}}"#);
            let server = RawServer::start_with_tokens(move |_, _| json(status, &body), |_, _| json(200, OK)).await;
            let client = builder(&server).retry(RetryPolicy::off()).build().expect("it can be made");
            let error = cancel(&client).await.expect_err("there is no token");
            let found = (error.kind(), error.delivery(), error.known_code(), error.attempts());
            assert_eq!(found, (kind, Delivery::NotSent, Some(code), 0), "{number} at {status}");
            assert_eq!(error.is_retryable(), kind == Other && status == 500, "{number} at {status}");
            let advice = error.advice();
            assert!(!advice.en.contains("application") && !advice.zh.contains("投递"), "{number}: {advice:?}");
            assert!(server.cancellations().is_empty());
        }
    }
}

#[tokio::test]
async fn no_lifetime_does_harm_or_makes_a_loop() {
    for (expire, most) in [(0, 3), (-1, 3), (i64::MIN, 3), (1, 3), (59, 1), (1800, 1), (7200, 1), (i64::MAX, 1)] {
        let server = RawServer::start_with_tokens(move |_, _| issue("t-1", expire), |_, _| json(200, OK)).await;
        let client = client(&server);
        for _ in 0..3 {
            cancel(&client).await.expect("it is cancelled");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!((1..=most).contains(&server.token_requests()), "{expire}: {}", server.token_requests());
    }
    let server = RawServer::start_with_tokens(|_, _| issue("t-1", i64::MAX), |_, _| json(200, OK)).await;
    let client = client(&server);
    cancel(&client).await.expect("it is cancelled");
    pass(Duration::from_secs(7200)).await;
    cancel(&client).await.expect("it is cancelled");
    assert_eq!(server.token_requests(), 2, "no token is trusted for longer than the platform lets one live");
}

#[tokio::test]
async fn a_clock_that_jumps_does_no_harm() {
    let server = RawServer::start_with_tokens(|_, _| issue("t-1", 7200), |_, _| json(200, OK)).await;
    let client = client(&server);
    for _ in 0..3 {
        pass(Duration::from_secs(10 * 365 * 24 * 3600)).await;
        assert_eq!(cancel(&client).await.expect("it is cancelled"), 1);
    }
    assert_eq!(server.token_requests(), 3);
}

#[test]
fn a_request_that_ended_with_its_runtime_is_made_anew_by_another() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("it can be made");
    let serving = runtime();
    let tokens = |nth, _: &Seen| if nth == 0 { Act::Hang } else { issue("t-1", 7200) };
    let server = serving.block_on(RawServer::start_with_tokens(tokens, |_, _| json(200, OK)));
    let client = client(&server);
    let first = runtime();
    let waiting = first.spawn({
        let client = client.clone();
        async move { cancel(&client).await }
    });
    serving.block_on(until(|| server.token_requests() == 1));
    first.shutdown_background();
    drop(waiting);
    let attempts = runtime().block_on(cancel(&client)).expect("it is cancelled");
    assert_eq!((attempts, server.token_requests()), (1, 2));
}

#[tokio::test]
async fn dropping_the_call_that_asked_for_the_token_does_not_harm_the_others() {
    let server = RawServer::start_with_tokens(
        |_, _| Act::Drip(raw_server::response(200, &[], r#"{"code":0,"tenant_access_token":"t-1","expire":7200}"#)),
        |_, _| json(200, OK),
    )
    .await;
    let client = client(&server);
    let first = tokio::time::timeout(Duration::from_millis(1), cancel(&client)).await;
    drop(first);
    cancel(&client).await.expect("it is cancelled");
    assert_eq!(server.token_requests(), 1);
}

/// Tokens from elsewhere: handed out in order, the last one for good.
struct Vault {
    tokens: Vec<&'static str>,
    held: Mutex<Option<(usize, AccessToken)>>,
    asked: AtomicUsize,
}

impl Vault {
    fn new(tokens: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { tokens: tokens.to_vec(), held: Mutex::default(), asked: AtomicUsize::new(0) })
    }
}

struct Shared(Arc<Vault>);

impl TokenSource for Shared {
    fn token(&self) -> TokenFuture<'_> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let mut held = self.0.held.lock().expect("no panic with it");
            if held.is_none() {
                *held = Some((0, AccessToken::new(self.0.tokens[0])?));
            }
            Ok(held.as_ref().expect("it was just put there").1.clone())
        })
    }

    fn refused(&self, token: &AccessToken) -> bool {
        let mut held = self.0.held.lock().expect("no panic with it");
        let Some((nth, current)) = held.as_ref() else { return true };
        if !current.is_same(token) {
            return true;
        }
        let next = nth + 1;
        match self.0.tokens.get(next).map(|token| AccessToken::new(*token)) {
            Some(Ok(token)) => {
                *held = Some((next, token));
                true
            }
            _ => false,
        }
    }
}

#[tokio::test]
async fn tokens_from_elsewhere_are_used_and_asked_for_anew_when_refused() {
    let script = |_, seen: &Seen| match seen.header("authorization")[0] {
        "Bearer t-second" => json(200, OK),
        _ => json(400, r#"{"code":99991677}"#),
    };
    let server = RawServer::start(script).await;
    let vault = Vault::new(&["t-first", "t-second"]);
    let client = builder(&server).token_source(Shared(Arc::clone(&vault))).build().expect("it can be made");
    assert_eq!(cancel(&client).await.expect("the second token is taken"), 2);
    assert_eq!(cancel(&client).await.expect("the second token is kept"), 1);
    assert_eq!(server.token_requests(), 0);

    let vault = Vault::new(&["t-first"]);
    let client = builder(&server).token_source(Shared(vault)).build().expect("it can be made");
    let error = cancel(&client).await.expect_err("there is no other token");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 1));
}

struct Failing(fn() -> TokenError, AtomicUsize);

impl TokenSource for Failing {
    fn token(&self) -> TokenFuture<'_> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err((self.0)()) })
    }
}

#[tokio::test]
async fn a_source_that_fails_sends_nothing_and_says_why() {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    for (error, retryable) in [
        ((|| TokenError::unavailable("the vault is sealed")) as fn() -> TokenError, true),
        (|| TokenError::refused("the vault says no"), false),
    ] {
        let client =
            builder(&server).token_source(Failing(error, AtomicUsize::new(0))).build().expect("it can be made");
        let error = cancel(&client).await.expect_err("no token");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::TokenUnavailable, retryable));
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(error.to_string().contains("the vault"), "{error}");
    }
    assert_eq!(server.seen().len(), 0);
}

struct Never;

impl TokenSource for Never {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_source_that_never_answers_is_bounded_by_the_deadline() {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let retry = RetryPolicy::default().deadline(Duration::from_millis(100));
    let client = builder(&server).token_source(Never).retry(retry).build().expect("it can be made");
    let error = cancel(&client).await.expect_err("no token");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Timeout, Delivery::NotSent));
}
