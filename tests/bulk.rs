//! Many cancellations: each result comes with its request, as fast as the pace allows, and what a single cancellation
//! promises holds for each.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use feishu_cancel_onboard::sandbox::{Answer, ApplicationState, Ending, Fault, Sandbox};
use feishu_cancel_onboard::{
    CancelRequest, Cancelled, Client, ClientBuilder, Delivery, Error, ErrorCode, ErrorKind, Outcome, Pace, RetryPolicy,
    TerminationType,
};
use futures_util::stream::{self, Stream, StreamExt};
use http::StatusCode;

type Results = HashMap<String, Result<Cancelled, Error>>;

/// How long a test looks on to see that nothing happens.
const A_WHILE: Duration = Duration::from_millis(150);
/// Longer than any test takes.
const HOURS: Duration = Duration::from_secs(10_000);

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .origin(sandbox.base_url().parse().expect("loopback is an origin"))
        .app(sandbox.app_id(), sandbox.app_secret())
        .retry(RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(8)))
        .pace(Pace::unlimited())
}

fn client(sandbox: &Sandbox) -> Client {
    builder(sandbox).build().expect("it can be made")
}

async fn unlimited() -> Sandbox {
    Sandbox::builder().rate_limits([]).start().await.expect("it starts")
}

fn request(number: usize) -> CancelRequest {
    CancelRequest::new(format!("{number}"), TerminationType::Other)
}

fn requests(count: usize) -> impl Stream<Item = CancelRequest> {
    stream::iter((0..count).map(request))
}

/// Requests without an end, counted as they are taken.
fn endless() -> (impl Stream<Item = CancelRequest>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    (stream::iter((0..).map(move |_| request(counter.fetch_add(1, Ordering::SeqCst)))), taken)
}

