//! Whoever stops waiting stops nothing that is under way, and begins nothing: a request that has begun is carried to its
//! answer, the verdict reaches the hook, and no further cancellation is sent.

use test_support::raw_server;

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use feishu_cancel_onboard::{
    CancelRequest, Cancelled, Client, ClientBuilder, Delivery, Error, ErrorKind, Outcome, Pace, RetryPolicy,
    TerminationType,
};
use futures_util::StreamExt;
use raw_server::{Act, RawServer, SECRET, TOKEN, json, response};
use tokio::sync::mpsc;

const OK: &str = r#"{"code":0}"#;
const LIMITED: &str = r#"{"code":99991400,"msg":"limit"}"#;

/// How long the servers here take to answer.
const LATE: Duration = Duration::from_millis(250);
/// How long a test looks on to see that nothing more happens.
const A_WHILE: Duration = Duration::from_millis(400);

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4));
    Client::builder().origin(origin).app("cli_test", SECRET).pace(Pace::unlimited()).retry(retry)
}

fn client(server: &RawServer) -> Client {
    builder(server).build().expect("it can be made")
}

type Verdict = Result<Cancelled, Error>;

/// Drops a cancellation once the server has its first request, and returns the verdict that the hook is told.
async fn drop_under_way(server: &RawServer) -> Verdict {
    let client = client(server);
    let (sender, mut verdicts) = mpsc::unbounded_channel();
    let call = client.cancel_onboard("1", TerminationType::Other).on_finished(move |request, result| {
        assert_eq!(request.application_id(), "1");
        drop(sender.send(result.clone()));
        async {}
    });
    let begun = async {
        while server.cancellations().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        result = call.send() => panic!("it is not answered yet: {result:?}"),
        () = begun => {}
    }
    verdicts.recv().await.expect("the hook is told")
}

#[tokio::test]
async fn a_cancellation_whose_caller_hangs_up_is_carried_to_its_answer() {
    let server = RawServer::start(|_, _| Act::Late(LATE, response(200, &[], OK))).await;
    let done = drop_under_way(&server).await.expect("it is cancelled");
    assert_eq!((done.outcome(), done.attempts()), (Outcome::Cancelled, 1));
    assert_eq!(server.cancellations().len(), 1);
}

