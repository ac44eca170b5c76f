//! An answer belongs to its request: no attempt of a cancellation is made on a connection that anything else was sent on.

use test_support::raw_server;

use std::collections::HashSet;
use std::time::Duration;

use feishu_cancel_onboard::{Client, ClientBuilder, Delivery, ErrorKind, Pace, RetryPolicy, TerminationType};
use raw_server::{Act, RawServer, SECRET, TOKEN, json, response};

const OK: &str = r#"{"code":0,"msg":"success","data":{}}"#;
const IN_FEISHU_PEOPLE: &str = r#"{"code":1002910,"msg":"in Feishu People"}"#;

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4));
    Client::builder().origin(origin).app("cli_test", SECRET).pace(Pace::unlimited()).retry(retry)
}

#[tokio::test]
async fn an_additional_answer_after_the_token_s_is_not_taken_for_the_cancellation_s() {
    for _ in 0..20 {
        let token = format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":7200}}"#);
        let tokens = move |_, _: &raw_server::Seen| {
            Act::AnswerTwice(response(200, &[], &token), Duration::from_millis(10), response(200, &[], OK))
        };
        let refused = response(400, &[], IN_FEISHU_PEOPLE);
        let script = move |_, _: &raw_server::Seen| Act::Late(Duration::from_millis(50), refused.clone());
        let server = RawServer::start_with_tokens(tokens, script).await;
        let client = builder(&server).build().expect("it can be made");
        let error = client.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is refused");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::ManagedByFeishuPeople, Delivery::Rejected));
    }
}

#[tokio::test]
async fn an_additional_answer_after_a_cancellation_s_is_not_taken_for_the_next_one_s() {
    let refused = response(400, &[], IN_FEISHU_PEOPLE);
    let script = move |_, _: &raw_server::Seen| {
        Act::AnswerTwice(refused.clone(), Duration::from_millis(2), response(200, &[], OK))
    };
    let server = RawServer::start(script).await;
    let client = builder(&server).build().expect("it can be made");
    for number in 0..200_u64 {
        let result = client.cancel_onboard(format!("{number}"), TerminationType::Other).send().await;
        let error = result.expect_err("it is refused");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::ManagedByFeishuPeople, 1), "{number}: {error:?}");
        // At every distance from the additional answer.
        tokio::time::sleep(Duration::from_micros(number * 20)).await;
    }
}

#[tokio::test]
async fn each_attempt_has_a_connection_of_its_own_and_what_only_reads_shares_one() {
    let script = |nth, seen: &raw_server::Seen| match seen.method.as_str() {
        "GET" => json(200, r#"{"code":0,"data":{"items":[],"has_more":false}}"#),
        _ if nth % 3 == 0 => json(500, r#"{"code":1002001}"#),
        _ => json(200, OK),
    };
    let server = RawServer::start(script).await;
    let client = builder(&server).build().expect("it can be made");
    for round in 0..5 {
        for number in 0..4 {
            let id = format!("{round}-{number}");
            client.cancel_onboard(id, TerminationType::Other).send().await.expect("it is cancelled in the end");
        }
        assert!(client.termination_reasons().next().await.is_none(), "there are none");
    }
    let seen = server.seen();
    let (cancellations, others): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.path.ends_with("cancel_onboard"));
    assert!(cancellations.len() > 20, "some were tried again");
    let own: HashSet<_> = cancellations.iter().map(|seen| seen.connection).collect();
    assert_eq!(own.len(), cancellations.len());
    let shared: HashSet<_> = others.iter().map(|seen| seen.connection).collect();
    assert_eq!((others.len(), shared.len()), (6, 1), "a token and five lists");
    assert!(own.is_disjoint(&shared));
}