async fn all(results: impl Stream<Item = (CancelRequest, Result<Cancelled, Error>)>) -> Results {
    results.map(|(request, result)| (request.application_id().to_owned(), result)).collect().await
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The sandbox's cancellation calls so far.
fn calls(sandbox: &Sandbox) -> usize {
    sandbox.calls().iter().filter(|call| call.application_id.is_some()).count()
}

#[tokio::test]
async fn every_request_has_its_result() {
    let sandbox = unlimited().await;
    sandbox.set_application("7", ApplicationState::Terminated);
    sandbox.set_application("8", ApplicationState::InFeishuPeople);
    let ids = (0..1000).map(request).chain([CancelRequest::new("no/id", TerminationType::Other)]);
    let results = all(client(&sandbox).cancel_all(stream::iter(ids))).await;
    assert_eq!((results.len(), sandbox.cancellations(), sandbox.token_requests()), (1001, 998, 1));
    let failed = |id: &str| results[id].as_ref().expect_err(id).kind();
    assert_eq!(failed("7"), ErrorKind::AlreadyTerminated);
    assert_eq!(failed("8"), ErrorKind::ManagedByFeishuPeople);
    assert_eq!(failed("no/id"), ErrorKind::InvalidRequest);
    assert_eq!(results.values().filter(|result| result.is_ok()).count(), 998);
}

#[tokio::test]
async fn nothing_in_gives_nothing_out() {
    let sandbox = unlimited().await;
    let mut results = client(&sandbox).cancel_all(requests(0));
    assert!(results.next().await.is_none());
    assert!(results.next().await.is_none());
    assert_eq!(sandbox.token_requests(), 0);
}

#[tokio::test]
async fn results_come_in_the_order_in_which_they_end() {
    let sandbox = unlimited().await;
    sandbox.fail_cancellations([Fault::Delay(Duration::from_secs(3))]);
    let client = builder(&sandbox).pace(Pace::new(1, Duration::from_millis(30))).build().expect("it can be made");
    let order: Vec<_> =
        client.cancel_all(requests(5)).map(|(request, _)| request.application_id().to_owned()).collect().await;
    assert_eq!(order, ["1", "2", "3", "4", "0"]);
}

#[tokio::test]
async fn no_more_are_under_way_than_the_ceiling_and_no_more_are_taken() {
    let sandbox = Sandbox::builder().rate_limits([]).latency(HOURS..=HOURS).start().await.expect("it starts");
    let (requests, taken) = endless();
    let mut results = builder(&sandbox).attempt_timeout(HOURS).build().expect("it can be made").cancel_all(requests);
    let looking_on = async {
        until(|| calls(&sandbox) == 256).await;
        tokio::time::sleep(A_WHILE).await;
    };
    tokio::select! {
        _ = results.next() => panic!("nothing has been answered"),
        () = looking_on => {}
    }
    assert_eq!((calls(&sandbox), taken.load(Ordering::SeqCst)), (256, 256));
}

#[tokio::test]
async fn results_that_nobody_fetches_hold_back_what_is_next() {
    let sandbox = unlimited().await;
    let (requests, taken) = endless();
    let mut results = client(&sandbox).cancel_all(requests);
    assert!(results.next().await.is_some());
    tokio::time::sleep(A_WHILE).await;
    assert!(taken.load(Ordering::SeqCst) <= 257);
    for _ in 0..1000 {
        assert!(results.next().await.is_some());
    }
    assert!(taken.load(Ordering::SeqCst) <= 1001 + 256);
}

#[tokio::test]
async fn dropping_the_stream_stops_new_calls() {
    let sandbox = Sandbox::builder()
        .rate_limits([])
        .latency(Duration::from_millis(1)..=Duration::from_millis(40))
        .start()
        .await
        .expect("it starts");
    let (requests, _) = endless();
    let mut results = client(&sandbox).cancel_all(requests);
    for _ in 0..50 {
        results.next().await;
    }
    drop(results);
    // Requests that were on the wire already may still arrive.
    tokio::time::sleep(A_WHILE).await;
    let called = calls(&sandbox);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(calls(&sandbox), called);
    // The client is fit for use.
    client(&sandbox)
        .prepare(CancelRequest::new("after", TerminationType::Other))
        .send()
        .await
        .expect("it is cancelled");
}

#[tokio::test]
async fn a_stream_that_is_stopped_begins_nothing_and_ends_what_has_begun() {
    let sandbox = unlimited().await;
    sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(A_WHILE), 3));
    let client = builder(&sandbox).pace(Pace::new(3, HOURS)).build().expect("it can be made");
    let (requests, taken) = endless();
    let mut results = client.cancel_all(requests);
    tokio::select! {
        _ = results.next() => panic!("nothing has been answered"),
        () = until(|| calls(&sandbox) == 3 && taken.load(Ordering::SeqCst) == 4) => {}
    }
    results.stop();
    let ended: Vec<_> = results.by_ref().collect().await;
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|(_, result)| result.is_ok()));
    assert!(results.next().await.is_none());
    assert_eq!((calls(&sandbox), taken.load(Ordering::SeqCst)), (3, 4));
}

#[tokio::test]
async fn a_stream_that_is_stopped_does_not_wait_for_a_token() {
    let sandbox = unlimited().await;
    sandbox.fail_token_requests([Fault::Delay(HOURS)]);
    let client = builder(&sandbox).attempt_timeout(HOURS).build().expect("it can be made");
    let (requests, taken) = endless();
    let mut results = client.cancel_all(requests);
    tokio::select! {
        _ = results.next() => panic!("nothing has been answered"),
        () = until(|| taken.load(Ordering::SeqCst) == 256) => {}
    }
    results.stop();
    assert!(results.next().await.is_none());
    assert_eq!(calls(&sandbox), 0);
}

#[tokio::test]
async fn waiting_for_its_turn_costs_a_cancellation_nothing_of_its_deadline() {
    let sandbox = unlimited().await;
    let client = builder(&sandbox)
        .pace(Pace::new(1, Duration::from_millis(130)))
        .retry(RetryPolicy::default().deadline(Duration::from_millis(1500)))
        .build()
        .expect("it can be made");
    let results = all(client.cancel_all(requests(20))).await;
    assert!(results.values().all(Result::is_ok), "{results:?}");
}

