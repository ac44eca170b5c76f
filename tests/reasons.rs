//! The list of termination reasons, on the wire: the exact request, every page once and in order, an end in any case,
//! everything tried again that may pass, and one odd reason that spoils no other.

mod faults;
use test_support::raw_server;

use std::time::Duration;

use faults::{FOR_TWO, Row, assert_attempts, rows, signed, status, with_headers};
use feishu_cancel_onboard::{
    ActiveStatus, Client, ClientBuilder, Code, Delivery, Error, ErrorKind, Pace, Received, RetryPolicy,
    TerminationReason, TerminationReasonsErrorCode, TerminationType,
};
use futures_core::Stream;
use raw_server::{Act, RawServer, SECRET, Seen, TOKEN, json};
use serde_json::{Value, json as value};
use tokio::time::Instant;

/// Long enough for a busy machine, and far below what a test that hangs would take.
const SOON: Duration = Duration::from_secs(15);

fn quick() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4)).deadline(Duration::from_secs(20))
}

fn builder(server: &RawServer) -> ClientBuilder {
    let origin = server.origin.parse().expect("loopback is an origin");
    Client::builder().origin(origin).tenant_access_token(TOKEN).attempt_timeout(Duration::from_secs(10)).retry(quick())
}

fn client(server: &RawServer) -> Client {
    builder(server).build().expect("it can be made")
}

fn reason(id: &str) -> Value {
    value!({
        "id": id,
        "name": {"zh_cn": "示例", "en_us": "sample"},
        "referral_name": {"zh_cn": "内推示例", "en_us": "referral sample"},
        "termination_type": 22,
        "is_used_as_evaluation": true,
        "active_status": 1,
    })
}

/// A page of these reasons, which leads on where there is a token.
fn page(items: &[Value], next: Option<&str>) -> Act {
    let mut data = value!({"items": items, "has_more": next.is_some()});
    if let Some(token) = next {
        data["page_token"] = token.into();
    }
    json(200, &value!({"code": 0, "msg": "success", "data": data}).to_string())
}

async fn list(client: &Client) -> Result<Vec<TerminationReason>, Error> {
    let mut reasons = client.termination_reasons();
    let mut listed = Vec::new();
    while let Some(reason) = reasons.next().await.transpose()? {
        listed.push(reason);
    }
    assert!(reasons.next().await.is_none(), "it has ended");
    Ok(listed)
}

fn ids(reasons: &[TerminationReason]) -> Vec<&str> {
    reasons.iter().map(TerminationReason::id).collect()
}

/// The parameters of a request's query, decoded.
fn query(seen: &Seen) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://any{}", seen.path)).expect("it is a path");
    let mut query: Vec<_> = url.query_pairs().into_owned().collect();
    query.sort();
    query
}

#[tokio::test]
async fn the_request_is_as_the_page_says() {
    let server = RawServer::start(|_, _| page(&[reason("1")], None)).await;
    list(&client(&server)).await.expect("it is listed");
    let [seen] = &server.seen()[..] else { panic!("one request") };
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("GET", ""));
    assert_eq!(seen.path, "/open-apis/hire/v1/termination_reasons?page_size=200");
    assert_eq!(seen.header("authorization"), [format!("Bearer {TOKEN}")]);
    for absent in ["content-type", "content-length", "transfer-encoding", "api-version"] {
        assert_eq!(seen.header(absent), [""; 0], "{absent}");
    }
}

#[tokio::test]
async fn everything_that_is_told_of_a_reason_can_be_asked_for() {
    let server = RawServer::start(|_, _| page(&[reason("6959090661225640000")], None)).await;
    let listed = list(&client(&server)).await.expect("it is listed");
    let [reason] = &listed[..] else { panic!("one reason") };
    assert_eq!(reason.id(), "6959090661225640000");
    assert_eq!((reason.name_zh(), reason.name_en()), (Some("示例"), Some("sample")));
    assert_eq!((reason.referral_name_zh(), reason.referral_name_en()), (Some("内推示例"), Some("referral sample")));
    assert_eq!(reason.termination_type(), Some(Received::Known(TerminationType::CandidateDeclined)));
    assert_eq!(reason.active_status(), Some(Received::Known(ActiveStatus::Enabled)));
    assert_eq!((reason.is_used_as_evaluation(), reason.is_disabled()), (Some(true), false));
}

