//! A quota belongs to the app, not to the process: being told to wait uses up no attempt, and only the deadline bounds it.

use test_support::raw_server;

use std::time::{Duration, SystemTime};

use feishu_cancel_onboard::{
    Cancelled, Client, ClientBuilder, Delivery, Error, ErrorKind, Outcome, RetryPolicy, TerminationType,
};
use raw_server::{Act, RawServer, SECRET, json, response};

const OK: &str = r#"{"code":0}"#;
const LIMITED: &str = r#"{"code":99991400,"msg":"limit"}"#;

fn retry() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4))
}

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    Client::builder().origin(origin).app("cli_test", SECRET).retry(retry())
}

async fn cancel(client: &Client) -> Result<Cancelled, Error> {
    client.cancel_onboard("1111111111", TerminationType::Other).send().await
}

#[tokio::test]
async fn being_told_to_wait_uses_up_no_attempt() {
    // More refusals than the policy has attempts, and two lost answers, which do use them up.
    let answers = [Some("1"), Some("1"), None, Some("1"), Some("1"), None, Some("1")];
    let server = RawServer::start(move |nth, _| match answers.get(nth) {
        Some(Some(reset)) => Act::Answer(response(429, &[("x-ogw-ratelimit-reset", reset)], LIMITED)),
        Some(None) => json(500, r#"{"code":1002001}"#),
        None => json(200, OK),
    })
    .await;
    let client = builder(&server).retry(retry().attempts(3)).build().expect("it can be made");
    let done = cancel(&client).await.expect("the third attempt that counts succeeds");
    assert_eq!((done.outcome(), done.attempts()), (Outcome::Cancelled, 8));
}

#[tokio::test]
async fn without_a_word_of_how_long_each_wait_is_longer_than_the_one_before() {
    let server = RawServer::start(|nth, _| if nth < 2 { json(429, LIMITED) } else { json(200, OK) }).await;
    assert_eq!(cancel(&builder(&server).build().expect("it can be made")).await.expect("it waits").attempts(), 3);
    let at: Vec<_> = server.cancellations().iter().map(|seen| seen.at).collect();
    assert!(at[1] - at[0] >= Duration::from_secs(1) && at[2] - at[1] >= Duration::from_secs(2), "{at:?}");
}

#[tokio::test]
async fn a_policy_that_is_off_does_not_wait_either() {
    let server = RawServer::start(|_, _| json(429, LIMITED)).await;
    let error = cancel(&builder(&server).retry(RetryPolicy::off()).build().expect("it can be made")).await;
    let error = error.expect_err("it is refused");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::RateLimited, Delivery::Rejected, 1));
    assert_eq!(server.cancellations().len(), 1);
}

#[tokio::test]
async fn a_date_to_wait_for_counts_from_the_answer_s_own_clock() {
    // Years away from the clock of this machine.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let (date, then) = (httpdate::fmt_http_date(now), httpdate::fmt_http_date(now + Duration::from_secs(1)));
    let server = RawServer::start(move |nth, _| match nth {
        0 => Act::Answer(response(503, &[("Date", &date), ("Retry-After", &then)], "busy")),
        _ => json(200, OK),
    })
    .await;
    cancel(&builder(&server).build().expect("it can be made")).await.expect("it is cancelled");
    let [first, second] = &server.cancellations()[..] else { panic!("two attempts") };
    assert!(second.at - first.at >= Duration::from_secs(1));
}

#[tokio::test]
async fn of_very_many_attempts_the_first_and_the_latest_are_kept() {
    let server = RawServer::start(|nth, _| json(500, &format!(r#"{{"code":1002001,"msg":"number {nth}"}}"#))).await;
    let policy = retry().backoff(Duration::from_millis(1), Duration::from_millis(1)).attempts(60);
    let pace = feishu_cancel_onboard::Pace::unlimited();
    let client = builder(&server).pace(pace).retry(policy).build().expect("it can be made");
    let error = cancel(&client).await.expect_err("it fails");
    let messages: Vec<_> = error.failures().map(|failure| failure.message().into_owned()).collect();
    assert_eq!(error.attempts(), 60);
    assert_eq!(messages.len(), 16, "{messages:?}");
    assert_eq!((messages[0].as_str(), messages[7].as_str()), ("number 0", "number 7"));
    assert_eq!((messages[8].as_str(), messages[15].as_str()), ("number 52", "number 59"));
}

#[cfg(feature = "sandbox")]
#[tokio::test]
async fn programs_that_do_not_know_of_each_other_share_a_quota_and_all_is_done() {
    use feishu_cancel_onboard::CancelRequest;
    use feishu_cancel_onboard::sandbox::Sandbox;
    use futures_util::{StreamExt, stream};

    let sandbox = Sandbox::start().await.expect("it starts");
    let mut programs = tokio::task::JoinSet::new();
    for program in 0..4 {
        // A separate client, which keeps its own pace.
        let origin = sandbox.base_url().parse().expect("loopback is an origin");
        let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).retry(retry());
        let client = client.build().expect("it can be made");
        programs.spawn(async move {
            let requests =
                (0..20).map(|number| CancelRequest::new(format!("{program}-{number}"), TerminationType::Other));
            let results: Vec<_> = client.cancel_all(stream::iter(requests)).collect().await;
            results.into_iter().filter_map(|(_, result)| result.err()).collect::<Vec<_>>()
        });
    }
    let failed: Vec<_> = programs.join_all().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(sandbox.cancellations(), 80);
}