#[tokio::test]
async fn the_documented_rate_is_kept_and_used() {
    let sandbox = Sandbox::start().await.expect("it starts");
    let client = builder(&sandbox).pace(Pace::default()).build().expect("it can be made");
    let results = all(client.cancel_all(requests(30))).await;
    assert!(results.values().all(Result::is_ok), "{results:?}");
    // On a busy machine a call can arrive so late that the next one comes too soon after it. Without a pace, 20 would.
    let told_to_wait = calls(&sandbox) - 30;
    assert!(told_to_wait <= 5, "{told_to_wait}");
    assert_eq!(sandbox.token_requests(), 1);
}

#[tokio::test]
async fn the_wait_that_the_platform_asks_of_one_holds_for_all() {
    let sandbox = unlimited().await;
    let refusal = Fault::WithoutEffect(Answer::rate_limited(10, 1).into());
    sandbox.fail_cancellations([Fault::None, Fault::None, refusal]);
    let client = builder(&sandbox).pace(Pace::new(1, Duration::from_millis(400))).build().expect("it can be made");
    let results = all(client.cancel_all(requests(6))).await;
    assert!(results.values().all(Result::is_ok), "{results:?}");
    let calls: Vec<_> = sandbox.calls().into_iter().filter(|call| call.application_id.is_some()).collect();
    assert_eq!(calls.len(), 7);
    let refused = calls.iter().find(|call| call.status == Some(429)).expect("one was refused").at;
    let soon = calls.iter().filter(|call| call.at > refused && call.at - refused < Duration::from_secs(1)).count();
    assert_eq!(soon, 0);
}

#[tokio::test]
async fn a_caller_who_calls_between_two_results_is_not_held_up_by_those_that_wait() {
    let sandbox = unlimited().await;
    let client = builder(&sandbox).pace(Pace::new(1, Duration::from_millis(20))).build().expect("it can be made");
    let mut results = client.cancel_all(requests(5));
    let mut done = 0;
    while let Some((request, result)) = results.next().await {
        result.expect("it is cancelled");
        let again = client.prepare(request).send().await.expect_err("it is terminated already");
        assert_eq!(again.kind(), ErrorKind::AlreadyTerminated);
        done += 1;
    }
    assert_eq!(done, 5);
}