#[tokio::test]
async fn the_pages_are_read_in_order_and_each_with_the_token_of_the_one_before() {
    let tokens = ["a b", "&page_size=1", "终#?%2F+"];
    let server = RawServer::start(move |nth, _| {
        page(&[reason(&format!("{nth}-1")), reason(&format!("{nth}-2"))], tokens.get(nth).copied())
    })
    .await;
    let listed = list(&client(&server)).await.expect("it is listed");
    assert_eq!(ids(&listed), ["0-1", "0-2", "1-1", "1-2", "2-1", "2-2", "3-1", "3-2"]);
    let size = || ("page_size".to_owned(), "200".to_owned());
    let token = |token: &str| ("page_token".to_owned(), token.to_owned());
    let queries: Vec<_> = server.seen().iter().map(query).collect();
    let [one, two, three] = tokens.map(|text| vec![size(), token(text)]);
    assert_eq!(queries, [vec![size()], one, two, three]);
}

#[tokio::test]
async fn a_page_is_not_read_before_it_is_wanted_and_can_be_smaller() {
    let server = RawServer::start(|nth, _| page(&[reason("1"), reason("2")], (nth == 0).then_some("t"))).await;
    let client = client(&server);
    for (asked, sent) in [(5, "5"), (200, "200"), (0, "1"), (u32::MAX, "200")] {
        server.forget();
        let mut reasons = client.termination_reasons().page_size(asked);
        assert_eq!(server.seen().len(), 0);
        reasons.next().await.expect("there is one").expect("it is listed");
        reasons.next().await.expect("there is one").expect("it is listed");
        assert_eq!(server.seen().len(), 1);
        assert_eq!(query(&server.seen()[0]), [("page_size".to_owned(), sent.to_owned())]);
        reasons.next().await.expect("there is one").expect("it is listed");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn it_is_a_stream_that_can_be_sent_elsewhere() {
    fn is_stream<T: Stream<Item = Result<TerminationReason, Error>> + Send + Unpin + 'static>(_: &T) {}
    let server = RawServer::start(|_, _| page(&[reason("1")], None)).await;
    let mut reasons = client(&server).termination_reasons();
    is_stream(&reasons);
    let task = tokio::spawn(async move { reasons.next().await.map(|reason| reason.map(|r| r.id().to_owned())) });
    assert_eq!(task.await.expect("no panic").expect("there is one").expect("it is listed"), "1");
}

#[tokio::test]
async fn a_list_without_reasons_is_empty() {
    for body in [
        r#"{"code":0,"data":{"items":[],"has_more":false}}"#,
        r#"{"code":0,"data":{"items":null,"has_more":null,"page_token":null}}"#,
        r#"{"code":0,"data":{"has_more":false,"page_token":"left over"}}"#,
        r#"{"code":0,"data":{}}"#,
        r#"{"code":0,"data":null}"#,
        r#"{"code":0,"msg":"success"}"#,
    ] {
        let server = RawServer::start(move |_, _| json(200, body)).await;
        assert_eq!(list(&client(&server)).await.expect(body).len(), 0, "{body}");
        assert_eq!(server.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_or_nowhere_end_with_an_error() {
    let more = |page_token: Value| {
        json(200, &value!({"code": 0, "data": {"items": [], "has_more": true, "page_token": page_token}}).to_string())
    };
    let no_token = json(200, r#"{"code":0,"data":{"items":[],"has_more":true}}"#);
    let long = more("x".repeat(5000).into());
    let rows: [(&str, Vec<Act>, &str, usize); 6] = [
        ("the same token", vec![more("a".into())], "second time", 2),
        ("two tokens in turn", vec![more("a".into()), more("b".into())], "second time", 3),
        ("no token", vec![no_token], "not where", 1),
        ("an empty token", vec![more("".into())], "not where", 1),
        ("null as a token", vec![more(Value::Null)], "not where", 1),
        ("a token of any length", vec![long], "longer", 1),
    ];
    for (name, acts, message, requests) in rows {
        let server = RawServer::start(move |nth, _| acts[nth % acts.len()].clone()).await;
        let error = list(&client(&server)).await.expect_err(name);
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Rejected), "{name}");
        assert!(error.message().contains(message), "{name}: {error}");
        assert_eq!((error.is_retryable(), error.http_status()), (false, Some(200)), "{name}");
        assert_eq!(server.seen().len(), requests, "{name}");
    }
}

#[tokio::test]
async fn the_reasons_before_a_page_that_leads_nowhere_are_handed_out() {
    let server = RawServer::start(|_, _| page(&[reason("1"), reason("2")], Some("same"))).await;
    let mut reasons = client(&server).termination_reasons();
    for id in ["1", "2", "1", "2"] {
        assert_eq!(reasons.next().await.expect("there is one").expect(id).id(), id);
    }
    assert!(reasons.next().await.expect("there is an error").is_err());
    assert!(reasons.next().await.is_none());
}

#[tokio::test]
async fn a_list_without_end_ends() {
    let server = RawServer::start(|nth, _| page(&[], Some(&nth.to_string()))).await;
    let client = builder(&server).reasons_pace(Pace::unlimited()).build().expect("it can be made");
    let error = list(&client).await.expect_err("it ends");
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error:?}");
    assert!(error.message().contains("more pages"), "{error}");
    assert_eq!(server.seen().len(), 1000);
}

/// How a row of the table for cancellations ends where it happens to a read: nothing took effect, and the codes that only a
/// cancellation has are not listed here, so that they are not the platform's without a log id.
fn for_a_read(kind: ErrorKind, delivery: Delivery, attempts: u32) -> (ErrorKind, Delivery, u32) {
    match kind {
        ErrorKind::AlreadyTerminated | ErrorKind::ManagedByFeishuPeople => {
            (ErrorKind::UnexpectedResponse, Delivery::Rejected, 4)
        }
        kind => (kind, delivery.min(Delivery::Rejected), attempts),
    }
}

fn client_for(server: &RawServer, kind: ErrorKind, deadline: Duration) -> Client {
    let timeout = if kind == ErrorKind::Timeout { Duration::from_millis(600) } else { Duration::from_secs(10) };
    let retry = quick().deadline(deadline);
    builder(server).app("cli_test", SECRET).attempt_timeout(timeout).retry(retry).build().expect("it can be made")
}

#[tokio::test]
async fn each_fault_that_goes_on_ends_without_an_unknown_fate() {
    for Row(name, act, kind, delivery, attempts) in rows() {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let began = Instant::now();
        let deadline = if kind == ErrorKind::RateLimited { FOR_TWO } else { Duration::from_secs(20) };
        let error = list(&client_for(&server, kind, deadline)).await.expect_err(name);
        let (kind, delivery, attempts) = for_a_read(kind, delivery, attempts);
        assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{name}: {error:?}");
        assert!(error.failures().all(|failure| failure.delivery() != Delivery::Unknown), "{name}: {error:?}");
        assert_attempts(error.attempts(), attempts, name);
        assert_eq!(server.cancellations().len(), error.attempts() as usize, "{name}");
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn each_fault_that_may_pass_is_survived_on_any_page() {
    for Row(name, act, kind, _, attempts) in rows().into_iter().filter(|row| row.4 > 1) {
        let server = RawServer::start(move |nth, _| match nth {
            0 | 3 => act.clone(),
            1 => page(&[reason("1")], Some("next")),
            _ if nth == 2 && attempts > 2 => act.clone(),
            _ => page(&[reason("2")], None),
        })
        .await;
        let listed = list(&client_for(&server, kind, Duration::from_secs(20))).await.expect(name);
        assert_eq!(ids(&listed), ["1", "2"], "{name}");
        let tokens: Vec<_> = server.cancellations().iter().map(|seen| query(seen).len()).collect();
        assert_eq!(tokens[..3], [1, 1, 2], "{name}");
    }
    // What is not listed is tried again at 5xx only, also a code that a cancellation would be settled by.
    let server = RawServer::start(|nth, _| if nth == 0 { signed(500, 1002221) } else { page(&[], None) }).await;
    assert_eq!(list(&client(&server)).await.expect("the second attempt succeeds").len(), 0);
    let server = RawServer::start(|nth, _| if nth == 0 { signed(400, 1002221) } else { page(&[], None) }).await;
    assert_eq!(list(&client(&server)).await.expect_err("the platform said no").kind(), ErrorKind::Other);
}

#[tokio::test]
async fn a_success_whose_list_can_not_be_read_is_tried_again() {
    for body in [
        r#"{"code":0,"data":{"items":7}}"#,
        r#"{"code":0,"data":[]}"#,
        r#"{"code":0,"data":"nothing"}"#,
        r#"{"code":0,"data":{"items":[],"has_more":"true"}}"#,
        r#"{"code":0,"data":{"items":[],"has_more":true,"page_token":7}}"#,
    ] {
        let broken = with_headers(200, &[("X-Tt-Logid", "L")], body);
        let first = broken.clone();
        let server = RawServer::start(move |nth, _| if nth == 0 { first.clone() } else { page(&[], None) }).await;
        assert_eq!(list(&client(&server)).await.expect(body).len(), 0);
        let server = RawServer::start(move |_, _| broken.clone()).await;
        let error = list(&client(&server)).await.expect_err(body);
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::UnexpectedResponse, 4), "{body}");
        assert_eq!((error.log_id(), error.http_status()), (Some("L"), Some(200)), "{body}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let origin = format!("http://{}", free.local_addr().expect("it is bound")).parse().expect("loopback is an origin");
    drop(free);
    let client = Client::builder().origin(origin).tenant_access_token(TOKEN).retry(quick()).build();
    let error = list(&client.expect("it can be made")).await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::NotSent), "{error:?}");
    assert_eq!((error.attempts(), error.is_retryable()), (4, true));
}

#[tokio::test]
async fn an_error_is_about_the_list_and_names_the_scopes_of_this_endpoint() {
    let server = RawServer::start(|_, _| status(400, 99991672)).await;
    let error = list(&client(&server)).await.expect_err("it is refused");
    let advice = error.advice();
    for text in [&advice.en, &advice.zh] {
        assert!(text.contains("hire:application:readonly") && text.contains("hire:application ("), "{text}");
    }
    let server = RawServer::start(|_, _| Act::Reset).await;
    let error = list(&client(&server)).await.expect_err("it is lost");
    for text in [error.to_string(), error.advice().en.into_owned()] {
        assert!(!text.contains("cancelled") && !text.contains("said no"), "{text}");
    }
    let server = RawServer::start(|_, _| status(400, 1002002)).await;
    let error = list(&client(&server)).await.expect_err("it is refused");
    let code = Code::TerminationReasons(TerminationReasonsErrorCode::InvalidParameter);
    assert_eq!((error.known_code(), error.code()), (Some(code), Some(1002002)));
    assert!(!error.advice().en.contains("application id"), "{}", error.advice().en);
}

#[tokio::test]
async fn one_odd_reason_spoils_no_other() {
    let mut later = reason("new");
    later["termination_type"] = 31.into();
    later["active_status"] = 9.into();
    later["anything"] = value!({"new": []});
    let bare = value!({"id": "bare"});
    let nulls = value!({"id": "nulls", "name": null, "referral_name": {"zh_cn": null}, "termination_type": null,
        "is_used_as_evaluation": null, "active_status": null});
    let in_the_order_of_the_keys = value!([1, "list", true, null, null, 22]);
    let unusable = [
        in_the_order_of_the_keys,
        value!({"name": {}}),
        value!({"id": 7}),
        value!(["list"]),
        value!(null),
        value!({"id": "x", "name": 3}),
    ];
    let items: Vec<Value> = [&[reason("first"), later, bare, nulls][..], &unusable, &[reason("last")]].concat();
    let server = RawServer::start(move |_, _| page(&items, None)).await;
    let listed = list(&client(&server)).await.expect("it is listed");
    assert_eq!(ids(&listed), ["first", "new", "bare", "nulls", "last"]);
    assert_eq!(listed[1].termination_type(), Some(Received::Unknown(31)));
    assert_eq!((listed[1].active_status(), listed[1].is_disabled()), (Some(Received::Unknown(9)), false));
    for bare in &listed[2..4] {
        assert_eq!((bare.name_zh(), bare.name_en(), bare.referral_name_zh()), (None, None, None));
        assert_eq!((bare.termination_type(), bare.active_status(), bare.is_used_as_evaluation()), (None, None, None));
    }
}

#[tokio::test]
async fn fifty_pages_a_second_are_read_and_no_more() {
    let server = RawServer::start(|nth, _| page(&[], (nth < 119).then_some(&nth.to_string()))).await;
    list(&client(&server)).await.expect("it is listed");
    let seen = server.seen();
    assert_eq!(seen.len(), 120);
    for window in seen.windows(51) {
        let apart = window[50].at - window[0].at;
        assert!(apart >= Duration::from_secs(1), "51 requests in {apart:?}");
    }
}

#[tokio::test]
async fn its_pace_is_its_own() {
    let server = RawServer::start(|_, seen| match seen.method.as_str() {
        "GET" => with_headers(429, &[("x-ogw-ratelimit-reset", "600")], r#"{"code":99991400}"#),
        _ => json(200, r#"{"code":0}"#),
    })
    .await;
    let client = client(&server);
    let error = list(&client).await.expect_err("it is limited");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(600)));
    let error = list(&client).await.expect_err("the limit is remembered");
    assert_eq!((error.kind(), error.delivery(), error.attempts()), (ErrorKind::RateLimited, Delivery::NotSent, 0));
    // The limit on listing says nothing of cancellations.
    client.cancel_onboard("1", TerminationType::Other).send().await.expect("it is cancelled");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn one_token_serves_cancelling_and_listing() {
    let server = RawServer::start(|_, seen| match seen.method.as_str() {
        "GET" => page(&[], None),
        _ => json(200, r#"{"code":0}"#),
    })
    .await;
    let client = builder(&server).app("cli_test", SECRET).build().expect("it can be made");
    list(&client).await.expect("it is listed");
    client.cancel_onboard("1", TerminationType::Other).send().await.expect("it is cancelled");
    list(&client).await.expect("it is listed");
    assert_eq!(server.token_requests(), 1);
}