#[tokio::test]
async fn after_the_caller_has_hung_up_nothing_is_tried_again() {
    let refused = response(429, &[("x-ogw-ratelimit-reset", "1")], LIMITED);
    for (act, delivery) in [
        (Act::Late(LATE, refused), Delivery::Rejected),
        (Act::Late(LATE, response(500, &[], r#"{"code":1002001}"#)), Delivery::Unknown),
        (Act::Late(LATE, b"HTTP/1.1 220 mail\r\n\r\n".to_vec()), Delivery::Unknown),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let error = drop_under_way(&server).await.expect_err("it is not cancelled");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Interrupted, delivery), "{error:?}");
        assert_eq!((error.attempts(), error.failures().count()), (1, 2));
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(server.cancellations().len(), 1);
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_anything_was_sent_sends_nothing() {
    let token = format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":7200}}"#);
    let tokens = move |_, _: &raw_server::Seen| Act::Late(LATE, response(200, &[], &token));
    let server = RawServer::start_with_tokens(tokens, |_, _| json(200, OK)).await;
    let client = client(&server);
    let (sender, mut verdicts) = mpsc::unbounded_channel();
    let call = client.cancel_onboard("1", TerminationType::Other).on_finished(move |_, result| {
        drop(sender.send(result.clone()));
        async {}
    });
    let waited = tokio::time::timeout(LATE / 4, call.send()).await;
    assert!(waited.is_err());
    let error = verdicts.recv().await.expect("the hook is told").expect_err("nothing was sent");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Interrupted, Delivery::NotSent, 0));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(server.cancellations().len(), 0);
    client.cancel_onboard("2", TerminationType::Other).send().await.expect("the client is fit for use");
}

#[tokio::test]
async fn one_that_is_stopped_waits_for_what_is_under_way_and_begins_nothing() {
    let limited = response(429, &[("x-ogw-ratelimit-reset", "30")], LIMITED);
    for (act, expected) in [
        (Act::Late(LATE, response(200, &[], OK)), Ok(Outcome::Cancelled)),
        (
            Act::Late(LATE, response(400, &[], r#"{"code":1002910}"#)),
            Err((ErrorKind::ManagedByFeishuPeople, Delivery::Rejected)),
        ),
        (Act::Late(LATE, limited.clone()), Err((ErrorKind::Interrupted, Delivery::Rejected))),
        (Act::Late(LATE, response(504, &[], "late")), Err((ErrorKind::Interrupted, Delivery::Unknown))),
        // These are waiting for the next attempt by then.
        (Act::Answer(limited), Err((ErrorKind::Interrupted, Delivery::Rejected))),
        (
            Act::Answer(response(503, &[("Retry-After", "30")], "busy")),
            Err((ErrorKind::Interrupted, Delivery::Unknown)),
        ),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let cancellation = client(&server).cancel_onboard("1", TerminationType::Other).start();
        while server.cancellations().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(LATE / 4).await;
        cancellation.stop();
        let result = cancellation.await;
        let told = result.as_ref().map(Cancelled::outcome).map_err(|error| (error.kind(), error.delivery()));
        assert_eq!(told, expected, "{result:?}");
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(server.cancellations().len(), 1);
    }
}

#[tokio::test]
async fn one_that_is_given_up_says_what_is_known_at_that_moment() {
    let limited = response(429, &[("x-ogw-ratelimit-reset", "30")], LIMITED);
    for (act, delivery) in [
        (Act::Hang, Delivery::Unknown),
        (Act::Answer(limited), Delivery::Rejected),
        (Act::Answer(response(503, &[("Retry-After", "30")], "busy")), Delivery::Unknown),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let cancellation = client(&server).cancel_onboard("1", TerminationType::Other).start();
        while server.cancellations().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(LATE / 4).await;
        let error = cancellation.give_up().expect_err("there is no result yet");
        assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Interrupted, delivery, 1));
    }
    let server = RawServer::start_with_tokens(|_, _| Act::Hang, |_, _| json(200, OK)).await;
    let (plain, lost) = (client(&server), client(&server));
    let plain = plain.cancel_onboard("1", TerminationType::Other).start();
    let lost = lost.cancel_onboard("1", TerminationType::Other).after_lost_attempt().start();
    tokio::time::sleep(LATE / 4).await;
    assert_eq!(plain.give_up().expect_err("nothing was sent").delivery(), Delivery::NotSent);
    assert_eq!(lost.give_up().expect_err("nothing was sent").delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn one_that_is_given_up_after_its_answer_came_is_not_called_unsent() {
    for (act, expected) in [
        (json(200, OK), Ok(Outcome::Cancelled)),
        (json(400, r#"{"code":1002910}"#), Err(Delivery::Rejected)),
        (Act::Answer(response(504, &[], "late")), Err(Delivery::Unknown)),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let client = builder(&server).retry(RetryPolicy::off()).build().expect("it can be made");
        let (sender, mut hooks) = mpsc::unbounded_channel();
        let call = client.cancel_onboard("1", TerminationType::Other).on_finished(move |_, _| {
            let _ = sender.send(());
            std::future::pending()
        });
        let cancellation = call.start();
        hooks.recv().await.expect("the hook is told");
        let told = cancellation.give_up();
        let told = told.as_ref().map(Cancelled::outcome).map_err(Error::delivery);
        assert_eq!(told, expected);
    }
}

/// Lets the tasks run that are ready now, each for one step.
async fn a_step() {
    let mut stepped = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut stepped, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Gives cancellations up at each moment of their lives, and compares what is said with what the server saw.
async fn give_up_at_each_moment() {
    const STEPS: usize = 400;
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let client = builder(&server).tenant_access_token(TOKEN).build().expect("it can be made");
    // A task that is ready again at once has its turn between any two steps of the others.
    let calls = tokio::spawn(async move {
        let mut said = Vec::new();
        for call in 0..3 * STEPS {
            let id = format!("{call}");
            let cancellation = client.cancel_onboard(&id, TerminationType::Other).start();
            for _ in 0..call % STEPS {
                a_step().await;
            }
            said.push((id, cancellation.give_up()));
        }
        said
    });
    let said = calls.await.expect("no panic");
    tokio::time::sleep(A_WHILE).await;
    let arrived: HashSet<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    for (id, result) in said {
        let path = format!("/open-apis/hire/v1/applications/{id}/cancel_onboard");
        match result {
            Err(error) if error.delivery() == Delivery::NotSent => {
                assert!(!arrived.contains(&path), "{id} was called not sent");
                assert_eq!(error.attempts(), 0, "{id}");
            }
            Err(error) => assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1), "{id}"),
            Ok(_) => assert!(arrived.contains(&path), "{id}"),
        }
    }
}

#[tokio::test]
async fn what_is_said_of_one_given_up_at_any_moment_agrees_with_the_server() {
    give_up_at_each_moment().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_of_one_given_up_at_any_moment_agrees_with_the_server_on_several_threads() {
    give_up_at_each_moment().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_after_a_stop_at_any_moment_agrees_with_the_server() {
    let server = RawServer::start(|nth, _| match nth % 3 {
        0 => json(200, OK),
        1 => json(500, r#"{"code":1002001}"#),
        _ => Act::Reset,
    })
    .await;
    let client = builder(&server).tenant_access_token(TOKEN).build().expect("it can be made");
    let mut calls = tokio::task::JoinSet::new();
    for caller in 0..20_u64 {
        let client = client.clone();
        calls.spawn(async move {
            let mut said = Vec::new();
            for call in 0..20_u64 {
                let id = format!("{caller}-{call}");
                let cancellation = client.cancel_onboard(&id, TerminationType::Other).start();
                tokio::time::sleep(Duration::from_micros((caller * 20 + call) * 7 % 1500)).await;
                cancellation.stop();
                said.push((id, cancellation.await));
            }
            said
        });
    }
    let said: Vec<(String, Verdict)> = calls.join_all().await.into_iter().flatten().collect();
    tokio::time::sleep(A_WHILE).await;
    let arrived: HashSet<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    for (id, result) in said {
        let path = format!("/open-apis/hire/v1/applications/{id}/cancel_onboard");
        match result {
            Err(error) if error.delivery() == Delivery::NotSent => {
                assert!(!arrived.contains(&path), "{id} was called not sent");
                assert_eq!(error.attempts(), 0, "{id}");
            }
            Err(error) => assert_eq!(error.delivery(), Delivery::Unknown, "{id}: {error:?}"),
            Ok(_) => assert!(arrived.contains(&path), "{id}"),
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_leaves_what_is_under_way_to_its_answer_and_begins_nothing() {
    let server = RawServer::start(|_, _| Act::Late(LATE, response(200, &[], OK))).await;
    let client = builder(&server).pace(Pace::new(3, Duration::from_secs(3600))).build().expect("it can be made");
    let ended = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&ended);
    let requests = (0..10).map(|id| CancelRequest::new(id.to_string(), TerminationType::Other));
    let mut results = client.cancel_all(futures_util::stream::iter(requests)).on_finished(move |request, result| {
        log.lock().expect("no panic with it").push((request.application_id().to_owned(), result.is_ok()));
        async {}
    });
    let begun = async {
        while server.cancellations().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = results.next() => panic!("nothing is answered yet"),
        () = begun => {}
    }
    drop(results);
    tokio::time::sleep(LATE + A_WHILE).await;
    let mut ended = ended.lock().expect("no panic with it").clone();
    ended.sort();
    assert_eq!(ended, ["0", "1", "2"].map(|id| (id.to_owned(), true)));
    assert_eq!(server.cancellations().len(), 3);
}

#[tokio::test]
async fn a_stream_that_is_stopped_sends_nothing_of_what_waits_after_a_refusal() {
    let limited = response(429, &[("x-ogw-ratelimit-reset", "30")], LIMITED);
    let server = RawServer::start(move |_, _| Act::Answer(limited.clone())).await;
    let client = client(&server);
    let request = CancelRequest::new("1", TerminationType::Other);
    let mut results = client.cancel_all(futures_util::stream::iter([request]));
    let refused = async {
        while server.cancellations().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(LATE / 4).await;
    };
    tokio::select! {
        _ = results.next() => panic!("it waits"),
        () = refused => {}
    }
    results.stop();
    let (_, result) = results.next().await.expect("it had begun");
    let error = result.expect_err("it was refused");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::Interrupted, Delivery::Rejected, 1));
    assert!(results.next().await.is_none());
    assert_eq!(server.cancellations().len(), 1);
}

/// What is logged at the default level from now on, in this thread.
fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Of how many results it says that nobody waited for them.
    fn unclaimed(&self) -> usize {
        String::from_utf8_lossy(&self.0.lock().expect("no panic with it"))
            .matches("nobody waited for the result")
            .count()
    }
}

#[tokio::test]
async fn a_result_that_is_dropped_at_any_moment_is_logged() {
    const STEPS: usize = 300;
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let client = builder(&server).tenant_access_token(TOKEN).build().expect("it can be made");
    let (log, _guard) = log();
    let calls = tokio::spawn(async move {
        for call in 0..STEPS {
            let cancellation = client.cancel_onboard(format!("{call}"), TerminationType::Other).start();
            for _ in 0..2 * call {
                a_step().await;
            }
            drop(cancellation);
        }
    });
    calls.await.expect("no panic");
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(log.unclaimed(), STEPS);
}

#[tokio::test]
async fn results_that_a_dropped_stream_held_already_are_logged() {
    let server = RawServer::start(|_, _| Act::Late(LATE, response(200, &[], OK))).await;
    let client = client(&server);
    let (log, _guard) = log();
    let (sender, mut hooks) = mpsc::unbounded_channel();
    let requests = (0..3).map(|id| CancelRequest::new(id.to_string(), TerminationType::Other));
    let mut results = client.cancel_all(futures_util::stream::iter(requests)).on_finished(move |_, _| {
        let _ = sender.send(());
        async {}
    });
    let begun = async {
        while server.cancellations().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = results.next() => panic!("nothing is answered yet"),
        () = begun => {}
    }
    for _ in 0..3 {
        hooks.recv().await.expect("the hook is told");
    }
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(log.unclaimed(), 0);
    assert!(results.next().await.is_some());
    drop(results);
    assert_eq!(log.unclaimed(), 2);
}