#[tokio::test]
async fn a_caller_who_is_slow_to_fetch_results_costs_those_under_way_nothing() {
    let sandbox = Sandbox::builder()
        .rate_limits([])
        .latency(Duration::from_millis(100)..=Duration::from_millis(100))
        .start()
        .await
        .expect("it starts");
    let client = builder(&sandbox).attempt_timeout(Duration::from_secs(1)).retry(RetryPolicy::off());
    let mut results = client.build().expect("it can be made").cancel_all(requests(20));
    let mut done = 0;
    while let Some((_, result)) = results.next().await {
        result.expect("it is cancelled");
        if done == 0 {
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        done += 1;
    }
    assert_eq!(done, 20);
}

#[tokio::test]
async fn a_token_that_is_revoked_on_the_way_is_renewed_once_for_all() {
    let sandbox = unlimited().await;
    let client = builder(&sandbox).pace(Pace::new(20, Duration::from_millis(50))).build().expect("it can be made");
    let mut results = client.cancel_all(requests(100));
    for _ in 0..30 {
        results.next().await.expect("there are more").1.expect("it is cancelled");
    }
    sandbox.revoke_tokens();
    let rest = all(results).await;
    assert_eq!(rest.len(), 70);
    assert!(rest.values().all(Result::is_ok), "{rest:?}");
    assert_eq!((sandbox.cancellations(), sandbox.token_requests()), (100, 2));
}

#[tokio::test]
async fn what_is_said_of_each_agrees_with_the_server_whatever_is_lost() {
    let sandbox = unlimited().await;
    sandbox.fail_cancellations_at_random(
        20_250_220,
        [
            (0.06, Fault::WithEffect(Ending::Reset)),
            (0.06, Fault::WithoutEffect(Ending::Reset)),
            (0.05, Fault::WithEffect(Ending::Truncated(5))),
            (0.04, Fault::WithEffect(Answer::html(StatusCode::BAD_GATEWAY).into())),
            (0.04, Fault::WithoutEffect(ErrorCode::SystemError.into())),
        ],
    );
    let results = all(client(&sandbox).cancel_all(requests(2000))).await;
    assert_eq!(results.len(), 2000);
    let mut terminated = 0;
    for (id, result) in &results {
        let holds = sandbox.application(id) == ApplicationState::Terminated;
        match result {
            Ok(done) => {
                assert!(holds, "{id}: {done:?}");
                terminated += usize::from(done.outcome() == Outcome::Terminated);
            }
            Err(error) => assert_eq!(error.delivery(), Delivery::Unknown, "{id}: {error:?}"),
        }
    }
    assert!(terminated > 100, "{terminated}");
    let done = results.values().filter(|result| result.is_ok()).count();
    assert!(done > 1900 && sandbox.cancellations() >= done, "{done}");
}

#[tokio::test]
async fn an_attempt_lost_earlier_is_taken_into_account() {
    let sandbox = unlimited().await;
    for id in ["0", "1"] {
        sandbox.set_application(id, ApplicationState::Terminated);
    }
    let requests = stream::iter([request(0), request(1).after_lost_attempt(), request(2).after_lost_attempt()]);
    let results = all(client(&sandbox).cancel_all(requests)).await;
    assert_eq!(results["0"].as_ref().expect_err("nothing of it is lost").kind(), ErrorKind::AlreadyTerminated);
    assert_eq!(results["1"].as_ref().expect("it is terminated").outcome(), Outcome::Terminated);
    assert_eq!(results["2"].as_ref().expect("it is cancelled").outcome(), Outcome::Cancelled);
}

#[tokio::test]
async fn what_is_awaited_before_sending_comes_before_the_first_request_of_each() {
    let sandbox = Arc::new(unlimited().await);
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset), Fault::WithEffect(Ending::Reset)]);
    let started = Arc::new(Mutex::new(Vec::new()));
    let (log, server) = (Arc::clone(&started), Arc::clone(&sandbox));
    let results = client(&sandbox).cancel_all(requests(20)).before_sending(move |request| {
        let (log, server, id) = (Arc::clone(&log), Arc::clone(&server), request.application_id().to_owned());
        async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let sent = server.calls().iter().any(|call| call.application_id.as_ref() == Some(&id));
            log.lock().expect("no panic with it").push((id, sent));
            Ok::<_, Error>(())
        }
    });
    assert!(all(results).await.values().all(Result::is_ok));
    let mut started = started.lock().expect("no panic with it").clone();
    assert!(started.iter().all(|(_, sent)| !sent));
    started.sort();
    started.dedup();
    assert_eq!((started.len(), calls(&sandbox)), (20, 22));
}

#[tokio::test]
async fn what_could_not_be_put_on_record_is_not_sent() {
    let sandbox = unlimited().await;
    let results = client(&sandbox).cancel_all(requests(20)).before_sending(|request| {
        let odd = request.application_id().parse::<usize>().expect("it is a number") % 2 == 1;
        async move { if odd { Err("the disk is full") } else { Ok(()) } }
    });
    let results = all(results).await;
    for (id, result) in &results {
        let odd = id.parse::<usize>().expect("it is a number") % 2 == 1;
        assert_eq!(result.is_err(), odd, "{id}");
        if let Err(error) = result {
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::NotRecorded, Delivery::NotSent));
            assert!(error.message().contains("the disk is full"), "{error}");
        }
    }
    assert_eq!((results.len(), calls(&sandbox)), (20, 10));
}

/// An input that has its next request only now and then.
struct Slow {
    left: usize,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Stream for Slow {
    type Item = CancelRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<CancelRequest>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.sleep.as_mut().poll(context));
        self.sleep = Box::pin(tokio::time::sleep(Duration::from_millis(5)));
        self.left -= 1;
        Poll::Ready(Some(request(self.left)))
    }
}

#[tokio::test]
async fn an_input_that_makes_wait_is_waited_for() {
    let sandbox = unlimited().await;
    let slow = Slow { left: 30, sleep: Box::pin(tokio::time::sleep(Duration::ZERO)) };
    assert_eq!(all(client(&sandbox).cancel_all(slow)).await.len(), 30);
    assert_eq!(sandbox.cancellations(), 30);
}
